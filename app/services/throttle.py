"""How often something may be done. Counted in the database, so that it holds for all processes and after a restart."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import Throttle
from app.models.base import now


@dataclass(frozen=True)
class Limit:
    """At most ``count`` of ``kind`` for ``subject`` within ``window``."""

    kind: str
    subject: str
    count: int
    window: timedelta


def network_of(address: str | None) -> str:
    """Whom an address is counted for: itself, or for IPv6 the /64 that one line usually has.

    An IPv4 address in IPv6 clothes (``::ffff:203.0.113.7``, from a socket for both) is the IPv4 address: all of them
    lie in one /64, and everybody would share one count.
    """
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is None:
            return str(ipaddress.ip_network((parsed, 64), strict=False))
        parsed = parsed.ipv4_mapped
    return str(parsed)


def lock(session: Session, *names: str) -> None:
    """Let only one transaction at a time go on for each name. SQLite lets only one write anyway."""
    if session.get_bind().dialect.name == "postgresql":
        # Sorted: two transactions that want the same names never wait for each other.
        for name in sorted(names):
            session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def seconds_to_wait(session: Session, *limits: Limit) -> int:
    """Seconds until all ``limits`` allow one more; 0 if they do now."""
    at, longest = now(), 0.0
    for limit in limits:
        statement = (
            select(Throttle.at)
            .where(Throttle.kind == limit.kind, Throttle.subject == limit.subject, Throttle.at > at - limit.window)
            .order_by(Throttle.at.desc())
            .offset(limit.count - 1)
            .limit(1)
        )
        reached = session.scalar(statement)
        if reached is not None:
            longest = max(longest, (reached + limit.window - at).total_seconds())
    return ceil(longest)


def hit(session: Session, kind: str, subject: str) -> Throttle:
    """Count one."""
    row = Throttle(kind=kind, subject=subject, at=now())
    session.add(row)
    session.flush()
    return row
