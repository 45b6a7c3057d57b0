"""Keys for other systems: made and revoked by administrators, recognised at each request, limited per minute.

A key acts as one account: roles, region and state of that account are asked anew at each request.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.errors import InvalidInput, NotFound, Refused
from app.extensions import db
from app.models import Account, ApiToken
from app.models.base import now
from app.permissions import roles
from app.services.challenge import Visitor
from app.services.confirmation import confirm_password
from app.services.identity import account_by_username
from app.services.permission import doors_of
from app.services.throttle import lock
from app.services.unit_of_work import unit_of_work
from app.workflow import engine
from app.workflow.calendar import end_of, local_date

LONGEST = timedelta(days=365)
NAME_LENGTH, PREFIX_LENGTH = 60, 6
MINUTE = timedelta(minutes=1)
READING = ("list", "show")
"""What an account must be able to do with a grid to read it here: all of its columns are shown."""


@dataclass(frozen=True)
class Wanted:
    """What an administrator asks for. ``resources``: names of grids, none for all that the account may read."""

    name: str
    username: str
    last_day: date | None
    resources: tuple[str, ...] = ()


def digest_of(key: str) -> str:
    """What is stored of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


def readable(account: Account, token: ApiToken | None = None) -> set[str]:
    """Names of the grids that ``account`` may read here, with ``token`` only those it was made for."""
    doors = doors_of(account, *READING)
    return doors & set(token.resources) if token is not None and token.resources else doors


def tokens_of(user: Account) -> list[ApiToken]:
    """Every key, newest first. Refused for anybody but administrators."""
    _require_administrator(user)
    return list(db.session.scalars(select(ApiToken).order_by(ApiToken.id.desc())).unique())


def _require_administrator(user: Account) -> None:
    if roles.ADMIN not in user.role_names:
        raise Refused(_("只有平台管理员能管理接口令牌。"))


# -- making and revoking --------------------------------------------------------------------------------------------


def create_token(user: Account, visitor: Visitor, wanted: Wanted, password: str) -> tuple[ApiToken, str]:
    """A new key: its record, and the key itself, which is nowhere else and cannot be shown again.

    Refused for anybody but administrators; InvalidInput (fields ``name``, ``account``, ``resources``, ``last_day``,
    ``password``); TooMany after many wrong passwords.
    """
    _require_administrator(user)
    account = _checked(wanted)
    assert wanted.last_day is not None  # looked at above
    confirm_password(user, visitor, password)
    key = secrets.token_urlsafe(32)
    with unit_of_work() as session:
        token = ApiToken(
            name=wanted.name, digest=digest_of(key), prefix=key[:PREFIX_LENGTH], account_id=account.id,
            resources=sorted(wanted.resources), created_at=now(), created_by=user.id, expires_at=end_of(wanted.last_day),
        )  # fmt: skip
        session.add(token)
        session.flush()
        _note(session, user, visitor, token, "api_token_add", "新建接口令牌", {
            "名称": token.name, "开头": token.prefix, "账号": account.username, "用到": wanted.last_day.isoformat(),
            "能读的表": list(token.resources) or "这个账号能看的全部",
        })  # fmt: skip
        identity = token.id
    return db.session.get_one(ApiToken, identity), key


def _checked(wanted: Wanted) -> Account:
    """The account of a sound request. InvalidInput with a sentence for each field that is not."""
    account = account_by_username(wanted.username) if wanted.username else None
    problems = {"name": _name_problem(wanted.name), "last_day": _day_problem(wanted.last_day)}
    problems["account"], problems["resources"] = _account_problem(account), None
    if account is not None and problems["account"] is None:
        problems["resources"] = _resources_problem(account, wanted.resources)
    found = {name: sentence for name, sentence in problems.items() if sentence is not None}
    if account is None or found:
        raise InvalidInput(next(iter(found.values())), fields=found)
    return account


def _name_problem(name: str) -> str | None:
    if not name:
        return _("请写这个令牌给哪个系统用。")
    if len(name) > NAME_LENGTH:
        return _("名称最多 %(most)s 个字，现在是 %(n)s 个，请改短。", most=NAME_LENGTH, n=len(name))
    return None


