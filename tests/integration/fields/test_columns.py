"""Columns of every field type in the real databases: what is written is read, found, sorted and summed alike on both."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Column, Connection, Integer, MetaData, Table, func, insert, select
from sqlalchemy.exc import StatementError

from app.extensions import db
from app.fields import registry
from app.fields.base import FieldSpec
from app.fields.sqltypes import ExactDecimal, JsonText, UtcDateTime, list_contains

OPTIONS = (
    {"value": "mes", "label": "生产执行系统"},
    {"value": "m_s", "label": "别的"},
    {"value": "wms", "label": "仓储"},
)
VALUES: dict[str, tuple[Any, Any]] = {
    "string": ("O'Brien \\ 50% _x", "𠮷野家 =1+1"),
    "text": ("第一行\n第二行\t", "字" * 5000),
    "integer": (-9_999_999_999_999_999, 9_999_999_999_999_999),
    "decimal": (Decimal("-9999999999999999.99"), Decimal("0.10")),
    "percent": (Decimal("-0.01"), Decimal("100.00")),
    "year": (1900, 2100),
    "date": (date(1900, 1, 1), date(2100, 12, 31)),
    "select": ("mes", "wms"),
    "multiselect": (["mes", "wms"], []),
    "boolean": ("no", "yes"),
    "region": ("230102", "230108"),
    "industry": ("C", "3489"),
    "phone": ("0451-84000000-123456", "13800001234"),
    "email": ("a" * 64 + "@" + "b" * 60 + ".cn", "hr@example.com"),
    "uscc": ("91110000600037341L", "91230102MA000000XX"),
    "id_number": ("11010519491231002X", "110105194912310038"),
}


def spec(name: str) -> FieldSpec:
    return FieldSpec(key="a", label="甲", type=name, options=OPTIONS if name in {"select", "multiselect"} else ())


METADATA = MetaData()
ANSWERS = Table(
    "probe_answers",
    METADATA,
    Column("id", Integer, primary_key=True),
    *(Column(name, registry.get(name).column(spec(name))) for name in registry.names()),
)
FACTS = Table(
    "probe_facts",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("amount", ExactDecimal(18, 4)),
    Column("moment", UtcDateTime()),
    Column("tags", JsonText()),
)


@pytest.fixture
def connection(context: Flask) -> Iterator[Connection]:
    """A connection in which both tables exist until it is rolled back."""
    with db.engine.connect() as connection:
        METADATA.create_all(connection)
        yield connection
        connection.rollback()
        METADATA.drop_all(connection)
        connection.commit()


def test_the_table_of_values_knows_every_type() -> None:
    assert set(VALUES) == set(registry.names())


def test_every_type_comes_back_and_is_found(connection: Connection) -> None:
    rows = [{"id": n, **{name: pair[n] for name, pair in VALUES.items()}} for n in (0, 1)]
    connection.execute(insert(ANSWERS), rows)
    connection.execute(insert(ANSWERS), [{"id": 2}])
    for name, pair in VALUES.items():
        column = ANSWERS.c[name]
        back = connection.execute(select(column).order_by(ANSWERS.c.id)).scalars().all()
        assert back == [*pair, None], name
        assert [type(b) for b in back[:2]] == [type(v) for v in pair], name
        found = connection.execute(select(ANSWERS.c.id).where(column == pair[1])).scalars().all()
        assert found == [1], name
        assert connection.scalar(select(ANSWERS.c.id).where(column.is_(None))) == 2, name


def test_figures_and_days_sort_by_value(connection: Connection) -> None:
    kinds = ("integer", "decimal", "percent", "year", "date")
    highs, lows = ({name: VALUES[name][n] for name in kinds} for n in (1, 0))
    connection.execute(insert(ANSWERS), [{"id": 1, **highs}, {"id": 2, **lows}])
    for name in kinds:
        ordered = connection.execute(select(ANSWERS.c.id).order_by(ANSWERS.c[name])).scalars().all()
        assert ordered == [2, 1], name
        assert connection.scalar(select(func.max(ANSWERS.c[name]))) == highs[name]
        assert connection.scalar(select(func.count()).where(ANSWERS.c[name] > lows[name])) == 1


def test_sums_are_exact(connection: Connection) -> None:
    connection.execute(insert(FACTS), [{"id": n, "amount": Decimal("0.1")} for n in range(30)])
    total = connection.scalar(select(func.sum(FACTS.c.amount)))
    assert total == Decimal("3.0000") and isinstance(total, Decimal)


def test_what_a_column_cannot_hold_is_refused_before_it_is_sent(connection: Connection) -> None:
    for value in (Decimal("NaN"), Decimal("Infinity"), Decimal("0.00001"), 0.1, "1.00"):
        with pytest.raises(StatementError):
            connection.execute(insert(FACTS), [{"id": 1, "amount": value}])
    assert connection.scalar(select(func.count()).select_from(FACTS)) == 0


def test_moments_are_utc_and_compare(connection: Connection) -> None:
    moments = [datetime(2026, 6, 1, 15, 59, 59, 999999, tzinfo=UTC), datetime(2026, 6, 1, 16, tzinfo=UTC)]
    connection.execute(insert(FACTS), [{"id": n, "moment": m} for n, m in enumerate(moments)])
    back = connection.execute(select(FACTS.c.moment).order_by(FACTS.c.moment)).scalars().all()
    assert back == moments
    assert all(m.tzinfo is not None and m.utcoffset().total_seconds() == 0 for m in back)
    assert connection.execute(select(FACTS.c.id).where(FACTS.c.moment >= moments[1])).scalars().all() == [1]


FOUND = {"mes": [1], "m_s": [2], "me": [], "%": [], 'quo"te': [3], "\\": [4], "生产": [5], "": []}


def test_a_choice_is_found_literally(connection: Connection) -> None:
    lists = [["mes", "erp"], ["m_s"], ['quo"te'], ["\\"], ["生产"], []]
    connection.execute(insert(FACTS), [{"id": n, "tags": tags} for n, tags in enumerate(lists, 1)])
    for value, ids in FOUND.items():
        found = connection.execute(select(FACTS.c.id).where(list_contains(FACTS.c.tags, value)).order_by(FACTS.c.id))
        assert found.scalars().all() == ids, value


def test_json_is_equal_only_as_a_whole(connection: Connection) -> None:
    connection.execute(insert(FACTS), [{"id": 1, "tags": ["a", "b"]}, {"id": 2, "tags": {"b": 1, "a": [None]}}])
    assert connection.scalar(select(FACTS.c.id).where(FACTS.c.tags == ["a", "b"])) == 1
    assert connection.scalar(select(FACTS.c.id).where(FACTS.c.tags == {"a": [None], "b": 1})) == 2
    assert connection.scalar(select(FACTS.c.id).where(FACTS.c.tags == ["b", "a"])) is None
