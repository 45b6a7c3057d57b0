"""Background work. The job table is the truth: a row is written in the transaction that wants the work.

A worker claims a row for the length of a lease and renews it while it works; a worker that dies loses the lease and
another takes over. With ``REDIS_URL`` the row's id is also handed to RQ, only to be quicker: claiming decides.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from flask import current_app
from redis import Redis, RedisError
from rq import Queue
from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.extensions import db
from app.models import Account, Job
from app.models.base import now
from app.services.unit_of_work import after_commit, unit_of_work

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)
FIRST_WAIT = timedelta(seconds=10)
"""Pause after the first failure; each further one waits four times as long."""
RUN_JOB = "app.tasks.worker.run_job"
QUEUE = "shenbao"
REDIS_SECONDS = 2
NOTE_LENGTH, ERROR_LENGTH = 200, 4000


class Postponed(Exception):
    """Raised by a handler that cannot do the work yet, for a reason outside the job: try again after ``wait``.

    Unlike a failure it costs no try.
    """

    def __init__(self, wait: timedelta) -> None:
        super().__init__(f"postponed by {wait}")
        self.wait = wait


@dataclass(frozen=True)
class Claimed:
    """A job that this worker holds. ``turn`` counts the tries: who comes back with an old turn has lost the lease."""

    id: int
    kind: str
    turn: int
    args: Mapping[str, Any] = field(default_factory=dict)


def enqueue(
    session: Session,
    kind: str,
    args: Mapping[str, Any] | None = None,
    *,
    dedup: str | None = None,
    account_id: int | None = None,
    delay: timedelta = timedelta(0),
    note: str | None = None,
    max_tries: int = 5,
) -> Job:
    """Want work of ``kind`` done once the transaction of ``session`` is durable; a rolled back one wants nothing.

    ``args`` is JSON. A living job with the same ``dedup`` is returned instead of a second one.
    """
    if dedup is not None:
        living = session.scalars(select(Job).where(Job.dedup == dedup)).first()
        if living is not None:
            return living
    job = Job(
        kind=kind,
        args=dict(args or {}),
        dedup=dedup,
        account_id=account_id,
        run_after=now() + delay,
        note=note,
        max_tries=max_tries,
        created_at=now(),
    )
    session.add(job)
    session.flush()
    if not delay and current_app.config["REDIS_URL"]:
        job_id = job.id
        after_commit(session, lambda: dispatch(job_id))
    return job


def dispatch(job_id: int) -> None:
    """Hand the id to RQ. If Redis does not answer, the row waits for the worker's next sweep."""
    try:
        connection = Redis.from_url(
            current_app.config["REDIS_URL"], socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS
        )
        Queue(QUEUE, connection=connection).enqueue(RUN_JOB, job_id, result_ttl=0, job_timeout=-1)
    except RedisError as error:
        log.warning("job %s stays in the table, Redis does not answer: %s", job_id, error)


def _due() -> ColumnElement[bool]:
    waiting = and_(Job.state == "queued", Job.run_after <= now())
    abandoned = and_(Job.state == "running", Job.lease_until < now())
    return or_(waiting, abandoned)


def due_ids(limit: int = 100) -> list[int]:
    """Ids of jobs that could be claimed now, oldest first. Only reads."""
    with Session(db.engine) as session:
        return list(session.scalars(select(Job.id).where(_due()).order_by(Job.run_after, Job.id).limit(limit)))


def claim(job_id: int | None = None) -> Claimed | None:
    """Take the next due job (or ``job_id``, if it is due) for the length of a lease; None if there is none.

    A job whose worker died in its last try is given up here, and the next one is taken.
    """
    # Asking first keeps an idle worker from taking SQLite's write lock every second.
    while due_ids(1):
        with unit_of_work() as session:
            statement = select(Job).where(_due()).order_by(Job.run_after, Job.id).limit(1)
            if job_id is not None:
                statement = statement.where(Job.id == job_id)
            job = session.scalars(statement.with_for_update(skip_locked=True)).first()
            if job is None:
                return None
            if job.tries < job.max_tries:
                job.state, job.tries, job.lease_until = "running", job.tries + 1, now() + LEASE
                return Claimed(job.id, job.kind, job.tries, dict(job.args))
            _give_up(job, "the worker ended in the middle of the last try")
    return None


def _held(session: Session, claimed: Claimed) -> Job | None:
    """The row, locked, if the lease is still ours."""
    statement = select(Job).where(Job.id == claimed.id, Job.state == "running", Job.tries == claimed.turn)
    return session.scalars(statement.with_for_update()).first()


def renew(claimed: Claimed) -> bool:
    """Lengthen the lease; False if somebody else holds the job now."""
    with unit_of_work() as session:
        job = _held(session, claimed)
        if job is not None:
            job.lease_until = now() + LEASE
        return job is not None


def report(claimed: Claimed, progress: int, note: str | None = None) -> None:
    """Show ``progress`` (percent) and ``note`` to who waits for it."""
    with unit_of_work() as session:
        job = _held(session, claimed)
        if job is not None:
            job.progress, job.lease_until = max(0, min(100, progress)), now() + LEASE
            job.note = note[:NOTE_LENGTH] if note is not None else job.note


def finish(claimed: Claimed, result: Mapping[str, Any] | None = None) -> bool:
    """The work is done; ``result`` is JSON. False if the lease was lost, then nothing changes."""
    with unit_of_work() as session:
        job = _held(session, claimed)
        if job is not None:
            job.state, job.progress, job.result, job.done_at = "done", 100, dict(result or {}), now()
            job.lease_until = job.dedup = job.error = None
        return job is not None


def postpone(claimed: Claimed, wait: timedelta) -> None:
    """The work cannot be done yet: put it back for ``wait`` as if it had not been claimed."""
    with unit_of_work() as session:
        job = _held(session, claimed)
        if job is not None:
            job.state, job.lease_until, job.tries = "queued", None, job.tries - 1
            job.run_after = now() + wait


def fail(claimed: Claimed, error: str) -> None:
    """The work failed: wait and try again, or give up after the last try."""
    with unit_of_work() as session:
        job = _held(session, claimed)
        if job is None:
            return
        if job.tries >= job.max_tries:
            _give_up(job, error)
        else:
            job.state, job.lease_until, job.error = "queued", None, error[:ERROR_LENGTH]
            job.run_after = now() + FIRST_WAIT * 4 ** (job.tries - 1)


def _give_up(job: Job, error: str) -> None:
    job.state, job.error, job.done_at = "dead", error[:ERROR_LENGTH], now()
    job.lease_until = job.dedup = None
    log.error("job %s (%s) is given up after %s tries: %s", job.public_id, job.kind, job.tries, error.splitlines()[-1])


def job_of(user: Account, public_id: str) -> Job:
    """The job, if ``user`` asked for it; NotFound otherwise."""
    job = db.session.scalars(select(Job).where(Job.public_id == public_id, Job.account_id == user.id)).first()
    if job is None:
        raise NotFound("没有找到这项任务，可能已经办完清理了。请回到原来的页面重新操作。")
    return job
