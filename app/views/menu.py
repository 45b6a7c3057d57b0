"""Registers every view, in menu order: own pages first, then the grids."""

from __future__ import annotations

from importlib import import_module

from flask import Flask

PAGES = ("portal", "account", "my_account", "workbench", "enterprise", "programme", "declaration", "wizard", "submission", "attachment", "stamped", "document", "export",
         "todo", "review", "batch", "message", "picker", "system")  # fmt: skip


def init_views(app: Flask) -> None:
    """Every own blueprint (each module has ``blueprint``), then Flask-AppBuilder with the grids."""
    for name in PAGES:
        app.register_blueprint(import_module(f"app.views.{name}").blueprint)
    import_module("app.views.admin.menu").init_grids(app)
