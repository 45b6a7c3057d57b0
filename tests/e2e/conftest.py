"""Browser tests: a real server in this process, a real Chromium, a fresh database for each test.

``live`` is the server, ``page`` (of pytest-playwright) knows its address: ``page.goto("/account/login")``.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import BrowserContext, Page
from sqlalchemy import event
from sqlalchemy.orm import Session
from waitress.server import create_server

from app.extensions import db
from app.models import Account
from app.services.reference import lookups
from app.tasks.worker import run_job
from tests import factories
from tests.conftest import SqliteDatabases, forget_read_state, make_app

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip


class Live:
    """The running server: its ``app``, its address ``url``."""

    def __init__(self, app: Flask, url: str, databases: SqliteDatabases) -> None:
        self.app, self.url, self._databases = app, url, databases

    def reset(self) -> None:
        """A fresh copy of the template."""
        with self.app.app_context():
            db.engine.dispose()
        self._databases.reset()
        lookups.forget()

    def run_jobs(self) -> int:
        """Run every job that is due, as the worker would; returns how many."""
        count = 0
        with self.app.app_context():
            while run_job():
                count += 1
        return count

    def sign_in(self, page: Page, account: Account) -> None:
        """Make ``page`` the browser of ``account``, without the sign-in page."""
        client = self.app.test_client()
        factories.login(client, account)
        name = self.app.config["SESSION_COOKIE_NAME"]
        cookie = client.get_cookie(name)
        assert cookie is not None
        page.context.clear_cookies()
        page.context.add_cookies([{"name": name, "value": cookie.value, "url": self.url}])


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the browser; skips where there is none."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    return found or pytest.skip("no Chromium on this machine")


@pytest.fixture(scope="session")
def browser_type_launch_args(chromium: str) -> dict[str, Any]:
    """The machine's own browser instead of a downloaded one."""
    return {"executable_path": chromium, "args": list(FLAGS)}


@pytest.fixture(scope="session")
def browser_context_args(base_url: str) -> dict[str, Any]:
    """A Chinese desktop."""
    size = {"width": 1280, "height": 900}
    return {"base_url": base_url, "locale": "zh-CN", "timezone_id": "Asia/Shanghai", "viewport": size}


@pytest.fixture(scope="session")
def server(sqlite_databases: SqliteDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The server, started once."""
    folder = tmp_path_factory.mktemp("live")
    app = make_app(f"sqlite:///{sqlite_databases.file}", folder, WTF_CSRF_ENABLED=True, TESTING=False)
    waiting = create_server(app, host="127.0.0.1", port=0, threads=8, asyncore_use_poll=True,
                            max_request_body_size=app.config["MAX_CONTENT_LENGTH"] + 8 * 1024 * 1024)  # fmt: skip
    thread = threading.Thread(target=waiting.run, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{waiting.effective_port}"
    app.config["PUBLIC_URL"] = url
    yield Live(app, url, sqlite_databases)
    waiting.close()


@pytest.fixture(scope="session")
def base_url(server: Live) -> str:
    """What ``page.goto`` puts before a path."""
    return server.url


@pytest.fixture
def context(new_context: Callable[..., BrowserContext]) -> BrowserContext:
    """The browser's context; elsewhere this name means the application's."""
    return new_context()


@pytest.fixture
def live(server: Live) -> Iterator[Live]:
    """The server on a fresh database; the test holds its application context, for factories and reading."""
    server.reset()
    event.listen(Session, "after_commit", forget_read_state)
    with server.app.app_context():
        yield server
        db.session.remove()
    event.remove(Session, "after_commit", forget_read_state)


@pytest.fixture
def accessible() -> Callable[[Page], None]:
    """``accessible(page)`` fails with axe's findings if there are any."""

    def check(page: Page) -> None:
        result = Axe().run(page)
        assert result.violations_count == 0, result.generate_report()

    return check
