"""phone: any usual spelling becomes one normal form."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from app.fields import registry
from app.fields.base import FieldSpec, Value

MOBILE_ONLY = {"pattern": r"^1[3-9]\d{9}$"}
EITHER = "请填 11 位手机号，或带区号的座机，例如 0451-84000000；现在填的是“{}”。"


@pytest.mark.parametrize(
    "typed",
    [
        "13800001234",
        "138 0000 1234",
        "138-0000-1234",
        "１３８００００１２３４",
        "+8613800001234",
        "+86 138 0000 1234",
        "0086-13800001234",
        "8613800001234",
        "\u200b13800001234",
        "\u202f13800001234",
    ],
)
def test_mobile(typed: str, parse: Callable[..., Value]) -> None:
    assert parse("phone", typed) == "13800001234"
    assert parse("phone", typed, **MOBILE_ONLY) == "13800001234"


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("0451-84000000", "0451-84000000"),
        ("045184000000", "0451-84000000"),
        ("0451 8400 0000", "0451-84000000"),
        ("0451-8400 0000", "0451-84000000"),
        ("（0451）84000000", "0451-84000000"),
        ("(0451) 8400-0000", "0451-84000000"),
        ("０４５１－８４００００００", "0451-84000000"),
        ("010-84000000", "010-84000000"),
        ("02184000000", "021-84000000"),
        ("0459-8400000", "0459-8400000"),
        ("0451-84000000-801", "0451-84000000-801"),
        ("0451-84000000转801", "0451-84000000-801"),
        ("0451-84000000 转 801", "0451-84000000-801"),
        ("+86 451 84000000", "0451-84000000"),
        ("+86-0451-84000000", "0451-84000000"),
    ],
)
def test_landline(typed: str, number: str, parse: Callable[..., Value]) -> None:
    assert parse("phone", typed) == number


@pytest.mark.parametrize(
    ("typed", "attributes", "sentence"),
    [
        ("1380000123", {}, "手机号应为 11 位，现在是 10 位，请补全。"),
        ("1380000123", MOBILE_ONLY, "手机号应为 11 位，现在是 10 位，请补全。"),
        ("138 0000 123", {}, "手机号应为 11 位，现在是 10 位，请补全。"),
        ("138000012345", {}, "手机号应为 11 位，现在是 12 位，请删去多余的数字。"),
        ("12000001234", {}, "手机号的第二位应为 3 到 9，现在填的是“12000001234”，请核对。"),
        ("84000000", {}, "座机请写上区号，例如 0451-84000000；现在填的是“84000000”。"),
        ("0451-84000000", MOBILE_ONLY, "请填 11 位手机号；现在填的是“0451-84000000”。"),
        ("84000000", MOBILE_ONLY, "请填 11 位手机号；现在填的是“84000000”。"),
        ("0000-84000000", {}, EITHER.format("0000-84000000")),
        ("0451-04000000", {}, EITHER.format("0451-04000000")),
        ("0451-840000", {}, EITHER.format("0451-840000")),
        ("110", {}, EITHER.format("110")),
        ("没有", {}, EITHER.format("没有")),
        ("13800001234/13900001234", {}, EITHER.format("13800001234/13900001…")),
        ("٠١٢٣٤٥٦٧٨٩", {}, EITHER.format("٠١٢٣٤٥٦٧٨٩")),
        ("13800001234", {"pattern": r"0\d{2,3}-\d+"}, "号码格式不对，现在填的是“13800001234”，请对照说明修改。"),
        ("0451-84000000-801", {"max_length": 13}, "最多 13 个字，现在是 17 个字，请删减。"),
    ],
)
def test_refusals(typed: str, attributes: dict[str, Any], sentence: str, refusal: Callable[..., str]) -> None:
    assert refusal("phone", typed, **attributes) == sentence


def test_samples_are_dummy_numbers(spec: Callable[..., FieldSpec], parse: Callable[..., Value]) -> None:
    for seed in range(50):
        sample = registry.get("phone").sample(spec("phone", **MOBILE_ONLY), random.Random(seed))
        assert isinstance(sample, str) and sample.startswith("1380000") and len(sample) == 11
    landline = registry.get("phone").sample(spec("phone", pattern=r"^0\d{3}-\d{8}$"), random.Random(1))
    assert parse("phone", landline) == landline


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"pattern": "["}, "is no regular expression"),
        ({"pattern": r"^\+86"}, "lets neither mobile numbers nor landlines pass"),
        ({"max_length": 10}, "max_length 10 must be between 13 and 20"),
        ({"max_length": 50}, "max_length 50 must be between 13 and 20"),
    ],
)
def test_unsound_specs_are_found(attributes: dict[str, Any], words: str, problems: Callable[..., list[str]]) -> None:
    assert any(words in problem for problem in problems("phone", **attributes))
