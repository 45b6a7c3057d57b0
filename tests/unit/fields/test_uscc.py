"""uscc: the credit code with its check digit."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from stdnum.cn import uscc

from app.fields import registry
from app.fields.base import FieldSpec, Value
from app.fields.uscc import organisation_check

GOOD = "91110000600037341L"


@pytest.mark.parametrize(
    "typed",
    [
        GOOD,
        GOOD.lower(),
        "９１１１００００６０００３７３４１Ｌ",
        " 9111 0000 6000 3734 1L ",
        "911100006-00037341-L",
        "\ufeff" + GOOD,
    ],
)
def test_normal_form(typed: str, parse: Callable[..., Value]) -> None:
    assert parse("uscc", typed) == GOOD


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (GOOD[:-1], "信用代码应为 18 位，现在是 17 位，请补全。"),
        (GOOD + "1", "信用代码应为 18 位，现在是 19 位，请删去多余的字符。"),
        (
            "9111O000600037341L",
            "信用代码只用数字和大写字母，不用 I、O、S、V、Z；第 5 位是“O”，请对照营业执照核对。",
        ),
        (
            "91110000600037341哈",
            "信用代码只用数字和大写字母，不用 I、O、S、V、Z；第 18 位是“哈”，请对照营业执照核对。",
        ),
        ("A1110000600037341L", "信用代码的前 8 位都是数字，现在是“A1110000”，请对照营业执照核对。"),
        (
            "91110000600037341M",
            "信用代码“91110000600037341M”的校验位对不上，可能有一位填错了，请对照营业执照逐位核对。",
        ),
        (
            "91110000600037314L",
            "信用代码“91110000600037314L”的校验位对不上，可能有一位填错了，请对照营业执照逐位核对。",
        ),
    ],
)
def test_refusals(typed: str, sentence: str, refusal: Callable[..., str]) -> None:
    assert refusal("uscc", typed) == sentence


@pytest.mark.parametrize(("body", "check"), [("60003734", "1"), ("D2143569", "X"), ("00000000", "0")])
def test_organisation_check(body: str, check: str) -> None:
    assert organisation_check(body) == check


def test_samples_have_both_check_digits(spec: Callable[..., FieldSpec]) -> None:
    samples = [registry.get("uscc").sample(spec("uscc"), random.Random(seed)) for seed in range(200)]
    assert len(set(samples)) == 200
    for sample in samples:
        assert isinstance(sample, str) and sample.startswith("91230102MA")
        assert uscc.is_valid(sample) and organisation_check(sample[8:16]) == sample[16]


def test_column_and_spec(spec: Callable[..., FieldSpec], problems: Callable[..., list[str]]) -> None:
    assert str(registry.get("uscc").column(spec("uscc"))) == "VARCHAR(18)"
    assert problems("uscc", max_length=18) == []
    assert problems("uscc", max_length=20) == ["max_length 20 must be between 18 and 18"]
