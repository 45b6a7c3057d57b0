"""What the pages of a declaration show: rows of the list, the owner's buttons, answers as read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from flask import url_for
from flask_babel import gettext as _

from app.definitions.evaluation import Evaluation, FieldState, RowState, TableState
from app.models import Declaration
from app.permissions import rules
from app.services.deadline import Clock, clock_until
from app.services.opened import Opened
from app.views.office_page import period_words
from app.workflow.steps import STATUS_LABELS, STATUS_TONES

ASIDE = ("certification", "change", "update", "account_change")
"""Kinds that have their own place under 我的企业."""


@dataclass(frozen=True)
class Row:
    """A declaration in the list, in the words of the to-do component."""

    title: str
    reason: str
    tag: str
    tone: str
    clock: str | None
    clock_tone: str | None
    verb: str
    url: str


@dataclass(frozen=True)
class Button:
    """A deed of the owner: a link, or the reasons why not now."""

    label: str
    url: str
    kind: str
    reasons: tuple[str, ...] = ()


@dataclass
class Block:
    """Answers of a section, a group of columns or a row, as (label, text) pairs, with what is nested in it."""

    title: str
    id: str
    facts: list[tuple[str, str]]
    blocks: list[Block] = field(default_factory=list)


def list_rows(
    found: Iterable[Declaration], at: datetime, days: Mapping[date, bool], starters: Mapping[int, str] | None = None
) -> list[Row]:
    """Rows of 我的申报; ``starters``: ids of officials who fill in for the enterprise, with their names. Deleted
    drafts and what belongs to 我的企业 are left out."""
    return [
        _row(d, at, days, (starters or {}).get(d.created_by or 0, ""))
        for d in found
        if d.programme.kind not in ASIDE and not (d.status == "withdrawn" and d.submitted_at is None)
    ]


def _row(declaration: Declaration, at: datetime, days: Mapping[date, bool], starter: str) -> Row:
    clock: Clock | None = None
    if declaration.status == "draft":
        clock = clock_until(declaration.batch.closes_at, at, days)
    elif declaration.holder_role == "enterprise":
        clock = clock_until(declaration.due_at, at, days)
    verbs = {"draft": _("继续填"), "returned": _("去修改")}
    stamp = declaration.status == "in_progress" and declaration.holder_role == "enterprise"
    serial = _("受理号 %(n)s", n=declaration.serial_no) if declaration.serial_no else _("还没提交")
    return Row(
        title=declaration.programme.title,
        reason=" · ".join(filter(None, (declaration.batch.title, serial, starter and _("由%(who)s代填", who=starter)))),
        tag=_state(declaration),
        tone=STATUS_TONES[declaration.status],
        clock=clock.text if clock else None,
        clock_tone=clock.tone if clock else None,
        verb=_("上传盖章材料") if stamp else verbs.get(declaration.status, _("查看")),
        url=url_for("declaration.show", id=declaration.public_id)
        + ("stamped" if stamp else "sections/" if declaration.status == "draft" else ""),
    )


def _state(declaration: Declaration) -> str:
    """The step it is in, or its status."""
    if declaration.status == "in_progress" and declaration.step_key:
        return declaration.programme.definition.step(declaration.step_key).label
    return STATUS_LABELS[declaration.status]


def own_buttons(opened: Opened, going_on: str) -> list[Button]:
    """The owner's deeds: first the one that leads on, then what takes back. ``going_on`` is where filling in goes on."""
    public_id = opened.declaration.public_id
    buttons: list[Button] = []
    if going_on:
        words = _("去修改") if opened.declaration.status == "returned" else _("继续填写")
        buttons.append(Button(words, going_on, "primary"))
        buttons.append(Button(_("检查并提交"), url_for("submission.check", id=public_id), "quiet"))
    for option in opened.options():
        action = option.deed.action
        if action == "stamp":
            buttons.append(Button(_("办理盖章材料"), url_for("declaration.show", id=public_id) + "stamped", "primary"))
        elif action in ("recall", "withdraw", "discard"):
            url = url_for("declaration.confirm", id=public_id, action=action)
            buttons.append(Button(option.label, url, "text", option.reasons))
    buttons.append(Button(_("看申报内容"), url_for("declaration.preview", id=public_id), "quiet"))
    return buttons


def refusal_of_submission(opened: Opened) -> str | None:
    """Why this member may not file the declaration as it stands, with the names of those who may; None if they may."""
    waiting = {"draft": "submit", "returned": "resubmit"}
    action = waiting.get(opened.declaration.status)
    if action is None and opened.step is not None and opened.step.kind == "stamp":
        action = "stamp"
    return rules.refuse_deed(opened.user, opened.declaration, action) if action and opened.own else None


def waiting_of(opened: Opened) -> str:
    """What the enterprise waits for at a publicity, hand-over or fund step; empty elsewhere."""
    step = opened.step
    if step is None:
        return ""
    if step.kind == "publicity":
        public = opened.publicity
        if opened.declaration.open_objections:
            return _("公示期间收到异议，正在核查。需要您说明的，会与您联系，现在不用做什么。")
        return (
            _("公示期 %(period)s。期满没有异议就转下一步，现在不用做什么。", period=period_words(public))
            if public
            else ""
        )
    words = {
        "handover": _("审核已通过，等主管部门行文推荐，现在不用做什么。"),
        "fund": _("等财政部门下达资金，现在不用做什么。"),
    }
    return words.get(step.kind, "")


def preview_sections(evaluation: Evaluation) -> list[Block]:
    """Every visible section with its answers and tables."""
    blocks = []
    for section in evaluation.sections:
        if section.visible:
            block = Block(section.spec.label, section.spec.key, _facts(section.fields))
            block.blocks = [_table(t) for t in section.tables if t.visible]
            blocks.append(block)
    return blocks


def _facts(states: Iterable[FieldState]) -> list[tuple[str, str]]:
    return [(s.spec.plain_label, _text(s)) for s in states if s.visible]


def _text(state: FieldState) -> str:
    if state.error and state.value is None:
        # It has no value yet, so it gets no unit either.
        return _("%(text)s（要改）", text=state.text)
    return state.spec.with_unit(state.text)


def _table(table: TableState) -> Block:
    return Block(table.spec.label, table.path.replace("/", "-"), [], [_line(r, table) for r in table.rows])


def _line(row: RowState, table: TableState) -> Block:
    block = Block(f"{table.spec.row_label} {row.number}", row.path.replace("/", "-"), _facts(row.fields.values()))
    block.blocks = [_table(t) for t in row.tables.values() if t.visible]
    return block
