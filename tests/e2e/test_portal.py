"""Portal, workbench and enterprise pages in a real browser: by keyboard and pointer, wide and narrow, without axe's findings."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.extensions import db
from app.models import Challenge, PublicListEntry
from app.permissions import roles
from tests import factories
from tests.e2e.conftest import Live
from tests.factories_certification import sent_certification, uncertified
from tests.factories_portal import make_message, make_notice, make_printed, make_public_list

Check = Callable[[Page], None]


def fits(page: Page) -> None:
    """Nothing scrolls sideways."""
    assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth"), page.url


def test_the_public_finds_its_way(live: Live, page: Page, accessible: Check) -> None:
    batch = factories.make_batch(title="首批")
    for number in range(12):
        make_notice(f"第{number}号通知")
    make_notice("省里的通知", level="province")
    listed = make_public_list(batch, 25)
    entry = db.session.scalars(select(PublicListEntry).where(PublicListEntry.list_id == listed.id)).first()

    page.goto("/")
    page.get_by_role("link", name="省级").click()
    expect(page.get_by_role("link", name="省里的通知")).to_be_visible()
    page.get_by_role("link", name="更多：通知公告").click()
    page.get_by_role("link", name="全部", exact=True).click()
    page.get_by_role("link", name="下一页").click()
    expect(page.get_by_role("navigation", name="分页")).to_contain_text("第 2 / 2 页")
    page.get_by_role("navigation", name="主导航").get_by_role("link", name="公示").click()
    page.get_by_role("link", name=listed.title).click()
    page.get_by_label("企业名称或信用代码").fill("装备25号")
    page.keyboard.press("Enter")
    expect(page.get_by_role("row")).to_have_count(2)
    accessible(page)

    page.goto("/")
    page.get_by_label("企业名称或统一社会信用代码").fill(entry.credit_code)
    page.keyboard.press("Enter")
    expect(page.get_by_label("统一社会信用代码")).to_have_value(entry.credit_code)
    page.get_by_label("企业名称").fill(entry.enterprise_name)
    token = page.locator("input[name=token]").input_value()
    db.session.rollback()
    page.get_by_label("图片验证码").fill(
        db.session.scalars(select(Challenge.answer).where(Challenge.token == token)).one()
    )
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name=entry.enterprise_name)).to_contain_text("培育入库企业")
    accessible(page)


def test_an_enterprise_goes_from_a_message_to_a_declaration(live: Live, page: Page, accessible: Check) -> None:
    factories.make_batch(title="首批")
    user = factories.make_account(roles.ENTERPRISE)
    make_message(user, "申报开始了", link=f"/programmes/{factories.INTAKE}/")
    live.sign_in(page, user)
    page.goto("/workbench/")
    menu = page.get_by_role("navigation", name="全部功能")
    expect(menu.get_by_role("link", name="我的消息")).to_contain_text("1")
    page.get_by_role("button", name="申报开始了").click()
    expect(page.get_by_role("heading", name="申报开始了")).to_be_visible()
    expect(menu.get_by_role("link", name="我的消息")).not_to_contain_text("1")
    accessible(page)
    page.get_by_role("link", name="去看这件事").click()
    expect(page.get_by_role("heading", name="申报条件")).to_be_visible()
    expect(menu.locator("[aria-current]")).to_have_text(["企业培育入库"])
    page.get_by_role("button", name="添加：企业培育入库").click()
    page.wait_for_url("**/declarations/**")
    page.goto("/workbench/")
    expect(page.get_by_role("heading", name="填完并提交")).to_be_visible()
    expect(page.locator(".sb-card.focus").get_by_role("link", name="继续填")).to_be_visible()


def test_a_new_enterprise_is_led_to_certification(live: Live, page: Page) -> None:
    factories.make_batch()
    live.sign_in(page, uncertified())
    page.goto(f"/programmes/{factories.INTAKE}/")
    page.get_by_role("main").get_by_role("link", name="去办企业认证").first.click()
    page.get_by_role("button", name="开始认证：企业认证").click()
    page.wait_for_url("**/declarations/**")
    page.goto("/enterprise/certification/")
    expect(page.get_by_role("link", name="继续填")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 360])
def test_every_page_is_accessible_and_fits(live: Live, page: Page, accessible: Check, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    batch = factories.make_batch(title="首批")
    notice, listed = make_notice(), make_public_list(batch, 22)
    sender, certified, individual = (
        uncertified(),
        factories.make_account(roles.ENTERPRISE),
        factories.make_account(roles.INDIVIDUAL),
    )
    sent_certification(sender)
    make_printed(db.session.scalars(select(PublicListEntry)).unique().first().declaration, "7K3F-92QD")
    make_message(certified)
    public = [
        "/",
        "/notices/",
        f"/notices/{notice.public_id}/",
        "/publicity/",
        f"/publicity/{listed.public_id}/",
        "/recognitions/",
        "/verify/",
        "/verify/7K3F-92QD",
    ]
    own = [
        "/workbench/",
        "/programmes/",
        f"/programmes/{factories.INTAKE}/",
        "/enterprise/",
        "/enterprise/certification/",
        "/messages/",
    ]
    visits = [
        (None, public),
        (certified, own),
        (sender, own[:1] + own[4:5]),
        (individual, ["/workbench/", "/programmes/", "/messages/"]),
    ]
    for account, addresses in visits:
        if account is not None:
            live.sign_in(page, account)
        for address in addresses:
            page.goto(address)
            accessible(page)
            fits(page)
    assert errors == []
