"""Numbers: exact, friendly to what people type, strict about what they mean."""

from __future__ import annotations

import decimal
import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.fields import registry
from app.fields.base import FieldSpec, Lookups, Value
from app.fields.number import read_number
from app.fields.sqltypes import ExactDecimal


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("12.5", "12.50"),
        ("12", "12.00"),
        (" 12.50 ", "12.50"),
        ("１２．５", "12.50"),
        ("1,234,567.89", "1234567.89"),
        ("1，234，567.89", "1234567.89"),
        ("1 234 567.89", "1234567.89"),
        ("1\u3000234", "1234.00"),
        ("12\u00a0345", "12345.00"),
        ("-5", "-5.00"),
        ("－５", "-5.00"),
        ("\u22125", "-5.00"),
        ("+5", "5.00"),
        (".5", "0.50"),
        ("5.", "5.00"),
        ("007", "7.00"),
        ("0" * 60 + "1", "1.00"),
        ("-0", "0.00"),
        ("-0.00", "0.00"),
        ("12.5000", "12.50"),
        ("9999999999999999.99", "9999999999999999.99"),
        ("\ufeff12.5", "12.50"),
    ],
)
def test_decimal_reads_what_people_type(typed: str, number: str, parse: Callable[..., Value]) -> None:
    value = parse("decimal", typed)
    assert str(value) == number


@pytest.mark.parametrize(
    "typed",
    [
        "12,34",
        "1,23,456",
        "1,2345",
        "1 2",
        "1, 234",
        ",123",
        "1,234 567",
        "1.2.3",
        "-",
        ".",
        "+",
        "- 5",
        "5-",
        "1/2",
        "½",
        "①",
        "²",
        "10²",
        "٣",
        "१२",
        "一百",
        "12.5元",
        "1_000",
        "0x10",
        "1e5",
        "1E-2",
        "Ⅷ",
        "5%",
    ],
)
def test_decimal_guesses_at_nothing(typed: str, refusal: Callable[..., str]) -> None:
    assert refusal("decimal", typed) == f"请填数字，例如 12.50；现在填的是“{typed}”。"


def test_sentence_names_value_example_and_unit(refusal: Callable[..., str]) -> None:
    assert refusal("decimal", "12万", unit="万元") == (
        "请填数字，例如 12.50；现在填的是“12万”。单位是万元，不用写单位。"
    )
    assert refusal("integer", "十人", unit="人") == "请填数字，例如 12；现在填的是“十人”。单位是人，不用写单位。"
    assert refusal("decimal", "x", decimals=3).startswith("请填数字，例如 12.500；")
    assert refusal("decimal", "很" * 30).endswith("现在填的是“" + "很" * 20 + "…”。")


@pytest.mark.parametrize(
    ("type_name", "typed", "attributes", "sentence"),
    [
        ("decimal", "12.555", {}, "最多保留 2 位小数；现在填的是“12.555”，请改短。"),
        ("decimal", "12.55", {"decimals": 1}, "最多保留 1 位小数；现在填的是“12.55”，请改短。"),
        ("decimal", "0.001", {}, "最多保留 2 位小数；现在填的是“0.001”，请改短。"),
        ("percent", "33.333", {}, "最多保留 2 位小数；现在填的是“33.333”，请改短。"),
        ("decimal", "1.5", {"decimals": 0}, "请填整数，不带小数；现在填的是“1.5”。"),
        ("integer", "12.5", {}, "请填整数，不带小数；现在填的是“12.5”。"),
        ("integer", "1" * 17, {}, "数字太大：整数部分最多 16 位，现在是 17 位，请核对单位。"),
        ("decimal", "9" * 40, {}, "数字太大：整数部分最多 16 位，现在是 40 位，请核对单位。"),
        ("decimal", "1" * 14, {"decimals": 6}, "数字太大：整数部分最多 12 位，现在是 14 位，请核对单位。"),
        ("decimal", "-5", {"min": 0, "unit": "万元"}, "不能小于 0 万元，现在是 -5.00，请核对。"),
        ("decimal", "99.99", {"min": 100}, "不能小于 100，现在是 99.99，请核对。"),
        ("decimal", "2000000", {"max": 1500000, "unit": "元"}, "不能大于 1,500,000 元，现在是 2,000,000.00，请核对。"),
        ("percent", "100.01", {"max": 100, "unit": "%"}, "不能大于 100 %，现在是 100.01，请核对。"),
        ("integer", "0", {"min": 1, "unit": "家"}, "不能小于 1 家，现在是 0，请核对。"),
        ("integer", "5", {"max": Decimal("4.50")}, "不能大于 4.5，现在是 5，请核对。"),
        ("year", "1899", {}, "不能小于 1900，现在是 1899，请核对。"),
        ("year", "24", {}, "不能小于 1900，现在是 24，请核对。"),
        ("year", "2101", {}, "不能大于 2100，现在是 2101，请核对。"),
        ("year", "2026", {"max": 2025}, "不能大于 2025，现在是 2026，请核对。"),
        ("year", "今年", {}, "请填四位年份，例如 2024；现在填的是“今年”。"),
    ],
)
def test_refusals_say_what_and_how(
    type_name: str, typed: str, attributes: dict[str, Any], sentence: str, refusal: Callable[..., str]
) -> None:
    assert refusal(type_name, typed, **attributes) == sentence


