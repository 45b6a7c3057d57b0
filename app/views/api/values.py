"""What a value is for machines: exact text for numbers with decimals, ISO dates, UTC moments, stored values of choices.

One entry per kind of column says how a value is written, what its schema is, and how it can be filtered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from app.services.event_names import HIDDEN
from app.views.admin.spec import Column

RANGE = ("eq", "gte", "lte", "in")
TEXT = ("eq", "contains", "in")
CHOICE = ("eq", "in")

Write = Callable[[Column, Any], Any]


@dataclass(frozen=True)
class Speech:
    """How one kind of column speaks to machines. ``operators`` is empty where filtering would tell what is masked."""

    schema: Mapping[str, Any]
    operators: tuple[str, ...] = ()
    write: Write = lambda _column, value: value
    labelled: bool = False


def moment_text(moment: datetime) -> str:
    """``2026-11-20T01:00:00Z``, with microseconds where there are any, so that it can be used in a filter."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _plain(_column: Column, value: Any) -> str:
    return str(value)


def _shown(column: Column, value: Any) -> str:
    return str(column.text(value))


def _subject(_column: Column, value: str) -> str:
    """What an event is about; of those kept as digests only the kind, as on the pages."""
    kind = value.partition(":")[0]
    return kind if kind in HIDDEN else value


def _day_text(_column: Column, value: date) -> str:
    return value.isoformat()


_STRING = {"type": "string"}
_TEXT = Speech(_STRING, TEXT, _plain)
_WHOLE = Speech({"type": "integer"}, RANGE)
_MONEY = Speech({"type": "string", "pattern": r"^-?[0-9]+\.[0-9]{2}$"}, RANGE, lambda _c, v: f"{v:.2f}")
_EXACT = Speech({"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}, RANGE, lambda _c, v: f"{v:f}")
_DAY = Speech({"type": "string", "format": "date"}, RANGE, _day_text)
_CHOICE = Speech(_STRING, CHOICE, _plain, labelled=True)
_CODE = Speech(_STRING, CHOICE, _plain, labelled=True)

_COLUMNS: Mapping[str, Speech] = {
    "int": _WHOLE,
    "size": _WHOLE,
    "money": _MONEY,
    "date": _DAY,
    "time": Speech(
        {"type": "string", "format": "date-time"}, ("eq", "gte", "lte"), lambda _c, v: moment_text(v)
    ),
    "bool": Speech({"type": "boolean"}, ("eq",), lambda _c, v: bool(v)),
    "option": _CHOICE,
    "region": _CODE,
    "industry": _CODE,
    # What is masked or reworded on the pages is so here too, and cannot be guessed by filtering or sorting.
    "phone": Speech(_STRING, (), _shown),
    "agent": Speech(_STRING, (), _shown),
    "json": Speech({"type": "object"}),
    "subject": Speech(_STRING, CHOICE, _subject),
}  # fmt: skip
_ANSWERS: Mapping[str, Speech] = {
    "integer": _WHOLE,
    "year": _WHOLE,
    "decimal": _EXACT,
    "percent": _EXACT,
    "date": _DAY,
    "select": _CHOICE,
    "boolean": _CHOICE,
    "multiselect": Speech({"type": "array", "items": _STRING}, ("contains",), labelled=True),
    "region": _CODE,
    "industry": _CODE,
}


def speech_of(column: Column) -> Speech:
    """How ``column`` speaks; text unless its kind says otherwise."""
    if column.spec is not None:
        return _ANSWERS.get(column.spec.type, _TEXT)
    return _COLUMNS.get(column.kind, _TEXT)


def machine_value(column: Column, value: Any) -> Any:
    """``value`` as JSON holds it; None for nothing."""
    return None if value is None else speech_of(column).write(column, value)


def label_of(column: Column, value: Any) -> str | None:
    """The words for a stored choice or code; None where there is nothing to translate."""
    if value in (None, "", []) or not speech_of(column).labelled:
        return None
    return str(column.text(value))


def can_order(column: Column) -> bool:
    """Whether rows may be sorted by ``column``: one of the table itself, no list, and not masked, which would tell it."""
    speech = speech_of(column)
    return column.order and "." not in column.path and bool(speech.operators) and speech.schema["type"] != "array"
