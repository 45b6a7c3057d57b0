"""Doors of roles: what the package gives comes back, what an administrator adds stays, everything leaves an event."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask_appbuilder.security.sqla.models import Role
from sqlalchemy import select, update

from app.errors import Conflict, DomainError, InvalidInput, NotFound, Refused
from app.extensions import db
from app.models import Account, Event
from app.permissions import roles
from app.services.challenge import Visitor
from app.services.installation import grid_names
from app.services.permission import (
    Door,
    doors_of_role,
    fingerprint,
    has_door,
    members_of_roles,
    packaged_doors,
    set_doors,
    sync_permissions,
)
from app.services.unit_of_work import unit_of_work
from tests.factories import PASSWORD, make_account
from tests.factories_care import give, take

LABELS = {"region": "行政区划", "event": "办理记录", "holiday": "节假日"}
HERE = Visitor("session", "127.0.0.1")
EXTRA: Door = ("event", "list")


@pytest.fixture
def admin(context: Flask) -> Account:
    return make_account(roles.ADMIN, display_name="赵管理")


def save(admin: Account, role: str, wanted: set[Door], **more: Any) -> tuple[set[Door], set[Door]]:
    """Set the doors as the page would."""
    shown = more.pop("shown", fingerprint(doors_of_role(role)))
    return set_doors(admin, HERE, role, wanted, LABELS, password=more.pop("password", PASSWORD), shown=shown)


def last_event() -> Event:
    db.session.rollback()
    return db.session.scalars(select(Event).where(Event.action == "doors").order_by(Event.id.desc())).first()


def test_adding_and_taking_away(admin: Account) -> None:
    district = make_account(roles.DISTRICT)
    assert not has_door(district, *EXTRA)
    assert save(admin, roles.DISTRICT, {EXTRA, ("region", "list")}) == ({EXTRA, ("region", "list")}, set())
    assert has_door(district, *EXTRA)
    event = last_event()
    assert (event.actor_name, event.subject, event.label) == ("赵管理", "role:district", "修改角色权限")
    assert event.data == {"given": ["办理记录：列表", "行政区划：列表"]}
    assert save(admin, roles.DISTRICT, {EXTRA}) == (set(), {("region", "list")})
    assert last_event().data == {"taken": ["行政区划：列表"]}
    assert has_door(district, *EXTRA) and not has_door(district, "region", "list")


def test_nothing_changed_leaves_no_event(admin: Account) -> None:
    assert save(admin, roles.DISTRICT, set()) == (set(), set())
    assert last_event() is None


def test_what_the_package_gives_cannot_be_unticked(admin: Account) -> None:
    before = doors_of_role(roles.CITY)
    assert ("region", "edit") in before
    assert save(admin, roles.CITY, set()) == (set(), set())
    assert doors_of_role(roles.CITY) == before


def test_doors_of_other_grids_are_left_alone(admin: Account) -> None:
    """The page knows the grids of this start; a door of another one survives its saving."""
    give(roles.DISTRICT, ("form_of_tomorrow", "list"))
    save(admin, roles.DISTRICT, {EXTRA})
    assert {("form_of_tomorrow", "list"), EXTRA} <= doors_of_role(roles.DISTRICT)
    assert ("declaration", "list") in doors_of_role(roles.DISTRICT)


def test_a_synchronisation_restores_and_keeps(admin: Account) -> None:
    save(admin, roles.DISTRICT, {EXTRA})
    take(roles.DISTRICT, ("declaration", "list"))
    take(roles.CITY, ("region", "edit"))
    assert sync_permissions(grid_names()) == 2
    assert ("declaration", "list") in doors_of_role(roles.DISTRICT) and ("region", "edit") in doors_of_role(roles.CITY)
    assert EXTRA in doors_of_role(roles.DISTRICT), "what was added survives"
    assert sync_permissions(grid_names()) == 0


def test_a_renamed_role_comes_back_under_its_stable_name(context: Flask) -> None:
    with unit_of_work() as session:
        session.execute(update(Role).where(Role.name == roles.PROVINCE).values(name="省厅"))
    assert sync_permissions(grid_names()) > 0
    assert doors_of_role(roles.PROVINCE) >= packaged_doors(roles.PROVINCE, grid_names())


def test_every_packaged_door_is_there_after_the_installation(context: Flask) -> None:
    for role in roles.OPEN_TO:
        assert doors_of_role(role) == packaged_doors(role, grid_names()), role


def test_stale_pages_wrong_passwords_and_unknown_doors(admin: Account) -> None:
    shown = fingerprint(doors_of_role(roles.DISTRICT))
    save(admin, roles.DISTRICT, {EXTRA})
    refused: list[tuple[type[DomainError], str, dict[str, Any]]] = [
        (Conflict, "刚被别人改过", {"shown": shown}),
        (InvalidInput, "密码不对", {"password": "nonsense"}),
    ]
    for error, words, more in refused:
        with pytest.raises(error, match=words):
            save(admin, roles.DISTRICT, {("region", "list")}, **more)
    for door in (("region", "correct"), ("nothing", "list"), ("region", "explode"), ("event", "delete")):
        with pytest.raises(InvalidInput, match="平台没有的"):
            save(admin, roles.DISTRICT, {door})
    assert doors_of_role(roles.DISTRICT) == packaged_doors(roles.DISTRICT, grid_names()) | {EXTRA}


@pytest.mark.parametrize("role", [roles.ENTERPRISE, roles.INDIVIDUAL, "Public", "Admin", "nobody", ""])
def test_roles_that_open_no_grid(admin: Account, role: str) -> None:
    with pytest.raises(NotFound, match="没有这个角色"):
        set_doors(admin, HERE, role, {EXTRA}, LABELS, password=PASSWORD, shown="")


@pytest.mark.parametrize("role", [roles.CITY, roles.EXPERT, roles.ENTERPRISE])
def test_only_administrators(context: Flask, role: str) -> None:
    with pytest.raises(Refused, match="只有平台管理员"):
        save(make_account(role), roles.CITY, {EXTRA})


def test_members_are_counted(context: Flask) -> None:
    for active in (True, True, False):
        make_account(roles.EXPERT, active=active)
    assert members_of_roles()[roles.EXPERT] == 2
