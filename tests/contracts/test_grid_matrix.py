"""Grids × everybody × deeds × objects, by family, written by hand; then expanded over every grid of the definitions."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from app.definitions import registry
from app.extensions import db
from app.models import Account, Assignment, Declaration, Region
from app.models.base import now
from app.permissions import roles
from tests.factories import INTAKE, filled_draft, login, make_account, make_batch, make_enterprise, perform, store

PEOPLE = ("anonymous", "owner", "individual", "district", "far", "city", "other_city", "province", "finance", "expert",
          "stranger", "admin")  # fmt: skip
"""``district`` and ``city`` are in charge of the declaration, ``far`` and ``other_city`` of other places; ``expert`` has it
assigned, ``stranger`` is an expert who has not."""
VERBS = ("list", "show", "export", "add", "edit", "delete", "correct", "void")
MAIN, CHILD = f"form_{INTAKE}", f"form_{INTAKE}_digital_projects"
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

# Family → verb → one sign for each of PEOPLE. y: may, n: 403, -: no such thing (404), l: sign in first.
EXPECTED: dict[str, dict[str, str]] = {
    "region": {
        "list": "lnnnnyynnnny", "show": "lnnnnyynnnny", "export": "lnnnnyynnnny", "add": "lnnnnyynnnny",
        "edit": "lnnnnyynnnny", "delete": "lnnnnyynnnny", "correct": "------------", "void": "------------",
    },
    "event": {
        "list": "lnnnnyynnnny", "show": "lnnnny-nnnny", "export": "lnnnnyynnnny", "add": "------------",
        "edit": "------------", "delete": "------------", "correct": "------------", "void": "------------",
    },
    "enterprise": {
        "list": "lnnyyyyyynny", "show": "lnny-y-yynny", "export": "lnnyyyyyynny", "add": "------------",
        "edit": "------------", "delete": "------------", "correct": "------------", "void": "------------",
    },
    "declaration": {
        "list": "lnnyyyyyyyyy", "show": "lnny-y-yyy-y", "export": "lnnyyyyyynny", "add": "------------",
        "edit": "------------", "delete": "------------", "correct": "------------", "void": "------------",
    },
    MAIN: {
        "list": "lnnyyyyyyyyy", "show": "lnny-y-yyy-y", "export": "lnnyyyyyynny", "add": "lnnnnyynnnny",
        "edit": "------------", "delete": "------------", "correct": "lnnnny-nnnny", "void": "lnnnny-nnnny",
    },
    CHILD: {
        "list": "lnnyyyyyyyyy", "show": "lnny-y-yyy-y", "export": "lnnyyyyyynny", "add": "------------",
        "edit": "------------", "delete": "------------", "correct": "------------", "void": "------------",
    },
}  # fmt: skip


@pytest.fixture
def people(context: Flask) -> dict[str, Account | None]:
    owner = make_account(roles.ENTERPRISE)
    return {
        "anonymous": None,
        "owner": owner,
        "individual": make_account(roles.INDIVIDUAL),
        "district": make_account(roles.DISTRICT),
        "far": make_account(roles.DISTRICT, region="230102"),
        "city": make_account(roles.CITY),
        "other_city": make_account(roles.CITY, region="230200"),
        "province": make_account(roles.PROVINCE),
        "finance": make_account(roles.FINANCE),
        "expert": make_account(roles.EXPERT),
        "stranger": make_account(roles.EXPERT),
        "admin": make_account(roles.ADMIN),
    }


@pytest.fixture
def sent(people: dict[str, Account | None]) -> Declaration:
    """A submission of 平房区 in 哈尔滨市, assigned to ``expert``."""
    owner, expert = people["owner"], people["expert"]
    assert owner is not None and expert is not None
    declaration = perform(owner, filled_draft(owner, make_batch()), "submit")
    store(Assignment(declaration_id=declaration.id, step_key=declaration.step_key or "", expert_id=expert.id,
                     assigned_at=now()))  # fmt: skip
    return declaration


def record_of(app: Flask, grid: str, declaration: Declaration) -> int:
    """Id of the declaration's record in the grid; for reference data that of a region that nobody uses."""
    if grid == "region":
        return store(Region(code="239999", name="某地", full_name="某地", level="county")).id
    if grid == "enterprise":
        return declaration.enterprise_id
    if grid == "declaration":
        return declaration.id
    model = next(g.model for g in app.extensions["grids"] if g.name == grid)
    statement = select(model.id).where(model.declaration_id == declaration.id).order_by(model.id)
    return db.session.scalars(statement).first()


