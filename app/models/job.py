"""Background jobs (the job table is the truth) and idempotency keys."""

from __future__ import annotations

from sqlalchemy import JSON, CheckConstraint, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Model, pk, public_id, utc


class Job(Model):
    """One piece of background work, written in the transaction that wants it."""

    __tablename__ = "job"
    __table_args__ = (
        CheckConstraint("state in ('queued','running','done','dead')", name="state"),
        Index("ix_job_due", "state", "run_after"),
    )

    id: Mapped[pk]
    public_id: Mapped[public_id]
    kind: Mapped[str] = mapped_column(String(40))
    args: Mapped[dict] = mapped_column(JSON, default=dict)
    state: Mapped[str] = mapped_column(String(10), default="queued")
    progress: Mapped[int] = mapped_column(Integer, default=0)
    note: Mapped[str | None] = mapped_column(String(200))
    result: Mapped[dict] = mapped_column(JSON, default=dict)
    tries: Mapped[int] = mapped_column(Integer, default=0)
    max_tries: Mapped[int] = mapped_column(Integer, default=5)
    run_after: Mapped[utc]
    lease_until: Mapped[utc | None]
    dedup: Mapped[str | None] = mapped_column(String(100), unique=True)
    error: Mapped[str | None] = mapped_column(Text)
    account_id: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[utc]
    done_at: Mapped[utc | None]


class IdempotencyKey(Model):
    """An answer already given to a form that was posted before."""

    __tablename__ = "idempotency_key"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[int | None] = mapped_column(Integer)
    route: Mapped[str] = mapped_column(String(100))
    response: Mapped[str] = mapped_column(String(500))
    created_at: Mapped[utc]
