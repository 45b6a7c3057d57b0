"""What the pages of batches show: lines, tabs by state, words about the window."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from flask import url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from app.forms.review import read_version
from app.models import Batch, Declaration
from app.models.base import now
from app.services.batch import Summary
from app.services.deadline import day_words, end_words
from app.services.publication import Line as Published
from app.services.publication import line_of
from app.services.reference import region_name
from app.services.todo import step_of
from app.views.page import local_time
from app.views.todo_page import state_words
from app.workflow.calendar import local_date
from app.workflow.steps import STATUS_LABELS

MAX_CHOSEN = 5000


@dataclass(frozen=True)
class Line:
    """One declaration of a batch as tables show it."""

    id: str
    version: int
    name: str
    serial: str
    region: str
    tag: str
    tone: str
    public: Published

    @classmethod
    def of(cls, declaration: Declaration) -> Line:
        """The line of ``declaration``."""
        tag, tone = state_words(declaration, step_of(declaration))
        name = declaration.enterprise_name or _("（没有名称）")
        region = region_name(declaration.region_code)
        number = declaration.serial_no or ""
        return cls(declaration.public_id, declaration.version, name, number, region, tag, tone, line_of(declaration))


def name_of(summary: Summary) -> str:
    """Programme and batch, said once where both have the same name."""
    programme = summary.definition.menu or summary.definition.title
    return programme if summary.batch.title == programme else f"{programme} · {summary.batch.title}"


def lines_of(declarations: Iterable[Declaration]) -> list[Line]:
    """Lines in the same order."""
    return [Line.of(d) for d in declarations]


def window_state(batch: Batch) -> tuple[str, str, str]:
    """Words, tone and dates of a batch's window."""
    moment = now()
    words = _window_dates(batch, local_date(moment))
    if not batch.published:
        return _("未显示"), "", words
    if batch.opens_at and moment < batch.opens_at:
        return _("未开始"), "", words
    if batch.closes_at and moment >= batch.closes_at:
        return _("已截止"), "warn", words
    if batch.opens_at is None and batch.closes_at is None:
        return _("常年受理"), "ok", ""
    return _("申报中"), "ok", words


def ticked_on(tick: Mapping[str, str]) -> str:
    """The Shanghai day on which a reminder was ticked."""
    return local_time(datetime.fromisoformat(tick["at"]), "%Y-%m-%d")


def _window_dates(batch: Batch, today: date) -> str:
    opens = day_words(local_date(batch.opens_at), today) if batch.opens_at else _("即日")
    closes = end_words(batch.closes_at, today) if batch.closes_at else _("另行通知")
    return _("%(opens)s 至 %(closes)s", opens=opens, closes=closes)


def state_tabs(summary: Summary, status: str | None, step: str | None) -> list[tuple[str, str, bool, int]]:
    """One tab for all, then one for each state that occurs."""
    here = summary.batch.public_id
    tabs = [(_("全部"), url_for("batch.show", id=here), not status and not step, summary.total)]
    for c in summary.counts:
        if c.step:
            tabs.append((c.label, url_for("batch.show", id=here, step=c.step), step == c.step, c.count))
        else:
            label = _(STATUS_LABELS[c.status])
            tabs.append(
                (label, url_for("batch.show", id=here, status=c.status), not step and status == c.status, c.count)
            )
    return tabs


def choices_of(data: MultiDict[str, str]) -> dict[str, int]:
    """Posted choices ``chosen=<public id>:<version>`` as a mapping. InvalidInput for anything else."""
    chosen: dict[str, int] = {}
    for text in data.getlist("chosen")[:MAX_CHOSEN]:
        public_id, _colon, version = text.partition(":")
        chosen[public_id] = read_version(version)
    return chosen
