"""Outcomes: what an approval gives, and what becomes of it later. Every change is an event of its declaration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import Conflict, InvalidInput, NotFound, Refused
from app.extensions import db
from app.fields.base import clean_text
from app.models import Account, Declaration, Enterprise, Recognition
from app.models.base import now
from app.permissions import roles, rules, scopes
from app.services.effects import Scene, effect
from app.services.holding import pick
from app.services.message import tell_enterprise
from app.services.privacy import SENSITIVE, seal
from app.services.unit_of_work import unit_of_work
from app.workflow import engine
from app.workflow.calendar import local_date
from app.workflow.outcomes import (
    BAN_YEARS,
    OutcomeDeed,
    Standing,
    day_words,
    find_outcome_deed,
    last_day,
    reasons_against,
    years_after,
)

REMIND_BEFORE = timedelta(days=90)
"""So long before its last day the enterprise is told that an outcome runs out."""
MAX_REASON = 1000
MESSAGES: Mapping[str, tuple[str, str, str]] = {
    "apply_review": ("recognition_notice", "“{title}”已申请复核", "复核申请已提交，结果会发到这里。"),
    "withdraw_review": ("recognition_notice", "“{title}”的复核已撤回", "认定仍然有效，到 {until}。"),
    "review_pass": ("recognition_notice", "“{title}”复核通过", "有效期延长到 {until}。"),
    "review_fail": ("recognition_notice", "“{title}”复核未通过", "理由：{reason}"),
    "expire": ("recognition_expiry", "“{title}”已到期", "有效期到 {until}，没有申请复核，认定已失效。"),
    "revoke": ("recognition_cancelled", "“{title}”已被取消", "理由：{reason} {ban}以前不能再次申报。"),
    "annul": ("recognition_cancelled", "“{title}”已随申报作废", "理由：{reason}"),
    "correct": ("recognition_notice", "“{title}”已更正", "更正原因：{reason}"),
}
"""Kind, title and text of the message that each change sends to the enterprise."""


@dataclass(frozen=True)
class Correction:
    """What a correction sets; None leaves a value as it is."""

    title: str | None = None
    certificate_no: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None


# -- what offices do ------------------------------------------------------------------------------------------------


def revoke(user: Account, recognition_id: int, reason: str, *, version: int) -> Recognition:
    """取消认定: the office that gave it takes it away; the enterprise is banned for three years from today.

    NotFound, Refused (another office), Conflict (changed meanwhile, or not valid any more), InvalidInput (no reason).
    """
    with unit_of_work() as session:
        recognition = _in_charge(session, user, recognition_id, version)
        change(session, recognition, "revoke", user, _words(reason))
        return recognition


def correct(user: Account, recognition_id: int, correction: Correction, reason: str, *, version: int) -> Recognition:
    """更正认定: set title, certificate number or days of validity. The refusals of ``revoke``, and InvalidInput naming
    the field for days in the wrong order, an empty title, or nothing to change."""
    with unit_of_work() as session:
        recognition = _in_charge(session, user, recognition_id, version)
        wanted = _checked(recognition, correction)
        before = {k: getattr(recognition, k) for k in wanted}
        for name, value in wanted.items():
            setattr(recognition, name, value)
        changed = {k: [_plain(before[k]), _plain(v)] for k, v in wanted.items()}
        change(session, recognition, "correct", user, _words(reason), data=changed)
        return recognition


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _checked(recognition: Recognition, correction: Correction) -> dict[str, Any]:
    wanted = {k: v for k, v in vars(correction).items() if v is not None and v != getattr(recognition, k)}
    for name, limit in (("title", 100), ("certificate_no", 40)):
        if name in wanted:
            wanted[name] = clean_text(wanted[name])
            if not 0 < len(wanted[name]) <= limit:
                raise InvalidInput("请核对更正内容。", fields={name: f"请填 1 到 {limit} 个字。"})
    first, last = (wanted.get(k, getattr(recognition, k)) for k in ("valid_from", "valid_to"))
    if last is not None and last < first:
        raise InvalidInput("请核对有效期。", fields={"valid_to": "有效期的最后一天不能早于第一天。"})
    if not wanted:
        raise InvalidInput("没有要更正的内容。请改好一项以后再保存。")
    return wanted


def _words(text: str) -> str:
    words = clean_text(text, multiline=True)
    if len(words) > MAX_REASON:
        sentence = f"理由最多 {MAX_REASON} 个字，现在是 {len(words)} 个，请精简。"
        raise InvalidInput(sentence, fields={"reason": sentence})
    return words


def _in_charge(session: Session, user: Account, recognition_id: int, version: int) -> Recognition:
    """The locked recognition, if it may be seen by ``user``, is their office's and is as they saw it."""
    found = session.scalars(
        select(Recognition).where(Recognition.id == recognition_id).with_for_update(of=Recognition)
    ).unique().first()  # fmt: skip
    declaration = session.get(Declaration, found.declaration_id) if found is not None else None
    if found is None or declaration is None or not rules.can_see(user, declaration):
        raise NotFound("没有找到这项认定。请从“认定结果”重新打开。")
    if not engine.is_office(user, declaration, found.level):
        raise Refused(f"这项认定由{roles.LABELS.get(found.level, '')}办理，您可以查看，不能修改。")
    if found.version != version:
        raise Conflict("这项认定刚被别人改过，您的修改还没保存。请刷新页面核对后再办。")
    return found


