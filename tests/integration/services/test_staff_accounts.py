"""Accounts that operators make: only such as somebody can sign in with, in the scope that was meant, with a record."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.errors import Conflict, InvalidInput, NotFound
from app.extensions import db
from app.models import Account, Event
from app.permissions import roles
from app.services import account as accounts
from app.services.identity import account_by_name, needs_second_factor, profile_of
from app.services.permission import doors_of, sync_permissions
from app.services.sign_in import check_name_and_password
from tests import factories
from tests.sign_in import VISITOR

pytestmark = pytest.mark.parametrize("database", ["sqlite"])


def people() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Account)) or 0


def make(username: str = "zhou", role: str = roles.CITY, **facts: str) -> str:
    values = {"region_code": "230100"} | facts
    return accounts.create_staff(username, role, "周雪松", **values)  # type: ignore[arg-type]


@pytest.mark.parametrize("typed", ["zhou", " zhou ", "ＺＨＯＵ", "ｚｈｏｕ", "周雪松", "zhou-xuesong_2"])
def test_whatever_was_typed_signs_in_as_it_was_typed(context: Flask, typed: str) -> None:
    word = make(typed)
    assert check_name_and_password(VISITOR, typed, word).display_name == "周雪松"
    assert check_name_and_password(VISITOR, typed.upper(), word).display_name == "周雪松"


@pytest.mark.parametrize(
    "typed", ["", "   ", "13900001111", "１３９００００１１１１", "91230108MA1BXQ3T7B", "11010519491231002x"]
)
def test_names_that_nobody_could_sign_in_with(context: Flask, typed: str) -> None:
    before = people()
    with pytest.raises(InvalidInput, match="用户名不能是空的，也不能写成手机号或 18 位代码"):
        make(typed)
    assert people() == before


@pytest.mark.parametrize("phone", ["1390000111", "139000011112", "+8613900001111", "0451-84000000", "abc"])
def test_a_phone_is_a_mobile_number(context: Flask, phone: str) -> None:
    before = people()
    with pytest.raises(InvalidInput, match="手机号要写 11 位数字"):
        make(phone=phone)
    assert people() == before


@pytest.mark.parametrize("role", [roles.ENTERPRISE, roles.INDIVIDUAL, "Admin", "Public", "", "root"])
def test_roles_that_operators_do_not_give(context: Flask, role: str) -> None:
    with pytest.raises(InvalidInput, match=f"没有“{role}”这种角色，可用："):
        make(role=role)


@pytest.mark.parametrize("role", roles.OFFICERS)
def test_officers_need_a_region_that_exists(context: Flask, role: str) -> None:
    with pytest.raises(InvalidInput, match="要写明所属地区"):
        make(role=role, region_code="")
    with pytest.raises(InvalidInput, match="没有代码是“999999”的地区"):
        make(role=role, region_code="999999")


@pytest.mark.parametrize("role", [roles.EXPERT, roles.ADMIN])
def test_experts_and_administrators_need_none(context: Flask, role: str) -> None:
    accounts.create_staff("zhou", role, "周雪松")
    made = account_by_name("zhou")
    assert made is not None and made.region_code is None and made.role_names == {role}


def test_an_account_leaves_an_event_without_its_password(context: Flask) -> None:
    word = make()
    event = db.session.scalars(select(Event).where(Event.action == "create_staff")).one()
    made = account_by_name("zhou")
    assert made is not None and event.subject == f"account:{made.id}" and event.data == {"role": "city"}
    assert (event.actor_id, event.actor_name, event.actor_role) == (None, "系统", "system")
    assert word not in repr(vars(event)) and word not in made.password


def test_a_taken_name_or_phone_changes_nothing(context: Flask) -> None:
    make(phone="13900001111")
    before = people()
    with pytest.raises(Conflict, match="用户名“Zhou”已经有人用了"):
        make("Zhou")
    with pytest.raises(Conflict, match="这个手机号已经有账号了"):
        make("li", phone="13900001111")
    assert people() == before


def test_a_new_password_replaces_the_old_one_and_is_noted(context: Flask) -> None:
    first = make()
    second = accounts.set_password("ZHOU")
    with pytest.raises(InvalidInput):
        check_name_and_password(VISITOR, "zhou", first)
    assert check_name_and_password(VISITOR, "zhou", second).must_change_password
    labels = db.session.scalars(select(Event.label).where(Event.action == "password")).all()
    assert labels == ["运维人员重设了密码"]
    with pytest.raises(NotFound, match="没有用户名是“nobody”的账号，请核对。"):
        accounts.set_password("nobody")


def test_passwords_follow_the_stricter_rules_for_staff(context: Flask) -> None:
    make()
    staff, owner = account_by_name("zhou"), factories.make_account(roles.ENTERPRISE)
    assert staff is not None
    assert (profile_of(staff.user_type), profile_of(owner.user_type)) == ("gov", "enterprise")
    assert not needs_second_factor(owner)


# -- doors ---------------------------------------------------------------------------------------------------------


def test_doors_follow_the_role(context: Flask) -> None:
    city, district = factories.make_account(roles.CITY), factories.make_account(roles.DISTRICT)
    assert {"declaration", "revision", "event", "account"} <= doors_of(city)
    assert "declaration" in doors_of(district)
    assert not {"revision", "event", "account", "login_session"} & doors_of(district)
    for role in (roles.ENTERPRISE, roles.INDIVIDUAL):
        assert doors_of(factories.make_account(role)) == set(), role
    assert all(g == "declaration" or g.startswith("form_") for g in doors_of(factories.make_account(roles.EXPERT)))
    assert "declaration" in doors_of(factories.make_account(roles.FINANCE))


def test_syncing_again_adds_nothing_and_a_new_grid_gets_its_doors(context: Flask) -> None:
    assert sync_permissions(["declaration", "event"]) == 0
    added = sync_permissions(["form_new"])
    assert added == sum(len(deeds) for deeds in roles.doors("form_new").values())
    assert sync_permissions(["form_new"]) == 0
    assert "form_new" in doors_of(factories.make_account(roles.CITY))
