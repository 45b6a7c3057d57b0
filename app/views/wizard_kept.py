"""Posts that came when the login had ended: kept in the session and offered again on the page they came from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import urlsplit

from flask import current_app, request, session
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.datastructures import MultiDict

from app.errors import TooLarge
from app.extensions import csrf

KEY = "kept_post"
LIMIT = 300_000
"""Most bytes of a kept post; it is stored with the session."""

_NOT_ANSWERS = ("csrf_token", "deed")


def is_trusted() -> bool:
    """Whether the post carries this session's token."""
    if not current_app.config.get("WTF_CSRF_ENABLED", True):
        return True
    try:
        csrf.protect()
    except CSRFError:
        return False
    return True


def comes_from_here() -> bool:
    """Whether a page of this site sent the post; only such a post is worth keeping."""
    source = request.headers.get("Origin") or request.headers.get("Referer") or ""
    return bool(source) and urlsplit(source).netloc == request.host


def keep(place: str) -> None:
    """Remember what was posted to ``place`` (declaration/section). TooLarge if it does not fit."""
    pairs = [(k, v) for k, v in request.form.items(multi=True) if k not in _NOT_ANSWERS]
    if len(json.dumps(pairs).encode()) > LIMIT:
        raise TooLarge(_("登录已过期，这一页内容太多，没能替您留住。请点浏览器的“后退”，复制出来，登录后再填。"))
    session[KEY] = {"place": place, "pairs": [list(p) for p in pairs]}


def kept(place: str) -> MultiDict[str, str] | None:
    """What was kept for ``place``, or None."""
    stored = session.get(KEY)
    if not isinstance(stored, Mapping) or stored.get("place") != place:
        return None
    return MultiDict([(k, v) for k, v in stored["pairs"]])


def forget(place: str) -> None:
    """Drop what was kept for ``place``."""
    stored = session.get(KEY)
    if isinstance(stored, Mapping) and stored.get("place") == place:
        session.pop(KEY)


def typed_now() -> list[str]:
    """Texts of this post that are not what its page showed."""
    names = [k for k in request.form if k not in _NOT_ANSWERS and not k.startswith("base:")]
    changed = (n for n in names if request.form.getlist(n) != request.form.getlist(f"base:{n}"))
    return [text for name in changed for text in request.form.getlist(name) if text.strip()]
