"""Moments are shown as people in Harbin read them, numbers as people write them, on every family of pages."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.extensions import db
from app.models import Account, Batch, Declaration, Recognition
from app.permissions import roles
from app.services.answers import save_answers
from app.services.unit_of_work import unit_of_work
from tests import factories
from tests.factories_portal import make_message, make_notice, make_public_list, make_recognition
from tests.shared_world import visible

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
EVENING = datetime(2026, 6, 17, 23, 30, tzinfo=UTC)
"""07:30 of the next morning in Harbin."""


@pytest.fixture
def city(context: Flask) -> FlaskClient:
    return factories.login(context.test_client(), factories.make_account(roles.CITY, display_name="李静"))


def at_night(moment: datetime = EVENING) -> Any:
    return time_machine.travel(moment, tick=True)


def test_a_reminder_ticked_in_the_morning_carries_that_day(context: Flask) -> None:
    with at_night():
        city = factories.login(context.test_client(), factories.make_account(roles.CITY, display_name="李静"))
        batch = factories.make_batch()
        city.post(f"/batches/{batch.public_id}/reminders/paper_copy", data={"done": "1"})
        page = visible(city.get(f"/batches/{batch.public_id}/"))
    assert "已办：李静 2026-06-18" in page and "2026-06-17" not in page.split("平台以外要做的")[1]


def test_a_batch_made_on_new_years_morning_belongs_to_the_new_year(context: Flask) -> None:
    with at_night(datetime(2026, 12, 31, 17, 0, tzinfo=UTC)):
        city = factories.login(context.test_client(), factories.make_account(roles.CITY))
        page = city.get(f"/batches/new/{factories.INTAKE}").text
        fields = dict(re.findall(r'name="(parameter_\w+)"[^>]*? value="([^"]*)"', page))
        fields |= {
            "title": "元旦批次",
            "parameter_district_step": "no",
            "parameter_expert_step": "no",
            "parameter_publicity_required": "no",
        }
        answer = city.post(f"/batches/new/{factories.INTAKE}", data=fields)
        assert answer.status_code == 302, visible(answer)
    made = db.session.scalars(select(Batch).where(Batch.title == "元旦批次")).one()
    assert made.year == 2027


@pytest.mark.parametrize(
    ("opens", "closes", "starts", "ends"),
    [
        ("2026-06-01", "2026-06-17", "2026-05-31T16:00", "2026-06-17T16:00"),
        ("2026-01-01", "2026-01-01", "2025-12-31T16:00", "2026-01-01T16:00"),
        ("2028-02-29", "2028-02-29", "2028-02-28T16:00", "2028-02-29T16:00"),
    ],
)
def test_days_of_a_window_are_whole_days_in_harbin(
    city: FlaskClient, opens: str, closes: str, starts: str, ends: str
) -> None:
    batch = factories.make_batch()
    here = f"/batches/{batch.public_id}/settings"
    fields = dict(re.findall(r'name="(\w+)"[^>]*? value="([^"]*)"', city.get(here).text))
    fields |= {"title": "窗口", "opens": opens, "closes": closes, "published": "y"}
    fields |= {"parameter_district_step": "no", "parameter_expert_step": "no", "parameter_publicity_required": "no"}
    assert city.post(here, data=fields).status_code == 302
    db.session.rollback()
    kept = db.session.get_one(Batch, batch.id)
    assert kept.opens_at is not None and kept.closes_at is not None
    assert kept.opens_at.isoformat().startswith(starts) and kept.closes_at.isoformat().startswith(ends)
    again = city.get(here).text
    assert f'name="opens" type="date" value="{opens}"' in again or f'value="{opens}"' in again
    assert f'value="{closes}"' in again, "what was typed is what is shown"


@pytest.fixture
def night(context: Flask) -> dict[str, Any]:
    """Everything happens at 07:30 of 18 June 2026 in Harbin, which is still 17 June in UTC."""
    with at_night():
        owner = factories.make_account(roles.ENTERPRISE)
        batch = factories.make_batch()
        draft = factories.filled_draft(owner, batch)
        save_answers(owner, draft.public_id, {"revenue": "1234567.8"})
        sent = factories.perform(owner, factories.find(draft.public_id), "submit")
        message = make_message(owner, "早上的消息")
        notice = make_notice("早上的公告")
        listed = make_public_list(factories.make_batch(), 1)
    return {"owner": owner, "sent": sent, "message": message, "notice": notice, "list": listed, "batch": batch}


def test_every_page_shows_the_morning(context: Flask, night: dict[str, Any]) -> None:
    sent: Declaration = night["sent"]
    here = f"/declarations/{sent.public_id}"
    with at_night(EVENING + timedelta(minutes=5)):
        city = factories.login(context.test_client(), factories.make_account(roles.CITY))
        admin = factories.login(context.test_client(), factories.make_account(roles.ADMIN))
        web = factories.login(context.test_client(), night["owner"])
        pages = {
            (web, f"{here}/"): "2026-06-18 07:30", (web, f"{here}/preview"): "2026-06-18 07:30",
            (web, f"{here}/receipt"): "2026-06-18 07:30", (web, "/messages/"): "06-18 07:30",
            (web, f"/messages/{night['message'].public_id}/"): "06-18 07:30",
            (web, f"/notices/{night['notice'].public_id}/"): "2026-06-18",
            (web, "/notices/"): "06-18", (web, f"/publicity/{night['list'].public_id}/"): "2026-06-18",
            (web, "/account/"): "06-18 07:3", (city, f"/review/{sent.public_id}/"): "06-18 07:30",
            (city, f"/admin/declaration/show/{sent.id}"): "2026-06-18 07:30",
            (city, "/admin/notice/list/"): "2026-06-18 07:30", (admin, "/admin/event/list/"): "2026-06-18 07:30",
        }  # fmt: skip
        for (browser, address), words in pages.items():
            read = visible(browser.get(address))
            assert words in read, (address, read[:300])
            assert "23:30" not in read, address


def test_a_grid_filters_by_the_day_in_harbin(context: Flask, night: dict[str, Any]) -> None:
    with at_night(EVENING + timedelta(minutes=5)):
        city = factories.login(context.test_client(), factories.make_account(roles.CITY))
        for day, count in (("2026-06-18", 2), ("2026-06-17", 0)):
            found = visible(city.get(f"/admin/declaration/list/?_flt_0_submitted_at={day}"))
            assert f"共 {count} 条" in found, day


def test_amounts_have_their_commas_and_units(context: Flask, night: dict[str, Any]) -> None:
    sent: Declaration = night["sent"]
    with at_night(EVENING + timedelta(minutes=5)):
        web = factories.login(context.test_client(), night["owner"])
        city = factories.login(context.test_client(), factories.make_account(roles.CITY))
        for browser, address in (
            (web, f"/declarations/{sent.public_id}/preview"),
            (city, f"/review/{sent.public_id}/"),
            (city, f"/admin/form_{factories.INTAKE}/list/"),
        ):
            read = visible(browser.get(address))
            assert re.search(r"1,234,567\.80? ?万元|1,234,567\.80?", read), address
            assert "1234567" not in read, address


def test_phones_are_half_hidden_where_they_are_only_shown(context: Flask, night: dict[str, Any]) -> None:
    owner: Account = night["owner"]
    assert owner.phone is not None
    shown = f"{owner.phone[:3]}****{owner.phone[-4:]}"
    with at_night(EVENING + timedelta(minutes=5)):
        web = factories.login(context.test_client(), owner)
        page = visible(web.get("/enterprise/"))
        admin = factories.login(context.test_client(), factories.make_account(roles.ADMIN))
        grid = visible(admin.get("/admin/account/list/"))
    assert shown in page and owner.phone not in page
    assert shown in grid and owner.phone not in grid


@pytest.mark.parametrize(
    ("until", "words"),
    [(None, "2026-06-30 起"), ("2029-06-29", "2026-06-30 至 2029-06-29")],
)
def test_a_recognition_says_from_when_until_when(context: Flask, until: str | None, words: str) -> None:
    owner = factories.make_account(roles.ENTERPRISE)
    sent = factories.submitted(owner)
    held = make_recognition(owner.enterprise, sent)
    if until:
        with unit_of_work() as session:
            session.get_one(Recognition, held.id).valid_to = datetime.fromisoformat(until).date()
    page = visible(factories.login(context.test_client(), owner).get("/enterprise/"))
    assert words in page and "培育入库企业" in page and "有效" in page


@pytest.mark.parametrize(
    ("left", "words"),
    [(timedelta(hours=-1), "已截止"), (timedelta(days=3650), "申报中")],
)
def test_the_state_of_a_window(city: FlaskClient, left: timedelta, words: str) -> None:
    batch = factories.make_batch(closes_at=datetime.now(UTC) + left)
    assert words in visible(city.get(f"/batches/{batch.public_id}/"))


@pytest.mark.parametrize(
    ("facts", "words"),
    [({"published": False}, "未显示"), ({"opens": 5}, "未开始"), ({"opens_at": None, "closes_at": None}, "常年受理"),
     ({"opens_at": None}, "即日 至"), ({"closes_at": None}, "至 另行通知")],
)  # fmt: skip
def test_windows_without_an_end_are_said(city: FlaskClient, facts: dict[str, Any], words: str) -> None:
    batch = factories.make_batch(**facts)
    assert words in visible(city.get(f"/batches/{batch.public_id}/"))
