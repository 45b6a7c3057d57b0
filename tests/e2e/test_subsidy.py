"""Money from the district's letter to the enterprise's page, by clicking: hand-over, 公示, an objection, its end, funds."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
import python_calamine
from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.extensions import db
from app.models import Allocation, Message
from app.services import funding
from tests.e2e.conftest import Live
from tests.factories import find
from tests.factories_files import pdf_bytes
from tests.factories_workflow import Walk, begun, end_publicity

Check = Callable[[Page], None]


class Journey:
    """One browser in which the offices take turns; every page on the way is looked at, also when it is narrow."""

    def __init__(self, live: Live, page: Page, accessible: Check, walk: Walk) -> None:
        self.live, self.page, self.accessible, self.walk = live, page, accessible, walk

    def enter(self, person: str) -> None:
        """Sign in and open the to-do list."""
        self.live.sign_in(self.page, self.walk.person(person))
        self.page.goto("/todo/")

    def look(self) -> None:
        """Nothing is wrong for people who do not see, and nothing scrolls sideways on a telephone."""
        self.accessible(self.page)
        self.page.set_viewport_size({"width": 360, "height": 800})
        assert self.page.evaluate("document.documentElement.scrollWidth") <= 360, self.page.url
        self.page.set_viewport_size({"width": 1280, "height": 900})

    def click(self, name: str, role: str = "button") -> None:
        """Press the one control of this name."""
        self.page.get_by_role(role, name=name, exact=True).first.click()  # type: ignore[arg-type]

    def said(self, words: str) -> None:
        """The toast after something was done."""
        expect(self.page.locator(".sb-toast").first).to_contain_text(words)


@pytest.fixture
def walk(live: Live, monkeypatch: pytest.MonkeyPatch) -> Walk:
    """A submitted declaration that wants 120.50 万元."""
    return begun(monkeypatch, "subsidy", "subsidy", "submit")


@pytest.fixture
def journey(live: Live, page: Page, accessible: Check, walk: Walk) -> Journey:
    return Journey(live, page, accessible, walk)


def test_from_the_letter_to_the_money(journey: Journey, tmp_path: Path) -> None:
    page, walk = journey.page, journey.walk
    name = str(walk.declaration.enterprise_name)
    letter = tmp_path / "推荐函.pdf"
    letter.write_bytes(pdf_bytes())

    # The district confirms, gathers, uploads its letter and hands over.
    journey.enter("district")
    page.get_by_role("link", name=name, exact=True).click()
    page.locator("#decide").click()
    journey.said("已通过这一步")
    page.goto("/todo/")
    expect(page.locator(".sb-todo").first).to_contain_text("上传盖章的推荐文件，一并报出")
    page.get_by_role("link", name=f"行文推荐：{name}").click()
    journey.click("去行文推荐", "link")
    journey.look()
    page.get_by_label(f"选择{name}").check()
    journey.click("列入行文推荐")
    journey.said("已列入 1 家")
    page.get_by_role("textbox", name="文号", exact=True).fill("平工信呈〔2026〕1号")
    journey.click("预览")
    expect(page.get_by_role("alert").first).to_contain_text("还没有上传盖章的推荐文件")
    expect(page.get_by_role("textbox", name="文号", exact=True)).to_have_value("平工信呈〔2026〕1号")
    page.get_by_label("盖章扫描件（PDF）").set_input_files(letter)
    journey.click("上传")
    journey.said("推荐文件已上传")
    journey.look()
    page.get_by_role("textbox", name="文号", exact=True).fill("平工信呈〔2026〕1号")
    journey.click("预览")
    journey.look()
    journey.click("报出")
    journey.said("已报出 平工信呈〔2026〕1号")
    assert find(walk.public_id).step_key == "acceptance"

    # The city sees the letter beside the declaration; acceptance and the experts are told elsewhere.
    journey.enter("city")
    page.goto(f"/review/{walk.public_id}/")
    expect(page.get_by_text("平工信呈〔2026〕1号", exact=True)).to_be_visible()
    with page.expect_response(lambda r: r.url.endswith("/letter")) as answer:
        page.evaluate("() => fetch(document.querySelector('a[href$=\"/letter\"]').href)")
    assert answer.value.headers["content-type"] == "application/pdf"
    for action in ("accept", "assign_experts", "all_scored"):
        walk.go(action)

    # The list is publicised.
    page.goto("/todo/")
    page.get_by_role("link", name=f"办理：{name}").click()
    journey.click("去发布公示", "link")
    page.get_by_label(f"选择{name}").check()
    journey.click("预览公示")
    expect(page.get_by_text("请填异议受理电话").first).to_be_visible()
    page.get_by_role("textbox", name="异议受理电话", exact=True).fill("0451-84664271")
    page.get_by_role("textbox", name="异议受理邮箱", exact=True).fill("gxj@example.gov.cn")
    journey.look()
    journey.click("预览公示")
    expect(page.get_by_text("24:00").first).to_be_visible()
    journey.look()
    journey.click("发布公示")
    journey.said("公示已发布")
    expect(page.get_by_text("登记异议或等公示期满（还有 5 个工作日）").first).to_be_visible()
    expect(page.get_by_role("cell", name="无异议")).to_be_visible()
    journey.look()

    # Somebody objects; it is unfounded.
    journey.click(f"登记异议：{name}", "link")
    page.get_by_role("textbox", name="异议人（真实姓名或单位全称）", exact=True).fill("匿名群众")
    page.get_by_role("textbox", name="联系方式（电话或邮箱）", exact=True).fill("13904512187")
    page.get_by_role("textbox", name="异议内容", exact=True).fill("设备是租来的，不是自有。")
    journey.click("登记异议")
    expect(page.locator("#objector-e")).to_contain_text("异议要实名提出")
    expect(page.get_by_role("textbox", name="异议内容", exact=True)).to_have_value("设备是租来的，不是自有。")
    page.get_by_role("textbox", name="异议人（真实姓名或单位全称）", exact=True).fill("李志强")
    journey.look()
    journey.click("登记异议")
    journey.said("异议已登记")
    journey.look()
    page.goto("/todo/")
    expect(page.locator(".sb-todo").first).to_contain_text("核查异议，写结论（1 条）")
    page.goto(f"/review/{walk.public_id}/")
    journey.click("办理异议", "link")
    journey.click("写核查结论：李志强的异议", "link")
    page.get_by_label("异议不成立").check()
    page.get_by_role("textbox", name="核查结论", exact=True).fill("经现场核查，设备为自有，有发票。")
    journey.look()
    journey.click("下一步：核对")
    journey.look()
    journey.click("确认：异议不成立")
    journey.said("结论已记下，公示继续")

    # The public reads it; the period ends; everything without an objection goes on.
    page.goto("/publicity/")
    expect(page.get_by_text("公示中，至")).to_be_visible()
    page.get_by_role("link", name="数字化改造奖补公示").click()
    expect(page.get_by_text("0451-84664271")).to_be_visible()
    assert "李志强" not in page.content()
    journey.look()
    end_publicity()
    page.reload()
    expect(page.get_by_text("公示已结束")).to_be_visible()
    page.goto(f"/review/{walk.public_id}/")
    journey.click("看公示，期满转下一步", "link")
    journey.click("公示期满，转下一步", "link")
    journey.look()
    journey.click("1 家转下一步")
    expect(page.get_by_text("办成 1 件")).to_be_visible()
    assert find(walk.public_id).step_key == "approval"

    # The finance office allocates.
    journey.enter("finance")
    expect(page.locator(".sb-todo").first).to_contain_text("等资金下达")
    page.get_by_role("link", name=f"下达资金：{name}").click()
    journey.click("去下达资金", "link")
    amount = page.get_by_label(f"下达金额（元）：{name}")
    expect(amount).to_have_value("1205000.00")
    page.get_by_role("textbox", name="文号", exact=True).fill("哈财指〔2026〕8号")
    amount.fill("1205000.01")
    journey.click("核对合计")
    expect(page.get_by_text("不能多于核定的 1,205,000.00 元").first).to_be_visible()
    amount.fill("1200000.50")
    journey.look()
    journey.click("核对合计")
    expect(page.get_by_text("壹佰贰拾万元伍角整")).to_be_visible()
    journey.look()
    journey.click("下达资金")
    expect(page.get_by_text("办成 1 件")).to_be_visible()
    page.goto(f"/batches/{walk.batch_id}/funding")
    journey.look()
    with page.expect_download() as download:
        journey.click("下载清单（Excel）", "link")
    book = python_calamine.load_workbook(io.BytesIO(Path(download.value.path()).read_bytes()))
    values = [cell for row in book.get_sheet_by_index(0).to_python() for cell in row]
    assert 1200000.5 in values and name in values

    # The enterprise reads it.
    journey.enter("enterprise")
    page.goto(f"/declarations/{walk.public_id}/")
    expect(page.get_by_text("资金已下达 120.00005 万元（1,200,000.50 元），文号 哈财指〔2026〕8号")).to_be_visible()
    assert "李志强" not in page.content()
    journey.look()
    told = db.session.scalars(select(Message.body).where(Message.account_id == walk.owner.id))
    assert any("1,200,000.50 元" in body and "哈财指〔2026〕8号" in body for body in told)
    assert find(walk.public_id).status == "approved"
    kept = funding.allocation_of(find(walk.public_id))
    assert isinstance(kept, Allocation) and str(kept.amount) == "1200000.50"
