"""Objections raised while a list is publicised (公示)."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, Date, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Model, pk, public_id, utc
from app.models.declaration import Declaration
from app.models.notice import PublicList

OBJECTION_STATES = ("open", "dismissed", "upheld", "moot")
"""``moot``: another objection against the same declaration was upheld."""


class Objection(Model):
    """An objection in somebody's real name, registered by the office. ``evidence_*`` is a file or nothing.

    Personal: name and contact are for the office in charge only, never for the enterprise or the portal.
    """

    __tablename__ = "objection"
    __table_args__ = (CheckConstraint(f"state in {OBJECTION_STATES}", name="state"),)

    id: Mapped[pk]
    public_id: Mapped[public_id]
    declaration_id: Mapped[int] = mapped_column(ForeignKey("declaration.id"), index=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("public_list.id"), index=True)
    objector: Mapped[str] = mapped_column(String(60))
    contact: Mapped[str] = mapped_column(String(100))
    unit: Mapped[str] = mapped_column(String(100))
    content: Mapped[str] = mapped_column(Text)
    evidence_sha256: Mapped[str | None] = mapped_column(ForeignKey("blob.sha256"))
    evidence_name: Mapped[str | None] = mapped_column(String(200))
    received_on: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String(10), default="open")
    conclusion: Mapped[str | None] = mapped_column(Text)
    concluded_at: Mapped[utc | None]
    concluded_by: Mapped[int | None] = mapped_column(Integer)
    registered_by: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[utc]

    declaration: Mapped[Declaration] = relationship(lazy="joined")
    public_list: Mapped[PublicList] = relationship(lazy="joined")
