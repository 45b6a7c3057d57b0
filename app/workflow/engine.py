"""Carries out deeds of the table: lock, compare version, find the row, check role and scope, ask every guard,
change, write the event, set holder and due date. The same rows feed the buttons. It never commits."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.definitions.schema import Step
from app.errors import Conflict, InvalidInput, NotFound, Refused
from app.models import Account, Assignment, Declaration, Event
from app.models.base import now
from app.permissions import roles, rules
from app.workflow.calendar import SHANGHAI, due_at
from app.workflow.guards import GUARDS, Case
from app.workflow.route import stamps, step_after, step_back, steps_before, steps_of
from app.workflow.steps import FINAL, Deed, Goal, deeds, find_deed, guards_of


@dataclass(frozen=True)
class Option:
    """A deed that exists here for this person, with all reasons why not now (empty: it can be done)."""

    deed: Deed
    label: str
    reasons: tuple[str, ...]

    @property
    def possible(self) -> bool:
        """Whether it can be done now."""
        return not self.reasons


@dataclass(frozen=True)
class Done:
    """What was done: the event, and the names of the effects that the service carries out."""

    deed: Deed
    event: Event
    effects: tuple[str, ...]
    step: Step | None


def label_of(deed: Deed, step: Step | None) -> str:
    """Words on the button: the step's own for confirm, reject and what the enterprise files."""
    if step is not None and deed.action == "confirm":
        return step.confirm_label
    if step is not None and deed.action == "stamp" and "confirm_label" in step.model_fields_set:
        return step.confirm_label
    if step is not None and deed.action == "reject" and deed.kind == "review":
        return step.reject_label
    return deed.label


def is_by(deed: Deed, user: Account, declaration: Declaration, step: Step | None, assigned: bool) -> bool:
    """Whether ``user`` is the one whose deed it is: own enterprise, office in charge, assigned expert; nobody is the
    system, and who is a steward is a matter of doors, not of places."""
    if deed.by in ("system", "steward"):
        return False
    if deed.by == "enterprise":
        return rules.refuse_deed(user, declaration, deed.action) is None
    if deed.by == "expert":
        return roles.EXPERT in user.role_names and assigned
    return is_office(user, declaration, _level_of(deed, step))


def _level_of(deed: Deed, step: Step | None) -> str:
    """Level of the office whose deed it is: the step's own, unless the row names one."""
    if deed.by == "officer":
        return step.level if step else ""
    return deed.by


def is_office(user: Account, declaration: Declaration, level: str) -> bool:
    """Whether ``user`` belongs to the office of ``level`` that is in charge of the declaration's region."""
    region = declaration.region_code
    return level in user.role_names and region is not None and user.region_code == roles.level_region(level, region)


def available(case: Case, *, assigned: bool = False) -> list[Option]:
    """The deeds of ``case.user`` here, each with the reasons against it."""
    return [
        Option(deed, label_of(deed, case.step), reasons_against(deed, case))
        for deed in deeds(case.declaration.status, case.step_kind)
        if is_by(deed, case.user, case.declaration, case.step, assigned)
    ]


def reasons_against(deed: Deed, case: Case) -> tuple[str, ...]:
    """What every guard of ``deed`` says against it now, one sentence each; empty if none objects."""
    return tuple(reason for name in guards_of(deed) if (reason := GUARDS[name](case)))


def lock(session: Session, public_id: str) -> Declaration:
    """The declaration, locked until the transaction ends. NotFound if there is none."""
    statement = select(Declaration).where(Declaration.public_id == public_id).with_for_update(of=Declaration)
    declaration = session.execute(statement).unique().scalar_one_or_none()
    if declaration is None:
        raise NotFound("没有找到这件申报。")
    return declaration


def check_version(session: Session, declaration: Declaration, version: int) -> None:
    """Conflict with who and when if somebody acted since ``version`` was shown."""
    if declaration.version == version:
        return
    last = last_event(session, declaration)
    raise Conflict(
        f"这件申报刚被办过，您这次没有办成。{_told(last)}请先看最新内容，再决定要不要办。",
        event=last,
        declaration=declaration,
        title="这件申报刚被办过",
    )


def _told(event: Event | None) -> str:
    """``09:12 李静作了“退回修改”。``"""
    if event is None:
        return ""
    return f"{event.at.astimezone(SHANGHAI):%H:%M} {event.actor_name}作了“{event.label}”。"


def last_event(session: Session, declaration: Declaration) -> Event | None:
    """The newest event of the declaration."""
    statement = select(Event).where(Event.declaration_id == declaration.id).order_by(Event.id.desc()).limit(1)
    return session.scalars(statement).first()


