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

from app.definitions.schema import Definition, Step
from app.errors import Conflict, InvalidInput, NotFound, Refused
from app.models import Account, Assignment, Declaration, Event
from app.models.base import now
from app.permissions import roles, rules
from app.workflow.calendar import SHANGHAI, due_at
from app.workflow.guards import GUARDS, Case
from app.workflow.steps import FINAL, Deed, deeds, find_deed


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


def steps_of(definition: Definition, params: Mapping[str, Any]) -> list[Step]:
    """The route with the optional steps that this batch switches on."""
    return [s for s in definition.route if s.enabled_by is None or params.get(s.enabled_by) in (True, "yes", "true")]


def step_after(definition: Definition, params: Mapping[str, Any], key: str | None) -> Step | None:
    """The step that follows ``key`` (None: the first one), or None at the end of the route."""
    route = steps_of(definition, params)
    if key is None:
        return route[0] if route else None
    keys = [s.key for s in route]
    position = keys.index(key) + 1 if key in keys else len(keys)
    return route[position] if position < len(route) else None


def step_back(definition: Definition, params: Mapping[str, Any], key: str | None) -> Step | None:
    """Where a resubmission enters: the step ``key`` that returned it, or the last stamp step before that one."""
    route = steps_of(definition, params)
    position = next((n for n, s in enumerate(route) if s.key == key), 0)
    return next((s for s in reversed(route[:position]) if s.kind == "stamp"), route[position] if route else None)


def label_of(deed: Deed, step: Step | None) -> str:
    """Words on the button: the step's own for confirm and reject."""
    if step is not None and deed.action == "confirm":
        return step.confirm_label
    if step is not None and deed.action == "reject" and deed.kind == "review":
        return step.reject_label
    return deed.label


def is_by(deed: Deed, user: Account, declaration: Declaration, step: Step | None, assigned: bool) -> bool:
    """Whether ``user`` is the one whose deed it is: own enterprise, office in charge, assigned expert."""
    if deed.by == "enterprise":
        return user.enterprise_id is not None and user.enterprise_id == declaration.enterprise_id
    if deed.by == "expert":
        return roles.EXPERT in user.role_names and assigned
    level = step.level if step else ""
    return (
        level in user.role_names
        and declaration.region_code is not None
        and user.region_code == roles.level_region(level, declaration.region_code)
    )


def current_step(definition: Definition, declaration: Declaration) -> Step | None:
    """The step the declaration is in, if it is in progress."""
    if declaration.status != "in_progress" or declaration.step_key is None:
        return None
    return definition.step(declaration.step_key)


def available(case: Case, *, assigned: bool = False) -> list[Option]:
    """The deeds of ``case.user`` here, each with the reasons against it."""
    kind = case.step.kind if case.step else None
    options = []
    for deed in deeds(case.declaration.status, kind):
        if is_by(deed, case.user, case.declaration, case.step, assigned):
            reasons = tuple(r for r in (GUARDS[g](case) for g in deed.guards) if r)
            options.append(Option(deed, label_of(deed, case.step), reasons))
    return options


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
    who = last.actor_name if last else "系统"
    when = last.at.astimezone(SHANGHAI).strftime("%H:%M") if last else ""
    raise Conflict(
        f"这件申报刚被办过，您的内容还没提交。{when} {who}作了“{last.label if last else '修改'}”。您写的内容都在下面，没有丢。",
        event=last,
        declaration=declaration,
    )


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
) -> Done:
    """Do ``action`` on the locked ``declaration``. Raises Refused, Conflict or InvalidInput with all reasons at once."""
    assigned = _is_assigned(session, declaration, case.user)
    # First of all: who may not see it learns nothing, not even who acted last.
    if not rules.can_see(case.user, declaration, assigned and [assigned] or []):
        raise NotFound("没有找到这件申报。企业可能刚撤回了，请从“我的待办”重新打开。")
    check_version(session, declaration, version)
    step = case.step
    deed = find_deed(declaration.status, step.kind if step else None, action)
    if deed is None:
        raise Conflict("这件申报现在不能这样办，可能刚被别人办过。请刷新看最新状态。", declaration=declaration)
    if not is_by(deed, case.user, declaration, step, assigned is not None):
        raise Refused("这件申报现在不归您办。请看“我的待办”里轮到您办的事项。")
    reasons = [r for r in (GUARDS[g](case) for g in deed.guards) if r]
    if reasons:
        raise InvalidInput("".join(reasons), reasons=reasons)
    if deed.opinion and not case.opinion.strip():
        raise InvalidInput(
            f"请写明{label_of(deed, step)}的理由。", fields={"opinion": "请写明理由，企业会看到这段话。"}
        )
    before = declaration.status
    _move(declaration, deed, case, holidays, all_scored)
    declaration.version += 1
    event = record(
        session,
        declaration,
        case.user,
        action=action,
        label=label_of(deed, step),
        step_key=step.key if step else None,
        from_status=before,
        opinion=case.opinion.strip() or None,
        data=data or {},
        at=case.at,
        address=address,
    )
    effects = deed.effects
    if declaration.status == "approved" and "outcome" not in effects:
        effects = (*effects, "outcome")
    return Done(deed, event, effects, step)


