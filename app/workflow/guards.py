"""Why a deed cannot be done now, by name. Each guard returns a sentence for the person, or None."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.definitions.schema import Definition, Step
from app.models import Account, Declaration
from app.workflow.calendar import SHANGHAI


@dataclass
class Case:
    """What a guard may look at. ``facts`` come from the service: problems, scans, acted_on, experts, scores …"""

    declaration: Declaration
    definition: Definition
    params: Mapping[str, Any]
    step: Step | None
    user: Account
    at: datetime
    opinion: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


Guard = Callable[[Case], str | None]
GUARDS: dict[str, Guard] = {}


def guard(function: Guard) -> Guard:
    """Register ``function`` under its own name."""
    GUARDS[function.__name__] = function
    return function


@guard
def certified(case: Case) -> str | None:
    """The enterprise is certified, where the definition asks it."""
    if case.definition.applicant.certified and case.declaration.enterprise.certification_status != "approved":
        return "申报前要先完成企业认证。请到“我的企业”里办理，填的内容都会留着。"
    return None


@guard
def window_open(case: Case) -> str | None:
    """The batch takes declarations now (``[opens, closes)``)."""
    batch = case.declaration.batch
    if batch.is_open(case.at):
        return None
    if batch.opens_at and case.at < batch.opens_at:
        return f"“{batch.title}”还没开放，{_moment(batch.opens_at)}起可以提交。草稿会一直留着。"
    if batch.closes_at:
        return f"“{batch.title}”已在 {_moment(batch.closes_at)}截止，不能再提交。填的内容都留着，可以查看和打印。"
    return f"“{batch.title}”现在没有开放。"


def _moment(at: datetime) -> str:
    local = at.astimezone(SHANGHAI)
    if (local.hour, local.minute) == (0, 0):
        local -= timedelta(days=1)
        return f"{local.year} 年 {local.month} 月 {local.day} 日 24:00 "
    return f"{local.year} 年 {local.month} 月 {local.day} 日 {local:%H:%M} "


@guard
def complete(case: Case) -> str | None:
    """No problem stands in the way (fact ``problems``: number of blocking ones)."""
    count = case.facts.get("problems", 0)
    return f"还有 {count} 处要改，改完就能提交。" if count else None


@guard
def statement(case: Case) -> str | None:
    """The truthfulness statement is accepted with this submission (fact ``statement``)."""
    if case.definition.statement and not case.facts.get("statement"):
        return "请先勾选真实性承诺，再提交。"
    return None


@guard
def not_acted_on(case: Case) -> str | None:
    """Nobody in the office has done anything since the submission (fact ``acted_on``: name of who did)."""
    who = case.facts.get("acted_on")
    return f"{who}已经开始办理，不能撤回了。要改的内容请与办理单位联系，由他们退回。" if who else None


@guard
def remarks_settled(case: Case) -> str | None:
    """No open remark is left when the step is confirmed (fact ``open_remarks``)."""
    count = case.facts.get("open_remarks", 0)
    return f"还有 {count} 条批注没有处理。请先标为已解决或删除，或者改为退回修改。" if count else None


@guard
def step_can_return(case: Case) -> str | None:
    """The step may return at all."""
    return None if case.step and case.step.can_return else "这一步不能退回修改。"


@guard
def step_can_reject(case: Case) -> str | None:
    """The step may reject at all."""
    return None if case.step and case.step.can_reject else "这一步不能作“不通过”的结论。"


@guard
def may_correct(case: Case) -> str | None:
    """Returns happen inside the open window, or within the batch's ``correction_days`` after it."""
    return _correction(case, "现在不能退回")


@guard
def correction_open(case: Case) -> str | None:
    """A returned declaration can come back inside the window, or within ``correction_days`` after it or the return."""
    days = int(case.params.get("correction_days") or 0)
    since = case.declaration.step_since
    if days and since and case.at < since + timedelta(days=days):
        return None
    return _correction(case, "现在不能重新提交")


def _correction(case: Case, refusal: str) -> str | None:
    closes = case.declaration.batch.closes_at
    days = int(case.params.get("correction_days") or 0)
    if closes is None or case.at < closes + timedelta(days=days):
        return None
    return (
        f"申报已在 {_moment(closes)}截止，本批没有补正期，{refusal}。"
        if not days
        else (f"申报已截止，{days} 天补正期也过了，{refusal}。")
    )


@guard
def after_stamp(case: Case) -> str | None:
    """A stamp step lies before this one (fact ``stamped``)."""
    return None if case.facts.get("stamped") else "这件申报前面没有盖章步骤，没有材料可退。"


@guard
def scan_present(case: Case) -> str | None:
    """A stamped scan is uploaded (fact ``scans``)."""
    return None if case.facts.get("scans") else "还没有上传盖章扫描件。请先上传 PDF，再提交。"


@guard
def experts_chosen(case: Case) -> str | None:
    """At least one expert is named, none of them of the declaring enterprise (facts ``experts``, ``conflicts``)."""
    if not case.facts.get("experts"):
        return "请至少选一位专家。"
    conflicts = case.facts.get("conflicts")
    return f"{'、'.join(conflicts)}与申报企业有关联，要回避，请换一位。" if conflicts else None


@guard
def assignment_open(case: Case) -> str | None:
    """The expert to be taken off still owes a score (fact ``open_assignment``: id of the assignment)."""
    if case.facts.get("open_assignment"):
        return None
    return "这位专家已经提交评审意见，或者没有分派给他，不用收回。请刷新页面看最新状态。"


@guard
def scores_complete(case: Case) -> str | None:
    """Every criterion has points and the verdict is given (fact ``score_errors``: sentences)."""
    errors = case.facts.get("score_errors")
    return "；".join(errors) if errors else None
