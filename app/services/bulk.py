"""One deed on several declarations: a look at each beforehand, then each in a transaction of its own.

Nothing is skipped in silence: every row ends as done, refused with the reason, or with who was first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload, selectinload

from app.definitions.schema import Check
from app.errors import Conflict, DomainError, InvalidInput, NotFound
from app.extensions import db
from app.fields.base import clean_text
from app.models import Account, Assignment, BulkAct, Declaration, Event, Remark
from app.models.base import now
from app.permissions import roles, scopes
from app.services import claim, expert, review
from app.services.claim import Wish, can_claim
from app.services.opened import Opened
from app.services.todo import names_of
from app.services.unit_of_work import unit_of_work
from app.workflow import engine
from app.workflow.calendar import SHANGHAI
from app.workflow.guards import GUARDS, Case, not_claimed_by_other
from app.workflow.route import place_label
from app.workflow.steps import STATUS_LABELS, Deed, find_deed, guards_of

MOST = 200
"""Declarations in one act."""
ACTIONS = {"claim": "认领", "confirm": "通过", "return": "退回修改", "assign": "分派专家", "hand_over": "转交"}
"""What can be done to several at once. A return needs words that fit all of them."""
LABELS = {**ACTIONS, "allocate": "下达资金", "conclude": "公示期满，转下一步"}
"""Everything that is done to several at once, also what has a page of its own."""
WORDY = {"return": "请写退回理由，选中的企业都会看到这段话。"}
"""Deeds that need words, and what is said without them."""
_ASKED_LATER = {"experts_chosen", "checklist_done"}
"""Guards over what is only chosen on the preview."""


@dataclass(frozen=True)
class Line:
    """One declaration of the preview. ``version`` is the one the list showed; ``reasons``: why not (empty: possible);
    ``checks``: the points of its checklist."""

    id: str
    version: int
    name: str
    serial: str
    place: str
    reasons: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True)
class Order:
    """What is to be done. ``chosen``: public id → version seen; ``checks`` are the ticked points of the checklist, which then
    hold for every row; ``experts`` and ``colleague`` are account ids; ``key`` is the
    form's idempotency key."""

    action: str
    chosen: Mapping[str, int]
    key: str
    words: str = ""
    checks: Sequence[str] = ()
    experts: Sequence[int] = ()
    colleague: int | None = None
    address: str | None = None


@dataclass(frozen=True)
class Result:
    """What became of one declaration. ``text``: why it was refused, or who was first."""

    id: str
    name: str
    serial: str
    state: Literal["done", "refused", "late"]
    text: str = ""


# -- before -----------------------------------------------------------------------------------------------------------


def preview(user: Account, action: str, chosen: Mapping[str, int]) -> list[Line]:
    """Each of ``chosen`` (public id → version seen) in the order given, with what stands against ``action`` now.

    A fixed number of statements. InvalidInput for an unknown deed, for none or more than ``MOST`` declarations.
    """
    check_choice(action, chosen)
    found = _read(user, chosen)
    facts = _facts(user, list(found.values()))
    late = _last_deeds([d for d in found.values() if d.version != chosen[d.public_id]])
    lines = []
    for key, version in chosen.items():
        declaration = found.get(key)
        if declaration is None:
            lines.append(Line(key, version, "—", "", "", ("没有找到这件申报，企业可能刚撤回了。",)))
            continue
        opened = Opened(db.session(), declaration, user)
        reasons = _stale(late[declaration.id]) if declaration.id in late else _reasons(opened, action, facts)
        lines.append(_line(opened, version, reasons))
    return lines


def points_to_tick(lines: Sequence[Line]) -> list[Check]:
    """The points of the checklists of all that is possible, each once."""
    return list({c.key: c for line in lines if not line.reasons for c in line.checks}.values())


def check_choice(action: str, chosen: Mapping[str, int]) -> None:
    """InvalidInput if the deed is none of ``ACTIONS``, or nothing or too much was chosen."""
    if action not in ACTIONS:
        raise InvalidInput("请先选要一起办什么，再预览。", fields={"action": "请先选要一起办什么。"})
    if not chosen:
        raise InvalidInput("还没有选申报。请在列表里勾选，再预览。")
    if len(chosen) > MOST:
        raise InvalidInput(f"一次最多办 {MOST} 件，现在选了 {len(chosen)} 件。请分几次办。")