def test_limits_themselves_are_allowed(parse: Callable[..., Value]) -> None:
    assert parse("decimal", "100", min=100, max=100) == Decimal("100.00")
    assert parse("integer", "0", min=0) == 0
    assert parse("year", "1900") == 1900 and parse("year", "2100") == 2100


@pytest.mark.parametrize(("typed", "year"), [("2024", 2024), ("２０２４", 2024), ("2024年", 2024), ("2024 年", 2024)])
def test_year(typed: str, year: int, parse: Callable[..., Value]) -> None:
    assert parse("year", typed) == year


@pytest.mark.parametrize("typed", ["30", "30%", "３０％", "30.00 %"])
def test_percent_understands_its_sign(typed: str, parse: Callable[..., Value]) -> None:
    assert parse("percent", typed) == Decimal("30.00")


def test_integer_gives_int(parse: Callable[..., Value]) -> None:
    assert parse("integer", "1,234") == 1234 and type(parse("integer", "12.00")) is int
    assert parse("integer", "9" * 16) == 9999999999999999


def test_equal_numbers_have_one_json(parse: Callable[..., Value]) -> None:
    decimal_type = registry.get("decimal")
    assert {decimal_type.to_json(parse("decimal", typed)) for typed in ("1.5", "1.50", "01.5", "＋1.5")} == {"1.50"}


def test_a_narrow_decimal_context_changes_nothing(parse: Callable[..., Value]) -> None:
    with decimal.localcontext(prec=3):
        assert str(parse("decimal", "1234567.89")) == "1234567.89"
        assert str(parse("decimal", "-1234567.89")) == "-1234567.89"


@given(number=st.decimals(min_value=-(10**16) + 1, max_value=10**16 - 1, places=2))
def test_what_text_prints_is_read_again(
    number: Decimal, spec: Callable[..., FieldSpec], parse: Callable[..., Value], lookups: Lookups
) -> None:
    printed = registry.get("decimal").text(spec("decimal"), number, lookups)
    assert parse("decimal", printed) == number


@pytest.mark.parametrize(
    ("type_name", "attributes", "value", "text"),
    [
        ("decimal", {}, Decimal("1234567.8"), "1,234,567.80"),
        ("decimal", {"decimals": 1}, Decimal("0.5"), "0.5"),
        ("decimal", {}, Decimal("-1234.5"), "-1,234.50"),
        ("decimal", {}, Decimal("9999999999999999.99"), "9,999,999,999,999,999.99"),
        ("percent", {}, Decimal("12.5"), "12.50"),
        ("integer", {}, 9999999999999999, "9,999,999,999,999,999"),
        ("integer", {}, 0, "0"),
        ("year", {}, 2024, "2024"),
    ],
)
def test_text(
    type_name: str,
    attributes: dict[str, Any],
    value: Value,
    text: str,
    spec: Callable[..., FieldSpec],
    lookups: Lookups,
) -> None:
    one = spec(type_name, **attributes)
    assert registry.get(type_name).text(one, value, lookups) == text
    assert registry.get(type_name).sheet(one, value, lookups) == value


