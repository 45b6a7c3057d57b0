"""Reference data: regions, industries, holidays; and gapless counters."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Boolean, Date, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Model, pk


class Region(Model):
    """An administrative region (GB/T 2260), six digits. ``full_name`` runs from the province down."""

    __tablename__ = "region"

    id: Mapped[pk]
    code: Mapped[str] = mapped_column(String(6), unique=True)
    name: Mapped[str] = mapped_column(String(40))
    full_name: Mapped[str] = mapped_column(String(120))
    level: Mapped[str] = mapped_column(String(10))
    parent_code: Mapped[str | None] = mapped_column(String(6), index=True)
    active: Mapped[bool] = mapped_column(Boolean, default=True)

    def __str__(self) -> str:
        return self.full_name


class Industry(Model):
    """A class of GB/T 4754-2017; ``code`` is the section letter or 2–4 digits."""

    __tablename__ = "industry"

    id: Mapped[pk]
    code: Mapped[str] = mapped_column(String(6), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    full_name: Mapped[str] = mapped_column(String(200))
    level: Mapped[str] = mapped_column(String(10))
    parent_code: Mapped[str | None] = mapped_column(String(6), index=True)
    assessment_category: Mapped[str | None] = mapped_column(String(30))
    size_category: Mapped[str | None] = mapped_column(String(30))
    active: Mapped[bool] = mapped_column(Boolean, default=True)

    def __str__(self) -> str:
        return self.full_name


class Holiday(Model):
    """A day that differs from the packaged calendar: a holiday or a make-up working day."""

    __tablename__ = "holiday"

    id: Mapped[pk]
    day: Mapped[date] = mapped_column(Date, unique=True)
    working: Mapped[bool] = mapped_column(Boolean, default=False)
    name: Mapped[str] = mapped_column(String(40))


class Counter(Model):
    """A gapless number, advanced inside the transaction that uses it."""

    __tablename__ = "counter"

    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    value: Mapped[int] = mapped_column(Integer, default=0)
