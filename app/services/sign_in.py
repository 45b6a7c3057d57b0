"""Signing in by password or SMS code. Nothing here tells whether a name exists: same work, same answer, same limits.

Five wrong passwords lock the password path of one name for fifteen minutes, thirty lock an address; the way by SMS
stays open, so nobody can keep somebody else out. Tries are counted before the password is looked at.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from sqlalchemy import delete
from sqlalchemy.orm import Session

from app.adapters.passwords import check_password, hash_password
from app.errors import InvalidInput, TooMany
from app.extensions import db
from app.models import Account, Throttle
from app.models.base import now
from app.services import sms
from app.services.challenge import Solution, Visitor
from app.services.identity import account_by_name, account_by_phone, folded_name, needs_second_factor
from app.services.privacy import cipher
from app.services.sms import Letter
from app.services.throttle import Limit, hit, lock, seconds_to_wait
from app.services.unit_of_work import unit_of_work
from app.workflow import engine

WINDOW = timedelta(minutes=15)
PER_NAME, PER_ADDRESS = 5, 30
LOGIN, SECOND = "login", "second"
_TRY, _LOCK, _BY_ADDRESS = "login-try", "login-lock", "login-address"


def subject_of(account: Account | None, name: str) -> str:
    """What tries are counted for; a name without account is counted like any other, and not kept readable."""
    return f"account:{account.id}" if account else f"name:{cipher().blind_index(folded_name(name))[:40]}"


def count_try(subject: str, visitor: Visitor) -> int:
    """Count a try before it is made; returns the id of the address's row. TooMany while locked."""
    with unit_of_work() as session:
        lock(session, f"login:{subject}", f"login:{visitor.network}")
        wait = seconds_to_wait(
            session,
            Limit(_LOCK, subject, 1, WINDOW),
            Limit(_BY_ADDRESS, visitor.network, PER_ADDRESS, WINDOW),
        )
        if not wait:
            fifth = seconds_to_wait(session, Limit(_TRY, subject, PER_NAME - 1, WINDOW))
            hit(session, _TRY, subject)
            row = hit(session, _BY_ADDRESS, visitor.network)
            if fifth:
                hit(session, _LOCK, subject)
    if wait:
        raise TooMany(
            _("密码错的次数太多，密码登录暂停 %(n)s 分钟。期间可以用短信登录，或稍后再试。", n=-(-wait // 60)),
            retry_after=wait,
        )
    return row.id


def forget_tries(session: Session, subject: str, address_row: int | None = None) -> None:
    """The right password (or code) was given: what was counted for the name no longer counts."""
    session.execute(delete(Throttle).where(Throttle.kind.in_((_TRY, _LOCK)), Throttle.subject == subject))
    if address_row is not None:
        session.execute(delete(Throttle).where(Throttle.id == address_row))


def check_name_and_password(visitor: Visitor, name: str, password: str) -> Account:
    """The account, if the password is right; the visitor is not signed in by this. InvalidInput, TooMany."""
    account = account_by_name(name)
    subject = subject_of(account, name)
    row = count_try(subject, visitor)
    stored = account.password if account is not None and account.active else None
    matches, outdated = check_password(stored, password)
    if account is None or not matches:
        with unit_of_work() as session:
            engine.record(session, None, None, action="login_failed", label="密码不对，没有登录", subject=subject,
                          address=visitor.address)  # fmt: skip
        raise InvalidInput(_("请再试一次。15 分钟内错满 5 次要等 15 分钟，期间可以用短信登录。"))
    renewed = hash_password(password) if outdated else None
    with unit_of_work() as session:
        forget_tries(session, subject, row)
        if renewed:
            session.get_one(Account, account.id).password = renewed
    return account


def send_login_code(visitor: Visitor, phone: str, solution: Solution) -> None:
    """Send a code to sign in with. The answer is the same for every number. InvalidInput, TooMany."""
    sms.send_code(visitor, phone, LOGIN, _login_letter(phone), solution)


def _login_letter(phone: str) -> sms.Write:
    def write(session: Session, code: str) -> Letter:
        account = account_by_phone(phone, session)
        if account is None:
            return Letter(_("这个号码还没有注册，请先注册账号。如果不是您本人操作，请不用理会。"), usable=False)
        if not account.active:
            return Letter(_("这个号码的账号已停用，请打平台的咨询电话。如果不是您本人操作，请不用理会。"), usable=False)
        if needs_second_factor(account):
            return Letter(_("工作人员请先用密码登录，再用短信验证码核验。"), usable=False)
        return Letter(_("验证码 %(code)s，用于登录，5 分钟内有效。请不要告诉别人。", code=code))

    return write


def check_phone_and_code(visitor: Visitor, phone: str, typed: str) -> Account:
    """The account, if the code is right. InvalidInput (field ``code``)."""
    with unit_of_work() as session:
        row = sms.try_code(session, visitor, phone, LOGIN, typed)
        account = account_by_phone(phone, session) if row is not None else None
        if row is not None and account is not None and account.active:
            row.used_at = now()
            forget_tries(session, f"account:{account.id}")
        else:
            account = None
            engine.record(session, None, None, action="login_failed", label="验证码不对，没有登录",
                          subject=f"phone:{cipher().blind_index(phone)[:40]}", address=visitor.address)  # fmt: skip
    if account is None:
        raise sms.wrong_code()
    return account


def send_second_code(visitor: Visitor, account: Account) -> None:
    """Send the code that staff need besides the password. InvalidInput without a number, TooMany."""
    if not account.phone:
        raise InvalidInput(_("这个账号还没有登记手机号，不能做短信核验。请联系平台管理员登记手机号后再登录。"))

    def write(_session: Session, code: str) -> Letter:
        return Letter(_("验证码 %(code)s，用于工作人员登录核验，5 分钟内有效。请不要告诉别人。", code=code))

    sms.send_code(visitor, account.phone, SECOND, write, None)


def check_second_code(visitor: Visitor, account: Account, typed: str) -> None:
    """InvalidInput (field ``code``) unless ``typed`` is the code that was sent."""
    with unit_of_work() as session:
        row = sms.try_code(session, visitor, account.phone or "", SECOND, typed)
        if row is not None:
            row.used_at = now()
    if row is None:
        raise sms.wrong_code()


def note_sign_in(account: Account, visitor: Visitor, way: str) -> Account:
    """Write down that ``account`` signed in (``way``: password, sms, register); returns it as it is now."""
    with unit_of_work() as session:
        current = session.get_one(Account, account.id)
        # Flask-AppBuilder's columns hold naive local time.
        current.last_login = datetime.now(ZoneInfo("Asia/Shanghai")).replace(tzinfo=None)
        current.login_count = (current.login_count or 0) + 1
        engine.record(session, None, current, action="login", label="登录", subject=f"account:{current.id}",
                      data={"way": way}, address=visitor.address)  # fmt: skip
    db.session.rollback()
    return db.session.get_one(Account, account.id)


def note_sign_out(account: Account, address: str | None) -> None:
    """Write down that ``account`` signed out."""
    with unit_of_work() as session:
        current = session.get_one(Account, account.id)
        engine.record(session, None, current, action="logout", label="退出", subject=f"account:{current.id}",
                      address=address)  # fmt: skip
