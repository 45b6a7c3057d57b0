"""integer, decimal, percent: exact numbers in the field's unit, never floats."""

from __future__ import annotations

import random
import re
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import BigInteger
from sqlalchemy.types import TypeEngine
from wtforms import Field as WTField
from wtforms import StringField

from app.fields.base import FieldError, FieldSpec, FieldType, Lookups, Raw, Value
from app.fields.raw import half_width, one_text, seen
from app.fields.spec import attribute_problems
from app.fields.sqltypes import ExactDecimal
from app.fields.widget import field_arguments

INTEGER_DIGITS = 16
PRECISION = 18
MAX_DECIMALS = 6

_PLAIN = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?")
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:([, ])[0-9]{3})(?:\1[0-9]{3})*(?:\.[0-9]*)?")


def read_number(text: str) -> Decimal | None:
    """The number in ``text`` (full-width digits, thousands separators allowed), None if it is none.

    No exponents, no NaN or Infinity, no guessing at wrongly grouped digits.
    """
    text = half_width(text)
    if _GROUPED.fullmatch(text):
        text = text.replace(",", "").replace(" ", "")
    match = _PLAIN.fullmatch(text)
    if match is None or not (match[2] or match[3]):
        return None
    number = Decimal(f"{match[2] or '0'}.{match[3] or '0'}")  # built without a context: never rounded
    return number.copy_negate() if match[1] == "-" and number else number


def _whole_digits(decimals: int) -> int:
    """Most digits before the point."""
    return min(INTEGER_DIGITS, PRECISION - decimals)


def _steps(low: Decimal, high: Decimal, decimals: int) -> tuple[int, int]:
    """First and last multiple of 10**-decimals within ``low`` … ``high``; first > last if there is none."""
    scale = 10**decimals
    return ceil(Fraction(low) * scale), floor(Fraction(high) * scale)


def _decimals_of(number: Decimal) -> int:
    """Places after the point, closing zeros left out. ``number`` is finite."""
    return len(format(number, "f").partition(".")[2].rstrip("0"))


