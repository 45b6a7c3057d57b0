"""Who is there, and what they changed: for a minute, without a lock, without an event, and quickly."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import func, select

from app.errors import NotFound, Refused
from app.extensions import db
from app.models import Account, Event, Presence
from app.models.base import now
from app.permissions import roles
from app.services.answers import add_row, remove_row, restore_row, save_answers
from app.services.declaration import load, start_declaration
from app.services.presence import Around, look_around
from app.services.unit_of_work import unit_of_work
from tests.at_once import apart, refusals, together
from tests.factories import filled_draft, find, make_account, make_batch, perform
from tests.factories_members import colleague, person

TABLE = "digital_needs"


@pytest.fixture
def owner(context: Flask) -> Account:
    return make_account(roles.ENTERPRISE, display_name="王经理")


@pytest.fixture
def draft(owner: Account) -> str:
    return start_declaration(owner, make_batch().public_id)


@pytest.fixture
def member(owner: Account) -> Account:
    return colleague(owner)


def look(
    user: Account, draft: str, section: str = "basic_info", path: str = "", since: datetime | None = None
) -> Around:
    db.session.rollback()
    return look_around(db.session.get_one(Account, user.id), draft, section, path, since or find(draft).saved_at)


def seen(user: Account) -> Presence | None:
    db.session.rollback()
    return db.session.scalars(select(Presence).where(Presence.account_id == user.id)).first()


def turn_back(user: Account, seconds: int) -> None:
    """Make the last visit of ``user`` older."""
    with unit_of_work() as session:
        row = session.scalars(select(Presence).where(Presence.account_id == user.id)).one()
        row.seen_at -= timedelta(seconds=seconds)
    db.session.rollback()


def test_colleagues_see_each_other(owner: Account, member: Account, draft: str) -> None:
    assert look(owner, draft).colleagues == []
    found = look(member, draft, "digital_content", "x/1/y").colleagues
    assert [(c.name, c.place, c.initial) for c in found] == [
        ("王经理", load(draft, owner).definition.sections[0].label, "王")
    ]
    assert [c.name for c in look(owner, draft).colleagues] == ["李工"]
    row = seen(member)
    assert row is not None and (row.section, row.path) == ("digital_content", "x/1/y")


@pytest.mark.parametrize(("seconds", "there"), [(0, True), (55, True), (61, False), (3600, False)])
def test_a_minute_later_they_are_gone(owner: Account, member: Account, draft: str, seconds: int, there: bool) -> None:
    look(member, draft)
    turn_back(member, seconds)
    assert bool(look(owner, draft).colleagues) is there


@pytest.mark.parametrize("section", ["check", "nonsense", ""])
def test_a_place_that_is_no_section_has_no_name(owner: Account, member: Account, draft: str, section: str) -> None:
    look(member, draft, section)
    assert [(c.name, c.place) for c in look(owner, draft).colleagues] == [("李工", "")]


def test_attachments_have_a_name(owner: Account, member: Account, draft: str) -> None:
    label = load(draft, owner).definition.attachments_label
    look(member, draft, "attachments")
    assert [c.place for c in look(owner, draft).colleagues] == [label]


def test_nothing_is_recorded_and_nothing_else_changes(owner: Account, member: Account, draft: str) -> None:
    before = find(draft)
    state = (before.version, before.saved_at, db.session.scalar(select(func.count()).select_from(Event)))
    for path in ("a", "b", "a"):
        look(member, draft, path=path)
    after = find(draft)
    assert (after.version, after.saved_at, db.session.scalar(select(func.count()).select_from(Event))) == state
    assert db.session.scalar(select(func.count()).select_from(Presence)) == 1


def test_a_visit_is_written_when_it_is_news(owner: Account, draft: str) -> None:
    look(owner, draft)
    first = seen(owner)
    assert first is not None
    at = first.seen_at
    look(owner, draft)
    again = seen(owner)
    assert again is not None and again.seen_at == at, "the same place a moment later"
    look(owner, draft, path="revenue")
    moved = seen(owner)
    assert moved is not None and (moved.path, moved.seen_at > at) == ("revenue", True)
    turn_back(owner, 20)
    look(owner, draft, path="revenue")
    later = seen(owner)
    assert later is not None and now() - later.seen_at < timedelta(seconds=15)


def test_strangers_find_nothing(draft: str) -> None:
    for user in (make_account(roles.ENTERPRISE), make_account(roles.CITY), person("路人")):
        with pytest.raises(NotFound):
            look(user, draft)
    assert db.session.scalar(select(func.count()).select_from(Presence)) == 0


def test_a_limited_member_is_only_where_they_may_be(owner: Account, draft: str) -> None:
    other = start_declaration(owner, make_batch().public_id)
    limited = colleague(owner, "fill", find(draft), name="赵工")
    assert look(limited, draft).colleagues == []
    with pytest.raises(NotFound):
        look(limited, other)


def test_what_is_sent_is_not_visited(owner: Account) -> None:
    sent = perform(owner, filled_draft(owner, make_batch()), "submit")
    with pytest.raises(Refused, match="正在办理"):
        look(owner, sent.public_id)


# -- what changed ----------------------------------------------------------------------------------------------------


def test_others_changes_of_this_section_are_told_with_their_names(owner: Account, member: Account, draft: str) -> None:
    since = find(draft).saved_at
    save_answers(member, draft, {"revenue": "1", "profit": "2"})
    around = look(owner, draft, since=since)
    assert (sorted(around.changed), around.editors, around.rows_changed) == (["profit", "revenue"], ["李工"], False)
    assert around.until == find(draft).saved_at > since
    assert look(owner, draft, since=around.until).changed == []
    assert look(owner, draft, "digital_content", since=since).changed == []
    assert look(member, draft, since=since).changed == [], "the own changes are no news"


def test_rows_that_come_and_go_are_told(owner: Account, member: Account, draft: str) -> None:
    since = find(draft).saved_at
    path = add_row(member, draft, TABLE)
    around = look(owner, draft, "digital_basis", since=since)
    assert (around.rows_changed, around.changed, around.editors) == (True, [], ["李工"])
    since = around.until
    save_answers(owner, draft, {f"{path}/need_type": "甲"})
    assert look(member, draft, "digital_basis", since=since).changed == [f"{path}/need_type"]
    since = find(draft).saved_at
    remove_row(member, draft, path)
    assert look(owner, draft, "digital_basis", since=since).rows_changed
    assert not look(owner, draft, "basic_info", since=since).rows_changed
    since = find(draft).saved_at
    restore_row(member, draft, *path.split("/"))
    assert look(owner, draft, "digital_basis", since=since).rows_changed
    assert not look(member, draft, "digital_basis", since=since).rows_changed


def test_nested_rows_have_their_whole_path(owner: Account, member: Account) -> None:
    draft = filled_draft(owner, make_batch())
    public_id = draft.public_id
    definition = load(public_id, owner).definition
    section, child, parent = next((s, t, p) for s, t, p in definition.tables() if p is not None)
    rows = load(public_id, owner).answers
    outer = next(iter(rows.children(parent.key, None)))
    inner = next(iter(rows.children(child.key, outer.id)), None)
    base = f"{parent.key}/{outer.id}/{child.key}/"
    path = f"{base}{inner.id}" if inner else add_row(owner, public_id, child.key, outer.id)
    key = next(c.key for c in child.all_columns if not c.readonly and not c.computed and c.fixed is None)
    since = find(public_id).saved_at
    save_answers(member, public_id, {f"{path}/{key}": "改过"})
    assert look(owner, public_id, section.key, since=since).changed == [f"{path}/{key}"]


# -- cost ------------------------------------------------------------------------------------------------------------


def test_a_quiet_visit_costs_few_statements(owner: Account, member: Account, draft: str) -> None:
    look(member, draft)
    look(owner, draft)
    user, since, statements = db.session.get_one(Account, owner.id), find(draft).saved_at, []
    _roles = user.role_names

    def note(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    sqlalchemy_event.listen(db.engine, "before_cursor_execute", note)
    try:
        look_around(user, draft, "basic_info", "", since)
    finally:
        sqlalchemy_event.remove(db.engine, "before_cursor_execute", note)
    asked = [s for s in statements if s.startswith(("SELECT", "INSERT", "UPDATE"))]
    assert len(asked) <= 6, asked
    assert not [s for s in asked if not s.startswith("SELECT")], "the same place a moment later writes nothing"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_visit_is_quick(owner: Account, member: Account, draft: str) -> None:
    look(member, draft)
    look(owner, draft)
    user, since, took = db.session.get_one(Account, owner.id), find(draft).saved_at, []
    for n in range(9):
        begin = time.perf_counter()
        look_around(user, draft, "basic_info", f"field{n}", since)
        took.append(time.perf_counter() - begin)
    assert min(took) < 0.05, took


def test_two_windows_of_one_person_that_come_at_once(context: Flask, owner: Account, draft: str) -> None:
    since, user = find(draft).saved_at, apart(owner)
    deeds = [lambda n=n: look_around(user, draft, "basic_info", f"p{n}", since) for n in range(4)]
    assert refusals(together(context, deeds)) == []
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Presence)) == 1
