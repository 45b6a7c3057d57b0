"""THE table: which deed is possible in which status and step kind, by whom, where it leads, under which guards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

By = Literal["enterprise", "officer", "expert", "city", "system", "steward"]
Goal = Literal[
    "first", "next", "stay", "stamp", "back", "before", "draft", "returned", "rejected", "withdrawn", "void", "scored"
]


@dataclass(frozen=True)
class Deed:
    """One permitted deed. ``kind`` is the step kind (None outside steps), ``to`` the place it leads to.

    ``by`` officer is the office of the step's level, ``city`` the city's bureau whatever the step's level, ``system``
    what time brings about, ``steward`` whoever an administrator gave the door of that name (作废). ``first``, ``next``, ``stamp``, ``before`` and ``back`` are steps of the route; after its
    last step ``next`` is approved. ``back`` is the step that returned it, or the stamp step before it: a new revision
    makes the old stamped paper worthless. ``scored`` goes on when no expert owes a score any more. ``opinion`` tells
    whether words are required.
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


VOIDS: tuple[Deed, ...] = (
    *(
        Deed("void", "作废", status, kind, "steward", "void", (),
             ("release", "settle_outcome", "drop_pending", "tell_voided"), opinion=True, tone="bad")
        for status, kind in (("returned", None), *(("in_progress", k) for k in
                             ("review", "stamp", "handover", "expert", "publicity", "decide", "fund")))
    ),
    Deed("void", "作废", "approved", None, "steward", "void", ("renewal_not_given",),
         ("release", "annul_outcome", "tell_voided"), opinion=True, tone="bad"),
    # What a rejected one held is free already, and may belong to the next declaration.
    Deed("void", "作废", "rejected", None, "steward", "void", (), ("tell_voided",), opinion=True, tone="bad"),
)  # fmt: skip
"""An official sets a declaration aside, wherever it stands, also after the end."""

DEEDS: tuple[Deed, ...] = (
    Deed("submit", "提交", "draft", None, "enterprise", "first",
         ("certified", "window_open", "complete", "statement", "not_banned", "holds_recognition"),
         ("revise", "set_scans_aside", "number", "apply_review", "tell_submitted")),
    Deed("discard", "删除草稿", "draft", None, "enterprise", "withdrawn", (), ("release",), tone="bad"),
    Deed("close", "窗口关闭", "draft", None, "system", "void", ("update_missed",), ("release", "tell_missed"), tone="bad"),
    Deed("resubmit", "重新提交", "returned", None, "enterprise", "back",
         ("correction_open", "complete", "statement"), ("revise", "set_scans_aside", "tell_submitted")),
    Deed("withdraw", "撤回申报", "returned", None, "enterprise", "withdrawn", (), ("release", "settle_outcome"), tone="bad"),
    Deed("recall", "撤回修改", "in_progress", "review", "enterprise", "draft", ("not_acted_on", "may_submit_again"), ("reopen_all", "settle_outcome")),
    Deed("withdraw", "撤回申报", "in_progress", "review", "enterprise", "withdrawn",
         ("not_acted_on",), ("release", "settle_outcome"), tone="bad"),
    Deed("confirm", "通过", "in_progress", "review", "officer", "next",
         ("remarks_settled", "checklist_done"), ("tell_confirmed",), tone="ok"),
    Deed("return", "退回修改", "in_progress", "review", "officer", "returned",
         ("step_can_return", "may_correct"), ("reopen", "tell_returned"), opinion=True, tone="warn"),
    Deed("stamp_return", "退回盖章材料", "in_progress", "review", "officer", "stamp",
         ("after_stamp",), ("tell_stamp_returned",), opinion=True, tone="warn"),
    Deed("reject", "不通过", "in_progress", "review", "officer", "rejected",
         ("step_can_reject",), ("release", "settle_outcome", "tell_rejected"), opinion=True, tone="bad"),
    Deed("stamp", "提交盖章材料", "in_progress", "stamp", "enterprise", "next", ("scan_present", "before_last_day"), ("tell_stamped",)),
    Deed("assign", "分派专家", "in_progress", "expert", "officer", "stay", ("experts_chosen",), ("assign", "tell_experts")),
    Deed("unassign", "收回分派", "in_progress", "expert", "officer", "scored",
         ("assignment_open",), ("unassign", "tell_unassigned"), tone="warn"),
    Deed("score", "提交评审意见", "in_progress", "expert", "expert", "scored", ("scores_complete",), ("score",)),
    Deed("approve", "列入名单", "in_progress", "decide", "officer", "next",
         ("list_published",), ("tell_approved",), tone="ok"),
    Deed("reject", "不列入名单", "in_progress", "decide", "officer", "rejected",
         (), ("release", "settle_outcome", "tell_rejected"), opinion=True, tone="bad"),
    Deed("recommend", "行文推荐", "in_progress", "handover", "officer", "next",
         ("letter_present",), ("tell_confirmed",), tone="ok"),
    Deed("send_back", "退回审核", "in_progress", "handover", "officer", "before",
         (), ("leave_handover",), opinion=True, tone="warn"),
    Deed("object", "收到异议", "in_progress", "publicity", "officer", "stay",
         ("objection_stated",), ("register_objection", "tell_objection"), tone="warn"),
    Deed("dismiss_objection", "异议不成立", "in_progress", "publicity", "officer", "stay",
         ("objection_open",), ("dismiss_objection",), opinion=True),
    Deed("uphold_objection", "异议成立", "in_progress", "publicity", "officer", "rejected",
         ("objection_open",), ("uphold_objection", "release", "settle_outcome", "tell_rejected"), opinion=True, tone="bad"),
    Deed("conclude", "公示无异议", "in_progress", "publicity", "officer", "next",
         ("publicity_over", "no_open_objection"), ("tell_concluded",), tone="ok"),
    Deed("allocate", "下达资金", "in_progress", "fund", "officer", "next",
         ("allocation_stated",), ("allocate", "tell_allocated"), tone="ok"),
    Deed("disapprove", "报批未通过", "in_progress", "fund", "city", "rejected",
         (), ("release", "settle_outcome", "tell_rejected"), opinion=True, tone="bad"),
    *VOIDS,
)  # fmt: skip

OFFICE_GUARDS = ("not_claimed_by_other",)
"""What stands before the own guards of every deed of an office."""

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


def guards_of(deed: Deed) -> tuple[str, ...]:
    """Everything that is asked before ``deed``, in order."""
    return (*OFFICE_GUARDS, *deed.guards) if deed.by in ("officer", "city") else deed.guards
