"""Column types on SQLite: exact, comparable, refusing what they cannot hold. (PostgreSQL runs with integration.)"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Connection, Integer, MetaData, Table, create_engine, func, insert, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import StatementError

from app.fields.sqltypes import ExactDecimal, JsonText, UtcDateTime, canonical_json, list_contains

metadata = MetaData()
rows = Table(
    "thing",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("amount", ExactDecimal(18, 2)),
    Column("moment", UtcDateTime()),
    Column("tags", JsonText()),
)


@pytest.fixture
def connection() -> Iterator[Connection]:
    """A fresh in-memory database with the table."""
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def _amounts(connection: Connection, *amounts: Any) -> None:
    connection.execute(insert(rows), [{"id": i, "amount": a} for i, a in enumerate(amounts, 1)])


class TestExactDecimal:
    """Amounts."""

    def test_comes_back_exact(self, connection: Connection) -> None:
        amounts = [
            Decimal("0.10"),
            Decimal("-9999999999999999.99"),
            Decimal("9999999999999999.99"),
            Decimal("0.00"),
            None,
        ]
        _amounts(connection, *amounts)
        back = connection.execute(select(rows.c.amount).order_by(rows.c.id)).scalars().all()
        assert back == amounts
        assert [str(b) for b in back[:2]] == ["0.10", "-9999999999999999.99"]

    def test_is_stored_as_whole_number(self, connection: Connection) -> None:
        _amounts(connection, Decimal("12.5"), 7)
        kinds = connection.exec_driver_sql("select amount, typeof(amount) from thing order by id").all()
        assert kinds == [(1250, "integer"), (700, "integer")]

    def test_sorts_by_value(self, connection: Connection) -> None:
        _amounts(connection, Decimal("10"), Decimal("9.99"), Decimal("-1"), Decimal("100"))
        assert connection.execute(select(rows.c.id).order_by(rows.c.amount)).scalars().all() == [3, 2, 1, 4]

    @pytest.mark.parametrize(
        ("condition", "ids"),
        [
            (rows.c.amount == Decimal("9.99"), [2]),
            (rows.c.amount != Decimal("9.99"), [1, 3]),
            (rows.c.amount > 9, [1, 2]),
            (rows.c.amount >= Decimal("10.00"), [1]),
            (rows.c.amount < Decimal("0.5"), [3]),
            (Decimal("9.99") <= rows.c.amount, [1, 2]),
            (rows.c.amount.between(0, 10), [1, 2]),
            (rows.c.amount.in_([Decimal("-1"), Decimal("10")]), [1, 3]),
            (rows.c.amount.is_(None), [4]),
            (rows.c.amount + Decimal("0.01") == 10, [2]),
            (rows.c.amount - 10 == 0, [1]),
        ],
    )
    def test_compares(self, condition: Any, ids: list[int], connection: Connection) -> None:
        _amounts(connection, Decimal("10"), Decimal("9.99"), Decimal("-1"), None)
        assert connection.execute(select(rows.c.id).where(condition).order_by(rows.c.id)).scalars().all() == ids

    def test_aggregates_are_decimals(self, connection: Connection) -> None:
        _amounts(connection, *[Decimal("0.10")] * 30, Decimal("5"))
        amount = rows.c.amount
        total, least, most = connection.execute(select(func.sum(amount), func.min(amount), func.max(amount))).one()
        assert (str(total), str(least), str(most)) == ("8.00", "0.10", "5.00")
        assert connection.scalar(select(func.coalesce(func.sum(amount), 0)).where(amount > 100)) == Decimal("0.00")
        assert connection.scalar(select(amount + amount).where(rows.c.id == 31)) == Decimal("10.00")
        assert connection.scalar(select(-amount).where(rows.c.id == 31)) == Decimal("-5.00")

    def test_having_compares_sums(self, connection: Connection) -> None:
        _amounts(connection, Decimal("1.50"), Decimal("1.50"))
        assert connection.scalar(select(func.sum(rows.c.amount)).having(func.sum(rows.c.amount) == 3)) == Decimal(
            "3.00"
        )

    @pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity", "0.001", "1E-400", "1E+17", "1E400"])
    def test_refuses_what_does_not_fit(self, value: str, connection: Connection) -> None:
        with pytest.raises(StatementError) as caught:
            _amounts(connection, Decimal(value))
        assert isinstance(caught.value.orig, ValueError)

    @pytest.mark.parametrize("value", [0.1, "1.00", True, b"1", [1]])
    def test_refuses_other_kinds(self, value: Any, connection: Connection) -> None:
        with pytest.raises(StatementError) as caught:
            _amounts(connection, value)
        assert isinstance(caught.value.orig, TypeError)

    @pytest.mark.parametrize("value", ["0E+400", "0E-400", "-0.00", "1.500", "1E+3", "1E+15"])
    def test_accepts_other_spellings(self, value: str, connection: Connection) -> None:
        _amounts(connection, Decimal(value))
        assert connection.scalar(select(rows.c.amount)) == Decimal(value)

    def test_does_not_scale_in_sql(self) -> None:
        for build in (
            lambda: rows.c.amount * 2,
            lambda: rows.c.amount / 2,
            lambda: 2 * rows.c.amount,
            lambda: rows.c.amount // 2,
            lambda: rows.c.amount % 2,
            lambda: rows.c.amount * rows.c.amount,
        ):
            with pytest.raises(TypeError, match="compute in Python"):
                build()

    def test_postgresql_keeps_numeric(self) -> None:
        dialect = postgresql.dialect()
        assert ExactDecimal(18, 4).compile(dialect) == "NUMERIC(18, 4)"
        assert ExactDecimal(18, 4).process_bind_param(Decimal("1.5"), dialect) == Decimal("1.5000")
        assert ExactDecimal(18, 2).process_result_value(Decimal("1.50"), dialect) == Decimal("1.50")
        assert ExactDecimal(18, 2).compile(sqlite.dialect()) == "BIGINT"

    def test_literals_are_scaled_too(self) -> None:
        text = str(
            (rows.c.amount == Decimal("1.5")).compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
        )
        assert text.endswith("= 150")

    @pytest.mark.parametrize(("precision", "scale"), [(19, 2), (4, 5), (10, -1)])
    def test_shape_must_fit(self, precision: int, scale: int) -> None:
        with pytest.raises(ValueError, match="does not fit 18 digits"):
            ExactDecimal(precision, scale)

    @given(number=st.decimals(min_value=-(10**16) + 1, max_value=10**16 - 1, places=2))
    def test_every_amount_survives(self, number: Decimal) -> None:
        column, dialect = ExactDecimal(18, 2), sqlite.dialect()
        back = column.process_result_value(column.process_bind_param(number, dialect), dialect)
        assert back == number and str(back.copy_abs()) == str(number.copy_abs())


class TestUtcDateTime:
    """Moments."""

    BEIJING = timezone(timedelta(hours=8))

    def test_returns_aware_utc(self, connection: Connection) -> None:
        moment = datetime(2024, 6, 1, 0, 30, 15, 123456, tzinfo=self.BEIJING)
        connection.execute(insert(rows), [{"id": 1, "moment": moment}, {"id": 2, "moment": None}])
        back = connection.execute(select(rows.c.moment).order_by(rows.c.id)).scalars().all()
        assert back == [moment, None]
        assert back[0].tzinfo is UTC and back[0].hour == 16

    def test_sorts_and_compares_across_zones(self, connection: Connection) -> None:
        first, second = datetime(2024, 6, 1, 9, tzinfo=self.BEIJING), datetime(2024, 6, 1, 2, tzinfo=UTC)
        connection.execute(insert(rows), [{"id": 1, "moment": second}, {"id": 2, "moment": first}])
        assert connection.execute(select(rows.c.id).order_by(rows.c.moment)).scalars().all() == [2, 1]
        assert (
            connection.scalar(select(rows.c.id).where(rows.c.moment < datetime(2024, 6, 1, 10, tzinfo=self.BEIJING)))
            == 2
        )
        assert connection.scalar(select(func.max(rows.c.moment))) == second

    @pytest.mark.parametrize(
        ("value", "kind"),
        [(datetime(2024, 6, 1), ValueError), (date(2024, 6, 1), TypeError), ("2024-06-01", TypeError), (5, TypeError)],
    )
    def test_refuses_other_values(self, value: Any, kind: type[Exception], connection: Connection) -> None:
        with pytest.raises(StatementError) as caught:
            connection.execute(insert(rows), [{"id": 1, "moment": value}])
        assert isinstance(caught.value.orig, kind)

    def test_postgresql_keeps_the_zone(self) -> None:
        dialect = postgresql.dialect()
        assert UtcDateTime().compile(dialect) == "TIMESTAMP WITH TIME ZONE"
        moment = datetime(2024, 6, 1, 8, tzinfo=self.BEIJING)
        assert UtcDateTime().process_bind_param(moment, dialect) == moment
        back = UtcDateTime().process_result_value(moment, dialect)
        assert back == moment and back.utcoffset() == timedelta(0)


class TestJsonText:
    """Lists and dictionaries."""

    @pytest.mark.parametrize(
        "data", [[], {}, ["甲", "乙"], {"b": [1, None, True], "a": "\"'\\"}, "text", 0, False, None]
    )
    def test_comes_back_equal(self, data: Any, connection: Connection) -> None:
        connection.execute(insert(rows), [{"id": 1, "tags": data}])
        assert connection.scalar(select(rows.c.tags)) == data

    def test_is_canonical_text(self, connection: Connection) -> None:
        connection.execute(insert(rows), [{"id": 1, "tags": {"b": 1, "a": ["甲"]}}, {"id": 2, "tags": None}])
        stored = connection.exec_driver_sql("select tags from thing order by id").scalars().all()
        assert stored == ['{"a":["甲"],"b":1}', None]

    def test_filters_by_element(self, connection: Connection) -> None:
        lists = [["mes", "erp"], ["me"], ['quo"te', "50%"], ["50x"], [], None]
        connection.execute(insert(rows), [{"id": i, "tags": tags} for i, tags in enumerate(lists, 1)])

        def having(value: str) -> list[int]:
            found = connection.execute(select(rows.c.id).where(list_contains(rows.c.tags, value)).order_by(rows.c.id))
            return list(found.scalars())

        assert having("mes") == [1] and having("me") == [2] and having("erp") == [1]
        assert having('quo"te') == [3] and having("50%") == [3] and having("") == [] and having("m_s") == []

    def test_like_and_equality(self, connection: Connection) -> None:
        connection.execute(insert(rows), [{"id": 1, "tags": ["a", "b"]}, {"id": 2, "tags": ["b", "a"]}])
        assert connection.scalar(select(rows.c.id).where(rows.c.tags == ["b", "a"])) == 2
        assert connection.scalar(select(func.count()).where(rows.c.tags.like('%"a"%'))) == 2
        assert connection.scalar(select(func.count()).where(rows.c.tags.ilike('%"A"%'))) == 2
        assert connection.scalar(select(literal(1)).where(rows.c.tags.is_(None))) is None

    @pytest.mark.parametrize("data", [float("nan"), float("inf"), {"a": Decimal("1")}, {1, 2}, datetime.now(UTC)])
    def test_refuses_what_json_cannot_say(self, data: Any, connection: Connection) -> None:
        with pytest.raises(StatementError):
            connection.execute(insert(rows), [{"id": 1, "tags": data}])

    def test_canonical_json(self) -> None:
        assert canonical_json({"b": 1, "a": [True, None, "é"]}) == '{"a":[true,null,"é"],"b":1}'
        with pytest.raises(ValueError, match="JSON compliant"):
            canonical_json(float("nan"))
