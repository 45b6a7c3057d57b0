"""What the public and the workbench read: notices, published lists, messages, printed codes."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from app.models import (
    Account,
    Batch,
    Declaration,
    Enterprise,
    Message,
    Notice,
    PrintRecord,
    Programme,
    PublicList,
    PublicListEntry,
    Recognition,
    Revision,
)
from app.models.base import now
from app.services.unit_of_work import unit_of_work
from tests.factories import INTAKE, credit_code, store

SECRET_CONTACT = "13904519999"


def make_notice(title: str = "关于开展培育入库申报的通知", **facts: Any) -> Notice:
    """A notice on the portal."""
    values = {
        "title": title,
        "level": "city",
        "authority": "哈尔滨市工业和信息化局",
        "content": "第一段。\n\n第二段。",
        "published_at": now(),
    }
    return store(Notice(**(values | facts)))


def make_message(
    account: Account, title: str = "企业认证已通过", kind: str = "recognition_notice", **facts: Any
) -> Message:
    """A message to ``account``, unread unless said otherwise."""
    values = {"account_id": account.id, "title": title, "kind": kind, "body": "第一段。\n第二段。", "sent_at": now()}
    return store(Message(**(values | facts)))


def make_declaration(enterprise: Enterprise, batch: Batch, **facts: Any) -> Declaration:
    """A bare declaration in any state, without answers: for lists that only read its row."""
    with unit_of_work() as session:
        programme = session.scalars(
            select(Programme).where(Programme.key == batch.programme_key, Programme.current)
        ).one()
    values = {
        "programme_key": batch.programme_key, "programme_id": programme.id, "batch_id": batch.id,
        "enterprise_id": enterprise.id, "enterprise_name": enterprise.name, "region_code": enterprise.region_code,
        "created_at": now(), "saved_at": now(), "status": "draft", "holder_role": "enterprise",
    }  # fmt: skip
    return store(Declaration(**(values | facts)))


def make_public_list(batch: Batch, count: int = 3, *, title: str = "首批培育入库企业名单") -> PublicList:
    """A published list of ``count`` approved enterprises with their recognitions."""
    listed = store(
        PublicList(
            batch_id=batch.id,
            title=title,
            authority="哈尔滨市工业和信息化局",
            published_at=now(),
            published_by=1,
            body="现予公布。",
        )
    )
    for number in range(1, count + 1):
        company = store(
            Enterprise(
                name=f"哈尔滨冰晶装备{number}号有限公司", credit_code=credit_code(700_000 + listed.id * 1000 + number),
                certification_status="approved", region_code="230102", contact_name="保密人", contact_phone=SECRET_CONTACT,
                created_at=now(),
            )
        )  # fmt: skip
        declaration = make_declaration(
            company,
            batch,
            status="approved",
            serial_no=f"2026-PY-{listed.id}{number:04}",
            submitted_at=now(),
            holder_role=None,
        )
        store(
            PublicListEntry(
                list_id=listed.id, declaration_id=declaration.id, position=number, enterprise_name=company.name,
                credit_code=company.credit_code, region_name="道里区", industry_name="专用设备制造业",
            )
        )  # fmt: skip
        make_recognition(company, declaration)
    return listed


def make_recognition(enterprise: Enterprise, declaration: Declaration, **facts: Any) -> Recognition:
    """What an approval gave."""
    values = {
        "enterprise_id": enterprise.id, "declaration_id": declaration.id, "programme_key": INTAKE, "title": "培育入库企业",
        "valid_from": date(2026, 6, 30), "created_at": now(),
    }  # fmt: skip
    return store(Recognition(**(values | facts)))


def make_printed(
    declaration: Declaration, code: str, revision: int = 1, *, newest: int = 1, at: datetime | None = None
) -> PrintRecord:
    """A paper printed of ``revision`` when ``newest`` revisions exist."""
    for number in range(1, newest + 1):
        store(
            Revision(
                declaration_id=declaration.id, number=number, programme_id=declaration.programme_id, content="{}",
                digest=f"{number:064d}", created_at=now() - timedelta(days=1),
            )
        )  # fmt: skip
    return store(
        PrintRecord(
            code=code, declaration_id=declaration.id, revision_no=revision, document="application_form", digest="ab12cd34" * 8,
            created_at=at or now(),
        )
    )  # fmt: skip
