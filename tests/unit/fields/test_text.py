"""string and text: cleaned, counted, never cut."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from app.fields import registry
from app.fields.base import FieldSpec, Value

POSTCODE = {"pattern": r"^\d{6}$"}


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("  哈尔滨某公司  ", "哈尔滨某公司"),
        ("第一行\n第二行", "第一行 第二行"),
        ("甲\t乙", "甲 乙"),
        ("e\u0301", "é"),
        ("\u3000公司\u3000", "公司"),
        ("２０２４年（一期）", "２０２４年（一期）"),
        ("𠮷野家", "𠮷野家"),
        ("'; --", "'; --"),
        ("\u200b", None),
        (" \u200d\ufeff ", None),
        ("0", "0"),
    ],
)
def test_string(typed: str, value: str | None, parse: Callable[..., Value]) -> None:
    assert parse("string", typed) == value


def test_text_keeps_lines(parse: Callable[..., Value]) -> None:
    assert parse("text", "  第一行\r\n\r\n第二行\r第三行 \n") == "第一行\n\n第二行\n第三行"


def test_length_counts_characters_after_cleaning(parse: Callable[..., Value], refusal: Callable[..., str]) -> None:
    assert parse("string", " " + "𠮷" * 5 + " ", max_length=5) == "𠮷" * 5
    assert parse("text", "甲\r\n乙", max_length=3) == "甲\n乙"
    assert refusal("string", "字" * 6, max_length=5) == "最多 5 个字，现在是 6 个字，请删减。"
    assert refusal("text", "字" * 2001, max_length=2000) == "最多 2000 个字，现在是 2001 个字，请删减。"


@pytest.mark.parametrize(("type_name", "most"), [("string", 255), ("text", 5000)])
def test_there_is_always_a_limit(
    type_name: str, most: int, parse: Callable[..., Value], refusal: Callable[..., str]
) -> None:
    assert parse(type_name, "字" * most) == "字" * most
    assert refusal(type_name, "字" * (most + 1)) == f"最多 {most} 个字，现在是 {most + 1} 个字，请删减。"


@pytest.mark.parametrize("typed", ["甲\x00乙", "甲\x07", "\ud83d", "甲\u202e乙", "\u2067甲", "甲\u061c"])
def test_invisible_controls_are_refused_not_dropped(typed: str, refusal: Callable[..., str]) -> None:
    for type_name in ("string", "text"):
        assert refusal(type_name, typed) == "内容里有看不见的控制字符，请删掉这一段后重新输入。"


@pytest.mark.parametrize("typed", ["150000", "１５００００", " 150000 "])
def test_pattern_accepts_full_width(typed: str, parse: Callable[..., Value]) -> None:
    assert parse("string", typed, **POSTCODE) == "150000"


@pytest.mark.parametrize(
    ("typed", "pattern", "sentence"),
    [
        ("15000", r"^\d{6}$", "应为 6 位数字，现在是 5 位，请核对。"),
        ("1500001", r"\d{6}", "应为 6 位数字，现在是 7 位，请核对。"),
        ("15000a", r"^\d{6}$", "应为 6 位数字，现在填的是“15000a”，请修改。"),
        ("١٥٠٠٠٠", r"^\d{6}$", "应为 6 位数字，现在填的是“١٥٠٠٠٠”，请修改。"),
        ("zl2020", r"[A-Z]{2}\d+", "格式不对，现在填的是“zl2020”，请对照说明修改。"),
    ],
)
def test_pattern_refusals(typed: str, pattern: str, sentence: str, refusal: Callable[..., str]) -> None:
    assert refusal("string", typed, pattern=pattern) == sentence


@pytest.mark.parametrize(
    ("type_name", "attributes", "words"),
    [
        ("string", {"max_length": 0}, "max_length 0 must be between 1 and 10000"),
        ("string", {"pattern": "["}, "is no regular expression"),
        ("string", {"pattern": r"\d{6}", "max_length": 5}, "asks for more than max_length 5"),
        ("text", {"pattern": r"\d"}, "pattern means nothing for type 'text'"),
        ("string", {"decimals": 2}, "decimals means nothing for type 'string'"),
    ],
)
def test_unsound_specs_are_found(
    type_name: str, attributes: dict[str, Any], words: str, problems: Callable[..., list[str]]
) -> None:
    assert any(words in problem for problem in problems(type_name, **attributes))


def test_columns(spec: Callable[..., FieldSpec]) -> None:
    assert str(registry.get("string").column(spec("string"))) == "VARCHAR(255)"
    assert str(registry.get("string").column(spec("string", max_length=60))) == "VARCHAR(60)"
    assert str(registry.get("text").column(spec("text", max_length=60))) == "TEXT"


@pytest.mark.parametrize("limit", [1, 2, 7, 20, 300])
def test_samples_keep_the_limit(limit: int, spec: Callable[..., FieldSpec], parse: Callable[..., Value]) -> None:
    for type_name in ("string", "text"):
        for seed in range(30):
            sample = registry.get(type_name).sample(spec(type_name, max_length=limit), random.Random(seed))
            assert parse(type_name, sample, max_length=limit) == sample


def test_sample_of_a_pattern(spec: Callable[..., FieldSpec], parse: Callable[..., Value]) -> None:
    sample = registry.get("string").sample(spec("string", **POSTCODE), random.Random(1))
    assert parse("string", sample, **POSTCODE) == sample
