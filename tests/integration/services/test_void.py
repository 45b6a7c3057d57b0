"""作废: who may, from where, with which words, and what becomes of everything that hung on the declaration."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.errors import Conflict, DomainError, InvalidInput, NotFound, Refused
from app.extensions import db
from app.models import Account, Declaration, Enterprise, Event, Message, Recognition
from app.models.base import now
from app.permissions import roles
from app.services import outcome
from app.services.effects import EFFECTS
from app.services.unit_of_work import unit_of_work
from app.services.void import MAX_REASON, void_declaration
from app.workflow.calendar import local_date
from tests.factories import filled_draft, find, make_account, make_batch, perform, store, submitted
from tests.factories_certification import sent_certification, uncertified

sqlite_only = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
WHY = "企业书面申请作废，见存档 12 号。"


def void(user: Account, declaration: Declaration, reason: str = WHY) -> Declaration:
    """Set the declaration aside as it is now."""
    current = find(declaration.public_id)
    void_declaration(user, current.public_id, reason, version=current.version)
    return find(declaration.public_id)


@pytest.fixture
def clerk(context: Flask) -> Account:
    return make_account(roles.CITY, display_name="李静")


def last_event(declaration: Declaration) -> Event:
    return db.session.scalars(
        select(Event).where(Event.declaration_id == declaration.id).order_by(Event.id.desc())
    ).first()


def test_a_submitted_one_ends_and_its_place_is_free(clerk: Account) -> None:
    owner, batch = make_account(roles.ENTERPRISE), make_batch()
    sent = submitted(owner, batch)
    assert sent.unique_key is not None
    done = void(clerk, sent)
    assert (done.status, done.step_key, done.holder_role, done.due_at) == ("void", None, None, None)
    assert done.unique_key is None and done.decided_at is not None and done.serial_no == sent.serial_no
    event = last_event(done)
    assert (event.action, event.label, event.opinion) == ("void", "作废", WHY)
    assert (event.from_status, event.to_status, event.actor_name) == ("in_progress", "void", "李静")
    told = db.session.scalars(select(Message).where(Message.account_id == owner.id).order_by(Message.id.desc())).first()
    assert (told.kind, "已作废" in told.title, WHY in told.body) == ("recognition_cancelled", True, True)
    again = filled_draft(db.session.get_one(Account, owner.id), batch, seed=2)
    assert again.id != done.id, "the enterprise can declare again"


@sqlite_only
def test_a_returned_one(clerk: Account) -> None:
    sent = submitted()
    perform(clerk, sent, "return", "请核对。")
    assert void(clerk, sent).status == "void"


@sqlite_only
def test_a_rejected_one_frees_nothing_that_is_not_its_own(clerk: Account) -> None:
    owner, batch = make_account(roles.ENTERPRISE), make_batch()
    first = perform(clerk, submitted(owner, batch), "reject", "不符合。")
    second = filled_draft(db.session.get_one(Account, owner.id), batch, seed=2)
    assert void(clerk, first).status == "void"
    assert find(second.public_id).unique_key is not None, "the new one keeps its place"


@sqlite_only
def test_what_an_approval_gave_is_annulled_without_a_ban(clerk: Account) -> None:
    sent = submitted()
    given = store(
        Recognition(enterprise_id=sent.enterprise_id, declaration_id=sent.id, programme_key=sent.programme_key,
                    title="培育名单", valid_from=local_date(now()), created_at=now())
    )  # fmt: skip
    _approve(sent)
    done = void(clerk, sent)
    recognition = db.session.get_one(Recognition, given.id)
    assert (done.status, recognition.state, recognition.banned_until) == ("void", "revoked", None)
    assert recognition.reason == WHY
    actions = db.session.scalars(select(Event.action).where(Event.declaration_id == done.id).order_by(Event.id)).all()
    assert list(actions)[-2:] == ["void", "annul"]


@sqlite_only
def test_an_outcome_that_was_revoked_before_stays_as_it_is(clerk: Account) -> None:
    sent = submitted()
    given = store(
        Recognition(enterprise_id=sent.enterprise_id, declaration_id=sent.id, programme_key=sent.programme_key,
                    title="培育名单", valid_from=local_date(now()), created_at=now())
    )  # fmt: skip
    _approve(sent)
    outcome.revoke(clerk, given.id, "弄虚作假。", version=given.version)
    banned = db.session.get_one(Recognition, given.id).banned_until
    void(clerk, sent)
    after = db.session.get_one(Recognition, given.id)
    assert (after.state, after.reason, after.banned_until) == ("revoked", "弄虚作假。", banned)


def _approve(declaration: Declaration) -> None:
    with unit_of_work() as session:
        row = session.get_one(Declaration, declaration.id)
        row.status, row.step_key, row.holder_role, row.decided_at = "approved", None, None, now()


@sqlite_only
def test_a_certification_gives_back_its_credit_code(clerk: Account) -> None:
    sent = sent_certification(uncertified())
    enterprise_id = sent.enterprise_id
    assert db.session.get_one(Enterprise, enterprise_id).credit_code is not None
    void(clerk, sent)
    enterprise = db.session.get_one(Enterprise, enterprise_id)
    assert (enterprise.certification_status, enterprise.credit_code) == ("none", None)


# -- who may not, and when not --------------------------------------------------------------------------------------


def test_who_may_not(clerk: Account) -> None:
    sent = submitted()
    kinds: dict[str, tuple[Account, type[DomainError]]] = {
        "owner": (db.session.scalars(select(Account).where(Account.enterprise_id == sent.enterprise_id)).first(), Refused),
        "district": (make_account(roles.DISTRICT), Refused),
        "another city": (make_account(roles.CITY, region="230200"), NotFound),
        "stranger": (make_account(roles.EXPERT), NotFound),
        "other enterprise": (make_account(roles.ENTERPRISE), NotFound),
        "finance": (make_account(roles.FINANCE), Refused),
    }  # fmt: skip
    for name, (user, error) in kinds.items():
        with pytest.raises(error):
            void(user, sent)
        assert find(sent.public_id).status == "in_progress", name


@sqlite_only
@pytest.mark.parametrize("reason", ["", "   ", "\x00\n", "长" * (MAX_REASON + 1)])
def test_words_are_wanted(clerk: Account, reason: str) -> None:
    sent = submitted()
    with pytest.raises(InvalidInput) as refusal:
        void(clerk, sent, reason)
    assert "理由" in refusal.value.fields["reason"]
    assert find(sent.public_id).status == "in_progress"


@sqlite_only
def test_a_stale_page_changes_nothing(clerk: Account) -> None:
    sent = submitted()
    with pytest.raises(Conflict, match="刚被办过"):
        void_declaration(clerk, sent.public_id, WHY, version=sent.version - 1)
    assert find(sent.public_id).status == "in_progress"


@sqlite_only
def test_twice_and_drafts(clerk: Account) -> None:
    sent = submitted()
    void(clerk, sent)
    with pytest.raises(Conflict):
        void(clerk, sent)
    draft = filled_draft(make_account(roles.ENTERPRISE), make_batch())
    with pytest.raises(NotFound):
        void(clerk, draft)
    admin = make_account(roles.ADMIN)
    with pytest.raises(Conflict):
        void(admin, draft)


@sqlite_only
def test_a_failing_message_takes_everything_back(clerk: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = submitted()

    def fail(_scene: Any) -> None:
        raise RuntimeError("no message")

    monkeypatch.setitem(EFFECTS, "tell_voided", fail)
    with pytest.raises(RuntimeError):
        void(clerk, sent)
    after = find(sent.public_id)
    assert (after.status, after.unique_key) == ("in_progress", sent.unique_key)
    assert last_event(after).action == "submit"
