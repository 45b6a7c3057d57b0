"""能报什么 and the page of one programme."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.models.base import now
from app.permissions import roles
from tests import factories
from tests.factories_certification import uncertified
from tests.factories_portal import make_declaration

SHOW = f"/programmes/{factories.INTAKE}/"


@pytest.fixture
def web(context: Flask, client: FlaskClient) -> FlaskClient:
    return client


@pytest.mark.parametrize("address", ["/programmes/", SHOW])
def test_who_may_enter(web: FlaskClient, address: str) -> None:
    assert web.get(address).status_code == 302
    assert factories.login(web, factories.make_account(roles.CITY)).get(address).status_code == 403


def test_individuals_read_why_not(web: FlaskClient) -> None:
    factories.make_batch()
    factories.login(web, factories.make_account(roles.INDIVIDUAL))
    assert "个人用户不能申报" in web.get("/programmes/").text
    assert web.get(SHOW).location == "/programmes/"


@pytest.mark.parametrize("key", ["nothing", factories.CERTIFICATION, "%00", "x" * 300])
def test_unknown_programmes(web: FlaskClient, key: str) -> None:
    answer = factories.login(web, factories.make_account(roles.ENTERPRISE)).get(f"/programmes/{key}/")
    assert answer.status_code == 404 and "没有这个申报项目" in answer.text


def test_overview_gives_each_condition_a_verdict(web: FlaskClient) -> None:
    factories.make_batch(title="首批")
    foreign = factories.make_enterprise(region="310101")
    page = factories.login(web, factories.make_account(roles.ENTERPRISE, enterprise=foreign)).get("/programmes/").text
    assert "暂不能报" in page and "注册地区不在哈尔滨市" in page and "不符合" in page and "符合" in page
    assert "填报时核对" in page


def test_missing_facts_lead_to_where_they_come_from(web: FlaskClient) -> None:
    factories.make_batch()
    user = factories.make_account(roles.ENTERPRISE, enterprise=factories.make_enterprise(region_code=None))
    page = factories.login(web, user).get("/programmes/").text
    assert "差 1 项" in page and "缺注册地区。" in page and 'href="/enterprise/certification/"' in page


def test_programme_page_is_the_policy_with_one_button(web: FlaskClient) -> None:
    batch = factories.make_batch(title="首批")
    page = factories.login(web, factories.make_account(roles.ENTERPRISE)).get(SHOW).text
    for words in ("首批", "添加", "申报条件", "要准备的材料", "办理步骤", "政策依据", "本批口径", "信用中国网站企业信用信息报告",
                  "初审通过后上传", "每家企业每批报一次", "财建〔2023〕117号"):  # fmt: skip
        assert words in page, words
    assert f'name="batch" value="{batch.public_id}"' in page and 'name="csrf_token"' in page
    assert page.split("<main")[1].split("</main>")[0].count("btn-primary") == 1


def test_uncertified_are_led_to_certification_without_a_dead_button(web: FlaskClient) -> None:
    factories.make_batch()
    page = factories.login(web, uncertified()).get(SHOW).text
    assert "先完成企业认证，再来申报" in page and 'href="/enterprise/certification/"' in page
    assert 'name="batch"' not in page and "disabled" not in page


def test_own_declarations_are_listed(web: FlaskClient) -> None:
    user, old, new = (
        factories.make_account(roles.ENTERPRISE),
        factories.make_batch(title="旧批"),
        factories.make_batch(title="新批"),
    )
    assert user.enterprise is not None
    made = make_declaration(user.enterprise, old, status="rejected", serial_no="2025-PY-0003", submitted_at=now())
    make_declaration(factories.make_enterprise(), new, status="draft")
    page = factories.login(web, user).get(SHOW).text
    assert "2025-PY-0003" in page and "未通过" in page and f"/declarations/{made.public_id}/" in page
    assert 'name="batch"' in page


def test_closed_rounds_have_no_button(web: FlaskClient) -> None:
    factories.make_batch(opens=-20, closes=-2)
    page = factories.login(web, factories.make_account(roles.ENTERPRISE)).get(SHOW).text
    assert "截止" in page and 'name="batch"' not in page


def test_programme_without_any_round(web: FlaskClient) -> None:
    page = factories.login(web, factories.make_account(roles.ENTERPRISE)).get(SHOW).text
    assert "现在没有批次" in page and "开放时会发消息提醒您" in page
