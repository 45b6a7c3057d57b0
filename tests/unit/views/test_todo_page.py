"""Words of the to-do lists: what a row is about, its state, its clock, where its verb leads."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from flask_babel import Babel

from app.definitions import registry
from app.definitions.schema import Definition
from app.services.todo import Entry
from app.views import todo_page
from app.views.todo_page import first_reopened_section, row_of, short_clock, state_words
from app.workflow.calendar import end_of

# 2024-06-12 is a Wednesday.
AT = datetime(2024, 6, 12, 2, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def intake() -> Definition:
    return registry.catalogue().get("hrb_cultivation_intake")


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    site = Flask(__name__)
    Babel(site)
    for endpoint, rule in {
        "review.show": "/review/<id>/",
        "declaration.show": "/declarations/<id>/",
        "todo.index": "/todo/",
    }.items():
        site.add_url_rule(rule, endpoint, lambda **_: "")
    monkeypatch.setattr(todo_page, "region_name", lambda code: {"230108": "平房区"}.get(code, ""))
    with site.test_request_context("/todo/?q=%E5%8C%97&page=3"):
        yield


def declaration(intake: Definition, **facts: Any) -> Any:
    values = {
        "public_id": "x1", "enterprise_id": 1, "enterprise_name": "北辰轴承", "serial_no": "2024-PY-0137", "region_code": "230108",
        "status": "in_progress", "due_at": end_of(date(2024, 6, 14)), "reopened": None, "holder_role": "city",
        "saved_at": AT, "version": 3, "step_since": AT - timedelta(days=1), "claimed_by": None, "claimed_at": None, "programme": SimpleNamespace(definition=intake),
        "batch": SimpleNamespace(title="2024 年第一批", closes_at=end_of(date(2024, 6, 28))),
    }  # fmt: skip
    return SimpleNamespace(**(values | facts))


OFFICER: Any = SimpleNamespace(enterprise_id=None, role_names={"city"})
EXPERT: Any = SimpleNamespace(enterprise_id=None, role_names={"expert"})
OWNER: Any = SimpleNamespace(enterprise_id=1, role_names={"enterprise"})


@pytest.mark.parametrize(
    ("step", "words", "tone"),
    [
        ("preliminary_review", "初审中", "go"),
        ("conformity_review", "试点符合性审核中", "go"),
        ("stamping", "待传盖章材料", "go"),
        ("expert_review", "专家评审中", "go"),
        ("publish_list", "待公布名单", "go"),
    ],
)
def test_state_is_the_step(site: None, intake: Definition, step: str, words: str, tone: str) -> None:
    assert state_words(declaration(intake), intake.step(step)) == (words, tone)


def test_state_outside_steps_is_the_status(site: None, intake: Definition) -> None:
    assert state_words(declaration(intake, status="returned"), None) == ("退回修改", "warn")
    assert state_words(declaration(intake, status="approved"), None) == ("已通过", "ok")


def test_an_officer_reads_name_place_and_serial(site: None, intake: Definition) -> None:
    row = row_of(Entry(declaration(intake), intake.step("preliminary_review"), 1), OFFICER, AT, {})
    assert (row.title, row.reason) == ("北辰轴承", "平房区 · 2024-PY-0137 · 企业培育入库")
    assert (row.tag, row.clock, row.clock_tone, row.verb, row.url) == (
        "初审中",
        "剩 2 个工作日",
        "warn",
        "审核",
        "/review/x1/",
    )


def test_a_second_version_asks_to_be_looked_at(site: None, intake: Definition) -> None:
    row = row_of(Entry(declaration(intake), intake.step("preliminary_review"), 2), OFFICER, AT, {})
    assert (row.tag, row.tone) == ("再次提交", "warn") and row.reason.endswith("第 2 版")


def test_handled_rows_tell_the_own_deed(site: None, intake: Definition) -> None:
    event: Any = SimpleNamespace(at=AT, label="退回修改")
    row = row_of(Entry(declaration(intake, status="returned"), None, 1, None, event), OFFICER, AT, {})
    assert "您 06-12 10:00 作了“退回修改”" in row.reason and row.verb == "查看" and row.clock is None


@pytest.mark.parametrize(("user", "verb"), [(OFFICER, "分派"), (EXPERT, "评审")])
def test_the_expert_step_has_two_verbs(site: None, intake: Definition, user: Any, verb: str) -> None:
    assert row_of(Entry(declaration(intake), intake.step("expert_review"), 1), user, AT, {}).verb == verb


def test_an_enterprise_goes_on_with_its_draft(site: None, intake: Definition) -> None:
    mine = declaration(intake, status="draft", holder_role="enterprise", serial_no=None, due_at=None)
    row = row_of(Entry(mine, None), OWNER, AT, {})
    assert (row.title, row.verb, row.url) == ("企业培育入库（2024 年第一批）", "继续填", "/declarations/x1/sections/")
    assert row.clock == "剩 12 个工作日" and row.clock_tone is None


def test_a_return_leads_to_the_first_open_answer(site: None, intake: Definition) -> None:
    opinion: Any = SimpleNamespace(text="请核对利润", verdict="return")
    mine = declaration(intake, status="returned", holder_role="enterprise", reopened=["digital_projects/r1/end_date"])
    row = row_of(Entry(mine, None, 1, opinion), OWNER, AT, {})
    table = next(s.key for s, t, _ in intake.tables() if t.key == "digital_projects")
    assert (row.verb, row.reason) == ("去修改", "退回原因：请核对利润")
    assert row.url == f"/declarations/x1/sections/{table}"


def test_first_open_section(intake: Definition) -> None:
    assert first_reopened_section(intake, []) == intake.sections[0].key
    assert first_reopened_section(intake, ["revenue", "@audit_report"]) == "basic_info"
    assert first_reopened_section(intake, ["@audit_report"]) == "attachments"
    assert first_reopened_section(intake, ["gone"]) is None


def test_stamping_leads_to_the_stamping_page(site: None, intake: Definition) -> None:
    mine = declaration(intake, holder_role="enterprise")
    row = row_of(Entry(mine, intake.step("stamping"), 1), OWNER, AT, {})
    assert (row.verb, row.url, row.tone) == ("上传盖章材料", "/declarations/x1/stamped", "warn")
    sent_back: Any = SimpleNamespace(text="看不清印章", verdict="stamp_return")
    row = row_of(Entry(mine, intake.step("stamping"), 1, sent_back), OWNER, AT, {})
    assert row.reason == "盖章材料要重新上传：看不清印章"


def test_what_the_office_holds_is_only_looked_at(site: None, intake: Definition) -> None:
    row = row_of(Entry(declaration(intake), intake.step("preliminary_review"), 1), OWNER, AT, {})
    assert (row.verb, row.clock, row.url) == ("看进度", None, "/declarations/x1/")


@pytest.mark.parametrize(
    ("last", "text", "tone"),
    [
        (date(2024, 6, 28), "剩 12 个工作日", None),
        (date(2024, 6, 17), "剩 3 个工作日", None),
        (date(2024, 6, 14), "剩 2 个工作日", "warn"),
        (date(2024, 6, 12), "今天 24:00 到期", "bad"),
        (date(2024, 6, 11), "已超 1 个工作日", "bad"),
    ],
)
def test_the_clock_of_staff(site: None, last: date, text: str, tone: str | None) -> None:
    clock = short_clock(end_of(last), None, AT, {})
    assert clock is not None and (clock.text, clock.tone) == (text, tone)


def test_overdue_without_a_working_day_between(site: None) -> None:
    saturday = datetime(2024, 6, 15, 2, 0, tzinfo=UTC)
    clock = short_clock(end_of(date(2024, 6, 14)), None, saturday, {})
    assert clock is not None and (clock.text, clock.tone) == ("已超期", "bad")


def test_years_without_published_holidays(site: None, intake: Definition) -> None:
    clock = short_clock(None, intake.step("preliminary_review"), AT, {})
    assert clock is not None and clock.text == "期限待公布"
    assert short_clock(None, intake.step("publish_list"), AT, {}) is None
    far = short_clock(end_of(date(2031, 3, 2)), None, AT + timedelta(days=1), {})
    assert far is not None and "3 月 2 日" in far.text
