"""认领, 放回, 接手, 转交: who may, what colleagues then cannot do, when it ends, and what is written down."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.errors import Conflict, DomainError, InvalidInput, NotFound, Refused
from app.extensions import db
from app.models import Account, Declaration, Event, Message
from app.permissions import roles
from app.services import claim
from app.services.claim import MAX_WORD, Wish
from app.services.declaration import load
from app.services.progress import history
from app.services.unit_of_work import unit_of_work
from tests import factories
from tests.at_once import apart, refusals, together


@pytest.fixture
def zhang(context: Flask) -> Account:
    return factories.make_account(roles.CITY, display_name="张科员")


@pytest.fixture
def li(context: Flask) -> Account:
    return factories.make_account(roles.CITY, display_name="李科员")


@pytest.fixture
def waiting(context: Flask) -> Declaration:
    return factories.submitted()


def do(user: Account, declaration: Declaration, action: str, **more: Any) -> Declaration:
    """Do ``action`` on the declaration as it is now."""
    now = factories.find(declaration.public_id)
    claim.carry_out(user, declaration.public_id, action, Wish(now.version, **more))
    return factories.find(declaration.public_id)


def events(declaration: Declaration) -> list[tuple[str, str, str]]:
    statement = select(Event).where(Event.declaration_id == declaration.id).order_by(Event.id)
    return [(e.action, e.label, e.actor_name) for e in db.session.scalars(statement)]


def test_a_claim_is_noted_with_who_and_when(zhang: Account, waiting: Declaration) -> None:
    before = waiting.version
    found = do(zhang, waiting, "claim")
    assert (found.claimed_by, found.version, found.status) == (zhang.id, before + 1, "in_progress")
    assert found.claimed_at is not None and found.step_key == waiting.step_key
    assert events(found)[-1] == ("claim", "认领", "张科员")
    with pytest.raises(Conflict, match="您已经认领"):
        do(zhang, waiting, "claim")


def test_a_colleague_is_told_who_and_cannot_decide(zhang: Account, li: Account, waiting: Declaration) -> None:
    found = do(zhang, waiting, "claim")
    for deed in ("claim", "unclaim"):
        with pytest.raises(Conflict, match="由张科员 .*起在办.*接手"):
            do(li, waiting, deed)
    for deed in ("confirm", "return", "reject"):
        with pytest.raises(InvalidInput, match="由张科员 .*起在办"):
            factories.perform(li, waiting, deed, "理由")
    assert factories.find(waiting.public_id).version == found.version
    assert factories.perform(zhang, waiting, "confirm").step_key == "stamping"


def test_taking_over_is_told_to_who_had_it(zhang: Account, li: Account, waiting: Declaration) -> None:
    with pytest.raises(Conflict, match="没有同事在办"):
        do(li, waiting, "take_over")
    do(zhang, waiting, "claim")
    with pytest.raises(Conflict, match="没有同事在办"):
        do(zhang, waiting, "take_over")
    found = do(li, waiting, "take_over")
    assert found.claimed_by == li.id and events(found)[-1] == ("take_over", "接手", "李科员")
    told = db.session.scalars(select(Message).where(Message.account_id == zhang.id)).one()
    assert told.title == "李科员接手了一件您在办的申报" and told.link == f"/review/{waiting.public_id}/"
    assert factories.perform(li, waiting, "confirm").step_key == "stamping"


def test_putting_back_frees_it(zhang: Account, li: Account, waiting: Declaration) -> None:
    with pytest.raises(Conflict, match="没有人认领"):
        do(zhang, waiting, "unclaim")
    do(zhang, waiting, "claim")
    found = do(zhang, waiting, "unclaim")
    assert (found.claimed_by, found.claimed_at) == (None, None)
    assert do(li, waiting, "claim").claimed_by == li.id


def test_handing_over_tells_the_colleague(zhang: Account, li: Account, waiting: Declaration) -> None:
    found = do(zhang, waiting, "hand_over", colleague=li.id, word=" 请核对利润表。 ")
    assert found.claimed_by == li.id
    told = db.session.scalars(select(Message).where(Message.account_id == li.id)).one()
    assert told.title == "张科员转交给您一件申报" and "留言：请核对利润表。" in told.body
    event = db.session.scalars(select(Event).where(Event.action == "hand_over")).one()
    assert (event.opinion, event.data) == ("请核对利润表。", {"colleague": li.id})
    with pytest.raises(Conflict, match="由李科员"):
        do(zhang, waiting, "hand_over", colleague=zhang.id)


@pytest.mark.parametrize(
    ("role", "facts"),
    [
        (roles.CITY, {"active": False}),
        (roles.CITY, {"region_code": "350200"}),
        (roles.DISTRICT, {}),
        (roles.EXPERT, {}),
        (roles.PROVINCE, {}),
    ],
)
def test_only_colleagues_of_the_same_office(
    zhang: Account, waiting: Declaration, role: str, facts: dict[str, Any]
) -> None:
    other = factories.make_account(role, **facts)
    assert other.id not in [a.id for a in claim.colleagues(db.session(), zhang, roles.CITY)]
    with pytest.raises(InvalidInput, match="本单位的同事") as refused:
        do(zhang, waiting, "hand_over", colleague=other.id)
    assert set(refused.value.fields) == {"colleague"}
    assert factories.find(waiting.public_id).claimed_by is None


@pytest.mark.parametrize("colleague", [None, 0, 999_999])
def test_nobody_is_no_colleague(zhang: Account, waiting: Declaration, colleague: int | None) -> None:
    with pytest.raises(InvalidInput, match="本单位的同事"):
        do(zhang, waiting, "hand_over", colleague=colleague)


def test_a_word_has_a_length(zhang: Account, li: Account, waiting: Declaration) -> None:
    with pytest.raises(InvalidInput, match=f"最多 {MAX_WORD} 个字") as refused:
        do(zhang, waiting, "hand_over", colleague=li.id, word="长" * (MAX_WORD + 1))
    assert set(refused.value.fields) == {"word"}
    assert do(zhang, waiting, "hand_over", colleague=li.id, word="长" * MAX_WORD).claimed_by == li.id


@pytest.mark.parametrize(
    ("role", "region", "refusal"),
    [
        (roles.DISTRICT, "230108", Refused),
        (roles.DISTRICT, "230102", NotFound),
        (roles.CITY, "350200", NotFound),
        (roles.PROVINCE, "230000", Refused),
        (roles.ADMIN, "230100", Refused),
        (roles.EXPERT, None, NotFound),
    ],
)
def test_others_cannot(waiting: Declaration, role: str, region: str | None, refusal: type[DomainError]) -> None:
    stranger = factories.make_account(role, region=region)
    for action in claim.LABELS:
        with pytest.raises(refusal):
            do(stranger, waiting, action)
    assert factories.find(waiting.public_id).version == waiting.version


def test_the_enterprise_cannot_claim_its_own(zhang: Account, waiting: Declaration) -> None:
    owner = db.session.scalars(select(Account).where(Account.enterprise_id == waiting.enterprise_id)).first()
    assert owner is not None
    with pytest.raises(Refused):
        do(owner, waiting, "claim")
    factories.perform(zhang, waiting, "confirm")
    with pytest.raises(Refused):
        do(zhang, waiting, "claim")


def test_an_unknown_deed_is_none(zhang: Account, waiting: Declaration) -> None:
    with pytest.raises(InvalidInput, match="没有看懂"):
        do(zhang, waiting, "confirm")


def test_an_unknown_declaration(zhang: Account) -> None:
    with pytest.raises(NotFound):
        claim.carry_out(zhang, "01890000-0000-7000-8000-000000000000", "claim", Wish(1))


def test_a_stale_page_is_told_who_was_first(zhang: Account, li: Account, waiting: Declaration) -> None:
    seen = waiting.version
    factories.perform(zhang, waiting, "confirm")
    with pytest.raises(Conflict, match="张科员作了“初审确认”"):
        claim.carry_out(li, waiting.public_id, "claim", Wish(seen))


def test_the_same_click_twice_is_one(zhang: Account, waiting: Declaration) -> None:
    for _twice in range(2):
        claim.carry_out(zhang, waiting.public_id, "claim", Wish(waiting.version, key="k" * 36))
    assert [e[0] for e in events(waiting)].count("claim") == 1


@pytest.mark.parametrize("way", ["confirm", "return", "reject"])
def test_a_claim_ends_with_the_step(zhang: Account, waiting: Declaration, way: str) -> None:
    do(zhang, waiting, "claim")
    found = factories.perform(zhang, waiting, way, "理由写在这里。")
    assert (found.claimed_by, found.claimed_at) == (None, None)


def test_a_claim_ends_when_the_enterprise_hands_in_again(zhang: Account, waiting: Declaration) -> None:
    owner = db.session.scalars(select(Account).where(Account.enterprise_id == waiting.enterprise_id)).first()
    assert owner is not None
    factories.perform(zhang, waiting, "return", "请改。")
    found = factories.perform(owner, waiting, "resubmit")
    assert found.claimed_by is None and found.revision_no == 2


def test_the_enterprise_reads_nothing_of_it(zhang: Account, li: Account, waiting: Declaration) -> None:
    do(zhang, waiting, "hand_over", colleague=li.id, word="这家要细看。")
    do(zhang, waiting, "take_over")
    owner = db.session.scalars(select(Account).where(Account.enterprise_id == waiting.enterprise_id)).first()
    assert owner is not None
    opened = load(waiting.public_id, owner)
    lines = history(opened.definition, opened.events)
    assert [line.text for line in lines] == ["提交", "开始填写"]
    assert not any("细看" in (line.opinion or "") for line in lines)


def test_a_claim_is_the_beginning_of_work(zhang: Account, waiting: Declaration) -> None:
    owner = db.session.scalars(select(Account).where(Account.enterprise_id == waiting.enterprise_id)).first()
    assert owner is not None
    do(zhang, waiting, "claim")
    with pytest.raises(InvalidInput, match="张科员已经开始办理"):
        factories.perform(owner, waiting, "recall")


def test_whoever_left_the_office_does_not_block_it(zhang: Account, li: Account, waiting: Declaration) -> None:
    do(zhang, waiting, "claim")
    with unit_of_work() as session:
        session.get_one(Account, zhang.id).active = False
    assert do(li, waiting, "take_over").claimed_by == li.id


def test_two_claims_at_once_have_one_winner(context: Flask, zhang: Account, li: Account, waiting: Declaration) -> None:
    public_id, version = waiting.public_id, waiting.version
    people = [apart(zhang), apart(li)]

    def taker(user: Account) -> Any:
        return lambda: claim.carry_out(user, public_id, "claim", Wish(version)).claimed_by

    results = together(context, [taker(p) for p in people])
    (late,) = refusals(results)
    assert isinstance(late, Conflict) and "作了“认领”" in late.message
    assert factories.find(public_id).claimed_by in [r for r in results if r is not late]
    assert [e[0] for e in events(factories.find(public_id))].count("claim") == 1


def test_colleagues_of_two_offices(context: Flask) -> None:
    both = factories.make_account(roles.CITY)
    names = {a.id for a in claim.colleagues_for(both)}
    mate = factories.make_account(roles.CITY)
    assert {a.id for a in claim.colleagues_for(both)} == names | {mate.id}
    assert claim.colleagues_for(factories.make_account(roles.EXPERT)) == []