def _is_assigned(session: Session, declaration: Declaration, user: Account) -> Assignment | None:
    if roles.EXPERT not in user.role_names:
        return None
    statement = select(Assignment).where(
        Assignment.declaration_id == declaration.id,
        Assignment.expert_id == user.id,
        Assignment.step_key == declaration.step_key,
        Assignment.done_at.is_(None),
    )
    return session.execute(statement).unique().scalar_one_or_none()


def _move(
    declaration: Declaration,
    deed: Deed,
    case: Case,
    holidays: Mapping[date, bool],
    all_scored: Callable[[], bool],
) -> None:
    goal, definition, params = deed.to, case.definition, case.params
    if goal == "stay" or (goal == "scored" and not all_scored()):
        # Taken off the last expert, it is the office's turn to ask somebody else.
        office = case.step.level if case.step and case.facts.get("experts_left") == 0 else None
        declaration.holder_role = office or roles.EXPERT
        return
    if goal in ("first", "next", "scored"):
        _enter(
            declaration,
            step_after(definition, params, None if goal == "first" else declaration.step_key),
            case,
            holidays,
        )
    elif goal == "back":
        _enter(declaration, step_back(definition, params, declaration.return_step), case, holidays)
    elif goal == "stamp":
        route_list = steps_of(definition, params)
        position = [s.key for s in route_list].index(declaration.step_key or "")
        _enter(declaration, next(s for s in reversed(route_list[:position]) if s.kind == "stamp"), case, holidays)
    elif goal == "returned":
        declaration.return_step = declaration.step_key
        _leave(declaration, "returned", case.at, roles.ENTERPRISE)
    else:
        _leave(declaration, goal, case.at, roles.ENTERPRISE if goal == "draft" else None)


def _enter(declaration: Declaration, step: Step | None, case: Case, holidays: Mapping[date, bool]) -> None:
    if step is None:
        _leave(declaration, "approved", case.at, None)
        return
    declaration.status, declaration.step_key, declaration.step_since = "in_progress", step.key, case.at
    declaration.due_at = due_at(case.at, step.due_days, holidays)
    region = declaration.region_code or ""
    if step.level == "enterprise":
        declaration.holder_role, declaration.holder_region = roles.ENTERPRISE, region
    else:
        declaration.holder_role, declaration.holder_region = step.level, roles.level_region(step.level, region)


def _leave(declaration: Declaration, status: str, at: datetime, holder: str | None) -> None:
    declaration.status, declaration.step_key, declaration.step_since = status, None, at
    declaration.holder_role, declaration.due_at = holder, None
    declaration.holder_region = declaration.region_code if holder else None
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
    previous = last_event(session, declaration) if declaration is not None else None
    event = Event(
        declaration_id=declaration.id if declaration is not None else None,
        subject=subject,
        at=at or now(),
        actor_id=user.id if user else None,
        actor_name=user.get_full_name() if user else "系统",
        actor_role=_role_of(user),
        action=action,
        label=label,
        step_key=step_key,
        from_status=from_status,
        to_status=declaration.status if declaration is not None else None,
        opinion=opinion,
        data=data or {},
        address=address,
        previous=previous.digest if previous else None,
        digest="",
    )
    event.digest = event_digest(event)
    session.add(event)
    session.flush()
    return event


def event_digest(event: Event) -> str:
    """SHA-256 over the event's facts and the digest before it. ``flask audit verify`` compares."""
    facts = [
        event.previous, event.declaration_id, event.subject, event.at.isoformat(timespec="microseconds"), event.actor_id,
        event.actor_name, event.actor_role, event.action, event.label, event.step_key, event.from_status,
        event.to_status, event.opinion, event.data,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(facts, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def _role_of(user: Account | None) -> str:
    if user is None:
        return "system"
    return next((r for r in (roles.ADMIN, *roles.OFFICERS, roles.EXPERT) if r in user.role_names), user.user_type)
