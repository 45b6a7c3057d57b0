"""工作台: the one next step, what else waits, what may be applied for, the latest messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from flask_babel import gettext as _
from sqlalchemy import select

from app.definitions import registry
from app.extensions import db
from app.models import Account, Declaration, Enterprise, Message, Recognition
from app.models.base import now
from app.permissions import roles, scopes
from app.services import eligibility
from app.services.deadline import Clock, clock_until
from app.services.eligibility import Offer
from app.services.enterprise import RECOGNITION_TONES, STATE_TONES, STATE_WORDS, recognitions_of
from app.services.listing import Asked
from app.services.message import list_messages
from app.services.opened import Opened
from app.services.progress import Stage, stages
from app.services.reference import holidays, lookups, region_name
from app.workflow.calendar import SHANGHAI

LATEST = 5
"""Messages on the workbench, as the guide says."""

Kind = Literal["stamp", "returned", "draft"]


@dataclass(frozen=True)
class Task:
    """One declaration that waits for the enterprise."""

    kind: Kind
    id: str
    title: str
    reason: str
    tag: str
    tone: str | None
    verb: str
    clock: Clock | None
    certification: bool


@dataclass(frozen=True)
class Workbench:
    """The page. ``first`` is the most urgent task; ``route`` its steps; ``offers`` what may be applied for."""

    enterprise: Enterprise | None
    facts: str
    tags: Sequence[tuple[str, str]]
    first: Task | None
    route: Sequence[Stage]
    tasks: Sequence[Task]
    offers: Sequence[Offer]
    messages: Sequence[Message]

    @property
    def certified(self) -> bool:
        """Whether the enterprise may declare."""
        return self.enterprise is not None and self.enterprise.certification_status == "approved"


def workbench_of(user: Account) -> Workbench:
    """The workbench of an enterprise's or individual's account."""
    messages = list(list_messages(user, None, Asked(1, LATEST)).rows)
    if user.enterprise is None:
        return Workbench(None, "", (), None, (), (), (), messages)
    waiting = _waiting(user)
    days, at = holidays(), now()
    tasks = [task_of(d, at, days) for d in waiting]
    pairs = sorted(zip(tasks, waiting, strict=True), key=lambda p: _urgency(p[0]))
    first, route = None, []
    if pairs:
        first = pairs[0][0]
        opened = Opened(db.session, pairs[0][1], user)
        if first.kind != "draft":
            route = stages(opened.definition, opened.params, opened.declaration, opened.events)
    return Workbench(
        user.enterprise,
        _facts(user.enterprise),
        _tags(user.enterprise, recognitions_of(user.enterprise.id)),
        first,
        route,
        [t for t, _d in pairs[1:]],
        eligibility.overview(user),
        messages,
    )


def _waiting(user: Account) -> list[Declaration]:
    statement = select(Declaration).where(scopes.held_by(user), Declaration.holder_role == roles.ENTERPRISE)
    return list(db.session.scalars(statement).unique())


def _urgency(task: Task) -> tuple[int, int, int]:
    """Certification stands in the way of everything; then returned, stamp and draft, the shortest time first."""
    order = {"returned": 0, "stamp": 1, "draft": 2}[task.kind]
    days = task.clock.days if task.clock and task.clock.days is not None else 999
    return (0 if task.certification else 1, order, days)


def task_of(declaration: Declaration, at: datetime, days: Mapping[date, bool]) -> Task:
    """A declaration held by its enterprise, as a thing to do."""
    definition, batch = declaration.programme.definition, declaration.batch
    title = definition.title if definition.kind == "certification" else f"{definition.title}（{batch.title}）"
    certification = definition.kind == "certification"
    if declaration.status == "returned":
        count = len(declaration.reopened or [])
        reason = _("退回修改 %(n)s 处，其余内容都在", n=count) if count else _("退回修改，已填的内容都在")
        clock = _correction_clock(declaration, at, days)
        return Task(
            "returned", declaration.public_id, title, reason, _("退回修改"), "warn", _("去修改"), clock, certification
        )
    if declaration.status == "in_progress":
        reason = _("已通过审核，下载材料，盖公章后扫描成 PDF 上传")
        clock = clock_until(declaration.due_at, at, days)
        return Task(
            "stamp", declaration.public_id, title, reason, _("待盖章"), "warn", _("上传盖章材料"), clock, certification
        )
    reason = _("还没提交，上次保存在 %(when)s", when=_when(declaration.saved_at))
    clock = clock_until(batch.closes_at, at, days)
    return Task("draft", declaration.public_id, title, reason, _("草稿"), None, _("继续填"), clock, certification)


def _correction_clock(declaration: Declaration, at: datetime, days: Mapping[date, bool]) -> Clock | None:
    """Until when it can come back, as guard ``correction_open`` judges it: the later of the two ends counts."""
    params = registry.parameters_of(declaration.programme.definition, declaration.batch.parameters)
    closes, extra = declaration.batch.closes_at, timedelta(days=int(params.get("correction_days") or 0))
    if closes is None:
        return None
    returned = declaration.step_since if extra else None
    return clock_until(max(closes, returned or closes) + extra, at, days)


def _when(moment: datetime) -> str:
    return moment.astimezone(SHANGHAI).strftime("%m-%d %H:%M")


def _facts(enterprise: Enterprise) -> str:
    industry = (lookups.industry(enterprise.industry_code or "") or "").split(" / ")[-1]
    code = _("统一社会信用代码 %(code)s", code=enterprise.credit_code) if enterprise.credit_code else ""
    return " · ".join(part for part in (code, region_name(enterprise.region_code), industry) if part)


def _tags(enterprise: Enterprise, recognitions: Sequence[Recognition]) -> list[tuple[str, str]]:
    status = enterprise.certification_status
    tags = [(_(STATE_WORDS[status]), STATE_TONES[status])]
    for recognition in recognitions:
        key = recognition.programme_key
        known = registry.catalogue().get(key) if key in registry.catalogue() else None
        name = (known.short_title or known.title) if known else recognition.title
        if recognition.state == "valid":
            tags.append((name, RECOGNITION_TONES["valid"]))
    return tags
