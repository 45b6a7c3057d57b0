"""Reference data that every installation has: roles, regions, industries, holidays, and the standing batches.

Additive and repeatable: what an administrator changed or added stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml
from flask_appbuilder.security.sqla.models import Role
from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app import definitions
from app.definitions import registry
from app.models import Batch, Holiday, Industry, Region
from app.models.base import Model, now
from app.permissions import roles
from app.services.reference import lookups
from app.services.unit_of_work import unit_of_work

REFERENCE = Path(definitions.__file__).parent / "reference"
PUBLIC_ROLE = "Public"

Echo = Callable[[str], None]


def _quiet(_text: str) -> None:
    """Say nothing."""


def seed_reference(city_code: str, echo: Echo = _quiet) -> None:
    """Add the reference rows that are missing, and a standing batch for each kind without a window."""
    with unit_of_work() as session:
        for label, count in (
            ("roles", _add(session, Role.name, role_rows())),
            ("regions", _add(session, Region.code, region_rows())),
            ("industries", _add(session, Industry.code, industry_rows())),
            ("holidays", _add(session, Holiday.day, holiday_rows())),
            ("standing batches", _add_standing_batches(session, city_code)),
        ):
            if count:
                echo(f"{label}: {count} added")
    lookups.forget()


def _add(session: Session, key: InstrumentedAttribute[Any], rows: Iterable[Model]) -> int:
    """Add the ``rows`` whose ``key`` is not stored yet; returns how many."""
    present = set(session.scalars(select(key)))
    missing = [row for row in rows if getattr(row, key.key) not in present]
    session.add_all(missing)
    session.flush()
    return len(missing)


def _read(name: str) -> dict[str, Any]:
    return yaml.load((REFERENCE / name).read_text("utf-8"), Loader=yaml.CSafeLoader)


def role_rows() -> Iterator[Role]:
    """Every role, and the one of people who have not signed in."""
    for name in (PUBLIC_ROLE, *roles.ALL):
        yield Role(name=name)


def region_rows() -> Iterator[Region]:
    """Provinces, the cities served and their counties, with full names from the province down."""
    names: dict[str, str] = {}
    for entry in _read("regions.yaml")["regions"]:
        above = names.get(entry["parent"] or "")
        names[entry["code"]] = full = f"{above} / {entry['name']}" if above else entry["name"]
        yield Region(
            code=entry["code"],
            name=entry["name"],
            full_name=full,
            level=entry["level"],
            parent_code=entry["parent"],
            active=True,
        )


def industry_rows() -> Iterator[Industry]:
    """Sections and divisions of GB/T 4754-2017."""
    data = _read("industries.yaml")
    sections = {entry["code"]: entry["name"] for entry in data["sections"]}
    for code, name in sections.items():
        yield Industry(code=code, name=name, full_name=name, level="section", active=True)
    for entry in data["divisions"]:
        yield Industry(
            code=entry["code"],
            name=entry["name"],
            full_name=f"{sections[entry['section']]} / {entry['name']}",
            level="division",
            parent_code=entry["section"],
            assessment_category=entry.get("assessment_category"),
            size_category=entry.get("size_category"),
            active=True,
        )


def holiday_rows() -> Iterator[Holiday]:
    """Published holidays and make-up working days."""
    for year in _read("holidays.yaml")["years"]:
        for entry in year["holidays"]:
            for day in _days(entry["from"], entry["to"]):
                yield Holiday(day=day, working=False, name=entry["name"])
        for entry in year["workdays"]:
            yield Holiday(day=entry["date"], working=True, name=entry["name"])


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += timedelta(days=1)


def _add_standing_batches(session: Session, city_code: str) -> int:
    """Kinds that are open at all times (certification, changes) have one batch without a window."""
    present = set(session.scalars(select(Batch.programme_key)))
    count = 0
    for definition in registry.catalogue():
        if definition.kind in ("certification", "change", "update", "account_change") and definition.key not in present:
            session.add(
                Batch(
                    programme_key=definition.key,
                    title=definition.title,
                    year=now().year,
                    region_code=city_code,
                    published=True,
                    parameters={},
                    created_at=now(),
                )
            )
            count += 1
    return count
