"""What all tests share: databases that start from one template, the application, a client, and what may be touched.

Unit tests reach neither database nor network. Integration tests run on SQLite and PostgreSQL, each test on a fresh copy.
"""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, has_app_context, has_request_context
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.orm import Session, scoped_session

from app import create_app
from app.extensions import db
from app.services.installation import prepare_database
from app.services.reference import lookups
from tests import servers
from tests.coverage_of_parts import PartsRun

KINDS = ("sqlite", "postgresql")


def pytest_configure(config: pytest.Config) -> None:
    """Keep out the settings of the machine, and watch which parts of the tests really ran."""
    os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="shenbao-test-")
    os.environ["SECRET_KEY"] = "only-for-tests-" + "0" * 40
    for name in ("DATABASE_URL", "REDIS_URL", "STORAGE_URL", "PUBLIC_URL", "SMS_URL", "SHENBAO_ENV"):
        os.environ.pop(name, None)
    config.pluginmanager.register(PartsRun(config), "parts-run")


def pytest_unconfigure() -> None:
    """Leave nothing behind."""
    shutil.rmtree(os.environ["DATA_DIR"], ignore_errors=True)


class FreshClient(FlaskClient):
    """A client whose every request has its own application context, also while a test holds one."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """Send a request, then let the test's own session read anew."""
        with self.application.app_context():
            response = super().open(*args, **kwargs)
        forget_read_state()
        return response


def forget_read_state(*_session: Session) -> None:
    """End the test's own read transaction, so that it sees what services committed meanwhile."""
    if has_app_context() and not has_request_context() and db.session.registry.has():
        db.session.rollback()


def make_app(url: str, folder: Path, **overrides: Any) -> Flask:
    """An application on the database at ``url`` with its files in ``folder``."""
    settings = {"TESTING": True, "WTF_CSRF_ENABLED": False, "SQLALCHEMY_DATABASE_URI": url, "DATA_DIR": folder}
    app = create_app(settings | overrides)
    app.test_client_class = FreshClient
    return app


def fill_template(app: Flask) -> None:
    """Tables, definitions, reference data and permissions, by the same steps as an installation."""
    with app.app_context():
        prepare_database()
        db.session.remove()
        db.engine.dispose()


class SqliteDatabases:
    """One file per process, copied from the template before each test."""

    def __init__(self, folder: Path) -> None:
        self.template, self.file = folder / "template.db", folder / "test.db"
        fill_template(make_app(f"sqlite:///{self.template}", folder))
        self.app = make_app(f"sqlite:///{self.file}", folder)

    def reset(self) -> None:
        """A fresh copy."""
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self.file}{suffix}").unlink(missing_ok=True)
        shutil.copyfile(self.template, self.file)


class PostgresDatabases:
    """One cluster per process, one database in it, copied from the template before each test."""

    def __init__(self, folder: Path, cluster: servers.Postgres) -> None:
        self.cluster = cluster
        cluster.execute(
            f'DROP DATABASE IF EXISTS "{cluster.template}" WITH (FORCE)', f'CREATE DATABASE "{cluster.template}"'
        )
        fill_template(make_app(cluster.url(cluster.template), folder))
        self.app = make_app(cluster.url(cluster.work), folder)

    def reset(self) -> None:
        """A fresh copy."""
        self.cluster.copy()


@pytest.fixture(scope="session")
def sqlite_databases(tmp_path_factory: pytest.TempPathFactory) -> SqliteDatabases:
    """The SQLite template with its application."""
    return SqliteDatabases(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgres_databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresDatabases]:
    """The PostgreSQL template with its application; skips where there is no PostgreSQL."""
    try:
        with servers.postgres() as cluster:
            yield PostgresDatabases(tmp_path_factory.mktemp("postgres"), cluster)
    except servers.NotHere as reason:
        pytest.skip(f"no PostgreSQL: {reason}")


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest) -> str:
    """The kind of database: every test that uses ``app`` runs on both."""
    return request.param


@pytest.fixture
def app(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """The application on a fresh database with reference data, files in a folder of the test."""
    databases = request.getfixturevalue("sqlite_databases" if database == "sqlite" else "postgres_databases")
    app: Flask = databases.app
    databases.reset()
    lookups.forget()
    before = dict(app.config)
    app.config["DATA_DIR"] = tmp_path
    try:
        yield app
    finally:
        app.config.clear()
        app.config.update(before)
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@pytest.fixture
def context(app: Flask) -> Iterator[Flask]:
    """The application with its context held for the whole test, for calling services and reading ``db.session``."""
    event.listen(Session, "after_commit", forget_read_state)
    with app.app_context():
        yield app
        db.session.remove()
    event.remove(Session, "after_commit", forget_read_state)


@pytest.fixture
def db_session(context: Flask) -> scoped_session[Any]:
    """The test's own session, for reading."""
    return db.session


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without cookies."""
    return app.test_client()


@pytest.fixture(autouse=True)
def limits(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing reaches another machine; unit tests reach no database either."""
    connect = socket.socket.connect

    def near(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test reached for {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", near)
    if "unit" in request.node.path.relative_to(request.config.rootpath).parts:

        def refuse(_self: object) -> None:
            raise AssertionError("unit tests use no database; write an integration test")

        monkeypatch.setattr(type(db), "engine", property(refuse))
