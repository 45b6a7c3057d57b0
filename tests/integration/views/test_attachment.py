"""Uploading, replacing, removing and showing files, and every way in which that is refused."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.extensions import db
from app.models import Account, Assignment, Attachment, Blob, Declaration, Job, StampedScan
from app.models.base import now
from app.permissions import roles
from app.services.storage import store
from tests import factories
from tests.factories_files import (
    LIMIT,
    STAMP_KEY,
    at_stamp_step,
    pdf_bytes,
    picture_bytes,
    post,
    put,
    sparse_file,
)

KEY = "audit_report"


@pytest.fixture
def owner(context: Flask) -> Account:
    return factories.make_account(roles.ENTERPRISE)


@pytest.fixture
def draft(owner: Account) -> Declaration:
    from app.services.declaration import start_declaration

    return factories.find(start_declaration(owner, factories.make_batch().public_id))


@pytest.fixture
def web(client: FlaskClient, owner: Account) -> FlaskClient:
    return factories.login(client, owner)


def rows_of(declaration: Declaration, key: str = KEY) -> list[Attachment]:
    """Every row under ``key``, removed ones too, oldest first."""
    db.session.rollback()
    statement = select(Attachment).where(Attachment.declaration_id == declaration.id, Attachment.key == key)
    return list(db.session.scalars(statement.order_by(Attachment.id)).unique())


def test_form_post_works_without_scripts(web: FlaskClient, draft: Declaration) -> None:
    answer = post(web, draft, KEY, pdf_bytes(3))
    assert answer.status_code == 303
    assert answer.location.endswith(f"/declarations/{draft.public_id}/sections/attachments#file-{KEY}")
    (row,) = rows_of(draft)
    assert (row.filename, row.pages, row.content_type) == ("审计报告.pdf", 3, "application/pdf")
    assert db.session.get(Blob, row.sha256).size == row.size == store().size(row.sha256)


def test_put_gives_the_facts_as_json(web: FlaskClient, draft: Declaration) -> None:
    content = pdf_bytes(2)
    answer = put(web, draft, KEY, content, "%E5%AE%A1%E8%AE%A1.pdf")
    assert answer.status_code == 201
    assert answer.json["name"] == "审计.pdf" and answer.json["pages"] == 2 and answer.json["size"] == len(content)
    assert web.get(answer.json["url"]).data == content


def test_one_file_replaces_the_other_and_its_row_stays(web: FlaskClient, draft: Declaration) -> None:
    put(web, draft, KEY, pdf_bytes(1))
    put(web, draft, KEY, pdf_bytes(2), "new.pdf")
    old, new = rows_of(draft)
    assert old.removed_at is not None and new.removed_at is None and new.filename == "new.pdf"
    assert web.get(f"/attachments/{old.public_id}").status_code == 404


def test_removing(web: FlaskClient, draft: Declaration) -> None:
    put(web, draft, KEY, pdf_bytes())
    (row,) = rows_of(draft)
    answer = web.post(f"/attachments/{row.public_id}/remove")
    assert answer.status_code == 303 and "/sections/attachments" in answer.location
    assert rows_of(draft)[0].removed_at is not None
    assert web.post(f"/attachments/{row.public_id}/remove").status_code == 404
    assert store().size(row.sha256) > 0


BAD_FILES: list[tuple[str, bytes, str, int, str]] = [
    ("not a pdf", b"hello world" * 9, "a.pdf", 422, "不是 PDF"),
    ("empty", b"", "a.pdf", 422, "空的"),
    ("a picture", picture_bytes("PNG"), "a.pdf", 422, "图片"),
    ("a word file", b"PK\x03\x04" + b"0" * 90, "a.pdf", 422, "Word"),
    ("cut short", pdf_bytes(5)[:-200], "a.pdf", 422, "不完整"),
    ("right content, wrong name", pdf_bytes(), "a.docx", 422, "结尾"),
    ("no name", pdf_bytes(), "", 422, "没有名字"),
    ("only an ending is no name of a folder", pdf_bytes(), "../../etc/passwd", 422, "结尾"),
    ("name that is no UTF-8", pdf_bytes(), "%ff%fe.pdf", 422, "没有名字"),
]


@pytest.mark.parametrize(
    ("content", "name", "status", "words"), [c[1:] for c in BAD_FILES], ids=[c[0] for c in BAD_FILES]
)
def test_bad_files_are_refused_with_a_sentence(
    web: FlaskClient, draft: Declaration, content: bytes, name: str, status: int, words: str
) -> None:
    answer = put(web, draft, KEY, content, name)
    assert answer.status_code == status
    assert words in answer.json["message"] and answer.json["message"].endswith("。")
    assert rows_of(draft) == []
    assert not list(store().kept()) and not list((Path(web.application.config["DATA_DIR"]) / "files/staging").iterdir())


def test_refusal_as_a_page_leads_back(web: FlaskClient, draft: Declaration) -> None:
    answer = post(web, draft, KEY, b"not a pdf")
    assert answer.status_code == 422
    assert "不是 PDF" in answer.text and f"/declarations/{draft.public_id}/sections/attachments" in answer.text
    nothing = web.post(f"/declarations/{draft.public_id}/attachments/{KEY}", data={})
    assert nothing.status_code == 422 and "还没有选文件" in nothing.text


@pytest.mark.parametrize("database", ["sqlite"])
@pytest.mark.parametrize(
    ("size", "head", "status", "words"),
    [
        (LIMIT, b"%PDF-1.4\n", 413, "要小于 100 MB"),
        (LIMIT - 1, b"%PDF-1.4\n", 422, "不完整"),
        (99 * 1024 * 1024, b"", 422, "不是 PDF"),
    ],
    ids=["exactly the limit", "one byte less is read", "99 MB that is no PDF"],
)
def test_sizes_at_the_limit(
    web: FlaskClient, draft: Declaration, tmp_path: Path, size: int, head: bytes, status: int, words: str
) -> None:
    with sparse_file(tmp_path / "big", size, head).open("rb") as file:
        answer = web.post(
            f"/declarations/{draft.public_id}/attachments/{KEY}",
            data={"file": (file, "big.pdf")},
            headers={"Accept": "application/json"},
        )
    assert answer.status_code == status and words in answer.json["message"]
    assert rows_of(draft) == []


@pytest.mark.parametrize("database", ["sqlite"])
def test_bare_bytes_of_the_limit_are_refused_unread(web: FlaskClient, draft: Declaration, tmp_path: Path) -> None:
    with sparse_file(tmp_path / "big", LIMIT, b"%PDF-1.4\n").open("rb") as file:
        answer = web.put(
            f"/declarations/{draft.public_id}/attachments/{KEY}",
            input_stream=file,
            headers={"X-Filename": "big.pdf", "Accept": "application/json", "Content-Length": str(LIMIT)},
        )
    assert answer.status_code == 413 and "要小于 100 MB" in answer.json["message"]


def test_a_request_over_every_limit(web: FlaskClient, draft: Declaration) -> None:
    answer = web.put(
        f"/declarations/{draft.public_id}/attachments/{KEY}",
        headers={"Accept": "application/json", "X-Filename": "a.pdf"},
        environ_overrides={"CONTENT_LENGTH": str(LIMIT * 3)},
    )
    assert answer.status_code == 413 and "100 MB" in answer.json["message"]


def test_all_files_together_have_a_limit(web: FlaskClient, owner: Account) -> None:
    from app.services.declaration import start_declaration

    batch = factories.make_batch(parameters={"max_total_mb": 1})
    draft = factories.find(start_declaration(owner, batch.public_id))
    assert put(web, draft, "credit_china_report", pdf_bytes(padding=700_000)).status_code == 201
    answer = put(web, draft, KEY, pdf_bytes(padding=700_000))
    assert answer.status_code == 413 and "不能超过 1 MB" in answer.json["message"]
    assert rows_of(draft) == []
    assert put(web, draft, "credit_china_report", pdf_bytes(padding=800_000)).status_code == 201, (
        "it takes the old one's place"
    )


def test_names_are_cleaned(web: FlaskClient, draft: Declaration) -> None:
    put(web, draft, KEY, pdf_bytes(), "C%3A%5Ctmp%5C%E2%80%AEfdp%00." + "a" * 300 + ".PDF")
    (row,) = rows_of(draft)
    assert len(row.filename) == 200 and row.filename.startswith("fdp.a") and row.filename.endswith(".PDF")


def test_others_get_nothing(web: FlaskClient, draft: Declaration, app: Flask) -> None:
    put(web, draft, KEY, pdf_bytes())
    (row,) = rows_of(draft)
    stranger = factories.login(app.test_client(), factories.make_account(roles.ENTERPRISE))
    assert stranger.get(f"/attachments/{row.public_id}").status_code == 404
    assert stranger.post(f"/attachments/{row.public_id}/remove").status_code == 404
    assert put(stranger, draft, KEY, pdf_bytes()).status_code == 404
    officer = factories.login(app.test_client(), factories.make_account(roles.CITY))
    assert officer.get(f"/attachments/{row.public_id}").status_code == 404, "a draft is nobody's business"
    assert put(officer, draft, KEY, pdf_bytes()).status_code == 403
    nobody = app.test_client()
    assert nobody.get(f"/attachments/{row.public_id}").status_code == 302
    assert put(nobody, draft, KEY, pdf_bytes()).status_code == 401
    assert len(rows_of(draft)) == 1


def test_unknown_things(web: FlaskClient, draft: Declaration) -> None:
    assert put(web, draft, "no_such_key", pdf_bytes()).status_code == 404
    assert web.get("/attachments/01890000-0000-7000-8000-000000000000").status_code == 404
    assert web.get("/attachments/1").status_code == 404
    answer = put(web, draft, STAMP_KEY, pdf_bytes())
    assert answer.status_code == 409 and "盖章这一步" in answer.json["message"]


def test_nothing_changes_while_an_office_is_at_work(web: FlaskClient, owner: Account, app: Flask) -> None:
    declaration = factories.submitted(owner)
    (row,) = rows_of(declaration)
    answer = put(web, declaration, KEY, pdf_bytes(2))
    assert answer.status_code == 409 and "正在办理" in answer.json["message"]
    assert web.post(f"/attachments/{row.public_id}/remove").status_code == 409
    assert len(rows_of(declaration)) == 1
    assert isinstance(app, Flask)


def test_a_return_opens_only_what_it_names(web: FlaskClient, owner: Account, app: Flask) -> None:
    from app.services.review import remark

    declaration = factories.submitted(owner)
    officer = factories.make_account(roles.CITY)
    remark(officer, declaration.public_id, f"@{KEY}", "审计报告缺页，请重新扫描")
    declaration = factories.perform(officer, declaration, "return", "请补全审计报告")
    assert put(web, declaration, KEY, pdf_bytes(4)).status_code == 201
    answer = put(web, declaration, "credit_china_report", pdf_bytes(4))
    assert answer.status_code == 409 and "没有退回" in answer.json["message"]
    new = rows_of(declaration)[-1]
    desk = factories.login(app.test_client(), officer)
    assert desk.get(f"/attachments/{new.public_id}").status_code == 404, "not sent in yet"
    factories.perform(owner, declaration, "resubmit")
    assert desk.get(f"/attachments/{new.public_id}").status_code == 200
    old = rows_of(declaration)[0]
    assert old.removed_at is not None
    # It was part of the first submission, so its row can still be opened; the factory kept no bytes for it.
    assert "找不到这份文件" in desk.get(f"/attachments/{old.public_id}").text


@pytest.fixture
def shown(web: FlaskClient, draft: Declaration) -> tuple[str, bytes]:
    """Address and content of an uploaded file."""
    content = pdf_bytes(2)
    return put(web, draft, KEY, content, "%E5%AE%A1%E8%AE%A1%20%22x%22.pdf").json["url"], content


def test_shown_in_the_browser_but_harmless(web: FlaskClient, shown: tuple[str, bytes]) -> None:
    answer = web.get(shown[0])
    headers = answer.headers
    assert headers["Content-Type"] == "application/pdf" and headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Disposition"].startswith("inline; filename=")
    assert "filename*=UTF-8''%E5%AE%A1%E8%AE%A1" in headers["Content-Disposition"]
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "SAMEORIGIN" and "private" in headers["Cache-Control"]
    assert web.get(f"{shown[0]}?download=1").headers["Content-Disposition"].startswith("attachment; ")


def test_parts_and_unchanged_files(web: FlaskClient, shown: tuple[str, bytes]) -> None:
    url, content = shown
    part = web.get(url, headers={"Range": "bytes=5-14"})
    assert part.status_code == 206 and part.data == content[5:15]
    assert part.headers["Content-Range"] == f"bytes 5-14/{len(content)}"
    assert web.get(url, headers={"Range": "bytes=999999999-"}).status_code == 416
    tag = web.get(url).headers["ETag"]
    assert hashlib.sha256(content).hexdigest() in tag
    assert web.get(url, headers={"If-None-Match": tag}).status_code == 304


def test_scan_of_the_stamp_step_is_checked_in_the_background(web: FlaskClient, owner: Account) -> None:
    _owner, declaration = at_stamp_step(owner)
    answer: Any = put(web, declaration, STAMP_KEY, pdf_bytes(3))
    assert answer.status_code == 201
    (row,) = rows_of(declaration, STAMP_KEY)
    scan = db.session.scalars(select(StampedScan)).unique().one()
    assert scan.attachment_id == row.id and scan.state == "pending"
    job = db.session.scalars(select(Job).where(Job.kind == "check_scan")).one()
    assert job.args == {"attachment": row.id} and job.state == "queued"


def test_experts_see_what_is_assigned_to_them(web: FlaskClient, owner: Account, app: Flask) -> None:
    draft = factories.filled_draft(owner, factories.make_batch())
    url = put(web, draft, KEY, pdf_bytes(2)).json["url"]
    sent = factories.perform(owner, draft, "submit")
    expert, other = factories.make_account(roles.EXPERT), factories.make_account(roles.EXPERT)
    factories.store(
        Assignment(declaration_id=sent.id, step_key="expert_review", expert_id=expert.id, assigned_at=now())
    )
    assert factories.login(app.test_client(), expert).get(url).data == pdf_bytes(2)
    assert factories.login(app.test_client(), other).get(url).status_code == 404
    district = factories.make_account(roles.DISTRICT, region="230102")
    assert factories.login(app.test_client(), district).get(url).status_code == 404
