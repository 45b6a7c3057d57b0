"""What deeds bring about: serial numbers without gaps, the claim on a credit code, profile, recognition, remarks."""

from __future__ import annotations

import hashlib
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import select

from app.errors import Conflict, InvalidInput
from app.extensions import db
from app.models import Account, Counter, Enterprise, Recognition, Remark, Revision
from app.permissions import roles
from app.services import review
from app.services.declaration import Deeds, act
from app.services.effects import EFFECTS, canonical, check_effects_exist, next_number
from app.services.privacy import cipher
from app.services.unit_of_work import unit_of_work
from app.workflow.steps import DEEDS
from tests.at_once import apart, refusals, together
from tests.factories import credit_code, filled_draft, find, make_account, make_batch, perform, submitted
from tests.factories_certification import ANSWERS, NUMBER, drafted_certification, sent_certification, uncertified


def test_every_effect_of_the_table_is_carried_out() -> None:
    check_effects_exist({name for deed in DEEDS for name in deed.effects})
    with pytest.raises(InvalidInput, match="没有实现的效果：fly"):
        check_effects_exist({"fly", "revise"})
    assert set(EFFECTS) == {name for deed in DEEDS for name in deed.effects} | {"outcome"}, (
        "an effect that nothing brings about"
    )


def test_canonical_text_does_not_depend_on_order() -> None:
    assert canonical({"b": "企", "a": {"d": 1, "c": 2}}) == '{"a":{"c":2,"d":1},"b":"企"}'


# -- serial numbers -------------------------------------------------------------------------------------------------


def test_numbers_have_no_gap_when_many_come_at_once(context: Flask) -> None:
    def advance() -> int:
        with unit_of_work() as session:
            return next_number(session, "test")

    assert sorted(together(context, [advance] * 16)) == list(range(1, 17))


def test_a_failed_transaction_gives_its_number_back(context: Flask) -> None:
    def fail() -> None:
        with unit_of_work() as session:
            assert next_number(session, "test") == 1
            raise InvalidInput("不行。")

    with pytest.raises(InvalidInput):
        fail()
    with unit_of_work() as session:
        assert next_number(session, "test") == 1
    assert db.session.get_one(Counter, "test").value == 1


def test_serials_of_a_batch_under_load(context: Flask) -> None:
    batch = make_batch()
    owners = [make_account(roles.ENTERPRISE) for _ in range(6)]
    drafts = [filled_draft(owner, batch).public_id for owner in owners]
    people, year = [apart(o) for o in owners], batch.year
    db.session.rollback()
    deeds = [
        lambda user=user, public_id=public_id: (
            act(user, public_id, "submit", Deeds(version=1, statement=True)).serial_no
        )
        for user, public_id in zip(people, drafts, strict=True)
    ]
    found = together(context, deeds)
    assert refusals(found) == []
    code = find(drafts[0]).programme.definition.short_code
    assert sorted(found) == [f"{year}-{code}-{n:04d}" for n in range(1, 7)]


def test_two_batches_of_a_year_do_not_collide(context: Flask) -> None:
    first, second = make_batch(), make_batch()
    one, two = submitted(batch=first), submitted(batch=second)
    assert one.serial_no != two.serial_no
    assert two.serial_no == one.serial_no.replace("-0001", "2-0001")


# -- certification --------------------------------------------------------------------------------------------------


def test_a_certification_fills_the_profile(context: Flask) -> None:
    user = uncertified()
    sent = sent_certification(user)
    claimed = db.session.get_one(Enterprise, user.enterprise_id)
    assert (claimed.certification_status, claimed.credit_code) == ("submitted", credit_code(NUMBER))
    assert (sent.region_code, sent.enterprise_name) == ("230108", ANSWERS["enterprise_name"])
    assert claimed.name is None, "nothing is believed before the approval"
    while sent.status == "in_progress":
        level = sent.programme.definition.step(sent.step_key).level
        action = "confirm" if sent.programme.definition.step(sent.step_key).kind == "review" else "approve"
        sent = perform(make_account(level), sent, action)
    enterprise = db.session.get_one(Enterprise, user.enterprise_id)
    assert (sent.status, enterprise.certification_status) == ("approved", "approved")
    assert (enterprise.name, enterprise.employees, enterprise.region_code) == (
        ANSWERS["enterprise_name"],
        286,
        "230108",
    )
    assert (enterprise.registered_capital, str(enterprise.established_on)) == (Decimal("3000.00"), "2011-04-18")
    assert enterprise.certified_at is not None
    sealed = enterprise.legal_person_id_cipher
    assert ANSWERS["legal_person_id"] not in sealed
    assert cipher().decrypt(sealed, "answer") == ANSWERS["legal_person_id"]
    assert db.session.scalars(select(Recognition)).unique().all() == [], "a profile is no recognition"


