"""What an enterprise may apply for: every programme with its round, and each condition judged on what is known.

The rules are the definition's own conditions; those that need nothing but facts about the enterprise are judged here,
the others when the form is filled. ``overview`` takes a fixed number of statements however long the catalogue is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from flask_babel import gettext as _
from sqlalchemy import select

from app.definitions import registry
from app.definitions.expressions import ExpressionError, compile_expression, sme_size
from app.definitions.messages import chinese_date, condition_text
from app.definitions.schema import Condition, Definition, Step
from app.errors import NotFound
from app.extensions import db
from app.models import Account, Batch, Declaration
from app.models.base import now
from app.permissions import scopes
from app.services.deadline import Clock, clock_until, day_words, end_words
from app.services.facts import doubles, enterprise_facts
from app.services.reference import holidays
from app.workflow.calendar import local_date
from app.workflow.route import steps_of
from app.workflow.steps import STATUS_LABELS, STATUS_TONES

APPLIED = ("declaration", "recognition", "subsidy")
"""Kinds that people apply for; the others serve an account or an enterprise."""

SCALES = {"large": "大型", "medium": "中型", "small": "小型", "micro": "微型"}
_FACT = re.compile(r"\benterprise\.(\w+)")

Supply = Literal["certification", "profile", "form"]
State = Literal["mine", "closed", "certify", "cannot", "missing", "can"]


@dataclass(frozen=True)
class Check:
    """One condition judged on what is known. ``result`` None: undecided; ``missing`` names the facts it lacks.

    ``supply`` says where they come from: 企业认证, 企业信息, or the form itself (then nothing is to be done before).
    """

    key: str
    text: str
    result: bool | None
    message: str
    source: str | None = None
    missing: tuple[str, ...] = ()
    supply: Supply = "form"

    @property
    def lacking(self) -> bool:
        """Whether a fact must be supplied before this can be decided."""
        return self.result is None and self.supply != "form"


@dataclass(frozen=True)
class Mine:
    """A declaration of the enterprise, as lists show it."""

    id: str
    programme_key: str
    batch_id: int
    batch_title: str
    status: str
    step: str | None
    step_kind: str | None
    serial_no: str | None
    saved_at: datetime
    submitted_at: datetime | None

    @property
    def label(self) -> str:
        """Words of the state."""
        if self.step and self.step_kind == "stamp":
            return _("待盖章")
        return _(STATUS_LABELS[self.status])

    @property
    def tone(self) -> str | None:
        """Tone of the state's tag."""
        return "warn" if self.step_kind == "stamp" else STATUS_TONES[self.status] or None

    @property
    def verb(self) -> str:
        """What the enterprise does with it next."""
        if self.step_kind == "stamp":
            return _("上传盖章材料")
        return {"draft": _("继续填"), "returned": _("去修改")}.get(self.status, _("看申报"))


@dataclass(frozen=True)
class Offer:
    """One round of one programme (or a programme without a round) for one enterprise."""

    definition: Definition
    params: Mapping[str, Any]
    batch: Batch | None
    open: bool
    window: str
    clock: Clock | None
    checks: tuple[Check, ...]
    mine: Mine | None

    @property
    def failed(self) -> tuple[Check, ...]:
        """Conditions that are not met."""
        return tuple(c for c in self.checks if c.result is False)

    @property
    def lacking(self) -> tuple[Check, ...]:
        """Conditions that cannot be decided before a fact is supplied."""
        return tuple(c for c in self.checks if c.lacking)

    @property
    def state(self) -> State:
        """The one thing that decides which button there is."""
        if self.mine is not None:
            return "mine"
        if not self.open:
            return "closed"
        if any(c.key == "certified" for c in self.failed):
            return "certify"
        if self.failed:
            return "cannot"
        return "missing" if self.lacking else "can"

    @property
    def reason(self) -> str:
        """One sentence: why it can or cannot be applied for."""
        if self.state == "certify":
            return _("先完成企业认证，审核通过后就能申报。")
        if self.failed:
            return "；".join(c.message.rstrip("。") for c in self.failed) + "。"
        if self.lacking:
            names = "、".join(dict.fromkeys(m for c in self.lacking for m in c.missing))
            return _("还差 %(n)s 项：%(names)s。", n=len(self.lacking), names=names)
        if self.state == "closed":
            return self.window
        return self._met_words()

    def _met_words(self) -> str:
        met = sum(1 for c in self.checks if c.result)
        later = sum(1 for c in self.checks if c.result is None)
        if later:
            return _("%(met)s 项条件符合，%(later)s 项在填报时核对。", met=met, later=later)
        return _("%(met)s 项条件都符合。", met=met)


