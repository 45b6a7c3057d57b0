"""Forms of the writable grids: what does not fit comes back with 422, a sentence beside its field and what was typed."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from app.extensions import db
from app.models import Event, Holiday, Notice, Region
from tests.shared_world import World, visible

HOLIDAY = {"day": "2031-05-01", "name": "劳动节"}
NOTICE = {"title": "通知", "level": "city", "category": "通知", "authority": "市工信局", "content": "正文。",
          "published_at": "2026-06-01T09:00", "visible": "y"}  # fmt: skip
REGION = {"code": "230197", "name": "某区", "full_name": "黑龙江省 / 哈尔滨市 / 某区", "level": "county", "active": "y"}
INDUSTRY = {"code": "X99", "name": "某行业", "full_name": "某门类 / 某行业", "level": "class", "active": "y"}
NEEDED = "该字段是必填字段"

BAD: list[tuple[str, dict[str, str], str]] = [
    ("holiday", HOLIDAY | {"day": ""}, NEEDED), ("holiday", HOLIDAY | {"name": ""}, NEEDED),
    ("holiday", HOLIDAY | {"name": "   "}, NEEDED), ("holiday", HOLIDAY | {"name": "\x00"}, NEEDED),
    ("holiday", HOLIDAY | {"name": "\x07\x1b"}, NEEDED), ("holiday", HOLIDAY | {"name": "节" * 41}, "40"),
    ("holiday", HOLIDAY | {"day": "2031-02-29"}, "不是有效的日期值"), ("holiday", HOLIDAY | {"day": "五一"}, "不是有效的日期值"),
    ("holiday", HOLIDAY | {"day": "05/01/2031"}, "不是有效的日期值"), ("holiday", HOLIDAY | {"day": "10000-01-01"}, "不是有效的日期值"),
    ("holiday", {}, NEEDED),
    ("notice", NOTICE | {"title": ""}, NEEDED), ("notice", NOTICE | {"title": "题" * 201}, "200"),
    ("notice", NOTICE | {"level": "county"}, "选择"), ("notice", NOTICE | {"level": ""}, NEEDED),
    ("notice", NOTICE | {"category": "类" * 21}, "20"), ("notice", NOTICE | {"authority": "局" * 101}, "100"),
    ("notice", NOTICE | {"doc_no": "号" * 61}, "60"), ("notice", NOTICE | {"content": ""}, NEEDED),
    ("notice", NOTICE | {"content": "\x00\x08"}, NEEDED), ("notice", NOTICE | {"published_at": ""}, NEEDED),
    ("notice", NOTICE | {"published_at": "2026-06-31T09:00"}, "请选日期和时间"),
    ("notice", NOTICE | {"published_at": "明天"}, "例如 2026-11-20 09:00"),
    ("notice", NOTICE | {"published_at": "2026-06-01T25:00"}, "请选日期和时间"), ("notice", {}, NEEDED),
    ("region", REGION | {"code": ""}, NEEDED), ("region", REGION | {"code": "2301970"}, "6"),
    ("region", REGION | {"name": "名" * 41}, "40"), ("region", REGION | {"level": "village"}, "选择"),
    ("region", REGION | {"code": "230108"}, "已经有这一条了"), ("region", REGION | {"full_name": ""}, NEEDED),
    ("industry", INDUSTRY | {"code": ""}, NEEDED), ("industry", INDUSTRY | {"level": "x"}, "选择"),
    ("industry", INDUSTRY | {"assessment_category": "nothing"}, "选择"), ("industry", {}, NEEDED),
]  # fmt: skip


@pytest.mark.parametrize(("grid", "data", "words"), BAD, ids=[f"{n}-{b[0]}" for n, b in enumerate(BAD)])
def test_a_record_that_does_not_fit_is_not_added(world: World, grid: str, data: dict[str, str], words: str) -> None:
    before = counts(world)
    with world.unchanged():
        answer = world.open("city", f"/admin/{grid}/add", "POST", data=data)
    assert answer.status_code == 422, visible(answer)[:200]
    assert words in visible(answer) and "sb-error" in answer.text, visible(answer)
    assert counts(world) == before
    for name, value in data.items():
        if name == "day":
            continue  # a calendar control shows days only; the sentence beside it says what is wrong
        if (
            value.isprintable()
            and value.strip()
            and value not in ("y", "county", "x", "nothing", "village", "city", "class")
        ):
            assert value in answer.text, "what was typed stays"


@pytest.mark.parametrize(("grid", "data", "words"), BAD[:11], ids=[f"{n}-{b[0]}" for n, b in enumerate(BAD[:11])])
def test_a_change_that_does_not_fit_is_not_made(world: World, grid: str, data: dict[str, str], words: str) -> None:
    with world.app.app_context():
        first = db.session.scalars(select(Holiday).order_by(Holiday.id)).first()
        key, name = first.id, first.name
    answer = world.open("city", f"/admin/{grid}/edit/{key}", "POST", data=data)
    assert answer.status_code == 422 and words in visible(answer)
    with world.app.app_context():
        assert db.session.get_one(Holiday, key).name == name


def counts(world: World) -> list[int]:
    with world.app.app_context():
        return [db.session.query(m).count() for m in (Holiday, Notice, Region, Event)]


@pytest.mark.parametrize("grid", ["holiday", "notice", "region", "industry"])
@pytest.mark.parametrize(
    "path", ["edit/99999999", "delete/99999999", "edit/x", "delete/-1", "edit/1%00", "delete/99999999999999999999"]
)
def test_records_that_are_not_there(world: World, grid: str, path: str) -> None:
    method = "POST" if path.startswith("delete") else "GET"
    with world.unchanged():
        answer = world.open("city", f"/admin/{grid}/{path}", method)
    assert answer.status_code == 404 and "没有找到" in visible(answer)


READ_ONLY = ["declaration", "enterprise", "account", "batch", "revision", "opinion", "remark", "attachment", "event", "message",
             "recognition", "public_list", "print_record", "form_hrb_cultivation_intake_digital_projects"]  # fmt: skip


@pytest.mark.parametrize("grid", READ_ONLY)
def test_nobody_writes_in_what_the_process_wrote(world: World, grid: str) -> None:
    """Not even an administrator edits a declaration, an opinion or the record of events."""
    with world.unchanged():
        for path in ("add", "edit/1", "delete/1"):
            assert world.open("admin", f"/admin/{grid}/{path}", "POST", data={"id": "1"}).status_code == 404, path
        assert (
            world.open(
                "admin", f"/admin/{grid}/action_post", "POST", data={"action": "delete", "rowid": "1"}
            ).status_code
            == 404
        )
    page = world.open("admin", f"/admin/{grid}/list/").text
    assert f"/admin/{grid}/add" not in page and "formaction" not in page


@pytest.mark.parametrize("person", ["district", "expert", "owner", "individual", "nobody"])
@pytest.mark.parametrize("grid", ["holiday", "notice", "region", "industry"])
def test_others_change_no_reference_data(world: World, person: str, grid: str) -> None:
    with world.unchanged():
        for path in ("add", "edit/1", "delete/1"):
            answer = world.open(person, f"/admin/{grid}/{path}", "POST", data=HOLIDAY | NOTICE)
            assert answer.status_code == (302 if person == "nobody" else 403), path


def test_invisible_signs_are_not_stored(world: World) -> None:
    """PostgreSQL takes no NUL and Word no control sign: they are left out at the door, the words stay."""
    data = NOTICE | {"title": "关\x00于\x07开展", "content": "第一段。\r\n\r\n第\x0b二段。", "doc_no": " "}
    assert world.open("city", "/admin/notice/add", "POST", data=data).status_code == 302
    with world.app.app_context():
        kept: Any = db.session.scalars(select(Notice).order_by(Notice.id.desc())).first()
        assert (kept.title, kept.content, kept.doc_no) == ("关于开展", "第一段。\n\n第二段。", None)
        page = world.open("nobody", f"/notices/{kept.public_id}/").text
    assert "<p>第一段。</p>" in page and "<p>第二段。</p>" in page


FILTERS = [
    ("declaration", "0_submitted_at", "2026-13-01", "提交时间"), ("declaration", "1_submitted_at", "昨天", "提交时间"),
    ("declaration", "0_due_at", "NaN", "办理期限"), ("enterprise", "0_employees", "1.5", "从业人员"),
    ("enterprise", "0_employees", "Infinity", "从业人员"), ("enterprise", "1_registered_capital", "NaN", "注册资本"),
    ("enterprise", "1_registered_capital", "1e400", "注册资本"), ("enterprise", "0_established_on", "2011/04/18", "成立日期"),
    ("enterprise", "0_name", "x" * 201, "企业名称"), ("enterprise", "0_name", "\x00", "企业名称"),
    ("batch", "0_published", "maybe", "已发布"), ("batch", "0_year", "二〇二六", "年度"), ("batch", "0_opens_at", "x", "开放时间"),
    ("account", "0_active", "2", "启用"), ("opinion", "0_created_at", "2026-02-30", "时间"), ("event", "0_at", "now", "时间"),
    ("form_hrb_cultivation_intake", "0_revenue", "十二万", "营业收入"),
    ("form_hrb_cultivation_intake", "1_revenue", "--5", "营业收入"),
    ("form_hrb_cultivation_intake", "0_enterprise_scale", "giant", "企业规模"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("grid", "name", "value", "label"), FILTERS, ids=[f"{f[0]}-{f[1]}-{f[2][:8]}" for f in FILTERS]
)
def test_a_filter_that_cannot_be_read_names_its_column(
    world: World, grid: str, name: str, value: str, label: str
) -> None:
    for path in ("list/", "export"):
        answer = world.open("admin", f"/admin/{grid}/{path}", query_string={f"_flt_{name}": value})
        assert answer.status_code == 422, path
        assert label in visible(answer) and "筛选" in visible(answer), visible(answer)
