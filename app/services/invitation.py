"""Invitations to join an enterprise, or one of its declarations: sent to a phone, answered by the account with that phone.

Whoever invites learns nothing about the number: the answer, the message that goes out and the limits are the same for
all of them. The link in the message carries a token of which only the SHA-256 is stored.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from app.errors import Conflict, InvalidInput, NotFound, Refused, TooMany
from app.extensions import db
from app.models import Account, Declaration, Enterprise, Invitation
from app.models.base import new_public_id, now
from app.permissions import members, roles, rules
from app.services import member as people
from app.services import sms
from app.services.identity import PHONE, account_by_phone
from app.services.message import tell_account
from app.services.throttle import Limit, hit, lock, seconds_to_wait
from app.services.unit_of_work import unit_of_work
from app.workflow import engine
from config import Settings

LIFE = timedelta(days=7)
DAY = timedelta(days=1)
MOST_PEOPLE, PER_DAY, PER_PHONE = 20, 10, 3
_BY_ENTERPRISE, _BY_PHONE = "invite", "invite-phone"


@dataclass(frozen=True)
class Wanted:
    """Whom the owner invites, with which right; ``declaration`` (public id) limits it to that one."""

    phone: str
    right: str
    declaration: str | None = None
    address: str | None = None


def digest_of(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def invite(user: Account, wanted: Wanted) -> None:
    """Invite the owner of a phone number; a message goes to the number, and to its account if there is one.

    Refused for everybody but the owner; InvalidInput (fields ``phone``, ``right``), NotFound, TooMany.
    """
    people.require_owner(user)
    _check(wanted)
    with unit_of_work() as session:
        lock(session, f"people:{user.enterprise_id}")
        owner = session.get_one(Account, user.id)
        enterprise = _certified(owner)
        declaration = _declaration(session, owner, wanted.declaration)
        _refuse_colleague(session, owner, wanted.phone)
        _require_room(session, enterprise.id)
        wait = _seconds_to_wait(session, enterprise.id, wanted.phone)
        if not wait:
            _send(session, owner, enterprise, declaration, wanted)
    if wait:
        raise TooMany(_("今天发的邀请太多了，请明天再发。已发出的都还有效。"), retry_after=wait)


def _certified(owner: Account) -> Enterprise:
    """The owner's enterprise. Only a certified one sends messages to strangers: its name stands in them."""
    enterprise = people.require_owner(owner)
    if enterprise.certification_status != "approved":
        raise Refused(_("企业认证通过以后才能邀请同事。请先完成企业认证。"))
    return enterprise


def _check(wanted: Wanted) -> None:
    if not PHONE.fullmatch(wanted.phone):
        sentence = _("请填 11 位手机号，例如 13800001234。")
        raise InvalidInput(sentence, fields={"phone": sentence})
    if wanted.right not in members.RIGHTS:
        sentence = _("请选择权限：填报，或填报和提交。")
        raise InvalidInput(sentence, fields={"right": sentence})


def _declaration(session: Session, owner: Account, public_id: str | None) -> Declaration | None:
    if not public_id:
        return None
    found = session.scalars(select(Declaration).where(Declaration.public_id == public_id)).unique().first()
    if found is None or not rules.is_own(owner, found):
        raise NotFound(_("没有找到这件申报。它可能已被删除，请从“我的申报”重新打开。"))
    return found


def _refuse_colleague(session: Session, owner: Account, phone: str) -> None:
    """Somebody of the own enterprise is on its list anyway: saying so discloses nothing."""
    account = account_by_phone(phone, session)
    if account is not None and account.enterprise_id == owner.enterprise_id and account.enterprise_role is not None:
        name = account.get_full_name()
        sentence = _("%(name)s已经在本企业里，不用再邀请。要改权限，请到“成员”里改。", name=name)
        raise InvalidInput(sentence, fields={"phone": sentence})


def _require_room(session: Session, enterprise_id: int) -> None:
    waiting = session.scalar(select(func.count()).select_from(Invitation).where(*_open(enterprise_id))) or 0
    if people.count_people(session, enterprise_id) + waiting >= MOST_PEOPLE:
        sentence = _(
            "本企业最多 %(n)s 人（含还没答复的邀请），已经满了。请先移除不用的成员，或撤回没答复的邀请。", n=MOST_PEOPLE
        )
        raise InvalidInput(sentence, fields={"phone": sentence})


def _open(enterprise_id: int) -> tuple[ColumnElement[bool], ...]:
    return Invitation.enterprise_id == enterprise_id, Invitation.state == "open", Invitation.expires_at > now()


