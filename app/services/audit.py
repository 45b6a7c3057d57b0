"""The audit trail: every declaration's events form a chain, and its head is kept outside the database too."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from app.extensions import db
from app.models import Event, Revision
from app.models.base import now
from app.workflow.engine import event_digest

HEADS = "audit-heads.jsonl"
PAGE = 500


def verify(data_dir: Path) -> tuple[int, list[str]]:
    """How many events were read, and a sentence for everything that does not fit."""
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
    problems += [f"revision {r.id} was changed after it was written" for r in _all(Revision) if not _is_whole(r)]
    return count, problems + _compare_heads(data_dir)


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
