"""Sentences about answers: what is missing, how many rows, what a rule says."""

from __future__ import annotations

import pytest

from app.definitions.messages import chinese_date, condition_text, missing_text, rows_text
from app.definitions.schema import Condition, Table
from app.fields.base import FieldSpec, Option

OPTIONS = tuple(Option(value=str(n), label=label) for n, label in enumerate(("甲", "乙", "丙", "丁")))


def spec(kind: str, options: int = 0) -> FieldSpec:
    return FieldSpec(key="x", label="题目", type=kind, options=OPTIONS[:options])


@pytest.mark.parametrize(
    ("field", "text"),
    [
        (spec("string"), "“题目”还没填"),
        (spec("decimal"), "“题目”还没填"),
        (spec("date"), "“题目”还没选"),
        (spec("region"), "“题目”还没选"),
        (spec("boolean"), "“题目”还没选，请选“是”或“否”"),
        (spec("select", 3), "“题目”还没选，请选“甲”或“乙”或“丙”"),
        (spec("select", 4), "“题目”还没选"),
    ],
)
def test_missing(field: FieldSpec, text: str) -> None:
    assert missing_text(field) == text
    assert missing_text(field, "第 2 个项目的") == f"第 2 个项目的{text}"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "“表”至少要有 1 个，现在有 0 个，请添加"),
        (1, None),
        (3, None),
        (5, "“表”最多 3 个，现在有 5 个，请移除 2 个"),
    ],
)
def test_rows(count: int, text: str | None) -> None:
    assert rows_text(Table(key="t", label="表", row_label="行", min_rows=1, max_rows=3), count) == text


@pytest.mark.parametrize(
    ("given", "text"), [("2025-10-31", "2025 年 10 月 31 日"), ("2025-1-1", "2025-1-1"), ("文字", "文字")]
)
def test_dates(given: str, text: str) -> None:
    assert chinese_date(given) == text


def test_a_rule_without_a_message_says_its_text() -> None:
    assert condition_text(Condition(key="c", text="要这样"), {}, {}, "", 0) == "要这样"


def test_everything_a_message_may_name() -> None:
    rule = Condition(key="c", text="t", message="{number}：{value}、{other}、{params.day}、{expected}")
    text = condition_text(rule, {"other": "旁边", "expected": "7"}, {"day": "2026-01-02"}, "12.00", 3)
    assert text == "3：12.00、旁边、2026 年 1 月 2 日、7"


def test_an_unknown_name_stays_visible() -> None:
    rule = Condition(key="c", text="t", message="{nothing} 和 {params.nothing}")
    assert condition_text(rule, {}, {}, "", 0) == "{nothing} 和 {params.nothing}"


def test_typed_braces_are_text() -> None:
    rule = Condition(key="c", text="t", message="填的是 {value}")
    assert condition_text(rule, {}, {}, "{params.secret}{0.__class__}", 0) == "填的是 {params.secret}{0.__class__}"
