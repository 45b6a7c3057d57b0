"""The application, built from its parts: this file is the table of contents."""

from __future__ import annotations

from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from app.cli import init_cli
from app.extensions import bootstrap, csrf, db, migrate
from app.models.engine import configure_engine
from app.views.errors import init_errors
from app.views.language import init_language, init_template_texts
from app.views.menu import init_views
from app.views.page import init_pages
from app.views.security import init_headers
from app.views.session import DatabaseSessions
from config import Settings


def create_app(overrides: dict[str, Any] | None = None) -> Flask:
    """A ready application. ``overrides`` replaces configuration values (tests)."""
    app = Flask(__name__, template_folder="../templates")
    app.config.update(Settings().flask_config() | (overrides or {}))
    app.session_interface = DatabaseSessions()
    trust_proxies(app)
    init_database(app)
    init_errors(app)
    init_headers(app)
    csrf.init_app(app)
    bootstrap.init_app(app)
    init_language(app)
    init_pages(app)
    init_views(app)
    init_template_texts(app)
    init_cli(app)
    return app


def trust_proxies(app: Flask) -> None:
    """Believe what exactly ``TRUSTED_PROXIES`` proxies in front say about the address and the scheme of a request.

    With none, forwarded headers are what anybody may write, and count for nothing.
    """
    count = int(app.config["TRUSTED_PROXIES"])
    if count > 0:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count)  # type: ignore[method-assign]


def init_database(app: Flask) -> None:
    """Bind the database, with safe engine settings, and the migrations."""
    app.config["DATA_DIR"].mkdir(parents=True, exist_ok=True)
    db.init_app(app)
    migrate.init_app(app, db, directory=f"{app.root_path}/migrations", include_object=_is_core)
    with app.app_context():
        configure_engine(db.engine)


def _is_core(_object: Any, name: str | None, kind: str, *_rest: Any) -> bool:
    """Alembic owns the core tables; ``form_*`` belong to ``flask definitions sync``."""
    return not (kind == "table" and (name or "").startswith("form_"))
