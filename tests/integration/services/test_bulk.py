"""Several declarations at once: each looked at, each done by itself, nothing twice and nothing in silence."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.errors import Conflict, InvalidInput, NotFound
from app.extensions import db
from app.models import Account, Assignment, Batch, BulkAct, Declaration, Event, Message
from app.models.base import new_public_id
from app.permissions import roles
from app.services import bulk, claim, review
from app.services.bulk import MOST, Order, Result
from app.services.claim import Wish
from tests import factories, factories_queue
from tests.at_once import apart, refusals, together
from tests.integration.services.test_todo import counted

WORDS = "请按批注修改后重新提交。"


@pytest.fixture
def city(context: Flask) -> Account:
    return factories.make_account(roles.CITY, display_name="张科员")


@pytest.fixture
def batch(context: Flask) -> Batch:
    return factories.make_batch()


def three(batch: Batch) -> list[Declaration]:
    return [factories.submitted(batch=batch, seed=n) for n in (1, 2, 3)]


def chosen(declarations: Sequence[Declaration]) -> dict[str, int]:
    return {d.public_id: d.version for d in declarations}


def order(action: str, declarations: Sequence[Declaration], **more: Any) -> Order:
    ticked = [key for d in declarations for key in factories.checks_of(d)]
    return Order(action, chosen(declarations), **({"key": new_public_id(), "checks": ticked} | more))


def results(user: Account, wanted: Order) -> list[Result]:
    bulk.carry_out(user, wanted)
    db.session.rollback()
    action, found = bulk.result_of(user, wanted.key)
    assert action == wanted.action
    return found


def test_all_are_confirmed_with_the_same_words(city: Account, batch: Batch) -> None:
    found = three(batch)
    done = results(city, order("confirm", found, words="材料齐全，同意。"))
    assert [(r.id, r.state, r.text) for r in done] == [(d.public_id, "done", "") for d in found]
    assert [r.serial for r in done] == [d.serial_no for d in found]
    assert {factories.find(d.public_id).step_key for d in found} == {"stamping"}
    words = select(Event.opinion).where(Event.action == "confirm")
    assert list(db.session.scalars(words)) == ["材料齐全，同意。"] * 3


def test_points_of_the_checklist_are_ticked_for_all(city: Account, batch: Batch) -> None:
    found = three(batch)
    points = bulk.points_to_tick(bulk.preview(city, "confirm", chosen(found)))
    assert [p.key for p in points] == factories.checks_of(found[0]) and points
    done = results(city, order("confirm", found, checks=[points[0].key]))
    assert {r.state for r in done} == {"refused"} and all(points[1].label in r.text for r in done)
    assert results(city, order("confirm", found))[0].state == "done"
    noted = db.session.scalars(select(Event).where(Event.action == "confirm")).first()
    assert noted is not None and noted.data["checks"] == [p.label for p in points]


def test_a_stale_row_is_refused_and_the_others_go_through(city: Account, batch: Batch) -> None:
    first, stale, last = three(batch)
    wanted = order("confirm", (first, stale, last))
    factories.perform(factories.make_account(roles.CITY, display_name="陈立"), stale, "return", "请改。")
    done = results(city, wanted)
    assert [r.state for r in done] == ["done", "late", "done"]
    assert "陈立作了“退回修改”。" in done[1].text
    assert factories.find(stale.public_id).status == "returned"


def test_a_row_that_a_colleague_has_is_refused_with_the_reason(city: Account, batch: Batch) -> None:
    mate = factories.make_account(roles.CITY, display_name="李科员")
    one, two, _three = three(batch)
    claim.carry_out(mate, one.public_id, "claim", Wish(one.version))
    rows = [factories.find(one.public_id), two]
    lines = bulk.preview(city, "confirm", chosen(rows))
    assert "由李科员" in lines[0].reasons[0] and lines[1].reasons == ()
    done = results(city, order("confirm", rows))
    assert [r.state for r in done] == ["refused", "done"] and "由李科员" in done[0].text


def test_the_preview_says_why_not(city: Account, batch: Batch) -> None:
    remarked, moved, stale = three(batch)
    seen = chosen([stale])
    review.remark(city, remarked.public_id, "profit", "请核对。")
    factories.perform(city, moved, "confirm")
    factories.perform(city, stale, "return", "请改。")
    rows = chosen([factories.find(remarked.public_id), factories.find(moved.public_id)]) | seen
    unknown = new_public_id()
    lines = bulk.preview(city, "confirm", rows | {unknown: 1})
    assert [line.id for line in lines] == [*rows, unknown]
    assert "还有 1 条批注没有处理" in lines[0].reasons[0]
    assert lines[1].reasons == ("这一步不能这样办。",) and lines[1].place == "提交盖章材料"
    assert lines[2].reasons[0].endswith("张科员作了“退回修改”。打开列表以后又被办过，请从列表重新选。")
    assert "没有找到" in lines[3].reasons[0] and lines[3].name == "—"
    assert lines[0].name == remarked.enterprise_name and lines[0].serial == remarked.serial_no
    assert db.session.scalar(select(func.count()).select_from(BulkAct)) == 0


def test_what_the_preview_forbids_is_refused_when_it_is_sent_all_the_same(city: Account, batch: Batch) -> None:
    remarked, good, _third = three(batch)
    review.remark(city, remarked.public_id, "profit", "请核对。")
    done = results(city, order("confirm", (factories.find(remarked.public_id), good)))
    assert [r.state for r in done] == ["refused", "done"] and "还有 1 条批注" in done[0].text


def test_another_office_finds_nothing(batch: Batch) -> None:
    found = three(batch)
    stranger = factories.make_account(roles.CITY, region="350200")
    assert all("没有找到" in line.reasons[0] for line in bulk.preview(stranger, "confirm", chosen(found)))
    done = results(stranger, order("confirm", found))
    assert [(r.state, r.name) for r in done] == [("refused", "—")] * 3
    assert {factories.find(d.public_id).version for d in found} == {d.version for d in found}


def test_the_district_may_look_but_not_decide(batch: Batch) -> None:
    found = three(batch)
    district = factories.make_account(roles.DISTRICT)
    assert {line.reasons for line in bulk.preview(district, "confirm", chosen(found))} == {("现在不归您办。",)}
    assert {line.reasons for line in bulk.preview(district, "claim", chosen(found))} == {("现在不归您的单位办理。",)}
    assert {r.state for r in results(district, order("claim", found))} == {"refused"}


def test_the_same_form_twice_does_nothing_twice(city: Account, batch: Batch) -> None:
    found = three(batch)
    wanted = order("return", found, words=WORDS)
    first = results(city, wanted)
    factories.perform(db.session.scalars(select(Account).where(Account.enterprise_id == found[0].enterprise_id)).one(),
                      found[0], "resubmit")  # fmt: skip
    assert results(city, wanted) == first
    count = select(func.count()).where(Event.action == "return")
    assert db.session.scalar(count) == 3 and factories.find(found[0].public_id).status == "in_progress"


def test_an_act_that_broke_off_goes_on_where_it_was(
    city: Account, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = three(batch)
    wanted = order("confirm", found)
    decide, calls = review.decide, iter(range(9))

    def breaks(*args: Any, **more: Any) -> Any:
        if next(calls) == 2:
            raise MemoryError
        return decide(*args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(review, "decide", breaks)
        with suppress(MemoryError):
            bulk.carry_out(city, wanted)
    db.session.rollback()
    assert [factories.find(d.public_id).step_key for d in found] == ["stamping", "stamping", "preliminary_review"]
    assert [r.state for r in results(city, wanted)] == ["done"] * 3
    assert db.session.scalar(select(func.count()).where(Event.action == "confirm")) == 3


def test_a_double_click_is_one_act(context: Flask, city: Account, batch: Batch) -> None:
    wanted = order("confirm", three(batch))
    clerk = apart(city)

    def send() -> list[Any]:
        return bulk.carry_out(clerk, wanted).results

    answers = together(context, [send, send])
    assert refusals(answers) == [] and answers[0] == answers[1]
    assert [r["state"] for r in answers[0]] == ["done"] * 3
    assert db.session.scalar(select(func.count()).where(Event.action == "confirm")) == 3


def test_a_key_belongs_to_one_person(city: Account, batch: Batch) -> None:
    wanted = order("confirm", three(batch))
    bulk.carry_out(city, wanted)
    db.session.rollback()
    mate = factories.make_account(roles.CITY)
    with pytest.raises(Conflict, match="已经用过"):
        bulk.carry_out(mate, wanted)
    with pytest.raises(NotFound):
        bulk.result_of(mate, wanted.key)
    with pytest.raises(NotFound):
        bulk.result_of(city, new_public_id())


def test_claiming_and_handing_over(city: Account, batch: Batch) -> None:
    mate = factories.make_account(roles.CITY)
    found = three(batch)
    assert {r.state for r in results(city, order("claim", found))} == {"done"}
    now = [factories.find(d.public_id) for d in found]
    assert {d.claimed_by for d in now} == {city.id}
    assert bulk.preview(city, "claim", chosen(now))[0].reasons == ("您已经认领了。",)
    done = results(city, order("hand_over", now, colleague=mate.id, words="请接着办。"))
    assert {r.state for r in done} == {"done"}
    assert {factories.find(d.public_id).claimed_by for d in found} == {mate.id}
    assert db.session.scalar(select(func.count()).where(Message.account_id == mate.id)) == 3


def test_experts_are_asked_for_all(city: Account) -> None:
    round_ = factories.make_batch(parameters={"expert_step": True})
    waiting = []
    for seed in (1, 2):
        owner = factories.make_account(roles.ENTERPRISE)
        declaration = factories.submitted(owner, round_, seed=seed)
        factories.perform(city, declaration, "confirm")
        factories.attach(declaration, "stamped_material")
        factories.perform(owner, declaration, "stamp")
        waiting.append(factories.perform(city, declaration, "confirm"))
    expert = factories.make_account(roles.EXPERT)
    assert [line.reasons for line in bulk.preview(city, "assign", chosen(waiting))] == [(), ()]
    assert expert.id in [e.id for e in bulk.experts_to_ask()]
    done = results(city, order("assign", waiting, experts=[expert.id]))
    assert {r.state for r in done} == {"done"}
    given = select(func.count()).where(Assignment.expert_id == expert.id)
    assert db.session.scalar(given) == 2
    assert {factories.find(d.public_id).holder_role for d in waiting} == {roles.EXPERT}


@pytest.mark.parametrize(
    ("action", "more", "field"),
    [
        ("return", {}, "opinion"),
        ("return", {"words": " \n "}, "opinion"),
        ("confirm", {"words": "长" * 1001}, "opinion"),
        ("hand_over", {"words": "长" * 201, "colleague": 1}, "opinion"),
        ("hand_over", {}, "colleague"),
        ("assign", {}, "experts"),
        ("void", {}, "action"),
        ("", {}, "action"),
    ],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_incomplete_form_does_nothing(
    city: Account, batch: Batch, action: str, more: dict[str, Any], field: str
) -> None:
    found = factories.submitted(batch=batch)
    with pytest.raises(InvalidInput) as refused:
        bulk.carry_out(city, order(action, [found], **more))
    assert set(refused.value.fields) == {field} and "请" in refused.value.message
    assert factories.find(found.public_id).version == found.version


@pytest.mark.parametrize(("count", "sentence"), [(0, "还没有选申报"), (MOST + 1, f"一次最多办 {MOST} 件")])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_none_or_too_many(city: Account, count: int, sentence: str) -> None:
    rows = {new_public_id(): 1 for _n in range(count)}
    with pytest.raises(InvalidInput, match=sentence):
        bulk.preview(city, "claim", rows)
    with pytest.raises(InvalidInput, match=sentence):
        bulk.carry_out(city, Order("claim", rows, new_public_id()))


@pytest.mark.parametrize("action", ["claim", "confirm", "assign"])
def test_the_preview_of_two_hundred_costs_what_that_of_ten_does(city: Account, batch: Batch, action: str) -> None:
    batch_id, mate = batch.id, factories.make_account(roles.CITY).id
    clerk = city.id
    factories_queue.fill_queue(MOST, [batch], [city, db.session.get_one(Account, mate)])
    counts = []
    for size in (10, MOST):
        db.session.rollback()
        db.session.expunge_all()
        rows = list(db.session.scalars(select(Declaration).where(Declaration.batch_id == batch_id).limit(size)))
        wanted = chosen(rows)
        db.session.expunge_all()
        user = db.session.get_one(Account, clerk)
        assert user.role_names and len(wanted) == size
        with counted() as statements:
            lines = bulk.preview(user, action, wanted)
        assert len(lines) == size
        counts.append(len(statements))
    # One more where a colleague is at work on any of them: the names are looked up.
    assert counts[1] - counts[0] in (0, 1) and counts[1] <= 10
