"""Internal notes: who reads and writes them, and that nobody else ever meets them."""

from __future__ import annotations

import json

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.errors import Conflict, InvalidInput, NotFound, Refused
from app.extensions import db
from app.models import Account, Assignment, Declaration, Event, InternalNote, Message, Revision
from app.models.base import new_public_id, now
from app.permissions import roles
from app.services.note import MAX_NOTE, is_in_charge, notes_of, remove_note, write_note
from tests import factories

SECRET = "这家去年也报过，先放一放"


@pytest.fixture
def city(context: Flask) -> Account:
    return factories.make_account(roles.CITY, display_name="李静")


@pytest.fixture
def owner(context: Flask) -> Account:
    return factories.make_account(roles.ENTERPRISE)


@pytest.fixture
def declaration(owner: Account) -> Declaration:
    return factories.submitted(owner)


def texts(user: Account, declaration: Declaration) -> list[str]:
    return [n.text for n in notes_of(factories.load_as(user, declaration))]


def test_colleagues_read_what_was_written(city: Account, declaration: Declaration) -> None:
    write_note(city, declaration.public_id, f"  {SECRET}\n第二行 ")
    colleague = factories.make_account(roles.CITY)
    write_note(colleague, declaration.public_id, "知道了")
    assert texts(colleague, declaration) == [f"{SECRET}\n第二行", "知道了"]
    note = db.session.scalars(select(InternalNote).order_by(InternalNote.id)).first()
    assert note is not None
    assert (note.author_name, note.step_key, note.removed_at) == ("李静", "preliminary_review", None)


def test_a_page_sent_twice_writes_once(city: Account, declaration: Declaration) -> None:
    key = new_public_id()
    for _ in range(2):
        write_note(city, declaration.public_id, "一次", key)
    assert texts(city, declaration) == ["一次"]


def test_a_note_does_not_stand_in_the_way(city: Account, declaration: Declaration) -> None:
    """It changes neither version nor chain: the colleague's decision and the enterprise's recall still go."""
    before = factories.find(declaration.public_id).version
    write_note(city, declaration.public_id, SECRET)
    assert factories.find(declaration.public_id).version == before
    assert factories.perform(factories.make_account(roles.CITY), declaration, "confirm").step_key == "stamping"
    write_note(city, declaration.public_id, "也可以在别的步骤写")
    assert len(texts(city, declaration)) == 2


@pytest.mark.parametrize(
    ("text", "words"), [("", "还没写"), (" \n ", "还没写"), ("字" * (MAX_NOTE + 1), f"现在是 {MAX_NOTE + 1} 个")]
)
def test_words_that_do_not_fit(city: Account, declaration: Declaration, text: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words) as refusal:
        write_note(city, declaration.public_id, text)
    assert set(refusal.value.fields) == {"note"}
    assert texts(city, declaration) == []
    write_note(city, declaration.public_id, "字" * MAX_NOTE)
    assert len(texts(city, declaration)) == 1


def test_only_the_author_takes_it_away(city: Account, declaration: Declaration) -> None:
    write_note(city, declaration.public_id, SECRET)
    key = db.session.scalars(select(InternalNote.id)).one()
    with pytest.raises(Refused, match="李静写的，只有本人能删除"):
        remove_note(factories.make_account(roles.CITY), declaration.public_id, key)
    other = factories.submitted()
    with pytest.raises(NotFound):
        remove_note(city, other.public_id, key)
    remove_note(city, declaration.public_id, key)
    assert texts(city, declaration) == []
    with pytest.raises(Conflict, match="已经删除"):
        remove_note(city, declaration.public_id, key)
    with pytest.raises(NotFound):
        remove_note(city, declaration.public_id, key + 1)
    events = db.session.scalars(select(Event).where(Event.action.like("note%")).order_by(Event.id)).all()
    assert [(e.action, e.actor_name, e.declaration_id, e.subject) for e in events] == [
        ("note", "李静", None, f"declaration:{declaration.public_id}"),
        ("note_removed", "李静", None, f"declaration:{declaration.public_id}"),
    ]


