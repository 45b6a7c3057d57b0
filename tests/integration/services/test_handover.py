"""行文推荐: gathering, the sealed letter, sending all of it at once, and what cannot be changed afterwards."""

from __future__ import annotations

import io
from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.errors import Conflict, InvalidInput, NotFound, Refused
from app.extensions import db
from app.models import Account, Batch, Blob, Event, HandoverEntry, Message
from app.models.base import now
from app.permissions import roles
from app.services import handover
from app.services.storage import sweep_files
from app.services.unit_of_work import unit_of_work
from app.workflow.calendar import local_date
from tests.at_once import refusals, together
from tests.factories import find, make_account, make_batch, perform
from tests.factories_files import pdf_bytes
from tests.factories_workflow import Walk, begun

sqlite_only = pytest.mark.parametrize("database", ["sqlite"])
LETTER = pdf_bytes()


@pytest.fixture
def walks(context: Flask, monkeypatch: pytest.MonkeyPatch) -> list[Walk]:
    """Two declarations of one batch that wait for the district's letter."""
    first = begun(monkeypatch, "subsidy", "subsidy", "submit")
    found = [first]
    second = Walk(first.workflow, first.route, dict(first.people), try_strangers=False)
    second.people["enterprise"], second.batch_id = make_account(roles.ENTERPRISE).id, first.batch_id
    second.start()
    second.go("submit")
    found.append(second)
    for each in found:
        perform(each.person("district"), each.declaration, "confirm")
    return found


def district(walks: list[Walk]) -> Account:
    return walks[0].person("district")


def versions(walks: list[Walk]) -> dict[str, int]:
    return {w.public_id: w.declaration.version for w in walks}


def gathered(walks: list[Walk]) -> str:
    return handover.gather(district(walks), walks[0].batch_id, versions(walks))


def with_letter(walks: list[Walk]) -> str:
    public_id = gathered(walks)
    handover.put_letter(district(walks), public_id, io.BytesIO(LETTER), "推荐函.pdf")
    return public_id


def send(walks: list[Walk], public_id: str, doc_no: str = "平工信呈〔2026〕1号", days_ago: int = 0) -> None:
    version = handover.load(district(walks), public_id)[0].version
    dated = local_date(now()) - timedelta(days=days_ago)
    handover.hand_over(district(walks), public_id, doc_no, dated, version=version)


def places(walks: list[Walk]) -> list[str | None]:
    return [w.declaration.step_key for w in walks]


def batch_of(walks: list[Walk]) -> Batch:
    return walks[0].declaration.batch


# -- gathering --------------------------------------------------------------------------------------------------------


def test_what_waits_is_gathered_and_then_waits_no_more(walks: list[Walk]) -> None:
    assert [d.public_id for d in handover.waiting(district(walks), batch_of(walks))] == [w.public_id for w in walks]
    public_id = gathered(walks)
    assert handover.waiting(district(walks), batch_of(walks)) == []
    found, entries = handover.load(district(walks), public_id)
    assert (found.state, found.region_code, found.step_key) == ("open", "230108", "handover")
    assert [(e.position, e.serial_no) for e in entries] == [
        (n, w.declaration.serial_no) for n, w in enumerate(walks, 1)
    ]  # fmt: skip
    event = db.session.scalars(select(Event).where(Event.action == "handover_gather")).one()
    assert (event.subject, event.data) == (f"handover:{public_id}", {"count": 2})
    assert places(walks) == ["handover", "handover"], "gathering moves nothing"


def test_a_second_letter_takes_only_what_is_free(walks: list[Walk]) -> None:
    first = handover.gather(district(walks), walks[0].batch_id, versions(walks[:1]))
    with pytest.raises(Conflict, match="已经列入另一份行文推荐"):
        gathered(walks)
    handover.gather(district(walks), walks[0].batch_id, versions(walks[1:]), handover_id=first)
    assert [e.position for e in handover.load(district(walks), first)[1]] == [1, 2]


@sqlite_only
def test_taken_out_it_waits_again(walks: list[Walk]) -> None:
    public_id = gathered(walks)
    handover.take_out(district(walks), public_id, walks[0].public_id)
    assert [d.public_id for d in handover.waiting(district(walks), batch_of(walks))] == [walks[0].public_id]
    with pytest.raises(NotFound, match="不在这份行文推荐里"):
        handover.take_out(district(walks), public_id, walks[0].public_id)
    assert places(walks) == ["handover", "handover"]


