"""What the public sees: open rounds, notices, published lists, recognitions on exact question, printed codes.

Only published facts leave here: no contact, no telephone, no figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import Select, and_, case, exists, func, or_, select

from app.definitions import registry
from app.definitions.schema import Definition
from app.documents.codes import normalise_code
from app.errors import DomainError, NotFound, TooMany
from app.extensions import db
from app.fields.base import clean_text
from app.models import (
    Batch,
    Enterprise,
    Notice,
    PrintRecord,
    PublicList,
    PublicListEntry,
    Recognition,
    Revision,
)
from app.models.base import now
from app.services.challenge import Solution, Visitor, use_up
from app.services.deadline import Clock, clock_until, day_words
from app.services.eligibility import APPLIED
from app.services.listing import Asked, Page, paginate
from app.services.reference import holidays
from app.services.throttle import Limit, hit, lock, network_of, seconds_to_wait
from app.services.unit_of_work import unit_of_work
from app.workflow.calendar import end_of, local_date

LEVELS = {"city": "市级", "province": "省级", "ministry": "部级"}
FRONT_ROWS = 5
QUERY_LENGTH = 100
LOOKUPS_PER_HOUR = 60
"""Printed codes and recognitions that one address may look up in an hour."""


@dataclass(frozen=True)
class Round:
    """An open round on the front page."""

    definition: Definition
    batch: Batch
    clock: Clock | None


@dataclass(frozen=True)
class Front:
    """The front page."""

    rounds: Sequence[Round]
    level: str
    notices: Sequence[Notice]
    lists: Sequence[PublicList]


@dataclass(frozen=True)
class Printed:
    """What a printed code stands for."""

    code: str
    title: str
    document: str
    serial: str
    enterprise: str
    revision: int
    newest: int
    digest: str
    printed_at: datetime

    @property
    def current(self) -> bool:
        """Whether nothing was submitted after this paper was printed."""
        return self.revision == self.newest


def front_page(level: str) -> Front:
    """Everything on the portal; ``level`` chooses the tab of the notices."""
    notices = _notices(level).limit(FRONT_ROWS)
    lists = _public_lists().limit(FRONT_ROWS)
    return Front(open_rounds(), level, list(db.session.scalars(notices)), list(db.session.scalars(lists).unique()))


def open_rounds() -> list[Round]:
    """Rounds that take declarations now, the one that closes first in front."""
    at, days = now(), holidays()
    definitions = {d.key: d for d in registry.catalogue() if d.kind in APPLIED}
    batches = db.session.scalars(select(Batch).where(Batch.programme_key.in_(definitions), Batch.published))
    rounds = []
    for batch in sorted(batches, key=lambda b: (b.closes_at is None, b.closes_at, b.id)):
        if batch.is_open(at):
            definition = definitions[batch.programme_key]
            resolved = registry.resolve(definition, registry.parameters_of(definition, batch.parameters))
            rounds.append(Round(resolved, batch, clock_until(batch.closes_at, at, days)))
    return rounds


def check_level(level: str) -> str:
    """``level`` if it is one of the three; DomainError otherwise."""
    if level not in LEVELS:
        raise DomainError(_("没有“%(level)s”这一级公告。请从市级、省级、部级里选。", level=level[:20]))
    return level


def clean_query(text: str) -> str:
    """A search text as it is compared; DomainError when it is too long."""
    text = clean_text(text)
    if len(text) > QUERY_LENGTH:
        raise DomainError(_("搜索词最多 %(max)s 个字，现在是 %(n)s 个，请缩短。", max=QUERY_LENGTH, n=len(text)))
    return text


def _notices(level: str | None) -> Select[tuple[Notice]]:
    statement = select(Notice).where(Notice.visible, Notice.published_at <= now())
    if level:
        statement = statement.where(Notice.level == level)
    return statement.order_by(Notice.published_at.desc(), Notice.id.desc())


def list_notices(query: str, level: str | None, asked: Asked) -> Page[Notice]:
    """Published notices that hold ``query`` in title, number or text, newest first."""
    statement = _notices(level)
    if query:
        columns = (Notice.title, Notice.doc_no, Notice.content)
        statement = statement.where(or_(*(c.contains(query, autoescape=True) for c in columns)))
    return paginate(statement, asked)


def get_notice(public_id: str) -> Notice:
    """A published notice; NotFound otherwise."""
    found = db.session.scalars(_notices(None).where(Notice.public_id == public_id)).first()
    if found is None:
        raise NotFound(_("没有找到这条公告，可能已经撤下。请从“公告”里重新找。"))
    return found


def list_public_lists(asked: Asked) -> Page[PublicList]:
    """Published lists: running 公示 first, the one that ends first in front, then the others, newest first."""
    return paginate(_public_lists(), asked)


def _public_lists() -> Select[tuple[PublicList]]:
    runs = and_(PublicList.kind == "publicity", PublicList.closes_on >= local_date(now()))
    first = case((runs, PublicList.closes_on))
    order = (first.asc().nulls_last(), PublicList.published_at.desc(), PublicList.id.desc())
    return select(PublicList).order_by(*order)


def publicity_words(listed: PublicList) -> tuple[str, str] | None:
    """State of a 公示 as the public reads it, with its tone; None for a final list."""
    if listed.kind != "publicity" or listed.closes_on is None:
        return None
    if now() >= end_of(listed.closes_on):
        return _("公示已结束"), ""
    day = day_words(listed.closes_on, local_date(now()))
    if listed.opens_on is not None and local_date(now()) < listed.opens_on:
        return _("%(first)s 开始公示", first=day_words(listed.opens_on, local_date(now()))), "go"
    return _("公示中，至 %(day)s 24:00 止", day=day), "go"


def get_public_list(public_id: str) -> PublicList:
    """A published list; NotFound otherwise."""
    found = db.session.scalars(select(PublicList).where(PublicList.public_id == public_id)).unique().first()
    if found is None:
        raise NotFound(_("没有找到这份名单。请从“公示”里重新找。"))
    return found


def list_entries(listed: PublicList, query: str, asked: Asked) -> Page[PublicListEntry]:
    """Enterprises of a list in its order; ``query`` is part of a name or code."""
    statement = select(PublicListEntry).where(PublicListEntry.list_id == listed.id)
    if query:
        wanted = PublicListEntry.enterprise_name.contains(query, autoescape=True)
        statement = statement.where(or_(wanted, PublicListEntry.credit_code.contains(query.upper(), autoescape=True)))
    return paginate(statement.order_by(PublicListEntry.position, PublicListEntry.id), asked)


def count_entries(lists: Sequence[PublicList]) -> dict[int, int]:
    """How many enterprises each list holds, by the list's id; one statement."""
    statement = (
        select(PublicListEntry.list_id, func.count())
        .where(PublicListEntry.list_id.in_([x.id for x in lists]))
        .group_by(PublicListEntry.list_id)
    )
    return {list_id: count for list_id, count in db.session.execute(statement)}


