"""A programme that exists only as a file: its uploads of every format, its Word, PDF, list and package, with no code."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from docx import Document
from flask import Flask
from python_calamine import CalamineWorkbook

from app.definitions import registry
from app.errors import InvalidInput
from app.extensions import db
from app.models import Account, Declaration
from app.permissions import roles
from app.services import document, export, stamp
from app.services.attachment import upload
from app.services.projection import sync_definitions
from app.services.storage import store
from tests import factories
from tests.factories_files import pdf_bytes, picture_bytes

FOLDER = Path(__file__).parents[1] / "data" / "definitions"
KEY = "everything"


@pytest.fixture
def installed(context: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """The made-up programme in the catalogue and in the database."""
    both = registry.Catalogue(registry.CATALOGUE)
    both._definitions[KEY] = registry.Catalogue(FOLDER).get(KEY)
    monkeypatch.setattr(registry, "catalogue", lambda *_: both)
    sync_definitions()
    yield context


def give(owner: Account, declaration: Declaration, key: str, content: bytes, name: str) -> None:
    """Upload as the owner does."""
    upload(db.session.get_one(Account, owner.id), declaration.public_id, key, io.BytesIO(content), name)


def test_from_upload_to_package(installed: Flask) -> None:
    owner, batch = factories.make_account(roles.ENTERPRISE), factories.make_batch(KEY, title="首批")
    draft = factories.filled_draft(owner, batch)
    give(owner, draft, "audit_report", pdf_bytes(2), "审计.pdf")
    for number in range(4):
        give(owner, draft, "photos", picture_bytes("JPEG", (64 + number, 64)), f"现场{number}.jpg")
    give(owner, draft, "photos", picture_bytes("PNG"), "现场.png")
    with pytest.raises(InvalidInput, match="最多 5 个文件"):
        give(owner, draft, "photos", picture_bytes("PNG", (99, 99)), "多.png")
    with pytest.raises(InvalidInput, match="不是 JPG"):
        give(owner, draft, "photos", picture_bytes("PNG"), "假的.jpg")
    owner = db.session.get_one(Account, owner.id)
    declaration = factories.perform(owner, draft, "submit")
    officer = factories.make_account(roles.DISTRICT, region=declaration.region_code)
    factories.perform(officer, declaration, "confirm", "同意")
    _papers(owner, declaration)
    give(owner, declaration, "stamped_material", pdf_bytes(3), "盖章.pdf")
    owner = db.session.get_one(Account, owner.id)
    assert stamp.page_of(owner, declaration.public_id).pending
    factories.perform(owner, declaration, "stamp")
    _exports(factories.make_account(roles.CITY), batch.public_id, declaration)


def _papers(owner: Account, declaration: Declaration) -> None:
    material = document.material(owner, declaration.public_id)
    tables = Document(io.BytesIO(material.content)).tables
    text = "\n".join(cell.text for table in tables for row in table.rows for cell in row.cells)
    assert material.name.startswith("全类型示例申报表_") and "现场.png" in text and "设备名称" in text
    assert document.preview(owner, declaration.public_id).content.startswith(b"%PDF-")
    assert document.receipt(owner, declaration.public_id).content.startswith(b"%PDF-")


def _exports(officer: Account, batch: str, declaration: Declaration) -> None:
    listed = export.summary(officer, batch)
    rows = CalamineWorkbook.from_filelike(io.BytesIO(listed.content)).get_sheet_by_index(0).to_python()
    assert rows[0][0] == "全类型示例申报（首批）汇总表" and declaration.serial_no in rows[2]
    assert rows[3][1] == "合计"
    made = export.build_package(officer.id, batch, ["in_progress"], lambda _percent, _note: None)
    with zipfile.ZipFile(store().open(made["sha256"])) as archive:
        names = [name.partition("/")[2] for name in archive.namelist()]
    assert names[1:4] == ["已盖章申报材料.pdf", "2024年度审计报告.pdf", "现场照片.jpg"]
    assert sorted(names[3:]) == [
        "现场照片 (2).jpg",
        "现场照片 (3).jpg",
        "现场照片 (4).jpg",
        "现场照片.jpg",
        "现场照片.png",
    ]
