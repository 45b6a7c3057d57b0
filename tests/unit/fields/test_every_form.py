"""One answer in all its forms: as typed, as value, on the page, in the record, in a cell, in expressions.

One line for each way in which people answer a question of each type: this is the table to read first.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from app.fields import registry
from app.fields.base import FieldSpec, Lookups, Option, Raw, Value
from app.fields.sqltypes import canonical_json


class Forms(NamedTuple):
    """``typed`` of ``kind`` with ``attributes``; then value, text people read, JSON of the record, value in CEL."""

    kind: str
    typed: Raw
    value: Value
    text: str
    stored: Any
    cel: Any
    attributes: dict[str, Any] = {}


USCC, WEST = "91110000600037341L", "黑龙江省 / 哈尔滨市 / 道里区"
OWN_WORDS = (Option(value="yes", label="已完成"), Option(value="no", label="未完成"))
LONG = "第一段。\n\n第二段：<b>“不是标记”</b> & =1+1"

TABLE = [
    Forms("string", " 哈尔滨北辰公司 ", "哈尔滨北辰公司", "哈尔滨北辰公司", "哈尔滨北辰公司", "哈尔滨北辰公司"),
    Forms("string", "=SUM(A1)", "=SUM(A1)", "=SUM(A1)", "=SUM(A1)", "=SUM(A1)"),
    Forms("string", "００７", "007", "007", "007", "007", {"pattern": r"\d{3}"}),
    Forms("string", "0", "0", "0", "0", "0"),
    Forms("text", LONG.replace("\n", "\r\n"), LONG, LONG, LONG, LONG),
    Forms("text", "  \r\n甲\r乙\n ", "甲\n乙", "甲\n乙", "甲\n乙", "甲\n乙"),
    Forms("integer", "１，２３４", 1234, "1,234", 1234, 1234.0),
    Forms("integer", "-0", 0, "0", 0, 0.0),
    Forms("integer", "12.00", 12, "12", 12, 12.0),
    Forms("integer", "9999999999999999", 9999999999999999, "9,999,999,999,999,999", 9999999999999999, 1e16),
    Forms("decimal", "12480.5", Decimal("12480.50"), "12,480.50", "12480.50", 12480.5),
    Forms("decimal", "-.5", Decimal("-0.50"), "-0.50", "-0.50", -0.5),
    Forms("decimal", "0.1", Decimal("0.1000"), "0.1000", "0.1000", 0.1, {"decimals": 4}),
    Forms("decimal", "7", Decimal("7"), "7", "7", 7.0, {"decimals": 0}),
    Forms("percent", "12.5 %", Decimal("12.50"), "12.50", "12.50", 12.5),
    Forms("percent", "１００％", Decimal("100.00"), "100.00", "100.00", 100.0),
    Forms("year", "2024 年", 2024, "2024", 2024, 2024.0),
    Forms("year", "２０２４", 2024, "2024", 2024, 2024.0),
    Forms("date", "2024年6月1日", date(2024, 6, 1), "2024-06-01", "2024-06-01", "2024-06-01"),
    Forms("date", "20240229", date(2024, 2, 29), "2024-02-29", "2024-02-29", "2024-02-29"),
    Forms("date", "2024.12.31", date(2024, 12, 31), "2024-12-31", "2024-12-31", "2024-12-31"),
    Forms("select", "mes", "mes", "生产执行系统", "mes", "mes"),
    Forms("select", "企业资源计划", "erp", "企业资源计划", "erp", "erp"),
    Forms("multiselect", ["wms", "mes"], ["mes", "wms"], "生产执行系统、仓储管理", ["mes", "wms"], ["mes", "wms"]),
    Forms("multiselect", ["none"], ["none"], "无", ["none"], ["none"]),
    Forms("boolean", "yes", "yes", "是", "yes", "yes"),
    Forms("boolean", "未完成", "no", "未完成", "no", "no", {"options": OWN_WORDS}),
    Forms("region", "２３０１０２", "230102", WEST, "230102", "230102"),
    Forms("industry", "34", "34", "制造业 / 通用设备制造业", "34", "34"),
    Forms("industry", "c", "C", "制造业", "C", "C"),
    Forms("phone", "+86 138-0000-1234", "13800001234", "13800001234", "13800001234", "13800001234"),
    Forms("phone", "（0451）8400 0000转801", *["0451-84000000-801"] * 4),
    Forms("email", " HR＠Example.COM ", "HR@example.com", "HR@example.com", "HR@example.com", "HR@example.com"),
    Forms("uscc", "9111 0000 6000 3734 1l", USCC, USCC, USCC, USCC),
    Forms("id_number", "110105 19491231 002x", *["11010519491231002X"] * 4),
]
EMPTY: dict[str, Any] = {"multiselect": []}

every_line = pytest.mark.parametrize("forms", TABLE, ids=[f"{n}-{line.kind}" for n, line in enumerate(TABLE)])
every_type = pytest.mark.parametrize("name", registry.names())


def spec_of(forms: Forms, spec: Callable[..., FieldSpec]) -> FieldSpec:
    return spec(forms.kind, **forms.attributes)


def test_every_type_stands_in_the_table() -> None:
    assert {line.kind for line in TABLE} == set(registry.names())


@every_line
def test_typed_is_read(forms: Forms, parse: Callable[..., Value]) -> None:
    value = parse(forms.kind, forms.typed, **forms.attributes)
    assert (value, type(value)) == (forms.value, type(forms.value))
    assert str(value) == str(forms.value), "a decimal keeps its places"


@every_line
def test_the_spec_is_one_that_loads(forms: Forms, problems: Callable[..., list[str]]) -> None:
    assert problems(forms.kind, **forms.attributes) == []


@every_line
def test_people_read_it(forms: Forms, spec: Callable[..., FieldSpec], lookups: Lookups) -> None:
    assert registry.get(forms.kind).text(spec_of(forms, spec), forms.value, lookups) == forms.text


@every_line
def test_the_record_holds_it(forms: Forms) -> None:
    kind = registry.get(forms.kind)
    stored = kind.to_json(forms.value)
    assert (stored, type(stored)) == (forms.stored, type(forms.stored))
    back = kind.from_json(json.loads(canonical_json(stored)))
    assert (back, type(back)) == (forms.value, type(forms.value))


@every_line
def test_expressions_see_it(forms: Forms) -> None:
    value = registry.get(forms.kind).to_cel(forms.value)
    assert (value, type(value)) == (forms.cel, type(forms.cel))


@every_line
def test_a_cell_holds_it(forms: Forms, spec: Callable[..., FieldSpec], lookups: Lookups) -> None:
    cell = registry.get(forms.kind).sheet(spec_of(forms, spec), forms.value, lookups)
    is_figure = isinstance(forms.value, (int, Decimal, date))
    assert cell == (forms.value if is_figure else forms.text)


@every_line
def test_what_people_read_can_be_typed_again(forms: Forms, parse: Callable[..., Value]) -> None:
    """Answers are copied from pages and sheets into forms; names of codes are chosen from a list instead."""
    if forms.kind in {"region", "industry"}:
        return
    again = forms.text.split("、") if forms.kind == "multiselect" else forms.text
    assert parse(forms.kind, again, **forms.attributes) == forms.value


@every_line
def test_what_the_record_holds_can_be_typed_again(forms: Forms, parse: Callable[..., Value]) -> None:
    raw = forms.stored if isinstance(forms.stored, list) else str(forms.stored)
    assert parse(forms.kind, raw, **forms.attributes) == forms.value


@every_line
def test_it_is_an_answer(forms: Forms) -> None:
    assert not registry.get(forms.kind).is_empty(forms.value)


@every_type
def test_nothing_has_one_form_everywhere(name: str, spec: Callable[..., FieldSpec], lookups: Lookups) -> None:
    kind, one, empty = registry.get(name), spec(name), EMPTY.get(name)
    assert kind.is_empty(empty)
    assert (kind.text(one, empty, lookups), kind.sheet(one, empty, lookups)) == ("", None)
    assert kind.to_json(empty) == empty
    assert kind.from_json(None) == empty


@every_type
@pytest.mark.parametrize("blank", ["", " ", "\t", "\n\n", "\u3000\u00a0", "\u200b", "\ufeff", "\u2060 "], ids=ascii)
def test_blanks_are_no_answer(name: str, blank: str, parse: Callable[..., Value]) -> None:
    raw = [blank] if name == "multiselect" else blank
    assert parse(name, raw) == EMPTY.get(name)


REFUSED = [
    ("string", "字" * 256, "最多 255 个字，现在是 256 个字，请删减。"),
    ("text", "字" * 5001, "最多 5000 个字，现在是 5001 个字，请删减。"),
    ("integer", "十二", "请填数字，例如 12；现在填的是“十二”。"),
    ("decimal", "12,34", "请填数字，例如 12.50；现在填的是“12,34”。"),
    ("percent", "12.345%", "最多保留 2 位小数；现在填的是“12.345”，请改短。"),
    ("year", "二〇二四", "请填四位年份，例如 2024；现在填的是“二〇二四”。"),
    ("date", "2023-02-29", "日历上没有 2023 年 2 月 29 日，请核对。"),
    ("select", "crm", "选项里没有“crm”，请从列表里重新选择。"),
    ("multiselect", ["mes", "none"], "“无”不能和其他选项一起选，请只留一种。"),
    ("boolean", "true", "选项里没有“true”，请从列表里重新选择。"),
    ("region", "000000", "地区列表里没有“000000”，请从列表里选择。"),
    ("industry", "ZZ", "行业列表里没有“ZZ”，请从列表里选择。"),
    ("phone", "1380000123", "手机号应为 11 位，现在是 10 位，请补全。"),
    ("email", "a@b", "请填邮箱地址，例如 name@example.com；现在填的是“a@b”。"),
    ("uscc", USCC[:-1], "信用代码应为 18 位，现在是 17 位，请补全。"),
    ("id_number", "1" * 18, "身份证号的校验位对不上，可能有一位填错了，请对照证件逐位核对。"),
]


@pytest.mark.parametrize(("kind", "raw", "sentence"), REFUSED, ids=[line[0] for line in REFUSED])
def test_the_commonest_slip_of_each_type(kind: str, raw: Raw, sentence: str, refusal: Callable[..., str]) -> None:
    assert refusal(kind, raw) == sentence


def test_every_type_has_its_commonest_slip() -> None:
    assert [line[0] for line in REFUSED] == list(dict.fromkeys(line[0] for line in REFUSED))
    assert {line[0] for line in REFUSED} == set(registry.names())


@pytest.mark.parametrize(
    ("kind", "raw", "attributes", "sentence"),
    [
        ("string", ["甲", "乙"], {}, "这里只能填一项，现在收到 2 项，请只留一项。"),
        ("decimal", "5", {"min": 10, "unit": "万元"}, "不能小于 10 万元，现在是 5.00，请核对。"),
        ("integer", "11", {"max": 10, "unit": "人"}, "不能大于 10 人，现在是 11，请核对。"),
        ("year", "2020", {"min": 2021, "max": 2025}, "不能小于 2021，现在是 2020，请核对。"),
        ("multiselect", ["mes", "erp", "wms"], {"max": 2}, "最多选 2 项，现在选了 3 项，请去掉几项。"),
        ("string", "12345", {"pattern": r"\d{6}"}, "应为 6 位数字，现在是 5 位，请核对。"),
        ("phone", "0451-84000000", {"pattern": r"1\d{10}"}, "请填 11 位手机号；现在填的是“0451-84000000”。"),
    ],
)
def test_limits_of_a_definition_are_named(
    kind: str, raw: Raw, attributes: dict[str, Any], sentence: str, refusal: Callable[..., str]
) -> None:
    assert refusal(kind, raw, **attributes) == sentence


@pytest.mark.parametrize("value", ["\u212b", "e\u0301", " a", "a\u0007", "a\tb"], ids=ascii)
@pytest.mark.parametrize("kind", ["select", "multiselect"])
def test_an_option_that_could_never_be_chosen_is_told(
    kind: str, value: str, problems: Callable[..., list[str]]
) -> None:
    """What is typed is cleaned first, so an option must be of cleaned form to be met."""
    found = problems(kind, options=(Option(value=value, label="甲"),))
    assert found == [
        f"option value {value!r} must have 1 to 64 characters, none of them blank at the ends or invisible"
    ]
