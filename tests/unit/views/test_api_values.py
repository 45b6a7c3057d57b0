"""Values as other systems read them: one line per kind, with its words and its schema."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import jsonschema
import pytest

from app.fields.base import FieldSpec, Option
from app.views.admin.core import all_grids
from app.views.admin.spec import Column
from app.views.api.openapi import column_schema
from app.views.api.values import can_order, label_of, machine_value, moment_text, speech_of

OPTIONS = (Option(value="a", label="甲"), Option(value="b", label="乙"))


def core(kind: Any, **more: Any) -> Column:
    return Column("x", "列", kind, **more)


def answer(kind: str, **more: Any) -> Column:
    return Column("x", "列", "field", spec=FieldSpec(key="x", label="列", type=kind, **more))


CASES: list[tuple[str, Column, Any, Any]] = [
    ("text", core("text"), "轴承", "轴承"),
    ("long text is whole", core("long"), "字" * 90, "字" * 90),
    ("int", core("int"), 7, 7),
    ("zero", core("int"), 0, 0),
    ("size", core("size"), 1_572_864, 1_572_864),
    ("money", core("money"), Decimal("1234.50"), "1234.50"),
    ("money beyond a float", core("money"), Decimal("9007199254740993.01"), "9007199254740993.01"),
    ("negative money", core("money"), Decimal("-0.01"), "-0.01"),
    ("true", core("bool"), True, True),
    ("false", core("bool"), False, False),
    ("date", core("date"), date(2026, 11, 20), "2026-11-20"),
    ("time", core("time"), datetime(2026, 11, 20, 1, tzinfo=UTC), "2026-11-20T01:00:00Z"),
    ("time with a fraction", core("time"), datetime(2026, 11, 20, 1, 0, 0, 5, tzinfo=UTC), "2026-11-20T01:00:00.000005Z"),
    ("option", core("option", options={"a": "甲"}), "a", "a"),
    ("option that is gone", core("option", options={"a": "甲"}), "old", "old"),
    ("region", core("region"), "230108", "230108"),
    ("mobile", core("phone"), "13912345678", "139****5678"),
    ("agent", core("agent"), "Mozilla/5.0 (X11; Linux x86_64) Chrome/120", "Chrome，Linux"),
    ("json", core("json"), {"名称": "甲"}, {"名称": "甲"}),
    ("subject", core("subject"), "batch:1", "batch:1"),
    ("subject kept as digest", core("subject"), "phone:0f0f0f", "phone"),
    ("name kept as digest", core("subject"), "name:0f0f0f", "name"),
    ("answer in words", answer("string"), "甲", "甲"),
    ("answer, long", answer("text"), "一\n二", "一\n二"),
    ("integer", answer("integer", unit="人"), 186, 186),
    ("year", answer("year"), 2026, 2026),
    ("decimal", answer("decimal", unit="万元"), Decimal("1250.50"), "1250.50"),
    ("decimal, small", answer("decimal", decimals=4), Decimal("0.0001"), "0.0001"),
    ("decimal, no exponent", answer("decimal"), Decimal("1E+3"), "1000"),
    ("percent", answer("percent"), Decimal("12.50"), "12.50"),
    ("answer, date", answer("date"), date(2026, 3, 1), "2026-03-01"),
    ("select", answer("select", options=OPTIONS), "a", "a"),
    ("boolean", answer("boolean"), "yes", "yes"),
    ("multiselect", answer("multiselect", options=OPTIONS), ["a", "b"], ["a", "b"]),
    ("multiselect, none", answer("multiselect", options=OPTIONS), [], []),
    ("credit code", answer("uscc"), "91230108MA1000006X", "91230108MA1000006X"),
]  # fmt: skip


@pytest.mark.parametrize(("column", "value", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_a_value_and_its_schema(column: Column, value: Any, expected: Any) -> None:
    written = machine_value(column, value)
    assert (written, type(written)) == (expected, type(expected))
    schema = column_schema(column)
    jsonschema.validate(written, schema)
    jsonschema.validate(machine_value(column, None), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(3.25, schema)


def test_empty_text_is_not_nothing() -> None:
    assert machine_value(core("text"), "") == ""
    assert machine_value(core("text"), None) is None


def test_moments_are_utc_whatever_the_clock() -> None:
    shanghai = timezone(timedelta(hours=8))
    assert moment_text(datetime(2026, 1, 1, 0, 0, tzinfo=shanghai)) == "2025-12-31T16:00:00Z"


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        (core("option", options={"a": "甲"}), "a", "甲"),
        (core("option", options={"a": "甲"}), "old", "old"),
        (core("option", options={"a": "甲"}), None, None),
        (core("text"), "a", None),
        (core("int"), 3, None),
        (answer("select", options=OPTIONS), "b", "乙"),
        (answer("boolean"), "no", "否"),
        (answer("multiselect", options=OPTIONS), ["a", "b"], "甲、乙"),
        (answer("multiselect", options=OPTIONS), [], None),
        (answer("decimal", unit="万元"), Decimal(1), None),
    ],
    ids=lambda v: v.spec.type if isinstance(v, Column) and v.spec else getattr(v, "kind", None),
)
def test_words_for_stored_choices(column: Column, value: Any, words: str | None) -> None:
    assert label_of(column, value) == words


@pytest.mark.parametrize("kind", ["phone", "agent", "json"])
def test_what_is_masked_can_be_neither_filtered_nor_sorted(kind: Any) -> None:
    column = core(kind, search=True)
    assert speech_of(column).operators == ()
    assert not can_order(column)


def test_no_phone_of_any_grid_is_a_filter() -> None:
    phones = [(g.name, c) for g in all_grids() for c in g.columns if c.kind == "phone"]
    assert {name for name, _column in phones} >= {"account", "enterprise", "sms_message"}
    assert [name for name, column in phones if speech_of(column).operators or can_order(column)] == []


def test_columns_of_related_records_are_not_sorted_by() -> None:
    assert not can_order(Column("enterprise.name", "企业"))
    assert not can_order(answer("multiselect", options=OPTIONS))
    assert not can_order(Column("x", "列", order=False))
    assert can_order(Column("x", "列")) and can_order(Column("x", "列", listed=False))


def test_the_schema_says_what_people_call_it() -> None:
    schema = column_schema(answer("select", options=OPTIONS))
    assert (schema["description"], schema["x-options"]) == ("列", {"a": "甲", "b": "乙"})
    assert column_schema(answer("decimal", unit="万元"))["description"] == "列（万元）"
    assert "x-options" not in column_schema(core("subject", options={"a": "甲"}))
    assert column_schema(core("time"))["format"] == "date-time"