def _seconds_to_wait(session: Session, enterprise_id: int, phone: str) -> int:
    settings: Settings = current_app.config["SETTINGS"]
    return seconds_to_wait(
        session,
        Limit(sms.BY_ALL, "all", settings.sms_daily_cap, DAY),
        Limit(_BY_ENTERPRISE, str(enterprise_id), PER_DAY, DAY),
        Limit(_BY_PHONE, phone, PER_PHONE, DAY),
    )


def _send(
    session: Session, owner: Account, enterprise: Enterprise, declaration: Declaration | None, wanted: Wanted
) -> None:
    """Write the invitation down and tell the number. An older one to the same number is replaced."""
    hit(session, sms.BY_ALL, "all")
    hit(session, _BY_ENTERPRISE, str(enterprise.id))
    hit(session, _BY_PHONE, wanted.phone)
    older = select(Invitation).where(
        *_open(enterprise.id),
        Invitation.phone == wanted.phone,
        Invitation.declaration_id == (declaration.id if declaration else None),
    )
    for one in session.scalars(older).unique():
        one.state, one.answered_at = "withdrawn", now()
    token, at = secrets.token_urlsafe(32), now()
    invitation = Invitation(
        public_id=new_public_id(),
        enterprise_id=enterprise.id,
        declaration_id=declaration.id if declaration else None,
        member_right=wanted.right,
        phone=wanted.phone,
        token_digest=digest_of(token),
        invited_by=owner.id,
        created_at=at,
        expires_at=at + LIFE,
    )
    session.add(invitation)
    _record(session, owner, invitation, "member_invited", "邀请成员", wanted.address)
    _tell(session, owner, enterprise, invitation, token)


def _tell(session: Session, owner: Account, enterprise: Enterprise, invitation: Invitation, token: str) -> None:
    what = _("%(who)s请您一起填“%(name)s”的申报。", who=owner.get_full_name(), name=enterprise)
    url = f"{current_app.config['PUBLIC_URL']}/invitations/token/{token}"
    letter = _("%(what)s7 天内打开 %(url)s 答复。不认识的话，请不用理会。", what=what, url=url)
    sms.put_out(session, invitation.phone, letter, "notice", sensitive=True)
    account = account_by_phone(invitation.phone, session)
    if account is not None and account.active:
        body = _("%(what)s权限是“%(right)s”。请在 7 天内答复，接受或拒绝都可以。", what=what,
                 right=members.RIGHT_LABELS[invitation.member_right])  # fmt: skip
        tell_account(session, account.id, people.KIND, _("有人邀请您一起填申报"), body,
                     f"/invitations/{invitation.public_id}/")  # fmt: skip


def _record(
    session: Session, actor: Account, invitation: Invitation, action: str, label: str, address: str | None
) -> None:
    data = {"phone": f"{invitation.phone[:3]}****{invitation.phone[-4:]}", "right": invitation.member_right}
    engine.record(session, None, actor, action=action, label=label, subject=f"enterprise:{invitation.enterprise_id}",
                  data=data, address=address)  # fmt: skip


def waiting_of(enterprise_id: int) -> list[Invitation]:
    """Invitations without an answer that still can be answered, newest first."""
    statement = select(Invitation).where(*_open(enterprise_id)).order_by(Invitation.id.desc())
    return list(db.session.scalars(statement).unique())


def withdraw(user: Account, public_id: str, address: str | None = None) -> None:
    """Take back an invitation that has no answer yet. Refused, NotFound."""
    with unit_of_work() as session:
        owner = session.get_one(Account, user.id)
        enterprise = people.require_owner(owner)
        found = _locked(session, Invitation.public_id == public_id)
        if found is None or found.enterprise_id != enterprise.id or found.state != "open":
            raise NotFound(_("没有这份邀请，可能已经答复了。请刷新成员列表。"))
        found.state, found.answered_at = "withdrawn", now()
        _record(session, owner, found, "invitation_withdrawn", "撤回邀请", address)


def _locked(session: Session, condition: ColumnElement[bool]) -> Invitation | None:
    statement = select(Invitation).where(condition).with_for_update(of=Invitation)
    return session.scalars(statement).unique().first()


def by_token(token: str) -> Invitation:
    """The invitation of a link, open or not. NotFound."""
    found = db.session.scalars(select(Invitation).where(Invitation.token_digest == digest_of(token))).unique().first()
    if found is None:
        raise NotFound(_("这个邀请链接不对。请从短信里完整复制，或请邀请您的人再发一次。"))
    return found


