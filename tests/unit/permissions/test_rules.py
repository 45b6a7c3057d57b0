"""What may be changed in which state, path by path, and why not."""

from __future__ import annotations

import pytest
from flask_appbuilder.security.sqla.models import Role

from app.models import Account, Declaration, Enterprise
from app.models.declaration import STATUSES
from app.permissions import roles, rules
from tests.factories_everything import everything


def account(role: str, *, enterprise: int | None = None, certification: str = "approved") -> Account:
    user = Account(
        username="x", user_type="enterprise" if role == roles.ENTERPRISE else "staff", enterprise_id=enterprise
    )
    user.roles = [Role(name=role)]
    if enterprise:
        user.enterprise = Enterprise(id=enterprise, certification_status=certification)
    return user


@pytest.mark.parametrize("status", STATUSES)
def test_when_an_enterprise_may_edit(status: str) -> None:
    own = Declaration(enterprise_id=1, status=status)
    reason = rules.refuse_edit(account(roles.ENTERPRISE, enterprise=1), own)
    words = {"draft": None, "returned": None, "in_progress": "正在办理"}.get(status, "已经办结")
    assert (reason is None) if words is None else (words in reason)
    assert "不是您企业的" in rules.refuse_edit(account(roles.ENTERPRISE, enterprise=2), own)
    assert "不是您企业的" in rules.refuse_edit(account(roles.ADMIN), own)
    assert "不是您企业的" in rules.refuse_edit(account(roles.CITY), Declaration(enterprise_id=None, status=status))


OPENED = ["profit", "items/r1/price", "items/r2/parts/p1/cost", "@report", "team"]


@pytest.mark.parametrize(
    ("path", "open_"),
    [
        ("profit", True),
        ("profit_note", False),
        ("prof", False),
        ("items/r1/price", True),
        ("items/r1/name", False),
        ("items/r10/price", False),
        ("items/r2/parts/p1/cost", True),
        ("items/r2/parts/p2/cost", False),
        ("items/r2/name", False),
        ("@report", True),
        ("@reports", False),
        ("team/t9/name", True),
        ("team/t9/sub/s1/x", True),
    ],
)
def test_only_reopened_answers_change(path: str, open_: bool) -> None:
    returned = Declaration(status="returned", reopened=OPENED)
    assert rules.is_open_path(returned, path) is open_
    assert rules.is_open_path(Declaration(status="draft", reopened=OPENED), path)
    assert rules.is_open_path(Declaration(status="returned", reopened=None), path)
    for status in ("in_progress", "approved", "rejected", "withdrawn", "void"):
        assert not rules.is_open_path(Declaration(status=status, reopened=OPENED), path)


@pytest.mark.parametrize(
    ("path", "open_"),
    [
        ("items/r1", False),
        ("team/t1", True),
        ("items/r2/parts/p1", False),
        ("team/t1/sub/s1", True),
        ("other/o1", False),
    ],
)
def test_rows_come_and_go_only_in_reopened_tables(path: str, open_: bool) -> None:
    assert rules.is_open_table(Declaration(status="returned", reopened=OPENED), path) is open_
    assert rules.is_open_table(Declaration(status="draft"), path)
    assert rules.is_open_table(Declaration(status="returned", reopened=None), path)
    assert not rules.is_open_table(Declaration(status="in_progress"), path)


def test_a_reopened_nested_table_takes_rows() -> None:
    returned = Declaration(status="returned", reopened=["items/r2/parts"])
    assert rules.is_open_table(returned, "items/r2/parts/p7")
    assert not rules.is_open_table(returned, "items/r3/parts/p1"), "the same table of another row"
    assert not rules.is_open_table(returned, "items/r2")


def test_who_may_declare() -> None:
    assert rules.refuse_declare(account(roles.ENTERPRISE, enterprise=1), everything()) is None
    assert "先完成企业认证" in rules.refuse_declare(
        account(roles.ENTERPRISE, enterprise=1, certification="none"), everything()
    )
    for role in (roles.INDIVIDUAL, roles.CITY, roles.EXPERT, roles.ADMIN):
        assert "个人用户不能申报" in rules.refuse_declare(account(role), everything())
