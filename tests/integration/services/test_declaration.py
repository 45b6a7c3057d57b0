"""Starting, submitting, recalling, deciding: each rule once, and what happens when several people act at once."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.errors import Conflict, InvalidInput, NotFound, Refused
from app.extensions import db
from app.models import (
    Account,
    AnswerRow,
    Assignment,
    Batch,
    Declaration,
    Event,
    IdempotencyKey,
    Message,
    Opinion,
    Remark,
    Revision,
    Score,
)
from app.models.base import now
from app.permissions import roles
from app.services import review
from app.services.answers import save_answers
from app.services.declaration import (
    Deeds,
    accept_statement,
    act,
    declarations_of,
    load,
    rebase,
    revision_of,
    start_declaration,
)
from app.services.unit_of_work import unit_of_work
from tests.at_once import apart, refusals, together
from tests.factories import attach, filled_draft, find, make_account, make_batch, make_enterprise, perform, submitted


@pytest.fixture
def owner(context: Flask) -> Account:
    return make_account(roles.ENTERPRISE)


@pytest.fixture
def district(context: Flask) -> Account:
    return make_account(roles.DISTRICT)


@pytest.fixture
def city(context: Flask) -> Account:
    return make_account(roles.CITY)


@pytest.fixture
def batch(context: Flask) -> Batch:
    return reviewed_batch()


def reviewed_batch(days: int = 10, **facts: Any) -> Batch:
    """A batch whose districts look first and whose experts score."""
    parameters = {"correction_days": days, "district_step": True, "expert_step": True}
    return make_batch(parameters=parameters, **facts)


def actions(declaration: Declaration) -> list[str]:
    events = db.session.scalars(select(Event).where(Event.declaration_id == declaration.id).order_by(Event.id))
    return [e.action for e in events]


def shift(batch: Batch, **values: Any) -> None:
    with unit_of_work() as session:
        stored = session.get_one(Batch, batch.id)
        for name, value in values.items():
            setattr(stored, name, value)


# -- starting -------------------------------------------------------------------------------------------------------


def test_a_start_gives_the_rows_that_are_needed(owner: Account, batch: Batch) -> None:
    declaration = find(start_declaration(owner, batch.public_id))
    assert (declaration.status, declaration.version, declaration.serial_no) == ("draft", 1, None)
    assert (declaration.holder_role, declaration.enterprise_id) == ("enterprise", owner.enterprise_id)
    rows = db.session.scalars(select(AnswerRow).where(AnswerRow.declaration_id == declaration.id)).all()
    needed = {t.key: t.min_rows for _, t, parent in declaration.programme.definition.tables()}
    for key, count in needed.items():
        assert sum(r.table_key == key for r in rows) == count, key
    assert actions(declaration) == ["start"]


def test_starting_twice_finds_the_living_one(owner: Account, batch: Batch) -> None:
    first = start_declaration(owner, batch.public_id)
    assert start_declaration(owner, batch.public_id) == first
    colleague = make_account(roles.ENTERPRISE, enterprise=owner.enterprise)
    assert start_declaration(colleague, batch.public_id) == first
    assert start_declaration(owner, make_batch().public_id) != first


def test_sixteen_starts_at_once_make_one_declaration(context: Flask, owner: Account, batch: Batch) -> None:
    user, public_id = apart(owner), batch.public_id
    db.session.rollback()
    found = together(context, [lambda: start_declaration(user, public_id)] * 16)
    assert refusals(found) == []
    assert len(set(found)) == 1
    assert db.session.scalar(select(func.count()).select_from(Declaration)) == 1


@pytest.mark.parametrize(
    ("facts", "refusal", "words"),
    [
        ({"opens": 1}, InvalidInput, "现在没有开放申报"),
        ({"closes": -1}, InvalidInput, "现在没有开放申报"),
        ({"published": False}, NotFound, "没有找到这个批次"),
    ],
)
def test_a_batch_that_takes_none(owner: Account, facts: dict[str, Any], refusal: type[Exception], words: str) -> None:
    batch = make_batch(**facts)
    with pytest.raises(refusal, match=words):
        start_declaration(owner, batch.public_id)


def test_who_may_not_start(context: Flask, batch: Batch, city: Account) -> None:
    uncertified = make_account(roles.ENTERPRISE, enterprise=make_enterprise(certified=False))
    with pytest.raises(Refused, match="先完成企业认证"):
        start_declaration(uncertified, batch.public_id)
    for user in (make_account(roles.INDIVIDUAL), city, make_account(roles.EXPERT), make_account(roles.ADMIN)):
        with pytest.raises(Refused, match="个人用户不能申报"):
            start_declaration(user, batch.public_id)


# -- submitting -----------------------------------------------------------------------------------------------------


def test_all_reasons_are_told_at_once(owner: Account, batch: Batch) -> None:
    declaration = find(start_declaration(owner, batch.public_id))
    shift(batch, closes_at=now() - timedelta(minutes=1))
    with pytest.raises(InvalidInput) as caught:
        act(owner, declaration.public_id, "submit", Deeds(version=1))
    reasons = caught.value.details["reasons"]
    assert [
        bool(re.search(words, text)) for words, text in zip(("截止", "处要改", "真实性承诺"), reasons, strict=True)
    ] == [True] * 3
    assert (find(declaration.public_id).status, find(declaration.public_id).version) == ("draft", 1)
    assert db.session.scalar(select(func.count()).select_from(Revision)) == 0


def test_a_submission_in_full(owner: Account, batch: Batch) -> None:
    sent = perform(owner, filled_draft(owner, batch), "submit")
    assert (sent.status, sent.version, sent.holder_role, sent.holder_region) == ("in_progress", 2, "district", "230108")
    assert sent.due_at is not None
    assert abs(sent.submitted_at - sent.statement_at) < timedelta(seconds=2)
    event = db.session.scalars(select(Event).where(Event.action == "submit")).one()
    assert (event.revision_no, event.from_status, event.to_status) == (1, "draft", "in_progress")
    told = db.session.scalars(select(Message)).one()
    assert (told.account_id, told.link) == (owner.id, f"/declarations/{sent.public_id}/")
    assert sent.serial_no in told.title


def test_region_and_name_are_those_of_the_moment(owner: Account, batch: Batch) -> None:
    sent = perform(owner, filled_draft(owner, batch), "submit")
    name = sent.enterprise_name
    with unit_of_work() as session:
        enterprise = session.get_one(type(owner.enterprise), owner.enterprise_id)
        enterprise.region_code, enterprise.name = "230102", "改名以后的公司"
    assert (find(sent.public_id).region_code, find(sent.public_id).enterprise_name) == ("230108", name)


def test_submitting_twice_with_one_key_counts_once(context: Flask, owner: Account, batch: Batch) -> None:
    draft = filled_draft(owner, batch)
    user, public_id = apart(owner), draft.public_id
    deeds = Deeds(version=1, statement=True, idempotency_key="k1")

    def submit() -> str:
        return act(user, public_id, "submit", deeds).serial_no or ""

    results = together(context, [submit] * 4)
    assert refusals(results) == []
    assert len(set(results)) == 1
    assert find(public_id).version == 2
    assert db.session.scalar(select(func.count()).select_from(Revision)) == 1
    assert actions(find(public_id)) == ["start", "submit"]


def test_a_failed_try_does_not_use_up_its_key(owner: Account, batch: Batch) -> None:
    draft = filled_draft(owner, batch)
    with pytest.raises(InvalidInput, match="真实性承诺"):
        act(owner, draft.public_id, "submit", Deeds(version=1, idempotency_key="k2"))
    assert db.session.scalar(select(func.count()).select_from(IdempotencyKey)) == 0
    act(owner, draft.public_id, "submit", Deeds(version=1, statement=True, idempotency_key="k2"))
    assert find(draft.public_id).status == "in_progress"


def test_a_key_belongs_to_one_person_and_deed(owner: Account, district: Account, batch: Batch) -> None:
    draft = filled_draft(owner, batch)
    act(owner, draft.public_id, "submit", Deeds(version=1, statement=True, idempotency_key="k3"))
    with pytest.raises(Conflict, match="已经用过"):
        act(district, draft.public_id, "confirm", Deeds(version=2, idempotency_key="k3"))
    assert (find(draft.public_id).step_key, find(draft.public_id).version) == ("district_review", 2)


def test_accepting_the_statement_is_noted_once(owner: Account, batch: Batch) -> None:
    public_id = start_declaration(owner, batch.public_id)
    accept_statement(owner, public_id)
    accept_statement(owner, public_id)
    assert actions(find(public_id)) == ["start", "statement"]
    assert find(public_id).statement_at is not None


# -- two people at once ---------------------------------------------------------------------------------------------


def test_a_stale_page_is_told_who_and_when(owner: Account, district: Account, batch: Batch) -> None:
    sent = perform(owner, filled_draft(owner, batch), "submit")
    shown = sent.version
    perform(district, sent, "confirm")
    with pytest.raises(Conflict) as caught:
        act(district, sent.public_id, "return", Deeds(version=shown, opinion="请改"))
    label = db.session.scalars(select(Event.label).where(Event.action == "confirm")).one()
    assert district.display_name in caught.value.message
    assert label in caught.value.message
    assert re.search(r"\d\d:\d\d", caught.value.message)
    assert find(sent.public_id).status == "in_progress"


def test_two_clerks_decide_at_once_and_one_wins(context: Flask, owner: Account, batch: Batch) -> None:
    sent = perform(owner, filled_draft(owner, batch), "submit")
    clerks = [apart(make_account(roles.DISTRICT)) for _ in range(2)]
    version, public_id = sent.version, sent.public_id
    db.session.rollback()
    deeds = [
        lambda: act(clerks[0], public_id, "confirm", Deeds(version=version)).version,
        lambda: act(clerks[1], public_id, "return", Deeds(version=version, opinion="请补充")).version,
    ]
    results = together(context, deeds)
    lost = refusals(results)
    assert len(lost) == 1
    assert isinstance(lost[0], Conflict)
    winner = clerks[0] if isinstance(results[0], int) else clerks[1]
    assert winner.display_name in lost[0].message
    assert find(public_id).version == version + 1
    assert len(actions(find(public_id))) == 3


# -- recall, withdraw, discard --------------------------------------------------------------------------------------


def test_recall_before_anybody_acted(owner: Account, district: Account, batch: Batch) -> None:
    sent = perform(owner, filled_draft(owner, batch), "submit")
    back = perform(owner, sent, "recall")
    assert (back.status, back.step_key, back.holder_role, back.due_at) == ("draft", None, "enterprise", None)
    with pytest.raises(NotFound):
        load(sent.public_id, district)
    save_answers(owner, sent.public_id, {"contact_name": "王小敏"})
    again = perform(owner, back, "submit")
    assert again.serial_no == sent.serial_no
    assert db.session.scalars(select(Revision.number).order_by(Revision.number)).all() == [1, 2]


def test_nobody_recalls_what_could_not_be_submitted_again(owner: Account, batch: Batch) -> None:
    sent = perform(owner, filled_draft(owner, batch), "submit")
    with unit_of_work() as session:
        session.get_one(Batch, batch.id).closes_at = now() - timedelta(minutes=1)
    with pytest.raises(InvalidInput, match="不收申报，撤回后就不能再提交"):
        perform(owner, sent, "recall")
    db.session.rollback()
    assert find(sent.public_id).status == "in_progress"
    assert perform(owner, sent, "withdraw").status == "withdrawn"


def test_nobody_recalls_what_is_being_handled(owner: Account, district: Account, batch: Batch) -> None:
    sent = perform(owner, filled_draft(owner, batch), "submit")
    perform(district, sent, "confirm")
    for action in ("recall", "withdraw"):
        with pytest.raises(InvalidInput, match=f"{district.display_name}已经开始办理"):
            perform(owner, sent, action)


def test_withdrawing_frees_the_place(owner: Account, batch: Batch) -> None:
    sent = perform(owner, filled_draft(owner, batch), "submit")
    gone = perform(owner, sent, "withdraw")
    assert (gone.status, gone.unique_key, gone.holder_role) == ("withdrawn", None, None)
    assert gone.decided_at is not None
    fresh = start_declaration(owner, batch.public_id)
    assert fresh != sent.public_id
    with pytest.raises(Conflict, match="不能这样办"):
        perform(owner, sent, "withdraw")


def test_discarding_a_draft(owner: Account, batch: Batch) -> None:
    draft = find(start_declaration(owner, batch.public_id))
    assert perform(owner, draft, "discard").status == "withdrawn"
    with pytest.raises(Conflict, match="已经办结"):
        save_answers(owner, draft.public_id, {"contact_name": "王小敏"})


# -- review ---------------------------------------------------------------------------------------------------------


def test_return_wants_a_reason_and_opens_the_remarked(owner: Account, district: Account, batch: Batch) -> None:
    sent = perform(owner, filled_draft(owner, batch), "submit")
    review.remark(district, sent.public_id, "contact_name", "请填写申报联系人。")
    with pytest.raises(InvalidInput, match="理由"):
        perform(district, sent, "return", "   ")
    with pytest.raises(InvalidInput, match="还有 1 条批注"):
        perform(district, sent, "confirm")
    back = perform(district, sent, "return", "联系人请改正。")
    assert (back.status, back.reopened, back.return_step) == ("returned", ["contact_name"], "district_review")
    assert db.session.scalars(select(Remark.state)).all() == ["open"]
    with pytest.raises(Conflict, match="这次没有退回"):
        save_answers(owner, sent.public_id, {"profit": "7"})
    save_answers(owner, sent.public_id, {"contact_name": "李工"})
    again = perform(owner, back, "resubmit")
    assert (again.step_key, again.status) == ("district_review", "in_progress")


def test_return_without_a_named_field_opens_everything(owner: Account, district: Account, batch: Batch) -> None:
    sent = perform(owner, filled_draft(owner, batch), "submit")
    back = perform(district, sent, "return", "请全面核对。")
    assert back.reopened is None
    assert save_answers(owner, sent.public_id, {"contact_name": "李工"}).changed == ["contact_name"]


def test_a_return_after_the_deadline_needs_days_to_correct(owner: Account, district: Account) -> None:
    batch = reviewed_batch(0)
    sent = perform(owner, filled_draft(owner, batch), "submit")
    shift(batch, closes_at=now() - timedelta(hours=1))
    with pytest.raises(InvalidInput, match="没有补正期，现在不能退回"):
        perform(district, sent, "return", "请改。")
    shift(batch, parameters={"correction_days": 3, "district_step": True})
    back = perform(district, sent, "return", "请改。")
    shift(batch, closes_at=now() - timedelta(days=4))
    with unit_of_work() as session:
        session.get_one(Declaration, back.id).step_since = now() - timedelta(days=2)
    perform(owner, back, "resubmit")
    assert find(back.public_id).status == "in_progress"


def test_a_correction_that_comes_too_late(owner: Account, district: Account) -> None:
    batch = reviewed_batch(3)
    back = perform(district, perform(owner, filled_draft(owner, batch), "submit"), "return", "请改。")
    shift(batch, opens_at=now() - timedelta(days=20), closes_at=now() - timedelta(days=5))
    with unit_of_work() as session:
        session.get_one(Declaration, back.id).step_since = now() - timedelta(days=4)
    with pytest.raises(InvalidInput, match="3 天补正期也过了"):
        perform(owner, back, "resubmit")


@pytest.mark.parametrize(
    ("role", "region", "refusal"),
    [
        (roles.DISTRICT, "230102", NotFound),
        (roles.CITY, "230100", Refused),
        (roles.CITY, "230200", NotFound),
        (roles.ADMIN, "230100", Refused),
        (roles.EXPERT, None, NotFound),
        (roles.ENTERPRISE, None, NotFound),
        (roles.INDIVIDUAL, None, NotFound),
    ],
)
def test_only_the_office_in_charge_decides(
    context: Flask, batch: Batch, role: str, region: str | None, refusal: type[Exception]
) -> None:
    sent = submitted(batch=batch)
    with pytest.raises(refusal):
        perform(make_account(role, region=region), sent, "confirm")
    assert (find(sent.public_id).version, find(sent.public_id).step_key) == (2, "district_review")


def test_a_decision_leaves_opinion_event_and_message(owner: Account, district: Account, batch: Batch) -> None:
    sent = perform(owner, filled_draft(owner, batch), "submit")
    perform(district, sent, "reject", "不在支持范围。")
    opinion = db.session.scalars(select(Opinion)).unique().one()
    assert (opinion.verdict, opinion.text, opinion.author_name) == ("reject", "不在支持范围。", district.display_name)
    event = db.session.scalars(select(Event).where(Event.action == "reject")).one()
    assert (event.actor_id, event.actor_role, event.opinion) == (district.id, "district", "不在支持范围。")
    last = db.session.scalars(select(Message).order_by(Message.id.desc())).first()
    assert "不在支持范围。" in last.body
    assert find(sent.public_id).unique_key is None


# -- experts --------------------------------------------------------------------------------------------------------


def test_the_last_score_moves_it_on(owner: Account, district: Account, city: Account) -> None:
    batch = reviewed_batch()
    declaration = at_the_experts(owner, batch, district, city)
    experts = [make_account(roles.EXPERT) for _ in range(2)]
    with pytest.raises(InvalidInput, match="至少选一位专家"):
        perform(city, declaration, "assign", experts=[])
    step = declaration.step_key
    assigned = perform(city, declaration, "assign", experts=[e.id for e in experts])
    assert (assigned.step_key, assigned.holder_role) == (step, "expert")
    for number, expert in enumerate(experts):
        given = db.session.scalars(select(Assignment).where(Assignment.expert_id == expert.id)).unique().one()
        lines = [{"criterion": "basis", "label": "基础", "points": 30 + number, "maximum": 40, "reason": ""}]
        moved = perform(expert, declaration, "score", "可行", assignment_id=given.id, verdict="agree", scores=lines)
        assert (moved.step_key == step) is (number == 0)
    assert db.session.scalar(select(func.sum(Score.points))) == 61
    with pytest.raises((NotFound, Refused, Conflict)):
        perform(experts[0], declaration, "score", assignment_id=given.id, verdict="agree", scores=[])


def at_the_experts(owner: Account, batch: Batch, district: Account, city: Account) -> Declaration:
    """A declaration that has reached the experts' step."""
    declaration = perform(owner, filled_draft(owner, batch), "submit")
    for _ in range(6):
        opened = load(declaration.public_id, city)
        if opened.step.kind == "expert":
            return declaration
        user = district if opened.step.level == "district" else city
        if opened.step.kind == "stamp":
            key = next(a.key for a in opened.definition.attachments if a.stage == "stamp")
            attach(declaration, key)
            declaration = perform(owner, declaration, "stamp")
        else:
            declaration = perform(user, declaration, "confirm")
    raise AssertionError(f"no expert step, stopped at {declaration.step_key}")


# -- reading --------------------------------------------------------------------------------------------------------


def test_lists_and_revisions(owner: Account, batch: Batch) -> None:
    sent = perform(owner, filled_draft(owner, batch), "submit")
    other = submitted()
    assert [d.public_id for d in declarations_of(owner)] == [sent.public_id]
    assert declarations_of(owner, "enterprise_certification") == []
    assert revision_of(load(sent.public_id, owner), 1).number == 1
    with pytest.raises(NotFound, match="没有这一版"):
        revision_of(load(sent.public_id, owner), 2)
    with pytest.raises(NotFound, match="没有找到这件申报"):
        load(other.public_id, owner)
    with pytest.raises(NotFound):
        load("00000000-0000-7000-8000-000000000000", owner)


def test_rebasing_onto_the_same_version_does_nothing(owner: Account, batch: Batch) -> None:
    public_id = start_declaration(owner, batch.public_id)
    rebase(owner, public_id)
    assert actions(find(public_id)) == ["start"]
    with pytest.raises(NotFound):
        rebase(make_account(roles.ENTERPRISE), public_id)
