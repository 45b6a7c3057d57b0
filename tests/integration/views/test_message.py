"""我的消息: own messages only, reading changes state by a button and never by a link."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.extensions import db
from app.models import Message
from app.models.base import now
from app.permissions import roles
from app.services.message import KIND_LABELS
from tests import factories
from tests.factories_portal import make_message


@pytest.fixture
def web(context: Flask, client: FlaskClient) -> FlaskClient:
    return client


def is_read(message: Message) -> bool:
    db.session.rollback()
    return db.session.get_one(Message, message.id).read_at is not None


@pytest.mark.parametrize("address", ["/messages/", "/messages/01900000-0000-7000-8000-000000000000/"])
def test_strangers(web: FlaskClient, address: str) -> None:
    assert web.get(address).status_code == 302


@pytest.mark.parametrize("role", [roles.ENTERPRISE, roles.INDIVIDUAL, roles.CITY, roles.EXPERT])
def test_everyone_has_messages(web: FlaskClient, role: str) -> None:
    user = factories.make_account(role)
    make_message(user, "给您的消息")
    page = factories.login(web, user).get("/messages/").text
    assert "给您的消息" in page and "1 条未读" in page and all(name in page for name in KIND_LABELS.values())


def test_nothing_yet(web: FlaskClient) -> None:
    factories.login(web, factories.make_account(roles.ENTERPRISE))
    assert "还没有消息" in web.get("/messages/").text
    assert "还没有“认定到期”消息" in web.get("/messages/?kind=recognition_expiry").text


def test_kinds_and_pages(web: FlaskClient) -> None:
    user = factories.make_account(roles.ENTERPRISE)
    for number in range(23):
        make_message(user, f"第{number:02d}条", "information_update" if number % 2 else "declaration_reminder")
    factories.login(web, user)
    assert "第22条" in web.get("/messages/").text and "第02条" in web.get("/messages/?page=2").text
    page = web.get("/messages/?kind=information_update").text
    assert "第21条" in page and "第22条" not in page


@pytest.mark.parametrize("query", ["kind=spam", "page=abc", "page=0", "psize=1000", "kind=%00"])
def test_odd_addresses(web: FlaskClient, query: str) -> None:
    answer = factories.login(web, factories.make_account(roles.ENTERPRISE)).get(f"/messages/?{query}")
    assert answer.status_code == 400 and "请从" in answer.text


def test_looking_changes_nothing_and_the_button_does(web: FlaskClient) -> None:
    user = factories.make_account(roles.ENTERPRISE)
    message = make_message(user, link="/declarations/x/")
    factories.login(web, user)
    page = web.get(f"/messages/{message.public_id}/").text
    assert (
        "<p>第一段。</p>" in page
        and "<p>第二段。</p>" in page
        and 'href="/declarations/x/"' in page
        and "标为已读" in page
    )
    web.get("/messages/")
    assert not is_read(message)
    answer = web.post(f"/messages/{message.public_id}/read")
    assert answer.status_code == 303 and answer.location.endswith(f"/messages/{message.public_id}/")
    assert is_read(message) and "标为已读" not in web.get(f"/messages/{message.public_id}/").text


def test_reading_is_no_link(web: FlaskClient) -> None:
    user = factories.make_account(roles.ENTERPRISE)
    message = make_message(user)
    assert factories.login(web, user).get(f"/messages/{message.public_id}/read").status_code == 405


def test_all_at_once_and_only_mine(web: FlaskClient) -> None:
    user, other = factories.make_account(roles.ENTERPRISE), factories.make_account(roles.ENTERPRISE)
    mine, theirs = [make_message(user), make_message(user, read_at=now())], make_message(other, "别人的消息")
    factories.login(web, user)
    assert web.post("/messages/read").status_code == 303
    assert all(is_read(m) for m in mine) and not is_read(theirs)
    page = web.get("/messages/").text
    assert "都读过了" in page and "别人的消息" not in page and "全部标为已读</button>" not in page


def test_messages_of_others_do_not_exist(web: FlaskClient) -> None:
    theirs = make_message(factories.make_account(roles.ENTERPRISE))
    factories.login(web, factories.make_account(roles.ENTERPRISE))
    assert web.get(f"/messages/{theirs.public_id}/").status_code == 404
    assert web.post(f"/messages/{theirs.public_id}/read").status_code == 404
    assert not is_read(theirs)


def test_markup_is_text(web: FlaskClient) -> None:
    user = factories.make_account(roles.ENTERPRISE)
    message = make_message(user, "<script>alert(1)</script>", body="<img src=x onerror=alert(1)>")
    factories.login(web, user)
    for address in ("/messages/", f"/messages/{message.public_id}/", "/workbench/"):
        page = web.get(address).text
        assert "<script>alert" not in page and "<img src=x" not in page
