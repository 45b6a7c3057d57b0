"""Short-lived facts of sign-in: challenges, SMS codes, limits, and the SMS outbox."""

from __future__ import annotations

from sqlalchemy import Boolean, Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Model, pk, utc


class Challenge(Model):
    """A slider puzzle or picture code. The answer never leaves the server; one use, two minutes."""

    __tablename__ = "challenge"

    id: Mapped[pk]
    token: Mapped[str] = mapped_column(String(43), unique=True)
    kind: Mapped[str] = mapped_column(String(10))
    answer: Mapped[str] = mapped_column(String(20))
    session_digest: Mapped[str] = mapped_column(String(64))
    picture: Mapped[bytes] = mapped_column(LargeBinary)
    piece: Mapped[bytes | None] = mapped_column(LargeBinary)
    piece_top: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[utc]
    solved_at: Mapped[utc | None]
    used_at: Mapped[utc | None]
    tries: Mapped[int] = mapped_column(Integer, default=0)


class SmsCode(Model):
    """A code sent by SMS, stored as keyed digest; bound to phone, purpose and session; single use."""

    __tablename__ = "sms_code"
    __table_args__ = (Index("ix_sms_code_lookup", "phone", "purpose"),)

    id: Mapped[pk]
    phone: Mapped[str] = mapped_column(String(11))
    purpose: Mapped[str] = mapped_column(String(20))
    session_digest: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[utc]
    expires_at: Mapped[utc]
    used_at: Mapped[utc | None]
    tries: Mapped[int] = mapped_column(Integer, default=0)


class SmsMessage(Model):
    """The SMS outbox: what was to be sent, and what became of it."""

    __tablename__ = "sms_message"

    id: Mapped[pk]
    phone: Mapped[str] = mapped_column(String(11), index=True)
    text: Mapped[str] = mapped_column(String(500))
    purpose: Mapped[str] = mapped_column(String(20))
    sensitive: Mapped[bool] = mapped_column(Boolean, default=False)
    created_at: Mapped[utc]
    sent_at: Mapped[utc | None]
    error: Mapped[str | None] = mapped_column(String(300))


class Throttle(Model):
    """One counted try. Limits are counted here, in the database, so that they hold for all processes."""

    __tablename__ = "throttle"
    __table_args__ = (Index("ix_throttle_count", "kind", "subject", "at"),)

    id: Mapped[pk]
    kind: Mapped[str] = mapped_column(String(30))
    subject: Mapped[str] = mapped_column(String(100))
    at: Mapped[utc]
