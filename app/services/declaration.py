"""Starting, submitting and deciding declarations. Every deed goes through ``act``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.definitions import registry
from app.errors import Conflict, InvalidInput, NotFound, Refused
from app.extensions import db
from app.models import (
    Account,
    AnswerRow,
    Assignment,
    Batch,
    Declaration,
    Enterprise,
    IdempotencyKey,
    Programme,
    Revision,
)
from app.models.base import now
from app.permissions import rules, scopes

# They register the effects that the workflow table names.
from app.services import outcome as _outcome  # noqa: F401
from app.services import route_effects as _route_effects  # noqa: F401
from app.services import void_effects as _void_effects  # noqa: F401
from app.services.announcement import announce
from app.services.effects import EFFECTS, Scene, write_opinion
from app.services.opened import Opened, open_declaration
from app.services.projection import current_programme
from app.services.reference import holidays
from app.services.unit_of_work import unit_of_work
from app.workflow import engine


@dataclass(frozen=True)
class Deeds:
    """What came with a deed: words, version seen, chosen experts, scores, acceptance of the statement."""

    version: int
    opinion: str = ""
    statement: bool = False
    payload: Mapping[str, Any] | None = None
    idempotency_key: str | None = None
    address: str | None = None
    entitled: bool = False
    """The service has seen that the person holds the door of a deed by ``steward``."""


def live_key(declaration_of: str, once_per: str, batch_id: int, enterprise_id: int) -> str | None:
    """The unique key of a living declaration, after ``applicant.once_per``."""
    if once_per == "none":
        return None
    scope = f"batch:{batch_id}" if once_per == "batch" else "enterprise"
    return f"{declaration_of}:{scope}:{enterprise_id}"


def start_declaration(user: Account, batch_public_id: str) -> str:
    """Begin a declaration in a batch, or find the living one; returns its public id.

    Refused if the person may not declare, InvalidInput if the batch takes none now.
    """
    with unit_of_work() as session:
        batch = session.scalars(select(Batch).where(Batch.public_id == batch_public_id, Batch.published)).first()
        if batch is None:
            raise NotFound("没有找到这个批次。它可能已经结束，请从“能报什么”重新选。")
        programme = current_programme(session, batch.programme_key)
        refusal = rules.refuse_declare(user, programme.definition)
        if refusal:
            raise Refused(refusal, certification=True)
        # Two windows that start at once take turns here, so that both end up in the same declaration.
        session.get(Enterprise, user.enterprise_id, with_for_update=True)
        key = live_key(programme.key, programme.definition.applicant.once_per, batch.id, user.enterprise_id or 0)
        living = key and session.scalars(select(Declaration.public_id).where(Declaration.unique_key == key)).first()
        if living:
            return living
        if not batch.is_open(now()):
            raise InvalidInput(f"“{batch.title}”现在没有开放申报。开放时会发消息提醒您。")
        assert user.enterprise is not None
        declaration = create_draft(session, user, user.enterprise, batch, programme, key)
        engine.record(session, declaration, user, action="start", label="开始填写")
        return declaration.public_id


def create_draft(
    session: Session, user: Account, enterprise: Enterprise, batch: Batch, programme: Programme, key: str | None
) -> Declaration:
    """An empty draft of ``enterprise``, begun by ``user``, in the caller's transaction; its event is the caller's."""
    declaration = Declaration(
        programme_key=programme.key,
        programme_id=programme.id,
        batch_id=batch.id,
        enterprise_id=enterprise.id,
        enterprise_name=enterprise.name,
        region_code=enterprise.region_code,
        unique_key=key,
        created_by=user.id,
        created_at=now(),
        saved_at=now(),
    )
    session.add(declaration)
    session.flush()
    session.add(AnswerRow(declaration_id=declaration.id))
    for _, table, parent in programme.definition.tables():
        # The rows that are needed anyway stand ready; nested ones come with their parent.
        if parent is None:
            for position in range(table.min_rows):
                row = AnswerRow(declaration_id=declaration.id, table_key=table.key, position=position)
                session.add(row)
                session.flush()
                for child in table.tables:
                    for n in range(child.min_rows):
                        session.add(
                            AnswerRow(
                                declaration_id=declaration.id, table_key=child.key, parent_row_id=row.row_id, position=n
                            )
                        )
    return declaration


def act(user: Account, public_id: str, action: str, deeds: Deeds) -> Declaration:
    """Do ``action`` (a row of the workflow table) on the declaration, with its effects, in one transaction.

    A repeated idempotency key changes nothing and returns the declaration as it is.
    """
    days = holidays()
    with unit_of_work() as session:
        return act_within(session, user, public_id, action, deeds, days)


def act_within(
    session: Session, user: Account, public_id: str, action: str, deeds: Deeds, days: Mapping[date, bool]
) -> Declaration:
    """``act`` inside the caller's transaction, for services that do several deeds at once. ``days``: holidays."""
    declaration = engine.lock(session, public_id)
    if deeds.idempotency_key and is_repeated(session, user, action, public_id, deeds.idempotency_key):
        return declaration
    _require_basis(user, declaration, action, deeds.opinion)
    opened = Opened(session, declaration, user)
    payload = dict(deeds.payload or {})
    if declaration.status == "draft" and action == "submit":
        _freeze_place(opened)
    case = opened.case({"statement": deeds.statement, **payload}, deeds.opinion)
    done = engine.perform(
        session,
        declaration,
        action,
        case,
        version=deeds.version,
        holidays=days,
        address=deeds.address,
        data=payload.get("event"),
        all_scored=_all_scored(session, declaration, user, payload.get("unassigned")),
        entitled=deeds.entitled,
    )
    _carry_out_effects(Scene(session, opened, done, deeds.opinion.strip(), payload))
    return declaration


