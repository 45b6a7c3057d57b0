"""What a queue is filtered by, and how many each filter would leave: one grouped statement for all of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, or_, select

from app.extensions import db
from app.models import Account, Batch, Declaration, Programme
from app.workflow.calendar import UnknownYear, add_working_days, end_of, local_date

SOON_DAYS = 3
"""Working days that count as due soon."""
CLAIMS = ("mine", "free", "others")
"""Whose claim a filter may ask for."""


@dataclass(frozen=True)
class Filters:
    """What the address asks for. ``query`` is part of a name or serial; ``page`` counts from 1, ``size`` rows each (None:
    as usual). ``claim`` is one of ``CLAIMS``, ``again``: handed in more than once, ``batch`` a public id."""

    programme: str | None = None
    step: str | None = None
    batch: str | None = None
    district: str | None = None
    claim: str | None = None
    soon: bool = False
    overdue: bool = False
    again: bool = False
    findings: bool = False
    query: str = ""
    page: int = 1
    size: int | None = None

    @property
    def any(self) -> bool:
        """Whether anything is filtered away."""
        chosen = (self.programme, self.step, self.batch, self.district, self.claim, self.query)
        return any(chosen) or self.soon or self.overdue or self.again or self.findings


@dataclass(frozen=True)
class Kind:
    """How many wait in one step of one programme. ``status`` tells drafts and returned ones apart."""

    programme: str
    title: str
    step: str | None
    label: str
    status: str
    count: int

    @property
    def place(self) -> str:
        """What the filter by step calls it."""
        return _place(self.status, self.step)


@dataclass
class Tally:
    """Counts of a queue. ``total`` passes every filter; ``today`` and ``overdue`` count all that wait, filtered or not.

    ``counts`` says by (dimension, value) how many that value leaves under all the other filters; ``batches`` are those that
    occur, by id.
    """

    total: int = 0
    today: int = 0
    overdue: int = 0
    kinds: list[Kind] = field(default_factory=list)
    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    batches: dict[int, Batch] = field(default_factory=dict)

    def values(self, dimension: str) -> dict[str, int]:
        """Count by value of one dimension, as they came."""
        return {value: count for (d, value), count in self.counts.items() if d == dimension}


@dataclass(frozen=True)
class Clockwork:
    """The moments that the queue is measured against."""

    at: datetime
    today: datetime
    soon: datetime


def clockwork(at: datetime, days: Mapping[date, bool]) -> Clockwork:
    """``at`` with the end of its day and the end of what is due soon."""
    return Clockwork(at, end_of(local_date(at)), soon_limit(at, days))


def soon_limit(moment: datetime, days: Mapping[date, bool]) -> datetime:
    """End of the day up to which something is due soon; calendar days where holidays are not published yet."""
    today = local_date(moment)
    try:
        return end_of(add_working_days(today, SOON_DAYS, days))
    except UnknownYear:
        return end_of(today + timedelta(days=SOON_DAYS))


def _place(status: str, step: str | None) -> str:
    return status if status in ("draft", "returned") else (step or "")


# -- conditions -----------------------------------------------------------------------------------------------------


def conditions(user: Account, filters: Filters, clock: Clockwork) -> list[ColumnElement[bool]]:
    """Everything that ``filters`` asks of a ``Declaration``."""
    return [*_of_groups(filters), *_switched_on(_choices(user, clock), filters).values(), *_found(filters.query)]


def _of_groups(filters: Filters) -> Iterator[ColumnElement[bool]]:
    if filters.programme:
        yield Declaration.programme_key == filters.programme
    if filters.step in ("draft", "returned"):
        yield Declaration.status == filters.step
    elif filters.step:
        yield and_(Declaration.step_key == filters.step, Declaration.status == "in_progress")
    if filters.batch:
        yield Declaration.batch_id == select(Batch.id).where(Batch.public_id == filters.batch).scalar_subquery()
    if filters.district:
        yield Declaration.region_code == filters.district


Chips = Mapping[tuple[str, str], ColumnElement[bool]]


def _choices(user: Account, clock: Clockwork) -> Chips:
    """Condition of every chip that is not a column's value, by (dimension, value)."""
    return {
        ("soon", "1"): Declaration.due_at <= clock.soon,
        ("overdue", "1"): Declaration.due_at <= clock.at,
        ("claim", "mine"): Declaration.claimed_by == user.id,
        ("claim", "free"): Declaration.claimed_by.is_(None),
        ("claim", "others"): Declaration.claimed_by != user.id,
        ("again", "1"): Declaration.revision_no > 1,
        ("findings", "1"): Declaration.finding_count > 0,
    }


def _switched_on(choices: Chips, filters: Filters) -> dict[str, ColumnElement[bool]]:
    """Conditions of the chips that are on, by dimension."""
    on = {
        "soon": "1" if filters.soon else None,
        "overdue": "1" if filters.overdue else None,
        "claim": filters.claim,
        "again": "1" if filters.again else None,
        "findings": "1" if filters.findings else None,
    }
    return {d: choices.get((d, value), false()) for d, value in on.items() if value}


