"""Questions that change their type or decimals between versions: refused, then carried over from the revisions."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask, current_app
from sqlalchemy import inspect, select, text

from app.definitions import registry
from app.definitions.registry import DefinitionError
from app.definitions.schema import Definition
from app.extensions import db
from app.fields import registry as field_types
from app.fields.base import FieldSpec
from app.models import Declaration, Programme, Revision
from app.models.base import now
from app.models.generated import build_projection, drop_columns, misfits, sync_tables
from app.services.privacy import seal_content
from app.services.projection import check_columns, project, rebuild, sync_definitions
from app.services.unit_of_work import unit_of_work
from tests.factories import make_batch, make_enterprise, store
from tests.factories_portal import make_declaration

KEY = "shifted"
CATALOGUE = registry.catalogue()
OPTIONS = [{"value": "a", "label": "甲"}, {"value": "b", "label": "乙"}]
NEW: dict[str, dict[str, Any]] = {
    "amount": {"type": "decimal", "filter": True},
    "finer": {"type": "decimal", "decimals": 4},
    "people": {"type": "integer"},
    "cost": {"type": "decimal", "max": 10},
    "day": {"type": "date"},
    "named": {"type": "string", "max_length": 8},
    "picked": {"type": "multiselect", "options": OPTIONS},
    "same": {"type": "decimal", "max": 5},
    "year": {"type": "year"},
    "holder": {"type": "string", "max_length": 30},
}
OLD: dict[str, dict[str, Any]] = {
    "amount": {"type": "decimal", "decimals": 4},
    "finer": {"type": "decimal"},
    "people": {"type": "decimal"},
    "cost": {"type": "integer"},
    "day": {"type": "string"},
    "named": {"type": "multiselect", "options": OPTIONS},
    "picked": {"type": "select", "options": OPTIONS},
    "same": {"type": "decimal"},
    "year": {"type": "integer"},
    "holder": {"type": "id_number"},
}
MISFITS = {"amount", "finer", "people", "cost", "day", "named", "picked", "price"}
ID = "11010519491231002X"


def specs(parts: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{"key": key, "label": f"题{key}", **part} for key, part in parts.items()]


def version(fields: Mapping[str, Mapping[str, Any]], price: int, **more: Any) -> Definition:
    items = {
        "key": "items", "label": "明细", "row_label": "明细",
        "columns": specs({"price": {"type": "decimal", "decimals": price}}),
        "tables": [{"key": "parts", "label": "零件", "row_label": "零件", "columns": specs({"n": {"type": "integer"}})}],
    }  # fmt: skip
    return Definition.model_validate(
        {
            "key": KEY, "version": 1, "title": "变更", "short_code": "SH", "kind": "declaration", "jurisdiction": "230100",
            "sections": [{"key": "main", "label": "页", "fields": specs(fields), "tables": [items, *more.pop("tables", ())]}],
            **more,
        }
    )  # fmt: skip


NOW, BEFORE = version(NEW, 3), version(OLD, 2)


def programme(definition: Definition, number: int, *, current: bool) -> Programme:
    values = {"key": KEY, "number": number, "title": "变更", "kind": "declaration", "created_at": now(),
              "digest": registry.digest(definition), "content": registry.to_json(definition), "current": current}  # fmt: skip
    return store(Programme(**values))


def columns_as(definition: Definition) -> None:
    """The tables of today with the columns of ``definition``, as its own sync has made them."""
    with db.engine.begin() as connection:
        sync_tables(connection, build_projection(NOW))
        drop_columns(connection, misfits([definition], NOW))
        owned = {f"form_{KEY}": [f for _, f in definition.fields()]}
        owned |= {f"form_{KEY}_{t.key}": list(t.all_columns) for _, t, _ in definition.tables()}
        for table, fields in owned.items():
            present = {c["name"] for c in inspect(connection).get_columns(table)}
            for spec in (f for f in fields if f.key not in present):
                kind = field_types.get(spec.type).column(spec).compile(connection.dialect)
                connection.execute(text(f"ALTER TABLE {table} ADD COLUMN {spec.key} {kind}"))


def force(monkeypatch: pytest.MonkeyPatch, definition: Definition) -> None:
    """The product's catalogue and ``definition``, as if its file stood in the folder."""
    known = copy.copy(CATALOGUE)
    known._definitions = {**CATALOGUE._definitions, KEY: definition}
    monkeypatch.setattr(registry, "catalogue", lambda *_: known)


@pytest.fixture
def changed(context: Flask, monkeypatch: pytest.MonkeyPatch) -> Programme:
    """The catalogue holds the new version; the database was made for the old one."""
    force(monkeypatch, NOW)
    columns_as(BEFORE)
    return programme(BEFORE, 1, current=True)


