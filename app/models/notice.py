"""What is told: messages to an account, notices on the portal, and published lists."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Boolean, CheckConstraint, Date, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Model, pk, public_id, utc
from app.models.batch import Batch
from app.models.declaration import Declaration

MESSAGE_KINDS = (
    "recognition_expiry",
    "information_update",
    "recognition_notice",
    "recognition_cancelled",
    "declaration_reminder",
)


class Message(Model):
    """A message in 我的消息, of one of the guide's five kinds."""

    __tablename__ = "message"
    __table_args__ = (
        CheckConstraint(f"kind in {MESSAGE_KINDS}", name="kind"),
        Index("ix_message_account", "account_id", "read_at"),
    )

    id: Mapped[pk]
    public_id: Mapped[public_id]
    account_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id"))
    kind: Mapped[str] = mapped_column(String(30))
    title: Mapped[str] = mapped_column(String(100))
    body: Mapped[str] = mapped_column(Text)
    link: Mapped[str | None] = mapped_column(String(200))
    sent_at: Mapped[utc]
    read_at: Mapped[utc | None]


class Notice(Model):
    """A notice on the portal. ``level``: ministry, province, city. Plain paragraphs, no markup."""

    __tablename__ = "notice"
    __table_args__ = (CheckConstraint("level in ('ministry','province','city')", name="level"),)

    id: Mapped[pk]
    public_id: Mapped[public_id]
    title: Mapped[str] = mapped_column(String(200))
    level: Mapped[str] = mapped_column(String(10))
    category: Mapped[str] = mapped_column(String(20), default="通知")
    authority: Mapped[str] = mapped_column(String(100))
    doc_no: Mapped[str | None] = mapped_column(String(60))
    content: Mapped[str] = mapped_column(Text)
    published_at: Mapped[utc]
    visible: Mapped[bool] = mapped_column(Boolean, default=True)


class PublicList(Model):
    """A published list of enterprises, frozen as it was published.

    ``kind`` publicity is a 公示 that takes objections from ``opens_on`` to 24:00 of ``closes_on``; final is the result.
    ``told_at``: when the office was told that the period is over.
    """

    __tablename__ = "public_list"

    id: Mapped[pk]
    public_id: Mapped[public_id]
    batch_id: Mapped[int] = mapped_column(ForeignKey("batch.id"), index=True)
    title: Mapped[str] = mapped_column(String(150))
    body: Mapped[str] = mapped_column(Text, default="")
    authority: Mapped[str] = mapped_column(String(100))
    published_at: Mapped[utc]
    published_by: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(10), default="final", server_default="final")
    opens_on: Mapped[date | None] = mapped_column(Date)
    closes_on: Mapped[date | None] = mapped_column(Date)
    phone: Mapped[str | None] = mapped_column(String(40))
    email: Mapped[str | None] = mapped_column(String(100))
    office: Mapped[str | None] = mapped_column(String(100))
    told_at: Mapped[utc | None]

    batch: Mapped[Batch] = relationship(lazy="joined")

    def __str__(self) -> str:
        return self.title


class PublicListEntry(Model):
    """One enterprise of a published list: only the four published facts."""

    __tablename__ = "public_list_entry"
    __table_args__ = (UniqueConstraint("list_id", "declaration_id"),)

    id: Mapped[pk]
    list_id: Mapped[int] = mapped_column(ForeignKey("public_list.id"), index=True)
    declaration_id: Mapped[int] = mapped_column(ForeignKey("declaration.id"))
    position: Mapped[int] = mapped_column(Integer)
    enterprise_name: Mapped[str] = mapped_column(String(100))
    credit_code: Mapped[str] = mapped_column(String(18))
    region_name: Mapped[str] = mapped_column(String(40))
    industry_name: Mapped[str] = mapped_column(String(200))

    list: Mapped[PublicList] = relationship(lazy="joined")
    declaration: Mapped[Declaration] = relationship(lazy="joined")
