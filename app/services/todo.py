"""我的待办: what waits for a person, what they handled, and what their enterprise began. Fixed number of statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select
from sqlalchemy.orm import joinedload, lazyload, selectinload

from app.definitions.schema import Step
from app.extensions import db
from app.models import Account, Declaration, Event, Opinion, Programme, Revision
from app.models.base import now
from app.permissions import scopes
from app.services.reference import holidays
from app.workflow.calendar import UnknownYear, add_working_days, end_of, local_date

PAGE = 20
SOON_DAYS = 3
"""Working days that count as due soon."""


@dataclass(frozen=True)
class Filters:
    """What the address asks for. ``query`` is part of a name or serial; ``page`` counts from 1."""

    programme: str | None = None
    step: str | None = None
    soon: bool = False
    query: str = ""
    page: int = 1


@dataclass(frozen=True)
class Entry:
    """One declaration of a list, with what its row says."""

    declaration: Declaration
    step: Step | None
    revision: int = 0
    opinion: Opinion | None = None
    event: Event | None = None


@dataclass(frozen=True)
class Kind:
    """How many wait in one step of one programme. ``status`` tells drafts and returned ones apart."""

    programme: str
    title: str
    step: str | None
    label: str
    status: str
    count: int


@dataclass
class Listing:
    """One page of a list. ``today`` and ``overdue`` count all that wait, filtered or not."""

    entries: list[Entry]
    total: int
    page: int
    kinds: list[Kind] = field(default_factory=list)
    today: int = 0
    overdue: int = 0
    holidays: Mapping[date, bool] = field(default_factory=dict)

    @property
    def pages(self) -> int:
        """Number of pages, at least one."""
        return max(1, -(-self.total // PAGE))


def urgency() -> tuple[Any, ...]:
    """Order of urgency: returned ones first, then by due date (none last), then as they came."""
    returned = case((Declaration.status == "returned", 0), else_=1)
    return (returned, Declaration.due_at.is_(None), Declaration.due_at, Declaration.id)


def waiting(user: Account, filters: Filters) -> Listing:
    """What waits for ``user``, most urgent first."""
    days = holidays()
    moment = now()
    mine = scopes.held_by(user)
    condition = and_(mine, *_wanted(filters, moment, days))
    total, page = _count(condition, filters)
    rows = db.session.scalars(_page(_full().where(condition).order_by(*urgency()), page)).all()
    today, overdue = _due(mine, moment)
    return Listing(_entries(rows), total, page, _kinds(mine), today, overdue, days)


def handled(user: Account, filters: Filters) -> Listing:
    """Declarations on which ``user`` did something, the latest deed first, with that deed."""
    last = (
        select(Event.declaration_id, func.max(Event.id).label("last"))
        .where(Event.actor_id == user.id, Event.declaration_id.is_not(None))
        .group_by(Event.declaration_id)
        .subquery()
    )
    condition = and_(scopes.declarations(user), *_wanted(filters, now(), {}))
    total = db.session.scalar(
        select(func.count()).select_from(Declaration).join(last, last.c.declaration_id == Declaration.id).where(condition)
    ) or 0  # fmt: skip
    page = _clamp(filters.page, total)
    statement = (
        _full().join(last, last.c.declaration_id == Declaration.id).where(condition).order_by(last.c.last.desc())
    )
    rows = db.session.scalars(_page(statement, page)).all()
    ids = [d.id for d in rows]
    newest = select(func.max(Event.id)).where(Event.actor_id == user.id, Event.declaration_id.in_(ids)).group_by(
        Event.declaration_id
    )  # fmt: skip
    deeds = {e.declaration_id: e for e in db.session.scalars(select(Event).where(Event.id.in_(newest)))}
    return Listing(_entries(rows, deeds), total, page, holidays=holidays())


def begun(user: Account, filters: Filters) -> Listing:
    """Everything the user's enterprise declared, newest first."""
    condition = and_(Declaration.enterprise_id == user.enterprise_id, *_wanted(filters, now(), {}))
    total, page = _count(condition, filters)
    rows = db.session.scalars(_page(_full().where(condition).order_by(Declaration.id.desc()), page)).all()
    return Listing(_entries(rows), total, page, holidays=holidays())


def most_urgent(user: Account, *, besides: str | None = None) -> str | None:
    """Public id of the first of what waits for ``user``, other than ``besides``."""
    statement = select(Declaration.public_id).where(scopes.held_by(user)).order_by(*urgency()).limit(1)
    if besides is not None:
        statement = statement.where(Declaration.public_id != besides)
    return db.session.scalar(statement)


