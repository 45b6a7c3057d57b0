"""The enterprise: its certified profile and what it was recognised as."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.fields.sqltypes import ExactDecimal
from app.models.base import Model, pk, public_id, utc

if TYPE_CHECKING:
    from app.models.account import Account


class Enterprise(Model):
    """One legal person. Empty until its certification is approved; the profile is written by that approval."""

    __tablename__ = "enterprise"
    __table_args__ = (
        CheckConstraint("certification_status in ('none','submitted','approved','rejected')", name="certification"),
        Index("ix_enterprise_region_name", "region_code", "name"),
    )

    id: Mapped[pk]
    public_id: Mapped[public_id]
    name: Mapped[str | None] = mapped_column(String(100), index=True)
    credit_code: Mapped[str | None] = mapped_column(String(18), unique=True)
    certification_status: Mapped[str] = mapped_column(String(12), default="none")
    certified_at: Mapped[utc | None]
    region_code: Mapped[str | None] = mapped_column(String(6))
    registered_address: Mapped[str | None] = mapped_column(String(100))
    industry_code: Mapped[str | None] = mapped_column(String(6))
    nature: Mapped[str | None] = mapped_column(String(20))
    registered_capital: Mapped[Decimal | None] = mapped_column(ExactDecimal(18, 2))
    established_on: Mapped[date | None] = mapped_column(Date)
    employees: Mapped[int | None] = mapped_column(Integer)
    legal_representative: Mapped[str | None] = mapped_column(String(40))
    legal_person_id_cipher: Mapped[str | None] = mapped_column(Text)
    contact_name: Mapped[str | None] = mapped_column(String(40))
    contact_phone: Mapped[str | None] = mapped_column(String(20))
    company_profile: Mapped[str | None] = mapped_column(Text)
    revenue_y1: Mapped[Decimal | None] = mapped_column(ExactDecimal(18, 2))
    total_assets_y1: Mapped[Decimal | None] = mapped_column(ExactDecimal(18, 2))
    created_at: Mapped[utc]
    version: Mapped[int] = mapped_column(Integer, default=1)

    people: Mapped[list[Account]] = relationship("Account", viewonly=True, order_by="Account.id")

    def __str__(self) -> str:
        return self.name or "（还没认证的企业）"


RECOGNITION_STATES = ("valid", "under_review", "expired", "revoked")


class Recognition(Model):
    """What an approval gave: a place on a list, a level with validity. Later changes live here, not on the status.

    ``level``: whose office gave it and may change it. ``valid_to`` is its last day. ``review_id``: the declaration by
    which it is renewed now. ``reason`` belongs to the last change; ``banned_until`` is the last day on which the
    enterprise, after a revocation, cannot declare this again.
    """

    __tablename__ = "recognition"
    __table_args__ = (CheckConstraint(f"state in {RECOGNITION_STATES}", name="state"),)

    id: Mapped[pk]
    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"), index=True)
    declaration_id: Mapped[int] = mapped_column(ForeignKey("declaration.id"), unique=True)
    programme_key: Mapped[str] = mapped_column(String(30), index=True)
    title: Mapped[str] = mapped_column(String(100))
    certificate_no: Mapped[str | None] = mapped_column(String(40))
    valid_from: Mapped[date] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String(12), default="valid")
    level: Mapped[str] = mapped_column(String(12), default="city", server_default="city")
    review_id: Mapped[int | None] = mapped_column(ForeignKey("declaration.id"), index=True)
    reason: Mapped[str | None] = mapped_column(Text)
    banned_until: Mapped[date | None] = mapped_column(Date)
    told_on: Mapped[date | None] = mapped_column(Date)
    created_at: Mapped[utc]
    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")

    enterprise: Mapped[Enterprise] = relationship(lazy="joined")
