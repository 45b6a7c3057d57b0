"""Reading a record: what this question has written comes back, what another one has written is told apart."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from app.fields import registry
from app.fields.base import FieldSpec, Lookups


@pytest.mark.parametrize("name", registry.names())
def test_what_was_written_is_read_back(name: str, spec: Callable[..., FieldSpec], lookups: Lookups) -> None:
    kind, one = registry.get(name), spec(name)
    for number in range(20):
        value = kind.parse(one, kind.sample(one, random.Random(number)), _AnyName())
        assert kind.stored(one, kind.to_json(value)) == value
    assert kind.is_empty(kind.stored(one, None))


class _AnyName:
    def region(self, code: str) -> str | None:
        return code

    def industry(self, code: str) -> str | None:
        return code


@pytest.mark.parametrize(
    ("name", "more", "data"),
    [
        ("decimal", {}, "abc"),
        ("decimal", {}, "1.234"),
        ("decimal", {"decimals": 0}, "1.50"),
        ("decimal", {}, "NaN"),
        ("decimal", {}, "Infinity"),
        ("decimal", {}, "1E+5"),
        ("decimal", {}, 5),
        ("decimal", {}, ["1"]),
        ("percent", {}, "12.345"),
        ("integer", {}, "1.5"),
        ("integer", {}, "12"),
        ("integer", {}, [1]),
        ("year", {}, "abc"),
        ("date", {}, "abc"),
        ("date", {}, "20240601"),
        ("date", {}, 20240601),
        ("date", {}, ["2024-06-01"]),
        ("string", {}, 5),
        ("string", {}, ["a", "b"]),
        ("multiselect", {}, "mes"),
        ("multiselect", {}, 5),
        ("select", {}, ["mes"]),
    ],
    ids=str,
)
def test_what_another_question_wrote_is_no_value(
    name: str, more: dict[str, Any], data: Any, spec: Callable[..., FieldSpec]
) -> None:
    with pytest.raises(ValueError, match="decimals|is no"):
        registry.get(name).stored(spec(name, **more), data)


@pytest.mark.parametrize(
    ("name", "more", "data", "value"),
    [
        ("decimal", {"decimals": 4}, "1.50", Decimal("1.50")),
        ("decimal", {"decimals": 1}, "1.500", Decimal("1.5")),
        ("decimal", {"decimals": 0}, "-12.00", Decimal("-12")),
        ("decimal", {}, "0.00", Decimal(0)),
        ("date", {}, "2024-06-01", date(2024, 6, 1)),
        ("integer", {}, 10**16, 10**16),
    ],
    ids=str,
)
def test_a_change_that_loses_nothing_reads_on(
    name: str, more: dict[str, Any], data: Any, value: Any, spec: Callable[..., FieldSpec]
) -> None:
    assert registry.get(name).stored(spec(name, **more), data) == value
