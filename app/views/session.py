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
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.datastructures import CallbackDict

from app.extensions import db
from app.models import Account, LoginSession
from app.models.base import now
from app.services.unit_of_work import unit_of_work

TOUCH = timedelta(minutes=1)
WITHOUT_SESSION = ("/static/", "/api/")
"""Addresses that look at no cookie and set none: files, and other systems, which show a key."""
VOLATILE = {"page_history"}
"""Keys that Flask-AppBuilder rewrites on each list page; they are not worth a write."""

_serializer = TaggedJSONSerializer()


class StoredSession(CallbackDict, SessionMixin):
    """The session's data with the row it came from. ``sid`` is the cookie's value.

    ``failure`` is why it could not be read: the request must not go on then.
    """

    failure: Exception | None = None

    def __init__(
        self, data: dict[str, Any] | None = None, sid: str | None = None, row: LoginSession | None = None
    ) -> None:
        def changed(_: Any) -> None:
            self.modified = True

        super().__init__(data or {}, changed)
        self.sid, self.row, self.new, self.modified = sid, row, row is None, False
        self.rotated = False
        self.loaded = _persistent(data or {})

    @property
    def stored_digest(self) -> str | None:
        """Digest under which it is stored, None while it is not."""
        return digest_of(self.sid) if self.sid and self.row is not None else None

    @property
    def account_id(self) -> int | None:
        """Whose session it is, None before the sign-in."""
        user_id = self.get("_user_id")
        return int(user_id) if user_id else None

    def is_worth_writing(self, data: str) -> bool:
        """Whether ``data`` or the time of the last visit is news.

        An empty session that was never stored is none, nor is what stands in for one that could not be read.
        """
        if self.failure is not None or (self.row is None and data == EMPTY):
            return False
        is_stale = self.row is not None and now() - self.row.last_seen_at > TOUCH
        return self.rotated or is_stale or data != self.loaded

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


EMPTY = _persistent({})
"""What a session without anything in it comes to."""


class DatabaseSessions(SessionInterface):
    """Reads a session with one statement; writes when its data changed, else at most once a minute."""

    def open_session(self, app: Flask, request: Request) -> StoredSession:
        """The stored session of the cookie, or a new empty one."""
        sid = request.cookies.get(self.get_cookie_name(app))
        if not sid or request.path.startswith(WITHOUT_SESSION):
            return StoredSession()
        try:
            return self._stored(app, sid)
        except (OperationalError, PoolTimeout) as error:
            # Raised where errors become pages. Going on without it, who is signed in would be sent to the sign-in page.
            unread = StoredSession()
            unread.failure = error
            return unread

    def _stored(self, app: Flask, sid: str) -> StoredSession:
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
        if request.path.startswith(WITHOUT_SESSION):
            return
        data = _persistent(dict(session))
        if not session.is_worth_writing(data):
            return
        old = session.stored_digest
        if data == EMPTY:
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
            row.account_id, row.data, row.last_seen_at = session.account_id, data, now()
            row.address, row.agent = request.remote_addr, (request.user_agent.string or "")[:200]
