"""An administrator makes a key, copies it, and ends it: wide and narrow, readable for everybody."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.models.base import now
from app.permissions import roles
from app.workflow.calendar import local_date
from tests import factories
from tests.e2e.conftest import Live


def read(live: Live, key: str, path: str) -> tuple[int, Any]:
    """What another system gets with ``key``."""
    request = urllib.request.Request(f"{live.url}/api/v1/{path}", headers={"Authorization": f"Bearer {key}"})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


@pytest.mark.parametrize("width", [1280, 360])
def test_a_key_from_its_making_to_its_end(
    live: Live, page: Page, accessible: Callable[[Page], None], width: int
) -> None:
    page.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
    page.set_viewport_size({"width": width, "height": 800})
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=live.url)
    clerk = factories.make_account(roles.DISTRICT)
    live.sign_in(page, factories.make_account(roles.ADMIN))
    page.goto("/messages/")
    page.get_by_role("navigation", name="主导航").get_by_role("link", name="系统").click()
    expect(page.get_by_role("heading", name="还没有令牌")).to_be_visible()
    accessible(page)

    page.get_by_label("用途").fill("市大数据平台")
    page.get_by_role("textbox", name="账号").fill(clerk.username)
    page.get_by_label("用到哪一天").fill((local_date(now()) + timedelta(days=30)).isoformat())
    page.get_by_label("您的密码").fill("Cuowu-2026-mima")
    page.get_by_text("点开可以只选几张").click()
    page.get_by_label("企业", exact=True).check()
    page.get_by_role("button", name="新建令牌").click()
    expect(page.locator("#field-password .sb-error")).to_contain_text("密码不对")
    expect(page.get_by_label("企业", exact=True)).to_be_checked()
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

    page.get_by_label("您的密码").fill(factories.PASSWORD)
    page.get_by_role("button", name="新建令牌").click()
    expect(page.get_by_role("heading", name="新令牌")).to_be_visible()
    key = page.get_by_label("令牌", exact=True).input_value()
    page.get_by_role("button", name="复制").click()
    expect(page.get_by_role("button", name="已复制")).to_be_visible()
    assert page.evaluate("() => navigator.clipboard.readText()") == key
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

    status, body = read(live, key, "")
    assert (status, [r["name"] for r in body["resources"]]) == (200, ["enterprise"])
    page.goto("/system/tokens/")
    assert key not in page.content()
    expect(page.locator("tbody")).to_contain_text("市大数据平台")

    page.get_by_role("button", name="停用 市大数据平台").click()
    dialog = page.locator("#confirm")
    expect(dialog).to_contain_text("马上读不到数据")
    dialog.get_by_role("button", name="停用").click()
    expect(page.get_by_text("令牌“市大数据平台”已停用", exact=False)).to_be_visible()
    assert read(live, key, "enterprise")[0] == 401
    accessible(page)
