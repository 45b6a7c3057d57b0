"""region and industry: known to the caller's lists, or refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.fields import registry
from app.fields.base import FieldSpec, Lookups, Value


@pytest.mark.parametrize(
    ("type_name", "typed", "code"),
    [
        ("region", "230102", "230102"),
        ("region", "２３０１０２", "230102"),
        ("region", " 230108 ", "230108"),
        ("industry", "34", "34"),
        ("industry", "c", "C"),
    ],
)
def test_known_codes(type_name: str, typed: str, code: str, parse: Callable[..., Value]) -> None:
    assert parse(type_name, typed) == code


@pytest.mark.parametrize("typed", ["999999", "哈尔滨市", "2301", "9" * 50, "' OR 1=1", "230102;"])
def test_unknown_codes(typed: str, refusal: Callable[..., str]) -> None:
    shown = typed if len(typed) <= 20 else typed[:20] + "…"
    assert refusal("region", typed) == f"地区列表里没有“{shown}”，请从列表里选择。"
    assert refusal("industry", typed) == f"行业列表里没有“{shown}”，请从列表里选择。"


def test_text_is_the_full_name(spec: Callable[..., FieldSpec], lookups: Lookups) -> None:
    region, industry = registry.get("region"), registry.get("industry")
    assert region.text(spec("region"), "230102", lookups) == "黑龙江省 / 哈尔滨市 / 道里区"
    assert region.sheet(spec("region"), "230102", lookups) == "黑龙江省 / 哈尔滨市 / 道里区"
    assert industry.text(spec("industry"), "34", lookups) == "制造业 / 通用设备制造业"


def test_a_code_that_the_list_lost_is_still_shown(spec: Callable[..., FieldSpec], lookups: Lookups) -> None:
    assert registry.get("region").text(spec("region"), "239999", lookups) == "239999"


def test_columns_and_widgets(spec: Callable[..., FieldSpec]) -> None:
    for name in ("region", "industry"):
        assert registry.get(name).widget == name
        assert str(registry.get(name).column(spec(name))) == "VARCHAR(12)"
