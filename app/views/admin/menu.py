"""Every grid, in menu order."""

from __future__ import annotations

from flask import Flask
from flask_appbuilder import AppBuilder

from app.extensions import db
from app.views.security import Manager


def init_grids(app: Flask) -> None:
    """Bind Flask-AppBuilder (one object per application) and register the grids."""
    appbuilder = AppBuilder(security_manager_class=Manager)
    with app.app_context():
        appbuilder.init_app(app, db.session)
