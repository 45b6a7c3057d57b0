"""Checks of specs that types share."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

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


@pytest.mark.parametrize(
    ("label", "kind", "unit", "plain", "shown"),
    [
        ("注册资本(万元)", "decimal", "万元", "注册资本", "3,000.00 万元"),
        ("注册资本（万元）", "decimal", "万元", "注册资本", "3,000.00 万元"),
        ("从业人数 (人)", "integer", "人", "从业人数", "3,000.00 人"),
        ("研发投入占比（%）", "percent", None, "研发投入占比", "3,000.00 %"),
        ("注册资本(万美元)", "decimal", "万元", "注册资本(万美元)", "3,000.00 万元"),
        ("注册资本(万元)及来源", "decimal", "万元", "注册资本(万元)及来源", "3,000.00 万元"),
        ("名称(全称)", "string", None, "名称(全称)", "3,000.00"),
        ("(万元)", "decimal", "万元", "(万元)", "3,000.00 万元"),
    ],
)
def test_the_unit_stands_once_beside_a_value(label: str, kind: str, unit: str | None, plain: str, shown: str) -> None:
    one = FieldSpec(key="x", label=label, type=kind, unit=unit)
    assert (one.plain_label, one.with_unit("3,000.00")) == (plain, shown)
    assert one.label == label


def test_an_empty_value_has_no_unit() -> None:
    assert FieldSpec(key="x", label="注册资本", type="decimal", unit="万元").with_unit("") == ""
