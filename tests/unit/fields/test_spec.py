"""Checks of specs that types share."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from app.fields.base import FieldSpec
from app.fields.spec import attribute_problems, length_problems


def test_only_allowed_attributes(spec: Callable[..., FieldSpec]) -> None:
    one = spec("date", decimals=2, unit="天")
    assert attribute_problems(one) == ["unit means nothing for type 'date'", "decimals means nothing for type 'date'"]
    assert attribute_problems(one, "unit", "decimals") == []


def test_zero_is_set(spec: Callable[..., FieldSpec]) -> None:
    assert attribute_problems(spec("date", min=0)) == ["min means nothing for type 'date'"]


def test_contradicting_limits(spec: Callable[..., FieldSpec]) -> None:
    one = spec("decimal", min=Decimal(2), max=Decimal(1))
    assert attribute_problems(one, "min", "max") == ["min 2 is greater than max 1"]
    assert attribute_problems(spec("decimal", min=1, max=1), "min", "max") == []


def test_lengths(spec: Callable[..., FieldSpec]) -> None:
    assert length_problems(spec("string"), 1, 10) == []
    assert length_problems(spec("string", max_length=10), 1, 10) == []
    assert length_problems(spec("string", max_length=11), 1, 10) == ["max_length 11 must be between 1 and 10"]
