"""The audit trail: every declaration's events form a chain, and its head is kept outside the database too.

What grids and statistics read must say the same as the record: every projection is counted against its revision.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, inspect, select

from app.definitions import registry
from app.extensions import db
from app.models import Declaration, Event, Revision
from app.models.base import now
from app.models.generated import build_projection
from app.workflow.engine import event_digest

HEADS = "audit-heads.jsonl"
PAGE = 500


def verify(data_dir: Path) -> tuple[int, list[str]]:
    """How many events were read, and a sentence for everything that does not fit."""
    count, problems = _check_events()
    newest: dict[int, _Head] = {}
    for revision in _all(Revision):
        if not _is_whole(revision):
            problems.append(f"revision {revision.id} was changed after it was written")
        if revision.declaration_id not in newest or revision.number > newest[revision.declaration_id].number:
            newest[revision.declaration_id] = _Head(revision.number, _row_counts(revision))
    return count, problems + _compare_projections(newest) + _compare_heads(data_dir)


def _check_events() -> tuple[int, list[str]]:
    problems: list[str] = []
    last: dict[int | None, str | None] = {}
    count = 0
    for event in _all(Event):
        count += 1
        if event.digest != event_digest(event):
            problems.append(f"event {event.id} was changed after it was written")
        if event.declaration_id is not None and event.previous != last.get(event.declaration_id):
            problems.append(f"event {event.id} does not follow the one before it: something was removed or inserted")
        last[event.declaration_id] = event.digest
    return count, problems


def _all(model: Any) -> Iterator[Any]:
    """Every row in order, a page at a time."""
    after = 0
    while True:
        rows = db.session.scalars(select(model).where(model.id > after).order_by(model.id).limit(PAGE)).unique().all()
        yield from rows
        if len(rows) < PAGE:
            return
        after = rows[-1].id
        db.session.expunge_all()


def _is_whole(revision: Revision) -> bool:
    return hashlib.sha256(revision.content.encode()).hexdigest() == revision.digest


@dataclass(frozen=True)
class _Head:
    """The newest revision of a declaration: its number, and how many rows each of its tables has."""

    number: int
    rows: Counter[str]


def _row_counts(revision: Revision) -> Counter[str]:
    counts: Counter[str] = Counter()

    def add(tables: Any) -> None:
        for key, rows in tables.items() if isinstance(tables, dict) else ():
            counts[key] += len(rows)
            for row in rows:
                add(row.get("tables"))

    try:
        add(json.loads(revision.content).get("tables"))
    except (ValueError, AttributeError):
        # It was tampered with, which its digest has told already.
        counts["unreadable"] += 1
    return counts


def _compare_projections(newest: Mapping[int, _Head]) -> list[str]:
    """Every declaration has one typed row of its newest revision, and as many rows of each table as that has."""
    problems = []
    owners: dict[int, str] = dict(db.session.execute(select(Declaration.id, Declaration.programme_key)).all())
    present = set(inspect(db.session.connection()).get_table_names())
    for definition in registry.catalogue():
        projection = build_projection(definition)
        lacking = [m.__tablename__ for m in projection.all() if m.__tablename__ not in present]
        if lacking:
            problems.append(f"{', '.join(lacking)} missing: run flask definitions sync")
            continue
        expected = {d: head for d, head in newest.items() if owners.get(d) == definition.key}
        problems += _compare_main(projection.main, expected)
        for key, model in projection.tables.items():
            problems += _compare_table(model, {d: head.rows[key] for d, head in expected.items()})
    return problems


def _compare_main(model: Any, expected: Mapping[int, _Head]) -> list[str]:
    shown: dict[int, int] = dict(db.session.execute(select(model.declaration_id, model.revision_no)).all())
    wanted = {found: head.number for found, head in expected.items()}
    return [
        _differs(model, found, f"shows revision {shown.get(found)}", wanted.get(found))
        for found in sorted(shown.keys() | wanted.keys())
        if shown.get(found) != wanted.get(found)
    ]


def _compare_table(model: Any, expected: Mapping[int, int]) -> list[str]:
    statement = select(model.declaration_id, func.count()).group_by(model.declaration_id)
    shown: dict[int, int] = dict(db.session.execute(statement).all())
    return [
        _differs(model, found, f"has {shown.get(found, 0)} rows", expected.get(found, 0))
        for found in sorted(shown.keys() | expected.keys())
        if shown.get(found, 0) != expected.get(found, 0)
    ]


def _differs(model: Any, declaration: int, shown: str, wanted: object) -> str:
    record = f"its newest revision has {wanted}"
    return f"{model.__tablename__} {shown} for declaration {declaration}, {record}: run flask definitions rebuild"


def write_head(data_dir: Path) -> None:
    """Append the newest event's digest and the number of events to a file beside the database, if there is news."""
    newest = db.session.scalars(select(Event).order_by(Event.id.desc()).limit(1)).first()
    if newest is None:
        return
    count = db.session.scalar(select(func.count()).select_from(Event).where(Event.id <= newest.id))
    path = data_dir / HEADS
    heads = _heads(path)
    if heads and heads[-1]["event"] == newest.id:
        return
    line = {"at": now().isoformat(), "event": newest.id, "digest": newest.digest, "count": count}
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def _heads(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def _compare_heads(data_dir: Path) -> list[str]:
    problems = []
    for head in _heads(data_dir / HEADS):
        event = db.session.get(Event, head["event"])
        count = db.session.scalar(select(func.count()).select_from(Event).where(Event.id <= head["event"]))
        if event is None or event.digest != head["digest"]:
            problems.append(f"event {head['event']} is not the one that was noted at {head['at']}")
        elif count != head["count"]:
            problems.append(f"there were {head['count']} events at {head['at']}, now there are {count}")
    return problems
