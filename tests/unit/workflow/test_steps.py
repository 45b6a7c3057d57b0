"""THE table of deeds against an expectation written by hand: a change of the table is a change of both."""

from __future__ import annotations

from collections import Counter
from typing import get_args

import pytest

from app.models.declaration import STATUSES
from app.workflow.guards import GUARDS
from app.workflow.steps import DEEDS, FINAL, STATUS_LABELS, STATUS_TONES, By, Deed, Goal, deeds, find_deed

KINDS = (None, "review", "stamp", "handover", "expert", "publicity", "decide", "fund")
# (status, kind) → action → (by, to, words required)
EXPECTED: dict[tuple[str, str | None], dict[str, tuple[str, str, bool]]] = {
    ("draft", None): {"submit": ("enterprise", "first", False), "discard": ("enterprise", "withdrawn", False)},
    ("returned", None): {"resubmit": ("enterprise", "back", False), "withdraw": ("enterprise", "withdrawn", False)},
    ("in_progress", "review"): {
        "recall": ("enterprise", "draft", False),
        "withdraw": ("enterprise", "withdrawn", False),
        "confirm": ("officer", "next", False),
        "return": ("officer", "returned", True),
        "stamp_return": ("officer", "stamp", True),
        "reject": ("officer", "rejected", True),
    },
    ("in_progress", "stamp"): {"stamp": ("enterprise", "next", False)},
    ("in_progress", "expert"): {
        "assign": ("officer", "stay", False),
        "unassign": ("officer", "scored", False),
        "score": ("expert", "scored", False),
    },
    ("in_progress", "decide"): {"approve": ("officer", "approved", False), "reject": ("officer", "rejected", True)},
}
GUARDED = {
    ("draft", "submit"): {"certified", "window_open", "complete", "statement"},
    ("returned", "resubmit"): {"correction_open", "complete", "statement"},
    ("in_progress", "recall"): {"not_acted_on"},
    ("in_progress", "withdraw"): {"not_acted_on"},
    ("in_progress", "confirm"): {"remarks_settled"},
    ("in_progress", "return"): {"step_can_return", "may_correct"},
    ("in_progress", "stamp_return"): {"after_stamp"},
    ("in_progress", "stamp"): {"scan_present"},
    ("in_progress", "assign"): {"experts_chosen"},
    ("in_progress", "unassign"): {"assignment_open"},
    ("in_progress", "score"): {"scores_complete"},
}
ACTIONS = sorted({a for actions in EXPECTED.values() for a in actions} | {"nonsense", "", "delete"})


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("action", ACTIONS)
def test_each_deed_exists_exactly_where_expected(status: str, kind: str | None, action: str) -> None:
    expected = EXPECTED.get((status, kind), {}).get(action)
    found = find_deed(status, kind, action)
    assert (found and (found.by, found.to, found.opinion)) == expected


def test_no_deed_stands_twice() -> None:
    assert max(Counter((d.status, d.kind, d.action) for d in DEEDS).values()) == 1
    assert sum(len(actions) for actions in EXPECTED.values()) == len(DEEDS)


def test_final_states_have_no_deeds() -> None:
    for status in FINAL:
        assert [d for kind in KINDS for d in deeds(status, kind)] == []


def test_every_state_can_be_reached_except_void() -> None:
    """``void`` comes from a correction of records and not from a deed of the table."""
    places = {"first": "in_progress", "next": "in_progress", "stay": "in_progress", "stamp": "in_progress",
              "back": "in_progress", "scored": "in_progress"}  # fmt: skip
    reached, waiting = set(), {"draft"}
    while waiting:
        reached |= waiting
        waiting = {places.get(d.to, d.to) for d in DEEDS if d.status in waiting} - reached
    assert reached == set(STATUSES) - {"void"}


@pytest.mark.parametrize("deed", DEEDS, ids=lambda d: f"{d.status}-{d.kind}-{d.action}")
def test_each_deed_is_whole(deed: Deed) -> None:
    assert deed.label
    assert not deed.label.isascii()
    assert deed.by in get_args(By)
    assert deed.to in get_args(Goal)
    assert set(deed.guards) <= set(GUARDS)
    assert set(deed.guards) == GUARDED.get((deed.status, deed.action), set()) or (deed.action, deed.status) == (
        "reject",
        "in_progress",
    )
    assert deed.status in STATUSES


def test_a_refusal_in_review_asks_the_step() -> None:
    assert find_deed("in_progress", "review", "reject").guards == ("step_can_reject",)
    assert find_deed("in_progress", "decide", "reject").guards == ()


def test_words_and_colours_of_every_state() -> None:
    assert set(STATUS_LABELS) == set(STATUS_TONES) == set(STATUSES)
    assert len(set(STATUS_LABELS.values())) == len(STATUSES)


def test_deeds_against_the_enterprise_want_words() -> None:
    """Whoever is returned or refused reads why."""
    for deed in DEEDS:
        if deed.by == "officer":
            assert deed.opinion is (deed.to in ("returned", "rejected", "stamp")), deed


def test_every_guard_is_used() -> None:
    assert {g for d in DEEDS for g in d.guards} == set(GUARDS)
