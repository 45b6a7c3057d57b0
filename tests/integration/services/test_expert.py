"""The expert step: only where the batch wants it; experts work side by side and blind to each other."""

from __future__ import annotations

from decimal import Decimal

import pytest
from flask import Flask

from app.errors import Conflict, InvalidInput, NotFound, Refused
from app.extensions import db
from app.models import Account, Declaration, Score
from app.permissions import roles
from app.services import expert
from app.services.declaration import load
from app.services.expert import Sheet
from app.services.listing import Asked
from app.services.message import list_messages
from app.services.todo import Filters, waiting
from tests import factories

KEYS = ("enterprise_base", "plan_clarity", "content_depth", "expected_outcome", "demonstration")


@pytest.fixture
def city(context: Flask) -> Account:
    return factories.make_account(roles.CITY)


def reviewed(city: Account, **parameters: object) -> Declaration:
    """A declaration after the working group's review."""
    owner = factories.make_account(roles.ENTERPRISE)
    declaration = factories.submitted(owner, factories.make_batch(parameters=parameters))
    factories.perform(city, declaration, "confirm")
    factories.attach(declaration, "stamped_material")
    factories.perform(owner, declaration, "stamp")
    return factories.perform(city, declaration, "confirm")


def experts(count: int) -> list[Account]:
    return [factories.make_account(roles.EXPERT, display_name=f"专家{n}") for n in range(count)]


def assign(city: Account, declaration: Declaration, *chosen: Account) -> Declaration:
    version = factories.find(declaration.public_id).version
    expert.assign(city, declaration.public_id, [e.id for e in chosen], version=version, key=None)
    return factories.find(declaration.public_id)


def sheet(points: str = "12", verdict: str = "agree", opinion: str = "方案可行") -> Sheet:
    return Sheet(dict.fromkeys(KEYS, points), {KEYS[0]: "依据充分"}, verdict, opinion)


def test_without_the_switch_there_is_no_expert_step(city: Account) -> None:
    assert reviewed(city).step_key == "publish_list"


def test_from_assignment_to_the_list(city: Account) -> None:
    declaration = reviewed(city, expert_step=True)
    assert (declaration.step_key, declaration.holder_role) == ("expert_review", "city")
    one, two = experts(2)
    declaration = assign(city, declaration, one, two)
    assert (declaration.step_key, declaration.holder_role) == ("expert_review", "expert")
    assert waiting(city, Filters()).total == 0 and waiting(one, Filters()).total == 1
    expert.score(one, declaration.public_id, sheet("12.5"), key=None)
    assert factories.find(declaration.public_id).step_key == "expert_review"
    assert waiting(one, Filters()).total == 0 and waiting(two, Filters()).total == 1
    assert expert.result_of(load(declaration.public_id, city)).average is None  # type: ignore[union-attr]
    expert.score(two, declaration.public_id, sheet("10", "disagree"), key=None)
    declaration = factories.find(declaration.public_id)
    assert (declaration.step_key, declaration.holder_role) == ("publish_list", "city")
    result = expert.result_of(load(declaration.public_id, city))
    assert result is not None and (result.average, result.trimmed, result.done) == (Decimal("56.25"), False, 2)
    assert [a.verdict for a in result.assignments] == ["agree", "disagree"]
    assert result.scores[result.assignments[0].id][0].reason == "依据充分"


def test_an_older_page_does_not_stop_an_expert(city: Account) -> None:
    declaration = reviewed(city, expert_step=True)
    one, two = experts(2)
    assign(city, declaration, one, two)
    expert.score(one, declaration.public_id, sheet(), key="one")
    expert.score(two, declaration.public_id, sheet(), key="two")
    assert factories.find(declaration.public_id).step_key == "publish_list"


def test_a_double_post_scores_once(city: Account) -> None:
    declaration = reviewed(city, expert_step=True)
    one, two = experts(2)
    assign(city, declaration, one, two)
    expert.score(one, declaration.public_id, sheet(), key="k")
    expert.score(one, declaration.public_id, sheet(), key="k")
    with pytest.raises((Refused, NotFound, Conflict)):
        expert.score(one, declaration.public_id, sheet("1"), key="other")
    assert db.session.query(Score).count() == len(KEYS)


def test_a_sheet_with_gaps_changes_nothing(city: Account) -> None:
    declaration = reviewed(city, expert_step=True)
    (one,) = experts(1)
    assign(city, declaration, one)
    with pytest.raises(InvalidInput) as refused:
        expert.score(one, declaration.public_id, Sheet({}, {}, "", ""), key=None)
    assert set(refused.value.fields) == {f"points.{k}" for k in KEYS} | {"verdict", "opinion"}
    assert db.session.query(Score).count() == 0


def test_five_experts_lose_their_extremes(city: Account) -> None:
    declaration = reviewed(city, expert_step=True)
    panel = experts(5)
    assign(city, declaration, *panel)
    for account, points in zip(panel, ("0", "10", "10", "12", "15"), strict=True):
        expert.score(account, declaration.public_id, sheet(points), key=None)
    result = expert.result_of(load(declaration.public_id, city))
    assert result is not None and result.trimmed and result.average == Decimal("53.33")


def test_conflicts_stand_aside(city: Account) -> None:
    declaration = reviewed(city, expert_step=True)
    related = factories.make_account(roles.EXPERT, enterprise_id=declaration.enterprise_id, display_name="孙工")
    opened = load(declaration.public_id, city)
    assert [c.conflict is not None for c in expert.candidates(opened)] == [True]
    with pytest.raises(InvalidInput, match="孙工"):
        assign(city, declaration, related)
    assert opened.assignments == []


