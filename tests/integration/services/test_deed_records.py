"""What a deed leaves behind: one event with the right actor and words, or – when it is refused – nothing at all."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.errors import Conflict, DomainError, InvalidInput, NotFound, Refused
from app.extensions import db
from app.models import (
    Account,
    AnswerRow,
    Assignment,
    Attachment,
    Batch,
    Declaration,
    Enterprise,
    Event,
    IdempotencyKey,
    Job,
    Message,
    Opinion,
    Recognition,
    Remark,
    Revision,
    Score,
)
from app.permissions import roles
from app.services.declaration import Deeds, accept_statement, act, rebase, start_declaration
from app.services.unit_of_work import unit_of_work
from app.workflow.engine import event_digest
from app.workflow.steps import DEEDS
from tests import factories

pytestmark = pytest.mark.parametrize("database", ["sqlite"])
TABLES: tuple[Any, ...] = (
    Declaration, AnswerRow, Assignment, Attachment, Event, IdempotencyKey, Job, Message, Opinion, Recognition, Remark,
    Revision, Score,
)  # fmt: skip
ACTIONS = sorted({deed.action for deed in DEEDS})


@pytest.fixture
def batch(context: Flask) -> Batch:
    return factories.make_batch(parameters={"correction_days": 10, "district_step": True})


@pytest.fixture
def owner(context: Flask) -> Account:
    return factories.make_account(roles.ENTERPRISE, display_name="王敏")


@pytest.fixture
def district(context: Flask) -> Account:
    return factories.make_account(roles.DISTRICT, display_name="周桐")


@pytest.fixture
def city(context: Flask) -> Account:
    return factories.make_account(roles.CITY, display_name="李静")


def snapshot(declaration: Declaration) -> dict[str, Any]:
    """How many rows each table has, and the declaration's own columns."""
    found = factories.find(declaration.public_id)
    counts = {m.__tablename__: db.session.scalar(select(func.count()).select_from(m)) for m in TABLES}
    return counts | {c.key: getattr(found, c.key) for c in Declaration.__table__.columns}


def newest(declaration: Declaration) -> Event:
    db.session.rollback()
    statement = select(Event).where(Event.declaration_id == declaration.id).order_by(Event.id.desc())
    return db.session.scalars(statement).first()  # type: ignore[return-value]


def attempt(user: Account, declaration: Declaration, action: str, **more: Any) -> DomainError:
    """The refusal of ``action``, after making sure that it changed nothing."""
    before = snapshot(declaration)
    deeds = Deeds(**({"version": before["version"], "opinion": "理由", "statement": True} | more))
    with pytest.raises(DomainError) as refused:
        act(user, declaration.public_id, action, deeds)
    assert snapshot(declaration) == before, action
    return refused.value


# -- what is written -----------------------------------------------------------------------------------------------


def test_a_whole_life_in_events(owner: Account, district: Account, city: Account, batch: Batch) -> None:
    declaration = factories.submitted(owner, batch)
    factories.perform(district, declaration, "return", "请改")
    factories.perform(owner, declaration, "resubmit")
    factories.perform(district, declaration, "confirm", " 齐全 ")
    factories.perform(city, declaration, "reject", "不符合")
    db.session.rollback()
    statement = select(Event).where(Event.declaration_id == declaration.id).order_by(Event.id)
    lines = [
        (e.actor_name, e.actor_role, e.action, e.step_key, e.from_status, e.to_status, e.opinion, e.revision_no)
        for e in db.session.scalars(statement)
    ]
    review = "district_review"
    assert lines == [
        ("王敏", "enterprise", "start", None, None, "draft", None, None),
        ("王敏", "enterprise", "submit", None, "draft", "in_progress", None, 1),
        ("周桐", "district", "return", review, "in_progress", "returned", "请改", None),
        ("王敏", "enterprise", "resubmit", None, "returned", "in_progress", None, 2),
        ("周桐", "district", "confirm", review, "in_progress", "in_progress", "齐全", None),
        ("李静", "city", "reject", "preliminary_review", "in_progress", "rejected", "不符合", None),
    ]


