"""The page on which staff confirm their sign-in by SMS code: wide and narrow, with every state it can be in."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from app.permissions import roles
from tests import factories
from tests.e2e.conftest import Live
from tests.sign_in import forget_pauses, last_code


@pytest.fixture
def careful(live: Live) -> Iterator[Live]:
    """The site with the second factor switched on."""
    before = live.app.config["SETTINGS"]
    live.app.config["SETTINGS"] = dataclasses.replace(before, staff_second_factor=True)
    yield live
    live.app.config["SETTINGS"] = before


@pytest.mark.parametrize("width", [1280, 360])
def test_staff_confirm_by_code(careful: Live, page: Page, accessible: Callable[[Page], None], width: int) -> None:
    page.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
    page.set_viewport_size({"width": width, "height": 780})
    officer = factories.make_account(roles.CITY, phone="13900001234")
    page.goto("/account/login?next=/batches/")
    page.locator("input[name=username]").fill(officer.username)
    page.locator("input[name=password]").fill(factories.PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="短信核验")).to_be_visible()
    expect(page.locator("main")).to_contain_text("139****1234")
    assert page.url.endswith("/account/second?next=/batches/")
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

    code = page.locator("#code")
    code.fill("000000")
    page.keyboard.press("Enter")
    expect(page.locator("main .sb-error").first).to_be_visible()
    expect(code).to_have_attribute("aria-invalid", "true")
    accessible(page)

    forget_pauses()
    page.get_by_role("button", name="重新获取").click()
    expect(page.get_by_text("验证码已重新发出")).to_be_visible()
    accessible(page)

    code.fill(last_code("13900001234"))
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page).to_have_url(f"{careful.url}/batches/")
