"""Filling in with a real browser: by keyboard, live, without losing anything, with and without scripts."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect
from sqlalchemy import select

from app.extensions import db
from app.models import Account, AnswerRow, LoginSession
from app.services import answers
from app.services.declaration import accept_statement, start_declaration
from app.services.samples import fill_declaration
from app.services.unit_of_work import unit_of_work
from app.views.session import digest_of
from tests import factories
from tests.e2e.conftest import Live


class Filling:
    """A draft of a new enterprise, opened in ``page``."""

    def __init__(self, live: Live, page: Page) -> None:
        self.live, self.page = live, page
        self.user: Account = factories.make_account("enterprise")
        self.batch = factories.make_batch()
        self.id = start_declaration(self.user, self.batch.public_id)
        accept_statement(self.user, self.id)
        live.sign_in(page, self.user)

    def open(self, section: str) -> None:
        """Go to a section and wait until its scripts are ready."""
        self.page.goto(f"/declarations/{self.id}/sections/{section}")
        self.page.wait_for_function("window.htmx !== undefined && document.readyState === 'complete'")

    def stored(self, key: str, table: str = "") -> list[Any]:
        """The stored texts of ``key``, row by row, as they are now."""
        db.session.rollback()
        rows = db.session.scalars(
            select(AnswerRow)
            .where(AnswerRow.declaration_id == factories.find(self.id).id, AnswerRow.table_key == table)
            .order_by(AnswerRow.position, AnswerRow.id)
        )
        return [r.values.get(key) for r in rows if r.removed_at is None]

    def row_ids(self, table: str) -> list[str]:
        """Ids of the living rows in order."""
        db.session.rollback()
        rows = db.session.scalars(
            select(AnswerRow)
            .where(AnswerRow.declaration_id == factories.find(self.id).id, AnswerRow.table_key == table)
            .order_by(AnswerRow.position, AnswerRow.id)
        )
        return [r.row_id for r in rows if r.removed_at is None]


@pytest.fixture
def filling(live: Live, page: Page) -> Filling:
    """A draft in the browser; errors of scripts fail the test."""
    page.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
    return Filling(live, page)


def test_fields_save_themselves_and_wrong_text_stays_marked(filling: Filling) -> None:
    filling.open("basic_info")
    page = filling.page
    page.get_by_label("2023年营业收入").fill("12万")
    page.keyboard.press("Tab")
    box = page.locator("#field-revenue")
    expect(box.locator(".sb-error")).to_be_visible()
    expect(page.locator("#revenue")).to_have_value("12万")
    expect(page.locator("#saved")).to_contain_text("已保存")
    expect(page.locator("#summary a")).to_have_attribute("href", "#field-revenue")
    assert filling.stored("revenue") == ["12万"]
    page.locator("#revenue").fill("8621.24")
    page.keyboard.press("Tab")
    expect(box.locator(".sb-error")).to_have_count(0)
    expect(page.locator("#revenue_per_capita")).to_have_value("46.35")
    expect(page.locator("#summary .sb-note")).to_have_count(0)
    expect(page.locator("#profit")).to_be_focused()


def test_a_section_is_filled_by_keyboard_alone(filling: Filling) -> None:
    filling.open("digital_basis")
    page = filling.page
    page.get_by_label("需求种类").focus()
    page.keyboard.type("生产管理")
    page.keyboard.press("Enter")
    expect(page.locator(".sb-row summary h3")).to_have_text("1. 生产管理")
    expect(page).to_have_url(re.compile("digital_basis$"))
    page.keyboard.press("Tab")
    page.keyboard.type("打通订单、生产和库存数据")
    page.keyboard.press("Tab")
    expect(page.locator("#saved")).to_contain_text("已保存")
    expect(page.locator(".sb-rail [aria-current] small")).to_have_text("1 个需求")
    add = page.get_by_role("button", name="添加需求")
    add.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".sb-row")).to_have_count(2)
    expect(page.locator(":focus")).to_have_attribute("name", re.compile("/need_type$"))
    page.keyboard.type("设备联网")
    page.keyboard.press("Tab")
    expect(page.locator(".sb-row summary h3").nth(1)).to_have_text("2. 设备联网")
    assert filling.stored("need_type", "digital_needs") == ["生产管理", "设备联网"]


def test_rows_are_copied_moved_removed_and_brought_back(filling: Filling) -> None:
    path = f"digital_needs/{filling.row_ids('digital_needs')[0]}"
    answers.save_answers(filling.user, filling.id, {f"{path}/need_type": "甲", f"{path}/need_description": "说明"})
    filling.open("digital_basis")
    page = filling.page
    page.get_by_role("button", name="复制需求 1").click()
    expect(page.locator(".sb-row")).to_have_count(2)
    page.locator(".sb-row").nth(1).get_by_label("需求种类").fill("乙")
    page.get_by_role("button", name="上移需求 2").click()
    expect(page.locator(".sb-row summary h3").first).to_have_text("1. 乙")
    assert filling.stored("need_type", "digital_needs") == ["乙", "甲"]
    page.get_by_role("button", name="移除需求 1").click()
    expect(page.locator(".sb-row")).to_have_count(1)
    page.get_by_role("button", name="恢复").click()
    expect(page.locator(".sb-row")).to_have_count(2)
    assert filling.stored("need_type", "digital_needs") == ["乙", "甲"]


def test_totals_and_changes_follow_what_is_typed(filling: Filling) -> None:
    filling.open("digital_content")
    page = filling.page
    for label, text in (("软件及云服务采购支出", "32"), ("数据采集传输设备支出", "41.5"), ("咨询诊断等服务支出", "13")):
        page.get_by_label(label).fill(text)
        page.keyboard.press("Tab")
    expect(page.get_by_label("改造总花费")).to_have_value("86.50")
    page.get_by_label("改造前创新方面成效").fill("数控化率：50%")
    page.get_by_label("改造后创新方面成效").fill("数控化率：60%")
    page.keyboard.press("Tab")
    expect(page.locator(".sb-ba tr", has=page.get_by_label("改造前创新方面成效")).locator("td.num")).to_have_text(
        "提高 20.00%"
    )


def test_a_lost_line_keeps_the_text_and_saves_it_later(filling: Filling) -> None:
    filling.open("basic_info")
    page = filling.page
    page.context.set_offline(True)
    page.locator("#profit").fill("-35.5")
    page.keyboard.press("Tab")
    expect(page.locator("#saved")).to_contain_text("没有连上服务器")
    assert filling.stored("profit") == [None]
    page.context.set_offline(False)
    expect(page.locator("#saved")).to_contain_text("已保存", timeout=20_000)
    assert filling.stored("profit") == ["-35.5"]


def test_an_expired_login_keeps_the_text_in_the_tab_and_saves_it_after_signing_in(filling: Filling) -> None:
    filling.open("basic_info")
    page = filling.page
    _end_sessions(filling)
    page.locator("#profit").fill("77")
    page.keyboard.press("Tab")
    expect(page.get_by_text("登录已过期")).to_be_visible()
    filling.live.sign_in(page, filling.user)
    page.on("dialog", lambda dialog: dialog.accept())
    filling.open("basic_info")
    expect(page.locator("#profit")).to_have_value("77")
    expect(page.locator("#saved")).to_contain_text("已保存")
    page.wait_for_timeout(300)
    assert filling.stored("profit") == ["77"]


def _end_sessions(filling: Filling) -> None:
    with unit_of_work() as session:
        session.query(LoginSession).delete()


def test_two_tabs_show_both_texts_and_overwrite_nothing(filling: Filling) -> None:
    filling.open("basic_info")
    page = filling.page
    answers.save_answers(filling.user, filling.id, {"contact_name": "李雷"})
    page.locator("#contact_name").fill("韩梅梅")
    page.keyboard.press("Tab")
    box = page.locator("#field-contact_name")
    expect(box).to_contain_text("李雷")
    expect(page.locator("#contact_name")).to_have_value("韩梅梅")
    assert filling.stored("contact_name") == ["李雷"]
    box.get_by_role("button", name="用我写的").click()
    expect(box.get_by_role("button")).to_have_count(0)
    expect(page.locator("#contact_name")).to_have_value("韩梅梅")
    assert filling.stored("contact_name") == ["韩梅梅"]


@pytest.mark.parametrize("width", [1280, 360])
def test_pages_are_accessible_and_fit(filling: Filling, accessible: Callable[[Page], None], width: int) -> None:
    page = filling.page
    page.set_viewport_size({"width": width, "height": 900})
    base = f"/declarations/{filling.id}"
    sections = ("basic_info", "digital_basis", "digital_content", "other_info", "attachments")
    for path in ("/declarations/", f"{base}/", f"{base}/statement", *(f"{base}/sections/{s}" for s in sections),
                 f"{base}/check", f"{base}/preview", f"{base}/act?action=discard"):  # fmt: skip
        page.goto(path)
        accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_everything_works_without_scripts(filling: Filling, new_context: Callable[..., BrowserContext]) -> None:
    page = new_context(java_script_enabled=False).new_page()
    filling.live.sign_in(page, filling.user)
    page.goto(f"/declarations/{filling.id}/sections/digital_basis")
    page.get_by_label("需求种类").fill("能耗管理")
    page.get_by_role("button", name="添加需求").click()
    assert filling.stored("need_type", "digital_needs") == ["能耗管理", None]
    second = page.locator(".sb-row").nth(1)
    second.get_by_label("需求种类").fill("质量追溯")
    page.get_by_role("button", name="移除需求 2").click()
    assert filling.stored("need_type", "digital_needs") == ["能耗管理"]
    page.get_by_role("button", name="恢复").click()
    assert filling.stored("need_type", "digital_needs") == ["能耗管理", "质量追溯"]
    page.get_by_role("button", name="下一节").click()
    expect(page).to_have_url(re.compile("/sections/digital_content$"))
    page.get_by_label("改造总花费").fill("12万")
    page.get_by_label("项目名称").press("Enter")
    expect(page.locator(".sb-error")).to_be_visible()
    expect(page.get_by_label("改造总花费")).to_have_value("12万")


def test_a_post_after_the_login_ended_is_offered_again(
    filling: Filling, new_context: Callable[..., BrowserContext]
) -> None:
    page = new_context(java_script_enabled=False).new_page()
    filling.live.sign_in(page, filling.user)
    page.goto(f"/declarations/{filling.id}/sections/digital_basis")
    _end_sessions(filling)
    page.get_by_label("需求描述").fill("写了很久的内容")
    page.get_by_role("button", name="下一节").click()
    expect(page).to_have_url(re.compile("/account/login"))
    assert filling.stored("need_description", "digital_needs") == [None]
    _sign_in_again(filling, page)
    page.goto(f"/declarations/{filling.id}/sections/digital_basis")
    expect(page.get_by_text("还没有保存")).to_be_visible()
    expect(page.get_by_label("需求描述")).to_have_value("写了很久的内容")
    page.get_by_role("button", name="保存这些内容").click()
    assert filling.stored("need_description", "digital_needs") == ["写了很久的内容"]


def _sign_in_again(filling: Filling, page: Page) -> None:
    """Give the browser's own session to the person, as the sign-in page does."""
    cookie = next(c for c in page.context.cookies() if c["name"] == "session")
    with unit_of_work() as session:
        row = session.scalars(select(LoginSession).where(LoginSession.digest == digest_of(cookie["value"]))).one()
        row.data = row.data.replace("{", f'{{"_user_id":"{filling.user.id}","_fresh":true,', 1)
        row.account_id = filling.user.id


