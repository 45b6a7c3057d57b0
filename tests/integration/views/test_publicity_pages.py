"""公示: publishing it, the office's board, objections with their conclusion, the end of the period, the portal."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.extensions import db
from app.models import BulkAct, PublicList
from app.models.base import new_public_id, now
from app.services.unit_of_work import unit_of_work
from app.workflow.calendar import local_date
from tests.factories_files import pdf_bytes
from tests.factories_office import TO_DECISION, TO_PUBLICITY, Office, link_in
from tests.factories_workflow import begun, end_publicity
from tests.shared_world import UNKNOWN

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
CONTACT = {"phone": "0451-84664271", "email": "gxj@example.gov.cn", "office": "市工信局中小企业处"}
PUBLISH = "/batches/{batch}/publication"
BOARD = "/batches/publicity/{list}/"


@pytest.fixture
def office(context: Flask, monkeypatch: pytest.MonkeyPatch) -> Office:
    """A declaration that waits for its place on the list."""
    return Office(context, begun(monkeypatch, "subsidy", "subsidy", TO_DECISION))


@pytest.fixture
def public(context: Flask, monkeypatch: pytest.MonkeyPatch) -> Office:
    """A declaration that is publicised."""
    return Office(context, begun(monkeypatch, "subsidy", "subsidy", TO_PUBLICITY))


def publish(there: Office, stage: str, **changes: str) -> Any:
    chosen = f"{there.walk.public_id}:{there.version}"
    data = {"title": "奖补公示", "body": "", "chosen": chosen, "stage": stage, "opens_on": "", **CONTACT} | changes
    return there.post("city", PUBLISH, **data)


# -- publishing ---------------------------------------------------------------------------------------------------------


def test_the_form_asks_for_period_and_contact(office: Office) -> None:
    page = office.get("city", PUBLISH).text
    assert "发布公示" in page and "公示 5 个工作日" in page and 'value="数字化改造奖补公示"' in page
    assert f'name="opens_on" type="date" value="{local_date(now())}"' in page or local_date(now()).isoformat() in page
    for name in CONTACT:
        assert f'name="{name}"' in page


def test_the_end_is_computed_before_publishing(office: Office) -> None:
    page = publish(office, "preview")
    assert page.status_code == 200 and "24:00" in page.text and "0451-84664271" in page.text
    assert office.step == "ranking" and office.listed is None


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"phone": ""}, "请填异议受理电话"),
        ({"phone": "打给小王"}, "请填异议受理电话"),
        ({"email": "gxj"}, "请填异议受理邮箱"),
        ({"office": ""}, "请填受理单位"),
        ({"opens_on": "2020-01-01"}, "公示不能从过去的日期开始"),
        ({"opens_on": "明天"}, "请填日期，例如"),
        ({"opens_on": "2090-01-03"}, "节假日安排还没有公布"),
        ({"title": ""}, "请写名单标题"),
        ({"title": "长" * 151}, "标题最多 150 个字"),
        ({"chosen": ""}, "请"),
    ],
)
@pytest.mark.parametrize("stage", ["preview", "publish"])
def test_what_does_not_fit_comes_back(office: Office, stage: str, changes: dict[str, str], sentence: str) -> None:
    page = publish(office, stage, **changes)
    assert page.status_code in (409, 422) and sentence in page.text
    assert office.step == "ranking" and office.listed is None


def test_all_faults_at_once_and_nothing_lost(office: Office) -> None:
    page = publish(office, "preview", title="", phone="", email="x").text
    assert "请写名单标题" in page and "请填异议受理电话" in page and "请填异议受理邮箱" in page
    assert 'value="市工信局中小企业处"' in page and " checked" in page


def test_published_and_remembered(office: Office) -> None:
    answer = publish(office, "publish")
    assert answer.status_code == 302 and office.step == "publicity"
    assert answer.location == f"/batches/publicity/{office.listed.public_id}/"
    # The office's addresses stand in the form of the next one.
    walk = office.walk
    walk.begin()
    for action in TO_DECISION.split():
        walk.go(action)
    page = office.get("city", PUBLISH).text
    assert all(f'value="{value}"' in page for value in CONTACT.values())


def test_the_same_form_twice_publishes_once(office: Office) -> None:
    chosen, key = f"{office.walk.public_id}:{office.version}", new_public_id()
    first = publish(office, "publish", chosen=chosen, key=key)
    again = publish(office, "publish", chosen=chosen, key=key)
    assert first.location == again.location
    assert db.session.scalar(select(func.count()).select_from(PublicList)) == 1


# -- the board ----------------------------------------------------------------------------------------------------------


def test_the_board_says_what_to_do(public: Office) -> None:
    page = public.get("city", BOARD).text
    assert "登记异议或等公示期满（还有 5 个工作日）" in page and "无异议" in page
    assert f'href="/review/{public.walk.public_id}/objections#h-new"' in page and "转下一步</a>" not in page
    assert "登记异议或等公示期满（还有 5 个工作日）" in public.get("city", "/todo/").text
    assert "登记异议或等公示期满（还有 5 个工作日）" in public.get("city", "/batches/{batch}/").text


@pytest.mark.parametrize(("person", "status"), [("far_city", 404), ("district", 403), ("finance", 403), ("admin", 200), ("enterprise", 403)])  # fmt: skip
def test_who_sees_the_board(public: Office, person: str, status: int) -> None:
    assert public.get(person, BOARD).status_code == status


def test_not_before_the_period_is_over(public: Office) -> None:
    page = public.get("city", BOARD + "conclusion").text
    assert "公示还没有期满" in page and "<button" not in page.split("<main")[1].split("</main>")[0].replace(
        "</button", ""
    )
    answer = public.post("city", BOARD + "conclusion")
    assert answer.status_code == 422 and "24:00 才期满" in answer.text and public.step == "publicity"


def test_the_end_moves_everything_without_an_objection(public: Office) -> None:
    end_publicity()
    assert "公示期满，可以转下一步" in public.get("city", "/todo/").text
    page = public.get("city", BOARD)
    assert link_in(page, "/batches/publicity/[0-9a-f-]+/conclusion")
    assert "1 家转下一步" in public.get("city", BOARD + "conclusion").text
    key = new_public_id()
    answer = public.post("city", BOARD + "conclusion", key=key)
    assert answer.status_code == 303 and public.step == "approval"
    result = public.get("city", answer.location).text
    assert "办成 1 件" in result and "公示期满，转下一步" in result
    # Double click, and the page once more from the history: nothing happens again.
    assert public.post("city", BOARD + "conclusion", key=key).location == answer.location
    late = public.post("city", BOARD + "conclusion")
    assert late.status_code == 409 and "没有要办的了" in late.text
    assert public.count("conclude") == 1
    assert "已转“报批”" in public.get("city", BOARD).text and "这次公示已经办完" in public.get("city", BOARD).text


def test_an_open_objection_holds_its_row_up(public: Office) -> None:
    public.register()
    end_publicity()
    page = public.get("city", BOARD).text
    assert "异议处理中" in page and "公示期满，转下一步" not in page
    preview = public.get("city", BOARD + "conclusion").text
    assert "还有 1 条异议没有办结" in preview
    answer = public.post("city", BOARD + "conclusion")
    assert "没办成 1 件" in public.get("city", answer.location).text
    assert public.step == "publicity"


def test_a_form_without_its_key_does_nothing(public: Office) -> None:
    end_publicity()
    answer = public.post("city", BOARD + "conclusion", key="")
    assert answer.status_code == 422 and "页面不完整" in answer.text and public.step == "publicity"
    assert db.session.scalar(select(func.count()).select_from(BulkAct)) == 0


def test_the_final_list_comes_with_the_end(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    actions = "submit confirm upload_stamped assign_experts all_scored publish"
    office = Office(context, begun(monkeypatch, "pool_intake", "pool_intake", actions, publicity_required=True))
    end_publicity()
    page = office.get("city", BOARD + "conclusion").text
    assert "同时在门户公布最终名单" in page and 'name="announce" value="1" checked' in page
    refused = office.post("city", BOARD + "conclusion", announce="1", title="")
    assert refused.status_code == 422 and "请写名单标题" in refused.text
    office.post("city", BOARD + "conclusion", announce="1", title="入库名单", body="现予公布。")
    assert office.walk.declaration.status == "approved"
    final = db.session.scalars(select(PublicList).where(PublicList.kind == "final")).unique().one()
    assert final.title == "入库名单"


# -- objections -----------------------------------------------------------------------------------------------------------


def test_an_objection_with_evidence(public: Office) -> None:
    answer = public.register(evidence=(io.BytesIO(pdf_bytes()), "照片.pdf"))
    assert answer.status_code == 303
    [kept] = public.objections
    assert (kept.objector, kept.state, kept.evidence_name) == ("李志强", "open", "照片.pdf")
    page = public.get("city", answer.location).text
    assert "李志强" in page and "写核查结论" in page and "看佐证材料：照片.pdf" in page
    file = public.get("city", f"/review/{{id}}/objections/{kept.public_id}/evidence")
    assert file.data == pdf_bytes() and file.headers["Content-Type"] == "application/pdf"
    assert public.get("district", f"/review/{{id}}/objections/{kept.public_id}/evidence").status_code == 403
    assert public.get("far_city", f"/review/{{id}}/objections/{kept.public_id}/evidence").status_code == 404


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"objector": ""}, "异议要实名提出"),
        ({"objector": "匿名"}, "异议要实名提出"),
        ({"contact": "找老李"}, "请填异议人的电话或邮箱"),
        ({"unit": ""}, "请填被异议单位"),
        ({"content": " "}, "请写异议内容"),
        ({"content": "长" * 3001}, "请写异议内容"),
        ({"received_on": ""}, "请填受理日期"),
        ({"received_on": "昨天"}, "受理日期请填日期"),
        ({"received_on": (local_date(now()) + timedelta(days=30)).isoformat()}, "不能晚于今天"),
        ({"received_on": "2020-01-01"}, "要在公示期内"),
        ({"version": "x"}, "页面不完整"),
    ],
    ids=lambda v: "-".join(v) if isinstance(v, dict) else None,
)
def test_an_objection_that_does_not_fit(public: Office, changes: dict[str, str], sentence: str) -> None:
    answer = public.register(**changes)
    assert answer.status_code == 422 and sentence in answer.text
    assert public.objections == [] and public.count("object") == 0
    if "content" not in changes:
        assert "设备是租来的。" in answer.text


def test_evidence_that_is_no_file_of_its_kind(public: Office) -> None:
    answer = public.register(evidence=(io.BytesIO(b"MZ\x90"), "照片.pdf"))
    assert answer.status_code == 422 and public.objections == []
    assert "设备是租来的。" in answer.text


def test_a_stale_page_and_a_double_click(public: Office) -> None:
    version, key = str(public.version), new_public_id()
    assert public.register(version=version, key=key).status_code == 303
    assert public.register(version=version, key=key).status_code == 303
    stale = public.register(version=version, content="第二条。")
    assert stale.status_code == 409 and "刚被办过" in stale.text and "第二条。" in stale.text
    assert len(public.objections) == 1


@pytest.mark.parametrize(("verdict", "status"), [("dismissed", "in_progress"), ("upheld", "rejected")])
def test_the_conclusion_is_asked_twice(public: Office, verdict: str, status: str) -> None:
    public.register()
    url = f"/review/{{id}}/objections/{public.objections[0].public_id}"
    words = {"verdict": verdict, "conclusion": "经现场核查。"}
    assert "异议内容" in public.get("city", url).text
    asked = public.post("city", url, stage="preview", **words)
    assert asked.status_code == 200 and "这一步不能撤回" in asked.text and public.objections[0].state == "open"
    assert "经现场核查。" in public.post("city", url, stage="back", **words).text
    done = public.post("city", url, stage="decide", **words)
    assert done.status_code == 303 and public.objections[0].state == verdict
    assert public.walk.declaration.status == status
    after = public.get("city", "/review/{id}/objections").text
    assert "经现场核查。" in after and "写核查结论" not in after
    again = public.post("city", url, stage="decide", **words)
    assert again.status_code in (409, 422) and public.objections[0].conclusion == "经现场核查。"
    board = public.get("city", BOARD).text
    assert ("异议成立，已撤下" in board) == (verdict == "upheld")


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"verdict": "", "conclusion": "查过。"}, "请选结论"),
        ({"verdict": "maybe", "conclusion": "查过。"}, "请选结论"),
        ({"verdict": "upheld", "conclusion": " "}, "请写核查结论"),
        ({"verdict": "upheld", "conclusion": "长" * 3001}, "核查结论最多 3000 个字"),
    ],
    ids=("none", "unknown", "wordless", "long"),
)
@pytest.mark.parametrize("stage", ["preview", "decide"])
def test_a_conclusion_that_does_not_fit(public: Office, stage: str, typed: dict[str, str], sentence: str) -> None:
    public.register()
    answer = public.post("city", f"/review/{{id}}/objections/{public.objections[0].public_id}", stage=stage, **typed)
    assert answer.status_code == 422 and sentence in answer.text and public.objections[0].state == "open"


def test_an_unknown_objection_is_not_there(public: Office) -> None:
    assert public.get("city", f"/review/{{id}}/objections/{UNKNOWN}").status_code == 404
    assert public.post("city", f"/review/{{id}}/objections/{UNKNOWN}", stage="decide").status_code == 404
    assert public.get("city", f"/review/{UNKNOWN}/objections").status_code == 404


def test_after_the_period_no_objection_is_taken(public: Office) -> None:
    end_publicity()
    answer = public.register()
    assert answer.status_code == 422 and "要在公示期内" in answer.text


# -- who reads what ---------------------------------------------------------------------------------------------------------


def test_the_enterprise_reads_the_period_and_no_name(public: Office) -> None:
    public.register()
    for path in ("/declarations/{id}/", "/todo/?tab=begun", "/messages/"):
        page = public.get("enterprise", path).text
        assert "李志强" not in page and "13904512187" not in page
    page = public.get("enterprise", "/declarations/{id}/").text
    assert "公示期间收到异议，正在核查" in page and "异议处理" in page
    assert "核查异议，写结论（1 条）" in public.get("city", "/todo/").text


def test_the_portal_shows_running_ones_first(public: Office) -> None:
    with unit_of_work() as session:
        batch_id = session.scalar(select(PublicList.batch_id))
        facts = {"authority": "市工信局", "published_at": now() + timedelta(hours=1), "published_by": 1}
        session.add(PublicList(batch_id=batch_id, title="后来的名单", **facts))
    index = public.get("city", "/publicity/").text
    assert index.index(public.listed.public_id) < index.index("后来的名单") and "公示中，至" in index
    page = public.get("city", "/publicity/{list}/").text
    assert "公示中，至" in page and "24:00 止" in page and "0451-84664271" in page and "匿名的不受理" in page
    end_publicity()
    index, page = public.get("city", "/publicity/").text, public.get("city", "/publicity/{list}/").text
    assert index.index("后来的名单") < index.index(public.listed.public_id)
    assert "公示已结束" in page and "公示中" not in page
