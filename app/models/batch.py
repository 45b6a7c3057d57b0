"""A round of a programme: who, when, with which parameters."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Boolean, CheckConstraint, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Model, pk, public_id, utc


class Batch(Model):
    """One round. ``opens_at`` is inclusive, ``closes_at`` exclusive (24:00 of the last day); None is no window."""

    __tablename__ = "batch"
    __table_args__ = (
        CheckConstraint("opens_at is null or closes_at is null or opens_at < closes_at", name="window"),
        Index("ix_batch_programme", "programme_key", "published"),
    )

    id: Mapped[pk]
    public_id: Mapped[public_id]
    programme_key: Mapped[str] = mapped_column(String(30))
    title: Mapped[str] = mapped_column(String(100))
    year: Mapped[int] = mapped_column(Integer)
    region_code: Mapped[str] = mapped_column(String(6))
    opens_at: Mapped[utc | None]
    closes_at: Mapped[utc | None]
    published: Mapped[bool] = mapped_column(Boolean, default=True)
    parameters: Mapped[dict] = mapped_column(JSON, default=dict)
    rubric: Mapped[list | None] = mapped_column(JSON)
    reminders_done: Mapped[dict] = mapped_column(JSON, default=dict)
    created_at: Mapped[utc]
    version: Mapped[int] = mapped_column(Integer, default=1)

    def is_open(self, at: datetime) -> bool:
        """Whether declarations are taken at ``at`` (aware)."""
        return (
            self.published
            and (self.opens_at is None or self.opens_at <= at)
            and (self.closes_at is None or at < self.closes_at)
        )

    def __str__(self) -> str:
        return self.title