def _require_basis(user: Account, declaration: Declaration, action: str, words: str) -> None:
    """An official who hands in for an enterprise says on what the enterprise's consent stands."""
    if action in ("submit", "resubmit") and not words.strip() and rules.is_filling_for(user, declaration):
        raise InvalidInput(
            "请写明代提交的依据，例如企业哪一天交来的签字材料。", fields={"opinion": "请写明代提交的依据。"}
        )


def act_by_system(session: Session, public_id: str, action: str, days: Mapping[date, bool]) -> Declaration:
    """A deed that time brings about (``by`` system in the table), inside the caller's transaction.

    Conflict if there is no such deed any more, InvalidInput with the reasons against it; nothing is changed then.
    """
    opened = Opened(session, engine.lock(session, public_id), Account())
    done = engine.perform_by_system(session, opened.declaration, action, opened.case(), holidays=days)
    _carry_out_effects(Scene(session, opened, done, "", {}))
    return opened.declaration


def _carry_out_effects(scene: Scene) -> None:
    for name in scene.done.effects:
        EFFECTS[name](scene)
    write_opinion(scene)
    announce(scene.session, scene.opened, scene.done.event)


def _freeze_place(opened: Opened) -> None:
    """The place that decides which office is in charge: the enterprise's, or what a certification states."""
    declaration, enterprise = opened.declaration, opened.declaration.enterprise
    region, name = enterprise.region_code, enterprise.name
    if opened.definition.kind == "certification":
        fields = {v: k for k, v in opened.definition.profile_map.items()}
        region = opened.evaluation.form.get(fields["region_code"])
        name = opened.evaluation.form.get(fields["name"])
    declaration.region_code, declaration.enterprise_name = region, name


def is_repeated(session: Session, user: Account, action: str, public_id: str, key: str) -> bool:
    """Whether this form was carried out before; else it is noted as carried out. Conflict for somebody else's key."""
    known = session.get(IdempotencyKey, key)
    if known is not None:
        if known.account_id != user.id or known.route != f"{action}:{public_id}":
            raise Conflict("这个页面已经用过了。请刷新后再办。")
        return True
    session.add(
        IdempotencyKey(key=key, account_id=user.id, route=f"{action}:{public_id}", response="", created_at=now())
    )
    return False


