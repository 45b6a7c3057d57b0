"""A city officer in a real browser: confirm one, return one with a remark, see the difference when it comes back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from app.models import Account, Batch
from app.permissions import roles
from app.services.answers import save_answers
from tests import factories
from tests.e2e.conftest import Live

Check = Callable[[Page], None]


@pytest.fixture
def city(live: Live) -> Account:
    return factories.make_account(roles.CITY, display_name="李静")


@pytest.fixture
def batch(live: Live) -> Batch:
    return factories.make_batch(title="2026 年第一批")


def narrow(page: Page) -> None:
    """Nothing scrolls sideways on the narrowest screen."""
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360, page.url
    page.set_viewport_size({"width": 1280, "height": 900})


def test_a_morning_at_the_office(live: Live, page: Page, accessible: Check, city: Account, batch: Batch) -> None:
    owner = factories.make_account(roles.ENTERPRISE)
    first = factories.submitted(owner, batch, seed=1)
    second = factories.submitted(batch=batch, seed=2)
    live.sign_in(page, city)

    page.goto("/todo/")
    expect(page.get_by_role("heading", name="我的待办")).to_be_visible()
    accessible(page)
    narrow(page)
    page.get_by_role("link", name="从最急的开始办").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(str(first.enterprise_name))
    accessible(page)
    narrow(page)

    # Return the first one: a remark on one answer, written in place while the opinion is half written.
    page.get_by_label("给企业的意见").fill("请按批注修改，其他内容不用改。")
    page.locator("dt#f-profit + dd").hover()
    page.get_by_role("link", name="写批注：2023年利润").click()
    box = page.locator("#w-profit")
    expect(box).to_be_focused()
    page.locator("#slot-profit").get_by_role("button", name="保存批注").click()
    expect(page.locator("#slot-profit .sb-error")).to_contain_text("请写明哪里要改")
    page.locator("#w-profit").fill("请按审计报告利润表修改。")
    page.locator("#slot-profit").get_by_role("button", name="保存批注").click()
    expect(page.locator("#slot-profit")).to_contain_text("还没发给企业")
    expect(page.locator("#verdict-note")).to_contain_text("企业只能改 1 个有批注的地方")
    expect(page.get_by_label("给企业的意见")).to_have_value("请按批注修改，其他内容不用改。")
    expect(page.locator("#decide")).to_have_text("退回企业")
    accessible(page)
    page.locator("#decide").click()
    expect(page.locator(".sb-toast")).to_contain_text("已退回企业")
    assert factories.find(first.public_id).reopened == ["profit"]

    # The next one is confirmed.
    page.locator(".sb-toast").get_by_role("link", name="办下一件").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(str(second.enterprise_name))
    page.get_by_label("初审确认").check()
    page.locator("#decide").click()
    expect(page.get_by_role("alert").first).to_contain_text("还有 5 项没有核对")
    page.get_by_role("button", name="全部符合").click()
    page.get_by_label("给企业的意见").fill("材料齐全，同意。")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".sb-toast")).to_contain_text("已通过这一步")
    assert factories.find(second.public_id).step_key == "stamping"

    # It comes back changed: the difference stands first, the remark is settled, then it goes on.
    save_answers(owner, first.public_id, {"profit": "12.34"})
    factories.perform(owner, factories.find(first.public_id), "resubmit")
    page.goto("/todo/")
    expect(page.locator(".sb-tag", has_text="再次提交")).to_be_visible()
    page.get_by_role("link", name="审核：").click()
    expect(page.get_by_role("heading", name="与第 1 版相比改了 1 处")).to_be_visible()
    expect(page.locator("ins")).to_contain_text("12.34 万元")
    accessible(page)
    narrow(page)
    expect(page.get_by_label("初审确认")).to_be_disabled()
    page.get_by_role("button", name="标为已解决：2023年利润").click()
    expect(page.get_by_label("初审确认")).to_be_enabled()
    page.get_by_label("初审确认").check()
    page.get_by_role("button", name="全部符合").click()
    page.locator("#decide").click()
    expect(page.locator(".sb-toast")).to_contain_text("已通过这一步")
    assert factories.find(first.public_id).step_key == "stamping"


def test_two_clerks_and_nothing_is_lost(live: Live, page: Page, accessible: Check, city: Account, batch: Batch) -> None:
    declaration = factories.submitted(batch=batch)
    live.sign_in(page, city)
    page.goto(f"/review/{declaration.public_id}/")
    factories.perform(
        factories.make_account(roles.CITY, display_name="陈立"), declaration, "confirm", "材料齐全，同意。"
    )
    page.get_by_label("退回修改").check()
    page.get_by_label("给企业的意见").fill("请核对营业收入和企业规模。")
    page.locator("#decide").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("这件申报刚被办过，您的意见还没提交")
    expect(page.get_by_text("请核对营业收入和企业规模。")).to_be_visible()
    accessible(page)
    narrow(page)
    page.get_by_role("button", name="把我的意见存为批注").click()
    expect(page.locator(".sb-remark p").first).to_have_text("请核对营业收入和企业规模。")


def decided(city: Account, batch: Batch, seed: int) -> None:
    owner = factories.make_account(roles.ENTERPRISE)
    declaration = factories.submitted(owner, batch, seed=seed)
    factories.perform(city, declaration, "confirm")
    factories.attach(declaration, "stamped_material")
    factories.perform(owner, declaration, "stamp")
    factories.perform(city, declaration, "confirm")


def test_a_list_is_published(live: Live, page: Page, accessible: Check, city: Account, batch: Batch) -> None:
    decided(city, batch, 1)
    decided(city, batch, 2)
    live.sign_in(page, city)
    page.goto("/batches/")
    accessible(page)
    narrow(page)
    page.get_by_role("link", name="企业培育入库 · 2026 年第一批").click()
    accessible(page)
    narrow(page)
    page.get_by_role("link", name="选企业公布名单").click()
    page.get_by_label("全选").check()
    expect(page.get_by_text("已选 2 家")).to_be_visible()
    accessible(page)
    narrow(page)
    page.get_by_role("button", name="预览名单").click()
    expect(page.get_by_text("公布以后不能撤回")).to_be_visible()
    accessible(page)
    narrow(page)
    page.get_by_role("button", name="公布名单").click()
    page.wait_for_url("**/publicity/**")
    expect(page.get_by_role("heading", level=1)).to_contain_text("培育入库企业名单")


def test_an_expert_scores(live: Live, page: Page, accessible: Check, city: Account) -> None:
    owner = factories.make_account(roles.ENTERPRISE)
    declaration = factories.submitted(owner, factories.make_batch(parameters={"expert_step": True}))
    factories.perform(city, declaration, "confirm")
    factories.attach(declaration, "stamped_material")
    factories.perform(owner, declaration, "stamp")
    factories.perform(city, declaration, "confirm")
    expert = factories.make_account(roles.EXPERT, display_name="张教授")
    live.sign_in(page, city)
    page.goto(f"/review/{declaration.public_id}/")
    page.get_by_label("张教授").check()
    accessible(page)
    page.get_by_role("button", name="分派专家").click()
    expect(page.get_by_text("0 / 1 位已评")).to_be_visible()

    live.sign_in(page, expert)
    page.goto("/todo/")
    page.get_by_role("link", name="评审：").click()
    page.get_by_role("button", name="提交评审意见").click()
    expect(page.get_by_text("还有 7 处要改")).to_be_visible()
    accessible(page)
    narrow(page)
    for field in page.locator("input[name^='points.']").all():
        field.fill("12")
    expect(page.locator("[data-total]")).to_have_text("60")
    page.get_by_label("同意", exact=True).check()
    page.get_by_label("评审意见").fill("方案可行。")
    page.get_by_role("button", name="提交评审意见").click()
    expect(page.get_by_role("heading", name="我的评审意见")).to_be_visible()
    accessible(page)
    assert factories.find(declaration.public_id).step_key == "publish_list"


def test_settings_of_a_batch(live: Live, page: Page, accessible: Check, city: Account, batch: Batch) -> None:
    live.sign_in(page, city)
    page.goto(f"/batches/{batch.public_id}/settings")
    page.get_by_label("报表年度").fill("二〇二五")
    page.get_by_role("button", name="保存设置").click()
    expect(page.get_by_text("还有 1 处要改")).to_be_visible()
    accessible(page)
    narrow(page)
    page.get_by_label("报表年度").fill("2025")
    page.get_by_label("专家评审").select_option("yes")
    page.get_by_role("button", name="保存设置").click()
    expect(page.get_by_text("批次设置已保存")).to_be_visible()