@pytest.mark.parametrize(
    ("role", "region", "error"),
    [
        (roles.DISTRICT, "230108", Refused),
        (roles.DISTRICT, "230102", NotFound),
        (roles.CITY, "350200", NotFound),
        (roles.PROVINCE, "230000", Refused),
        (roles.EXPERT, None, NotFound),
        (roles.ADMIN, "230100", Refused),
        (roles.ENTERPRISE, None, NotFound),
    ],
)
def test_nobody_else(
    city: Account, declaration: Declaration, role: str, region: str | None, error: type[Exception]
) -> None:
    write_note(city, declaration.public_id, SECRET)
    stranger = factories.make_account(role, region=region)
    with pytest.raises(error):
        write_note(stranger, declaration.public_id, "也写一条")
    with pytest.raises(error):
        remove_note(stranger, declaration.public_id, db.session.scalars(select(InternalNote.id)).one())
    if error is Refused:
        assert texts(stranger, declaration) == []
    assert texts(city, declaration) == [SECRET]


def test_the_district_is_in_charge_where_it_has_a_step(owner: Account, city: Account) -> None:
    district = factories.make_account(roles.DISTRICT)
    declaration = factories.submitted(owner, factories.make_batch(parameters={"district_step": True}))
    write_note(district, declaration.public_id, SECRET)
    assert texts(city, declaration) == [SECRET]
    assert is_in_charge(factories.load_as(district, declaration))
    assert not is_in_charge(factories.load_as(factories.make_account(roles.ADMIN), declaration))


PAGES = ("", "preview", "preview.pdf", "material.docx", "sections/basic_info", "check")


def test_the_enterprise_meets_no_trace(
    client: FlaskClient, city: Account, owner: Account, declaration: Declaration
) -> None:
    """Not on a page, in a paper, in a message, nor in what is stored as the declaration's record."""
    write_note(city, declaration.public_id, SECRET)
    remove_note(city, declaration.public_id, db.session.scalars(select(InternalNote.id)).one())
    write_note(city, declaration.public_id, SECRET)
    factories.perform(city, declaration, "return", "请修改。")
    browser = factories.login(client, owner)
    for page in PAGES:
        body = browser.get(f"/declarations/{declaration.public_id}/{page}").get_data()
        assert SECRET.encode() not in body and "内部备注".encode() not in body, page
    for address in ("/declarations/", "/messages/", "/todo/", "/workbench/"):
        body = browser.get(address).text
        assert SECRET not in body and "内部备注" not in body, address
    assert browser.get(f"/review/{declaration.public_id}/").status_code == 403
    bodies = db.session.scalars(select(Message.body)).all()
    assert bodies and not any(SECRET in body for body in bodies)
    own = db.session.scalars(select(Event).where(Event.declaration_id == declaration.id)).all()
    assert own and not any(e.action.startswith("note") for e in own)
    assert SECRET not in json.dumps([r.content for r in db.session.scalars(select(Revision))], ensure_ascii=False)


def test_an_expert_does_not_see_them(client: FlaskClient, city: Account, declaration: Declaration) -> None:
    write_note(city, declaration.public_id, SECRET)
    expert = factories.make_account(roles.EXPERT)
    factories.store(
        Assignment(declaration_id=declaration.id, step_key="preliminary_review", expert_id=expert.id, assigned_at=now())
    )
    page = factories.login(client, expert).get(f"/review/{declaration.public_id}/")
    assert page.status_code == 200 and SECRET not in page.text and "内部备注" not in page.text
    answer = client.post(f"/review/{declaration.public_id}/notes", data={"note": "x"})
    assert answer.status_code == 403
    assert db.session.scalar(select(func.count()).select_from(InternalNote)) == 1


def test_no_grid_and_no_interface_gives_them_out(app: Flask) -> None:
    tables = {rule.rule for rule in app.url_map.iter_rules()}
    assert not [rule for rule in tables if "internal_note" in rule or "internalnote" in rule]
