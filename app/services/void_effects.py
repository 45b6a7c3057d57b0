"""What becomes of everything that hung on a declaration when an official sets it aside (作废)."""

from __future__ import annotations

from sqlalchemy import select, update

from app.models import Objection, Recognition
from app.models.base import now
from app.services import outcome
from app.services.effects import EFFECTS, Scene, effect


@effect
def annul_outcome(scene: Scene) -> None:
    """What its approval gave is not valid any more. Unlike a revocation this bans nobody."""
    given = select(Recognition).where(Recognition.declaration_id == scene.opened.declaration.id)
    for recognition in scene.session.scalars(given.with_for_update(of=Recognition)).unique():
        if recognition.state in ("valid", "under_review"):
            outcome.change(scene.session, recognition, "annul", scene.opened.user, scene.opinion)


@effect
def drop_pending(scene: Scene) -> None:
    """It leaves the list of an open hand-over, and objections against it need no decision any more."""
    EFFECTS["leave_handover"](scene)
    declaration = scene.opened.declaration
    scene.session.execute(
        update(Objection)
        .where(Objection.declaration_id == declaration.id, Objection.state == "open")
        .values(state="moot", concluded_at=now(), concluded_by=scene.opened.user.id)
    )
    declaration.open_objections = 0
