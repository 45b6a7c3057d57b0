"""Who in the office is at work on a declaration: 认领, 放回, 接手, 转交. None of it moves the declaration.

A claim keeps colleagues from deciding (guard ``not_claimed_by_other``) until they take it over, and ends with the step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import Conflict, InvalidInput, NotFound, Refused
from app.extensions import db
from app.fields.base import clean_text
from app.models import Account, Declaration
from app.models.base import now
from app.permissions import roles, rules
from app.services.declaration import is_repeated
from app.services.message import tell_account
from app.services.opened import Opened
from app.services.unit_of_work import unit_of_work
from app.workflow import engine
from app.workflow.guards import not_claimed_by_other

MAX_WORD = 200
"""Longest word to a colleague, in characters."""
LABELS = {"claim": "认领", "unclaim": "放回", "take_over": "接手", "hand_over": "转交"}
"""The deeds by name, as events and buttons call them."""


@dataclass(frozen=True)
class Wish:
    """What came with the deed: version seen, idempotency key, and for 转交 whom to (account id) with an optional word."""

    version: int
    key: str | None = None
    colleague: int | None = None
    word: str = ""


def carry_out(user: Account, public_id: str, action: str, wish: Wish) -> Declaration:
    """Do ``action`` (a key of ``LABELS``) in one transaction, with its event and messages; nobody's turn changes.

    NotFound, Refused and InvalidInput say why not; Conflict that somebody acted since, or that a colleague is at work on it.
    """
    if action not in _DEEDS:
        raise InvalidInput("没有看懂要做什么，什么都没有改动。请刷新页面再试。")
    with unit_of_work() as session:
        declaration = engine.lock(session, public_id)
        if not rules.can_see(user, declaration):
            raise NotFound("没有找到这件申报。请从“我的待办”重新打开。")
        if wish.key and is_repeated(session, user, action, public_id, wish.key):
            return declaration
        engine.check_version(session, declaration, wish.version)
        opened = Opened(session, declaration, user)
        if not can_claim(opened):
            raise Refused("这件申报现在不归您的单位办理，不能认领或转交。请看“我的待办”里轮到您办的事项。")
        note = _DEEDS[action](opened, wish)
        declaration.version += 1
        engine.record(
            session, declaration, user, action=action, label=LABELS[action], step_key=declaration.step_key,
            from_status=declaration.status, opinion=clean_text(wish.word, multiline=True) or None, data=note,
        )  # fmt: skip
        return declaration


def can_claim(opened: Opened) -> bool:
    """Whether the declaration waits for the office of ``opened.user``."""
    step, declaration = opened.step, opened.declaration
    if step is None or step.level == roles.ENTERPRISE:
        return False
    return engine.is_office(opened.user, declaration, step.level)


def colleagues(session: Session, user: Account, level: str) -> list[Account]:
    """Everybody else of the office of ``level`` to which ``user`` belongs, by name."""
    statement = (
        select(Account)
        .where(
            Account.active,
            Account.roles.any(name=level),
            Account.region_code == user.region_code,
            Account.id != user.id,
        )
        .order_by(Account.display_name, Account.id)
    )
    return list(session.scalars(statement).unique())


def colleagues_for(user: Account) -> list[Account]:
    """Everybody to whom ``user`` could hand over something, whatever the office."""
    found: dict[int, Account] = {}
    for level in roles.OFFICERS:
        if level in user.role_names:
            found |= {a.id: a for a in colleagues(db.session(), user, level)}
    return list(found.values())


def _claim(opened: Opened, _wish: Wish) -> dict[str, Any]:
    _refuse_others(opened)
    if opened.declaration.claimed_by == opened.user.id:
        raise Conflict("您已经认领了这件申报，不用再认领。请刷新页面看最新状态。", declaration=opened.declaration)
    _give(opened.declaration, opened.user.id)
    return {}


def _unclaim(opened: Opened, _wish: Wish) -> dict[str, Any]:
    _refuse_others(opened)
    if opened.declaration.claimed_by is None:
        raise Conflict("这件申报没有人认领，不用放回。请刷新页面看最新状态。", declaration=opened.declaration)
    opened.declaration.claimed_by = opened.declaration.claimed_at = None
    return {}


def _take_over(opened: Opened, _wish: Wish) -> dict[str, Any]:
    before = opened.declaration.claimed_by
    if opened.claimant is None or before is None:
        raise Conflict("现在没有同事在办这件申报，不用接手。请刷新页面后认领。", declaration=opened.declaration)
    _give(opened.declaration, opened.user.id)
    _tell(opened, before, f"{opened.user.get_full_name()}接手了一件您在办的申报", "您不用再办这件。")
    return {"colleague": before}


def _hand_over(opened: Opened, wish: Wish) -> dict[str, Any]:
    _refuse_others(opened)
    word = clean_text(wish.word, multiline=True)
    if len(word) > MAX_WORD:
        sentence = f"留言最多 {MAX_WORD} 个字，现在是 {len(word)} 个，请精简。"
        raise InvalidInput(sentence, fields={"word": sentence})
    assert opened.step is not None
    office = colleagues(opened.session, opened.user, opened.step.level)
    chosen = next((a for a in office if a.id == wish.colleague), None)
    if chosen is None:
        sentence = "请选一位本单位的同事；停用的账号和别的单位不能选。"
        raise InvalidInput(sentence, fields={"colleague": sentence})
    _give(opened.declaration, chosen.id)
    _tell(
        opened, chosen.id, f"{opened.user.get_full_name()}转交给您一件申报", f"留言：{word}" if word else "请接着办理。"
    )
    return {"colleague": chosen.id}


_DEEDS: dict[str, Callable[[Opened, Wish], dict[str, Any]]] = {
    "claim": _claim, "unclaim": _unclaim, "take_over": _take_over, "hand_over": _hand_over
}  # fmt: skip


def _refuse_others(opened: Opened) -> None:
    reason = not_claimed_by_other(opened.case())
    if reason is not None:
        raise Conflict(reason, declaration=opened.declaration, claimant=opened.claimant)


def _give(declaration: Declaration, account_id: int) -> None:
    declaration.claimed_by, declaration.claimed_at = account_id, now()


def _tell(opened: Opened, account_id: int, title: str, words: str) -> None:
    declaration = opened.declaration
    subject = f"{declaration.enterprise_name}的“{opened.definition.title}”（{declaration.serial_no or ''}）。"
    tell_account(
        opened.session, account_id, "declaration_reminder", title, subject + words, f"/review/{declaration.public_id}/"
    )