def test_zero_is_an_answer() -> None:
    assert not registry.get("integer").is_empty(0)
    assert not registry.get("decimal").is_empty(Decimal("0.00"))


def test_columns(spec: Callable[..., FieldSpec]) -> None:
    column = registry.get("decimal").column(spec("decimal", decimals=4))
    assert isinstance(column, ExactDecimal) and (column.precision, column.scale) == (18, 4)
    assert str(registry.get("percent").column(spec("percent"))) == "NUMERIC(18, 2)"
    assert str(registry.get("integer").column(spec("integer"))) == "BIGINT"


@pytest.mark.parametrize(
    ("type_name", "attributes", "words"),
    [
        ("decimal", {"min": 5, "max": 4}, "min 5 is greater than max 4"),
        ("decimal", {"decimals": 7}, "decimals 7 must be between 0 and 6"),
        ("decimal", {"decimals": -1}, "decimals -1 must be between 0 and 6"),
        ("decimal", {"max": Decimal("1e17")}, "is not a number that fits the column"),
        ("decimal", {"min": Decimal("-1e30")}, "is not a number that fits the column"),
        ("integer", {"min": Decimal("0.1"), "max": Decimal("0.9")}, "no number with 0 decimals lies between"),
        ("year", {"min": 1800}, "min 1800 is outside 1900 to 2100"),
        ("year", {"max": 2200}, "max 2200 is outside 1900 to 2100"),
        ("integer", {"decimals": 2}, "decimals means nothing for type 'integer'"),
    ],
)
def test_unsound_specs_are_found(
    type_name: str, attributes: dict[str, Any], words: str, problems: Callable[..., list[str]]
) -> None:
    assert any(words in problem for problem in problems(type_name, **attributes))


@pytest.mark.parametrize(
    ("type_name", "attributes"),
    [
        ("decimal", {"min": Decimal("-0.01"), "max": Decimal("-0.01")}),
        ("decimal", {"max": -5}),
        ("decimal", {"min": Decimal("9999999999999999")}),
        ("integer", {"min": Decimal("-1.5"), "max": Decimal("-0.5")}),
        ("integer", {"min": 2000, "max": 2100}),
        ("decimal", {"min": Decimal("0.001"), "decimals": 2}),
        ("year", {"min": 2030}),
        ("year", {"max": 1950}),
    ],
)
def test_samples_keep_narrow_limits(
    type_name: str, attributes: dict[str, Any], spec: Callable[..., FieldSpec], parse: Callable[..., Value]
) -> None:
    field_type, one = registry.get(type_name), spec(type_name, **attributes)
    assert field_type.check_spec(one) == []
    for seed in range(50):
        assert parse(type_name, field_type.sample(one, random.Random(seed)), **attributes) is not None


def test_money_samples_have_decimals(spec: Callable[..., FieldSpec]) -> None:
    samples = [registry.get("decimal").sample(spec("decimal"), random.Random(seed)) for seed in range(20)]
    assert all(isinstance(sample, str) and sample[-3] == "." for sample in samples)
    assert len(set(samples)) > 15


def test_number_inputs_ask_for_the_right_keyboard(spec: Callable[..., FieldSpec]) -> None:
    assert registry.get("decimal").form_field(spec("decimal")).kwargs["render_kw"]["inputmode"] == "decimal"
    assert registry.get("integer").form_field(spec("integer")).kwargs["render_kw"]["inputmode"] == "numeric"


@given(text=st.text(alphabet="0123456789.,+- eE_", max_size=30))
def test_read_number_agrees_with_decimal_or_says_none(text: str) -> None:
    number = read_number(text)
    if number is not None:
        assert number == Decimal(text.strip().replace(",", "").replace(" ", ""))
        assert "e" not in text.lower() and "_" not in text
