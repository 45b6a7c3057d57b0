"""Members: rights take effect at once, whoever leaves or is removed keeps the account, one owner at any time."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.errors import Conflict, InvalidInput, NotFound, Refused, TooMany
from app.extensions import db
from app.models import Account, Declaration, Event, Invitation, LoginSession, Message, Presence
from app.models.base import now
from app.permissions import members, roles, scopes
from app.services import member as service
from app.services.answers import save_answers
from app.services.challenge import Visitor
from app.services.declaration import Deeds, act, declarations_of, load, start_declaration
from app.services.eligibility import mine_of
from app.services.enterprise import certification_of
from app.services.identity import account_by_name
from app.services.invitation import accept
from app.services.message import tell_enterprise
from app.services.todo import Filters, begun, waiting
from app.services.unit_of_work import unit_of_work
from tests.at_once import apart, refusals, together
from tests.factories import (
    PASSWORD,
    attach,
    filled_draft,
    find,
    login,
    make_account,
    make_batch,
    perform,
    standing_batch,
)
from tests.factories_members import colleague, invited, person

HERE = Visitor("d" * 64, "127.0.0.1")


@pytest.fixture
def owner(context: Flask) -> Account:
    return make_account(roles.ENTERPRISE, display_name="王经理")


def fresh(user: Account) -> Account:
    db.session.rollback()
    return db.session.get_one(Account, user.id)


def events(action: str) -> list[Event]:
    db.session.rollback()
    return list(db.session.scalars(select(Event).where(Event.action == action).order_by(Event.id)))


def newest_message(user: Account) -> str:
    db.session.rollback()
    found = db.session.scalars(select(Message).where(Message.account_id == user.id).order_by(Message.id.desc())).first()
    return f"{found.title}：{found.body}" if found else ""


# -- what a right allows ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["submit", "discard"])
def test_a_filling_member_neither_submits_nor_deletes(owner: Account, action: str) -> None:
    draft = filled_draft(owner, make_batch())
    member = colleague(owner, "fill")
    version = find(draft.public_id).version
    with pytest.raises(Refused, match="只有填报的权限。请让王经理") as refused:
        act(member, draft.public_id, action, Deeds(version=version, statement=True))
    assert refused.value.status == 403
    assert find(draft.public_id).status == "draft"
    assert [o.deed.action for o in load(draft.public_id, fresh(member)).options()] == []


@pytest.mark.parametrize("right", ["submit", "fill"])
def test_taking_back_follows_the_right(owner: Account, right: str) -> None:
    sent = perform(owner, filled_draft(owner, make_batch()), "submit")
    member = colleague(owner, right)
    found = {o.deed.action for o in load(sent.public_id, member).options()}
    assert found == ({"recall", "withdraw"} if right == "submit" else set())


def test_a_submitting_member_submits_in_the_own_name(owner: Account) -> None:
    draft = filled_draft(owner, make_batch())
    member = colleague(owner, "submit")
    assert perform(member, draft, "submit").status == "in_progress"
    assert events("submit")[-1].actor_name == "李工"


@pytest.mark.parametrize("right", ["fill", "submit"])
def test_certification_is_filled_in_by_members_and_submitted_by_the_owner(owner: Account, right: str) -> None:
    public_id = start_declaration(owner, standing_batch().public_id)
    member = colleague(owner, right)
    save_answers(member, public_id, {"contact_name": "李工"})
    for action in ("submit", "discard"):
        with pytest.raises(Refused, match="请让王经理"):
            act(member, public_id, action, Deeds(version=find(public_id).version, statement=True))
    assert {o.deed.action for o in load(public_id, fresh(owner)).options()} == {"submit", "discard"}


def test_new_rights_hold_at_once(owner: Account) -> None:
    draft = filled_draft(owner, make_batch())
    member = colleague(owner, "fill")
    service.change_rights(owner, member.id, {"*": "submit"})
    assert perform(fresh(member), draft, "submit").status == "in_progress"


def test_a_change_of_rights_is_told_and_recorded(owner: Account) -> None:
    member = colleague(owner, "fill")
    service.change_rights(owner, member.id, {"*": "submit"}, "127.0.0.1")
    event = events("member_rights")[0]
    assert event.data == {"member": member.id, "before": "全部申报：填报", "after": "全部申报：填报和提交"}
    assert "权限改为：全部申报：填报和提交" in newest_message(member)
    service.change_rights(owner, member.id, {"*": "submit"})
    assert len(events("member_rights")) == 1, "the same again is no deed"


def test_limiting_to_some_declarations(owner: Account) -> None:
    kept, hidden = (find(start_declaration(owner, make_batch().public_id)) for _ in range(2))
    kept_id, hidden_id = kept.public_id, hidden.public_id
    member = colleague(owner, "submit")
    assert len(declarations_of(member)) == 2
    service.change_rights(owner, member.id, {kept_id: "fill"})
    member = fresh(member)
    assert member.member_rights == {str(find(kept_id).id): "fill"}
    assert [d.public_id for d in declarations_of(member)] == [kept_id]
    assert [m.id for m in mine_of(member)] == [kept_id]
    assert [e.declaration.public_id for e in begun(member, Filters()).entries] == [kept_id]
    assert [e.declaration.public_id for e in waiting(member, Filters()).entries] == [kept_id]
    seen = db.session.scalars(select(Declaration.public_id).where(scopes.declarations(member))).all()
    assert seen == [kept_id]
    with pytest.raises(NotFound):
        save_answers(member, hidden_id, {"revenue": "1"})
    with pytest.raises(NotFound):
        act(member, hidden_id, "discard", Deeds(version=1))
    assert save_answers(member, kept_id, {"revenue": "1"}).changed == ["revenue"]


def test_a_limited_member_hears_of_the_own_declarations_only(owner: Account) -> None:
    one = find(start_declaration(owner, make_batch().public_id))
    key, enterprise = one.id, owner.enterprise_id or 0
    member = colleague(owner, "fill", one)
    before = newest_message(member)
    with unit_of_work() as session:
        tell_enterprise(session, enterprise, "declaration_reminder", "别的", "别的事", "/", declaration_id=key + 1)
        tell_enterprise(session, enterprise, "declaration_reminder", "大家", "大家的事", "/")
    assert newest_message(member) == before
    assert newest_message(owner) == "大家：大家的事"
    with unit_of_work() as session:
        tell_enterprise(session, enterprise, "declaration_reminder", "这件", "这件的事", "/", declaration_id=key)
    assert newest_message(member) == "这件：这件的事"


def test_a_limited_member_does_not_read_the_certification(owner: Account) -> None:
    start_declaration(owner, standing_batch().public_id)
    member = colleague(owner, "fill", find(start_declaration(owner, make_batch().public_id)))
    with pytest.raises(Refused, match="看不到企业认证"):
        certification_of(member)
    assert certification_of(fresh(owner)).state == "draft"


@pytest.mark.parametrize(
    ("rights", "field", "words"),
    [
        ({}, "chosen", "至少选一件"),
        ({"*": ""}, "right", "请选一种"),
        ({"*": "owner"}, "right", "请选一种"),
        ({"nothing-like-it": "fill"}, "chosen", "已经不在了"),
        ({f"id{n}": "fill" for n in range(21)}, "chosen", "最多指定 20 件"),
    ],
    ids=["none", "no right", "owner", "unknown", "too many"],
)
def test_rights_that_are_none(owner: Account, rights: dict[str, str], field: str, words: str) -> None:
    member = colleague(owner, "fill")
    with pytest.raises(InvalidInput) as refused:
        service.change_rights(owner, member.id, rights)
    assert words in refused.value.fields[field]
    assert fresh(member).member_rights == {"*": "fill"}


def test_a_declaration_of_another_enterprise_cannot_be_given(owner: Account) -> None:
    foreign = start_declaration(make_account(roles.ENTERPRISE), make_batch().public_id)
    member = colleague(owner, "fill")
    with pytest.raises(InvalidInput, match="已经不在了"):
        service.change_rights(owner, member.id, {foreign: "fill"})


# -- who manages -----------------------------------------------------------------------------------------------------


MANAGING: dict[str, Any] = {
    "rights": lambda user, who: service.change_rights(user, who.id, {"*": "fill"}),
    "remove": lambda user, who: service.remove_member(user, who.id),
    "transfer": lambda user, who: service.transfer(user, HERE, who.id, PASSWORD),
    "look": lambda user, who: service.member_of(user, who.id),
}


@pytest.mark.parametrize("deed", MANAGING)
def test_only_the_owner_manages(owner: Account, deed: str) -> None:
    first, second = colleague(owner, "submit", name="李工"), colleague(owner, "submit", name="赵工")
    with pytest.raises(Refused, match="只有负责人王经理"):
        MANAGING[deed](first, second)
    with pytest.raises(Refused, match="个人用户"):
        MANAGING[deed](person("路人"), second)
    with pytest.raises(NotFound, match="没有这位成员"):
        MANAGING[deed](make_account(roles.ENTERPRISE), second)
    with pytest.raises(NotFound, match="没有这位成员"):
        MANAGING[deed](owner, owner)
    assert fresh(second).enterprise_role == "member" and fresh(owner).enterprise_role == "owner"


# -- going ----------------------------------------------------------------------------------------------------------


def test_removal_ends_access_and_keeps_the_account(owner: Account, context: Flask) -> None:
    draft = start_declaration(owner, make_batch().public_id)
    member = colleague(owner, "submit")
    login(context.test_client(), member)
    save_answers(member, draft, {"revenue": "12"})
    messages = len(db.session.scalars(select(Message).where(Message.account_id == member.id)).all())
    assert service.remove_member(owner, member.id, "127.0.0.1") == "李工"
    gone = fresh(member)
    assert (gone.enterprise_id, gone.enterprise_role, gone.member_rights) == (None, None, None)
    assert (gone.user_type, gone.role_names, gone.active) == ("individual", {"individual"}, True)
    assert db.session.scalars(select(LoginSession).where(LoginSession.account_id == gone.id)).all() != []
    assert len(db.session.scalars(select(Message).where(Message.account_id == gone.id)).all()) == messages + 1
    assert "移出了" in newest_message(gone)
    for deed in (lambda: load(draft, gone), lambda: save_answers(gone, draft, {"revenue": "13"})):
        with pytest.raises(Refused, match="您已不是“哈尔滨.*”的成员"):
            deed()
    assert load(draft, fresh(owner)).answers.main["revenue"] == "12"
    assert events("member_removed")[0].data == {"member": gone.id}


def test_strangers_are_told_nothing_where_former_members_are(owner: Account) -> None:
    draft = start_declaration(owner, make_batch().public_id)
    with pytest.raises(NotFound):
        load(draft, person("路人"))
    declined = person("没答应的人")
    invited(owner, declined.phone or "")
    with pytest.raises(NotFound):
        load(draft, fresh(declined))


def test_leaving(owner: Account) -> None:
    member = colleague(owner, "fill")
    service.leave(member)
    gone = fresh(member)
    assert (gone.enterprise_id, gone.user_type) == (None, "individual")
    assert "李工退出了" in newest_message(owner)
    assert events("member_left")[0].subject == f"enterprise:{owner.enterprise_id}"
    assert db.session.scalars(select(Invitation.state).where(Invitation.account_id == gone.id)).all() == ["ended"]
    with pytest.raises(Refused, match="不属于任何企业"):
        service.leave(gone)


def test_the_owner_does_not_leave(owner: Account) -> None:
    with pytest.raises(Refused, match="先把负责人转给"):
        service.leave(owner)
    assert fresh(owner).enterprise_role == "owner"


def test_presence_ends_with_membership(owner: Account) -> None:
    draft = find(start_declaration(owner, make_batch().public_id))
    key = draft.id
    member = colleague(owner)
    with unit_of_work() as session:
        session.add(Presence(declaration_id=key, account_id=member.id, section="basic_info", seen_at=now()))
    service.remove_member(owner, member.id)
    db.session.rollback()
    assert db.session.scalars(select(Presence)).all() == []


def test_whoever_left_can_come_back(owner: Account) -> None:
    draft = start_declaration(owner, make_batch().public_id)
    member = colleague(owner)
    service.leave(member)
    again = invited(owner, fresh(member).phone or "", "submit")
    accept(fresh(member), again.public_id)
    assert load(draft, fresh(member)).own
    assert fresh(member).member_rights == {"*": "submit"}


# -- the owner -------------------------------------------------------------------------------------------------------


def test_handing_the_ownership_on(owner: Account) -> None:
    code = owner.enterprise.credit_code
    member = colleague(owner, "fill")
    assert service.transfer(owner, HERE, member.id, PASSWORD) == "李工"
    new, old = fresh(member), fresh(owner)
    assert (new.enterprise_role, new.member_rights) == ("owner", None)
    assert (old.enterprise_role, old.member_rights) == ("member", {"*": "submit"})
    assert account_by_name(code).id == new.id, "the credit code signs the new owner in"
    assert "负责人转给了您" in newest_message(new)
    assert service.remove_member(new, old.id) == "王经理"


def test_handing_on_needs_the_password(owner: Account) -> None:
    member = colleague(owner)
    with pytest.raises(InvalidInput) as refused:
        service.transfer(owner, HERE, member.id, "wrong")
    assert "密码不对" in refused.value.fields["password"]
    assert fresh(owner).enterprise_role == "owner" and events("owner_changed") == []


def test_guessing_the_password_is_limited(owner: Account) -> None:
    member = colleague(owner)
    for _ in range(5):
        with pytest.raises(InvalidInput):
            service.transfer(fresh(owner), HERE, member.id, "wrong")
    with pytest.raises(TooMany):
        service.transfer(fresh(owner), HERE, member.id, PASSWORD)
    assert fresh(owner).enterprise_role == "owner"


def test_two_transfers_at_once_leave_one_owner(context: Flask, owner: Account) -> None:
    keys = [colleague(owner, name=f"赵{n}").id for n in range(2)]
    enterprise, user = owner.enterprise_id, apart(owner)
    results = together(context, [lambda key=key: service.transfer(user, HERE, key, PASSWORD) for key in keys])
    assert len(refusals(results)) == 1
    db.session.rollback()
    owners = db.session.scalars(
        select(Account.id).where(Account.enterprise_id == enterprise, Account.enterprise_role == "owner")
    ).all()
    assert len(owners) == 1 and owners[0] in keys


# -- the list --------------------------------------------------------------------------------------------------------


def test_people_and_their_rights_in_words(owner: Account) -> None:
    draft = find(start_declaration(owner, make_batch(title="2026 年第一批").public_id))
    colleague(owner, "submit", name="赵工")
    colleague(owner, "fill", draft, name="李工")
    make_account(roles.EXPERT, enterprise_id=owner.enterprise_id)
    words = [
        (p.get_full_name(), service.rights_words(db.session(), p)) for p in service.people_of(owner.enterprise_id or 0)
    ]
    assert words == [
        ("王经理", "负责人，全部权限"), ("赵工", "全部申报：填报和提交"), ("李工", "只限 1 件：2026 年第一批（填报）"),
    ]  # fmt: skip
    nobody = Account(enterprise_role="member", member_rights={})
    assert service.rights_words(db.session(), nobody) == "还没有指定申报"


def test_what_can_be_chosen(owner: Account) -> None:
    kept = start_declaration(owner, make_batch().public_id)
    dropped = find(start_declaration(owner, make_batch().public_id))
    perform(owner, dropped, "discard")
    assert [d.public_id for d in service.choices_of(owner.enterprise_id or 0)] == [kept]


def test_a_member_uploads_by_the_same_rule(owner: Account) -> None:
    draft = find(start_declaration(owner, make_batch().public_id))
    attach(draft, "audit_report")
    member = colleague(owner, "fill", find(draft.public_id))
    assert [a.key for a in load(draft.public_id, member).attachments] == ["audit_report"]
    assert members.right_of(member, find(draft.public_id).id) == "fill"


def test_a_closed_declaration_stays_closed_for_members(owner: Account) -> None:
    sent = perform(owner, filled_draft(owner, make_batch()), "submit")
    member = colleague(owner, "submit")
    with pytest.raises(Conflict, match="正在办理"):
        save_answers(member, sent.public_id, {"revenue": "1"})
