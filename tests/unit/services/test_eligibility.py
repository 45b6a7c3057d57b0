"""Which conditions are judged before anything is filled, and what is said about them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.definitions import registry
from app.definitions.schema import Applicant, Condition, Definition
from app.models import Batch
from app.services.eligibility import (
    Check,
    Mine,
    Offer,
    check_conditions,
    fact_labels,
    is_precheck,
    parameters_shown,
    steps_shown,
    window_words,
)

AT = datetime(2024, 6, 12, 2, 0, tzinfo=UTC)
FACTS: dict[str, Any] = {
    "certification_status": "approved",
    "region_code": "230108",
    "industry_code": "34",
    "employees": 186.0,
    "revenue_y1": None,
    "total_assets_y1": None,
}


@pytest.fixture
def intake() -> Definition:
    return registry.catalogue().get("hrb_cultivation_intake")


def checks(definition: Definition, **facts: Any) -> dict[str, Check]:
    params = registry.parameters_of(definition)
    return {c.key: c for c in check_conditions(definition, params, FACTS | facts, "2024-06-12")}


def with_conditions(definition: Definition, *conditions: Condition, scales: tuple[str, ...] = ()) -> Definition:
    return definition.model_copy(update={"conditions": conditions, "applicant": Applicant(scales=scales)})


def test_only_facts_are_judged_before_the_form(intake: Definition) -> None:
    assert {c.key for c in intake.conditions if is_precheck(c)} == {"certified", "registered_in_city"}


@pytest.mark.parametrize(
    ("cel", "expected"),
    [
        ('enterprise.region_code == "230100"', True),
        ("params.base_year > 2000.0 && today > enterprise.established_on", True),
        ("form.revenue > 1.0", False),
        ("enterprise.employees > form.employees", False),
        (None, False),
    ],
)
def test_precheck_follows_what_the_expression_reads(cel: str | None, expected: bool) -> None:
    assert is_precheck(Condition(key="x", text="条件", cel=cel)) is expected


def test_row_conditions_are_never_prechecked() -> None:
    condition = Condition(key="x", text="条件", cel="enterprise.employees > 1.0", each="projects", precheck=True)
    assert not is_precheck(condition)


def test_met_conditions(intake: Definition) -> None:
    found = checks(intake)
    assert found["certified"].result is True and found["registered_in_city"].result is True
    assert found["certified"].message == "" and not found["certified"].lacking


def test_failed_condition_says_what_to_do(intake: Definition) -> None:
    found = checks(intake, region_code="310101")["registered_in_city"]
    assert found.result is False
    assert "注册地区不在哈尔滨市" in found.message and "先更正企业认证信息" in found.message


def test_missing_fact_is_named_with_where_it_comes_from(intake: Definition) -> None:
    found = checks(intake, region_code=None)["registered_in_city"]
    assert found.result is None and found.lacking
    assert found.missing == ("注册地区",) and found.supply == "certification"


def test_missing_figures_come_from_the_profile(intake: Definition) -> None:
    condition = Condition(
        key="rich", text="上年度营业收入 2000 万元以上", cel="enterprise.revenue_y1 == null ? null : true"
    )
    found = checks(with_conditions(intake, condition))["rich"]
    assert found.missing == ("上年度营业收入",) and found.supply == "profile"


def test_a_broken_expression_is_undecided_not_met(intake: Definition) -> None:
    condition = Condition(key="odd", text="条件", cel="enterprise.employees > enterprise.unknown_fact")
    assert checks(with_conditions(intake, condition))["odd"].result is None


def test_result_that_is_no_verdict_is_undecided(intake: Definition) -> None:
    condition = Condition(key="odd", text="条件", cel="enterprise.employees")
    assert checks(with_conditions(intake, condition))["odd"].result is None


@pytest.mark.parametrize(
    ("revenue", "result"), [(None, None), (1000.0, True), (50_000.0, False)]
)  # industry 34: large from 1,000 persons and 40,000 万元, medium from 300 and 2,000
def test_scale_follows_the_national_standard(intake: Definition, revenue: float | None, result: bool | None) -> None:
    scales = ("medium", "small", "micro")
    found = checks(with_conditions(intake, scales=scales), employees=1200.0, revenue_y1=revenue)["applicant_scale"]
    assert found.result is result
    assert found.text == "企业规模为中型、小型、微型"


def test_scale_without_figures_is_left_to_the_form(intake: Definition) -> None:
    found = checks(intake)["applicant_scale"]
    assert found.result is None and not found.lacking and "填报时" in found.message
    assert "上年度营业收入" in found.missing


def test_too_large_says_both_sizes(intake: Definition) -> None:
    found = checks(intake, employees=3000.0, revenue_y1=90_000.0)["applicant_scale"]
    assert found.message == "按划型标准，您的企业是大型企业，本项目面向中型、小型、微型企业。"


def test_facts_are_called_as_in_the_certification_form() -> None:
    labels = fact_labels()
    assert labels["region_code"] == "注册地区" and labels["employees"] == "从业人数(人)"


def offer(definition: Definition, *found: Check, is_open: bool = True, mine: Mine | None = None) -> Offer:
    return Offer(definition, registry.parameters_of(definition), None, is_open, "窗口", None, found, mine)


MET = Check("a", "甲", True, "")
UNMET = Check("b", "乙", False, "乙不符合。")
UNCERTIFIED = Check("certified", "认证", False, "还没认证")
LACKING = Check("c", "丙", None, "", None, ("注册地区",), "certification")
LATER = Check("d", "丁", None, "填报时核对")
MINE = Mine("id", "k", 1, "第一批", "draft", None, None, None, AT, None)


@pytest.mark.parametrize(
    ("found", "is_open", "mine", "state"),
    [
        ((MET,), True, None, "can"),
        ((MET, LATER), True, None, "can"),
        ((MET, LACKING), True, None, "missing"),
        ((MET, UNMET, LACKING), True, None, "cannot"),
        ((UNCERTIFIED, UNMET), True, None, "certify"),
        ((UNCERTIFIED,), False, None, "closed"),
        ((UNMET,), True, MINE, "mine"),
    ],
)
def test_one_state_decides_the_button(
    intake: Definition, found: tuple[Check, ...], is_open: bool, mine: Mine | None, state: str
) -> None:
    assert offer(intake, *found, is_open=is_open, mine=mine).state == state


def test_reasons_in_words(intake: Definition) -> None:
    assert offer(intake, MET, MET).reason == "2 项条件都符合。"
    assert offer(intake, MET, LATER).reason == "1 项条件符合，1 项在填报时核对。"
    assert offer(intake, MET, LACKING).reason == "还差 1 项：注册地区。"
    assert offer(intake, UNMET).reason == "乙不符合。"
    assert offer(intake, MET, is_open=False).reason == "窗口"
    assert "企业认证" in offer(intake, UNCERTIFIED).reason


@pytest.mark.parametrize(
    ("status", "kind", "label", "tone", "verb"),
    [
        ("draft", None, "草稿", None, "继续填"),
        ("returned", None, "退回修改", "warn", "去修改"),
        ("in_progress", "review", "办理中", "go", "看申报"),
        ("in_progress", "stamp", "待盖章", "warn", "上传盖章材料"),
        ("approved", None, "已通过", "ok", "看申报"),
    ],
)
def test_own_declarations_say_what_is_next(
    status: str, kind: str | None, label: str, tone: str | None, verb: str
) -> None:
    mine = Mine("id", "k", 1, "第一批", status, "步骤" if kind else None, kind, None, AT, None)
    assert (mine.label, mine.tone, mine.verb) == (label, tone, verb)


def batch(opens: timedelta | None, closes: timedelta | None) -> Batch:
    return Batch(
        title="第一批",
        published=True,
        opens_at=AT + opens if opens else None,
        closes_at=AT + closes if closes else None,
    )


def test_windows_in_words() -> None:
    day = timedelta(days=1)
    assert "还没有开放" in window_words(None, AT)
    assert window_words(batch(day, None), AT) == "6 月 13 日 开放申报。"
    assert window_words(batch(-3 * day, -day), AT) == "已在 6 月 11 日 10:00 截止。"
    assert window_words(batch(-day, day), AT) == "6 月 11 日 至 6 月 13 日 10:00"
    assert window_words(batch(None, None), AT) == "长期开放"


def test_switched_off_steps_and_repeated_parameters_are_not_shown(intake: Definition) -> None:
    resolved = registry.resolve(intake, registry.parameters_of(intake))
    shown = offer(resolved)
    assert [s.key for s in steps_shown(shown)] == [
        "preliminary_review",
        "stamping",
        "conformity_review",
        "publish_list",
    ]
    labels = dict(parameters_shown(shown))
    assert labels["报表年度"] == "2023"
    assert labels["计划明确的项目的最晚结束日期"] == "2025 年 10 月 31 日"
    assert not {"区县先审", "专家评审", "结项要求的文字", "截止后的补正天数"} & labels.keys()
