"""Announcing deeds to other systems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.services import announcement
from app.tasks.registry import Report, task


@task(announcement.SEND)
def send_announcement(args: Mapping[str, Any], _report: Report) -> None:
    """Send one announcement; the worker tries again if it was not taken."""
    announcement.deliver(int(args["delivery"]))
