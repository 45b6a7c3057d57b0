"""下达资金: exact amounts, the document, who may, and what the city takes back."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from app.errors import Conflict, InvalidInput, Refused
from app.extensions import db
from app.models import Allocation, Message, Recognition
from app.services import funding
from app.services.opened import Opened
from app.services.unit_of_work import unit_of_work
from tests.factories_workflow import Walk, begun

sqlite_only = pytest.mark.parametrize("database", ["sqlite"])
TO_FUNDS = "submit recommend accept assign_experts all_scored publish publicity_passed"


@pytest.fixture
def walk(context: Flask, monkeypatch: pytest.MonkeyPatch) -> Walk:
    """A declaration that waits for its funds."""
    return begun(monkeypatch, "subsidy", "subsidy", TO_FUNDS)


def allocate(walk: Walk, amount: str = "1205000", doc_no: str = "哈财指〔2026〕8号", who: str = "finance") -> None:
    version = walk.declaration.version
    funding.allocate(walk.person(who), walk.public_id, Decimal(amount), doc_no, date(2026, 3, 1), version=version)


def count(model: type) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_it_waits_for_the_finance_office(walk: Walk) -> None:
    declaration = walk.declaration
    assert (declaration.step_key, declaration.holder_role, declaration.holder_region) == (
        "approval",
        "finance",
        "230100",
    )
    opened = Opened(db.session, declaration, walk.person("finance"))
    assert funding.default_amount(opened) == Decimal("1205000.00"), "120.50 万元"
    assert [o.deed.action for o in opened.options()] == ["allocate"]
    city = Opened(db.session, walk.declaration, walk.person("city"))
    assert "disapprove" in [o.deed.action for o in city.options()]


def test_an_allocation_ends_it(walk: Walk) -> None:
    allocate(walk, "1204999.99")
    declaration = walk.declaration
    assert (declaration.status, declaration.holder_role) == ("approved", None)
    found = funding.allocation_of(declaration)
    assert found is not None
    assert (found.amount, found.doc_no, found.dated) == (Decimal("1204999.99"), "哈财指〔2026〕8号", date(2026, 3, 1))
    assert (found.created_by, found.enterprise_id) == (walk.people["finance"], declaration.enterprise_id)
    title = db.session.scalars(select(Message.title).order_by(Message.id.desc())).first()
    assert title is not None and title.endswith("的资金已下达")
    assert count(Recognition) == 1
    with pytest.raises(Conflict):
        allocate(walk)
    assert count(Allocation) == 1


@sqlite_only
def test_nothing_may_be_allocated_too(walk: Walk) -> None:
    allocate(walk, "0")
    found = funding.allocation_of(walk.declaration)
    assert found is not None and f"{found.amount}" == "0.00"


@sqlite_only
@pytest.mark.parametrize(
    ("amount", "doc_no", "field"),
    [("-0.01", "一号", "amount"), ("1.005", "一号", "amount"), ("1", "", "doc_no"), ("1", "长" * 61, "doc_no")],
)
def test_wrong_words_change_nothing(walk: Walk, amount: str, doc_no: str, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        allocate(walk, amount, doc_no)
    assert set(refused.value.fields) == {field}
    assert walk.state == "approval" and count(Allocation) == 0


@sqlite_only
def test_tomorrow_is_no_date_of_a_document(walk: Walk) -> None:
    with pytest.raises(InvalidInput, match="下达日期不能晚于今天"):
        funding.allocate(
            walk.person("finance"),
            walk.public_id,
            Decimal(1),
            "一号",
            date(2999, 1, 1),
            version=walk.declaration.version,
        )


@sqlite_only
def test_the_city_does_not_pay_and_finance_does_not_refuse(walk: Walk) -> None:
    with pytest.raises(Refused):
        allocate(walk, who="city")
    with pytest.raises(Refused):
        funding.disapprove(walk.person("finance"), walk.public_id, "不批。", version=walk.declaration.version)
    assert walk.state == "approval"


def test_what_was_not_approved_is_rejected_with_its_reason(walk: Walk) -> None:
    with pytest.raises(InvalidInput, match="请写明报批未通过的理由"):
        funding.disapprove(walk.person("city"), walk.public_id, " ", version=walk.declaration.version)
    funding.disapprove(walk.person("city"), walk.public_id, "预算不足。", version=walk.declaration.version)
    declaration = walk.declaration
    assert (declaration.status, declaration.unique_key) == ("rejected", None)
    body = db.session.scalars(select(Message.body).order_by(Message.id.desc())).first()
    assert body is not None and "预算不足。" in body
    assert count(Allocation) == count(Recognition) == 0


@sqlite_only
def test_a_double_click_pays_once(walk: Walk) -> None:
    version = walk.declaration.version
    for _ in range(2):
        funding.allocate(
            walk.person("finance"),
            walk.public_id,
            Decimal("5.00"),
            "一号",
            date(2026, 3, 1),
            version=version,
            key="once",
        )
    assert count(Allocation) == 1


def test_the_database_refuses_less_than_nothing(walk: Walk) -> None:
    allocate(walk)
    with pytest.raises(Conflict), unit_of_work() as session:
        session.scalars(select(Allocation)).unique().one().amount = Decimal("-1.00")


# -- amounts as they are typed ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("database", ["sqlite"])
@pytest.mark.parametrize(
    ("text", "amount"),
    [("1205000", "1205000.00"), ("1,205,000.5", "1205000.50"), (" 0 ", "0.00"), ("-0", "0.00"), ("１２", "12.00")],
)
def test_amounts_are_read(context: Flask, text: str, amount: str) -> None:
    assert str(funding.read_amount(text)) == amount


@pytest.mark.parametrize("database", ["sqlite"])
@pytest.mark.parametrize(
    "text", ["", "十万", "NaN", "Infinity", "-1", "1e30", "0.001", "1_000", "1 2", "0x10", "10000000000000000"]
)
def test_what_is_no_amount_is_refused(context: Flask, text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        funding.read_amount(text)
    assert set(refused.value.fields) == {"amount"}


@given(st.decimals(min_value=0, max_value=Decimal("9999999999999999.99"), places=2))
def test_every_amount_reads_back_exactly(amount: Decimal) -> None:
    assert funding.read_amount(f"{amount:,.2f}") == amount
