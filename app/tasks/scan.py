"""Looking at stamped scans."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.adapters.process import ChildFailed
from app.errors import NotFound
from app.services import attachment, stamp
from app.tasks.registry import Report, task


@task(attachment.CHECK_SCAN)
def check_scan(args: Mapping[str, Any], _report: Report) -> Mapping[str, Any]:
    """Keep the findings; what cannot be read is handed to a person instead of being tried again."""
    try:
        return stamp.check_attachment(int(args["attachment"]))
    except (ChildFailed, NotFound) as error:
        stamp.give_up(int(args["attachment"]), type(error).__name__)
        return {"done": False}
