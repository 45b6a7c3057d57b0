"""Deadlines in words: working days, the last day, urgency, and years nobody has published."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from app.services.deadline import clock_until, day_words, end_words
from app.workflow.calendar import end_of

# 2024-06-10 is a holiday (端午), 2024-06-12 a Wednesday.
WEDNESDAY = datetime(2024, 6, 12, 2, 0, tzinfo=UTC)


def test_no_deadline_has_no_clock() -> None:
    assert clock_until(None, WEDNESDAY, {}) is None


@pytest.mark.parametrize(
    ("last", "text", "short", "tone", "days"),
    [
        (date(2024, 6, 28), "剩 12 个工作日 · 6 月 28 日 24:00 前", "剩 12 个工作日", None, 12),
        (date(2024, 6, 17), "剩 3 个工作日 · 6 月 17 日 24:00 前", "剩 3 个工作日", "warn", 3),
        (date(2024, 6, 12), "今天截止 · 6 月 12 日 24:00 前", "今天截止", "bad", 0),
        (date(2024, 6, 11), "已超 1 个工作日", "已超 1 个工作日", "bad", -1),
    ],
)
def test_clock_counts_working_days(last: date, text: str, short: str, tone: str | None, days: int) -> None:
    clock = clock_until(end_of(last), WEDNESDAY, {})
    assert clock is not None
    assert (clock.text, clock.short, clock.tone, clock.days) == (text, short, tone, days)


def test_own_holiday_table_wins() -> None:
    clock = clock_until(end_of(date(2024, 6, 17)), WEDNESDAY, {date(2024, 6, 13): False})
    assert clock is not None and clock.days == 2


def test_unpublished_year_tells_only_the_day() -> None:
    clock = clock_until(end_of(date(2031, 3, 2)), datetime(2031, 2, 1, tzinfo=UTC), {})
    assert clock is not None
    assert (clock.text, clock.short, clock.days, clock.tone) == ("3 月 2 日 24:00 前", "3 月 2 日 截止", None, None)


def test_unpublished_year_still_says_that_it_is_over() -> None:
    clock = clock_until(end_of(date(2031, 1, 2)), datetime(2031, 2, 1, tzinfo=UTC), {})
    assert clock is not None and clock.tone == "bad"


def test_earlier_today_is_over() -> None:
    noon = datetime(2024, 6, 12, 4, 0, tzinfo=UTC)
    clock = clock_until(noon, datetime(2024, 6, 12, 5, 0, tzinfo=UTC), {})
    assert clock is not None and clock.tone == "bad" and clock.text == "今天已过截止时间"


def test_end_words_read_midnight_as_24_and_others_as_they_are() -> None:
    today = date(2024, 6, 12)
    assert end_words(end_of(date(2024, 6, 17)), today) == "6 月 17 日 24:00"
    assert end_words(datetime(2024, 6, 17, 9, 30, tzinfo=UTC), today) == "6 月 17 日 17:30"


def test_another_year_is_named() -> None:
    assert day_words(date(2025, 1, 3), date(2024, 12, 30)) == "2025 年 1 月 3 日"
