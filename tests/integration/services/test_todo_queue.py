"""我的待办 against a naive reading: every list is computed twice, once by SQL and once by hand, on a mixed stock."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app.extensions import db
from app.models import Account, Assignment, Batch, Declaration, Enterprise
from app.models.base import now
from app.permissions import roles
from app.services import todo
from app.services.projection import current_programme
from app.services.todo import Filters
from app.services.unit_of_work import unit_of_work
from app.workflow.calendar import end_of, local_date
from tests import factories

pytestmark = pytest.mark.parametrize("database", ["sqlite"])
STEPS = {
    "district_review": roles.DISTRICT,
    "preliminary_review": roles.CITY,
    "stamping": roles.ENTERPRISE,
    "expert_review": roles.EXPERT,
}


class Stock:
    """Some forty declarations of three enterprises in two districts, in every place where they can wait."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.owners = [factories.make_account(roles.ENTERPRISE, enterprise=self.enterprise(n)) for n in range(3)]
        self.experts = [factories.make_account(roles.EXPERT) for _n in range(2)]
        self.officers = [
            factories.make_account(roles.DISTRICT),
            factories.make_account(roles.DISTRICT, region="230102"),
            factories.make_account(roles.CITY),
            factories.make_account(roles.CITY, region="230200"),
            factories.make_account(roles.PROVINCE),
        ]
        with unit_of_work() as session:
            programme = current_programme(session, factories.INTAKE).id
        batch = factories.make_batch()
        made = [self.declaration(batch, programme, number) for number in range(40)]
        with unit_of_work() as session:
            session.add_all(made)
            session.flush()
            session.add_all(self.assignment(d) for d in made if d.step_key == "expert_review")
        db.session.rollback()
        self.all = list(db.session.scalars(select(Declaration)).unique())
        self.given = list(db.session.scalars(select(Assignment)).unique())

    def enterprise(self, number: int) -> Enterprise:
        return factories.make_enterprise(region=("230108", "230102")[number % 2])

    def declaration(self, batch: Batch, programme: int, number: int) -> Declaration:
        enterprise = self.rng.choice(self.owners).enterprise
        assert enterprise is not None
        status = self.rng.choice(["draft", "in_progress", "in_progress", "in_progress", "returned", "approved"])
        step = self.rng.choice(list(STEPS)) if status == "in_progress" else None
        holder = STEPS[step] if step else (roles.ENTERPRISE if status in ("draft", "returned") else None)
        days = self.rng.choice([None, -3, -1, 1, 2, 6, 20])
        return Declaration(
            programme_key=factories.INTAKE, programme_id=programme, batch_id=batch.id, enterprise_id=enterprise.id,
            enterprise_name=enterprise.name, region_code=enterprise.region_code, status=status, step_key=step,
            step_since=now(), holder_role=holder, serial_no=f"2026-PY-{number:04d}",
            holder_region="230100" if holder == roles.CITY else enterprise.region_code, created_at=now(), saved_at=now(),
            submitted_at=None if status == "draft" else now(),
            due_at=now() + timedelta(days=days) if step and days is not None else None,
        )  # fmt: skip

    def assignment(self, declaration: Declaration) -> Assignment:
        return Assignment(
            declaration_id=declaration.id, step_key="expert_review", expert_id=self.rng.choice(self.experts).id,
            assigned_at=now(), done_at=now() if self.rng.random() < 0.4 else None,
        )  # fmt: skip

    @property
    def people(self) -> list[Account]:
        return [*self.owners, *self.experts, *self.officers, factories.make_account(roles.ADMIN)]

    def waits_for(self, user: Account, declaration: Declaration) -> bool:
        """By hand: whose turn it is."""
        if declaration.holder_role == roles.ENTERPRISE:
            return user.enterprise_id == declaration.enterprise_id
        if declaration.holder_role == roles.EXPERT:
            return any(
                a.declaration_id == declaration.id and a.expert_id == user.id and a.done_at is None for a in self.given
            )
        return declaration.holder_role in user.role_names and declaration.holder_region == user.region_code

    def queue(self, user: Account) -> list[Declaration]:
        """By hand: returned first, then by due date, those without one last."""
        mine = [d for d in self.all if self.waits_for(user, d)]
        far = datetime.max.replace(tzinfo=now().tzinfo)
        return sorted(mine, key=lambda d: (d.status != "returned", d.due_at is None, d.due_at or far, d.id))


