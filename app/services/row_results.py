"""What became of each row of an act on many declarations, kept under the form's key: sent again, it gives the same answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from hashlib import sha256

from app.errors import Conflict
from app.extensions import db
from app.models import Account, BulkAct
from app.models.base import now
from app.services.bulk import Result
from app.services.unit_of_work import unit_of_work

__all__ = ["Result", "is_kept", "keep", "row_key"]


def is_kept(user: Account, key: str) -> bool:
    """Whether the form with this key was carried out before. Conflict if it was somebody else's."""
    known = db.session.get(BulkAct, key)
    if known is not None and known.account_id != user.id:
        raise Conflict("这个页面已经用过了。请刷新后再办。")
    return known is not None


def keep(user: Account, key: str, action: str, results: Sequence[Result]) -> None:
    """Keep ``results``; of two at the same moment the first stands."""
    try:
        with unit_of_work() as session:
            rows = [asdict(r) for r in results]
            session.add(BulkAct(key=key, account_id=user.id, action=action, results=rows, created_at=now()))
    except Conflict:
        db.session.rollback()
        is_kept(user, key)


def row_key(key: str, public_id: str) -> str:
    """One idempotency key per row: what was done is not done again if the act is broken off and sent once more."""
    return sha256(f"{key}:{public_id}".encode()).hexdigest()
