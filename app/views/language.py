"""Chinese first: the person's language is Chinese unless they chose the second one."""

from __future__ import annotations

from flask import Flask, request


def init_language(app: Flask) -> None:
    """Set the selector that Flask-AppBuilder's Babel manager and ours share."""
    app.config["BABEL_LOCALE_SELECTOR"] = select_locale


def select_locale() -> str:
    """``zh`` unless the address asks for English."""
    return "en" if request and request.args.get("lang") == "en" else "zh"
