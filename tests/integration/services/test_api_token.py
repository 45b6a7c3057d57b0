"""Keys of other systems: who may make them, what is refused, how they end, and how often they may be used."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from app.errors import InvalidInput, NotFound, Refused, TooMany
from app.extensions import db
from app.models import Account, ApiToken, Event
from app.models.base import now
from app.permissions import roles
from app.services import api_token
from app.services.api_token import (
    Wanted,
    create_token,
    digest_of,
    readable,
    revoke_token,
    seconds_to_wait,
    token_of,
    tokens_of,
)
from app.services.challenge import Visitor
from app.services.sign_in import PER_NAME
from app.services.unit_of_work import unit_of_work
from app.workflow.calendar import local_date
from tests.at_once import together
from tests.factories import PASSWORD, make_account
from tests.factories_api import make_token

WHO = Visitor("0" * 64, "203.0.113.9")
sqlite_only = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def admin(context: Flask) -> Account:
    return make_account(roles.ADMIN)


def wanted(**changes: Any) -> Wanted:
    values: dict[str, Any] = {"name": "市大数据平台", "last_day": local_date(now()) + timedelta(days=90)}
    return Wanted(**(values | changes))


def count() -> tuple[int, int]:
    """How many keys and how many events about keys there are."""
    events = select(func.count()).select_from(Event).where(Event.action.startswith("api_token"))
    return db.session.scalar(select(func.count()).select_from(ApiToken)) or 0, db.session.scalar(events) or 0


# -- making ---------------------------------------------------------------------------------------------------------


def test_a_key_is_made_and_told_once(admin: Account) -> None:
    clerk = make_account(roles.CITY)
    token, key = create_token(
        admin, WHO, wanted(username=clerk.username.upper(), resources=("region", "batch")), PASSWORD
    )
    assert len(key) == 43 and token.prefix == key[:6]
    assert (token.digest, token.account_id, token.created_by) == (digest_of(key), clerk.id, admin.id)
    assert token.resources == ["batch", "region"]
    assert (token.last_used_at, token.revoked_at, token.window_used) == (None, None, 0)
    stored = [str(v) for v in db.session.execute(select(ApiToken.__table__)).one()]
    assert all(key not in value for value in stored), "the key itself is nowhere"
    noted = db.session.scalars(select(Event).where(Event.action == "api_token_add")).one()
    assert (noted.actor_id, noted.subject, noted.address) == (admin.id, f"api_token:{token.public_id}", WHO.address)
    assert noted.data["名称"] == "市大数据平台" and noted.data["账号"] == clerk.username
    assert noted.data["开头"] == token.prefix and key not in str(noted.data)


def test_two_keys_are_never_alike(admin: Account) -> None:
    keys = [create_token(admin, WHO, wanted(username=admin.username), PASSWORD)[1] for _ in range(3)]
    assert len(set(keys)) == len({k[:6] for k in keys}) == 3


@time_machine.travel("2026-11-20T15:59:00Z", tick=False)
def test_the_last_day_ends_at_midnight_in_shanghai(admin: Account) -> None:
    token, _key = create_token(admin, WHO, wanted(username=admin.username, last_day=date(2026, 11, 20)), PASSWORD)
    assert token.expires_at == datetime(2026, 11, 20, 16, tzinfo=UTC)
    assert token.is_usable(token.expires_at - timedelta(microseconds=1))
    assert not token.is_usable(token.expires_at)


REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("no name", {"name": ""}, "name", "哪个系统"),
    ("a long name", {"name": "长" * 61}, "name", "最多 60 个字"),
    ("nobody", {"username": "nobody-at-all"}, "account", "没有这个用户名"),
    ("an empty account", {"username": ""}, "account", "没有这个用户名"),
    ("no day", {"last_day": None}, "last_day", "最长一年"),
    ("yesterday", {"last_day": date(2026, 5, 31)}, "last_day", "2027-06-01"),
    ("more than a year", {"last_day": date(2027, 6, 2)}, "last_day", "2027-06-01"),
    ("a table that does not exist", {"resources": ("region", "ab_user")}, "resources", "ab_user"),
]


@sqlite_only
@time_machine.travel("2026-06-01T08:00:00Z", tick=False)
def test_what_is_wrong_is_said_beside_its_field(admin: Account) -> None:
    for case, changes, field, words in REFUSED:
        with pytest.raises(InvalidInput) as caught:
            create_token(admin, WHO, wanted(**({"username": admin.username} | changes)), PASSWORD)
        assert set(caught.value.fields) == {field}, case
        assert words in caught.value.fields[field], case
    assert count() == (0, 0)


@sqlite_only
def test_every_wrong_field_is_named_at_once(admin: Account) -> None:
    with pytest.raises(InvalidInput) as caught:
        create_token(admin, WHO, Wanted("", "", None), PASSWORD)
    assert set(caught.value.fields) == {"name", "account", "last_day"}


@sqlite_only
@pytest.mark.parametrize("role", [roles.ENTERPRISE, roles.INDIVIDUAL])
def test_accounts_that_read_nothing_get_no_key(admin: Account, role: str) -> None:
    with pytest.raises(InvalidInput, match="没有能读的表"):
        create_token(admin, WHO, wanted(username=make_account(role).username), PASSWORD)


@sqlite_only
def test_a_closed_account_gets_no_key(admin: Account) -> None:
    with pytest.raises(InvalidInput, match="已停用"):
        create_token(admin, WHO, wanted(username=make_account(roles.CITY, active=False).username), PASSWORD)


@sqlite_only
def test_a_key_cannot_be_made_for_more_than_the_account_may(admin: Account) -> None:
    clerk = make_account(roles.DISTRICT)
    with pytest.raises(InvalidInput, match="login_session") as caught:
        create_token(admin, WHO, wanted(username=clerk.username, resources=("enterprise", "login_session")), PASSWORD)
    assert "enterprise" not in caught.value.fields["resources"]


@sqlite_only
@pytest.mark.parametrize("role", [r for r in roles.ALL if r != roles.ADMIN])
def test_only_administrators(context: Flask, role: str) -> None:
    person = make_account(role)
    token, _key = make_token(make_account(roles.CITY))
    for deed in (
        lambda: create_token(person, WHO, wanted(username=person.username), PASSWORD),
        lambda: revoke_token(person, WHO, token.public_id),
        lambda: tokens_of(person),
    ):
        with pytest.raises(Refused, match="平台管理员"):
            deed()
    assert count() == (1, 0) and db.session.get_one(ApiToken, token.id).revoked_at is None


def test_the_password_is_asked_and_limited(admin: Account) -> None:
    for _try in range(PER_NAME):
        with pytest.raises(InvalidInput) as caught:
            create_token(admin, WHO, wanted(username=admin.username), "Cuowu-2026-mima")
        assert set(caught.value.fields) == {"password"}
    with pytest.raises(TooMany):
        create_token(admin, WHO, wanted(username=admin.username), PASSWORD)
    assert count() == (0, 0)


@sqlite_only
def test_the_right_password_forgives_the_wrong_ones(admin: Account) -> None:
    for _round in range(3):
        for _try in range(PER_NAME - 1):
            with pytest.raises(InvalidInput):
                create_token(admin, WHO, wanted(username=admin.username), "falsch")
        create_token(admin, WHO, wanted(username=admin.username), PASSWORD)
    assert count() == (3, 3)


# -- recognising and ending -----------------------------------------------------------------------------------------


def test_only_the_whole_key_is_recognised(context: Flask) -> None:
    token, key = make_token(make_account(roles.CITY))
    found = token_of(key)
    assert found is not None and found.id == token.id
    for wrong in ("", key[:-1], key + "A", key.swapcase(), token.digest, token.prefix, "%", "' OR ''='"):
        assert token_of(wrong) is None, wrong


def test_what_ends_a_key(context: Flask) -> None:
    account = make_account(roles.CITY)
    token, key = make_token(account, expires_at=now() + timedelta(days=1))
    assert token_of(key) is not None
    with time_machine.travel(now() + timedelta(days=1, seconds=1)):
        assert token_of(key) is None
    with unit_of_work() as session:
        session.get_one(Account, account.id).active = False
    assert token_of(key) is None
    with unit_of_work() as session:
        session.get_one(Account, account.id).active = True
    assert token_of(key) is not None
    revoke_token(make_account(roles.ADMIN), WHO, token.public_id)
    assert token_of(key) is None


def test_revoking_again_changes_nothing(admin: Account) -> None:
    token, _key = make_token(admin)
    first = revoke_token(admin, WHO, token.public_id).revoked_at
    again = revoke_token(admin, WHO, token.public_id).revoked_at
    assert first == again and count() == (1, 1)
    noted = db.session.scalars(select(Event).where(Event.action == "api_token_revoke")).one()
    assert (noted.actor_id, noted.data["名称"], noted.label) == (admin.id, token.name, "停用接口令牌")
    with pytest.raises(NotFound):
        revoke_token(admin, WHO, "01890000-0000-7000-8000-000000000000")


def test_newest_first(admin: Account) -> None:
    ids = [make_token(admin)[0].id for _ in range(3)]
    assert [t.id for t in tokens_of(admin)] == ids[::-1]


def test_what_can_be_read(context: Flask) -> None:
    clerk = make_account(roles.CITY)
    narrow, _key = make_token(clerk, resources=["region", "job"])
    wide, _key = make_token(clerk)
    assert readable(clerk, narrow) == {"region"}
    assert readable(clerk, wide) == readable(clerk) >= {"region", "declaration", "event"}
    assert "job" not in readable(clerk)


# -- how often ------------------------------------------------------------------------------------------------------


def tried(token: ApiToken, times: int, per_minute: int) -> list[bool]:
    """Which of so many uses were let through."""
    return [seconds_to_wait(token, per_minute) == 0 for _ in range(times)]


@time_machine.travel("2026-06-01T08:00:10Z", tick=False)
@pytest.mark.parametrize("per_minute", [1, 3, 20, 45])
def test_exactly_the_limit_is_let_through(context: Flask, per_minute: int) -> None:
    token, _key = make_token(make_account(roles.CITY))
    assert tried(token, per_minute + 5, per_minute) == [True] * per_minute + [False] * 5
    assert seconds_to_wait(token, per_minute) == 50


def test_the_next_minute_begins_anew(context: Flask) -> None:
    token, _key = make_token(make_account(roles.CITY))
    with time_machine.travel("2026-06-01T08:00:59Z", tick=False):
        assert tried(token, 4, 3) == [True, True, True, False]
        assert seconds_to_wait(token, 3) == 1
    with time_machine.travel("2026-06-01T08:01:00Z", tick=False):
        assert tried(token, 4, 3) == [True, True, True, False]


@time_machine.travel("2026-06-01T08:00:10Z", tick=False)
def test_keys_are_counted_one_by_one(context: Flask) -> None:
    clerk = make_account(roles.CITY)
    one, two = make_token(clerk)[0], make_token(clerk)[0]
    assert tried(one, 3, 2) == tried(two, 3, 2) == [True, True, False]


@time_machine.travel("2026-06-01T08:00:10Z", tick=False)
def test_processes_share_the_limit(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each process has its own small supply; together they never let through more than the limit."""
    token, _key = make_token(make_account(roles.CITY))
    supplies: list[dict[str, Any]] = [{}, {}, {}]
    passed = 0
    for number in range(150):
        monkeypatch.setattr(api_token, "_leases", supplies[number % 3])
        passed += seconds_to_wait(token, 50) == 0
    assert passed == 50


