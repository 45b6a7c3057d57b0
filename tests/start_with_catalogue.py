"""One start of the program with a catalogue of its own: ``python -m tests.start_with_catalogue FOLDER before|after``.

Run by the contract test of the engine, in two processes, because table classes are made once per process.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select

from app import create_app
from app.definitions import registry
from app.extensions import db
from app.models import Account, Batch, Declaration, Revision
from app.models.generated import build_projection
from app.permissions import roles
from app.services.answers import save_answers
from app.services.declaration import load, rebase
from app.services.projection import sync_definitions
from tests.factories import find, make_account, make_batch, perform
from tests.factories_everything import KEY, everything_draft, rows_of


def stored(declaration: Declaration, user: Account) -> dict[str, Any]:
    """A submission as it is read today: its text, what is asked and what was answered."""
    opened = load(declaration.public_id, user)
    revision = db.session.scalars(select(Revision).where(Revision.declaration_id == declaration.id)).one()
    verdict = opened.evaluate_revision(revision)
    return {
        "content": revision.content,
        "fields": [f.spec.key for f in verdict.all_fields()],
        "values": {f.path: f.text for f in verdict.all_fields()},
    }


def before() -> dict[str, Any]:
    """The first start: one submission and one draft."""
    sync_definitions()
    batch, owner, other = make_batch(KEY), make_account(roles.ENTERPRISE), make_account(roles.ENTERPRISE)
    sent = perform(owner, everything_draft(owner, batch), "submit")
    everything_draft(other, batch, staff="37")
    return stored(sent, owner)


def after(app: Flask) -> dict[str, Any]:
    """The second start: what was there, a draft that moves to the new version, and a new declaration."""
    said: list[str] = []
    sync_definitions(said.append)
    old, draft = db.session.scalars(select(Declaration).order_by(Declaration.id)).unique().all()
    main = build_projection(registry.catalogue().get(KEY)).main
    projected = db.session.scalar(select(main.website).where(main.declaration_id == old.id))
    owners = {
        d.id: db.session.scalars(select(Account).where(Account.enterprise_id == d.enterprise_id)).one()
        for d in (old, draft)
    }
    result: dict[str, Any] = {"said": said, "old": stored(old, owners[old.id]) | {"projected": projected}}
    grids = {g.name: g for g in app.extensions["grids"]}
    result["columns"] = [
        grids[f"form_{KEY}"].column("website").label, grids[f"form_{KEY}_devices"].column("maker").label
    ]  # fmt: skip
    result["rebased"] = _rebase(draft, owners[draft.id])
    result["new"] = _declare()
    return result


def _rebase(draft: Declaration, user: Account) -> dict[str, Any]:
    def asked() -> set[str]:
        return {f.spec.key for f in load(draft.public_id, user).evaluation.all_fields()}

    known = asked()
    db.session.rollback()
    rebase(user, draft.public_id)
    db.session.rollback()
    kept = load(draft.public_id, user).answers.main["staff"]
    return {"kept": kept, "asks": sorted(asked() - known)}


def _declare() -> dict[str, Any]:
    user = make_account(roles.ENTERPRISE)
    draft = everything_draft(user, db.session.scalars(select(Batch).where(Batch.programme_key == KEY)).one())
    device = rows_of(draft, "devices")[0]
    answers = {"website": "https://beichen.test", f"devices/{device.row_id}/maker": "北方机床厂"}
    db.session.rollback()
    save_answers(user, draft.public_id, answers)
    sent = perform(user, find(draft.public_id), "submit")
    projection = build_projection(registry.catalogue().get(KEY))
    form = db.session.scalars(select(projection.main).where(projection.main.declaration_id == sent.id)).unique().one()
    devices = projection.tables["devices"]
    row = db.session.scalars(select(devices).where(devices.row_id == device.row_id)).unique().one()
    return {"website": form.website, "maker": row.maker, "number": sent.programme.number}


def run(folder: Path, step: str) -> None:
    """Print what ``step`` found, as one line of JSON."""
    known = registry.Catalogue(registry.CATALOGUE)
    known._definitions[KEY] = registry.Catalogue(folder).get(KEY)
    registry.catalogue = lambda: known  # type: ignore[assignment]
    app = create_app({"TESTING": True})
    with app.app_context():
        result = before() if step == "before" else after(app)
    sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    run(Path(sys.argv[1]), sys.argv[2])
