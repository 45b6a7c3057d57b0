"""Invitations: who may invite, what the number learns and nobody else, one use, seven days, and who may say yes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.errors import Conflict, DomainError, InvalidInput, NotFound, Refused, TooMany
from app.extensions import db
from app.models import Account, Event, Invitation, Message, SmsMessage, Throttle
from app.models.base import now
from app.permissions import roles
from app.services import invitation as invitations
from app.services.declaration import load, start_declaration
from app.services.invitation import MOST_PEOPLE, PER_DAY, PER_PHONE, Wanted, digest_of
from app.services.unit_of_work import unit_of_work
from tests.at_once import apart, refusals, together
from tests.factories import find, make_account, make_batch, make_enterprise
from tests.factories_members import colleague, invited, last_letter, person, token_in

FREE = "13712340001"


@pytest.fixture
def owner(context: Flask) -> Account:
    return make_account(roles.ENTERPRISE, display_name="王经理")


def mine(user: Account) -> list[tuple[str, str | None]]:
    """Titles and links of the messages of ``user``, newest first."""
    db.session.rollback()
    found = db.session.scalars(select(Message).where(Message.account_id == user.id).order_by(Message.id.desc()))
    return [(m.title, m.link) for m in found]


def age(invitation: Invitation, by: timedelta) -> None:
    """Make it look older."""
    with unit_of_work() as session:
        row = session.get_one(Invitation, invitation.id)
        row.created_at, row.expires_at = row.created_at - by, row.expires_at - by
    db.session.rollback()


def state_of(public_id: str) -> str:
    db.session.rollback()
    return db.session.scalars(select(Invitation.state).where(Invitation.public_id == public_id)).one()


# -- inviting -------------------------------------------------------------------------------------------------------


def test_a_person_with_an_account_gets_a_message_and_the_link(owner: Account) -> None:
    who = person()
    invitation = invited(owner, who.phone or "", "submit")
    assert (invitation.state, invitation.member_right, invitation.account_id) == ("open", "submit", None)
    assert invitation.expires_at - invitation.created_at == timedelta(days=7)
    assert mine(who) == [("有人邀请您一起填申报", f"/invitations/{invitation.public_id}/")]
    letter = last_letter(who.phone or "")
    assert "王经理请您一起填" in letter and "7 天内" in letter
    assert invitation.token_digest == digest_of(token_in(letter)), "only the digest is stored"
    stored = db.session.scalars(select(SmsMessage).where(SmsMessage.phone == who.phone)).one()
    assert token_in(letter) not in stored.text and stored.sensitive


def test_a_number_without_an_account_looks_the_same(owner: Account) -> None:
    who = person()
    known, unknown = invited(owner, who.phone or ""), invited(owner, FREE)
    same = ("state", "member_right", "account_id", "enterprise_id", "invited_by")
    assert [getattr(known, k) for k in same] == [getattr(unknown, k) for k in same]
    letters = [last_letter(who.phone or ""), last_letter(FREE)]
    assert len({text.replace(token_in(text), "…") for text in letters}) == 1


def test_the_event_holds_no_whole_number(owner: Account) -> None:
    invited(owner, FREE)
    event = db.session.scalars(select(Event).where(Event.action == "member_invited")).one()
    assert event.subject == f"enterprise:{owner.enterprise_id}" and event.actor_id == owner.id
    assert event.data == {"phone": "137****0001", "right": "fill"}


@pytest.mark.parametrize("phone", ["", "12345", "1390000000a", "23904512187", "139045121871"])
def test_a_number_that_is_none(owner: Account, phone: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        invitations.invite(owner, Wanted(phone, "fill"))
    assert "11 位手机号" in refused.value.fields["phone"]
    assert db.session.scalar(select(func.count()).select_from(Throttle)) == 0


@pytest.mark.parametrize("right", ["", "owner", "FILL"])
def test_a_right_that_is_none(owner: Account, right: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        invitations.invite(owner, Wanted(FREE, right))
    assert set(refused.value.fields) == {"right"}


def test_only_the_owner_of_a_certified_enterprise_invites(owner: Account) -> None:
    member = colleague(owner, "submit")
    with pytest.raises(Refused, match="只有负责人王经理能管理成员"):
        invitations.invite(member, Wanted(FREE, "fill"))
    with pytest.raises(Refused, match="个人用户没有企业"):
        invitations.invite(person("路人"), Wanted(FREE, "fill"))
    fresh = make_account(roles.ENTERPRISE, enterprise=make_enterprise(certified=False))
    with pytest.raises(Refused, match="先完成企业认证"):
        invitations.invite(fresh, Wanted(FREE, "fill"))
    assert last_letter(FREE) == ""


def test_colleagues_are_not_invited_again(owner: Account) -> None:
    member = colleague(owner)
    for phone in (member.phone, owner.phone):
        with pytest.raises(InvalidInput, match="已经在本企业里"):
            invitations.invite(owner, Wanted(phone or "", "fill"))


def test_a_declaration_of_somebody_else_is_none(owner: Account) -> None:
    other = make_account(roles.ENTERPRISE)
    foreign = start_declaration(other, make_batch().public_id)
    with pytest.raises(NotFound):
        invitations.invite(owner, Wanted(FREE, "fill", foreign))
    with pytest.raises(NotFound):
        invitations.invite(owner, Wanted(FREE, "fill", "nonsense"))


def test_a_second_invitation_replaces_the_first(owner: Account) -> None:
    first, second = invited(owner, FREE), invited(owner, FREE, "submit")
    assert (state_of(first.public_id), state_of(second.public_id)) == ("withdrawn", "open")
    assert [i.public_id for i in invitations.waiting_of(owner.enterprise_id or 0)] == [second.public_id]


def test_one_number_is_asked_three_times_a_day(owner: Account) -> None:
    for _ in range(PER_PHONE):
        invited(owner, FREE)
    with pytest.raises(TooMany, match="请明天再发") as refused:
        invitations.invite(owner, Wanted(FREE, "fill"))
    assert 0 < refused.value.retry_after <= 86_400
    invited(owner, "13712340002")


def test_ten_invitations_a_day(owner: Account) -> None:
    for n in range(PER_DAY):
        invited(owner, f"1371234{n:04d}")
    with pytest.raises(TooMany):
        invitations.invite(owner, Wanted("13712349999", "fill"))
    assert last_letter("13712349999") == ""
    other = make_account(roles.ENTERPRISE)
    assert invited(other, "13712349999").enterprise_id == other.enterprise_id


def test_twenty_people_are_the_most(owner: Account) -> None:
    for _ in range(MOST_PEOPLE - 2):
        make_account(roles.ENTERPRISE, enterprise=owner.enterprise, enterprise_role="member")
    invitation = invited(owner, FREE)
    with pytest.raises(InvalidInput, match="最多 20 人"):
        invitations.invite(owner, Wanted("13712340002", "fill"))
    invitations.withdraw(owner, invitation.public_id)
    assert invited(owner, "13712340002").state == "open"


# -- answering -----------------------------------------------------------------------------------------------------


def test_accepting_makes_a_member_and_tells_the_owner(owner: Account) -> None:
    who = person()
    before = invited(owner, who.phone or "", "submit")
    invitations.accept(who, before.public_id, "127.0.0.1")
    db.session.rollback()
    joined = db.session.get_one(Account, who.id)
    assert (joined.enterprise_id, joined.enterprise_role, joined.member_rights) == (
        owner.enterprise_id, "member", {"*": "submit"},
    )  # fmt: skip
    assert (joined.user_type, joined.role_names) == ("enterprise", {"enterprise"})
    assert mine(owner)[0] == ("李工接受了邀请", "/enterprise/members/")
    assert mine(joined)[-1][0] == "有人邀请您一起填申报", "the messages of before are still there"
    event = db.session.scalars(select(Event).where(Event.action == "member_joined")).one()
    assert (event.actor_id, event.address) == (joined.id, "127.0.0.1")


def test_an_invitation_to_one_declaration_opens_that_one(owner: Account) -> None:
    one = start_declaration(owner, make_batch().public_id)
    other = start_declaration(owner, make_batch().public_id)
    member = colleague(owner, "submit", find(one))
    assert member.member_rights == {str(find(one).id): "submit"}
    assert load(one, member).own
    with pytest.raises(NotFound):
        load(other, member)
    with pytest.raises(Refused, match="不能新建"):
        start_declaration(member, make_batch().public_id)


def test_two_invitations_add_up(owner: Account) -> None:
    drafts = [find(start_declaration(owner, make_batch().public_id)) for _ in range(2)]
    who = person()
    sent = [
        invited(owner, who.phone or "", r, find(d.public_id)) for d, r in zip(drafts, ("fill", "submit"), strict=True)
    ]
    for invitation in sent:
        invitations.accept(who, invitation.public_id)
    db.session.rollback()
    assert db.session.get_one(Account, who.id).member_rights == {
        str(drafts[0].id): "fill", str(drafts[1].id): "submit",
    }  # fmt: skip


def test_declining_changes_nothing_but_the_invitation(owner: Account) -> None:
    who = person()
    invitation = invited(owner, who.phone or "")
    invitations.decline(who, invitation.public_id)
    assert state_of(invitation.public_id) == "declined"
    db.session.rollback()
    assert db.session.get_one(Account, who.id).enterprise_id is None
    assert mine(owner)[0][0] == "邀请没有被接受"


@pytest.mark.parametrize("again", [invitations.accept, invitations.decline], ids=["accept", "decline"])
@pytest.mark.parametrize("first", [invitations.accept, invitations.decline], ids=["accepted", "declined"])
def test_one_use(owner: Account, first: Any, again: Any) -> None:
    who = person()
    invitation = invited(owner, who.phone or "")
    first(who, invitation.public_id)
    before = state_of(invitation.public_id)
    with pytest.raises(Conflict, match="一份只能用一次"):
        again(db.session.get_one(Account, who.id), invitation.public_id)
    assert state_of(invitation.public_id) == before


def test_an_invitation_ends_after_seven_days(owner: Account) -> None:
    who = person()
    invitation = invited(owner, who.phone or "")
    age(invitation, timedelta(days=7))
    with pytest.raises(Conflict, match="已经过期"):
        invitations.accept(who, invitation.public_id)
    assert invitations.waiting_of(owner.enterprise_id or 0) == []


def test_an_invitation_is_good_until_the_end(owner: Account) -> None:
    who = person()
    invitation = invited(owner, who.phone or "")
    age(invitation, timedelta(days=7) - timedelta(minutes=1))
    invitations.accept(who, invitation.public_id)
    assert state_of(invitation.public_id) == "accepted"


def test_a_withdrawn_invitation_cannot_be_accepted(owner: Account) -> None:
    who = person()
    invitation = invited(owner, who.phone or "")
    invitations.withdraw(owner, invitation.public_id)
    with pytest.raises(Conflict, match="已经撤回"):
        invitations.accept(who, invitation.public_id)
    with pytest.raises(NotFound):
        invitations.withdraw(owner, invitation.public_id)


def test_withdrawing_is_the_own_owners_deed(owner: Account) -> None:
    invitation = invited(owner, FREE)
    with pytest.raises(NotFound):
        invitations.withdraw(make_account(roles.ENTERPRISE), invitation.public_id)
    with pytest.raises(Refused):
        invitations.withdraw(colleague(owner), invitation.public_id)
    assert state_of(invitation.public_id) == "open"


def test_the_wrong_account_learns_nothing(owner: Account) -> None:
    invitation = invited(owner, FREE)
    stranger = person("路人")
    for deed in (invitations.accept, invitations.decline, invitations.for_person):
        with pytest.raises(NotFound, match="没有给您的这份邀请"):
            deed(stranger, invitation.public_id)
    assert state_of(invitation.public_id) == "open"


def test_a_token_leads_to_its_invitation_only(owner: Account) -> None:
    invitation = invited(owner, FREE)
    token = token_in(last_letter(FREE))
    assert invitations.by_token(token).id == invitation.id
    for wrong in ("", token[:-1], token + "x", token.swapcase(), invitation.token_digest):
        with pytest.raises(NotFound):
            invitations.by_token(wrong)


@pytest.mark.parametrize("role", [roles.CITY, roles.EXPERT, roles.ADMIN])
def test_staff_do_not_join(owner: Account, role: str) -> None:
    clerk = make_account(role)
    invitation = invited(owner, clerk.phone or "")
    with pytest.raises(Refused, match="工作人员和专家的账号不能加入"):
        invitations.accept(clerk, invitation.public_id)
    assert state_of(invitation.public_id) == "open"


def test_one_enterprise_at_a_time(owner: Account) -> None:
    busy = make_account(roles.ENTERPRISE)
    name = busy.enterprise.name
    invitation = invited(owner, busy.phone or "")
    with pytest.raises(Refused, match=f"您现在属于“{name}”"):
        invitations.accept(busy, invitation.public_id)
    elsewhere = colleague(make_account(roles.ENTERPRISE))
    second = invited(owner, elsewhere.phone or "")
    with pytest.raises(Refused, match="同时只属于一家企业"):
        invitations.accept(elsewhere, second.public_id)


def test_an_enterprise_in_which_nothing_was_done_is_no_hindrance(owner: Account) -> None:
    registered = make_account(roles.ENTERPRISE, enterprise=make_enterprise(certified=False))
    invitation = invited(owner, registered.phone or "")
    invitations.accept(registered, invitation.public_id)
    db.session.rollback()
    joined = db.session.get_one(Account, registered.id)
    assert (joined.enterprise_id, joined.enterprise_role) == (owner.enterprise_id, "member")


def test_accepting_twice_at_once_joins_once(context: Flask, owner: Account) -> None:
    who = person()
    key, public_id = who.id, invited(owner, who.phone or "").public_id
    user = apart(db.session.get_one(Account, key))
    results = together(context, [lambda: invitations.accept(user, public_id)] * 3)
    lost = refusals(results)
    assert len(lost) == 2 and all(isinstance(r, DomainError) and r.status == 409 for r in lost)
    db.session.rollback()
    joins = select(func.count()).select_from(Event).where(Event.action == "member_joined", Event.actor_id == key)
    assert db.session.scalar(joins) == 1


def test_withdrawing_and_accepting_at_once_agree(context: Flask, owner: Account) -> None:
    who = person()
    key, owner_key = who.id, owner.id
    public_id = invited(owner, who.phone or "").public_id
    first, second = apart(db.session.get_one(Account, key)), apart(db.session.get_one(Account, owner_key))
    deeds = [lambda: invitations.accept(first, public_id), lambda: invitations.withdraw(second, public_id)]
    assert len(refusals(together(context, deeds))) == 1
    db.session.rollback()
    is_in = db.session.get_one(Account, key).enterprise_id is not None
    assert is_in is (state_of(public_id) == "accepted")


def test_created_at_is_now(owner: Account) -> None:
    before = now()
    assert before <= invited(owner, FREE).created_at <= now()
