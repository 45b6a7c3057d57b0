"""The worker: handlers are called once, failures come back, a dead worker's job is taken over; with and without Redis."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.extensions import db
from app.models import Job, Throttle
from app.models.base import now
from app.services import job as jobs
from app.services.unit_of_work import unit_of_work
from app.tasks import registry, worker
from tests import servers

ROOT = Path(__file__).parents[3]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, Any]]:
    """Arguments that the handler of kind ``test`` was called with."""
    seen: list[Mapping[str, Any]] = []

    def handler(args: Mapping[str, Any], report: registry.Report) -> Mapping[str, Any]:
        seen.append(args)
        report(50, "一半")
        if args.get("fail"):
            raise ValueError("坏数据")
        return {"sum": args.get("n", 0) + 1}

    monkeypatch.setitem(registry._handlers, "test", handler)
    return seen


def wanted(kind: str = "test", **args: Any) -> int:
    with unit_of_work() as session:
        return jobs.enqueue(session, kind, args).id


def row(job_id: int) -> Job:
    db.session.rollback()
    return db.session.get_one(Job, job_id)


def test_handler_is_called_and_its_result_kept(context: Flask, calls: list[Any]) -> None:
    job_id = wanted(n=1)
    assert worker.run_job()
    assert calls == [{"n": 1}]
    assert (row(job_id).state, row(job_id).result, row(job_id).note) == ("done", {"sum": 2}, "一半")
    assert not worker.run_job()


def test_double_dispatch_runs_once(context: Flask, calls: list[Any]) -> None:
    job_id = wanted(n=1)
    assert worker.run_job(job_id)
    assert not worker.run_job(job_id)
    assert len(calls) == 1


def test_failing_job_does_not_end_the_worker_and_dies_after_five_tries(context: Flask, calls: list[Any]) -> None:
    job_id = wanted(fail=True)
    good = wanted(n=2)
    assert worker.run_job()
    assert worker.run_job()
    assert row(good).state == "done"
    for _ in range(4):
        with unit_of_work() as session:
            session.get_one(Job, job_id).run_after = now()
        assert worker.run_job()
    assert (row(job_id).state, len(calls)) == ("dead", 6)
    assert "ValueError: 坏数据" in row(job_id).error


def test_unknown_kind_says_so(context: Flask) -> None:
    job_id = wanted("nobody-does-this")
    worker.run_job()
    assert "no handler for jobs of kind" in row(job_id).error


def test_lease_is_renewed_while_the_handler_runs(
    context: Flask, monkeypatch: pytest.MonkeyPatch, database: str
) -> None:
    leases: list[Any] = []

    def slow(_args: Mapping[str, Any], _report: registry.Report) -> None:
        for _ in range(2):
            time.sleep(0.3)
            db.session.rollback()
            leases.append(db.session.scalar(select(Job.lease_until)))

    monkeypatch.setitem(registry._handlers, "slow", slow)
    monkeypatch.setattr(worker, "RENEW_SECONDS", 0.05)
    wanted("slow")
    worker.run_job()
    assert leases[1] > leases[0]


def test_work_stops_when_told_and_plans_the_upkeep(context: Flask, calls: list[Any]) -> None:
    stop = threading.Event()
    job_id = wanted(n=1)

    def loop() -> None:
        with context.app_context():
            worker.work(stop)

    thread = threading.Thread(target=loop)
    thread.start()
    deadline = time.monotonic() + 10
    done: set[str] = set()
    while time.monotonic() < deadline and not done >= {"test", "upkeep"}:
        time.sleep(0.05)
        db.session.rollback()
        done = set(db.session.scalars(select(Job.kind).where(Job.state == "done")))
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
    assert row(job_id).state == "done"
    assert {"test", "upkeep"} <= done


def test_upkeep_removes_what_has_run_out(context: Flask) -> None:
    with unit_of_work() as session:
        session.add_all(Throttle(kind="sms", subject="x", at=now() - timedelta(days=d)) for d in (0, 1, 3))
    worker.schedule_upkeep()
    worker.schedule_upkeep()
    assert worker.run_job()
    assert not worker.run_job()
    assert len(db.session.scalars(select(Throttle)).all()) == 2
    assert db.session.scalars(select(Job).where(Job.kind == "upkeep")).one().result["counted tries"] == 1


def start_worker(app: Flask) -> subprocess.Popen[bytes]:
    """A real worker process on the test's database."""
    uri = app.config["SQLALCHEMY_DATABASE_URI"]
    environment = {**os.environ, "DATABASE_URL": str(uri), "DATA_DIR": str(app.config["DATA_DIR"]), "FLASK_APP": "app"}
    return subprocess.Popen([sys.executable, "-m", "flask", "worker"], cwd=ROOT, env=environment)


def test_killed_worker_leaves_its_job_to_the_next_and_sigterm_ends_it(context: Flask) -> None:
    held = wanted("upkeep")
    assert jobs.claim() is not None
    with unit_of_work() as session:
        session.get_one(Job, held).lease_until = now() - timedelta(seconds=1)
    process = start_worker(context)
    try:
        deadline = time.monotonic() + 20
        while row(held).state != "done" and time.monotonic() < deadline:
            time.sleep(0.1)
        assert (row(held).state, row(held).tries) == ("done", 2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()


@pytest.fixture
def redis(context: Flask) -> Iterator[str]:
    """A real Redis that the application uses."""
    try:
        with servers.redis() as url:
            context.config["REDIS_URL"] = url
            yield url
    except servers.NotHere as reason:
        pytest.skip(f"no Redis: {reason}")


def test_redis_carries_the_id_and_the_table_decides(context: Flask, redis: str, calls: list[Any]) -> None:
    job_id = wanted(n=1)
    jobs.dispatch(job_id)
    worker.work_with_redis(threading.Event(), burst=True)
    assert calls == [{"n": 1}]
    assert row(job_id).result == {"sum": 2}


def test_redis_gets_nothing_from_a_rolled_back_transaction(context: Flask, redis: str, calls: list[Any]) -> None:
    with pytest.raises(RuntimeError, match="no"), unit_of_work() as session:
        jobs.enqueue(session, "test", {"n": 1})
        raise RuntimeError("no")
    worker.work_with_redis(threading.Event(), burst=True)
    assert calls == []


def test_redis_message_that_was_lost_is_swept_up(
    context: Flask, redis: str, calls: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "SWEEP_SECONDS", 0.05)
    context.config["REDIS_URL"] = None
    job_id = wanted(n=1)
    context.config["REDIS_URL"] = redis
    stop = threading.Event()
    sweeper = threading.Thread(target=worker._sweep, args=(context, stop))
    sweeper.start()
    time.sleep(0.5)
    stop.set()
    sweeper.join()
    worker.work_with_redis(threading.Event(), burst=True)
    assert (row(job_id).state, len(calls)) == ("done", 1)
