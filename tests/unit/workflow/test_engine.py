"""Where a resubmission enters the route."""

from __future__ import annotations

from typing import get_args

import pytest

from app.definitions.schema import Definition, Step
from app.models.declaration import STATUSES
from app.workflow.engine import _STEP_OF_GOAL
from app.workflow.route import step_back
from app.workflow.steps import Goal
from tests.factories_everything import everything


def route(*kinds: str) -> Definition:
    """The made-up programme on a route with steps ``s0 s1 …`` of these kinds."""
    whole = everything()
    steps = tuple(
        whole.route[0].model_copy(update={"key": f"s{n}", "kind": kind, "enabled_by": None})
        for n, kind in enumerate(kinds)
    )
    return whole.model_copy(update={"route": steps})


def key_of(step: Step | None) -> str | None:
    return step.key if step else None


@pytest.mark.parametrize(
    ("kinds", "returned_by", "enters"),
    [
        (("review", "stamp", "review", "decide"), "s0", "s0"),
        (("review", "stamp", "review", "decide"), "s2", "s1"),
        (("review", "stamp", "review", "decide"), None, "s0"),
        (("review", "stamp", "review", "decide"), "gone", "s0"),
        (("review", "stamp", "review", "review"), "s3", "s1"),
        (("review", "stamp", "review", "stamp", "review"), "s4", "s3"),
        (("review", "review", "decide"), "s1", "s1"),
        ((), "s0", None),
    ],
)
def test_a_stamp_step_before_the_return_comes_again(
    kinds: tuple[str, ...], returned_by: str | None, enters: str | None
) -> None:
    assert key_of(step_back(route(*kinds), {}, returned_by)) == enters


def test_a_step_that_is_switched_off_is_not_entered() -> None:
    whole = route("review", "stamp", "review")
    off = whole.route[1].model_copy(update={"enabled_by": "on_paper"})
    whole = whole.model_copy(update={"route": (whole.route[0], off, whole.route[2])})
    assert key_of(step_back(whole, {"on_paper": False}, "s2")) == "s2"
    assert key_of(step_back(whole, {"on_paper": True}, "s2")) == "s1"


def test_every_goal_is_a_step_or_a_status_and_never_both() -> None:
    """What is no step of the route becomes the status as it is written."""
    outside = set(get_args(Goal)) - {"stay"} - set(_STEP_OF_GOAL)
    assert outside <= set(STATUSES) and not set(_STEP_OF_GOAL) & set(STATUSES)
