"""What an enterprise holds, and what that lets it declare: bans after a revocation, renewals, yearly updates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.definitions.schema import Definition, Holding
from app.models import Declaration, Recognition
from app.models.base import now
from app.workflow.calendar import SHANGHAI, local_date
from app.workflow.outcomes import OUTCOME_DEEDS, Standing, find_outcome_deed, reasons_against


def facts_of(session: Session, declaration: Declaration, definition: Definition) -> dict[str, Any]:
    """Facts for the guards of a submission: ``banned_until`` (last day or None) and ``holding`` (why not, or None)."""
    statement = select(Recognition).where(Recognition.enterprise_id == declaration.enterprise_id)
    held = list(session.scalars(statement.order_by(Recognition.id.desc())).unique())
    today = local_date(now())
    return {
        "banned_until": _banned_until(held, declaration.programme_key, today),
        "holding": _lack(session, declaration, definition, held, today),
    }


def _banned_until(held: Sequence[Recognition], programme_key: str, today: date) -> date | None:
    bans = [r.banned_until for r in held if r.programme_key == programme_key and r.banned_until is not None]
    return max((day for day in bans if day >= today), default=None)


def _lack(
    session: Session, declaration: Declaration, definition: Definition, held: Sequence[Recognition], today: date
) -> str | None:
    """What is missing of ``definition.holding``, as a sentence; None if nothing is."""
    holding = definition.holding
    if holding is None:
        return None
    found = pick(held, holding)
    if found is None:
        return f"企业现在没有有效的认定，不用办理“{definition.title}”。"
    if definition.kind != "re_review":
        return None
    deed = find_outcome_deed(found.state, "apply_review")
    if deed is None:
        return f"“{found.title}”已在复核，不用再申请。"
    updated = holding.update is None or was_updated(session, declaration.enterprise_id, holding.update, today.year)
    return "".join(reasons_against(deed, Standing(found, today, holding, updated))) or None


def pick(held: Sequence[Recognition], holding: Holding) -> Recognition | None:
    """The newest recognition that counts for ``holding``: valid or under review. ``held`` newest first."""
    living = {d.state for d in OUTCOME_DEEDS}
    return next((r for r in held if r.programme_key in holding.programmes and r.state in living), None)


def was_updated(session: Session, enterprise_id: int, programme_key: str, year: int) -> bool:
    """Whether the enterprise handed in the information update ``programme_key`` in ``year`` (Shanghai)."""
    first, end = (datetime(y, 1, 1, tzinfo=SHANGHAI).astimezone(UTC) for y in (year, year + 1))
    statement = select(Declaration.id).where(
        Declaration.enterprise_id == enterprise_id, Declaration.programme_key == programme_key,
        Declaration.status == "approved", Declaration.decided_at >= first, Declaration.decided_at < end,
    )  # fmt: skip
    return session.scalars(statement.limit(1)).first() is not None