@time_machine.travel("2026-06-01T08:00:10Z", tick=False)
def test_many_at_once_share_the_limit(context: Flask) -> None:
    token, _key = make_token(make_account(roles.CITY))
    db.session.expunge(token)
    passed = together(context, [lambda: sum(tried(token, 10, 30))] * 8)
    assert sum(passed) == 30


@sqlite_only
def test_old_supplies_are_thrown_away(context: Flask) -> None:
    tokens = [make_token(make_account(roles.CITY))[0] for _ in range(3)]
    with time_machine.travel("2026-06-01T08:00:10Z", tick=False):
        for token in tokens:
            seconds_to_wait(token, 100)
    with time_machine.travel("2026-06-01T08:05:10Z", tick=False):
        seconds_to_wait(tokens[0], 100)
    assert set(api_token._leases) == {tokens[0].digest}


def test_the_last_use_is_noted_once_a_minute(context: Flask) -> None:
    token, _key = make_token(make_account(roles.CITY))

    def used_at(moment: str) -> datetime | None:
        with time_machine.travel(moment, tick=False):
            for _use in range(25):
                seconds_to_wait(token, 600)
        db.session.rollback()
        return db.session.get_one(ApiToken, token.id, populate_existing=True).last_used_at

    first = datetime(2026, 6, 1, 8, 0, 10, tzinfo=UTC)
    assert used_at("2026-06-01T08:00:10Z") == first
    assert used_at("2026-06-01T08:00:50Z") == first
    assert used_at("2026-06-01T08:01:05Z") == first
    assert used_at("2026-06-01T08:01:10Z") == first + timedelta(minutes=1)