def test_the_address_goes_with_the_event(district: Account, batch: Batch) -> None:
    declaration = factories.submitted(batch=batch)
    act(district, declaration.public_id, "confirm", Deeds(declaration.version, address="203.0.113.7"))
    event = newest(declaration)
    assert (event.address, event.label, event.actor_id) == ("203.0.113.7", "初审通过", district.id)
    assert event.digest == event_digest(event)


def test_every_officers_deed_keeps_its_words_as_an_opinion(district: Account, city: Account, batch: Batch) -> None:
    declaration = factories.submitted(batch=batch)
    factories.perform(district, declaration, "confirm")
    factories.perform(city, declaration, "return", "第二页缺章")
    db.session.rollback()
    found = db.session.scalars(select(Opinion).order_by(Opinion.id)).all()
    assert [(o.step_key, o.verdict, o.text, o.author_name, o.revision_no) for o in found] == [
        ("district_review", "confirm", "", "周桐", 1),
        ("preliminary_review", "return", "第二页缺章", "李静", 1),
    ]


def test_the_enterprises_deeds_are_no_opinions(owner: Account, batch: Batch) -> None:
    declaration = factories.submitted(owner, batch)
    factories.perform(owner, declaration, "recall", "填错了")
    assert db.session.scalars(select(Opinion)).all() == []
    assert newest(declaration).opinion == "填错了"


def test_the_office_learns_of_it_by_the_holder_columns(district: Account, city: Account, batch: Batch) -> None:
    declaration = factories.submitted(batch=batch)

    def holder() -> tuple[str | None, str | None, bool]:
        found = factories.find(declaration.public_id)
        return found.holder_role, found.holder_region, found.due_at is not None

    assert holder() == ("district", "230108", True)
    factories.perform(district, declaration, "confirm")
    assert holder() == ("city", "230100", True)
    factories.perform(city, declaration, "return", "请改")
    assert holder() == ("enterprise", "230108", False)
    found = factories.find(declaration.public_id)
    assert (found.return_step, found.step_key, found.decided_at) == ("preliminary_review", None, None)


@pytest.mark.parametrize(("action", "status"), [("reject", "rejected"), ("withdraw", "withdrawn")])
def test_an_end_is_dated_and_held_by_nobody(
    owner: Account, district: Account, batch: Batch, action: str, status: str
) -> None:
    declaration = factories.submitted(owner, batch)
    found = factories.perform(district if action == "reject" else owner, declaration, action, "理由")
    assert (found.status, found.holder_role, found.holder_region, found.due_at) == (status, None, None, None)
    assert found.decided_at is not None and found.unique_key is None and found.serial_no == declaration.serial_no


def test_a_recalled_one_keeps_its_number_and_gets_no_second(owner: Account, batch: Batch) -> None:
    declaration = factories.submitted(owner, batch)
    draft = factories.perform(owner, declaration, "recall")
    assert (draft.status, draft.serial_no, draft.step_key) == ("draft", declaration.serial_no, None)
    again = factories.perform(owner, draft, "submit")
    assert again.serial_no == declaration.serial_no
    assert factories.submitted(batch=batch).serial_no == f"{batch.year}-PY-0002"


# -- what is refused -----------------------------------------------------------------------------------------------


def test_who_may_not_see_it_learns_nothing(owner: Account, batch: Batch) -> None:
    declaration = factories.submitted(owner, batch)
    strangers = [
        factories.make_account(roles.ENTERPRISE),
        factories.make_account(roles.DISTRICT, region="230102"),
        factories.make_account(roles.CITY, region="350200"),
        factories.make_account(roles.EXPERT),
        factories.make_account(roles.INDIVIDUAL),
    ]
    for stranger in strangers:
        for action in ACTIONS:
            # Also with a stale version: not even that somebody acted is told.
            refusal = attempt(stranger, declaration, action, version=1)
            assert isinstance(refusal, NotFound) and refusal.details == {}, action


