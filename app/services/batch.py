"""Batches: who sees them, opening and changing them, what they hold, and ticks for what happens outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from app.definitions import registry
from app.definitions.schema import Definition
from app.errors import Conflict, InvalidInput, NotFound, Refused
from app.extensions import db
from app.models import Account, Batch, Declaration, Event
from app.models.base import now
from app.permissions import roles, scopes
from app.services.declaration import definition_of
from app.services.projection import current_programme
from app.services.unit_of_work import unit_of_work
from app.workflow import engine
from app.workflow.calendar import SHANGHAI, end_of, local_date
from app.workflow.route import steps_of

PAGE = 50
WINDOWLESS = ("certification", "change", "update", "re_review", "account_change")
"""Kinds whose one standing batch is made at set-up, not by an officer."""


@dataclass(frozen=True)
class Counted:
    """How many declarations of a batch stand in one status and step."""

    status: str
    step: str | None
    label: str
    count: int


@dataclass(frozen=True)
class Summary:
    """A batch of the list with its counts."""

    batch: Batch
    definition: Definition
    counts: list[Counted]

    @property
    def total(self) -> int:
        """How many declarations this person may see in it."""
        return sum(c.count for c in self.counts)

    def of(self, *statuses: str) -> int:
        """How many are in these statuses."""
        return sum(c.count for c in self.counts if c.status in statuses)


@dataclass(frozen=True)
class Changes:
    """What a batch form holds. Moments are aware; ``parameters`` are typed as the definition's are."""

    title: str
    opens_at: datetime | None
    closes_at: datetime | None
    published: bool
    parameters: Mapping[str, Any] = field(default_factory=dict)


def window_between(opens: date | None, closes: date | None) -> tuple[datetime | None, datetime | None]:
    """From 0:00 of the first day to 24:00 of the last, Shanghai time, as aware moments (the end is exclusive)."""
    start = datetime.combine(opens, datetime.min.time(), SHANGHAI) if opens else None
    return start, end_of(closes) if closes else None


def days_of(batch: Batch) -> tuple[date | None, date | None]:
    """First and last day of a batch's window: the inverse of ``window_between``."""
    last = batch.closes_at - timedelta(microseconds=1) if batch.closes_at else None
    return local_date(batch.opens_at) if batch.opens_at else None, local_date(last) if last else None


def may_manage(user: Account, region_code: str) -> bool:
    """Whether ``user`` opens and changes batches of this region: administrators and the region's own officers."""
    held = user.role_names
    return roles.ADMIN in held or (bool(held & {roles.CITY, roles.PROVINCE}) and user.region_code == region_code)


def visible(user: Account) -> ColumnElement[bool]:
    """Condition on ``Batch``: those of the user's region, of regions inside it and of those around it."""
    if roles.ADMIN in user.role_names:
        return Batch.id.is_not(None)
    code = user.region_code or "-"
    around = {code, code[:4] + "00", code[:2] + "0000", "000000"}
    return Batch.region_code.startswith(roles.region_prefix(code), autoescape=True) | Batch.region_code.in_(around)


def batches_of(user: Account) -> list[Summary]:
    """Every batch this person may see, newest first, with the counts of their declarations."""
    found = db.session.scalars(select(Batch).where(visible(user)).order_by(Batch.id.desc())).all()
    counts = _counts(user, [b.id for b in found])
    return [_summary(b, counts.get(b.id, {})) for b in found]


def load(user: Account, public_id: str) -> Summary:
    """The batch with its counts; NotFound if it is none of this person's business."""
    batch = db.session.scalars(select(Batch).where(Batch.public_id == public_id, visible(user))).first()
    if batch is None:
        raise NotFound("没有找到这个批次。请从“批次”重新选。")
    return _summary(batch, _counts(user, [batch.id]).get(batch.id, {}))


def _counts(user: Account, ids: list[int]) -> dict[int, dict[tuple[str, str | None], int]]:
    group = (Declaration.batch_id, Declaration.status, Declaration.step_key)
    # A draft is nobody's business but the enterprise's; the scope leaves them out for officers.
    statement = select(*group, func.count()).where(Declaration.batch_id.in_(ids), scopes.declarations(user))
    counts: dict[int, dict[tuple[str, str | None], int]] = {}
    for batch_id, status, step, count in db.session.execute(statement.group_by(*group)):
        counts.setdefault(batch_id, {})[(status, step if status == "in_progress" else None)] = count
    return counts


def _summary(batch: Batch, counts: Mapping[tuple[str, str | None], int]) -> Summary:
    definition = definition_of(batch.programme_key)
    order = {s.key: n for n, s in enumerate(definition.route)}
    labels = {s.key: s.label for s in definition.route}
    rows = [Counted(status, step, labels.get(step or "", ""), n) for (status, step), n in counts.items()]
    return Summary(
        batch, definition, sorted(rows, key=lambda c: (c.step is None, order.get(c.step or "", 99), c.status))
    )


def declarations(
    user: Account, batch: Batch, *, status: str | None, step: str | None, page: int
) -> tuple[list[Declaration], int]:
    """One page of the batch's declarations by serial number, and how many there are in all."""
    condition = and_(Declaration.batch_id == batch.id, scopes.declarations(user))
    if step:
        condition &= and_(Declaration.step_key == step, Declaration.status == "in_progress")
    elif status:
        condition &= Declaration.status == status
    total = db.session.scalar(select(func.count()).select_from(Declaration).where(condition)) or 0
    statement = (
        select(Declaration)
        .options(
            selectinload(Declaration.programme), selectinload(Declaration.batch), joinedload(Declaration.enterprise)
        )
        .where(condition)
        .order_by(Declaration.serial_no.is_(None), Declaration.serial_no, Declaration.id)
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    )
    return list(db.session.scalars(statement)), total


