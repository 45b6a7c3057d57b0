"""Two clerks at one queue in real browsers: who has what, taking over, several at once with one that a colleague was faster at."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from app.models import Account, Declaration
from app.permissions import roles
from tests import factories
from tests.e2e.conftest import Live
from tests.e2e.test_review import Check, narrow


@pytest.fixture
def zhang(live: Live) -> Account:
    return factories.make_account(roles.CITY, display_name="张科员")


@pytest.fixture
def li(live: Live) -> Account:
    return factories.make_account(roles.CITY, display_name="李科员")


@pytest.fixture
def other(new_context: Callable[..., BrowserContext]) -> Page:
    """A second browser on another desk."""
    return new_context().new_page()


def tick_all(page: Page) -> None:
    for box in page.locator("input[name=check]").all():
        box.check()


def test_two_clerks_and_one_declaration(
    live: Live, page: Page, other: Page, accessible: Check, zhang: Account, li: Account
) -> None:
    declaration = factories.submitted()
    review = f"/review/{declaration.public_id}/"
    live.sign_in(page, zhang)
    live.sign_in(other, li)
    page.goto(review)
    other.goto(review)
    page.get_by_role("button", name="认领", exact=True).click()
    expect(page.locator(".sb-holder")).to_contain_text("市工信·张科员")
    accessible(page)
    narrow(page)

    # The other page still offers it: whoever is second is told who was first, and when.
    other.get_by_role("button", name="认领", exact=True).click()
    expect(other.get_by_role("alert")).to_contain_text("张科员作了“认领”")
    accessible(other)
    narrow(other)
    other.goto(review)
    expect(other.locator(".sb-holder")).to_contain_text("市工信·张科员")
    expect(other.get_by_label("初审确认")).to_be_disabled()
    expect(other.locator("#verdict-note")).to_contain_text("由张科员")

    # Taking over asks once; then the first one's words are refused and kept.
    page.get_by_label("给企业的意见").fill("利润与审计报告不一致，请核对。")
    other.get_by_role("link", name="接手").focus()
    other.keyboard.press("Enter")
    expect(other.get_by_text("原来在办的同事会收到消息")).to_be_visible()
    accessible(other)
    narrow(other)
    other.get_by_role("button", name="接手").click()
    expect(other.locator(".sb-holder")).to_contain_text("市工信·李科员")
    page.get_by_label("退回修改").check()
    page.locator("#decide").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("这件申报刚被办过，您的意见还没提交")
    expect(page.get_by_text("利润与审计报告不一致，请核对。")).to_be_visible()
    expect(page.get_by_text("李科员作了“接手”")).to_be_visible()
    assert factories.find(declaration.public_id).claimed_by == li.id

    # Handed back with a word.
    other.get_by_role("link", name="转交").click()
    other.get_by_label("同事", exact=True).select_option(label="张科员")
    other.get_by_label("留言").fill("您接着办吧。")
    accessible(other)
    other.get_by_role("button", name="转交").click()
    expect(other.locator(".sb-toast")).to_contain_text("已转交")
    assert factories.find(declaration.public_id).claimed_by == zhang.id
    page.goto("/messages/")
    expect(page.get_by_text("李科员转交给您一件申报")).to_be_visible()


def submitted(count: int) -> list[Declaration]:
    batch = factories.make_batch(title="2026 年第一批")
    return [factories.submitted(batch=batch, seed=n) for n in range(1, count + 1)]


def test_five_at_once_and_one_was_faster(
    live: Live, page: Page, accessible: Check, zhang: Account, li: Account
) -> None:
    found = submitted(5)
    live.sign_in(page, zhang)
    page.goto("/todo/")
    accessible(page)
    narrow(page)
    page.get_by_label("本页全选").focus()
    page.keyboard.press("Space")
    expect(page.get_by_text("已选 5 件")).to_be_visible()
    page.get_by_label("一起办").select_option(label="通过")
    page.get_by_role("button", name="预览").click()
    expect(page.get_by_text("下面逐件列出能不能办，还什么都没有做")).to_be_visible()
    expect(page.get_by_text("能办 5 件")).to_be_visible()
    accessible(page)
    narrow(page)
    factories.perform(li, found[2], "return", "请核对利润。")
    tick_all(page)
    page.get_by_label("给企业的意见").fill("材料齐全，同意。")
    page.get_by_role("button", name="通过 5 件").click()
    expect(page.get_by_text("办成 4 件，没办成 1 件")).to_be_visible()
    expect(page.get_by_text("李科员作了“退回修改”")).to_be_visible()
    accessible(page)
    narrow(page)
    page.reload()
    expect(page.get_by_text("办成 4 件，没办成 1 件")).to_be_visible()
    states = [factories.find(d.public_id).step_key or factories.find(d.public_id).status for d in found]
    assert states == ["stamping", "stamping", "returned", "stamping", "stamping"]


def test_chips_narrow_the_queue(live: Live, page: Page, accessible: Check, zhang: Account, li: Account) -> None:
    found = submitted(3)
    live.sign_in(page, zhang)
    page.goto(f"/review/{found[1].public_id}/")
    page.get_by_role("button", name="认领", exact=True).click()
    page.goto("/todo/")
    page.get_by_role("link", name="我的 1").click()
    expect(page.locator(".sb-todo")).to_have_count(1)
    expect(page.locator(".sb-todo")).to_contain_text(str(found[1].enterprise_name))
    expect(page.locator(".sb-todo")).to_contain_text("市工信·张科员")
    accessible(page)
    narrow(page)
    page.get_by_role("link", name="清空", exact=True).click()
    expect(page.locator(".sb-todo")).to_have_count(3)
