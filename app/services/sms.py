"""Short messages: codes that prove a phone number, and news. Written to the outbox first, sent by a job after commit.

A code is bound to its phone, purpose and session, lives five minutes, takes five tries and opens one thing once.
Whether a number has an account shows nowhere but in the message that its owner receives.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.adapters.sms import HttpGateway, OutboxGateway, SmsGateway
from app.errors import InvalidInput, TooMany, Unavailable
from app.extensions import db
from app.models import SmsCode, SmsMessage
from app.models.base import now
from app.services.challenge import Solution, Visitor, use_up
from app.services.job import enqueue
from app.services.privacy import cipher
from app.services.throttle import Limit, hit, lock, seconds_to_wait
from app.services.unit_of_work import unit_of_work
from config import Settings

SEND = "sms"
"""Kind of the job that sends one message."""
LIFE = timedelta(minutes=5)
TRIES = 5
PAUSE = timedelta(seconds=60)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PER_HOUR, PER_DAY, PER_ADDRESS = 5, 10, 20
_CONTEXT = "sms"
_BY_PHONE, _BY_ADDRESS, BY_ALL = "sms-phone", "sms-address", "sms-all"


@dataclass(frozen=True)
class Letter:
    """What the owner of a number is told: ``text`` with the code, or, if ``usable`` is false, why there is none."""

    text: str
    usable: bool = True


Write = Callable[[Session, str], Letter]
"""``write(session, code)`` gives the message for the code."""


def send_code(visitor: Visitor, phone: str, purpose: str, write: Write, solution: Solution | None) -> None:
    """Send a new code for ``purpose`` to ``phone`` and void the ones before.

    An unusable letter leaves a code that nobody knows, so that what follows looks the same for every number.
    ``solution`` None: the visitor has proven more than a challenge could.
    Raises InvalidInput (field ``answer``) for an unsolved challenge and TooMany beyond the limits.
    """
    wait = 0
    with unit_of_work() as session:
        lock(session, BY_ALL)
        passed = solution is None or use_up(session, visitor, solution)
        if passed:
            wait = _seconds_to_wait(session, visitor, phone)
        if passed and not wait:
            _issue(session, visitor, phone, purpose, write)
    if not passed:
        sentence = _("拼图没有对上，或放得太久。已换一张，请再试一次。")
        raise InvalidInput(sentence, fields={"answer": sentence})
    if wait:
        raise TooMany(_wait_sentence(wait), retry_after=wait)


def _wait_sentence(seconds: int) -> str:
    if seconds <= 90:
        return _("验证码发得太频繁，请 %(n)s 秒后再获取。", n=seconds)
    if seconds <= 3600:
        return _("验证码获取次数太多，请 %(n)s 分钟后再试，或先用密码登录。", n=-(-seconds // 60))
    return _("今天获取验证码的次数已用完，请明天再试，或先用密码登录。")


def _seconds_to_wait(session: Session, visitor: Visitor, phone: str) -> int:
    settings: Settings = current_app.config["SETTINGS"]
    return seconds_to_wait(
        session,
        Limit(_BY_PHONE, phone, 1, PAUSE),
        Limit(_BY_PHONE, phone, PER_HOUR, HOUR),
        Limit(_BY_PHONE, phone, PER_DAY, DAY),
        Limit(_BY_ADDRESS, visitor.network, PER_ADDRESS, HOUR),
        Limit(BY_ALL, "all", settings.sms_daily_cap, DAY),
    )


def _issue(session: Session, visitor: Visitor, phone: str, purpose: str, write: Write) -> None:
    at = now()
    for kind, subject in ((_BY_PHONE, phone), (_BY_ADDRESS, visitor.network), (BY_ALL, "all")):
        hit(session, kind, subject)
    session.execute(
        update(SmsCode)
        .where(SmsCode.phone == phone, SmsCode.purpose == purpose, SmsCode.used_at.is_(None))
        .values(used_at=at)
    )
    code = f"{secrets.randbelow(1_000_000):06d}"
    letter = write(session, code)
    digest = _digest(visitor, phone, purpose, code if letter.usable else secrets.token_hex(16))
    session.add(
        SmsCode(
            phone=phone,
            purpose=purpose,
            session_digest=visitor.session_digest,
            digest=digest,
            created_at=at,
            expires_at=at + LIFE,
        )
    )
    put_out(session, phone, letter.text, purpose, sensitive=True)


def _digest(visitor: Visitor, phone: str, purpose: str, code: str) -> str:
    return cipher().keyed_digest("\n".join((purpose, phone, visitor.session_digest, code)))


def _newest(session: Session, visitor: Visitor, phone: str, purpose: str, *, locked: bool) -> SmsCode | None:
    statement = (
        select(SmsCode)
        .where(
            SmsCode.phone == phone,
            SmsCode.purpose == purpose,
            SmsCode.session_digest == visitor.session_digest,
            SmsCode.used_at.is_(None),
            SmsCode.expires_at > now(),
            SmsCode.tries < TRIES,
        )
        .order_by(SmsCode.id.desc())
        .limit(1)
    )
    return session.scalars(statement.with_for_update() if locked else statement).first()


def sent_at(visitor: Visitor, phone: str, purpose: str) -> datetime | None:
    """When the code was sent that this visitor can still type in; None if there is none."""
    row = _newest(db.session(), visitor, phone, purpose, locked=False)
    return row.created_at if row else None


def try_code(session: Session, visitor: Visitor, phone: str, purpose: str, typed: str) -> SmsCode | None:
    """The code's row if ``typed`` is right; each call costs one try, so the caller commits in any case.

    Who then goes through with it sets ``used_at``; the row is locked until the transaction ends.
    """
    # A phone that was asked for in two sessions at once has two rows; the lock keeps their tries apart.
    lock(session, f"code:{phone}")
    row = _newest(session, visitor, phone, purpose, locked=True)
    if row is None:
        return None
    row.tries += 1
    digits = "".join(unicodedata.normalize("NFKC", typed).split())
    if not re.fullmatch(r"[0-9]{6}", digits):
        return None
    right = secrets.compare_digest(row.digest, _digest(visitor, phone, purpose, digits))
    return row if right else None


def wrong_code() -> InvalidInput:
    """The one answer to a code that does not fit, whatever the reason."""
    sentence = _("验证码不对或已过期。请核对短信里的 6 位数字，或重新获取。")
    return InvalidInput(sentence, fields={"code": sentence})


def put_out(session: Session, phone: str, text: str, purpose: str, *, sensitive: bool = False) -> None:
    """Want ``text`` sent to ``phone`` once the caller's transaction is durable. Sensitive text is stored encrypted."""
    row = SmsMessage(
        phone=phone,
        text=cipher().encrypt(text, _CONTEXT) if sensitive else text,
        purpose=purpose,
        sensitive=sensitive,
        created_at=now(),
    )
    session.add(row)
    session.flush()
    enqueue(session, SEND, {"message": row.id})


