"""Reference data is changed through a service: the record with its event, or neither; nothing in use is lost."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.errors import Conflict, DomainError, InvalidInput, NotFound, Refused
from app.extensions import db
from app.models import Account, Event, Holiday, Industry, Region
from app.permissions import roles
from app.services import reference_record
from app.services.reference import lookups
from app.services.reference_record import Kind, add_record, change_record, fingerprint, remove_record, uses_of
from app.services.unit_of_work import unit_of_work
from app.views.admin.core import all_grids
from tests.factories import make_account, make_batch, make_enterprise, submitted

sqlite_only = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
DAY = {"day": date(2031, 5, 1), "name": "劳动节", "working": False}
PLACE = {"code": "230199", "name": "试验区", "full_name": "黑龙江省 / 哈尔滨市 / 试验区", "level": "county",
         "parent_code": "230100", "active": True}  # fmt: skip
TRADE = {"code": "X99", "name": "试验业", "full_name": "试验业", "level": "class", "parent_code": None,
         "assessment_category": None, "size_category": None, "active": True}  # fmt: skip


def kind(name: str) -> Kind:
    """How the grid ``name`` is written."""
    grid = next(g for g in all_grids() if g.name == name)
    return Kind(grid.name, grid.label, grid.model, grid.scope, grid.describe)


@pytest.fixture
def clerk(context: Flask) -> Account:
    return make_account(roles.CITY, display_name="李静")


def events(subject: str) -> list[tuple[str, str, dict[str, Any]]]:
    db.session.rollback()
    rows = db.session.scalars(select(Event).where(Event.subject == subject).order_by(Event.id))
    return [(e.action, e.actor_name, e.data) for e in rows]


def test_the_life_of_a_record(clerk: Account) -> None:
    key = add_record(clerk, kind("holiday"), DAY)
    row = db.session.get_one(Holiday, key)
    change_record(clerk, kind("holiday"), key, DAY | {"working": True}, shown=fingerprint(row))
    db.session.rollback()
    assert db.session.get_one(Holiday, key).working is True
    remove_record(clerk, kind("holiday"), key)
    db.session.rollback()
    assert db.session.get(Holiday, key) is None
    facts = {"日期": "2031-05-01", "名称": "劳动节"}
    assert events(f"holiday:{key}") == [
        ("add", "李静", facts | {"上班": "否"}),
        ("edit", "李静", facts | {"上班": "否 改为 是"}),
        ("delete", "李静", facts | {"上班": "是"}),
    ]


@pytest.mark.parametrize("deed", ["add", "edit", "delete"])
def test_without_its_event_nothing_happens(clerk: Account, monkeypatch: pytest.MonkeyPatch, deed: str) -> None:
    key = add_record(clerk, kind("holiday"), DAY)
    shown = fingerprint(db.session.get_one(Holiday, key))
    db.session.rollback()

    def fail(*_args: Any, **_more: Any) -> None:
        raise RuntimeError("no event")

    monkeypatch.setattr(reference_record, "record", fail)
    deeds: dict[str, Any] = {
        "add": lambda: add_record(clerk, kind("holiday"), DAY | {"day": date(2031, 6, 1)}),
        "edit": lambda: change_record(clerk, kind("holiday"), key, DAY | {"name": "别的"}, shown=shown),
        "delete": lambda: remove_record(clerk, kind("holiday"), key),
    }
    count = db.session.query(Holiday).count()
    with pytest.raises(RuntimeError):
        deeds[deed]()
    db.session.rollback()
    assert db.session.query(Holiday).count() == count
    assert db.session.get_one(Holiday, key).name == "劳动节"


def test_doubles_are_refused_at_their_field(clerk: Account) -> None:
    key = add_record(clerk, kind("holiday"), DAY)
    other = add_record(clerk, kind("holiday"), DAY | {"day": date(2031, 6, 1)})
    with pytest.raises(Conflict) as refusal:
        add_record(clerk, kind("holiday"), DAY)
    assert "已经有这一条了" in refusal.value.fields["day"]
    shown = fingerprint(db.session.get_one(Holiday, other))
    with pytest.raises(Conflict) as refusal:
        change_record(clerk, kind("holiday"), other, DAY, shown=shown)
    assert set(refusal.value.fields) == {"day"}
    assert len(events(f"holiday:{key}")) == len(events(f"holiday:{other}")) == 1


@sqlite_only
def test_what_was_changed_meanwhile_is_not_overwritten(clerk: Account) -> None:
    key = add_record(clerk, kind("holiday"), DAY)
    shown = fingerprint(db.session.get_one(Holiday, key))
    change_record(clerk, kind("holiday"), key, DAY | {"name": "先改的"}, shown=shown)
    for stale in (shown, "", "x" * 64):
        with pytest.raises(Conflict, match="刚被别人改过"):
            change_record(clerk, kind("holiday"), key, DAY | {"name": "后改的"}, shown=stale)
    db.session.rollback()
    assert db.session.get_one(Holiday, key).name == "先改的"


@sqlite_only
def test_a_fingerprint_follows_every_column(context: Flask) -> None:
    row = Region(id=1, **PLACE)
    seen = {fingerprint(row)}
    for name, value in {"name": "甲", "active": False, "parent_code": None, "level": "city", "full_name": "乙"}.items():
        setattr(row, name, value)
        seen.add(fingerprint(row))
    assert len(seen) == 6


# -- codes in use ---------------------------------------------------------------------------------------------------


@pytest.fixture
def used(clerk: Account) -> Region:
    """A region of which everything that can use one makes use."""
    key = add_record(clerk, kind("region"), PLACE)
    make_enterprise(region="230199")
    make_account(roles.DISTRICT, region="230199")
    make_batch(region_code="230199")
    add_record(clerk, kind("region"), PLACE | {"code": "230198", "parent_code": "230199"})
    db.session.rollback()
    return db.session.get_one(Region, key)


def test_a_region_in_use_stays_and_says_where(clerk: Account, used: Region) -> None:
    key = used.id
    with pytest.raises(Conflict) as refusal:
        remove_record(clerk, kind("region"), key)
    words = refusal.value.message
    for where in ("下级地区（1 条）", "企业（1 条）", "账号（1 条）", "批次（1 条）", "去掉“启用”"):
        assert where in words, where
    db.session.rollback()
    assert db.session.get(Region, key) is not None


@sqlite_only
def test_the_code_of_a_region_in_use_stays_too(clerk: Account, used: Region) -> None:
    key, shown = used.id, fingerprint(used)
    with pytest.raises(Conflict) as refusal:
        change_record(clerk, kind("region"), key, PLACE | {"code": "230197"}, shown=shown)
    assert "代码不能改" in refusal.value.fields["code"]
    change_record(clerk, kind("region"), key, PLACE | {"active": False, "name": "新试验区"}, shown=shown)
    db.session.rollback()
    row = db.session.get_one(Region, key)
    assert (row.code, row.active, row.name) == ("230199", False, "新试验区")


@sqlite_only
def test_answers_of_declarations_count_as_use(clerk: Account) -> None:
    submitted()
    with unit_of_work() as session:
        region = session.scalars(select(Region).where(Region.code == "230108")).one()
        industry = session.scalars(select(Industry).where(Industry.code == "34")).one()
        places, trades = uses_of(session, region), uses_of(session, industry)
    assert any(p.startswith("申报（") for p in places) and any(p.startswith("企业（") for p in places)
    assert any(t.startswith("企业（") for t in trades)


@sqlite_only
def test_an_unused_one_goes_and_is_unknown_at_once(clerk: Account) -> None:
    key = add_record(clerk, kind("region"), PLACE)
    assert lookups.region("230199") == PLACE["full_name"]
    remove_record(clerk, kind("region"), key)
    assert lookups.region("230199") is None


@sqlite_only
@pytest.mark.parametrize(("name", "values"), [("region", PLACE), ("industry", TRADE)])
def test_the_one_above_must_exist(clerk: Account, name: str, values: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="没有代码是“999999”") as refusal:
        add_record(clerk, kind(name), values | {"parent_code": "999999"})
    assert set(refusal.value.fields) == {"parent_code"}
    with pytest.raises(InvalidInput, match="这一条自己"):
        add_record(clerk, kind(name), values | {"parent_code": values["code"]})


@sqlite_only
def test_who_may_not(clerk: Account) -> None:
    key = add_record(clerk, kind("region"), PLACE)
    shown = fingerprint(db.session.get_one(Region, key))
    for role in (roles.DISTRICT, roles.PROVINCE, roles.EXPERT, roles.ENTERPRISE):
        user = make_account(role)
        deeds: list[Any] = [
            lambda user=user: add_record(user, kind("region"), PLACE | {"code": "230190"}),
            lambda user=user: change_record(user, kind("region"), key, PLACE, shown=shown),
            lambda user=user: remove_record(user, kind("region"), key),
        ]
        for deed in deeds:
            with pytest.raises(Refused, match="没有"):
                deed()
    for missing in (0, 10**9):
        with pytest.raises(NotFound):
            remove_record(clerk, kind("region"), missing)
    assert len(events(f"region:{key}")) == 1


def test_two_who_add_the_same_at_once(context: Flask) -> None:
    from tests.sign_in import at_once

    users = [make_account(roles.CITY).id for _ in range(4)]

    def add(place: int) -> Any:
        return add_record(db.session.get_one(Account, users[place]), kind("holiday"), DAY)

    results = at_once(context, 4, add)
    assert sum(isinstance(r, int) for r in results) == 1
    assert all(isinstance(r, (int, DomainError)) for r in results)
    db.session.rollback()
    assert db.session.query(Holiday).filter_by(day=DAY["day"]).count() == 1