def revision(answered: Programme, fields: Mapping[str, Any], rows: list[dict[str, Any]] | None = None) -> Declaration:
    """A declaration with one revision, answered on ``answered``."""
    declaration = make_declaration(make_enterprise(), make_batch(KEY))
    content = json.dumps({"fields": dict(fields), "tables": {"items": rows or []}})
    digest = hashlib.sha256(content.encode()).hexdigest()
    values = {"declaration_id": declaration.id, "number": 1, "programme_id": answered.id, "content": content}
    store(Revision(**values, digest=digest, created_at=now()))
    return db.session.get(Declaration, declaration.id)


def projected(declaration: Declaration) -> Any:
    db.session.rollback()
    model: Any = build_projection(NOW).main
    return db.session.scalars(select(model).where(model.declaration_id == declaration.id)).unique().one()


def refused() -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        sync_definitions()
    return caught.value.problems


def test_such_a_change_is_refused_with_the_way_out_and_nothing_is_done(changed: Programme) -> None:
    before = {c["name"]: str(c["type"]) for c in inspect(db.engine).get_columns(f"form_{KEY}")}
    problems = refused()
    assert {p.split()[0].split(".")[1] for p in problems} == MISFITS
    assert problems[0] == (
        "form_shifted.amount was decimal with 4 decimals and is decimal with 2 decimals now: the values there would be "
        "misread; run flask definitions sync --rebuild, which writes them anew from the revisions"
    )
    assert check_columns() == problems
    db.session.rollback()
    assert [(p.number, p.current) for p in db.session.scalars(select(Programme).where(Programme.key == KEY))] == [
        (1, True)
    ]
    assert {c["name"]: str(c["type"]) for c in inspect(db.engine).get_columns(f"form_{KEY}")} == before


def test_the_commands_say_it_and_do_it(changed: Programme) -> None:
    run = current_app.test_cli_runner().invoke
    done = run(args=["definitions", "sync"])
    assert done.exit_code == 1
    assert "form_shifted.people was decimal with 2 decimals and is integer now" in done.output
    checked = run(args=["definitions", "check"])
    assert checked.exit_code == 1 and "sync --rebuild" in checked.output
    done = run(args=["definitions", "sync", "--rebuild"])
    assert done.exit_code == 0, done.output
    assert "dropped form_shifted.amount: it was decimal with 4 decimals" in done.output
    assert "added form_shifted.amount" in done.output and "rebuilt 0" in done.output
    assert run(args=["definitions", "sync"]).output == ""


FITS = {
    "amount": "1.5000", "finer": "1.50", "people": "12.00", "cost": 25, "day": "2024-06-01", "named": ["a"],
    "picked": "b", "same": "77.50", "year": 2024,
}  # fmt: skip
CARRIED = {
    "amount": Decimal("1.50"), "finer": Decimal("1.5000"), "people": 12, "cost": Decimal("25.00"),
    "day": date(2024, 6, 1), "same": Decimal("77.50"), "year": 2024,
}  # fmt: skip


def test_a_rebuild_carries_over_what_fits(changed: Programme) -> None:
    """Limits of today do not judge the answers of yesterday."""
    row = {"id": "r1", "values": {"price": "2.25"}, "tables": {"parts": [{"id": "p1", "values": {"n": 7}}]}}
    declaration = revision(changed, FITS | {"picked": None, "named": []}, [row])
    said: list[str] = []
    sync_definitions(said.append, rebuilding=True)
    assert [line for line in said if "holds no" in line] == []
    assert said[-1] == "rebuilt 1"
    found = projected(declaration)
    assert {key: getattr(found, key) for key in CARRIED} == CARRIED
    items, parts = (build_projection(NOW).tables[key] for key in ("items", "parts"))
    assert db.session.scalars(select(items.price)).all() == [Decimal("2.250")]
    assert db.session.scalars(select(parts.n)).all() == [7]
    assert check_columns() == []
    quiet: list[str] = []
    sync_definitions(quiet.append)
    assert quiet == []


MISFITTING = {
    "amount": "1.2345", "finer": "9999999999999999.00", "people": "12.50", "cost": 10**16, "day": "去年六月",
    "named": ["a", "b"],
}  # fmt: skip


def test_what_does_not_fit_is_left_empty_and_reported(changed: Programme) -> None:
    declaration = revision(changed, {"same": "1.00", "picked": "b", **MISFITTING})
    said: list[str] = []
    sync_definitions(said.append, rebuilding=True)
    expected = {
        f"form_shifted.{key} of declaration {declaration.id}: revision 1 holds no {NEW[key]['type']} that fits; left empty"
        for key in [*MISFITTING, "picked"]
    }
    assert {line for line in said if "holds no" in line} == expected
    found = projected(declaration)
    assert {key: getattr(found, key) for key in MISFITTING} == dict.fromkeys(MISFITTING)
    assert (found.picked, found.same) == (None, Decimal("1.00"))
    again: list[str] = []
    assert rebuild(again.append) == 1
    assert {*again} == {*expected, "rebuilt 1"}


