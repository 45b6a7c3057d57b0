"""An administrator's day in a real browser: find, export, add, correct, set aside, give a right; wide and narrow."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
import python_calamine
from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.extensions import db
from app.models import Account, Declaration, Event, Holiday, Revision
from app.permissions import roles
from app.services.permission import doors_of_role
from tests import factories
from tests.e2e.conftest import Live

Check = Callable[[Page], None]
FORM = f"form_{factories.INTAKE}"
WHY = "企业来函说明单位写错，见存档 12 号。"


def look(page: Page, accessible: Check) -> None:
    """Readable for everybody, and nothing scrolls sideways on the narrowest screen."""
    accessible(page)
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (page.url, width)
    page.set_viewport_size({"width": 1280, "height": 900})


@pytest.fixture
def admin(live: Live, page: Page) -> Account:
    page.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
    return factories.make_account(roles.ADMIN, display_name="赵管理")


@pytest.fixture
def sent(live: Live) -> list[Declaration]:
    batch = factories.make_batch(title="2026 年第一批")
    return [factories.submitted(batch=batch, seed=n) for n in (1, 2)]


def test_a_day(live: Live, page: Page, accessible: Check, admin: Account, sent: list[Declaration]) -> None:
    first, second = ((d.serial_no, d.enterprise_name, d.public_id, d.id) for d in sent)
    live.sign_in(page, admin)

    # Find one of many: the name is picked while one types, the choice stands in the address.
    page.goto("/admin/")
    page.get_by_role("link", name="全部申报").click()
    page.get_by_text("筛选", exact=True).click()
    box = page.get_by_role("combobox", name="企业名称", exact=True)
    box.press_sequentially(str(first[1])[8:14])
    page.get_by_role("option").filter(has_text=str(first[1])).click()
    page.get_by_role("button", name="查找").click()
    expect(page.get_by_text("共 1 条", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name=f"企业名称 包含 {first[1]}")).to_be_visible()
    look(page, accessible)
    with page.expect_download() as download:
        page.get_by_role("link", name="导出这 1 条").click()
    rows = python_calamine.load_workbook(io.BytesIO(Path(download.value.path()).read_bytes())).get_sheet_by_index(0)
    assert [row[0] for row in rows.to_python()] == ["受理号", first[0]]

    # Reference data: a day off, and its sentence when it is there already.
    page.goto("/admin/holiday/list/")
    page.get_by_role("link", name="添加").click()
    page.get_by_label("日期").fill("2031-05-01")
    page.get_by_label("名称").fill("劳动节")
    look(page, accessible)
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("link", name="2031-05-01", exact=True)).to_be_visible()
    page.get_by_role("link", name="添加").click()
    page.get_by_label("日期").fill("2031-05-01")
    page.get_by_label("名称").fill("重复的")
    page.get_by_role("button", name="保存").click()
    expect(page.locator(".sb-error")).to_contain_text("已经有这一条了")
    expect(page.get_by_label("名称")).to_have_value("重复的")
    assert (
        len(db.session.scalars(select(Holiday).where(Holiday.name == "劳动节", Holiday.day == "2031-05-01")).all()) == 1
    )

    # Correct: the change is shown before it is made; the version, its reason and the event are there afterwards.
    page.goto(f"/admin/{FORM}/list/?_flt_1_declaration.serial_no={first[0]}")
    page.locator("tbody th a").first.click()
    expect(page.get_by_role("link", name="更正")).to_be_visible()
    look(page, accessible)
    page.get_by_role("link", name="更正").click()
    look(page, accessible)
    page.get_by_label("2023年利润").fill("很多")
    page.get_by_role("button", name="看变化").click()
    expect(page.get_by_role("alert")).to_contain_text("还有 1 处要改")
    page.get_by_label("2023年利润").fill("123.45")
    page.get_by_role("button", name="看变化").click()
    expect(page.get_by_role("table")).to_contain_text("123.45 万元")
    page.get_by_role("button", name="保存更正").click()
    expect(page.locator("#reason-e")).to_contain_text("请写明理由")
    look(page, accessible)
    page.get_by_label("理由").fill(WHY)
    page.get_by_role("button", name="保存更正").click()
    expect(page.get_by_text("存为第 2 版")).to_be_visible()
    expect(page.get_by_text("123.45 万元")).to_be_visible()
    revision = db.session.scalars(
        select(Revision).where(Revision.declaration_id == first[3], Revision.number == 2)
    ).one()
    assert revision.reason == WHY
    page.goto("/admin/event/list/?_flt_1_label=更正")
    expect(page.get_by_role("row").filter(has_text=WHY)).to_have_count(1)

    # Set one aside.
    page.goto(f"/admin/{FORM}/list/?_flt_1_declaration.serial_no={second[0]}")
    page.locator("tbody th a").first.click()
    page.get_by_role("link", name="作废").click()
    look(page, accessible)
    page.get_by_label("理由").fill("重复申报。")
    page.get_by_role("button", name="作废").click()
    expect(page.get_by_text("已作废，企业已收到消息。")).to_be_visible()
    assert factories.find(str(second[2])).status == "void"

    # Give the districts a door.
    page.get_by_role("navigation", name="主导航").get_by_role("link", name="系统").click()
    page.get_by_role("link", name="角色权限").click()
    look(page, accessible)
    page.get_by_role("link", name="区县工信").click()
    records = page.get_by_role("group", name="办理记录", exact=True)
    records.get_by_label("列表").check()
    page.get_by_label("您的密码").fill(factories.PASSWORD)
    look(page, accessible)
    page.get_by_role("button", name="保存权限").click()
    expect(page.get_by_text("加上 1 项，去掉 0 项")).to_be_visible()
    assert ("event", "list") in doors_of_role(roles.DISTRICT)
    assert db.session.scalars(select(Event.label).order_by(Event.id.desc())).first() == "修改角色权限"


def test_filling_in_for_an_enterprise(live: Live, page: Page, accessible: Check, admin: Account) -> None:
    owner = factories.make_account(roles.ENTERPRISE)
    firm, batch = owner.enterprise, factories.make_batch(title="2026 年第二批")
    assert firm is not None and batch is not None
    name = str(firm.name)
    live.sign_in(page, admin)
    page.goto(f"/admin/{FORM}/list/")
    page.get_by_role("link", name="代企业填报").click()
    page.get_by_role("combobox", name="企业").press_sequentially(name[8:14])
    page.get_by_role("option").filter(has_text=name).click()
    page.get_by_label("依据").fill("企业来函 3 号。")
    look(page, accessible)
    page.get_by_role("button", name="开始代填").click()
    expect(page.get_by_role("heading", name="真实性承诺")).to_be_visible()
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="同意，开始填写").click()
    expect(page.get_by_label("2023年利润")).to_be_visible()
    live.sign_in(page, db.session.get_one(Account, owner.id))
    page.goto("/declarations/")
    expect(page.get_by_text("由赵管理代填")).to_be_visible()
    look(page, accessible)