def _all_scored(
    session: Session, declaration: Declaration, user: Account, unassigned: int | None
) -> Callable[[], bool]:
    """Whether no expert owes a score any more, now that ``user`` hands in or the expert ``unassigned`` is taken off.

    Without any score at all the step is not done.
    """

    def check() -> bool:
        others = (
            Assignment.declaration_id == declaration.id,
            Assignment.step_key == declaration.step_key,
            Assignment.expert_id != (unassigned or user.id),
        )
        if session.scalar(select(func.count()).where(*others, Assignment.done_at.is_(None))):
            return False
        return unassigned is None or bool(session.scalar(select(func.count()).where(*others)))

    return check


def rebase(user: Account, public_id: str) -> None:
    """Move a draft to the definition version in force. No value is lost: what the new one lacks stays stored."""
    with unit_of_work() as session:
        declaration = engine.lock(session, public_id)
        if not rules.can_see(user, declaration):
            raise NotFound("没有找到这件申报。它可能已被删除，请从“我的申报”重新打开。")
        refusal = rules.refuse_edit(user, declaration)
        if refusal:
            raise Conflict(refusal)
        newest = current_programme(session, declaration.programme_key)
        if newest.id != declaration.programme_id:
            declaration.programme_id = newest.id
            engine.record(session, declaration, user, action="rebase", label=f"换到第 {newest.number} 版申报表")


def accept_statement(user: Account, public_id: str) -> None:
    """Note that ``user`` accepted the truthfulness statement of this declaration, once."""
    with unit_of_work() as session:
        declaration = engine.lock(session, public_id)
        if not rules.can_see(user, declaration):
            raise NotFound("没有找到这件申报。它可能已被删除，请从“我的申报”重新打开。")
        refusal = rules.refuse_edit(user, declaration)
        if refusal:
            raise Conflict(refusal)
        if declaration.statement_at is None:
            declaration.statement_at = now()
            engine.record(session, declaration, user, action="statement", label="作出真实性承诺")


def declarations_of(user: Account, programme_key: str | None = None) -> list[Declaration]:
    """Declarations of the user's enterprise, newest first; certification and the like only when asked for by key."""
    statement = select(Declaration).where(scopes.own(user))
    if programme_key is not None:
        statement = statement.where(Declaration.programme_key == programme_key)
    return list(db.session.scalars(statement.order_by(Declaration.id.desc())).unique())


def is_filled_for(user: Account, public_id: str) -> bool:
    """Whether ``user`` is the official who fills in this declaration on behalf of its enterprise."""
    found = db.session.scalars(select(Declaration).where(Declaration.public_id == public_id)).unique().first()
    return found is not None and rules.is_filling_for(user, found)


def load(public_id: str, user: Account) -> Opened:
    """The declaration for reading, if ``user`` may see it (NotFound otherwise)."""
    return open_declaration(db.session, public_id, user)


def load_own(public_id: str, user: Account) -> Opened:
    """``load`` for filling in: NotFound for everyone but the enterprise itself, whatever other roles they hold."""
    opened = load(public_id, user)
    if not opened.own:
        raise NotFound("没有找到这件申报。它可能已被删除，请从“我的申报”重新打开。")
    return opened


def reload(public_id: str, user: Account) -> Opened:
    """``load`` after this request changed something: the reading session begins anew and sees it."""
    db.session.rollback()
    return open_declaration(db.session, public_id, user)


def revision_of(opened: Opened, number: int) -> Revision:
    """Revision ``number`` of the declaration; NotFound if there is none."""
    found = db.session.scalars(
        select(Revision).where(Revision.declaration_id == opened.declaration.id, Revision.number == number)
    ).first()
    if found is None:
        raise NotFound("没有这一版。")
    return found


def visible(user: Account) -> Any:
    """Statement that selects the declarations ``user`` may see."""
    return select(Declaration).where(scopes.declarations(user))


def definition_of(key: str) -> Any:
    """The catalogue's definition ``key``; NotFound if there is none."""
    try:
        return registry.catalogue().get(key)
    except KeyError:
        raise NotFound("没有这个申报项目。") from None
