"""Column types that hold the same value on SQLite and PostgreSQL: exact decimals, UTC moments, canonical JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, DateTime, Numeric, Text, TypeDecorator
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import operators
from sqlalchemy.types import TypeEngine

_SCALING = {operators.mul, operators.truediv, operators.floordiv, operators.mod}
_WHOLE_JSON = {operators.eq, operators.ne, operators.in_op, operators.not_in_op, operators.is_, operators.is_not}


class ExactDecimal(TypeDecorator[Decimal]):
    """A decimal of ``precision`` digits in all, ``scale`` of them after the point; never a float, never rounded.

    PostgreSQL keeps NUMERIC. SQLite has no decimal and would fall back to binary floats, so there the value is
    an INTEGER of 10**-scale units: it sorts, compares and sums exactly, and ``func.sum/min/max`` come back as
    Decimal. Multiplying or dividing in SQL would mix units, so it raises TypeError: do that in Python (an average
    is sum / count). Binding raises TypeError for floats, ValueError for NaN, Infinity or a value that does not fit.
    """

    impl = Numeric
    cache_ok = True

    class comparator_factory(TypeDecorator.Comparator[Decimal]):
        """Comparisons, addition and subtraction only."""

        def operate(self, op: Any, *other: Any, **kwargs: Any) -> ColumnElement[Any]:
            """Build the SQL expression; TypeError for operators that would mix units."""
            _refuse_scaling(op)
            return super().operate(op, *other, **kwargs)

        def reverse_operate(self, op: Any, other: Any, **kwargs: Any) -> ColumnElement[Any]:
            """As ``operate``, with the column on the right."""
            _refuse_scaling(op)
            return super().reverse_operate(op, other, **kwargs)

    def __init__(self, precision: int = 18, scale: int = 2) -> None:
        if not 0 <= scale <= precision <= 18:  # 18 digits are what a 64-bit integer surely holds
            raise ValueError(f"ExactDecimal({precision}, {scale}) does not fit 18 digits")
        super().__init__(precision=precision, scale=scale)
        self.precision = precision
        self.scale = scale

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """INTEGER on SQLite, NUMERIC elsewhere."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(BigInteger())
        return dialect.type_descriptor(Numeric(self.precision, self.scale, asdecimal=True))

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """The value as the driver gets it."""
        if value is None:
            return None
        units = self._units(value)
        return units if dialect.name == "sqlite" else Decimal(units).scaleb(-self.scale)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        """A Decimal with exactly ``scale`` places."""
        if value is None:
            return None
        if dialect.name == "sqlite":
            return Decimal(int(value)).scaleb(-self.scale)
        return Decimal(value)

    def _units(self, value: Any) -> int:
        amount = _finite(value)
        if not amount:
            return 0
        sign, digits, exponent = amount.as_tuple()
        assert isinstance(exponent, int)  # finite values have a number here
        shift = exponent + self.scale
        if len(digits) + shift > self.precision:
            raise ValueError(f"{amount} does not fit {self.precision} digits with {self.scale} decimals")
        number, rest = int("".join(map(str, digits))), 0
        if shift < 0:
            number, rest = divmod(number, 10 ** min(-shift, len(digits)))
        else:
            number *= 10**shift
        if rest:
            raise ValueError(f"{amount} has more than {self.scale} decimals")
        return -number if sign else number


def _finite(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise TypeError(f"ExactDecimal takes Decimal or int, not {type(value).__name__}")
    amount = Decimal(value)
    if not amount.is_finite():
        raise ValueError(f"{amount} is no amount")
    return amount


def _refuse_scaling(op: Any) -> None:
    if op in _SCALING:
        raise TypeError("ExactDecimal columns are not multiplied or divided in SQL; compute in Python")


class UtcDateTime(TypeDecorator[datetime]):
    """A moment. Takes and returns aware datetimes only; stored as UTC (naive on SQLite, timestamptz on PostgreSQL).

    Binding a naive datetime raises ValueError: nobody can know which clock it was read from.
    """

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """TIMESTAMP WITH TIME ZONE on PostgreSQL."""
        return dialect.type_descriptor(DateTime(timezone=dialect.name == "postgresql"))

    def process_bind_param(self, value: Any, dialect: Dialect) -> datetime | None:
        """The moment in UTC, as the driver gets it."""
        if value is None:
            return None
        if not isinstance(value, datetime):
            raise TypeError(f"UtcDateTime takes datetime, not {type(value).__name__}")
        if value.utcoffset() is None:
            raise ValueError(f"{value.isoformat()} has no time zone")
        utc = value.astimezone(UTC)
        return utc if dialect.name == "postgresql" else utc.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment, aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def canonical_json(data: Any) -> str:
    """One text per value: sorted keys, no spaces, no escapes beyond JSON's, no NaN. ValueError or TypeError else."""
    return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


class JsonText(TypeDecorator[Any]):
    """Canonical JSON in a TEXT column, so that equality and LIKE work alike on both databases.

    Assign a new value to change it (changes inside a list or dict are not noticed). None is SQL NULL.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """The JSON text."""
        return None if value is None else canonical_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """The value of the JSON text."""
        return None if value is None else json.loads(value)

    def coerce_compared_value(self, op: Any, value: Any) -> TypeEngine[Any]:
        """LIKE and its relatives compare text; equality compares whole values."""
        return self if op in _WHOLE_JSON else Text()


def list_contains(column: ColumnElement[Any], value: str) -> ColumnElement[bool]:
    """SQL condition: the JSON list of texts in ``column`` (JsonText) has the element ``value``."""
    return column.contains(canonical_json(value), autoescape=True)
