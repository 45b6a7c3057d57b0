"""The route as stages with dates, and the history as lines."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from app.definitions import registry
from app.definitions.schema import Definition
from app.models import Declaration, Event, Programme
from app.services.event_names import Names
from app.services.progress import Stage, history, stages, step_label

SENT = datetime(2026, 6, 3, 2, 0, tzinfo=UTC)
SEEN = datetime(2026, 6, 11, 2, 0, tzinfo=UTC)


@pytest.fixture
def intake() -> Definition:
    return registry.catalogue().get("hrb_cultivation_intake")


def event(number: int, action: str, step: str | None, at: datetime, **more: Any) -> Event:
    return Event(
        id=number, action=action, label=more.pop("label", action), step_key=step, at=at, actor_name="李静", **more
    )


def route(definition: Definition, *events: Event, **state: Any) -> list[Stage]:
    declaration = Declaration(submitted_at=SENT, **state)
    return stages(definition, registry.parameters_of(definition), declaration, events)


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.services.progress.now", lambda: datetime(2026, 6, 12, tzinfo=UTC))


def test_at_the_stamp_step(intake: Definition) -> None:
    events = [
        event(3, "download", "preliminary_review", datetime(2026, 6, 12, tzinfo=UTC)),
        event(2, "confirm", "preliminary_review", SEEN),
    ]
    found = route(intake, *events, status="in_progress", step_key="stamping", step_since=SEEN)
    assert found == [
        Stage("填报", "done", "6 月 3 日"),
        Stage("初审", "done", "6 月 11 日"),
        Stage("提交盖章材料", "current", "等您上传"),
        Stage("试点符合性审核"),
        Stage("公布入库名单"),
    ]


def test_at_an_office_step(intake: Definition) -> None:
    found = route(intake, status="in_progress", step_key="preliminary_review", step_since=SENT)
    assert found[1] == Stage("初审", "current", "6 月 3 日 转入")


@pytest.mark.parametrize(("status", "words"), [("draft", "正在填"), ("returned", "等您修改"), ("rejected", "未通过")])
def test_outside_the_route(intake: Definition, status: str, words: str) -> None:
    found = route(intake, status=status, step_key=None)
    assert found[0] == Stage("填报", "current", words)
    assert all(stage.state is None for stage in found[1:])


def test_approved_has_passed_everything(intake: Definition) -> None:
    assert all(s.state == "done" for s in route(intake, status="approved", step_key=None, decided_at=SEEN))


def test_certification_ends_with_its_result() -> None:
    definition = registry.catalogue().get("enterprise_certification")
    assert route(definition, status="in_progress", step_key="city_review", step_since=SENT)[-1] == Stage("认证通过")
    assert route(definition, status="approved", step_key=None, decided_at=SEEN)[-1] == Stage(
        "认证通过", "done", "6 月 11 日"
    )


def test_history_names_step_and_person(intake: Definition) -> None:
    lines = history(
        intake,
        [
            event(2, "return", "preliminary_review", SEEN, label="退回修改", opinion="少一页"),
            event(1, "start", None, SENT, label="开始填写"),
        ],
    )
    assert [(x.text, x.who, x.opinion) for x in lines] == [
        ("初审：退回修改", "李静", "少一页"),
        ("开始填写", "李静", None),
    ]


def test_enterprises_read_neither_the_name_nor_the_words_of_an_expert(intake: Definition) -> None:
    scored = event(1, "score", "expert_review", SEEN, label="提交评审意见", opinion="建议列入", actor_role="expert")
    (shown,) = history(intake, [scored])
    assert (shown.text, shown.who, shown.opinion) == ("专家评审：提交评审意见", "评审专家", None)
    (inside,) = history(intake, [scored], Names())
    assert (inside.who, inside.opinion) == ("李静", "建议列入")


def test_a_settled_remark_is_named(intake: Definition) -> None:
    settled = event(
        1, "settle", "preliminary_review", SEEN, label="批注已解决", data={"path": "profit", "label": "利润"}
    )
    assert history(intake, [settled])[0].text == "初审：批注已解决：利润"


def test_history_does_not_repeat_the_step(intake: Definition) -> None:
    assert history(intake, [event(1, "confirm", "preliminary_review", SEEN, label="初审确认")])[0].text == "初审确认"


def test_step_label(intake: Definition) -> None:
    programme = Programme(content=registry.to_json(intake))
    assert step_label(Declaration(step_key="stamping", programme=programme)) == "提交盖章材料"
    assert step_label(Declaration(step_key=None, programme=programme)) == ""
    assert step_label(Declaration(step_key="gone", programme=programme)) == ""
