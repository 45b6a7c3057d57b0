"""Runs jobs: claims one, keeps its lease alive, calls its handler, writes down what became of it."""

from __future__ import annotations

import logging
import os
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from flask import Flask, current_app
from redis import Redis
from rq import Queue, SimpleWorker

from app.extensions import db
from app.services import job as jobs
from app.services.job import Claimed
from app.services.upkeep import EVERY, schedule_upkeep
from app.tasks.registry import handler_of

log = logging.getLogger(__name__)

RENEW_SECONDS = jobs.LEASE.total_seconds() / 4
IDLE_SECONDS = 0.5
SWEEP_SECONDS = 10.0


def run_job(job_id: int | None = None) -> bool:
    """Run the job ``job_id`` (None: the next due one) if it can be claimed; False if there was nothing to do.

    Safe to call twice for the same job: only one call gets the claim. Needs an application context.
    """
    claimed = jobs.claim(job_id)
    if claimed is None:
        return False
    try:
        handler = handler_of(claimed.kind)
        with _kept_alive(claimed):
            result = handler(claimed.args, partial(jobs.report, claimed))
        jobs.finish(claimed, result)
    except jobs.Postponed as pause:
        jobs.postpone(claimed, pause.wait)
    except Exception:
        # Whatever goes wrong in one job must neither end the worker nor get lost.
        log.warning("job %s (%s) failed in try %s", claimed.id, claimed.kind, claimed.turn, exc_info=True)
        jobs.fail(claimed, traceback.format_exc())
    finally:
        db.session.remove()
    return True


@contextmanager
def _kept_alive(claimed: Claimed) -> Iterator[None]:
    """Renew the lease in the background while the block runs."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    done = threading.Event()

    def renew() -> None:
        while not done.wait(RENEW_SECONDS):
            with app.app_context():
                if not jobs.renew(claimed):
                    return

    thread = threading.Thread(target=renew, name=f"lease-{claimed.id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


class Plan:
    """Work that comes back by the clock."""

    def __init__(self) -> None:
        self.due = time.monotonic()

    def tick(self) -> None:
        """Plan the upkeep when its hour has come."""
        if time.monotonic() >= self.due:
            schedule_upkeep()
            self.due = time.monotonic() + EVERY.total_seconds()


def work(stop: threading.Event) -> None:
    """Run due jobs until ``stop`` is set; after each idle round wait half a second."""
    plan = Plan()
    while not stop.is_set():
        try:
            plan.tick()
            busy = run_job()
        except Exception:
            # The database may be away for a moment (restart, disk full): keep trying, and say so.
            log.exception("the job table cannot be read")
            busy = False
        if not busy:
            stop.wait(IDLE_SECONDS)


def work_with_redis(stop: threading.Event, *, burst: bool = False) -> None:
    """Run what RQ brings, and sweep up what it lost. ``burst`` ends when the queue is empty (tests)."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    sweeper = threading.Thread(target=_sweep, args=(app, stop), name="sweeper", daemon=True)
    sweeper.start()
    connection = Redis.from_url(app.config["REDIS_URL"])
    # Jobs keep their own leases and tries in SQL, so RQ needs neither forks nor retries.
    worker = SimpleWorker([Queue(jobs.QUEUE, connection=connection)], connection=connection)
    worker.work(burst=burst, logging_level="WARNING")
    stop.set()


def _sweep(app: Flask, stop: threading.Event) -> None:
    """Hand due rows to RQ again: those whose message was lost, whose wait is over, whose worker died."""
    plan = Plan()
    while not stop.wait(SWEEP_SECONDS):
        with app.app_context():
            plan.tick()
            for job_id in jobs.due_ids():
                jobs.dispatch(job_id)


def watch_parent(stop: threading.Event, parent: int, then: Callable[[], None] = lambda: None) -> None:
    """Set ``stop`` when process ``parent`` is gone: a worker must not outlive the server that started it."""

    def watch() -> None:
        while not stop.wait(1.0):
            if os.getppid() != parent:
                stop.set()
                then()

    threading.Thread(target=watch, name="parent", daemon=True).start()
