"""Why a deed cannot be done now, by name. Each guard returns a sentence for the person, or None."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from app.definitions.schema import Definition, Step
from app.models import Account, Declaration
from app.workflow.calendar import SHANGHAI, local_date
from app.workflow.route import step_after


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

    @property
    def step_kind(self) -> str | None:
        """Kind of the step it is in, None outside the route."""
        return self.step.kind if self.step else None


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
        return f"“{batch.title}”还没开放，{_opening(batch.opens_at)}起可以提交。草稿会一直留着。"
    if batch.closes_at:
        return f"“{batch.title}”已在 {_moment(batch.closes_at)}截止，不能再提交。填的内容都留着，可以查看和打印。"
    return f"“{batch.title}”现在没有开放。"


@guard
def may_submit_again(case: Case) -> str | None:
    """What is taken back to be changed can still be submitted: the batch is open."""
    if case.declaration.batch.is_open(case.at):
        return None
    return "这一批现在不收申报，撤回后就不能再提交了，所以不能撤回修改。要改的内容请与办理单位联系，由他们退回。"


def _opening(at: datetime) -> str:
    """A beginning in words: midnight is the day that begins with it, not 24:00 of the one before."""
    local = at.astimezone(SHANGHAI)
    if (local.hour, local.minute) == (0, 0):
        return f"{local.year} 年 {local.month} 月 {local.day} 日"
    return _moment(at)


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
def not_claimed_by_other(case: Case) -> str | None:
    """No colleague is at work on it (fact ``claimant``: the name of who is, if it is not the person who asks)."""
    holder, since = case.facts.get("claimant"), case.declaration.claimed_at
    if holder is None or since is None:
        return None
    name = case.declaration.enterprise_name or "这件申报"
    return f"“{name}”由{holder} {_since(since, case.at)}起在办。要由您来办，请先点“接手”。"


def _since(moment: datetime, at: datetime) -> str:
    """``09:12`` on the same day, ``06-12 09:12`` before it."""
    return f"{moment.astimezone(SHANGHAI):{'%H:%M' if local_date(moment) == local_date(at) else '%m-%d %H:%M'}}"


@guard
def remarks_settled(case: Case) -> str | None:
    """No open remark is left when the step is confirmed (fact ``open_remarks``)."""
    count = case.facts.get("open_remarks", 0)
    return f"还有 {count} 条批注没有处理。请先标为已解决或删除，或者改为退回修改。" if count else None


@guard
def checklist_done(case: Case) -> str | None:
    """Every needed point of the step's checklist was looked at (fact ``checks``: keys of the ticked ones)."""
    ticked = set(case.facts.get("checks") or ())
    left = [c.label for c in case.step.needed_checks if c.key not in ticked] if case.step is not None else []
    if not left:
        return None
    return f"还有 {len(left)} 项没有核对：{'；'.join(left)}。请逐项核对后勾选，再提交“{case.step.confirm_label if case.step else ''}”。"


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
    if case.facts.get("scans"):
        return None
    papers = [a for a in case.definition.attachments if case.step is not None and a.step == case.step.key]
    if papers:
        return f"还没有上传“{papers[0].label}”。请先上传，再提交。"
    return "还没有上传盖章扫描件。请先上传 PDF，再提交。"


@guard
def experts_chosen(case: Case) -> str | None:
    """Enough experts are named, none of them of the declaring enterprise (facts ``experts``, ``conflicts``, ``asked``: ids
    of those who were asked before). The batch's ``min_experts`` says how many are enough; one without it."""
    experts = set(case.facts.get("experts") or ())
    if not experts:
        return "请至少选一位专家。"
    wanted, chosen = int(case.params.get("min_experts") or 1), len(experts | set(case.facts.get("asked") or ()))
    if chosen < wanted:
        return f"本批每件申报至少要 {wanted} 位专家，现在只有 {chosen} 位，请再选 {wanted - chosen} 位。"
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


# -- what must hold outside this declaration ------------------------------------------------------------------------


