"""Joint work with real browsers: the way of the invited colleague, and two people in one declaration at the same time."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from app.extensions import db
from app.models import Account
from app.services.answers import add_row
from app.services.declaration import accept_statement, load, start_declaration
from app.services.member import remove_member
from tests import factories
from tests.e2e.conftest import Live
from tests.factories_members import colleague, last_letter, person, token_in

NewContext = Callable[..., BrowserContext]


class Two:
    """王经理 and 李工, each in a browser of their own, and a draft of their enterprise."""

    def __init__(self, live: Live, new_context: NewContext) -> None:
        self.live = live
        self.owner: Account = factories.make_account("enterprise", display_name="王经理")
        self.id = start_declaration(self.owner, factories.make_batch(title="2026 年第一批").public_id)
        accept_statement(self.owner, self.id)
        self.pages = [new_context().new_page() for _ in range(2)]
        for page in self.pages:
            page.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
        live.sign_in(self.pages[0], self.again(self.owner))

    def again(self, user: Account) -> Account:
        """``user`` as stored now."""
        db.session.rollback()
        return db.session.get_one(Account, user.id)

    def join(self, right: str = "fill") -> Account:
        """李工 as a member, signed in in the second browser."""
        member = colleague(self.again(self.owner), right)
        self.live.sign_in(self.pages[1], member)
        return self.again(member)

    def open(self, section: str = "basic_info") -> tuple[Page, Page]:
        """The section in both browsers, scripts ready."""
        for page in self.pages:
            page.goto(f"/declarations/{self.id}/sections/{section}")
            page.wait_for_function("() => window.htmx !== undefined && document.readyState === 'complete'")
        return self.pages[0], self.pages[1]

    def stored(self, key: str) -> object:
        """The stored text of ``key``."""
        return load(self.id, self.again(self.owner)).answers.main.get(key)


@pytest.fixture
def two(live: Live, new_context: NewContext) -> Two:
    return Two(live, new_context)


def look(page: Page) -> None:
    """Let the page report now instead of in twenty seconds."""
    with page.expect_response(re.compile("/presence$")):
        page.evaluate("() => { document.dispatchEvent(new Event('visibilitychange')); }")


def type_in(page: Page, key: str, text: str) -> None:
    """Type and leave the field; returns when it is saved or refused."""
    page.locator(f"#{key}").fill(text)
    with page.expect_response(re.compile("/field$")):
        page.keyboard.press("Tab")


def test_the_way_of_the_invited_colleague(two: Two, accessible: Callable[[Page], None]) -> None:
    owner, guest = two.pages
    li = person("李工")
    owner.goto(f"/declarations/{two.id}/")
    owner.get_by_role("link", name="邀请同事一起填").click()
    owner.get_by_label("同事的手机号").fill("1390")
    owner.get_by_role("button", name="发出邀请").click()
    expect(owner.locator("#field-phone .sb-error")).to_contain_text("11 位手机号")
    accessible(owner)
    owner.get_by_label("同事的手机号").fill(li.phone or "")
    owner.get_by_role("button", name="发出邀请").click()
    expect(owner.locator("body")).to_contain_text("7 天内有效")
    accessible(owner)
    guest.goto(f"/invitations/token/{token_in(last_letter(li.phone or ''))}")
    expect(guest.locator("h1")).to_contain_text("请您一起填申报")
    guest.get_by_role("link", name="去登录").click()
    guest.get_by_label("用户名").first.fill(two.again(li).username)
    guest.get_by_label("密码", exact=True).fill(factories.PASSWORD)
    guest.locator("main form button.btn-primary").click()
    expect(guest.get_by_role("button", name="接受")).to_be_visible()
    accessible(guest)
    guest.get_by_role("button", name="接受").click()
    expect(guest).to_have_url(re.compile(f"/declarations/{two.id}/$"))
    expect(guest.locator("main")).to_contain_text("请让王经理提交")
    guest.get_by_role("link", name="继续填写").click()
    guest.goto(f"/declarations/{two.id}/sections/basic_info")
    type_in(guest, "revenue", "12.5")
    assert two.stored("revenue") == "12.5"
    guest.goto(f"/declarations/{two.id}/check")
    expect(guest.get_by_role("button", name="提交申报")).to_be_disabled()
    owner.goto("/enterprise/members/")
    expect(owner.locator("main")).to_contain_text("只限 1 件：2026 年第一批（填报）")


def test_each_sees_the_other_and_both_keep_their_work(two: Two, accessible: Callable[[Page], None]) -> None:
    two.join()
    first, second = two.open()
    look(first)
    expect(first.locator("#colleagues")).to_contain_text("李工也在填")
    look(second)
    expect(second.locator("#colleagues")).to_contain_text("王经理也在填")
    type_in(first, "revenue", "100")
    type_in(second, "profit", "5")
    assert (two.stored("revenue"), two.stored("profit")) == ("100", "5")
    look(first)
    accessible(first)
    button = first.get_by_role("button", name="有 1 处被李工改过，点此更新")
    expect(button).to_be_visible()
    expect(first.locator("#profit")).to_have_value("")
    button.click()
    expect(first.locator("#profit")).to_have_value("5")
    expect(first.locator("#revenue")).to_have_value("100")
    expect(button).to_have_count(0)


def test_refreshing_leaves_what_is_being_typed(two: Two) -> None:
    two.join()
    first, second = two.open()
    type_in(second, "profit", "5")
    type_in(second, "revenue", "7")
    # The line is down, so that what is typed stays unsaved on the page.
    first.route(re.compile("/field$"), lambda route: route.abort())
    first.locator("#revenue").fill("写到一半")
    look(first)
    first.get_by_role("button", name=re.compile("^有 2 处被李工改过")).click()
    expect(first.locator("#profit")).to_have_value("5")
    expect(first.locator("#revenue")).to_have_value("写到一半")
    assert two.stored("revenue") == "7"


@pytest.mark.parametrize("choice", ["用我写的", "用李工的"], ids=["mine", "theirs"])
def test_the_later_one_at_a_field_is_told_and_chooses(two: Two, choice: str) -> None:
    two.join()
    first, second = two.open()
    type_in(second, "revenue", "200")
    type_in(first, "revenue", "300")
    box = first.locator("#field-revenue")
    expect(box).to_contain_text(re.compile(r"\d\d:\d\d 李工把这一项改成了“200”，没有覆盖"))
    expect(first.locator("#revenue")).to_have_value("300")
    expect(first.locator("#saved")).to_contain_text("有一项等您选")
    assert two.stored("revenue") == "200"
    with first.expect_response(re.compile("/field$")):
        box.get_by_role("button", name=choice).click()
    wanted = "300" if choice == "用我写的" else "200"
    expect(first.locator("#revenue")).to_have_value(wanted)
    expect(box.locator(".sb-note")).to_have_count(0)
    assert two.stored("revenue") == wanted


def test_a_row_that_the_other_removes_comes_back_with_the_text(two: Two) -> None:
    two.join()
    path = add_row(two.again(two.owner), two.id, "digital_needs")
    key = path.replace("/", "-")
    first, second = two.open("digital_basis")
    first.goto(f"{first.url}?at={path}#row-{key}")
    first.wait_for_function("() => window.htmx !== undefined && document.readyState === 'complete'")
    second.get_by_role("button", name=re.compile("^移除需求")).last.click()
    expect(second.get_by_role("button", name="恢复")).to_be_visible()
    field = f"[id='{key}-need_type']"
    first.locator(field).fill("设备联网")
    with first.expect_response(re.compile("/field$")):
        first.keyboard.press("Tab")
    expect(first.locator("main")).to_contain_text("李工移除了这一行")
    expect(first.locator(field)).to_have_value("设备联网")
    with first.expect_response(re.compile("/field$")):
        first.get_by_role("button", name="恢复这一行").click()
    expect(first.locator(field)).to_have_value("设备联网")
    rows = load(two.id, two.again(two.owner)).answers.rows
    assert next(r for r in rows if r.id == path.split("/")[1]).values["need_type"] == "设备联网"


def test_a_member_removed_while_writing_is_told_and_keeps_the_text(two: Two) -> None:
    member = two.join()
    _first, second = two.open()
    remove_member(two.again(two.owner), member.id)
    type_in(second, "revenue", "写了半天")
    expect(second.locator("#toasts")).to_contain_text("您已不是这家企业的成员")
    expect(second.locator("#revenue")).to_have_value("写了半天")
    assert two.stored("revenue") in (None, "")


def test_the_owner_limits_removes_and_hands_on(two: Two, accessible: Callable[[Page], None]) -> None:
    member = two.join()
    owner = two.pages[0]
    owner.goto("/enterprise/members/")
    owner.get_by_role("link", name="管理李工").click()
    accessible(owner)
    owner.get_by_text("只限这几件", exact=True).click()
    owner.get_by_role("checkbox").check()
    owner.get_by_label("2026 年第一批的权限").select_option("submit")
    owner.get_by_role("button", name="保存权限").click()
    expect(owner.locator("main")).to_contain_text("只限 1 件：2026 年第一批（填报和提交）")
    owner.get_by_role("link", name="管理李工").click()
    owner.get_by_role("button", name="移出李工").click()
    owner.locator("#confirm").get_by_role("button", name="移出").click()
    expect(owner.locator("main")).to_contain_text("企业里的人1")
    expect(owner.locator("body")).to_contain_text("李工已移出")
    assert two.again(member).enterprise_id is None


@pytest.mark.parametrize("width", [1280, 360])
def test_pages_of_members_fit(two: Two, width: int, accessible: Callable[[Page], None]) -> None:
    member = two.join()
    page = two.pages[0]
    page.set_viewport_size({"width": width, "height": 800})
    for address in (
        "/enterprise/members/",
        f"/enterprise/members/{member.id}/",
        f"/enterprise/invitations/?declaration={two.id}",
    ):
        page.goto(address)
        expect(page.locator("h1")).to_be_visible()
        assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth"), address
        accessible(page)
    two.pages[1].goto(f"/declarations/{two.id}/sections/basic_info")
    look(two.pages[1])
    page.goto(f"/declarations/{two.id}/sections/basic_info")
    expect(page.locator("#colleagues")).to_contain_text("李工也在填")
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
