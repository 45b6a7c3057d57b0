"""What a field is (``FieldSpec``, pure data) and what its type must be able to do (``FieldType``)."""

from __future__ import annotations

import random
import re
import unicodedata
from abc import ABC, abstractmethod
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.types import TypeEngine
from wtforms import Field as WTField

Value = str | int | Decimal | date | list[str] | None
"""A typed answer. Empty is ``None`` (``[]`` for several choices)."""

Raw = str | list[str] | None
"""An answer exactly as it was typed or posted."""


class Option(BaseModel):
    """One choice. ``exclusive`` excludes all others (无)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: str
    label: str
    exclusive: bool = False


class FieldSpec(BaseModel):
    """One question, as data. Numbers are in ``unit``; expressions are CEL over ``form``, ``row``, ``enterprise``."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    key: str = Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=48)
    label: str
    type: str
    required: bool = True
    unit: str | None = None
    options: tuple[Option, ...] = ()
    min: Decimal | None = None
    max: Decimal | None = None
    max_length: int | None = None
    decimals: int | None = None
    pattern: str | None = None
    help: str | None = None
    prefill: str | None = None
    fixed: str | None = None
    readonly: bool = False
    computed: str | None = None
    visible_if: str | None = None
    required_if: str | None = None
    in_list: bool = Field(default=False, alias="list")
    filter: bool = False
    search: bool = False
    wide: bool = False
    origin: str | None = None
    source: str | None = None
    note: str | None = None

    @property
    def measure(self) -> str:
        """What a number of this field is counted in: its unit, ``%`` for a percentage that names none, else ``""``."""
        return self.unit or ("%" if self.type == "percent" else "")

    @property
    def plain_label(self) -> str:
        """The label for places where the value carries its unit: a closing ``(unit)`` or ``（unit）`` is left out."""
        if self.measure:
            for closing in (f"({self.measure})", f"（{self.measure}）"):
                if self.label.endswith(closing) and self.label != closing:
                    return self.label.removesuffix(closing).rstrip()
        return self.label

    def with_unit(self, text: str) -> str:
        """``text`` (the value as people read it) followed by the unit: ``3,000.00 万元``. Empty text stays empty."""
        return f"{text} {self.measure}" if text and self.measure else text


class FieldError(ValueError):
    """The typed text is no value of this type. ``str(error)`` is the Chinese sentence for the person."""


class Lookups(Protocol):
    """Names of coded values; the caller brings them (database, file or fake)."""

    def region(self, code: str) -> str | None:
        """Full name of a region, ``黑龙江省 / 哈尔滨市 / 平房区``, or None."""

    def industry(self, code: str) -> str | None:
        """Full name of an industry, ``制造业 / 通用设备制造业``, or None."""


_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")


def clean_text(text: str, *, multiline: bool = False) -> str:
    """The one gate for text: NFC, no control characters, trimmed. Same text in database, page, Word and Excel."""
    text = unicodedata.normalize("NFC", _CONTROL.sub("", text)).replace("\r\n", "\n").replace("\r", "\n")
    if not multiline:
        text = text.replace("\n", " ").replace("\t", " ")
    return text.strip()


def has_control_characters(text: str) -> bool:
    """Whether ``text`` holds characters that no document can carry (NUL, lone surrogates …)."""
    return bool(_CONTROL.search(text))


class FieldType(ABC):
    """One kind of answer. Stateless; one instance per type lives in ``fields.registry``."""

    name: str
    widget: str
    """Name of the macro in ``templates/components/fields.html`` that draws it."""

    @abstractmethod
    def parse(self, spec: FieldSpec, raw: Raw, lookups: Lookups) -> Value:
        """Typed value of ``raw``; ``None`` if nothing was typed. Raises FieldError with a sentence."""

    @abstractmethod
    def column(self, spec: FieldSpec) -> TypeEngine[Any]:
        """SQLAlchemy type of the projection column."""

    @abstractmethod
    def form_field(self, spec: FieldSpec, **kwargs: Any) -> WTField:
        """Unbound WTForms field (label, description, choices); ``kwargs`` go to its constructor."""

    @abstractmethod
    def sample(self, spec: FieldSpec, rng: random.Random) -> Raw:
        """A believable, valid answer as it would be typed (Chinese; within the spec's limits)."""

    def check_spec(self, spec: FieldSpec) -> list[str]:
        """Defects of a spec of this type, in words; empty if none. Runs when definitions are loaded."""
        return []

    def to_json(self, value: Value) -> Any:
        """JSON value for the immutable record. Decimal and date become text, exact."""
        if isinstance(value, Decimal):
            return format(value, "f")
        if isinstance(value, date):
            return value.isoformat()
        return value

    @abstractmethod
    def from_json(self, data: Any) -> Value:
        """Inverse of ``to_json``."""

    def stored(self, spec: FieldSpec, data: Any) -> Value:
        """Value of ``data`` out of a record. ValueError if ``spec`` would not have written it: the question was of
        another type then, or had more decimals."""
        try:
            value = self.from_json(data)
        except (ArithmeticError, TypeError, ValueError) as error:
            raise ValueError(f"{data!r} is no {self.name}") from error
        if data is not None and self.to_json(value) != data:
            raise ValueError(f"{data!r} is no {self.name}")
        return value

    def to_cel(self, value: Value) -> Any:
        """Value inside expressions: numbers are doubles, dates ISO text, empty is null."""
        if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
            return float(value)
        if isinstance(value, date):
            return value.isoformat()
        return value

    @abstractmethod
    def text(self, spec: FieldSpec, value: Value, lookups: Lookups) -> str:
        """The value as people read it in grids, pages and documents, without unit; ``""`` if empty."""

    def sheet(self, spec: FieldSpec, value: Value, lookups: Lookups) -> str | int | float | Decimal | date | None:
        """The value as an Excel cell: numbers stay numbers, dates dates, codes text."""
        return value if isinstance(value, (int, Decimal, date)) else (self.text(spec, value, lookups) or None)

    def is_empty(self, value: Value) -> bool:
        """Whether nothing was answered."""
        return value is None or value == "" or value == []