def test_an_answer_of_today_is_written_as_ever(changed: Programme) -> None:
    sync_definitions(rebuilding=True)
    current = db.session.scalars(select(Programme).where(Programme.key == KEY, Programme.current)).one()
    declaration = revision(current, {"amount": "3.25", "finer": "0.1250", "picked": ["a"], "people": 3})
    assert rebuild() == 1
    found = projected(declaration)
    assert (found.amount, found.finer, found.picked, found.people) == (Decimal("3.25"), Decimal("0.1250"), ["a"], 3)


def test_a_draft_of_the_old_version_can_still_be_handed_in(changed: Programme) -> None:
    """It was begun before the change; a table that is gone since has no projection, an identity number stays masked."""
    gone = {"key": "gone", "label": "旧表", "row_label": "旧", "columns": specs({"n": {"type": "integer"}})}
    sync_definitions(rebuilding=True)
    declaration = revision(changed, {})
    old = version(OLD, 2, tables=[gone])
    content: dict[str, Any] = {
        "fields": {"amount": "1.2345", "people": "4.00", "holder": ID},
        "tables": {"items": [], "gone": [{"id": "g1", "values": {"n": 1}}]},
    }
    sealed = seal_content(old, content)
    with unit_of_work() as session:
        lost = project(session, old, declaration.id, 2, sealed)
    assert [line.split()[0] for line in lost] == ["form_shifted.amount"]
    found = projected(declaration)
    assert (found.amount, found.people, found.revision_no) == (None, 4, 2)
    assert found.holder == "1101************2X"


def test_going_back_to_the_older_version_is_the_same_change(
    changed: Programme, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync_definitions(rebuilding=True)
    force(monkeypatch, BEFORE)
    assert {p.split()[0].split(".")[1] for p in refused()} == MISFITS


def test_a_question_that_came_back_is_compared_with_the_last_version_that_had_it(changed: Programme) -> None:
    without = version({k: v for k, v in OLD.items() if k != "amount"}, 2)
    programme(without, 2, current=True)
    with unit_of_work() as session:
        session.get_one(Programme, changed.id).current = False
    assert "form_shifted.amount was decimal with 4 decimals" in refused()[0]


def test_the_index_of_a_filter_comes_back_with_its_column(changed: Programme) -> None:
    sync_definitions(rebuilding=True)
    indexed = {tuple(i["column_names"]) for i in inspect(db.engine).get_indexes(f"form_{KEY}")}
    assert ("amount",) in indexed


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_without_a_database_there_is_nothing_to_compare(context: Flask) -> None:
    assert check_columns() == []
    with db.engine.begin() as connection:
        connection.execute(text("PRAGMA foreign_keys = OFF"))
        connection.execute(text("DROP TABLE programme"))
    assert check_columns() == []


def shaped(**spec: Any) -> FieldSpec:
    return FieldSpec(key="k", label="题", **spec)


@pytest.mark.parametrize(
    ("was", "becomes", "fits"),
    [
        ({"type": "string", "max_length": 9}, {"type": "text"}, True),
        ({"type": "string"}, {"type": "phone"}, True),
        ({"type": "decimal"}, {"type": "percent"}, True),
        ({"type": "integer"}, {"type": "year"}, True),
        ({"type": "decimal"}, {"type": "decimal", "decimals": 2}, True),
        ({"type": "decimal"}, {"type": "decimal", "decimals": 3}, False),
        ({"type": "integer"}, {"type": "decimal", "decimals": 0}, False),
        ({"type": "string"}, {"type": "date"}, False),
        ({"type": "string"}, {"type": "multiselect", "options": OPTIONS}, False),
    ],
    ids=str,
)
def test_which_columns_read_each_other(was: dict[str, Any], becomes: dict[str, Any], fits: bool) -> None:
    old, new = (version({"k": spec}, 2) for spec in (was, becomes))
    assert [(m.table, m.column) for m in misfits([old], new)] == ([] if fits else [(f"form_{KEY}", "k")])


def test_columns_that_are_not_there_are_not_dropped(context: Flask) -> None:
    with db.engine.begin() as connection:
        assert (
            drop_columns(
                connection, misfits([version({"k": {"type": "date"}}, 2)], version({"k": {"type": "year"}}, 2))
            )
            == []
        )