def neighbours(user: Account, public_id: str) -> tuple[str | None, str | None]:
    """Public ids before and after ``public_id`` in the user's queue; None where there is none."""
    order = urgency()
    queue = (
        select(
            Declaration.public_id.label("here"),
            func.lag(Declaration.public_id).over(order_by=order).label("before"),
            func.lead(Declaration.public_id).over(order_by=order).label("after"),
        )
        .where(scopes.held_by(user))
        .subquery()
    )
    found = db.session.execute(select(queue.c.before, queue.c.after).where(queue.c.here == public_id)).first()
    return (found[0], found[1]) if found else (None, None)


def _full() -> Select[tuple[Declaration]]:
    # Programmes and batches repeat on nearly every row: read once each, not once a row.
    return select(Declaration).options(
        selectinload(Declaration.programme), selectinload(Declaration.batch), joinedload(Declaration.enterprise)
    )


def _page(statement: Select[tuple[Declaration]], page: int) -> Select[tuple[Declaration]]:
    return statement.limit(PAGE).offset((page - 1) * PAGE)


def _clamp(page: int, total: int) -> int:
    return min(max(1, page), max(1, -(-total // PAGE)))


def _count(condition: ColumnElement[bool], filters: Filters) -> tuple[int, int]:
    total = db.session.scalar(select(func.count()).select_from(Declaration).where(condition)) or 0
    return total, _clamp(filters.page, total)


def _wanted(filters: Filters, moment: datetime, days: Mapping[date, bool]) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if filters.programme:
        wanted.append(Declaration.programme_key == filters.programme)
    if filters.step in ("draft", "returned"):
        wanted.append(Declaration.status == filters.step)
    elif filters.step:
        wanted.append(and_(Declaration.step_key == filters.step, Declaration.status == "in_progress"))
    if filters.soon:
        wanted.append(Declaration.due_at <= soon_limit(moment, days))
    if filters.query:
        title = exists().where(
            Programme.id == Declaration.programme_id, Programme.title.contains(filters.query, autoescape=True)
        )
        wanted.append(
            or_(
                Declaration.enterprise_name.contains(filters.query, autoescape=True),
                Declaration.serial_no.icontains(filters.query, autoescape=True),
                title,
            )
        )
    return wanted


def soon_limit(moment: datetime, days: Mapping[date, bool]) -> datetime:
    """End of the day up to which something is due soon; calendar days where holidays are not published yet."""
    today = local_date(moment)
    try:
        return end_of(add_working_days(today, SOON_DAYS, days))
    except UnknownYear:
        return end_of(today + timedelta(days=SOON_DAYS))


def _due(mine: ColumnElement[bool], moment: datetime) -> tuple[int, int]:
    end = end_of(local_date(moment))
    statement = select(
        func.count().filter(and_(Declaration.due_at > moment, Declaration.due_at <= end)),
        func.count().filter(Declaration.due_at <= moment),
    ).where(mine)
    today, overdue = db.session.execute(statement).one()
    return today, overdue


def _kinds(mine: ColumnElement[bool]) -> list[Kind]:
    group = (Declaration.programme_key, Declaration.step_key, Declaration.status)
    newest = func.max(Declaration.programme_id)
    counted = db.session.execute(
        select(*group, func.count(), newest).where(mine).group_by(*group).order_by(*group)
    ).all()
    versions = {v.id: v for v in db.session.scalars(select(Programme).where(Programme.id.in_({c[4] for c in counted})))}
    kinds = []
    for key, step, status, count, version in counted:
        definition = versions[version].definition
        label = definition.step(step).label if step and status == "in_progress" else ""
        kinds.append(Kind(key, definition.menu or definition.title, step, label, status, count))
    return kinds


def _entries(rows: Sequence[Declaration], deeds: Mapping[int, Event] | None = None) -> list[Entry]:
    ids = [d.id for d in rows]
    numbers = select(Revision.declaration_id, func.max(Revision.number)).where(Revision.declaration_id.in_(ids))
    revisions = {i: n for i, n in db.session.execute(numbers.group_by(Revision.declaration_id))}
    latest = select(func.max(Opinion.id)).where(Opinion.declaration_id.in_(ids)).group_by(Opinion.declaration_id)
    # Not the declaration that an opinion would join: it is the row itself.
    statement = select(Opinion).where(Opinion.id.in_(latest)).options(lazyload(Opinion.declaration))
    opinions = {o.declaration_id: o for o in db.session.scalars(statement)}
    return [
        Entry(d, step_of(d), revisions.get(d.id, 0), opinions.get(d.id), (deeds or {}).get(d.id)) for d in rows
    ]  # fmt: skip


def step_of(declaration: Declaration) -> Step | None:
    """The step it is in, or None outside steps."""
    if declaration.status != "in_progress" or declaration.step_key is None:
        return None
    return declaration.programme.definition.step(declaration.step_key)
