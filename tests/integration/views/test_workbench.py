"""工作台: the first thing on the page is the next thing to do, for every kind of account."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.models import Account
from app.models.base import now
from app.permissions import roles
from tests import factories
from tests.factories_certification import drafted_certification, sent_certification, uncertified
from tests.factories_portal import make_declaration, make_message, make_recognition


@pytest.fixture
def web(context: Flask, client: FlaskClient) -> FlaskClient:
    return client


def bench(web: FlaskClient, user: Account) -> str:
    answer = factories.login(web, user).get("/workbench/")
    assert answer.status_code == 200
    return answer.text


def focus(page: str) -> str:
    """The card of the next step."""
    return page.split('class="sb-card focus"')[1].split("</section>")[0]


def test_strangers_are_asked_to_sign_in(web: FlaskClient) -> None:
    answer = web.get("/workbench/")
    assert answer.status_code == 302 and answer.location.endswith("/account/login?next=/workbench/")
    assert web.get("/workbench/", headers={"HX-Request": "true"}).status_code == 401


@pytest.mark.parametrize("role", [roles.CITY, roles.DISTRICT, roles.EXPERT, roles.ADMIN])
def test_staff_have_other_pages(web: FlaskClient, role: str) -> None:
    assert factories.login(web, factories.make_account(role)).get("/workbench/").status_code == 403


def test_individuals_may_look_and_are_told_so(web: FlaskClient) -> None:
    page = bench(web, factories.make_account(roles.INDIVIDUAL))
    assert "查认定结果" in page and "申报要用企业账号" in page
    menus = page.split("<main")[0]
    assert 'href="/recognitions/"' in menus and 'href="/enterprise/"' not in menus and 'href="/todo/"' not in menus


def test_continuing_a_draft_is_one_click(web: FlaskClient) -> None:
    user = factories.make_account(roles.ENTERPRISE)
    draft = factories.filled_draft(user, factories.make_batch())
    onward = f"/declarations/{draft.public_id}/sections/"
    assert f'href="{onward}"' in focus(bench(web, user))
    answer = web.get(onward)
    assert answer.status_code == 302 and answer.location != f"/declarations/{draft.public_id}/"


def test_first_of_all_certification(web: FlaskClient) -> None:
    factories.make_batch()
    page = bench(web, uncertified())
    assert "办理企业认证" in focus(page) and 'href="/enterprise/certification/"' in focus(page)
    assert "未认证" in page and "先认证" in page


def test_certification_in_progress_needs_nothing(web: FlaskClient) -> None:
    user = uncertified()
    sent_certification(user)
    page = bench(web, user)
    assert "您现在不用做什么" in focus(page) and "认证审核中" in page


def test_a_drafted_certification_comes_first(web: FlaskClient) -> None:
    user = uncertified()
    draft = drafted_certification(user)
    card = focus(bench(web, user))
    assert "填完并提交" in card and f"/declarations/{draft.public_id}/" in card and "企业认证：" in card


def test_rejected_certification_can_be_tried_again(web: FlaskClient) -> None:
    enterprise = factories.make_enterprise(certified=False, certification_status="rejected")
    assert "重新办理企业认证" in focus(bench(web, factories.make_account(roles.ENTERPRISE, enterprise=enterprise)))


def test_nothing_begun_offers_what_is_open(web: FlaskClient) -> None:
    factories.make_batch(title="首批")
    page = bench(web, factories.make_account(roles.ENTERPRISE))
    assert "申报企业培育入库" in focus(page) and f'href="/programmes/{factories.INTAKE}/"' in focus(page)
    assert "可以申报" in page and "平房区" in page and "通用设备制造业" in page


def test_nothing_open(web: FlaskClient) -> None:
    assert "现在没有能报的项目" in focus(bench(web, factories.make_account(roles.ENTERPRISE)))


def test_returned_stands_before_stamp_before_draft(web: FlaskClient) -> None:
    user, first, second, third = (
        factories.make_account(roles.ENTERPRISE),
        *(factories.make_batch(title=t) for t in "甲乙丙"),
    )
    assert user.enterprise is not None
    make_declaration(user.enterprise, first, status="draft")
    make_declaration(
        user.enterprise, second, status="in_progress", step_key="stamping", submitted_at=now(), step_since=now(),
        due_at=now() + timedelta(days=3), serial_no="2026-PY-0001",
    )  # fmt: skip
    page = bench(web, user)
    assert "打印盖章，上传扫描件" in focus(page) and "（乙）" in focus(page) and "等您上传" in focus(page)
    assert "/stamped" in focus(page) and "其他待办" in page and "（甲）" in page
    make_declaration(user.enterprise, third, status="returned", submitted_at=now(), reopened=["revenue", "profit"])
    card = focus(bench(web, user))
    assert "按意见修改，再提交" in card and "（丙）" in card and "退回修改 2 处" in card


def test_only_my_enterprise(web: FlaskClient) -> None:
    batch = factories.make_batch()
    make_declaration(factories.make_enterprise(name="别人的企业"), batch, status="returned", submitted_at=now())
    page = bench(web, factories.make_account(roles.ENTERPRISE))
    assert "别人的企业" not in page and "退回修改" not in page


def test_running_declarations_leave_nothing_to_do(web: FlaskClient) -> None:
    user, batch = factories.make_account(roles.ENTERPRISE), factories.make_batch()
    assert user.enterprise is not None
    made = make_declaration(
        user.enterprise,
        batch,
        status="in_progress",
        step_key="preliminary_review",
        submitted_at=now(),
        holder_role="city",
    )
    make_recognition(user.enterprise, made)
    page = bench(web, user)
    assert "现在不用做什么" in focus(page) and "能报的都在报了" in page and "培育入库</span>" in page


def test_latest_five_messages(web: FlaskClient) -> None:
    user = factories.make_account(roles.ENTERPRISE)
    for number in range(7):
        make_message(user, f"第{number}条<b>")
    page = bench(web, user)
    assert "第6条&lt;b&gt;" in page and "第2条" in page and "第1条" not in page and "未读" in page
