"""Internal notes: what the offices in charge of a declaration tell each other about it.

The enterprise never sees them, nor that there are any: they are no part of the declaration's own chain of events, of a
document, an export or the interface. Experts do not see them either, since they judge by the papers alone and not by
what an office thinks of them. Administrators keep the platform and take no part in a case, so they see none.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import Conflict, InvalidInput, NotFound, Refused
from app.fields.base import clean_text
from app.models import Account, Declaration, InternalNote
from app.models.base import now
from app.permissions import rules
from app.services.declaration import is_repeated
from app.services.opened import Opened
from app.services.unit_of_work import unit_of_work
from app.workflow import engine
from app.workflow.route import steps_of

MAX_NOTE = 1000
"""Longest note, in characters."""


def is_in_charge(opened: Opened) -> bool:
    """Whether the reader's office takes part in the route of the declaration, now or at another step."""
    user, declaration = opened.user, opened.declaration
    levels = {s.level for s in steps_of(opened.definition, opened.params)}
    return any(engine.is_office(user, declaration, level) for level in levels)


def notes_of(opened: Opened) -> list[InternalNote]:
    """The notes on a declaration, oldest first; none for anybody whose office is not in charge."""
    if not is_in_charge(opened):
        return []
    statement = select(InternalNote).where(
        InternalNote.declaration_id == opened.declaration.id, InternalNote.removed_at.is_(None)
    )
    return list(opened.session.scalars(statement.order_by(InternalNote.id)))


def write_note(user: Account, public_id: str, text: str, key: str | None = None) -> None:
    """Add a note. A repeated ``key`` (of the page) adds nothing.

    NotFound or Refused for people who are not in charge, InvalidInput for the text; nothing is changed then. What
    happened to the declaration meanwhile does not matter: a note hinders nobody and is never lost.
    """
    words = _checked(text)
    with unit_of_work() as session:
        opened = _in_charge(session, public_id, user)
        if key and is_repeated(session, user, "note", public_id, key):
            return
        session.add(
            InternalNote(
                declaration_id=opened.declaration.id,
                text=words,
                step_key=opened.declaration.step_key or "",
                author_id=user.id,
                author_name=user.get_full_name(),
                created_at=now(),
            )
        )
        _record(session, opened.declaration, user, "note", "写内部备注")


def remove_note(user: Account, public_id: str, note_id: int) -> None:
    """Take one's own note away. NotFound if it is gone, Refused for somebody else's."""
    with unit_of_work() as session:
        opened = _in_charge(session, public_id, user)
        found = session.get(InternalNote, note_id)
        if found is None or found.declaration_id != opened.declaration.id:
            raise NotFound("没有这条内部备注。请刷新页面。")
        if found.author_id != user.id:
            raise Refused(f"这条内部备注是{found.author_name}写的，只有本人能删除。")
        if found.removed_at is not None:
            raise Conflict("这条内部备注已经删除了，不用再删。", title="已经删除了")
        found.removed_at = now()
        _record(session, opened.declaration, user, "note_removed", "删除内部备注")


def _in_charge(session: Session, public_id: str, user: Account) -> Opened:
    declaration = engine.lock(session, public_id)
    if not rules.can_see(user, declaration):
        raise NotFound("没有找到这件申报。")
    opened = Opened(session, declaration, user)
    if not is_in_charge(opened):
        raise Refused("这件申报不归您的单位办理，不能看或写内部备注。")
    return opened


def _checked(text: str) -> str:
    words = clean_text(text, multiline=True)
    if not words:
        raise InvalidInput("内部备注还没写。请写下要告诉同事的话。", fields={"note": "请写下要告诉同事的话。"})
    if len(words) > MAX_NOTE:
        sentence = f"内部备注最多 {MAX_NOTE} 个字，现在是 {len(words)} 个，请精简。"
        raise InvalidInput(sentence, fields={"note": sentence})
    return words


def _record(session: Session, declaration: Declaration, user: Account, action: str, label: str) -> None:
    """An event that stands outside the declaration's chain, which the enterprise reads."""
    subject = f"declaration:{declaration.public_id}"
    engine.record(session, None, user, action=action, label=label, subject=subject)
