"""What an enterprise may apply for, on real rounds and declarations, in a fixed number of statements."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from sqlalchemy import event

from app.errors import NotFound
from app.extensions import db
from app.models.base import now
from app.permissions import roles
from app.services.eligibility import mine_of, overview
from tests import factories
from tests.factories_certification import uncertified
from tests.factories_portal import make_declaration

INTAKE = factories.INTAKE


@contextmanager
def counted() -> Iterator[list[str]]:
    """Statements that reach the database."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def test_states_of_one_round(context: Flask) -> None:
    factories.make_batch()
    able = factories.make_account(roles.ENTERPRISE)
    fresh = uncertified()
    foreign = factories.make_account(roles.ENTERPRISE, enterprise=factories.make_enterprise(region="310101"))
    homeless = factories.make_account(roles.ENTERPRISE, enterprise=factories.make_enterprise(region_code=None))
    assert [overview(u)[0].state for u in (able, fresh, foreign, homeless)] == ["can", "certify", "cannot", "missing"]


def test_without_a_round_it_is_closed_and_says_when(context: Flask) -> None:
    user = factories.make_account(roles.ENTERPRISE)
    assert overview(user)[0].state == "closed" and overview(user)[0].batch is None
    factories.make_batch(opens=5, closes=9)
    coming = overview(user)[0]
    assert coming.state == "closed" and "开放申报" in coming.reason


def test_unpublished_rounds_do_not_exist(context: Flask) -> None:
    factories.make_batch(published=False)
    assert overview(factories.make_account(roles.ENTERPRISE))[0].batch is None


def test_every_open_round_is_an_offer_with_its_own_parameters(context: Flask) -> None:
    factories.make_batch(title="甲", parameters={"base_year": 2024})
    factories.make_batch(title="乙", parameters={"base_year": 2025})
    offers = overview(factories.make_account(roles.ENTERPRISE))
    assert {(o.batch.title, o.params["base_year"]) for o in offers if o.batch} == {("甲", 2024), ("乙", 2025)}
    assert any(a.label == "2025年度审计报告" for o in offers for a in o.definition.attachments)


@pytest.mark.parametrize(
    ("status", "state"), [("draft", "mine"), ("approved", "mine"), ("withdrawn", "can"), ("void", "can")]
)
def test_own_declarations_decide(context: Flask, status: str, state: str) -> None:
    batch, user = factories.make_batch(), factories.make_account(roles.ENTERPRISE)
    assert user.enterprise is not None
    make_declaration(user.enterprise, batch, status=status)
    assert overview(user)[0].state == state


def test_other_enterprises_declarations_do_not_count(context: Flask) -> None:
    batch, user = factories.make_batch(), factories.make_account(roles.ENTERPRISE)
    make_declaration(factories.make_enterprise(), batch)
    assert overview(user)[0].state == "can" and mine_of(user) == []


def test_mine_carries_the_step(context: Flask) -> None:
    batch, user = factories.make_batch(), factories.make_account(roles.ENTERPRISE)
    assert user.enterprise is not None
    make_declaration(user.enterprise, batch, status="in_progress", step_key="stamping", submitted_at=now())
    mine = mine_of(user)[0]
    assert (mine.step, mine.step_kind, mine.label, mine.batch_title) == ("提交盖章材料", "stamp", "待盖章", batch.title)


def test_individuals_are_offered_nothing(context: Flask) -> None:
    factories.make_batch()
    assert overview(factories.make_account(roles.INDIVIDUAL)) == []


def test_unknown_programmes(context: Flask) -> None:
    user = factories.make_account(roles.ENTERPRISE)
    for key in ("nothing", factories.CERTIFICATION, "../x"):
        with pytest.raises(NotFound):
            overview(user, key)


def test_the_number_of_statements_does_not_grow(context: Flask) -> None:
    user = factories.make_account(roles.ENTERPRISE)
    assert user.enterprise is not None

    def statements() -> int:
        db.session.rollback()
        assert user.enterprise is not None and user.role_names
        with counted() as seen:
            overview(user)
        return len(seen)

    statements()
    before = statements()
    for _number in range(6):
        make_declaration(user.enterprise, factories.make_batch())
    assert statements() == before <= 6
