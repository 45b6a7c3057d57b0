"""Alive, ready, and the page that shows how far a job is."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from app.extensions import db
from app.models import Account, Job
from app.permissions import roles
from app.services import health
from app.services import job as jobs
from app.services.unit_of_work import unit_of_work
from tests import factories


def test_healthz_needs_nothing(client: FlaskClient) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.text) == (200, "ok\n")


def test_readyz_names_every_part(client: FlaskClient) -> None:
    response = client.get("/readyz")
    assert (response.status_code, response.json) == (200, {"ready": True, "database": True, "space": True})


def test_old_tables_are_not_ready(context: Flask, client: FlaskClient) -> None:
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    response = client.get("/readyz")
    assert (response.status_code, response.json["database"]) == (503, False)


def test_missing_tables_are_not_ready(context: Flask, client: FlaskClient) -> None:
    with db.engine.begin() as connection:
        connection.execute(text("DROP TABLE alembic_version"))
    assert client.get("/readyz").status_code == 503


def test_full_disk_is_not_ready(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "FREE_BYTES", 1 << 62)
    assert client.get("/readyz").json["space"] is False


def test_redis_that_does_not_answer_is_not_ready(app: Flask, client: FlaskClient) -> None:
    app.config["REDIS_URL"] = "redis://127.0.0.1:1/0"
    response = client.get("/readyz")
    assert (response.status_code, response.json["redis"]) == (503, False)


@pytest.fixture
def owner(context: Flask) -> Account:
    return factories.make_account(roles.CITY)


def wanted(owner: Account) -> str:
    with unit_of_work() as session:
        return jobs.enqueue(session, "test", account_id=owner.id).public_id


def test_job_page_follows_the_job(context: Flask, client: FlaskClient, owner: Account) -> None:
    public_id = wanted(owner)
    factories.login(client, owner)
    waiting = client.get(f"/jobs/{public_id}").text
    assert "正在办理" in waiting
    assert 'hx-trigger="every 2s"' in waiting
    claimed = jobs.claim()
    jobs.report(claimed, 40, "已装入 4 份")
    assert re.search(r'value="40".*已装入 4 份', client.get(f"/jobs/{public_id}").text, re.S)
    jobs.finish(claimed, {"url": "/there", "label": "下载材料包"})
    done = client.get(f"/jobs/{public_id}").text
    assert '<a class="btn btn-primary" href="/there">下载材料包</a>' in done
    assert "hx-trigger" not in done


def test_job_that_was_given_up_says_so(context: Flask, client: FlaskClient, owner: Account) -> None:
    public_id = wanted(owner)
    with unit_of_work() as session:
        session.query(Job).one().max_tries = 1
    jobs.fail(jobs.claim(), "ValueError: secret words")
    page = factories.login(client, owner).get(f"/jobs/{public_id}").text
    assert "没有办成" in page
    assert "secret words" not in page


def test_htmx_gets_only_the_moving_part(context: Flask, client: FlaskClient, owner: Account) -> None:
    public_id = wanted(owner)
    page = factories.login(client, owner).get(f"/jobs/{public_id}", headers={"HX-Request": "true"}).text
    assert "正在办理" in page
    assert "<html" not in page


def test_job_of_somebody_else_does_not_exist(context: Flask, client: FlaskClient, owner: Account) -> None:
    public_id = wanted(owner)
    assert client.get(f"/jobs/{public_id}").status_code == 302
    assert client.get(f"/jobs/{public_id}", headers={"HX-Request": "true"}).status_code == 401
    factories.login(client, factories.make_account(roles.CITY))
    assert client.get(f"/jobs/{public_id}").status_code == 404
    assert client.get("/jobs/nonsense").status_code == 404
