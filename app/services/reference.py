"""Reference data for the rooms that need names of codes: regions, industries, holidays. Cached per process."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date

from sqlalchemy import or_, select

from app.extensions import db
from app.models import Holiday, Industry, Region

CACHE_SECONDS = 60
MATCHES = 20


@dataclass(frozen=True)
class Match:
    """One answer of a picker: code and full name."""

    code: str
    name: str


class DatabaseLookups:
    """Names of regions and industries, read once a minute; satisfies ``fields.base.Lookups``."""

    def __init__(self) -> None:
        self._names: dict[str, dict[str, str]] = {}
        self._read_at = 0.0

    def _of(self, kind: str) -> dict[str, str]:
        if time.monotonic() - self._read_at > CACHE_SECONDS or not self._names:
            regions = db.session.execute(select(Region.code, Region.full_name)).all()
            industries = db.session.execute(select(Industry.code, Industry.full_name)).all()
            self._names = {"region": {c: n for c, n in regions}, "industry": {c: n for c, n in industries}}
            self._read_at = time.monotonic()
        return self._names[kind]

    def region(self, code: str) -> str | None:
        """Full name of a region or None."""
        return self._of("region").get(code)

    def industry(self, code: str) -> str | None:
        """Full name of an industry or None."""
        return self._of("industry").get(code)

    def code_of(self, kind: str, name: str) -> str | None:
        """The code of the one ``region`` or ``industry`` with this full or last name, or None if none or several."""
        found = [c for c, full in self._of(kind).items() if name in (full, full.split(" / ")[-1])]
        return found[0] if len(found) == 1 else None

    def forget(self) -> None:
        """Drop the cache (after reference data changed, and between tests)."""
        self._names, self._read_at = {}, 0.0


lookups = DatabaseLookups()


def region_name(code: str | None) -> str:
    """Last part of a region's name (平房区), or an empty text."""
    return (lookups.region(code or "") or "").split(" / ")[-1]


def search_regions(query: str) -> list[Match]:
    """At most 20 active regions whose name or code contains ``query``."""
    text = query.strip().replace("\x00", "")
    statement = (
        select(Region.code, Region.full_name)
        .where(
            Region.active,
            or_(Region.full_name.contains(text, autoescape=True), Region.code.startswith(text, autoescape=True)),
        )
        .order_by(Region.code)
        .limit(MATCHES)
    )
    return [Match(c, n) for c, n in db.session.execute(statement)]


def search_industries(query: str) -> list[Match]:
    """At most 20 active industries whose name or code contains ``query``."""
    text = query.strip().replace("\x00", "")
    statement = (
        select(Industry.code, Industry.full_name)
        .where(
            Industry.active,
            or_(Industry.full_name.contains(text, autoescape=True), Industry.code.startswith(text, autoescape=True)),
        )
        .order_by(Industry.code)
        .limit(MATCHES)
    )
    return [Match(c, n) for c, n in db.session.execute(statement)]


def holidays() -> dict[date, bool]:
    """Days that differ from the packaged calendar: day → worked."""
    return {day: working for day, working in db.session.execute(select(Holiday.day, Holiday.working))}
