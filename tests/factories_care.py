"""Drafts that officials begin for enterprises, and doors that an administrator gave."""

from __future__ import annotations

import random
from typing import Any

from flask_appbuilder.security.sqla.models import Role
from sqlalchemy import select

from app.extensions import db
from app.models import Account, Declaration, Enterprise
from app.services.on_behalf import start_on_behalf
from app.services.permission import Door, _Doors, _key_of
from app.services.samples import fill_declaration
from app.services.unit_of_work import unit_of_work
from tests.factories import INTAKE, attach, find, make_batch

BASIS = "企业 5 月 1 日交来签字盖章的申报表。"


def begin(user: Account, owner: Account, batch: Any = None, **more: str) -> Declaration:
    """A draft that ``user`` begins for the enterprise of ``owner``."""
    firm = db.session.get_one(Enterprise, owner.enterprise_id)
    typed = {"enterprise": firm.credit_code or "", "basis": BASIS} | more
    batch_id = (batch or make_batch()).public_id
    return find(start_on_behalf(user, INTAKE, typed["enterprise"], batch_id, typed["basis"]))


def fill(user: Account, draft: Declaration) -> None:
    """Valid answers and files, put in by ``user``."""
    fill_declaration(user, draft.public_id, random.Random(1))
    for attachment in find(draft.public_id).programme.definition.attachments:
        if attachment.stage == "submit" and attachment.required:
            attach(find(draft.public_id), attachment.key)


def give(role: str, door: Door) -> None:
    """Add a door to a role, as an administrator would."""
    with unit_of_work() as session:
        row = session.scalars(select(Role).where(Role.name == role)).one()
        row.permissions = [*row.permissions, _Doors(session).at(_key_of(door))]


def take(role: str, door: Door) -> None:
    """Take a door from a role, past the page that would not."""
    with unit_of_work() as session:
        row = session.scalars(select(Role).where(Role.name == role)).one()
        permission, grid = _key_of(door)
        row.permissions = [p for p in row.permissions if (p.permission.name, p.view_menu.name) != (permission, grid)]
