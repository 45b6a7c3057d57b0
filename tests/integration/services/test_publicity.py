"""公示: the list with its period, objections in real names, and the end, one by one or all together."""

from __future__ import annotations

import io
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.errors import Conflict, DomainError, InvalidInput, NotFound, Refused
from app.extensions import db
from app.models import Account, Blob, Event, Holiday, Message, Objection, PublicList, PublicListEntry, Recognition
from app.models.base import now
from app.permissions import roles
from app.services import publication, publicity
from app.services.office_file import EVIDENCE, receive
from app.services.reference import holidays
from app.services.storage import sweep_files
from app.services.unit_of_work import unit_of_work
from app.views.todo_page import state_words
from app.workflow.calendar import end_of, local_date
from tests.at_once import refusals, together
from tests.factories import find, make_account, make_batch, perform, store
from tests.factories_files import pdf_bytes
from tests.factories_workflow import PERIOD, Walk, begun, end_publicity, stated

sqlite_only = pytest.mark.parametrize("database", ["sqlite"])
TO_DECISION = "submit confirm upload_stamped assign_experts all_scored"
ON = {"publicity_required": True}


@pytest.fixture
def walk(context: Flask, monkeypatch: pytest.MonkeyPatch) -> Walk:
    """One declaration on a 公示."""
    return begun(monkeypatch, "pool_intake", "pool_intake", f"{TO_DECISION} publish", **ON)


def city(walk: Walk) -> Account:
    return walk.person("city")


def register(walk: Walk, **facts: Any) -> str:
    return publicity.register_objection(city(walk), walk.public_id, stated(**facts), version=walk.declaration.version)


def decide(walk: Walk, objection_id: str, upheld: bool, conclusion: str = "经核查。") -> None:
    version = walk.declaration.version
    publicity.decide_objection(
        city(walk), walk.public_id, objection_id, upheld=upheld, conclusion=conclusion, version=version
    )


def the_list() -> PublicList:
    db.session.rollback()
    return db.session.scalars(select(PublicList).order_by(PublicList.id)).unique().first()


# -- entering ---------------------------------------------------------------------------------------------------------


def test_the_list_says_how_long_and_where_to_object(walk: Walk) -> None:
    public = the_list()
    today = local_date(now())
    assert (public.kind, public.opens_on, public.phone, public.email, public.office) == (
        "publicity", today, PERIOD.phone, PERIOD.email, PERIOD.office,
    )  # fmt: skip
    assert public.closes_on == publication.last_day_of(today, 5, holidays())
    due = publication.last_day_of(public.closes_on, 5, holidays())
    assert walk.declaration.due_at == end_of(due), "five working days to conclude, from the end of the period"
    message = db.session.scalars(select(Message).order_by(Message.id.desc())).first()
    assert message.title.endswith("已列入公示名单")
    assert walk.recognition is None, "nothing is given before the period is over"


@sqlite_only
@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2026, 9, 28), date(2026, 10, 10)),
        (date(2026, 11, 20), date(2026, 11, 27)),
        (date(2026, 2, 13), date(2026, 2, 27)),
    ],
)
def test_five_working_days_over_a_holiday(context: Flask, first: date, last: date) -> None:
    assert publication.last_day_of(first, 5, holidays()) == last


@sqlite_only
def test_a_year_without_holidays_refuses_to_begin(context: Flask) -> None:
    with pytest.raises(InvalidInput, match="2027 年的节假日安排还没有公布") as refused:
        publication.last_day_of(date(2026, 12, 29), 5, {})
    assert set(refused.value.fields) == {"opens_on"}
    days = {date(2027, 1, n): n not in (1, 2, 3, 9, 10) for n in range(1, 12)}
    assert publication.last_day_of(date(2026, 12, 29), 5, days) == date(2027, 1, 6)