def _read(user: Account, chosen: Mapping[str, int]) -> dict[str, Declaration]:
    statement = (
        select(Declaration)
        .where(Declaration.public_id.in_(chosen), scopes.declarations(user))
        .options(
            selectinload(Declaration.programme), selectinload(Declaration.batch), joinedload(Declaration.enterprise)
        )
    )
    return {d.public_id: d for d in db.session.scalars(statement)}


@dataclass(frozen=True)
class _Facts:
    """What guards ask about many declarations, by id: open remarks, experts asked, names of who is at work."""

    remarks: Mapping[int, int]
    asked: Mapping[int, list[int]]
    names: Mapping[int, str]


def _facts(user: Account, found: Sequence[Declaration]) -> _Facts:
    ids = [d.id for d in found]
    counted = (
        select(Remark.declaration_id, func.count())
        .where(Remark.declaration_id.in_(ids), Remark.state.in_(("draft", "open")))
        .group_by(Remark.declaration_id)
    )
    asked: dict[int, list[int]] = {}
    given = select(Assignment.declaration_id, Assignment.step_key, Assignment.expert_id).where(
        Assignment.declaration_id.in_(ids)
    )
    steps = {d.id: d.step_key for d in found}
    for key, step, expert_id in db.session.execute(given):
        if steps[key] == step:
            asked.setdefault(key, []).append(expert_id)
    others = {d.claimed_by for d in found if d.claimed_by not in (None, user.id)}
    names = names_of({key for key in others if key is not None})
    return _Facts({key: count for key, count in db.session.execute(counted)}, asked, names)


def _reasons(opened: Opened, action: str, facts: _Facts) -> tuple[str, ...]:
    case = _case(opened, facts)
    if action in claim.LABELS:
        return _against_claim(opened, action, case)
    deed = find_deed(opened.declaration.status, case.step_kind, action)
    if deed is None:
        return ("这一步不能这样办。",)
    if not engine.is_by(deed, opened.user, opened.declaration, opened.step, False):
        return ("现在不归您办。",)
    return _against(deed, case)


def _against(deed: Deed, case: Case) -> tuple[str, ...]:
    asked = (name for name in guards_of(deed) if name not in _ASKED_LATER)
    return tuple(reason for name in asked if (reason := GUARDS[name](case)))


def _against_claim(opened: Opened, action: str, case: Case) -> tuple[str, ...]:
    if not can_claim(opened):
        return ("现在不归您的单位办理。",)
    if action == "claim" and opened.declaration.claimed_by == opened.user.id:
        return ("您已经认领了。",)
    reason = not_claimed_by_other(case)
    return (reason,) if reason else ()


def _case(opened: Opened, facts: _Facts) -> Case:
    declaration = opened.declaration
    known = {
        "open_remarks": facts.remarks.get(declaration.id, 0),
        "asked": facts.asked.get(declaration.id, []),
        "claimant": facts.names.get(declaration.claimed_by or 0),
    }
    return Case(declaration, opened.definition, opened.params, opened.step, opened.user, now(), facts=known)


def _last_deeds(stale: Sequence[Declaration]) -> dict[int, Event | None]:
    """The newest event of each of ``stale``, by declaration id."""
    ids = [d.id for d in stale]
    newest = select(func.max(Event.id)).where(Event.declaration_id.in_(ids)).group_by(Event.declaration_id)
    events = {e.declaration_id: e for e in db.session.scalars(select(Event).where(Event.id.in_(newest)))}
    return {key: events.get(key) for key in ids}


def _stale(event: Event | None) -> tuple[str, ...]:
    return (f"{_who(event)}打开列表以后又被办过，请从列表重新选。",)


def _who(event: Event | None) -> str:
    """``10:42 陈立作了“退回修改”。``, empty if nobody knows."""
    if event is None:
        return ""
    return f"{event.at.astimezone(SHANGHAI):%H:%M} {event.actor_name}作了“{event.label}”。"


def _line(opened: Opened, version: int, reasons: tuple[str, ...] = ()) -> Line:
    declaration, step = opened.declaration, opened.step
    place = place_label(declaration, step) if step is not None else STATUS_LABELS[declaration.status]
    name = declaration.enterprise_name or "（没有名称）"
    return Line(
        declaration.public_id,
        version,
        name,
        declaration.serial_no or "",
        place,
        reasons,
        step.checklist if step else (),
    )


# -- doing ------------------------------------------------------------------------------------------------------------


