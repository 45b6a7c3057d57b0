"""Server-side sessions as their owner sees them, and how they end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import current_app
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.extensions import db
from app.models import Account, LoginSession
from app.models.base import now
from app.services.unit_of_work import unit_of_work
from app.workflow import engine

KEY_LENGTH = 16


@dataclass(frozen=True)
class OpenSession:
    """One place where somebody is signed in. ``key`` names it in a form."""

    key: str
    browser: str
    address: str
    since: datetime
    seen_at: datetime
    current: bool


def revoke_sessions(session: Session, account_id: int, *, keep: str | None = None) -> None:
    """End all sessions of the account, but for the one with the digest ``keep``, in the caller's transaction.

    To be called whenever what the account may do changes: password, roles, region, deactivation.
    """
    statement = delete(LoginSession).where(LoginSession.account_id == account_id)
    session.execute(statement.where(LoginSession.digest != keep) if keep else statement)


def sessions_of(user: Account, current_digest: str) -> list[OpenSession]:
    """Where ``user`` is signed in now, last used first."""
    alive = now() - current_app.config["SESSION_IDLE"]
    rows = db.session.scalars(
        select(LoginSession)
        .where(LoginSession.account_id == user.id, LoginSession.last_seen_at >= alive)
        .order_by(LoginSession.last_seen_at.desc())
        .limit(50)
    )
    return [
        OpenSession(
            row.digest[:KEY_LENGTH],
            browser_name(row.agent),
            row.address or "",
            row.created_at,
            row.last_seen_at,
            row.digest == current_digest,
        )
        for row in rows
    ]


def end_session(user: Account, key: str, address: str | None) -> bool:
    """End the session of ``user`` that ``key`` names; False if there is none (any more)."""
    with unit_of_work() as session:
        own = session.scalars(select(LoginSession).where(LoginSession.account_id == user.id))
        row = next((r for r in own if r.digest[:KEY_LENGTH] == key), None)
        if row is None:
            return False
        session.delete(row)
        engine.record(session, None, session.get_one(Account, user.id), action="session_ended", label="结束了另一处登录",
                      subject=f"account:{user.id}", address=address)  # fmt: skip
    return True


_BROWSERS = (("MicroMessenger", "微信"), ("Edg", "Edge"), ("360", "360 浏览器"), ("QQBrowser", "QQ 浏览器"),
             ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))  # fmt: skip
_SYSTEMS = (("Windows", "Windows"), ("HarmonyOS", "鸿蒙"), ("Android", "安卓"), ("iPhone", "iPhone"), ("iPad", "iPad"),
            ("Mac OS", "Mac"), ("Linux", "Linux"))  # fmt: skip


def browser_name(agent: str | None) -> str:
    """``Chrome，Windows`` from what a browser says of itself; empty if it says nothing known."""
    found = [next((name for sign, name in table if sign in (agent or "")), None) for table in (_BROWSERS, _SYSTEMS)]
    return "，".join(name for name in found if name)