def perform(
    session: Session,
    declaration: Declaration,
    action: str,
    case: Case,
    *,
    version: int,
    holidays: Mapping[date, bool],
    data: dict[str, Any] | None = None,
    address: str | None = None,
    all_scored: Callable[[], bool] = lambda: True,
    entitled: bool = False,
) -> Done:
    """Do ``action`` on the locked ``declaration``, the one of ``case``. NotFound, Conflict, Refused, or InvalidInput with
    all reasons at once. ``entitled``: the caller has seen that the person holds the door of a deed by ``steward``."""
    deed = _find_permitted(session, declaration, action, case, version, entitled)
    _check_reasons(deed, case)
    before = declaration.status
    _move(declaration, deed, case, holidays, all_scored)
    return _written(session, deed, case, before, user=case.user, data=data, address=address)


def perform_by_system(
    session: Session, declaration: Declaration, action: str, case: Case, *, holidays: Mapping[date, bool]
) -> Done:
    """Do a deed that time brings about on the locked ``declaration``; ``case.user`` is nobody. Conflict if there is no
    such deed here, InvalidInput with the reasons against it."""
    deed = find_deed(declaration.status, case.step_kind, action)
    if deed is None or deed.by != "system":
        raise Conflict("这件申报现在不能这样办，可能刚被别人办过。请刷新看最新状态。", declaration=declaration)
    _check_reasons(deed, case)
    before = declaration.status
    _move(declaration, deed, case, holidays, lambda: True)
    return _written(session, deed, case, before, user=None)


def _written(
    session: Session,
    deed: Deed,
    case: Case,
    before: str,
    *,
    user: Account | None,
    data: dict[str, Any] | None = None,
    address: str | None = None,
) -> Done:
    """The deed, done, as its event and the effects that are left to carry out. ``before``: the status it began in."""
    case.declaration.version += 1
    event = record(
        session,
        case.declaration,
        user,
        action=deed.action,
        label=label_of(deed, case.step),
        step_key=case.step.key if case.step else None,
        from_status=before,
        opinion=case.opinion.strip() or None,
        data=data,
        at=case.at,
        address=address,
    )
    return Done(deed, event, _effects(deed, case), case.step)


def _find_permitted(
    session: Session, declaration: Declaration, action: str, case: Case, version: int, entitled: bool
) -> Deed:
    """The row of the table for ``action``, if the person may see the declaration, saw its newest state, and it is
    their deed."""
    assignment = _open_assignment(session, declaration, case.user)
    # First of all: who may not see it learns nothing, not even who acted last.
    if not rules.can_see(case.user, declaration, [assignment] if assignment else []):
        raise NotFound("没有找到这件申报。企业可能刚撤回了，请从“我的待办”重新打开。")
    check_version(session, declaration, version)
    deed = find_deed(declaration.status, case.step_kind, action)
    if deed is None:
        raise Conflict("这件申报现在不能这样办，可能刚被别人办过。请刷新看最新状态。", declaration=declaration)
    if entitled and deed.by == "steward":
        return deed
    if not is_by(deed, case.user, declaration, case.step, assignment is not None):
        own = deed.by == "enterprise" and rules.is_own(case.user, declaration)
        refusal = rules.refuse_deed(case.user, declaration, action) if own else None
        raise Refused(refusal or "这件申报现在不归您办。请看“我的待办”里轮到您办的事项。")
    return deed


def _check_reasons(deed: Deed, case: Case) -> None:
    """InvalidInput with everything that guards say against ``deed``, or for words that are wanted and not there."""
    reasons = reasons_against(deed, case)
    if reasons:
        raise InvalidInput("".join(reasons), reasons=reasons)
    if deed.opinion and not case.opinion.strip():
        raise InvalidInput(
            f"请写明{label_of(deed, case.step)}的理由。", fields={"opinion": "请写明理由，企业会看到这段话。"}
        )


def _effects(deed: Deed, case: Case) -> tuple[str, ...]:
    """The deed's own effects, and the outcome where this is the moment that gives it."""
    return (*deed.effects, "outcome") if _gives_outcome(deed, case) else deed.effects


def _gives_outcome(deed: Deed, case: Case) -> bool:
    """Whether the declaration has just left the step that gives the outcome, or, without one, ended approved."""
    giver = next((s for s in steps_of(case.definition, case.params) if s.gives_outcome), None)
    if giver is None:
        return case.declaration.status == "approved"
    return case.step == giver and deed.to in ("next", "scored") and case.declaration.step_key != giver.key


def _open_assignment(session: Session, declaration: Declaration, user: Account) -> Assignment | None:
    if roles.EXPERT not in user.role_names:
        return None
    statement = select(Assignment).where(
        Assignment.declaration_id == declaration.id,
        Assignment.expert_id == user.id,
        Assignment.step_key == declaration.step_key,
        Assignment.done_at.is_(None),
    )
    return session.execute(statement).unique().scalar_one_or_none()


def _before(case: Case) -> list[Step]:
    return steps_before(case.definition, case.params, case.declaration.step_key)


def _next_step(case: Case) -> Step | None:
    return step_after(case.definition, case.params, case.declaration.step_key)


