"""What reviewers and experts write."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.fields.sqltypes import ExactDecimal
from app.models.account import Account
from app.models.base import Model, pk, utc
from app.models.declaration import Declaration

WHOLE = "*"
"""Path of a remark on the whole declaration; a return then names no field through it."""


class Remark(Model):
    """A remark on one field (``path``); open until the reviewer settles it.

    ``reply``: what the enterprise says to it, if it says anything. ``kept_no``: number of the newest revision that was
    found not to have answered it.
    """

    __tablename__ = "remark"
    __table_args__ = (
        CheckConstraint("state in ('draft','open','settled')", name="state"),
        Index("ix_remark_declaration", "declaration_id", "state"),
    )

    id: Mapped[pk]
    declaration_id: Mapped[int] = mapped_column(ForeignKey("declaration.id"))
    path: Mapped[str] = mapped_column(String(250))
    label: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10), default="draft")
    step_key: Mapped[str] = mapped_column(String(40))
    revision_no: Mapped[int] = mapped_column(Integer)
    author_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id"))
    author_name: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[utc]
    settled_at: Mapped[utc | None]
    reply: Mapped[str | None] = mapped_column(Text)
    replied_at: Mapped[utc | None]
    kept_no: Mapped[int | None] = mapped_column(Integer)


class InternalNote(Model):
    """What the offices tell each other about a declaration: never seen by the enterprise or by experts.

    Written once and not changed; whoever wrote it may take it away (``removed_at``).
    """

    __tablename__ = "internal_note"
    __table_args__ = (Index("ix_internal_note_declaration", "declaration_id", "id"),)

    id: Mapped[pk]
    declaration_id: Mapped[int] = mapped_column(ForeignKey("declaration.id"))
    text: Mapped[str] = mapped_column(Text)
    step_key: Mapped[str] = mapped_column(String(40))
    author_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id"))
    author_name: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[utc]
    removed_at: Mapped[utc | None]


class Opinion(Model):
    """A decision with its words: one per step and deed."""

    __tablename__ = "opinion"
    __table_args__ = (Index("ix_opinion_author", "author_id", "id"),)

    id: Mapped[pk]
    declaration_id: Mapped[int] = mapped_column(ForeignKey("declaration.id"), index=True)
    step_key: Mapped[str] = mapped_column(String(40))
    verdict: Mapped[str] = mapped_column(String(20))
    text: Mapped[str] = mapped_column(Text, default="")
    revision_no: Mapped[int] = mapped_column(Integer)
    author_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id"))
    author_name: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[utc]

    declaration: Mapped[Declaration] = relationship(lazy="joined")


class Assignment(Model):
    """A declaration given to an expert at an expert step."""

    __tablename__ = "assignment"
    __table_args__ = (
        UniqueConstraint("declaration_id", "step_key", "expert_id"),
        CheckConstraint("verdict is null or verdict in ('agree','disagree')", name="verdict"),
    )

    id: Mapped[pk]
    declaration_id: Mapped[int] = mapped_column(ForeignKey("declaration.id"), index=True)
    step_key: Mapped[str] = mapped_column(String(40))
    expert_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id"), index=True)
    assigned_at: Mapped[utc]
    done_at: Mapped[utc | None]
    verdict: Mapped[str | None] = mapped_column(String(10))
    total: Mapped[Decimal | None] = mapped_column(ExactDecimal(6, 2))
    opinion: Mapped[str | None] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer, default=1)

    expert: Mapped[Account] = relationship(lazy="joined")
    declaration: Mapped[Declaration] = relationship(lazy="joined")


class Score(Model):
    """Points of one expert for one criterion, with the reason."""

    __tablename__ = "score"
    __table_args__ = (UniqueConstraint("assignment_id", "criterion"),)

    id: Mapped[pk]
    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignment.id", ondelete="CASCADE"))
    criterion: Mapped[str] = mapped_column(String(40))
    label: Mapped[str] = mapped_column(String(100))
    points: Mapped[Decimal] = mapped_column(ExactDecimal(6, 2))
    maximum: Mapped[int] = mapped_column(Integer)
    reason: Mapped[str | None] = mapped_column(String(300))

    assignment: Mapped[Assignment] = relationship(lazy="joined")
