"""Server-side sessions: a random id in the cookie, its digest in the database, revocable by row."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from flask import Flask, Request, Response, request
from flask.json.tag import TaggedJSONSerializer
from flask.sessions import SessionInterface, SessionMixin
from sqlalchemy import delete, select
from werkzeug.datastructures import CallbackDict

from app.extensions import db
from app.models import Account, LoginSession
from app.models.base import now
from app.services.unit_of_work import unit_of_work

TOUCH = timedelta(minutes=1)
VOLATILE = {"page_history"}
"""Keys that Flask-AppBuilder rewrites on each list page; they are not worth a write."""

_serializer = TaggedJSONSerializer()


class StoredSession(CallbackDict, SessionMixin):
    """The session's data with the row it came from. ``sid`` is the cookie's value."""

    def __init__(
        self, data: dict[str, Any] | None = None, sid: str | None = None, row: LoginSession | None = None
    ) -> None:
        def changed(_: Any) -> None:
            self.modified = True

        super().__init__(data or {}, changed)
        self.sid, self.row, self.new, self.modified = sid, row, row is None, False
        self.rotated = False
        self.loaded = _persistent(data or {})

    def rotate(self) -> None:
        """Get a new id at the end of this request; the old one ends. At sign-in, and whenever rights change."""
        self.rotated = self.modified = True

    def ensure_id(self) -> str:
        """Digest that binds a challenge or code to this session, also before the first response."""
        if self.sid is None:
            self.sid = secrets.token_urlsafe(32)
        self.modified = True
        self.setdefault("_bound", 1)
        return digest_of(self.sid)


def digest_of(sid: str) -> str:
    """What the database stores of a session id."""
    return hashlib.sha256(sid.encode()).hexdigest()


def _persistent(data: dict[str, Any]) -> str:
    return _serializer.dumps({k: v for k, v in data.items() if k not in VOLATILE})


class DatabaseSessions(SessionInterface):
    """Reads a session with one statement; writes when its data changed, else at most once a minute."""

    def open_session(self, app: Flask, request: Request) -> StoredSession:
        """The stored session of the cookie, or a new empty one."""
        sid = request.cookies.get(self.get_cookie_name(app))
        if not sid or request.path.startswith("/static/"):
            return StoredSession()
        row = db.session.scalars(select(LoginSession).where(LoginSession.digest == digest_of(sid))).first()
        if row is None or self._expired(app, row):
            return StoredSession()
        return StoredSession(_serializer.loads(row.data), sid, row)

    @staticmethod
    def _expired(app: Flask, row: LoginSession) -> bool:
        age, idle = now() - row.created_at, now() - row.last_seen_at
        if idle > app.config["SESSION_IDLE"]:
            return True
        if row.account_id is None or age <= app.config["SESSION_ABSOLUTE"]:
            return False
        account = db.session.get(Account, row.account_id)
        return account is None or account.user_type == "staff"

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Write what changed and set the cookie; remove both when the session was emptied."""
        assert isinstance(session, StoredSession)
        data = _persistent(dict(session))
        if session.row is None and data == _persistent({}):
            return
        touch = session.row is not None and now() - session.row.last_seen_at > TOUCH
        if not session.rotated and data == session.loaded and not touch:
            return
        old = digest_of(session.sid) if session.sid and session.row is not None else None
        if data == _persistent({}):
            with unit_of_work() as work:
                work.execute(delete(LoginSession).where(LoginSession.digest == old))
            response.delete_cookie(
                self.get_cookie_name(app), path="/", secure=self.get_cookie_secure(app), httponly=True
            )
            return
        if session.sid is None or session.rotated:
            session.sid = secrets.token_urlsafe(32)
        self._write(session, old, data)
        response.set_cookie(
            self.get_cookie_name(app),
            session.sid,
            httponly=True,
            secure=self.get_cookie_secure(app),
            samesite=self.get_cookie_samesite(app),
            path="/",
        )

    @staticmethod
    def _write(session: StoredSession, old: str | None, data: str) -> None:

        account_id = session.get("_user_id")
        with unit_of_work() as work:
            row = work.scalars(select(LoginSession).where(LoginSession.digest == old)).first() if old else None
            if old and row is None:
                # Revoked while this request ran (sign-out elsewhere, password change): it stays ended.
                return
            if row is not None and session.rotated:
                work.delete(row)
                row = None
            if row is None:
                row = LoginSession(created_at=now(), digest=digest_of(session.sid or ""))
                work.add(row)
            row.account_id, row.data, row.last_seen_at = int(account_id) if account_id else None, data, now()
            row.address, row.agent = request.remote_addr, (request.user_agent.string or "")[:200]
