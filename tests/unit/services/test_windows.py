"""When a round takes declarations, and that what is said about it is never the opposite of what holds."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.models import Batch
from app.services.batch import days_of, window_between
from app.services.eligibility import window_words
from app.workflow.calendar import SHANGHAI

FEW = settings(max_examples=60, deadline=None, derandomize=True)
DAYS = st.dates(date(2024, 1, 1), date(2027, 12, 31))
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))
LENGTH = st.integers(0, 60)


def round_of(opens: date | None, closes: date | None, *, published: bool = True) -> Batch:
    start, end = window_between(opens, closes)
    return Batch(title="第一批", published=published, opens_at=start, closes_at=end)


def shanghai(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=SHANGHAI)  # type: ignore[misc,arg-type]


@FEW
@given(DAYS, LENGTH)
def test_first_and_last_day_come_back(opens: date, length: int) -> None:
    closes = opens + timedelta(days=length)
    assert days_of(round_of(opens, closes)) == (opens, closes)


@FEW
@given(DAYS, LENGTH)
def test_the_window_is_whole_days(opens: date, length: int) -> None:
    batch = round_of(opens, opens + timedelta(days=length))
    assert batch.opens_at is not None and batch.closes_at is not None
    assert batch.closes_at - batch.opens_at == timedelta(days=length + 1)
    second = timedelta(seconds=1)
    assert not batch.is_open(batch.opens_at - second) and batch.is_open(batch.opens_at)
    assert batch.is_open(batch.closes_at - second) and not batch.is_open(batch.closes_at)


@FEW
@given(DAYS, LENGTH, MOMENTS)
def test_words_say_what_holds(opens: date, length: int, at: datetime) -> None:
    batch = round_of(opens, opens + timedelta(days=length))
    words = window_words(batch, at)
    assert batch.opens_at is not None and batch.closes_at is not None
    assert ("开放申报。" in words) is (at < batch.opens_at)
    assert words.startswith("已在 ") is (at >= batch.closes_at)
    assert ("至 " in words) is batch.is_open(at)


@FEW
@given(DAYS, LENGTH, MOMENTS)
def test_an_unpublished_round_is_never_open(opens: date, length: int, at: datetime) -> None:
    assert not round_of(opens, opens + timedelta(days=length), published=False).is_open(at)


@FEW
@given(MOMENTS)
def test_without_dates_it_is_always_open(at: datetime) -> None:
    batch = round_of(None, None)
    assert batch.is_open(at) and window_words(batch, at) == "长期开放"


@pytest.mark.parametrize(
    ("at", "is_open", "words"),
    [
        (shanghai(2026, 5, 31, 23, 59, 59), False, "6 月 1 日 开放申报。"),
        (shanghai(2026, 6, 1, 0, 0, 0), True, "6 月 1 日 至 6 月 17 日 24:00"),
        (shanghai(2026, 6, 17, 23, 59, 59), True, "6 月 1 日 至 6 月 17 日 24:00"),
        (shanghai(2026, 6, 18, 0, 0, 0), False, "已在 6 月 17 日 24:00 截止。"),
        (shanghai(2027, 1, 1, 0, 0, 0), False, "已在 2026 年 6 月 17 日 24:00 截止。"),
    ],
    ids=["eve", "first-second", "last-second", "over", "next-year"],
)
def test_second_by_second(at: datetime, is_open: bool, words: str) -> None:
    batch = round_of(date(2026, 6, 1), date(2026, 6, 17))
    assert batch.is_open(at) is is_open
    assert window_words(batch, at) == words


def test_over_new_year_both_years_are_clear() -> None:
    batch = round_of(date(2026, 12, 20), date(2027, 1, 10))
    assert window_words(batch, shanghai(2026, 12, 31, 12)) == "12 月 20 日 至 2027 年 1 月 10 日 24:00"
    assert window_words(batch, shanghai(2027, 1, 1, 0)) == "2026 年 12 月 20 日 至 1 月 10 日 24:00"
    assert window_words(batch, shanghai(2026, 12, 1)) == "12 月 20 日 开放申报。"


@pytest.mark.parametrize(
    ("opens", "closes", "words"),
    [(date(2026, 6, 1), None, "长期开放"), (None, date(2026, 6, 17), "6 月 17 日 24:00 截止")],
)
def test_windows_with_one_end(opens: date | None, closes: date | None, words: str) -> None:
    assert window_words(round_of(opens, closes), shanghai(2026, 6, 5)) == words
