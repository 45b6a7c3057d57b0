"""Stamped material and uploads in a real browser: progress, refusals, retry, the check that arrives, with and without scripts."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from sqlalchemy import select

from app.documents.codes import make_qr_text
from app.extensions import db
from app.models import Account, Declaration, PrintRecord
from app.permissions import roles
from app.services.attachment import upload
from app.services.declaration import accept_statement, start_declaration
from tests import factories
from tests.e2e.conftest import Live
from tests.factories_files import LIMIT, at_stamp_step, pdf_bytes, sparse_file
from tests.unit.adapters import scanned_paper as paper

Check = Callable[[Page], None]


@pytest.fixture
def stamping(live: Live, page: Page) -> tuple[Account, Declaration]:
    """A declaration at the stamp step, its owner signed in on ``page``; errors of scripts fail the test."""
    page.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
    owner, declaration = at_stamp_step()
    live.sign_in(page, owner)
    return owner, declaration


def stamped_scan(declaration: Declaration, folder: Path) -> Path:
    """A scan of the printed paper: its code on every page, a seal on the last."""
    db.session.rollback()
    record = db.session.scalars(select(PrintRecord)).unique().one()
    sheet = paper.blank_page(make_qr_text(declaration.serial_no or "", record.code))
    pages = [paper.scan(sheet, seed=1), paper.scan(sheet, paper.seal(), seed=2)]
    return paper.save_scan(folder / "盖章材料.pdf", *pages)


def narrow(page: Page, folder: Path, name: str) -> None:
    """At 360 pixels nothing scrolls sideways."""
    page.screenshot(path=folder / f"{name}-1280.png", full_page=True)
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.screenshot(path=folder / f"{name}-360.png", full_page=True)
    page.set_viewport_size({"width": 1280, "height": 900})


def test_from_download_to_handing_in(
    live: Live, page: Page, stamping: tuple[Account, Declaration], accessible: Check, tmp_path: Path
) -> None:
    declaration = stamping[1]
    page.goto(f"/declarations/{declaration.public_id}/stamped")
    accessible(page)
    narrow(page, tmp_path, "stamped-before")
    with page.expect_download() as download:
        page.get_by_role("link", name="下载").click()
    assert (
        download.value.suggested_filename
        == f"企业培育入库申报表_{declaration.enterprise_name}_{declaration.serial_no}.docx"
    )
    assert "word/document.xml" in zipfile.ZipFile(download.value.path()).namelist()

    (tmp_path / "照片.pdf").write_bytes(b"\x89PNG\r\n\x1a\n" + b"0" * 99)
    page.locator("#scan").set_input_files(tmp_path / "照片.pdf")
    expect(page.locator(".sb-error")).to_contain_text("这个文件是图片，不是 PDF")
    accessible(page)
    page.locator("#scan").set_input_files(stamped_scan(declaration, tmp_path))
    expect(page.locator("#scan-result")).to_contain_text("正在核对扫描件")
    expect(page.locator(".sb-att", has_text="盖章材料.pdf")).to_contain_text("2 页")
    accessible(page)
    narrow(page, tmp_path, "stamped-pending")

    live.run_jobs()
    result = page.locator("#scan-result")
    expect(result).to_contain_text("已匹配本申报第 1 版", timeout=8000)
    expect(result).to_contain_text("检测到红章")
    expect(result).to_contain_text("扫描件有 2 页")
    accessible(page)
    narrow(page, tmp_path, "stamped-result")
    page.get_by_role("button", name="照此提交，转人工核对").click()
    expect(page.locator("body")).to_contain_text("盖章材料已提交")
    assert factories.find(declaration.public_id).step_key == "conformity_review"
    page.goto(f"/declarations/{declaration.public_id}/stamped")
    expect(page.locator("h1 + p")).to_contain_text("已经提交")
    accessible(page)


def test_a_lost_line_is_said_and_retried(
    live: Live, page: Page, stamping: tuple[Account, Declaration], tmp_path: Path
) -> None:
    declaration = stamping[1]
    page.goto(f"/declarations/{declaration.public_id}/stamped")
    (tmp_path / "scan.pdf").write_bytes(pdf_bytes(2))
    lost: list[str] = []

    def lose_once(route: Route) -> None:
        if route.request.method == "PUT" and not lost:
            lost.append(route.request.url)
            return route.abort("connectionreset")
        return route.continue_()

    page.route("**/attachments/*", lose_once)
    page.locator("#scan").set_input_files(tmp_path / "scan.pdf")
    expect(page.locator(".sb-error")).to_contain_text("网络断了")
    page.get_by_role("button", name="重试").click()
    expect(page.locator("#scan-result")).to_contain_text("正在核对扫描件")
    assert lost


def test_too_large_is_said_before_anything_is_sent(
    page: Page, stamping: tuple[Account, Declaration], tmp_path: Path
) -> None:
    declaration = stamping[1]
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "PUT" else None)
    page.goto(f"/declarations/{declaration.public_id}/stamped")
    page.locator("#scan").set_input_files(sparse_file(tmp_path / "big.pdf", LIMIT))
    expect(page.locator(".sb-error")).to_contain_text("文件要小于 100 MB")
    assert sent == []


def test_dropping_a_file(page: Page, stamping: tuple[Account, Declaration]) -> None:
    declaration = stamping[1]
    page.goto(f"/declarations/{declaration.public_id}/stamped")
    data: Any = page.evaluate_handle(
        """(bytes) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], "拖来的.pdf", {type: "application/pdf"}));
            return transfer;
        }""",
        list(pdf_bytes(1)),
    )
    page.dispatch_event(".sb-drop", "drop", {"dataTransfer": data})
    expect(page.locator(".sb-att", has_text="拖来的.pdf")).to_contain_text("已传")


def test_without_scripts(live: Live, browser: Browser, browser_context_args: dict[str, Any], tmp_path: Path) -> None:
    owner, declaration = at_stamp_step()
    page = browser.new_context(**browser_context_args, java_script_enabled=False).new_page()
    live.sign_in(page, owner)
    page.goto(f"/declarations/{declaration.public_id}/stamped")
    (tmp_path / "scan.pdf").write_bytes(pdf_bytes(2))
    page.locator("#scan").set_input_files(tmp_path / "scan.pdf")
    page.get_by_role("button", name="上传").click()
    expect(page.locator("#scan-result")).to_contain_text("正在核对扫描件")
    live.run_jobs()
    page.get_by_role("link", name="刷新看结果").click()
    expect(page.locator("#scan-result")).to_contain_text("没有找到校验码")
    page.get_by_role("button", name="照此提交，转人工核对").click()
    expect(page.locator("body")).to_contain_text("盖章材料已提交")
    page.context.close()


def test_attachments_of_the_wizard(live: Live, page: Page, accessible: Check, tmp_path: Path) -> None:
    page.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
    owner = factories.make_account(roles.ENTERPRISE)
    draft = start_declaration(owner, factories.make_batch().public_id)
    accept_statement(owner, draft)
    live.sign_in(page, owner)
    page.goto(f"/declarations/{draft}/sections/attachments")
    (tmp_path / "审计.pdf").write_bytes(pdf_bytes(3))
    page.locator("#file-audit_report-input").set_input_files(tmp_path / "审计.pdf")
    card = page.locator("#file-audit_report")
    expect(card).to_contain_text("审计.pdf")
    expect(card.locator(".sb-list")).to_contain_text("3 页")
    accessible(page)
    narrow(page, tmp_path, "attachments")
    (tmp_path / "新审计.pdf").write_bytes(pdf_bytes(4))
    page.locator("#file-audit_report-input").set_input_files(tmp_path / "新审计.pdf")
    expect(card.locator(".sb-list")).to_contain_text("4 页")
    page.get_by_role("button", name="移除新审计.pdf").click()
    page.locator("#confirm").get_by_role("button", name="移除").click()
    expect(page.locator("body")).to_contain_text("已移除")


def test_the_office_reads_the_file_beside_the_answers(live: Live, page: Page, tmp_path: Path) -> None:
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text) if message.type == "error" else None)
    owner, batch = factories.make_account(roles.ENTERPRISE), factories.make_batch()
    draft = factories.filled_draft(owner, batch)
    for key in ("audit_report", "credit_china_report"):
        upload(owner, draft.public_id, key, io.BytesIO(pdf_bytes(2)), f"{key}.pdf")
    owner = db.session.get_one(Account, owner.id)
    factories.perform(owner, draft, "submit")
    live.sign_in(page, factories.make_account(roles.CITY))
    page.goto(f"/review/{draft.public_id}/")
    frame = page.locator("iframe").first
    frame.scroll_into_view_if_needed()
    with page.expect_response(lambda answer: "/attachments/" in answer.url) as answer:
        page.reload()
    assert answer.value.status == 200
    # The browser's own PDF reader takes the answer over before its headers are told; asked again, they are.
    again = page.request.get(answer.value.url)
    assert again.headers["content-type"] == "application/pdf" and again.body().startswith(b"%PDF")
    page.wait_for_timeout(1500)
    page.screenshot(path=tmp_path / "review-1280.png")
    assert [text for text in refused if "Content Security Policy" in text or "frame" in text] == []