def for_person(user: Account, public_id: str) -> Invitation:
    """The invitation if it went to the phone of ``user``. NotFound otherwise, so that foreign ids tell nothing."""
    found = db.session.scalars(select(Invitation).where(Invitation.public_id == public_id)).unique().first()
    if found is None or not user.phone or found.phone != user.phone:
        raise NotFound(_("没有给您的这份邀请。请核对登录的账号，或请邀请您的人再发一次。"))
    return found


def refuse_answer(invitation: Invitation) -> str | None:
    """Why the invitation cannot be answered any more, or None."""
    if invitation.state in ("accepted", "declined", "ended"):
        return _("这份邀请已经答复过了，一份只能用一次。")
    if invitation.state == "withdrawn":
        return _("这份邀请已经撤回。要加入的话，请对方再发一次。")
    if invitation.expires_at <= now():
        return _("这份邀请已经过期（7 天内有效）。要加入的话，请对方再发一次。")
    return None


def refuse_join(session: Session, account: Account, invitation: Invitation) -> str | None:
    """Why ``account`` cannot join the enterprise now, or None. An account belongs to one enterprise at a time."""
    if account.user_type not in (roles.ENTERPRISE, roles.INDIVIDUAL):
        return _("工作人员和专家的账号不能加入企业。请用个人账号登录后再接受。")
    if account.enterprise_id is None or _is_vacant(session, account):
        return None
    if account.enterprise_id != invitation.enterprise_id:
        return _("一个账号同时只属于一家企业，您现在属于“%(name)s”。请先退出，再回来接受。", name=account.enterprise)
    return None if account.enterprise_role == "member" else _("您是这家企业的负责人，不用接受邀请。")


def _is_vacant(session: Session, account: Account) -> bool:
    """Whether the account owns an enterprise in which nothing was ever done: it came with the registration."""
    enterprise = account.enterprise
    if enterprise is None or account.enterprise_role != "owner" or enterprise.certification_status != "none":
        return False
    begun = session.scalar(select(Declaration.id).where(Declaration.enterprise_id == enterprise.id).limit(1))
    return begun is None and people.count_people(session, enterprise.id) == 1


def decline(user: Account, public_id: str, address: str | None = None) -> None:
    """Say no; the owner is told. Conflict if it was answered already, NotFound."""
    with unit_of_work() as session:
        account, found = _to_answer(session, user, public_id)
        found.state, found.answered_at, found.account_id = "declined", now(), account.id
        _record(session, account, found, "invitation_declined", "谢绝邀请", address)
        tell_account(session, found.invited_by, people.KIND, _("邀请没有被接受"),
                     _("尾号 %(n)s 的手机号谢绝了您的邀请。", n=found.phone[-4:]), people.MEMBERS)  # fmt: skip


def accept(user: Account, public_id: str, address: str | None = None) -> str | None:
    """Join: the account becomes a member with the right of the invitation, on its declaration or on everything.
    Returns the public id of the one declaration it is about.

    Conflict if it was answered, withdrawn or is too old; Refused if the account cannot join; NotFound.
    """
    with unit_of_work() as session:
        account, found = _to_answer(session, user, public_id)
        refusal = refuse_join(session, account, found)
        if refusal:
            raise Refused(refusal)
        found.state, found.answered_at, found.account_id = "accepted", now(), account.id
        _join(session, account, found)
        _record(session, account, found, "member_joined", "接受邀请，成为成员", address)
        tell_account(session, found.invited_by, people.KIND, _("%(who)s接受了邀请", who=account.get_full_name()),
                     _("%(who)s现在可以一起填了。权限可以在“成员”里改。", who=account.get_full_name()), people.MEMBERS)  # fmt: skip
        return found.declaration.public_id if found.declaration else None


def _to_answer(session: Session, user: Account, public_id: str) -> tuple[Account, Invitation]:
    """The account and its invitation, both locked. Conflict, NotFound."""
    for_person(user, public_id)
    found = _locked(session, Invitation.public_id == public_id)
    assert found is not None
    session.get(Enterprise, found.enterprise_id, with_for_update=True)
    refusal = refuse_answer(found)
    if refusal:
        raise Conflict(refusal)
    return session.get_one(Account, user.id, with_for_update={"of": Account}), found


def _join(session: Session, account: Account, found: Invitation) -> None:
    held = dict(account.member_rights or {}) if account.enterprise_id == found.enterprise_id else {}
    if found.declaration_id is None:
        held = {members.WHOLE: found.member_right}
    elif members.WHOLE not in held:
        held[str(found.declaration_id)] = found.member_right
    people.set_role(session, account, roles.ENTERPRISE)
    account.enterprise_id, account.enterprise_role, account.member_rights = found.enterprise_id, "member", held
