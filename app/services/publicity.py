"""公示: objections against what is publicised, and the end of the period.

A declaration enters by ``publication.publish_list`` with a period. While an objection is open people call the place
异议处理 (``workflow.route.place_label``); ``conclude`` and ``conclude_list`` end it once the period is over.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, BinaryIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import DomainError, InvalidInput, NotFound, Refused
from app.extensions import db
from app.fields.base import clean_text
from app.models import Account, Batch, Declaration, Objection, PublicList, PublicListEntry
from app.models.base import new_public_id, now
from app.permissions import roles, rules
from app.services import publication
from app.services.batch import visible
from app.services.declaration import Deeds, act, act_within
from app.services.office_file import Kept, claim, open_kept
from app.services.reference import holidays
from app.services.unit_of_work import unit_of_work
from app.workflow import engine
from app.workflow.calendar import end_of, local_date
from app.workflow.steps import FINAL

OBJECTION_DAYS = 10
"""Working days in which an objection is to be decided, where the batch has no parameter ``objection_days``."""
MAX_NAME, MAX_CONTACT, MAX_UNIT, MAX_CONTENT = 60, 100, 100, 3000
_ANONYMOUS = ("匿名", "无名", "不详", "群众", "知情人", "anonymous")
_NAME = re.compile(r"[\u3400-\u9fff·]{2,60}|[\u3400-\u9fff（）()A-Za-z0-9·]{4,60}|[A-Za-z][A-Za-z .·'\-]{2,59}")
_CONTACT = re.compile(r"\d[\d \-]{5,}\d|[^@\s]+@[^@\s]+\.[^@\s]+")


@dataclass(frozen=True)
class Stated:
    """An objection as it was received: in somebody's real name, with a way to reach them."""

    objector: str
    contact: str
    unit: str
    content: str
    received_on: date
    evidence: Kept | None = None


@dataclass(frozen=True)
class Announcement:
    """Texts of the final list that follows a 公示."""

    title: str
    body: str
    authority: str


@dataclass(frozen=True)
class Row:
    """What became of one declaration of a list. ``reason`` is empty when it was done."""

    public_id: str
    enterprise_name: str
    serial_no: str
    done: bool
    reason: str = ""


@dataclass(frozen=True)
class Concluded:
    """The rows of a list, in its order, and the public id of the final list if one was published."""

    rows: list[Row]
    list_id: str | None = None

    @property
    def done(self) -> int:
        """How many went on."""
        return sum(row.done for row in self.rows)


# -- objections -----------------------------------------------------------------------------------------------------


def check_objection(stated: Stated) -> dict[str, Any]:
    """The columns of an objection, cleaned. InvalidInput by field: objector, contact, unit, content, received_on.

    Nobody objects anonymously: there must be a name of a person or an organisation, and a phone number or an address.
    """
    texts = {
        "objector": clean_text(stated.objector),
        "contact": clean_text(stated.contact),
        "unit": clean_text(stated.unit),
        "content": clean_text(stated.content, multiline=True),
    }
    errors = {name: sentence for name, sentence in _faults(texts, stated.received_on) if sentence}
    if errors:
        raise InvalidInput("".join(errors.values()), fields=errors)
    evidence = stated.evidence
    return {
        **texts,
        "received_on": stated.received_on,
        "evidence_sha256": evidence.sha256 if evidence else None,
        "evidence_name": evidence.name if evidence else None,
    }


def _faults(texts: Mapping[str, str], received_on: date) -> list[tuple[str, str]]:
    return [
        ("objector", "" if _is_real_name(texts["objector"]) else "异议要实名提出。请填异议人的真实姓名或单位全称。"),
        ("contact", "" if _is_contact(texts["contact"]) else "请填异议人的电话或邮箱，核查时要联系。"),
        ("unit", "" if 0 < len(texts["unit"]) <= MAX_UNIT else f"请填被异议单位，最多 {MAX_UNIT} 个字。"),
        ("content", "" if 0 < len(texts["content"]) <= MAX_CONTENT else f"请写异议内容，最多 {MAX_CONTENT} 个字。"),
        ("received_on", "受理日期不能晚于今天。" if received_on > local_date(now()) else ""),
    ]


