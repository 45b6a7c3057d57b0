"""Funds for several declarations by one document: what waits, what is asked for, each row's result, the list."""

from __future__ import annotations

import io
from decimal import Decimal

import pytest
import python_calamine
from flask import Flask
from sqlalchemy import func, select

from app.errors import Conflict, InvalidInput, NotFound
from app.extensions import db
from app.models import Account, Allocation, Batch, BulkAct, Event, Message
from app.models.base import new_public_id, now
from app.services import allotment
from app.services.allotment import Order, Waiting
from app.services.bulk import result_of
from app.services.funding import disapprove
from app.workflow.calendar import local_date
from tests.factories import find
from tests.factories_workflow import Walk, begun

TO_FUNDS = "submit recommend accept assign_experts all_scored publish publicity_passed"


@pytest.fixture
def walk(context: Flask, monkeypatch: pytest.MonkeyPatch) -> Walk:
    """One declaration that waits for 120.50 万元."""
    return begun(monkeypatch, "subsidy", "subsidy", TO_FUNDS)


def finance(walk: Walk) -> Account:
    db.session.rollback()
    return walk.person("finance")


def the_batch(walk: Walk) -> Batch:
    return walk.declaration.batch


def rows(walk: Walk) -> list[Waiting]:
    return allotment.waiting(finance(walk), the_batch(walk))


def order(key: str | None = None, doc_no: str = "哈财指〔2026〕8号") -> Order:
    return Order(doc_no, local_date(now()), key or new_public_id())


def allocate(walk: Walk, text: str, key: str, version: int | None = None) -> list[tuple[str, str]]:
    seen = version or walk.declaration.version
    wanted = allotment.wanted_of(rows(walk), {walk.public_id: seen}, {walk.public_id: text})
    allotment.allocate_all(finance(walk), wanted, order(key))
    db.session.rollback()
    return [(r.state, r.text) for r in result_of(finance(walk), key)[1]]


def test_what_waits_with_what_it_may_get(walk: Walk) -> None:
    assert [(r.declaration.public_id, r.approved) for r in rows(walk)] == [(walk.public_id, Decimal("1205000.00"))]
    for stranger in ("city", "district", "province", "enterprise", "admin"):
        assert allotment.waiting(walk.person(stranger), the_batch(walk)) == []


def test_allocated_once_and_kept(walk: Walk) -> None:
    key = new_public_id()
    assert allocate(walk, "1,205,000", key) == [("done", "1,205,000.00 元")]
    assert walk.declaration.status == "approved"
    kept = allotment.allocated(finance(walk), the_batch(walk))
    assert [(a.amount, a.doc_no) for a in kept] == [(Decimal("1205000.00"), "哈财指〔2026〕8号")]
    body = db.session.scalars(
        select(Message.body).where(Message.account_id == walk.owner.id, Message.title.contains("资金已下达"))
    ).one()
    assert body.startswith("资金已下达 120.5 万元（1,205,000.00 元），文号 哈财指〔2026〕8号。")
    # The same form once more finds its answer and does nothing.
    allotment.allocate_all(finance(walk), [], order(key))
    assert db.session.scalar(select(func.count()).select_from(Allocation)) == 1
    assert db.session.scalar(select(func.count()).select_from(Event).where(Event.action == "allocate")) == 1


def test_a_stale_row_is_told_and_nothing_allocated(walk: Walk) -> None:
    key, version = new_public_id(), walk.declaration.version
    found = rows(walk)
    wanted = allotment.wanted_of(found, {walk.public_id: version}, {walk.public_id: "1"})
    disapprove(walk.person("city"), walk.public_id, "预算调整。", version=version)
    allotment.allocate_all(finance(walk), wanted, order(key))
    db.session.rollback()
    [result] = result_of(finance(walk), key)[1]
    assert result.state == "late" and "报批未通过" in result.text
    assert db.session.scalar(select(func.count()).select_from(Allocation)) == 0
    assert find(walk.public_id).status == "rejected"


def test_somebody_elses_key_is_refused(walk: Walk) -> None:
    key = new_public_id()
    allocate(walk, "1", key)
    with pytest.raises(Conflict, match="已经用过"):
        allotment.allocate_all(walk.person("city"), [], order(key))
    assert db.session.get_one(BulkAct, key).account_id == walk.people["finance"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "请填下达金额"),
        ("一百万", "请填下达金额"),
        ("1e3x", "请填下达金额"),
        ("-1", "大于或等于 0"),
        ("0.001", "最多两位小数"),
        ("1205000.01", "不能多于核定的 1,205,000.00 元"),
        ("NaN", "大于或等于 0"),
    ],
)
def test_amounts_that_are_refused(text: str, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        allotment.check_amount(text, Decimal("1205000.00"))


@pytest.mark.parametrize(("text", "amount"), [("0", "0.00"), ("1205000", "1205000.00"), ("1，000.5", "1000.50")])
def test_amounts_that_are_taken(text: str, amount: str) -> None:
    assert allotment.check_amount(text, Decimal("1205000.00")) == Decimal(amount)


def test_without_an_approved_amount_any_sum_is_taken() -> None:
    assert allotment.check_amount("99999999", None) == Decimal("99999999.00")


def test_every_fault_at_once_by_row(walk: Walk) -> None:
    with pytest.raises(InvalidInput) as refused:
        allotment.wanted_of(rows(walk), {walk.public_id: 1}, {walk.public_id: "x"})
    assert list(refused.value.fields) == [f"amount.{walk.public_id}"]
    assert str(walk.declaration.enterprise_name) in refused.value.message


def test_nothing_chosen_too_many_or_gone(walk: Walk) -> None:
    with pytest.raises(InvalidInput) as refused:
        allotment.wanted_of(rows(walk), {}, {})
    assert "chosen" in refused.value.fields
    with pytest.raises(InvalidInput, match="最多下达 200 家"):
        allotment.wanted_of([], {str(n): 1 for n in range(201)}, {})
    with pytest.raises(Conflict, match="刚被办过"):
        allotment.wanted_of(rows(walk), {new_public_id(): 1}, {})


def test_the_document_is_checked_before_anything_is_done(walk: Walk) -> None:
    wanted = allotment.wanted_of(rows(walk), {walk.public_id: walk.declaration.version}, {walk.public_id: "1"})
    with pytest.raises(InvalidInput) as refused:
        allotment.allocate_all(finance(walk), wanted, order(doc_no="  "))
    assert list(refused.value.fields) == ["doc_no"]
    assert db.session.scalar(select(func.count()).select_from(Allocation)) == 0


def test_the_list_has_numbers_as_numbers(walk: Walk) -> None:
    with pytest.raises(NotFound, match="还没有下达资金"):
        allotment.allocated_sheet(finance(walk), the_batch(walk))
    allocate(walk, "1205000.00", new_public_id())
    made = allotment.allocated_sheet(finance(walk), the_batch(walk))
    assert made.name.endswith("资金下达清单.xlsx")
    cells = python_calamine.load_workbook(io.BytesIO(made.content)).get_sheet_by_index(0).to_python()
    head, line, total = cells[1], cells[2], cells[3]
    assert dict(zip(head, line, strict=True))["下达金额（元）"] == 1205000.0
    assert dict(zip(head, line, strict=True))["下达日期"] == local_date(now())
    assert total[1] == "合计" and total[5] == 1205000.0


def test_sums_are_exact() -> None:
    assert allotment.total_of([]) == Decimal("0.00")
    assert allotment.total_of([Decimal("0.10"), Decimal("0.20")]) == Decimal("0.30")
