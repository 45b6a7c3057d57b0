"""Rows and words of the to-do lists, and of anything else that says in which state a declaration is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from flask import url_for
from flask_babel import gettext as _

from app.definitions.schema import Definition, Step
from app.models import Account, Declaration, Opinion
from app.permissions import roles
from app.services.deadline import clock_until
from app.services.reference import region_name
from app.services.todo import Entry, Listing
from app.views.holder import holder_words
from app.views.office_page import waiting_words
from app.views.page import short_time
from app.workflow.route import place_label
from app.workflow.steps import STATUS_LABELS, STATUS_TONES

STAFF_SOON = 2
"""Working days left from which a deadline is amber for staff (3 for enterprises)."""


@dataclass(frozen=True)
class RowClock:
    """A deadline in few words. ``tone``: None, warn or bad."""

    text: str
    tone: str | None = None


@dataclass(frozen=True)
class Row:
    """One row as ``components/work.html`` draws it."""

    title: str
    reason: str
    tag: str
    tone: str | None
    clock: str | None
    clock_tone: str | None
    verb: str
    url: str
    holder: str = ""
    pick: str = ""
    """What the box before the row posts: public id and version."""


def _words_and_tone(clock: RowClock | None) -> tuple[str | None, str | None]:
    return (clock.text, clock.tone) if clock is not None else (None, None)


def state_words(declaration: Declaration, step: Step | None) -> tuple[str, str]:
    """Words and tone of a declaration's state: the step while it is under way, else the status."""
    if declaration.status != "in_progress" or step is None:
        return _(STATUS_LABELS[declaration.status]), STATUS_TONES[declaration.status]
    if step.kind in ("review", "expert"):
        return _("%(step)s中", step=step.label), "go"
    if step.kind == "stamp":
        return _("待传盖章材料"), "go"
    if step.kind == "publicity":
        return place_label(declaration, step), "warn" if declaration.open_objections else "go"
    if step.kind == "fund":
        return _("等资金下达"), "go"
    if step.kind == "handover":
        return _("等行文推荐"), "go"
    return (_("待公布名单"), "go") if step.kind == "decide" else (step.label, "go")


def short_clock(
    end: datetime | None, step: Step | None, at: datetime, holidays: Mapping[date, bool], *, soon: int = STAFF_SOON
) -> RowClock | None:
    """The clock of a row: few words. 待公布 where a step has a limit but the year's holidays are not published."""
    clock = clock_until(end, at, holidays)
    if end is None or clock is None:
        return _open_end(step)
    if clock.days is None:
        return RowClock(clock.short, clock.tone)
    if at >= end:
        return RowClock(clock.short if clock.days < 0 else _("已超期"), "bad")
    if clock.days <= 0:
        return RowClock(_("今天 24:00 到期"), "bad")
    return RowClock(clock.short, "warn" if clock.days <= soon else None)


def _open_end(step: Step | None) -> RowClock | None:
    if step is None or step.due_days is None:
        return None
    return RowClock(_("期限待公布"))


def rows_of(listing: Listing, user: Account, at: datetime) -> list[Row]:
    """The rows of one page of a list as ``user`` reads it."""
    return [row_of(entry, user, at, listing.holidays) for entry in listing.entries]


def row_of(entry: Entry, user: Account, at: datetime, holidays: Mapping[date, bool]) -> Row:
    """One row: what it is about, why, in which state, until when, and the verb that leads on."""
    own = user.enterprise_id is not None and entry.declaration.enterprise_id == user.enterprise_id
    return _own_row(entry, at, holidays) if own else _office_row(entry, user, at, holidays)


def _office_row(entry: Entry, user: Account, at: datetime, holidays: Mapping[date, bool]) -> Row:
    declaration, step = entry.declaration, entry.step
    tag, tone = (_("再次提交"), "warn") if _is_back(entry) else state_words(declaration, step)
    definition = declaration.programme.definition
    parts = (
        region_name(declaration.region_code), declaration.serial_no, definition.menu or definition.title,
        _news(entry) or _to_do(entry, user),
    )  # fmt: skip
    under_way = declaration.status == "in_progress"
    clock = short_clock(declaration.due_at, step, at, holidays) if under_way else None
    words, clock_tone = _words_and_tone(clock)
    return Row(
        title=declaration.enterprise_name or _("（没有名称）"),
        reason=" · ".join(p for p in parts if p),
        tag=tag,
        tone=tone,
        clock=words,
        clock_tone=clock_tone,
        verb=_office_verb(entry, user),
        url=url_for("review.show", id=declaration.public_id),
        holder=holder_words(declaration, at, entry.claimant, entry.experts),
        pick=f"{declaration.public_id}:{declaration.version}",
    )


