"""Typed filters of the grids. A value that does not fit is refused with its column's name, never ignored."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from flask_appbuilder.models.filters import BaseFilter, BaseFilterConverter
from flask_appbuilder.models.sqla.interface import SQLAInterface
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute, lazyload, selectinload

from app.errors import InvalidInput
from app.fields import registry as field_types
from app.fields.base import FieldError
from app.fields.sqltypes import list_contains
from app.models.base import Model
from app.services.reference import lookups
from app.views.admin.spec import Column, Grid
from app.workflow.calendar import SHANGHAI

LIMIT = 200
"""Longest text that a filter takes, in characters."""


Attribute = InstrumentedAttribute[Any]


def attribute_of(model: type[Model], path: str) -> tuple[Attribute, list[Attribute]]:
    """The column at ``path`` and, for a dotted path, the relationships that lead there, outermost first."""
    *steps, name = path.split(".")
    relations = []
    for step in steps:
        relations.append(getattr(model, step))
        model = relations[-1].property.mapper.class_
    return getattr(model, name), relations


def parse_value(column: Column, raw: str) -> Any:
    """``raw`` as a value of ``column``. InvalidInput naming the column."""
    if len(raw) > LIMIT or "\x00" in raw:
        raise InvalidInput(_("“%(name)s”的筛选内容太长或有不能用的符号，请改短后再查。", name=column.label))
    if column.offers in CODES:
        return code_of(CODES[column.offers], raw)
    try:
        if column.spec is not None and column.spec.type not in ("string", "text", "multiselect", "region", "industry"):
            return field_types.get(column.spec.type).parse(column.spec, raw, lookups)
        return _PARSERS.get(column.kind, str)(raw)
    except (FieldError, ValueError, InvalidOperation) as error:
        reason = str(error) if isinstance(error, FieldError) else _("请核对格式，例如 100 或 2026-11-20。")
        raise InvalidInput(
            _("“%(name)s”不能按“%(value)s”筛选：%(why)s", name=column.label, value=raw[:30], why=reason)
        ) from error


CODES = {"regions": "region", "industries": "industry"}
"""Sources of codes, by what pickers ask, and the kind of code."""


def code_of(kind: str, typed: str) -> str:
    """The code whose exact name was typed; otherwise what was typed, as it is."""
    return typed if typed.isascii() else lookups.code_of(kind, typed.strip()) or typed


def _whole(raw: str) -> int:
    number = int(raw.replace(",", ""))
    if abs(number) >= 2**63:
        raise ValueError(raw)
    return number


def _exact(raw: str) -> Decimal:
    number = Decimal(raw.replace(",", ""))
    if not number.is_finite() or abs(number) >= Decimal(10) ** 16:
        raise ValueError(raw)
    return number.quantize(Decimal("0.01"))


def _yes(raw: str) -> bool:
    return {"y": True, "yes": True, "true": True, "1": True, "n": False, "no": False, "false": False, "0": False}[
        raw.lower()
    ]


_PARSERS: dict[str, Any] = {
    "int": _whole,
    "size": _whole,
    "money": _exact,
    "date": date.fromisoformat,
    "time": date.fromisoformat,
    "bool": lambda raw: _yes(raw) if raw.lower() in ("y", "n", "yes", "no", "true", "false", "1", "0") else int("x"),
}


class GridFilter(BaseFilter):
    """A comparison on one column of a grid."""

    def apply(self, query: Any, value: Any) -> Any:
        """Add the condition to ``query``; an empty control of the filter form adds none."""
        if value == "":
            return query
        grid: Grid = self.datamodel.grid
        column = grid.column(self.column_name)
        attribute, relations = attribute_of(grid.model, column.path)
        condition = self.condition(attribute, column, parse_value(column, str(value)))
        for relation in reversed(relations):
            condition = relation.has(condition)
        return query.where(condition)

    def condition(self, attribute: Any, column: Column, value: Any) -> ColumnElement[bool]:
        """The SQL condition."""
        raise AssertionError(type(self).__name__)


class FilterContains(GridFilter):
    """Text that contains the value; also a list that has it."""

    name, arg_name = _l("包含"), "ct"

    def condition(self, attribute: Any, column: Column, value: Any) -> ColumnElement[bool]:
        """Contains, or for a list: has it."""
        if column.spec is not None and column.spec.type == "multiselect":
            return list_contains(attribute, value)
        return attribute.icontains(str(value), autoescape=True)


class FilterStartsWith(GridFilter):
    """Text or code that begins with the value (a region with all below it)."""

    name, arg_name = _l("开头是"), "sw"

    def condition(self, attribute: Any, column: Column, value: Any) -> ColumnElement[bool]:
        """Begins with; a region without its trailing zeros."""
        text = str(value)
        if column.kind == "region" or (column.spec and column.spec.type == "region"):
            text = text.removesuffix("0000") if text.endswith("0000") else text.removesuffix("00")
        return attribute.startswith(text, autoescape=True)


def _day(value: date) -> tuple[datetime, datetime]:
    start = datetime.combine(value, time(), SHANGHAI).astimezone(UTC)
    return start, start + timedelta(days=1)


class FilterEqual(GridFilter):
    """Exactly the value; for a time, on that day in Shanghai."""

    name, arg_name = _l("等于"), "eq"

    def condition(self, attribute: Any, column: Column, value: Any) -> ColumnElement[bool]:
        """Equal, or within the day."""
        if column.kind == "time":
            start, end = _day(value)
            return (attribute >= start) & (attribute < end)
        return attribute == value


class FilterNotEqual(GridFilter):
    """Anything but the value."""

    name, arg_name = _l("不等于"), "neq"

    def condition(self, attribute: Any, column: Column, value: Any) -> ColumnElement[bool]:
        """Different."""
        return attribute != value


class FilterGreater(GridFilter):
    """At least the value; for a time, from that day on."""

    name, arg_name = _l("不小于"), "gt"

    def condition(self, attribute: Any, column: Column, value: Any) -> ColumnElement[bool]:
        """From the value on."""
        return attribute >= (_day(value)[0] if column.kind == "time" else value)


class FilterSmaller(GridFilter):
    """At most the value; for a time, up to the end of that day."""

    name, arg_name = _l("不大于"), "lt"

    def condition(self, attribute: Any, column: Column, value: Any) -> ColumnElement[bool]:
        """Up to the value."""
        return attribute < _day(value)[1] if column.kind == "time" else attribute <= value


RANGE = [FilterEqual, FilterGreater, FilterSmaller]
CHOICE = [FilterEqual, FilterNotEqual]
TEXT = [FilterContains, FilterEqual, FilterStartsWith]
CODE = [FilterStartsWith, FilterEqual]
_FILTERS: dict[str, list[type[GridFilter]]] = {
    "int": RANGE, "size": RANGE, "money": RANGE, "date": RANGE, "time": RANGE, "integer": RANGE, "decimal": RANGE,
    "percent": RANGE, "year": RANGE, "bool": [FilterEqual], "boolean": [FilterEqual], "option": CHOICE, "select": CHOICE,
    "multiselect": [FilterContains], "region": CODE, "industry": CODE,
}  # fmt: skip


class Converter(BaseFilterConverter):
    """Which comparisons a column offers, by its kind."""

    def convert(self, col_name: str) -> list[GridFilter] | None:
        """Filters of ``col_name``, or None if it cannot be searched."""
        grid: Grid = self.datamodel.grid
        column = next((c for c in grid.searchable if c.path == col_name), None)
        if column is None:
            return None
        kind = column.spec.type if column.spec else column.kind
        return [f(col_name, self.datamodel) for f in _FILTERS.get(kind, TEXT)]


class GridInterface(SQLAInterface):
    """A table as Flask-AppBuilder sees it, with our filters, also on dotted columns."""

    filter_converter_class = Converter

    def __init__(self, grid: Grid, session: Any = None) -> None:
        self.grid = grid
        super().__init__(grid.model, session)

    def apply_all(self, query: Any, *args: Any, **kwargs: Any) -> Any:
        """The rows, with the records that their dotted columns read: one statement more, not one for each row."""
        relations = {getattr(self.grid.model, c.path.split(".")[0]) for c in self.grid.columns if "." in c.path}
        lazy = [selectinload(r).options(lazyload("*")) for r in relations if r.property.lazy == "select"]
        return super().apply_all(query.options(*lazy), *args, **kwargs)

    def query(self, *args: Any, **kwargs: Any) -> tuple[int, list[Any]]:
        """How many rows there are, and those of the page, made ready to be shown."""
        count, rows = super().query(*args, **kwargs)
        if self.grid.prepare is not None:
            self.grid.prepare(rows)
        return count, rows

    def get(self, *args: Any, **kwargs: Any) -> Any:
        """One row, made ready to be shown; None if there is none."""
        row = super().get(*args, **kwargs)
        if row is not None and self.grid.prepare is not None:
            self.grid.prepare([row])
        return row

    def get_columns_list(self) -> list[str]:
        """Own columns and the dotted ones that can be searched."""
        return [*super().get_columns_list(), *(c.path for c in self.grid.searchable if "." in c.path)]

    def get_search_columns_list(self) -> list[str]:
        """The columns with a filter, as the grid says."""
        return [c.path for c in self.grid.searchable]


class ScopeFilter(BaseFilter):
    """Row scope of the signed-in person; stands first in every query of every grid."""

    name, arg_name = "scope", "scope"

    def apply(self, query: Any, value: Any) -> Any:
        """Leave what the person may see. ``value`` is None on purpose: a list would be applied zero times."""

        return query.where(self.datamodel.grid.scope(current_user))
