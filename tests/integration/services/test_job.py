"""Jobs: wanted with the transaction, claimed once, taken over when a worker dies, given up visibly."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.errors import Conflict, NotFound
from app.extensions import db
from app.models import Job
from app.models.base import now
from app.permissions import roles
from app.services import job as jobs
from app.services.unit_of_work import unit_of_work
from tests import factories


def wanted(kind: str = "test", **more: object) -> int:
    """Id of a job that was enqueued and committed."""
    with unit_of_work() as session:
        return jobs.enqueue(session, kind, {"n": 1}, **more).id


def row(job_id: int) -> Job:
    return db.session.get_one(Job, job_id)


def let_lease_expire(job_id: int) -> None:
    with unit_of_work() as session:
        session.get_one(Job, job_id).lease_until = now() - timedelta(seconds=1)


def test_rolled_back_job_never_runs(context: Flask) -> None:
    with pytest.raises(RuntimeError, match="no"), unit_of_work() as session:
        jobs.enqueue(session, "test")
        raise RuntimeError("no")
    assert jobs.claim() is None
    assert db.session.scalar(select(func.count()).select_from(Job)) == 0


def test_claim_takes_a_job_once(context: Flask) -> None:
    job_id = wanted()
    claimed = jobs.claim()
    assert claimed is not None
    assert (claimed.id, claimed.kind, claimed.turn, claimed.args) == (job_id, "test", 1, {"n": 1})
    assert jobs.claim() is None
    assert jobs.claim(job_id) is None
    assert row(job_id).state == "running"


def test_oldest_first(context: Flask) -> None:
    first, second = wanted(), wanted()
    assert [jobs.claim().id, jobs.claim().id] == [first, second]


def test_sixteen_threads_claim_each_job_once(context: Flask) -> None:
    ids = {wanted() for _ in range(5)}
    got: list[int] = []
    gate = threading.Barrier(16)

    def run() -> None:
        with context.app_context():
            gate.wait()
            while (claimed := jobs.claim()) is not None:
                got.append(claimed.id)

    threads = [threading.Thread(target=run) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # A claim may come away empty when another thread was first; nobody may get what another has.
    while (claimed := jobs.claim()) is not None:
        got.append(claimed.id)
    assert sorted(got) == sorted(ids)


def test_delayed_job_waits(context: Flask) -> None:
    job_id = wanted(delay=timedelta(hours=1))
    assert jobs.claim() is None
    with unit_of_work() as session:
        session.get_one(Job, job_id).run_after = now()
    assert jobs.claim().id == job_id


def test_same_dedup_is_one_job_until_it_is_done(context: Flask) -> None:
    first = wanted(dedup="once")
    assert wanted(dedup="once") == first
    jobs.finish(jobs.claim())
    assert wanted(dedup="once") != first


def test_same_dedup_at_the_same_moment_is_a_conflict_or_the_same_job(context: Flask) -> None:
    results: list[object] = []
    gate = threading.Barrier(4)

    def run() -> None:
        with context.app_context():
            gate.wait()
            try:
                results.append(wanted(dedup="once"))
            except Conflict:
                results.append("conflict")

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(results) - {"conflict"}) == 1
    assert db.session.scalar(select(func.count()).select_from(Job)) == 1


def test_finish_keeps_the_result(context: Flask) -> None:
    job_id = wanted()
    assert jobs.finish(jobs.claim(), {"file": "x"})
    job = row(job_id)
    assert (job.state, job.progress, job.result, job.lease_until) == ("done", 100, {"file": "x"}, None)
    assert job.done_at is not None


def test_progress_is_shown_and_bounded(context: Flask) -> None:
    job_id = wanted()
    claimed = jobs.claim()
    jobs.report(claimed, 40, "第 2 份")
    assert (row(job_id).progress, row(job_id).note) == (40, "第 2 份")
    jobs.report(claimed, 400)
    assert (row(job_id).progress, row(job_id).note) == (100, "第 2 份")


def test_failure_waits_longer_each_time_and_dies_visibly(context: Flask, caplog: pytest.LogCaptureFixture) -> None:
    job_id = wanted(dedup="once")
    waits = []
    for turn in range(1, 6):
        with unit_of_work() as session:
            session.get_one(Job, job_id).run_after = now()
        claimed = jobs.claim()
        assert claimed.turn == turn
        before = now()
        jobs.fail(claimed, "Traceback\nValueError: 坏数据")
        waits.append(round((row(job_id).run_after - before).total_seconds()))
    job = row(job_id)
    assert waits[:4] == [10, 40, 160, 640]
    assert (job.state, job.tries, job.dedup) == ("dead", 5, None)
    assert "坏数据" in job.error
    assert any("given up" in r.message and "坏数据" in r.message for r in caplog.records if r.levelname == "ERROR")
    assert jobs.claim() is None


def test_expired_lease_is_taken_again_and_the_first_worker_cannot_finish(context: Flask) -> None:
    job_id = wanted()
    lost = jobs.claim()
    let_lease_expire(job_id)
    again = jobs.claim()
    assert (again.id, again.turn) == (job_id, 2)
    assert not jobs.renew(lost)
    assert not jobs.finish(lost, {"by": "lost"})
    jobs.fail(lost, "too late")
    jobs.report(lost, 50)
    assert (row(job_id).state, row(job_id).progress) == ("running", 0)
    assert jobs.finish(again, {"by": "again"})
    assert row(job_id).result == {"by": "again"}


def test_renewing_keeps_the_lease(context: Flask) -> None:
    job_id = wanted()
    claimed = jobs.claim()
    with unit_of_work() as session:
        session.get_one(Job, job_id).lease_until = now() + timedelta(seconds=1)
    assert jobs.renew(claimed)
    assert row(job_id).lease_until > now() + jobs.LEASE - timedelta(seconds=5)


def test_worker_that_dies_in_the_last_try_leaves_a_dead_job_and_the_next_one_runs(context: Flask) -> None:
    poison = wanted(max_tries=1)
    jobs.claim()
    let_lease_expire(poison)
    good = wanted()
    assert jobs.claim().id == good
    assert row(poison).state == "dead"
    assert "ended" in row(poison).error


def test_a_job_is_its_askers_only(context: Flask) -> None:
    owner, other = factories.make_account(roles.CITY), factories.make_account(roles.CITY)
    public_id = row(wanted(account_id=owner.id)).public_id
    assert jobs.job_of(owner, public_id).kind == "test"
    for user, key in ((other, public_id), (owner, "00000000-0000-7000-8000-000000000000")):
        with pytest.raises(NotFound):
            jobs.job_of(user, key)


def test_without_redis_nothing_is_dispatched(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "dispatch", lambda job_id: pytest.fail("dispatched"))
    wanted()


def test_redis_that_does_not_answer_loses_nothing(context: Flask, caplog: pytest.LogCaptureFixture) -> None:
    context.config["REDIS_URL"] = "redis://127.0.0.1:1/0"
    job_id = wanted()
    assert jobs.claim().id == job_id
    assert any("stays in the table" in r.message for r in caplog.records)


def test_postponed_work_waits_without_losing_a_try(context: Flask) -> None:
    job_id = wanted(max_tries=2)
    for _ in range(3):
        claimed = jobs.claim()
        assert claimed.turn == 1
        jobs.postpone(claimed, timedelta(minutes=5))
        assert (row(job_id).state, row(job_id).tries, row(job_id).lease_until) == ("queued", 0, None)
        assert row(job_id).run_after > now() + timedelta(minutes=4)
        assert jobs.claim() is None
        with unit_of_work() as session:
            session.get_one(Job, job_id).run_after = now()
    lost = jobs.claim()
    let_lease_expire(job_id)
    again = jobs.claim()
    jobs.postpone(lost, timedelta(minutes=5))
    assert (row(job_id).state, row(job_id).tries, again.turn) == ("running", 2, 2), "the lease was lost"
