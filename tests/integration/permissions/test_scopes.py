"""The rule for one record and the condition for lists are the same rule: compared on a generated matrix."""

from __future__ import annotations

import itertools

import pytest
from flask import Flask
from sqlalchemy import select

from app.extensions import db
from app.models import Account, Assignment, Declaration, Enterprise
from app.models.base import now
from app.models.declaration import STATUSES
from app.permissions import roles, rules, scopes
from app.services.projection import current_programme
from app.services.unit_of_work import unit_of_work
from tests.factories import INTAKE, make_account, make_batch, make_enterprise

REGIONS = ("230108", "230102", "230109", "230200", "350203", None)


@pytest.fixture
def people(context: Flask) -> list[Account]:
    """Everybody who might look, also people whose region is missing."""
    owner = make_account(roles.ENTERPRISE)
    found = [owner, make_account(roles.ENTERPRISE, enterprise=owner.enterprise), make_account(roles.ENTERPRISE)]
    found += [
        make_account(role) for role in (*roles.OFFICERS, roles.ADMIN, roles.INDIVIDUAL, roles.EXPERT, roles.EXPERT)
    ]
    found += [make_account(roles.DISTRICT, region="230102"), make_account(roles.CITY, region="230200")]
    homeless = make_account(roles.CITY)
    with unit_of_work() as session:
        session.get_one(Account, homeless.id).region_code = None
    return [*found, homeless]


@pytest.fixture
def declarations(people: list[Account]) -> list[Declaration]:
    """Every status in every region, submitted or not, of two enterprises; one in five given to the first expert."""
    batch = make_batch()
    enterprises = [people[0].enterprise_id, people[2].enterprise_id]
    expert = next(p for p in people if roles.EXPERT in p.role_names)
    with unit_of_work() as session:
        programme = current_programme(session, INTAKE).id
        for n, (status, region, sent) in enumerate(itertools.product(STATUSES, REGIONS, (True, False))):
            made = Declaration(
                programme_key=INTAKE, programme_id=programme, batch_id=batch.id, enterprise_id=enterprises[n % 2],
                region_code=region, status=status, submitted_at=now() if sent else None, created_at=now(), saved_at=now(),
                holder_role=(roles.DISTRICT, roles.CITY, roles.ENTERPRISE, roles.EXPERT, None)[n % 5],
                holder_region=region,
            )  # fmt: skip
            session.add(made)
            session.flush()
            if n % 5 == 3:
                session.add(Assignment(declaration_id=made.id, step_key="x", expert_id=expert.id, assigned_at=now(),
                                       done_at=now() if n % 2 else None))  # fmt: skip
    return list(db.session.scalars(select(Declaration).order_by(Declaration.id)).unique())


def test_rule_and_scope_agree(people: list[Account], declarations: list[Declaration]) -> None:
    given = db.session.scalars(select(Assignment)).unique().all()
    seen = {}
    for user in people:
        by_sql = set(db.session.scalars(select(Declaration.id).where(scopes.declarations(user))))
        by_rule = {
            d.id for d in declarations if rules.can_see(user, d, [a for a in given if a.declaration_id == d.id])
        }  # fmt: skip
        assert by_sql == by_rule, user
        seen[user.id] = len(by_sql)
    admin = next(p for p in people if roles.ADMIN in p.role_names)
    individual = next(p for p in people if roles.INDIVIDUAL in p.role_names)
    assert seen[admin.id] == len(declarations)
    assert seen[individual.id] == 0
    assert seen[people[-1].id] == 0, "an office without a region sees nothing"
    assert 0 < seen[people[0].id] == seen[people[1].id] < len(declarations)
    assert len(set(seen.values())) > 5, "the matrix tells people apart"


def test_what_waits_for_somebody_is_visible_to_them(people: list[Account], declarations: list[Declaration]) -> None:
    for user in people:
        waiting = set(db.session.scalars(select(Declaration.id).where(scopes.held_by(user), Declaration.status == "in_progress",
                                                                      Declaration.submitted_at.is_not(None))))  # fmt: skip
        seen = set(db.session.scalars(select(Declaration.id).where(scopes.declarations(user))))
        assert waiting <= seen, user
    expert = next(p for p in people if roles.EXPERT in p.role_names)
    open_ones = {a.declaration_id for a in db.session.scalars(select(Assignment)).unique() if a.done_at is None}
    assert set(db.session.scalars(select(Declaration.id).where(scopes.held_by(expert)))) == open_ones


def test_enterprises_in_scope(people: list[Account]) -> None:
    for region in ("230108", "230102", "230200"):
        make_enterprise(region=region)
    every = db.session.scalars(select(Enterprise)).all()

    def names(user: Account) -> set[int]:
        return set(db.session.scalars(select(Enterprise.id).where(scopes.enterprises(user))))

    for user in people:
        held = user.role_names
        if roles.ADMIN in held:
            expected = {e.id for e in every}
        elif held & set(roles.OFFICERS):
            expected = {e.id for e in every if (e.region_code or "").startswith(roles.region_prefix(user.region_code))}
        else:
            expected = {user.enterprise_id} - {None}
        assert names(user) == expected, user
