"""Registration, sign-in, passwords, identity and what operators do, on both databases."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select
from werkzeug.security import generate_password_hash

from app.errors import Conflict, DomainError, InvalidInput, NotFound, TooMany
from app.extensions import db
from app.models import Account, Enterprise, Event, LoginSession
from app.models.base import now
from app.permissions import roles
from app.services import account as accounts
from app.services import password as passwords
from app.services import registration as registrations
from app.services import sign_in, sms
from app.services.challenge import Visitor
from app.services.identity import account_by_name
from app.services.registration import Registration
from app.services.unit_of_work import unit_of_work
from tests import factories
from tests.sign_in import GOOD, PHONE, VISITOR, at_once, forget_pauses, last_code, last_text, solved

OTHER = Visitor("b" * 64, "198.51.100.3")


def count(model: Any, *where: Any) -> int:
    return db.session.scalar(select(func.count()).select_from(model).where(*where)) or 0


def ask(phone: str = PHONE, visitor: Visitor = VISITOR) -> None:
    registrations.send_registration_code(visitor, phone, solved(visitor))


def wanted(**changes: str) -> Registration:
    values = {"user_type": "enterprise", "username": "松岭-Wang", "phone": PHONE, "code": "000000", "password": GOOD}
    return Registration(**(values | changes))


def register(**changes: str) -> Account:
    ask(changes.get("phone", PHONE))
    return registrations.register(VISITOR, wanted(code=last_code(changes.get("phone", PHONE)), **changes))


# -- registration -------------------------------------------------------------------------------------------------


def test_an_enterprise_user_owns_an_empty_enterprise(context: Flask) -> None:
    user = db.session.get_one(Account, register().id)
    assert (user.user_type, user.enterprise_role, user.role_names) == ("enterprise", "owner", {"enterprise"})
    assert user.enterprise is not None and user.enterprise.certification_status == "none"
    assert user.agreed_at is not None and user.password.startswith("$argon2id$")
    assert count(Event, Event.action == "register", Event.subject == f"account:{user.id}") == 1


def test_an_individual_owns_none(context: Flask) -> None:
    before = count(Enterprise)
    user = db.session.get_one(Account, register(user_type="individual").id)
    assert (user.enterprise_id, user.role_names) == (None, {"individual"})
    assert count(Enterprise) == before


def test_a_missing_role_is_made(context: Flask) -> None:
    with unit_of_work() as session:
        session.delete(registrations.role_named(session, "individual"))
    assert db.session.get_one(Account, register(user_type="individual").id).role_names == {"individual"}


def test_nobody_registers_as_staff(context: Flask) -> None:
    with pytest.raises(InvalidInput) as refused:
        register(user_type="staff")
    assert "user_type" in refused.value.fields
    assert count(Account, Account.phone == PHONE) == 0


def test_a_taken_phone_is_only_told_to_its_owner(context: Flask) -> None:
    factories.make_account(roles.ENTERPRISE, phone=PHONE)
    ask()
    assert "已注册" in last_text() and not any(c.isdigit() for c in last_text())
    assert sms.sent_at(VISITOR, PHONE, "register") is not None
    ask("13911112222")
    answers = []
    for phone in (PHONE, "13911112222"):
        with pytest.raises(InvalidInput) as refused:
            registrations.register(VISITOR, wanted(phone=phone, code="000000"))
        answers.append((refused.value.message, refused.value.fields))
    assert answers[0] == answers[1]


def test_a_taken_username_is_told_after_the_right_code_which_stays_good(context: Flask) -> None:
    factories.make_account(roles.ENTERPRISE, username="Songling-Wang")
    ask()
    with pytest.raises(InvalidInput) as wrong:
        registrations.register(VISITOR, wanted(username="songling-WANG", code="abc"))
    assert list(wrong.value.fields) == ["code"]
    with pytest.raises(InvalidInput) as taken:
        registrations.register(VISITOR, wanted(username="songling-WANG", code=last_code()))
    assert list(taken.value.fields) == ["username"]
    assert registrations.register(VISITOR, wanted(username="songling-wang2", code=last_code())).id


def test_one_code_registers_one_account_for_sixteen(context: Flask) -> None:
    ask()
    code = last_code()
    results = at_once(context, 16, lambda n: registrations.register(VISITOR, wanted(username=f"松岭{n}号", code=code)))
    assert sum(isinstance(r, Account) for r in results) == 1
    assert count(Account, Account.phone == PHONE) == 1
    assert count(Enterprise, Enterprise.certification_status == "none") == 1


def test_one_username_is_given_once(context: Flask) -> None:
    phones = [f"1390000000{n}" for n in range(4)]
    visitors = [Visitor(str(n) * 64, "203.0.113.7") for n in range(4)]
    for phone, visitor in zip(phones, visitors, strict=True):
        ask(phone, visitor)
    codes = [last_code(p) for p in phones]
    names = ["Linye", "linye", "LINYE", "linYe"]
    results = at_once(
        context,
        4,
        lambda n: registrations.register(visitors[n], wanted(username=names[n], phone=phones[n], code=codes[n])),
    )
    assert sum(isinstance(r, Account) for r in results) == 1


BAD_PASSWORDS = [
    "",
    "Ab1",
    "abcdefgh",
    "12345678",
    "password1",
    "松岭-Wang2026",
    f"x{PHONE}",
    "a" * 65,
    "ab1ab1ab1",
    "P@ssw0rd",
]


@pytest.mark.parametrize("word", BAD_PASSWORDS)
def test_bad_passwords_pass_nowhere(context: Flask, word: str) -> None:
    ask()
    with pytest.raises(InvalidInput) as refused:
        registrations.register(VISITOR, wanted(password=word, code=last_code()))
    assert list(refused.value.fields) == ["password"]
    user = registrations.register(VISITOR, wanted(code=last_code()))
    with pytest.raises(InvalidInput):
        passwords.change_password(user, VISITOR, GOOD, word)
    forget_pauses()
    passwords.send_recovery_code(VISITOR, PHONE, solved())
    with pytest.raises(InvalidInput) as refused:
        passwords.recover(VISITOR, PHONE, last_code(), word)
    assert list(refused.value.fields) == ["password"]
    assert sign_in.check_name_and_password(VISITOR, "松岭-wang", GOOD).id == user.id


@pytest.mark.parametrize("word", ["松花江边的8号厂房", "x" * 32 + "-" + "y" * 31])
def test_long_and_chinese_passwords_are_kept_whole(context: Flask, word: str) -> None:
    user = register(password=word)
    assert sign_in.check_name_and_password(VISITOR, user.username, word).id == user.id
    with pytest.raises(InvalidInput):
        sign_in.check_name_and_password(VISITOR, user.username, word[:-1])


# -- sign-in ------------------------------------------------------------------------------------------------------


def test_every_name_that_signs_in(context: Flask) -> None:
    owner = factories.make_account(roles.ENTERPRISE, username="Songling", phone=PHONE)
    factories.make_account(roles.ENTERPRISE, enterprise=owner.enterprise, username="member", enterprise_role="member")
    person = factories.make_account(roles.INDIVIDUAL)
    accounts.set_identity(person, "孙晓明", "11010519491231002X", None)
    code = owner.enterprise.credit_code
    for name in ("songling", "SONGLING", " ｓongling ", PHONE, code, code.lower()):
        assert account_by_name(name).id == owner.id
    assert account_by_name("11010519491231002x").id == person.id
    for name in ("", "unknown", "13900000000", "91230108MA18WF3X4Q", "x" * 128):
        assert account_by_name(name) is None


def test_an_uncertified_credit_code_signs_nobody_in(context: Flask) -> None:
    enterprise = factories.make_enterprise(certified=False, credit_code=factories.credit_code(77))
    factories.make_account(roles.ENTERPRISE, enterprise=enterprise)
    assert account_by_name(factories.credit_code(77)) is None


def wrong_tries(name: str, number: int, visitor: Visitor = VISITOR) -> list[str]:
    answers = []
    for _ in range(number):
        with pytest.raises(DomainError) as refused:
            sign_in.check_name_and_password(visitor, name, "falsch-2026")
        answers.append(refused.value.message)
    return answers


def test_five_wrong_passwords_lock_for_fifteen_minutes(context: Flask) -> None:
    user = factories.make_account(roles.ENTERPRISE, phone=PHONE)
    start = now()
    with time_machine.travel(start, tick=False):
        wrong_tries(user.username, 5)
        with pytest.raises(TooMany):
            sign_in.check_name_and_password(OTHER, PHONE, factories.PASSWORD)
        sign_in.send_login_code(OTHER, PHONE, solved(OTHER))
    with time_machine.travel(start + timedelta(minutes=14, seconds=59), tick=False), pytest.raises(TooMany):
        sign_in.check_name_and_password(OTHER, PHONE, factories.PASSWORD)
    with time_machine.travel(start + timedelta(minutes=15, seconds=1), tick=False):
        assert sign_in.check_name_and_password(OTHER, PHONE, factories.PASSWORD).id == user.id


def test_the_way_by_sms_stays_open_and_clears_the_lock(context: Flask) -> None:
    user = factories.make_account(roles.ENTERPRISE, phone=PHONE)
    wrong_tries(PHONE, 6)
    sign_in.send_login_code(VISITOR, PHONE, solved())
    assert sign_in.check_phone_and_code(VISITOR, PHONE, last_code()).id == user.id
    assert sign_in.check_name_and_password(VISITOR, PHONE, factories.PASSWORD).id == user.id


def test_unknown_names_are_answered_and_locked_alike(context: Flask) -> None:
    user = factories.make_account(roles.ENTERPRISE)
    assert wrong_tries(user.username, 7) == wrong_tries("nobody-here", 7)
    assert count(Event, Event.action == "login_failed") == 10
    assert "nobody-here" not in str([e.subject for e in db.session.scalars(select(Event))])


def test_a_success_forgets_the_wrong_tries(context: Flask) -> None:
    user = factories.make_account(roles.ENTERPRISE)
    for _ in range(3):
        wrong_tries(user.username, 4)
        assert sign_in.check_name_and_password(VISITOR, user.username, factories.PASSWORD)


def test_thirty_wrong_tries_lock_an_address(context: Flask) -> None:
    for number in range(30):
        wrong_tries(f"name{number}", 1)
    user = factories.make_account(roles.ENTERPRISE)
    with pytest.raises(TooMany):
        sign_in.check_name_and_password(VISITOR, user.username, factories.PASSWORD)
    assert sign_in.check_name_and_password(OTHER, user.username, factories.PASSWORD)


def test_sixteen_at_once_reach_the_hash_five_times(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    user = factories.make_account(roles.ENTERPRISE)
    looked: list[int] = []
    monkeypatch.setattr(sign_in, "check_password", lambda _stored, _typed: (looked.append(1), (False, False))[1])
    visitors = [Visitor("c" * 64, f"203.0.113.{n}") for n in range(16)]
    at_once(context, 16, lambda n: wrong_tries(user.username, 4, visitors[n]))
    assert len(looked) == 5


def test_old_hashes_are_renewed(context: Flask) -> None:
    user = factories.make_account(roles.ENTERPRISE, password=generate_password_hash("Alt-2026-wort"))
    assert sign_in.check_name_and_password(VISITOR, user.username, "Alt-2026-wort")
    assert db.session.get_one(Account, user.id).password.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert sign_in.check_name_and_password(VISITOR, user.username, "Alt-2026-wort")


def test_a_deactivated_account_stays_out(context: Flask) -> None:
    user = factories.make_account(roles.ENTERPRISE, phone=PHONE, active=False)
    assert wrong_tries(user.username, 1) == wrong_tries("nobody-here", 1)
    with pytest.raises(InvalidInput):
        sign_in.check_name_and_password(VISITOR, user.username, factories.PASSWORD)
    sign_in.send_login_code(VISITOR, PHONE, solved())
    assert "停用" in last_text()


def test_an_unknown_phone_gets_a_message_and_no_code(context: Flask) -> None:
    sign_in.send_login_code(VISITOR, PHONE, solved())
    assert "还没有注册" in last_text()
    with pytest.raises(InvalidInput):
        sign_in.check_phone_and_code(VISITOR, PHONE, "000000")


def test_staff_need_a_second_factor_where_it_is_on(context: Flask) -> None:
    context.config["SETTINGS"] = dataclasses.replace(context.config["SETTINGS"], staff_second_factor=True)
    clerk = factories.make_account(roles.CITY, phone=PHONE)
    sign_in.send_login_code(VISITOR, PHONE, solved())
    assert "密码" in last_text()
    forget_pauses()
    sign_in.send_second_code(VISITOR, clerk)
    with pytest.raises(InvalidInput):
        sign_in.check_second_code(OTHER, clerk, last_code())
    sign_in.check_second_code(VISITOR, clerk, last_code())
    with pytest.raises(InvalidInput):
        sign_in.check_second_code(VISITOR, clerk, last_code())
    with pytest.raises(InvalidInput, match="没有登记手机号"):
        sign_in.send_second_code(VISITOR, factories.make_account(roles.CITY, phone=None))


# -- passwords and sessions ---------------------------------------------------------------------------------------


def open_sessions(user: Account, *digests: str) -> None:
    with unit_of_work() as session:
        for digest in digests:
            session.add(
                LoginSession(digest=digest, account_id=user.id, data="{}", created_at=now(), last_seen_at=now())
            )


def test_changing_the_password_needs_the_current_one_and_ends_other_sessions(context: Flask) -> None:
    user = factories.make_account(roles.ENTERPRISE, phone=PHONE)
    open_sessions(user, VISITOR.session_digest, OTHER.session_digest)
    with pytest.raises(InvalidInput) as refused:
        passwords.change_password(user, VISITOR, "falsch", GOOD)
    assert list(refused.value.fields) == ["current"]
    assert count(LoginSession, LoginSession.account_id == user.id) == 2
    with pytest.raises(InvalidInput, match="一样"):
        passwords.change_password(user, VISITOR, factories.PASSWORD, factories.PASSWORD)
    passwords.change_password(user, VISITOR, factories.PASSWORD, GOOD)
    left = db.session.scalars(select(LoginSession.digest).where(LoginSession.account_id == user.id)).all()
    assert left == [VISITOR.session_digest]
    assert "密码刚刚改过" in last_text()
    assert sign_in.check_name_and_password(VISITOR, user.username, GOOD)


def test_guessing_the_current_password_is_limited(context: Flask) -> None:
    user = factories.make_account(roles.ENTERPRISE)
    for _ in range(5):
        with pytest.raises(InvalidInput):
            passwords.change_password(user, VISITOR, "falsch", GOOD)
    with pytest.raises(TooMany):
        passwords.change_password(user, VISITOR, factories.PASSWORD, GOOD)


def test_recovery_sets_a_password_once_and_ends_all_sessions(context: Flask) -> None:
    user = factories.make_account(roles.ENTERPRISE, phone=PHONE)
    open_sessions(user, VISITOR.session_digest, OTHER.session_digest)
    passwords.send_recovery_code(VISITOR, PHONE, solved())
    code = last_code()
    assert user.username in last_text()
    results = at_once(context, 16, lambda n: passwords.recover(VISITOR, PHONE, code, f"Songling-{n}-2026").id)
    assert [r for r in results if not isinstance(r, InvalidInput)] == [user.id]
    assert count(LoginSession, LoginSession.account_id == user.id) == 0
    with pytest.raises(InvalidInput):
        sign_in.check_name_and_password(VISITOR, user.username, factories.PASSWORD)


def test_recovery_tells_nothing_of_unknown_phones(context: Flask) -> None:
    factories.make_account(roles.ENTERPRISE, phone=PHONE)
    answers = []
    for phone in (PHONE, "13900000000"):
        passwords.send_recovery_code(VISITOR, phone, solved())
        assert sms.sent_at(VISITOR, phone, "recover") is not None
        with pytest.raises(InvalidInput) as refused:
            passwords.recover(VISITOR, phone, "abc", GOOD)
        answers.append((refused.value.message, refused.value.fields))
    assert answers[0] == answers[1]


def test_a_rotten_new_password_does_not_cost_the_code(context: Flask) -> None:
    user = factories.make_account(roles.ENTERPRISE, phone=PHONE, username="songling")
    passwords.send_recovery_code(VISITOR, PHONE, solved())
    with pytest.raises(InvalidInput) as refused:
        passwords.recover(VISITOR, PHONE, last_code(), "Songling-2026")
    assert list(refused.value.fields) == ["password"]
    assert passwords.recover(VISITOR, PHONE, last_code(), "Linye-2026-x").id == user.id


# -- identity and operators ---------------------------------------------------------------------------------------


def test_identity_numbers_are_encrypted_and_unique(context: Flask) -> None:
    person, other = factories.make_account(roles.INDIVIDUAL), factories.make_account(roles.INDIVIDUAL)
    accounts.set_identity(person, "孙晓明", "11010519491231002X", None)
    stored = db.session.get_one(Account, person.id)
    assert "1101" not in stored.id_number_cipher + stored.id_number_index
    assert accounts.hidden_id_number(stored) == "1101************2X"
    with pytest.raises(InvalidInput) as refused:
        accounts.set_identity(other, "别人", "11010519491231002X", None)
    assert "id_number" in refused.value.fields
    accounts.set_identity(person, "", None, None)
    assert db.session.get_one(Account, person.id).id_number_index


def test_operators_make_staff_with_a_password_that_must_go(context: Flask) -> None:
    word = accounts.create_staff("zhou", roles.CITY, "周雪松", region_code="230100", phone="13900001111")
    clerk = sign_in.check_name_and_password(VISITOR, "ZHOU", word)
    assert (clerk.must_change_password, clerk.role_names, clerk.user_type) == (True, {"city"}, "staff")
    with pytest.raises(InvalidInput, match="至少 10"):
        passwords.change_password(clerk, VISITOR, word, "Ab-45678")
    passwords.change_password(clerk, VISITOR, word, "Xuesong#2026")
    assert not db.session.get_one(Account, clerk.id).must_change_password


def test_operators_are_told_what_does_not_fit(context: Flask) -> None:
    accounts.create_staff("zhou", roles.CITY, "周雪松", region_code="230100", phone="13900001111")
    with pytest.raises(Conflict):
        accounts.create_staff("ZHOU", roles.CITY, "别人", region_code="230100")
    with pytest.raises(Conflict):
        accounts.create_staff("li", roles.CITY, "别人", region_code="230100", phone="13900001111")
    for arguments in ({"role": "enterprise"}, {"role": roles.CITY}, {"role": roles.CITY, "region_code": "999999"}):
        with pytest.raises(InvalidInput):
            accounts.create_staff("li", name="别人", **arguments)
    with pytest.raises(NotFound):
        accounts.set_password("nobody")


def test_operators_give_a_new_password_and_the_sessions_end(context: Flask) -> None:
    user = factories.make_account(roles.ENTERPRISE)
    open_sessions(user, OTHER.session_digest)
    word = accounts.set_password(user.username.upper())
    assert count(LoginSession, LoginSession.account_id == user.id) == 0
    assert sign_in.check_name_and_password(VISITOR, user.username, word).must_change_password
