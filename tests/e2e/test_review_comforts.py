"""The review page at work: how few actions a check takes, keys, papers beside the answers, notes, and the round trip of a return."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from app.extensions import db
from app.models import Account, Declaration, Event
from app.permissions import roles
from app.services import review
from app.services.answers import save_answers
from tests import factories
from tests.e2e.conftest import Live

Check = Callable[[Page], None]


class Hand:
    """Counts what a person does: a click or a key is one action."""

    def __init__(self, page: Page) -> None:
        self.page, self.actions = page, 0

    def click(self, name: str) -> None:
        self.actions += 1
        self.page.get_by_role("button", name=name, exact=True).click()

    def press(self, key: str) -> None:
        self.actions += 1
        self.page.keyboard.press(key)


@pytest.fixture
def city(live: Live) -> Account:
    return factories.make_account(roles.CITY, display_name="李静")


@pytest.fixture
def owner(live: Live) -> Account:
    return factories.make_account(roles.ENTERPRISE)


@pytest.fixture
def declaration(owner: Account) -> Declaration:
    return factories.submitted(owner, factories.make_batch(title="2026 年第一批"))


def narrow(page: Page) -> None:
    """Nothing scrolls sideways on the narrowest screen."""
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360, page.url
    page.set_viewport_size({"width": 1280, "height": 900})


def test_a_formal_check_takes_one_page_and_few_actions(
    live: Live, page: Page, accessible: Check, city: Account, declaration: Declaration
) -> None:
    live.sign_in(page, city)
    page.goto(f"/review/{declaration.public_id}/")
    accessible(page)
    narrow(page)
    here, hand = page.url, Hand(page)
    hand.click("全部符合")
    page.locator(".sb-phrases summary").click()
    hand.actions += 1
    accessible(page)
    hand.click("申报内容完整，与审计报告和信用报告一致，初审确认。")
    expect(page.get_by_label("给企业的意见")).to_be_focused()
    assert page.url == here
    hand.press("Control+Enter")
    expect(page.locator(".sb-toast")).to_contain_text("已通过这一步")
    assert hand.actions <= 6
    assert factories.find(declaration.public_id).step_key == "stamping"
    event = db.session.query(Event).filter_by(action="confirm").one()
    assert len(event.data["checks"]) == 6 and "信用报告没有严重失信记录" in event.data["checks"]
    assert event.opinion == "申报内容完整，与审计报告和信用报告一致，初审确认。"


def test_a_second_look_takes_three_keys(
    live: Live, page: Page, accessible: Check, city: Account, owner: Account, declaration: Declaration
) -> None:
    for path in ("profit", "revenue"):
        review.remark(city, declaration.public_id, path, "请按审计报告核对。")
    factories.perform(city, declaration, "return", "请按批注修改。")
    save_answers(owner, declaration.public_id, {"profit": "12.34", "revenue": "4321.00"})
    factories.perform(owner, declaration, "resubmit")
    live.sign_in(page, city)
    page.goto(f"/review/{declaration.public_id}/")
    expect(page.get_by_text("上一轮有 2 条批注等您看")).to_be_visible()
    expect(page.get_by_text("其余 ").first).to_be_visible()
    accessible(page)
    hand = Hand(page)
    hand.press("s")
    expect(page.locator(".sb-toast")).to_contain_text("2 条批注已标为已解决")
    hand.press("a")
    hand.press("Control+Enter")
    expect(page.locator(".sb-toast")).to_contain_text("已通过这一步")
    assert hand.actions <= 3
    assert factories.find(declaration.public_id).step_key == "stamping"


def test_keys_lead_and_never_while_typing(
    live: Live, page: Page, accessible: Check, city: Account, declaration: Declaration
) -> None:
    following = factories.submitted(batch=declaration.batch, seed=2)
    live.sign_in(page, city)
    page.goto(f"/review/{declaration.public_id}/")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="快捷键")
    expect(dialog).to_be_visible()
    accessible(page)
    page.keyboard.press("j")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()

    page.keyboard.press("2")
    expect(page.get_by_label("退回修改")).to_be_checked()
    expect(page.locator("#decide")).to_have_text("退回企业")
    page.keyboard.press("o")
    expect(page.get_by_role("button", name="请在“企业基本情况”里写明主要产品。")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".sb-phrases ul")).to_be_hidden()

    opinion = page.get_by_label("给企业的意见")
    opinion.press_sequentially("jkrp1?")
    expect(opinion).to_have_value("jkrp1?")
    expect(page.get_by_label("退回修改")).to_be_checked()
    expect(page.get_by_role("heading", level=1)).to_have_text(str(declaration.enterprise_name))
    opinion.blur()

    page.locator("#f-profit + dd").hover()
    page.keyboard.press("r")
    expect(page.locator("#w-profit")).to_be_focused()
    page.locator("#w-profit").press_sequentially("jk")
    expect(page.locator("#w-profit")).to_have_value("jk")
    page.locator("#w-profit").blur()

    page.get_by_role("button", name="快捷键").click()
    page.get_by_label("在这台电脑上用单个按键").uncheck()
    page.get_by_role("button", name="关闭").click()
    page.keyboard.press("j")
    page.keyboard.press("3")
    expect(page.get_by_label("退回修改")).to_be_checked()
    page.get_by_role("button", name="快捷键").click()
    page.get_by_label("在这台电脑上用单个按键").check()
    page.get_by_role("button", name="关闭").click()
    page.keyboard.press("j")
    expect(page.get_by_role("heading", level=1)).to_have_text(str(following.enterprise_name))
    page.keyboard.press("k")
    expect(page.get_by_role("heading", level=1)).to_have_text(str(declaration.enterprise_name))


def test_papers_open_beside_the_answer(live: Live, page: Page, city: Account, declaration: Declaration) -> None:
    live.sign_in(page, city)
    page.goto(f"/review/{declaration.public_id}/")
    tab = page.locator("#papers .sb-tabs [aria-current]")
    expect(tab).to_have_text("2023年度审计报告")
    link = page.locator("dt#f-credit_code + dd").get_by_role("link", name="看附件")
    link.scroll_into_view_if_needed()
    place = page.evaluate("scrollY")
    link.click()
    expect(tab).to_have_text("信用中国网站企业信用信息报告")
    assert page.evaluate("scrollY") == place and "file=" in page.url
    assert str(page.locator("#papers iframe").get_attribute("src")).endswith("#view=FitH")
    page.get_by_role("link", name="上一份附件").click()
    expect(tab).to_have_text("2023年度审计报告")
    page.keyboard.press("p")
    expect(tab).to_have_text("信用中国网站企业信用信息报告")
    page.keyboard.press("Shift+P")
    expect(tab).to_have_text("2023年度审计报告")
    page.reload()
    expect(tab).to_have_text("2023年度审计报告")


def test_a_note_stays_inside(
    live: Live, page: Page, accessible: Check, city: Account, owner: Account, declaration: Declaration
) -> None:
    live.sign_in(page, city)
    page.goto(f"/review/{declaration.public_id}/")
    page.get_by_role("button", name="加内部备注").click()
    expect(page.locator("#note-e")).to_contain_text("请写下要告诉同事的话")
    page.locator("#note").fill("去年也报过，材料是同一家做的。")
    page.get_by_role("button", name="加内部备注").click()
    expect(page.locator("#notes li")).to_contain_text("去年也报过")
    expect(page.locator("#notes li")).to_contain_text("李静")
    accessible(page)
    narrow(page)
    live.sign_in(page, owner)
    page.goto(f"/declarations/{declaration.public_id}/")
    expect(page.get_by_text("去年也报过")).to_have_count(0)
    expect(page.get_by_text("内部备注")).to_have_count(0)


def test_the_enterprise_changes_what_was_asked_and_no_more(
    live: Live, page: Page, accessible: Check, city: Account, owner: Account, declaration: Declaration
) -> None:
    opened = factories.load_as(city, declaration)
    row = opened.submitted.section("digital_basis").tables[0].rows[0].path
    for path, text in (("profit", "请核对。"), ("@audit_report", "年度不对。"), (row, "写具体一些。")):
        review.remark(city, declaration.public_id, path, text)
    factories.perform(city, declaration, "return", "请按批注修改。")
    live.sign_in(page, owner)
    page.goto(f"/declarations/{declaration.public_id}/sections/basic_info")
    note = page.locator("#returned")
    expect(note).to_contain_text("3 处要改，已改 0 处")
    expect(note.get_by_role("link")).to_have_count(3)
    accessible(page)
    narrow(page)
    expect(page.locator("#field-profit")).to_contain_text("请核对。")
    expect(page.get_by_label("2023年利润", exact=False).first).to_be_editable()
    expect(page.locator("#field-revenue input").first).not_to_be_editable()
    page.locator("#field-profit input[name=profit]").fill("12.34")
    page.locator("#field-profit input[name=profit]").blur()
    expect(note).to_contain_text("3 处要改，已改 1 处")
    expect(note.locator("li").first).to_contain_text("已改")

    note.get_by_role("link", name="2023年度审计报告").click()
    expect(page.locator("#file-audit_report .sb-remark")).to_contain_text("年度不对。")
    expect(page.locator("#file-credit_china_report")).to_contain_text("这一份这次没有退回")
    reply = page.locator("#returned li").nth(1)
    reply.get_by_text("不用改？写一句说明").click()
    reply.get_by_role("textbox").fill("审计报告就是这一年的，请看第 3 页。")
    reply.get_by_role("button", name="保存说明").click()
    expect(page.locator(".sb-toast")).to_contain_text("说明已保存")
    expect(page.locator("#returned")).to_contain_text("3 处要改，已改 2 处")
    accessible(page)

    page.locator("#returned").get_by_role("link").nth(2).click()
    expect(page.locator(".sb-row .sb-remark")).to_contain_text("写具体一些。")
    expect(page.get_by_role("button", name="添加需求")).to_have_count(0)
    page.locator(f"[name='{row}/need_description']").fill("需要打通设计、采购和车间排产的数据。")
    page.locator(f"[name='{row}/need_description']").blur()
    expect(page.locator("#returned")).to_contain_text("3 处要改，已改 3 处")
    factories.perform(owner, declaration, "resubmit")

    live.sign_in(page, city)
    page.goto(f"/review/{declaration.public_id}/")
    expect(page.get_by_text("上一轮有 3 条批注等您看")).to_be_visible()
    expect(page.locator("#slot-file-audit_report")).to_contain_text("企业说明：审计报告就是这一年的")
    page.locator("#slot-profit").get_by_role("button", name="仍有问题").click()
    expect(page.locator("#slot-profit")).to_contain_text("看过第 2 版")
    expect(page.locator("#decide")).to_have_text("退回企业")
    accessible(page)


def test_earlier_declarations_stand_beside(
    live: Live, page: Page, city: Account, owner: Account, declaration: Declaration
) -> None:
    factories.perform(city, declaration, "return", "请重新核对。")
    factories.perform(owner, declaration, "resubmit")
    factories.perform(city, declaration, "reject", "不符合本批申报条件。")
    second = factories.submitted(owner, factories.make_batch(title="2026 年第二批"), seed=3)
    live.sign_in(page, city)
    page.goto(f"/review/{second.public_id}/")
    card = page.get_by_role("region", name="这家企业的其他申报")
    expect(card).to_contain_text("退回过 1 次")
    expect(card).to_contain_text(str(declaration.serial_no))
    expect(card).to_contain_text("未通过")
    card.get_by_role("link", name="企业培育入库").click()
    expect(page.get_by_text("这件申报现在不归您办")).to_be_visible()
