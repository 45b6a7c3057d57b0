"""One furnished platform for many questions: built once per module, so that a table of a hundred bad inputs costs little.

Only tests that change nothing (or only what they made themselves) may share it; ``World.state`` shows that they did not.
"""

from __future__ import annotations

import hashlib
import html
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.extensions import db
from app.models import Account, Assignment, Declaration, Job
from app.models.base import now
from app.permissions import roles
from app.services import review
from app.services.attachment import upload
from app.services.declaration import accept_statement, start_declaration
from app.services.reference import lookups
from tests import factories
from tests.conftest import SqliteDatabases
from tests.factories_files import pdf_bytes
from tests.factories_portal import make_message, make_notice, make_public_list

UNKNOWN = "01890000-0000-7000-8000-000000000000"
"""A well-formed public id that no record has."""
BOOKKEEPING = {"login_session", "challenge", "throttle", "alembic_version"}
"""Tables that requests may touch although nothing was done: sessions, puzzles, counted attempts."""
REFERENCE = {"region", "industry", "holiday"}
HTMX = {"HX-Request": "true"}
JSON = {"Accept": "application/json"}


def visible(response: Any) -> str:
    """What a person reads in the middle of the page, without tags."""
    main = re.sub(r"(?s)^.*?<main[^>]*>|</main>.*$", "", response.text)
    return " ".join(html.unescape(re.sub(r"(?s)<[^>]+>", " ", main)).split())


@dataclass
class World:
    """Everybody's browser, and the public id of one record of each kind."""

    app: Flask
    people: dict[str, int] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    browsers: dict[str, FlaskClient] = field(default_factory=dict)

    def browser(self, person: str) -> FlaskClient:
        """The browser in which ``person`` is signed in (``nobody``: a fresh one)."""
        if person == "nobody":
            return self.app.test_client()
        if person not in self.browsers:
            with self.app.app_context():
                account = db.session.get_one(Account, self.people[person])
                self.browsers[person] = factories.login(self.app.test_client(), account)
        return self.browsers[person]

    def path(self, pattern: str) -> str:
        """``pattern`` with ``{draft}`` and the like replaced by public ids."""
        for name, value in self.ids.items():
            pattern = pattern.replace("{" + name + "}", value)
        return pattern.replace("{unknown}", UNKNOWN)

    def open(self, person: str, pattern: str, method: str = "GET", **request: Any) -> Any:
        """What ``person`` gets for an address with names of records in it."""
        return self.browser(person).open(self.path(pattern), method=method, **request)

    def send(self, person: str, pattern: str, data: dict[str, Any], **request: Any) -> Any:
        """Post a form. A value ``@sent`` is the version that the declaration called ``sent`` has now."""
        with self.app.app_context():
            typed = {
                k: str(self.declaration(v[1:]).version)
                if isinstance(v, str) and v[1:] in self.ids and v[0] == "@"
                else v
                for k, v in data.items()
            }
        return self.open(person, pattern, "POST", data=typed, **request)

    def state(self) -> dict[str, str]:
        """A digest of every table that holds work of people, by table name."""
        with self.app.app_context(), db.engine.connect() as connection:
            names = [t for t in connection.dialect.get_table_names(connection) if not t.startswith("sqlite_")]
            return {n: self._digest(connection, n) for n in names if n not in BOOKKEEPING | REFERENCE}

    @staticmethod
    def _digest(connection: Any, name: str) -> str:
        rows = connection.exec_driver_sql(f'SELECT * FROM "{name}"').all()  # the name comes from the schema itself
        return hashlib.sha256("\n".join(sorted(repr(tuple(r)) for r in rows)).encode()).hexdigest()

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Whatever happens inside leaves every record as it was."""
        before = self.state()
        yield
        after = self.state()
        assert {n for n in after if after[n] != before.get(n)} == set(), "something was written"

    def declaration(self, name: str) -> Declaration:
        """The declaration called ``name`` as stored now; needs an application context."""
        return factories.find(self.ids[name])


def build(app: Flask, **facts: Any) -> World:
    """Everybody, and declarations in every state; ``facts`` are the owner's enterprise's. Needs an application context."""
    world = World(app)
    makers = {
        "owner": (roles.ENTERPRISE, {"enterprise": factories.make_enterprise(**facts)}), "rival": (roles.ENTERPRISE, {}), "individual": (roles.INDIVIDUAL, {}),
        "city": (roles.CITY, {}), "district": (roles.DISTRICT, {}), "far": (roles.DISTRICT, {"region": "230102"}),
        "expert": (roles.EXPERT, {}), "admin": (roles.ADMIN, {}),
    }  # fmt: skip
    for name, (role, more) in makers.items():
        world.people[name] = factories.make_account(role, **more).id
    batches = {name: factories.make_batch(title=f"批次{name}") for name in ("open", "second", "third", "fourth")}
    world.ids |= {f"batch_{name}": batch.public_id for name, batch in batches.items()}
    world.ids["draft"] = _draft(world, batches["open"].public_id)
    _submitted(world, batches)
    _others(world, batches)
    return world


def _account(world: World, name: str) -> Account:
    return db.session.get_one(Account, world.people[name])


def _draft(world: World, batch: str) -> str:
    owner = _account(world, "owner")
    public_id = start_declaration(owner, batch)
    accept_statement(owner, public_id)
    world.ids["file"] = upload(owner, public_id, "audit_report", io.BytesIO(pdf_bytes()), "审计.pdf").file.public_id
    db.session.rollback()
    return public_id


def _submitted(world: World, batches: dict[str, Any]) -> None:
    """``sent`` waits for the city, ``returned`` for the owner, ``stamping`` for the owner's scan."""
    for name, batch in (("sent", "second"), ("returned", "third"), ("stamping", "fourth")):
        world.ids[name] = factories.submitted(_account(world, "owner"), batches[batch]).public_id
    city = _account(world, "city")
    review.remark(city, world.ids["returned"], "revenue", "请核对营业收入。")
    factories.perform(_account(world, "city"), world.declaration("returned"), "return", "请按批注修改。")
    factories.perform(_account(world, "city"), world.declaration("stamping"), "confirm", "材料齐全")


def _others(world: World, batches: dict[str, Any]) -> None:
    sent, step = world.declaration("sent").id, world.declaration("sent").step_key
    factories.store(Assignment(declaration_id=sent, step_key=step, expert_id=world.people["expert"], assigned_at=now()))
    job = Job(kind="test", run_after=now(), account_id=world.people["city"], created_at=now())
    world.ids |= {
        "job": factories.store(job).public_id,
        "message": make_message(_account(world, "owner"), "给业主的消息", link="/workbench/").public_id,
        "notice": make_notice().public_id,
        "list": make_public_list(batches["open"], 3).public_id,
    }


@pytest.fixture(scope="module")
def world(sqlite_databases: SqliteDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The furnished platform on SQLite, for one module."""
    app = sqlite_databases.app
    sqlite_databases.reset()
    lookups.forget()
    before = dict(app.config)
    app.config["DATA_DIR"] = tmp_path_factory.mktemp("world")
    try:
        with app.app_context():
            built = build(app)
            db.session.remove()
        yield built
    finally:
        app.config.clear()
        app.config.update(before)
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
