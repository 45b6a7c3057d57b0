"""Working days of 2026 as the State Council published them; deadlines; years that nobody has published."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from app.workflow.calendar import (
    UnknownYear,
    add_working_days,
    due_at,
    end_of,
    is_working_day,
    local_date,
    working_days_left,
)

NONE: dict[date, bool] = {}


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        ("2026-01-01", False), ("2026-01-02", False), ("2026-01-03", False), ("2026-01-04", True), ("2026-01-05", True),
        ("2026-02-14", True), ("2026-02-15", False), ("2026-02-17", False), ("2026-02-23", False), ("2026-02-24", True),
        ("2026-02-28", True), ("2026-04-04", False), ("2026-04-06", False), ("2026-05-01", False), ("2026-05-05", False),
        ("2026-05-09", True), ("2026-06-19", False), ("2026-06-21", False), ("2026-09-20", True), ("2026-09-25", False),
        ("2026-10-01", False), ("2026-10-07", False), ("2026-10-08", True), ("2026-10-10", True), ("2026-11-21", False),
    ],
)  # fmt: skip
def test_days_of_2026(day: str, worked: bool) -> None:
    assert is_working_day(date.fromisoformat(day), NONE) is worked


def test_the_editable_table_wins() -> None:
    assert not is_working_day(date(2026, 1, 5), {date(2026, 1, 5): False})
    assert is_working_day(date(2026, 10, 1), {date(2026, 10, 1): True})


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        ("2026-09-30", 0, "2026-09-30"),
        ("2026-09-30", 1, "2026-10-08"),
        ("2026-09-29", 5, "2026-10-12"),
        ("2026-02-13", 2, "2026-02-24"),
        ("2026-11-20", 1, "2026-11-23"),
    ],
)
def test_counting_from_the_day_after(start: str, days: int, end: str) -> None:
    assert add_working_days(date.fromisoformat(start), days, NONE) == date.fromisoformat(end)


@pytest.mark.parametrize(
    ("today", "due", "left"),
    [
        ("2026-11-20", "2026-11-20", 0),
        ("2026-11-20", "2026-11-23", 1),
        ("2026-09-30", "2026-10-08", 1),
        ("2026-11-23", "2026-11-20", -1),
        ("2026-10-08", "2026-09-29", -2),
        ("2026-11-20", "2026-11-22", 0),
    ],
)
def test_what_is_left(today: str, due: str, left: int) -> None:
    assert working_days_left(date.fromisoformat(today), date.fromisoformat(due), NONE) == left


def test_a_deadline_is_the_end_of_its_day_in_shanghai() -> None:
    # 23:30 in UTC is the next morning in Shanghai.
    moment = datetime(2026, 11, 19, 23, 30, tzinfo=UTC)
    assert local_date(moment) == date(2026, 11, 20)
    assert due_at(moment, 1, NONE) == datetime(2026, 11, 23, 16, tzinfo=UTC)
    assert end_of(date(2026, 11, 23)) == datetime(2026, 11, 23, 16, tzinfo=UTC)
    assert due_at(moment, None, NONE) is None


def test_an_unpublished_year_fails_closed() -> None:
    with pytest.raises(UnknownYear, match="2040"):
        is_working_day(date(2040, 1, 9), NONE)
    assert due_at(datetime(2040, 1, 9, tzinfo=UTC), 3, NONE) is None, "no deadline is better than a wrong one"
    with pytest.raises(UnknownYear):
        working_days_left(date(2040, 1, 9), date(2040, 1, 12), NONE)
    published = {date(2040, 1, n): n not in (14, 15) for n in range(9, 20)}
    assert add_working_days(date(2040, 1, 9), 5, published) == date(2040, 1, 16)
