"""作废: an official with the right sets a declaration aside, with a reason that the enterprise reads."""

from __future__ import annotations

from app.errors import InvalidInput, NotFound, Refused
from app.fields.base import clean_text
from app.models import Account, Declaration
from app.permissions import roles, rules
from app.services.declaration import Deeds, act_within
from app.services.permission import has_door
from app.services.reference import holidays
from app.services.unit_of_work import unit_of_work
from app.workflow import engine

MAX_REASON = 500


def reason_of(text: str) -> str:
    """The words of a reason, tidied. InvalidInput for the field ``reason`` if there are none, or too many."""
    words = clean_text(text, multiline=True)
    if not words:
        raise InvalidInput("请写明理由。", fields={"reason": "请写明理由，企业会看到这段话。"})
    if len(words) > MAX_REASON:
        sentence = f"理由最多 {MAX_REASON} 个字，现在是 {len(words)} 个，请精简。"
        raise InvalidInput(sentence, fields={"reason": sentence})
    return words


def require_care(user: Account, declaration: Declaration, deed: str) -> None:
    """NotFound if ``user`` may not see the declaration, Refused without the door for ``deed`` on its kind."""
    if not rules.can_see(user, declaration):
        raise NotFound("没有找到这件申报。请从列表重新打开。")
    if not has_door(user, f"{roles.FORM}{declaration.programme_key}", deed):
        raise Refused(f"您的账号没有{roles.DEED_LABELS[deed]}这类申报的权限。要用的话，请联系平台管理员开通。")


def void_declaration(
    user: Account, public_id: str, reason: str, *, version: int, address: str | None = None
) -> Declaration:
    """Set the declaration aside: it ends, its place is free again, and what it gave is not valid any more.

    NotFound (out of scope), Refused (no door), InvalidInput (no reason, or a reason against it), Conflict (changed
    since ``version``, or no state in which it can be set aside).
    """
    words, days = reason_of(reason), holidays()
    with unit_of_work() as session:
        require_care(user, engine.lock(session, public_id), "void")
        return act_within(
            session, user, public_id, "void", Deeds(version, opinion=words, entitled=True, address=address), days
        )