def _day_problem(day: date | None) -> str | None:
    today = local_date(now())
    latest = today + LONGEST
    if day is None or not today <= day <= latest:
        return _("请选今天到 %(latest)s 之间的一天，最长一年。", latest=latest.isoformat())
    return None


def _account_problem(account: Account | None) -> str | None:
    if account is None:
        return _("没有这个用户名。请核对，或先建好账号。")
    if not account.active:
        return _("这个账号已停用，请换一个。")
    if not readable(account):
        return _("这个账号没有能读的表，令牌会没有用处。请换工作人员的账号。")
    return None


def _resources_problem(account: Account, resources: Collection[str]) -> str | None:
    beyond = sorted(set(resources) - readable(account))
    return _("这个账号不能读：%(names)s。请去掉。", names="、".join(beyond)) if beyond else None


def revoke_token(user: Account, visitor: Visitor, public_id: str) -> ApiToken:
    """End a key at once; again changes nothing. Refused, NotFound."""
    _require_administrator(user)
    with unit_of_work() as session:
        lock(session, f"api-token:{public_id}")
        token = session.scalars(select(ApiToken).where(ApiToken.public_id == public_id)).unique().first()
        if token is None:
            raise NotFound(_("没有找到这个令牌。请回到接口令牌的列表。"))
        if token.revoked_at is None:
            token.revoked_at = now()
            _note(
                session,
                user,
                visitor,
                token,
                "api_token_revoke",
                "停用接口令牌",
                {"名称": token.name, "开头": token.prefix},
            )
        identity = token.id
    return db.session.get_one(ApiToken, identity)


def _note(
    session: Session, user: Account, visitor: Visitor, token: ApiToken, action: str, label: str, data: dict[str, object]
) -> None:
    engine.record(session, None, user, action=action, label=label, subject=f"api_token:{token.public_id}", data=data,
                  address=visitor.address)  # fmt: skip


# -- at each request ------------------------------------------------------------------------------------------------


def token_of(key: str) -> ApiToken | None:
    """The usable record of ``key``; None for one that is unknown, revoked, run out, or whose account was closed."""
    token = db.session.scalars(select(ApiToken).where(ApiToken.digest == digest_of(key))).unique().first()
    return token if token is not None and token.is_usable(now()) else None


LEASE = 20
"""Requests that a process may let through before it asks the database again."""


@dataclass
class _Lease:
    """What one process may still let through of a key in the minute ``window``."""

    window: datetime
    left: int = 0


_leases: dict[str, _Lease] = {}
_lock = threading.Lock()


def seconds_to_wait(token: ApiToken, per_minute: int) -> int:
    """0 if the key may be used now, and counts that; else seconds until the next minute.

    All processes together never let through more than ``per_minute``: each takes a few requests at a time from the
    count in the database, so that reading costs one write for ``LEASE`` requests.
    """
    at = now()
    window = at.replace(second=0, microsecond=0)
    if not _take(token.digest, window):
        _add(token.digest, window, _draw(token.id, window, at, per_minute))
        if not _take(token.digest, window):
            return max(1, int((window + MINUTE - at).total_seconds()))
    return 0


def _take(digest: str, window: datetime) -> bool:
    with _lock:
        lease = _leases.get(digest)
        if lease is None or lease.window != window or lease.left < 1:
            return False
        lease.left -= 1
        return True


def _add(digest: str, window: datetime, granted: int) -> None:
    with _lock:
        for old in [d for d, lease in _leases.items() if lease.window != window]:
            del _leases[old]
        _leases.setdefault(digest, _Lease(window)).left += granted


def _draw(token_id: int, window: datetime, at: datetime, per_minute: int) -> int:
    """Take up to ``LEASE`` requests of this minute; 0 if there are none. Also notes that the key is in use."""
    with unit_of_work() as session:
        lock(session, f"api-window:{token_id}")
        columns = (ApiToken.window_at, ApiToken.window_used, ApiToken.last_used_at)
        counted, used, seen = session.execute(select(*columns).where(ApiToken.id == token_id)).one()
        used = used if counted == window else 0
        granted = min(LEASE, per_minute - used)
        values: dict[str, object] = {"window_at": window, "window_used": used + granted}
        if seen is None or at - seen >= MINUTE:
            values["last_used_at"] = at
        if granted > 0:
            session.execute(update(ApiToken).where(ApiToken.id == token_id).values(values))
    return max(0, granted)
