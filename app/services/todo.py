"""我的待办: what waits for a person, what they handled, and what their enterprise began. Fixed number of statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, select, tuple_
from sqlalchemy.orm import lazyload, selectinload

from app.definitions.schema import Step
from app.extensions import db
from app.models import Account, Assignment, Declaration, Event, Opinion, PublicList, PublicListEntry
from app.models.base import now
from app.permissions import roles, scopes
from app.services.queue_counts import Filters, Kind, Tally, clockwork, conditions, soon_limit, tally
from app.services.reference import holidays

__all__ = [
    "Entry",
    "Filters",
    "Kind",
    "Listing",
    "begun",
    "handled",
    "most_urgent",
    "neighbours",
    "soon_limit",
    "waiting",
]

PAGE = 20


@dataclass(frozen=True)
class Entry:
    """One declaration of a list, with what its row says. ``claimant``: name of the clerk at work on it; ``experts``: how
    many still owe a score; ``public``: the 公示 on which it stands."""

    declaration: Declaration
    step: Step | None
    revision: int = 0
    opinion: Opinion | None = None
    event: Event | None = None
    claimant: str | None = None
    experts: int = 0
    public: PublicList | None = None


@dataclass
class Listing:
    """One page of a list, ``size`` rows at most. ``tally`` counts the whole queue; empty in the other lists."""

    entries: list[Entry]
    total: int
    page: int
    size: int
    holidays: Mapping[date, bool] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)

    @property
    def pages(self) -> int:
        """Number of pages, at least one."""
        return max(1, -(-self.total // self.size))

    @property
    def kinds(self) -> list[Kind]:
        """What waits, by programme and step, filtered or not."""
        return self.tally.kinds

    @property
    def today(self) -> int:
        """How many of all that wait are due today."""
        return self.tally.today

    @property
    def overdue(self) -> int:
        """How many of all that wait are overdue."""
        return self.tally.overdue


_RETURNED = case((Declaration.status == "returned", 0), else_=1)


def urgency(user: Account) -> tuple[Any, ...]:
    """Order of urgency: returned ones first, then by due date (none last), then as they came.

    Nothing that was returned waits for an office: its queue is read in the order of its index.
    """
    order = (Declaration.due_at.asc().nulls_last(), Declaration.id)
    return order if user.enterprise_id is None else (_RETURNED, *order)


def waiting(user: Account, filters: Filters) -> Listing:
    """What waits for ``user``, most urgent first."""
    days = holidays()
    clock = clockwork(now(), days)
    mine, size = scopes.held_by(user), filters.size or PAGE
    counts = tally(user, mine, filters, clock)
    page = _clamp(filters.page, counts.total, size)
    # Ids first: they are found in the index alone, however far back the page is.
    wanted = select(Declaration.id).where(mine, *conditions(user, filters, clock)).order_by(*urgency(user))
    ids = db.session.scalars(_page(wanted, page, size)).all()
    found = {d.id: d for d in db.session.scalars(_full().where(Declaration.id.in_(ids)))}
    return Listing(_entries(user, [found[i] for i in ids]), counts.total, page, size, days, counts)


def handled(user: Account, filters: Filters) -> Listing:
    """Declarations on which ``user`` did something, the latest deed first, with that deed."""
    days, size = holidays(), filters.size or PAGE
    last = (
        select(Event.declaration_id, func.max(Event.id).label("last"))
        .where(Event.actor_id == user.id, Event.declaration_id.is_not(None))
        .group_by(Event.declaration_id)
        .subquery()
    )
    condition = and_(scopes.declarations(user), *conditions(user, filters, clockwork(now(), days)))
    pairs = select(last.c.declaration_id, last.c.last).join(Declaration, last.c.declaration_id == Declaration.id)
    total = db.session.scalar(select(func.count()).select_from(pairs.where(condition).subquery())) or 0
    page = _clamp(filters.page, total, size)
    wanted = _page(pairs.where(condition).order_by(last.c.last.desc()), page, size)
    newest = {row[0]: row[1] for row in db.session.execute(wanted)}
    deeds = {e.declaration_id: e for e in db.session.scalars(select(Event).where(Event.id.in_(newest.values())))}
    found = {d.id: d for d in db.session.scalars(_full().where(Declaration.id.in_(newest)))}
    return Listing(_entries(user, [found[i] for i in newest], deeds), total, page, size, days)


def begun(user: Account, filters: Filters) -> Listing:
    """Everything the user's enterprise declared, newest first."""
    days, size = holidays(), filters.size or PAGE
    wanted = conditions(user, filters, clockwork(now(), days))
    condition = and_(scopes.own(user), *wanted)
    total = db.session.scalar(select(func.count()).select_from(Declaration).where(condition)) or 0
    page = _clamp(filters.page, total, size)
    rows = db.session.scalars(_page(_full().where(condition).order_by(Declaration.id.desc()), page, size)).all()
    return Listing(_entries(user, rows), total, page, size, days)


def most_urgent(user: Account, *, besides: str | None = None) -> str | None:
    """Public id of the first of what waits for ``user``, other than ``besides``; what a colleague has claimed is left
    to them."""
    free = Declaration.claimed_by.is_(None) | (Declaration.claimed_by == user.id)
    statement = select(Declaration.public_id).where(scopes.held_by(user), free).order_by(*urgency(user)).limit(1)
    if besides is not None:
        statement = statement.where(Declaration.public_id != besides)
    return db.session.scalar(statement)


