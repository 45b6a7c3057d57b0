"""What the enterprise files at a step of its own that prints no material of the platform: papers of its own making."""

from __future__ import annotations

from dataclasses import dataclass

from app.definitions.schema import Attachment as Spec
from app.models import Account, Attachment, Declaration
from app.models.base import now
from app.services.deadline import Clock, clock_until
from app.services.declaration import Deeds, act, load_own
from app.services.document import form_document
from app.services.opened import Opened
from app.services.reference import holidays
from app.workflow.engine import Option


@dataclass(frozen=True)
class Paper:
    """One paper that is asked for, with the files that are there."""

    spec: Spec
    files: list[Attachment]


@dataclass(frozen=True)
class Filing:
    """The page of such a step. ``option`` is its deed, with the reasons against it now."""

    opened: Opened
    option: Option
    papers: list[Paper]
    clock: Clock | None


def filing_of(user: Account, public_id: str) -> Filing | None:
    """The page for the owner's people; None where the platform's own material is stamped, or nothing is filed now.

    NotFound for everybody else.
    """
    opened = load_own(public_id, user)
    option = next((o for o in opened.options() if o.deed.action == "stamp"), None)
    if option is None or opened.step is None or not _is_own_paper(opened):
        return None
    specs = opened.definition.papers_at(opened.step.key)
    papers = [Paper(s, [a for a in opened.attachments if a.key == s.key]) for s in specs]
    return Filing(opened, option, papers, clock_until(opened.declaration.due_at, now(), holidays()))


def _is_own_paper(opened: Opened) -> bool:
    """Whether the step asks for papers that are named for it, or there is nothing to print."""
    step = opened.step
    named = step is not None and any(a.step == step.key for a in opened.definition.attachments)
    return named or form_document(opened.definition) is None


def file_papers(
    user: Account, public_id: str, version: int, key: str | None, address: str | None = None
) -> Declaration:
    """Hand the papers in (deed ``stamp``). The refusals of every deed; InvalidInput while one is missing or it is late."""
    return act(user, public_id, "stamp", Deeds(version, idempotency_key=key, address=address))
