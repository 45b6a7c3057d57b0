"""A declaration: its state, working answers, immutable revisions and append-only events."""

from __future__ import annotations

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Model, new_public_id, pk, public_id, utc
from app.models.batch import Batch
from app.models.enterprise import Enterprise
from app.models.programme import Programme

STATUSES = ("draft", "in_progress", "returned", "approved", "rejected", "withdrawn", "void")


class Declaration(Model):
    """One declaration of one enterprise. ``status``, step and holder columns are written by the engine only.

    ``unique_key`` is set while the declaration is alive and makes ``applicant.once_per`` a database rule.
    ``region_code`` is frozen at submission; ``revision_no`` and ``finding_count`` (conditions not met) are those of the
    newest one. ``claimed_by`` is the account at work on it in the present step.
    """

    __tablename__ = "declaration"
    __table_args__ = (
        CheckConstraint(f"status in {STATUSES}", name="status"),
        # A queue is read in the order of the first and counted in the order of the second, without its rows.
        Index(
            "ix_declaration_queue",
            "holder_role",
            "holder_region",
            "due_at",
            "id",
            "status",
            "step_key",
            "programme_key",
            "batch_id",
            "region_code",
            "claimed_by",
            "revision_no",
            "finding_count",
            "programme_id",
            "enterprise_name",
            "serial_no",
        ),
        Index(
            "ix_declaration_count",
            "holder_role",
            "holder_region",
            "programme_key",
            "step_key",
            "status",
            "batch_id",
            "region_code",
            "due_at",
            "claimed_by",
            "revision_no",
            "finding_count",
            "programme_id",
        ),
        Index("ix_declaration_batch_status", "batch_id", "status"),
        Index("ix_declaration_enterprise", "enterprise_id", "programme_key"),
    )

    id: Mapped[pk]
    public_id: Mapped[public_id]
    serial_no: Mapped[str | None] = mapped_column(String(30), unique=True)
    programme_key: Mapped[str] = mapped_column(String(30))
    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    batch_id: Mapped[int] = mapped_column(ForeignKey("batch.id"))
    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"))
    enterprise_name: Mapped[str | None] = mapped_column(String(100))
    region_code: Mapped[str | None] = mapped_column(String(6), index=True)
    status: Mapped[str] = mapped_column(String(12), default="draft")
    step_key: Mapped[str | None] = mapped_column(String(40))
    step_since: Mapped[utc | None]
    return_step: Mapped[str | None] = mapped_column(String(40))
    reopened: Mapped[list | None] = mapped_column(JSON)
    holder_role: Mapped[str | None] = mapped_column(String(12), default="enterprise")
    holder_region: Mapped[str | None] = mapped_column(String(6))
    due_at: Mapped[utc | None]
    open_objections: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    claimed_by: Mapped[int | None] = mapped_column(Integer)
    claimed_at: Mapped[utc | None]
    revision_no: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    finding_count: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    unique_key: Mapped[str | None] = mapped_column(String(120), unique=True)
    statement_at: Mapped[utc | None]
    submitted_at: Mapped[utc | None]
    decided_at: Mapped[utc | None]
    created_by: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[utc]
    saved_at: Mapped[utc]
    version: Mapped[int] = mapped_column(Integer, default=1)

    programme: Mapped[Programme] = relationship(lazy="joined")
    batch: Mapped[Batch] = relationship(lazy="joined")
    enterprise: Mapped[Enterprise] = relationship(lazy="joined")

    def __str__(self) -> str:
        return self.serial_no or f"{self.programme.title}（草稿）"


class AnswerRow(Model):
    """Working answers: the main form (``table_key`` empty) or one row of a child table. Values exactly as typed.

    ``editors``: field key → [account id, ISO moment] of the last save; ``removed_by`` the account that took it away.
    """

    __tablename__ = "answer_row"
    __table_args__ = (
        UniqueConstraint("declaration_id", "row_id"),
        Index("ix_answer_row_declaration", "declaration_id", "table_key", "position"),
    )

    id: Mapped[pk]
    declaration_id: Mapped[int] = mapped_column(ForeignKey("declaration.id", ondelete="CASCADE"))
    table_key: Mapped[str] = mapped_column(String(40), default="")
    row_id: Mapped[str] = mapped_column(String(36), default=new_public_id)
    parent_row_id: Mapped[str | None] = mapped_column(String(36))
    position: Mapped[int] = mapped_column(Integer, default=0)
    values: Mapped[dict] = mapped_column(JSON, default=dict)
    editors: Mapped[dict | None] = mapped_column(JSON)
    removed_at: Mapped[utc | None]
    removed_by: Mapped[int | None] = mapped_column(Integer)
    version: Mapped[int] = mapped_column(Integer, default=1)


class Revision(Model):
    """What was submitted, immutable: canonical JSON, its SHA-256, and the definition version it answers."""

    __tablename__ = "revision"
    __table_args__ = (UniqueConstraint("declaration_id", "number"),)

    id: Mapped[pk]
    declaration_id: Mapped[int] = mapped_column(ForeignKey("declaration.id"), index=True)
    number: Mapped[int] = mapped_column(Integer)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    content: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[utc]
    created_by: Mapped[int | None] = mapped_column(Integer)
    reason: Mapped[str | None] = mapped_column(String(500))


class Event(Model):
    """Something that happened; append-only, chained per declaration. Events without one concern other records."""

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_declaration", "declaration_id", "id"),
        Index("ix_event_actor", "actor_id", "declaration_id", "id"),
    )

    id: Mapped[pk]
    declaration_id: Mapped[int | None] = mapped_column(ForeignKey("declaration.id"))
    subject: Mapped[str | None] = mapped_column(String(80))
    at: Mapped[utc]
    actor_id: Mapped[int | None] = mapped_column(Integer)
    actor_name: Mapped[str] = mapped_column(String(60))
    actor_role: Mapped[str] = mapped_column(String(12))
    action: Mapped[str] = mapped_column(String(30))
    label: Mapped[str] = mapped_column(String(60))
    step_key: Mapped[str | None] = mapped_column(String(40))
    from_status: Mapped[str | None] = mapped_column(String(12))
    to_status: Mapped[str | None] = mapped_column(String(12))
    revision_no: Mapped[int | None] = mapped_column(Integer)
    opinion: Mapped[str | None] = mapped_column(Text)
    data: Mapped[dict] = mapped_column(JSON, default=dict)
    address: Mapped[str | None] = mapped_column(String(45))
    previous: Mapped[str | None] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))

    declaration: Mapped[Declaration | None] = relationship(viewonly=True)
