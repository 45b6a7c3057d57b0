"""Versions of definitions that have been in force."""

from __future__ import annotations

from sqlalchemy import Boolean, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.definitions import registry
from app.definitions.schema import Definition
from app.models.base import Model, pk, utc

_known: dict[str, Definition] = {}


class Programme(Model):
    """One version of one definition, immutable. ``number`` counts contents; ``content`` is canonical JSON."""

    __tablename__ = "programme"
    __table_args__ = (UniqueConstraint("key", "number"), UniqueConstraint("key", "digest"))

    id: Mapped[pk]
    key: Mapped[str] = mapped_column(String(30), index=True)
    number: Mapped[int] = mapped_column(Integer)
    title: Mapped[str] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(20))
    digest: Mapped[str] = mapped_column(String(64))
    # Deferred: a list of declarations must not read thirty kilobytes of definition with every row.
    content: Mapped[str] = mapped_column(Text, deferred=True)
    current: Mapped[bool] = mapped_column(Boolean, default=True)
    created_at: Mapped[utc]

    @property
    def definition(self) -> Definition:
        """The definition itself: one shared object per content, so that it is read from the database once."""
        if self.digest not in _known:
            _known[self.digest] = registry.from_json(self.content)
        return _known[self.digest]

    def __str__(self) -> str:
        return f"{self.title}（第 {self.number} 版）"
