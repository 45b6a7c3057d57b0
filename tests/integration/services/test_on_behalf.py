"""代填: an official begins, fills in and files for an enterprise that is told at once, and says by what papers."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from app.errors import Conflict, DomainError, InvalidInput, NotFound, Refused
from app.extensions import db
from app.models import Account, Declaration, Enterprise, Event, Message, Revision
from app.permissions import roles, scopes
from app.services.answers import save_answers
from app.services.declaration import load
from app.services.on_behalf import MAX_BASIS, open_batches, start_on_behalf, starters_of
from tests.factories import (
    CERTIFICATION,
    INTAKE,
    make_account,
    make_batch,
    make_enterprise,
    perform,
    standing_batch,
    submitted,
)
from tests.factories_care import BASIS, begin, fill

sqlite_only = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def clerk(context: Flask) -> Account:
    return make_account(roles.CITY, display_name="李静")


@pytest.fixture
def owner(context: Flask) -> Account:
    return make_account(roles.ENTERPRISE)


def test_the_enterprise_is_told_who_and_why(clerk: Account, owner: Account) -> None:
    draft = begin(clerk, owner)
    assert (draft.status, draft.enterprise_id, draft.created_by) == ("draft", owner.enterprise_id, clerk.id)
    event = db.session.scalars(select(Event).where(Event.declaration_id == draft.id)).one()
    assert (event.action, event.label, event.opinion, event.actor_name) == (
        "start_for", "代企业开始填写", BASIS, "李静",
    )  # fmt: skip
    told = db.session.scalars(select(Message).where(Message.account_id == owner.id)).one()
    assert "李静正在替您填写" in told.title and BASIS in told.body
    assert told.link == f"/declarations/{draft.public_id}/"
    assert starters_of([draft]) == {clerk.id: "李静"}


def test_filling_in_and_filing(clerk: Account, owner: Account) -> None:
    draft = begin(clerk, owner)
    fill(clerk, draft)
    with pytest.raises(InvalidInput, match="代提交的依据") as refusal:
        perform(clerk, draft, "submit")
    assert set(refusal.value.fields) == {"opinion"}
    filed = perform(clerk, draft, "submit", BASIS)
    assert filed.status == "in_progress" and filed.serial_no
    event = db.session.scalars(select(Event).where(Event.action == "submit")).one()
    assert (event.actor_name, event.actor_role, event.opinion) == ("李静", "city", BASIS)
    assert db.session.scalars(select(Revision.created_by).where(Revision.declaration_id == draft.id)).one() == clerk.id


@sqlite_only
def test_the_enterprise_can_go_on_by_itself(clerk: Account, owner: Account) -> None:
    draft = begin(clerk, owner)
    fill(clerk, draft)
    person = db.session.get_one(Account, owner.id)
    save_answers(person, draft.public_id, {"profit": "12.00"})
    assert load(draft.public_id, clerk).answers.main["profit"] == "12.00", "both write in the same draft"
    assert perform(person, draft, "submit").status == "in_progress"


@sqlite_only
def test_the_draft_is_nobody_elses(clerk: Account, owner: Account) -> None:
    draft = begin(clerk, owner)
    others = [make_account(r) for r in (roles.CITY, roles.DISTRICT, roles.EXPERT, roles.ENTERPRISE)]
    for other in others:
        with pytest.raises(NotFound):
            load(draft.public_id, other)
        with pytest.raises((NotFound, Refused)):
            save_answers(other, draft.public_id, {"profit": "1"})
    seen = [draft.id in db.session.scalars(select(Declaration.id).where(scopes.declarations(u))) for u in others]
    assert seen == [False] * 4
    assert draft.id in db.session.scalars(select(Declaration.id).where(scopes.declarations(clerk))).all()


@sqlite_only
def test_after_filing_the_official_is_an_official_again(clerk: Account, owner: Account) -> None:
    draft = begin(clerk, owner)
    fill(clerk, draft)
    perform(clerk, draft, "submit", BASIS)
    with pytest.raises((Conflict, Refused)):
        save_answers(clerk, draft.public_id, {"profit": "1"})
    with pytest.raises(Refused):
        perform(clerk, draft, "recall")


@sqlite_only
def test_the_official_may_delete_the_draft_but_nothing_more(clerk: Account, owner: Account) -> None:
    draft = begin(clerk, owner)
    assert perform(clerk, draft, "discard").status == "withdrawn"


@sqlite_only
def test_a_certification_of_another_is_refused(clerk: Account, owner: Account) -> None:
    with pytest.raises(Refused, match="没有代填这类申报的权限"):
        start_on_behalf(clerk, CERTIFICATION, "哈尔滨", standing_batch().public_id, BASIS)


WRONG: list[tuple[str, dict[str, str], str, str]] = [
    ("nobody", {"enterprise": ""}, "enterprise", "没有找到这家企业"),
    ("unknown", {"enterprise": "91230108MA1BXQ3T7B"}, "enterprise", "没有找到这家企业"),
    ("part of a name", {"enterprise": "哈尔滨"}, "enterprise", "没有找到这家企业"),
    ("no basis", {"basis": " "}, "basis", "凭什么材料"),
    ("endless basis", {"basis": "长" * (MAX_BASIS + 1)}, "basis", "最多 500"),
]


@sqlite_only
@pytest.mark.parametrize(("typed", "path", "words"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_what_does_not_fit(clerk: Account, owner: Account, typed: dict[str, str], path: str, words: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        begin(clerk, owner, **typed)
    assert words in refusal.value.fields[path]
    assert db.session.query(Declaration).count() == 0


@sqlite_only
def test_names_and_codes(clerk: Account, owner: Account) -> None:
    firm = db.session.get_one(Enterprise, owner.enterprise_id)
    twin = make_enterprise(name="同名企业")
    make_enterprise(name="同名企业")
    with pytest.raises(InvalidInput, match="有几家企业叫这个名称"):
        begin(clerk, owner, enterprise="同名企业")
    assert begin(clerk, owner, enterprise=str(firm.name)).enterprise_id == firm.id
    code = db.session.get_one(Enterprise, twin.id).credit_code or ""
    assert begin(clerk, owner, enterprise=code.lower()).enterprise_id == twin.id


@sqlite_only
def test_batches_that_take_none(clerk: Account, owner: Account) -> None:
    for batch in (make_batch(opens=5), make_batch(closes=-1), make_batch(published=False), standing_batch()):
        with pytest.raises(InvalidInput, match="没有开放"):
            begin(clerk, owner, batch)
    open_now = make_batch()
    assert [b.id for b in open_batches(INTAKE)] == [open_now.id]


@sqlite_only
def test_an_uncertified_enterprise_and_a_living_declaration(clerk: Account, owner: Account) -> None:
    bare = make_enterprise(certified=False, name="还没认证的公司", region_code="230108")
    with pytest.raises(InvalidInput, match="还没有完成企业认证"):
        begin(clerk, owner, enterprise=str(bare.name))
    batch = make_batch()
    sent = submitted(owner, batch)
    with pytest.raises(Conflict, match=f"受理号 {sent.serial_no}"):
        begin(clerk, owner, batch)


@sqlite_only
def test_who_may_begin(clerk: Account, owner: Account) -> None:
    refused: dict[str, tuple[Account, type[DomainError]]] = {
        "district": (make_account(roles.DISTRICT), Refused),
        "expert": (make_account(roles.EXPERT), Refused),
        "the enterprise": (owner, Refused),
        "another city": (make_account(roles.CITY, region="230200"), InvalidInput),
    }
    for name, (user, error) in refused.items():
        with pytest.raises(error):
            begin(user, owner)
        assert db.session.query(Declaration).count() == 0, name
    assert begin(make_account(roles.ADMIN), owner).status == "draft"
