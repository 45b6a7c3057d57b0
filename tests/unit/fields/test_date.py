"""date: the ways people write a day, and days that do not exist."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.fields import registry
from app.fields.base import FieldSpec, Lookups, Value


@pytest.mark.parametrize(
    "typed",
    [
        "2024-06-01",
        "2024-6-1",
        "2024/6/1",
        "2024/06/01",
        "2024.6.1",
        "2024年6月1日",
        "2024年06月01日",
        "2024 年 6 月 1 日",
        "2024年6月1号",
        "20240601",
        "２０２４－０６－０１",
        "２０２４年６月１日",
        " 2024-06-01 ",
        "\u30002024-06-01",
    ],
)
def test_reads_usual_forms(typed: str, parse: Callable[..., Value]) -> None:
    assert parse("date", typed) == date(2024, 6, 1)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("2024-02-30", "日历上没有 2024 年 2 月 30 日，请核对。"),
        ("2023-02-29", "日历上没有 2023 年 2 月 29 日，请核对。"),
        ("2024-13-01", "日历上没有 2024 年 13 月 1 日，请核对。"),
        ("2024-00-10", "日历上没有 2024 年 0 月 10 日，请核对。"),
        ("1899-12-31", "年份应在 1900 到 2100 之间，现在是 1899，请核对。"),
        ("2101-01-01", "年份应在 1900 到 2100 之间，现在是 2101，请核对。"),
        ("0000-00-00", "年份应在 1900 到 2100 之间，现在是 0000，请核对。"),
        ("6/1/2024", "请填日期，例如 2024-06-01；现在填的是“6/1/2024”。"),
        ("2024-6/1", "请填日期，例如 2024-06-01；现在填的是“2024-6/1”。"),
        ("2024年6月", "请填日期，例如 2024-06-01；现在填的是“2024年6月”。"),
        ("24-06-01", "请填日期，例如 2024-06-01；现在填的是“24-06-01”。"),
        ("2024", "请填日期，例如 2024-06-01；现在填的是“2024”。"),
        ("2024-06-01 08:00", "请填日期，例如 2024-06-01；现在填的是“2024-06-01 08:00”。"),
        ("明天", "请填日期，例如 2024-06-01；现在填的是“明天”。"),
        ("٢٠٢٤-٠٦-٠١", "请填日期，例如 2024-06-01；现在填的是“٢٠٢٤-٠٦-٠١”。"),
    ],
)
def test_refusals(typed: str, sentence: str, refusal: Callable[..., str]) -> None:
    assert refusal("date", typed) == sentence


@given(day=st.dates(min_value=date(1900, 1, 1), max_value=date(2100, 12, 31)))
def test_every_day_survives_text_and_json(
    day: date, spec: Callable[..., FieldSpec], parse: Callable[..., Value], lookups: Lookups
) -> None:
    field_type = registry.get("date")
    assert parse("date", field_type.text(spec("date"), day, lookups)) == day
    assert field_type.from_json(field_type.to_json(day)) == day


def test_text_and_cell(spec: Callable[..., FieldSpec], lookups: Lookups) -> None:
    field_type = registry.get("date")
    assert field_type.text(spec("date"), date(2024, 6, 1), lookups) == "2024-06-01"
    assert field_type.sheet(spec("date"), date(2024, 6, 1), lookups) == date(2024, 6, 1)


def test_samples_are_recent(spec: Callable[..., FieldSpec]) -> None:
    days = {registry.get("date").sample(spec("date"), random.Random(seed)) for seed in range(100)}
    assert all(isinstance(day, str) and "2023-01-01" <= day <= "2025-12-31" for day in days)


def test_input_is_a_date_input(spec: Callable[..., FieldSpec]) -> None:
    attributes = registry.get("date").form_field(spec("date")).kwargs["render_kw"]
    assert attributes == {"type": "date", "min": "1900-01-01", "max": "2100-12-31"}
