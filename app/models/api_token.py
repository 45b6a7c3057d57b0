"""Keys with which other systems read through the interface (接口)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.account import Account
from app.models.base import Model, pk, public_id, utc


class ApiToken(Model):
    """A key that acts as ``account``: its roles and region decide what is read. Only the SHA-256 of the key is stored.

    ``resources`` are names of grids; empty means all that the account may list. ``prefix`` is for people to
    recognise a key by. ``window_used`` requests were let through, or promised to a process, in the minute ``window_at``.
    """

    __tablename__ = "api_token"

    id: Mapped[pk]
    public_id: Mapped[public_id]
    name: Mapped[str] = mapped_column(String(60))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    prefix: Mapped[str] = mapped_column(String(6))
    account_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id"), index=True)
    resources: Mapped[list] = mapped_column(JSON, default=list)
    created_at: Mapped[utc]
    created_by: Mapped[int] = mapped_column(Integer)
    expires_at: Mapped[utc]
    last_used_at: Mapped[utc | None]
    revoked_at: Mapped[utc | None]
    window_at: Mapped[utc | None]
    window_used: Mapped[int] = mapped_column(Integer, default=0)

    account: Mapped[Account] = relationship(lazy="joined")

    def is_usable(self, at: datetime) -> bool:
        """Whether the key opens anything at ``at``: neither revoked nor run out, and its account still works."""
        return self.revoked_at is None and at < self.expires_at and bool(self.account.active)