def test_a_rejected_or_recalled_certification_frees_the_code(context: Flask) -> None:
    user = uncertified()
    sent = sent_certification(user)
    perform(user, sent, "recall")
    assert db.session.get_one(Enterprise, user.enterprise_id).credit_code is None
    sent = perform(user, sent, "submit")
    step = sent.programme.definition.step(sent.step_key)
    perform(make_account(step.level), sent, "reject", "营业执照看不清。")
    refused = db.session.get_one(Enterprise, user.enterprise_id)
    assert (refused.certification_status, refused.credit_code) == ("rejected", None)
    other = uncertified()
    sent_certification(other)
    assert db.session.get_one(Enterprise, other.enterprise_id).credit_code == credit_code(NUMBER)


def test_a_code_is_claimed_once(context: Flask) -> None:
    sent_certification(uncertified())
    with pytest.raises(Conflict, match="已经认证过或正在认证") as caught:
        sent_certification(uncertified())
    assert list(caught.value.fields) == ["credit_code"]


def test_sixteen_claims_at_once_have_one_winner(context: Flask) -> None:
    owners = [uncertified() for _ in range(16)]
    drafts = [drafted_certification(owner).public_id for owner in owners]
    people = [apart(o) for o in owners]
    deeds = [
        lambda user=user, public_id=public_id: act(user, public_id, "submit", Deeds(version=1, statement=True)).status
        for user, public_id in zip(people, drafts, strict=True)
    ]
    found = together(context, deeds)
    assert [r for r in found if isinstance(r, str)] == ["in_progress"]
    lost = refusals(found)
    assert len(lost) == 15
    assert all(isinstance(r, Conflict) and "已经认证过或正在认证" in r.message for r in lost)
    holders = db.session.scalars(select(Enterprise).where(Enterprise.credit_code == credit_code(NUMBER))).all()
    assert len(holders) == 1
    assert len(db.session.scalars(select(Revision)).all()) == 1


# -- the record, outcome, remarks -----------------------------------------------------------------------------------


def test_digest_is_of_the_stored_text(context: Flask) -> None:
    submitted()
    revision = db.session.scalars(select(Revision)).one()
    assert revision.digest == hashlib.sha256(revision.content.encode()).hexdigest()


def test_remarks_become_visible_with_the_return(context: Flask) -> None:
    city = make_account(roles.CITY)
    sent = submitted()
    review.remark(city, sent.public_id, "profit", "单位是不是万元？")
    assert db.session.scalars(select(Remark.state)).all() == ["draft"]
    back = perform(city, sent, "return", "请核对利润。")
    assert db.session.scalars(select(Remark.state)).all() == ["open"]
    assert back.reopened == ["profit"]


def test_a_remark_opens_what_hangs_on_the_field(context: Flask) -> None:
    city, sent = make_account(roles.CITY), submitted()
    row = next(r for r in sent_rows(sent) if r.endswith("/cloud_service_type"))
    review.remark(city, sent.public_id, row, "请核对。")
    back = perform(city, sent, "return", "请核对云服务。")
    assert row.replace("cloud_service_type", "cloud_provider") in back.reopened


def sent_rows(declaration: object) -> list[str]:
    """Paths of every submitted answer."""
    from app.services.declaration import load

    owner = db.session.scalars(select(Account).where(Account.enterprise_id == declaration.enterprise_id)).first()
    return [f.path for f in load(declaration.public_id, owner).submitted.all_fields()]
