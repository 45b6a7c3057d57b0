"""Who is meant by what people type to sign in: user name, phone, credit code, or 身份证号."""

from __future__ import annotations

import re
import unicodedata

from flask import current_app
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.adapters.passwords import Profile
from app.extensions import db
from app.models import Account, Enterprise
from app.services.privacy import cipher

PHONE = re.compile(r"1[3-9][0-9]{9}")
CODE = re.compile(r"[0-9A-Z]{18}")


def normal_name(typed: str) -> str:
    """One spelling for one name: half width, without spaces around it."""
    return unicodedata.normalize("NFKC", typed).strip()


def folded_name(typed: str) -> str:
    """A user name as it is compared."""
    return normal_name(typed).lower()


def account_by_phone(phone: str, session: Session | None = None) -> Account | None:
    """The account that proved this number."""
    return (session or db.session()).scalars(select(Account).where(Account.phone == phone)).unique().first()


def account_by_username(typed: str, session: Session | None = None) -> Account | None:
    """The account with this user name, upper or lower case."""
    statement = select(Account).where(func.lower(Account.username) == folded_name(typed))
    return (session or db.session()).scalars(statement).unique().first()


def account_by_name(typed: str) -> Account | None:
    """The account that signs in as ``typed``.

    A credit code means the owner of the certified enterprise, a 身份证号 the individual who entered it. User names
    of these shapes are refused at registration, so nothing means two accounts.
    """
    name = normal_name(typed)
    if PHONE.fullmatch(name):
        return account_by_phone(name)
    code = name.upper()
    if CODE.fullmatch(code):
        owner = select(Account).join(Enterprise, Account.enterprise_id == Enterprise.id).where(
            Enterprise.credit_code == code,
            Enterprise.certification_status == "approved",
            Account.enterprise_role == "owner",
        )  # fmt: skip
        person = select(Account).where(Account.id_number_index == id_index(code))
        for statement in (owner, person):
            found = db.session.scalars(statement).unique().first()
            if found is not None:
                return found
    return account_by_username(name)


def id_index(number: str) -> str:
    """What a 身份证号 is found by."""
    return cipher().blind_index(number)


def profile_of(user_type: str) -> Profile:
    """Which password rules apply."""
    return "gov" if user_type == "staff" else "enterprise"


def needs_second_factor(account: Account) -> bool:
    """Whether a password or a code alone is not enough for ``account``."""
    return account.user_type == "staff" and bool(current_app.config["SETTINGS"].staff_second_factor)
