"""The deadline clock at its edges: the last second, weekends, holidays, year's end; and that its words never lie."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.services.deadline import SOON, Clock, clock_until, day_words, end_words
from app.workflow.calendar import SHANGHAI, end_of, local_date, working_days_left

FEW = settings(max_examples=40, deadline=None, derandomize=True)
MOMENTS = st.datetimes(datetime(2024, 1, 2), datetime(2026, 11, 1), timezones=st.just(UTC))


def clock(last: date, at: datetime) -> Clock:
    found = clock_until(end_of(last), at, {})
    assert found is not None
    return found


def shanghai(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=SHANGHAI).astimezone(UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("at", "short", "tone"),
    [
        (shanghai(2026, 11, 19, 23, 59, 59), "剩 1 个工作日", "warn"),
        (shanghai(2026, 11, 20, 0, 0, 0), "今天截止", "bad"),
        (shanghai(2026, 11, 20, 23, 59, 59), "今天截止", "bad"),
        (shanghai(2026, 11, 23, 0, 0, 0), "已超 1 个工作日", "bad"),
        (shanghai(2026, 11, 24, 9, 0, 0), "已超 2 个工作日", "bad"),
    ],
    ids=["eve", "first-second", "last-second", "monday-after", "tuesday-after"],
)
def test_a_friday_deadline_second_by_second(at: datetime, short: str, tone: str) -> None:
    found = clock(date(2026, 11, 20), at)
    assert (found.short, found.tone) == (short, tone)


@pytest.mark.parametrize(
    "at",
    [shanghai(2026, 11, 21, 0, 0, 0), shanghai(2026, 11, 21, 10, 0), shanghai(2026, 11, 22, 23, 59, 59)],
    ids=["saturday-0-00", "saturday", "sunday-last-second"],
)
def test_on_the_weekend_after_nobody_is_told_that_it_was_today(at: datetime) -> None:
    # No working day has passed, so there is nothing to count; the deadline was on Friday all the same.
    found = clock(date(2026, 11, 20), at)
    assert found.tone == "bad" and found.days == 0
    assert found.text == found.short == "已过截止时间"


def test_a_deadline_at_noon_was_today_in_the_afternoon() -> None:
    noon = shanghai(2026, 11, 20, 12, 0)
    found = clock_until(noon, noon + timedelta(hours=1), {})
    assert found is not None and found.text == "今天已过截止时间"


def test_exactly_at_the_end_it_is_over() -> None:
    end = end_of(date(2026, 11, 20))
    before, after = clock_until(end, end - timedelta(microseconds=1), {}), clock_until(end, end, {})
    assert before is not None and before.text.startswith("今天截止")
    assert after is not None and after.tone == "bad" and "截止 ·" not in after.text


def test_a_deadline_on_a_day_off_names_the_day() -> None:
    found = clock(date(2026, 11, 22), shanghai(2026, 11, 20, 9, 0))
    assert found.text == "剩 0 个工作日 · 11 月 22 日 24:00 前" and found.tone == "warn"


def test_over_the_national_day_only_worked_days_count() -> None:
    assert clock(date(2026, 10, 8), shanghai(2026, 9, 30, 9, 0)).short == "剩 1 个工作日"
    assert clock(date(2026, 10, 10), shanghai(2026, 9, 30, 9, 0)).days == 3, "10 October is a worked Saturday"


@pytest.mark.parametrize(
    ("day", "today", "words"),
    [
        (date(2026, 12, 31), date(2026, 12, 31), "12 月 31 日"),
        (date(2027, 1, 1), date(2026, 12, 31), "2027 年 1 月 1 日"),
        (date(2025, 12, 31), date(2026, 1, 1), "2025 年 12 月 31 日"),
    ],
)
def test_the_year_is_said_when_it_is_another(day: date, today: date, words: str) -> None:
    assert day_words(day, today) == words


def test_the_last_midnight_of_a_year_belongs_to_the_old_year() -> None:
    assert end_words(end_of(date(2026, 12, 31)), date(2026, 12, 1)) == "12 月 31 日 24:00"
    assert end_words(end_of(date(2026, 12, 31)), date(2027, 1, 1)) == "2026 年 12 月 31 日 24:00"
    assert end_words(shanghai(2027, 1, 1, 0, 1), date(2026, 12, 31)) == "2027 年 1 月 1 日 00:01"


@FEW
@given(MOMENTS, st.integers(-30, 45))
def test_the_clock_agrees_with_the_calendar(at: datetime, distance: int) -> None:
    last = local_date(at) + timedelta(days=distance)
    found = clock(last, at)
    assert found.days == working_days_left(local_date(at), last, {})
    over = at >= end_of(last)
    assert over is (distance < 0)
    number = re.search(r"\d+(?= 个工作日)", found.text)
    if number:
        assert int(number[0]) == abs(found.days or 0)
    assert ("已超" in found.text or "已过" in found.text) is over


@FEW
@given(MOMENTS, st.integers(0, 45))
def test_the_tone_gets_worse_as_time_runs_out(at: datetime, distance: int) -> None:
    rank = {None: 0, "warn": 1, "bad": 2}
    last = local_date(at) + timedelta(days=distance)
    tones = [rank[clock(last, at + timedelta(days=n)).tone] for n in range(distance + 3)]
    assert tones == sorted(tones)
    assert tones[-1] == 2
    assert (clock(last, at).tone is None) is ((clock(last, at).days or 0) > SOON)


@FEW
@given(MOMENTS)
def test_words_of_an_end_lead_back_to_it(end: datetime) -> None:
    end = end.replace(second=0, microsecond=0)
    found = re.fullmatch(r"(\d+) 月 (\d+) 日 (\d\d):(\d\d)", end_words(end, end.astimezone(SHANGHAI).date()))
    if found is None:
        # Midnight of New Year is the only end whose day lies in another year.
        assert end.astimezone(SHANGHAI).strftime("%m%d%H%M") == "01010000"
        return
    month, day, hour, minute = map(int, found.groups())
    said = datetime(end.astimezone(SHANGHAI).year, month, day, tzinfo=SHANGHAI) + timedelta(hours=hour, minutes=minute)
    assert said == end


@pytest.mark.parametrize("hours", [0, 1, 23])
def test_without_a_calendar_no_number_is_guessed(hours: int) -> None:
    at = datetime(2040, 3, 1, tzinfo=UTC) + timedelta(hours=hours)
    found = clock_until(end_of(date(2040, 3, 20)), at, {})
    assert found is not None and found.days is None
    assert "工作日" not in found.text + found.short
