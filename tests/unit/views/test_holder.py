"""Who holds a declaration since when, in words, and the clock beside it: also over holidays and in unpublished years."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from flask_babel import Babel

from app.permissions import roles
from app.views.holder import holder_words, since_words
from app.views.todo_page import short_clock
from app.workflow.calendar import end_of

# 2024-06-12 is a Wednesday, 10:00 in Shanghai.
AT = datetime(2024, 6, 12, 2, 0, tzinfo=UTC)


@pytest.fixture
def site() -> Iterator[None]:
    site = Flask(__name__)
    Babel(site)
    with site.test_request_context("/"):
        yield


def held(role: str | None, status: str = "in_progress", **facts: Any) -> Any:
    values = {"holder_role": role, "status": status, "step_since": AT - timedelta(days=3), "claimed_at": None}
    return SimpleNamespace(**(values | facts))


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (AT, "10:00 起"),
        (AT - timedelta(hours=10), "00:00 起"),
        (AT - timedelta(hours=10, minutes=1), "06-11 23:59 起"),
        (AT - timedelta(days=200), "11-25 10:00 起"),
        (None, ""),
    ],
    ids=["now", "midnight", "minute before", "last year", "never"],
)
def test_since_when(site: None, moment: datetime | None, words: str) -> None:
    assert since_words(moment, AT) == words


@pytest.mark.parametrize(
    ("role", "words"),
    [
        (roles.DISTRICT, "区县工信 06-09 10:00 起"),
        (roles.CITY, "市工信 06-09 10:00 起"),
        (roles.PROVINCE, "省级主管部门 06-09 10:00 起"),
        (roles.FINANCE, "财政局 06-09 10:00 起"),
        (roles.ENTERPRISE, "企业 06-09 10:00 起"),
        (None, ""),
    ],
)
def test_the_office_that_has_it(site: None, role: str | None, words: str) -> None:
    assert holder_words(held(role), AT) == words


def test_the_clerk_at_work_and_since_when(site: None) -> None:
    claimed = held(roles.CITY, claimed_at=AT - timedelta(minutes=48))
    assert holder_words(claimed, AT, "张科员") == "市工信·张科员 09:12 起在办"


@pytest.mark.parametrize("count", [1, 2, 5])
def test_experts_are_counted_and_not_named(site: None, count: int) -> None:
    words = holder_words(held(roles.EXPERT), AT, "张科员", count)
    assert words == f"专家 {count} 位 06-09 10:00 起"


@pytest.mark.parametrize("status", ["draft", "returned"])
def test_the_clock_stands_still_at_the_enterprise(site: None, status: str) -> None:
    assert holder_words(held(roles.ENTERPRISE, status), AT) == "在企业处 06-09 10:00 起，不计时"
    assert holder_words(held(roles.ENTERPRISE, status, step_since=None), AT) == "在企业处，不计时"


@pytest.mark.parametrize(
    ("last", "holidays", "words"),
    [
        (date(2024, 6, 17), {}, "剩 3 个工作日"),
        (date(2024, 6, 17), {date(2024, 6, 13): False}, "剩 2 个工作日"),
        (date(2024, 6, 17), {date(2024, 6, 15): True, date(2024, 6, 16): True}, "剩 5 个工作日"),
        # 10 June 2024 was a holiday: on the 12th the 9th is two working days away, not three.
        (date(2024, 6, 9), {}, "已超 2 个工作日"),
        (date(2024, 6, 9), {date(2024, 6, 10): True}, "已超 3 个工作日"),
        (date(2024, 6, 9), {date(2024, 6, 11): False, date(2024, 6, 12): False}, "已超期"),
    ],
    ids=[
        "plain",
        "a holiday between",
        "a worked weekend",
        "over a holiday",
        "worked all the same",
        "only days off since",
    ],
)
def test_working_days_follow_the_holidays(site: None, last: date, holidays: dict[date, bool], words: str) -> None:
    clock = short_clock(end_of(last), None, AT, holidays)
    assert clock is not None and clock.text == words


def test_an_unpublished_year_tells_the_day_and_no_number(site: None) -> None:
    at = datetime(2031, 3, 3, 2, 0, tzinfo=UTC)
    clock = short_clock(end_of(date(2031, 3, 10)), None, at, {})
    assert clock is not None and "3 月 10 日" in clock.text and "工作日" not in clock.text and clock.tone is None
    late = short_clock(end_of(date(2031, 2, 10)), None, at, {})
    assert late is not None and late.tone == "bad" and "工作日" not in late.text


def test_a_step_without_a_limit_has_no_clock(site: None) -> None:
    assert short_clock(None, None, AT, {}) is None
    limited: Any = SimpleNamespace(due_days=10)
    unknown = short_clock(None, limited, AT, {})
    assert unknown is not None and unknown.text == "期限待公布"