def programmes() -> list[Definition]:
    """Programmes for which an officer opens batches."""
    return [d for d in registry.catalogue() if d.kind not in WINDOWLESS]


def create_batch(user: Account, programme_key: str, year: int, region_code: str, changes: Changes) -> str:
    """Open a batch; returns its public id. Refused or InvalidInput say why not."""
    if programme_key not in {d.key for d in programmes()}:
        raise InvalidInput("请选一个申报项目。", fields={"programme": "请选一个申报项目。"})
    if not may_manage(user, region_code):
        raise Refused("只有市工信局的工作人员和平台管理员可以开批次。")
    with unit_of_work() as session:
        current_programme(session, programme_key)
        batch = Batch(
            programme_key=programme_key,
            title=changes.title,
            year=year,
            region_code=region_code,
            opens_at=changes.opens_at,
            closes_at=changes.closes_at,
            published=changes.published,
            parameters=dict(changes.parameters),
            created_at=now(),
        )
        session.add(batch)
        session.flush()
        _record(session, user, batch, "batch_create", "新建批次", {"title": batch.title})
        return batch.public_id


def change_batch(user: Account, public_id: str, version: int, changes: Changes) -> None:
    """Change title, window and parameters, with an event. Conflict if somebody else changed it meanwhile."""
    with unit_of_work() as session:
        batch = _locked(session, user, public_id, version)
        before = _facts(batch)
        _refuse_switched_off(session, batch, changes.parameters)
        batch.title, batch.published = changes.title, changes.published
        batch.opens_at, batch.closes_at = changes.opens_at, changes.closes_at
        batch.parameters = dict(changes.parameters)
        batch.version += 1
        after = _facts(batch)
        changed = {k: [before.get(k), after.get(k)] for k in before | after if before.get(k) != after.get(k)}
        _record(session, user, batch, "batch_change", "修改批次", changed)


def tick_reminder(user: Account, public_id: str, key: str, done: bool) -> None:
    """Note, or take back, that something outside the platform was done; with name and time."""
    with unit_of_work() as session:
        batch = _locked(session, user, public_id, None)
        reminder = next((r for r in definition_of(batch.programme_key).reminders if r.key == key), None)
        if reminder is None:
            raise NotFound("没有这一项提醒，请刷新页面。")
        ticks = {k: v for k, v in batch.reminders_done.items() if k != key}
        if done:
            ticks[key] = {"by": user.get_full_name(), "at": now().isoformat()}
        batch.reminders_done = ticks
        _record(session, user, batch, "batch_reminder", "勾选提醒" if done else "取消提醒", {"key": key})


def _locked(session: Session, user: Account, public_id: str, version: int | None) -> Batch:
    batch = session.scalars(
        select(Batch).where(Batch.public_id == public_id, visible(user)).with_for_update()
    ).first()  # fmt: skip
    if batch is None:
        raise NotFound("没有找到这个批次。请从“批次”重新选。")
    if not may_manage(user, batch.region_code):
        raise Refused("这个批次由市工信局管理，您可以查看，不能修改。")
    if version is not None and batch.version != version:
        last = session.scalars(
            select(Event).where(Event.subject == _subject(batch)).order_by(Event.id.desc()).limit(1)
        ).first()  # fmt: skip
        who = last.actor_name if last else "别人"
        raise Conflict(f"这个批次刚被{who}改过，您的修改还没保存。您填的内容都在下面，请核对最新内容后再保存。")
    return batch


def _refuse_switched_off(session: Session, batch: Batch, parameters: Mapping[str, Any]) -> None:
    """A step cannot be switched off while declarations stand in it: they would have no way on."""
    definition = definition_of(batch.programme_key)
    values = registry.parameters_of(definition, dict(parameters))
    kept = {s.key for s in steps_of(definition, values)}
    for step in definition.route:
        if step.key in kept:
            continue
        count = session.scalar(
            select(func.count()).where(
                Declaration.batch_id == batch.id, Declaration.status == "in_progress", Declaration.step_key == step.key
            )
        )
        if count:
            sentence = f"还有 {count} 件申报在“{step.label}”，办完以后才能关掉这一步。"
            raise InvalidInput(sentence, fields={f"parameter_{step.enabled_by}": sentence})


def _subject(batch: Batch) -> str:
    return f"batch:{batch.public_id}"


def _facts(batch: Batch) -> dict[str, Any]:
    return {
        "title": batch.title,
        "opens_at": batch.opens_at and batch.opens_at.isoformat(),
        "closes_at": batch.closes_at and batch.closes_at.isoformat(),
        "published": batch.published,
        **{f"parameter_{k}": v for k, v in batch.parameters.items()},
    }


def _record(session: Session, user: Account, batch: Batch, action: str, label: str, data: dict[str, Any]) -> None:
    engine.record(session, None, user, action=action, label=label, subject=_subject(batch), data=data)


def events_of(batch: Batch, limit: int = 10) -> list[Event]:
    """What happened to the batch, newest first."""
    statement = select(Event).where(Event.subject == _subject(batch)).order_by(Event.id.desc()).limit(limit)
    return list(db.session.scalars(statement))