@sqlite_only
def test_an_own_holiday_lengthens_the_period(context: Flask) -> None:
    store(Holiday(day=date(2026, 11, 23), name="停电", working=False))
    assert publication.last_day_of(date(2026, 11, 20), 5, holidays()) == date(2026, 11, 30)


@sqlite_only
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"phone": ""}, "phone"),
        ({"phone": "请来人"}, "phone"),
        ({"phone": "12345"}, "phone"),
        ({"email": "gxj"}, "email"),
        ({"email": "gxj@"}, "email"),
        ({"office": ""}, "office"),
        ({"office": "长" * 101}, "office"),
        ({"opens_on": date(2020, 1, 1)}, "opens_on"),
    ],
)
def test_what_a_period_must_say(context: Flask, change: dict[str, Any], field: str) -> None:
    period = publication.Period(**{**vars(PERIOD), **change})
    with pytest.raises(InvalidInput) as refused:
        publication.check_period(period, 5, holidays())
    assert set(refused.value.fields) == {field}


@sqlite_only
def test_everything_wrong_is_told_at_once(context: Flask) -> None:
    with pytest.raises(InvalidInput) as refused:
        publication.check_period(publication.Period("", "", "", date(2020, 1, 1)), 5, {})
    assert set(refused.value.fields) == {"phone", "email", "office", "opens_on"}


