"""Who holds a declaration since when, in one short line: for rows of lists and the head of the review page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from flask import url_for
from flask_babel import gettext as _

from app.models import Declaration
from app.permissions import roles
from app.services.claim import can_claim
from app.services.opened import Opened
from app.views.page import clock_time, short_time
from app.workflow.calendar import local_date


def since_words(moment: datetime | None, at: datetime) -> str:
    """``09:12 起`` on the day of ``at``, ``06-12 09:12 起`` before it; empty for None."""
    if moment is None:
        return ""
    time = clock_time(moment) if local_date(moment) == local_date(at) else short_time(moment)
    return _("%(time)s 起", time=time)


def holder_words(declaration: Declaration, at: datetime, claimant: str | None = None, experts: int = 0) -> str:
    """``市工信·张科员 09:12 起在办``; empty when nobody holds it any more.

    ``claimant`` is who in the office is at work on it, ``experts`` how many still owe a score. While the enterprise
    has it outside the route no clock of the office runs, and that is said.
    """
    role = declaration.holder_role
    if role is None:
        return ""
    since = since_words(declaration.step_since, at)
    if role == roles.EXPERT:
        return _("专家 %(n)s 位 %(since)s", n=experts, since=since)
    if role == roles.ENTERPRISE and declaration.status in ("draft", "returned"):
        return _("在企业处 %(since)s，不计时", since=since) if since else _("在企业处，不计时")
    if claimant:
        claimed = since_words(declaration.claimed_at, at)
        return _("%(office)s·%(name)s %(since)s在办", office=roles.LABELS[role], name=claimant, since=claimed)
    return f"{roles.LABELS[role]} {since}".rstrip()


@dataclass(frozen=True)
class Holder:
    """The line of the review page, with what its reader can do about it. ``claim``: mine, free or other; None where the
    declaration does not wait for the reader's office."""

    text: str
    claim: Literal["mine", "free", "other"] | None
    url: str
    version: int


def holder_of(opened: Opened, at: datetime) -> Holder:
    """Who holds the declaration of ``opened``, as an office reads it."""
    declaration, user = opened.declaration, opened.user
    mine = declaration.claimed_by is not None and declaration.claimed_by == user.id
    experts = [a for a in opened.assignments if a.step_key == declaration.step_key and a.done_at is None]
    name = user.get_full_name() if mine else opened.claimant
    claim: Any = None
    if can_claim(opened):
        claim = "mine" if mine else ("free" if declaration.claimed_by is None else "other")
    url = url_for("todo_claim.show", id=declaration.public_id)
    return Holder(holder_words(declaration, at, name, len(experts)), claim, url, declaration.version)