def test_a_server_that_restarts_costs_nothing(filling: Filling) -> None:
    filling.open("basic_info")
    page, refused = filling.page, []

    def restarting(route: Route) -> None:
        if len(refused) < 2:
            refused.append(route.request.url)
            route.fulfill(status=503, body="")
        else:
            route.continue_()

    page.route("**/field", restarting)
    page.locator("#profit").fill("66")
    page.keyboard.press("Tab")
    expect(page.locator("#saved")).to_contain_text("已保存", timeout=15_000)
    expect(page.locator("#profit")).to_have_value("66")
    assert filling.stored("profit") == ["66"] and len(refused) == 2


def test_check_links_lead_into_the_row_and_submission_gives_a_receipt(filling: Filling) -> None:
    page = filling.page
    fill_declaration(filling.user, filling.id, random.Random(3))
    declaration = factories.find(filling.id)
    for key in ("audit_report", "credit_china_report"):
        factories.attach(declaration, key)
    row = filling.row_ids("digital_projects")[0]
    answers.save_answers(filling.user, filling.id, {f"digital_projects/{row}/end_date": "2025-12-20"})
    page.goto(f"/declarations/{filling.id}/check")
    expect(page.get_by_role("button", name="提交申报")).to_be_disabled()
    page.get_by_role("link", name=re.compile("^去改")).click()
    expect(page.get_by_label("项目结束时间")).to_be_focused()
    page.get_by_label("项目结束时间").fill("2025-09-30")
    page.keyboard.press("Tab")
    expect(page.locator("#summary .sb-note")).to_have_count(0)
    page.get_by_role("link", name="检查并提交").first.click()
    page.get_by_label(re.compile("作出以上承诺")).check()
    page.get_by_role("button", name="提交申报").dblclick()
    expect(page.get_by_role("heading", name=re.compile("已提交，受理号"))).to_be_visible()
    assert factories.find(filling.id).status == "in_progress"
