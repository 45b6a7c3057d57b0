"""A person registers with the slider, is signed in, signs out, mistypes the password, and comes back by SMS."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests import factories
from tests.e2e.conftest import Live
from tests.sign_in import GOOD, PHONE, answer_of, forget_pauses, last_code

NARROW = {"width": 360, "height": 780}


def slide_home(page: Page) -> None:
    """Move the piece to its place with the arrow keys."""
    slide = page.get_by_label(re.compile("向右拖"))
    token = page.locator("input[name=token]").input_value()
    slide.focus()
    for _step in range(int(answer_of(token))):
        page.keyboard.press("ArrowRight")
    piece = page.locator("[data-piece=answer]")
    assert piece.get_attribute("x") == slide.input_value() == answer_of(token)


def fits(page: Page) -> bool:
    """Whether nothing makes the page scroll sideways."""
    return page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_registration_and_the_ways_back(live: Live, page: Page, accessible: Callable[[Page], None]) -> None:
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if "Content Security" in message.text else None)
    page.goto("/account/register")
    accessible(page)
    page.get_by_label("用户名").fill("linye-wangmin")
    page.get_by_label("手机号").fill("1381234")
    page.get_by_role("button", name="获取验证码").click()
    expect(page.locator("#phone-e")).to_contain_text("现在是 7 位")
    page.get_by_label("手机号").fill(PHONE)
    slide_home(page)
    page.get_by_role("button", name="获取验证码").click()
    expect(page.get_by_text("验证已通过")).to_be_visible()
    expect(page.locator("#code")).to_be_focused()
    expect(page.get_by_role("button", name="重新获取")).to_be_disabled()
    expect(page.get_by_text(re.compile(r"\d+ 秒后可以重发"))).to_be_visible()
    assert page.get_by_label("用户名").input_value() == "linye-wangmin"
    page.locator("#code").fill(last_code())
    page.get_by_label("密码", exact=True).fill("linye")
    expect(page.locator("[data-rule=length]")).not_to_have_attribute("data-state", "done")
    page.get_by_label("密码", exact=True).fill(GOOD)
    for rule in ("length", "classes", "own"):
        expect(page.locator(f"[data-rule={rule}]")).to_have_attribute("data-state", "done")
    page.get_by_label("再输一次密码").fill(GOOD)
    page.get_by_label(re.compile("我已读过")).check()
    accessible(page)
    page.get_by_label("再输一次密码").press("Enter")
    page.wait_for_url("**/workbench/")
    expect(page.get_by_text("注册好了")).to_be_visible()

    page.get_by_role("button", name="退出").click()
    page.wait_for_url(live.url + "/")
    page.goto("/account/login?next=/messages/")
    page.get_by_label("用户名", exact=True).fill("linye-wangmin")
    page.get_by_label("密码", exact=True).fill("falsch")
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("用户名或密码不对")
    accessible(page)
    page.get_by_label("密码", exact=True).fill(GOOD)
    page.get_by_role("button", name="登录", exact=True).click()
    page.wait_for_url("**/messages/")
    page.goto("/account/")
    accessible(page)
    page.get_by_role("button", name="退出").click()

    forget_pauses()
    page.goto("/account/login?way=sms")
    accessible(page)
    page.get_by_label("手机号", exact=True).fill(PHONE)
    page.get_by_role("button", name="滑不了？改用图片验证码").click()
    expect(page.get_by_label("照图片输入 4 位数字")).to_be_visible()
    page.get_by_label("照图片输入 4 位数字").fill(answer_of(page.locator("input[name=token]").input_value()))
    accessible(page)
    page.get_by_role("button", name="获取验证码").click()
    expect(page.get_by_text("验证已通过")).to_be_visible()
    page.locator("#code").fill(last_code())
    page.get_by_label("记住手机号").check()
    page.get_by_role("button", name="登录", exact=True).click()
    page.wait_for_url("**/workbench/")
    assert problems == []


@pytest.mark.parametrize("path", ["/account/register", "/account/login", "/account/login?way=sms", "/account/recover",
                                  "/account/agreement", "/account/privacy"])  # fmt: skip
def test_pages_fit_a_narrow_screen(live: Live, page: Page, accessible: Callable[[Page], None], path: str) -> None:
    page.set_viewport_size(NARROW)
    page.goto(path)
    assert fits(page)
    accessible(page)


@pytest.mark.parametrize("path", ["/account/", "/account/password"])
def test_the_own_account_fits_a_narrow_screen(
    live: Live, page: Page, accessible: Callable[[Page], None], path: str
) -> None:
    live.sign_in(page, factories.make_account("individual"))
    page.set_viewport_size(NARROW)
    page.goto(path)
    assert fits(page)
    accessible(page)
