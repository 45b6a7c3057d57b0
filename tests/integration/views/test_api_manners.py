"""Manners of the interface: cookies, methods, addresses that lead nowhere, hostile words, and what an answer costs."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import event, func, select

from app.extensions import db
from app.models import ApiToken, LoginSession, Region
from app.permissions import roles
from app.services.unit_of_work import unit_of_work
from tests.factories import INTAKE, login, make_account, submitted
from tests.factories_api import Caller, administrator, caller, error_of, make_token

FORM = f"form_{INTAKE}"
ROWS = f"{FORM}_service_providers"
sqlite_only = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def count_regions() -> int:
    return db.session.scalar(select(func.count()).select_from(Region)) or 0


@sqlite_only
def test_cookies_count_for_nothing(context: Flask) -> None:
    browser = login(context.test_client(), make_account(roles.ADMIN))
    assert browser.get("/admin/").status_code == 200
    before = db.session.execute(select(LoginSession.digest, LoginSession.last_seen_at)).all()
    answer = browser.get("/api/v1/")
    assert error_of(answer) == (401, "unauthorized", None)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    _token, key = make_token(make_account(roles.CITY))
    mixed = browser.get("/api/v1/job", headers={"Authorization": f"Bearer {key}"})
    assert mixed.status_code == 403, "the key decides, not the administrator's session beside it"
    stranger = context.test_client()
    for path in ("", "region", "nothing", "region/1/2", "openapi.json"):
        for reply in (stranger.get(f"/api/v1/{path}"), Caller(context, key).get(path), browser.get(f"/api/v1/{path}")):
            assert "Set-Cookie" not in reply.headers, path
    assert db.session.execute(select(LoginSession.digest, LoginSession.last_seen_at)).all() == before


@sqlite_only
def test_only_reading(context: Flask) -> None:
    context.config["WTF_CSRF_ENABLED"] = True
    system = administrator(context)
    client = context.test_client(use_cookies=False)
    headers = {"Authorization": f"Bearer {system.key}"}
    count = count_regions()
    for path in ("", "openapi.json", "region", "region/1"):
        for method in ("post", "put", "patch", "delete"):
            answer = getattr(client, method)(f"/api/v1/{path}", headers=headers, json={"name": "x"})
            assert error_of(answer) == (405, "method_not_allowed", None), (method, path)
            assert "GET" in answer.headers.get("Allow", "GET")
    assert count_regions() == count
    assert client.head("/api/v1/region", headers=headers).status_code == 200


@sqlite_only
@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("nothing", 404, "not_found"),
        ("ab_user", 404, "not_found"),
        ("api_token", 404, "not_found"),
        ("Region", 404, "not_found"),
        ("region/", 404, "not_found"),
        ("region/abc", 404, "not_found"),
        ("region/-1", 404, "not_found"),
        ("region/1.0", 404, "not_found"),
        ("region/1%20OR%201=1", 404, "not_found"),
        ("region/99999999999999999999999", 404, "not_found"),
        ("region/９", 404, "not_found"),
        ("region/1/2", 404, "not_found"),
        ("region/..%2f..%2fetc", 404, "not_found"),
        ("?page=1", 400, "unknown_parameter"),
        ("openapi.json?format=yaml", 400, "unknown_parameter"),
        ("region/1?page=1", 400, "unknown_parameter"),
        ("region?page=0", 400, "bad_value"),
        ("region?filter[code]=%00", 400, "bad_value"),
        ("region?filter[code]=%ff%fe", 200, ""),
        ("region?lang=en", 400, "unknown_parameter"),
        ("region?" + "&".join(f"x{n}=1" for n in range(900)), 400, "unknown_parameter"),
    ],
    ids=lambda v: ascii(v)[:40],
)
def test_addresses_that_lead_nowhere(context: Flask, path: str, status: int, code: str) -> None:
    answer = administrator(context).get(path)
    assert answer.status_code == status, answer.text
    if code:
        assert error_of(answer)[1] == code


INJECTIONS = ("%", "_", "\\", "'; DROP TABLE region; --", "' OR '1'='1", "<script>alert(1)</script>", "${7*7}", "{{7*7}}",
              "😀", "\u202e", "平房区' UNION SELECT password FROM ab_user --")  # fmt: skip


def test_hostile_words_find_nothing_and_do_nothing(context: Flask) -> None:
    system = administrator(context)
    count = count_regions()
    for text in INJECTIONS:
        for name in ("filter[name]", "filter[name__contains]", "filter[name__in]"):
            answer = system.get("region", **{name: text})
            assert (answer.status_code, answer.json["total"]) == (200, 0), (name, text)
    assert count_regions() == count


def test_the_same_again_is_not_sent(context: Flask) -> None:
    system = administrator(context)
    answer = system.get("region", page_size=5)
    tag = answer.headers["ETag"]
    again = system.get("region", page_size=5, headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    with unit_of_work() as session:
        session.get_one(Region, answer.json["rows"][0]["id"]).name = "改了名"
    changed = system.get("region", page_size=5, headers={"If-None-Match": tag})
    assert changed.status_code == 200 and changed.headers["ETag"] != tag
    assert answer.headers["Cache-Control"] == "private, no-cache" and answer.headers["Vary"] == "Authorization"


@sqlite_only
def test_an_accident_is_json_too(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.views.api import resource

    def broken(*_args: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(resource, "read_rows", broken)
    system = administrator(context)
    context.config["PROPAGATE_EXCEPTIONS"] = False
    answer = system.get("region")
    assert error_of(answer)[0] == 500 and "secret" not in answer.text


# -- speed ----------------------------------------------------------------------------------------------------------


def statements(context: Flask, system: Caller, path: str, **query: Any) -> int:
    """How many statements an answer takes, when the process may still let the key through."""
    system.get(path, **query)
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        found.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        assert system.get(path, **query).status_code == 200
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    return len(found)


@time_machine.travel("2026-06-01T08:00:10Z", tick=False)
def test_statements_do_not_grow_with_rows(context: Flask) -> None:
    submitted()
    system = caller(context, roles.CITY)
    names = ("declaration", FORM, ROWS, "enterprise", "event", "attachment", "public_list_entry", "account")
    before = {name: statements(context, system, name, labels="1") for name in names}
    for seed in (2, 3):
        submitted(seed=seed)
    after = {name: statements(context, system, name, labels="1") for name in names}
    assert after == before
    assert max(after.values()) <= 8, after
    assert statements(context, system, "declaration", after="0") < after["declaration"], "reading on counts nothing"


@sqlite_only
@time_machine.travel("2026-06-01T08:00:10Z", tick=False)
def test_no_token_is_written_for_each_request(context: Flask) -> None:
    system = administrator(context)
    system.get("region")
    used = db.session.scalars(select(ApiToken)).unique().one().window_used
    for _number in range(10):
        system.get("region")
    assert db.session.scalars(select(ApiToken)).unique().one().window_used == used