# The guard ``after_stamp`` has seen that there is a stamp step, a definition that a hand-over has a step before it.
_STEP_OF_GOAL: dict[Goal, Callable[[Case], Step | None]] = {
    "first": lambda case: step_after(case.definition, case.params, None),
    "next": _next_step,
    "scored": _next_step,
    "back": lambda case: step_back(case.definition, case.params, case.declaration.return_step),
    "before": lambda case: _before(case)[-1],
    "stamp": lambda case: stamps(_before(case))[-1],
}
"""The step that a goal of the route means; every other goal but ``stay`` is a status outside the route."""


def _move(
    declaration: Declaration,
    deed: Deed,
    case: Case,
    holidays: Mapping[date, bool],
    all_scored: Callable[[], bool],
) -> None:
    """Set status, step, holder and due date to where ``deed`` leads."""
    if deed.to == "stay" or (deed.to == "scored" and not all_scored()):
        _stay(declaration, case)
        return
    # A claim holds for one step: whoever is next begins anew.
    declaration.claimed_by = declaration.claimed_at = None
    if deed.to in _STEP_OF_GOAL:
        _enter(declaration, _STEP_OF_GOAL[deed.to](case), case.at, holidays)
    else:
        _leave(declaration, deed.to, case.at)


def _stay(declaration: Declaration, case: Case) -> None:
    """Only an expert step changes hands: the experts go on, or, with the last one taken off, the office asks another."""
    if case.step is None or case.step.kind != "expert":
        return
    nobody_left = case.facts.get("experts_left") == 0
    declaration.holder_role = case.step.level if nobody_left else roles.EXPERT


def set_due(declaration: Declaration, since: datetime, days: int | None, holidays: Mapping[date, bool]) -> None:
    """Count the present step's ``days`` (working days; None: no limit) from ``since`` instead of from its beginning."""
    declaration.due_at = due_at(since, days, holidays)


def _enter(declaration: Declaration, step: Step | None, at: datetime, holidays: Mapping[date, bool]) -> None:
    """Go to ``step`` of the route; after its last one the declaration is approved."""
    if step is None:
        _leave(declaration, "approved", at)
        return
    region = declaration.region_code or ""
    declaration.status, declaration.step_key, declaration.step_since = "in_progress", step.key, at
    declaration.due_at = due_at(at, step.due_days, holidays)
    declaration.holder_role = step.level
    declaration.holder_region = region if step.level == roles.ENTERPRISE else roles.level_region(step.level, region)


def _leave(declaration: Declaration, status: str, at: datetime) -> None:
    """Go out of the route: back to the enterprise, which then holds it, or to an end, where nobody does."""
    is_back = status in ("draft", "returned")
    if status == "returned":
        declaration.return_step = declaration.step_key
    declaration.status, declaration.step_key, declaration.step_since = status, None, at
    declaration.holder_role = roles.ENTERPRISE if is_back else None
    declaration.holder_region = declaration.region_code if is_back else None
    declaration.due_at = None
    if status in FINAL:
        declaration.decided_at = at


def record(
    session: Session,
    declaration: Declaration | None,
    user: Account | None,
    *,
    action: str,
    label: str,
    step_key: str | None = None,
    from_status: str | None = None,
    opinion: str | None = None,
    data: dict[str, Any] | None = None,
    at: datetime | None = None,
    subject: str | None = None,
    address: str | None = None,
) -> Event:
    """Append an event; for a declaration it is chained to the one before (SHA-256 over canonical JSON)."""
    event = Event(
        **_place_of(session, declaration),
        **_actor_of(user),
        subject=subject,
        at=at or now(),
        action=action,
        label=label,
        step_key=step_key,
        from_status=from_status,
        opinion=opinion,
        data=data or {},
        address=address,
        digest="",
    )
    event.digest = event_digest(event)
    session.add(event)
    session.flush()
    return event


def _place_of(session: Session, declaration: Declaration | None) -> dict[str, Any]:
    """Where an event stands: at the declaration as it is now, after the event before; or nowhere."""
    if declaration is None:
        return {"declaration_id": None, "to_status": None, "previous": None}
    last = last_event(session, declaration)
    return {
        "declaration_id": declaration.id,
        "to_status": declaration.status,
        "previous": last.digest if last else None,
    }


def _actor_of(user: Account | None) -> dict[str, Any]:
    """Who did it, by the highest role they hold; without a user it was the system."""
    if user is None:
        return {"actor_id": None, "actor_name": "系统", "actor_role": "system"}
    role = next((r for r in (roles.ADMIN, *roles.OFFICERS, roles.EXPERT) if r in user.role_names), user.user_type)
    return {"actor_id": user.id, "actor_name": user.get_full_name(), "actor_role": role}


def event_digest(event: Event) -> str:
    """SHA-256 over the event's facts and the digest before it. ``flask audit verify`` compares."""
    facts = [
        event.previous, event.declaration_id, event.subject, event.at.isoformat(timespec="microseconds"), event.actor_id,
        event.actor_name, event.actor_role, event.action, event.label, event.step_key, event.from_status,
        event.to_status, event.opinion, event.data,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(facts, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
