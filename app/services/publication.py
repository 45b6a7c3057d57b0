"""Publishing a list: every chosen declaration is approved and the list appears on the portal, all or nothing.

Where the route goes on with a publicity step the list is a 公示, with its period; what ends that is in ``publicity``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from app.definitions import registry
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
from app.workflow.calendar import UnknownYear, add_working_days, end_of, local_date
from app.workflow.route import step_after

MAX_TITLE = 150
MAX_BODY = 5000
MAX_OFFICE = 100
PUBLICITY_DAYS = 5
"""Working days of a 公示 where the batch has no parameter for it."""
_PHONE = re.compile(r"[0-9+()（）转 \-]{7,40}")
_EMAIL = re.compile(r"[^@\s]{1,60}@[^@\s]+\.[^@\s]{2,30}")


@dataclass(frozen=True)
class Period:
    """What a 公示 says beside its list: where objections go, and its first day (None: today)."""

    phone: str
    email: str
    office: str
    opens_on: date | None = None


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


def follows_publicity(declaration: Declaration) -> bool:
    """Whether the next step of this declaration is a 公示, so that its list needs a ``Period``."""
    definition = declaration.programme.definition
    params = registry.parameters_of(definition, declaration.batch.parameters)
    following = step_after(definition, params, declaration.step_key)
    return following is not None and following.kind == "publicity"


def period_days(batch: Batch) -> int:
    """Working days of a 公示 in this batch (parameter ``publicity_days``)."""
    values = registry.parameters_of(definition_of(batch.programme_key), batch.parameters)
    return int(values.get("publicity_days") or PUBLICITY_DAYS)


def last_day_of(opens_on: date, days: int, holidays: Mapping[date, bool]) -> date:
    """Last day of a 公示 that begins on ``opens_on``: the ``days``-th working day after it.

    InvalidInput for a year whose holidays nobody has published: a period that might be too short is not begun.
    """
    try:
        return add_working_days(opens_on, days, holidays)
    except UnknownYear as error:
        sentence = f"{error} 年的节假日安排还没有公布，算不出公示到哪天期满。请先在“节假日”里录入，再发布公示。"
        raise InvalidInput(sentence, fields={"opens_on": sentence}) from error


def check_period(period: Period, days: int, holidays: Mapping[date, bool]) -> dict[str, Any]:
    """Columns of a 公示: its first and last day, phone, e-mail and office for objections.

    InvalidInput with all reasons at once, by field: opens_on, phone, email, office.
    """
    phone, email, office = (clean_text(v) for v in (period.phone, period.email, period.office))
    opens_on = period.opens_on or local_date(now())
    found = {
        "opens_on": "公示不能从过去的日期开始。" if opens_on < local_date(now()) else "",
        "phone": "" if _PHONE.fullmatch(phone) else "请填异议受理电话，例如 0451-84664271。",
        "email": "" if _EMAIL.fullmatch(email) else "请填异议受理邮箱，例如 gxj@example.gov.cn。",
        "office": "" if 0 < len(office) <= MAX_OFFICE else f"请填受理单位，最多 {MAX_OFFICE} 个字。",
    }
    errors = {k: v for k, v in found.items() if v}
    if errors:
        raise InvalidInput("".join(errors.values()), fields=errors)
    closes_on = last_day_of(opens_on, days, holidays)
    return {"kind": "publicity", "opens_on": opens_on, "closes_on": closes_on, "phone": phone, "email": email,
            "office": office}  # fmt: skip


def publish_list(
    user: Account,
    batch_public_id: str,
    chosen: Mapping[str, int],
    title: str,
    body: str,
    *,
    authority: str,
    period: Period | None = None,
    key: str | None = None,
    address: str | None = None,
) -> str:
    """Approve ``chosen`` (public id → version seen) and publish them as one list; returns the list's public id.

    ``period`` makes it a 公示, and is needed exactly where the next step is one (``follows_publicity``).
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
        if not user.role_names & {roles.CITY, roles.PROVINCE, roles.MINISTRY}:
            raise Refused("名单由市工信局公布。")
        known = session.get(IdempotencyKey, key) if key else None
        if known is not None:
            return _published_before(known, user, batch)
        declarations = locked(session, batch, chosen)
        _refuse_wrong_kind(declarations, period)
        more = check_period(period, period_days(batch), days) if period else {}
        public = add_list(session, user, batch, title, body, authority, **more)
        for position, declaration in enumerate(declarations, 1):
            event = {"list": public.public_id}
            deeds = Deeds(chosen[declaration.public_id], payload={**event, "event": event}, address=address)
            decided = act_within(session, user, declaration.public_id, "approve", deeds, days)
            if public.closes_on is not None:
                set_due_after(decided, public.closes_on, days)
            add_entry(session, public, position, decided)
        label = "发布公示" if period else "公布名单"
        engine.record(
            session, None, user, action="publish", label=label, subject=f"batch:{batch.public_id}",
            data={"list": public.public_id, "count": len(chosen), "title": title}, address=address,
        )  # fmt: skip
        if key:
            session.add(
                IdempotencyKey(
                    key=key, account_id=user.id, route=_route(batch), response=public.public_id, created_at=now()
                )
            )
        return public.public_id


