"""The catalogue's files load, their expressions never fail, and their rules decide what the guide means."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import chinese_calendar
import pytest
import yaml

from app.definitions.expressions import compile_expression, sme_size
from app.definitions.registry import CATALOGUE, Catalogue, catalogue, parameters_of, resolve
from app.definitions.schema import Definition, Table
from app.fields.base import FieldSpec

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data" / "domain"
REFERENCE = ROOT / "app" / "definitions" / "reference"
INTAKE, CERTIFICATION = "hrb_cultivation_intake", "enterprise_certification"
EVERYTHING = ROOT / "tests" / "data" / "definitions"
ALL = [*Catalogue(CATALOGUE), *Catalogue(EVERYTHING)]


def read(name: str) -> dict[str, Any]:
    """A comparison file."""
    data = yaml.safe_load((DATA / name).read_text("utf-8"))
    assert isinstance(data, dict)
    return data


def reference(name: str) -> dict[str, Any]:
    """A file of the product's own reference data."""
    data = yaml.safe_load((REFERENCE / f"{name}.yaml").read_text("utf-8"))
    assert isinstance(data, dict)
    return data


def definition(key: str) -> Definition:
    """The catalogue's definition with the default parameters filled in."""
    raw = catalogue().get(key)
    return resolve(raw, parameters_of(raw))


def params_of(ours: Definition) -> dict[str, Any]:
    """Parameters as expressions see them: numbers are doubles."""
    values = parameters_of(ours).items()
    return {k: float(v) if isinstance(v, int) and not isinstance(v, bool) else v for k, v in values}


FACTS: dict[str, Any] = {
    "name": "哈尔滨松岭精密机械有限公司",
    "credit_code": "91230100MA18XYQ129",
    "nature": "private",
    "certification_status": "approved",
    "region_code": "230108",
    "industry_code": "3489",
    "registered_address": "平房区哈南工业新城",
    "contact_name": "王敏",
    "contact_phone": "13800000000",
    "company_profile": "主要产品为高精度减速器和数控机床主轴单元。",
    "employees": 286.0,
    "revenue_y1": 8621.24,
    "total_assets_y1": 9000.0,
    "established_on": "2009-03-18",
}


# -- every expression, on nothing, on the first and on the last choices -----------------------------------------


def answer(spec: FieldSpec, mode: str) -> Any:
    """An answer as expressions see it: none, or one of the choices, or a plausible value."""
    if mode == "empty":
        return [] if spec.type == "multiselect" else None
    chosen = [o.value for o in spec.options][0 if mode == "first" else -1 :][:1]
    if spec.type in {"integer", "decimal", "percent", "year"}:
        return 0.0 if mode == "first" else 50.0
    plain = {"date": "2023-06-30", "boolean": "yes", "region": "230102", "industry": "3489", "multiselect": chosen}
    return plain.get(spec.type, chosen[0] if chosen else "主要产品为减速器")


def row_of(table: Table, mode: str) -> dict[str, Any]:
    """A row with its nested rows."""
    nested = {t.key: [] if mode == "empty" else [row_of(t, mode)] for t in table.tables}
    return {c.key: answer(c, mode) for c in table.all_columns} | nested


def expressions(ours: Definition) -> Iterator[tuple[str, str, Table | None]]:
    """Every expression with its place and, where it stands in rows, the table."""
    tables = {t.key: t for _, t, _ in ours.tables()}
    for condition in ours.conditions:
        for source in (condition.cel, condition.expected):
            if source:
                yield f"condition {condition.key}", source, tables.get(condition.each or "")
    parts: list[tuple[str, Any, Table | None]] = [(s.key, s, None) for s in ours.sections]
    parts += [(f.key, f, None) for _, f in ours.fields()]
    parts += [(a.key, a, None) for a in ours.attachments]
    for table in tables.values():
        parts.append((table.key, table, None))
        parts += [(f"{table.key}.{c.key}", c, table) for c in table.all_columns]
    for place, part, where in parts:
        for name in ("prefill", "computed", "visible_if", "required_if"):
            source = getattr(part, name, None)
            if source:
                yield f"{place}.{name}", source, where


