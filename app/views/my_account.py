"""The own account: name and identity number, password, and where one is signed in."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_login import current_user

from app.errors import DomainError, Refused
from app.forms.account import ChangePasswordForm, IdentityForm
from app.services import account as accounts
from app.services import password as passwords
from app.services.session import end_session, sessions_of
from app.views.account_page import home_of, safe_next, visitor
from app.views.errors import wants_json
from app.views.guard import signed_in

blueprint = Blueprint("my_account", __name__)

ALWAYS = {"my_account.password", "account.logout", "account.agreement", "account.privacy", "static", None}
"""What somebody may reach who has to change the password first."""


@blueprint.before_app_request
def change_password_first() -> Any:
    """Lead everybody with a password that others chose to the page that changes it."""
    if request.endpoint in ALWAYS or "_user_id" not in session:
        return None
    if not current_user.is_authenticated or not current_user.must_change_password:
        return None
    if wants_json() or request.method != "GET":
        raise Refused(_("请先修改初始密码，再办别的事。在“账号”里可以修改。"))
    return redirect(url_for("my_account.password", next=safe_next(request.full_path.rstrip("?"))))


@blueprint.get("/account/")
@signed_in
def show() -> Any:
    """The account's page."""
    return _page(IdentityForm(name=current_user.display_name))


def _page(form: IdentityForm, status: int = 200) -> Any:
    return (
        render_template(
            "account/show.html",
            form=form,
            hidden=accounts.hidden_id_number(current_user),
            sessions=sessions_of(current_user, visitor().session_digest),
        ),
        status,
    )


@blueprint.post("/account/identity")
@signed_in
def identity() -> Any:
    """Keep name and identity number."""
    form = IdentityForm(request.form)
    if not form.validate():
        return _page(form, 422)
    try:
        accounts.set_identity(current_user, form.name.data, form.id_number.data, request.remote_addr)
    except DomainError as problem:
        form.id_number.errors = [problem.message]
        return _page(form, problem.status)
    flash(_("已保存。"))
    return redirect(url_for("my_account.show"))


@blueprint.post("/account/sessions/end")
@signed_in
def end() -> Any:
    """End one of the other sessions."""
    ended = end_session(current_user, request.form.get("session", ""), request.remote_addr)
    flash(_("那一处登录已结束。") if ended else _("那一处登录已经结束了。"))
    return redirect(url_for("my_account.show"))


@blueprint.route("/account/password", methods=["GET", "POST"])
@signed_in
def password() -> Any:
    """Change the password; the other sessions end, this one goes on under a new id."""
    form, status = ChangePasswordForm(request.form), 200
    wanted = safe_next(request.values.get("next"))
    if request.method == "POST":
        status = 422
        if form.validate():
            try:
                passwords.change_password(current_user, visitor(), form.current.data, form.password.data)
            except DomainError as problem:
                status = problem.status
                for name, sentence in (problem.fields or {"current": problem.message}).items():
                    form[name].errors = [sentence]
            else:
                session.rotate()  # type: ignore[attr-defined]
                flash(_("密码已修改，其他地方的登录都已结束。"))
                return redirect(wanted or home_of(current_user))
    return render_template("account/password.html", form=form, next=wanted), status
