"""The ground of the browser tests: page, sign-in, headers as a browser sees them."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from app.permissions import roles
from tests import factories
from tests.e2e.conftest import Live


def test_portal_opens_without_errors_in_the_console(live: Live, page: Page, accessible: Callable[[Page], None]) -> None:
    problems: list[str] = []
    page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
    page.on("requestfailed", lambda r: problems.append(r.url))
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    assert problems == []
    accessible(page)


def test_nothing_comes_from_outside(live: Live, page: Page) -> None:
    hosts: set[str] = set()
    page.on("request", lambda r: hosts.add(r.url.split("/")[2]))
    page.goto("/")
    assert hosts == {live.url.split("/")[2]}


def test_sign_in_without_the_page(live: Live, page: Page) -> None:
    live.sign_in(page, factories.make_account(roles.CITY))
    page.goto("/todo/")
    assert page.url == f"{live.url}/todo/"
