"""Files: content by digest, and what each file is for. Print records and stamped scans."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Model, pk, public_id, utc
from app.models.declaration import Declaration


class Blob(Model):
    """Content in the file store, by SHA-256."""

    __tablename__ = "blob"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[utc]


class Attachment(Model):
    """A file of a declaration under the definition's attachment ``key``. A replaced file keeps its row."""

    __tablename__ = "attachment"
    __table_args__ = (Index("ix_attachment_declaration", "declaration_id", "key"),)

    id: Mapped[pk]
    public_id: Mapped[public_id]
    declaration_id: Mapped[int] = mapped_column(ForeignKey("declaration.id"))
    key: Mapped[str] = mapped_column(String(40))
    sha256: Mapped[str] = mapped_column(ForeignKey("blob.sha256"))
    filename: Mapped[str] = mapped_column(String(200))
    content_type: Mapped[str] = mapped_column(String(80))
    size: Mapped[int] = mapped_column(BigInteger)
    pages: Mapped[int | None] = mapped_column(Integer)
    uploaded_by: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[utc]
    removed_at: Mapped[utc | None]

    declaration: Mapped[Declaration] = relationship(lazy="joined")


class PrintRecord(Model):
    """What a printed code stands for: which revision of which declaration, printed when."""

    __tablename__ = "print_record"

    id: Mapped[pk]
    code: Mapped[str] = mapped_column(String(12), unique=True)
    declaration_id: Mapped[int] = mapped_column(ForeignKey("declaration.id"), index=True)
    revision_no: Mapped[int] = mapped_column(Integer)
    document: Mapped[str] = mapped_column(String(40))
    digest: Mapped[str] = mapped_column(String(64))
    pages: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[utc]

    declaration: Mapped[Declaration] = relationship(lazy="joined")


class StampedScan(Model):
    """What was found on a stamped scan. ``state``: pending, done or failed (looked at by a person then)."""

    __tablename__ = "stamped_scan"
    __table_args__ = (CheckConstraint("state in ('pending','done','failed')", name="state"),)

    id: Mapped[pk]
    attachment_id: Mapped[int] = mapped_column(ForeignKey("attachment.id"), unique=True)
    declaration_id: Mapped[int] = mapped_column(ForeignKey("declaration.id"), index=True)
    state: Mapped[str] = mapped_column(String(10), default="pending")
    matched: Mapped[str | None] = mapped_column(String(20))
    seal: Mapped[str | None] = mapped_column(String(12))
    findings: Mapped[dict] = mapped_column(JSON, default=dict)
    checked_at: Mapped[utc | None]

    attachment: Mapped[Attachment] = relationship(lazy="joined")