def _found(query: str) -> list[ColumnElement[bool]]:
    """Part of the enterprise's name, the serial number or the programme's title."""
    if not query:
        return []
    titled = select(Programme.id).where(Programme.title.contains(query, autoescape=True))
    named = Declaration.enterprise_name.contains(query, autoescape=True)
    return [
        or_(named, Declaration.serial_no.icontains(query, autoescape=True), Declaration.programme_id.in_(titled))
    ]  # fmt: skip


# -- counting -------------------------------------------------------------------------------------------------------

_GROUPS = (
    Declaration.programme_key, Declaration.step_key, Declaration.status, Declaration.batch_id, Declaration.region_code
)  # fmt: skip
"""The columns that lead ``ix_declaration_count`` after the holder: they are counted in the order of the index."""


def tally(user: Account, mine: ColumnElement[bool], filters: Filters, clock: Clockwork) -> Tally:
    """Counts of everything that fulfils ``mine``. A search needs a second statement: the kinds are those of the whole."""
    choices = _choices(user, clock)
    on = _switched_on(choices, filters)
    # What each chip leaves is counted under the others that are on, not under those of its own dimension.
    chips = {
        (d, value): and_(condition, *(c for other, c in on.items() if other != d)) if on else condition
        for (d, value), condition in choices.items()
    }
    groups = _read(_found_in(mine, filters.query), chips, clock, on.values())
    whole = _read(mine, {}, clock) if filters.query else groups
    found = Tally(today=sum(g.today for g in whole), overdue=sum(g.late for g in whole))
    batches = db.session.scalars(select(Batch).where(Batch.id.in_({g.batch for g in whole})))
    found.batches = {b.id: b for b in batches}
    found.kinds = _kinds(whole)
    passing = [group for group in groups if not _sum_up(found, group, filters)]
    found.total = sum(g.count for g in passing)
    sums = (sum(column) for column in zip(*(g.chips for g in passing), strict=True))
    found.counts |= dict(zip(chips, sums, strict=False))
    return found


@dataclass(frozen=True)
class _Group:
    """One line of the grouped statement. ``count`` passes all chips that are on, ``every`` is all of the group."""

    programme: str
    step: str | None
    status: str
    batch: int
    district: str | None
    every: int
    version: int
    today: int
    late: int
    count: int
    chips: Sequence[int]


def _found_in(mine: ColumnElement[bool], query: str) -> ColumnElement[bool]:
    """``mine`` and what the search finds: looked up by itself, so that the counting stays within its index."""
    if not query:
        return mine
    return and_(mine, Declaration.id.in_(select(Declaration.id).where(mine, *_found(query))))


def _read(
    within: ColumnElement[bool], chips: Chips, clock: Clockwork, on: Collection[ColumnElement[bool]] = ()
) -> list[_Group]:
    columns: list[Any] = [
        *_GROUPS,
        func.count(),
        func.max(Declaration.programme_id),
        func.count().filter(and_(Declaration.due_at > clock.at, Declaration.due_at <= clock.today)),
        func.count().filter(Declaration.due_at <= clock.at),
        func.count().filter(and_(*on)) if on else func.count(),
        *(func.count().filter(condition) for condition in chips.values()),
    ]
    statement = select(*columns).where(within).group_by(*_GROUPS)
    return [_group(row, len(chips)) for row in db.session.execute(statement.order_by(*_GROUPS))]


def _group(row: Sequence[Any], chips: int) -> _Group:
    """One row of the statement: what stands for itself, then as many counts as there are ``chips``."""
    plain = len(row) - chips
    values: list[Any] = [*row[:plain], row[plain:]]
    return _Group(*values)


def _sum_up(found: Tally, group: _Group, filters: Filters) -> list[str]:
    """Add one group to the values it counts for: all of them, or that of the one dimension that keeps it out. Returns the
    dimensions that do."""
    batch = found.batches[group.batch].public_id if group.batch in found.batches else ""
    values = (
        ("programme", group.programme, filters.programme), ("step", _place(group.status, group.step), filters.step),
        ("batch", batch, filters.batch), ("district", group.district or "", filters.district),
    )  # fmt: skip
    failing = [dimension for dimension, value, asked in values if asked and value != asked]
    for dimension, value, _asked in values:
        if not failing or failing == [dimension]:
            found.counts[dimension, value] = found.counts.get((dimension, value), 0) + group.count
    return failing


def _kinds(groups: list[_Group]) -> list[Kind]:
    counts: dict[tuple[str, str | None, str], list[int]] = {}
    for group in groups:
        line = counts.setdefault((group.programme, group.step, group.status), [0, 0])
        line[0], line[1] = line[0] + group.every, max(line[1], group.version)
    ids = {version for _count, version in counts.values()}
    versions = {v.id: v for v in db.session.scalars(select(Programme).where(Programme.id.in_(ids)))}
    kinds = []
    for (key, step, status), (count, version) in counts.items():
        definition = versions[version].definition
        label = definition.step(step).label if step and status == "in_progress" else ""
        kinds.append(Kind(key, definition.menu or definition.title, step, label, status, count))
    return kinds
