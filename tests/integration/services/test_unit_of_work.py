"""The one way to change anything: all or nothing, database errors in words, effects only after the commit."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm.exc import StaleDataError

from app.errors import Conflict, DomainError, Refused, Unavailable
from app.extensions import db
from app.models import Counter, Enterprise, Region
from app.models.base import now
from app.services.unit_of_work import after_commit, unit_of_work
from tests import factories

pytestmark = pytest.mark.parametrize("database", ["sqlite"])


def counters() -> dict[str, int]:
    db.session.rollback()
    return dict(db.session.execute(select(Counter.key, Counter.value)).all())  # type: ignore[arg-type]


def test_all_changes_come_together(context: Flask) -> None:
    with unit_of_work() as session:
        session.add(Counter(key="a", value=1))
        session.flush()
        assert counters() == {}, "nobody sees half of it"
        session.add(Counter(key="b", value=2))
    assert counters() == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    "error", [Refused("不行"), ValueError("x"), KeyboardInterrupt()], ids=["refusal", "defect", "ctrl-c"]
)
def test_any_error_undoes_all_of_it_and_stays_what_it_is(context: Flask, error: BaseException) -> None:
    with pytest.raises(type(error)) as raised, unit_of_work() as session:
        session.add(Counter(key="a", value=1))
        session.flush()
        raise error
    assert raised.value is error
    assert counters() == {}


def test_a_second_record_of_the_same_key_is_a_conflict_in_words(context: Flask) -> None:
    known = factories.make_enterprise()
    with (
        pytest.raises(Conflict, match="和已有的记录重复了，没有保存。请核对后再试。") as refused,
        unit_of_work() as session,
    ):
        session.add(Counter(key="before", value=1))
        session.add(Enterprise(credit_code=known.credit_code, created_at=now()))
    assert refused.value.status == 409 and "UNIQUE" in str(refused.value.details["cause"])
    assert counters() == {}


def test_a_changed_record_is_a_conflict(context: Flask) -> None:
    with pytest.raises(Conflict, match="刚被别人改过"), unit_of_work():
        raise StaleDataError("expected 1 row")


def test_a_busy_database_is_said_to_be_busy(context: Flask) -> None:
    with pytest.raises(Unavailable, match="系统正忙，这次没有保存") as refused, unit_of_work() as session:
        session.add(Counter(key="a", value=1))
        session.flush()
        raise OperationalError("INSERT", {}, Exception("database is locked"))
    assert refused.value.status == 503 and counters() == {}


def test_a_broken_statement_undoes_what_came_before(context: Flask) -> None:
    with pytest.raises(Unavailable), unit_of_work() as session:
        session.add(Counter(key="a", value=1))
        session.flush()
        session.execute(text("SELECT * FROM no_such_table"))
    assert counters() == {}


def test_effects_run_once_after_the_commit_in_order(context: Flask) -> None:
    seen: list[object] = []
    with unit_of_work() as session:
        session.add(Counter(key="a", value=1))
        after_commit(session, lambda: seen.append(("first", counters())))
        after_commit(session, lambda: seen.append("second"))
        session.flush()
        assert seen == []
    assert seen == [("first", {"a": 1}), "second"]


@pytest.mark.parametrize("error", [DomainError("不行"), RuntimeError("x")])
def test_effects_of_a_failed_deed_never_run(context: Flask, error: Exception) -> None:
    seen: list[str] = []
    with pytest.raises(type(error)), unit_of_work() as session:
        after_commit(session, lambda: seen.append("ran"))
        raise error
    assert seen == []


def test_the_next_unit_does_not_inherit_effects(context: Flask) -> None:
    seen: list[str] = []
    for name in ("one", "two"):
        with unit_of_work() as session:
            after_commit(session, lambda name=name: seen.append(name))  # type: ignore[misc]
    assert seen == ["one", "two"]


def test_what_was_loaded_can_be_read_after_the_end(context: Flask) -> None:
    with unit_of_work() as session:
        region = session.scalars(select(Region).limit(1)).one()
    assert region.code and region.full_name


def test_units_may_follow_each_other_without_end(context: Flask) -> None:
    with unit_of_work() as session:
        session.add(Counter(key="n", value=0))
    for _n in range(60):
        with unit_of_work() as session:
            session.execute(update(Counter).values(value=Counter.value + 1))
    assert counters() == {"n": 60}
    assert db.session.scalar(select(func.count()).select_from(Counter)) == 1
