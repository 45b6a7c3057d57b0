"""Deadlines as people read them: working days left, the last day, and how urgent it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask_babel import gettext as _

from app.workflow.calendar import SHANGHAI, UnknownYear, local_date, working_days_left

SOON = 3
"""Working days left from which a deadline is shown in amber to enterprises."""


@dataclass(frozen=True)
class Clock:
    """Words for a deadline clock, whole and for narrow rows. ``tone``: None, warn or bad.

    ``days``: working days left, None if unknown.
    """

    text: str
    short: str
    tone: str | None = None
    days: int | None = None


def day_words(day: date, today: date) -> str:
    """``6 月 17 日``, with the year when it is not this one."""
    if day.year == today.year:
        return _("%(m)s 月 %(d)s 日", m=day.month, d=day.day)
    return _("%(y)s 年 %(m)s 月 %(d)s 日", y=day.year, m=day.month, d=day.day)


def end_words(end: datetime, today: date) -> str:
    """An exclusive end as its last moment: ``6 月 17 日 24:00``, ``6 月 17 日 17:30``."""
    local = end.astimezone(SHANGHAI)
    if (local.hour, local.minute) == (0, 0):
        return _("%(day)s 24:00", day=day_words(local_date(end - timedelta(microseconds=1)), today))
    return f"{day_words(local.date(), today)} {local:%H:%M}"


def clock_until(end: datetime | None, at: datetime, holidays: Mapping[date, bool]) -> Clock | None:
    """The clock of an exclusive ``end`` seen at ``at``; None without a deadline.

    In a year whose holidays nobody has published, only the day is told, never a guessed number.
    """
    if end is None:
        return None
    today, last = local_date(at), local_date(end - timedelta(microseconds=1))
    words = end_words(end, today)
    try:
        days = working_days_left(today, last, holidays)
    except UnknownYear:
        text = _("%(when)s 前", when=words)
        return Clock(text, _("%(day)s截止", day=day_words(last, today) + " "), "bad" if at >= end else None)
    if at >= end:
        # On the weekend after a deadline no working day has passed, and still it was not today.
        unnumbered = _("今天已过截止时间") if last == today else _("已过截止时间")
        over = _("已超 %(n)s 个工作日", n=-days) if days < 0 else unnumbered
        return Clock(over, over, "bad", days)
    left = _("今天截止") if last == today else _("剩 %(n)s 个工作日", n=days)
    tone = "bad" if last == today else "warn" if days <= SOON else None
    return Clock(_("%(left)s · %(when)s 前", left=left, when=words), left, tone, days)