class Number(FieldType):
    """What the number types share; a subclass says how many decimals there are."""

    widget = "number"
    default_decimals = 0
    attributes: tuple[str, ...] = ("unit", "min", "max")
    limits: tuple[Decimal | None, Decimal | None] = (None, None)
    """Bounds that hold even if the spec names none."""

    def decimals(self, spec: FieldSpec) -> int:
        """Places after the point."""
        return self.default_decimals if spec.decimals is None else spec.decimals

    def bounds(self, spec: FieldSpec) -> tuple[Decimal | None, Decimal | None]:
        """Smallest and greatest answer, None if open."""
        low = self.limits[0] if spec.min is None else spec.min
        high = self.limits[1] if spec.max is None else spec.max
        return low, high

    def parse(self, spec: FieldSpec, raw: Raw, lookups: Lookups) -> Value:
        """Exact number, None if empty; FieldError for anything that is no plain number within the limits."""
        text = one_text(raw)
        if text is None:
            return None
        number = read_number(self.strip_unit(text)) if len(text) <= 100 else None
        if number is None:
            raise FieldError(self._not_a_number(spec, text))
        return self._value(spec, self._fitted(spec, number))

    def strip_unit(self, text: str) -> str:
        """``text`` without a unit that can only mean one thing."""
        return text

    def _not_a_number(self, spec: FieldSpec, text: str) -> str:
        example = "12" if self.decimals(spec) == 0 else format(Decimal("12.5"), f".{self.decimals(spec)}f")
        message = _("请填数字，例如 %(example)s；现在填的是“%(seen)s”。", example=example, seen=seen(text))
        return message + (_("单位是%(unit)s，不用写单位。", unit=spec.unit) if spec.unit else "")

    def _fitted(self, spec: FieldSpec, number: Decimal) -> Decimal:
        """``number`` with exactly the decimals of the spec; FieldError if that would lose or exceed anything."""
        decimals = self.decimals(spec)
        whole, _dot, fraction = format(number.copy_abs(), "f").partition(".")
        whole, fraction = whole.lstrip("0"), fraction.rstrip("0")
        if len(fraction) > decimals:
            shown = seen(format(number, "f"))
            if decimals == 0:
                raise FieldError(_("请填整数，不带小数；现在填的是“%(seen)s”。", seen=shown))
            raise FieldError(_("最多保留 %(n)s 位小数；现在填的是“%(seen)s”，请改短。", n=decimals, seen=shown))
        most = _whole_digits(decimals)
        if len(whole) > most:
            raise FieldError(
                _("数字太大：整数部分最多 %(most)s 位，现在是 %(n)s 位，请核对单位。", most=most, n=len(whole))
            )
        exact = Decimal(f"{whole or '0'}.{fraction.ljust(decimals, '0')}" if decimals else whole or "0")
        exact = exact.copy_negate() if number < 0 else exact
        self._check_bounds(spec, exact)
        return exact

    def _check_bounds(self, spec: FieldSpec, number: Decimal) -> None:
        low, high = self.bounds(spec)
        shown = self.text_of(spec, number)
        if low is not None and number < low:
            raise FieldError(
                _("不能小于 %(limit)s，现在是 %(seen)s，请核对。", limit=self._limit(spec, low), seen=shown)
            )
        if high is not None and number > high:
            raise FieldError(
                _("不能大于 %(limit)s，现在是 %(seen)s，请核对。", limit=self._limit(spec, high), seen=shown)
            )

    def _limit(self, spec: FieldSpec, limit: Decimal) -> str:
        plain = format(limit, ",f")
        plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
        return f"{plain} {spec.unit}" if spec.unit else plain

    def _value(self, spec: FieldSpec, number: Decimal) -> int | Decimal:
        return number

    def column(self, spec: FieldSpec) -> TypeEngine[Any]:
        """Exact decimal of 18 digits."""
        return ExactDecimal(PRECISION, self.decimals(spec))

    def form_field(self, spec: FieldSpec, **kwargs: Any) -> WTField:
        """A text input with the number keyboard: working text may be anything."""
        mode = "decimal" if self.decimals(spec) else "numeric"
        return StringField(**field_arguments(spec, kwargs, inputmode=mode, autocomplete="off"))

    def sample(self, spec: FieldSpec, rng: random.Random) -> Raw:
        """A number inside the limits, with the field's decimals."""
        decimals = self.decimals(spec)
        low, high = self.bounds(spec)
        if low is None:
            low = Decimal(0) if high is None or high > 0 else high - 100
        if high is None:
            high = min(low + self.typical(spec), self._largest(decimals))
        first, last = _steps(low, high, decimals)
        return format(Decimal(rng.randint(first, last)).scaleb(-decimals), "f")

    def _largest(self, decimals: int) -> Decimal:
        """Largest number that fits a column with ``decimals`` places."""
        return Decimal(10) ** _whole_digits(decimals) - Decimal(1).scaleb(-decimals)

    def _is_storable(self, number: Decimal, decimals: int) -> bool:
        return number.is_finite() and number.copy_abs() <= self._largest(decimals)

    def typical(self, spec: FieldSpec) -> Decimal:
        """Width of the range of samples where the spec leaves it open."""
        return Decimal(500)

    def check_spec(self, spec: FieldSpec) -> list[str]:
        """Limits that contradict each other or the column."""
        problems = attribute_problems(spec, *self.attributes)
        decimals = self.decimals(spec)
        if not 0 <= decimals <= MAX_DECIMALS:
            return [*problems, f"decimals {decimals} must be between 0 and {MAX_DECIMALS}"]
        low, high = self.bounds(spec)
        for name, limit in (("min", low), ("max", high)):
            if limit is not None and not self._is_storable(limit, decimals):
                problems.append(f"{name} {limit} is not a number that fits the column")
        if problems or low is None or high is None:
            return problems
        first, last = _steps(low, high, decimals)
        return [] if first <= last else [f"no number with {decimals} decimals lies between {low} and {high}"]

    def from_json(self, data: Any) -> Value:
        """Decimal from exact text."""
        return None if data is None else Decimal(data)

    def stored(self, spec: FieldSpec, data: Any) -> Value:
        """As for any type; ValueError too for more decimals than ``spec`` shows, which would be rounded away."""
        value = super().stored(spec, data)
        if isinstance(value, Decimal) and not (value.is_finite() and _decimals_of(value) <= self.decimals(spec)):
            raise ValueError(f"{data!r} has more than {self.decimals(spec)} decimals")
        return value

    def text_of(self, spec: FieldSpec, number: Decimal | int) -> str:
        """Thousands separators and fixed decimals."""
        return format(number, f",.{self.decimals(spec)}f")

    def text(self, spec: FieldSpec, value: Value, lookups: Lookups) -> str:
        """``1,234.50``; empty if there is none."""
        return self.text_of(spec, value) if isinstance(value, (int, Decimal)) else ""


