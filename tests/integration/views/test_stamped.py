"""From the confirmed submission to the stamped material handed in: download, upload, what the scan shows, submit."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select

from app.documents.codes import make_qr_text
from app.errors import InvalidInput
from app.extensions import db
from app.models import Account, Declaration, Event, Message, PrintRecord, Revision, StampedScan
from app.models.base import new_public_id, now
from app.permissions import roles
from app.services import stamp
from app.services.review import remark
from app.views.review_findings import scan_words
from tests import factories
from tests.factories_files import STAMP_KEY, at_stamp_step, pdf_bytes, post, put, run_jobs
from tests.unit.adapters import scanned_paper as paper


@pytest.fixture
def stamping(context: Flask) -> tuple[Account, Declaration]:
    """Somebody whose declaration waits for its stamped material."""
    return at_stamp_step()


@pytest.fixture
def web(client: FlaskClient, stamping: tuple[Account, Declaration]) -> FlaskClient:
    return factories.login(client, stamping[0])


@pytest.fixture
def declaration(stamping: tuple[Account, Declaration]) -> Declaration:
    return stamping[1]


def material(web: FlaskClient, declaration: Declaration) -> Any:
    return web.get(f"/declarations/{declaration.public_id}/material.docx")


def printed(declaration: Declaration, document: str = "application_form") -> PrintRecord:
    """The newest print record of the declaration."""
    db.session.rollback()
    statement = select(PrintRecord).where(
        PrintRecord.declaration_id == declaration.id, PrintRecord.document == document
    )
    return db.session.scalars(statement.order_by(PrintRecord.id.desc())).unique().first()


def scan_of(tmp_path: Path, *codes: str | None, seal: bool = True, grey: bool = False) -> bytes:
    """A scan with one page for each QR text, sealed on the last."""
    pages: list[Image.Image] = []
    for number, code in enumerate(codes, 1):
        marks = [paper.seal()] if seal and number == len(codes) else []
        pages.append(paper.scan(paper.blank_page(code), *marks, seed=number, turn=1, grey=grey))
    return paper.save_scan(tmp_path / "scan.pdf", *pages).read_bytes()


def found(declaration: Declaration) -> StampedScan:
    """The findings of the newest upload."""
    db.session.rollback()
    statement = select(StampedScan).where(StampedScan.declaration_id == declaration.id).order_by(StampedScan.id.desc())
    return db.session.scalars(statement).unique().first()


def upload(web: FlaskClient, declaration: Declaration, content: bytes) -> StampedScan:
    """Upload and let the worker look."""
    assert put(web, declaration, STAMP_KEY, content, "stamped.pdf").status_code == 201
    run_jobs()
    return found(declaration)


def form_of(page: str) -> dict[str, str]:
    """Hidden fields of the form that hands the material in."""
    names = ("version", "key")
    return {n: re.search(rf'name="{n}" value="([^"]+)"', page)[1] for n in names}  # type: ignore[index]


def test_the_word_is_taken_with_code_and_record(web: FlaskClient, declaration: Declaration) -> None:
    answer = material(web, declaration)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].endswith("wordprocessingml.document")
    name = answer.headers["Content-Disposition"]
    assert name.startswith("attachment; filename=") and "filename*=UTF-8''%E4%BC%81%E4%B8%9A%E5%9F%B9%E8%82%B2" in name
    assert declaration.serial_no in name
    record = printed(declaration)
    assert record.revision_no == 1 and re.fullmatch(r"[0-9A-Z]{4}-[0-9A-Z]{4}", record.code)
    document = Document(io.BytesIO(answer.data))
    header = "\n".join(
        p.text for t in document.sections[0].header.tables for c in t.rows[0].cells for p in c.paragraphs
    )
    assert record.code in header and declaration.serial_no in header
    assert declaration.enterprise_name in "\n".join(c.text for t in document.tables for r in t.rows for c in r.cells)
    event = db.session.scalars(select(Event).where(Event.action == "download")).one()
    assert event.data == {"revision": 1, "code": record.code}


def test_printing_again_gives_the_same_paper(web: FlaskClient, declaration: Declaration) -> None:
    assert material(web, declaration).data == material(web, declaration).data
    assert len(db.session.scalars(select(PrintRecord)).unique().all()) == 1


def test_everyone_can_look_the_code_up(web: FlaskClient, declaration: Declaration, app: Flask) -> None:
    material(web, declaration)
    page = app.test_client().get(f"/verify/{printed(declaration).code}")
    assert page.status_code == 200 and declaration.serial_no in page.text


def test_not_before_the_first_review(web: FlaskClient, stamping: tuple[Account, Declaration], app: Flask) -> None:
    owner = factories.make_account(roles.ENTERPRISE)
    early = factories.submitted(owner)
    other = factories.login(app.test_client(), owner)
    answer = material(other, early)
    assert answer.status_code == 409 and "初审”通过以后才能下载" in answer.text
    assert other.get(f"/declarations/{early.public_id}/stamped").status_code == 409
    assert put(other, early, STAMP_KEY, pdf_bytes()).status_code == 409
    assert printed(early) is None


def test_preview_and_receipt(web: FlaskClient, declaration: Declaration, app: Flask) -> None:
    preview = web.get(f"/declarations/{declaration.public_id}/preview.pdf")
    assert preview.status_code == 200 and preview.data.startswith(b"%PDF-")
    assert preview.headers["Content-Disposition"].startswith("inline; ")
    receipt = web.get(f"/declarations/{declaration.public_id}/receipt.pdf")
    assert receipt.status_code == 200 and receipt.data.startswith(b"%PDF-")
    assert printed(declaration, "receipt").revision_no == 1
    officer = factories.login(app.test_client(), factories.make_account(roles.CITY))
    for name in ("preview.pdf", "receipt.pdf", "material.docx"):
        assert officer.get(f"/declarations/{declaration.public_id}/{name}").status_code == 200


def test_draft_has_a_preview_and_no_receipt(context: Flask, client: FlaskClient) -> None:
    owner = factories.make_account(roles.ENTERPRISE)
    draft = factories.filled_draft(owner, factories.make_batch())
    web = factories.login(client, owner)
    assert web.get(f"/declarations/{draft.public_id}/preview.pdf").status_code == 200
    answer = web.get(f"/declarations/{draft.public_id}/receipt.pdf")
    assert answer.status_code == 409 and "还没有提交过" in answer.text
    assert db.session.scalars(select(PrintRecord)).unique().all() == []


def test_others_get_nothing(declaration: Declaration, app: Flask) -> None:
    stranger = factories.login(app.test_client(), factories.make_account(roles.ENTERPRISE))
    district = factories.login(app.test_client(), factories.make_account(roles.DISTRICT, region="230102"))
    for name in ("material.docx", "preview.pdf", "receipt.pdf"):
        assert stranger.get(f"/declarations/{declaration.public_id}/{name}").status_code == 404
        assert district.get(f"/declarations/{declaration.public_id}/{name}").status_code == 404
    assert stranger.get(f"/declarations/{declaration.public_id}/stamped").status_code == 404
    assert district.get(f"/declarations/{declaration.public_id}/stamped").status_code == 403


def test_page_before_the_upload(web: FlaskClient, declaration: Declaration) -> None:
    page = web.get(f"/declarations/{declaration.public_id}/stamped")
    assert page.status_code == 200
    assert "1. 下载材料" in page.text and "3. 上传扫描件" in page.text and "个工作日" in page.text
    assert "提交盖章材料</button>" not in page.text


def test_clean_scan_is_handed_in_once(web: FlaskClient, declaration: Declaration, tmp_path: Path) -> None:
    material(web, declaration)
    record = printed(declaration)
    text = make_qr_text(declaration.serial_no, record.code)
    answer = post(web, declaration, STAMP_KEY, scan_of(tmp_path, text, text), "盖章材料.pdf")
    assert answer.status_code == 303 and answer.location.endswith("/stamped")
    waiting = web.get(f"/declarations/{declaration.public_id}/stamped").text
    assert "正在核对扫描件" in waiting and 'hx-trigger="every 2s"' in waiting
    run_jobs()
    scan = found(declaration)
    assert (scan.state, scan.matched, scan.seal) == ("done", "this", "seen")
    assert scan.findings["pages"] == 2 and scan.findings["printed"] == printed(declaration).pages > 2
    part = web.get(f"/declarations/{declaration.public_id}/stamped/result").text
    assert "hx-trigger" not in part and "已匹配本申报第 1 版" in part and "第 2 页有章" in part
    assert "扫描件有 2 页" in part and "照此提交，转人工核对" in part, "pages are missing"
    form = form_of(part)
    first = web.post(f"/declarations/{declaration.public_id}/stamped", data=form)
    again = web.post(f"/declarations/{declaration.public_id}/stamped", data=form)
    assert first.status_code == again.status_code == 303
    db.session.rollback()
    assert factories.find(declaration.public_id).step_key == "conformity_review"
    (event,) = db.session.scalars(select(Event).where(Event.action == "stamp")).all()
    assert event.data["matched"] == "this" and event.data["seal"] == "seen"


def test_all_pages_and_a_seal_are_clean() -> None:
    seen = [{"number": 1, "match": "this", "seal": "seen", "revision": 2}]
    verdict = stamp.verdict_of("done", "this", "seen", {"pages": 1, "printed": 1, "seen": seen})
    assert verdict.clean and verdict.title == "已匹配本申报第 2 版，1 页齐全，检测到红章"


def test_scan_of_another_declaration(web: FlaskClient, declaration: Declaration, tmp_path: Path, app: Flask) -> None:
    owner, other = at_stamp_step()
    material(factories.login(app.test_client(), owner), other)
    text = make_qr_text(other.serial_no, printed(other).code)
    scan = upload(web, declaration, scan_of(tmp_path, text))
    assert (scan.matched, scan.state) == ("other", "done")
    page = web.get(f"/declarations/{declaration.public_id}/stamped").text
    assert other.serial_no in page and "照此提交，转人工核对" in page


def test_scan_without_code_or_colour(web: FlaskClient, declaration: Declaration, tmp_path: Path) -> None:
    scan = upload(web, declaration, scan_of(tmp_path, None, grey=True))
    assert (scan.matched, scan.seal) == ("none", "cannot_tell")
    page = web.get(f"/declarations/{declaration.public_id}/stamped").text
    assert "没有找到校验码" in page and "看不出有没有红章" in page
    answer = web.post(f"/declarations/{declaration.public_id}/stamped", data=form_of(page))
    assert answer.status_code == 303, "the findings are advice"


def test_code_that_nobody_gave_out(web: FlaskClient, declaration: Declaration, tmp_path: Path) -> None:
    scan = upload(web, declaration, scan_of(tmp_path, make_qr_text(declaration.serial_no, "0000-0000"), seal=False))
    assert (scan.matched, scan.seal) == ("unknown", "not_seen")


def test_older_revision_is_told(web: FlaskClient, stamping: tuple[Account, Declaration], tmp_path: Path) -> None:
    owner, declaration = stamping
    material(web, declaration)
    old = make_qr_text(declaration.serial_no, printed(declaration).code)
    officer = factories.make_account(roles.CITY)
    put(web, declaration, STAMP_KEY, pdf_bytes())
    factories.perform(owner, declaration, "stamp")
    remark(officer, declaration.public_id, "enterprise_intro", "请写明主要产品")
    factories.perform(officer, declaration, "return", "请补充")
    factories.perform(owner, declaration, "resubmit")
    assert factories.find(declaration.public_id).step_key == "stamping"
    assert upload(web, declaration, scan_of(tmp_path, old)).matched == "older"
    material(web, declaration)
    new = make_qr_text(declaration.serial_no, printed(declaration).code)
    assert new != old and upload(web, declaration, scan_of(tmp_path, new)).matched == "this"


def test_a_new_revision_has_to_be_stamped_again(
    web: FlaskClient, stamping: tuple[Account, Declaration], tmp_path: Path, app: Flask
) -> None:
    owner, declaration = stamping
    officer = factories.make_account(roles.CITY)
    desk = factories.login(app.test_client(), officer)
    material(web, declaration)
    first = upload(web, declaration, scan_of(tmp_path, make_qr_text(declaration.serial_no, printed(declaration).code)))
    old = first.attachment.public_id
    assert f"/attachments/{old}" not in desk.get(f"/review/{declaration.public_id}/").text, "not handed in yet"
    factories.perform(owner, declaration, "stamp")
    page = desk.get(f"/review/{declaration.public_id}/").text
    assert f"/attachments/{old}" in page and "查验码与本申报最新一版一致" in page
    factories.perform(officer, declaration, "return", "请补充")
    again = factories.perform(owner, declaration, "resubmit")
    assert (again.step_key, again.holder_role, again.return_step) == ("stamping", "enterprise", "conformity_review")
    last = db.session.scalars(select(Message).where(Message.account_id == owner.id).order_by(Message.id.desc())).first()
    assert "要重新盖章" in last.title and "原来的盖章材料作废" in last.body
    with pytest.raises(InvalidInput, match="还没有上传盖章扫描件"):
        factories.perform(owner, declaration, "stamp")
    assert f"/attachments/{old}" not in desk.get(f"/review/{declaration.public_id}/").text
    assert "1. 下载材料" in web.get(f"/declarations/{declaration.public_id}/stamped").text
    # What was handed in stays readable for the office, as part of the history.
    assert desk.get(f"/attachments/{old}").status_code == 200
    content = json.loads(db.session.scalars(select(Revision).order_by(Revision.id.desc())).first().content)
    assert STAMP_KEY not in content["attachments"]
    put(web, declaration, STAMP_KEY, pdf_bytes())
    assert factories.perform(owner, declaration, "stamp").step_key == "conformity_review"


def test_a_recalled_declaration_loses_its_scan_too(web: FlaskClient, stamping: tuple[Account, Declaration]) -> None:
    owner, declaration = stamping
    officer = factories.make_account(roles.CITY)
    put(web, declaration, STAMP_KEY, pdf_bytes())
    factories.perform(owner, declaration, "stamp")
    factories.perform(officer, declaration, "return", "请补充")
    factories.perform(owner, declaration, "resubmit")
    put(web, declaration, STAMP_KEY, pdf_bytes(2))
    factories.perform(owner, declaration, "stamp")
    factories.perform(owner, declaration, "recall")
    assert factories.perform(owner, declaration, "submit").step_key == "preliminary_review"
    factories.perform(officer, declaration, "confirm")
    with pytest.raises(InvalidInput, match="还没有上传盖章扫描件"):
        factories.perform(owner, declaration, "stamp")


def test_findings_are_judged_against_the_newest_revision(
    web: FlaskClient, stamping: tuple[Account, Declaration], tmp_path: Path
) -> None:
    _owner, declaration = stamping
    material(web, declaration)
    scan = upload(web, declaration, scan_of(tmp_path, make_qr_text(declaration.serial_no, printed(declaration).code)))
    newest = db.session.scalars(select(Revision).where(Revision.declaration_id == declaration.id)).one()
    assert (stamp.matched_now(scan, newest), stamp.matched_now(scan, None)) == ("this", "this")
    later = Revision(number=2, created_at=now())
    assert stamp.matched_now(scan, later) == "older"
    found_now = stamp.findings_now(scan, later)
    assert [p["match"] for p in found_now["seen"]] == ["older"] and scan.findings["seen"][0]["match"] == "this"
    assert stamp.findings_now(scan, newest) == scan.findings
    assert ("warn", "查验码是本申报以前一版的，请核对内容") in scan_words(scan, later)


def test_nothing_to_hand_in_yet(web: FlaskClient, declaration: Declaration) -> None:
    form = {"version": str(declaration.version), "key": new_public_id()}
    answer = web.post(f"/declarations/{declaration.public_id}/stamped", data=form)
    assert answer.status_code == 422 and "还没有上传盖章扫描件" in answer.text


@pytest.mark.parametrize(
    "form", [{}, {"version": "1"}, {"version": "x", "key": "y"}, {"version": "1", "key": "a" * 99}]
)
def test_incomplete_forms(web: FlaskClient, declaration: Declaration, form: dict[str, str]) -> None:
    put(web, declaration, STAMP_KEY, pdf_bytes())
    assert web.post(f"/declarations/{declaration.public_id}/stamped", data=form).status_code == 422
    assert factories.find(declaration.public_id).step_key == "stamping"


def test_stale_version(web: FlaskClient, declaration: Declaration) -> None:
    put(web, declaration, STAMP_KEY, pdf_bytes())
    form = {"version": str(declaration.version - 1), "key": new_public_id()}
    assert web.post(f"/declarations/{declaration.public_id}/stamped", data=form).status_code == 409


def test_removing_the_scan_and_a_job_that_comes_too_late(web: FlaskClient, declaration: Declaration) -> None:
    url = put(web, declaration, STAMP_KEY, pdf_bytes()).json["url"]
    answer = web.post(f"{url}/remove")
    assert answer.status_code == 303 and answer.location.endswith("/stamped")
    run_jobs()
    assert "1. 下载材料" in web.get(f"/declarations/{declaration.public_id}/stamped").text


def test_a_scan_whose_bytes_are_lost_goes_to_a_person(web: FlaskClient, declaration: Declaration) -> None:
    from app.services.storage import store

    put(web, declaration, STAMP_KEY, pdf_bytes())
    store().delete(found(declaration).attachment.sha256)
    run_jobs()
    assert found(declaration).state == "failed"
    assert "没能自动核对" in web.get(f"/declarations/{declaration.public_id}/stamped").text


def test_verdict_on_any_file(web: FlaskClient, declaration: Declaration, tmp_path: Path) -> None:
    material(web, declaration)
    path = tmp_path / "any.pdf"
    path.write_bytes(scan_of(tmp_path, make_qr_text(declaration.serial_no, printed(declaration).code)))
    verdict = stamp.check_file(path)
    assert verdict["ok"] and verdict["matched"] == "this" and verdict["seal"] == "seen"
    assert verdict["seen"][0]["serial"] == declaration.serial_no
    json.dumps(verdict, ensure_ascii=False)
    path.write_bytes(b"no pdf")
    assert stamp.check_file(path) == {"ok": False, "reason": "not_pdf", "message": stamp.check_file(path)["message"]}
