"""Accounts (Flask-AppBuilder's user with what this product needs) and their server-side sessions."""

from __future__ import annotations

from flask_appbuilder.security.sqla.models import User
from sqlalchemy import JSON, Boolean, ForeignKey, Index, Integer, String, Text, func
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Model, pk, utc
from app.models.enterprise import Enterprise


class Account(User):
    """A person who signs in. ``user_type``: enterprise, individual or staff. Staff are scoped by ``region_code``.

    ``enterprise_role`` is owner or member. ``member_rights`` holds what a member may do: ``{"*": right}`` for everything
    of the enterprise, else declaration id (as text) → right, and nothing beyond these.
    身份证号 is stored encrypted with a keyed index for login.
    """

    __tablename__ = "ab_user"

    user_type: Mapped[str] = mapped_column(String(12), default="staff", server_default="staff")
    phone: Mapped[str | None] = mapped_column(String(11), unique=True)
    display_name: Mapped[str | None] = mapped_column(String(40))
    department: Mapped[str | None] = mapped_column(String(60))
    region_code: Mapped[str | None] = mapped_column(String(6))
    enterprise_id: Mapped[int | None] = mapped_column(ForeignKey("enterprise.id"), index=True)
    enterprise_role: Mapped[str | None] = mapped_column(String(10))
    member_rights: Mapped[dict | None] = mapped_column(JSON)
    id_number_cipher: Mapped[str | None] = mapped_column(Text)
    id_number_index: Mapped[str | None] = mapped_column(String(64), unique=True)
    must_change_password: Mapped[bool | None] = mapped_column(Boolean, default=False)
    password_changed_at: Mapped[utc | None]
    agreed_at: Mapped[utc | None]

    enterprise: Mapped[Enterprise | None] = relationship(lazy="joined", foreign_keys=[enterprise_id])

    def get_full_name(self) -> str:
        """Name shown in pages and grids."""
        return self.display_name or self.username

    @property
    def role_names(self) -> frozenset[str]:
        """Names of the roles held."""
        return frozenset(r.name for r in self.roles)

    def __repr__(self) -> str:
        return self.get_full_name()


# People sign in whatever case they type their name in: one look-up, and no two names that differ by case only.
Index("uq_ab_user_username_lower", func.lower(Account.__table__.c.username), unique=True)


class LoginSession(Model):
    """A server-side session. The cookie holds a random id; only its SHA-256 is stored. ``data`` is JSON."""

    __tablename__ = "login_session"
    __table_args__ = (Index("ix_login_session_seen", "last_seen_at"),)

    id: Mapped[pk]
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    account_id: Mapped[int | None] = mapped_column(Integer, index=True)
    data: Mapped[str] = mapped_column(Text, default="{}")
    created_at: Mapped[utc]
    last_seen_at: Mapped[utc]
    address: Mapped[str | None] = mapped_column(String(45))
    agent: Mapped[str | None] = mapped_column(String(200))
