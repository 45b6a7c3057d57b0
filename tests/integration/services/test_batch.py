"""Batches: who sees and changes them, what a change keeps, what cannot be switched off."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from flask import Flask
from sqlalchemy import select

from app.errors import Conflict, InvalidInput, NotFound, Refused
from app.extensions import db
from app.models import Account, Batch, Event
from app.permissions import roles
from app.services import batch as batches
from app.services.batch import Changes
from tests import factories

INTAKE = factories.INTAKE


@pytest.fixture
def city(context: Flask) -> Account:
    return factories.make_account(roles.CITY, display_name="李静")


def changes(title: str = "新名称", **parameters: object) -> Changes:
    opens, closes = batches.window_between(date(2026, 6, 1), date(2026, 6, 17))
    return Changes(title, opens, closes, True, parameters)


def stored(batch: Batch) -> Batch:
    db.session.rollback()
    return db.session.get_one(Batch, batch.id)


def test_a_window_runs_from_0_00_to_24_00_in_shanghai() -> None:
    opens, closes = batches.window_between(date(2026, 6, 1), date(2026, 6, 17))
    assert opens is not None and opens.astimezone(UTC) == datetime(2026, 5, 31, 16, tzinfo=UTC)
    assert closes == datetime(2026, 6, 17, 16, tzinfo=UTC)
    assert batches.window_between(None, None) == (None, None)
    assert batches.days_of(Batch(opens_at=opens, closes_at=closes)) == (date(2026, 6, 1), date(2026, 6, 17))
    assert batches.days_of(Batch(opens_at=None, closes_at=None)) == (None, None)


def test_a_new_batch_takes_declarations(city: Account) -> None:
    made = batches.create_batch(
        city, INTAKE, 2026, "230100", Changes("第一批", None, None, True, {"expert_step": True})
    )
    summary = batches.load(city, made)
    assert (summary.batch.title, summary.batch.year, summary.total) == ("第一批", 2026, 0)
    assert factories.submitted(batch=summary.batch).step_key == "preliminary_review"
    assert [e.label for e in batches.events_of(summary.batch)] == ["新建批次"]


@pytest.mark.parametrize("key", ["enterprise_certification", "nothing", ""])
def test_batches_are_of_programmes_with_a_window(city: Account, key: str) -> None:
    with pytest.raises(InvalidInput):
        batches.create_batch(city, key, 2026, "230100", changes())


@pytest.mark.parametrize(
    ("role", "region"),
    [
        (roles.DISTRICT, "230108"),
        (roles.CITY, "350200"),
        (roles.ENTERPRISE, None),
        (roles.EXPERT, None),
        (roles.FINANCE, "230100"),
    ],
)
def test_others_open_no_batches(context: Flask, role: str, region: str | None) -> None:
    with pytest.raises(Refused):
        batches.create_batch(factories.make_account(role, region=region), INTAKE, 2026, "230100", changes())


def test_a_change_leaves_an_event_with_before_and_after(city: Account) -> None:
    batch = factories.make_batch(title="旧名称")
    batches.change_batch(city, batch.public_id, 1, changes("新名称", base_year=2025))
    now = stored(batch)
    assert (now.title, now.version, now.parameters) == ("新名称", 2, {"base_year": 2025})
    assert now.closes_at == datetime(2026, 6, 17, 16, tzinfo=UTC)
    (event,) = batches.events_of(now)
    assert event.data["title"] == ["旧名称", "新名称"] and "closes_at" in event.data and "published" not in event.data


def test_the_second_editor_is_told_who_was_first(city: Account) -> None:
    batch = factories.make_batch()
    batches.change_batch(factories.make_account(roles.CITY, display_name="陈立"), batch.public_id, 1, changes("甲"))
    with pytest.raises(Conflict, match="陈立"):
        batches.change_batch(city, batch.public_id, 1, changes("乙"))
    assert stored(batch).title == "甲"


def test_districts_see_but_do_not_change(context: Flask) -> None:
    batch = factories.make_batch()
    district = factories.make_account(roles.DISTRICT)
    assert batches.load(district, batch.public_id).batch.id == batch.id
    with pytest.raises(Refused):
        batches.change_batch(district, batch.public_id, 1, changes())
    with pytest.raises(Refused):
        batches.tick_reminder(district, batch.public_id, "paper_copy", True)


def test_other_regions_know_nothing_of_it(context: Flask) -> None:
    batch = factories.make_batch()
    stranger = factories.make_account(roles.CITY, region="350200")
    for read in (
        lambda: batches.load(stranger, batch.public_id),
        lambda: batches.change_batch(stranger, batch.public_id, 1, changes()),
    ):
        with pytest.raises(NotFound):
            read()
    assert batch.id not in {s.batch.id for s in batches.batches_of(stranger)}
    with pytest.raises(NotFound):
        batches.load(stranger, "no-such-id")


def test_administrators_see_every_batch(context: Flask) -> None:
    batch = factories.make_batch(region_code="350200")
    assert batch.id in {s.batch.id for s in batches.batches_of(factories.make_account(roles.ADMIN))}


def test_counts_follow_the_scope(city: Account) -> None:
    batch = factories.make_batch()
    owner = factories.make_account(roles.ENTERPRISE)
    factories.filled_draft(owner, batch)
    other = factories.make_account(roles.ENTERPRISE, enterprise=factories.make_enterprise(region="230102"))
    factories.submitted(other, batch, seed=2)
    mine = factories.submitted(batch=batch, seed=3)
    factories.perform(city, mine, "confirm")
    summary = batches.load(city, batch.public_id)
    assert [(c.label, c.count) for c in summary.counts] == [("初审", 1), ("提交盖章材料", 1)]
    assert (summary.total, summary.of("in_progress"), summary.of("approved")) == (2, 2, 0)
    district = factories.make_account(roles.DISTRICT)
    assert batches.load(district, batch.public_id).total == 1
    found, total = batches.declarations(district, batch, status=None, step=None, page=1)
    assert total == 1 and found[0].public_id == mine.public_id


def test_declarations_by_state_in_serial_order(city: Account) -> None:
    batch = factories.make_batch()
    made = [factories.submitted(batch=batch, seed=n) for n in range(3)]
    factories.perform(city, made[0], "return", "请改")
    for status, step, count in (
        (None, None, 3),
        ("returned", None, 1),
        (None, "preliminary_review", 2),
        ("approved", None, 0),
    ):
        found, total = batches.declarations(city, batch, status=status, step=step, page=1)
        assert total == count == len(found)
        assert [d.serial_no for d in found] == sorted(d.serial_no or "" for d in found)


def test_a_step_with_declarations_in_it_cannot_be_switched_off(city: Account) -> None:
    batch = factories.make_batch(parameters={"district_step": True})
    declaration = factories.submitted(batch=batch)
    assert declaration.step_key == "district_review"
    with pytest.raises(InvalidInput) as refused:
        batches.change_batch(city, batch.public_id, 1, changes(district_step=False))
    assert "parameter_district_step" in refused.value.fields and "区县初审" in refused.value.message
    assert stored(batch).version == 1
    factories.perform(factories.make_account(roles.DISTRICT), declaration, "confirm")
    batches.change_batch(city, batch.public_id, 1, changes(district_step=False))
    assert stored(batch).parameters == {"district_step": False}


def test_reminders_keep_who_and_when(city: Account) -> None:
    batch = factories.make_batch()
    batches.tick_reminder(city, batch.public_id, "paper_copy", True)
    tick = stored(batch).reminders_done["paper_copy"]
    assert tick["by"] == "李静" and datetime.fromisoformat(tick["at"]).tzinfo is not None
    batches.tick_reminder(city, batch.public_id, "paper_copy", False)
    assert stored(batch).reminders_done == {}
    assert db.session.scalars(
        select(Event.label).where(Event.subject == f"batch:{batch.public_id}").order_by(Event.id)
    ).all() == [
        "勾选提醒",
        "取消提醒",
    ]
    with pytest.raises(NotFound):
        batches.tick_reminder(city, batch.public_id, "nothing", True)
