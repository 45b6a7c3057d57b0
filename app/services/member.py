"""People of an enterprise: their rights, leaving, being removed, and handing the ownership on.

What a right allows stands in ``permissions.members``. Whoever is removed keeps the account, its messages and its
sessions, but sees nothing of the enterprise from that moment on.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import gettext as _
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app.errors import InvalidInput, NotFound, Refused
from app.extensions import db
from app.models import Account, Declaration, Enterprise, Invitation, Presence
from app.models.base import now
from app.permissions import members, roles
from app.services.challenge import Visitor
from app.services.confirmation import confirm_password
from app.services.message import tell_account
from app.services.registration import role_named
from app.services.unit_of_work import unit_of_work
from app.workflow import engine

MEMBERS = "/enterprise/members/"
KIND = "information_update"
"""Kind of the messages about membership."""
CHOSEN_LIMIT = 20
"""Most declarations that a limited member is given."""


def people_of(enterprise_id: int) -> list[Account]:
    """Owner and members, the owner first."""
    statement = select(Account).where(
        Account.enterprise_id == enterprise_id, Account.active, Account.enterprise_role.is_not(None)
    )
    found = db.session.scalars(statement.order_by(Account.id)).unique()
    return sorted(found, key=lambda a: a.enterprise_role != "owner")


def require_owner(user: Account) -> Enterprise:
    """The enterprise that ``user`` owns. Refused, with the owner's name, for everybody else."""
    if user.enterprise is None:
        raise Refused(_("个人用户没有企业信息。请用企业账号登录；还没有的，可以注册企业用户。"))
    if user.enterprise_role != "owner":
        raise Refused(_("只有负责人%(name)s能管理成员。要改的话，请联系%(name)s。", name=owner_name(user.enterprise)))
    return user.enterprise


def owner_name(enterprise: Enterprise) -> str:
    """Name of the owner, empty if there is none."""
    return next((a.get_full_name() for a in enterprise.people if a.enterprise_role == "owner"), "")


def member_of(user: Account, account_id: int) -> Account:
    """A member (not the owner) of the enterprise that ``user`` owns. Refused, NotFound."""
    enterprise = require_owner(user)
    return _member(db.session(), enterprise.id, account_id)


def _member(session: Session, enterprise_id: int, account_id: int) -> Account:
    statement = select(Account).where(
        Account.id == account_id, Account.enterprise_id == enterprise_id, Account.enterprise_role == "member"
    )
    found = session.scalars(statement.with_for_update(of=Account)).unique().first()
    if found is None:
        raise NotFound(_("本企业没有这位成员，可能刚退出了。请刷新成员列表。"))
    return found


def _locked_owner(session: Session, user: Account) -> Account:
    """``user`` as the owner, the enterprise locked: deeds on its people take turns."""
    session.get(Enterprise, user.enterprise_id or 0, with_for_update=True)
    owner = session.get_one(Account, user.id)
    require_owner(owner)
    return owner


def change_rights(user: Account, account_id: int, rights: Mapping[str, str], address: str | None = None) -> None:
    """Give a member other rights: ``{"*": right}``, or public id of a declaration → right for these alone.

    InvalidInput for an unknown right, an empty or too long list, or a declaration of somebody else. Refused, NotFound.
    """
    with unit_of_work() as session:
        owner = _locked_owner(session, user)
        member = _member(session, owner.enterprise_id or 0, account_id)
        new = stored_rights(session, owner.enterprise_id or 0, rights)
        if new == member.member_rights:
            return
        before, member.member_rights = rights_words(session, member), new
        after = rights_words(session, member)
        _record(session, owner, member, "member_rights", "修改成员权限", address, {"before": before, "after": after})
        text = _(
            "%(who)s把您在“%(name)s”的权限改为：%(what)s。",
            who=owner.get_full_name(),
            name=owner.enterprise,
            what=after,
        )
        tell_account(session, member.id, KIND, _("您的成员权限改了"), text, "/workbench/")


def stored_rights(session: Session, enterprise_id: int, rights: Mapping[str, str]) -> dict[str, str]:
    """``rights`` with ids in place of public ids. InvalidInput."""
    if not rights:
        sentence = _("请至少选一件申报，或选“全部申报”。")
        raise InvalidInput(sentence, fields={"chosen": sentence})
    if set(rights.values()) - set(members.RIGHTS):
        raise InvalidInput(_("请选择权限：填报，或填报和提交。"), fields={"right": _("请选一种权限。")})
    if members.WHOLE in rights:
        return {members.WHOLE: rights[members.WHOLE]}
    if len(rights) > CHOSEN_LIMIT:
        sentence = _("最多指定 %(n)s 件申报。要更多的话，请选“全部申报”。", n=CHOSEN_LIMIT)
        raise InvalidInput(sentence, fields={"chosen": sentence})
    found = session.execute(
        select(Declaration.id, Declaration.public_id).where(
            Declaration.public_id.in_(rights), Declaration.enterprise_id == enterprise_id
        )
    ).all()
    if len(found) != len(rights):
        sentence = _("选的申报里有一件已经不在了，没有改动。请刷新后再选。")
        raise InvalidInput(sentence, fields={"chosen": sentence})
    return {str(key): rights[public_id] for key, public_id in found}