@pytest.mark.parametrize("ours", ALL, ids=lambda d: d.key)
@pytest.mark.parametrize("facts", [FACTS, dict.fromkeys(FACTS)], ids=["facts", "no facts"])
@pytest.mark.parametrize("mode", ["empty", "first", "last"])
def test_expressions_never_fail(ours: Definition, facts: dict[str, Any], mode: str) -> None:
    form: dict[str, Any] = {f.key: answer(f, mode) for _, f in ours.fields()}
    form |= {t.key: [] if mode == "empty" else [row_of(t, mode)] for _, t, parent in ours.tables() if parent is None}
    scope = {"form": form, "enterprise": facts, "params": params_of(ours), "today": "2024-06-12", "review": {}}
    seen = 0
    for place, source, table in expressions(ours):
        value = compile_expression(source).evaluate({**scope, "row": row_of(table, mode) if table else {}})
        seen += 1
        if place.endswith(("visible_if", "required_if")):
            assert isinstance(value, bool), f"{place} is neither yes nor no: {value!r}"
    assert seen >= 5


@pytest.mark.parametrize("ours", ALL, ids=lambda d: d.key)
def test_unanswered_questions_are_undecided_not_refused(ours: Definition) -> None:
    """Nothing typed yet: rules over answers say nothing, missing answers are reported as missing."""
    form: dict[str, Any] = {f.key: answer(f, "empty") for _, f in ours.fields()}
    form |= {t.key: [] for _, t, parent in ours.tables() if parent is None}
    tables = {t.key: t for _, t, _ in ours.tables()}
    for condition in ours.conditions:
        if condition.cel is None or "form." not in condition.cel and condition.each is None:
            continue
        row = row_of(tables[condition.each], "empty") if condition.each else {}
        scope = {"form": form, "row": row, "enterprise": FACTS, "params": params_of(ours), "today": "2024-06-12"}
        assert compile_expression(condition.cel).evaluate(scope) is None, condition.key


@pytest.mark.parametrize("ours", ALL, ids=lambda d: d.key)
def test_messages_name_only_what_is_known(ours: Definition) -> None:
    """Every placeholder of a message is an answer, a parameter or one of the fixed names."""
    tables = {t.key: t for _, t, _ in ours.tables()}
    for condition in ours.conditions:
        known = {"value", "number", "expected", "difference"} | {f"params.{k}" for k in ours.parameters}
        known |= {f.key for _, f in ours.fields()}
        if condition.each:
            known |= {c.key for c in tables[condition.each].all_columns}
        used = set(re.findall(r"\{([\w.]+)\}", condition.message or ""))
        assert used <= known, f"{condition.key}: {used - known}"
        assert "expected" not in used or condition.expected, condition.key
        assert not re.search(r"[A-Za-z]{3,}", re.sub(r"\{[\w.]+\}", "", condition.message or "")), condition.key


# -- the certification's rules --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "failed"),
    [
        ({}, set()),
        ({"region_code": "350203"}, {"region_in_jurisdiction"}),
        ({"region_code": "230100"}, {"region_names_district"}),
        ({"established_on": "2024-06-13"}, {"established_in_past"}),
        ({"established_on": "2024-06-12"}, set()),
        ({"employees": 0.0}, {"employees_stated"}),
        ({"company_profile": "机械加工"}, {"profile_names_products"}),
    ],
)
def test_certification_conditions(form: dict[str, Any], failed: set[str]) -> None:
    answers = {"region_code": "230108", "established_on": "2016-03-15", "employees": 286.0}
    answers |= {"company_profile": "主要产品为高精度减速器和数控机床主轴单元，供应整机厂。"}
    scope = {"form": answers | form, "today": "2024-06-12"}
    conditions = definition(CERTIFICATION).conditions
    verdicts = {c.key: compile_expression(c.cel).evaluate(scope) for c in conditions if c.cel}
    assert {k for k, v in verdicts.items() if v is False} == failed


