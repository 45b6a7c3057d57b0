"""The made-up programme ``everything``: every field type, rule and kind of row, with no line of code of its own."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from app.definitions import registry
from app.definitions.schema import Definition
from app.extensions import db
from app.models import Account, AnswerRow, Batch, Declaration
from app.services.answers import save_answers
from app.services.declaration import start_declaration
from app.services.permission import sync_permissions
from app.services.projection import sync_definitions
from app.services.samples import fill_declaration
from app.services.unit_of_work import unit_of_work
from tests.factories import attach, find, make_batch

FOLDER = Path(__file__).parent / "data" / "definitions"
KEY = "everything"
GRIDS = tuple(f"form_{KEY}{rest}" for rest in ("", "_devices", "_projects", "_members", "_shareholders"))
DETERMINED = {
    "staff": "40",
    "revenue": "1,250.50",
    "budget": "9000.1250",
    "ownership": "private",
    "has_branch": "no",
    "honours": ["innovative", "srdi"],
    "owner_id": "11010519491231002X",
}


class WithEverything(registry.Catalogue):
    """The product's catalogue and the made-up programme, as if its file stood in the folder."""

    def __init__(self) -> None:
        super().__init__(registry.CATALOGUE)
        self._definitions[KEY] = registry.Catalogue(FOLDER).get(KEY)


@cache
def everything() -> Definition:
    """The definition."""
    return registry.Catalogue(FOLDER).get(KEY)


def install(monkeypatch: pytest.MonkeyPatch) -> Definition:
    """Put the programme into the catalogue and sync, as a start after adding the file would. Needs a context."""
    known = WithEverything()
    monkeypatch.setattr(registry, "catalogue", lambda: known)
    sync_definitions()
    sync_permissions(GRIDS)
    return known.get(KEY)


def everything_batch(**facts: object) -> Batch:
    """An open batch of the programme."""
    return make_batch(KEY, **facts)


def everything_draft(user: Account, batch: Batch, *, seed: int = 1, **answers: object) -> Declaration:
    """A complete draft; ``answers`` replaces fields outside tables."""
    public_id = start_declaration(user, batch.public_id)
    fill_declaration(user, public_id, random.Random(seed))
    save_answers(user, public_id, DETERMINED | answers)
    draft = find(public_id)
    for key in ("audit_report", "customs_papers"):
        attach(draft, key)
    return find(public_id)


def rows_of(declaration: Declaration, table: str) -> list[AnswerRow]:
    """The living working rows of a table, in order."""
    found = [
        r
        for r in db.session.query(AnswerRow).filter_by(declaration_id=declaration.id, table_key=table)
        if not r.removed_at
    ]
    return sorted(found, key=lambda r: (r.position, r.id))


def add_devices(declaration: Declaration, count: int) -> None:
    """``count`` more devices, written at once: what is tested is how many rows the engine carries, not typing them."""
    present = len(rows_of(declaration, "devices"))
    with unit_of_work() as session:
        session.add_all(_device(declaration.id, present + n) for n in range(count))


def _device(declaration_id: int, position: int) -> AnswerRow:
    values = {
        "name": f"数控机床{position}",
        "quantity": "2",
        "unit_price": "0.75",
        "imported": "no",
        "delivered_on": "2026-03-01",
    }
    return AnswerRow(declaration_id=declaration_id, table_key="devices", position=position, values=values)


def walk(content: dict) -> Iterator[tuple[str, str, dict]]:
    """(table key, row id, values) of every row in a revision's content, outer rows first."""
    for key, rows in content["tables"].items():
        for row in rows:
            yield key, row["id"], row["values"]
            yield from walk({"tables": row.get("tables", {})})
