"""Every transition of every workflow, done by the right people through the services and refused to all others."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from app.errors import InvalidInput
from app.extensions import db
from app.models import Allocation, Event, HandoverEntry, Message, Recognition
from app.services.audit import verify
from app.workflow.outcomes import last_day
from tests.factories import perform
from tests.factories_workflow import _ALSO, HOLDERS, Walk, begun, install, people
from tests.workflow_page import page

# Workflow → (definition, parameters of the batch, actions in order) …; together they walk every line.
PATHS: dict[str, list[tuple[str, dict[str, object], str]]] = {
    "certification": [
        ("enterprise_certification", {}, "submit approve"),
        ("enterprise_certification", {}, "submit reject resubmit approve"),
    ],
    "pool_intake": [
        (
            "pool_intake",
            {"publicity_required": True},
            "submit return resubmit confirm upload_stamped stamp_return upload_stamped assign_experts all_scored publish "
            "raise_objection dismiss_objection publish_list",
        ),
        (
            "pool_intake",
            {"publicity_required": True},
            "submit confirm upload_stamped assign_experts all_scored publish raise_objection uphold_objection",
        ),
        (
            "pool_intake",
            {"publicity_required": False},
            "submit confirm upload_stamped assign_experts all_scored publish_list",
        ),
        ("pool_intake", {}, "submit confirm upload_stamped assign_experts all_scored reject"),
        ("pool_intake", {}, "submit reject"),
        ("pool_intake", {}, "discard"),
        ("pool_intake", {}, "submit withdraw"),
        ("pool_intake", {}, "submit return withdraw"),
    ],
    "recognition": [
        (
            "innovative_sme",
            {},
            "submit return resubmit recommend return resubmit_city approve return resubmit_province publish raise_objection "
            "dismiss_objection announce apply_review review_pass revoke",
        ),
        ("innovative_sme", {}, "submit recommend approve publish raise_objection uphold_objection"),
        ("innovative_sme", {}, "submit recommend approve publish announce expire"),
        ("innovative_sme", {}, "submit recommend approve publish announce apply_review review_fail"),
        ("srdi_sme", {}, "submit recommend approve assign_experts all_scored_srdi"),
        ("little_giant", {}, "submit recommend approve assign_experts recommend_ministry ministry_publish"),
        ("little_giant", {}, "submit recommend approve assign_experts recommend_ministry reject"),
        ("innovative_sme", {}, "submit reject"),
        ("innovative_sme", {}, "submit recommend reject"),
        ("innovative_sme", {}, "submit recommend approve reject"),
        ("innovative_sme", {}, "discard"),
        ("innovative_sme", {}, "submit withdraw"),
        ("innovative_sme", {}, "submit return withdraw"),
    ],
    "pilot": [
        (
            "pilot",
            {},
            "confirm submit return resubmit recommend return resubmit_city assign_experts all_scored raise_objection "
            "dismiss_objection publish_list apply_acceptance accept",
        ),
        ("pilot", {}, "confirm submit recommend assign_experts all_scored publish_list apply_acceptance fail"),
        ("pilot", {}, "confirm submit recommend assign_experts all_scored raise_objection uphold_objection"),
        ("pilot", {}, "confirm submit recommend reject"),
        ("pilot", {}, "confirm submit reject"),
        ("pilot", {}, "cancel"),
        ("pilot", {}, "confirm discard"),
        ("pilot", {}, "confirm submit withdraw"),
        ("pilot", {}, "confirm submit return withdraw"),
    ],
    "subsidy": [
        (
            "subsidy",
            {},
            "submit return resubmit recommend accept return resubmit_city assign_experts all_scored publish raise_objection "
            "dismiss_objection publicity_passed allocate",
        ),
        ("subsidy", {}, "submit recommend accept assign_experts all_scored publish publicity_passed disapprove"),
        ("subsidy", {}, "submit recommend accept assign_experts all_scored publish raise_objection uphold_objection"),
        ("subsidy", {}, "submit recommend accept assign_experts all_scored reject"),
        ("subsidy", {}, "submit reject"),
        ("subsidy", {}, "discard"),
        ("subsidy", {}, "submit withdraw"),
        ("subsidy", {}, "submit return withdraw"),
    ],
    "major_change": [
        ("major_change", {}, "submit return resubmit approve"),
        ("major_change", {}, "submit revoke"),
        ("major_change", {}, "delete"),
    ],
    "information_update": [
        ("information_update", {}, "start submit"),
        ("information_update", {}, "start close"),
        ("information_update", {}, "close"),
    ],
}


@pytest.mark.parametrize("key", PATHS)
def test_every_transition_is_walked(context: Flask, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    # The renewal and the update belong to the recognition; a change needs one to lose.
    install(monkeypatch, *{route for route, _parameters, _actions in PATHS[key]}, *HOLDERS)
    workflow, everybody = page()[key], people()
    walked: set[tuple[str, str, str]] = set()
    tried: set[tuple[str | None, str]] = set()
    for route, parameters, actions in PATHS[key]:
        walk = Walk(workflow, route, everybody, parameters, walked, tried)
        walk.begin()
        if key == "major_change":
            walk.hold_something()
        for action in actions.split():
            walk.go(action)
    assert {t.name for t in workflow.transitions} - walked == set()
    count, problems = verify(context.config["DATA_DIR"])
    assert count and problems == []


def test_every_condition_of_the_page_is_known() -> None:
    told = {p.also for w in page().values() for p in w.places}
    assert {a for a in told if not a.startswith("outcome ")} <= set(_ALSO)


# -- what the walks leave behind --------------------------------------------------------------------------------------


def test_a_certificate_is_valid_for_three_years_and_three_more(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    walk = begun(monkeypatch, "recognition", "innovative_sme", "submit recommend approve publish announce")
    given = walk.recognition
    assert given is not None and given.valid_to is not None
    assert (given.level, given.valid_to) == ("province", last_day(given.valid_from, 3))
    walk.go("apply_review")
    before = walk.recognition.valid_to
    walk.go("review_pass")
    after = walk.recognition.valid_to
    assert after.replace(year=after.year - 3) == before or (before.month, before.day) == (2, 29)
    titles = {m.title for m in db.session.scalars(select(Message).where(Message.account_id == walk.owner.id))}
    assert {"“优质中小企业”已申请复核", "“优质中小企业”复核通过"} <= titles


def test_a_revocation_keeps_the_enterprise_out_for_three_years(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    walk = begun(monkeypatch, "recognition", "innovative_sme", "submit recommend approve publish announce revoke")
    given = walk.recognition
    until = given.banned_until
    event = db.session.scalars(select(Event).where(Event.action == "revoke")).one()
    assert (event.actor_role, event.opinion, event.data["outcome"]) == (
        "province",
        "提供虚假材料。",
        ["valid", "revoked"],
    )
    message = db.session.scalars(select(Message).where(Message.kind == "recognition_cancelled")).one()
    assert message.account_id == walk.owner.id and "提供虚假材料。" in message.body
    walk.batch_id = walk._batch().public_id
    walk.start()
    with pytest.raises(InvalidInput, match=f"{until.year} 年 {until.month} 月 {until.day} 日以前不能再申报"):
        walk.go("submit")
    assert walk.state == "draft"


def test_the_city_takes_the_provinces_steps(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """计划单列市: the same route, with the province's part done by the city's bureau."""
    walk = begun(monkeypatch, "recognition", "srdi_sme", "submit recommend approve", city_takes_province=True)
    assert (walk.declaration.step_key, walk.declaration.holder_role) == ("province_review", "city")
    assert walk.declaration.holder_region == "230100"
    moved = perform(walk.person("city"), walk.declaration, "confirm")
    assert (moved.step_key, moved.holder_role) == ("expert_review", "city")


def test_the_letter_is_named_by_every_event_it_moved(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    walk = begun(monkeypatch, "subsidy", "subsidy", "submit recommend")
    entry = db.session.scalars(select(HandoverEntry)).unique().one()
    event = db.session.scalars(select(Event).where(Event.action == "recommend")).one()
    assert event.data == {"handover": entry.handover.public_id, "doc_no": "平工信呈〔2026〕1号"}
    assert entry.handover.state == "sent" and len(entry.handover.digest or "") == 64
    assert (entry.declaration_id, entry.serial_no) == (walk.declaration.id, walk.declaration.serial_no)


def test_funds_are_exact(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    walk = begun(
        monkeypatch, "subsidy", "subsidy",
        "submit recommend accept assign_experts all_scored publish publicity_passed allocate",
    )  # fmt: skip
    found = db.session.scalars(select(Allocation)).unique().one()
    assert (f"{found.amount}", found.doc_no, found.declaration_id) == (
        "1205000.00",
        "哈财指〔2026〕8号",
        walk.declaration.id,
    )
    event = db.session.scalars(select(Event).where(Event.action == "allocate")).one()
    assert (event.actor_role, event.data["amount"]) == ("finance", "1205000.00")


def test_the_pilots_place_is_given_by_the_list_and_once(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    path = "confirm submit recommend assign_experts all_scored publish_list"
    walk = begun(monkeypatch, "pilot", "pilot", path)
    assert walk.declaration.status == "in_progress" and walk.recognition is not None
    walk.go("apply_acceptance")
    walk.go("accept")
    assert len(db.session.scalars(select(Recognition)).unique().all()) == 1