def test_certification_fills_the_whole_profile() -> None:
    """What later forms take over is written by approval."""
    certification = catalogue().get(CERTIFICATION)
    written = set(certification.profile_map.values())
    assert set(certification.profile_map) == {f.key for _, f in certification.fields()}
    taken = set(re.findall(r"enterprise\.(\w+)", " ".join(e for _, e, _ in expressions(catalogue().get(INTAKE)))))
    assert taken - {"certification_status", "total_assets_y1"} <= written


# -- the intake's rules ---------------------------------------------------------------------------------------


def test_labels_follow_the_batch() -> None:
    """The guide's 2023 and 2024-2025 are parameters, in labels, help, options and attachments."""
    raw = catalogue().get(INTAKE)
    templates = {
        f["key"]: f["label_template"]
        for p in read("programmes.yaml")["programmes"]
        for s in p["sections"]
        for f in s["fields"]
        if "label_template" in f
    }
    assert len(templates) == 5
    assert {f.key: f.label for _, f in raw.fields() if f.key in templates} == templates
    other = {"base_year": 2031, "plan_years": "2032-2033", "project_window": "2032年6月前结项"}
    text = resolve(raw, parameters_of(raw, other)).model_dump_json(include={"sections", "attachments"})
    assert "2031年营业收入" in text and "2031年度审计报告" in text and "2032-2033年计划申请" in text
    shown = re.sub(r'"(note|origin|source)":"[^"]*"', "", text)
    assert "2023" not in shown and "2024-2025" not in shown


def test_prefill_comes_from_certification() -> None:
    """自动带出: the same fact that the certification wrote into the enterprise."""
    profile = catalogue().get(CERTIFICATION).profile_map
    fields = {f.key: f for _, f in catalogue().get(INTAKE).fields()}
    programme = read("programmes.yaml")["programmes"][0]
    carried = [f for s in programme["sections"] for f in s["fields"] if "auto_from" in f]
    assert len(carried) == 6
    for field in carried:
        source = field["auto_from"].removeprefix("certification.")
        assert fields[field["key"]].prefill == f"enterprise.{profile[source]}", field["key"]


def test_required_questions_ask_the_same() -> None:
    """A question that the guide's data requires on a condition is required on that condition."""
    column = next(c for c in definition(INTAKE).table("digital_projects").all_columns if c.key == "cloud_provider")
    assert column.required_if is not None
    for cloud, expected in (("public_cloud", True), ("not_on_cloud", False), (None, False)):
        assert compile_expression(column.required_if).evaluate({"row": {"cloud_service_type": cloud}}) is expected


PROJECT = {"end_date": "2024-05-31", "transformation_plan": "为四条生产线加装采集网关，接入生产执行系统。"}
FORM = {
    "enterprise_scale": "small",
    "revenue": 8621.24,
    "enterprise_intro": "主要产品为高精度减速器和数控机床主轴单元，供应整机厂。",
    "digital_projects": [PROJECT, PROJECT | {"end_date": "2025-10-31"}],
}
CASES: list[tuple[dict[str, Any], dict[str, Any], set[str]]] = [
    ({}, {}, set()),
    ({"certification_status": "submitted"}, {}, {"certified"}),
    ({"region_code": "350203"}, {}, {"registered_in_city"}),
    ({}, {"enterprise_scale": "large"}, {"is_sme", "scale_consistent"}),
    ({}, {"enterprise_scale": "medium"}, {"scale_consistent"}),
    ({}, {"digital_projects": [PROJECT, PROJECT | {"end_date": "2025-11-01"}]}, {"project_closing"}),
    ({}, {"enterprise_intro": "生产机械产品"}, {"main_products_stated"}),
]


