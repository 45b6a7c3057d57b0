"""The office's board of a 公示: rows, days left, who may look, remembered addresses, the kept results of its end."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask

from app.errors import Conflict, InvalidInput, NotFound, Refused
from app.extensions import db
from app.models import Account, PublicList
from app.models.base import new_public_id, now
from app.services import portal, publicity
from app.services import publicity_board as boards
from app.services.bulk import result_of
from app.services.listing import Asked
from app.workflow.calendar import local_date
from tests.factories_office import TO_PUBLICITY
from tests.factories_workflow import Walk, begun, end_publicity, stated


@pytest.fixture
def walk(context: Flask, monkeypatch: pytest.MonkeyPatch) -> Walk:
    """A declaration that is publicised."""
    return begun(monkeypatch, "subsidy", "subsidy", TO_PUBLICITY)


def city(walk: Walk) -> Account:
    db.session.rollback()
    return walk.person("city")


def listed(walk: Walk) -> PublicList:
    found = boards.last_contact(city(walk), walk.declaration.batch)
    assert found is not None
    return found


def test_rows_and_what_is_left(walk: Walk) -> None:
    board = boards.load_board(city(walk), listed(walk).public_id)
    assert [(r.state, r.in_charge, r.objections) for r in board.rows] == [("clear", True, [])]
    assert (board.over, board.days_left, len(board.ready), board.held) == (False, 5, 1, [])
    assert not board.ends_route
    publicity.register_objection(city(walk), walk.public_id, stated(), version=walk.declaration.version)
    board = boards.load_board(city(walk), listed(walk).public_id)
    assert [(r.state, len(r.objections)) for r in board.rows] == [("objected", 1)] and board.ready == []
    end_publicity()
    assert boards.load_board(city(walk), listed(walk).public_id).over


def test_running_ones_stand_first_on_the_portal(walk: Walk) -> None:
    page = portal.list_public_lists(Asked())
    assert [p.public_id for p in page.rows] == [listed(walk).public_id]
    words = portal.publicity_words(page.rows[0])
    assert words is not None and words[0].startswith("公示中，至 ") and words[0].endswith(" 24:00 止")
    end_publicity()
    assert portal.publicity_words(listed(walk)) == ("公示已结束", "")


def test_days_left_in_a_year_that_nobody_has_published(context: Flask) -> None:
    public = PublicList(kind="publicity", closes_on=date(2090, 1, 10))
    assert boards.days_left(public, date(2090, 1, 1)) is None
    assert boards.days_left(PublicList(kind="final")) is None and not boards.is_over(PublicList(kind="final"))


def test_a_publicity_that_has_not_begun_says_when() -> None:
    today = local_date(now())
    public = PublicList(kind="publicity", opens_on=today + timedelta(days=3), closes_on=today + timedelta(days=12))
    words = portal.publicity_words(public)
    assert words is not None and words[0].endswith("开始公示")
    assert portal.publicity_words(PublicList(kind="final")) is None


def test_other_regions_find_nothing(walk: Walk) -> None:
    with pytest.raises(NotFound):
        boards.load_board(walk.person("far_city"), listed(walk).public_id)
    assert boards.load_board(walk.person("far_district"), listed(walk).public_id).rows == []


def test_what_is_running_for_whom(walk: Walk) -> None:
    batch = walk.declaration.batch
    assert [p.id for p in boards.running(city(walk), batch)] == [listed(walk).id]
    assert boards.running(walk.person("province"), batch) == []
    assert boards.last_contact(walk.person("far_city"), batch) is None


def test_the_end_is_kept_under_its_key(walk: Walk) -> None:
    list_id, key = listed(walk).public_id, new_public_id()
    with pytest.raises(InvalidInput, match="24:00 才期满"):
        boards.conclude_board(city(walk), list_id, key)
    end_publicity()
    with pytest.raises(Refused):
        boards.conclude_board(walk.person("district"), list_id, key)
    boards.conclude_board(city(walk), list_id, key)
    boards.conclude_board(city(walk), list_id, key)
    assert walk.declaration.step_key == "approval"
    action, [row] = result_of(city(walk), key)
    assert (action, row.state, row.id) == ("conclude", "done", walk.public_id)
    with pytest.raises(Conflict, match="没有要办的了"):
        boards.conclude_board(city(walk), list_id, new_public_id())
    with pytest.raises(Conflict, match="已经用过"):
        boards.conclude_board(walk.person("province"), list_id, key)
    board = boards.load_board(city(walk), list_id)
    assert [(r.state, r.in_charge) for r in board.rows] == [("onward", False)]
