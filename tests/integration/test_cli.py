"""Commands: each prints what it did, refuses with a sentence and exit status 1, and says in one line what it is for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from app.adapters.passwords import check_password
from app.definitions import registry
from app.extensions import db
from app.models import Account, Industry
from app.permissions import roles
from app.services.sms import put_out
from app.services.unit_of_work import unit_of_work
from tests import factories

CATALOGUE = registry.CATALOGUE / "harbin"


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=arguments)


def account(username: str) -> Account:
    db.session.rollback()
    return db.session.scalars(select(Account).where(Account.username == username)).unique().one()


def test_definitions_check_export_and_diff(context: Flask) -> None:
    assert "no problems" in run(context, "definitions", "check").output
    exported = [json.loads(line) for line in run(context, "definitions", "export", "--json").output.splitlines()]
    assert {d["key"] for d in exported} == {d.key for d in registry.catalogue()}
    files = [str(CATALOGUE / f"{name}.yaml") for name in ("cultivation_intake", "enterprise_certification")]
    assert json.loads(run(context, "definitions", "diff", *files).output)


def test_new_definition_can_be_loaded(context: Flask, tmp_path: Path) -> None:
    text = run(context, "definitions", "new", "made_up", "试一试").output
    assert registry.parse_definition(text, "made_up.yaml").title == "试一试"


def test_new_definition_with_a_bad_key_says_why(context: Flask) -> None:
    result = run(context, "definitions", "new", "Not A Key", "试一试")
    assert (result.exit_code, "key" in result.output) == (1, True)


def test_sync_and_rebuild_can_be_repeated(context: Flask) -> None:
    assert run(context, "definitions", "sync").output == ""
    assert run(context, "definitions", "rebuild").output == "rebuilt 0\n"


def test_seed_reference_adds_what_is_missing(context: Flask) -> None:
    assert run(context, "seed", "reference").output == ""
    with unit_of_work() as session:
        session.delete(session.scalars(select(Industry).where(Industry.code == "34")).one())
    assert run(context, "seed", "reference").output == "industries: 1 added\n"


def test_seed_demo_prints_accounts_once(context: Flask) -> None:
    first = run(context, "seed", "demo", "--enterprises", "2", "--declarations", "2")
    assert (first.exit_code, "平台管理员" in first.output) == (0, True)
    again = run(context, "seed", "demo", "--enterprises", "2", "--declarations", "2")
    assert "set-password" in again.output


def test_create_staff_prints_a_password_that_must_be_changed(context: Flask) -> None:
    result = run(
        context, "accounts", "create-staff", "zhou", "--role", "city", "--name", "周雪松", "--region", "230100"
    )
    assert result.exit_code == 0, result.output
    word = result.output.strip().rpartition("：")[2]
    created = account("zhou")
    assert (created.role_names, created.region_code, created.must_change_password) == ({roles.CITY}, "230100", True)
    assert check_password(created.password, word)[0]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    (
        (("zhou", "--role", "city", "--name", "周"), "6 位代码"),
        (("zhou", "--role", "city", "--name", "周", "--region", "999999"), "没有代码是“999999”的地区"),
        (("taken", "--role", "expert", "--name", "周"), "已经有人用了"),
    ),
)
def test_create_staff_refuses_with_a_sentence(context: Flask, arguments: tuple[str, ...], sentence: str) -> None:
    factories.make_account(roles.EXPERT, username="taken")
    result = run(context, "accounts", "create-staff", *arguments)
    assert (result.exit_code, sentence in result.output) == (1, True)
    assert "Traceback" not in result.output


def test_set_password_gives_a_new_one(context: Flask) -> None:
    factories.make_account(roles.CITY, username="zhou")
    word = run(context, "accounts", "set-password", "zhou").output.strip().rpartition("：")[2]
    assert check_password(account("zhou").password, word)[0]
    assert not check_password(account("zhou").password, factories.PASSWORD)[0]


def test_set_password_of_nobody(context: Flask) -> None:
    result = run(context, "accounts", "set-password", "nobody")
    assert (result.exit_code, "没有用户名是“nobody”的账号" in result.output) == (1, True)


def test_permissions_are_there_already(context: Flask) -> None:
    assert run(context, "accounts", "sync-permissions").output == "0 permissions added\n"


def test_audit_verify(context: Flask) -> None:
    factories.submitted()
    result = run(context, "audit", "verify")
    assert (result.exit_code, "0 problems" in result.output) == (0, True)


def test_stamps_check_answers_in_json(context: Flask, tmp_path: Path) -> None:
    scan = tmp_path / "scan.pdf"
    scan.write_bytes(b"not a pdf")
    found = json.loads(run(context, "stamps", "check", str(scan)).output)
    assert (found["ok"], found["reason"]) == (False, "not_pdf")


def test_outbox_shows_messages(context: Flask) -> None:
    with unit_of_work() as session:
        put_out(session, "13900000001", "您的验证码是 123456", "login")
    assert "13900000001  您的验证码是 123456" in run(context, "sms", "outbox").output
    assert run(context, "sms", "outbox", "--phone", "13900000002").output == ""


def test_every_command_says_what_it_is_for(context: Flask) -> None:
    for group in ("definitions", "seed", "accounts", "audit", "stamps", "sms", "fonts"):
        commands = context.cli.commands[group].commands.values()  # type: ignore[attr-defined]
        assert context.cli.commands[group].help
        assert all(command.help for command in commands)
