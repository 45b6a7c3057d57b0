"""Doors: who is not signed in, who has the wrong role; and the pickers, which only stand open to the signed in."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.permissions import roles
from tests import factories


def test_people_are_led_to_the_sign_in_page_and_back(client: FlaskClient) -> None:
    answer = client.get("/todo/?tab=handled")
    assert (answer.status_code, answer.location) == (302, "/account/login?next=/todo/?tab%3Dhandled")
    assert client.post("/account/identity").location == "/account/login"


@pytest.mark.parametrize("headers", [{"HX-Request": "true"}, {"Accept": "application/json"}])
def test_scripts_are_told_that_nobody_is_signed_in(client: FlaskClient, headers: dict[str, str]) -> None:
    assert client.get("/todo/", headers=headers).status_code == 401


def test_the_wrong_role_is_told_so_in_chinese(context: Flask, client: FlaskClient) -> None:
    factories.login(client, factories.make_account(roles.CITY))
    answer = client.get("/workbench/")
    assert answer.status_code == 403
    assert "不对您开放" in answer.text


def test_what_was_written_is_shown_when_the_login_has_expired(context: Flask, client: FlaskClient) -> None:
    context.config["WTF_CSRF_ENABLED"] = True
    page = "/review/01890000-0000-7000-8000-000000000000/"
    sent = {"opinion": "材料<齐全>，内容一致。", "password": "secret-1", "csrf_token": "old"}
    answer = client.post(page, data=sent, headers={"Referer": f"http://localhost{page}"})
    assert answer.status_code == 400 and "材料&lt;齐全&gt;，内容一致。" in answer.text
    assert "secret-1" not in answer.text and f"/account/login?next={page}" in answer.text
    elsewhere = client.post(page, data={"csrf_token": "old"}, headers={"Referer": "http://evil.example/x"})
    assert "请重新登录，再做一次。" in elsewhere.text and "next=" not in elsewhere.text


@pytest.mark.parametrize(("path", "query", "code"), [("regions", "平房", "230108"), ("industries", "通用设备", "34")])
def test_pickers_find_by_name(context: Flask, client: FlaskClient, path: str, query: str, code: str) -> None:
    assert client.get(f"/pickers/{path}?q={query}", headers={"Accept": "application/json"}).status_code == 401
    factories.login(client, factories.make_account(roles.ENTERPRISE))
    items = client.get(f"/pickers/{path}", query_string={"q": query}).json["items"]
    assert code in [item["code"] for item in items]
    assert all(set(item) == {"code", "label", "path"} for item in items)


@pytest.mark.parametrize("query", ["", "%", "_", "\x00", "x" * 40, "'", "%00"])
def test_pickers_answer_anything_with_at_most_twenty(context: Flask, client: FlaskClient, query: str) -> None:
    factories.login(client, factories.make_account(roles.ENTERPRISE))
    for path in ("regions", "industries"):
        answer = client.get(f"/pickers/{path}", query_string={"q": query})
        assert answer.status_code == 200
        assert len(answer.json["items"]) <= 20


def test_pickers_refuse_more_than_a_name(context: Flask, client: FlaskClient) -> None:
    factories.login(client, factories.make_account(roles.ENTERPRISE))
    for path in ("regions", "industries"):
        for length in (41, 5000):
            answer = client.get(f"/pickers/{path}?q={'x' * length}", headers={"Accept": "application/json"})
            assert answer.status_code == 422 and "40" in answer.text, answer.text