# -- what time does -------------------------------------------------------------------------------------------------


def expire_due(today: date | None = None) -> int:
    """Outcomes whose last day is over expire, each in a transaction of its own; returns how many. Repeating is safe."""
    day = today or local_date(now())
    due = select(Recognition.id).where(Recognition.state == "valid", Recognition.valid_to < day)
    count = 0
    for key in _ids(due):
        with unit_of_work() as session:
            recognition = _locked(session, key)
            if recognition.state == "valid" and recognition.valid_to is not None and recognition.valid_to < day:
                change(session, recognition, "expire", None, today=day)
                count += 1
    return count


def remind_expiring(today: date | None = None) -> int:
    """Tell enterprises, once, that an outcome runs out within ``REMIND_BEFORE``; returns how many were told."""
    day = today or local_date(now())
    soon = select(Recognition.id).where(
        Recognition.state == "valid", Recognition.told_on.is_(None),
        Recognition.valid_to >= day, Recognition.valid_to <= day + REMIND_BEFORE,
    )  # fmt: skip
    count = 0
    for key in _ids(soon):
        with unit_of_work() as session:
            recognition = _locked(session, key)
            if recognition.told_on is not None or recognition.valid_to is None:
                continue
            recognition.told_on = day
            tell_enterprise(
                session, recognition.enterprise_id, "recognition_expiry", f"“{recognition.title}”快到期了",
                f"有效期到 {day_words(recognition.valid_to)}。要继续保留的，请在到期以前申请复核。", "/workbench/",
            )  # fmt: skip
            count += 1
    return count


def _ids(statement: Any) -> list[int]:
    # Read apart from the transactions that follow, so that none of them is held for long.
    with Session(db.engine) as session:
        return list(session.scalars(statement))


def _locked(session: Session, key: int) -> Recognition:
    statement = select(Recognition).where(Recognition.id == key).with_for_update(of=Recognition)
    return session.scalars(statement).unique().one()


# -- the table, carried out -----------------------------------------------------------------------------------------


def change(
    session: Session,
    recognition: Recognition,
    action: str,
    user: Account | None,
    words: str = "",
    *,
    today: date | None = None,
    data: Mapping[str, Any] | None = None,
) -> OutcomeDeed:
    """Carry out a row of the outcome table on the locked ``recognition``, with its event and its message.

    Who may is the caller's business. Conflict if there is no such row for its state, InvalidInput with the reasons.
    """
    day = today or local_date(now())
    deed = _find(recognition, action, day, words)
    before, recognition.state = recognition.state, deed.to
    recognition.version += 1
    recognition.reason = words or None
    _AFTER.get(action, _nothing)(recognition, day)
    declaration = session.get_one(Declaration, recognition.declaration_id)
    engine.record(
        session, declaration, user, action=action, label=deed.label, from_status=declaration.status, opinion=words or None,
        data={"title": recognition.title, "outcome": [before, deed.to], **(data or {})},
    )  # fmt: skip
    _tell(session, recognition, action, words)
    return deed


def _find(recognition: Recognition, action: str, day: date, words: str) -> OutcomeDeed:
    deed = find_outcome_deed(recognition.state, action)
    if deed is None:
        raise Conflict("这项认定现在不能这样办，可能刚被别人办过。请刷新看最新状态。")
    # What a renewal asks for was asked when its declaration was submitted, by the guard ``holds_recognition``.
    reasons = reasons_against(deed, Standing(recognition, day))
    if reasons:
        raise InvalidInput("".join(reasons), reasons=reasons)
    if deed.opinion and not words:
        raise InvalidInput(f"请写明{deed.label}的理由。", fields={"reason": "请写明理由，企业会看到这段话。"})
    return deed


def _nothing(recognition: Recognition, today: date) -> None:
    """Most changes set the state and nothing else."""


def _ban(recognition: Recognition, today: date) -> None:
    recognition.banned_until = years_after(today, BAN_YEARS) - timedelta(days=1)


def _end_review(recognition: Recognition, today: date) -> None:
    recognition.review_id, recognition.told_on = None, None


_AFTER = {"revoke": _ban, "review_pass": _end_review, "review_fail": _end_review, "withdraw_review": _end_review}


def _tell(session: Session, recognition: Recognition, action: str, words: str) -> None:
    kind, title, body = MESSAGES[action]
    values = {
        "title": recognition.title,
        "until": day_words(recognition.valid_to) if recognition.valid_to else "另行通知",
        "reason": words,
        "ban": day_words(recognition.banned_until) if recognition.banned_until else "",
    }
    tell_enterprise(
        session, recognition.enterprise_id, kind, title.format(**values), body.format(**values), "/workbench/"
    )


