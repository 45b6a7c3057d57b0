"""Which buttons a person sees: the same deed is offered to the office in charge and to nobody else."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask_appbuilder.security.sqla.models import Role

from app.definitions import registry
from app.definitions.schema import Definition, Step
from app.models import Account, Batch, Declaration, Enterprise
from app.models.declaration import STATUSES
from app.permissions import roles
from app.workflow.engine import available, is_by, label_of
from app.workflow.guards import Case
from app.workflow.route import current_step, step_after, step_back, steps_of
from app.workflow.steps import DEEDS, FINAL, find_deed

NOW = datetime(2026, 11, 20, 6, tzinfo=UTC)
OWN = 7
SWITCHED_ON = {"district_step": True, "expert_step": True}


@pytest.fixture
def intake() -> Definition:
    return registry.catalogue().get("hrb_cultivation_intake")


def person(*held: str, region: str | None = None, enterprise: int | None = None) -> Account:
    user = Account(username="x", user_type="staff", region_code=region, enterprise_id=enterprise)
    user.roles = [Role(name=name) for name in held]
    return user


def declaration(status: str = "in_progress", step: str | None = None, region: str | None = "230108") -> Declaration:
    return Declaration(
        enterprise_id=OWN, status=status, step_key=step, region_code=region, step_since=NOW,
        batch=Batch(title="首批", published=True), enterprise=Enterprise(id=OWN, certification_status="approved"),
    )  # fmt: skip


def offered(definition: Definition, found: Declaration, user: Account, *, assigned: bool = False) -> list[str]:
    step = current_step(definition, found)
    case = Case(found, definition, SWITCHED_ON, step, user, NOW, facts={"statement": True})
    return [option.deed.action for option in available(case, assigned=assigned)]


OFFICES = {
    "district": person(roles.DISTRICT, region="230108"),
    "city": person(roles.CITY, region="230100"),
    "owner": person(roles.ENTERPRISE, enterprise=OWN),
}
BY_STEP: dict[str, dict[str, list[str]]] = {
    "district_review": {"district": ["confirm", "return", "stamp_return", "reject"], "owner": ["recall", "withdraw"]},
    "preliminary_review": {"city": ["confirm", "return", "stamp_return", "reject"], "owner": ["recall", "withdraw"]},
    "stamping": {"owner": ["stamp"]},
    "conformity_review": {"city": ["confirm", "return", "stamp_return", "reject"], "owner": ["recall", "withdraw"]},
    "expert_review": {"city": ["assign", "unassign"]},
    "publish_list": {"city": ["approve", "reject"]},
}


@pytest.mark.parametrize("step", BY_STEP)
@pytest.mark.parametrize("who", OFFICES)
def test_each_step_belongs_to_one_office(intake: Definition, step: str, who: str) -> None:
    assert offered(intake, declaration(step=step), OFFICES[who]) == BY_STEP[step].get(who, [])


@pytest.mark.parametrize(
    "stranger",
    [
        person(roles.DISTRICT, region="230102"),
        person(roles.DISTRICT, region="230100"),
        person(roles.CITY, region="230200"),
        person(roles.CITY, region="230108"),
        person(roles.CITY, region=None),
        person(roles.PROVINCE, region="230000"),
        person(roles.FINANCE, region="230100"),
        person(roles.ADMIN, region="230100"),
        person(roles.EXPERT),
        person(roles.ENTERPRISE, enterprise=OWN + 1),
        person(roles.INDIVIDUAL),
        person(),
    ],
    ids=[
        "next-district", "district-of-the-city", "other-city", "city-role-in-a-district", "city-without-region",
        "province", "finance", "admin", "expert-not-asked", "other-enterprise", "individual", "no-role",
    ],
)  # fmt: skip
def test_strangers_are_offered_nothing_anywhere(intake: Definition, stranger: Account) -> None:
    for step in BY_STEP:
        assert offered(intake, declaration(step=step), stranger) == [], step
    for status in STATUSES:
        assert offered(intake, declaration(status), stranger) == [], status


def test_an_office_is_offered_nothing_before_a_region_is_known(intake: Definition) -> None:
    found = declaration(step="preliminary_review", region=None)
    assert offered(intake, found, OFFICES["city"]) == []
    assert offered(intake, found, OFFICES["owner"]) == ["recall", "withdraw"]


def test_two_roles_are_two_offices(intake: Definition) -> None:
    both = person(roles.DISTRICT, roles.CITY, region="230100")
    assert offered(intake, declaration(step="district_review"), both) == [], "its region is no district's"
    assert "confirm" in offered(intake, declaration(step="preliminary_review"), both)


def test_experts_score_only_what_they_were_asked_for(intake: Definition) -> None:
    expert, found = person(roles.EXPERT), declaration(step="expert_review")
    assert offered(intake, found, expert) == []
    assert offered(intake, found, expert, assigned=True) == ["score"]
    assert offered(intake, found, person(roles.CITY, region="230200"), assigned=True) == [], "asked, but no expert"


@pytest.mark.parametrize("status", FINAL)
def test_nothing_is_offered_once_it_is_decided(intake: Definition, status: str) -> None:
    for user in OFFICES.values():
        assert offered(intake, declaration(status), user) == []


@pytest.mark.parametrize(
    ("status", "deeds"), [("draft", ["submit", "discard"]), ("returned", ["resubmit", "withdraw"])]
)
def test_what_lies_with_the_enterprise(intake: Definition, status: str, deeds: list[str]) -> None:
    assert offered(intake, declaration(status), OFFICES["owner"]) == deeds
    assert offered(intake, declaration(status), OFFICES["city"]) == []


def test_a_step_key_counts_only_in_progress(intake: Definition) -> None:
    assert current_step(intake, declaration("returned", "preliminary_review")) is None
    assert current_step(intake, declaration("in_progress", None)) is None
    found = current_step(intake, declaration("in_progress", "stamping"))
    assert found is not None and found.kind == "stamp"


def test_reasons_do_not_hide_the_button(intake: Definition) -> None:
    found = declaration(step="stamping")
    case = Case(found, intake, {}, current_step(intake, found), OFFICES["owner"], NOW, facts={"scans": 0})
    (option,) = available(case)
    assert option.deed.action == "stamp" and not option.possible
    assert option.reasons == ("还没有上传盖章扫描件。请先上传 PDF，再提交。",)
    case.facts = {"scans": 1}
    assert available(case)[0].possible


def test_buttons_carry_the_words_of_the_step(intake: Definition) -> None:
    confirm = find_deed("in_progress", "review", "confirm")
    reject = find_deed("in_progress", "review", "reject")
    decline = find_deed("in_progress", "decide", "reject")
    assert confirm and reject and decline
    assert label_of(confirm, intake.step("conformity_review")) == "符合要求"
    assert label_of(reject, intake.step("conformity_review")) == "不符合要求"
    assert label_of(decline, intake.step("publish_list")) == "不列入名单"
    assert label_of(confirm, None) == confirm.label == "通过"


@pytest.mark.parametrize("value", [True, "yes", "true"])
def test_ways_to_say_yes_to_a_step(intake: Definition, value: object) -> None:
    assert [s.key for s in steps_of(intake, {"district_step": value})][0] == "district_review"


@pytest.mark.parametrize("value", [False, None, "no", "false", "", 0, "YES"])
def test_everything_else_leaves_the_step_out(intake: Definition, value: object) -> None:
    assert "district_review" not in [s.key for s in steps_of(intake, {"district_step": value})]


@pytest.mark.parametrize("params", [{}, {"district_step": True}, {"expert_step": True}, SWITCHED_ON])
def test_walking_the_route_meets_every_step_once(intake: Definition, params: dict[str, object]) -> None:
    walked: list[str] = []
    step: Step | None = step_after(intake, params, None)
    while step is not None:
        walked.append(step.key)
        step = step_after(intake, params, step.key)
    assert walked == [s.key for s in steps_of(intake, params)]


@pytest.mark.parametrize("params", [{}, SWITCHED_ON])
def test_a_resubmission_never_skips_who_returned_it(intake: Definition, params: dict[str, object]) -> None:
    keys = [s.key for s in steps_of(intake, params)]
    for key in keys:
        back = step_back(intake, params, key)
        assert back is not None and keys.index(back.key) <= keys.index(key)
        between = intake.route[[s.key for s in intake.route].index(back.key) :]
        assert back.key == key or (back.kind == "stamp" and key in [s.key for s in between])


def test_every_deed_has_somebody_whose_it_is(intake: Definition) -> None:
    """On this route every deed is some person's; what the clock does is nobody's."""
    owners = [*OFFICES.values(), person(roles.EXPERT)]
    kinds = {step.kind for step in intake.route} | {None}
    for deed in (d for d in DEEDS if d.kind in kinds):
        step = next((s for s in intake.route if s.kind == deed.kind), None)
        found = declaration(deed.status, step.key if step else None)
        whose = [user for user in owners if is_by(deed, user, found, step, True)]
        assert bool(whose) is (deed.by not in ("system", "steward")), deed.action
