"""Registers every view, in menu order: own pages first, then the grids."""

from __future__ import annotations

from importlib import import_module

from flask import Flask

PAGES = ("portal", "account", "my_account", "workbench", "enterprise", "member", "programme", "declaration", "wizard", "presence", "remark", "submission", "attachment", "stamped", "document", "export",
         "todo", "todo_claim", "todo_bulk", "review", "objection", "batch", "publicity", "handover", "funding", "recognition", "message", "picker", "system", "api_token", "webhook", "role")  # fmt: skip


def init_views(app: Flask) -> None:
    """Every own blueprint (each module has ``blueprint``), then Flask-AppBuilder with the grids."""
    for name in PAGES:
        app.register_blueprint(import_module(f"app.views.{name}").blueprint)
    import_module("app.views.admin.menu").init_grids(app)
