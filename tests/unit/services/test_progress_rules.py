"""The stages on a declaration's page: whatever happened, the route reads done, current, to come – in this order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from app.definitions import registry
from app.definitions.schema import Definition
from app.models import Declaration, Event
from app.models.declaration import STATUSES
from app.services.progress import QUIET, Stage, history, stages
from app.workflow.route import steps_of

TODAY = datetime(2026, 6, 12, tzinfo=UTC)
SENT = datetime(2026, 6, 3, 2, 0, tzinfo=UTC)
SWITCHES = [
    dict(zip(("district_step", "expert_step"), chosen, strict=True)) for chosen in product((False, True), repeat=2)
]


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.services.progress.now", lambda: TODAY)


@pytest.fixture
def intake() -> Definition:
    return registry.catalogue().get("hrb_cultivation_intake")


def event(number: int, action: str, step: str | None, day: int) -> Event:
    at = datetime(2026, 6, day, 2, tzinfo=UTC)
    return Event(id=number, action=action, label=action, step_key=step, at=at, actor_name="李静")


def shown(
    definition: Definition, params: dict[str, bool], events: tuple[Event, ...] = (), **state: object
) -> list[Stage]:
    return stages(definition, params, Declaration(**({"submitted_at": SENT, "step_since": SENT} | state)), events)


@pytest.mark.parametrize("params", SWITCHES, ids=["plain", "experts", "district", "both"])
def test_there_is_one_current_stage_and_all_before_it_are_done(intake: Definition, params: dict[str, bool]) -> None:
    order = {"done": 0, "current": 1, None: 2}
    for step in steps_of(intake, params):
        found = shown(intake, params, status="in_progress", step_key=step.key)
        states = [order[s.state] for s in found]
        assert states == sorted(states), step.key
        assert states.count(1) == 1
        assert next(s.label for s in found if s.state == "current") == step.label


@pytest.mark.parametrize("params", SWITCHES, ids=["plain", "experts", "district", "both"])
def test_the_stages_are_the_filling_and_the_route(intake: Definition, params: dict[str, bool]) -> None:
    labels = [s.label for s in shown(intake, params, status="draft")]
    assert labels == ["填报", *(s.label for s in steps_of(intake, params))]


@pytest.mark.parametrize("status", STATUSES)
def test_every_state_can_be_shown(intake: Definition, status: str) -> None:
    found = shown(intake, {}, status=status, step_key=None)
    reached = [s.state for s in found]
    assert reached.count("current") == (0 if status == "approved" else 1)
    assert (reached[-1] == "done") is (status == "approved")


def test_a_step_that_the_batch_left_out_meanwhile_counts_as_being_filled(intake: Definition) -> None:
    found = shown(intake, {"district_step": False}, status="in_progress", step_key="district_review")
    assert found[0].state == "current" and found[0].text == ""


def test_a_step_done_twice_is_dated_by_the_last_time(intake: Definition) -> None:
    events = (
        event(1, "confirm", "preliminary_review", 4),
        event(4, "confirm", "preliminary_review", 9),
        event(2, "return", "conformity_review", 6),
    )
    found = shown(intake, {}, events, status="in_progress", step_key="stamping")
    assert found[1] == Stage("初审", "done", "6 月 9 日")


def test_events_come_in_any_order(intake: Definition) -> None:
    events = (event(1, "confirm", "preliminary_review", 4), event(4, "confirm", "preliminary_review", 9))
    state = {"status": "in_progress", "step_key": "stamping"}
    assert shown(intake, {}, events, **state) == shown(intake, {}, events[::-1], **state)


@pytest.mark.parametrize("action", sorted(QUIET))
def test_looking_dates_nothing(intake: Definition, action: str) -> None:
    events = (event(1, "confirm", "preliminary_review", 4), event(2, action, "preliminary_review", 11))
    assert shown(intake, {}, events, status="in_progress", step_key="stamping")[1].text == "6 月 4 日"


def test_a_step_that_was_passed_without_a_record_has_no_date(intake: Definition) -> None:
    assert shown(intake, {}, status="in_progress", step_key="stamping")[1] == Stage("初审", "done", "")


def test_dates_are_days_in_shanghai(intake: Definition) -> None:
    late = SENT.replace(hour=16, minute=1)
    assert shown(intake, {}, status="approved", submitted_at=late)[0].text == "6 月 4 日"
    assert shown(intake, {}, status="approved", submitted_at=late - timedelta(minutes=2))[0].text == "6 月 3 日"


def test_a_date_of_last_year_says_so(intake: Definition) -> None:
    last_year = datetime(2025, 12, 30, tzinfo=UTC)
    assert shown(intake, {}, status="approved", submitted_at=last_year)[0].text == "2025 年 12 月 30 日"


def test_the_waiting_words_tell_whose_turn_it_is(intake: Definition) -> None:
    for step in steps_of(intake, {"expert_step": True}):
        found = shown(intake, {"expert_step": True}, status="in_progress", step_key=step.key)
        text = next(s.text for s in found if s.state == "current")
        assert text == ("等您上传" if step.level == "enterprise" else "6 月 3 日 转入")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("draft", "正在填"),
        ("returned", "等您修改"),
        ("rejected", "未通过"),
        ("withdrawn", "已撤回"),
        ("void", "已作废"),
    ],
)
def test_words_outside_the_route(intake: Definition, status: str, words: str) -> None:
    assert shown(intake, {}, status=status)[0] == Stage("填报", "current", words)


def test_a_certification_shows_its_result_as_a_stage_of_its_own() -> None:
    definition = registry.catalogue().get("enterprise_certification")
    route = steps_of(definition, {})
    found = shown(definition, {}, status="draft")
    assert [s.label for s in found] == ["填报", *(s.label for s in route), "认证通过"]
    assert all(s.state is None for s in found[1:])


def test_history_keeps_the_order_it_was_given(intake: Definition) -> None:
    events = [event(3, "退回修改", "gone", 9), event(2, "提交", None, 4), event(1, "开始填写", None, 3)]
    assert [line.text for line in history(intake, events)] == ["退回修改", "提交", "开始填写"]
    assert history(intake, []) == []
