"""Reads the parameters of an address. What is unknown, repeated or of the wrong type is refused and named."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from app.errors import InvalidInput
from app.views.admin.filters import LIMIT, parse_value
from app.views.admin.spec import Column, Grid
from app.views.api.refusal import Refusal
from app.views.api.values import TEXT, can_order, speech_of
from app.workflow.calendar import SHANGHAI

PAGE_SIZE, MAX_PAGE_SIZE, MAX_PAGE = 50, 100, 1_000_000
MAX_VALUES = 50
"""Most values of one ``__in``."""

_FILTER = re.compile(r"filter\[([^\[\]]{1,120})\]")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})"
)


@dataclass(frozen=True)
class Condition:
    """One filter. For times ``value`` is a pair of moments: from (inclusive) and to (exclusive)."""

    column: Column
    operator: str
    value: Any


@dataclass(frozen=True)
class Asked:
    """What an address asks for. ``after`` (a row id) reads on in the order of ids and needs no page number."""

    page: int = 1
    page_size: int = PAGE_SIZE
    after: int | None = None
    order: str | None = None
    descending: bool = False
    declaration: str | None = None
    parent: int | None = None
    labels: bool = False
    conditions: tuple[Condition, ...] = field(default=())


def refuse(code: str, parameter: str, message: str) -> Refusal:
    """400 about ``parameter``."""
    return Refusal(400, code, message, parameter=parameter[:120])


def read_list(grid: Grid, arguments: MultiDict[str, str]) -> Asked:
    """What is asked of the rows of ``grid``. Refusal (400)."""
    asked = Asked()
    for name, value in _single(arguments):
        reader = _READERS.get(name)
        if reader is not None:
            asked = reader(grid, asked, value)
        elif match := _FILTER.fullmatch(name):
            asked = replace(asked, conditions=(*asked.conditions, _condition(grid, name, match[1], value)))
        else:
            raise _unknown(name, [*_READERS, "filter[…]"])
    if asked.after is not None and ({"page", "order"} & arguments.keys()):
        message = _("after 按编号往下读，不能和 page、order 一起用。请去掉其中一种。")
        raise refuse("conflicting_parameters", "after", message)
    return asked


def read_one(grid: Grid, arguments: MultiDict[str, str]) -> Asked:
    """What is asked of one row: only ``labels``. Refusal (400)."""
    asked = Asked()
    for name, value in _single(arguments):
        if name != "labels":
            raise _unknown(name, ["labels"])
        asked = _labels(grid, asked, value)
    return asked


def refuse_all(arguments: MultiDict[str, str]) -> None:
    """For addresses without parameters. Refusal (400)."""
    for name, _value in _single(arguments):
        raise _unknown(name, [])


def _single(arguments: MultiDict[str, str]) -> Iterator[tuple[str, str]]:
    for name, values in arguments.lists():
        if len(values) > 1:
            raise refuse("repeated_parameter", name, _("“%(name)s”写了不止一次，请只留一个。", name=name[:40]))
        yield name, values[0]


def _unknown(name: str, known: list[str]) -> Refusal:
    words = _("能用的参数：%(known)s。", known="、".join(known)) if known else _("这个地址没有参数。")
    return refuse("unknown_parameter", name, _("没有“%(name)s”这个参数。", name=name[:40]) + words)


# -- paging and order -----------------------------------------------------------------------------------------------


def _number(name: str, value: str, least: int, most: int) -> int:
    if not re.fullmatch(r"[0-9]{1,18}", value) or not least <= int(value) <= most:
        message = _("“%(name)s”要是 %(least)s 到 %(most)s 的整数，现在是“%(value)s”。",
                    name=name, least=least, most=most, value=value[:20])  # fmt: skip
        raise refuse("bad_value", name, message)
    return int(value)


def _page(_grid: Grid, asked: Asked, value: str) -> Asked:
    return replace(asked, page=_number("page", value, 1, MAX_PAGE))


def _page_size(_grid: Grid, asked: Asked, value: str) -> Asked:
    return replace(asked, page_size=_number("page_size", value, 1, MAX_PAGE_SIZE))


def _after(_grid: Grid, asked: Asked, value: str) -> Asked:
    return replace(asked, after=_number("after", value, 0, 10**18 - 1))


def _order(grid: Grid, asked: Asked, value: str) -> Asked:
    path = value.removeprefix("-")
    known = order_paths(grid)
    if path not in known:
        message = _("不能按“%(value)s”排序。能排序的列：%(known)s；前面加 - 是从大到小。",
                    value=value[:40], known="、".join(known))  # fmt: skip
        raise refuse("unknown_column", "order", message)
    return replace(asked, order=path, descending=value.startswith("-"))


def order_paths(grid: Grid) -> list[str]:
    """Columns that rows of ``grid`` can be sorted by."""
    return list(dict.fromkeys(["id", *(c.path for c in grid.columns if can_order(c))]))


# -- relations and labels -------------------------------------------------------------------------------------------


def has_declaration(grid: Grid) -> bool:
    """Whether the rows of ``grid`` belong to a declaration, or are declarations."""
    return grid.name == "declaration" or hasattr(grid.model, "declaration_id")


def _declaration(grid: Grid, asked: Asked, value: str) -> Asked:
    if not has_declaration(grid):
        raise refuse("unknown_parameter", "declaration", _("这张表的记录不属于某件申报，请去掉 declaration。"))
    try:
        return replace(asked, declaration=str(UUID(value)))
    except ValueError as error:
        message = _("declaration 要是申报的 36 位编号，现在是“%(value)s”。", value=value[:40])
        raise refuse("bad_value", "declaration", message) from error


def _parent(grid: Grid, asked: Asked, value: str) -> Asked:
    if grid.parent is None:
        raise refuse("unknown_parameter", "parent", _("这张表没有上级表，请去掉 parent。"))
    return replace(asked, parent=_number("parent", value, 1, 10**18 - 1))


def _labels(_grid: Grid, asked: Asked, value: str) -> Asked:
    return replace(asked, labels=_number("labels", value, 0, 1) == 1)


_READERS: dict[str, Callable[[Grid, Asked, str], Asked]] = {
    "page": _page,
    "page_size": _page_size,
    "after": _after,
    "order": _order,
    "declaration": _declaration,
    "parent": _parent,
    "labels": _labels,
}


# -- filters --------------------------------------------------------------------------------------------------------


def _condition(grid: Grid, name: str, target: str, raw: str) -> Condition:
    column, operator = _target(grid, name, target)
    if operator not in speech_of(column).operators:
        known = "、".join(speech_of(column).operators)
        words = _("能用的比较：%(known)s。", known=known) if known else _("这一列不能筛选。")
        message = _("“%(column)s”不能用 %(operator)s 比较。", column=column.label, operator=operator) + words
        raise refuse("unknown_operator", name, message)
    texts = raw.split(",") if operator == "in" else [raw]
    if len(texts) > MAX_VALUES:
        message = _("“%(column)s”一次最多列 %(most)s 个值，请分几次读。", column=column.label, most=MAX_VALUES)
        raise refuse("bad_value", name, message)
    values = [_value(column, name, text) for text in texts]
    return Condition(column, operator, values if operator == "in" else values[0])


def _target(grid: Grid, name: str, target: str) -> tuple[Column, str]:
    columns = {c.path: c for c in grid.columns}
    if target in columns:
        return columns[target], "eq"
    path, sign, operator = target.rpartition("__")
    if not sign or path not in columns:
        raise refuse(
            "unknown_column", name, _("这张表没有“%(column)s”这一列，列名见 openapi.json。", column=target[:40])
        )
    return columns[path], operator


def _value(column: Column, name: str, raw: str) -> Any:
    try:
        return parse_condition(column, raw)
    except InvalidInput as problem:
        raise refuse("bad_value", name, problem.message) from problem


def parse_condition(column: Column, raw: str) -> Any:
    """``raw`` as a value to compare ``column`` with. InvalidInput."""
    if raw == "":
        raise InvalidInput(_("“%(name)s”的值是空的。请写上值，或去掉这个筛选。", name=column.label))
    if column.spec is None and column.kind == "time":
        return _span(column, raw)
    if speech_of(column).operators == TEXT:
        return _text(column, raw)
    _require_choice(column, raw)
    return parse_value(_unlimited(column), raw)


def _text(column: Column, raw: str) -> str:
    """Text as it stands: a part of an address or a code is no address or code yet."""
    if len(raw) > LIMIT or "\x00" in raw:
        raise InvalidInput(_("“%(name)s”的值太长或有不能用的符号，请改短后再查。", name=column.label))
    return raw


def _require_choice(column: Column, raw: str) -> None:
    known = _choices(column)
    if known and raw not in known:
        raise InvalidInput(_("“%(name)s”没有“%(value)s”这个值。能用的值：%(known)s。",
                             name=column.label, value=raw[:30], known="、".join(known)))  # fmt: skip


def _choices(column: Column) -> list[str]:
    """Values that the column can hold, where these are given; answers with one choice are checked by their type."""
    if column.spec is not None:
        return [o.value for o in column.spec.options] if column.spec.type == "multiselect" else []
    return list(column.options) if column.kind == "option" else []


def _unlimited(column: Column) -> Column:
    """The column without the limits of its answers: “at most 200” may be asked where 100 is the most."""
    if column.spec is None or column.spec.type == "multiselect":
        return column
    return replace(column, spec=column.spec.model_copy(update={"min": None, "max": None}))


def _span(column: Column, raw: str) -> tuple[datetime, datetime]:
    """From and to: a day in Shanghai, or one moment."""
    try:
        if _DAY.fullmatch(raw):
            start = datetime.combine(date.fromisoformat(raw), time(), SHANGHAI).astimezone(UTC)
            return start, start + timedelta(days=1)
        if _MOMENT.fullmatch(raw):
            start = datetime.fromisoformat(raw).astimezone(UTC)
            return start, start + timedelta(microseconds=1)
    except (ValueError, OverflowError):
        pass
    raise InvalidInput(
        _(
            "“%(name)s”要写成 2026-11-20（北京时间的一天）或 2026-11-20T01:00:00Z，现在是“%(value)s”。",
            name=column.label,
            value=raw[:40],
        )  # fmt: skip
    )
