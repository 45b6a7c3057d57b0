"""企业信息 and 企业认证, in every state."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.models import Account
from app.permissions import roles
from app.services.unit_of_work import unit_of_work
from app.workflow import engine
from tests import factories
from tests.factories_certification import ANSWERS, drafted_certification, sent_certification, uncertified

PAGE = "/enterprise/certification/"


@pytest.fixture
def web(context: Flask, client: FlaskClient) -> FlaskClient:
    return client


def show(web: FlaskClient, user: Account, address: str = PAGE) -> str:
    answer = factories.login(web, user).get(address)
    assert answer.status_code == 200
    return answer.text


@pytest.mark.parametrize("address", ["/enterprise/", PAGE])
def test_who_may_enter(web: FlaskClient, address: str) -> None:
    assert web.get(address).status_code == 302
    individual = factories.login(web, factories.make_account(roles.INDIVIDUAL)).get(address)
    assert individual.status_code == 403 and "个人用户没有企业信息" in individual.text
    assert factories.login(web, factories.make_account(roles.CITY)).get(address).status_code == 403


def test_certification_stands_under_the_enterprise(web: FlaskClient) -> None:
    user = uncertified()
    draft = drafted_certification(user)
    for address in (PAGE, f"/declarations/{draft.public_id}/sections/basic", f"/declarations/{draft.public_id}/check"):
        menu = (
            factories.login(web, user)
            .get(address, follow_redirects=True)
            .text.split('class="sb-nav"')[1]
            .split("</nav>")[0]
        )
        assert 'href="/enterprise/" aria-current="page"' in menu and menu.count("aria-current") == 1, address


def test_not_begun_says_what_is_needed(web: FlaskClient) -> None:
    page = show(web, uncertified())
    assert "开始认证" in page and "统一社会信用代码" in page and "营业执照" in page and "审完会怎样" in page
    assert f'name="batch" value="{factories.standing_batch().public_id}"' in page
    assert "一般 5 个工作日审完" in page


def test_draft_leads_on(web: FlaskClient) -> None:
    user = uncertified()
    draft = drafted_certification(user)
    page = show(web, user)
    assert "继续填" in page and f"/declarations/{draft.public_id}/" in page and "提交的内容" not in page


def test_in_review_shows_what_was_sent(web: FlaskClient) -> None:
    user = uncertified()
    sent = sent_certification(user)
    page = show(web, user)
    assert sent.serial_no in page and "审核中" in page and "撤回修改" in page
    assert ANSWERS["enterprise_name"] in page and "黑龙江省 / 哈尔滨市 / 平房区" in page and "3,000.00 万元" in page
    assert ">注册资本</dt>" in page and "注册资本(万元)" not in page and "从业人数(人)" not in page
    assert "营业执照副本.pdf" in page and "转入" in page and "开始填写" in page
    assert ANSWERS["legal_person_id"] not in page and "1101************2X" in page


def test_once_somebody_looked_it_cannot_be_taken_back(web: FlaskClient) -> None:
    user = uncertified()
    sent = sent_certification(user)
    city = factories.make_account(roles.CITY)
    with unit_of_work() as session:
        engine.record(session, engine.lock(session, sent.public_id), city, action="remark", label="批注")
    assert "撤回修改" not in show(web, user)


def test_returned_shows_the_opinion(web: FlaskClient) -> None:
    user = uncertified()
    sent = sent_certification(user)
    factories.perform(factories.make_account(roles.CITY), sent, "return", "联系方式<少>一位，请补全。")
    page = show(web, user)
    assert "联系方式&lt;少&gt;一位，请补全。" in page and "去修改" in page


def test_approved_fills_the_profile(web: FlaskClient) -> None:
    user = uncertified()
    sent = sent_certification(user)
    factories.perform(factories.make_account(roles.CITY), sent, "confirm")
    assert "可以申报了" in show(web, user)
    page = show(web, user, "/enterprise/")
    assert ANSWERS["enterprise_name"] in page and "286 人" in page and "2011-04-18" in page
    assert "这些内容来自企业认证" in page and ANSWERS["legal_person_id"] not in page and "1101************2X" in page


def test_rejected_can_be_tried_again(web: FlaskClient) -> None:
    user = uncertified()
    sent = sent_certification(user)
    factories.perform(factories.make_account(roles.CITY), sent, "reject", "营业执照已注销。")
    page = show(web, user)
    assert "营业执照已注销。" in page and "重新认证" in page and 'name="batch"' in page


def test_profile_without_certification(web: FlaskClient) -> None:
    page = show(web, uncertified(), "/enterprise/")
    assert "还没有企业信息" in page and f'href="{PAGE}"' in page


def test_members_with_hidden_numbers(web: FlaskClient) -> None:
    owner = factories.make_account(roles.ENTERPRISE, phone="13812345678")
    factories.make_account(
        roles.ENTERPRISE, enterprise=owner.enterprise, enterprise_role="member", display_name="成员甲"
    )
    factories.make_account(roles.ENTERPRISE, display_name="别家的人")
    page = show(web, owner, "/enterprise/")
    assert "成员甲" in page and "138****5678" in page and "13812345678" not in page and "别家的人" not in page


def test_certification_of_others_is_never_shown(web: FlaskClient) -> None:
    sent_certification(uncertified())
    assert ANSWERS["enterprise_name"] not in show(web, uncertified())
