"""What upkeep does because of the clock: closed windows, ended publicity, expiry; each told once, to the right people."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app.extensions import db
from app.models import Account, Event, Message, PublicList
from app.models.base import now
from app.permissions import roles
from app.services import publicity, turn_of_time
from app.services.unit_of_work import unit_of_work
from app.services.upkeep import keep_up
from app.workflow.engine import event_digest
from tests.at_once import refusals, together
from tests.factories import find, make_account
from tests.factories_workflow import Walk, begun, end_publicity, run_out_in, stated

sqlite_only = pytest.mark.parametrize("database", ["sqlite"])
NOTHING = {"expired outcomes": 0, "told of expiry": 0, "closed updates": 0, "ended publicity": 0}


def close(walk: Walk, minutes: int = -1) -> None:
    """Let the batch of the walk close so many minutes from now."""
    with unit_of_work() as session:
        session.get_one(type(walk.declaration.batch), walk.declaration.batch_id).closes_at = now() + timedelta(
            minutes=minutes
        )
    db.session.rollback()


@pytest.fixture
def update(context: Flask, monkeypatch: pytest.MonkeyPatch) -> Walk:
    """A begun information update."""
    return begun(monkeypatch, "information_update", "information_update", "start")


@pytest.fixture
def publicised(context: Flask, monkeypatch: pytest.MonkeyPatch) -> Walk:
    """A declaration on a 公示."""
    actions = "submit confirm upload_stamped assign_experts all_scored publish"
    return begun(monkeypatch, "pool_intake", "pool_intake", actions, publicity_required=True)


def told(account: int) -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(Message.title).where(Message.account_id == account).order_by(Message.id)))


def test_a_missed_update_is_closed_by_the_system(update: Walk) -> None:
    assert turn_of_time.close_missed_updates() == 0, "the window is open"
    close(update)
    assert (turn_of_time.close_missed_updates(), turn_of_time.close_missed_updates()) == (1, 0)
    declaration = update.declaration
    assert (declaration.status, declaration.holder_role, declaration.unique_key) == ("void", None, None)
    assert declaration.decided_at is not None
    event = db.session.scalars(select(Event).where(Event.action == "close")).one()
    assert (event.actor_id, event.actor_name, event.actor_role, event.label) == (None, "系统", "system", "窗口关闭")
    assert event.digest == event_digest(event)
    assert told(update.people["enterprise"])[-1] == "信息更新已逾期，草稿已关闭"


@sqlite_only
def test_drafts_of_other_kinds_stay(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    walk = begun(monkeypatch, "pool_intake", "pool_intake", "")
    close(walk)
    assert turn_of_time.turn() == NOTHING
    assert find(walk.public_id).status == "draft"


@sqlite_only
def test_a_lengthened_window_keeps_the_draft(update: Walk) -> None:
    close(update)
    close(update, 60)
    assert turn_of_time.close_missed_updates() == 0
    assert update.declaration.status == "draft"


@sqlite_only
def test_what_was_handed_in_stays(update: Walk) -> None:
    update.go("submit")
    close(update)
    assert turn_of_time.close_missed_updates() == 0
    assert update.declaration.status == "approved"


def test_two_workers_close_it_once(update: Walk, context: Flask) -> None:
    close(update)
    results = together(context, [turn_of_time.close_missed_updates] * 2)
    assert refusals(results) == [] and sum(results) == 1
    assert len(db.session.scalars(select(Event).where(Event.action == "close")).all()) == 1


@sqlite_only
def test_the_office_learns_that_a_period_is_over(publicised: Walk) -> None:
    colleague = make_account(roles.CITY).id
    switched_off = make_account(roles.CITY, active=False).id
    elsewhere = make_account(roles.CITY, region="230200").id
    before = told(publicised.people["city"])
    assert turn_of_time.tell_publicity_over() == 0, "it runs"
    end_publicity()
    assert (turn_of_time.tell_publicity_over(), turn_of_time.tell_publicity_over()) == (1, 0)
    assert told(publicised.people["city"]) == [*before, "公示期满：名单"] and told(colleague) == ["公示期满：名单"]
    assert told(switched_off) == told(elsewhere) == []
    body = db.session.scalars(select(Message.body).where(Message.account_id == colleague)).one()
    assert body == "1 家企业等待结束公示，没有未办结的异议。"


@sqlite_only
def test_open_objections_are_told_with_it(publicised: Walk) -> None:
    version = publicised.declaration.version
    publicity.register_objection(publicised.person("city"), publicised.public_id, stated(), version=version)
    end_publicity()
    turn_of_time.tell_publicity_over()
    body = db.session.scalars(select(Message.body).order_by(Message.id.desc())).first()
    assert body == "1 家企业等待结束公示，其中 1 家还有异议没有办结。"


@sqlite_only
def test_nobody_is_told_of_what_is_done(publicised: Walk) -> None:
    publicised.go("publish_list")
    before = told(publicised.people["city"])
    assert turn_of_time.tell_publicity_over() == 0
    assert told(publicised.people["city"]) == before
    assert db.session.scalars(select(PublicList.told_at)).all() != [None]


@sqlite_only
def test_upkeep_does_all_of_it(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    walk = begun(monkeypatch, "recognition", "innovative_sme", "submit recommend approve publish announce")
    run_out_in(walk, -1)
    keep_up()
    assert walk.recognition.state == "expired"
    assert turn_of_time.turn() == NOTHING, "repeating it changes nothing"


@sqlite_only
def test_the_ministry_sees_the_country_and_decides_only_its_own(
    context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """000000 is the whole country; what an office holds is another matter."""
    from app.services import todo
    from app.services.declaration import visible

    walk = begun(monkeypatch, "recognition", "little_giant", "submit recommend approve")

    def seen(name: str) -> list[str]:
        db.session.rollback()
        user = db.session.get_one(Account, walk.people[name])
        return [d.public_id for d in db.session.scalars(visible(user)).unique()]

    def held(name: str) -> int:
        return todo.waiting(walk.person(name), todo.Filters()).total

    assert all(walk.public_id in seen(n) for n in ("ministry", "province", "city", "district", "finance"))
    assert seen("far_city") == seen("far_district") == seen("expert") == []
    assert (held("ministry"), held("province"), held("finance")) == (0, 1, 0)
    walk.go("assign_experts")
    walk.go("recommend_ministry")
    declaration = walk.declaration
    assert (declaration.holder_role, declaration.holder_region) == ("ministry", "000000")
    assert (held("ministry"), held("province"), held("city")) == (1, 0, 0)