def find_recognitions(name: str, credit_code: str) -> list[Recognition]:
    """Published recognitions of the enterprise with exactly this name and code; empty if there is none.

    The answer is the same for an unknown enterprise and for one that was never recognised.
    """
    published = exists().where(PublicListEntry.declaration_id == Recognition.declaration_id)
    statement = (
        select(Recognition)
        .join(Enterprise, Enterprise.id == Recognition.enterprise_id)
        .where(Enterprise.name == name, Enterprise.credit_code == credit_code, published)
        .order_by(Recognition.valid_from.desc(), Recognition.id.desc())
    )
    return list(db.session.scalars(statement).unique())


def count_lookup(kind: str, address: str | None) -> None:
    """Count one look-up of ``address``; TooMany beyond the hourly limit."""
    subject = network_of(address)
    with unit_of_work() as session:
        lock(session, f"{kind}:{subject}")
        wait = seconds_to_wait(session, Limit(kind, subject, LOOKUPS_PER_HOUR, timedelta(hours=1)))
        if wait:
            raise TooMany(
                _(
                    "查得太频繁了，每小时最多 %(n)s 次。请 %(minutes)s 分钟后再查。",
                    n=LOOKUPS_PER_HOUR,
                    minutes=-(-wait // 60),
                ),
                retry_after=wait,
            )
        hit(session, kind, subject)


def solve_challenge(visitor: Visitor, solution: Solution) -> bool:
    """Whether the picture code of this page was read; it is used up either way."""
    with unit_of_work() as session:
        return use_up(session, visitor, solution)


def printed_paper(text: str) -> Printed:
    """What the code ``text`` on a paper stands for; NotFound if it is none of ours."""
    code = normalise_code(text)
    record = None
    if code is not None:
        wanted = PrintRecord.code.in_((code, code.replace("-", "")))
        record = db.session.scalars(select(PrintRecord).where(wanted)).unique().first()
    if record is None:
        raise NotFound(_("没有这个校验码。请对照纸面重新输入 8 位校验码；还是没有的，这份材料不是本平台生成的。"))
    declaration = record.declaration
    definition = declaration.programme.definition
    document = next((d.title for d in definition.documents if d.key == record.document), definition.title)
    newest = db.session.scalar(select(func.max(Revision.number)).where(Revision.declaration_id == declaration.id))
    return Printed(
        code or "",
        f"{definition.title}（{declaration.batch.title}）",
        document,
        declaration.serial_no or "",
        declaration.enterprise_name or "",
        record.revision_no,
        newest or record.revision_no,
        record.digest[:16],
        record.created_at,
    )
