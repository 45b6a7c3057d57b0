"""Files that an office adds itself: the sealed letter of a hand-over, the evidence of an objection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from flask import current_app
from sqlalchemy.orm import Session

from app.adapters.files import Readable
from app.definitions.schema import Attachment as Spec
from app.errors import TooLarge
from app.extensions import db
from app.services.attachment import MIB, check_content, clean_name
from app.services.storage import add_blob, store

LETTER = Spec(key="letter", label="盖章的推荐文件", formats=("pdf",), max_size_mb=100)
EVIDENCE = Spec(key="evidence", label="佐证材料", formats=("pdf", "jpg", "png"), max_size_mb=100)


@dataclass(frozen=True)
class Kept:
    """A checked file in the store. It stays there for a day; then a row must name it (``claim``)."""

    sha256: str
    name: str
    size: int


def receive(spec: Spec, stream: Readable, filename: str, size: int | None = None) -> Kept:
    """Take in, check and keep a file for ``spec`` (``LETTER``, ``EVIDENCE``), outside any transaction.

    ``size`` in bytes if it is known beforehand. TooLarge, or InvalidInput naming what is wrong with it.
    """
    name, kind = clean_name(filename, spec)
    limit = min(spec.max_size_mb * MIB, current_app.config["MAX_FILE_BYTES"])
    if size is not None and size >= limit:
        raise TooLarge(f"文件要小于 {limit // MIB} MB。请把扫描分辨率降到每英寸 200 点后再传。")
    db.session.close()
    staged = store().stage(stream, limit)
    try:
        check_content(staged, kind)
        store().commit(staged)
    except BaseException:
        store().discard(staged)
        raise
    return Kept(staged.sha256, name, staged.size)


def claim(session: Session, kept: Kept) -> None:
    """Name the kept file in the caller's transaction, so that the sweeper leaves it."""
    add_blob(session, kept.sha256, kept.size)


def open_kept(sha256: str) -> BinaryIO:
    """A seekable reader of the file's bytes."""
    return store().open(sha256)
