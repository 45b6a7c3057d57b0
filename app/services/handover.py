"""行文推荐: a district gathers declarations, uploads its sealed letter, and hands all of them over at once.

``gather`` → ``put_letter`` → ``hand_over``. Until it is sent, declarations may be added, taken out of the list
(``take_out``) or sent back for review (deed ``send_back``). What was sent is frozen: its ``digest`` covers letter and list.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, BinaryIO

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from app.adapters.files import Readable
from app.definitions.schema import Step
from app.errors import Conflict, InvalidInput, NotFound, Refused
from app.extensions import db
from app.fields.base import clean_text
from app.fields.sqltypes import canonical_json
from app.models import Account, Batch, Declaration, Handover, HandoverEntry
from app.models.base import now
from app.permissions import roles, scopes
from app.services.batch import visible
from app.services.declaration import Deeds, act_within, definition_of
from app.services.message import tell_office
from app.services.office_file import LETTER, claim, open_kept, receive
from app.services.publication import locked
from app.services.reference import holidays
from app.services.todo import step_of
from app.services.unit_of_work import unit_of_work
from app.workflow import engine
from app.workflow.calendar import local_date

MAX_DOC_NO = 60


def waiting(user: Account, batch: Batch) -> list[Declaration]:
    """Declarations of the batch that wait for this person's hand-over and are on no open list, by serial number."""
    keys = [s.key for s in definition_of(batch.programme_key).route if s.kind == "handover"]
    statement = select(Declaration).where(
        Declaration.batch_id == batch.id, Declaration.status == "in_progress", Declaration.step_key.in_(keys),
        scopes.held_by(user), Declaration.id.not_in(_gathered()),
    )  # fmt: skip
    return list(db.session.scalars(statement.order_by(Declaration.serial_no, Declaration.id)).unique())


def _gathered() -> Select[Any]:
    return (
        select(HandoverEntry.declaration_id)
        .join(Handover, Handover.id == HandoverEntry.handover_id)
        .where(Handover.state == "open")
    )


def gather(user: Account, batch_id: str, chosen: Mapping[str, int], *, handover_id: str | None = None) -> str:
    """Put ``chosen`` (public id → version seen) on a new list, or add them to the open one; returns its public id.

    ``batch_id`` is the batch's public id. NotFound for other batches, Refused for another office's declarations,
    Conflict for stale ones and those on an open list already. All or nothing.
    """
    if not chosen:
        raise InvalidInput("请至少选一家企业。", fields={"chosen": "请至少选一家企业。"})
    with unit_of_work() as session:
        batch = session.scalars(select(Batch).where(Batch.public_id == batch_id, visible(user))).first()
        if batch is None:
            raise NotFound("没有找到这个批次。请从“批次”重新选。")
        declarations = locked(session, batch, chosen)
        step = _common_step(user, declarations)
        for declaration in declarations:
            engine.check_version(session, declaration, chosen[declaration.public_id])
        _refuse_gathered(session, declarations)
        handover = _find(session, user, handover_id) if handover_id else _new(session, user, batch, step)
        _append(session, handover, declarations)
        _record(session, user, handover, "handover_gather", "列入行文推荐", {"count": len(declarations)})
        return handover.public_id


def _common_step(user: Account, declarations: Sequence[Declaration]) -> Step:
    """The hand-over step in which all of them are, with ``user`` in charge of it."""
    steps = {d.step_key: step_of(d) for d in declarations}
    step = next(iter(steps.values()))
    if len(steps) != 1 or step is None or step.kind != "handover":
        raise Conflict("选中的申报里有的不在“行文推荐”这一步，可能刚被办过。请刷新后重新选。")
    if not all(engine.is_office(user, d, step.level) for d in declarations):
        raise Refused("只能推荐本单位办理的申报。")
    return step


def _refuse_gathered(session: Session, declarations: Sequence[Declaration]) -> None:
    ids = [d.id for d in declarations]
    taken = set(session.scalars(_gathered().where(HandoverEntry.declaration_id.in_(ids))))
    if taken:
        names = "、".join(d.enterprise_name or "" for d in declarations if d.id in taken)
        raise Conflict(f"{names}已经列入另一份行文推荐。请刷新后重新选。")


def _new(session: Session, user: Account, batch: Batch, step: Step) -> Handover:
    handover = Handover(
        batch_id=batch.id, step_key=step.key, region_code=user.region_code or "", created_by=user.id, created_at=now()
    )
    session.add(handover)
    session.flush()
    return handover


