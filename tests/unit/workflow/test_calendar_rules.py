"""Working days as an algebra: whatever the holidays are, counting forward and counting what is left agree."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.workflow.calendar import (
    SHANGHAI,
    UnknownYear,
    add_working_days,
    due_at,
    end_of,
    is_working_day,
    local_date,
    working_days_left,
)

FEW = settings(max_examples=30, deadline=None, derandomize=True)
DAYS = st.dates(date(2024, 1, 2), date(2026, 11, 1))
MOMENTS = st.datetimes(datetime(2024, 1, 2), datetime(2026, 11, 1), timezones=st.just(UTC))
TABLES = st.dictionaries(st.dates(date(2024, 1, 1), date(2026, 12, 31)), st.booleans(), max_size=12)


def naive_count(start: date, end: date, holidays: dict[date, bool]) -> int:
    """Working days in (start, end], one by one."""
    span = (end - start).days
    return sum(is_working_day(start + timedelta(days=n), holidays) for n in range(1, span + 1))


@FEW
@given(DAYS, st.integers(1, 25), TABLES)
def test_what_was_added_is_what_is_left(start: date, days: int, holidays: dict[date, bool]) -> None:
    due = add_working_days(start, days, holidays)
    assert working_days_left(start, due, holidays) == days
    assert is_working_day(due, holidays), "a deadline never falls on a day off"


@FEW
@given(DAYS, st.integers(0, 15), st.integers(0, 15))
def test_two_limits_in_a_row_are_one_long_limit(start: date, first: int, second: int) -> None:
    assert add_working_days(add_working_days(start, first, {}), second, {}) == add_working_days(
        start, first + second, {}
    )


@FEW
@given(DAYS, st.integers(-40, 40), TABLES)
def test_what_is_left_is_a_count_of_days(today: date, distance: int, holidays: dict[date, bool]) -> None:
    due = today + timedelta(days=distance)
    expected = naive_count(today, due, holidays) if distance >= 0 else -naive_count(due, today, holidays)
    assert working_days_left(today, due, holidays) == expected


@FEW
@given(DAYS, DAYS)
def test_seen_from_the_other_end_the_sign_turns(one: date, other: date) -> None:
    near = one + (other - one) % timedelta(days=60)
    assert working_days_left(one, near, {}) == -working_days_left(near, one, {})


@FEW
@given(DAYS, st.integers(1, 10))
def test_one_more_holiday_never_brings_a_deadline_forward(start: date, days: int) -> None:
    due = add_working_days(start, days, {})
    assert add_working_days(start, days, {due: False}) > due
    assert add_working_days(start, days, {start: False}) == due, "the day itself does not count"


@FEW
@given(MOMENTS)
def test_a_day_ends_when_the_next_one_begins(moment: datetime) -> None:
    day = local_date(moment)
    end = end_of(day)
    assert end - timedelta(days=1) <= moment < end
    assert local_date(end) == day + timedelta(days=1)
    assert local_date(end - timedelta(microseconds=1)) == day
    assert end.tzinfo is UTC


@FEW
@given(MOMENTS, st.integers(0, 12))
def test_every_moment_of_a_day_has_the_same_deadline(moment: datetime, days: int) -> None:
    day = local_date(moment)
    first = datetime.combine(day, datetime.min.time(), SHANGHAI)
    last = end_of(day) - timedelta(microseconds=1)
    found = {due_at(at, days, {}) for at in (first, moment, last)}
    assert found == {end_of(add_working_days(day, days, {}))}


@pytest.mark.parametrize(
    ("utc", "due"),
    [
        # 23:59:59 on a Friday and 0:00 on the Saturday, Shanghai time: one ends on Monday, the other too.
        (datetime(2026, 11, 20, 15, 59, 59, tzinfo=UTC), date(2026, 11, 23)),
        (datetime(2026, 11, 20, 16, 0, 0, tzinfo=UTC), date(2026, 11, 23)),
        # 23:59:59 on a Monday ends on Tuesday; one second later it ends on Wednesday.
        (datetime(2026, 11, 23, 15, 59, 59, tzinfo=UTC), date(2026, 11, 24)),
        (datetime(2026, 11, 23, 16, 0, 0, tzinfo=UTC), date(2026, 11, 25)),
        # The eve of the National Day holiday, which 2026 ends with a worked Saturday behind it.
        (datetime(2026, 9, 30, 3, 0, tzinfo=UTC), date(2026, 10, 8)),
        (datetime(2026, 10, 9, 3, 0, tzinfo=UTC), date(2026, 10, 10)),
    ],
    ids=["friday-last-second", "saturday", "monday-last-second", "tuesday", "before-national-day", "worked-saturday"],
)
def test_one_day_at_the_edges(utc: datetime, due: date) -> None:
    assert due_at(utc, 1, {}) == end_of(due)


def test_the_last_days_of_a_published_year() -> None:
    # Ten days from mid-December reach into a year that nobody has published: better none than a guess.
    late = datetime(2039, 12, 28, 2, tzinfo=UTC)
    table = {date(2039, 12, d): True for d in range(29, 32)}
    assert due_at(late, 3, table) == end_of(date(2039, 12, 31))
    assert due_at(late, 4, table) is None
    with pytest.raises(UnknownYear, match="2040"):
        working_days_left(date(2039, 12, 28), date(2040, 1, 4), table)


def test_an_unknown_year_stops_also_what_is_overdue() -> None:
    with pytest.raises(UnknownYear):
        working_days_left(date(2040, 1, 12), date(2040, 1, 9), {})
    assert working_days_left(date(2040, 1, 9), date(2040, 1, 9), {}) == 0, "the same day needs no calendar"