@pytest.mark.parametrize(("enterprise", "form", "failed"), CASES)
def test_conditions_decide_as_the_guide(enterprise: dict[str, Any], form: dict[str, Any], failed: set[str]) -> None:
    """On complete answers our null-safe conditions and the guide's plain ones say the same."""
    ours = definition(INTAKE)
    scope: dict[str, Any] = {"enterprise": FACTS | enterprise, "form": FORM | form, "params": params_of(ours)}
    plain = read("programmes.yaml")["programmes"][0]["conditions"]
    assert {c["key"] for c in plain if compile_expression(c["cel"]).evaluate(scope) is not True} == failed
    for condition in (c for c in ours.conditions if c.key in {p["key"] for p in plain}):
        rows: list[Any] = scope["form"][condition.each] if condition.each else [None]
        assert condition.cel is not None
        verdicts = [compile_expression(condition.cel).evaluate({**scope, "row": row}) for row in rows]
        assert all(verdicts) is (condition.key not in failed), condition.key


PAIR = {"start_date": "2024-01-10", "end_date": "2024-05-31"}
COSTS = {"software_cloud_cost": 60.1, "device_cost": 30.2, "consulting_cost": 9.9}


@pytest.mark.parametrize(
    ("key", "row", "verdict", "expected"),
    [
        ("project_dates_in_order", PAIR, True, None),
        ("project_dates_in_order", PAIR | {"end_date": "2024-01-10"}, True, None),
        ("project_dates_in_order", PAIR | {"end_date": "2024-01-09"}, False, None),
        ("project_closing", PROJECT | {"end_date": "2024-06-30", "transformation_plan": None}, True, None),
        ("project_closing", PROJECT | {"end_date": "2024-07-01", "transformation_plan": None}, None, None),
        ("project_closing", PROJECT | {"end_date": "2024-07-01"}, True, None),
        ("project_closing", PROJECT | {"end_date": "2025-12-20"}, False, None),
        ("total_cost_covers_parts", COSTS | {"total_cost": 100.2}, True, 100.2),
        ("total_cost_covers_parts", COSTS | {"total_cost": 100.19}, False, 100.2),
        ("total_cost_covers_parts", COSTS | {"total_cost": 1.0, "device_cost": None}, None, 70.0),
        ("level_not_lowered", {"level_before": "level_1", "level_after": "level_3"}, True, None),
        ("level_not_lowered", {"level_before": "level_1", "level_after": "none"}, False, None),
        ("level_not_lowered", {"level_before": "none", "level_after": "none"}, True, None),
    ],
)
def test_row_conditions(key: str, row: dict[str, Any], verdict: bool | None, expected: float | None) -> None:
    ours = definition(INTAKE)
    condition = next(c for c in ours.conditions if c.key == key)
    scope = {"row": row, "params": params_of(ours)}
    assert condition.cel and compile_expression(condition.cel).evaluate(scope) is verdict
    if expected is not None:
        assert condition.expected and compile_expression(condition.expected).evaluate(scope) == expected


@pytest.mark.parametrize(
    ("typed", "verdict"),
    [(30.14, True), (31.6, True), (301.4, False)],
)
def test_revenue_per_head_is_compared(typed: float, verdict: bool) -> None:
    condition = next(c for c in definition(INTAKE).conditions if c.key == "revenue_per_capita_consistent")
    scope = {"form": FORM | {"revenue_per_capita": typed}, "enterprise": FACTS}
    assert condition.cel and compile_expression(condition.cel).evaluate(scope) is verdict
    assert condition.expected and compile_expression(condition.expected).evaluate(scope) == 30.14


def test_expected_scale_is_named_in_words() -> None:
    condition = next(c for c in definition(INTAKE).conditions if c.key == "scale_consistent")
    assert condition.expected
    expected = compile_expression(condition.expected)
    for employees, words in ((286.0, "小型企业"), (300.0, "中型企业"), (19.0, "微型企业"), (None, None)):
        scope = {"form": FORM, "enterprise": FACTS | {"employees": employees}}
        assert expected.evaluate(scope) == words


