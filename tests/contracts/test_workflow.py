"""Role × place × deed: what each person is offered at each step of the real route, written down by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import pytest
from flask_appbuilder.security.sqla.models import Role

from app.definitions import registry
from app.definitions.schema import Definition
from app.models import Account, Batch, Declaration, Enterprise
from app.models.declaration import STATUSES
from app.permissions import roles
from app.services.effects import check_effects_exist
from app.workflow.engine import available, label_of
from app.workflow.guards import Case
from app.workflow.route import current_step, step_after, steps_of
from app.workflow.steps import DEEDS, find_deed

ALL_STEPS = {"district_step": True, "expert_step": True, "publicity_required": True}
PEOPLE = (
    "owner",
    "other",
    "district",
    "far",
    "city",
    "far_city",
    "province",
    "finance",
    "expert",
    "stranger",
    "admin",
    "individual",
)
# Place → person → what is offered. Whoever is not named is offered nothing.
REVIEW_OWNER = {"recall", "withdraw"}
REVIEW_OFFICE = {"confirm", "return", "stamp_return", "reject"}
EXPECTED: dict[str, dict[str, set[str]]] = {
    "draft": {"owner": {"submit", "discard"}},
    "returned": {"owner": {"resubmit", "withdraw"}},
    "district_review": {"owner": REVIEW_OWNER, "district": REVIEW_OFFICE},
    "preliminary_review": {"owner": REVIEW_OWNER, "city": REVIEW_OFFICE},
    "stamping": {"owner": {"stamp"}},
    "conformity_review": {"owner": REVIEW_OWNER, "city": REVIEW_OFFICE},
    "expert_review": {"city": {"assign", "unassign"}, "expert": {"score"}},
    "publish_list": {"city": {"approve", "reject"}},
    "publicity": {"city": {"object", "dismiss_objection", "uphold_objection", "conclude"}},
    "approved": {}, "rejected": {}, "withdrawn": {}, "void": {},
}  # fmt: skip


@cache
def definition() -> Definition:
    return registry.catalogue().get("hrb_cultivation_intake")


def person(name: str) -> Account:
    """Somebody, in memory: ``far`` offices belong to other regions."""
    role = {
        "owner": roles.ENTERPRISE,
        "other": roles.ENTERPRISE,
        "far": roles.DISTRICT,
        "far_city": roles.CITY,
        "stranger": roles.EXPERT,
    }
    regions = {
        "district": "230108",
        "far": "230102",
        "city": "230100",
        "far_city": "230200",
        "province": "230000",
        "finance": "230100",
    }
    user = Account(username=name, enterprise_id={"owner": 1, "other": 2}.get(name), region_code=regions.get(name))
    user.roles = [Role(name=role.get(name, name))]
    return user


def case(place: str, name: str) -> Case:
    status = place if place in STATUSES else "in_progress"
    batch = Batch(title="首批", published=True)
    declaration = Declaration(
        status=status, step_key=None if status == place else place, region_code="230108", enterprise_id=1, batch=batch,
        enterprise=Enterprise(certification_status="approved"), step_since=datetime.now(UTC),
    )  # fmt: skip
    step = current_step(definition(), declaration)
    return Case(declaration, definition(), ALL_STEPS, step, person(name), datetime.now(UTC))


@pytest.mark.parametrize("place", EXPECTED)
@pytest.mark.parametrize("name", PEOPLE)
def test_what_is_offered(place: str, name: str) -> None:
    offered = {o.deed.action for o in available(case(place, name), assigned=name == "expert")}
    assert offered == EXPECTED[place].get(name, set())


def test_every_place_of_the_route_is_written_down() -> None:
    assert {s.key for s in definition().route} | set(STATUSES) - {"in_progress"} == set(EXPECTED)


def test_buttons_carry_the_steps_own_words() -> None:
    step = definition().step("district_review")
    labels = {o.deed.action: o.label for o in available(case("district_review", "district"))}
    assert (labels["confirm"], labels["reject"], labels["return"]) == (
        step.confirm_label,
        step.reject_label,
        "退回修改",
    )
    decide = definition().step("publish_list")
    assert label_of(find_deed("in_progress", "decide", "approve"), decide) == "列入名单"


def test_reasons_stand_beside_the_button() -> None:
    options = {o.deed.action: o for o in available(case("stamping", "owner"))}
    assert not options["stamp"].possible
    assert "还没有上传盖章扫描件" in options["stamp"].reasons[0]


# -- the route ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "route"),
    [
        ({}, ["preliminary_review", "stamping", "conformity_review", "publish_list"]),
        (
            {"district_step": "yes"},
            ["district_review", "preliminary_review", "stamping", "conformity_review", "publish_list"],
        ),
        (
            {"expert_step": True},
            ["preliminary_review", "stamping", "conformity_review", "expert_review", "publish_list"],
        ),
        (
            {"expert_step": "no", "district_step": False},
            ["preliminary_review", "stamping", "conformity_review", "publish_list"],
        ),
    ],
)
def test_a_batch_switches_steps_on(params: dict[str, object], route: list[str]) -> None:
    assert [s.key for s in steps_of(definition(), params)] == route
    walked, step = [], step_after(definition(), params, None)
    while step is not None:
        walked.append(step.key)
        step = step_after(definition(), params, step.key)
    assert walked == route


def test_after_an_unknown_step_comes_nothing() -> None:
    assert step_after(definition(), {}, "nothing") is None


@pytest.mark.parametrize("key", [d.key for d in registry.catalogue()])
def test_every_programme_can_be_decided(key: str) -> None:
    """Each step kind of each route has a deed that leads on, so that nothing gets stuck."""
    for step in registry.catalogue().get(key).route:
        onward = [d for d in DEEDS if d.status == "in_progress" and d.kind == step.kind and d.to in ("next", "scored")]
        assert onward, (key, step.key)


def test_every_effect_exists() -> None:
    check_effects_exist({e for d in DEEDS for e in d.effects} | {"outcome"})