def _is_real_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None and not any(word in name.lower() for word in _ANONYMOUS)


def _is_contact(text: str) -> bool:
    return len(text) <= MAX_CONTACT and _CONTACT.search(text) is not None


def register_objection(
    user: Account, public_id: str, stated: Stated, *, version: int, key: str | None = None, address: str | None = None
) -> str:
    """收到异议: register it (deed ``object``) and return its public id. The office of the publicity step only.

    InvalidInput names the field that is wrong, or says that it came outside the period; NotFound, Refused and Conflict
    as for every deed. The event names the objection, never the objector.
    """
    columns = check_objection(stated)
    days, objection_id = holidays(), new_public_id()
    payload = {"objection": {**columns, "public_id": objection_id}, "event": {"objection": objection_id}}
    with unit_of_work() as session:
        if stated.evidence is not None:
            claim(session, stated.evidence)
        deeds = Deeds(version, payload=payload, idempotency_key=key, address=address)
        declaration = act_within(session, user, public_id, "object", deeds, days)
        engine.set_due(declaration, now(), _days_of(declaration), days)
        known = session.scalars(
            select(Objection.public_id).where(Objection.declaration_id == declaration.id).order_by(Objection.id.desc())
        ).first()  # fmt: skip
        # A repeated form finds what it registered the first time.
        return known or objection_id


def _days_of(declaration: Declaration) -> int:
    return int(declaration.batch.parameters.get("objection_days") or OBJECTION_DAYS)


def decide_objection(
    user: Account,
    public_id: str,
    objection_id: str,
    *,
    upheld: bool,
    conclusion: str,
    version: int,
    key: str | None = None,
    address: str | None = None,
) -> Declaration:
    """异议不成立 (publicity goes on) or 异议成立 (the declaration is rejected), with the ``conclusion`` of the enquiry.

    InvalidInput without a conclusion, or if the objection is decided already; the other refusals as for every deed.
    """
    days = holidays()
    with unit_of_work() as session:
        declaration = engine.lock(session, public_id)
        open_here = select(Objection.id).where(
            Objection.public_id == objection_id, Objection.declaration_id == declaration.id, Objection.state == "open"
        )
        payload = {"objection": session.scalar(open_here), "event": {"objection": objection_id}}
        deeds = Deeds(version, clean_text(conclusion, multiline=True), False, payload, key, address)
        action = "uphold_objection" if upheld else "dismiss_objection"
        act_within(session, user, public_id, action, deeds, days)
        public = publicity_of(session, declaration)
        if not upheld and not declaration.open_objections and public is not None and public.closes_on is not None:
            publication.set_due_after(declaration, public.closes_on, days)
        return declaration


def objections_of(user: Account, public_id: str) -> list[Objection]:
    """The objections against a declaration, oldest first: for the offices of its region and administrators only.

    NotFound for everybody else, also for the enterprise: who objected is none of its business.
    """
    declaration = db.session.scalars(select(Declaration).where(Declaration.public_id == public_id)).unique().first()
    if declaration is None or not user.role_names & set(roles.STAFF) or not rules.can_see(user, declaration):
        raise NotFound("没有找到这件申报。请从“我的待办”重新打开。")
    statement = select(Objection).where(Objection.declaration_id == declaration.id).order_by(Objection.id)
    return list(db.session.scalars(statement).unique())


def open_evidence(user: Account, public_id: str, objection_id: str) -> tuple[str, BinaryIO]:
    """Name and bytes of an objection's evidence. NotFound as for ``objections_of``, or if there is no file."""
    found = next((o for o in objections_of(user, public_id) if o.public_id == objection_id), None)
    if found is None or found.evidence_sha256 is None:
        raise NotFound("这条异议没有佐证材料。请刷新页面看最新状态。")
    return found.evidence_name or "佐证材料", open_kept(found.evidence_sha256)


# -- the end of the period ------------------------------------------------------------------------------------------


