"""An administrator makes an address, tries it, and sees what arrived: wide and narrow, readable for everybody."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from app.permissions import roles
from tests import factories
from tests.e2e.conftest import Live
from tests.factories_webhook import make_webhook


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.parametrize("width", [1280, 360])
def test_an_address_from_its_making_to_its_end(
    live: Live, page: Page, accessible: Callable[[Page], None], width: int
) -> None:
    page.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
    page.set_viewport_size({"width": width, "height": 800})
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=live.url)
    live.sign_in(page, factories.make_account(roles.ADMIN))
    page.goto("/system/tokens/")
    page.get_by_role("navigation", name="系统").get_by_role("link", name="事件推送").click()
    expect(page.get_by_role("heading", name="还没有推送")).to_be_visible()
    accessible(page)
    assert fits(page)

    page.get_by_label("用途").fill("市大数据平台")
    page.get_by_label("地址").fill("https://10.1.2.3/in")
    page.get_by_label("您的密码").fill(factories.PASSWORD)
    page.get_by_text("点开可以只选几种").click()
    page.get_by_label("退回修改", exact=True).check()
    page.get_by_role("button", name="新建推送").click()
    expect(page.locator("#field-url .sb-error")).to_contain_text("在内部网络里")
    expect(page.get_by_label("退回修改", exact=True)).to_be_checked()
    accessible(page)
    assert fits(page)

    page.get_by_label("地址").fill("https://hooks.invalid/in?key=1")
    page.get_by_label("您的密码").fill(factories.PASSWORD)
    page.get_by_role("button", name="新建推送").click()
    expect(page.get_by_role("heading", name="新密钥")).to_be_visible()
    secret = page.get_by_role("textbox", name="密钥").input_value()
    page.get_by_role("button", name="复制").click()
    expect(page.get_by_role("button", name="已复制")).to_be_visible()
    assert page.evaluate("() => navigator.clipboard.readText()") == secret
    accessible(page)
    assert fits(page)

    page.get_by_role("button", name="发送测试").click()
    expect(page.get_by_text("测试已交给后台发送", exact=False)).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="测试")).to_have_count(1)
    assert secret not in page.content()
    accessible(page)
    assert fits(page)

    page.get_by_role("button", name="停用推送").click()
    page.locator("#confirm").get_by_role("button", name="停用").click()
    expect(page.get_by_text("“市大数据平台”已停用", exact=False)).to_be_visible()
    expect(page.get_by_role("button", name="启用推送")).to_be_visible()


def test_a_full_list_fits_a_phone(live: Live, page: Page, accessible: Callable[[Page], None]) -> None:
    hook = make_webhook("https://hooks.example.com/" + "x" * 300, events=["confirm", "return"], name="长" * 60)
    factories.submitted()
    live.sign_in(page, factories.make_account(roles.ADMIN))
    page.set_viewport_size({"width": 360, "height": 800})
    for address in ("/system/webhooks/", f"/system/webhooks/{hook.public_id}"):
        page.goto(address)
        accessible(page)
        assert fits(page), address
