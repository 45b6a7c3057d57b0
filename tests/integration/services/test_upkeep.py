"""Housekeeping: what has run out goes, what is one second younger stays, and what must be kept is never touched."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.extensions import db
from app.models import Challenge, Event, IdempotencyKey, Job, LoginSession, SmsCode, Throttle, Webhook, WebhookDelivery
from app.models.base import now
from app.permissions import roles
from app.services import attachment, export, sms
from app.services.audit import HEADS
from app.services.storage import SWEEP
from app.services.unit_of_work import unit_of_work
from app.services.upkeep import KIND, keep_up, schedule_upkeep
from app.tasks import registry, worker
from app.workflow import engine
from tests import factories
from tests.at_once import refusals, together

DAY, SECOND = timedelta(days=1), timedelta(seconds=30)
sqlite_only = pytest.mark.parametrize("database", ["sqlite"])


def login_session(age: timedelta) -> Any:
    return LoginSession(digest=f"{age}"[:64], data="{}", created_at=now() - age, last_seen_at=now() - age)


def challenge(age: timedelta) -> Any:
    return Challenge(
        token=f"{age}", session_digest="a" * 64, kind="picture", answer="1234", picture=b"x", created_at=now() - age
    )


def sms_code(age: timedelta) -> Any:
    at = now() - age
    return SmsCode(
        phone="13812346120", purpose="login", session_digest="a" * 64, digest="d", created_at=at, expires_at=at
    )


def throttle(age: timedelta) -> Any:
    return Throttle(kind="k", subject="s", at=now() - age)


def answered_form(age: timedelta) -> Any:
    return IdempotencyKey(key=f"{age}", account_id=1, route="r", response="", created_at=now() - age)


def finished_job(age: timedelta, state: str = "done") -> Any:
    return Job(kind="k", state=state, created_at=now() - age, run_after=now() - age, done_at=now() - age)


def announcement(age: timedelta, state: str = "sent") -> Any:
    made = factories.store(
        Webhook(
            name="市平台", url="https://example.org/x", secret="x", region_code="230100", created_at=now(), created_by=1
        )
    )
    return WebhookDelivery(
        webhook_id=made.id, kind="declaration.submit", body="{}", state=state, created_at=now() - age
    )


Make = Callable[[timedelta], Any]
KEPT: dict[str, tuple[Make, timedelta | None]] = {
    "sessions": (login_session, None),
    "challenges": (challenge, DAY),
    "sms codes": (sms_code, DAY),
    "counted tries": (throttle, 2 * DAY),
    "answered forms": (answered_form, 7 * DAY),
    "finished jobs": (finished_job, 7 * DAY),
    "old announcements": (announcement, 90 * DAY),
}


@sqlite_only
@pytest.mark.parametrize("name", KEPT)
def test_what_has_run_out_goes_and_the_younger_stays(context: Flask, name: str) -> None:
    make, limit = KEPT[name]
    limit = limit or context.config["SESSION_IDLE"]
    young, old = make(limit - SECOND), make(limit + SECOND)
    with unit_of_work() as session:
        session.add_all([young, old])
        session.flush()
        model, key = type(young), young.key if name == "answered forms" else young.id
    removed = keep_up()
    assert removed == {n: int(n == name) for n in KEPT}
    db.session.rollback()
    assert db.session.get(model, key) is not None
    # The upkeep itself plans the sweeping of files, which is a job.
    left = [row for row in db.session.scalars(select(model)) if getattr(row, "kind", "") != SWEEP]
    assert len(left) == 1


@sqlite_only
@pytest.mark.parametrize("state", ["queued", "running", "dead"])
def test_jobs_that_are_not_done_stay_to_be_seen(context: Flask, state: str) -> None:
    job = factories.store(finished_job(400 * DAY, state))
    assert keep_up()["finished jobs"] == 0
    db.session.rollback()
    assert db.session.get_one(Job, job.id).state == state


@sqlite_only
def test_records_are_no_rubbish(context: Flask) -> None:
    declaration = factories.submitted()
    with unit_of_work() as session:
        session.get_one(type(declaration), declaration.id).created_at = now() - 4000 * DAY
    before = db.session.scalar(select(func.count()).select_from(Event))
    keep_up()
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Event)) == before
    assert factories.find(declaration.public_id).status == "in_progress"


@sqlite_only
def test_the_head_of_the_trail_is_noted_beside_the_database(context: Flask) -> None:
    keep_up()
    path = Path(context.config["DATA_DIR"]) / HEADS
    assert not path.exists(), "nothing has happened yet"
    city = factories.make_account(roles.CITY)
    with unit_of_work() as session:
        event = engine.record(session, None, city, action="x", label="某事")
    keep_up()
    keep_up()
    (line,) = path.read_text("utf-8").splitlines()
    head = json.loads(line)
    assert (head["event"], head["digest"], head["count"]) == (event.id, event.digest, 1)


@sqlite_only
def test_the_sweeping_of_files_is_planned_once_for_tomorrow(context: Flask) -> None:
    keep_up()
    keep_up()
    db.session.rollback()
    job = db.session.scalars(select(Job).where(Job.kind == SWEEP)).one()
    assert DAY - timedelta(minutes=5) < job.run_after - now() <= DAY
    assert job.state == "queued"


@sqlite_only
def test_an_upkeep_that_waits_is_not_planned_twice(context: Flask) -> None:
    schedule_upkeep()
    schedule_upkeep()
    db.session.rollback()
    assert [j.kind for j in db.session.scalars(select(Job))] == [KIND]
    assert worker.run_job()
    schedule_upkeep()
    db.session.rollback()
    states = db.session.scalars(select(Job.state).where(Job.kind == KIND).order_by(Job.id)).all()
    assert states == ["done", "queued"], "after it is done, the next one may be planned"


def test_many_workers_plan_one_upkeep(context: Flask) -> None:
    assert refusals(together(context, [schedule_upkeep] * 6)) == []
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Job).where(Job.kind == KIND)) == 1


def test_two_upkeeps_at_once_do_not_hinder_each_other(context: Flask) -> None:
    with unit_of_work() as session:
        session.add_all(throttle(n * DAY) for n in range(6))
    results = together(context, [keep_up] * 3)
    assert refusals(results) == []
    assert sum(r["counted tries"] for r in results) == 4
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Throttle)) == 2


@sqlite_only
def test_every_kind_of_job_that_services_want_has_a_handler(context: Flask) -> None:
    wanted = {KIND, SWEEP, attachment.CHECK_SCAN, export.PACKAGE, sms.SEND}
    assert wanted <= registry.kinds()


@sqlite_only
def test_the_result_of_an_upkeep_says_what_went(context: Flask) -> None:
    factories.store(throttle(3 * DAY))
    schedule_upkeep()
    assert worker.run_job()
    db.session.rollback()
    job = db.session.scalars(select(Job).where(Job.kind == KIND)).one()
    assert (job.state, job.progress, job.tries, job.error) == ("done", 100, 1, None)
    assert job.result == {n: int(n == "counted tries") for n in KEPT}
