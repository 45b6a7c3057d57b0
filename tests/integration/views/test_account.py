"""The pages of registration, sign-in, recovery and the own account, by ordinary posts."""

from __future__ import annotations

import dataclasses
import re
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.extensions import db
from app.models import Account, Challenge, LoginSession, SmsMessage
from app.models.base import now
from app.permissions import roles
from app.services import account as accounts
from tests import factories
from tests.sign_in import (
    ANSWERS,
    GOOD,
    PHONE,
    answer_of,
    ask_code,
    forget_pauses,
    last_code,
    last_text,
    sign_in,
    sign_up,
    token_in,
)

PAGES = ("/account/login", "/account/login?way=sms", "/account/register", "/account/recover", "/account/agreement",
         "/account/privacy")  # fmt: skip
ENGLISH = re.compile(r"[A-Za-z]{3,}")


def words_of(page: str) -> str:
    """The text of a page without tags, scripts and attributes."""
    return re.sub(r"<[^>]*>", " ", re.sub(r"(?s)<(script|style|head)\b.*?</\1>", " ", page))


def same_page(response: TestResponse) -> str:
    """A page without what is new in every answer and without what was typed."""
    text = re.sub(r'(nonce|value|src|href|y|token)="[^"]*"', "", response.text)
    return re.sub(r"/account/challenge/\S+", "", text)


def cookie(client: FlaskClient) -> str:
    found = client.get_cookie(client.application.config["SESSION_COOKIE_NAME"])
    assert found is not None
    return found.value