def carry_out(user: Account, order: Order) -> BulkAct:
    """Do it row by row; the answer is kept under ``order.key``, and the same form sent again gets the same answer.

    InvalidInput before anything is done: an unknown deed, nothing chosen, no words, expert or colleague where they are
    needed. Conflict if the key belongs to somebody else.
    """
    check_order(order)
    known = db.session.get(BulkAct, order.key)
    if known is not None:
        return _own(user, known)
    found = _read(user, order.chosen)
    results = [_one(user, order, key, found.get(key)) for key in order.chosen]
    return _keep(user, order, results)


def check_order(order: Order) -> None:
    """InvalidInput, naming the field, if the form is not complete."""
    check_choice(order.action, order.chosen)
    words = clean_text(order.words, multiline=True)
    longest = claim.MAX_WORD if order.action == "hand_over" else review.MAX_OPINION
    if order.action in WORDY and not words:
        raise InvalidInput(WORDY[order.action], fields={"opinion": WORDY[order.action]})
    if len(words) > longest:
        sentence = f"最多 {longest} 个字，现在是 {len(words)} 个，请精简。"
        raise InvalidInput(sentence, fields={"opinion": sentence})
    if order.action == "assign" and not order.experts:
        raise InvalidInput("请至少选一位专家。", fields={"experts": "请至少选一位专家。"})
    if order.action == "hand_over" and order.colleague is None:
        raise InvalidInput("请选一位本单位的同事。", fields={"colleague": "请选一位本单位的同事。"})


def _one(user: Account, order: Order, public_id: str, declaration: Declaration | None) -> Result:
    name = (declaration.enterprise_name or "（没有名称）") if declaration is not None else "—"
    serial = (declaration.serial_no or "") if declaration is not None else ""
    try:
        _DO.get(order.action, _decide)(user, order, public_id)
    except Conflict as error:
        return Result(public_id, name, serial, "late", error.message)
    except DomainError as error:
        return Result(public_id, name, serial, "refused", error.message)
    return Result(public_id, name, serial, "done")


def _decide(user: Account, order: Order, public_id: str) -> None:
    words = clean_text(order.words, multiline=True)
    version, key = order.chosen[public_id], _row_key(order, public_id)
    review.decide(
        user, public_id, order.action, version=version, opinion=words, key=key, address=order.address, checks=order.checks
    )  # fmt: skip


def _assign(user: Account, order: Order, public_id: str) -> None:
    version, key = order.chosen[public_id], _row_key(order, public_id)
    expert.assign(user, public_id, order.experts, version=version, key=key)


def _claim(user: Account, order: Order, public_id: str) -> None:
    word = order.words if order.action == "hand_over" else ""
    wish = Wish(order.chosen[public_id], _row_key(order, public_id), order.colleague, word)
    claim.carry_out(user, public_id, order.action, wish)


_DO: dict[str, Callable[[Account, Order, str], None]] = {"assign": _assign, "claim": _claim, "hand_over": _claim}
"""Deeds that are no plain decision."""


def _row_key(order: Order, public_id: str) -> str:
    """One key per row: rows that were done do not happen again if the act is broken off and sent once more."""
    return sha256(f"{order.key}:{public_id}".encode()).hexdigest()


def _keep(user: Account, order: Order, results: Sequence[Result]) -> BulkAct:
    try:
        with unit_of_work() as session:
            kept = BulkAct(
                key=order.key,
                account_id=user.id,
                action=order.action,
                results=[asdict(r) for r in results],
                created_at=now(),
            )
            session.add(kept)
            return kept
    except Conflict:
        # The same form, sent twice at the same moment: the first answer stands.
        db.session.rollback()
        return _own(user, db.session.get_one(BulkAct, order.key))


def _own(user: Account, kept: BulkAct) -> BulkAct:
    if kept.account_id != user.id:
        raise Conflict("这个页面已经用过了。请刷新后再办。")
    return kept


def result_of(user: Account, key: str) -> tuple[str, list[Result]]:
    """The deed and what became of each row. NotFound if it is not the user's."""
    kept = db.session.get(BulkAct, key)
    if kept is None or kept.account_id != user.id:
        raise NotFound("没有找到这次批量办理的结果。请到“我的待办”的“已处理”里查看。")
    return kept.action, [Result(**line) for line in kept.results]


def experts_to_ask() -> list[Account]:
    """Active experts, by name. Who is of a chosen enterprise is refused row by row."""
    statement = select(Account).where(Account.active, Account.roles.any(name=roles.EXPERT))
    return list(db.session.scalars(statement.order_by(Account.display_name, Account.id)).unique())