def is_precheck(condition: Condition) -> bool:
    """Whether ``condition`` can be judged before anything is filled: it says so, or reads only known facts."""
    if condition.cel is None or condition.each is not None:
        return False
    return condition.precheck or compile_expression(condition.cel).names <= {"enterprise", "params", "today"}


def fact_labels() -> dict[str, str]:
    """Facts about an enterprise by key, as the certification form calls them."""
    labels = {
        "certification_status": _("企业认证"),
        "revenue_y1": _("上年度营业收入"),
        "total_assets_y1": _("上年末资产总额"),
    }
    for definition in registry.catalogue():
        if definition.kind == "certification":
            for _section, field in definition.fields():
                labels[definition.profile_map.get(field.key, field.key)] = field.label
    return labels


def check_conditions(
    definition: Definition, params: Mapping[str, Any], facts: Mapping[str, Any], today: str
) -> list[Check]:
    """Every condition of ``definition`` that can be judged now, each evaluated once. ``today`` is an ISO date."""
    labels = fact_labels()
    scope = {"form": {}, "row": {}, "enterprise": dict(facts), "params": doubles(params), "today": today, "review": {}}
    checks = [_check(c, scope, params, labels) for c in definition.conditions if is_precheck(c)]
    if definition.applicant.scales:
        checks.append(_check_scale(definition, facts, labels))
    return checks


def _check(
    condition: Condition, scope: Mapping[str, Any], params: Mapping[str, Any], labels: Mapping[str, str]
) -> Check:
    source = condition.cel or "null"
    result = _verdict(source, scope)
    if result is not None:
        message = "" if result else condition_text(condition, {}, params, "", 0)
        return Check(condition.key, condition.text, result, message, condition.source)
    wanted = [k for k in dict.fromkeys(_FACT.findall(source)) if scope["enterprise"].get(k) in (None, "")]
    missing = tuple(labels.get(k, k) for k in wanted)
    return Check(condition.key, condition.text, None, "", condition.source, missing, _supply(wanted))


def _verdict(source: str, scope: Mapping[str, Any]) -> bool | None:
    try:
        result = compile_expression(source).evaluate(scope)
    except ExpressionError:
        return None
    return result if isinstance(result, bool) else None


def _supply(wanted: Sequence[str]) -> Supply:
    """Where the facts ``wanted`` come from."""
    if not wanted:
        return "form"
    return "profile" if set(wanted) <= {"revenue_y1", "total_assets_y1"} else "certification"


def _check_scale(definition: Definition, facts: Mapping[str, Any], labels: Mapping[str, str]) -> Check:
    """The applicant's scale, after the national standard; without figures it is checked in the form."""
    names = "、".join(_(SCALES[s]) for s in definition.applicant.scales)
    level = sme_size(facts["industry_code"], facts["employees"], facts["revenue_y1"], facts["total_assets_y1"])
    text = _("企业规模为%(names)s", names=names)
    if level in SCALES:
        fits = level in definition.applicant.scales
        message = (
            ""
            if fits
            else _(
                "按划型标准，您的企业是%(level)s企业，本项目面向%(names)s企业。", level=_(SCALES[level]), names=names
            )
        )
        return Check("applicant_scale", text, fits, message)
    keys = ("industry_code", "employees", "revenue_y1", "total_assets_y1")
    missing = tuple(labels[k] for k in keys if facts[k] is None)
    return Check("applicant_scale", text, None, _("填报时按您填的数核对。"), missing=missing)


def overview(user: Account, key: str | None = None) -> list[Offer]:
    """All programmes that ``user``'s kind of account may apply for, those that are open first.

    With ``key`` only that programme; NotFound if people do not apply for such a thing. A fixed number of statements.
    """
    wanted = [d for d in _applied_for(user) if key in (None, d.key)]
    if key is not None and not wanted:
        raise NotFound(_("没有这个申报项目。请从“能报什么”重新选。"))
    at, days = now(), holidays()
    facts = enterprise_facts(user.enterprise, db.session) if user.enterprise else {}
    batches = _batches([d.key for d in wanted])
    mine = mine_of(user)
    offers = [o for d in wanted for o in _offers(d, batches.get(d.key, []), mine, facts, at, days)]
    rank = {"mine": 0, "can": 1, "missing": 2, "certify": 3, "cannot": 4, "closed": 5}
    return sorted(offers, key=lambda o: rank[o.state])


