"""Two people in the same second, on both databases: exactly one wins where only one may, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.errors import Conflict, DomainError, InvalidInput
from app.extensions import db
from app.models import Account, Assignment, Batch, Declaration, Event, Opinion, Remark, Revision, Score
from app.permissions import roles
from app.services import account as accounts
from app.services import batch as batches
from app.services import expert, review
from app.services.answers import save_answers
from app.services.batch import Changes
from app.services.declaration import Deeds, act
from app.services.expert import Sheet
from app.workflow.engine import event_digest
from tests import factories
from tests.at_once import apart, refusals, together

KEYS = ("enterprise_base", "plan_clarity", "content_depth", "expected_outcome", "demonstration")


@pytest.fixture
def city(context: Flask) -> Account:
    return factories.make_account(roles.CITY)


def count(model: Any) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def at_experts(city: Account, number: int) -> tuple[Declaration, list[Account]]:
    """A declaration that was given to ``number`` experts."""
    owner = factories.make_account(roles.ENTERPRISE)
    declaration = factories.submitted(owner, factories.make_batch(parameters={"expert_step": True}))
    factories.perform(city, declaration, "confirm")
    factories.attach(declaration, "stamped_material")
    factories.perform(owner, declaration, "stamp")
    declaration = factories.perform(city, declaration, "confirm")
    asked = [factories.make_account(roles.EXPERT) for _n in range(number)]
    expert.assign(city, declaration.public_id, [e.id for e in asked], version=declaration.version, key=None)
    return factories.find(declaration.public_id), asked


def sheet(points: str = "12") -> Sheet:
    return Sheet(dict.fromkeys(KEYS, points), {}, "agree", "方案可行")


def trail_is_whole(declaration: Declaration) -> bool:
    db.session.rollback()
    statement = select(Event).where(Event.declaration_id == declaration.id).order_by(Event.id)
    events = db.session.scalars(statement).all()
    return [e.previous for e in events] == [None, *(e.digest for e in events[:-1])] and all(
        e.digest == event_digest(e) for e in events
    )


def each(users: list[Account], deed: Callable[[Account], Any]) -> list[Callable[[], Any]]:
    return [partial(deed, apart(user)) for user in users]


def test_all_experts_hand_in_at_once_and_it_moves_on_once(context: Flask, city: Account) -> None:
    declaration, asked = at_experts(city, 4)
    public_id, before = declaration.public_id, declaration.version
    results = together(context, each(asked, lambda user: expert.score(user, public_id, sheet(), key=None)))
    assert refusals(results) == []
    found = factories.find(public_id)
    assert (found.status, found.step_key, found.holder_role) == ("in_progress", "publish_list", "city")
    assert count(Score) == 4 * len(KEYS)
    assert found.version == before + 4
    assert trail_is_whole(declaration)


def test_one_expert_in_two_windows_scores_once(context: Flask, city: Account) -> None:
    declaration, (first, _second) = at_experts(city, 2)
    public_id = declaration.public_id
    results = together(context, each([first, first], lambda user: expert.score(user, public_id, sheet(), key=None)))
    (refusal,) = refusals(results)
    assert isinstance(refusal, Conflict) and "您已经提交过评审意见" in refusal.message
    assert count(Score) == len(KEYS)
    assert factories.find(public_id).step_key == "expert_review", "the other expert still owes a score"


def test_taking_off_and_handing_in_at_once_leave_no_half_score(context: Flask, city: Account) -> None:
    declaration, (only,) = at_experts(city, 1)
    public_id, version, expert_id = declaration.public_id, declaration.version, only.id
    clerk, scorer = apart(city), apart(only)
    results = together(
        context,
        [
            lambda: expert.unassign(clerk, public_id, expert_id, version=version, key=None),
            lambda: expert.score(scorer, public_id, sheet(), key=None),
        ],
    )
    assert len(refusals(results)) == 1
    found = factories.find(public_id)
    if count(Assignment):
        assert (found.step_key, count(Score)) == ("publish_list", len(KEYS))
    else:
        assert (found.step_key, found.holder_role, count(Score)) == ("expert_review", "city", 0)
    assert trail_is_whole(declaration)


def test_two_clerks_ask_the_same_expert_once(context: Flask, city: Account) -> None:
    declaration, _asked = at_experts(city, 1)
    another = factories.make_account(roles.EXPERT)
    public_id, version, wanted = declaration.public_id, declaration.version, [another.id]
    colleague = factories.make_account(roles.CITY)
    results = together(
        context, each([city, colleague], lambda user: expert.assign(user, public_id, wanted, version=version, key=None))
    )
    (refusal,) = refusals(results)
    assert isinstance(refusal, Conflict) and "作了“分派专家”" in refusal.message
    assert count(Assignment) == 2


def test_recalling_and_confirming_at_once(context: Flask, city: Account) -> None:
    owner = factories.make_account(roles.ENTERPRISE)
    declaration = factories.submitted(owner)
    public_id, version = declaration.public_id, declaration.version
    mine, clerk = apart(owner), apart(city)
    results = together(
        context,
        [
            lambda: act(mine, public_id, "recall", Deeds(version)),
            lambda: act(clerk, public_id, "confirm", Deeds(version)),
        ],
    )
    assert len(refusals(results)) == 1
    found = factories.find(public_id)
    assert (found.status, found.step_key, count(Opinion)) in [("draft", None, 0), ("in_progress", "stamping", 1)]
    assert found.version == version + 1 and trail_is_whole(declaration)


def test_saving_and_submitting_at_once_leave_what_was_submitted(context: Flask, city: Account) -> None:
    owner = factories.make_account(roles.ENTERPRISE)
    draft = factories.filled_draft(owner, factories.make_batch())
    public_id, version, user = draft.public_id, draft.version, apart(owner)
    results = together(
        context,
        [
            lambda: act(user, public_id, "submit", Deeds(version, statement=True)),
            lambda: save_answers(user, public_id, {"profit": "123.45"}),
        ],
    )
    late = [r for r in refusals(results) if isinstance(r, Conflict)]
    assert len(refusals(results)) == len(late) <= 1
    (revision,) = db.session.scalars(select(Revision))
    assert ('"profit":"123.45"' in revision.content) is (not late), "saved before it was sent in, or refused"


def test_two_editors_of_a_batch(context: Flask, city: Account) -> None:
    batch = factories.make_batch(title="旧名称")
    colleague = factories.make_account(roles.CITY)
    names = iter(("甲", "乙"))
    public_id = batch.public_id

    def change(user: Account) -> str:
        title = next(names)
        batches.change_batch(user, public_id, 1, Changes(title, None, None, True))
        return title

    results = together(context, each([city, colleague], change))
    (refusal,) = refusals(results)
    assert isinstance(refusal, Conflict) and "您填的内容都在下面" in refusal.message
    db.session.rollback()
    stored = db.session.get_one(Batch, batch.id)
    assert stored.title in results and stored.version == 2
    assert [e.action for e in batches.events_of(stored)] == ["batch_change"]


def test_different_ticks_at_once_are_both_kept(context: Flask, city: Account) -> None:
    batch = factories.make_batch()
    keys = [r.key for r in batches.load(city, batch.public_id).definition.reminders][:2]
    assert len(keys) == 2
    clerk, public_id = apart(city), batch.public_id
    deeds = [lambda key=key: batches.tick_reminder(clerk, public_id, key, True) for key in keys]  # type: ignore[misc]
    assert refusals(together(context, deeds)) == []
    db.session.rollback()
    assert sorted(db.session.get_one(Batch, batch.id).reminders_done) == sorted(keys)


def test_remarks_of_two_reviewers_are_both_kept_and_settled_once(context: Flask, city: Account) -> None:
    owner = factories.make_account(roles.ENTERPRISE)
    declaration = factories.submitted(owner)
    colleague, public_id = factories.make_account(roles.CITY), declaration.public_id
    both = [city, colleague]
    assert refusals(together(context, each(both, lambda u: review.remark(u, public_id, "profit", "请核对")))) == []
    assert count(Remark) == 2
    factories.perform(city, declaration, "return", "请改")
    factories.perform(owner, declaration, "resubmit")
    remark_id = db.session.scalars(select(Remark.id).order_by(Remark.id)).first()
    assert remark_id is not None
    results = together(context, each(both, lambda u: review.settle(u, public_id, remark_id)))
    (refusal,) = refusals(results)
    assert isinstance(refusal, Conflict) and "不用再标为已解决" in refusal.message
    settled = db.session.scalars(select(Event).where(Event.action == "settle")).all()
    assert len(settled) == 1 and trail_is_whole(declaration)


def test_one_user_name_for_two_operators(context: Flask) -> None:
    def make() -> str:
        return accounts.create_staff("zhou", roles.CITY, "周雪松", region_code="230100")

    results = together(context, [make, make])
    assert len(refusals(results)) == 1 and isinstance(refusals(results)[0], Conflict)
    assert count(Account) == 1


def test_what_cannot_be_done_at_all_is_refused_alike(context: Flask, city: Account) -> None:
    declaration = factories.submitted()
    public_id, version = declaration.public_id, declaration.version

    def decline(user: Account) -> Declaration:
        return act(user, public_id, "reject", Deeds(version, opinion=" "))

    results: list[DomainError] = refusals(together(context, each([city, city], decline)))
    assert [type(r) for r in results] == [InvalidInput, InvalidInput]
    assert factories.find(public_id).version == version
