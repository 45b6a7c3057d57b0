"""Public ids, names of records and other small promises of the tables."""

from __future__ import annotations

import re
import threading
import time
import uuid

import pytest
import time_machine
from flask_appbuilder import Model
from sqlalchemy import DateTime, Float, String

import app.models  # noqa: F401 - every table of the product is known after this
from app.fields.sqltypes import UtcDateTime
from app.models.base import new_public_id, now
from app.models.declaration import STATUSES

OURS = {name: t for name, t in Model.metadata.tables.items() if not name.startswith(("ab_", "form_"))}
columns = [(name, c) for name, t in sorted(OURS.items()) for c in t.columns]


def test_a_public_id_is_a_uuid_of_version_seven() -> None:
    made = uuid.UUID(new_public_id())
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert abs((made.int >> 80) / 1000 - time.time()) < 5


def test_public_ids_sort_by_the_time_they_were_made() -> None:
    with time_machine.travel(0, tick=False) as clock:
        ids = []
        for _moment in range(50):
            ids.append(new_public_id())
            clock.shift(0.001)
    assert ids == sorted(ids)


def test_public_ids_do_not_repeat_even_at_once() -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.extend(new_public_id() for _n in range(500))) for _t in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(set(found)) == 2000


def test_a_public_id_cannot_be_guessed_from_the_one_before() -> None:
    with time_machine.travel(0, tick=False):
        ends = {new_public_id()[15:] for _n in range(200)}
    assert len(ends) == 200, "within one millisecond only chance tells them apart"


def test_now_is_aware() -> None:
    assert now().utcoffset().total_seconds() == 0


@pytest.mark.parametrize(("table", "column"), columns, ids=[f"{t}.{c.name}" for t, c in columns])
def test_no_column_can_change_a_value_on_its_way(table: str, column: object) -> None:
    """No floats for money, no moments without a zone, no text that one database limits and the other does not."""
    kind = column.type  # type: ignore[attr-defined] - a SQLAlchemy column
    assert not isinstance(kind, Float), f"{table}: amounts are exact"
    if isinstance(kind, DateTime):
        pytest.fail(f"{table}: a moment is kept as UtcDateTime")
    if kind.__class__ is String:
        assert kind.length, f"{table}: a short text says how long it may get"
    if column.name.endswith("_at"):  # type: ignore[attr-defined]
        assert isinstance(kind, UtcDateTime), f"{table}: {column} is a moment"


@pytest.mark.parametrize("name", sorted(OURS))
def test_names_fit_both_databases(name: str) -> None:
    table = OURS[name]
    assert re.fullmatch(r"[a-z][a-z0-9_]{1,40}", name)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]{1,40}", c.name) for c in table.columns)
    assert table.primary_key.columns, "every row can be named"


@pytest.mark.parametrize("name", sorted(OURS))
def test_what_is_referred_to_exists(name: str) -> None:
    for key in OURS[name].foreign_keys:
        assert key.column.table.name in Model.metadata.tables


def test_every_status_fits_its_column() -> None:
    column = Model.metadata.tables["declaration"].c.status
    assert max(map(len, STATUSES)) <= column.type.length
    assert column.default.arg == STATUSES[0] == "draft"


@pytest.mark.parametrize(
    "kind", [m for m in Model.__subclasses__() if m.__tablename__ in OURS], ids=lambda m: m.__name__
)
def test_every_table_says_what_it_is_for(kind: type) -> None:
    assert kind.__doc__ and kind.__doc__.strip().endswith(".")