class IntegerType(Number):
    """A whole number: people, pieces, times."""

    name = "integer"

    def _value(self, spec: FieldSpec, number: Decimal) -> int | Decimal:
        return int(number)

    def column(self, spec: FieldSpec) -> TypeEngine[Any]:
        """64-bit integer."""
        return BigInteger()

    def from_json(self, data: Any) -> Value:
        """The number itself."""
        return None if data is None else int(data)

    def text_of(self, spec: FieldSpec, number: Decimal | int) -> str:
        """``12,345``, exact at any size."""
        return format(int(number), ",d")


class DecimalType(Number):
    """Money and measures; two decimals unless the spec says otherwise."""

    name = "decimal"
    default_decimals = 2
    attributes = ("unit", "min", "max", "decimals")

    def typical(self, spec: FieldSpec) -> Decimal:
        """Up to 5,000 (万元 is the usual unit)."""
        return Decimal(5000)


class PercentType(Number):
    """A share in percent: 12.50 means 12.50 %. A typed % sign is understood."""

    name = "percent"
    default_decimals = 2
    attributes = ("unit", "min", "max", "decimals")

    def strip_unit(self, text: str) -> str:
        """``30%`` is 30."""
        return half_width(text).removesuffix("%")

    def typical(self, spec: FieldSpec) -> Decimal:
        """Up to 100 above the smallest."""
        return Decimal(100)


class YearType(IntegerType):
    """A calendar year, 1900 to 2100; written without separators."""

    name = "year"
    limits = (Decimal(1900), Decimal(2100))

    def strip_unit(self, text: str) -> str:
        """``2024年`` is 2024."""
        return text.removesuffix("年")

    def _not_a_number(self, spec: FieldSpec, text: str) -> str:
        return _("请填四位年份，例如 2024；现在填的是“%(seen)s”。", seen=seen(text))

    def _limit(self, spec: FieldSpec, limit: Decimal) -> str:
        return str(int(limit))

    def text_of(self, spec: FieldSpec, number: Decimal | int) -> str:
        """``2024``."""
        return str(int(number))

    def sample(self, spec: FieldSpec, rng: random.Random) -> Raw:
        """A recent year, as far as the limits allow."""
        low, high = (int(limit) for limit in self.bounds(spec) if limit is not None)
        return str(rng.randint(max(low, min(2023, high)), min(high, max(2025, low))))

    def check_spec(self, spec: FieldSpec) -> list[str]:
        """As for numbers; the limits must stay within 1900 to 2100."""
        return super().check_spec(spec) + [
            f"{name} {limit} is outside 1900 to 2100"
            for name, limit in (("min", spec.min), ("max", spec.max))
            if limit is not None and not 1900 <= limit <= 2100
        ]