def test_route_of_the_guide_with_its_switches() -> None:
    ours = definition(INTAKE)
    assert [(s.key, s.kind, s.level, s.enabled_by) for s in ours.route] == [
        ("district_review", "review", "district", "district_step"),
        ("preliminary_review", "review", "city", None),
        ("stamping", "stamp", "enterprise", None),
        ("conformity_review", "review", "city", None),
        ("expert_review", "expert", "city", "expert_step"),
        ("publish_list", "decide", "city", None),
        ("publicity", "publicity", "city", "publicity_required"),
    ]
    assert [ours.parameters[p].value for p in ("district_step", "expert_step", "correction_days")] == [False, False, 0]
    assert sum(c.points for c in ours.rubric) == 100
    summary = next(d for d in ours.documents if d.kind == "summary")
    assert set(summary.columns) <= {f.key for _, f in ours.fields()}
    assert next(d for d in ours.documents if d.kind == "form").after_step == "preliminary_review"


# -- reference data -------------------------------------------------------------------------------------------


def test_reference_data_is_complete() -> None:
    """Regions, industries and the size standard hold what was collected."""
    ours = {name: reference(name) for name in ("regions", "industries", "size_standard")}
    regions, industries = read("regions.yaml"), read("industries.yaml")
    collected = {r["code"]: r["name"] for g in ("provinces", "cities", "counties") for r in regions[g]}
    assert {r["code"]: r["name"] for r in ours["regions"]["regions"]} == collected
    assert [z["name"] for z in ours["regions"]["review_zones"]] == [z["name"] for z in regions["review_zones"]["items"]]
    assert ours["industries"]["sections"] == industries["sections"]
    keys = ("code", "name", "section", "assessment_category", "size_category")
    assert [{k: d[k] for k in keys} for d in ours["industries"]["divisions"]] == [
        {k: str(d[k]).zfill(2) if k == "code" else d[k] for k in keys} for d in industries["divisions"]
    ]
    assert ours["size_standard"]["categories"] == industries["sme_size_standard"]["categories"]


def test_every_region_has_a_parent_and_every_division_a_place() -> None:
    regions = reference("regions")["regions"]
    codes = {r["code"] for r in regions}
    assert len(codes) == len(regions) == 60
    assert all(r["parent"] in codes for r in regions if r["level"] != "province")
    assert all(r["code"].startswith(r["parent"].rstrip("0")) for r in regions if r["parent"])
    industries = reference("industries")
    sections = {s["code"] for s in industries["sections"]}
    sizes = {c["key"] for c in reference("size_standard")["categories"]} | {None}
    assert len(sections) == 20 and len(industries["divisions"]) == 97
    assert all(d["section"] in sections and d["size_category"] in sizes for d in industries["divisions"])


@pytest.mark.parametrize(
    ("code", "figures", "size"),
    [
        ("34", (1000.0, 40000.0, None), "large"),
        ("34", (999.0, 40000.0, None), "medium"),
        ("34", (300.0, 1999.99, None), "small"),
        ("34", (20.0, 299.0, None), "micro"),
        ("65", (100.0, 1000.0, None), "medium"),
        ("53", (9999.0, 99999.0, 99999.0), "undetermined"),
        ("34", (None, 1.0, None), None),
    ],
)
def test_size_standard(code: str, figures: tuple[float | None, float | None, float | None], size: str | None) -> None:
    assert sme_size(code, *figures) == size


def test_holidays_agree_with_the_calendar() -> None:
    """The table that administrators extend starts from the published arrangements."""
    for year in reference("holidays")["years"]:
        off = {
            period["from"] + datetime.timedelta(days)
            for period in year["holidays"]
            for days in range((period["to"] - period["from"]).days + 1)
        }
        work = {day["date"] for day in year["workdays"]}
        day = datetime.date(year["year"], 1, 1)
        while day.year == year["year"]:
            ours = day in work or (day.weekday() < 5 and day not in off)
            assert chinese_calendar.is_workday(day) is ours, day
            day += datetime.timedelta(1)
        assert all(d.weekday() >= 5 for d in work)
