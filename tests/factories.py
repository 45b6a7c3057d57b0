"""Makers of records for tests, through the real services wherever a person would use them.

Call them inside an application context (fixture ``context``). They return objects of ``db.session``.
"""

from __future__ import annotations

import hashlib
import itertools
import random
from datetime import timedelta
from functools import cache
from typing import Any

from flask.testing import FlaskClient
from flask_appbuilder.security.sqla.models import Role
from sqlalchemy import select
from stdnum.cn import uscc

from app.adapters.passwords import hash_password
from app.definitions import registry
from app.extensions import db
from app.models import Account, Attachment, Batch, Blob, Declaration, Enterprise, LoginSession
from app.models.base import new_public_id, now
from app.permissions import roles
from app.services.declaration import Deeds, act, load, start_declaration
from app.services.opened import Opened
from app.services.unit_of_work import unit_of_work
from app.views.session import _serializer, digest_of

PASSWORD = "Ceshi-2026-mima"
INTAKE, CERTIFICATION = "hrb_cultivation_intake", "enterprise_certification"
REGIONS = {
    roles.DISTRICT: "230108", roles.CITY: "230100", roles.PROVINCE: "230000", roles.MINISTRY: "000000",
    roles.FINANCE: "230100", roles.ADMIN: "230100",
}  # fmt: skip
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n" \
      b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\nxref\n0 4\n0000000000 65535 f \n0000000009 00000 n \n" \
      b"0000000052 00000 n \n0000000101 00000 n \ntrailer<</Size 4/Root 1 0 R>>\nstartxref\n167\n%%EOF\n"  # fmt: skip

_numbers = itertools.count(1)


@cache
def _password_hash() -> str:
    return hash_password(PASSWORD)


def credit_code(number: int) -> str:
    """A valid 统一社会信用代码 that only ``number`` has."""
    body = f"91230108MA1{number:06d}"
    return body + uscc.calc_check_digit(body)


def store(record: Any) -> Any:
    """Commit ``record`` and give it back as an object of ``db.session``."""
    with unit_of_work() as session:
        session.add(record)
        session.flush()
        key = record.id
    return db.session.get(type(record), key)


def make_enterprise(*, certified: bool = True, region: str = "230108", **facts: Any) -> Enterprise:
    """An enterprise; ``certified`` with a full profile."""
    number = next(_numbers)
    profile: dict[str, Any] = {}
    if certified:
        profile = {
            "name": f"哈尔滨北辰精密轴承第{number}有限公司",
            "credit_code": credit_code(number),
            "certification_status": "approved",
            "certified_at": now(),
            "region_code": region,
            "registered_address": "黑龙江省哈尔滨市平房区哈南第八大道17号",
            "industry_code": "34",
            "nature": "private",
            "employees": 186,
            "legal_representative": "王建国",
            "contact_name": "王敏",
            "contact_phone": "13904512187",
            "company_profile": "公司成立于2009年，主要产品为角接触球轴承和数控机床主轴单元，产品用于航空、风电等领域。",
        }
    return store(Enterprise(created_at=now(), **(profile | facts)))


def make_account(
    role: str, *, enterprise: Enterprise | None = None, region: str | None = None, **facts: Any
) -> Account:
    """An account with ``role``; enterprise accounts own ``enterprise`` (a certified one if none is given).

    The password is ``PASSWORD``. Staff belong to 市工信局 (230100) or 平房区 (230108) unless ``region`` says otherwise.
    """
    number = next(_numbers)
    user_type = role if role in (roles.ENTERPRISE, roles.INDIVIDUAL) else "staff"
    if role == roles.ENTERPRISE:
        owned = enterprise or make_enterprise()
        facts = {"enterprise_id": owned.id, "enterprise_role": "owner"} | facts
        if facts["enterprise_role"] == "member":
            facts = {"member_rights": {"*": "submit"}} | facts
    with unit_of_work() as session:
        account = Account(
            **{
                "username": f"{role}{number}",
                "first_name": roles.LABELS[role],
                "last_name": str(number),
                "email": f"{role}{number}@test.invalid",
                "display_name": f"{roles.LABELS[role]}{number}号",
                "phone": f"139{number:08d}",
                "password": _password_hash(),
                "active": True,
                "user_type": user_type,
                "region_code": region or REGIONS.get(role),
                "password_changed_at": now(),
                "agreed_at": now(),
            }
            | facts
        )
        account.roles = list(session.scalars(select(Role).where(Role.name == role)))
        assert account.roles, f"no role {role}"
        session.add(account)
        session.flush()
        key = account.id
    return db.session.get_one(Account, key)


