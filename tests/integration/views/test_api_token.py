"""系统 › 接口令牌, and what a key meets at the door of the interface."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.extensions import db
from app.models import Account, ApiToken, Event
from app.models.base import now
from app.permissions import roles
from app.services.unit_of_work import unit_of_work
from app.workflow.calendar import local_date
from tests.factories import PASSWORD, login, make_account
from tests.factories_api import Caller, caller, error_of, make_token

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
PAGE = "/system/tokens/"
KEY = re.compile(r'id="key" value="([A-Za-z0-9_-]{43})"')


@pytest.fixture
def admin(context: Flask) -> Account:
    return make_account(roles.ADMIN)


@pytest.fixture
def desk(context: Flask, admin: Account) -> FlaskClient:
    return login(context.test_client(), admin)


def filled(account: Account, **changes: Any) -> dict[str, Any]:
    last_day = local_date(now()) + timedelta(days=30)
    return {
        "name": "市大数据平台",
        "account": account.username,
        "last_day": last_day.isoformat(),
        "password": PASSWORD,
    } | changes


# -- the page -------------------------------------------------------------------------------------------------------


def test_a_key_is_shown_once_and_works(context: Flask, desk: FlaskClient) -> None:
    clerk = make_account(roles.DISTRICT)
    assert "还没有令牌" in desk.get(PAGE).text
    answer = desk.post(PAGE, data=filled(clerk, resources=["enterprise", "declaration"]))
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
    (key,) = KEY.findall(answer.text)
    assert "不能再看" in answer.text
    system = Caller(context, key)
    assert {r["name"] for r in system.get("").json["resources"]} == {"enterprise", "declaration"}
    again = desk.get(PAGE).text
    assert key not in again and f"{key[:6]}…" in again
    last_day = (local_date(now()) + timedelta(days=30)).isoformat()
    for words in ("市大数据平台", clerk.get_full_name(), "全部申报、企业", f">{last_day}<", "可用"):
        assert words in again, words


def test_the_password_is_never_sent_back(desk: FlaskClient, admin: Account) -> None:
    for typed in (PASSWORD, "Cuowu-2026-mima"):
        page = desk.post(PAGE, data=filled(admin, name="", password=typed))
        assert page.status_code == 422 and typed not in page.text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "  "}, "请写这个令牌给哪个系统用"),
        ({"name": "长" * 61}, "最多 60 个字"),
        ({"account": ""}, "请填令牌代表的用户名"),
        ({"account": "nobody-here"}, "没有这个用户名"),
        ({"last_day": ""}, "请选用到哪一天"),
        ({"last_day": "明年"}, "请选用到哪一天"),
        ({"last_day": "2020-01-01"}, "最长一年"),
        ({"last_day": "9999-12-31"}, "最长一年"),
        ({"password": ""}, "请再输一次您登录用的密码"),
        ({"password": "Cuowu-2026-mima"}, "密码不对"),
        ({"resources": ["nothing"]}, "能读的表"),
    ],
    ids=lambda v: ascii(v)[:30],
)
def test_a_wrong_form_says_what_is_wrong(
    context: Flask, desk: FlaskClient, admin: Account, changes: dict[str, Any], words: str
) -> None:
    answer = desk.post(PAGE, data=filled(admin) | changes)
    assert answer.status_code == 422 and words in answer.text
    assert not KEY.search(answer.text)
    assert db.session.scalars(select(ApiToken)).unique().all() == []


def test_what_was_typed_stays(desk: FlaskClient, admin: Account) -> None:
    page = desk.post(PAGE, data=filled(admin, name='<b>"平台"', password="", resources=["region"])).text
    assert "&lt;b&gt;&#34;平台&#34;" in page and '<b>"' not in page
    assert re.search(r'value="region" checked', page) and not re.search(r'value="batch" checked', page)
    assert f'value="{admin.username}"' in page


def test_ending_a_key(context: Flask, desk: FlaskClient) -> None:
    token, key = make_token(make_account(roles.CITY), name="省平台")
    system = Caller(context, key)
    assert system.get("region").status_code == 200
    assert desk.get(f"{PAGE}{token.public_id}/revoke").status_code == 405, "a link never ends a key"
    page = desk.post(f"{PAGE}{token.public_id}/revoke", follow_redirects=True).text
    assert "令牌“省平台”已停用" in page
    assert error_of(system.get("region")) == (401, "unauthorized", None)
    assert f'action="{PAGE}{token.public_id}/revoke"' not in desk.get(PAGE).text
    missing = desk.post(f"{PAGE}01890000-0000-7000-8000-000000000000/revoke")
    assert missing.status_code == 404 and "没有找到这个令牌" in missing.text


def test_states_are_said_in_words(desk: FlaskClient) -> None:
    make_token(make_account(roles.CITY), name="甲", expires_at=now() - timedelta(days=1))
    make_token(make_account(roles.CITY), name="乙", revoked_at=now())
    make_token(make_account(roles.CITY, active=False), name="丙")
    make_token(make_account(roles.CITY), name="丁")
    page = desk.get(PAGE).text
    lines = {n: row for row in re.findall(r"<tr>.*?</tr>", page) for n in re.findall(r'<th scope="row">(.)<br>', row)}
    words = {"甲": "已过期", "乙": "已停用", "丙": "账号已停用", "丁": "可用"}
    assert {
        n: next(w for w in ("账号已停用", "已停用", "已过期", "可用") if f">{w}<" in row) for n, row in lines.items()
    } == words
    assert all("还没用过" in row and "账号能看的全部" in row for row in lines.values())


def test_only_administrators_see_the_page(context: Flask) -> None:
    for role in roles.ALL:
        client = login(context.test_client(), make_account(role))
        assert client.get(PAGE).status_code == (200 if role == roles.ADMIN else 403), role
        linked = f'href="{PAGE}"' in client.get("/messages/").text
        assert linked == (role == roles.ADMIN), role


def test_no_key_without_the_form_of_the_site(context: Flask, desk: FlaskClient, admin: Account) -> None:
    context.config["WTF_CSRF_ENABLED"] = True
    token, _key = make_token(admin)
    assert desk.post(PAGE, data=filled(admin)).status_code == 400
    assert desk.post(f"{PAGE}{token.public_id}/revoke").status_code == 400
    found = db.session.scalars(select(ApiToken)).unique().one()
    assert (found.id, found.revoked_at) == (token.id, None)


def test_the_record_of_deeds_reads_in_words(desk: FlaskClient, admin: Account) -> None:
    desk.post(PAGE, data=filled(admin))
    event = db.session.scalars(select(Event).where(Event.action == "api_token_add")).one()
    page = desk.get(f"/admin/event/show/{event.id}").text
    for words in ("新建接口令牌", "接口令牌 市大数据平台", admin.username):
        assert words in page, words


# -- the door -------------------------------------------------------------------------------------------------------


def test_headers_that_open_nothing(context: Flask) -> None:
    _token, key = make_token(make_account(roles.ADMIN))
    anonymous = Caller(context, None)
    for header in (
        "", "Bearer", "Bearer ", key, f"Basic {key}", f"Token {key}", f"Bearer{key}", f"Bearer {key}x", f"Bearer {key[:-1]}",
        f"Bearer {key} {key}", f"Bearer {key},", "Bearer " + "A" * 43, "Bearer " + "A" * 5000, "Bearer ' OR 1=1 --",
        "Bearer \xe4\xbd\xa0",
    ):  # fmt: skip
        answer = anonymous.get("region", headers={"Authorization": header})
        assert error_of(answer) == (401, "unauthorized", None), header
        assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="shenbao"')
    for query in ({"token": key}, {"access_token": key}, {"api_key": key}):
        assert anonymous.get("region", **query).status_code == 401, "a key in an address would end in logs"
    for header in (f"Bearer {key}", f"bearer {key}", f"BEARER  {key}"):
        assert anonymous.get("region", headers={"Authorization": header}).status_code == 200, header
    assert "error=" not in anonymous.get("region").headers["WWW-Authenticate"]
    wrong = anonymous.get("region", headers={"Authorization": "Bearer " + "A" * 43})
    assert 'error="invalid_token"' in wrong.headers["WWW-Authenticate"]


def test_whose_account_or_day_ends_has_no_entry(context: Flask) -> None:
    account = make_account(roles.CITY)
    _token, key = make_token(account, expires_at=now() + timedelta(hours=1))
    system = Caller(context, key)
    assert system.get("region").status_code == 200
    with time_machine.travel(now() + timedelta(hours=1, seconds=1)):
        assert error_of(system.get("region")) == (401, "unauthorized", None)
    with unit_of_work() as session:
        session.get_one(Account, account.id).active = False
    assert error_of(system.get("region")) == (401, "unauthorized", None)


def test_a_stranger_learns_no_table_names(context: Flask) -> None:
    anonymous = Caller(context, None)
    answers = {anonymous.get(path).data for path in ("", "region", "nothing", "region/1", "openapi.json")}
    assert len(answers) == 1


@time_machine.travel("2026-06-01T08:00:10Z", tick=False)
def test_too_fast(context: Flask) -> None:
    context.config["API_PER_MINUTE"] = 3
    system, other = caller(context, roles.CITY), caller(context, roles.CITY)
    answers = [system.get("region", page_size=1) for _ in range(5)]
    assert [a.status_code for a in answers] == [200, 200, 200, 429, 429]
    assert error_of(answers[-1]) == (429, "too_many_requests", None)
    assert answers[-1].headers["Retry-After"] == "50" and "50 秒" in answers[-1].json["error"]["message"]
    assert other.get("region").status_code == 200, "each key has its own count"
    with time_machine.travel("2026-06-01T08:01:00Z", tick=False):
        assert system.get("region").status_code == 200
