"""The same form sent twice (a double click, a reload, two tabs): one deed, one event, and an answer that does not frighten."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.extensions import db
from app.models import Account, Batch, Declaration, Event, Message, Remark, Revision
from app.models.base import new_public_id
from app.permissions import roles
from tests import factories

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def owner(context: Flask) -> Account:
    return factories.make_account(roles.ENTERPRISE)


@pytest.fixture
def web(owner: Account, client: FlaskClient) -> FlaskClient:
    return factories.login(client, owner)


@pytest.fixture
def desk(context: Flask) -> FlaskClient:
    return factories.login(context.test_client(), factories.make_account(roles.CITY, display_name="李静"))


def count(model: Any, *conditions: Any) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model).where(*conditions)) or 0


def hidden(page: str, name: str) -> str:
    """The value of a hidden input as the page carries it."""
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    assert found, name
    return found[1]


def test_submitting_by_the_buttons_of_the_page(web: FlaskClient, owner: Account) -> None:
    draft = factories.filled_draft(owner, factories.make_batch())
    here = f"/declarations/{draft.public_id}"
    assert web.post(f"{here}/statement", data={"statement": "yes"}).status_code == 303
    page = web.get(f"{here}/check").text
    form = {n: hidden(page, n) for n in ("action", "version", "key")} | {"statement": "yes"}
    answers = [web.post(f"{here}/submit", data=form) for _time in range(3)]
    assert [a.status_code for a in answers] == [303] * 3 and {a.location for a in answers} == {f"{here}/receipt"}
    assert count(Revision) == 1 and count(Event, Event.action == "submit") == 1
    other_tab = web.post(f"{here}/submit", data=form | {"key": new_public_id()})
    assert other_tab.status_code == 409 and "已经提交过了，不用再交" in other_tab.text
    assert count(Revision) == 1


def test_taking_back_twice(web: FlaskClient, owner: Account) -> None:
    sent = factories.submitted(owner)
    here = f"/declarations/{sent.public_id}/act"
    page = web.get(f"{here}?action=recall").text
    form = {n: hidden(page, n) for n in ("action", "version", "key")}
    assert [web.post(here, data=form).status_code for _time in range(2)] == [303, 303]
    assert count(Event, Event.action == "recall") == 1
    assert factories.find(sent.public_id).status == "draft" or factories.find(sent.public_id).status == "returned"
    assert web.post(here, data=form | {"key": new_public_id()}).status_code == 409


def test_deleting_a_draft_twice(web: FlaskClient, owner: Account) -> None:
    draft = factories.filled_draft(owner, factories.make_batch())
    here = f"/declarations/{draft.public_id}/act"
    page = web.get(f"{here}?action=discard").text
    form = {n: hidden(page, n) for n in ("action", "version", "key")}
    assert [web.post(here, data=form).location for _time in range(2)] == ["/declarations/"] * 2
    assert count(Event, Event.action == "discard") == 1


def test_starting_twice_is_one_draft(web: FlaskClient) -> None:
    batch = factories.make_batch()
    first, second = (web.post("/declarations/", data={"batch": batch.public_id}) for _time in range(2))
    assert first.status_code == second.status_code == 303 and first.location == second.location
    assert count(Declaration) == 1


def test_a_decision_twice(desk: FlaskClient) -> None:
    sent = factories.submitted()
    here = f"/review/{sent.public_id}/"
    page = desk.get(here).text
    form = {"action": "confirm", "opinion": "材料齐全", "version": hidden(page, "version"), "key": hidden(page, "key"),
            "check": re.findall(r'name="check" value="([a-z_]+)"', page)}  # fmt: skip
    assert form["check"]
    assert [desk.post(here, data=form).status_code for _time in range(2)] == [302, 302]
    assert count(Event, Event.action == "confirm") == 1
    told = count(Message)
    late = desk.post(here, data=form | {"key": new_public_id(), "opinion": "另一个意见"})
    assert late.status_code == 409 and "另一个意见" in late.text
    assert count(Message) == told


def test_a_clerk_and_a_colleague(context: Flask, desk: FlaskClient) -> None:
    """Who is second sees who was first, and keeps every word."""
    sent = factories.submitted()
    here = f"/review/{sent.public_id}/"
    form = {"action": "return", "opinion": "请核对收入。", "version": hidden(desk.get(here).text, "version")}
    second = factories.login(context.test_client(), factories.make_account(roles.CITY))
    assert desk.post(here, data=form | {"key": new_public_id()}).status_code == 302
    late = second.post(here, data=form | {"action": "confirm", "opinion": "同意上报。", "key": new_public_id()})
    assert late.status_code == 409 and "李静" in late.text and "同意上报。" in late.text
    assert factories.find(sent.public_id).status == "returned"


def test_messages_are_read_once(web: FlaskClient, owner: Account) -> None:
    factories.submitted(owner)
    first = db.session.scalars(select(Message).where(Message.account_id == owner.id)).first()
    public_id, key = first.public_id, first.id
    assert web.post(f"/messages/{public_id}/read").status_code == 303
    db.session.rollback()
    read_at = db.session.get_one(Message, key).read_at
    assert read_at is not None and web.post(f"/messages/{public_id}/read").status_code == 303
    db.session.rollback()
    assert db.session.get_one(Message, key).read_at == read_at, "the first time counts"
    assert web.post("/messages/read").status_code == web.post("/messages/read").status_code == 303


def test_deleting_a_remark_twice(desk: FlaskClient, owner: Account) -> None:
    sent = factories.submitted(owner)
    here = f"/review/{sent.public_id}/"
    desk.post(f"{here}remarks", data={"path": "revenue", "text": "请核对。"})
    remark = db.session.scalars(select(Remark.id)).one()
    again = desk.post(f"{here}remarks/{remark}", data={"do": "delete", "path": "revenue"})
    assert again.status_code == 302 and count(Remark) == 0
    gone = desk.post(f"{here}remarks/{remark}", data={"do": "delete", "path": "revenue"})
    assert gone.status_code == 404 and "批注" in gone.text


def test_a_batch_saved_twice_from_the_same_page(desk: FlaskClient) -> None:
    batch = factories.make_batch(title="原名")
    here = f"/batches/{batch.public_id}/settings"
    page = desk.get(here).text
    fields = dict(re.findall(r'name="(\w+)"[^>]*? value="([^"]*)"', page)) | {"title": "新名", "published": "y"}
    fields |= {"parameter_district_step": "no", "parameter_expert_step": "no", "parameter_publicity_required": "no"}
    assert desk.post(here, data=fields).status_code == 302
    late = desk.post(here, data=fields)
    assert late.status_code == 409 and "刚被李静改过" in late.text
    db.session.rollback()
    assert db.session.get_one(Batch, batch.id).version == 2


def test_ticking_a_reminder_twice_keeps_it_ticked(desk: FlaskClient) -> None:
    batch = factories.make_batch()
    for _time in range(2):
        assert desk.post(f"/batches/{batch.public_id}/reminders/paper_copy", data={"done": "1"}).status_code == 302
    db.session.rollback()
    assert set(db.session.get_one(Batch, batch.id).reminders_done) == {"paper_copy"}


def test_signing_out_twice(web: FlaskClient) -> None:
    for _time in range(2):
        assert web.post("/account/logout").location == "/"
    assert count(Event, Event.action == "logout") <= 1
