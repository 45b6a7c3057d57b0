"""企业信息 and 企业认证: what an enterprise reads about itself at each stage, and never about another one."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from flask import Flask

from app.errors import Refused
from app.extensions import db
from app.models import Account
from app.permissions import roles
from app.services.enterprise import (
    RECOGNITION_TONES,
    RECOGNITION_WORDS,
    STATE_TONES,
    STATE_WORDS,
    Certification,
    certification_of,
    enterprise_of,
    profile_of,
    recognitions_of,
)
from app.services.workbench import workbench_of
from tests import factories
from tests.factories_certification import ANSWERS, NUMBER, drafted_certification, sent_certification, uncertified
from tests.factories_portal import make_declaration, make_recognition

pytestmark = pytest.mark.parametrize("database", ["sqlite"])


@pytest.fixture
def city(context: Flask) -> Account:
    return factories.make_account(roles.CITY)


def read(user: Account) -> Certification:
    db.session.rollback()
    return certification_of(db.session.get_one(Account, user.id))


def facts(groups: object) -> dict[str, str]:
    return {f.label: f.text for g in groups for f in g.facts}  # type: ignore[attr-defined]


def current(found: Certification) -> list[str]:
    return [s.label for s in found.stages if s.state == "current"]


# -- certification -------------------------------------------------------------------------------------------------


def test_not_begun(city: Account) -> None:
    found = read(uncertified())
    assert (found.state, found.opened, found.stages, found.sent) == ("none", None, (), ())
    assert found.batch is not None and found.batch.published


def test_a_draft_shows_nothing_that_was_sent(city: Account) -> None:
    user = uncertified()
    drafted_certification(user)
    found = read(user)
    assert (found.state, found.clock, list(found.sent), found.can_recall) == ("draft", None, [], False)
    assert current(found) == ["填报"]


def test_in_review_shows_what_was_sent_with_the_number_hidden(city: Account) -> None:
    user = uncertified()
    sent_certification(user)
    found = read(user)
    shown = facts(found.sent)
    assert found.state == "in_progress" and found.can_recall and found.clock is not None
    assert "哈尔滨松岭精密机械有限公司" in shown.values() and factories.credit_code(NUMBER) in shown.values()
    assert "1101************2X" in shown.values()
    assert not any(ANSWERS["legal_person_id"] in text for text in shown.values())
    assert [p.text for p in found.past] == ["提交", "开始填写"]


def test_returned_shows_the_newest_reason(city: Account) -> None:
    user = uncertified()
    declaration = sent_certification(user)
    factories.perform(city, declaration, "return", "营业执照不清楚")
    assert (read(user).state, read(user).opinion) == ("returned", "营业执照不清楚")
    factories.perform(user, declaration, "resubmit")
    assert not read(user).stages[0].text.startswith("等您")
    factories.perform(city, declaration, "return", "还是不清楚")
    assert read(user).opinion == "还是不清楚" and read(user).clock is None


def test_once_an_officer_acted_it_is_not_taken_back(city: Account) -> None:
    user = uncertified()
    declaration = sent_certification(user)
    factories.perform(city, declaration, "return", "请改")
    factories.perform(user, declaration, "resubmit")
    assert read(user).can_recall, "the new submission has not been looked at"


def test_approved_fills_the_profile_field_by_field(city: Account) -> None:
    user = uncertified()
    factories.perform(city, sent_certification(user), "confirm")
    assert read(user).state == "approved"
    enterprise = enterprise_of(db.session.get_one(Account, user.id))
    assert (enterprise.certification_status, enterprise.credit_code) == ("approved", factories.credit_code(NUMBER))
    assert (enterprise.employees, enterprise.registered_capital) == (286, Decimal("3000.00"))
    assert (enterprise.established_on, enterprise.region_code) == (date(2011, 4, 18), "230108")
    assert enterprise.legal_person_id_cipher and ANSWERS["legal_person_id"] not in enterprise.legal_person_id_cipher
    assert enterprise.certified_at is not None and enterprise.version == 2


@pytest.mark.parametrize(("action", "state"), [("reject", "rejected"), ("withdraw", "none")])
def test_an_end_without_success_can_be_tried_again(city: Account, action: str, state: str) -> None:
    user = uncertified()
    declaration = sent_certification(user)
    factories.perform(city if action == "reject" else user, declaration, action, "主体不符")
    assert read(user).state == state
    again = sent_certification(db.session.get_one(Account, user.id))
    assert again.public_id != declaration.public_id and read(user).state == "in_progress"
    assert read(user).opinion is None, "the reason of the one before is not this one's"


def test_individuals_have_no_enterprise(context: Flask) -> None:
    person = factories.make_account(roles.INDIVIDUAL)
    for call in (enterprise_of, profile_of, certification_of):
        with pytest.raises(Refused, match="个人用户没有企业信息"):
            call(person)
    bench = workbench_of(person)
    assert (bench.enterprise, bench.first, bench.certified, list(bench.offers)) == (None, None, False, [])


# -- profile -------------------------------------------------------------------------------------------------------


def test_the_profile_reads_like_the_form_that_wrote_it(city: Account) -> None:
    user = uncertified()
    factories.perform(city, sent_certification(user), "confirm")
    profile = profile_of(db.session.get_one(Account, user.id))
    shown = facts(profile.groups)
    assert {"哈尔滨松岭精密机械有限公司", "286 人", "3,000.00 万元", "1101************2X"} <= set(shown.values())
    assert any(text.endswith("平房区") for text in shown.values())
    assert profile.certification == read(user).opened.declaration.public_id  # type: ignore[union-attr]


def test_an_empty_profile_shows_empty_lines_and_no_zero(context: Flask) -> None:
    profile = profile_of(uncertified())
    shown = facts(profile.groups)
    assert shown and set(shown.values()) == {""}
    assert profile.certification is None and list(profile.recognitions) == []


def test_members_are_the_living_accounts_of_this_enterprise(context: Flask) -> None:
    owner = factories.make_account(roles.ENTERPRISE)
    member = factories.make_account(roles.ENTERPRISE, enterprise=owner.enterprise, enterprise_role="member")
    factories.make_account(roles.ENTERPRISE, enterprise=owner.enterprise, active=False)
    factories.make_account(roles.ENTERPRISE)
    assert [m.id for m in profile_of(owner).members] == [owner.id, member.id]


def test_recognitions_newest_first_and_only_own(context: Flask) -> None:
    owner, other = factories.make_account(roles.ENTERPRISE), factories.make_account(roles.ENTERPRISE)
    batch = factories.make_batch()
    assert owner.enterprise and other.enterprise
    for title in ("甲", "乙"):
        made = make_declaration(owner.enterprise, batch, status="approved")
        make_recognition(owner.enterprise, made, title=title)
    make_recognition(other.enterprise, make_declaration(other.enterprise, batch, status="approved"), title="丙")
    assert [r.title for r in recognitions_of(owner.enterprise.id)] == ["乙", "甲"]
    assert [r.title for r in profile_of(other).recognitions] == ["丙"]


def test_only_valid_recognitions_are_tags_of_the_workbench(context: Flask) -> None:
    owner = factories.make_account(roles.ENTERPRISE)
    batch = factories.make_batch()
    assert owner.enterprise
    for state in ("valid", "expired", "revoked"):
        made = make_declaration(owner.enterprise, batch, status="approved")
        make_recognition(owner.enterprise, made, state=state)
    make_recognition(
        owner.enterprise,
        make_declaration(owner.enterprise, batch, status="approved"),
        programme_key="gone",
        title="旧称号",
    )
    tags = list(workbench_of(owner).tags)
    assert tags[0] == ("已认证", "ok")
    assert sorted(tags[1:]) == sorted([("培育入库", "ok"), ("旧称号", "ok")])


def test_every_state_has_words_and_a_colour(context: Flask) -> None:
    assert STATE_WORDS.keys() == STATE_TONES.keys() == {"none", "submitted", "approved", "rejected"}
    assert RECOGNITION_WORDS.keys() == RECOGNITION_TONES.keys() == {"valid", "under_review", "expired", "revoked"}


# -- workbench -----------------------------------------------------------------------------------------------------


def test_the_most_urgent_stands_first_with_its_route(city: Account) -> None:
    owner = factories.make_account(roles.ENTERPRISE)
    drafted = factories.filled_draft(owner, factories.make_batch())
    stamping = factories.perform(city, factories.submitted(owner), "confirm")
    bench = workbench_of(db.session.get_one(Account, owner.id))
    assert bench.first is not None and (bench.first.kind, bench.first.id) == ("stamp", stamping.public_id)
    assert [t.id for t in bench.tasks] == [drafted.public_id]
    assert [s.label for s in bench.route if s.state == "current"] == ["提交盖章材料"]
    returned = factories.perform(city, factories.submitted(owner), "return", "请改")
    bench = workbench_of(db.session.get_one(Account, owner.id))
    assert bench.first is not None and bench.first.id == returned.public_id
    assert [t.kind for t in bench.tasks] == ["stamp", "draft"]


def test_what_lies_with_an_office_or_with_others_is_no_task(city: Account) -> None:
    owner = factories.make_account(roles.ENTERPRISE)
    factories.submitted(owner)
    factories.filled_draft(factories.make_account(roles.ENTERPRISE), factories.make_batch())
    bench = workbench_of(db.session.get_one(Account, owner.id))
    assert (bench.first, list(bench.tasks), list(bench.route)) == (None, [], [])
    assert bench.certified and [m.title[:7] for m in bench.messages] == ["企业培育入库已"]
