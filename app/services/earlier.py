"""What an enterprise declared before, and what came of it: beside the declaration that is being reviewed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload, lazyload

from app.models import Batch, Declaration, Event, Recognition
from app.permissions import scopes
from app.services.opened import Opened

MOST = 20
"""Most declarations that are listed, newest first."""


@dataclass(frozen=True)
class Earlier:
    """One declaration of the same enterprise. ``returns``: how often it was sent back; ``held``: its recognition."""

    public_id: str
    title: str
    batch: str
    year: int
    serial_no: str | None
    status: str
    decided_at: datetime | None
    returns: int
    held: str | None = None
    held_state: str | None = None
    valid_to: date | None = None


def earlier_declarations(opened: Opened) -> list[Earlier]:
    """Other declarations of the same enterprise that the reader may see and that were handed in, newest first.

    One statement, however many there are.
    """
    declaration = opened.declaration
    returns = (
        select(func.count(Event.id))
        .where(Event.declaration_id == Declaration.id, Event.action == "return")
        .correlate(Declaration)
        .scalar_subquery()
    )
    statement = (
        select(Declaration, returns, Recognition)
        .outerjoin(Recognition, Recognition.declaration_id == Declaration.id)
        .options(lazyload("*"), joinedload(Declaration.batch), joinedload(Declaration.programme))
        .where(
            scopes.declarations(opened.user),
            Declaration.enterprise_id == declaration.enterprise_id,
            Declaration.id != declaration.id,
            Declaration.submitted_at.is_not(None),
        )
        .order_by(Declaration.submitted_at.desc(), Declaration.id.desc())
        .limit(MOST)
    )
    return [_earlier(*row) for row in opened.session.execute(statement).unique()]


def _earlier(declaration: Declaration, returns: int, held: Recognition | None) -> Earlier:
    batch: Batch = declaration.batch
    return Earlier(
        declaration.public_id, declaration.programme.title, batch.title, batch.year,
        declaration.serial_no, declaration.status, declaration.decided_at, returns,
        held.title if held else None, held.state if held else None, held.valid_to if held else None,
    )  # fmt: skip


def count_returns(found: Sequence[Earlier]) -> int:
    """How often the declarations in ``found`` were sent back, all together."""
    return sum(one.returns for one in found)
