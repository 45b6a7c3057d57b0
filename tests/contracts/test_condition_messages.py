"""What people read when a rule of 企业培育入库 is not met: the value seen, the figure beside it, what to do."""

from __future__ import annotations

import random
from typing import Any

import pytest

from app.definitions.answers import Answers, Row
from app.definitions.evaluation import Evaluation, evaluate
from app.definitions.registry import catalogue, parameters_of, resolve
from app.definitions.schema import Definition, Table
from app.fields import registry as field_types

FACTS = {
    "name": "哈尔滨松岭精密机械有限公司",
    "credit_code": "91230100MA18XYQ129",
    "nature": "private",
    "certification_status": "approved",
    "region_code": "230108",
    "industry_code": "34",
    "registered_address": "平房区哈南工业新城",
    "contact_name": "王敏",
    "contact_phone": "13800000000",
    "company_profile": "主要产品为高精度减速器和数控机床主轴单元，供应整机厂。",
    "employees": 286.0,
    "revenue_y1": None,
    "total_assets_y1": None,
    "established_on": "2009-03-18",
}
GOOD_PROJECT = {
    "start_date": "2024-01-10",
    "end_date": "2024-05-31",
    "software_cloud_cost": "100",
    "device_cost": "20.5",
    "consulting_cost": "7.5",
    "total_cost": "128",
    "level_before": "level_1",
    "level_after": "level_3",
}
GOOD_FORM = {"enterprise_scale": "small", "revenue": "8621.24", "revenue_per_capita": "30.14", "profit": "612.3"}


class Names:
    """The two codes that samples and facts use."""

    def region(self, code: str) -> str | None:
        return {"230102": "黑龙江省 / 哈尔滨市 / 道里区", "230108": "黑龙江省 / 哈尔滨市 / 平房区"}.get(code)

    def industry(self, code: str) -> str | None:
        return "制造业 / 通用设备制造业" if code.startswith("34") else None


def add_rows(answers: Answers, table: Table, parent: str | None, rng: random.Random) -> None:
    """One sample row with its nested rows."""
    values = {c.key: field_types.get(c.type).sample(c, rng) for c in table.all_columns if not c.computed}
    row = Row(f"r{len(answers.rows)}", table.key, parent, 0, values)
    answers.rows.append(row)
    for nested in table.tables:
        add_rows(answers, nested, row.id, rng)


def judge(form: dict[str, Any], project: dict[str, Any], facts: dict[str, Any] | None = None) -> Evaluation:
    """Verdict on a complete declaration with these answers changed."""
    raw = catalogue().get("hrb_cultivation_intake")
    params = parameters_of(raw)
    definition: Definition = resolve(raw, params)
    rng = random.Random(7)
    typed = [f for _, f in definition.fields() if not (f.prefill or f.fixed)]
    answers = Answers(main={f.key: field_types.get(f.type).sample(f, rng) for f in typed} | GOOD_FORM | form)
    for section in definition.sections:
        for table in section.tables:
            add_rows(answers, table, None, rng)
    next(r for r in answers.rows if r.table == "digital_projects").values.update(GOOD_PROJECT | project)
    files = {a.key: [{"name": "a.pdf"}] for a in definition.attachments}
    facts = FACTS | (facts or {})
    return evaluate(
        definition, answers, lookups=Names(), enterprise=facts, params=params, today="2024-06-12", files=files
    )


def test_a_complete_declaration_has_no_problems() -> None:
    verdict = judge({}, {})
    assert [p.message for p in verdict.problems] == []
    assert all(f.result is True for f in verdict.findings)


@pytest.mark.parametrize(
    ("form", "project", "severity", "message"),
    [
        (
            {"enterprise_scale": "medium"},
            {},
            "warn",
            "“企业规模”选的是中型企业；按认证的行业、从业人员和2023年营业收入 8,621.24 万元测算，"
            "应为小型企业。选对了就不用改",
        ),
        (
            {"enterprise_intro": "减速器"},
            {},
            "error",
            "“企业基本情况”必须写明企业主要产品，至少 20 个字，现在是 3 个字，请补充",
        ),
        (
            {"revenue_per_capita": "301.4"},
            {},
            "warn",
            "“人均营业收入”是 301.40 万元；按营业收入 8,621.24 万元和认证的从业人员计算，"
            "约为 30.14 万元，差 900%。填对了就不用改",
        ),
        (
            {"profit": "9000"},
            {},
            "warn",
            "“利润”是 9,000.00 万元，大于营业收入 8,621.24 万元，请核对单位是不是万元",
        ),
        (
            {},
            {"end_date": "2025-12-20"},
            "error",
            "第 1 个项目的“项目结束时间”是 2025 年 12 月 20 日，请改成 2025 年 10 月 31 日或更早；"
            "晚于这天的项目不在本批范围",
        ),
        (
            {},
            {"end_date": "2024-01-09"},
            "error",
            "第 1 个项目的“项目结束时间”2024 年 1 月 9 日早于项目开始时间 2024 年 1 月 10 日，请核对后改正其中一个",
        ),
        (
            {},
            {"total_cost": "120"},
            "warn",
            "第 1 个项目的“改造总花费”是 120.00 万元，小于三项支出之和 128.00 万元，差 6%，请核对",
        ),
        (
            {"revenue": "100", "revenue_per_capita": "0.35", "profit": "1", "enterprise_scale": "micro"},
            {},
            "warn",
            "第 1 个项目的“改造总花费”是 128.00 万元，大于2023年营业收入 100.00 万元，请核对单位是不是万元",
        ),
        (
            {},
            {"level_after": "none"},
            "warn",
            "第 1 个项目的“改造后数字化水平等级”是无等级，低于改造前的一级，请核对",
        ),
    ],
)
def test_messages(form: dict[str, Any], project: dict[str, Any], severity: str, message: str) -> None:
    problems = judge(form, project).problems
    assert [(p.severity, p.message) for p in problems] == [(severity, message)]


def test_total_is_suggested_and_provider_is_asked_for() -> None:
    verdict = judge({}, {"total_cost": None, "cloud_service_type": "hybrid_cloud", "cloud_provider": ""})
    total = next(f for f in verdict.all_fields() if f.path.endswith("/total_cost"))
    assert (total.text, total.prefilled) == ("128.00", True)
    assert [p.message for p in verdict.problems] == ["第 1 个项目的“数字化转型中云服务提供商”还没填"]


def test_missing_facts_are_undecided() -> None:
    """Without the number of employees the size cannot be compared: nobody is accused, the reviewer sees it."""
    verdict = judge({}, {}, {"employees": None})
    assert verdict.problems == []
    undecided = {f.condition.key for f in verdict.findings if f.result is None}
    assert undecided == {"scale_consistent", "revenue_per_capita_consistent"}


def test_figures_of_a_year_before_the_enterprise_was_there() -> None:
    verdict = judge({}, {}, {"established_on": "2024-01-02"})
    assert [(p.severity, p.message) for p in verdict.problems] == [
        ("warn", "企业 2024 年 1 月 2 日成立，却填了2023年营业收入 8,621.24 万元，请核对成立日期和报表年度")
    ]
    assert judge({}, {}, {"established_on": "2023-12-31"}).problems == []


def test_every_condition_names_its_clause() -> None:
    conditions = catalogue().get("hrb_cultivation_intake").conditions
    assert [c.key for c in conditions if not c.source] == []


def test_outside_the_city_is_told() -> None:
    verdict = judge({}, {}, {"region_code": "350203"})
    assert [p.message[:20] for p in verdict.blocking] == ["本项目面向哈尔滨市的企业，认证信息里的注"]