def read_text(message: SmsMessage) -> str:
    """The message as its receiver reads it; empty once a sensitive one has been handed to a gateway."""
    return cipher().decrypt(message.text, _CONTEXT) if message.sensitive and message.text else message.text


def gateway() -> SmsGateway:
    """The configured gateway; without one, messages stay in the outbox for ``flask sms outbox``."""
    settings: Settings = current_app.config["SETTINGS"]
    if settings.sms_url:
        return HttpGateway(settings.sms_url, settings.sms_key, settings.sms_secret, sign_name="申报")
    return OutboxGateway(lambda phone, text, request_id: None)


def deliver(message_id: int) -> None:
    """Hand one message to the gateway, once. A code that came too late is not sent. Unavailable: try again later."""
    message = db.session.get(SmsMessage, message_id)
    if message is None or message.sent_at is not None:
        return
    if message.sensitive and now() - message.created_at > LIFE:
        _note(message_id, error="too late to be of use")
        return
    try:
        # The same request id in every try: a gateway that took the message already does not send it twice.
        gateway().send(message.phone, read_text(message), str(message.id))
    except Unavailable:
        _note(message_id, error="the gateway did not take it")
        raise
    _note(message_id, error=None)


def _note(message_id: int, error: str | None) -> None:
    """Keep what became of a message, and forget its text if it is a secret that now lies elsewhere."""
    settings: Settings = current_app.config["SETTINGS"]
    with unit_of_work() as session:
        row = session.get_one(SmsMessage, message_id)
        row.error = error
        if error is None:
            row.sent_at = now()
            if row.sensitive and settings.sms_url:
                row.text = ""


def outbox(limit: int = 10, phone: str | None = None) -> list[tuple[SmsMessage, str]]:
    """The newest messages with their texts, newest first: for operators of an installation without a gateway."""
    statement = select(SmsMessage).order_by(SmsMessage.id.desc()).limit(limit)
    if phone:
        statement = statement.where(SmsMessage.phone == phone)
    return [(m, read_text(m)) for m in db.session.scalars(statement)]