@pytest.mark.parametrize("kind", ["nobody", "officer", "inactive", "unknown"])
def test_only_active_experts_are_asked(city: Account, kind: str) -> None:
    declaration = reviewed(city, expert_step=True)
    chosen = {
        "nobody": [],
        "officer": [city.id],
        "inactive": [factories.make_account(roles.EXPERT, active=False).id],
        "unknown": [999_999],
    }[kind]
    with pytest.raises(InvalidInput):
        expert.assign(city, declaration.public_id, chosen, version=declaration.version, key=None)


def test_more_experts_can_be_added(city: Account) -> None:
    declaration = reviewed(city, expert_step=True)
    one, two = experts(2)
    assign(city, declaration, one)
    assign(city, declaration, one, two)
    assert len(load(declaration.public_id, city).assignments) == 2


def unassign(city: Account, declaration: Declaration, gone: Account) -> Declaration:
    version = factories.find(declaration.public_id).version
    expert.unassign(city, declaration.public_id, gone.id, version=version, key=None)
    return factories.find(declaration.public_id)


def test_a_missing_expert_does_not_block(city: Account) -> None:
    declaration = reviewed(city, expert_step=True)
    one, missing = experts(2)
    assign(city, declaration, one, missing)
    expert.score(one, declaration.public_id, sheet(), key=None)
    moved = unassign(city, declaration, missing)
    assert (moved.step_key, moved.holder_role) == ("publish_list", "city")
    opened = load(declaration.public_id, city)
    result = expert.result_of(opened)
    assert result is not None and (result.average, result.done, len(result.assignments)) == (Decimal("60.00"), 1, 1)
    event = next(e for e in opened.events if e.action == "unassign")
    assert event.label == "收回分派" and event.data == {"expert": missing.id, "name": "专家1"}
    assert [m.title for m in list_messages(missing, None, Asked(1, 5)).rows][0] == "有一件申报不用您评审了"
    with pytest.raises(NotFound):
        load(declaration.public_id, missing)


def test_while_others_still_owe_it_stays(city: Account) -> None:
    declaration = reviewed(city, expert_step=True)
    one, two = experts(2)
    assign(city, declaration, one, two)
    stays = unassign(city, declaration, one)
    assert (stays.step_key, stays.holder_role) == ("expert_review", "expert")
    with pytest.raises((Refused, NotFound)):
        expert.score(one, declaration.public_id, sheet(), key=None)
    expert.score(two, declaration.public_id, sheet(), key=None)
    assert factories.find(declaration.public_id).step_key == "publish_list"


def test_with_nobody_left_it_waits_for_the_office(city: Account) -> None:
    declaration = reviewed(city, expert_step=True)
    (one,) = experts(1)
    assign(city, declaration, one)
    back = unassign(city, declaration, one)
    assert (back.step_key, back.holder_role) == ("expert_review", "city")
    assert waiting(city, Filters()).total == 1 and waiting(one, Filters()).total == 0
    again = assign(city, declaration, one)
    assert again.holder_role == "expert"
    expert.score(one, declaration.public_id, sheet(), key=None)
    assert factories.find(declaration.public_id).step_key == "publish_list"


def test_who_has_handed_in_stays(city: Account) -> None:
    declaration = reviewed(city, expert_step=True)
    one, two, never = experts(3)
    assign(city, declaration, one, two)
    expert.score(one, declaration.public_id, sheet(), key=None)
    for account in (one, never):
        with pytest.raises(InvalidInput, match="已经提交评审意见"):
            unassign(city, declaration, account)
    with pytest.raises(Refused):
        unassign(factories.make_account(roles.DISTRICT), declaration, two)
    with pytest.raises(Refused):
        unassign(two, declaration, two)
    assert len(load(declaration.public_id, city).assignments) == 2


def test_taking_off_twice_is_taking_off_once(city: Account) -> None:
    declaration = reviewed(city, expert_step=True)
    one, two = experts(2)
    seen = assign(city, declaration, one, two).version
    for _ in range(2):
        expert.unassign(city, declaration.public_id, one.id, version=seen, key="once")
    with pytest.raises(Conflict):
        expert.unassign(city, declaration.public_id, two.id, version=seen, key="later")
    assert [a.expert_id for a in load(declaration.public_id, city).assignments] == [two.id]


def test_strangers_see_and_score_nothing(city: Account) -> None:
    declaration = reviewed(city, expert_step=True)
    one, other = experts(2)
    assign(city, declaration, one)
    with pytest.raises(NotFound):
        load(declaration.public_id, other)
    with pytest.raises((Refused, NotFound)):
        expert.score(other, declaration.public_id, sheet(), key=None)
    with pytest.raises((Refused, NotFound)):
        expert.score(city, declaration.public_id, sheet(), key=None)


def test_the_batch_may_replace_the_rubric(city: Account) -> None:
    declaration = reviewed(city, expert_step=True)
    from app.models import Batch
    from app.services.unit_of_work import unit_of_work

    with unit_of_work() as session:
        session.get_one(Batch, declaration.batch_id).rubric = [{"key": "only", "label": "综合", "points": 100}]
    (one,) = experts(1)
    assign(city, declaration, one)
    assert [c.key for c in expert.rubric_of(load(declaration.public_id, one))] == ["only"]
    expert.score(one, declaration.public_id, Sheet({"only": "88"}, {}, "agree", "可以"), key=None)
    assert expert.scores_of(load(declaration.public_id, city).assignments[0])["only"].points == 88
