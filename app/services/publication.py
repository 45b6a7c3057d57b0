"""Publishing a list: every chosen declaration is approved and the list appears on the portal, all or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from app.errors import Conflict, InvalidInput, NotFound, Refused
from app.extensions import db
from app.fields.base import clean_text
from app.models import Account, Batch, Declaration, IdempotencyKey, PublicList, PublicListEntry
from app.models.base import now
from app.permissions import roles, scopes
from app.services.batch import visible
from app.services.declaration import Deeds, act_within, definition_of
from app.services.reference import holidays, lookups, region_name
from app.services.unit_of_work import unit_of_work
from app.workflow import engine

MAX_TITLE = 150
MAX_BODY = 5000


@dataclass(frozen=True)
class Line:
    """One enterprise of a list: only what is published."""

    enterprise_name: str
    credit_code: str
    region_name: str
    industry_name: str


def ready(user: Account, batch: Batch) -> list[Declaration]:
    """Declarations of the batch that wait for this person's decision, by serial number."""
    keys = [s.key for s in definition_of(batch.programme_key).route if s.kind == "decide"]
    statement = (
        select(Declaration)
        .options(
            selectinload(Declaration.programme), selectinload(Declaration.batch), joinedload(Declaration.enterprise)
        )
        .where(
            Declaration.batch_id == batch.id,
            Declaration.status == "in_progress",
            Declaration.step_key.in_(keys),
            scopes.held_by(user),
        )
        .order_by(Declaration.serial_no, Declaration.id)
    )
    return list(db.session.scalars(statement))


def line_of(declaration: Declaration) -> Line:
    """The four published facts, from the certified profile."""
    enterprise = declaration.enterprise
    return Line(
        enterprise_name=declaration.enterprise_name or enterprise.name or "",
        credit_code=enterprise.credit_code or "",
        region_name=region_name(declaration.region_code),
        industry_name=(lookups.industry(enterprise.industry_code or "") or "").split(" / ")[-1],
    )


def default_title(batch: Batch) -> str:
    """Title of the list as the definition's outcome names it."""
    outcome = definition_of(batch.programme_key).outcome
    return outcome.title if outcome else batch.title


def check_texts(title: str, body: str, chosen: Mapping[str, int]) -> tuple[str, str]:
    """Title and body, cleaned. InvalidInput with all reasons at once."""
    title, body = clean_text(title), clean_text(body, multiline=True)
    errors: dict[str, str] = {}
    if not chosen:
        errors["chosen"] = "请至少选一家企业。"
    if not title:
        errors["title"] = "请写名单标题。"
    if len(title) > MAX_TITLE:
        errors["title"] = f"标题最多 {MAX_TITLE} 个字，现在是 {len(title)} 个，请精简。"
    if len(body) > MAX_BODY:
        errors["body"] = f"正文最多 {MAX_BODY} 个字，现在是 {len(body)} 个，请精简。"
    if errors:
        raise InvalidInput("".join(errors.values()), fields=errors)
    return title, body


def publish_list(
    user: Account,
    batch_public_id: str,
    chosen: Mapping[str, int],
    title: str,
    body: str,
    *,
    authority: str,
    key: str | None = None,
    address: str | None = None,
) -> str:
    """Approve ``chosen`` (public id → version seen) and publish them as one list; returns the list's public id.

    One transaction: a stale, foreign or already decided declaration stops all of it. A repeated ``key`` publishes
    nothing again and returns the list that is there.
    """
    title, body = check_texts(title, body, chosen)
    days = holidays()
    with unit_of_work() as session:
        batch = session.scalars(
            select(Batch).where(Batch.public_id == batch_public_id, visible(user)).with_for_update()
        ).first()  # fmt: skip
        if batch is None:
            raise NotFound("没有找到这个批次。请从“批次”重新选。")
        if not user.role_names & {roles.CITY, roles.PROVINCE}:
            raise Refused("名单由市工信局公布。")
        known = session.get(IdempotencyKey, key) if key else None
        if known is not None:
            return _published_before(known, user, batch)
        public = PublicList(
            batch_id=batch.id, title=title, body=body, authority=authority, published_at=now(), published_by=user.id
        )
        session.add(public)
        session.flush()
        for position, declaration in enumerate(_chosen(session, batch, chosen), 1):
            deeds = Deeds(chosen[declaration.public_id], payload={"event": {"list": public.public_id}}, address=address)
            decided = act_within(session, user, declaration.public_id, "approve", deeds, days)
            session.add(
                PublicListEntry(
                    list_id=public.id, declaration_id=decided.id, position=position, **vars(line_of(decided))
                )
            )
        engine.record(
            session, None, user, action="publish", label="公布名单", subject=f"batch:{batch.public_id}",
            data={"list": public.public_id, "count": len(chosen), "title": title}, address=address,
        )  # fmt: skip
        if key:
            session.add(
                IdempotencyKey(
                    key=key, account_id=user.id, route=_route(batch), response=public.public_id, created_at=now()
                )
            )
        return public.public_id


def _route(batch: Batch) -> str:
    return f"publish:{batch.public_id}"


def _published_before(known: IdempotencyKey, user: Account, batch: Batch) -> str:
    if known.account_id != user.id or known.route != _route(batch):
        raise Conflict("这个页面已经用过了。请刷新后再办。")
    return known.response


def _chosen(session: Session, batch: Batch, chosen: Mapping[str, int]) -> list[Declaration]:
    """The chosen ones of this batch, locked in one order (so that two publishers cannot block each other)."""
    statement = (
        select(Declaration)
        .where(Declaration.public_id.in_(chosen), Declaration.batch_id == batch.id)
        .order_by(Declaration.serial_no, Declaration.id)
        .with_for_update(of=Declaration)
    )
    found = list(session.scalars(statement).unique())
    if len(found) != len(chosen):
        raise NotFound("选中的申报里有的不在这个批次。请回到批次页重新选。")
    return found


def lists_of(batch: Batch) -> list[PublicList]:
    """Lists published from the batch, newest first."""
    statement = select(PublicList).where(PublicList.batch_id == batch.id).order_by(PublicList.id.desc())
    return list(db.session.scalars(statement).unique())