@pytest.fixture
def stock(context: Flask) -> Stock:
    return Stock(1)


ALL = Filters()


def whole_queue(user: Account, filters: Filters = ALL) -> list[str]:
    """Every page, one after the other."""
    first = todo.waiting(user, filters)
    ids = [e.declaration.public_id for e in first.entries]
    for page in range(2, first.pages + 1):
        more = todo.waiting(user, replace(filters, page=page))
        ids += [e.declaration.public_id for e in more.entries]
    return ids


def test_the_queue_is_the_naive_queue(stock: Stock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(todo, "PAGE", 3)
    waiting = 0
    for user in stock.people:
        expected = [d.public_id for d in stock.queue(user)]
        assert whole_queue(user) == expected, user
        assert todo.waiting(user, Filters()).total == len(expected)
        waiting += len(expected)
    assert waiting > 25, "the stock is worth looking at"


def test_counts_are_naive_counts(stock: Stock) -> None:
    moment, end = now(), end_of(local_date(now()))
    for user in stock.people:
        listing, mine = todo.waiting(user, Filters()), stock.queue(user)
        assert listing.overdue == sum(d.due_at is not None and d.due_at <= moment for d in mine)
        assert listing.today == sum(d.due_at is not None and moment < d.due_at <= end for d in mine)
        kinds = Counter((d.programme_key, d.step_key, d.status) for d in mine)
        assert {(k.programme, k.step, k.status): k.count for k in listing.kinds} == kinds


def test_filters_leave_what_they_say_and_nothing_else(stock: Stock) -> None:
    for user in stock.people:
        mine = stock.queue(user)
        for step in (*STEPS, "draft", "returned", "gone"):
            expected = [d.public_id for d in mine if step in (d.step_key, d.status)]
            assert whole_queue(user, Filters(step=step)) == expected, (user, step)
        limit = todo.soon_limit(now(), todo.holidays())
        soon = [d.public_id for d in mine if d.due_at is not None and d.due_at <= limit]
        assert whole_queue(user, Filters(soon=True)) == soon
        assert whole_queue(user, Filters(programme="nothing")) == []


def test_search_finds_parts_of_names_and_serials(stock: Stock) -> None:
    user = stock.officers[2]
    mine = stock.queue(user)
    for query in ("0", "2026-py-00", "PY-001", "第", mine[0].enterprise_name or "", "%", "_", "企业培育"):
        found = [
            d.public_id for d in mine
            if query in (d.enterprise_name or "") or query.lower() in (d.serial_no or "").lower() or query in "企业培育入库"
        ]  # fmt: skip
        assert whole_queue(user, Filters(query=query)) == found, query


def test_neighbours_walk_the_queue_from_end_to_end(stock: Stock) -> None:
    for user in stock.people:
        ids = [d.public_id for d in stock.queue(user)]
        pairs = list(zip([None, *ids], ids, [*ids[1:], None], strict=False))
        for before, here, after in pairs[:6]:
            assert todo.neighbours(user, here) == (before, after)
        assert todo.most_urgent(user) == (ids[0] if ids else None)
        assert todo.most_urgent(user, besides=ids[0] if ids else None) == (ids[1] if len(ids) > 1 else None)
        foreign = next((d.public_id for d in stock.all if d.public_id not in ids), "x")
        assert todo.neighbours(user, foreign) == (None, None)


def test_begun_is_everything_of_the_enterprise(stock: Stock) -> None:
    for user in stock.owners:
        own = sorted((d for d in stock.all if d.enterprise_id == user.enterprise_id), key=lambda d: -d.id)
        listing = todo.begun(user, Filters())
        assert [e.declaration.id for e in listing.entries] == [d.id for d in own][: todo.PAGE]
        assert listing.total == len(own)


def test_a_step_is_named_only_while_it_is_in_one(stock: Stock) -> None:
    for user in stock.people:
        for entry in todo.waiting(user, Filters()).entries:
            assert (entry.step.key if entry.step else None) == entry.declaration.step_key
