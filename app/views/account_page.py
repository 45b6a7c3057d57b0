"""Parts that the pages of registration, sign-in and recovery share: who asks, the challenge, where to go afterwards."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from flask import Response, redirect, request, session, url_for
from flask_login import login_user
from werkzeug.wrappers import Response as AnyResponse
from wtforms import Form

from app.adapters.challenge import PIECE, WIDTH
from app.errors import DomainError
from app.forms.account import CodeLoginForm, RecoverForm, RegisterForm
from app.models import Account, Challenge
from app.models.base import now
from app.permissions import roles
from app.services import password, registration, sign_in, sms
from app.services.challenge import Kind, Solution, Visitor, new_challenge

REMEMBERED = "remembered_name"
REMEMBER_SECONDS = 180 * 24 * 3600
NAME_LENGTH = 128
SECOND_KEY = "second_factor"

Send = Callable[[Visitor, str, Solution], None]


@dataclass(frozen=True)
class Purpose:
    """Something a code is asked for: its form, its page, and the service that sends the code."""

    key: str
    form: type[Form]
    template: str
    send: Send


PURPOSES: Mapping[str, Purpose] = {
    p.key: p
    for p in (
        Purpose(registration.REGISTER, RegisterForm, "account/register.html", registration.send_registration_code),
        Purpose(sign_in.LOGIN, CodeLoginForm, "account/login_code.html", sign_in.send_login_code),
        Purpose(password.RECOVER, RecoverForm, "account/recover.html", password.send_recovery_code),
    )
}


@dataclass(frozen=True)
class CodeBox:
    """State of the phone, the challenge and the code: either a challenge is to be solved, or a code is under way.

    ``wait``: seconds until the code can be sent again. ``problem``: why it was not sent.
    """

    purpose: str
    challenge: Challenge | None
    wait: int = 0
    problem: str | None = None
    fresh: bool = False

    @property
    def sent(self) -> bool:
        """Whether a code was sent that still can be typed in."""
        return self.challenge is None

    @property
    def farthest(self) -> int:
        """Where the slider ends."""
        return WIDTH - PIECE

    @property
    def piece_size(self) -> int:
        """Edge of the piece in pixels of the picture."""
        return PIECE


def visitor() -> Visitor:
    """Who asks: this session (made now if there was none) from this address."""
    return Visitor(session.ensure_id(), request.remote_addr)  # type: ignore[attr-defined]


def asked_kind() -> Kind:
    """Which challenge is wanted: the slider, unless somebody asked for the picture."""
    return "picture" if request.form.get("kind") == "picture" else "slider"


def code_box(purpose: str, phone: str | None, **state: Any) -> CodeBox:
    """The box for a form whose (valid) phone is ``phone``; draws a challenge unless a code is under way."""
    who = visitor()
    sent_at = sms.sent_at(who, phone, purpose) if phone else None
    if sent_at is None:
        return CodeBox(purpose, new_challenge(who, state.pop("kind", asked_kind())), **state)
    state.pop("kind", None)
    wait = max(0, int((sent_at + sms.PAUSE - now()).total_seconds()))
    return CodeBox(purpose, None, wait=wait, **state)


def proven_phone(form: Form) -> str | None:
    """The phone of a form, if it is one."""
    return form["phone"].data if form["phone"].validate(form) else None


def show_problem(form: Form, problem: DomainError) -> str | None:
    """Put the sentences of a refusal beside their fields; returns the sentence if it is about none of them."""
    placed = False
    for name, sentence in problem.fields.items():
        if name in form:
            form[name].errors = [sentence]
            placed = True
    return None if placed else problem.message


_ADDRESS = re.compile(r"/[^\x00-\x20\x7f\\]*")


def safe_next(wanted: str | None) -> str | None:
    """``wanted`` if it is an address of this site as a path, else None: nobody is led elsewhere after signing in."""
    if not wanted or len(wanted) > 500 or not _ADDRESS.fullmatch(wanted) or wanted.startswith("//"):
        return None
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return None
    return None if parts.scheme or parts.netloc else wanted


def home_of(account: Account) -> str:
    """Where an account works."""
    if account.role_names & {*roles.STAFF, roles.EXPERT}:
        return url_for("todo.index")
    return url_for("workbench.index")


def enter(account: Account, who: Visitor, way: str, wanted: str | None) -> AnyResponse:
    """Sign ``account`` in with a new session id, and go where it wanted to go."""
    current = sign_in.note_sign_in(account, who, way)
    session.pop("csrf_token", None)
    session.pop(SECOND_KEY, None)
    session.rotate()  # type: ignore[attr-defined]
    login_user(current)
    if current.must_change_password:
        return redirect(url_for("my_account.password", next=safe_next(wanted)))
    return redirect(safe_next(wanted) or home_of(current))


def remembered_name() -> str:
    """The name that this browser was asked to remember."""
    return unquote(request.cookies.get(REMEMBERED, ""))[:NAME_LENGTH]


def remember(response: AnyResponse, name: str | None) -> AnyResponse:
    """Keep the bare name for the next sign-in on this browser, or forget it (None)."""
    place: dict[str, Any] = {"path": "/account", "httponly": True, "samesite": "Lax", "secure": request.is_secure}
    if name:
        response.set_cookie(REMEMBERED, quote(name), max_age=REMEMBER_SECONDS, **place)
    elif REMEMBERED in request.cookies:
        response.delete_cookie(REMEMBERED, **place)
    return response


def picture_response(content: bytes, mimetype: str) -> Response:
    """Bytes that belong to one session and one moment."""
    return Response(content, mimetype=mimetype, headers={"Cache-Control": "no-store"})
