"""A database that has no connection to spare or does not answer: a kind page that promises no more than is true."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from app.errors import Unavailable
from app.extensions import db
from app.models import Declaration, LoginSession
from app.permissions import roles
from app.services.answers import save_answers
from tests.conftest import make_app
from tests.factories import filled_draft, login, make_account, make_batch

sqlite_only = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
BUSY = "系统正忙，请稍后再试"
KEPT = "先前保存的内容都在"


@pytest.fixture
def narrow(context: Flask, tmp_path: Path) -> Iterator[Flask]:
    """The same database behind a pool of two connections, as many as a request needs, that nobody waits for."""
    pool = {"pool_size": 2, "max_overflow": 0, "pool_timeout": 0.05}
    app = make_app(
        context.config["SQLALCHEMY_DATABASE_URI"],
        tmp_path,
        SQLALCHEMY_ENGINE_OPTIONS=context.config["SQLALCHEMY_ENGINE_OPTIONS"] | pool,
    )
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def full(narrow: Flask) -> Iterator[FlaskClient]:
    """A signed-in owner at the moment when every connection is taken."""
    owner = make_account(roles.ENTERPRISE)
    draft = filled_draft(owner, make_batch())
    client = login(narrow.test_client(), owner)
    assert client.get(f"/declarations/{draft.public_id}/").status_code == 200
    with all_taken(narrow):
        yield client


@contextmanager
def all_taken(app: Flask, spare: int = 0) -> Iterator[None]:
    """Every connection of the pool but ``spare`` is in somebody else's hands."""
    with app.app_context():
        db.session.remove()
        engine = db.engine
    with ExitStack() as held:
        for _number in range(2 - spare):
            held.enter_context(engine.connect())
        yield


def read(answer: TestResponse) -> str:
    """The page's own part, without what its frame keeps ready for scripts."""
    return answer.text.partition("<main")[2].partition("</main>")[0]


@sqlite_only
def test_people_get_a_page_that_says_when_to_come_again(full: FlaskClient) -> None:
    answer = full.get("/todo/?tab=handled")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert BUSY in answer.text and KEPT in answer.text and "编号" in answer.text
    assert 'href="/todo/?tab=handled"' in answer.text and "再试一次" in answer.text
    assert "内容已保存" not in answer.text and "Traceback" not in answer.text


@sqlite_only
def test_nobody_is_taken_for_signed_out(full: FlaskClient) -> None:
    answer = full.get("/workbench/")
    assert answer.status_code == 503 and answer.location is None and "去登录" not in read(answer)
    assert answer.headers.getlist("Set-Cookie") == []
    assert db.session.scalars(select(LoginSession.id)).all() != []


@sqlite_only
@pytest.mark.parametrize("path", ["/pickers/regions?q=平房", "/todo/"])
def test_scripts_get_json(full: FlaskClient, path: str) -> None:
    answer = full.get(path, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json["status"], answer.json["title"]) == (503, 503, BUSY)
    assert answer.headers["Retry-After"] == "30" and KEPT in answer.json["message"]


@sqlite_only
def test_a_post_changes_nothing_and_is_not_offered_again_as_a_link(full: FlaskClient) -> None:
    draft = db.session.scalars(select(Declaration)).unique().one()
    before, address = draft.version, f"/declarations/{draft.public_id}/act"
    answer = full.post(address, data={"action": "discard", "version": str(before)})
    assert answer.status_code == 503 and "先看看有没有办成" in answer.text
    assert f'href="{address}"' not in answer.text and "再试一次" not in read(answer)
    db.session.expire_all()
    assert (draft.status, draft.version) == ("draft", before)


@sqlite_only
def test_it_works_again_as_soon_as_there_is_room(narrow: Flask) -> None:
    client = login(narrow.test_client(), make_account(roles.CITY))
    with all_taken(narrow):
        assert client.get("/todo/").status_code == 503
    assert client.get("/todo/").status_code == 200


@sqlite_only
def test_a_database_that_breaks_off_in_a_view(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    client = login(context.test_client(), make_account(roles.CITY))

    def broken(*_args: Any, **_more: Any) -> None:
        raise OperationalError("SELECT 1", {}, Exception("server closed the connection"))

    monkeypatch.setattr("app.services.todo.tally", broken)
    answer = client.get("/todo/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert BUSY in answer.text and "server closed" not in answer.text and "SELECT" not in answer.text


@sqlite_only
def test_a_service_without_a_connection_says_that_nothing_was_saved(narrow: Flask) -> None:
    owner = make_account(roles.ENTERPRISE)
    draft = filled_draft(owner, make_batch())
    with all_taken(narrow), narrow.app_context(), pytest.raises(Unavailable, match="系统正忙，这次没有保存"):
        save_answers(owner, draft.public_id, {"contact_name": "改过的人"})


@sqlite_only
def test_a_session_that_cannot_be_written_is_no_fault_of_the_program(narrow: Flask) -> None:
    """Reading has its connection; writing when the visit was, once a minute, does not get the second one."""
    narrow.config["PROPAGATE_EXCEPTIONS"] = False
    client = login(narrow.test_client(), make_account(roles.CITY))
    with all_taken(narrow, spare=1):
        answer = client.get("/todo/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert BUSY in answer.text
