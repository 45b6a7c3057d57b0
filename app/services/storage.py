"""The file store of this installation, and the sweeping of what no row names any more."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from tempfile import NamedTemporaryFile

from flask import current_app
from sqlalchemy import CursorResult, delete, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.adapters.files import CHUNK, FileStore, open_store
from app.extensions import db
from app.models import Attachment, Blob, Handover, Objection, StampedScan
from app.models.base import now
from app.permissions import scopes
from app.services.unit_of_work import unit_of_work

SWEEP = "sweep_files"
UNCLAIMED = timedelta(days=1)
"""How long a file may lie without a row: an upload takes minutes."""
AT_ONCE = 500
"""Rows that one transaction removes: nobody waits long behind the sweeper."""
KEPT_PACKAGES = timedelta(days=3)
"""How long an export can be downloaded."""


_NAMING = (Attachment.sha256, Handover.letter_sha256, Objection.evidence_sha256)
"""Columns that hold on to a file."""


@lru_cache(maxsize=4)
def _store(url: str | None, folder: Path) -> FileStore:
    return open_store(url, folder)


def store() -> FileStore:
    """The store that the settings name."""
    return _store(current_app.config["STORAGE_URL"], current_app.config["DATA_DIR"])


def add_blob(session: Session, sha256: str, size: int) -> None:
    """Name a kept file in the database, if it is not named yet. Two at the same moment are one."""
    if session.get(Blob, sha256) is not None:
        return
    try:
        with session.begin_nested():
            session.add(Blob(sha256=sha256, size=size, created_at=now()))
    except IntegrityError:
        # Somebody stored the same content meanwhile: the row is there, which is all that is wanted.
        session.expire_all()


@contextmanager
def local_copy(sha256: str) -> Iterator[Path]:
    """A kept file as a file of this machine, for as long as the block runs."""
    with NamedTemporaryFile(suffix=".bin") as copy:
        with store().open(sha256) as source:
            shutil.copyfileobj(source, copy, CHUNK)
        copy.flush()
        yield Path(copy.name)


def sweep_files() -> dict[str, int]:
    """Remove forgotten uploads, attachments that no office ever got, packages that ran out, and files that no row
    names; returns how many of each."""
    counts = {"staged": store().sweep(UNCLAIMED), "unfiled": _forget_unfiled()}
    counts |= {"packages": _forget_packages(), "orphans": 0}
    old = list(store().kept(UNCLAIMED))
    with Session(db.engine) as session:
        # Read after the listing: a file that got its row meanwhile is named.
        named = set(session.scalars(select(Blob.sha256)))
    for sha256 in old:
        if sha256 not in named:
            store().delete(sha256)
            counts["orphans"] += 1
    return counts


def _forget_unfiled() -> int:
    """Drop the rows of attachments that were replaced or removed before they were handed in; the bytes go as orphans."""
    gone = select(Attachment.id).where(Attachment.removed_at < now() - UNCLAIMED, ~scopes.filed()).limit(AT_ONCE)
    count = 0
    while True:
        with unit_of_work() as session:
            ids = session.scalars(gone).all()
            session.execute(delete(StampedScan).where(StampedScan.attachment_id.in_(ids)))
            session.execute(delete(Attachment).where(Attachment.id.in_(ids)))
        count += len(ids)
        if len(ids) < AT_ONCE:
            return count


def _forget_packages() -> int:
    """Drop the rows of files that belong to no declaration, some days after they were made; the bytes go as orphans."""
    attached = or_(*(select(column).where(column == Blob.sha256).exists() for column in _NAMING))
    with unit_of_work() as session:
        result = session.execute(delete(Blob).where(Blob.created_at < now() - KEPT_PACKAGES, ~attached))
        assert isinstance(result, CursorResult)
        return result.rowcount
