"""A queue of ten thousand: found in its indexes, counted in one statement, the same number of statements as a short one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, text

from app.extensions import db
from app.models import Account, Batch, Declaration
from app.models.base import now
from app.permissions import roles, scopes
from app.services import todo
from app.services.queue_counts import Filters, clockwork, conditions, tally
from tests import factories, factories_queue
from tests.integration.services.test_todo import counted

LARGE = 500
VARIANTS: dict[str, Filters] = {
    "all": Filters(),
    "last page": Filters(page=999),
    "soon": Filters(soon=True),
    "overdue": Filters(overdue=True),
    "mine": Filters(claim="mine"),
    "free": Filters(claim="free"),
    "others": Filters(claim="others"),
    "again": Filters(again=True),
    "findings": Filters(findings=True),
    "step": Filters(step="publish_list"),
    "district": Filters(district="230102"),
    "combined": Filters(step="preliminary_review", claim="free", findings=True, soon=True),
    "search": Filters(query="轴承"),
    "search and chip": Filters(query="第", claim="mine", again=True),
}


@pytest.fixture
def clerks(context: Flask) -> list[Account]:
    return [factories.make_account(roles.CITY), factories.make_account(roles.CITY)]


def fill(count: int, clerks: list[Account], seed: int = 1) -> list[Batch]:
    batches = [factories.make_batch() for _n in range(2)]
    factories_queue.fill_queue(count, batches, clerks, seed=seed)
    db.session.rollback()
    return batches


def naive(user: Account, filters: Filters, batches: list[Batch]) -> list[Declaration]:
    """By hand: what passes the filters."""
    limit, at = todo.soon_limit(now(), todo.holidays()), now()
    tests = {
        "programme": lambda d: d.programme_key == filters.programme,
        "step": lambda d: d.step_key == filters.step,
        "district": lambda d: d.region_code == filters.district,
        "batch": lambda d: d.batch.public_id == filters.batch,
        "soon": lambda d: d.due_at is not None and d.due_at <= limit,
        "overdue": lambda d: d.due_at is not None and d.due_at <= at,
        "again": lambda d: d.revision_no > 1,
        "findings": lambda d: d.finding_count > 0,
        "query": lambda d: filters.query in d.enterprise_name or filters.query in d.programme.title,
        "claim": lambda d: {
            "mine": d.claimed_by == user.id, "free": d.claimed_by is None,
            "others": d.claimed_by not in (None, user.id),
        }[filters.claim or "free"],
    }  # fmt: skip
    wanted = [test for name, test in tests.items() if getattr(filters, name)]
    rows = db.session.scalars(select(Declaration).where(scopes.held_by(user))).unique()
    return [d for d in rows if all(test(d) for test in wanted)]


def test_filters_and_counts_are_those_counted_by_hand(clerks: list[Account]) -> None:
    batches = fill(120, clerks)
    user = clerks[0]
    for name, filters in (VARIANTS | {"batch": Filters(batch=batches[0].public_id)}).items():
        listing = todo.waiting(user, filters)
        assert listing.total == len(naive(user, filters, batches)), name
        wanted = {d.id for d in naive(user, filters, batches)}
        assert {e.declaration.id for e in listing.entries} <= wanted, name
        assert len(listing.entries) == min(todo.PAGE, listing.total - (listing.page - 1) * todo.PAGE), name
        assert listing.overdue == len(naive(user, Filters(overdue=True), batches)), name


@pytest.mark.parametrize(
    "filters",
    [Filters(), Filters(claim="mine"), Filters(findings=True, soon=True), Filters(query="轴承", step="publish_list")],
    ids=["all", "mine", "two", "search"],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_chip_says_what_a_click_would_leave(clerks: list[Account], filters: Filters) -> None:
    from dataclasses import replace

    batches = fill(150, clerks)
    user = clerks[0]
    counts = todo.waiting(user, filters).tally.counts
    seen = 0
    for (dimension, value), count in counts.items():
        chosen: object = True if dimension in ("soon", "overdue", "again", "findings") else value
        clicked = replace(filters, **{dimension: chosen})
        assert todo.waiting(user, clicked).total == count, (dimension, value)
        seen += 1
    assert seen > 12 and batches


@pytest.mark.parametrize("name", VARIANTS)
def test_the_number_of_statements_is_that_of_a_short_queue(clerks: list[Account], name: str) -> None:
    user, counts = clerks[0].id, []
    accounts = [c.id for c in clerks]
    for size in (10, LARGE):
        fill(size, [db.session.get_one(Account, key) for key in accounts], seed=size)
        db.session.expunge_all()
        fresh = db.session.get_one(Account, user)
        assert fresh.role_names
        with counted() as statements:
            found = todo.waiting(fresh, VARIANTS[name])
        counts.append(len(statements))
    assert found.total > 0 and counts[1] <= 10
    # Ten may leave nothing, or nothing claimed, and then some names need not be read.
    assert counts[1] - counts[0] <= 4 if name not in ("all", "last page") else counts[1] - counts[0] <= 1


def plan(statement: object) -> str:
    """How the database would answer ``statement``."""
    compiled = statement.compile(db.engine, compile_kwargs={"literal_binds": True})  # type: ignore[attr-defined]
    kinds = {"sqlite": "EXPLAIN QUERY PLAN ", "postgresql": "EXPLAIN "}
    with db.engine.connect() as connection:
        if db.engine.dialect.name == "postgresql":
            # Some hundred rows are read whole otherwise, which says nothing about ten thousand.
            connection.execute(text("SET enable_seqscan = off"))
            connection.execute(text("SET enable_bitmapscan = off"))
        found = connection.exec_driver_sql(kinds[db.engine.dialect.name] + str(compiled).replace("%", "%%"))
        return "\n".join(str(row) for row in found)


def test_a_page_is_read_in_the_order_of_its_index(clerks: list[Account]) -> None:
    fill(LARGE, clerks)
    user = clerks[0]
    clock = clockwork(now() - timedelta(days=1), {})
    # PostgreSQL may find a few rows faster by other means; without a filter, and with a wide one, the order decides.
    names = (
        ("all", "overdue", "mine", "findings", "combined")
        if db.engine.dialect.name == "sqlite"
        else ("all", "findings")
    )
    for name in names:
        wanted = select(Declaration.id).where(
            scopes.held_by(user), *conditions(user, VARIANTS[name], clock)
        ).order_by(*todo.urgency(user)).limit(20).offset(40)  # fmt: skip
        found = plan(wanted)
        assert "ix_declaration_queue" in found, f"{name}: {found}"
        assert "TEMP B-TREE" not in found and "Sort" not in found, f"{name}: {found}"


def test_all_counts_come_from_one_index(clerks: list[Account]) -> None:
    fill(LARGE, clerks)
    user = clerks[0]
    with counted() as statements:
        tally(user, scopes.held_by(user), Filters(claim="free"), clockwork(now(), {}))
    grouped = [s for s in statements if "GROUP BY" in s]
    assert len(grouped) == 1
    groups = (Declaration.programme_key, Declaration.step_key, Declaration.status, Declaration.batch_id)
    found = plan(
        select(*groups, Declaration.region_code).where(scopes.held_by(user)).group_by(*groups, Declaration.region_code)
    )
    assert "ix_declaration_count" in found or db.engine.dialect.name == "postgresql"
    assert "TEMP B-TREE" not in found


def test_neighbours_are_looked_up_from_where_one_stands(clerks: list[Account]) -> None:
    fill(LARGE, clerks)
    user = clerks[0]
    order = list(db.session.scalars(
        select(Declaration.public_id).where(scopes.held_by(user)).order_by(*todo.urgency(user))
    ))  # fmt: skip
    undated = db.session.scalars(select(Declaration.public_id).where(Declaration.due_at.is_(None))).first()
    assert undated in order
    for place in (0, 1, len(order) // 2, order.index(str(undated)), len(order) - 1):
        before = order[place - 1] if place else None
        after = order[place + 1] if place + 1 < len(order) else None
        with counted() as statements:
            assert todo.neighbours(user, order[place]) == (before, after), place
        assert len(statements) <= 6


def test_what_a_colleague_has_is_not_the_most_urgent(clerks: list[Account]) -> None:
    fill(60, clerks)
    mine, other = clerks
    first = todo.most_urgent(mine)
    found = db.session.scalars(select(Declaration).where(Declaration.public_id == first)).unique().one()
    assert found.claimed_by in (None, mine.id)
    free = select(Declaration.public_id).where(
        scopes.held_by(mine), (Declaration.claimed_by.is_(None)) | (Declaration.claimed_by != other.id)
    )
    assert first == db.session.scalars(free.order_by(*todo.urgency(mine))).first()


def test_what_was_handled_is_found_by_name_and_says_the_deed(clerks: list[Account]) -> None:
    fill(200, clerks)
    listing = todo.handled(clerks[0], Filters())
    assert listing.total == 20 and {e.event.label for e in listing.entries if e.event} == {"通过"}
    name = listing.entries[3].declaration.enterprise_name or ""
    assert todo.handled(clerks[0], Filters(query=name)).total >= 1
    assert todo.handled(clerks[1], Filters()).total == 0