def neighbours(user: Account, public_id: str) -> tuple[str | None, str | None]:
    """Public ids before and after ``public_id`` in the user's queue; None where there is none.

    Both are looked up from where it stands, so that a long queue costs no more than a short one.
    """
    columns = (Declaration.status, Declaration.due_at, Declaration.id)
    mine = scopes.held_by(user)
    here = db.session.execute(select(*columns).where(mine, Declaration.public_id == public_id)).first()
    if here is None:
        return None, None
    return _beside(mine, _stretches(*here, after=False)), _beside(mine, _stretches(*here, after=True))


def _stretches(status: str, due: Any, key: int, *, after: bool) -> list[tuple[ColumnElement[bool], tuple[Any, ...]]]:
    """The queue on one side of a place as stretches, nearest first: each with its condition and its order.

    It consists of what was returned, what is due, and what has no due date.
    """
    returned = Declaration.status == "returned"
    whole = [
        (returned, (Declaration.id,), (key,)),
        (and_(~returned, Declaration.due_at.is_not(None)), (Declaration.due_at, Declaration.id), (due, key)),
        (and_(~returned, Declaration.due_at.is_(None)), (Declaration.id,), (key,)),
    ]
    place = 0 if status == "returned" else (2 if due is None else 1)
    condition, columns, values = whole[place]
    here, there = tuple_(*columns), tuple_(*values)
    nearest = and_(condition, here > there if after else here < there)
    others = whole[place + 1 :] if after else whole[:place][::-1]
    found = [(nearest, columns), *((c, order) for c, order, _values in others)]
    return [(c, tuple(o if after else o.desc() for o in order)) for c, order in found]


def _beside(mine: ColumnElement[bool], stretches: Sequence[tuple[ColumnElement[bool], tuple[Any, ...]]]) -> str | None:
    """Public id of the first declaration that any of ``stretches`` has."""
    for condition, order in stretches:
        statement = select(Declaration.public_id).where(mine, condition).order_by(*order).limit(1)
        if (found := db.session.scalar(statement)) is not None:
            return found
    return None


def _full() -> Select[tuple[Declaration]]:
    # Programmes and batches repeat on nearly every row: read once each, not once a row. The enterprise's name is in the row.
    parts = (selectinload(Declaration.programme), selectinload(Declaration.batch), lazyload(Declaration.enterprise))
    return select(Declaration).options(*parts)


def _page(statement: Select[Any], page: int, size: int) -> Select[Any]:
    return statement.limit(size).offset((page - 1) * size)


def _clamp(page: int, total: int, size: int) -> int:
    return min(max(1, page), max(1, -(-total // size)))


def _entries(
    user: Account, rows: Sequence[Declaration], deeds: Mapping[int | None, Event] | None = None
) -> list[Entry]:
    ids = [d.id for d in rows]
    opinions = _latest_opinions(ids) if user.enterprise_id is not None else {}
    names = names_of({d.claimed_by for d in rows if d.claimed_by is not None})
    experts = open_scores([d.id for d in rows if d.holder_role == roles.EXPERT])
    lists = _lists_of([d.id for d in rows if _is_publicised(d)])
    return [
        Entry(d, step_of(d), d.revision_no, opinions.get(d.id), (deeds or {}).get(d.id),
              names.get(d.claimed_by or 0), experts.get(d.id, 0), lists.get(d.id))
        for d in rows
    ]  # fmt: skip


def _is_publicised(declaration: Declaration) -> bool:
    step = step_of(declaration)
    return step is not None and step.kind == "publicity"


def _lists_of(ids: Sequence[int]) -> dict[int, PublicList]:
    """The newest 公示 by declaration id."""
    if not ids:
        return {}
    statement = (
        select(PublicListEntry.declaration_id, PublicList)
        .join(PublicList, PublicList.id == PublicListEntry.list_id)
        .where(PublicListEntry.declaration_id.in_(ids), PublicList.kind == "publicity")
        .order_by(PublicList.id)
    )
    return {key: public for key, public in db.session.execute(statement).unique()}


def _latest_opinions(ids: Sequence[int]) -> dict[int, Opinion]:
    latest = select(func.max(Opinion.id)).where(Opinion.declaration_id.in_(ids)).group_by(Opinion.declaration_id)
    # Not the declaration that an opinion would join: it is the row itself.
    statement = select(Opinion).where(Opinion.id.in_(latest)).options(lazyload(Opinion.declaration))
    return {o.declaration_id: o for o in db.session.scalars(statement)}


def names_of(accounts: set[int]) -> dict[int, str]:
    """Names of people by account id."""
    if not accounts:
        return {}
    person = func.coalesce(func.nullif(Account.display_name, ""), Account.username)
    found = select(Account.id, person).where(Account.id.in_(accounts))
    return {key: name for key, name in db.session.execute(found)}


def open_scores(ids: Sequence[int]) -> dict[int, int]:
    """How many experts still owe a score, by declaration id."""
    if not ids:
        return {}
    owed = select(Assignment.declaration_id, func.count()).where(
        Assignment.declaration_id.in_(ids), Assignment.done_at.is_(None)
    )
    return {key: count for key, count in db.session.execute(owed.group_by(Assignment.declaration_id))}


def step_of(declaration: Declaration) -> Step | None:
    """The step it is in, or None outside steps."""
    if declaration.status != "in_progress" or declaration.step_key is None:
        return None
    return declaration.programme.definition.step(declaration.step_key)