def _refuse_wrong_kind(declarations: Sequence[Declaration], period: Period | None) -> None:
    """A list is either a 公示 or final, as the route of everything on it says."""
    kinds = {follows_publicity(d) for d in declarations}
    if len(kinds) > 1:
        raise InvalidInput("选中的申报里有的下一步要公示，有的不用。请分开公布。", fields={"chosen": "请分开公布。"})
    if True in kinds and period is None:
        fields = {"phone": "请填异议受理电话。", "email": "请填异议受理邮箱。", "office": "请填受理单位。"}
        raise InvalidInput("这一批要先公示。请填写异议受理电话、邮箱和受理单位，再发布。", fields=fields)
    if True not in kinds and period is not None:
        raise InvalidInput("这一批不用公示，可以直接公布名单。")


def add_list(
    session: Session, user: Account, batch: Batch, title: str, body: str, authority: str, **more: Any
) -> PublicList:
    """An empty list of ``batch``; ``more`` are the columns of a 公示."""
    public = PublicList(
        batch_id=batch.id, title=title, body=body, authority=authority, published_at=now(), published_by=user.id, **more
    )
    session.add(public)
    session.flush()
    return public


def add_entry(session: Session, public: PublicList, position: int, declaration: Declaration) -> None:
    """Put the published facts of ``declaration`` on the list."""
    session.add(
        PublicListEntry(
            list_id=public.id, declaration_id=declaration.id, position=position, **vars(line_of(declaration))
        )
    )


def set_due_after(declaration: Declaration, closes_on: date, holidays: Mapping[date, bool]) -> None:
    """A publicity step is due so many working days after its period is over."""
    if declaration.step_key is not None:
        days = declaration.programme.definition.step(declaration.step_key).due_days
        engine.set_due(declaration, end_of(closes_on) - timedelta(microseconds=1), days, holidays)


def _route(batch: Batch) -> str:
    return f"publish:{batch.public_id}"


def _published_before(known: IdempotencyKey, user: Account, batch: Batch) -> str:
    if known.account_id != user.id or known.route != _route(batch):
        raise Conflict("这个页面已经用过了。请刷新后再办。")
    return known.response


def locked(session: Session, batch: Batch, chosen: Mapping[str, int]) -> list[Declaration]:
    """The chosen ones of this batch, locked in one order (so that two clerks cannot block each other). NotFound if one
    of them is of another batch."""
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


def is_publicity_list(public_id: str) -> bool:
    """Whether the list with this public id is a 公示."""
    return db.session.scalar(select(PublicList.kind).where(PublicList.public_id == public_id)) == "publicity"


def lists_of(batch: Batch) -> list[PublicList]:
    """Lists published from the batch, newest first."""
    statement = select(PublicList).where(PublicList.batch_id == batch.id).order_by(PublicList.id.desc())
    return list(db.session.scalars(statement).unique())
