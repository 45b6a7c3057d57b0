"""Passwords: what is acceptable, changing them, and setting a new one with a code when the old is forgotten."""

from __future__ import annotations

import secrets

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.adapters.passwords import check_password, hash_password, password_problems, problem_sentence
from app.errors import InvalidInput
from app.models import Account
from app.models.base import now
from app.services import sms
from app.services.challenge import Solution, Visitor
from app.services.identity import account_by_phone, needs_second_factor, profile_of
from app.services.session import revoke_sessions
from app.services.sign_in import count_try, forget_tries, subject_of
from app.services.sms import Letter
from app.services.unit_of_work import unit_of_work
from app.workflow import engine

RECOVER = "recover"
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def password_sentences(password: str, *, username: str, phone: str, user_type: str) -> list[str]:
    """What is wrong with ``password``, in sentences; empty if it is acceptable."""
    profile = profile_of(user_type)
    problems = password_problems(password, username=username, phone=phone, profile=profile)
    return [problem_sentence(key, profile) for key in problems]


def require_acceptable(password: str, *, username: str, phone: str, user_type: str) -> None:
    """InvalidInput (field ``password``) with the first thing that is wrong."""
    sentences = password_sentences(password, username=username, phone=phone, user_type=user_type)
    if sentences:
        raise InvalidInput(sentences[0], fields={"password": sentences[0]})


def random_password(username: str = "") -> str:
    """Twelve characters in three groups: easy to type, good enough for the staff rules."""
    while True:
        groups = ("".join(secrets.choice(ALPHABET) for _place in range(4)) for _group in range(3))
        word = "-".join(groups).capitalize()
        if not password_sentences(word, username=username, phone="", user_type="staff"):
            return word


def store_password(
    session: Session, account: Account, hashed: str, *, keep: str | None = None, forced: bool = False
) -> None:
    """Set the hash and end the account's sessions (but ``keep``). ``forced``: it must be changed at the next sign-in."""
    account.password, account.password_changed_at, account.must_change_password = hashed, now(), forced
    revoke_sessions(session, account.id, keep=keep)


def change_password(user: Account, visitor: Visitor, current: str, new: str) -> None:
    """Change the own password; every other session of the account ends.

    InvalidInput (fields ``current``, ``password``); TooMany after as many wrong tries as at signing in.
    """
    require_acceptable(new, username=user.username, phone=user.phone or "", user_type=user.user_type)
    subject = subject_of(user, user.username)
    row = count_try(subject, visitor)
    matches, _outdated = check_password(user.password, current)
    hashed = hash_password(new) if matches and new != current else None
    with unit_of_work() as session:
        if matches:
            forget_tries(session, subject, row)
        if hashed:
            account = session.get_one(Account, user.id)
            store_password(session, account, hashed, keep=visitor.session_digest)
            _tell(session, account, "修改了密码", visitor)
    if not matches:
        sentence = _("现在的密码不对，请再输一次。忘了的话，退出后用“账号找回”重设。")
        raise InvalidInput(sentence, fields={"current": sentence})
    if not hashed:
        sentence = _("新密码和现在的一样，请换一个。")
        raise InvalidInput(sentence, fields={"password": sentence})


def _tell(session: Session, account: Account, label: str, visitor: Visitor) -> None:
    """Write it down, and let the owner know on the phone: it may not have been them."""
    engine.record(session, None, account, action="password", label=label, subject=f"account:{account.id}",
                  address=visitor.address)  # fmt: skip
    if account.phone:
        text = _("您的账号密码刚刚改过。如果不是您本人操作，请马上用“账号找回”重设密码。")
        sms.put_out(session, account.phone, text, "notice")


def send_recovery_code(visitor: Visitor, phone: str, solution: Solution) -> None:
    """Send a code to set a new password with. The answer is the same for every number. InvalidInput, TooMany."""

    def write(session: Session, code: str) -> Letter:
        account = account_by_phone(phone, session)
        if account is None:
            return Letter(_("这个号码还没有注册，请先注册账号。如果不是您本人操作，请不用理会。"), usable=False)
        if not account.active or needs_second_factor(account):
            return Letter(_("这个号码的账号不能用短信找回，请打平台的咨询电话。"), usable=False)
        return Letter(
            _("您的用户名是 %(name)s。验证码 %(code)s，用于重设密码，5 分钟内有效。请不要告诉别人。",
              name=account.username, code=code)
        )  # fmt: skip

    sms.send_code(visitor, phone, RECOVER, write, solution)


def recover(visitor: Visitor, phone: str, typed: str, new: str) -> Account:
    """Set a new password with the code; all sessions of the account end and nobody is signed in.

    InvalidInput: field ``code`` unless it is right, field ``password`` for one that is not acceptable.
    """
    # Without the account's name as far as it can be checked before the code is.
    require_acceptable(new, username="", phone=phone, user_type="enterprise")
    hashed = hash_password(new)
    problem: InvalidInput | None = sms.wrong_code()
    with unit_of_work() as session:
        row = sms.try_code(session, visitor, phone, RECOVER, typed)
        account = account_by_phone(phone, session) if row is not None else None
        if row is not None and account is not None and account.active:
            problem = _problem_with(new, account)
            if problem is None:
                row.used_at = now()
                store_password(session, account, hashed)
                forget_tries(session, f"account:{account.id}")
                _tell(session, account, "用短信验证码重设了密码", visitor)
    if problem is not None or account is None:
        raise problem or sms.wrong_code()
    return account


def _problem_with(new: str, account: Account) -> InvalidInput | None:
    try:
        require_acceptable(new, username=account.username, phone=account.phone or "", user_type=account.user_type)
    except InvalidInput as problem:
        return problem
    return None
