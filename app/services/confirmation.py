"""Asks for the password once more before a deed that outlives the session."""

from __future__ import annotations

from flask_babel import gettext as _

from app.adapters.passwords import check_password
from app.errors import InvalidInput
from app.models import Account
from app.services.challenge import Visitor
from app.services.sign_in import count_try, forget_tries, subject_of
from app.services.unit_of_work import unit_of_work


def confirm_password(user: Account, visitor: Visitor, typed: str) -> None:
    """Go on only if ``typed`` is the password of ``user``.

    InvalidInput (field ``password``); TooMany after as many wrong tries as at signing in.
    """
    subject = subject_of(user, user.username)
    row = count_try(subject, visitor)
    matches, _outdated = check_password(user.password, typed)
    if not matches:
        sentence = _("密码不对，请再输一次您登录用的密码。")
        raise InvalidInput(sentence, fields={"password": sentence})
    with unit_of_work() as session:
        forget_tries(session, subject, row)
