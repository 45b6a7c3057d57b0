"""Sending short messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.services import sms
from app.tasks.registry import Report, task


@task(sms.SEND)
def send_message(args: Mapping[str, Any], _report: Report) -> None:
    """Hand one message to the gateway; the worker tries again if the gateway is away."""
    sms.deliver(int(args["message"]))
