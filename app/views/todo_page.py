"""Rows, filters and words of the to-do lists, and of anything else that says in which state a declaration is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import request, url_for
from flask_babel import gettext as _

from app.definitions.schema import Definition, Step
from app.models import Account, Declaration
from app.services.deadline import clock_until
from app.services.reference import region_name
from app.services.todo import Entry, Filters, Kind, Listing
from app.views.page import short_time
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


def state_words(declaration: Declaration, step: Step | None) -> tuple[str, str]:
    """Words and tone of a declaration's state: the step while it is under way, else the status."""
    if declaration.status != "in_progress" or step is None:
        return _(STATUS_LABELS[declaration.status]), STATUS_TONES[declaration.status]
    if step.kind in ("review", "expert"):
        return _("%(step)s中", step=step.label), "go"
    if step.kind == "stamp":
        return _("待传盖章材料"), "go"
    return (_("待公布名单"), "go") if step.kind == "decide" else (step.label, "go")


def short_clock(
    end: datetime | None, step: Step | None, at: datetime, holidays: Mapping[date, bool], *, soon: int = STAFF_SOON
) -> RowClock | None:
    """The clock of a row: few words. 待公布 where a step has a limit but the year's holidays are not published."""
    clock = clock_until(end, at, holidays)
    if end is None or clock is None:
        return RowClock(_("期限待公布")) if step is not None and step.due_days is not None else None
    if clock.days is None:
        return RowClock(clock.short, clock.tone)
    if at >= end:
        return RowClock(clock.short if clock.days < 0 else _("已超期"), "bad")
    if clock.days <= 0:
        return RowClock(_("今天 24:00 到期"), "bad")
    return RowClock(clock.short, "warn" if clock.days <= soon else None)


def rows_of(listing: Listing, user: Account, at: datetime) -> list[Row]:
    """The rows of one page of a list as ``user`` reads it."""
    return [row_of(entry, user, at, listing.holidays) for entry in listing.entries]


def row_of(entry: Entry, user: Account, at: datetime, holidays: Mapping[date, bool]) -> Row:
    """One row: what it is about, why, in which state, until when, and the verb that leads on."""
    own = user.enterprise_id is not None and entry.declaration.enterprise_id == user.enterprise_id
    return _own_row(entry, at, holidays) if own else _office_row(entry, user, at, holidays)


def _office_row(entry: Entry, user: Account, at: datetime, holidays: Mapping[date, bool]) -> Row:
    declaration, step = entry.declaration, entry.step
    tag, tone = state_words(declaration, step)
    if entry.revision > 1 and step is not None and step.kind == "review" and entry.event is None:
        tag, tone = _("再次提交"), "warn"
    definition = declaration.programme.definition
    parts = [region_name(declaration.region_code), declaration.serial_no or "", definition.menu or definition.title]
    if entry.event is not None:
        parts.append(_("您 %(when)s 作了“%(deed)s”", when=short_time(entry.event.at), deed=entry.event.label))
    elif entry.revision > 1:
        parts.append(_("第 %(n)s 版", n=entry.revision))
    clock = short_clock(declaration.due_at, step, at, holidays) if declaration.status == "in_progress" else None
    return Row(
        title=declaration.enterprise_name or _("（没有名称）"),
        reason=" · ".join(p for p in parts if p),
        tag=tag,
        tone=tone,
        clock=clock.text if clock else None,
        clock_tone=clock.tone if clock else None,
        verb=_office_verb(entry, user),
        url=url_for("review.show", id=declaration.public_id),
    )


def _office_verb(entry: Entry, user: Account) -> str:
    step = entry.step
    if step is None or entry.event is not None:
        return _("查看")
    verbs = {"review": _("审核"), "decide": _("办理")}
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
    windowed = declaration.batch.closes_at is not None
    title = definition.menu or definition.title
    return Row(
        title=_("%(title)s（%(batch)s）", title=title, batch=declaration.batch.title) if windowed else title,
        reason=reason,
        tag=tag,
        tone="warn" if step is not None and step.kind == "stamp" else tone,
        clock=clock.text if clock else None,
        clock_tone=clock.tone if clock else None,
        verb=verb,
        url=url,
    )


def _next_of(entry: Entry, definition: Definition) -> tuple[str, str, str]:
    """Verb, address and reason of an enterprise's row: the page where it goes on."""
    declaration, step = entry.declaration, entry.step
    overview = url_for("declaration.show", id=declaration.public_id)
    if declaration.status == "draft":
        return _("继续填"), f"{overview}sections/", _("草稿，%(when)s 保存", when=short_time(declaration.saved_at))
    if declaration.status == "returned":
        words = entry.opinion.text if entry.opinion else ""
        section = first_reopened_section(definition, declaration.reopened or [])
        url = f"{overview}sections/{section}" if section else overview
        return _("去修改"), url, _("退回原因：%(words)s", words=words) if words else _("请修改后重新提交")
    if step is not None and step.kind == "stamp":
        back = entry.opinion is not None and entry.opinion.verdict == "stamp_return"
        reason = (
            _("盖章材料要重新上传：%(words)s", words=entry.opinion.text)
            if back and entry.opinion
            else _("请下载 Word 材料，打印盖章后扫描成 PDF 上传")
        )
        return _("上传盖章材料"), f"{overview}stamped", reason
    return _("看进度"), overview, declaration.serial_no or ""


def first_reopened_section(definition: Definition, paths: list[str]) -> str | None:
    """Key of the first section with an answer that may be changed; files stand in the last section."""
    first = {p.split("/")[0] for p in paths}
    for section in definition.sections:
        if not paths or first & ({f.key for f in section.fields} | {t.key for t in section.tables}):
            return section.key
    return "attachments" if any(p.startswith("@") for p in paths) else None


# -- filters in the address -------------------------------------------------------------------------------------


def address(**changes: Any) -> str:
    """This page's address with some parameters replaced (None removes); always from the first page."""
    args = {k: v for k, v in request.args.items() if k != "page"} | changes
    return url_for(request.endpoint or "", **{k: v for k, v in args.items() if v not in (None, "")})


def chips_of(kinds: list[Kind], filters: Filters) -> list[tuple[str, str, bool]]:
    """Filter chips: programmes (if there are several), steps, due soon; each toggles its part of the address."""
    chips = []
    programmes = {k.programme: k.title for k in kinds}
    if len(programmes) > 1 or filters.programme:
        chips += [_chip("programme", key, title, filters.programme) for key, title in programmes.items()]
    steps = {_step_value(k): _step_label(k) for k in kinds if not filters.programme or k.programme == filters.programme}
    if len(steps) > 1 or filters.step:
        chips += [_chip("step", key, label, filters.step) for key, label in steps.items()]
    chips.append(_chip("soon", "1", _("3 个工作日内到期"), "1" if filters.soon else None))
    return chips


def _chip(name: str, value: str, label: str, chosen: str | None) -> tuple[str, str, bool]:
    on = chosen == value
    return label, address(**{name: None if on else value}), on


def _step_value(kind: Kind) -> str:
    return kind.status if kind.status in ("draft", "returned") else (kind.step or "")


def _step_label(kind: Kind) -> str:
    return kind.label or _(STATUS_LABELS[kind.status])
