"""The wall in front of every page: Flask-AppBuilder's security manager without its own pages, headers, CSP."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, g, redirect, request, url_for
from flask_appbuilder.baseviews import expose
from flask_appbuilder.security.manager import AUTH_DB
from flask_appbuilder.security.sqla.manager import SecurityManager
from flask_appbuilder.security.views import AuthDBView

from app.models import Account

assert AUTH_DB == 1


class SignInDoor(AuthDBView):
    """Flask-AppBuilder asks for a view named like this; it only leads to our own sign-in page."""

    exclude_route_methods = {"logout"}

    @expose("/login/", methods=["GET"])
    def login(self) -> Any:
        """Lead to the sign-in page, and back afterwards."""
        wanted = urlsplit(request.args.get("next", ""))
        here = wanted.netloc in ("", request.host)
        path = f"{wanted.path}?{wanted.query}" if wanted.query else wanted.path
        return redirect(url_for("account.login", next=path if here and path else None))


class Manager(SecurityManager):
    """Users and permissions of Flask-AppBuilder; none of its pages, and no JWT login."""

    user_model = Account
    authdbview = SignInDoor

    def register_views(self) -> None:
        """Only the door: users and roles have grids of ours, behind the safe base view."""
        self.auth_view = self.appbuilder.add_view_no_menu(self.authdbview())


CSP = (
    "default-src 'self'; script-src 'nonce-{nonce}' 'strict-dynamic'; style-src 'self'; img-src 'self' data: blob:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; frame-src 'self'"
)


def csp_nonce() -> str:
    """The nonce of this response, made when it is first asked for (an early refusal has one too)."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return g.csp_nonce


def init_headers(app: Flask) -> None:
    """A nonce per response, and the headers of every response."""
    # A global, not a context processor: imported macros would not see that one.
    app.jinja_env.globals["csp_nonce"] = csp_nonce

    @app.after_request
    def add_headers(response: Response) -> Response:
        headers = response.headers
        if "Content-Security-Policy" not in headers:
            headers["Content-Security-Policy"] = CSP.format(nonce=csp_nonce())
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("X-Frame-Options", "DENY")
        headers.setdefault("Referrer-Policy", "same-origin")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        if app.config["SESSION_COOKIE_SECURE"]:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        if not request.path.startswith(("/static/", "/appbuilder/")) and "Cache-Control" not in headers:
            headers["Cache-Control"] = "no-store"
        return response
