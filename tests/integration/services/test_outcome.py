"""Outcomes after they were given: renewal, expiry, revocation with its ban, correction; what each leaves behind."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.errors import Conflict, DomainError, InvalidInput, NotFound, Refused
from app.extensions import db
from app.models import Account, Declaration, Event, Message, Recognition
from app.models.base import now
from app.services import holding, outcome
from app.services.answers import save_answers
from app.services.declaration import start_declaration
from app.services.facts import enterprise_facts
from app.services.outcome import Correction
from app.services.unit_of_work import unit_of_work
from app.workflow.calendar import local_date
from app.workflow.engine import event_digest
from tests.at_once import refusals, together
from tests.factories import find, make_batch, perform
from tests.factories_workflow import Walk, begun, run_out_in

sqlite_only = pytest.mark.parametrize("database", ["sqlite"])
ANNOUNCED = "submit recommend approve publish announce"


@pytest.fixture
def walk(context: Flask, monkeypatch: pytest.MonkeyPatch) -> Walk:
    """A recognised enterprise."""
    return begun(monkeypatch, "recognition", "innovative_sme", ANNOUNCED)


def given(walk: Walk) -> Recognition:
    found = walk.recognition
    assert found is not None
    return found


def today() -> date:
    return local_date(now())


def draft(walk: Walk, key: str) -> Declaration:
    """A filled draft of another programme by the same enterprise."""
    public_id = start_declaration(walk.owner, make_batch(key).public_id)
    save_answers(walk.owner, public_id, {"contact_name": "王敏"})
    return find(public_id)


def renewing(walk: Walk) -> Declaration:
    """A submitted re-review."""
    run_out_in(walk, 100)
    perform(walk.owner, draft(walk, "information_update"), "submit")
    return perform(walk.owner, draft(walk, "re_review"), "submit")


def outcome_events() -> list[tuple[str, str, str | None]]:
    found = db.session.scalars(select(Event).where(Event.action.in_(outcome.MESSAGES)).order_by(Event.id))
    return [(e.action, e.actor_role, e.opinion) for e in found]


# -- renewal ----------------------------------------------------------------------------------------------------------


def test_a_renewal_is_refused_until_everything_is_there(walk: Walk) -> None:
    waiting = draft(walk, "re_review")
    with pytest.raises(InvalidInput) as refused:
        perform(walk.owner, waiting, "submit")
    assert "起才能申请复核" in str(refused.value) and "信息更新还没有提交" in str(refused.value)
    run_out_in(walk, 180)
    with pytest.raises(InvalidInput, match="今年的信息更新还没有提交"):
        perform(walk.owner, waiting, "submit")
    perform(walk.owner, draft(walk, "information_update"), "submit")
    sent = perform(walk.owner, waiting, "submit")
    assert (given(walk).state, given(walk).review_id) == ("under_review", sent.id)


def test_a_renewed_one_joins_on_its_last_day(walk: Walk) -> None:
    sent = renewing(walk)
    before = given(walk).valid_to
    perform(walk.person("province"), sent, "confirm", "符合。")
    after = given(walk)
    assert (after.state, after.review_id, after.told_on) == ("valid", None, None)
    assert (after.valid_to - before).days in (1095, 1096)
    assert db.session.scalar(select(func.count()).select_from(Recognition)) == 1, "a renewal gives nothing new"
    assert outcome_events() == [("apply_review", "enterprise", None), ("review_pass", "province", "符合。")]


def test_a_failed_review_ends_it(walk: Walk) -> None:
    perform(walk.person("province"), renewing(walk), "reject", "营业收入不达标。")
    assert (given(walk).state, given(walk).reason) == ("expired", "营业收入不达标。")
    assert outcome_events()[-1] == ("review_fail", "province", "营业收入不达标。")


@sqlite_only
@pytest.mark.parametrize("action", ["withdraw", "recall"])
def test_taken_back_it_is_valid_as_before(walk: Walk, action: str) -> None:
    sent = renewing(walk)
    perform(walk.owner, sent, action)
    assert (given(walk).state, given(walk).review_id) == ("valid", None)
    if action == "recall":
        perform(walk.owner, sent, "submit")
        assert given(walk).state == "under_review"


@sqlite_only
def test_returned_it_stays_under_review(walk: Walk) -> None:
    sent = perform(walk.person("province"), renewing(walk), "return", "补充材料。")
    assert (sent.status, given(walk).state) == ("returned", "under_review")
    perform(walk.owner, sent, "resubmit")
    assert given(walk).review_id == sent.id


@sqlite_only
def test_two_renewals_at_once_are_one_too_many(walk: Walk) -> None:
    renewing(walk)
    second = draft(walk, "re_review")
    with pytest.raises(InvalidInput, match="已在复核，不用再申请"):
        perform(walk.owner, second, "submit")


@sqlite_only
def test_a_revocation_during_the_review_stands(walk: Walk) -> None:
    sent = renewing(walk)
    outcome.revoke(walk.person("province"), given(walk).id, "造假。", version=given(walk).version)
    perform(walk.person("province"), sent, "confirm")
    assert given(walk).state == "revoked"
    assert db.session.scalar(select(func.count()).select_from(Recognition)) == 1


@sqlite_only
def test_without_a_recognition_there_is_nothing_to_update(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome.revoke(walk.person("province"), given(walk).id, "造假。", version=given(walk).version)
    for key in ("information_update", "re_review"):
        with pytest.raises(InvalidInput, match="没有有效的认定"):
            perform(walk.owner, draft(walk, key), "submit")


@sqlite_only
def test_an_update_counts_in_its_own_year(walk: Walk) -> None:
    enterprise, year = walk.owner.enterprise_id, today().year
    assert enterprise is not None
    assert not holding.was_updated(db.session(), enterprise, "information_update", year)
    done = perform(walk.owner, draft(walk, "information_update"), "submit")
    assert holding.was_updated(db.session(), enterprise, "information_update", year)
    assert not holding.was_updated(db.session(), enterprise, "information_update", year - 1)
    assert (done.status, done.holder_role) == ("approved", None)
    title = db.session.scalars(select(Message.title).order_by(Message.id.desc())).first()
    assert title is not None and title.startswith("信息更新已提交，受理号 ")


# -- revocation and ban -----------------------------------------------------------------------------------------------


def test_a_revocation_bans_for_three_years(walk: Walk) -> None:
    done = outcome.revoke(walk.person("province"), given(walk).id, "提供虚假材料。", version=given(walk).version)
    until = done.banned_until
    assert until is not None and (until + timedelta(days=1)).year == today().year + 3
    again = start_declaration(walk.owner, make_batch("innovative_sme").public_id)
    save_answers(walk.owner, again, {"contact_name": "王敏"})
    words = f"{until.year} 年 {until.month} 月 {until.day} 日以前不能再申报这一项"
    with pytest.raises(InvalidInput, match=words):
        perform(walk.owner, find(again), "submit")
    with unit_of_work() as session:
        session.get_one(Recognition, done.id).banned_until = today() - timedelta(days=1)
    assert perform(walk.owner, find(again), "submit").status == "in_progress"


@sqlite_only
@pytest.mark.parametrize("name", ["city", "district", "ministry", "finance", "admin"])
def test_only_the_office_that_gave_it_takes_it_away(walk: Walk, name: str) -> None:
    with pytest.raises(Refused, match="省级主管部门"):
        outcome.revoke(walk.person(name), given(walk).id, "理由。", version=given(walk).version)
    assert given(walk).state == "valid"


@sqlite_only
@pytest.mark.parametrize("name", ["rival", "far_city", "far_district", "expert"])
def test_strangers_do_not_find_it(walk: Walk, name: str) -> None:
    with pytest.raises(NotFound):
        outcome.revoke(walk.person(name), given(walk).id, "理由。", version=given(walk).version)
    assert outcome.recognitions_of(walk.person(name)) == []


@sqlite_only
def test_the_enterprise_sees_it_and_cannot_touch_it(walk: Walk) -> None:
    assert [r.id for r in outcome.recognitions_of(walk.owner)] == [given(walk).id]
    with pytest.raises(Refused):
        outcome.correct(walk.owner, given(walk).id, Correction(title="更好"), "理由", version=given(walk).version)


@sqlite_only
@pytest.mark.parametrize("reason", ["", "  ", "长" * 1001])
def test_a_revocation_wants_words(walk: Walk, reason: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        outcome.revoke(walk.person("province"), given(walk).id, reason, version=given(walk).version)
    assert set(refused.value.fields) == {"reason"}
    assert (given(walk).state, given(walk).banned_until) == ("valid", None)


def test_two_clerks_revoke_it_once(walk: Walk, context: Flask) -> None:
    key, version, clerk = given(walk).id, given(walk).version, walk.people["province"]

    def work() -> None:
        outcome.revoke(db.session.get_one(Account, clerk), key, "理由。", version=version)

    db.session.rollback()
    assert [type(r) for r in refusals(together(context, [work, work]))] == [Conflict]
    assert len([e for e in outcome_events() if e[0] == "revoke"]) == 1


@sqlite_only
def test_what_is_revoked_stays_revoked(walk: Walk) -> None:
    outcome.revoke(walk.person("province"), given(walk).id, "造假。", version=given(walk).version)
    with pytest.raises(Conflict, match="现在不能这样办"):
        outcome.revoke(walk.person("province"), given(walk).id, "再来。", version=given(walk).version)
    run_out_in(walk, -5)
    assert outcome.expire_due() == 0
    assert enterprise_facts(walk.owner.enterprise, db.session())["certificates"] == []


# -- correction -------------------------------------------------------------------------------------------------------


def test_a_correction_says_what_it_changed(walk: Walk) -> None:
    before = given(walk).valid_to
    wanted = Correction(certificate_no="黑创〔2026〕001", valid_to=before + timedelta(days=1))
    outcome.correct(walk.person("province"), given(walk).id, wanted, "证书编号漏填。", version=given(walk).version)
    after = given(walk)
    assert (after.state, after.certificate_no, after.valid_to) == (
        "valid",
        "黑创〔2026〕001",
        before + timedelta(days=1),
    )
    event = db.session.scalars(select(Event).where(Event.action == "correct")).one()
    assert event.data["certificate_no"] == [None, "黑创〔2026〕001"]
    assert event.data["valid_to"] == [before.isoformat(), after.valid_to.isoformat()]
    assert event.opinion == "证书编号漏填。"


@sqlite_only
@pytest.mark.parametrize(
    ("correction", "field"),
    [
        (Correction(title=" "), "title"),
        (Correction(title="长" * 101), "title"),
        (Correction(certificate_no="9" * 41), "certificate_no"),
        (Correction(valid_to=date(2000, 1, 1)), "valid_to"),
        (Correction(valid_from=date(2999, 1, 1)), "valid_to"),
    ],
)
def test_a_wrong_correction_names_its_field(walk: Walk, correction: Correction, field: str) -> None:
    before = given(walk).version
    with pytest.raises(InvalidInput) as refused:
        outcome.correct(walk.person("province"), given(walk).id, correction, "理由", version=before)
    assert set(refused.value.fields) == {field} and given(walk).version == before


@sqlite_only
def test_nothing_to_correct_is_no_correction(walk: Walk) -> None:
    for correction in (Correction(), Correction(title=given(walk).title)):
        with pytest.raises(InvalidInput, match="没有要更正的内容"):
            outcome.correct(walk.person("province"), given(walk).id, correction, "理由", version=given(walk).version)


@sqlite_only
def test_a_stale_page_changes_nothing(walk: Walk) -> None:
    with pytest.raises(Conflict, match="刚被别人改过"):
        outcome.revoke(walk.person("province"), given(walk).id, "理由", version=given(walk).version - 1)
    assert given(walk).state == "valid"


# -- time -------------------------------------------------------------------------------------------------------------


def test_the_day_after_the_last_one_it_expires_once(walk: Walk) -> None:
    run_out_in(walk, 0)
    assert outcome.expire_due() == 0, "the last day is valid to its end"
    run_out_in(walk, -1)
    assert (outcome.expire_due(), outcome.expire_due()) == (1, 0)
    assert given(walk).state == "expired"
    assert outcome_events() == [("expire", "system", None)]
    message = db.session.scalars(select(Message).where(Message.kind == "recognition_expiry")).one()
    assert message.account_id == walk.owner.id and message.title == "“优质中小企业”已到期"


@sqlite_only
def test_what_is_under_review_waits_for_its_decision(walk: Walk) -> None:
    sent = renewing(walk)
    run_out_in(walk, -1)
    assert outcome.expire_due() == 0
    perform(walk.person("province"), sent, "confirm")
    assert given(walk).state == "valid"


@sqlite_only
def test_the_end_is_told_once_before_it_comes(walk: Walk) -> None:
    run_out_in(walk, 91)
    assert outcome.remind_expiring() == 0
    run_out_in(walk, 90)
    assert (outcome.remind_expiring(), outcome.remind_expiring()) == (1, 0)
    message = db.session.scalars(select(Message).where(Message.kind == "recognition_expiry")).one()
    assert "在到期以前申请复核" in message.body


@sqlite_only
def test_the_trail_of_the_declaration_holds_its_outcome(walk: Walk) -> None:
    perform(walk.person("province"), renewing(walk), "confirm")
    outcome.revoke(walk.person("province"), given(walk).id, "造假。", version=given(walk).version)
    events = db.session.scalars(
        select(Event).where(Event.declaration_id == walk.declaration.id).order_by(Event.id)
    ).all()  # fmt: skip
    assert [e.action for e in events][-3:] == ["apply_review", "review_pass", "revoke"]
    previous = None
    for event in events:
        assert (event.previous, event.digest) == (previous, event_digest(event))
        previous = event.digest


# -- other kinds ------------------------------------------------------------------------------------------------------


@sqlite_only
def test_a_change_for_the_worse_takes_everything_away(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    walk = begun(monkeypatch, "major_change", "major_change", "submit")
    walk.hold_something()
    held = db.session.scalars(select(Recognition)).unique().one()
    assert held.state == "valid"
    walk.go("revoke")
    db.session.rollback()
    held = db.session.scalars(select(Recognition)).unique().one()
    assert (held.state, held.reason) == ("revoked", "理由写在这里。") and held.banned_until is not None


@sqlite_only
def test_a_change_for_the_better_updates_the_profile_and_no_more(
    context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk = begun(monkeypatch, "major_change", "major_change", "submit")
    before = walk.owner.enterprise.certified_at
    walk.go("approve")
    enterprise = walk.owner.enterprise
    assert (enterprise.contact_name, enterprise.certified_at) == ("王敏", before)
    assert db.session.scalar(select(func.count()).select_from(Recognition)) == 0


@sqlite_only
def test_a_draft_costs_nothing(walk: Walk) -> None:
    waiting = draft(walk, "re_review")
    with pytest.raises(DomainError):
        perform(walk.owner, waiting, "submit")
    perform(walk.owner, waiting, "discard")
    assert given(walk).state == "valid" and outcome_events() == []