def publicity_of(session: Session, declaration: Declaration) -> PublicList | None:
    """The newest 公示 on which the declaration stands."""
    statement = (
        select(PublicList)
        .join(PublicListEntry, PublicListEntry.list_id == PublicList.id)
        .where(PublicListEntry.declaration_id == declaration.id, PublicList.kind == "publicity")
    )
    return session.scalars(statement.order_by(PublicList.id.desc()).limit(1)).unique().first()


def conclude(
    user: Account, public_id: str, *, version: int, key: str | None = None, address: str | None = None
) -> Declaration:
    """公示无异议 for one declaration: on to the next step, or approved. InvalidInput while the period runs or an
    objection is open."""
    return act(user, public_id, "conclude", Deeds(version, idempotency_key=key, address=address))


def conclude_list(
    user: Account, list_id: str, announcement: Announcement | None = None, *, address: str | None = None
) -> Concluded:
    """公示无异议 for a whole 公示, in one transaction: everything on it without an open objection goes on.

    ``announcement`` publishes those that went on as the final list of the batch. The rows say what became of each;
    what is decided already or held up by an objection stays as it is. Repeating it does nothing to those that went on.
    NotFound or Refused for who is not in charge, InvalidInput while the period runs.
    """
    days = holidays()
    with unit_of_work() as session:
        public = _locked_list(session, user, list_id)
        entries = session.scalars(
            select(PublicListEntry).where(PublicListEntry.list_id == public.id).order_by(PublicListEntry.position)
        ).unique()  # fmt: skip
        # One order for all clerks, so that two of them cannot block each other.
        found = sorted((e.declaration for e in entries), key=lambda d: (d.serial_no or "", d.id))
        rows = [_conclude_one(session, user, d.public_id, days, address) for d in found]
        done = [d for d, row in zip(found, rows, strict=True) if row.done]
        final = _announce(session, user, public, announcement, done) if announcement is not None and done else None
        if done:
            _record(session, user, public, len(done), address)
        return Concluded(rows, final)


def _locked_list(session: Session, user: Account, list_id: str) -> PublicList:
    public = session.scalars(
        select(PublicList)
        .join(Batch, Batch.id == PublicList.batch_id)
        .where(PublicList.public_id == list_id, PublicList.kind == "publicity", visible(user))
        .with_for_update(of=PublicList)
    ).unique().first()  # fmt: skip
    if public is None:
        raise NotFound("没有找到这次公示。请从“批次”重新选。")
    if not user.role_names & {roles.CITY, roles.PROVINCE, roles.MINISTRY}:
        raise Refused("公示由发布的单位结束。")
    if public.closes_on is None or now() < end_of(public.closes_on):
        raise InvalidInput(f"公示到 {public.closes_on} 24:00 才期满，期满以后再办。")
    return public


def _conclude_one(
    session: Session, user: Account, public_id: str, days: Mapping[date, bool], address: str | None
) -> Row:
    """Conclude it, or say why not; a refusal leaves the transaction as it was."""
    declaration = engine.lock(session, public_id)
    reason = ""
    if declaration.status in FINAL:
        reason = "已经办结。"
    else:
        try:
            with session.begin_nested():
                act_within(session, user, public_id, "conclude", Deeds(declaration.version, address=address), days)
        except DomainError as error:
            reason = str(error)
    name, serial = declaration.enterprise_name or "", declaration.serial_no or ""
    return Row(public_id, name, serial, not reason, reason)


def _announce(session: Session, user: Account, public: PublicList, texts: Announcement, done: list[Declaration]) -> str:
    title, body = publication.check_texts(texts.title, texts.body, {d.public_id: d.version for d in done})
    final = publication.add_list(session, user, public.batch, title, body, texts.authority)
    for position, declaration in enumerate(done, 1):
        publication.add_entry(session, final, position, declaration)
    return final.public_id


def _record(session: Session, user: Account, public: PublicList, count: int, address: str | None) -> None:
    engine.record(
        session, None, user, action="conclude", label="结束公示", subject=f"batch:{public.batch.public_id}",
        data={"list": public.public_id, "count": count, "title": public.title}, address=address,
    )  # fmt: skip
