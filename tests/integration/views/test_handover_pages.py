"""行文推荐: choosing, the sealed letter, number and day, a look at it, handing over; and who reads it afterwards."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
import python_calamine
from flask import Flask
from sqlalchemy import select

from app.extensions import db
from app.models import Handover
from app.models.base import now
from app.workflow.calendar import local_date
from tests.factories import perform
from tests.factories_files import pdf_bytes
from tests.factories_office import Office
from tests.factories_workflow import begun
from tests.shared_world import UNKNOWN

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
INDEX = "/batches/{batch}/handovers/"
NUMBER = "平工信呈〔2026〕1号"


@pytest.fixture
def office(context: Flask, monkeypatch: pytest.MonkeyPatch) -> Office:
    """A declaration that waits for its letter."""
    walk = begun(monkeypatch, "subsidy", "subsidy", "submit")
    perform(walk.person("district"), walk.declaration, "confirm")
    return Office(context, walk)


def the_one() -> Handover:
    """The newest hand-over."""
    db.session.rollback()
    return db.session.scalars(select(Handover).order_by(Handover.id.desc())).unique().first()


def gather(office: Office, **more: str) -> str:
    """Put the declaration on a list; returns its address."""
    answer = office.post("district", INDEX, chosen=f"{office.walk.public_id}:{office.version}", **more)
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def letter(office: Office, url: str, content: bytes = b"", name: str = "推荐函.pdf") -> Any:
    return office.post("district", f"{url}letter", letter=(io.BytesIO(content or pdf_bytes()), name))


def send(office: Office, url: str, stage: str, **changes: str) -> Any:
    data = {"doc_no": NUMBER, "dated": local_date(now()).isoformat(), "version": str(the_one().version)} | changes
    return office.post("district", url, stage=stage, **data)


def test_from_the_list_to_the_city(office: Office) -> None:
    assert "上传盖章的推荐文件，一并报出" in office.get("district", "/todo/").text
    assert f"/batches/{office.walk.batch_id}/handovers/" in office.get("district", "/batches/{batch}/").text
    url = gather(office)
    assert "还没有上传" in office.get("district", url).text
    assert letter(office, url).status_code == 303
    looked = send(office, url, "preview")
    assert looked.status_code == 200 and NUMBER in looked.text and "报出以后不能撤回" in looked.text
    assert the_one().state == "open" and office.step == "handover"
    assert send(office, url, "send").status_code == 303
    assert the_one().state == "sent" and office.step == "acceptance"
    # The city reads number and letter beside the declaration; the list cannot be changed any more.
    page = office.get("city", "/review/{id}/").text
    assert NUMBER in page and f"/handovers/{the_one().public_id}/letter" in page
    assert office.get("city", f"{url}letter").data == pdf_bytes()
    assert "报出" in office.get("city", url).text and "<button" not in body(office.get("city", url))
    assert NUMBER in office.get("district", INDEX).text


def body(response: Any) -> str:
    return str(response.text.split("<main")[1].split("</main>")[0])


def test_double_click_and_back_do_nothing_twice(office: Office) -> None:
    url = gather(office)
    letter(office, url)
    version = str(the_one().version)
    assert send(office, url, "send", version=version).status_code == 303
    for stage in ("send", "preview"):
        late = send(office, url, stage, version=version)
        assert late.status_code == 409 and "已经报出，不能再改" in late.text
    assert office.count("recommend") == 1


@pytest.mark.parametrize("stage", ["preview", "send"])
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"doc_no": ""}, "请填文号"),
        ({"doc_no": "长" * 61}, "请填文号，最多 60 个字"),
        ({"dated": ""}, "请填日期"),
        ({"dated": "2026/06/17"}, "现在填的是“2026/06/17”"),
        ({"dated": (local_date(now()) + timedelta(days=30)).isoformat()}, "行文日期不能晚于今天"),
        ({"version": "?"}, "页面不完整"),
        ({"version": "1"}, "刚被别人改过"),
    ],
    ids=("none", "long", "dayless", "slashes", "tomorrow", "versionless", "stale"),
)
def test_what_does_not_fit_comes_back(office: Office, stage: str, changes: dict[str, str], sentence: str) -> None:
    url = gather(office)
    letter(office, url)
    answer = send(office, url, stage, **changes)
    assert answer.status_code in (409, 422) and sentence in answer.text
    assert the_one().state == "open" and office.step == "handover"
    if "doc_no" not in changes:
        assert f'value="{NUMBER}"' in answer.text


def test_not_without_a_letter(office: Office) -> None:
    url = gather(office)
    for stage in ("preview", "send"):
        answer = send(office, url, stage)
        assert answer.status_code == 422 and "还没有上传盖章的推荐文件" in answer.text
    assert office.step == "handover"


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [(b"MZ\x90\x00", "a.pdf", ""), (b"x", "a.exe", ""), (b"", "", "还没有选文件")],
    ids=("wrong content", "wrong ending", "none"),
)
def test_a_letter_that_is_none(office: Office, content: bytes, name: str, sentence: str) -> None:
    url = gather(office)
    answer = office.post("district", f"{url}letter", letter=(io.BytesIO(content), name))
    assert answer.status_code == 422 and sentence in answer.text and 'role="alert"' in answer.text
    assert the_one().letter_sha256 is None


def test_nothing_chosen_stale_and_twice(office: Office) -> None:
    none = office.post("district", INDEX)
    assert none.status_code == 422 and "请至少选一家企业" in none.text
    stale = office.post("district", INDEX, chosen=f"{office.walk.public_id}:1")
    assert stale.status_code == 409 and "刚被办过" in stale.text and " checked" in stale.text
    broken = office.post("district", INDEX, chosen=office.walk.public_id)
    assert broken.status_code == 422
    gather(office)
    again = office.post("district", INDEX, chosen=f"{office.walk.public_id}:{office.version}")
    assert again.status_code == 409 and "已经列入另一份行文推荐" in again.text


def test_taken_out_and_put_on_again(office: Office) -> None:
    url = gather(office)
    out = office.post("district", f"{url}entries/{{id}}/remove")
    assert out.status_code == 303 and "名单是空的" in office.get("district", url).text
    assert "加到没报出的那一份" in office.get("district", INDEX).text
    assert office.post("district", f"{url}entries/{{id}}/remove").status_code == 404
    assert gather(office, handover=the_one().public_id) == url
    assert str(office.walk.declaration.enterprise_name) in office.get("district", url).text


@pytest.mark.parametrize(
    ("person", "seen"),
    [("district", 200), ("far_district", 404), ("city", 404), ("enterprise", 403), ("expert", 403), ("finance", 404)],
)
def test_an_open_one_is_the_districts_own(office: Office, person: str, seen: int) -> None:
    url = gather(office)
    assert office.get(person, url).status_code == seen
    if person != "district":
        assert office.post(person, url, stage="send", doc_no="x", dated="2026-01-01").status_code in (403, 404)
        assert the_one().state == "open"


@pytest.mark.parametrize(
    ("person", "seen"),
    [("city", 200), ("finance", 200), ("province", 200), ("far_district", 404), ("far_city", 404), ("enterprise", 403)],
)
def test_a_sent_one_is_read_by_who_goes_on(office: Office, person: str, seen: int) -> None:
    url = gather(office)
    letter(office, url)
    send(office, url, "send")
    assert office.get(person, url).status_code == seen
    assert office.get(person, f"{url}letter").status_code == seen
    assert office.get(person, f"{url}list.xlsx").status_code == seen


def test_the_list_for_printing(office: Office) -> None:
    url = gather(office)
    answer = office.get("district", f"{url}list.xlsx")
    cells = python_calamine.load_workbook(io.BytesIO(answer.data)).get_sheet_by_index(0).to_python()
    line = dict(zip(cells[2], cells[3], strict=True))
    assert line["企业名称"] == office.walk.declaration.enterprise_name and line["序号"] == 1
    assert line["受理号"] == office.walk.declaration.serial_no and "____" in cells[1][0]


def test_sent_back_before_it_goes_out(office: Office) -> None:
    gather(office)
    words = {"action": "send_back", "opinion": "材料还要补。"}
    answer = office.post("district", "/review/{id}/", **words)
    assert answer.status_code == 302 and office.step == "district_review"
    assert "等行文推荐" not in office.get("district", "/review/{id}/").text
    wordless = office.post("district", "/review/{id}/", action="send_back", opinion="")
    assert wordless.status_code == 409


def test_unknown_ones_are_not_there(office: Office) -> None:
    for path in (f"/handovers/{UNKNOWN}/", f"/handovers/{UNKNOWN}/letter", f"/batches/{UNKNOWN}/handovers/"):
        assert office.get("district", path).status_code == 404
