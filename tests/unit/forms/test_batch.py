"""Batch forms: one typed field for each parameter; what does not fit is said, never guessed."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from app.definitions import registry
from app.definitions.schema import Definition, Parameter
from app.forms.batch import BatchForm, filled_batch_form
from app.models import Batch


@pytest.fixture(scope="module")
def intake() -> Definition:
    return registry.catalogue().get("hrb_cultivation_intake")


def posted(intake: Definition, **changes: str) -> BatchForm:
    data = {
        "title": "2026 年第一批",
        "opens": "2026-06-01",
        "closes": "2026-06-17",
        "published": "y",
        "parameter_base_year": "2025",
        "parameter_plan_years": "2026-2027",
        "parameter_project_closed_deadline": "2026-06-30",
        "parameter_project_planned_end_latest": "2027-10-31",
        "parameter_project_window": "2026年6月前结项",
        "parameter_correction_days": "10",
        "parameter_max_total_mb": "2048",
        "parameter_district_step": "no",
        "parameter_expert_step": "yes",
        "parameter_publicity_required": "no",
        "parameter_publicity_days": "5",
    }
    return filled_batch_form(intake, None, MultiDict(data | changes))


def test_values_come_back_typed(intake: Definition) -> None:
    form = posted(intake)
    assert form.validate(), form.errors
    assert form.days == (date(2026, 6, 1), date(2026, 6, 17))
    values = form.parameters()
    assert values["base_year"] == 2025 and values["expert_step"] is True and values["district_step"] is False
    assert values["project_planned_end_latest"] == "2027-10-31"
    assert set(values) == set(intake.parameters)


def test_no_window_is_allowed(intake: Definition) -> None:
    form = posted(intake, opens="", closes="")
    assert form.validate() and form.days == (None, None)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("title", "   ", "请写批次名称"),
        ("title", "长" * 101, "最多 100 个字"),
        ("opens", "2026-13-01", "请填日期"),
        ("closes", "明天", "请填日期"),
        ("closes", "2026-05-31", "早于开始日期"),
        ("opens", "1026-01-01", "2000 到 2100"),
        ("parameter_base_year", "二〇二五", "请填整数"),
        ("parameter_base_year", "2025.5", "请填整数"),
        ("parameter_base_year", "9" * 30, "请填整数"),
        ("parameter_base_year", "", "不能空着"),
        ("parameter_base_year", "--5", "请填整数"),
        ("parameter_correction_days", "１０", "请填整数"),
        ("parameter_correction_days", "-1", "不能小于 0"),
        ("parameter_max_total_mb", "0", "不能小于 1"),
        ("parameter_max_total_mb", "很大", "请填整数"),
        ("parameter_project_closed_deadline", "2026年6月", "请填日期"),
        ("parameter_project_window", "长" * 201, "最多 200 个字"),
    ],
)
def test_what_does_not_fit_is_said_beside_the_field(intake: Definition, name: str, text: str, words: str) -> None:
    form = posted(intake, **{name: text})
    assert not form.validate()
    assert list(form.errors) == [name]
    assert words in str(form.errors[name][0])


def test_a_choice_outside_yes_and_no_is_refused(intake: Definition) -> None:
    form = posted(intake, parameter_expert_step="maybe")
    assert not form.validate() and "parameter_expert_step" in form.errors


def test_an_existing_batch_shows_its_values(intake: Definition) -> None:
    batch = Batch(title="第二批", published=False, parameters={"expert_step": True, "base_year": 2024, "gone": 1})
    form = filled_batch_form(intake, batch, None, (date(2026, 6, 1), None))
    assert (form.title.data, form.opens.data, form.closes.data, form.published.data) == (
        "第二批",
        "2026-06-01",
        "",
        False,
    )
    shown: dict[str, Any] = {f.name: f.data for f in form.parameter_fields()}
    assert shown["parameter_expert_step"] == "yes" and shown["parameter_base_year"] == "2024"
    assert shown["parameter_correction_days"] == "0" and "parameter_gone" not in shown


def test_a_new_batch_starts_from_the_definition(intake: Definition) -> None:
    form = filled_batch_form(intake, None)
    shown = {f.name: f.data for f in form.parameter_fields()}
    assert form.published.data is True and shown["parameter_base_year"] == "2023"


@pytest.mark.parametrize(
    ("value", "text", "typed"),
    [
        (True, "no", False),
        (3, "12", 12),
        (2.5, "0.75", 0.75),
        ("2026-06-17", "2027-01-31", "2027-01-31"),
        ("6 月前", "7 月前", "7 月前"),
        (None, "", None),
    ],
)
def test_a_value_keeps_the_type_that_the_definition_gave_it(
    intake: Definition, value: object, text: str, typed: object
) -> None:
    one = intake.model_copy(update={"parameters": {"limit": Parameter(label="限额", value=value)}})
    form = filled_batch_form(one, None, MultiDict({"title": "首批", "parameter_limit": text}))
    assert form.validate(), form.errors
    assert form.parameters() == {"limit": typed} and type(form.parameters()["limit"]) is type(typed)


@pytest.mark.parametrize(("value", "words"), [(2.5, "请填数字"), (3, "请填整数"), ("2026-06-17", "请填日期")])
def test_words_where_another_type_is_wanted_are_refused(intake: Definition, value: object, words: str) -> None:
    one = intake.model_copy(update={"parameters": {"limit": Parameter(label="限额", value=value)}})
    form = filled_batch_form(one, None, MultiDict({"title": "首批", "parameter_limit": "很多"}))
    assert not form.validate() and words in str(form.errors["parameter_limit"][0])
