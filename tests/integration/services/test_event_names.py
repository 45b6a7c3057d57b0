"""What the record of events keeps as ids and keys is read as titles; what is stored stays as it was written."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import select

from app.extensions import db
from app.models import Account, Batch, Event, Holiday
from app.permissions import roles
from app.services import seed_demo
from app.services.event_names import Names, names_of
from app.services.opened import open_declaration
from app.services.progress import history
from tests.factories import login, make_account, make_batch

sqlite_only = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
KINDS = {"account": "账号", "batch": "批次", "holiday": "节假日", "form_x": "企业培育入库"}
RAW = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-|\bparameter_|[a-z]+_[a-z_]+|^\d+$|：\d+$|\[|\{")


def noted(data: dict[str, Any]) -> str:
    """The words for what one event notes."""
    return names_of([Event(subject=None, data=data)]).noted(data)


def about(subject: str) -> str:
    """The words for what one event is about."""
    return names_of([Event(subject=subject, data={})]).subject(subject, KINDS)


@sqlite_only
def test_subjects_are_read_by_name(context: Flask) -> None:
    clerk, batch = make_account(roles.CITY), make_batch()
    day = db.session.scalars(select(Holiday).where(Holiday.name == "国庆节").order_by(Holiday.day)).first()
    assert day is not None
    assert about(f"account:{clerk.id}") == f"账号 {clerk.get_full_name()}"
    assert about(f"batch:{batch.public_id}") == f"批次 {batch.title}"
    assert about(f"holiday:{day.id}") == f"节假日 {day.day} 国庆节"
    assert about("form_x") == "企业培育入库"


@sqlite_only
@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("holiday:999999", "节假日 （已删除）"),
        ("account:no-number", "账号 （已删除）"),
        ("batch:01890000-0000-7000-8000-000000000000", "批次 （已删除）"),
        ("phone:4f1c9d", "手机号（不显示）"),
        ("name:4f1c9d", "没有这个账号"),
    ],
)
def test_what_cannot_be_named_shows_no_id(context: Flask, subject: str, words: str) -> None:
    assert about(subject) == words


@sqlite_only
def test_notes_are_read_in_words(context: Flask) -> None:
    one, two = make_account(roles.EXPERT, display_name="林思远"), make_account(roles.EXPERT, display_name="高远")
    assert noted({"experts": [one.id, two.id]}) == "专家：林思远、高远"
    assert noted({"expert": two.id, "name": "高远"}) == "姓名：高远"
    assert (
        noted({"path": "digital_needs/01890000/need_type", "label": "需求 1：需求种类"}) == "哪一项：需求 1：需求种类"
    )
    assert noted({"states": ["approved", "rejected"]}) == "状态：已通过、未通过"
    assert noted({"key": "paper_copy"}).startswith("事项：企业申报材料一式一份")
    assert noted({"revision": 2, "code": "AB12"}) == "版本：第 2 版；校验码：AB12"
    assert (
        noted({"list": "01890000-0000-7000-8000-000000000000", "count": 3, "title": "名单甲"})
        == "件数：3；名称：名单甲"
    )
    assert noted({"role": "city"}) == "身份：市工信"


@sqlite_only
def test_a_changed_batch_says_before_and_after(context: Flask) -> None:
    changes = {
        "title": ["第一批", "第一批（延期）"],
        "closes_at": [None, "2026-11-20T16:00:00+00:00"],
        "published": [False, True],
        "parameter_correction_days": [0, 10],
    }
    assert noted(changes) == (
        "名称：第一批 改为 第一批（延期）；截止时间：— 改为 2026-11-21 00:00；企业能看到：否 改为 是；截止后的补正天数：0 改为 10"
    )


@sqlite_only
def test_a_page_of_events_takes_one_statement_for_each_kind(context: Flask) -> None:
    people = [make_account(roles.CITY) for _number in range(6)]
    batches = [make_batch(title=f"第{n}批") for n in range(3)]
    events = [Event(subject=f"account:{p.id}", data={"experts": [p.id]}) for p in people]
    events += [Event(subject=f"batch:{b.public_id}", data={}) for b in batches]
    said: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        said.append(statement)

    sqlalchemy_event.listen(db.engine, "before_cursor_execute", note)
    try:
        names = names_of(events)
    finally:
        sqlalchemy_event.remove(db.engine, "before_cursor_execute", note)
    assert len(said) == 2 and len(names.found) == len(people) + len(batches)


@sqlite_only
def test_no_event_of_the_demo_shows_what_only_machines_read(context: Flask) -> None:
    seed_demo.seed_demo(8, 7)
    db.session.rollback()
    events = list(db.session.scalars(select(Event)))
    before = [(e.subject, dict(e.data)) for e in events]
    names = names_of(events)
    kinds = {e.subject.partition(":")[0]: "对象" for e in events if e.subject}
    for e in events:
        for words in (names.subject(e.subject, kinds) if e.subject else "", names.noted(e.data), names.about(e)):
            assert not RAW.search(words.replace("校验码：", "")), (e.action, words)
            assert "（已删除）" not in words, (e.action, words)
    assert {e.action for e in events if e.data} >= {"assign", "approve", "publish", "stamp", "download", "batch_create"}
    assert [(e.subject, e.data) for e in events] == before


@sqlite_only
def test_the_office_reads_who_was_asked_and_the_enterprise_does_not(context: Flask) -> None:
    seed_demo.seed_demo(3, 1)
    db.session.rollback()
    event = db.session.scalars(select(Event).where(Event.action == "assign")).first()
    assert event is not None and event.declaration is not None
    city, expert = (
        db.session.scalars(select(Account).where(Account.username == name)).unique().one()
        for name in ("city", "expert")
    )
    opened = open_declaration(db.session, event.declaration.public_id, city)
    texts = {p.text for p in history(opened.definition, opened.events, names_of(opened.events))}
    assert f"专家评审：分派专家：{expert.get_full_name()}" in texts
    assert "提交盖章材料：已盖章申报材料.pdf" in texts
    assert not [p for p in history(opened.definition, opened.events) if expert.get_full_name() in p.text]
    page = login(context.test_client(), city).get(f"/review/{event.declaration.public_id}/").text
    assert f"专家评审：分派专家：{expert.get_full_name()}" in page
    owner = (
        db.session.scalars(select(Account).where(Account.enterprise_id == event.declaration.enterprise_id))
        .unique()
        .one()
    )
    page = login(context.test_client(), owner).get(f"/declarations/{event.declaration.public_id}/").text
    assert "专家评审：分派专家" in page and "评审专家" in page
    assert expert.get_full_name() not in page and seed_demo.VERDICT not in page


@sqlite_only
def test_the_grid_names_enterprise_and_subject(context: Flask) -> None:
    seed_demo.seed_demo(3, 1)
    db.session.rollback()
    admin = login(context.test_client(), make_account(roles.ADMIN))
    event = db.session.scalars(select(Event).where(Event.action == "assign")).first()
    batch = db.session.scalars(select(Batch).where(Batch.title.endswith("标杆样板"))).one()
    assert event is not None and event.declaration is not None
    page = admin.get("/admin/event/list/").text
    assert event.declaration.enterprise_name in page and f"批次 {batch.title}" in page
    assert not re.search(r">[^<]*[0-9a-f]{8}-[0-9a-f]{4}-7[^<]*<", page)
    shown = admin.get(f"/admin/event/show/{event.id}").text
    assert "专家：林思远" in shown and event.declaration.serial_no in shown
    found = admin.get(
        "/admin/event/list/", query_string={"_flt_0_declaration.enterprise_name": event.declaration.enterprise_name}
    )
    assert found.status_code == 200 and batch.title not in found.text.partition("<tbody>")[2]


def test_without_names_nothing_is_claimed() -> None:
    assert Names().about(Event(data={})) == ""
    assert Names().noted({}) == ""
