"""The tests' own ground: fresh databases, factories, sign-in without the page."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_login import current_user
from sqlalchemy import func, select

from app.extensions import db
from app.models import Account, Enterprise, Holiday, Industry, Region
from app.permissions import roles
from tests import factories


@pytest.mark.parametrize("round", (1, 2))
def test_every_test_starts_from_the_template(context: Flask, round: int) -> None:
    assert db.session.scalar(select(func.count()).select_from(Enterprise)) == 0
    assert db.session.scalar(select(func.count()).select_from(Region)) > 50
    assert db.session.scalar(select(func.count()).select_from(Industry)) > 90
    assert db.session.scalar(select(func.count()).select_from(Holiday)) > 100
    factories.make_enterprise()


def test_database_kind_is_what_the_name_says(context: Flask, database: str) -> None:
    assert db.engine.dialect.name == database


def test_accounts_of_every_role(context: Flask) -> None:
    accounts = {role: factories.make_account(role) for role in roles.ALL}
    assert all(account.role_names == {role} for role, account in accounts.items())
    assert accounts[roles.ENTERPRISE].enterprise.certification_status == "approved"
    assert accounts[roles.DISTRICT].region_code == "230108"


def test_login_signs_in(context: Flask, client: FlaskClient) -> None:
    account = factories.make_account(roles.CITY)
    seen: list[int] = []

    with context.app_context(), client:
        factories.login(client, account).get("/")
        seen.append(current_user.id)
    assert seen == [account.id]


def test_reads_are_fresh_after_a_service(context: Flask) -> None:
    account = factories.make_account(roles.ENTERPRISE)
    assert account.enterprise.employees == 186
    enterprise_id = account.enterprise_id
    from app.services.unit_of_work import unit_of_work

    with unit_of_work() as session:
        session.get_one(Enterprise, enterprise_id).employees = 3
    assert account.enterprise.employees == 3
    assert db.session.get_one(Account, account.id).enterprise.employees == 3


def test_unit_of_this_file_has_a_valid_credit_code(context: Flask) -> None:
    from stdnum.cn import uscc

    assert uscc.is_valid(factories.make_enterprise().credit_code)
