"""资金下达: the finance office's page, its preview with the sum in words, each row's result, and what others read."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
import python_calamine
from flask import Flask
from sqlalchemy import func, select

from app.extensions import db
from app.models import Allocation
from app.models.base import new_public_id, now
from app.workflow.calendar import local_date
from tests.factories_office import TO_FUNDS, Office
from tests.factories_workflow import begun

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
PAGE = "/batches/{batch}/funding"
NUMBER = "哈财指〔2026〕8号"


@pytest.fixture
def office(context: Flask, monkeypatch: pytest.MonkeyPatch) -> Office:
    """A declaration that waits for its money."""
    return Office(context, begun(monkeypatch, "subsidy", "subsidy", TO_FUNDS))


def send(there: Office, stage: str, person: str = "finance", **changes: str) -> Any:
    public_id = there.walk.public_id
    data = {"doc_no": NUMBER, "dated": local_date(now()).isoformat(), "chosen": f"{public_id}:{there.version}"}
    return there.post(person, PAGE, stage=stage, **({f"amount.{public_id}": "1205000.00"} | data | changes))


def amount(there: Office, text: str) -> dict[str, str]:
    return {f"amount.{there.walk.public_id}": text}


def allocated() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Allocation)) or 0


def test_the_page_offers_the_approved_amount(office: Office) -> None:
    page = office.get("finance", PAGE).text
    assert "1,205,000.00" in page and 'value="1205000.00"' in page and " checked" in page
    assert "填文号和金额，下达资金" in office.get("finance", "/todo/").text
    assert "有 1 件等资金下达" in office.get("finance", "/batches/{batch}/").text
    assert "等资金下达" in office.get("enterprise", "/declarations/{id}/").text


def test_the_sum_in_figures_and_words_before_anything_is_done(office: Office) -> None:
    page = send(office, "preview", **amount(office, "1,200,000.5"))
    assert page.status_code == 200
    assert "1,200,000.50 元" in page.text and "壹佰贰拾万元伍角整" in page.text and "下达以后不能撤回" in page.text
    assert allocated() == 0 and office.step == "approval"
    assert 'value="1,200,000.5"' in send(office, "back", **amount(office, "1,200,000.5")).text


def test_allocated_once(office: Office) -> None:
    key, chosen = new_public_id(), f"{office.walk.public_id}:{office.version}"
    answer = send(office, "allocate", key=key)
    assert answer.status_code == 303 and answer.location == f"/todo/bulk/{key}"
    result = office.get("finance", answer.location).text
    assert "下达资金" in result and "办成 1 件" in result and "1,205,000.00 元" in result
    assert send(office, "allocate", key=key, chosen=chosen).location == answer.location
    late = send(office, "allocate", chosen=chosen)
    assert late.status_code == 409 and "什么都没有下达" in late.text
    assert allocated() == 1 and office.walk.declaration.status == "approved"


def test_who_reads_it_afterwards(office: Office) -> None:
    send(office, "allocate")
    page = office.get("enterprise", "/declarations/{id}/").text
    assert f"资金已下达 120.5 万元（1,205,000.00 元），文号 {NUMBER}" in page
    for person in ("city", "district", "finance"):
        assert NUMBER in office.get(person, "/review/{id}/").text
        done = office.get(person, PAGE).text
        assert "合计 1 家，1,205,000.00 元，大写：壹佰贰拾万伍仟元整" in done
    sheet = office.get("city", "/batches/{batch}/funding.xlsx")
    cells = python_calamine.load_workbook(io.BytesIO(sheet.data)).get_sheet_by_index(0).to_python()
    assert 1205000.0 in cells[2] and NUMBER in cells[2]


@pytest.mark.parametrize("stage", ["preview", "allocate"])
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"doc_no": ""}, "请填资金文件的文号"),
        ({"doc_no": "长" * 61}, "最多 60 个字"),
        ({"dated": ""}, "请填日期"),
        ({"dated": "八月"}, "现在填的是“八月”"),
        ({"dated": (local_date(now()) + timedelta(days=30)).isoformat()}, "下达日期不能晚于今天"),
        ({"chosen": ""}, "页面不完整"),
        ({"amount": ""}, "请填下达金额"),
        ({"amount": "很多"}, "请填下达金额"),
        ({"amount": "-5"}, "要大于或等于 0"),
        ({"amount": "1.234"}, "最多两位小数"),
        ({"amount": "1205000.01"}, "不能多于核定的"),
        ({"amount": "1" * 40}, "下达金额"),
    ],
    ids=(
        "no number",
        "long",
        "dayless",
        "no day",
        "tomorrow",
        "none",
        "empty",
        "words",
        "negative",
        "fine",
        "more",
        "huge",
    ),
)
def test_what_does_not_fit_comes_back(office: Office, stage: str, changes: dict[str, str], sentence: str) -> None:
    more = amount(office, changes["amount"]) if "amount" in changes else changes
    answer = send(office, stage, **more)
    assert answer.status_code == 422 and sentence in answer.text
    assert allocated() == 0 and office.step == "approval"
    for name in ("doc_no", "dated"):
        if name not in changes and "chosen" not in changes:
            assert f'name="{name}"' in answer.text and (NUMBER in answer.text or name in changes)


def test_all_faults_at_once(office: Office) -> None:
    page = send(office, "preview", doc_no="", dated="x", **amount(office, "y")).text
    assert "请填资金文件的文号" not in page or "现在填的是“x”" in page
    assert "现在填的是“x”" in page and "请填下达金额" in page and 'value="y"' in page


def test_a_form_without_its_key_does_nothing(office: Office) -> None:
    assert send(office, "allocate", key="").status_code == 422 and allocated() == 0


@pytest.mark.parametrize("person", ["city", "district", "province", "admin", "enterprise", "expert"])
def test_only_finance_allocates(office: Office, person: str) -> None:
    assert send(office, "allocate", person).status_code == 403 and allocated() == 0
    if person in ("city", "district", "province", "admin"):
        page = office.get(person, PAGE)
        assert page.status_code == 200 and "核对合计" not in page.text


def test_a_stale_row_is_told_in_the_result(office: Office) -> None:
    chosen = f"{office.walk.public_id}:{office.version - 1}"
    answer = send(office, "allocate", chosen=chosen)
    assert "别人先办了" in office.get("finance", answer.location).text and allocated() == 0


def test_the_city_takes_it_back(office: Office) -> None:
    page = office.get("city", "/review/{id}/").text
    assert 'value="disapprove"' in page and "去下达资金" not in page
    wordless = office.post("city", "/review/{id}/", action="disapprove", opinion="")
    assert wordless.status_code == 422 and office.step == "approval"
    done = office.post("city", "/review/{id}/", action="disapprove", opinion="预算调整。")
    assert done.status_code == 302 and office.walk.declaration.status == "rejected"
    assert office.get("finance", "/batches/{batch}/funding.xlsx").status_code == 404
