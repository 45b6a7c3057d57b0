"""更正: a new revision with a reason, in which only what was typed and what is computed from it differ."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.definitions import registry
from app.errors import Conflict, DomainError, InvalidInput, NotFound, Refused
from app.extensions import db
from app.models import Account, Declaration, Enterprise, Event, Message, Revision
from app.models.generated import build_projection
from app.permissions import roles
from app.services import correction
from app.services.correction import correct, try_correction
from app.services.declaration import load
from app.services.privacy import unseal_content
from tests.factories import find, make_account, perform
from tests.factories_certification import sent_certification, uncertified
from tests.factories_everything import KEY, everything_batch, everything_draft, install, rows_of, walk

sqlite_only = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
WHY = "企业来函说明单位写错，见存档 12 号。"


@pytest.fixture
def clerk(context: Flask, monkeypatch: pytest.MonkeyPatch) -> Account:
    install(monkeypatch)
    return make_account(roles.CITY, display_name="李静")


@pytest.fixture
def owner(clerk: Account) -> Account:
    return make_account(roles.ENTERPRISE)


@pytest.fixture
def sent(owner: Account) -> Declaration:
    return perform(owner, everything_draft(owner, everything_batch()), "submit")


def put(user: Account, declaration: Declaration, typed: dict[str, Any], reason: str = WHY, **more: Any) -> Revision:
    """Correct the declaration as it is now."""
    current = find(declaration.public_id)
    return correct(user, current.public_id, typed, reason, version=more.pop("version", current.version), **more)


def revisions(declaration: Declaration) -> list[Revision]:
    return list(
        db.session.scalars(select(Revision).where(Revision.declaration_id == declaration.id).order_by(Revision.number))
    )


def differences(one: Revision, other: Revision) -> dict[str, tuple[Any, Any]]:
    """Paths whose value differs between two revisions; everything beside the answers must be the same."""
    definition = registry.catalogue().get(KEY)
    old, new = (unseal_content(definition, json.loads(r.content)) for r in (one, other))
    found = {k: (old["fields"].get(k), new["fields"].get(k)) for k in old["fields"].keys() | new["fields"].keys()}
    rows = {(t, i): v for t, i, v in walk(old)}, {(t, i): v for t, i, v in walk(new)}
    assert rows[0].keys() == rows[1].keys()
    for place, values in rows[0].items():
        found |= {f"{place[0]}/{place[1]}/{k}": (v, rows[1][place].get(k)) for k, v in values.items()}
    rest = {k for k in old if k not in ("fields", "tables") and old[k] != new[k]}
    assert rest == set()
    return {k: pair for k, pair in found.items() if pair[0] != pair[1]}


# -- what it does ---------------------------------------------------------------------------------------------------


def test_a_new_revision_with_only_that_changed(clerk: Account, owner: Account, sent: Declaration) -> None:
    before = find(sent.public_id)
    facts = (before.status, before.step_key, before.holder_role, before.due_at, before.submitted_at, before.version)
    written = put(clerk, sent, {"revenue": "2,500.00"})
    first, second = revisions(sent)
    assert (second.number, second.reason, second.created_by, second.programme_id) == (
        2,
        WHY,
        clerk.id,
        first.programme_id,
    )
    assert (written.id, second.digest) == (second.id, hashlib.sha256(second.content.encode()).hexdigest())
    assert differences(first, second) == {"revenue": ("1250.50", "2500.00"), "revenue_per_head": ("31.26", "62.50")}
    after = find(sent.public_id)
    assert (after.status, after.step_key, after.holder_role, after.due_at, after.submitted_at) == facts[:5]
    assert after.version == facts[5] + 1


def test_event_message_and_projection(clerk: Account, owner: Account, sent: Declaration) -> None:
    put(clerk, sent, {"revenue": "2500"})
    event = db.session.scalars(select(Event).where(Event.declaration_id == sent.id).order_by(Event.id.desc())).first()
    assert (event.action, event.label, event.opinion, event.revision_no) == ("correct", "更正", WHY, 2)
    assert (event.from_status, event.to_status, event.actor_name) == ("in_progress", "in_progress", "李静")
    assert event.data == {
        "corrected": [
            "2024年营业收入：1,250.50 万元 改为 2,500.00 万元",
            "人均营业收入：31.26 万元 改为 62.50 万元",
        ]
    }
    told = db.session.scalars(select(Message).where(Message.account_id == owner.id).order_by(Message.id.desc())).first()
    assert "已更正" in told.title and WHY in told.body and "2,500.00 万元" in told.body
    main = build_projection(registry.catalogue().get(KEY)).main
    row = db.session.scalars(select(main).where(main.declaration_id == sent.id)).unique().one()
    assert (str(row.revenue), str(row.revenue_per_head), row.revision_no) == ("2500.00", "62.50", 2)


@sqlite_only
def test_a_row_is_corrected_in_place(clerk: Account, sent: Declaration) -> None:
    device = rows_of(sent, "devices")[0]
    path = f"devices/{device.row_id}/name"
    put(clerk, sent, {path: "五轴加工中心"})
    assert list(differences(*revisions(sent))) == [path]
    model = build_projection(registry.catalogue().get(KEY)).tables["devices"]
    assert "五轴加工中心" in db.session.scalars(select(model.name).where(model.declaration_id == sent.id)).all()


@sqlite_only
def test_a_later_return_does_not_bring_the_old_answer_back(clerk: Account, owner: Account, sent: Declaration) -> None:
    put(clerk, sent, {"revenue": "2500"})
    district = make_account(roles.DISTRICT)
    office = district if find(sent.public_id).holder_role == roles.DISTRICT else clerk
    perform(office, sent, "return", "请补充说明。")
    person = db.session.get_one(Account, owner.id)
    assert load(sent.public_id, person).answers.main["revenue"] == "2500"
    perform(person, sent, "resubmit")
    assert json.loads(revisions(sent)[-1].content)["fields"]["revenue"] == "2500.00"


@sqlite_only
def test_identity_numbers_stay_encrypted(clerk: Account, sent: Declaration) -> None:
    put(clerk, sent, {"revenue": "2500"})
    first, second = (r.content for r in revisions(sent))
    assert "11010519491231002X" not in second
    assert json.loads(first)["fields"]["owner_id"] is not None
    main = build_projection(registry.catalogue().get(KEY)).main
    assert db.session.scalars(select(main.owner_id).where(main.declaration_id == sent.id)).one() == "1101************2X"


@sqlite_only
def test_a_preview_stores_nothing(clerk: Account, sent: Declaration) -> None:
    trial = try_correction(clerk, sent.public_id, {"revenue": "2500", "summary": "新的情况简介。"})
    assert [(c.label, c.given) for c in trial.changes] == [
        ("情况简介", True), ("2024年营业收入", True), ("人均营业收入", False),
    ]  # fmt: skip
    assert trial.mistakes == {} and trial.broken == []
    assert len(revisions(sent)) == 1


@sqlite_only
def test_answers_that_a_correction_hides_and_shows(clerk: Account, sent: Declaration) -> None:
    trial = try_correction(clerk, sent.public_id, {"ownership": "other"})
    assert set(trial.mistakes) == {"ownership_other"}, "what is needed now is told"
    put(clerk, sent, {"ownership": "other", "ownership_other": "集体所有"})
    assert json.loads(revisions(sent)[-1].content)["fields"]["ownership_other"] == "集体所有"
    put(clerk, sent, {"ownership": "private"})
    assert "ownership_other" not in json.loads(revisions(sent)[-1].content)["fields"]


# -- what it refuses ------------------------------------------------------------------------------------------------

BAD: list[tuple[str, dict[str, Any], str, str]] = [
    ("no number", {"revenue": "很多"}, "revenue", "营业收入"),
    ("too many digits", {"staff": "0"}, "staff", "从业人数"),
    ("no option", {"ownership": "martian"}, "ownership", "企业性质"),
    ("emptied", {"summary": ""}, "summary", "情况简介"),
    ("two at once", {"honours": ["none", "srdi"]}, "honours", "已有称号"),
    ("no region", {"region": "999999"}, "region", "所在地区"),
    ("computed", {"revenue_per_head": "5"}, "revenue_per_head", "不能更正"),
    ("read-only", {"enterprise_name": "别的公司"}, "enterprise_name", "不能更正"),
    ("given", {"city": "大庆市"}, "city", "不能更正"),
    ("sensitive", {"owner_id": "110105194912310021"}, "owner_id", "不能更正"),
    ("endless", {"summary": "长" * 20_001}, "summary", "太长"),
]


@sqlite_only
@pytest.mark.parametrize(("typed", "path", "words"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_what_does_not_fit_is_refused_at_its_place(
    clerk: Account, sent: Declaration, typed: dict[str, Any], path: str, words: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        put(clerk, sent, typed, override=True)
    assert words in refusal.value.fields[path]
    assert len(revisions(sent)) == 1


@sqlite_only
@pytest.mark.parametrize("path", ["nothing", "devices/unknown/name", "devices", "revenue/x", ""])
def test_answers_that_are_not_there(clerk: Account, sent: Declaration, path: str) -> None:
    with pytest.raises(InvalidInput, match="没有要更正的这一项"):
        put(clerk, sent, {path: "1"})


@sqlite_only
def test_a_broken_condition_is_kept_only_knowingly(clerk: Account, sent: Declaration) -> None:
    with pytest.raises(InvalidInput, match="低于本批要求") as refusal:
        put(clerk, sent, {"revenue": "50"})
    assert set(refusal.value.fields) == {"override"}
    assert len(revisions(sent)) == 1
    put(clerk, sent, {"revenue": "50"}, override=True)
    event = db.session.scalars(select(Event).where(Event.action == "correct")).one()
    assert "低于本批要求" in event.data["kept_although"][0]


@sqlite_only
def test_nothing_to_change_and_no_reason(clerk: Account, sent: Declaration) -> None:
    for typed, reason, words in (
        ({}, WHY, "没有要更正"), ({"revenue": "1250.50"}, WHY, "没有要更正"), ({"revenue": "2"}, " ", "写明理由"),
        ({"revenue": "2"}, "长" * 501, "最多 500"),
    ):  # fmt: skip
        with pytest.raises(InvalidInput, match=words):
            put(clerk, sent, typed, reason)
    assert len(revisions(sent)) == 1


def test_a_stale_page_is_told_who_was_first(clerk: Account, sent: Declaration) -> None:
    seen = find(sent.public_id).version
    put(clerk, sent, {"revenue": "2500"})
    with pytest.raises(Conflict, match="李静作了“更正”"):
        put(make_account(roles.CITY), sent, {"staff": "41"}, version=seen)
    assert len(revisions(sent)) == 2


@sqlite_only
def test_who_may_not(clerk: Account, owner: Account, sent: Declaration) -> None:
    refused: dict[str, tuple[Account, type[DomainError]]] = {
        "owner": (owner, Refused),
        "district": (make_account(roles.DISTRICT), Refused),
        "other district": (make_account(roles.DISTRICT, region="230102"), NotFound),
        "other city": (make_account(roles.CITY, region="230200"), NotFound),
        "province": (make_account(roles.PROVINCE), Refused),
        "expert": (make_account(roles.EXPERT), NotFound),
    }
    for name, (user, error) in refused.items():
        with pytest.raises(error):
            put(user, sent, {"revenue": "2500"})
        assert len(revisions(sent)) == 1, name


@sqlite_only
def test_drafts_and_returned_ones_are_the_enterprises(clerk: Account, owner: Account, sent: Declaration) -> None:
    perform(make_account(roles.DISTRICT), sent, "return", "请核对。")
    with pytest.raises(Conflict, match="由企业填写"):
        put(clerk, sent, {"revenue": "2500"})


@sqlite_only
def test_after_the_end_too(clerk: Account, sent: Declaration) -> None:
    perform(make_account(roles.DISTRICT), sent, "reject", "不符合。")
    put(clerk, sent, {"revenue": "2500"})
    assert find(sent.public_id).status == "rejected" and len(revisions(sent)) == 2


@sqlite_only
def test_a_failing_event_takes_everything_back(
    clerk: Account, sent: Declaration, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: Any, **_more: Any) -> None:
        raise RuntimeError("no event")

    version = find(sent.public_id).version
    monkeypatch.setattr(correction.engine, "record", fail)
    with pytest.raises(RuntimeError):
        put(clerk, sent, {"revenue": "2500"})
    assert len(revisions(sent)) == 1 and find(sent.public_id).version == version
    main = build_projection(registry.catalogue().get(KEY)).main
    assert str(db.session.scalars(select(main.revenue).where(main.declaration_id == sent.id)).one()) == "1250.50"


# -- the profile of an enterprise -----------------------------------------------------------------------------------


@sqlite_only
def test_a_corrected_certification_reaches_the_profile(context: Flask) -> None:
    city = make_account(roles.CITY)
    certified = perform(city, sent_certification(uncertified()), "confirm", "属实。")
    assert certified.status == "approved"
    put(city, certified, {"employees": "300", "enterprise_name": "哈尔滨松岭精密机械股份有限公司"})
    enterprise = db.session.get_one(Enterprise, certified.enterprise_id)
    assert (enterprise.employees, enterprise.name) == (300, "哈尔滨松岭精密机械股份有限公司")
    assert find(certified.public_id).enterprise_name == "哈尔滨松岭精密机械股份有限公司"
    for locked in ("credit_code", "region_code"):
        with pytest.raises(InvalidInput, match="不能更正"):
            put(city, certified, {locked: "230102"})
