"""Joint work: invitations into an enterprise or one of its declarations, and who is filling in what at the moment."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Model, pk, public_id, utc
from app.models.declaration import Declaration
from app.models.enterprise import Enterprise

INVITATION_STATES = ("open", "accepted", "declined", "withdrawn", "ended")


class Invitation(Model):
    """An invitation to the owner of ``phone``. Only the SHA-256 of its token is stored; one use, seven days.

    ``declaration_id`` limits it to one declaration. An accepted one is ended when the person leaves or is removed, so
    that it also says who was a member once.
    """

    __tablename__ = "invitation"
    __table_args__ = (
        CheckConstraint(f"state in {INVITATION_STATES}", name="state"),
        CheckConstraint("member_right in ('fill', 'submit')", name="member_right"),
        Index("ix_invitation_enterprise_state", "enterprise_id", "state"),
    )

    id: Mapped[pk]
    public_id: Mapped[public_id]
    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"))
    declaration_id: Mapped[int | None] = mapped_column(ForeignKey("declaration.id"))
    member_right: Mapped[str] = mapped_column(String(10))
    phone: Mapped[str] = mapped_column(String(11), index=True)
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    state: Mapped[str] = mapped_column(String(10), default="open")
    invited_by: Mapped[int] = mapped_column(ForeignKey("ab_user.id"))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"), index=True)
    created_at: Mapped[utc]
    expires_at: Mapped[utc]
    answered_at: Mapped[utc | None]
    ended_at: Mapped[utc | None]

    enterprise: Mapped[Enterprise] = relationship(lazy="joined")
    declaration: Mapped[Declaration | None] = relationship(lazy="select")


class Presence(Model):
    """Where somebody is in a declaration: the section, and the field if the focus is in one. Counts for a minute."""

    __tablename__ = "presence"
    __table_args__ = (UniqueConstraint("declaration_id", "account_id"),)

    id: Mapped[pk]
    declaration_id: Mapped[int] = mapped_column(ForeignKey("declaration.id", ondelete="CASCADE"))
    account_id: Mapped[int] = mapped_column(Integer)
    section: Mapped[str] = mapped_column(String(60))
    path: Mapped[str] = mapped_column(String(200), default="")
    seen_at: Mapped[utc]