def rights_words(session: Session, member: Account) -> str:
    """What a member may do, in words: ``全部申报：填报`` or the titles of the declarations with their rights."""
    held = member.member_rights or {}
    if member.enterprise_role != "member":
        return _("负责人，全部权限")
    if members.WHOLE in held:
        return _("全部申报：%(right)s", right=members.RIGHT_LABELS[held[members.WHOLE]])
    ids = members.chosen_ids(member)
    found = session.scalars(select(Declaration).where(Declaration.id.in_(ids)).order_by(Declaration.id)).unique()
    parts = [f"{d.batch.title}（{members.RIGHT_LABELS[held[str(d.id)]]}）" for d in found]
    return _("只限 %(n)s 件：%(what)s", n=len(parts), what="、".join(parts)) if parts else _("还没有指定申报")


def remove_member(user: Account, account_id: int, address: str | None = None) -> str:
    """Take a member out at once; returns the name. Refused, NotFound."""
    with unit_of_work() as session:
        owner = _locked_owner(session, user)
        member = _member(session, owner.enterprise_id or 0, account_id)
        _record(session, owner, member, "member_removed", "移除成员", address)
        name = str(owner.enterprise)
        text = _(
            "%(who)s把您移出了“%(name)s”，您不能再看和填它的申报。您的账号和消息都在。",
            who=owner.get_full_name(),
            name=name,
        )
        _detach(session, member)
        tell_account(session, member.id, KIND, _("您已不是“%(name)s”的成员", name=name), text, "/messages/")
        return member.get_full_name()


def leave(user: Account, address: str | None = None) -> None:
    """Leave the enterprise. Refused for its owner, who hands the ownership on first, and for people without one."""
    with unit_of_work() as session:
        session.get(Enterprise, user.enterprise_id or 0, with_for_update=True)
        member = session.get_one(Account, user.id)
        enterprise = member.enterprise
        if enterprise is None or member.enterprise_role != "member":
            raise Refused(
                _("您是负责人，不能直接退出。请先把负责人转给一位成员。") if enterprise else _("您现在不属于任何企业。")
            )
        _record(session, member, member, "member_left", "退出企业", address)
        for other in enterprise.people:
            if other.enterprise_role == "owner":
                text = _("%(who)s退出了“%(name)s”。填过的内容都在。", who=member.get_full_name(), name=enterprise)
                tell_account(session, other.id, KIND, _("一位成员退出了"), text, MEMBERS)
        _detach(session, member)


def _detach(session: Session, member: Account) -> None:
    """Make ``member`` an individual again; the invitation it came by is over."""
    statement = update(Invitation).where(
        Invitation.account_id == member.id,
        Invitation.enterprise_id == member.enterprise_id,
        Invitation.state == "accepted",
    )
    session.execute(statement.values(state="ended", ended_at=now()))
    session.execute(delete(Presence).where(Presence.account_id == member.id))
    set_role(session, member, roles.INDIVIDUAL)
    member.enterprise_id = member.enterprise_role = member.member_rights = None


def set_role(session: Session, account: Account, role: str) -> None:
    """Make ``account`` an enterprise user or an individual; roles of other kinds stay."""
    kept = [r for r in account.roles if r.name not in (roles.ENTERPRISE, roles.INDIVIDUAL)]
    account.roles, account.user_type = [*kept, role_named(session, role)], role


def transfer(user: Account, visitor: Visitor, account_id: int, password: str) -> str:
    """Make a member the owner; the owner becomes a member with all rights. Returns the new owner's name.

    InvalidInput (field ``password``) for a wrong one, TooMany as at signing in, Refused, NotFound.
    """
    require_owner(user)
    confirm_password(user, visitor, password)
    with unit_of_work() as session:
        owner = _locked_owner(session, user)
        member = _member(session, owner.enterprise_id or 0, account_id)
        member.enterprise_role, member.member_rights = "owner", None
        owner.enterprise_role, owner.member_rights = "member", {members.WHOLE: members.SUBMIT}
        _record(session, owner, member, "owner_changed", "转让负责人", visitor.address)
        text = _(
            "%(who)s把“%(name)s”的负责人转给了您。成员和企业认证现在由您管理。",
            who=owner.get_full_name(),
            name=owner.enterprise,
        )
        tell_account(session, member.id, KIND, _("您现在是负责人"), text, MEMBERS)
        return member.get_full_name()


def _record(
    session: Session,
    actor: Account,
    member: Account,
    action: str,
    label: str,
    address: str | None,
    data: dict[str, str] | None = None,
) -> None:
    note = {"member": member.id, **(data or {})}
    engine.record(session, None, actor, action=action, label=label, subject=f"enterprise:{actor.enterprise_id}",
                  data=note, address=address)  # fmt: skip


def choices_of(enterprise_id: int) -> list[Declaration]:
    """Declarations that a limited member can be given: all that are not withdrawn, newest first."""
    statement = select(Declaration).where(
        Declaration.enterprise_id == enterprise_id, Declaration.status.not_in(("withdrawn", "void"))
    )
    return list(db.session.scalars(statement.order_by(Declaration.id.desc()).limit(CHOSEN_LIMIT)).unique())


def count_people(session: Session, enterprise_id: int) -> int:
    """How many accounts the enterprise has."""
    statement = select(func.count()).where(Account.enterprise_id == enterprise_id, Account.enterprise_role.is_not(None))
    return session.scalar(statement) or 0
