"""What happens in the grids besides reading: changes of reference data and exports leave events."""

from __future__ import annotations

from typing import Any

from app.models import Account
from app.services.unit_of_work import unit_of_work
from app.workflow.engine import record


def note_change(user: Account, subject: str, action: str, label: str, values: dict[str, Any]) -> None:
    """An event about a record of reference data: who, what, and the values after it."""
    with unit_of_work() as session:
        record(session, None, user, action=action, label=label, subject=subject[:80], data=values)


def note_export(user: Account, grid: str, arguments: dict[str, str]) -> None:
    """An event about an export: which grid with which filters."""
    with unit_of_work() as session:
        record(session, None, user, action="export", label="导出", subject=grid[:80], data=arguments)
