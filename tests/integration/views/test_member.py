"""Pages of members and invitations: what the owner does, what the invited person meets, and what is said."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.extensions import db
from app.models import Account, Invitation
from app.permissions import roles
from app.services import member as service
from app.services.declaration import accept_statement, start_declaration
from tests.factories import PASSWORD, filled_draft, find, login, make_account, make_batch
from tests.factories_members import colleague, invited, last_letter, person, token_in

FREE = "13712340001"
INVITE = "/enterprise/invitations/"
MEMBERS = "/enterprise/members/"


@pytest.fixture
def owner(context: Flask) -> Account:
    return make_account(roles.ENTERPRISE, display_name="王经理")


@pytest.fixture
def web(context: Flask, owner: Account) -> FlaskClient:
    return login(context.test_client(), owner)


def browser(context: Flask, user: Account) -> FlaskClient:
    return login(context.test_client(), user)


def text(response: Any) -> str:
    return re.sub(r"\s+", " ", response.get_data(as_text=True))


def fresh(user: Account) -> Account:
    db.session.rollback()
    return db.session.get_one(Account, user.id)


# -- the owner ------------------------------------------------------------------------------------------------------


def test_the_list_shows_people_and_waiting_invitations(web: FlaskClient, owner: Account) -> None:
    colleague(owner, "submit", name="赵工")
    invited(owner, FREE)
    page = text(web.get(MEMBERS))
    assert "王经理" in page and "（您自己）" in page and "负责人，全部权限" in page
    assert "赵工" in page and "全部申报：填报和提交" in page
    assert "137****0001" in page and FREE not in page
    assert "退出企业" not in page


def test_the_menu_leads_there(web: FlaskClient) -> None:
    page = text(web.get(MEMBERS))
    assert re.search(r'<a href="/enterprise/members/" aria-current="page">成员', page)


def test_a_member_sees_the_list_and_may_leave(context: Flask, owner: Account) -> None:
    member = colleague(owner)
    client = browser(context, member)
    page = text(client.get(MEMBERS))
    assert "王经理" in page and "退出企业" in page and "邀请同事" not in page and "等答复的邀请" not in page
    answer = client.post(f"{MEMBERS}leave", follow_redirects=True)
    assert answer.status_code == 200 and "您已退出企业" in text(answer)
    assert fresh(member).enterprise_id is None


@pytest.mark.parametrize("known", [True, False], ids=["with account", "without account"])
def test_inviting_says_the_same_for_every_number(web: FlaskClient, known: bool) -> None:
    phone = (person().phone or "") if known else FREE
    page = text(web.post(INVITE, data={"phone": phone, "right": "fill"}, follow_redirects=True))
    assert f"邀请已发到 {phone}，7 天内有效。对方接受后会告诉您。" in page
    assert "/invitations/token/" in last_letter(phone)


@pytest.mark.parametrize(
    ("posted", "words"),
    [
        ({"phone": "12", "right": "fill"}, "请填 11 位手机号"),
        ({"right": "fill"}, "请填 11 位手机号"),
        ({"phone": FREE}, "请选择权限"),
        ({"phone": FREE, "right": "owner"}, "请选择权限"),
    ],
    ids=["short", "none", "no right", "strange right"],
)
def test_a_refused_invitation_keeps_what_was_typed(web: FlaskClient, posted: dict[str, str], words: str) -> None:
    answer = web.post(INVITE, data=posted)
    assert answer.status_code == 422 and words in text(answer)
    assert f'value="{posted.get("phone", "")}"' in text(answer)
    assert db.session.scalars(select(Invitation)).all() == []


def test_too_many_invitations_are_said(web: FlaskClient) -> None:
    for _ in range(3):
        web.post(INVITE, data={"phone": FREE, "right": "fill"})
    answer = web.post(INVITE, data={"phone": FREE, "right": "fill"})
    assert answer.status_code == 429 and "请明天再发" in text(answer)


def test_the_declarations_page_leads_to_inviting_for_it(web: FlaskClient, owner: Account) -> None:
    batch = make_batch(title="2026 年第一批")
    public_id = start_declaration(owner, batch.public_id)
    assert f"{INVITE}?declaration={public_id}" in text(web.get(f"/declarations/{public_id}/"))
    page = text(web.get(f"{INVITE}?declaration={public_id}"))
    assert "只有这一件" in page and "2026 年第一批" in page
    web.post(INVITE, data={"phone": FREE, "right": "submit", "scope": "one", "declaration": public_id})
    db.session.rollback()
    found = db.session.scalars(select(Invitation)).unique().one()
    assert found.declaration_id == find(public_id).id and found.member_right == "submit"
    web.post(INVITE, data={"phone": FREE, "right": "fill", "scope": "whole", "declaration": public_id})
    db.session.rollback()
    newest = db.session.scalars(select(Invitation).order_by(Invitation.id.desc())).unique().first()
    assert newest is not None and newest.declaration_id is None


@pytest.mark.parametrize("public_id", ["nonsense", "01890000-0000-7000-8000-000000000000"])
def test_inviting_for_a_declaration_that_is_none(web: FlaskClient, public_id: str) -> None:
    assert web.get(f"{INVITE}?declaration={public_id}").status_code == 404
    data = {"phone": FREE, "right": "fill", "scope": "one", "declaration": public_id}
    assert web.post(INVITE, data=data).status_code == 404


def test_members_find_no_way_to_invite(context: Flask, owner: Account) -> None:
    public_id = start_declaration(owner, make_batch().public_id)
    client = browser(context, colleague(owner, "submit"))
    assert "邀请同事一起填" not in text(client.get(f"/declarations/{public_id}/"))
    for answer in (client.get(INVITE), client.post(INVITE, data={"phone": FREE, "right": "fill"})):
        assert answer.status_code == 403 and "只有负责人王经理能管理成员" in text(answer)


def test_withdrawing_an_invitation(web: FlaskClient, owner: Account) -> None:
    invitation = invited(owner, FREE)
    page = text(web.post(f"{INVITE}{invitation.public_id}/withdraw", follow_redirects=True))
    assert "邀请已撤回" in page and "137****0001" not in page
    assert web.post(f"{INVITE}{invitation.public_id}/withdraw").status_code == 404


def test_rights_are_changed_on_a_page(web: FlaskClient, owner: Account) -> None:
    public_id = start_declaration(owner, make_batch(title="2026 年第一批").public_id)
    member = colleague(owner)
    address = f"{MEMBERS}{member.id}/"
    page = text(web.get(address))
    assert "2026 年第一批" in page and re.search(r'name="scope" value="whole" checked', page)
    web.post(address, data={"scope": "chosen", "chosen": public_id, f"right.{public_id}": "submit"})
    assert fresh(member).member_rights == {str(find(public_id).id): "submit"}
    page = text(web.get(address))
    assert re.search(r'name="scope" value="chosen" checked', page) and '<option value="submit" selected>' in page
    web.post(address, data={"scope": "whole", "right": "submit"})
    assert fresh(member).member_rights == {"*": "submit"}


@pytest.mark.parametrize(
    ("posted", "words"),
    [
        ({"scope": "chosen"}, "请至少选一件申报"),
        ({"scope": "whole", "right": "x"}, "请选一种权限"),
        ({}, "请选一种权限"),
    ],
    ids=["none", "strange", "empty"],
)
def test_refused_rights_are_said_on_the_page(
    web: FlaskClient, owner: Account, posted: dict[str, str], words: str
) -> None:
    member = colleague(owner)
    answer = web.post(f"{MEMBERS}{member.id}/", data=posted)
    assert answer.status_code == 422 and words in text(answer)
    assert fresh(member).member_rights == {"*": "fill"}


def test_removing_and_handing_on(web: FlaskClient, owner: Account) -> None:
    first, second = colleague(owner, name="李工"), colleague(owner, name="赵工")
    page = text(web.post(f"{MEMBERS}{first.id}/remove", follow_redirects=True))
    assert "李工已移出" in page
    wrong = web.post(f"{MEMBERS}{second.id}/transfer", data={"password": "nein"})
    assert wrong.status_code == 422 and "密码不对，请再输一次" in text(wrong) and "nein" not in text(wrong)
    page = text(web.post(f"{MEMBERS}{second.id}/transfer", data={"password": PASSWORD}, follow_redirects=True))
    assert "负责人已转给赵工" in page and "退出企业" in page
    assert fresh(second).enterprise_role == "owner"
    assert web.get(f"{MEMBERS}{second.id}/").status_code == 403


# -- the invited person ----------------------------------------------------------------------------------------------


def test_the_link_before_signing_in_tells_the_way_for_both(client: FlaskClient, owner: Account) -> None:
    who = person()
    pages = []
    for phone in (who.phone or "", FREE):
        invited(owner, phone)
        token = token_in(last_letter(phone))
        page = text(client.get(f"/invitations/token/{token}"))
        assert "请您一起填申报" in page and "王经理" in page and "去登录" in page and "去注册" in page
        assert f"next=/invitations/token/{token}" in page.replace("%2F", "/")
        assert 'value="accept"' not in page, "nobody answers without signing in"
        pages.append(page.replace(token, "…").replace(phone[-4:], "尾号"))
    strip = re.compile(r"20\d\d-\d\d-\d\d \d\d:\d\d|编号 \w+|nonce=\"[^\"]+\"|value=\"[^\"]{40,}\"")
    assert strip.sub("", pages[0]) == strip.sub("", pages[1]), "whether the number has an account does not show"


def test_the_link_leads_the_right_account_to_the_answer(context: Flask, owner: Account) -> None:
    who = person()
    invitation = invited(owner, who.phone or "", "submit")
    client = browser(context, who)
    answer = client.get(f"/invitations/token/{token_in(last_letter(who.phone or ''))}")
    assert answer.status_code == 302 and answer.location.endswith(f"/invitations/{invitation.public_id}/")
    page = text(client.get(answer.location))
    assert "填报和提交" in page and "全部申报" in page and 'value="accept"' in page and 'value="decline"' in page


def test_the_link_in_the_wrong_account(context: Flask, owner: Account) -> None:
    invited(owner, FREE)
    answer = browser(context, person("路人")).get(f"/invitations/token/{token_in(last_letter(FREE))}")
    assert answer.status_code == 404 and "尾号 0001" in text(answer) and "请换那个号码的账号登录" in text(answer)


def test_accepting_opens_the_enterprise_at_once(context: Flask, owner: Account) -> None:
    public_id = start_declaration(owner, make_batch().public_id)
    who = person()
    invitation = invited(owner, who.phone or "", "fill", find(public_id))
    client = browser(context, who)
    assert client.get(f"/declarations/{public_id}/").status_code == 404
    answer = client.post(f"/invitations/{invitation.public_id}/", data={"do": "accept"})
    assert answer.status_code == 303 and answer.location.endswith(f"/declarations/{public_id}/")
    page = text(client.get(answer.location))
    assert "您已加入" in page and "请让王经理提交" in page


def test_declining(context: Flask, owner: Account) -> None:
    who = person()
    invitation = invited(owner, who.phone or "")
    client = browser(context, who)
    page = text(client.post(f"/invitations/{invitation.public_id}/", data={"do": "decline"}, follow_redirects=True))
    assert "已谢绝" in page
    again = client.post(f"/invitations/{invitation.public_id}/", data={"do": "accept"})
    assert again.status_code == 409 and "一份只能用一次" in text(again)
    shown = text(client.get(f"/invitations/{invitation.public_id}/"))
    assert "一份只能用一次" in shown and 'value="accept"' not in shown


@pytest.mark.parametrize("data", [{}, {"do": ""}, {"do": "maybe"}], ids=["nothing", "empty", "strange"])
def test_an_answer_that_is_none(context: Flask, owner: Account, data: dict[str, str]) -> None:
    who = person()
    invitation = invited(owner, who.phone or "")
    answer = browser(context, who).post(f"/invitations/{invitation.public_id}/", data=data)
    assert answer.status_code == 422 and "请点“接受”或“拒绝”" in text(answer)
    assert fresh(who).enterprise_id is None


def test_whoever_belongs_elsewhere_reads_what_to_do(context: Flask, owner: Account) -> None:
    busy = make_account(roles.ENTERPRISE)
    invitation = invited(owner, busy.phone or "")
    page = text(browser(context, busy).get(f"/invitations/{invitation.public_id}/"))
    assert "同时只属于一家企业" in page and 'value="accept"' not in page


def test_registration_by_the_link_begins_with_an_individual(client: FlaskClient) -> None:
    page = text(client.get("/account/register?user_type=individual&next=/x"))
    assert re.search(r'value="individual" checked', page)
    assert re.search(r'value="enterprise" checked', text(client.get("/account/register?user_type=staff")))


# -- what a right shows -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("right", ["fill", "submit"])
def test_the_check_page_says_who_submits(context: Flask, owner: Account, right: str) -> None:
    public_id = filled_draft(owner, make_batch()).public_id
    accept_statement(owner, public_id)
    page = text(browser(context, colleague(owner, right)).get(f"/declarations/{public_id}/check"))
    assert ("请让王经理提交" in page) is (right == "fill")
    assert ('disabled aria-describedby="why"' in page) is (right == "fill")


def test_submitting_without_the_right_is_refused_with_the_name(context: Flask, owner: Account) -> None:
    public_id = filled_draft(owner, make_batch()).public_id
    accept_statement(owner, public_id)
    client = browser(context, colleague(owner, "fill"))
    data = {
        "action": "submit", "version": str(find(public_id).version), "statement": "yes",
        "key": "01890000-0000-7000-8000-000000000001",
    }  # fmt: skip
    answer = client.post(f"/declarations/{public_id}/submit", data=data)
    assert answer.status_code == 403 and "请让王经理提交" in text(answer)
    assert find(public_id).status == "draft"


def test_a_filling_member_starts_a_declaration(context: Flask, owner: Account) -> None:
    batch = make_batch()
    answer = browser(context, colleague(owner, "fill")).post("/declarations/", data={"batch": batch.public_id})
    assert answer.status_code == 303
    assert len(service.choices_of(owner.enterprise_id or 0)) == 1


def test_a_limited_member_does_not(context: Flask, owner: Account) -> None:
    one = find(start_declaration(owner, make_batch().public_id))
    answer = browser(context, colleague(owner, "fill", one)).post(
        "/declarations/", data={"batch": make_batch().public_id}
    )
    assert answer.status_code == 403 and "不能新建" in text(answer)
