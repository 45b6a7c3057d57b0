"""id_number: genuine forms pass, and no sentence repeats what was typed."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from stdnum.cn import ric

from app.fields import registry
from app.fields.base import FieldSpec, Value


def _number(body: str) -> str:
    return body + ric.calc_check_digit(body + "0")


GOOD = _number("23010219850314000")
WITH_X = next(n for day in range(1, 28) if (n := _number(f"230102198503{day:02d}000")).endswith("X"))


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        (GOOD, GOOD),
        (WITH_X.lower(), WITH_X),
        (f" {GOOD[:6]} {GOOD[6:14]} {GOOD[14:]} ", GOOD),
        ("".join(chr(ord(char) + 0xFEE0) for char in WITH_X), WITH_X),
        (_number("11010119000101000"), _number("11010119000101000")),
        (_number("23010919500101000"), _number("23010919500101000")),
    ],
)
def test_normal_form(typed: str, number: str, parse: Callable[..., Value]) -> None:
    assert parse("id_number", typed) == number


TOMORROW = (date.today() + timedelta(days=2)).strftime("%Y%m%d")


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (GOOD[:-1], "身份证号应为 18 位，现在是 17 位，请核对。"),
        ("230102850314000", "身份证号应为 18 位，现在是 15 位，请核对。"),
        ("X" + GOOD[1:], "身份证号前 17 位是数字，最后一位是数字或 X，请核对。"),
        (GOOD[:-1] + "Y", "身份证号前 17 位是数字，最后一位是数字或 X，请核对。"),
        ("²" * 18, "身份证号前 17 位是数字，最后一位是数字或 X，请核对。"),
        ("٣" * 18, "身份证号前 17 位是数字，最后一位是数字或 X，请核对。"),
        (GOOD[:5] + "9" + GOOD[6:], "身份证号的校验位对不上，可能有一位填错了，请对照证件逐位核对。"),
        (_number("23010219850230000"), "身份证号里的地区或出生日期不对，请对照证件逐位核对。"),
        (_number("23010218991231000"), "身份证号里的地区或出生日期不对，请对照证件逐位核对。"),
        (_number(f"230102{TOMORROW}000"), "身份证号里的地区或出生日期不对，请对照证件逐位核对。"),
        (_number("99010219850314000"), "身份证号里的地区或出生日期不对，请对照证件逐位核对。"),
    ],
)
def test_refusals_do_not_repeat_the_number(typed: str, sentence: str, refusal: Callable[..., str]) -> None:
    message = refusal("id_number", typed)
    assert message == sentence
    assert typed not in message


def test_samples_belong_to_nobody(spec: Callable[..., FieldSpec]) -> None:
    for seed in range(100):
        sample = registry.get("id_number").sample(spec("id_number"), random.Random(seed))
        assert isinstance(sample, str) and sample[14:17] == "000"


def test_browser_keeps_no_copy(spec: Callable[..., FieldSpec]) -> None:
    attributes = registry.get("id_number").form_field(spec("id_number")).kwargs["render_kw"]
    assert attributes["autocomplete"] == "off"
