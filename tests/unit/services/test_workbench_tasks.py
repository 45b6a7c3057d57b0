"""A declaration as the next thing to do: which words, which clock, and that the clock is the one the guards go by."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask_babel import Babel
from hypothesis import given, settings
from hypothesis import strategies as st

from app.definitions import registry
from app.models import Account, Batch, Declaration, Enterprise, Programme
from app.services.deadline import Clock
from app.services.workbench import Task, _urgency, task_of
from app.workflow.calendar import end_of, local_date
from app.workflow.guards import GUARDS, Case

AT = datetime(2026, 11, 20, 6, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def words() -> Iterator[None]:
    app = Flask("words")
    Babel(app)
    with app.app_context():
        yield


def held(
    status: str, *, key: str = "hrb_cultivation_intake", closes: datetime | None = None, days: int = 10, **facts: Any
) -> Declaration:
    """A declaration that lies with its enterprise."""
    programme = Programme(digest=key, content=registry.to_json(registry.catalogue().get(key)))
    batch = Batch(title="2026 年第一批", published=True, closes_at=closes, parameters={"correction_days": days})
    values = {
        "public_id": "d1",
        "status": status,
        "programme": programme,
        "batch": batch,
        "saved_at": AT,
        "step_since": AT,
    }
    return Declaration(enterprise=Enterprise(certification_status="approved"), **(values | facts))


def text_of(task: Task) -> str | None:
    return task.clock.text if task.clock else None


def test_a_draft_says_when_it_was_saved_and_until_when() -> None:
    task = task_of(held("draft", closes=end_of(local_date(AT) + 3 * DAY)), AT, {})
    assert (task.kind, task.title, task.tag, task.verb) == ("draft", "企业培育入库（2026 年第一批）", "草稿", "继续填")
    assert task.reason == "还没提交，上次保存在 11-20 14:00"
    assert text_of(task) == "剩 1 个工作日 · 11 月 23 日 24:00 前"


def test_a_draft_of_a_standing_round_has_no_clock() -> None:
    assert task_of(held("draft"), AT, {}).clock is None


def test_a_stamp_goes_by_the_steps_own_deadline() -> None:
    declaration = held("in_progress", closes=AT - 30 * DAY, due_at=end_of(local_date(AT)), step_key="stamping")
    task = task_of(declaration, AT, {})
    assert (task.kind, task.tag, task.verb, task.tone) == ("stamp", "待盖章", "上传盖章材料", "warn")
    assert text_of(task) == "今天截止 · 11 月 20 日 24:00 前"


def test_a_stamp_in_a_year_without_calendar_has_no_clock() -> None:
    assert task_of(held("in_progress", due_at=None, step_key="stamping"), AT, {}).clock is None


@pytest.mark.parametrize(
    ("reopened", "reason"),
    [
        (["revenue", "@audit_report"], "退回修改 2 处，其余内容都在"),
        ([], "退回修改，已填的内容都在"),
        (None, "退回修改，已填的内容都在"),
    ],
)
def test_a_return_says_how_many_places(reopened: list[str] | None, reason: str) -> None:
    task = task_of(held("returned", reopened=reopened), AT, {})
    assert (task.kind, task.reason, task.tag, task.verb) == ("returned", reason, "退回修改", "去修改")


def test_a_certification_is_not_named_after_its_standing_batch() -> None:
    task = task_of(held("draft", key="enterprise_certification"), AT, {})
    assert task.certification and task.title == registry.catalogue().get("enterprise_certification").title


def test_a_correction_runs_some_days_beyond_the_round() -> None:
    task = task_of(held("returned", closes=end_of(local_date(AT)), days=5), AT, {})
    assert text_of(task) == "剩 3 个工作日 · 11 月 25 日 24:00 前"


def test_a_late_return_has_its_full_days_from_the_return_on() -> None:
    # Returned on the last day on which the office may return: the round is long over, the days begin now.
    declaration = held("returned", closes=AT - 9 * DAY, days=10, step_since=AT)
    assert GUARDS["correction_open"](case_of(declaration, AT + 9 * DAY)) is None
    task = task_of(declaration, AT + DAY, {})
    assert task.clock is not None and "11 月 30 日" in task.clock.text and task.clock.tone != "bad"


def test_without_days_to_correct_the_round_itself_ends_it() -> None:
    task = task_of(held("returned", closes=end_of(local_date(AT)), days=0), AT, {})
    assert text_of(task) == "今天截止 · 11 月 20 日 24:00 前"


def case_of(declaration: Declaration, at: datetime) -> Case:
    definition = declaration.programme.definition
    params = registry.parameters_of(definition, declaration.batch.parameters)
    return Case(declaration, definition, params, None, Account(username="x"), at)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(-30, 30), st.integers(0, 20), st.integers(0, 20), st.integers(0, 40))
def test_the_clock_is_over_exactly_when_the_guard_refuses(closes: int, days: int, returned: int, later: int) -> None:
    declaration = held("returned", closes=AT + closes * DAY, days=days, step_since=AT + returned * DAY)
    at = AT + returned * DAY + later * DAY / 2
    clock = task_of(declaration, at, {}).clock
    assert clock is not None
    over = clock.text.startswith(("已超", "已过", "今天已过"))
    assert over is (GUARDS["correction_open"](case_of(declaration, at)) is not None), clock.text


def task(kind: Any, *, days: int | None = None, certification: bool = False) -> Task:
    clock = None if days is None else Clock("", "", None, days)
    return Task(kind, f"{kind}{days}{certification}", "", "", "", None, "", clock, certification)


def test_the_order_of_things_to_do() -> None:
    wanted = [
        task("draft", certification=True),
        task("returned", days=-2),
        task("returned", days=5),
        task("returned"),
        task("stamp", days=1),
        task("stamp", days=9),
        task("draft", days=0),
        task("draft"),
    ]
    assert sorted(reversed(wanted), key=_urgency) == wanted
