"""我的待办: what waits for whom, in which order, with a fixed number of statements."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import event

from app.extensions import db
from app.models import Account, Batch, Declaration
from app.models.base import now
from app.permissions import roles
from app.services import todo
from app.services.todo import Filters
from app.services.unit_of_work import unit_of_work
from tests import factories


@pytest.fixture
def city(context: Flask) -> Account:
    return factories.make_account(roles.CITY)


@pytest.fixture
def batch(context: Flask) -> Batch:
    return factories.make_batch()


def due(declaration: Declaration, days: float) -> None:
    with unit_of_work() as session:
        session.get_one(Declaration, declaration.id).due_at = now() + timedelta(days=days)


def names(listing: todo.Listing) -> list[str | None]:
    return [e.declaration.enterprise_name for e in listing.entries]


@contextmanager
def counted() -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield statements
    event.remove(db.engine, "before_cursor_execute", note)


def test_each_sees_what_waits_for_them(city: Account, batch: Batch) -> None:
    owner = factories.make_account(roles.ENTERPRISE)
    draft = factories.filled_draft(owner, batch)
    assert names(todo.waiting(city, Filters())) == []
    assert todo.waiting(owner, Filters()).entries[0].declaration.status == "draft"
    declaration = factories.perform(owner, draft, "submit")
    assert names(todo.waiting(city, Filters())) == [declaration.enterprise_name]
    assert todo.waiting(owner, Filters()).total == 0
    assert todo.waiting(factories.make_account(roles.DISTRICT), Filters()).total == 0
    assert todo.waiting(factories.make_account(roles.CITY, region="350200"), Filters()).total == 0
    assert todo.waiting(factories.make_account(roles.EXPERT), Filters()).total == 0
    assert todo.waiting(factories.make_account(roles.INDIVIDUAL), Filters()).total == 0
    factories.perform(city, declaration, "return", "请核对")
    entry = todo.waiting(owner, Filters()).entries[0]
    assert entry.opinion is not None and entry.opinion.text == "请核对" and entry.revision == 1


def test_most_urgent_first_and_counted(city: Account, batch: Batch) -> None:
    late, today, later, never = (factories.submitted(batch=batch, seed=n) for n in range(1, 5))
    due(later, 8), due(late, -2)
    due(today, 0.0001)
    with unit_of_work() as session:
        session.get_one(Declaration, never.id).due_at = None
    listing = todo.waiting(city, Filters())
    assert names(listing) == [d.enterprise_name for d in (late, today, later, never)]
    assert listing.overdue == 1 and listing.today == 1
    assert todo.most_urgent(city) == late.public_id
    assert todo.most_urgent(city, besides=late.public_id) == today.public_id
    assert todo.neighbours(city, today.public_id) == (late.public_id, later.public_id)
    assert todo.neighbours(city, late.public_id) == (None, today.public_id)
    assert todo.neighbours(city, never.public_id) == (later.public_id, None)
    assert todo.neighbours(city, "unknown") == (None, None)
    assert names(todo.waiting(city, Filters(soon=True))) == [late.enterprise_name, today.enterprise_name]


def test_filters_and_search(city: Account, batch: Batch) -> None:
    one, two = (factories.submitted(batch=batch, seed=n) for n in (1, 2))
    factories.perform(city, two, "return", "请改")
    certifier = factories.make_account(roles.ENTERPRISE, enterprise=factories.make_enterprise(certified=False))
    assert certifier.enterprise_id is not None
    assert names(todo.waiting(city, Filters(query=one.serial_no or ""))) == [one.enterprise_name]
    assert names(todo.waiting(city, Filters(query=(one.serial_no or "").lower()))) == [one.enterprise_name]
    assert names(todo.waiting(city, Filters(query=(one.enterprise_name or "")[2:8]))) == [one.enterprise_name]
    assert names(todo.waiting(city, Filters(query="100%_"))) == []
    assert names(todo.waiting(city, Filters(programme="enterprise_certification"))) == []
    assert names(todo.waiting(city, Filters(step="preliminary_review"))) == [one.enterprise_name]
    assert names(todo.waiting(city, Filters(step="'; drop table"))) == []
    kinds = todo.waiting(city, Filters(query="nobody")).kinds
    assert [(k.programme, k.label, k.count) for k in kinds] == [("hrb_cultivation_intake", "初审", 1)]


def test_handled_tells_the_own_latest_deed(city: Account, batch: Batch) -> None:
    owner = factories.make_account(roles.ENTERPRISE)
    declaration = factories.submitted(owner, batch)
    colleague = factories.make_account(roles.CITY)
    factories.perform(city, declaration, "return", "请改")
    factories.perform(owner, declaration, "resubmit")
    factories.perform(colleague, declaration, "confirm")
    (entry,) = todo.handled(city, Filters()).entries
    assert entry.event is not None and entry.event.label == "退回修改" and entry.declaration.step_key == "stamping"
    assert entry.revision == 2
    assert todo.handled(owner, Filters()).entries[0].event.label == "重新提交"  # type: ignore[union-attr]
    assert todo.handled(factories.make_account(roles.CITY), Filters()).total == 0


def test_begun_is_the_enterprises_own(batch: Batch) -> None:
    owner = factories.make_account(roles.ENTERPRISE)
    factories.submitted(owner, batch)
    factories.submitted(batch=batch)
    colleague = factories.make_account(roles.ENTERPRISE, enterprise=owner.enterprise)
    assert todo.begun(colleague, Filters()).total == 1


def test_an_account_moved_to_another_region_loses_what_it_handled(city: Account, batch: Batch) -> None:
    factories.perform(city, factories.submitted(batch=batch), "confirm")
    assert todo.handled(city, Filters()).total == 1
    with unit_of_work() as session:
        session.get_one(Account, city.id).region_code = "350200"
    assert todo.handled(db.session.get_one(Account, city.id), Filters()).total == 0


def test_pages_beyond_the_end_show_the_last(city: Account, batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(todo, "PAGE", 2)
    for n in range(3):
        factories.submitted(batch=batch, seed=n)
    first, last = todo.waiting(city, Filters()), todo.waiting(city, Filters(page=99))
    assert (len(first.entries), len(last.entries), last.page, last.pages) == (2, 1, 2, 2)


@pytest.mark.parametrize("read", [todo.waiting, todo.handled, todo.begun])
def test_the_number_of_statements_does_not_grow(city: Account, batch: Batch, read: object) -> None:
    batch_id = batch.id
    user = city if read is not todo.begun else factories.make_account(roles.ENTERPRISE)
    key, clerk, counts = user.id, city.id, []
    for n in range(1, 4):
        for _ in range(n):
            officer = db.session.get_one(Account, clerk)
            round_ = db.session.get_one(Batch, batch_id)
            factories.perform(
                officer, factories.submitted(batch=round_, seed=n), "return" if n % 2 else "confirm", "好"
            )
            factories.submitted(batch=round_, seed=n)
        db.session.rollback()
        db.session.expunge_all()
        fresh = db.session.get_one(Account, key)
        assert fresh.role_names
        with counted() as statements:
            read(fresh, Filters())  # type: ignore[operator]
        counts.append(len(statements))
    assert counts[-1] == counts[1] and counts[-1] <= 12