def _append(session: Session, handover: Handover, declarations: Sequence[Declaration]) -> None:
    last = session.scalar(
        select(func.max(HandoverEntry.position)).where(HandoverEntry.handover_id == handover.id)
    ) or 0  # fmt: skip
    for position, declaration in enumerate(declarations, last + 1):
        session.add(
            HandoverEntry(
                handover_id=handover.id,
                declaration_id=declaration.id,
                position=position,
                enterprise_name=declaration.enterprise_name or "",
                serial_no=declaration.serial_no or "",
            )
        )
    handover.version += 1


def _find(session: Session, user: Account, public_id: str, *, version: int | None = None) -> Handover:
    """The locked open hand-over of this person's office. Conflict once it is sent, or changed since ``version``."""
    handover = session.scalars(
        select(Handover).where(Handover.public_id == public_id, _own(user)).with_for_update(of=Handover)
    ).unique().first()  # fmt: skip
    if handover is None:
        raise NotFound("没有找到这份行文推荐。请从“批次”重新选。")
    _refuse_stale(handover, version)
    return handover


def _refuse_stale(handover: Handover, version: int | None) -> None:
    if handover.state != "open":
        raise Conflict(f"这份行文推荐（{handover.doc_no}）已经报出，不能再改。")
    if version is not None and handover.version != version:
        raise Conflict("这份行文推荐刚被别人改过，还没有报出。请刷新页面核对后再办。")


def _own(user: Account) -> ColumnElement[bool]:
    """Condition on ``Handover``: of this person's office."""
    held = user.role_names & {roles.DISTRICT, roles.CITY, roles.PROVINCE}
    return Handover.region_code == (user.region_code if held and user.region_code else "-")


def take_out(user: Account, handover_id: str, declaration_id: str) -> None:
    """Take one declaration off the open list; it waits for a hand-over as before. NotFound if it is not on it."""
    with unit_of_work() as session:
        handover = _find(session, user, handover_id)
        entry = next((e for e in _entries(session, handover) if e.declaration.public_id == declaration_id), None)
        if entry is None:
            raise NotFound("这件申报不在这份行文推荐里，可能刚被移出。请刷新页面看最新状态。")
        session.delete(entry)
        handover.version += 1
        _record(session, user, handover, "handover_take_out", "移出行文推荐", {"name": entry.enterprise_name})


def put_letter(user: Account, handover_id: str, stream: Readable, filename: str, size: int | None = None) -> Handover:
    """Upload the sealed letter (PDF) of an open hand-over; a second one replaces the first.

    TooLarge or InvalidInput for the file; NotFound and Conflict as for ``take_out``.
    """
    _find(db.session(), user, handover_id)
    kept = receive(LETTER, stream, filename, size)
    with unit_of_work() as session:
        handover = _find(session, user, handover_id)
        claim(session, kept)
        session.flush()
        handover.letter_sha256, handover.letter_name = kept.sha256, kept.name
        handover.version += 1
        _record(session, user, handover, "handover_letter", "上传推荐文件", {"name": kept.name})
        return handover


def hand_over(
    user: Account,
    handover_id: str,
    doc_no: str,
    dated: date,
    *,
    version: int,
    opinion: str = "",
    address: str | None = None,
) -> Handover:
    """Send it: number ``doc_no`` (文号) and date of the letter, list frozen, every declaration on to the next step.

    One transaction. InvalidInput by field (doc_no, dated, letter, chosen); Conflict if the list changed since
    ``version``, or one of its declarations cannot go on any more. A copy is told to the finance office of the region.
    """
    days = holidays()
    with unit_of_work() as session:
        handover = _find(session, user, handover_id, version=version)
        entries = _entries(session, handover)
        handover.doc_no, handover.dated = _checked(handover, entries, doc_no, dated)
        handover.state, handover.sent_by, handover.sent_at = "sent", user.id, now()
        handover.digest = digest_of(handover, entries)
        handover.version += 1
        event = {"handover": handover.public_id, "doc_no": handover.doc_no}
        payload = {"letter": handover.letter_sha256, "event": event}
        for entry in sorted(entries, key=lambda e: (e.serial_no, e.declaration_id)):
            declaration = engine.lock(session, entry.declaration.public_id)
            deeds = Deeds(declaration.version, opinion, payload=payload, address=address)
            act_within(session, user, declaration.public_id, "recommend", deeds, days)
        _record(
            session, user, handover, "handover_send", "报出行文推荐", {"count": len(entries), "doc_no": handover.doc_no}
        )
        _copy_to_finance(session, handover, len(entries))
        return handover


