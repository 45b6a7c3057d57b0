"""The enterprise as its own people see it: the certified profile, where it comes from, its members, its certification."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import select

from app.definitions import registry
from app.definitions.schema import Definition
from app.errors import NotFound, Refused
from app.extensions import db
from app.fields import registry as field_types
from app.models import Account, Batch, Declaration, Enterprise, Recognition
from app.models.base import now
from app.services.deadline import Clock, clock_until, day_words
from app.services.opened import Opened
from app.services.outcome import REMIND_BEFORE
from app.services.privacy import SENSITIVE, masked, unseal
from app.services.progress import Past, Stage, history, stages
from app.services.reference import holidays, lookups
from app.workflow.calendar import local_date

STATE_WORDS = {"none": "未认证", "submitted": "认证审核中", "approved": "已认证", "rejected": "认证未通过"}
STATE_TONES = {"none": "warn", "submitted": "go", "approved": "ok", "rejected": "bad"}
RECOGNITION_WORDS = {"valid": "有效", "under_review": "复核中", "expired": "已到期", "revoked": "已取消"}
RECOGNITION_TONES = {"valid": "ok", "under_review": "go", "expired": "warn", "revoked": "bad"}


@dataclass(frozen=True)
class Fact:
    """One line of the profile; ``text`` is empty when it is not known."""

    label: str
    text: str


@dataclass(frozen=True)
class Group:
    """Facts under the heading they were asked for."""

    label: str
    facts: Sequence[Fact]


@dataclass(frozen=True)
class Profile:
    """Page 企业信息."""

    enterprise: Enterprise
    groups: Sequence[Group]
    members: Sequence[Account]
    recognitions: Sequence[Recognition]
    certification: str | None


@dataclass(frozen=True)
class Certification:
    """Page 企业认证. ``opened`` is the newest certification, if one was begun; the rest describes it."""

    definition: Definition
    batch: Batch | None
    enterprise: Enterprise
    opened: Opened | None
    clock: Clock | None = None
    stages: Sequence[Stage] = ()
    past: Sequence[Past] = ()
    sent: Sequence[Group] = ()
    opinion: str | None = None
    can_recall: bool = False

    @property
    def state(self) -> str:
        """Status of the newest certification; ``none`` if there is none or it was withdrawn."""
        if self.opened is None or self.opened.declaration.status in ("withdrawn", "void"):
            return "none"
        return self.opened.declaration.status


def certification_definition() -> Definition:
    """The definition that certifies enterprises; NotFound if the catalogue has none."""
    for definition in registry.catalogue():
        if definition.kind == "certification":
            return definition
    raise NotFound(_("这个平台还没有开通企业认证。请打页面下方的咨询电话。"))


def enterprise_of(user: Account) -> Enterprise:
    """The user's enterprise; Refused for people without one."""
    if user.enterprise is None:
        raise Refused(_("个人用户没有企业信息。请用企业账号登录；还没有的，可以注册企业用户。"))
    return user.enterprise


def profile_of(user: Account) -> Profile:
    """The profile of the user's enterprise."""
    enterprise = enterprise_of(user)
    members = db.session.scalars(
        select(Account).where(Account.enterprise_id == enterprise.id, Account.active).order_by(Account.id)
    ).unique()
    newest = _newest_certification(enterprise.id, certification_definition().key)
    return Profile(enterprise, _profile_groups(enterprise), list(members), recognitions_of(enterprise.id), newest)


def recognitions_of(enterprise_id: int) -> list[Recognition]:
    """What the enterprise was recognised as, newest first."""
    statement = select(Recognition).where(Recognition.enterprise_id == enterprise_id).order_by(Recognition.id.desc())
    return list(db.session.scalars(statement).unique())


def _newest_certification(enterprise_id: int, key: str) -> str | None:
    return db.session.scalar(
        select(Declaration.public_id)
        .where(Declaration.enterprise_id == enterprise_id, Declaration.programme_key == key)
        .order_by(Declaration.id.desc())
        .limit(1)
    )


def _profile_groups(enterprise: Enterprise) -> list[Group]:
    """The profile in the order and words of the certification form that wrote it."""
    definition = certification_definition()
    groups = []
    for section in definition.sections:
        facts = []
        for spec in section.fields:
            attribute = definition.profile_map.get(spec.key)
            if attribute is None:
                continue
            if spec.type in SENSITIVE:
                plain = unseal(spec, getattr(enterprise, f"{attribute}_cipher"))
                text = masked(plain) if isinstance(plain, str) else ""
            else:
                value = getattr(enterprise, attribute)
                text = "" if value is None else field_types.get(spec.type).text(spec, value, lookups)
            facts.append(Fact(spec.plain_label, spec.with_unit(text)))
        groups.append(Group(section.label, facts))
    return groups


def certification_of(user: Account) -> Certification:
    """The state of the certification of the user's enterprise."""
    enterprise, definition = enterprise_of(user), certification_definition()
    batch = db.session.scalars(
        select(Batch).where(Batch.programme_key == definition.key, Batch.published).order_by(Batch.id.desc())
    ).first()
    newest = _newest_certification(enterprise.id, definition.key)
    if newest is None:
        return Certification(definition, batch, enterprise, None)
    declaration = db.session.scalars(select(Declaration).where(Declaration.public_id == newest)).unique().one()
    opened = Opened(db.session, declaration, user)
    if not opened.own:
        raise Refused(_("负责人只请您参与指定的几件申报，看不到企业认证。要看的话，请让负责人放开您的权限。"))
    words = next((e.opinion for e in opened.events if e.opinion and e.action in ("return", "reject")), None)
    options = opened.options() if declaration.status == "in_progress" else []
    return Certification(
        opened.definition,
        batch,
        enterprise,
        opened,
        clock=clock_until(declaration.due_at, now(), holidays()) if declaration.status == "in_progress" else None,
        stages=stages(opened.definition, opened.params, declaration, opened.events),
        past=history(opened.definition, opened.events),
        sent=sent_groups(opened) if opened.revision is not None else (),
        opinion=words,
        can_recall=any(o.deed.action == "recall" and o.possible for o in options),
    )


def sent_groups(opened: Opened) -> list[Group]:
    """What was submitted last, by section, as people read it; identity numbers masked."""
    groups = []
    for section in opened.submitted.sections:
        if not section.visible:
            continue
        facts = []
        for state in section.fields:
            if state.visible:
                text = masked(state.text) if state.spec.type in SENSITIVE and state.text else state.text
                facts.append(Fact(state.spec.plain_label, state.spec.with_unit(text)))
        groups.append(Group(section.spec.label, facts))
    return groups


def next_words(recognition: Recognition) -> str:
    """What the enterprise can do about something it holds; empty if there is nothing to do."""
    today, last = local_date(now()), recognition.valid_to
    if recognition.state == "under_review":
        return _("复核正在办理，结果会发到“我的消息”。")
    if recognition.state == "revoked":
        until = recognition.banned_until
        banned = _("%(day)s及以前不能再次申报。", day=day_words(until, today) + " ") if until else ""
        return _("认定已取消。%(ban)s理由：%(reason)s", ban=banned, reason=recognition.reason or _("见“我的消息”。"))
    if recognition.state == "expired":
        return _("有效期已满。仍符合条件的，可以重新申报。")
    if last is not None and last <= today + REMIND_BEFORE:
        return _("%(day)s到期。要继续保留的，请在到期以前申请复核。", day=day_words(last, today) + " ")
    return ""
