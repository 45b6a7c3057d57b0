"""Chinese first: the person's language is Chinese unless they chose the second one."""

from __future__ import annotations

from typing import Any

from flask import Flask, g, request
from flask_babel import get_translations


def init_language(app: Flask) -> None:
    """Set the selector that Flask-AppBuilder's Babel manager and ours share."""
    app.config["BABEL_LOCALE_SELECTOR"] = select_locale


def init_template_texts(app: Flask) -> None:
    """Texts of templates through one catalogue looked up once a request: a page asks for hundreds of them."""
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]  # added by the i18n extension
        lambda text: _catalogue().ugettext(text),
        lambda one, many, n: _catalogue().ungettext(one, many, n),
        newstyle=True,
    )


def _catalogue() -> Any:
    if "template_texts" not in g:
        g.template_texts = get_translations()
    return g.template_texts


def select_locale() -> str:
    """``zh`` unless the address asks for English."""
    return "en" if request and request.args.get("lang") == "en" else "zh"