def _applied_for(user: Account) -> list[Definition]:
    kind = user.user_type if user.user_type != "staff" else "enterprise"
    return [d for d in registry.catalogue() if d.kind in APPLIED and d.applicant.user_type == kind]


def _batches(keys: Sequence[str]) -> dict[str, list[Batch]]:
    found: dict[str, list[Batch]] = {}
    statement = select(Batch).where(Batch.programme_key.in_(keys), Batch.published).order_by(Batch.id.desc())
    for batch in db.session.scalars(statement):
        found.setdefault(batch.programme_key, []).append(batch)
    return found


def mine_of(user: Account) -> list[Mine]:
    """Declarations of the user's enterprise, newest first, with the columns that lists need; one statement."""
    if user.enterprise_id is None:
        return []
    d = Declaration
    statement = (
        select(
            d.public_id, d.programme_key, d.batch_id, Batch.title, d.status, d.step_key, d.serial_no, d.saved_at,
            d.submitted_at,
        )
        .join(Batch, Batch.id == d.batch_id)
        .where(scopes.own(user))
        .order_by(d.id.desc())
    )  # fmt: skip
    return [_mine(row) for row in db.session.execute(statement)]


def _mine(row: Any) -> Mine:
    key, step_key = row.programme_key, row.step_key
    step = None
    if step_key and key in registry.catalogue():
        step = next((s for s in registry.catalogue().get(key).route if s.key == step_key), None)
    label, kind = (step.label, step.kind) if step else (step_key, None)
    return Mine(
        row.public_id,
        key,
        row.batch_id,
        row.title,
        row.status,
        label,
        kind,
        row.serial_no,
        row.saved_at,
        row.submitted_at,
    )


def _offers(
    definition: Definition,
    batches: Iterable[Batch],
    mine: Sequence[Mine],
    facts: Mapping[str, Any],
    at: datetime,
    days: Mapping[date, bool],
) -> list[Offer]:
    """One offer per open round; without one, the round to come or the last one."""
    rounds: list[Batch | None] = [b for b in batches if b.is_open(at)]
    if not rounds:
        rounds = [next(iter(batches), None)]
    return [_offer(definition, batch, mine, facts, at, days) for batch in rounds]


def _offer(
    definition: Definition,
    batch: Batch | None,
    mine: Sequence[Mine],
    facts: Mapping[str, Any],
    at: datetime,
    days: Mapping[date, bool],
) -> Offer:
    params = registry.parameters_of(definition, batch.parameters if batch else None)
    resolved = registry.resolve(definition, params)
    checks = check_conditions(resolved, params, facts, local_date(at).isoformat()) if facts else []
    is_open = batch is not None and batch.is_open(at)
    living = next((m for m in mine if batch and m.batch_id == batch.id and m.status not in ("withdrawn", "void")), None)
    clock = clock_until(batch.closes_at, at, days) if batch and is_open else None
    return Offer(resolved, params, batch, is_open, window_words(batch, at), clock, tuple(checks), living)


def window_words(batch: Batch | None, at: datetime) -> str:
    """When declarations are taken: ``5 月 20 日至 6 月 28 日 24:00``, or that there is no round."""
    if batch is None:
        return _("还没有开放的批次，开放时会发消息提醒您。")
    today = local_date(at)
    if batch.opens_at and at < batch.opens_at:
        return _("%(day)s开放申报。", day=day_words(local_date(batch.opens_at), today) + " ")
    if batch.closes_at and at >= batch.closes_at:
        return _("已在 %(when)s 截止。", when=end_words(batch.closes_at, today))
    if batch.opens_at and batch.closes_at:
        start = day_words(local_date(batch.opens_at), today)
        return _("%(start)s至 %(end)s", start=start + " ", end=end_words(batch.closes_at, today))
    return _("长期开放") if batch.closes_at is None else _("%(end)s截止", end=end_words(batch.closes_at, today) + " ")


def steps_shown(offer: Offer) -> list[Step]:
    """The route as this round switches it."""
    return steps_of(offer.definition, offer.params)


def parameters_shown(offer: Offer) -> list[tuple[str, str]]:
    """Parameters that people should know, as (label, value): no switches, nothing a condition already says."""
    switches = {s.enabled_by for s in offer.definition.route}
    said = "".join(c.text for c in offer.definition.conditions)
    shown = []
    for key, parameter in offer.definition.parameters.items():
        value = offer.params.get(key)
        repeated = isinstance(value, str) and value in said
        if key not in switches and value not in (None, "", 0, False, True) and not repeated:
            shown.append((parameter.label, chinese_date(str(value))))
    return shown
