"""Every kind of answer by name. Adding one: a class in this room and its instance in ``_TYPES`` below."""

from __future__ import annotations

from collections.abc import Iterable

from app.fields.base import FieldType
from app.fields.choice import BooleanType, MultiSelectType, SelectType
from app.fields.coded import IndustryType, RegionType
from app.fields.date import DateType
from app.fields.email import EmailType
from app.fields.id_number import IdNumberType
from app.fields.number import DecimalType, IntegerType, PercentType, YearType
from app.fields.phone import PhoneType
from app.fields.text import StringType, TextType
from app.fields.uscc import UsccType


def by_name(types: Iterable[FieldType]) -> dict[str, FieldType]:
    """``types`` by name. RuntimeError if two share a name, which stops the start."""
    known: dict[str, FieldType] = {}
    for field_type in types:
        if field_type.name in known:
            raise RuntimeError(
                f"field type {field_type.name!r} is registered twice: "
                f"{type(known[field_type.name]).__name__} and {type(field_type).__name__}"
            )
        known[field_type.name] = field_type
    return known


_TYPES = by_name(
    (
        StringType(),
        TextType(),
        IntegerType(),
        DecimalType(),
        PercentType(),
        YearType(),
        DateType(),
        SelectType(),
        MultiSelectType(),
        BooleanType(),
        RegionType(),
        IndustryType(),
        PhoneType(),
        EmailType(),
        UsccType(),
        IdNumberType(),
    )
)


def get(name: str) -> FieldType:
    """The field type ``name``; KeyError names the known ones."""
    try:
        return _TYPES[name]
    except KeyError:
        raise KeyError(f"unknown field type {name!r}, known: {', '.join(sorted(_TYPES))}") from None


def names() -> tuple[str, ...]:
    """Names of all field types, in the order of registration."""
    return tuple(_TYPES)