@sqlite_only
def test_a_list_before_publicity_needs_its_period(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    walk = begun(monkeypatch, "pool_intake", "pool_intake", TO_DECISION, **ON)
    chosen = {walk.public_id: walk.declaration.version}
    with pytest.raises(InvalidInput, match="这一批要先公示") as refused:
        publication.publish_list(city(walk), walk.batch_id, chosen, "名单", "", authority="市工信局")
    assert set(refused.value.fields) == {"phone", "email", "office"}
    with pytest.raises(InvalidInput, match="下一步是公示"):
        perform(city(walk), walk.declaration, "approve")
    assert walk.state == "decision" and the_list() is None


@sqlite_only
def test_a_final_list_has_no_period(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    walk = begun(monkeypatch, "pool_intake", "pool_intake", TO_DECISION, publicity_required=False)
    chosen = {walk.public_id: walk.declaration.version}
    with pytest.raises(InvalidInput, match="这一批不用公示"):
        publication.publish_list(city(walk), walk.batch_id, chosen, "名单", "", authority="市工信局", period=PERIOD)
    walk.go("publish_list")
    assert the_list().kind == "final" and the_list().closes_on is None
    assert walk.recognition is not None


# -- objections -------------------------------------------------------------------------------------------------------


def test_an_objection_is_kept_and_people_read_it(walk: Walk) -> None:
    before = walk.declaration.version
    objection_id = register(walk)
    found = db.session.scalars(select(Objection)).unique().one()
    assert (found.public_id, found.objector, found.state) == (objection_id, "李志强", "open")
    assert found.public_list.public_id == the_list().public_id and found.registered_by == walk.people["city"]
    declaration = walk.declaration
    assert (declaration.open_objections, declaration.version) == (1, before + 1)
    assert state_words(declaration, walk.definition.step("publicity")) == ("异议处理", "warn")
    due = publication.last_day_of(local_date(now()), 10, holidays())
    assert declaration.due_at == end_of(due)
    told = db.session.scalars(select(Message).where(Message.account_id == walk.owner.id).order_by(Message.id.desc()))
    assert "公示期间收到异议" in told.first().title
    event = db.session.scalars(select(Event).where(Event.action == "object")).one()
    assert event.data == {"objection": objection_id}


def test_nobody_else_learns_who_objected(walk: Walk) -> None:
    register(walk)
    secrets = ("李志强", "13904512187", "设备是租来的")
    texts = [f"{e.label}{e.opinion}{e.data}" for e in db.session.scalars(select(Event))]
    texts += [m.title + m.body for m in db.session.scalars(select(Message))]
    assert not [t for t in texts for secret in secrets if secret in t]
    for name in ("enterprise", "rival", "far_city", "far_district", "expert", "unasked"):
        with pytest.raises(NotFound):
            publicity.objections_of(walk.person(name), walk.public_id)
    for name in ("city", "district", "province", "admin"):
        assert len(publicity.objections_of(walk.person(name), walk.public_id)) == 1


@sqlite_only
@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"objector": ""}, "objector"),
        ({"objector": "匿名"}, "objector"),
        ({"objector": "某知情人"}, "objector"),
        ({"objector": "李"}, "objector"),
        ({"objector": "Anonymous"}, "objector"),
        ({"contact": ""}, "contact"),
        ({"contact": "不方便说"}, "contact"),
        ({"contact": "长" * 101}, "contact"),
        ({"unit": ""}, "unit"),
        ({"content": ""}, "content"),
        ({"content": "长" * 3001}, "content"),
        ({"received_on": date(2999, 1, 1)}, "received_on"),
    ],
)
def test_what_an_objection_must_say(context: Flask, facts: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        publicity.check_objection(stated(**facts))
    assert set(refused.value.fields) == {field}


@sqlite_only
@pytest.mark.parametrize("name", ["李志强", "欧阳娜娜", "阿卜杜拉·热合曼", "哈尔滨松岭精密机械有限公司", "John Smith"])
@pytest.mark.parametrize("contact", ["13904512187", "0451-84664271", "li@example.com", "电话 13904512187"])
def test_real_names_are_taken(context: Flask, name: str, contact: str) -> None:
    assert publicity.check_objection(stated(objector=name, contact=contact))["objector"] == name


@sqlite_only
def test_outside_the_period_it_is_no_objection(walk: Walk) -> None:
    with pytest.raises(InvalidInput, match="受理日期要在公示期内"):
        register(walk, received_on=local_date(now()) - timedelta(days=1))
    assert walk.state == "publicity" and db.session.scalar(select(func.count()).select_from(Objection)) == 0


def test_evidence_is_kept_and_only_offices_open_it(walk: Walk) -> None:
    kept = receive(EVIDENCE, io.BytesIO(pdf_bytes()), "照片/租赁合同.pdf")
    objection_id = register(walk, evidence=kept)
    name, stream = publicity.open_evidence(city(walk), walk.public_id, objection_id)
    assert (name, stream.read()) == ("租赁合同.pdf", pdf_bytes())
    with pytest.raises(NotFound):
        publicity.open_evidence(walk.owner, walk.public_id, objection_id)
    with unit_of_work() as session:
        session.get_one(Blob, kept.sha256).created_at = now() - timedelta(days=30)
    sweep_files()
    assert publicity.open_evidence(city(walk), walk.public_id, objection_id)[1].read() == pdf_bytes()


@sqlite_only
def test_without_evidence_there_is_nothing_to_open(walk: Walk) -> None:
    objection_id = register(walk)
    with pytest.raises(NotFound, match="没有佐证材料"):
        publicity.open_evidence(city(walk), walk.public_id, objection_id)


@sqlite_only
def test_a_double_click_registers_once(walk: Walk) -> None:
    version = walk.declaration.version
    ids = {
        publicity.register_objection(city(walk), walk.public_id, stated(), version=version, key="k1") for _ in range(2)
    }
    assert len(ids) == 1 and walk.declaration.open_objections == 1


def test_several_objections_are_decided_one_by_one(walk: Walk) -> None:
    one, two = register(walk), register(walk, objector="王秀英", content="申报的项目没有建成。")
    assert walk.declaration.open_objections == 2
    decide(walk, one, upheld=False, conclusion="设备发票齐全。")
    assert (walk.state, walk.declaration.open_objections) == ("objection", 1)
    decide(walk, two, upheld=False)
    assert (walk.state, walk.declaration.open_objections) == ("publicity", 0)
    closes = the_list().closes_on
    assert walk.declaration.due_at == end_of(publication.last_day_of(closes, 5, holidays()))
    found = {o.public_id: (o.state, o.conclusion) for o in publicity.objections_of(city(walk), walk.public_id)}
    assert found == {one: ("dismissed", "设备发票齐全。"), two: ("dismissed", "经核查。")}


def test_one_founded_objection_is_enough(walk: Walk) -> None:
    one, two = register(walk), register(walk, objector="王秀英")
    decide(walk, two, upheld=True, conclusion="设备确系租赁。")
    declaration = walk.declaration
    assert (declaration.status, declaration.open_objections, declaration.unique_key) == ("rejected", 0, None)
    found = {o.public_id: o.state for o in publicity.objections_of(city(walk), walk.public_id)}
    assert found == {one: "moot", two: "upheld"}
    assert walk.recognition is None


@sqlite_only
def test_an_objection_is_decided_once_and_with_words(walk: Walk) -> None:
    one = register(walk)
    with pytest.raises(InvalidInput, match="请写明异议不成立的理由"):
        decide(walk, one, upheld=False, conclusion="  ")
    decide(walk, one, upheld=False)
    for upheld in (True, False):
        with pytest.raises(InvalidInput, match="已经办结，或者不属于这件申报"):
            decide(walk, one, upheld=upheld)
    assert walk.state == "publicity"


@sqlite_only
def test_the_objection_of_another_declaration_decides_nothing(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Walk(walk.workflow, walk.route, walk.people, dict(ON), try_strangers=False)
    mine, owner = walk.public_id, walk.people["enterprise"]
    other.begin()
    for action in f"{TO_DECISION} publish".split():
        other.go(action)
    foreign = register(other)
    walk.people["enterprise"], walk.public_id = owner, mine
    register(walk)
    with pytest.raises(InvalidInput, match="不属于这件申报"):
        decide(walk, foreign, upheld=True)
    assert (walk.declaration.status, other.declaration.status) == ("in_progress", "in_progress")


# -- the end ----------------------------------------------------------------------------------------------------------


@sqlite_only
def test_it_cannot_end_early_or_with_an_open_objection(walk: Walk) -> None:
    with pytest.raises(InvalidInput, match="才期满，期满以后再办"):
        publicity.conclude(city(walk), walk.public_id, version=walk.declaration.version)
    one = register(walk)
    end_publicity()
    with pytest.raises(InvalidInput, match="还有 1 条异议没有办结"):
        publicity.conclude(city(walk), walk.public_id, version=walk.declaration.version)
    decide(walk, one, upheld=False)
    publicity.conclude(city(walk), walk.public_id, version=walk.declaration.version)
    assert walk.state == "listed" and walk.recognition is not None


def three(walk: Walk) -> list[Walk]:
    """Three declarations on one 公示, of three enterprises in one batch."""
    found = []
    for _ in range(3):
        each = Walk(walk.workflow, walk.route, dict(walk.people), dict(ON), try_strangers=False)
        each.people["enterprise"] = make_account(roles.ENTERPRISE).id
        each.batch_id = walk.batch_id
        each.start()
        for action in TO_DECISION.split():
            each.go(action)
        found.append(each)
    chosen = {each.public_id: each.declaration.version for each in found}
    publication.publish_list(city(walk), walk.batch_id, chosen, "公示名单", "", authority="市工信局", period=PERIOD)
    return found


@pytest.fixture
def publicised(context: Flask, monkeypatch: pytest.MonkeyPatch) -> tuple[list[Walk], str]:
    """Three walks on one list, and the list's public id."""
    walk = begun(monkeypatch, "pool_intake", "pool_intake", "", **ON)
    walks = three(walk)
    return walks, the_list().public_id


def test_a_whole_list_is_concluded_row_by_row(publicised: tuple[list[Walk], str]) -> None:
    walks, list_id = publicised
    register(walks[1])
    end_publicity()
    announcement = publicity.Announcement("入库名单", "现予公布。", "市工信局")
    result = publicity.conclude_list(city(walks[0]), list_id, announcement)
    assert [(r.done, r.reason) for r in result.rows] == [
        (True, ""), (False, "还有 1 条异议没有办结。请先写调查结论，再结束公示。"), (True, ""),
    ]  # fmt: skip
    assert [w.declaration.status for w in walks] == ["approved", "in_progress", "approved"]
    final = db.session.scalars(select(PublicList).where(PublicList.public_id == result.list_id)).unique().one()
    assert (final.kind, final.title) == ("final", "入库名单")
    entries = db.session.scalars(select(PublicListEntry).where(PublicListEntry.list_id == final.id)).unique().all()
    assert {e.declaration_id for e in entries} == {walks[0].declaration.id, walks[2].declaration.id}
    assert db.session.scalar(select(func.count()).select_from(Recognition)) == 2
    again = publicity.conclude_list(city(walks[0]), list_id, announcement)
    assert [r.reason for r in again.rows] == ["已经办结。", result.rows[1].reason, "已经办结。"]
    assert again.list_id is None and again.done == 0
    assert db.session.scalar(select(func.count()).where(Event.action == "conclude", Event.subject.is_not(None))) == 1


@sqlite_only
def test_a_running_list_cannot_be_concluded(publicised: tuple[list[Walk], str]) -> None:
    walks, list_id = publicised
    with pytest.raises(InvalidInput, match="期满以后再办"):
        publicity.conclude_list(city(walks[0]), list_id)
    assert {w.declaration.status for w in walks} == {"in_progress"}


@sqlite_only
def test_only_who_is_in_charge_concludes(publicised: tuple[list[Walk], str]) -> None:
    walks, list_id = publicised
    end_publicity()
    for name, error in {
        "district": Refused,
        "far_city": NotFound,
        "enterprise": DomainError,
        "expert": DomainError,
    }.items():
        with pytest.raises(error):
            publicity.conclude_list(walks[0].person(name), list_id)
    other_office = publicity.conclude_list(walks[0].person("province"), list_id)
    assert other_office.done == 0 and all("不归您办" in r.reason for r in other_office.rows)
    with pytest.raises(NotFound):
        publicity.conclude_list(city(walks[0]), "no-such-list")
    assert {w.declaration.status for w in walks} == {"in_progress"}


def test_two_clerks_conclude_at_once(publicised: tuple[list[Walk], str], context: Flask) -> None:
    walks, list_id = publicised
    end_publicity()
    clerk, done = walks[0].people["city"], []

    def work() -> None:
        done.append(publicity.conclude_list(db.session.get_one(Account, clerk), list_id).done)

    db.session.rollback()
    assert refusals(together(context, [work, work])) == []
    assert sorted(done) == [0, 3]
    assert db.session.scalar(select(func.count()).select_from(Recognition)) == 3


@sqlite_only
def test_what_was_concluded_alone_is_not_touched_again(publicised: tuple[list[Walk], str]) -> None:
    walks, list_id = publicised
    end_publicity()
    publicity.conclude(city(walks[0]), walks[0].public_id, version=walks[0].declaration.version)
    version = walks[0].declaration.version
    assert publicity.conclude_list(city(walks[0]), list_id).done == 2
    assert find(walks[0].public_id).version == version


@sqlite_only
def test_a_stale_page_concludes_nothing(walk: Walk) -> None:
    end_publicity()
    version = walk.declaration.version
    with pytest.raises(Conflict):
        publicity.conclude(city(walk), walk.public_id, version=version - 1)
    assert walk.state == "publicity"


@sqlite_only
def test_lists_of_other_batches_do_not_mix(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    walk = begun(monkeypatch, "pool_intake", "pool_intake", TO_DECISION, **ON)
    other = make_batch("pool_intake", parameters=ON)
    with pytest.raises(NotFound):
        publication.publish_list(
            city(walk),
            other.public_id,
            {walk.public_id: walk.declaration.version},
            "名单",
            "",
            authority="局",
            period=PERIOD,
        )
