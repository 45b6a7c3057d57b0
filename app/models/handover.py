"""行文推荐: what a district hands over to the city in one sealed letter."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, Date, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Model, pk, public_id, utc
from app.models.batch import Batch
from app.models.declaration import Declaration


class Handover(Model):
    """One letter with its list. ``digest`` freezes both when it is sent: SHA-256 over canonical JSON."""

    __tablename__ = "handover"
    __table_args__ = (CheckConstraint("state in ('open','sent')", name="state"),)

    id: Mapped[pk]
    public_id: Mapped[public_id]
    batch_id: Mapped[int] = mapped_column(ForeignKey("batch.id"), index=True)
    step_key: Mapped[str] = mapped_column(String(40))
    region_code: Mapped[str] = mapped_column(String(6), index=True)
    state: Mapped[str] = mapped_column(String(10), default="open")
    doc_no: Mapped[str | None] = mapped_column(String(60))
    dated: Mapped[date | None] = mapped_column(Date)
    letter_sha256: Mapped[str | None] = mapped_column(ForeignKey("blob.sha256"))
    letter_name: Mapped[str | None] = mapped_column(String(200))
    digest: Mapped[str | None] = mapped_column(String(64))
    created_by: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[utc]
    sent_by: Mapped[int | None] = mapped_column(Integer)
    sent_at: Mapped[utc | None]
    version: Mapped[int] = mapped_column(Integer, default=1)

    batch: Mapped[Batch] = relationship(lazy="joined")

    def __str__(self) -> str:
        return self.doc_no or "（还没有文号）"


class HandoverEntry(Model):
    """One declaration of a hand-over, with what it was called when it was gathered."""

    __tablename__ = "handover_entry"
    __table_args__ = (UniqueConstraint("handover_id", "declaration_id"),)

    id: Mapped[pk]
    handover_id: Mapped[int] = mapped_column(ForeignKey("handover.id"), index=True)
    declaration_id: Mapped[int] = mapped_column(ForeignKey("declaration.id"), index=True)
    position: Mapped[int] = mapped_column(Integer)
    enterprise_name: Mapped[str] = mapped_column(String(100))
    serial_no: Mapped[str] = mapped_column(String(30))

    handover: Mapped[Handover] = relationship(lazy="joined")
    declaration: Mapped[Declaration] = relationship(lazy="joined")