def test_sent_back_for_review_it_leaves_the_list(walks: list[Walk]) -> None:
    public_id = gathered(walks)
    moved = perform(district(walks), walks[0].declaration, "send_back", "缺一份合同。")
    assert (moved.step_key, moved.holder_role, moved.holder_region) == ("district_review", "district", "230108")
    assert [e.declaration_id for e in handover.load(district(walks), public_id)[1]] == [walks[1].declaration.id]
    with pytest.raises(InvalidInput, match="请写明退回审核的理由"):
        perform(district(walks), walks[1].declaration, "send_back")


@sqlite_only
def test_stale_foreign_and_moved_ones_stop_all_of_it(walks: list[Walk]) -> None:
    stale = versions(walks) | {walks[0].public_id: walks[0].declaration.version - 1}
    with pytest.raises(Conflict):
        handover.gather(district(walks), walks[0].batch_id, stale)
    with pytest.raises(NotFound):
        handover.gather(district(walks), make_batch("subsidy").public_id, versions(walks))
    perform(district(walks), walks[0].declaration, "send_back", "再看看。")
    with pytest.raises(Conflict, match="不在“行文推荐”这一步"):
        gathered(walks)
    with pytest.raises(InvalidInput, match="请至少选一家企业"):
        handover.gather(district(walks), walks[0].batch_id, {})
    assert db.session.scalar(select(func.count()).select_from(HandoverEntry)) == 0


