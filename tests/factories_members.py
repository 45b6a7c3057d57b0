"""Colleagues: members of an enterprise as they come by an invitation."""

from __future__ import annotations

import re

from sqlalchemy import select

from app.extensions import db
from app.models import Account, Declaration, Invitation, SmsMessage
from app.permissions import roles
from app.services import invitation as invitations
from app.services.invitation import Wanted
from app.services.sms import read_text
from tests.factories import make_account


def person(name: str = "李工", **facts: object) -> Account:
    """Somebody with an account of their own and no enterprise."""
    return make_account(roles.INDIVIDUAL, display_name=name, **facts)


def invited(owner: Account, phone: str, right: str = "fill", declaration: Declaration | None = None) -> Invitation:
    """The newest invitation to ``phone``, sent by ``owner`` just now."""
    invitations.invite(owner, Wanted(phone, right, declaration.public_id if declaration else None))
    db.session.rollback()
    statement = select(Invitation).where(Invitation.phone == phone).order_by(Invitation.id.desc())
    found = db.session.scalars(statement).unique().first()
    assert found is not None
    return found


def colleague(
    owner: Account, right: str = "fill", declaration: Declaration | None = None, name: str = "李工"
) -> Account:
    """A person who was invited by ``owner`` and accepted."""
    who = person(name)
    key = who.id
    invitation = invited(owner, who.phone or "", right, declaration)
    invitations.accept(db.session.get_one(Account, key), invitation.public_id)
    db.session.rollback()
    return db.session.get_one(Account, key)


def last_letter(phone: str) -> str:
    """The newest message that was sent to ``phone``."""
    db.session.rollback()
    statement = select(SmsMessage).where(SmsMessage.phone == phone).order_by(SmsMessage.id.desc())
    message = db.session.scalars(statement).first()
    return read_text(message) if message else ""


def token_in(letter: str) -> str:
    """The token of the link in a message."""
    found = re.search(r"/invitations/token/([A-Za-z0-9_-]+)", letter)
    assert found, letter
    return found[1]
