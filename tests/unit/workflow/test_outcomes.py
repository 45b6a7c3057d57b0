"""The table of outcomes against an expectation written by hand, and its days: validity, bans, nearness of the end."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.definitions.schema import Holding
from app.models import Recognition
from app.models.enterprise import RECOGNITION_STATES
from app.services.outcome import MESSAGES
from app.workflow.outcomes import (
    OUTCOME_DEEDS,
    OUTCOME_GUARDS,
    STATE_LABELS,
    Standing,
    State,
    day_words,
    find_outcome_deed,
    last_day,
    reasons_against,
    years_after,
)

# (state, action) → (by, to, words required)
EXPECTED = {
    ("valid", "apply_review"): ("enterprise", "under_review", False),
    ("valid", "expire"): ("system", "expired", False),
    ("valid", "revoke"): ("officer", "revoked", True),
    ("valid", "correct"): ("officer", "valid", True),
    ("valid", "annul"): ("officer", "revoked", True),
    ("under_review", "withdraw_review"): ("enterprise", "valid", False),
    ("under_review", "review_pass"): ("officer", "valid", False),
    ("under_review", "review_fail"): ("officer", "expired", True),
    ("under_review", "revoke"): ("officer", "revoked", True),
    ("under_review", "annul"): ("officer", "revoked", True),
}
ACTIONS = sorted({action for _, action in EXPECTED} | {"nonsense", ""})
HOLDING = Holding(programmes=("x",), within_days=90)
TODAY = date(2026, 11, 20)


def recognition(valid_to: date | None) -> Recognition:
    return Recognition(title="优质中小企业", state="valid", valid_from=date(2024, 1, 1), valid_to=valid_to)


def reasons(action: str, standing: Standing) -> tuple[str, ...]:
    deed = find_outcome_deed("valid", action)
    assert deed is not None
    return reasons_against(deed, standing)


@pytest.mark.parametrize("state", RECOGNITION_STATES)
@pytest.mark.parametrize("action", ACTIONS)
def test_each_change_exists_exactly_where_expected(state: str, action: str) -> None:
    found = find_outcome_deed(state, action)
    assert (found and (found.by, found.to, found.opinion)) == EXPECTED.get((state, action))


def test_no_row_stands_twice() -> None:
    assert max(Counter((d.state, d.action) for d in OUTCOME_DEEDS).values()) == 1
    assert len(OUTCOME_DEEDS) == len(EXPECTED)


def test_states_are_those_of_the_database_and_have_words() -> None:
    assert set(get_args(State)) == set(RECOGNITION_STATES) == set(STATE_LABELS)
    assert len(set(STATE_LABELS.values())) == len(STATE_LABELS)


def test_what_is_over_stays_over() -> None:
    assert [d for d in OUTCOME_DEEDS if d.state in ("expired", "revoked")] == []


def test_every_change_tells_the_enterprise_and_every_guard_is_used() -> None:
    assert set(MESSAGES) == {d.action for d in OUTCOME_DEEDS}
    assert {g for d in OUTCOME_DEEDS for g in d.guards} == set(OUTCOME_GUARDS)


def test_what_is_taken_away_wants_words() -> None:
    for deed in OUTCOME_DEEDS:
        if deed.by == "officer":
            assert deed.opinion is (deed.action != "review_pass"), deed


# -- nearness of the end ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "refused"), [(0, False), (89, False), (90, False), (91, True), (1000, True), (-1, False)]
)
def test_a_renewal_is_asked_for_near_the_end(days: int, refused: bool) -> None:
    standing = Standing(recognition(TODAY + timedelta(days=days)), TODAY, HOLDING)
    assert bool(reasons("apply_review", standing)) is refused


def test_the_refusal_names_both_days() -> None:
    standing = Standing(recognition(date(2027, 5, 31)), TODAY, HOLDING)
    assert reasons("apply_review", standing) == ("有效期到 2027 年 5 月 31 日，2027 年 3 月 2 日起才能申请复核。",)


@pytest.mark.parametrize("holding", [None, Holding(programmes=("x",))])
def test_without_a_limit_it_may_be_renewed_at_any_time(holding: Holding | None) -> None:
    assert reasons("apply_review", Standing(recognition(date(2099, 1, 1)), TODAY, holding)) == ()


def test_a_recognition_without_an_end_is_never_too_early() -> None:
    assert reasons("apply_review", Standing(recognition(None), TODAY, HOLDING)) == ()


def test_both_reasons_are_told_at_once() -> None:
    found = reasons("apply_review", Standing(recognition(date(2099, 1, 1)), TODAY, HOLDING, updated=False))
    assert len(found) == 2 and "信息更新还没有提交" in found[1]


@pytest.mark.parametrize(("days", "over"), [(-1, True), (0, False), (1, False), (-400, True)])
def test_the_last_day_is_still_valid(days: int, over: bool) -> None:
    standing = Standing(recognition(TODAY + timedelta(days=days)), TODAY)
    assert (reasons("expire", standing) == ()) is over


def test_what_has_no_end_does_not_expire() -> None:
    assert reasons("expire", Standing(recognition(None), TODAY)) == ("认定还在有效期内。",)


# -- days -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "years", "last"),
    [
        (date(2024, 3, 1), 3, date(2027, 2, 28)),
        (date(2024, 2, 29), 3, date(2027, 2, 28)),
        (date(2024, 2, 29), 4, date(2028, 2, 28)),
        (date(2025, 3, 1), 3, date(2028, 2, 29)),
        (date(2024, 1, 1), 3, date(2026, 12, 31)),
        (date(2024, 12, 31), 1, date(2025, 12, 30)),
    ],
)
def test_three_years_end_the_day_before(first: date, years: int, last: date) -> None:
    assert last_day(first, years) == last


DAYS = st.dates(date(2000, 1, 1), date(2100, 12, 31))


@given(first=DAYS, years=st.integers(1, 10))
def test_a_validity_is_whole_years_long(first: date, years: int) -> None:
    length = (last_day(first, years) - first).days + 1
    assert 365 * years <= length <= 366 * years


@given(first=DAYS, one=st.integers(1, 5), two=st.integers(1, 5))
def test_a_renewal_joins_on_without_gap_or_overlap(first: date, one: int, two: int) -> None:
    renewed = last_day(last_day(first, one) + timedelta(days=1), two)
    straight = last_day(first, one + two)
    leap = first.month == 2 and first.day == 29
    assert renewed == straight or (leap and abs((renewed - straight).days) == 1)


@given(day=DAYS, years=st.integers(0, 10))
def test_the_same_day_later(day: date, years: int) -> None:
    later = years_after(day, years)
    assert later.year == day.year + years
    assert (later.month, later.day) == (day.month, day.day) or ((day.month, day.day), (later.month, later.day)) == (
        (2, 29),
        (3, 1),
    )


def test_days_are_read_in_chinese() -> None:
    assert day_words(date(2027, 2, 8)) == "2027 年 2 月 8 日"
