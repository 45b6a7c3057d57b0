"""我的企业 › 成员: the list, inviting, rights, leaving; and the page on which somebody answers an invitation."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_login import current_user

from app.errors import DomainError, InvalidInput, NotFound, TooMany
from app.extensions import db
from app.forms.member import read_phone, read_rights
from app.models import Invitation
from app.permissions import members, roles
from app.services import declaration as declarations
from app.services import invitation as invitations
from app.services import member as service
from app.services.enterprise import enterprise_of
from app.services.identity import account_by_phone
from app.services.invitation import Wanted
from app.views.account_page import visitor
from app.views.guard import roles_required, signed_in

blueprint = Blueprint("member", __name__)
PEOPLE = (roles.ENTERPRISE, roles.INDIVIDUAL)


@blueprint.get("/enterprise/members/")
@roles_required(*PEOPLE)
def index() -> Any:
    """Owner and members with their rights; for the owner also the invitations that wait."""
    enterprise = enterprise_of(current_user)
    owns = current_user.enterprise_role == "owner"
    people = [(p, service.rights_words(db.session(), p)) for p in service.people_of(enterprise.id)]
    waiting = invitations.waiting_of(enterprise.id) if owns else []
    return render_template(
        "enterprise/members.html", people=people, owns=owns, waiting=waiting, labels=members.RIGHT_LABELS
    )


@blueprint.get("/enterprise/invitations/")
@roles_required(*PEOPLE)
def invite_page() -> Any:
    """邀请同事, into everything or (``?declaration=``) into one declaration."""
    service.require_owner(current_user)
    return _invite_page()


def _invite_page(error: DomainError | None = None) -> Any:
    public_id = request.values.get("declaration", "")[:36]
    opened = declarations.load_own(public_id, current_user) if public_id else None
    page = render_template(
        "enterprise/invite.html", opened=opened, error=error, form=request.form, labels=members.RIGHT_LABELS
    )
    return page, error.status if error else 200


@blueprint.post("/enterprise/invitations/")
@roles_required(*PEOPLE)
def invite() -> Any:
    """Send an invitation. What is said afterwards is the same for every number."""
    limited = request.form.get("scope") == "one"
    declaration = request.form.get("declaration", "")[:36] if limited else None
    wanted = Wanted(read_phone(request.form), request.form.get("right", ""), declaration, request.remote_addr)
    try:
        invitations.invite(current_user, wanted)
    except (InvalidInput, TooMany) as error:
        return _invite_page(error)
    flash(_("邀请已发到 %(phone)s，7 天内有效。对方接受后会告诉您。", phone=wanted.phone))
    return redirect(url_for("member.index"), 303)


@blueprint.post("/enterprise/invitations/<uuid:id>/withdraw")
@roles_required(*PEOPLE)
def withdraw(id: Any) -> Any:
    """Take back an invitation."""
    invitations.withdraw(current_user, str(id), request.remote_addr)
    flash(_("邀请已撤回。"))
    return redirect(url_for("member.index"), 303)


@blueprint.get("/enterprise/members/<int:account_id>/")
@roles_required(*PEOPLE)
def edit(account_id: int) -> Any:
    """One member: rights, taking out, handing the ownership on."""
    return _edit_page(account_id)


def _edit_page(account_id: int, error: DomainError | None = None) -> Any:
    member = service.member_of(current_user, account_id)
    choices = service.choices_of(current_user.enterprise_id)
    page = render_template(
        "enterprise/member.html", member=member, choices=choices, error=error, labels=members.RIGHT_LABELS
    )
    return page, error.status if error else 200


@blueprint.post("/enterprise/members/<int:account_id>/")
@roles_required(*PEOPLE)
def change(account_id: int) -> Any:
    """Give other rights."""
    try:
        service.change_rights(current_user, account_id, read_rights(request.form), request.remote_addr)
    except InvalidInput as error:
        return _edit_page(account_id, error)
    flash(_("权限已改，马上生效。"))
    return redirect(url_for("member.index"), 303)


@blueprint.post("/enterprise/members/<int:account_id>/remove")
@roles_required(*PEOPLE)
def remove(account_id: int) -> Any:
    """Take a member out."""
    name = service.remove_member(current_user, account_id, request.remote_addr)
    flash(_("%(name)s已移出，不能再看和填本企业的申报。", name=name))
    return redirect(url_for("member.index"), 303)


@blueprint.post("/enterprise/members/<int:account_id>/transfer")
@roles_required(*PEOPLE)
def transfer(account_id: int) -> Any:
    """Hand the ownership on, with the own password."""
    try:
        name = service.transfer(current_user, visitor(), account_id, request.form.get("password", "")[:128])
    except (InvalidInput, TooMany) as error:
        return _edit_page(account_id, error)
    session.rotate()  # type: ignore[attr-defined]  # of the own session class
    flash(_("负责人已转给%(name)s。您现在是成员，可以填报和提交。", name=name))
    return redirect(url_for("member.index"), 303)


@blueprint.post("/enterprise/members/leave")
@roles_required(*PEOPLE)
def leave() -> Any:
    """Leave the enterprise."""
    service.leave(current_user, request.remote_addr)
    session.rotate()  # type: ignore[attr-defined]  # of the own session class
    flash(_("您已退出企业，账号和消息都在。"))
    return redirect(url_for("workbench.index"), 303)


# -- the invited person -------------------------------------------------------------------------------------------


@blueprint.get("/invitations/token/<token>")
def by_link(token: str) -> Any:
    """Where the link of the message leads: to sign in or up, then to the invitation itself."""
    invitation = invitations.by_token(token[:64])
    if not current_user.is_authenticated:
        return _answer_page(invitation, here=request.path)
    if current_user.phone != invitation.phone:
        words = _(
            "这份邀请发给了尾号 %(n)s 的手机号，和您登录的账号不是同一个。请换那个号码的账号登录。",
            n=invitation.phone[-4:],
        )
        raise NotFound(words)
    return redirect(url_for("member.answer_page", id=invitation.public_id))


@blueprint.get("/invitations/<uuid:id>/")
@signed_in
def answer_page(id: Any) -> Any:
    """The invitation, with 接受 and 拒绝."""
    return _answer_page(invitations.for_person(current_user, str(id)))


def _answer_page(invitation: Invitation, here: str | None = None) -> Any:
    refusal = invitations.refuse_answer(invitation)
    if refusal is None and here is None:
        account = account_by_phone(invitation.phone)
        refusal = invitations.refuse_join(db.session(), account, invitation) if account else None
    page = render_template(
        "enterprise/invitation.html", invitation=invitation, refusal=refusal, here=here,
        owner=service.owner_name(invitation.enterprise), right=members.RIGHT_LABELS[invitation.member_right],
    )  # fmt: skip
    return page, 200


@blueprint.post("/invitations/<uuid:id>/")
@signed_in
def answer(id: Any) -> Any:
    """Accept or decline."""
    deed = request.form.get("do")
    if deed == "decline":
        invitations.decline(current_user, str(id), request.remote_addr)
        flash(_("已谢绝，对方会收到消息。"))
        return redirect(url_for("workbench.index"), 303)
    if deed != "accept":
        raise InvalidInput(_("请点“接受”或“拒绝”。"))
    declaration = invitations.accept(current_user, str(id), request.remote_addr)
    session.rotate()  # type: ignore[attr-defined]  # of the own session class
    flash(_("您已加入，可以一起填了。"))
    if declaration is not None:
        return redirect(url_for("declaration.show", id=declaration), 303)
    return redirect(url_for("workbench.index"), 303)