def replay(app: Flask, value: str, path: str = "/account/") -> TestResponse:
    """Ask for a page with a cookie captured before."""
    thief = app.test_client()
    thief.set_cookie(app.config["SESSION_COOKIE_NAME"], value)
    return thief.get(path)


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_chinese(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert not ENGLISH.search(words_of(response.text))
    assert " style=" not in response.text and "onclick" not in response.text


def test_registration_by_ordinary_posts(context: Flask, client: FlaskClient) -> None:
    sent = ask_code(client, "register", username="松岭", user_type="individual", agree="y")
    assert (sent.status_code, "已发出" in sent.text) == (200, True)
    assert 'value="松岭"' in sent.text and 'value="individual" checked' in sent.text
    done = client.post("/account/register", data=ANSWERS | {"password": GOOD, "repeat": GOOD, "code": last_code()})
    assert (done.status_code, done.location) == (302, "/workbench/")
    page = client.get("/account/")
    assert page.status_code == 200
    assert "138****6120" in page.text and PHONE not in page.text


def test_errors_keep_what_was_typed_but_no_password(context: Flask, client: FlaskClient) -> None:
    ask_code(client, "register")
    data = ANSWERS | {"code": "000 00", "password": GOOD, "repeat": "x", "username": "a b"}
    answer = client.post("/account/register", data=data)
    assert answer.status_code == 422
    for kept in ("a b", PHONE, "000 00"):
        assert f'value="{kept}"' in answer.text
    assert GOOD not in answer.text
    assert answer.text.count('class="sb-error"') == 3
    assert "已发出" in answer.text and "拼" not in words_of(answer.text)


@pytest.mark.parametrize("missing", sorted(ANSWERS) + ["code", "password", "repeat"])
def test_nothing_may_be_missing(client: FlaskClient, missing: str) -> None:
    data = ANSWERS | {"code": "123456", "password": GOOD, "repeat": GOOD}
    data.pop(missing)
    assert client.post("/account/register", data=data).status_code == 422


def test_asking_for_a_code_tells_nothing_about_the_number(context: Flask, client: FlaskClient) -> None:
    factories.make_account(roles.ENTERPRISE, phone=PHONE)
    for purpose in ("register", "login", "recover"):
        known, unknown = (ask_code(client, purpose, phone) for phone in (PHONE, "13900000000"))
        assert known.status_code == unknown.status_code == 200
        assert same_page(known) == same_page(unknown)
        forget_pauses()


def test_submitting_tells_nothing_about_the_number(context: Flask, client: FlaskClient) -> None:
    factories.make_account(roles.ENTERPRISE, phone=PHONE)
    for purpose, path in (
        ("register", "/account/register"),
        ("login", "/account/login"),
        ("recover", "/account/recover"),
    ):
        answers = []
        for phone in (PHONE, "13900000000"):
            ask_code(client, purpose, phone)
            data = ANSWERS | {"phone": phone, "code": "111111", "password": GOOD, "repeat": GOOD, "way": "sms"}
            answers.append(client.post(path, data=data))
        assert answers[0].status_code == answers[1].status_code == 422
        assert same_page(answers[0]) == same_page(answers[1])
        forget_pauses()


def test_signing_in_tells_nothing_about_the_name(context: Flask, client: FlaskClient) -> None:
    user = factories.make_account(roles.ENTERPRISE)
    known, unknown = (sign_in(client, name, "falsch-2026") for name in (user.username, "nobody-here"))
    assert known.status_code == unknown.status_code == 422
    assert same_page(known) == same_page(unknown)
    assert "用户名或密码不对" in known.text and f'value="{user.username}"' in known.text


def test_a_wrong_answer_brings_another_challenge(context: Flask, client: FlaskClient) -> None:
    first = token_in(client.get("/account/register").text)
    data = {"purpose": "register", "phone": PHONE, "token": first, "answer": "0", "username": "松岭"}
    refused = client.post("/account/code", data=data)
    assert (refused.status_code, token_in(refused.text) != first) == (422, True)
    assert "没有对上" in refused.text and 'value="松岭"' in refused.text
    assert db.session.scalar(select(func.count()).select_from(SmsMessage)) == 0


def test_other_challenges_by_buttons(context: Flask, client: FlaskClient) -> None:
    data = {"purpose": "login", "way": "sms", "phone": "1381234", "keep": "y"}
    client.get("/account/login?way=sms")
    picture = client.post("/account/code", data=data | {"do": "picture"})
    assert picture.status_code == 200
    assert 'value="1381234"' in picture.text and "听语音" in picture.text
    assert 'class="sb-error"' not in picture.text
    token = token_in(picture.text)
    assert client.get(f"/account/challenge/{token}/sound").mimetype == "audio/wav"
    again = client.post("/account/code", data=data | {"do": "other", "kind": "picture"})
    assert "听语音" in again.text and token_in(again.text) != token
    assert 'type="range"' in client.post("/account/code", data=data | {"do": "slider"}).text


def test_scripts_get_only_the_changed_part(context: Flask, client: FlaskClient) -> None:
    token = token_in(client.get("/account/register").text)
    headers = {"HX-Request": "true"}
    data = {"purpose": "register", "phone": PHONE, "token": token, "answer": answer_of(token)}
    other = client.post("/account/code", data=data | {"do": "other"}, headers=headers)
    assert other.text.lstrip().startswith("{#") is False and "<html" not in other.text
    assert 'id="puzzle"' in other.text and 'id="phone"' not in other.text
    refused = client.post("/account/code", data=data | {"phone": "1381234"}, headers=headers)
    assert (refused.status_code, "现在是 7 位" in refused.text) == (422, True)
    sent = client.post("/account/code", data=data, headers=headers)
    assert (sent.status_code, "已发出" in sent.text, 'id="puzzle"' in sent.text) == (200, True, False)
    assert re.search(r'data-wait="(5\d|60)"', sent.text)
    again = client.post("/account/code", data=data | {"do": "again"}, headers=headers)
    assert 'id="puzzle"' in again.text


def test_too_many_codes_say_how_long(context: Flask, client: FlaskClient) -> None:
    ask_code(client, "login")
    refused = ask_code(client, "login")
    assert refused.status_code == 429
    assert re.search(r"请 \d+ 秒后再获取", refused.text)
    assert 'value="13812346120"' in refused.text


def test_unknown_purposes_and_deeds(client: FlaskClient) -> None:
    assert client.post("/account/code", data={"purpose": "admin"}).status_code == 400
    assert client.post("/account/code", data={"purpose": "login", "do": "send"}).status_code == 422
    assert client.get("/account/code").status_code == 405


def test_pictures_belong_to_one_session_and_name_nothing(context: Flask, app: Flask, client: FlaskClient) -> None:
    page = client.get("/account/register").text
    token = token_in(page)
    for part in ("picture", "piece"):
        response = client.get(f"/account/challenge/{token}/{part}")
        assert (response.status_code, response.mimetype) == (200, "image/png")
        assert response.headers["Cache-Control"] == "no-store"
        assert app.test_client().get(f"/account/challenge/{token}/{part}").status_code == 404
    assert client.get(f"/account/challenge/{token}/sound").status_code == 404
    assert client.get("/account/challenge/unknown/picture").status_code == 404
    row = db.session.scalars(select(Challenge).where(Challenge.token == token)).one()
    assert f'"{row.answer}"' not in page and f"={row.answer}" not in page


def test_sign_in_leads_where_one_wanted_to_go(context: Flask, app: Flask) -> None:
    user, clerk = factories.make_account(roles.ENTERPRISE), factories.make_account(roles.CITY)
    for account, wanted, place in (
        (user, "", "/workbench/"),
        (clerk, "", "/todo/"),
        (user, "/programmes/?x=1", "/programmes/?x=1"),
        (user, "https://evil.example/", "/workbench/"),
        (user, "//evil.example", "/workbench/"),
        (user, "/\\evil.example", "/workbench/"),
    ):
        answer = sign_in(app.test_client(), account.username, factories.PASSWORD, next=wanted)
        assert (answer.status_code, answer.location) == (302, place)


def test_who_is_asked_to_sign_in_comes_back(context: Flask, client: FlaskClient) -> None:
    user = factories.make_account(roles.ENTERPRISE)
    asked = client.get("/messages/?kind=declaration_reminder")
    assert asked.location.startswith("/account/login?next=")
    page = client.get(asked.location)
    wanted = re.search(r'name="next" value="([^"]+)"', page.text)
    assert wanted and wanted[1] == "/messages/?kind=declaration_reminder"
    assert sign_in(client, user.username, factories.PASSWORD, next=wanted[1]).location == wanted[1]
    assert client.get("/account/login").location == "/workbench/"


def test_sign_in_by_code(context: Flask, client: FlaskClient) -> None:
    user = factories.make_account(roles.ENTERPRISE, phone=PHONE)
    ask_code(client, "login", keep="y")
    answer = client.post("/account/login", data={"way": "sms", "phone": PHONE, "code": last_code(), "keep": "y"})
    assert answer.location == "/workbench/"
    kept = client.get_cookie("remembered_name", path="/account")
    assert kept is not None and kept.value == PHONE
    client.post("/account/logout")
    assert f'value="{PHONE}"' in client.get("/account/login?way=sms").text
    assert user.username not in kept.value


def test_a_name_is_remembered_only_if_wanted(context: Flask, client: FlaskClient) -> None:
    user = factories.make_account(roles.ENTERPRISE, username="松岭王敏")
    sign_in(client, user.username, factories.PASSWORD)
    assert client.get_cookie("remembered_name", path="/account") is None
    client.post("/account/logout")
    sign_in(client, user.username, factories.PASSWORD, keep="y")
    client.post("/account/logout")
    assert 'value="松岭王敏"' in client.get("/account/login").text
    sign_in(client, user.username, factories.PASSWORD)
    client.post("/account/logout")
    assert "松岭王敏" not in client.get("/account/login").text


def test_the_session_is_new_after_signing_in_and_gone_after_signing_out(context: Flask, app: Flask) -> None:
    user, client = factories.make_account(roles.ENTERPRISE), app.test_client()
    client.get("/account/login?way=sms")
    before = cookie(client)
    answer = sign_in(client, user.username, factories.PASSWORD)
    assert "HttpOnly" in answer.headers["Set-Cookie"] and "SameSite=Lax" in answer.headers["Set-Cookie"]
    during = cookie(client)
    assert before != during
    assert replay(app, before).status_code == 302
    assert replay(app, during).status_code == 200
    assert client.post("/account/logout").status_code == 302
    assert replay(app, during).status_code == 302
    assert client.get("/account/").status_code == 302


def test_a_get_does_not_sign_out(context: Flask, client: FlaskClient) -> None:
    factories.login(client, factories.make_account(roles.ENTERPRISE))
    assert client.get("/account/logout").status_code == 405
    assert client.get("/account/").status_code == 200


def test_changing_the_password_ends_the_other_sessions(context: Flask, app: Flask) -> None:
    user, here, there = factories.make_account(roles.ENTERPRISE), app.test_client(), app.test_client()
    factories.login(here, user)
    factories.login(there, user)
    old = cookie(here)
    wrong = here.post("/account/password", data={"current": "x", "password": GOOD, "repeat": GOOD})
    assert (wrong.status_code, "现在的密码不对" in wrong.text) == (422, True)
    data = {"current": factories.PASSWORD, "password": GOOD, "repeat": GOOD}
    assert here.post("/account/password", data=data).status_code == 302
    assert there.get("/account/").status_code == 302
    assert replay(app, old).status_code == 302
    assert here.get("/account/").status_code == 200


def test_recovery_by_ordinary_posts(context: Flask, app: Flask, client: FlaskClient) -> None:
    user = factories.make_account(roles.ENTERPRISE, phone=PHONE)
    elsewhere = factories.login(app.test_client(), user)
    ask_code(client, "recover")
    data = {"phone": PHONE, "code": last_code(), "password": GOOD, "repeat": GOOD}
    answer = client.post("/account/recover", data=data)
    assert answer.location == "/account/login"
    assert user.username in client.get("/account/login").text
    assert client.get("/account/").status_code == 302
    assert elsewhere.get("/account/").status_code == 302
    assert client.post("/account/recover", data=data).status_code == 422
    assert sign_in(client, PHONE, GOOD).status_code == 302


def test_the_lock_is_said_on_the_page(context: Flask, client: FlaskClient) -> None:
    user = factories.make_account(roles.ENTERPRISE)
    for _ in range(5):
        assert sign_in(client, user.username, "x").status_code == 422
    locked = sign_in(client, user.username, factories.PASSWORD)
    assert (locked.status_code, "密码登录暂停 15 分钟" in locked.text) == (429, True)
    with time_machine.travel(now() + timedelta(minutes=16)):
        assert sign_in(client, user.username, factories.PASSWORD).status_code == 302


def test_a_first_password_has_to_be_changed_before_anything_else(context: Flask, client: FlaskClient) -> None:
    word = accounts.create_staff("zhou", roles.CITY, "周雪松", region_code="230100")
    assert sign_in(client, "zhou", word).location == "/account/password"
    assert client.get("/todo/").location == "/account/password?next=/todo/"
    assert client.post("/account/identity", data={"name": "x"}).status_code == 403
    page = client.get("/account/password")
    assert "请先换掉初始密码" in page.text and "10 到 64 位" in page.text
    data = {"current": word, "password": "Xuesong#2026", "repeat": "Xuesong#2026", "next": "/todo/"}
    assert client.post("/account/password", data=data).location == "/todo/"
    assert client.get("/todo/").status_code == 200


def test_staff_and_the_second_factor(context: Flask, app: Flask, client: FlaskClient) -> None:
    app.config["SETTINGS"] = dataclasses.replace(app.config["SETTINGS"], staff_second_factor=True)
    clerk = factories.make_account(roles.CITY, phone=PHONE)
    assert client.get("/account/second").location == "/account/login"
    first = sign_in(client, clerk.username, factories.PASSWORD, next="/batches/")
    assert first.location == "/account/second?next=/batches/"
    assert client.get("/todo/").location.startswith("/account/login")
    page = client.get(first.location)
    assert (page.status_code, "138****6120" in page.text) == (200, True)
    assert client.post("/account/second", data={"code": "abc"}).status_code == 422
    assert client.post("/account/second", data={"do": "send"}).status_code == 429
    entered = client.post("/account/second", data={"code": last_code(), "next": "/batches/"})
    assert entered.location == "/batches/"
    assert client.get("/todo/").status_code == 200


def test_individuals_keep_their_identity(context: Flask, client: FlaskClient) -> None:
    person = factories.make_account(roles.INDIVIDUAL)
    factories.login(client, person)
    bad = client.post("/account/identity", data={"name": "孙晓明", "id_number": "110105194912310021"})
    assert (bad.status_code, "校验位" in bad.text) == (422, True)
    data = {"name": "孙晓明", "id_number": "11010519491231002X"}
    assert client.post("/account/identity", data=data).status_code == 302
    page = client.get("/account/")
    assert "1101************2X" in page.text and "11010519491231002X" not in page.text
    client.post("/account/logout")
    assert sign_in(client, "11010519491231002x", factories.PASSWORD).status_code == 302


def test_enterprise_users_are_not_asked_for_an_identity_number(context: Flask, client: FlaskClient) -> None:
    user = factories.make_account(roles.ENTERPRISE)
    factories.login(client, user)
    assert "身份证号" not in client.get("/account/").text
    client.post("/account/identity", data={"name": "王敏", "id_number": "11010519491231002X"})
    stored = db.session.get_one(Account, user.id)
    assert (stored.display_name, stored.id_number_index) == ("王敏", None)


def test_sessions_are_listed_and_ended(context: Flask, app: Flask) -> None:
    user, here, there = factories.make_account(roles.ENTERPRISE), app.test_client(), app.test_client()
    stranger = factories.login(app.test_client(), factories.make_account(roles.ENTERPRISE))
    factories.login(here, user)
    factories.login(there, user)
    keys = re.findall(r'name="session" value="([0-9a-f]{16})"', here.get("/account/").text)
    assert len(keys) == 1
    stranger.post("/account/sessions/end", data={"session": keys[0]})
    assert there.get("/account/").status_code == 200
    assert here.post("/account/sessions/end", data={"session": keys[0]}).status_code == 302
    assert there.get("/account/").status_code == 302
    assert here.get("/account/").status_code == 200


@pytest.mark.parametrize("path", ["/account/", "/account/password"])
def test_the_own_account_needs_a_sign_in(client: FlaskClient, path: str) -> None:
    assert client.get(path).location.startswith("/account/login?next=")
    for post in ("/account/identity", "/account/sessions/end", "/account/password"):
        assert client.post(post).location.startswith("/account/login")


BAD = ["\x00", "\ud83d", "x" * 100_000, "💥" * 50, "' OR 1=1 --", "{{7*7}}", "../../etc/passwd", "\r\nX: y"]


@pytest.mark.parametrize("value", BAD)
def test_bad_input_is_refused_and_never_breaks(context: Flask, client: FlaskClient, value: str) -> None:
    text = value.encode("utf-8", "surrogatepass")
    for path, names in (
        ("/account/login", ("username", "password", "way", "next")),
        ("/account/register", ("user_type", "username", "phone", "code", "password", "repeat", "agree")),
        ("/account/recover", ("phone", "code", "password", "repeat")),
        ("/account/code", ("phone", "token", "answer", "do", "kind")),
    ):
        data = {name: text for name in names} | {"purpose": b"login"}
        body = b"&".join(k.encode() + b"=" + _quoted(v) for k, v in data.items())
        response = client.post(path, data=body, content_type="application/x-www-form-urlencoded")
        assert response.status_code in (200, 400, 422), (path, response.status_code)
    assert client.get("/account/challenge/%00/picture").status_code in (400, 404)
    assert (
        db.session.scalar(select(func.count()).select_from(LoginSession).where(LoginSession.account_id.is_not(None)))
        == 0
    )


def _quoted(value: bytes) -> bytes:
    return b"".join(b"%%%02X" % byte for byte in value)


def test_registration_signs_in_under_a_new_id(context: Flask, app: Flask, client: FlaskClient) -> None:
    client.get("/account/register")
    before = cookie(client)
    assert sign_up(client, username="linye").status_code == 302
    assert cookie(client) != before
    assert "注册账号" in last_text()
    assert replay(app, before).status_code == 302
