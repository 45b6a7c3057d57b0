"""What publicity, hand-over and funds bring about, by the names that the workflow table uses."""

from __future__ import annotations

from sqlalchemy import delete, select, update

from app.models import Allocation, Handover, HandoverEntry, Objection
from app.models.base import now
from app.services.effects import Scene, effect
from app.services.funding_words import money_words
from app.services.message import tell_enterprise


@effect
def register_objection(scene: Scene) -> None:
    """Register the objection that came with the deed; the step is 异议处理 from now on."""
    declaration, stated = scene.opened.declaration, scene.payload["objection"]
    public = scene.opened.publicity
    assert public is not None  # the guard has seen it
    scene.session.add(
        Objection(
            declaration_id=declaration.id,
            list_id=public.id,
            registered_by=scene.opened.user.id,
            created_at=now(),
            **stated,
        )
    )
    declaration.open_objections += 1


@effect
def dismiss_objection(scene: Scene) -> None:
    """The objection is unfounded, with the conclusion; with the last one the publicity goes on."""
    _conclude(scene, "dismissed")
    scene.opened.declaration.open_objections -= 1


@effect
def uphold_objection(scene: Scene) -> None:
    """The objection is founded; whatever else is open against the same declaration needs no decision any more."""
    _conclude(scene, "upheld")
    scene.session.execute(
        update(Objection)
        .where(Objection.declaration_id == scene.opened.declaration.id, Objection.state == "open")
        .values(state="moot", concluded_at=now(), concluded_by=scene.opened.user.id)
    )
    scene.opened.declaration.open_objections = 0


def _conclude(scene: Scene, state: str) -> None:
    objection = scene.session.get_one(Objection, scene.payload["objection"])
    objection.state, objection.conclusion = state, scene.opinion
    objection.concluded_at, objection.concluded_by = now(), scene.opened.user.id
    scene.session.flush()


@effect
def leave_handover(scene: Scene) -> None:
    """Sent back for review: it is no longer on the list of an open hand-over."""
    gathered = select(Handover.id).where(Handover.state == "open")
    scene.session.execute(
        delete(HandoverEntry).where(
            HandoverEntry.declaration_id == scene.opened.declaration.id, HandoverEntry.handover_id.in_(gathered)
        )
    )


@effect
def tell_allocated(scene: Scene) -> None:
    """How much the enterprise gets, and by which document."""
    declaration, facts = scene.opened.declaration, scene.payload["allocation"]
    title = f"{scene.opened.definition.title}（{declaration.serial_no or ''}）的资金已下达"
    tell_enterprise(
        scene.session, declaration.enterprise_id, "recognition_notice", title,
        f"资金已下达 {money_words(facts['amount'])}，文号 {facts['doc_no']}。请留意到账，有疑问请与市财政局联系。",
        f"/declarations/{declaration.public_id}/", declaration_id=declaration.id,
    )  # fmt: skip


@effect
def allocate(scene: Scene) -> None:
    """Keep amount, document and date."""
    declaration = scene.opened.declaration
    scene.session.add(
        Allocation(
            declaration_id=declaration.id,
            enterprise_id=declaration.enterprise_id,
            created_by=scene.opened.user.id,
            created_at=now(),
            **scene.payload["allocation"],
        )
    )
