"""The expert step: who is asked, what they score, and what the scores come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from sqlalchemy import select

from app.definitions.schema import Criterion
from app.errors import Conflict, InvalidInput, NotFound, Refused
from app.extensions import db
from app.fields.base import clean_text
from app.models import Account, Assignment, Declaration, Score
from app.permissions import roles
from app.services.declaration import Deeds, act, act_within
from app.services.opened import Opened
from app.services.reference import holidays
from app.services.unit_of_work import unit_of_work
from app.workflow import engine

TRIMMED_FROM = 5
"""From this many experts on, the highest and the lowest total are left out of the average."""
MAX_REASON = 300
VERDICTS = {"agree": "同意", "disagree": "不同意"}
_CENT = Decimal("0.01")


@dataclass(frozen=True)
class Candidate:
    """An expert who may be asked. ``conflict`` is the reason to stand aside, or None."""

    account: Account
    conflict: str | None
    chosen: bool


@dataclass(frozen=True)
class Sheet:
    """What an expert typed: points and reasons by criterion key, verdict and opinion."""

    points: Mapping[str, str]
    reasons: Mapping[str, str]
    verdict: str
    opinion: str


@dataclass(frozen=True)
class Result:
    """The totals of one expert step. ``average`` is None until all are done; ``trimmed``: extremes left out."""

    assignments: list[Assignment]
    scores: Mapping[int, list[Score]]
    average: Decimal | None
    trimmed: bool

    @property
    def done(self) -> int:
        """How many experts have handed in."""
        return sum(1 for a in self.assignments if a.done_at)


def rubric_of(opened: Opened) -> list[Criterion]:
    """The batch's own rubric, or the definition's."""
    if opened.declaration.batch.rubric:
        return [Criterion.model_validate(c) for c in opened.declaration.batch.rubric]
    return list(opened.definition.rubric)


def candidates(opened: Opened) -> list[Candidate]:
    """All active experts; those of the declaring enterprise are marked."""
    statement = (
        select(Account)
        .where(Account.roles.any(name=roles.EXPERT), Account.active)
        .order_by(Account.display_name, Account.id)
    )
    chosen = {a.expert_id for a in opened.assignments if a.step_key == opened.declaration.step_key}
    return [
        Candidate(a, _conflict(a, opened.declaration), a.id in chosen) for a in db.session.scalars(statement).unique()
    ]  # fmt: skip


def _conflict(expert: Account, declaration: Declaration) -> str | None:
    if expert.enterprise_id is not None and expert.enterprise_id == declaration.enterprise_id:
        return "与申报企业有关联，要回避"
    return None


def assign(user: Account, public_id: str, expert_ids: Sequence[int], *, version: int, key: str | None) -> Declaration:
    """Ask the experts with these account ids. InvalidInput for conflicts, unknown ids or none."""
    statement = select(Account).where(Account.id.in_(expert_ids), Account.roles.any(name=roles.EXPERT), Account.active)
    experts = list(db.session.scalars(statement).unique())
    if len(experts) != len(set(expert_ids)):
        raise InvalidInput("选中的专家里有人已经停用，请刷新页面后重新选。")
    declaration = db.session.scalars(select(Declaration).where(Declaration.public_id == public_id)).unique().first()
    clash = [e.get_full_name() for e in experts if declaration is not None and _conflict(e, declaration)]
    payload = {"experts": [e.id for e in experts], "conflicts": clash, "event": {"experts": [e.id for e in experts]}}
    return act(user, public_id, "assign", Deeds(version, payload=payload, idempotency_key=key))


def unassign(user: Account, public_id: str, expert_id: int, *, version: int, key: str | None) -> Declaration:
    """Take the declaration off an expert who has not handed in. InvalidInput if there is nothing to take off.

    When the others are done it moves on; with nobody left it waits for the office to ask somebody else.
    """
    days = holidays()
    with unit_of_work() as session:
        declaration = engine.lock(session, public_id)
        opened = Opened(session, declaration, user)
        open_here = [a for a in opened.assignments if a.step_key == declaration.step_key and a.done_at is None]
        found = next((a for a in open_here if a.expert_id == expert_id), None)
        payload = {
            "unassigned": expert_id,
            "open_assignment": found.id if found else None,
            "experts_left": len(open_here) - (found is not None),
            "event": {"expert": expert_id, "name": found.expert.get_full_name() if found else ""},
        }
        deeds = Deeds(version, payload=payload, idempotency_key=key)
        return act_within(session, user, public_id, "unassign", deeds, days)


def own_assignment(opened: Opened) -> Assignment | None:
    """The user's assignment at the present step (done or not), or the newest done one of an earlier step."""
    own = [a for a in opened.assignments if a.expert_id == opened.user.id]
    here = [a for a in own if a.step_key == opened.declaration.step_key]
    return (here or own)[-1] if own else None