@sqlite_only
@pytest.mark.parametrize(("name", "error"), [("far_district", Refused), ("city", Refused), ("far_city", NotFound)])
def test_only_the_own_office_gathers(walks: list[Walk], name: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        handover.gather(walks[0].person(name), walks[0].batch_id, versions(walks))


@sqlite_only
@pytest.mark.parametrize("name", ["far_district", "city", "province", "enterprise", "expert", "admin"])
def test_an_open_list_is_nobody_elses_business(walks: list[Walk], name: str) -> None:
    public_id, stranger = gathered(walks), walks[0].people[name]

    def who() -> Account:
        return db.session.get_one(Account, stranger)

    for attempt in (
        lambda: handover.load(who(), public_id),
        lambda: handover.take_out(who(), public_id, walks[0].public_id),
        lambda: handover.put_letter(who(), public_id, io.BytesIO(LETTER), "推荐函.pdf"),
        lambda: handover.hand_over(who(), public_id, "一号", date(2026, 1, 1), version=1),
    ):
        with pytest.raises(NotFound):
            attempt()


# -- the letter and sending -------------------------------------------------------------------------------------------


def test_all_of_it_goes_at_once(walks: list[Walk]) -> None:
    finance = make_account(roles.FINANCE, region="230108").id
    public_id = with_letter(walks)
    send(walks, public_id)
    assert [(w.declaration.step_key, w.declaration.holder_role) for w in walks] == [("acceptance", "city")] * 2
    found, entries = handover.load(district(walks), public_id)
    assert (found.state, found.doc_no, found.sent_by) == ("sent", "平工信呈〔2026〕1号", walks[0].people["district"])
    assert found.digest == handover.digest_of(found, entries)
    copy = db.session.scalars(select(Message).where(Message.account_id == finance)).one()
    assert copy.title == "抄送：行文推荐 平工信呈〔2026〕1号" and "推荐 2 家企业" in copy.body
    for name in ("city", "province", "admin"):
        assert handover.load(walks[0].person(name), public_id)[0].id == found.id
    for name in ("far_district", "far_city", "enterprise", "expert"):
        with pytest.raises(NotFound):
            handover.load(walks[0].person(name), public_id)


def test_the_digest_covers_letter_and_list(walks: list[Walk]) -> None:
    public_id = with_letter(walks)
    send(walks, public_id)
    found, entries = handover.load(district(walks), public_id)
    kept = found.digest
    for change in ({"doc_no": "二号"}, {"dated": date(2020, 1, 1)}, {"letter_sha256": "0" * 64}):
        before = {k: getattr(found, k) for k in change}
        for key, value in change.items():
            setattr(found, key, value)
        assert handover.digest_of(found, entries) != kept
        for key, value in before.items():
            setattr(found, key, value)
    assert handover.digest_of(found, entries[:1]) != kept
    assert handover.digest_of(found, entries) == kept
    db.session.rollback()


@sqlite_only
def test_what_is_missing_is_told_by_field(walks: list[Walk]) -> None:
    public_id = gathered(walks)
    for each in walks:
        handover.take_out(district(walks), public_id, each.public_id)
    with pytest.raises(InvalidInput) as refused:
        send(walks, public_id, doc_no=" ", days_ago=-1)
    assert set(refused.value.fields) == {"chosen", "letter", "doc_no", "dated"}
    with pytest.raises(InvalidInput) as refused:
        send(walks, public_id, doc_no="长" * 61)
    assert "文号，最多 60 个字" in refused.value.fields["doc_no"]
    assert places(walks) == ["handover", "handover"]


@sqlite_only
def test_nothing_goes_without_the_letter(walks: list[Walk]) -> None:
    with pytest.raises(InvalidInput, match="还没有上传盖章的推荐文件"):
        perform(district(walks), walks[0].declaration, "recommend")
    with pytest.raises(InvalidInput, match="还没有上传盖章的推荐文件"):
        send(walks, gathered(walks))
    assert places(walks) == ["handover", "handover"]


@sqlite_only
@pytest.mark.parametrize(
    ("name", "content"), [("推荐函.docx", LETTER), ("推荐函.pdf", b"not a pdf"), ("推荐函.pdf", b"")]
)
def test_the_letter_is_a_readable_pdf(walks: list[Walk], name: str, content: bytes) -> None:
    public_id = gathered(walks)
    with pytest.raises(InvalidInput):
        handover.put_letter(district(walks), public_id, io.BytesIO(content), name)
    assert handover.load(district(walks), public_id)[0].letter_sha256 is None
    with pytest.raises(NotFound, match="还没有上传推荐文件"):
        handover.open_letter(district(walks), public_id)


@sqlite_only
def test_the_letter_stays_in_the_store(walks: list[Walk]) -> None:
    public_id = with_letter(walks)
    with unit_of_work() as session:
        for blob in session.scalars(select(Blob)):
            blob.created_at = now() - timedelta(days=30)
    sweep_files()
    name, stream = handover.open_letter(district(walks), public_id)
    assert (name, stream.read()) == ("推荐函.pdf", LETTER)


@sqlite_only
def test_what_was_sent_is_closed(walks: list[Walk]) -> None:
    public_id = with_letter(walks)
    send(walks, public_id)
    user = walks[0].people["district"]

    def who() -> Account:
        return db.session.get_one(Account, user)

    for attempt in (
        lambda: send(walks, public_id),
        lambda: handover.take_out(who(), public_id, walks[0].public_id),
        lambda: handover.put_letter(who(), public_id, io.BytesIO(LETTER), "另一份.pdf"),
    ):
        with pytest.raises(Conflict, match="已经报出，不能再改"):
            attempt()


@sqlite_only
def test_a_list_that_changed_meanwhile_is_not_sent(walks: list[Walk]) -> None:
    public_id = with_letter(walks)
    seen = handover.load(district(walks), public_id)[0].version
    handover.take_out(district(walks), public_id, walks[1].public_id)
    with pytest.raises(Conflict, match="刚被别人改过"):
        handover.hand_over(district(walks), public_id, "一号", local_date(now()), version=seen)
    assert places(walks) == ["handover", "handover"]


def test_two_clerks_send_it_once(walks: list[Walk], context: Flask) -> None:
    public_id = with_letter(walks)
    version, clerk = handover.load(district(walks), public_id)[0].version, walks[0].people["district"]

    def work() -> None:
        user = db.session.get_one(Account, clerk)
        handover.hand_over(user, public_id, "一号", local_date(now()), version=version)

    db.session.rollback()
    assert [type(r) for r in refusals(together(context, [work, work]))] == [Conflict]
    assert places(walks) == ["acceptance", "acceptance"]
    assert db.session.scalar(select(func.count()).where(Event.action == "recommend")) == 2


@sqlite_only
def test_one_that_cannot_go_keeps_all_of_them(walks: list[Walk]) -> None:
    public_id = with_letter(walks)
    with unit_of_work() as session:
        declaration = session.get_one(type(walks[1].declaration), walks[1].declaration.id)
        declaration.region_code = "230102"
    with pytest.raises(NotFound):
        send(walks, public_id)
    assert places(walks) == ["handover", "handover"]
    assert handover.load(district(walks), public_id)[0].state == "open"
    assert find(walks[0].public_id).version == walks[0].declaration.version
