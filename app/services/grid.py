"""What happens in the grids besides reading and changing: exports leave events."""

from __future__ import annotations

from app.models import Account
from app.services.unit_of_work import unit_of_work
from app.workflow.engine import record


def note_export(user: Account, grid: str, arguments: dict[str, str]) -> None:
    """An event about an export: which grid with which filters."""
    with unit_of_work() as session:
        record(session, None, user, action="export", label="导出", subject=grid[:80], data=arguments)