def score(user: Account, public_id: str, sheet: Sheet, *, key: str | None) -> Declaration:
    """Hand in an expert's points, verdict and opinion. Independent of what other experts hand in meanwhile.

    InvalidInput lists every criterion without usable points; Refused if nothing is asked of this person here, Conflict
    if they have handed in before.
    """
    days = holidays()
    with unit_of_work() as session:
        declaration = engine.lock(session, public_id)
        opened = Opened(session, declaration, user)
        assignment = own_assignment(opened)
        if assignment is None:
            raise NotFound("没有找到这件申报。请从“我的待办”进入。")
        if assignment.done_at is None and assignment.step_key != declaration.step_key:
            raise Refused("这件申报已经不在评审步骤，不用再评。请看“我的待办”。")
        lines, errors = read_sheet(rubric_of(opened), sheet)
        opinion = clean_text(sheet.opinion, multiline=True)
        if not opinion:
            errors["opinion"] = "请写评审意见。"
        if errors and assignment.done_at is None:
            raise InvalidInput(f"还有 {len(errors)} 处要改，改好后再提交。", fields=errors)
        payload = {"assignment_id": assignment.id, "verdict": sheet.verdict, "scores": lines}
        # Experts work side by side: the version of the declaration says nothing about this sheet.
        deeds = Deeds(declaration.version, opinion, payload=payload, idempotency_key=key)
        try:
            return act_within(session, user, public_id, "score", deeds, days)
        except NotFound:
            if assignment.done_at is None:
                raise
            # Who has handed in is no assigned expert any more; from a second window that must not read as "gone".
            raise Conflict("您已经提交过评审意见，不能再改，这次没有保存。请到“我的待办”的“已处理”里查看。") from None


def read_sheet(rubric: Sequence[Criterion], sheet: Sheet) -> tuple[list[dict[str, object]], dict[str, str]]:
    """Typed lines of the score sheet, and a sentence for each field that does not fit."""
    lines: list[dict[str, object]] = []
    errors: dict[str, str] = {}
    for criterion in rubric:
        points, error = _points(sheet.points.get(criterion.key, ""), criterion.points)
        reason = clean_text(sheet.reasons.get(criterion.key, ""))
        if error:
            errors[f"points.{criterion.key}"] = error
        if len(reason) > MAX_REASON:
            errors[f"reason.{criterion.key}"] = f"理由最多 {MAX_REASON} 个字，现在是 {len(reason)} 个，请精简。"
        lines.append(
            {
                "criterion": criterion.key,
                "label": criterion.label,
                "points": points,
                "maximum": criterion.points,
                "reason": reason or None,
            }
        )
    if sheet.verdict not in VERDICTS:
        errors["verdict"] = "请选同意或不同意。"
    return lines, errors


def _points(text: str, maximum: int) -> tuple[Decimal | None, str | None]:
    typed = clean_text(text)
    if not typed:
        return None, f"请打分，0 到 {maximum} 分。"
    try:
        # Decimal reads 1_0 as 10, which no expert means.
        points = Decimal(typed.replace("_", "?"))
    except InvalidOperation:
        return None, f"请填数字，0 到 {maximum} 分；现在填的是“{typed[:20]}”。"
    if not points.is_finite() or not 0 <= points <= maximum:
        return None, f"请填 0 到 {maximum} 之间的分数；现在填的是 {typed[:20]}。"
    if points != points.quantize(Decimal("0.1")):
        return None, f"最多一位小数；现在填的是 {typed[:20]}。"
    return abs(points.quantize(Decimal("0.1"))), None


def result_of(opened: Opened) -> Result | None:
    """Totals of the newest expert step of this declaration, or None if no expert was asked."""
    if not opened.assignments:
        return None
    step = opened.assignments[-1].step_key
    assignments = [a for a in opened.assignments if a.step_key == step]
    statement = select(Score).where(Score.assignment_id.in_([a.id for a in assignments])).order_by(Score.id)
    scores: dict[int, list[Score]] = {}
    for line in opened.session.scalars(statement).unique():
        scores.setdefault(line.assignment_id, []).append(line)
    totals = [a.total for a in assignments if a.done_at and a.total is not None]
    average = average_of(totals) if len(totals) == len(assignments) else None
    return Result(assignments, scores, average, len(totals) >= TRIMMED_FROM)


def average_of(totals: Sequence[Decimal]) -> Decimal | None:
    """Mean of the totals to two decimals; from five on without the highest and the lowest. None for none."""
    counted = sorted(totals)[1:-1] if len(totals) >= TRIMMED_FROM else list(totals)
    return (sum(counted, Decimal(0)) / len(counted)).quantize(_CENT, ROUND_HALF_UP) if counted else None


def scores_of(assignment: Assignment) -> dict[str, Score]:
    """An expert's own lines by criterion key."""
    statement = select(Score).where(Score.assignment_id == assignment.id).order_by(Score.id)
    return {s.criterion: s for s in db.session.scalars(statement).unique()}
