"""Doors of own pages: who must be signed in, and with which role. What may be done to a record is decided below views."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import abort, redirect, request, url_for
from flask_login import current_user

from app.views.errors import wants_json

View = TypeVar("View", bound=Callable[..., Any])
Also = Callable[..., bool]
"""Called with the view's arguments for somebody without the role: whether this record is theirs all the same."""
OnExpired = Callable[..., Any]
"""Called with the view's arguments when nobody is signed in; a response of its own, or None for the usual one."""


def ask_to_sign_in() -> Any:
    """The answer to somebody unknown: the sign-in page for people, 401 for scripts and parts of pages."""
    if wants_json() or request.headers.get("HX-Request"):
        abort(401)
    here = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("account.login", next=here))


def roles_required(
    *names: str, on_expired: OnExpired | None = None, also: Also | None = None
) -> Callable[[View], View]:
    """Let in who is signed in and holds one of ``names`` (any role if none is named) or whom ``also`` lets in; 403 for
    the others."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if not current_user.is_authenticated:
                answer = on_expired(*args, **kwargs) if on_expired else None
                return answer if answer is not None else ask_to_sign_in()
            if names and not current_user.role_names & set(names) and not (also and also(**kwargs)):
                abort(403)
            return view(*args, **kwargs)

        guarded.roles = names  # type: ignore[attr-defined]  # read by the route matrix
        return guarded  # type: ignore[return-value]

    return guard


def signed_in(view: View) -> View:
    """Let in everyone who is signed in."""
    return roles_required()(view)
