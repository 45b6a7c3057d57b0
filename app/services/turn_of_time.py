"""What the passing of time brings about: periods end, windows close, outcomes run out. Repeating it is safe."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.errors import DomainError
from app.extensions import db
from app.models import Batch, Declaration, Programme, PublicList, PublicListEntry
from app.models.base import now
from app.services.declaration import act_by_system
from app.services.message import tell_office
from app.services.outcome import expire_due, remind_expiring
from app.services.reference import holidays
from app.services.unit_of_work import unit_of_work
from app.workflow.calendar import local_date


def turn() -> dict[str, int]:
    """Everything that is due; returns how many of each."""
    return {
        "expired outcomes": expire_due(),
        "told of expiry": remind_expiring(),
        "closed updates": close_missed_updates(),
        "ended publicity": tell_publicity_over(),
    }


def close_missed_updates() -> int:
    """Close the drafts of information updates whose window is over (deed ``close``), each in its own transaction."""
    days = holidays()
    waiting = (
        select(Declaration.public_id)
        .join(Batch, Batch.id == Declaration.batch_id)
        .join(Programme, Programme.id == Declaration.programme_id)
        .where(Programme.kind == "update", Declaration.status == "draft", Batch.closes_at <= now())
    )
    count = 0
    for public_id in _read(waiting):
        # Discarded or lengthened meanwhile: the table says no, and nothing is to be done.
        with suppress(DomainError), unit_of_work() as session:
            act_by_system(session, public_id, "close", days)
            count += 1
    return count


def tell_publicity_over() -> int:
    """Tell the office in charge, once, that a 公示 is over and declarations wait for its conclusion."""
    over = select(PublicList.id).where(
        PublicList.kind == "publicity", PublicList.told_at.is_(None), PublicList.closes_on < local_date(now())
    )
    count = 0
    for key in _read(over):
        with unit_of_work() as session:
            public = session.get_one(PublicList, key, with_for_update={"of": PublicList})
            if public.told_at is None:
                public.told_at = now()
                count += _tell_office(session, public)
    return count


def _tell_office(session: Session, public: PublicList) -> int:
    """1 if anything on the list still waits, else 0."""
    waiting = session.scalars(
        select(Declaration)
        .join(PublicListEntry, PublicListEntry.declaration_id == Declaration.id)
        .where(PublicListEntry.list_id == public.id, Declaration.status == "in_progress")
    ).unique().all()  # fmt: skip
    here = [d for d in waiting if d.step_key and d.programme.definition.step(d.step_key).kind == "publicity"]
    if not here:
        return 0
    open_ones = sum(1 for d in here if d.open_objections)
    held_up = f"其中 {open_ones} 家还有异议没有办结。" if open_ones else "没有未办结的异议。"
    tell_office(
        session, here[0].holder_role or "", here[0].holder_region or "", "declaration_reminder",
        f"公示期满：{public.title}", f"{len(here)} 家企业等待结束公示，{held_up}", f"/batches/{public.batch.public_id}/",
    )  # fmt: skip
    return 1


def _read(statement: Select[Any]) -> list[Any]:
    # Read apart from the transactions that follow, so that none of them is held for long.
    with Session(db.engine) as session:
        return list(session.scalars(statement))
