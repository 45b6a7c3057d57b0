"""Challenges, codes, limits and sending, on both databases."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from app.errors import InvalidInput, NotFound, TooMany, Unavailable
from app.extensions import db
from app.models import Challenge, Job, SmsCode, SmsMessage
from app.models.base import now
from app.permissions import roles
from app.services import challenge, sign_in, sms
from app.services import password as passwords
from app.services import registration as registrations
from app.services.challenge import Solution, Visitor
from app.services.unit_of_work import unit_of_work
from app.tasks.worker import run_job
from tests import factories
from tests.sign_in import GOOD, PHONE, VISITOR, at_once, forget_pauses, last_code, last_text, solved

OTHER = Visitor("b" * 64, "198.51.100.3")


def count(model: Any, *where: Any) -> int:
    return db.session.scalar(select(func.count()).select_from(model).where(*where)) or 0


def ask(phone: str = PHONE, visitor: Visitor = VISITOR) -> None:
    registrations.send_registration_code(visitor, phone, solved(visitor))


# -- challenges ---------------------------------------------------------------------------------------------------


def test_a_challenge_opens_once(context: Flask) -> None:
    solution = solved()
    registrations.send_registration_code(VISITOR, PHONE, solution)
    for number in range(5):
        with pytest.raises(InvalidInput) as refused:
            registrations.send_registration_code(VISITOR, f"1390000000{number}", solution)
        assert "answer" in refused.value.fields
    assert count(SmsMessage) == 1


def test_a_wrong_answer_uses_the_challenge_up(context: Flask) -> None:
    right = solved()
    wrong = Solution(right.token, str((int(right.answer) + 60) % 340))
    for attempt in (wrong, right):
        with pytest.raises(InvalidInput):
            registrations.send_registration_code(VISITOR, PHONE, attempt)
    assert count(SmsMessage) == 0


@pytest.mark.parametrize("answer", ["", "abc", "-1", "99999", "1e2", "\u0661\u0662", "NaN"])
def test_answers_that_are_no_numbers_are_wrong(context: Flask, answer: str) -> None:
    with pytest.raises(InvalidInput):
        registrations.send_registration_code(VISITOR, PHONE, Solution(solved().token, answer))


def test_a_challenge_belongs_to_its_session_and_ends_after_two_minutes(context: Flask) -> None:
    with pytest.raises(InvalidInput):
        registrations.send_registration_code(OTHER, PHONE, solved(VISITOR))
    with pytest.raises(NotFound):
        challenge.shown_to(OTHER, solved(VISITOR).token)
    late = solved()
    with time_machine.travel(now() + timedelta(seconds=121)), pytest.raises(InvalidInput):
        registrations.send_registration_code(VISITOR, PHONE, late)


def test_a_picture_code_is_the_other_way(context: Flask) -> None:
    row = challenge.new_challenge(VISITOR, "picture")
    assert challenge.sound_of(VISITOR, row.token)[:4] == b"RIFF"
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in row.answer)
    registrations.send_registration_code(VISITOR, PHONE, Solution(row.token, f" {wide} "))
    assert count(SmsCode) == 1


def test_sounds_and_pictures_are_limited(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    row = challenge.new_challenge(VISITOR, "picture")
    monkeypatch.setattr(challenge, "picture_audio", lambda _text: b"RIFF")
    for _ in range(challenge.SOUNDS):
        challenge.sound_of(VISITOR, row.token)
    with pytest.raises(TooMany):
        challenge.sound_of(VISITOR, row.token)
    monkeypatch.setattr(challenge, "PER_ADDRESS", 2)
    challenge.new_challenge(VISITOR, "slider")
    with pytest.raises(TooMany):
        challenge.new_challenge(VISITOR, "slider")
    assert challenge.new_challenge(OTHER, "slider").token


def test_guessing_is_no_way(context: Flask) -> None:
    """All places of the slider, each with a challenge of its own: few more than the tolerance pass."""
    passed = 0
    with unit_of_work() as session:
        for place in range(0, 340, 5):
            row = Challenge(token=f"t{place}", kind="slider", answer="200", session_digest=VISITOR.session_digest,
                            picture=b"", created_at=now())  # fmt: skip
            session.add(row)
            session.flush()
            passed += challenge.use_up(session, VISITOR, Solution(row.token, str(place)))
    assert passed <= 3


# -- codes and limits ---------------------------------------------------------------------------------------------


def test_one_code_passes_once_for_sixteen(context: Flask) -> None:
    user = factories.make_account(roles.ENTERPRISE, phone=PHONE)
    sign_in.send_login_code(VISITOR, PHONE, solved())
    code = last_code()
    spellings = [code, f" {code}", "".join(chr(ord(d) + 0xFEE0) for d in code), f"{code[:3]} {code[3:]}"]
    results = at_once(context, 16, lambda n: sign_in.check_phone_and_code(VISITOR, PHONE, spellings[n % 4]).id)
    assert [r for r in results if not isinstance(r, InvalidInput)] == [user.id]


def test_a_code_is_bound_to_phone_purpose_and_session(context: Flask) -> None:
    factories.make_account(roles.ENTERPRISE, phone=PHONE)
    factories.make_account(roles.ENTERPRISE, phone="13900001111")
    sign_in.send_login_code(VISITOR, PHONE, solved())
    code = last_code()
    with pytest.raises(InvalidInput):
        sign_in.check_phone_and_code(OTHER, PHONE, code)
    with pytest.raises(InvalidInput):
        sign_in.check_phone_and_code(VISITOR, "13900001111", code)
    with pytest.raises(InvalidInput):
        passwords.recover(VISITOR, PHONE, code, GOOD)
    assert sign_in.check_phone_and_code(VISITOR, PHONE, code).phone == PHONE


def test_five_tries_and_five_minutes(context: Flask) -> None:
    factories.make_account(roles.ENTERPRISE, phone=PHONE)
    sign_in.send_login_code(VISITOR, PHONE, solved())
    code = last_code()
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    with time_machine.travel(now() + timedelta(minutes=5, seconds=1)), pytest.raises(InvalidInput):
        sign_in.check_phone_and_code(VISITOR, PHONE, code)
    for _ in range(sms.TRIES):
        with pytest.raises(InvalidInput):
            sign_in.check_phone_and_code(VISITOR, PHONE, wrong)
    with pytest.raises(InvalidInput):
        sign_in.check_phone_and_code(VISITOR, PHONE, code)


def test_a_new_code_voids_the_old_one(context: Flask) -> None:
    factories.make_account(roles.ENTERPRISE, phone=PHONE)
    sign_in.send_login_code(VISITOR, PHONE, solved())
    old = last_code()
    forget_pauses()
    sign_in.send_login_code(VISITOR, PHONE, solved())
    if old != last_code():
        with pytest.raises(InvalidInput):
            sign_in.check_phone_and_code(VISITOR, PHONE, old)
    assert sign_in.check_phone_and_code(VISITOR, PHONE, last_code())


def test_codes_rest_as_digests(context: Flask) -> None:
    ask()
    code = last_code()
    row, message = db.session.scalars(select(SmsCode)).one(), db.session.scalars(select(SmsMessage)).one()
    assert code not in row.digest and len(row.digest) == 64
    assert code not in message.text and message.text.startswith("v1.")
    assert code not in str(db.session.scalars(select(Job.args)).all())


def test_sixteen_at_once_send_one_message(context: Flask) -> None:
    solutions = [solved() for _ in range(16)]
    results = at_once(context, 16, lambda n: registrations.send_registration_code(VISITOR, PHONE, solutions[n]))
    assert sum(result is None for result in results) == 1
    assert sum(isinstance(result, TooMany) for result in results) == 15
    assert count(SmsMessage) == 1


def test_limits_of_a_phone(context: Flask) -> None:
    start = now()
    sent_at = []
    for minutes in range(0, 60 * 26, 10):
        with time_machine.travel(start + timedelta(minutes=minutes)):
            try:
                ask()
                sent_at.append(minutes)
            except TooMany as refused:
                assert refused.retry_after > 0
    for begin in sent_at:
        assert sum(begin <= m < begin + 60 for m in sent_at) <= sms.PER_HOUR
        assert sum(begin <= m < begin + 60 * 24 for m in sent_at) <= sms.PER_DAY
    assert len(sent_at) > sms.PER_DAY


def test_limits_of_an_address_and_of_the_day(context: Flask) -> None:
    for number in range(sms.PER_ADDRESS):
        ask(f"138000000{number:02d}")
    with pytest.raises(TooMany):
        ask("13900000000")
    ask("13900000000", OTHER)
    settings = context.config["SETTINGS"]
    context.config["SETTINGS"] = dataclasses.replace(settings, sms_daily_cap=sms.PER_ADDRESS + 1)
    with pytest.raises(TooMany, match="今天"):
        ask("13900000001", OTHER)


# -- sending ------------------------------------------------------------------------------------------------------


def test_without_a_gateway_the_outbox_keeps_the_text(context: Flask) -> None:
    ask()
    assert run_job()
    message = db.session.scalars(select(SmsMessage)).one()
    assert message.sent_at is not None
    assert "验证码" in last_text()


class Gateway:
    """Remembers what it was given; refuses the first ``refusals`` times."""

    def __init__(self, refusals: int = 0) -> None:
        self.refusals, self.taken = refusals, []

    def send(self, phone: str, text: str, request_id: str) -> None:
        if self.refusals:
            self.refusals -= 1
            raise Unavailable("gone")
        self.taken.append((phone, text, request_id))


def test_a_gateway_gets_each_message_once_and_the_secret_is_forgotten(
    context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = Gateway(refusals=1)
    monkeypatch.setattr(sms, "gateway", lambda: gateway)
    context.config["SETTINGS"] = dataclasses.replace(context.config["SETTINGS"], sms_url="https://sms.example/send")
    ask()
    message = db.session.scalars(select(SmsMessage.id)).one()
    with pytest.raises(Unavailable):
        sms.deliver(message)
    for _ in range(3):
        sms.deliver(message)
    assert [(phone, request) for phone, _text, request in gateway.taken] == [(PHONE, str(message))]
    assert db.session.scalars(select(SmsMessage)).one().text == ""
    assert sms.outbox()[0][1] == ""


def test_a_late_code_is_not_sent(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = Gateway()
    monkeypatch.setattr(sms, "gateway", lambda: gateway)
    ask()
    with time_machine.travel(now() + timedelta(minutes=6)):
        sms.deliver(db.session.scalars(select(SmsMessage.id)).one())
    assert gateway.taken == []
    assert db.session.scalars(select(SmsMessage)).one().error


def test_the_configured_gateway_is_used(context: Flask) -> None:
    assert type(sms.gateway()).__name__ == "OutboxGateway"
    context.config["SETTINGS"] = dataclasses.replace(context.config["SETTINGS"], sms_url="https://sms.example/send")
    assert type(sms.gateway()).__name__ == "HttpGateway"
