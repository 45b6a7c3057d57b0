"""Housekeeping: what has run out is removed, what time brings about is done, and the head of the audit trail is
written outside the database."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from flask import current_app
from sqlalchemy import CursorResult, delete

from app.errors import Conflict
from app.models import Challenge, IdempotencyKey, Job, LoginSession, SmsCode, Throttle, WebhookDelivery
from app.models.base import now
from app.services.announcement import bury
from app.services.audit import write_head
from app.services.job import enqueue
from app.services.storage import SWEEP
from app.services.turn_of_time import turn
from app.services.unit_of_work import unit_of_work

KIND = "upkeep"
EVERY = timedelta(hours=1)
DAY = timedelta(days=1)


def schedule_upkeep() -> None:
    """Make sure that one upkeep is waiting. Every worker calls this once in ``EVERY``."""
    # Conflict: another worker planned it at this very moment.
    with suppress(Conflict), unit_of_work() as session:
        enqueue(session, KIND, dedup=KIND)


def keep_up() -> dict[str, int]:
    """Remove what has run out; returns how many rows by table. Jobs that were given up stay to be seen."""
    at = now()
    idle: timedelta = current_app.config["SESSION_IDLE"]
    outdated = {
        "sessions": delete(LoginSession).where(LoginSession.last_seen_at < at - idle),
        "challenges": delete(Challenge).where(Challenge.created_at < at - DAY),
        "sms codes": delete(SmsCode).where(SmsCode.created_at < at - DAY),
        "counted tries": delete(Throttle).where(Throttle.at < at - 2 * DAY),
        "answered forms": delete(IdempotencyKey).where(IdempotencyKey.created_at < at - 7 * DAY),
        "finished jobs": delete(Job).where(Job.state == "done", Job.done_at < at - 7 * DAY),
        "old announcements": delete(WebhookDelivery).where(
            WebhookDelivery.state.in_(("sent", "dead")), WebhookDelivery.created_at < at - 90 * DAY
        ),
    }
    removed = {}
    for name, statement in outdated.items():
        # One short transaction each: other people's work must not wait behind a long clean-up.
        with unit_of_work() as session:
            result = session.execute(statement)
            assert isinstance(result, CursorResult)
            removed[name] = result.rowcount
    with suppress(Conflict), unit_of_work() as session:
        enqueue(session, SWEEP, dedup=SWEEP, delay=DAY)
    turn()
    bury()
    write_head(current_app.config["DATA_DIR"])
    return removed
