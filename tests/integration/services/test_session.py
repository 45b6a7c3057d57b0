"""Where somebody is signed in: what the owner sees, what ends a session, and who cannot end it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app.extensions import db
from app.models import Account, Event, LoginSession
from app.models.base import now
from app.permissions import roles
from app.services.session import KEY_LENGTH, end_session, revoke_sessions, sessions_of
from app.services.unit_of_work import unit_of_work
from tests import factories

pytestmark = pytest.mark.parametrize("database", ["sqlite"])
CHROME = "Mozilla/5.0 (Windows NT 10.0) Chrome/122.0 Safari/537.36"


@pytest.fixture
def owner(context: Flask) -> Account:
    return factories.make_account(roles.ENTERPRISE)


def sign_in(user: Account, letter: str, *, idle: timedelta = timedelta(0), agent: str | None = CHROME) -> str:
    """A session whose digest consists of ``letter``."""
    at = now() - idle
    factories.store(
        LoginSession(digest=letter * 64, account_id=user.id, data="{}", created_at=at, last_seen_at=at,
                     address="203.0.113.7", agent=agent)
    )  # fmt: skip
    return letter * 64


def digests() -> set[str]:
    db.session.rollback()
    return set(db.session.scalars(select(LoginSession.digest)))


def events() -> list[tuple[str, str | None, int | None, str | None]]:
    rows = db.session.scalars(select(Event).where(Event.action == "session_ended").order_by(Event.id))
    return [(e.label, e.subject, e.actor_id, e.address) for e in rows]


def test_the_last_used_stands_first_and_the_own_is_marked(owner: Account) -> None:
    here = sign_in(owner, "a", idle=timedelta(minutes=5))
    sign_in(owner, "b")
    sign_in(owner, "c", idle=timedelta(minutes=9), agent=None)
    found = sessions_of(owner, here)
    assert [(s.key, s.current) for s in found] == [("b" * 16, False), ("a" * 16, True), ("c" * 16, False)]
    assert (found[0].browser, found[0].address) == ("Chrome，Windows", "203.0.113.7")
    assert found[2].browser == ""


def test_the_digest_itself_is_never_shown(owner: Account) -> None:
    digest = sign_in(owner, "d")
    (shown,) = sessions_of(owner, "")
    assert len(shown.key) == KEY_LENGTH < len(digest)
    assert digest not in repr(shown)


def test_sessions_that_ran_out_are_not_shown(owner: Account, app: Flask) -> None:
    idle: timedelta = app.config["SESSION_IDLE"]
    sign_in(owner, "a", idle=idle + timedelta(seconds=5))
    sign_in(owner, "b", idle=idle - timedelta(seconds=5))
    assert [s.key for s in sessions_of(owner, "")] == ["b" * 16]


def test_sessions_of_others_are_not_shown(owner: Account) -> None:
    sign_in(factories.make_account(roles.ENTERPRISE, enterprise=owner.enterprise), "a")
    assert sessions_of(owner, "a" * 64) == []


def test_ending_one_leaves_the_others_and_an_event(owner: Account) -> None:
    sign_in(owner, "a")
    kept = sign_in(owner, "b")
    assert end_session(owner, "a" * 16, "198.51.100.1") is True
    assert digests() == {kept}
    assert events() == [("结束了另一处登录", f"account:{owner.id}", owner.id, "198.51.100.1")]


@pytest.mark.parametrize("key", ["", "z" * 16, "a" * 15, "a" * 64, "%", "' OR 1=1"])
def test_a_key_that_names_nothing_ends_nothing(owner: Account, key: str) -> None:
    kept = sign_in(owner, "a")
    assert end_session(owner, key, None) is False
    assert digests() == {kept} and events() == []


def test_nobody_ends_sessions_of_others(owner: Account) -> None:
    kept = sign_in(owner, "a")
    for stranger in (factories.make_account(roles.ENTERPRISE), factories.make_account(roles.ADMIN)):
        assert end_session(stranger, "a" * 16, None) is False
    assert digests() == {kept} and events() == []


def test_ending_twice_is_ending_once(owner: Account) -> None:
    sign_in(owner, "a")
    assert [end_session(owner, "a" * 16, None) for _n in range(2)] == [True, False]
    assert len(events()) == 1


def test_revoking_ends_all_but_the_kept_one(owner: Account) -> None:
    other = factories.make_account(roles.ENTERPRISE)
    sign_in(owner, "a"), sign_in(owner, "b")
    foreign = sign_in(other, "c")
    with unit_of_work() as session:
        revoke_sessions(session, owner.id, keep="b" * 64)
    assert digests() == {"b" * 64, foreign}
    with unit_of_work() as session:
        revoke_sessions(session, owner.id)
    assert digests() == {foreign}


def test_a_kept_session_of_somebody_else_is_not_kept_for_this_account(owner: Account) -> None:
    sign_in(owner, "a")
    foreign = sign_in(factories.make_account(roles.ENTERPRISE), "b")
    with unit_of_work() as session:
        revoke_sessions(session, owner.id, keep=foreign)
    assert digests() == {foreign}


def test_a_page_lists_at_most_fifty(owner: Account) -> None:
    with unit_of_work() as session:
        session.add_all(
            LoginSession(digest=f"{n:064d}", account_id=owner.id, data="{}", created_at=now(), last_seen_at=now())
            for n in range(60)
        )
    assert len(sessions_of(owner, "")) == 50