@guard
def not_banned(case: Case) -> str | None:
    """A revoked recognition keeps the enterprise out for a time (fact ``banned_until``: last day of it)."""
    until = case.facts.get("banned_until")
    if until is None:
        return None
    return f"企业的认定已被取消，{_day(until)}以前不能再申报这一项。对取消有疑问的，请与办理单位联系。"


@guard
def holds_recognition(case: Case) -> str | None:
    """The recognition that the definition asks for is there (fact ``holding``: the sentence that says why not)."""
    return case.facts.get("holding")


@guard
def before_last_day(case: Case) -> str | None:
    """The day up to which the enterprise may file at this step is not past (parameter named by the step's ``until``)."""
    last = str(case.params.get(case.step.until) or "") if case.step is not None and case.step.until else ""
    if not last or local_date(case.at) <= date.fromisoformat(last):
        return None
    return f"“{case.step.label if case.step else ''}”已在 {_day(date.fromisoformat(last))}截止，不能再提交。请与办理单位联系。"


@guard
def update_missed(case: Case) -> str | None:
    """An information update whose window has closed: the draft is closed by the system."""
    closes = case.declaration.batch.closes_at
    if case.definition.kind == "update" and closes is not None and case.at >= closes:
        return None
    return "只有窗口已经关闭的信息更新草稿，才由系统关闭。"


def _day(day: date) -> str:
    return f"{day.year} 年 {day.month} 月 {day.day} 日"


# -- publicity, hand-over, funds ------------------------------------------------------------------------------------


@guard
def list_published(case: Case) -> str | None:
    """Into a publicity step only with a published list (fact ``list``: its public id)."""
    following = step_after(case.definition, case.params, case.declaration.step_key)
    if following is None or following.kind != "publicity" or case.facts.get("list"):
        return None
    return "下一步是公示。请到批次页选好企业，填写公示内容，预览后发布公示。"


@guard
def objection_stated(case: Case) -> str | None:
    """The objection is registered with everything it needs and came within the period (facts ``objection``,
    ``publicity_opens``, ``publicity_closes``)."""
    stated = case.facts.get("objection")
    if not stated:
        return "请先登记异议：异议人、联系方式、被异议单位、异议内容和受理日期。"
    opens, closes = case.facts.get("publicity_opens"), case.facts.get("publicity_closes")
    if opens is None or closes is None:
        return "还没有发布公示，不能登记异议。"
    if opens <= stated["received_on"] <= closes:
        return None
    return f"受理日期要在公示期内（{_day(opens)}至 {_day(closes)}）。公示期外收到的，请按信访等途径办理。"


@guard
def objection_open(case: Case) -> str | None:
    """The objection that is decided belongs here and is still open (fact ``objection``: its id)."""
    return None if case.facts.get("objection") else "这条异议已经办结，或者不属于这件申报。请刷新页面看最新状态。"


@guard
def publicity_over(case: Case) -> str | None:
    """The publicity period is over (fact ``publicity_ends``: its exclusive end)."""
    ends = case.facts.get("publicity_ends")
    if ends is None:
        return "还没有发布公示。请先到批次页发布公示。"
    return f"公示到 {_moment(ends)}才期满，期满以后再办。" if case.at < ends else None


@guard
def no_open_objection(case: Case) -> str | None:
    """Every objection is decided."""
    count = case.declaration.open_objections
    return f"还有 {count} 条异议没有办结。请先写调查结论，再结束公示。" if count else None


@guard
def letter_present(case: Case) -> str | None:
    """The declaration goes with a hand-over whose sealed letter is there (fact ``letter``)."""
    return None if case.facts.get("letter") else "还没有上传盖章的推荐文件。请先在“行文推荐”里上传，再一并推荐。"


@guard
def allocation_stated(case: Case) -> str | None:
    """Amount, document and date are stated (fact ``allocation``)."""
    return None if case.facts.get("allocation") else "请先填写下达金额、文号和日期。"


@guard
def renewal_not_given(case: Case) -> str | None:
    """An approved re-review has lengthened what is held: that is changed at the recognition, not by voiding."""
    if case.definition.kind == "re_review" and case.declaration.status == "approved":
        return "复核已经通过，认定的有效期已经延长，不能作废。要改有效期的，请更正或取消那项认定。"
    return None