# -- effects of declarations ----------------------------------------------------------------------------------------


@effect
def outcome(scene: Scene) -> None:
    """What approval gives: the certified profile, a renewal, a place on the list or a certificate."""
    definition = scene.opened.definition
    if definition.kind == "re_review":
        renewed = _renewed_by(scene)
        if renewed is not None:  # it may have been revoked meanwhile
            _renew(scene, renewed)
    elif definition.outcome is not None:
        (_fill_profile if definition.outcome.kind == "profile" else _give)(scene)


def _give(scene: Scene) -> None:
    declaration, given = scene.opened.declaration, scene.opened.definition.outcome
    assert given is not None
    today = local_date(now())
    scene.session.add(
        Recognition(
            enterprise_id=declaration.enterprise_id,
            declaration_id=declaration.id,
            programme_key=declaration.programme_key,
            title=given.title,
            valid_from=today,
            valid_to=last_day(today, given.valid_years) if given.valid_years else None,
            level=_level_of(scene),
            created_at=now(),
        )
    )


def _level_of(scene: Scene) -> str:
    """Whose office it is: of the step that gave it; funds and what the enterprise files last are the city's."""
    level = scene.done.step.level if scene.done.step is not None else roles.CITY
    return level if level in (roles.DISTRICT, roles.PROVINCE, roles.MINISTRY) else roles.CITY


def _fill_profile(scene: Scene) -> None:
    opened = scene.opened
    enterprise = scene.session.get_one(Enterprise, opened.declaration.enterprise_id)
    for _, spec in opened.definition.fields():
        attribute = opened.definition.profile_map.get(spec.key)
        state = opened.submitted.find(spec.key)
        if attribute is None or state is None:
            continue
        if state.spec.type in SENSITIVE:
            setattr(enterprise, f"{attribute}_cipher", seal(state.spec, state.raw))
        else:
            setattr(enterprise, attribute, state.value)
    if opened.definition.kind == "certification":
        enterprise.certification_status, enterprise.certified_at = "approved", now()
    enterprise.version += 1


@effect
def apply_review(scene: Scene) -> None:
    """A submitted re-review puts what it renews under review; other kinds do nothing."""
    opened = scene.opened
    if opened.definition.kind != "re_review" or opened.definition.holding is None:
        return
    recognition = pick(_held(scene), opened.definition.holding)
    if recognition is None:
        raise Conflict("要复核的认定刚被改过。请刷新页面看最新状态。")
    recognition.review_id = opened.declaration.id
    change(scene.session, recognition, "apply_review", opened.user)


@effect
def settle_outcome(scene: Scene) -> None:
    """A declaration that did not succeed: its re-review fails, or is taken back; a change may cost what is held."""
    refused = scene.opened.declaration.status == "rejected"
    renewed = _renewed_by(scene)
    if renewed is not None:
        change(
            scene.session, renewed, "review_fail" if refused else "withdraw_review", scene.opened.user, scene.opinion
        )
    if refused and scene.done.step is not None and scene.done.step.reject_revokes:
        for recognition in _held(scene):
            if recognition.state in ("valid", "under_review"):
                change(scene.session, recognition, "revoke", scene.opened.user, scene.opinion)


def _held(scene: Scene) -> list[Recognition]:
    """The recognitions of the enterprise, locked, newest first."""
    statement = select(Recognition).where(Recognition.enterprise_id == scene.opened.declaration.enterprise_id)
    return list(
        scene.session.scalars(statement.order_by(Recognition.id.desc()).with_for_update(of=Recognition)).unique()
    )


def _renewed_by(scene: Scene) -> Recognition | None:
    """What this declaration renews, if it is a re-review that is under way."""
    if scene.opened.definition.kind != "re_review":
        return None
    key = scene.opened.declaration.id
    return next((r for r in _held(scene) if r.review_id == key and r.state == "under_review"), None)


def _renew(scene: Scene, recognition: Recognition) -> None:
    """Valid for so many years more, from the day after its last one."""
    given = scene.opened.definition.outcome
    years = given.valid_years if given is not None and given.valid_years else 0
    if recognition.valid_to is not None and years:
        recognition.valid_to = last_day(recognition.valid_to + timedelta(days=1), years)
    change(scene.session, recognition, "review_pass", scene.opened.user, scene.opinion)


# -- reading --------------------------------------------------------------------------------------------------------


def recognitions_of(user: Account, *, state: str | None = None) -> list[Recognition]:
    """Outcomes that ``user`` may see (their own, or of their region), newest first."""
    statement = select(Recognition).join(Declaration, Declaration.id == Recognition.declaration_id)
    if state is not None:
        statement = statement.where(Recognition.state == state)
    statement = statement.where(scopes.declarations(user)).order_by(Recognition.id.desc())
    return list(db.session.scalars(statement).unique())
