"""Where deeds on declarations are announced to other systems (事件推送), and each announcement."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import JSON, Boolean, CheckConstraint, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import BigId, Model, pk, public_id, utc
from app.models.declaration import Event

DELIVERY_STATES = ("queued", "sent", "failed", "dead")


class Webhook(Model):
    """An address that hears of deeds on declarations inside ``region_code``.

    ``events`` are actions of the workflow table and ``programmes`` keys of the catalogue; an empty list means all.
    ``secret`` is encrypted. After ``failures`` tries in a row that came to nothing the address is left alone until
    ``rests_until``; ``told_at`` is when administrators were told that announcements get lost, until one arrives again.
    """

    __tablename__ = "webhook"

    id: Mapped[pk]
    public_id: Mapped[public_id]
    name: Mapped[str] = mapped_column(String(60))
    url: Mapped[str] = mapped_column(String(500))
    secret: Mapped[str] = mapped_column(String(200))
    events: Mapped[list] = mapped_column(JSON, default=list)
    programmes: Mapped[list] = mapped_column(JSON, default=list)
    region_code: Mapped[str] = mapped_column(String(6))
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    failures: Mapped[int] = mapped_column(Integer, default=0)
    rests_until: Mapped[utc | None]
    told_at: Mapped[utc | None]
    created_at: Mapped[utc]
    created_by: Mapped[int] = mapped_column(Integer)
    version: Mapped[int] = mapped_column(Integer, default=1)

    def rest_left(self, at: datetime) -> timedelta:
        """How long the address is still left alone at ``at`` (aware) because it did not answer lately."""
        return max(timedelta(0), self.rests_until - at) if self.rests_until is not None else timedelta(0)

    def __str__(self) -> str:
        return self.name


class WebhookDelivery(Model):
    """One announcement to one address: written with the deed, sent by the job ``job_id``. ``event`` is None for a trial.

    ``body`` is the text that is signed and sent, frozen as things stood after the deed. ``failed`` is tried again,
    ``dead`` is not.
    """

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        CheckConstraint(f"state in {DELIVERY_STATES}", name="state"),
        UniqueConstraint("webhook_id", "event_id"),
        Index("ix_webhook_delivery_state", "state", "created_at"),
    )

    id: Mapped[pk]
    public_id: Mapped[public_id]
    webhook_id: Mapped[int] = mapped_column(ForeignKey("webhook.id"), index=True)
    event_id: Mapped[int | None] = mapped_column(ForeignKey("event.id"))
    kind: Mapped[str] = mapped_column(String(50))
    body: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10), default="queued")
    tries: Mapped[int] = mapped_column(Integer, default=0)
    status: Mapped[int | None] = mapped_column(Integer)
    error: Mapped[str | None] = mapped_column(String(300))
    answer: Mapped[str | None] = mapped_column(String(500))
    job_id: Mapped[int | None] = mapped_column(BigId)
    created_at: Mapped[utc]
    sent_at: Mapped[utc | None]

    webhook: Mapped[Webhook] = relationship(lazy="joined", innerjoin=True)
    event: Mapped[Event | None] = relationship(lazy="select")
