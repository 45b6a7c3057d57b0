"""Working days, Asia/Shanghai: the packaged calendar plus an editable holiday table; unknown years fail closed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import chinese_calendar

SHANGHAI = ZoneInfo("Asia/Shanghai")


class UnknownYear(Exception):
    """Nobody has published the holidays of this year yet."""


def local_date(moment: datetime) -> date:
    """Date of an aware ``moment`` as people in Shanghai read it."""
    return moment.astimezone(SHANGHAI).date()


def end_of(day: date) -> datetime:
    """24:00 of ``day`` in Shanghai, as UTC: the exclusive end of a deadline."""
    return datetime.combine(day + timedelta(days=1), datetime.min.time(), SHANGHAI).astimezone(UTC)


def is_working_day(day: date, holidays: Mapping[date, bool]) -> bool:
    """Whether ``day`` is worked. ``holidays`` (day → worked) wins. UnknownYear if nobody has published the year."""
    if day in holidays:
        return holidays[day]
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError as error:
        raise UnknownYear(str(day.year)) from error


def add_working_days(start: date, days: int, holidays: Mapping[date, bool]) -> date:
    """The ``days``-th working day after ``start`` (the day after it is number 1). UnknownYear as above."""
    day = start
    while days > 0:
        day += timedelta(days=1)
        if is_working_day(day, holidays):
            days -= 1
    return day


def working_days_left(today: date, due: date, holidays: Mapping[date, bool]) -> int:
    """Working days from tomorrow to ``due``; 0 is today, negative is overdue. UnknownYear as above."""
    sign, low, high = (1, today, due) if due >= today else (-1, due, today)
    count, day = 0, low
    while day < high:
        day += timedelta(days=1)
        count += is_working_day(day, holidays)
    return sign * count


def due_at(moment: datetime, days: int | None, holidays: Mapping[date, bool]) -> datetime | None:
    """End of the ``days``-th working day after ``moment``; None if there is no limit or the year is unknown (待公布)."""
    if days is None:
        return None
    try:
        return end_of(add_working_days(local_date(moment), days, holidays))
    except UnknownYear:
        return None
