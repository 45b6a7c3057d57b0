"""Files for upload tests, and the way from a submission to the stamp step."""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any

import pikepdf
from flask import current_app
from flask.testing import FlaskClient
from PIL import Image

from app.extensions import db
from app.models import Account, Batch, Declaration
from app.permissions import roles
from app.tasks import worker
from tests import factories

LIMIT = 104_857_600
STAMP_KEY = "stamped_material"


def pdf_bytes(pages: int = 1, padding: int = 0, **options: Any) -> bytes:
    """A valid PDF of blank A4 pages with ``padding`` bytes in it; ``options`` go to the writer (``encryption``)."""
    out = io.BytesIO()
    with pikepdf.new() as pdf:
        if padding:
            pdf.Root.Padding = pdf.make_stream(random.Random(1).randbytes(padding))
        for _ in range(pages):
            pdf.add_blank_page(page_size=(595, 842))
        pdf.save(out, deterministic_id="encryption" not in options, **options)
    return out.getvalue()


def picture_bytes(kind: str, size: tuple[int, int] = (64, 48)) -> bytes:
    """A valid picture of one colour."""
    out = io.BytesIO()
    Image.new("RGB", size, "white").save(out, kind)
    return out.getvalue()


def sparse_file(path: Path, size: int, head: bytes = b"") -> Path:
    """A file of ``size`` bytes that takes no room on the disk."""
    with path.open("wb") as file:
        file.write(head)
        file.truncate(size)
    return path


def put(web: FlaskClient, declaration: Declaration, key: str, content: bytes, name: str = "audit.pdf") -> Any:
    """Upload as a script does."""
    headers = {"X-Filename": name, "Accept": "application/json", "Content-Type": "application/octet-stream"}
    return web.put(f"/declarations/{declaration.public_id}/attachments/{key}", data=content, headers=headers)


def post(web: FlaskClient, declaration: Declaration, key: str, content: bytes, name: str = "审计报告.pdf") -> Any:
    """Upload as a form does."""
    url = f"/declarations/{declaration.public_id}/attachments/{key}"
    return web.post(url, data={"file": (io.BytesIO(content), name)}, content_type="multipart/form-data")


def at_stamp_step(
    owner: Account | None = None, batch: Batch | None = None, *, seed: int = 1
) -> tuple[Account, Declaration]:
    """A declaration that the city confirmed, waiting for its stamped material; with its owner."""
    owner = owner or factories.make_account(roles.ENTERPRISE)
    declaration = factories.submitted(owner, batch, seed=seed)
    officer = factories.make_account(roles.CITY)
    return owner, factories.perform(officer, declaration, "confirm", "材料齐全")


def run_jobs() -> None:
    """Do everything that waits in the job table, as the worker does, beside the test's own session."""
    with current_app._get_current_object().app_context():
        while worker.run_job():
            pass
    db.session.rollback()
