"""THE table of deeds against an expectation written by hand: a change of the table is a change of both."""

from __future__ import annotations

from collections import Counter
from typing import get_args

import pytest

from app.models.declaration import STATUSES
from app.workflow.guards import GUARDS
from app.workflow.steps import DEEDS, FINAL, STATUS_LABELS, STATUS_TONES, By, Deed, Goal, deeds, find_deed, guards_of

KINDS = (None, "review", "stamp", "handover", "expert", "publicity", "decide", "fund")
# (status, kind) → action → (by, to, words required)
EXPECTED: dict[tuple[str, str | None], dict[str, tuple[str, str, bool]]] = {
    ("draft", None): {
        "submit": ("enterprise", "first", False),
        "discard": ("enterprise", "withdrawn", False),
        "close": ("system", "void", False),
    },
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
    ("in_progress", "decide"): {"approve": ("officer", "next", False), "reject": ("officer", "rejected", True)},
    ("in_progress", "handover"): {"recommend": ("officer", "next", False), "send_back": ("officer", "before", True)},
    ("in_progress", "publicity"): {
        "object": ("officer", "stay", False),
        "dismiss_objection": ("officer", "stay", True),
        "uphold_objection": ("officer", "rejected", True),
        "conclude": ("officer", "next", False),
    },
    ("in_progress", "fund"): {"allocate": ("officer", "next", False), "disapprove": ("city", "rejected", True)},
    ("approved", None): {},
    ("rejected", None): {},
}
for _place, _actions in EXPECTED.items():
    if _place != ("draft", None):
        _actions["void"] = ("steward", "void", True)
GUARDED = {
    ("draft", "submit"): {"certified", "window_open", "complete", "statement", "not_banned", "holds_recognition"},
    ("draft", "close"): {"update_missed"},
    ("returned", "resubmit"): {"correction_open", "complete", "statement"},
    ("in_progress", "recall"): {"not_acted_on", "may_submit_again"},
    ("in_progress", "withdraw"): {"not_acted_on"},
    ("in_progress", "confirm"): {"remarks_settled", "checklist_done"},
    ("in_progress", "return"): {"step_can_return", "may_correct"},
    ("in_progress", "stamp_return"): {"after_stamp"},
    ("in_progress", "stamp"): {"scan_present", "before_last_day"},
    ("in_progress", "assign"): {"experts_chosen"},
    ("in_progress", "unassign"): {"assignment_open"},
    ("in_progress", "score"): {"scores_complete"},
    ("in_progress", "approve"): {"list_published"},
    ("in_progress", "recommend"): {"letter_present"},
    ("in_progress", "object"): {"objection_stated"},
    ("in_progress", "dismiss_objection"): {"objection_open"},
    ("in_progress", "uphold_objection"): {"objection_open"},
    ("in_progress", "conclude"): {"publicity_over", "no_open_objection"},
    ("in_progress", "allocate"): {"allocation_stated"},
    ("approved", "void"): {"renewal_not_given"},
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


def test_final_states_have_no_deeds_but_being_set_aside() -> None:
    for status in FINAL:
        assert [d for kind in KINDS for d in deeds(status, kind) if d.by != "steward"] == []


def test_every_state_can_be_reached() -> None:
    """``next`` after the last step of the route is approved."""
    places = {"first": "in_progress", "next": "in_progress", "stay": "in_progress", "stamp": "in_progress",
              "back": "in_progress", "scored": "in_progress", "before": "in_progress"}  # fmt: skip
    reached, waiting = set(), {"draft", "approved"}
    while waiting:
        reached |= waiting
        waiting = {places.get(d.to, d.to) for d in DEEDS if d.status in waiting} - reached
    assert reached == set(STATUSES)


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
        if deed.by in ("officer", "city"):
            against = deed.to in ("returned", "rejected", "stamp", "before") or deed.action == "dismiss_objection"
            assert deed.opinion is against, deed


def test_every_guard_is_used() -> None:
    assert {g for d in DEEDS for g in guards_of(d)} == set(GUARDS)