def login(client: FlaskClient, account: Account) -> FlaskClient:
    """Sign ``account`` in on ``client`` without the sign-in page; returns the client."""
    token = new_public_id()
    data = {"_user_id": str(account.id), "_fresh": True}
    row = LoginSession(
        digest=digest_of(token),
        account_id=account.id,
        data=_serializer.dumps(data),
        created_at=now(),
        last_seen_at=now(),
        address="127.0.0.1",
        agent="test",
    )
    store(row)
    client.set_cookie(client.application.config["SESSION_COOKIE_NAME"], token)
    return client


def make_batch(programme_key: str = INTAKE, *, opens: int = -10, closes: int = 40, **facts: Any) -> Batch:
    """A published batch whose window runs from ``opens`` to ``closes`` days from now."""
    number = next(_numbers)
    values = {
        "programme_key": programme_key,
        "title": f"测试批次{number}",
        "year": now().year,
        "region_code": "230100",
        "opens_at": now() + timedelta(days=opens),
        "closes_at": now() + timedelta(days=closes),
        "published": True,
        "parameters": {"correction_days": 10},
        "created_at": now(),
    }
    return store(Batch(**(values | facts)))


def standing_batch(programme_key: str = CERTIFICATION) -> Batch:
    """The batch of a kind that is open at all times."""
    return db.session.scalars(select(Batch).where(Batch.programme_key == programme_key)).first()


def attach(declaration: Declaration, key: str, name: str = "附件.pdf", content: bytes = PDF) -> Attachment:
    """A file under the attachment ``key``, as rows (its bytes are in no store)."""
    digest = hashlib.sha256(content).hexdigest()
    with unit_of_work() as session:
        if session.get(Blob, digest) is None:
            session.add(Blob(sha256=digest, size=len(content), created_at=now()))
    return store(
        Attachment(
            declaration_id=declaration.id,
            key=key,
            sha256=digest,
            filename=name,
            content_type="application/pdf",
            size=len(content),
            pages=1,
            uploaded_by=declaration.created_by,
            created_at=now(),
        )
    )


def find(public_id: str) -> Declaration:
    """The declaration with this public id, as it is stored now."""
    db.session.rollback()
    return db.session.scalars(select(Declaration).where(Declaration.public_id == public_id)).unique().one()


def filled_draft(user: Account, batch: Batch, *, seed: int = 1) -> Declaration:
    """A draft with valid answers everywhere and a file for each attachment that submission asks for."""
    from app.services.samples import fill_declaration

    public_id = start_declaration(user, batch.public_id)
    fill_declaration(user, public_id, random.Random(seed))
    declaration = find(public_id)
    for attachment in registry.catalogue().get(declaration.programme_key).attachments:
        if attachment.stage == "submit" and attachment.required:
            attach(declaration, attachment.key, f"{attachment.key}.pdf")
    return find(public_id)


def checks_of(declaration: Declaration) -> list[str]:
    """Keys of all points of the checklist at the present step: whoever reviewed it has ticked them."""
    route = declaration.programme.definition.route
    return [c.key for s in route if s.key == declaration.step_key for c in s.checklist]


def perform(user: Account, declaration: Declaration, action: str, opinion: str = "", **payload: Any) -> Declaration:
    """Do ``action`` as ``user`` on the declaration as it is now."""
    current = find(declaration.public_id)
    payload = {"checks": checks_of(current)} | payload
    deeds = Deeds(version=current.version, opinion=opinion, statement=True, payload=payload)
    act(user, declaration.public_id, action, deeds)
    return find(declaration.public_id)


def load_as(user: Account, declaration: Declaration) -> Opened:
    """The declaration as ``user`` sees it."""
    db.session.rollback()
    return load(declaration.public_id, user)


def submitted(user: Account | None = None, batch: Batch | None = None, *, seed: int = 1) -> Declaration:
    """A submitted declaration, of a new enterprise in a new batch unless given."""
    owner = user or make_account(roles.ENTERPRISE)
    return perform(owner, filled_draft(owner, batch or make_batch(), seed=seed), "submit")