def tried(app: Flask, user: Account | None, grid: str, verb: str, pk: int) -> str:
    client = app.test_client() if user is None else login(app.test_client(), user)
    path = {"list": "list/", "export": "export", "add": "add"}.get(verb, f"{verb}/{pk}")
    response = (client.post if verb == "delete" else client.get)(f"/admin/{grid}/{path}")
    if "/login" in response.headers.get("Location", ""):
        return "l"
    assert response.status_code < 500
    return {403: "n", 404: "-"}.get(response.status_code, "y")


@pytest.mark.parametrize("family", EXPECTED)
@pytest.mark.parametrize("person", PEOPLE)
def test_who_may_what(
    context: Flask, people: dict[str, Account | None], sent: Declaration, family: str, person: str
) -> None:
    pk = record_of(context, family, sent)
    found = {verb: tried(context, people[person], family, verb, pk) for verb in VERBS}
    column = PEOPLE.index(person)
    assert found == {verb: EXPECTED[family][verb][column] for verb in VERBS}


ABSENT = 4_000_000
"""An id that no record has: 404 shows that the door itself is open."""


def family_of(grid: str) -> str | None:
    """The family whose row tells about a generated grid; None where a deed is left out on purpose."""
    key = grid.removeprefix("form_")
    if key not in registry.catalogue():
        return CHILD
    return None if registry.catalogue().get(key).kind in roles.PERSONAL else MAIN


@pytest.mark.parametrize("person", [p for p in PEOPLE if p not in ("far", "other_city", "stranger")])
def test_every_generated_grid_is_like_its_family(
    context: Flask, people: dict[str, Account | None], person: str
) -> None:
    """Expanded from the definitions: the doors of every form and child table are those of the family."""
    user, column, wrong = people[person], PEOPLE.index(person), []
    client = context.test_client() if user is None else login(context.test_client(), user)
    for grid in [g.name for g in context.extensions["grids"] if g.name.startswith("form_")]:
        family = family_of(grid) or MAIN
        for verb in ("show", "correct", "void", "edit"):
            status = client.get(f"/admin/{grid}/{verb}/{ABSENT}").status_code
            expected = EXPECTED[family][verb][column]
            wanted = {"y": 404, "-": 404, "n": 403, "l": 302}[expected]
            wrong += [(grid, verb, status)] if status != wanted else []
        added = client.get(f"/admin/{grid}/add").status_code
        wanted = {"y": 200, "-": 404, "n": 403, "l": 302}[EXPECTED[family]["add"][column]]
        wrong += [(grid, "add", added)] if added != (wanted if family_of(grid) else 404) else []
    assert wrong == []


def test_the_table_is_whole(database: str) -> None:
    for family, verbs in EXPECTED.items():
        assert set(verbs) == set(VERBS), family
        assert all(len(row) == len(PEOPLE) and set(row) <= set("yln-") for row in verbs.values()), family


def test_a_draft_of_nobody_is_in_no_grid(context: Flask, people: dict[str, Account | None]) -> None:
    draft = filled_draft(make_account(roles.ENTERPRISE, enterprise=make_enterprise()), make_batch())
    for person in ("district", "city", "province", "finance", "expert"):
        assert tried(context, people[person], "declaration", "show", draft.id) == "-", person
