"""Funds that were allocated to a declaration (下达资金)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, Date, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.fields.sqltypes import ExactDecimal
from app.models.base import Model, pk, public_id, utc
from app.models.declaration import Declaration


class Allocation(Model):
    """One allocation: ``amount`` in yuan, with the document that orders it. Written once by the fund step."""

    __tablename__ = "allocation"
    __table_args__ = (CheckConstraint("amount >= 0", name="amount"),)

    id: Mapped[pk]
    public_id: Mapped[public_id]
    declaration_id: Mapped[int] = mapped_column(ForeignKey("declaration.id"), unique=True)
    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"), index=True)
    amount: Mapped[Decimal] = mapped_column(ExactDecimal(18, 2))
    doc_no: Mapped[str] = mapped_column(String(60))
    dated: Mapped[date] = mapped_column(Date)
    created_by: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[utc]

    declaration: Mapped[Declaration] = relationship(lazy="joined")