def _checked(handover: Handover, entries: Sequence[HandoverEntry], doc_no: str, dated: date) -> tuple[str, date]:
    number = clean_text(doc_no)
    found = {
        "chosen": "" if entries else "名单是空的。请先列入要推荐的企业。",
        "letter": "" if handover.letter_sha256 else "还没有上传盖章的推荐文件。请先上传，再报出。",
        "doc_no": "" if 0 < len(number) <= MAX_DOC_NO else f"请填文号，最多 {MAX_DOC_NO} 个字。",
        "dated": "行文日期不能晚于今天。" if dated > local_date(now()) else "",
    }
    errors = {k: v for k, v in found.items() if v}
    if errors:
        raise InvalidInput("".join(errors.values()), fields=errors)
    return number, dated


def check_sending(handover: Handover, entries: Sequence[HandoverEntry], doc_no: str, dated: date, version: int) -> str:
    """Look at an open hand-over before it is sent; returns its number, cleaned. The refusals of ``hand_over``."""
    _refuse_stale(handover, version)
    return _checked(handover, entries, doc_no, dated)[0]


def digest_of(handover: Handover, entries: Sequence[HandoverEntry]) -> str:
    """SHA-256 over canonical JSON of number, date, letter and list: what was sent cannot be changed unseen."""
    listed = [[e.position, e.serial_no, e.enterprise_name] for e in entries]
    facts = [handover.public_id, handover.doc_no, handover.dated and handover.dated.isoformat(), handover.letter_sha256]
    return hashlib.sha256(canonical_json([*facts, listed]).encode()).hexdigest()


def _entries(session: Session, handover: Handover) -> list[HandoverEntry]:
    statement = select(HandoverEntry).where(HandoverEntry.handover_id == handover.id).order_by(HandoverEntry.position)
    return list(session.scalars(statement).unique())


def _copy_to_finance(session: Session, handover: Handover, count: int) -> None:
    tell_office(
        session, roles.FINANCE, handover.region_code, "declaration_reminder", f"抄送：行文推荐 {handover.doc_no}",
        f"“{handover.batch.title}”推荐 {count} 家企业，已报市工信局，抄送本级财政。", "/todo/",
    )  # fmt: skip


def _record(
    session: Session, user: Account, handover: Handover, action: str, label: str, data: dict[str, object]
) -> None:
    subject = f"handover:{handover.public_id}"
    engine.record(session, None, user, action=action, label=label, subject=subject, data=data)


def handovers_of(user: Account, batch: Batch) -> list[Handover]:
    """Hand-overs of the batch, newest first: their own for the office, all sent ones of its region for who reads on."""
    condition = _own(user)
    if user.role_names & {roles.CITY, roles.PROVINCE, roles.MINISTRY, roles.FINANCE, roles.ADMIN}:
        prefix = "" if roles.ADMIN in user.role_names else roles.region_prefix(user.region_code)
        sent = (Handover.state == "sent") & Handover.region_code.startswith(prefix, autoescape=True)
        condition = condition | sent
    statement = select(Handover).where(Handover.batch_id == batch.id, condition)
    return list(db.session.scalars(statement.order_by(Handover.id.desc())).unique())


def sent_with(declaration: Declaration) -> list[Handover]:
    """The hand-overs by which the declaration was recommended, newest first; for who may see the declaration."""
    statement = (
        select(Handover)
        .join(HandoverEntry, HandoverEntry.handover_id == Handover.id)
        .where(HandoverEntry.declaration_id == declaration.id, Handover.state == "sent")
    )
    return list(db.session.scalars(statement.order_by(Handover.id.desc())).unique())


def load(user: Account, public_id: str) -> tuple[Handover, list[HandoverEntry]]:
    """A hand-over with its list, for reading; NotFound if it is none of this person's business."""
    found = db.session.scalars(select(Handover).where(Handover.public_id == public_id)).unique().first()
    if found is None or found.id not in {h.id for h in handovers_of(user, found.batch)}:
        raise NotFound("没有找到这份行文推荐。请从“批次”重新选。")
    return found, _entries(db.session(), found)


def open_letter(user: Account, public_id: str) -> tuple[str, BinaryIO]:
    """Name and bytes of the letter; NotFound as for ``load``, or before it is uploaded."""
    handover, _entries_of_it = load(user, public_id)
    if handover.letter_sha256 is None:
        raise NotFound("还没有上传推荐文件。")
    return handover.letter_name or "推荐文件.pdf", open_kept(handover.letter_sha256)