def _is_back(entry: Entry) -> bool:
    """Whether it waits for review once more after a return."""
    return entry.revision > 1 and entry.event is None and entry.step is not None and entry.step.kind == "review"


def _news(entry: Entry) -> str:
    """What the reader did last, else that it was handed in more than once."""
    if entry.event is not None:
        return _("您 %(when)s 作了“%(deed)s”", when=short_time(entry.event.at), deed=entry.event.label)
    return _("第 %(n)s 版", n=entry.revision) if entry.revision > 1 else ""


def _to_do(entry: Entry, user: Account) -> str:
    """What this step wants of the reader, where its name does not say it."""
    declaration, step = entry.declaration, entry.step
    if step is None or step.kind not in ("handover", "publicity", "fund"):
        return ""
    if step.kind == "publicity":
        if declaration.open_objections:
            return _("核查异议，写结论（%(n)s 条）", n=declaration.open_objections)
        return waiting_words(entry.public) if entry.public is not None else ""
    if step.kind == "handover":
        return _("上传盖章的推荐文件，一并报出")
    return _("填文号和金额，下达资金") if roles.FINANCE in user.role_names else _("等资金下达")


def _office_verb(entry: Entry, user: Account) -> str:
    step = entry.step
    if step is None or entry.event is not None:
        return _("查看")
    verbs = {
        "review": _("审核"), "decide": _("办理"), "publicity": _("办理公示"), "handover": _("行文推荐"), "fund": _("下达资金"),
    }  # fmt: skip
    if step.kind == "expert":
        return _("评审") if "expert" in user.role_names else _("分派")
    return verbs.get(step.kind, _("查看"))


def _own_row(entry: Entry, at: datetime, holidays: Mapping[date, bool]) -> Row:
    declaration, step = entry.declaration, entry.step
    definition = declaration.programme.definition
    tag, tone = state_words(declaration, step)
    verb, url, reason = _next_of(entry, definition)
    end = declaration.due_at if declaration.status == "in_progress" else declaration.batch.closes_at
    open_to_enterprise = declaration.holder_role == "enterprise"
    clock = short_clock(end, step, at, holidays, soon=3) if open_to_enterprise else None
    words, clock_tone = _words_and_tone(clock)
    windowed = declaration.batch.closes_at is not None
    title = definition.menu or definition.title
    return Row(
        title=_("%(title)s（%(batch)s）", title=title, batch=declaration.batch.title) if windowed else title,
        reason=reason,
        tag=tag,
        tone="warn" if step is not None and step.kind == "stamp" else tone,
        clock=words,
        clock_tone=clock_tone,
        verb=verb,
        url=url,
        # Who in the office is at work on it is the office's own business.
        holder="" if open_to_enterprise else holder_words(declaration, at, experts=entry.experts),
    )


def _next_of(entry: Entry, definition: Definition) -> tuple[str, str, str]:
    """Verb, address and reason of an enterprise's row: the page where it goes on."""
    declaration, step = entry.declaration, entry.step
    overview = url_for("declaration.show", id=declaration.public_id)
    if declaration.status == "draft":
        return _("继续填"), f"{overview}sections/", _("草稿，%(when)s 保存", when=short_time(declaration.saved_at))
    if declaration.status == "returned":
        section = first_reopened_section(definition, declaration.reopened or [])
        return _("去修改"), f"{overview}sections/{section}" if section else overview, _return_reason(entry.opinion)
    if step is not None and step.kind == "stamp":
        return _("上传盖章材料"), f"{overview}stamped", _stamp_reason(entry.opinion)
    return _("看进度"), overview, declaration.serial_no or ""


def _return_reason(opinion: Opinion | None) -> str:
    if opinion is None or not opinion.text:
        return _("请修改后重新提交")
    return _("退回原因：%(words)s", words=opinion.text)


def _stamp_reason(opinion: Opinion | None) -> str:
    if opinion is None or opinion.verdict != "stamp_return":
        return _("请下载 Word 材料，打印盖章后扫描成 PDF 上传")
    return _("盖章材料要重新上传：%(words)s", words=opinion.text)


def first_reopened_section(definition: Definition, paths: list[str]) -> str | None:
    """Key of the first section with an answer that may be changed; files stand in the last section."""
    first = {p.split("/")[0] for p in paths}
    for section in definition.sections:
        if not paths or first & ({f.key for f in section.fields} | {t.key for t in section.tables}):
            return section.key
    return "attachments" if any(p.startswith("@") for p in paths) else None
