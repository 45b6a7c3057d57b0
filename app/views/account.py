"""Registration, sign-in, sign-out and recovery. Every page works by ordinary posts; scripts only make it quicker."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_login import current_user, logout_user

from app.errors import DomainError, InvalidInput
from app.extensions import db
from app.forms.account import CodeLoginForm, PasswordLoginForm, RecoverForm, RegisterForm, SecondForm
from app.models import Account
from app.models.base import now
from app.services import challenge, password, registration, sign_in
from app.services.challenge import Solution
from app.services.identity import needs_second_factor
from app.views.account_page import (
    NAME_LENGTH,
    PURPOSES,
    SECOND_KEY,
    asked_kind,
    code_box,
    enter,
    home_of,
    picture_response,
    proven_phone,
    remember,
    remembered_name,
    safe_next,
    show_problem,
    visitor,
)

blueprint = Blueprint("account", __name__)
SECOND_SECONDS = 600


def _next() -> str | None:
    return safe_next(request.values.get("next"))


def _render(purpose: str, form: Any, *, status: int = 200, problem: str | None = None, **state: Any) -> Any:
    """A page with a code box. Where one wanted to go travels along."""
    phone = form.phone.data if form.phone.data and not form.phone.errors else None
    box = code_box(purpose, phone, problem=problem, **state)
    return render_template(PURPOSES[purpose].template, form=form, box=box, next=_next()), status


@blueprint.route("/account/register", methods=["GET", "POST"])
def register() -> Any:
    """Create an account and go on to the workbench."""
    form = RegisterForm(request.form)
    if request.method == "GET":
        if current_user.is_authenticated:
            return redirect(home_of(current_user))
        kind = "individual" if request.args.get("user_type") == "individual" else "enterprise"
        return _render("register", RegisterForm(user_type=kind))
    if not form.validate():
        return _render("register", form, status=422)
    who = visitor()
    wanted = registration.Registration(
        form.user_type.data, form.username.data, form.phone.data, form.code.data, form.password.data
    )
    try:
        account = registration.register(who, wanted)
    except DomainError as problem:
        return _render("register", form, status=problem.status, problem=show_problem(form, problem))
    flash(_("注册好了，已为您登录。"))
    return enter(account, who, "register", _next())


@blueprint.route("/account/login", methods=["GET", "POST"])
def login() -> Any:
    """Sign in, by password or by SMS code (``way``)."""
    if request.method == "GET" and current_user.is_authenticated:
        return redirect(_next() or home_of(current_user))
    if request.values.get("way") == "sms":
        return _login_by_code()
    return _login_by_password()


def _login_by_password() -> Any:
    form = PasswordLoginForm(request.form)
    problem: DomainError | None = None
    if request.method == "GET":
        form.username.data = remembered_name()
        form.keep.data = bool(form.username.data)
    elif form.validate():
        who, name = visitor(), form.username.data[:NAME_LENGTH]
        try:
            account = sign_in.check_name_and_password(who, name, form.password.data)
            return remember(_admit(account, who), name if form.keep.data else None)
        except DomainError as error:
            problem = error
    status = problem.status if problem else (422 if form.errors else 200)
    return render_template("account/login.html", form=form, problem=problem, next=_next()), status


def _admit(account: Account, who: challenge.Visitor) -> Any:
    """Sign in, or ask staff for the second factor first."""
    if not needs_second_factor(account):
        return enter(account, who, "password", _next())
    sign_in.send_second_code(who, account)
    session[SECOND_KEY] = {"account": account.id, "at": now().timestamp()}
    return redirect(url_for("account.second", next=_next()))


def _login_by_code() -> Any:
    form = CodeLoginForm(request.form)
    if request.method == "GET":
        name = remembered_name()
        form.phone.data, form.keep.data = (name, True) if name.isdigit() else ("", False)
        return _render("login", form)
    if not form.validate():
        return _render("login", form, status=422)
    who = visitor()
    try:
        account = sign_in.check_phone_and_code(who, form.phone.data, form.code.data)
    except DomainError as problem:
        return _render("login", form, status=problem.status, problem=show_problem(form, problem))
    return remember(enter(account, who, "sms", _next()), form.phone.data if form.keep.data else None)


@blueprint.route("/account/second", methods=["GET", "POST"])
def second() -> Any:
    """The SMS code that staff need besides the password."""
    pending = session.get(SECOND_KEY) or {}
    account = db.session.get(Account, pending.get("account", 0))
    if account is None or now().timestamp() - pending.get("at", 0) > SECOND_SECONDS:
        return redirect(url_for("account.login", next=_next()))
    form, who, status = SecondForm(request.form), visitor(), 200
    if request.method == "POST":
        try:
            if request.form.get("do") == "send":
                sign_in.send_second_code(who, account)
                flash(_("验证码已重新发出。"))
                return redirect(url_for("account.second", next=_next()))
            if form.validate():
                sign_in.check_second_code(who, account, form.code.data)
                return enter(account, who, "password", _next())
            status = 422
        except DomainError as problem:
            form.code.errors, status = [problem.message], problem.status
    return render_template("account/second.html", form=form, phone=account.phone, next=_next()), status


@blueprint.post("/account/logout")
def logout() -> Any:
    """End the session here and on the server."""
    if current_user.is_authenticated:
        sign_in.note_sign_out(current_user, request.remote_addr)
    logout_user()
    session.clear()
    return redirect(url_for("portal.home"))


@blueprint.route("/account/recover", methods=["GET", "POST"])
def recover() -> Any:
    """Set a new password with a code. Nobody is signed in by this."""
    if request.method == "GET":
        return _render("recover", RecoverForm())
    form = RecoverForm(request.form)
    if not form.validate():
        return _render("recover", form, status=422)
    try:
        account = password.recover(visitor(), form.phone.data, form.code.data, form.password.data)
    except DomainError as problem:
        return _render("recover", form, status=problem.status, problem=show_problem(form, problem))
    flash(_("密码已重设，原来的登录都已结束。您的用户名是 %(name)s，请用新密码登录。", name=account.username))
    return redirect(url_for("account.login"))


@blueprint.post("/account/code")
def code() -> Any:
    """Another challenge (``do=other|picture|slider``), a new code (``again``), or the code itself (``send``).

    Answers with the page as it was, or only its changed part if a script asks.
    """
    purpose = PURPOSES.get(request.form.get("purpose", ""))
    if purpose is None:
        abort(400)
    form, do = purpose.form(request.form), request.form.get("do", "send")
    if do == "send":
        return _send(purpose.key, form)
    proven_phone(form)
    form.phone.errors = []
    kind = do if do in ("picture", "slider") else asked_kind()
    if do == "again":
        return _answer(purpose.key, form, None, kind=kind)
    return _answer(purpose.key, form, None, kind=kind, part="puzzle")


def _send(purpose: str, form: Any) -> Any:
    phone = proven_phone(form)
    if phone is None:
        return _answer(purpose, form, InvalidInput(form.phone.errors[0], fields={"phone": form.phone.errors[0]}))
    try:
        PURPOSES[purpose].send(
            visitor(), phone, Solution(request.form.get("token", ""), request.form.get("answer", ""))
        )
    except DomainError as problem:
        return _answer(purpose, form, problem)
    return _answer(purpose, form, None, fresh=True)


def _answer(purpose: str, form: Any, problem: DomainError | None, *, part: str = "box", **state: Any) -> Any:
    """The whole page, or the part that a script asked for; a refusal always brings a new challenge."""
    sentence = show_problem(form, problem) if problem else None
    if problem and "answer" in problem.fields:
        sentence = problem.fields["answer"]
    phone = None if problem or not state.get("fresh") else form.phone.data
    box = code_box(purpose, phone, problem=sentence, **state)
    template = PURPOSES[purpose].template
    if request.headers.get("HX-Request"):
        # Too many is answered like wrong input here: only that status is drawn by the script.
        return render_template(f"account/_{part}.html", form=form, box=box), 422 if problem else 200
    return render_template(template, form=form, box=box, next=_next()), problem.status if problem else 200


@blueprint.get("/account/challenge/<token>/picture")
def challenge_picture(token: str) -> Any:
    """The picture of a challenge of this session."""
    return picture_response(challenge.shown_to(visitor(), token).picture, "image/png")


@blueprint.get("/account/challenge/<token>/piece")
def challenge_piece(token: str) -> Any:
    """The piece of a slider puzzle."""
    piece = challenge.shown_to(visitor(), token).piece
    if piece is None:
        abort(404)
    return picture_response(piece, "image/png")


@blueprint.get("/account/challenge/<token>/sound")
def challenge_sound(token: str) -> Any:
    """The digits of a picture code, spoken."""
    return picture_response(challenge.sound_of(visitor(), token), "audio/wav")


@blueprint.get("/account/agreement")
def agreement() -> Any:
    """《用户服务协议》."""
    return render_template("account/agreement.html")


@blueprint.get("/account/privacy")
def privacy() -> Any:
    """《隐私政策》."""
    return render_template("account/privacy.html")
