"""Rules that the database itself keeps, on both kinds: whatever the program forgets, no such row can be stored."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.errors import Conflict
from app.extensions import db
from app.models import AnswerRow, Batch, Declaration, Enterprise, Holiday, Industry, Job, Notice, Recognition, Region
from app.models.base import now
from app.services.unit_of_work import unit_of_work
from tests.factories import INTAKE, credit_code, make_batch, make_enterprise
from tests.factories_portal import make_declaration

Maker = Callable[[Declaration], Any]


def enterprise(**facts: Any) -> Enterprise:
    return Enterprise(**{"name": "甲", "certification_status": "none", "created_at": now(), **facts})


def batch(**facts: Any) -> Batch:
    base = {
        c.name: getattr(SAMPLE["batch"], c.name) for c in Batch.__table__.columns if c.name not in {"id", "public_id"}
    }
    return Batch(**{**base, **facts})


def recognition(declaration: Declaration, **facts: Any) -> Recognition:
    base = {
        "enterprise_id": declaration.enterprise_id, "declaration_id": declaration.id, "programme_key": INTAKE,
        "title": "入库", "valid_from": date(2026, 1, 1), "created_at": now(),
    }  # fmt: skip
    return Recognition(**{**base, **facts})


def notice(**facts: Any) -> Notice:
    return Notice(
        **{"title": "通知", "level": "city", "authority": "工信局", "content": "文", "published_at": now(), **facts}
    )


def another(declaration: Declaration, **facts: Any) -> Declaration:
    names = ("programme_key", "programme_id", "batch_id", "enterprise_id", "created_at", "saved_at")
    return Declaration(**{**{n: getattr(declaration, n) for n in names}, **facts})


SAMPLE: dict[str, Any] = {}

ONE_EACH: dict[str, Maker] = {
    "a status nobody knows": lambda d: another(d, status="lost"),
    "an empty status": lambda d: another(d, status=""),
    "a certification nobody knows": lambda d: enterprise(certification_status="maybe"),
    "a batch that closes before it opens": lambda d: batch(opens_at=now(), closes_at=now() - timedelta(days=1)),
    "a batch without any time between": lambda d: batch(opens_at=SAMPLE["moment"], closes_at=SAMPLE["moment"]),
    "a job in no state": lambda d: Job(kind="x", state="asleep", run_after=now(), created_at=now()),
    "a recognition in no state": lambda d: recognition(d, state="lost"),
    "a notice of no level": lambda d: notice(level="village"),
    "a declaration of no batch": lambda d: another(d, batch_id=999_999),
    "a declaration of no enterprise": lambda d: another(d, enterprise_id=999_999),
    "answers of no declaration": lambda d: AnswerRow(declaration_id=999_999),
    "an enterprise without a time": lambda d: enterprise(created_at=None),
}
TWICE: dict[str, Maker] = {
    "a credit code": lambda d: enterprise(credit_code=credit_code(999_123)),
    "a serial number": lambda d: another(d, serial_no="2026-PY-9999"),
    "a live declaration of one batch": lambda d: another(d, unique_key="batch:1:enterprise:1"),
    "a region code": lambda d: Region(code="999999", name="区", full_name="省 / 区", level="district"),
    "an industry code": lambda d: Industry(code="ZZ", name="业", full_name="业", level="division"),
    "a holiday": lambda d: Holiday(day=date(2031, 1, 1), name="元旦"),
    "a job that must not be queued twice": lambda d: Job(kind="x", dedup="only", run_after=now(), created_at=now()),
    "a recognition of one declaration": recognition,
    "a row id in one declaration": lambda d: AnswerRow(declaration_id=d.id, row_id="r1"),
}


@pytest.fixture
def declaration(context: Flask) -> Declaration:
    """Something for the rows to hang on."""
    SAMPLE["batch"], SAMPLE["moment"] = make_batch(INTAKE), now()
    return make_declaration(make_enterprise(), SAMPLE["batch"])


def add(make: Maker, declaration: Declaration) -> None:
    with unit_of_work() as session:
        session.add(make(session.merge(declaration, load=False)))


def rows(kind: type) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(kind)) or 0


def test_a_row_that_breaks_a_rule_is_not_stored(declaration: Declaration) -> None:
    for what, make in ONE_EACH.items():
        kind = type(make(declaration))
        before = rows(kind)
        with pytest.raises(Conflict) as caught:
            add(make, declaration)
        assert caught.value.message == "和已有的记录重复了，没有保存。请核对后再试。", what
        assert rows(kind) == before, what


def test_what_must_be_the_only_one_is_stored_once(declaration: Declaration) -> None:
    for what, make in TWICE.items():
        kind = type(make(declaration))
        before = rows(kind)
        add(make, declaration)
        with pytest.raises(Conflict):
            add(make, declaration)
        assert rows(kind) == before + 1, what


def test_what_may_be_missing_may_be_missing_twice(declaration: Declaration) -> None:
    """Drafts have no serial number, newcomers no credit code: several rows without one are no repetition."""
    for make in (
        lambda d: another(d),
        lambda d: enterprise(),
        lambda d: Job(kind="x", run_after=now(), created_at=now()),
    ):
        before = rows(type(make(declaration)))
        add(make, declaration)
        add(make, declaration)
        assert rows(type(make(declaration))) == before + 2


def test_answers_go_with_their_draft(declaration: Declaration) -> None:
    add(lambda d: AnswerRow(declaration_id=d.id, row_id="r1", values={"a": "1"}), declaration)
    assert rows(AnswerRow) == 1
    with unit_of_work() as session:
        session.delete(session.get(Declaration, declaration.id))
    assert rows(AnswerRow) == 0


def test_defaults_are_those_of_something_new(declaration: Declaration) -> None:
    with unit_of_work() as session:
        made = another(declaration)
        session.add(made)
        session.flush()
        assert (made.status, made.holder_role, made.version) == ("draft", "enterprise", 1)
        job = Job(kind="x", run_after=now(), created_at=now())
        session.add(job)
        session.flush()
        assert (job.state, job.tries, job.max_tries, job.progress, job.args) == ("queued", 0, 5, 0, {})


def test_a_failed_change_leaves_no_part_of_itself(declaration: Declaration) -> None:
    before = rows(Holiday)

    def two(session: Session) -> None:
        session.add(Holiday(day=date(2032, 1, 1), name="元旦"))
        session.flush()
        session.add(Holiday(day=date(2032, 1, 1), name="又一个"))

    with pytest.raises(Conflict), unit_of_work() as session:
        two(session)
    assert rows(Holiday) == before
