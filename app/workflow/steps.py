"""THE table: which deed is possible in which status and step kind, by whom, where it leads, under which guards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

By = Literal["enterprise", "officer", "expert"]
Goal = Literal[
    "first", "next", "stay", "stamp", "back", "draft", "returned", "approved", "rejected", "withdrawn", "scored"
]


@dataclass(frozen=True)
class Deed:
    """One permitted deed. ``kind`` is the step kind (None outside steps), ``to`` the place it leads to.

    ``first``, ``next``, ``stamp`` and ``back`` are steps of the route. ``back`` is the step that returned it, or the
    stamp step before it: a new revision makes the old stamped paper worthless. ``scored`` goes on when no expert owes
    a score any more. ``opinion`` tells whether words are required.
    """

    action: str
    label: str
    status: str
    kind: str | None
    by: By
    to: Goal
    guards: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()
    opinion: bool = False
    tone: Literal["go", "ok", "warn", "bad"] = "go"


DEEDS: tuple[Deed, ...] = (
    Deed("submit", "提交", "draft", None, "enterprise", "first",
         ("certified", "window_open", "complete", "statement"), ("revise", "set_scans_aside", "number", "tell_submitted")),
    Deed("discard", "删除草稿", "draft", None, "enterprise", "withdrawn", (), ("release",), tone="bad"),
    Deed("resubmit", "重新提交", "returned", None, "enterprise", "back",
         ("correction_open", "complete", "statement"), ("revise", "set_scans_aside", "tell_submitted")),
    Deed("withdraw", "撤回申报", "returned", None, "enterprise", "withdrawn", (), ("release",), tone="bad"),
    Deed("recall", "撤回修改", "in_progress", "review", "enterprise", "draft", ("not_acted_on",), ("reopen_all",)),
    Deed("withdraw", "撤回申报", "in_progress", "review", "enterprise", "withdrawn",
         ("not_acted_on",), ("release",), tone="bad"),
    Deed("confirm", "通过", "in_progress", "review", "officer", "next",
         ("remarks_settled",), ("tell_confirmed",), tone="ok"),
    Deed("return", "退回修改", "in_progress", "review", "officer", "returned",
         ("step_can_return", "may_correct"), ("reopen", "tell_returned"), opinion=True, tone="warn"),
    Deed("stamp_return", "退回盖章材料", "in_progress", "review", "officer", "stamp",
         ("after_stamp",), ("tell_stamp_returned",), opinion=True, tone="warn"),
    Deed("reject", "不通过", "in_progress", "review", "officer", "rejected",
         ("step_can_reject",), ("release", "tell_rejected"), opinion=True, tone="bad"),
    Deed("stamp", "提交盖章材料", "in_progress", "stamp", "enterprise", "next", ("scan_present",), ("tell_stamped",)),
    Deed("assign", "分派专家", "in_progress", "expert", "officer", "stay", ("experts_chosen",), ("assign", "tell_experts")),
    Deed("unassign", "收回分派", "in_progress", "expert", "officer", "scored",
         ("assignment_open",), ("unassign", "tell_unassigned"), tone="warn"),
    Deed("score", "提交评审意见", "in_progress", "expert", "expert", "scored", ("scores_complete",), ("score",)),
    Deed("approve", "列入名单", "in_progress", "decide", "officer", "approved", (), ("outcome", "tell_approved"), tone="ok"),
    Deed("reject", "不列入名单", "in_progress", "decide", "officer", "rejected",
         (), ("release", "tell_rejected"), opinion=True, tone="bad"),
)  # fmt: skip

STATUS_LABELS = {
    "draft": "草稿",
    "in_progress": "办理中",
    "returned": "退回修改",
    "approved": "已通过",
    "rejected": "未通过",
    "withdrawn": "已撤回",
    "void": "已作废",
}
STATUS_TONES = {
    "draft": "",
    "in_progress": "go",
    "returned": "warn",
    "approved": "ok",
    "rejected": "bad",
    "withdrawn": "",
    "void": "bad",
}
FINAL = ("approved", "rejected", "withdrawn", "void")


def deeds(status: str, kind: str | None) -> tuple[Deed, ...]:
    """Deeds that exist in ``status`` at a step of ``kind`` (None outside steps)."""
    return tuple(d for d in DEEDS if d.status == status and d.kind == kind)


def find_deed(status: str, kind: str | None, action: str) -> Deed | None:
    """The row for (status, step kind, action), or None: that deed does not exist here."""
    return next((d for d in deeds(status, kind) if d.action == action), None)
