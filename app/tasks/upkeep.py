"""The hourly housekeeping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.services import upkeep
from app.tasks.registry import Report, task


@task(upkeep.KIND)
def keep_up(_args: Mapping[str, Any], _report: Report) -> Mapping[str, Any]:
    """Remove what has run out. The worker plans the next one."""
    return upkeep.keep_up()