def test_who_only_looks_is_told_whose_turn_it_is(owner: Account, city: Account, batch: Batch) -> None:
    declaration = factories.submitted(owner, batch)
    lookers = [city, factories.make_account(roles.ADMIN), factories.make_account(roles.PROVINCE)]
    for action in ("confirm", "return", "reject", "recall", "withdraw"):
        for user in [*lookers, owner] if action in ("confirm", "return", "reject") else lookers:
            refusal = attempt(user, declaration, action)
            assert isinstance(refusal, Refused), action
            assert refusal.message == "这件申报现在不归您办。请看“我的待办”里轮到您办的事项。"


def test_a_draft_knows_only_two_deeds(owner: Account, batch: Batch) -> None:
    draft = factories.find(start_declaration(owner, batch.public_id))
    odd = ["", "Submit", "approve ", "delete", "\x00"]
    elsewhere = [a for a in ACTIONS if a not in {deed.action for deed in DEEDS if deed.status == "draft"}]
    for action in [*elsewhere, *odd]:
        refusal = attempt(owner, draft, action)
        assert isinstance(refusal, Conflict), action
        assert refusal.message == "这件申报现在不能这样办，可能刚被别人办过。请刷新看最新状态。"


@pytest.mark.parametrize("status", ["rejected", "withdrawn"])
def test_what_is_decided_stays_decided(owner: Account, district: Account, batch: Batch, status: str) -> None:
    declaration = factories.submitted(owner, batch)
    declaration = (
        factories.perform(district, declaration, "reject", "理由")
        if status == "rejected"
        else factories.perform(owner, declaration, "withdraw")
    )
    # An administrator who has the door may void even what was decided; nobody else, and nothing else happens any more.
    still = {deed.action for deed in DEEDS if deed.status == status}
    assert still <= {"void"}
    for action in ACTIONS:
        for user in (owner, district):
            expected = Refused if action in still else Conflict
            assert isinstance(attempt(user, declaration, action), expected), action


def test_a_refusal_without_words_is_none(district: Account, batch: Batch) -> None:
    declaration = factories.submitted(batch=batch)
    for action, opinion in itertools.product(("return", "reject"), ("", "   ", "\n\t")):
        refusal = attempt(district, declaration, action, opinion=opinion)
        assert isinstance(refusal, InvalidInput)
        assert refusal.fields == {"opinion": "请写明理由，企业会看到这段话。"}


def test_another_version_than_the_present_one(district: Account, batch: Batch) -> None:
    declaration = factories.submitted(batch=batch)
    for offset in (-1, 1, 99):
        refusal = attempt(district, declaration, "confirm", version=declaration.version + offset)
        assert isinstance(refusal, Conflict) and "作了“提交”" in refusal.message


def test_the_statement_is_asked_for_each_time(owner: Account, district: Account, batch: Batch) -> None:
    draft = factories.filled_draft(owner, batch)
    assert attempt(owner, draft, "submit", statement=False).message == "请先勾选真实性承诺，再提交。"
    declaration = factories.perform(owner, draft, "submit")
    returned = factories.perform(district, declaration, "return", "请改")
    assert attempt(owner, returned, "resubmit", statement=False).message == "请先勾选真实性承诺，再提交。"


def test_an_enterprise_that_lost_its_certification_cannot_submit(owner: Account, batch: Batch) -> None:
    draft = factories.filled_draft(owner, batch)
    with unit_of_work() as session:
        session.get_one(Enterprise, owner.enterprise_id).certification_status = "rejected"
    refusal = attempt(owner, draft, "submit")
    assert "申报前要先完成企业认证" in refusal.message and refusal.status == 422


@pytest.mark.parametrize("call", [accept_statement, rebase], ids=["statement", "rebase"])
def test_only_the_enterprise_prepares_its_draft(owner: Account, city: Account, batch: Batch, call: Any) -> None:
    draft = factories.find(start_declaration(owner, batch.public_id))
    before = snapshot(draft)
    for user in (city, factories.make_account(roles.ENTERPRISE)):
        with pytest.raises(NotFound):
            call(user, draft.public_id)
    with pytest.raises(Conflict, match="不是您企业的"):
        call(factories.make_account(roles.ADMIN), draft.public_id)
    assert snapshot(draft) == before
    declaration = factories.submitted(owner, factories.make_batch())
    with pytest.raises(Conflict, match="正在办理"):
        call(owner, declaration.public_id)
