"""Limits: the so-manieth is still let through, the next one waits, and the wait ends on the second."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from app.errors import TooMany
from app.extensions import db
from app.models import Throttle
from app.services import portal
from app.services.throttle import Limit, hit, lock, seconds_to_wait
from app.services.unit_of_work import unit_of_work
from tests.at_once import refusals, together

AT = datetime(2026, 11, 20, 6, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
sqlite_only = pytest.mark.parametrize("database", ["sqlite"])


@pytest.fixture
def clock(context: Flask) -> Iterator[time_machine.Traveller]:
    with time_machine.travel(AT, tick=False) as traveller:
        yield traveller


def count(times: int, kind: str = "k", subject: str = "s") -> None:
    with unit_of_work() as session:
        for _time in range(times):
            hit(session, kind, subject)


def wait(*limits: Limit) -> int:
    db.session.rollback()
    return seconds_to_wait(db.session(), *limits)


def stored() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Throttle)) or 0


@sqlite_only
def test_nothing_counted_is_no_wait(clock: time_machine.Traveller) -> None:
    assert wait(Limit("k", "s", 1, MINUTE)) == 0
    assert wait() == 0


@sqlite_only
@pytest.mark.parametrize(("before", "seconds"), [(1, 0), (2, 0), (3, 60), (4, 60)])
def test_the_third_of_three_passes_and_the_fourth_waits(
    clock: time_machine.Traveller, before: int, seconds: int
) -> None:
    count(before)
    assert wait(Limit("k", "s", 3, MINUTE)) == seconds


@sqlite_only
def test_the_wait_ends_on_the_second(clock: time_machine.Traveller) -> None:
    count(1)
    clock.shift(59)
    assert wait(Limit("k", "s", 1, MINUTE)) == 1
    clock.shift(0.5)
    assert wait(Limit("k", "s", 1, MINUTE)) == 1, "half a second is a second for who has to wait"
    clock.shift(0.5)
    assert wait(Limit("k", "s", 1, MINUTE)) == 0


@sqlite_only
def test_the_window_slides(clock: time_machine.Traveller) -> None:
    for _n in range(3):
        count(1)
        clock.shift(20)
    # At 60 s: hits at 0 (gone), 20 and 40 s.
    limit = Limit("k", "s", 2, MINUTE)
    assert wait(limit) == 20
    clock.shift(20)
    assert wait(limit) == 0


@sqlite_only
def test_the_longest_of_several_limits_decides(clock: time_machine.Traveller) -> None:
    count(2)
    short, long = Limit("k", "s", 1, MINUTE), Limit("k", "s", 2, 60 * MINUTE)
    assert wait(short, long) == wait(long, short) == 3600
    assert wait(short) == 60


@sqlite_only
def test_kinds_and_subjects_are_counted_apart(clock: time_machine.Traveller) -> None:
    count(5)
    assert wait(Limit("k", "other", 1, MINUTE)) == 0
    assert wait(Limit("other", "s", 1, MINUTE)) == 0


@sqlite_only
def test_a_rolled_back_try_was_none(clock: time_machine.Traveller) -> None:
    with pytest.raises(ZeroDivisionError), unit_of_work() as session:
        hit(session, "k", "s")
        raise ZeroDivisionError
    assert stored() == 0


@sqlite_only
def test_look_ups_of_the_public_end_in_words_and_are_not_counted_then(clock: time_machine.Traveller) -> None:
    for _n in range(portal.LOOKUPS_PER_HOUR):
        portal.count_lookup("verify", "203.0.113.7")
    clock.shift(60)
    with pytest.raises(TooMany) as refused:
        portal.count_lookup("verify", "203.0.113.7")
    assert refused.value.message == "查得太频繁了，每小时最多 60 次。请 59 分钟后再查。"
    assert refused.value.retry_after == 59 * 60 and refused.value.status == 429
    assert stored() == portal.LOOKUPS_PER_HOUR
    portal.count_lookup("verify", "203.0.113.8")
    portal.count_lookup("recognition", "203.0.113.7")
    clock.shift(timedelta(minutes=59))
    portal.count_lookup("verify", "203.0.113.7")


@sqlite_only
def test_two_people_behind_one_dual_stack_socket_do_not_share_a_count(clock: time_machine.Traveller) -> None:
    for _n in range(portal.LOOKUPS_PER_HOUR):
        portal.count_lookup("verify", "::ffff:203.0.113.7")
    portal.count_lookup("verify", "::ffff:198.51.100.1")
    with pytest.raises(TooMany):
        portal.count_lookup("verify", "203.0.113.7")


def test_many_at_once_do_not_slip_through(context: Flask) -> None:
    for _n in range(portal.LOOKUPS_PER_HOUR - 3):
        portal.count_lookup("verify", "203.0.113.7")
    results = together(context, [lambda: portal.count_lookup("verify", "203.0.113.7")] * 8)
    assert len(refusals(results)) == 5
    assert stored() == portal.LOOKUPS_PER_HOUR


def test_locks_in_any_order_never_wait_for_each_other(context: Flask) -> None:
    def both(*names: str) -> bool:
        for _n in range(10):
            with unit_of_work() as session:
                lock(session, *names)
                hit(session, "k", "s")
        return True

    assert together(context, [lambda: both("a", "b"), lambda: both("b", "a")]) == [True, True]
    assert stored() == 20
