"""What stands around every wizard page: title and save state above, step rail at the side, links below."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext as _

from app.definitions.evaluation import ATTACHMENTS, Evaluation, SectionState
from app.errors import NotFound
from app.models.base import now
from app.services.deadline import end_words
from app.services.opened import Opened
from app.views.returned import Returned, returned
from app.views.wizard_page import anchor, count
from app.workflow.calendar import local_date

CHECK = "check"


@dataclass(frozen=True)
class Stop:
    """One entry of the step rail."""

    key: str
    label: str
    url: str
    state: str | None
    text: str
    current: bool = False


@dataclass(frozen=True)
class Frame:
    """Around one page of the wizard. ``previous`` and ``next`` are stops or None; ``returned`` says why it came back."""

    id: str
    title: str
    subtitle: str
    rail: list[Stop]
    current: Stop
    previous: Stop | None
    next: Stop | None
    returned: Returned | None = None


def section_url(public_id: str, key: str, **more: Any) -> str:
    """Address of a stop of the rail."""
    if key == CHECK:
        return url_for("submission.check", id=public_id)
    return url_for("wizard.section", id=public_id, section=key, **more)


def frame(opened: Opened, current: str) -> Frame:
    """The frame of the page ``current``: a section, ``attachments`` or ``check``. NotFound if it does not exist."""
    stops = rail(opened, current)
    at = next((i for i, stop in enumerate(stops) if stop.current), None)
    if at is None:
        raise NotFound(_("申报表里没有这一节，或者按您填的内容这一节不用填。请从左边的步骤重新选。"))
    declaration = opened.declaration
    return Frame(
        id=declaration.public_id,
        title=opened.definition.title,
        subtitle=_subtitle(opened),
        rail=stops,
        current=stops[at],
        previous=stops[at - 1] if at else None,
        next=stops[at + 1] if at + 1 < len(stops) else None,
        returned=returned(opened),
    )


def _subtitle(opened: Opened) -> str:
    batch = opened.declaration.batch
    if batch.closes_at is None:
        return batch.title if batch.title != opened.definition.title else ""
    return _("%(batch)s · %(end)s 截止", batch=batch.title, end=end_words(batch.closes_at, local_date(now())))


def rail(opened: Opened, current: str) -> list[Stop]:
    """Every page of the wizard with its state, in order."""
    evaluation, public_id = opened.evaluation, opened.declaration.public_id
    strict = current == CHECK
    stops = []
    for section in evaluation.sections:
        if section.visible:
            state, text = section_words(section, strict)
            stops.append(_stop(public_id, section.spec.key, section.spec.label, state, text, current))
    if any(a.stage == "submit" for a in opened.definition.attachments):
        state, text = attachment_words(evaluation, strict)
        stops.append(_stop(public_id, ATTACHMENTS, opened.definition.attachments_label, state, text, current))
    left = len(evaluation.blocking)
    text = _("还有 %(n)s 处", n=left) if left else _("填完了，可以提交")
    stops.append(_stop(public_id, CHECK, _("检查并提交"), None, text, current))
    return stops


def _stop(public_id: str, key: str, label: str, state: str | None, text: str, current: str) -> Stop:
    return Stop(key, label, section_url(public_id, key), state, text, key == current)


def section_words(section: SectionState, strict: bool = False) -> tuple[str | None, str]:
    """State and words of a section: what must be changed before what is missing, what is missing before what is done."""
    wrong, missing = count(section.all_fields())
    wrong += sum(table.error is not None for table in section.all_tables())
    words = [_("%(n)s 个%(what)s", n=len(t.rows), what=t.spec.row_label) for t in section.tables if t.visible]
    if wrong:
        return "bad", "，".join([*words, _("%(n)s 处要改", n=wrong)])
    if missing:
        return _missing_words(section, missing, strict)
    return "done", "，".join(words) or _("%(n)s 项已填完", n=sum(f.visible for f in section.fields))


def _missing_words(section: SectionState, missing: int, strict: bool) -> tuple[str | None, str]:
    """A section in which nothing is wrong but ``missing`` answers lack: begun or not, or, when submitting, in the way."""
    if strict:
        return "bad", _("%(n)s 项没填", n=missing)
    if any(f.visible and f.typed for f in section.all_fields()):
        return "warn", _("还有 %(n)s 项没填", n=missing)
    return None, _("%(n)s 项要填", n=missing)


def attachment_words(evaluation: Evaluation, strict: bool = False) -> tuple[str | None, str]:
    """State and words of the attachments: how many kinds are there of those that must be."""
    files = [f for f in evaluation.files if f.spec.stage == "submit"]
    # For each kind that must be there, whether it is.
    needed = [bool(f.files) for f in files if f.required]
    there = sum(needed)
    if all(needed):
        total = sum(len(f.files) for f in files)
        return ("done" if total else None), _("已传 %(n)s 份", n=total)
    if strict:
        return "bad", _("%(n)s 份没传", n=len(needed) - there)
    return ("warn" if there else None), _("已传 %(a)s / %(b)s 份", a=there, b=len(needed))


def section_problems(opened: Opened, section: str) -> list[tuple[str, str]]:
    """What must be changed in ``section``: each sentence with the link to its place."""
    wrong = [p for p in opened.evaluation.of(section) if p.severity == "error"]
    return [(p.message, f"#{anchor(opened, p.path)}") for p in wrong]
