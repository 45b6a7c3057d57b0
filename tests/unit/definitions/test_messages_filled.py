"""Sentences that are filled in with what people typed: nothing typed can change their shape or break the page."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.definitions.messages import chinese_date, condition_text, missing_text, rows_text
from app.definitions.schema import Condition, Table
from app.fields.base import FieldSpec

HOSTILE = ["{value}", "{", "}", "{0}", "{params.limit}", "{value.__class__}", "%(seen)s", "{{}}", "<b>", "2025-10-31x"]


def sentence(message: str | None, value: str = "5", number: int = 2, **texts: str) -> str:
    condition = Condition(key="rule", text="要求", message=message)
    return condition_text(condition, texts, {"limit": 100, "day": "2025-10-31"}, value, number)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (None, "要求"),
        ("没有占位", "没有占位"),
        ("填了 {value}", "填了 5"),
        ("第 {number} 行", "第 2 行"),
        ("最多 {params.limit}", "最多 100"),
        ("最晚 {params.day}", "最晚 2025 年 10 月 31 日"),
        ("收入 {revenue} 万元", "收入 8,621.24 万元"),
        ("不认识 {nothing}", "不认识 {nothing}"),
        ("没有这个参数 {params.nothing}", "没有这个参数 {params.nothing}"),
        ("两个大括号 {{value}}", "两个大括号 {value}"),
    ],
)
def test_what_is_known_is_filled_in_and_the_rest_stays_visible(message: str | None, text: str) -> None:
    assert sentence(message, revenue="8,621.24") == text


@pytest.mark.parametrize("typed", HOSTILE)
def test_what_was_typed_is_never_read_as_a_placeholder(typed: str) -> None:
    assert sentence("填了 {value}，收入 {revenue}", typed, revenue=typed) == f"填了 {typed}，收入 {typed}"


@settings(max_examples=60, deadline=None, derandomize=True)
@given(typed=st.text(max_size=30))
def test_any_typed_text_stands_in_the_sentence(typed: str) -> None:
    assert sentence("填了 {value}。", typed) == f"填了 {chinese_date(typed)}。"


@pytest.mark.parametrize("message", ["差一个 {value", "多一个 } 在 {value}", "{value:d}", "{value!x}"])
def test_a_brace_that_came_with_a_value_of_the_batch_breaks_no_page(message: str) -> None:
    """Files with such a message are refused; a batch's own text may still bring a brace into a sentence."""
    assert sentence(message) == message


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2025-10-31", "2025 年 10 月 31 日"),
        ("2025-01-05", "2025 年 1 月 5 日"),
        ("2025-1-5", "2025-1-5"),
        ("2025-10-31T08:00", "2025-10-31T08:00"),
        (" 2025-10-31", " 2025-10-31"),
        ("", ""),
    ],
)
def test_dates_are_written_out(text: str, shown: str) -> None:
    assert chinese_date(text) == shown


def spec(kind: str, **more: Any) -> FieldSpec:
    return FieldSpec(key="a", label="联系人", type=kind, **more)


def options(*labels: str) -> tuple[dict[str, str], ...]:
    return tuple({"value": f"v{n}", "label": label} for n, label in enumerate(labels))


@pytest.mark.parametrize(
    ("kind", "labels", "text"),
    [
        ("string", (), "“联系人”还没填"),
        ("decimal", (), "“联系人”还没填"),
        ("date", (), "“联系人”还没选"),
        ("region", (), "“联系人”还没选"),
        ("boolean", (), "“联系人”还没选，请选“是”或“否”"),
        ("boolean", ("有", "没有"), "“联系人”还没选，请选“有”或“没有”"),
        ("select", ("甲",), "“联系人”还没选，请选“甲”"),
        ("select", ("甲", "乙", "丙"), "“联系人”还没选，请选“甲”或“乙”或“丙”"),
        ("select", ("甲", "乙", "丙", "丁"), "“联系人”还没选"),
        ("multiselect", ("甲", "乙"), "“联系人”还没选，请选“甲”或“乙”"),
    ],
)
def test_what_is_missing_is_named_with_its_choices(kind: str, labels: tuple[str, ...], text: str) -> None:
    assert missing_text(spec(kind, options=options(*labels))) == text
    assert missing_text(spec(kind, options=options(*labels)), "第 2 个项目的") == f"第 2 个项目的{text}"


@pytest.mark.parametrize(
    ("least", "most", "count", "text"),
    [
        (0, 3, 0, None),
        (1, 3, 1, None),
        (1, 3, 3, None),
        (1, 3, 0, "“设备”至少要有 1 个，现在有 0 个，请添加"),
        (2, 3, 1, "“设备”至少要有 2 个，现在有 1 个，请添加"),
        (0, 3, 4, "“设备”最多 3 个，现在有 4 个，请移除 1 个"),
        (0, 3, 9, "“设备”最多 3 个，现在有 9 个，请移除 6 个"),
    ],
)
def test_rows_are_counted_in_words(least: int, most: int, count: int, text: str | None) -> None:
    table = Table(key="devices", label="设备", row_label="设备", min_rows=least, max_rows=most)
    assert rows_text(table, count) == text
