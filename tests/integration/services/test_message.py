"""Messages: who is told, who may read, what reading changes, and that nothing goes out of a failed deed."""

from __future__ import annotations

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.errors import DomainError, NotFound
from app.extensions import db
from app.models import Account, Message
from app.models.base import now
from app.permissions import roles
from app.services.listing import Asked
from app.services.message import (
    KIND_LABELS,
    count_unread,
    get_message,
    list_messages,
    read_all,
    read_message,
    tell_account,
    tell_enterprise,
)
from app.services.unit_of_work import unit_of_work
from tests import factories
from tests.factories_portal import make_message

pytestmark = pytest.mark.parametrize("database", ["sqlite"])


@pytest.fixture
def owner(context: Flask) -> Account:
    return factories.make_account(roles.ENTERPRISE)


def titles(user: Account) -> list[str]:
    db.session.rollback()
    return [m.title for m in list_messages(user, None, Asked(1, 50)).rows]


def tell(enterprise_id: int, title: str = "有消息") -> None:
    with unit_of_work() as session:
        tell_enterprise(session, enterprise_id, "recognition_notice", title, "正文", "/todo/")


def test_everybody_of_the_enterprise_is_told(owner: Account) -> None:
    colleague = factories.make_account(roles.ENTERPRISE, enterprise=owner.enterprise, enterprise_role="member")
    stranger = factories.make_account(roles.ENTERPRISE)
    assert owner.enterprise_id
    tell(owner.enterprise_id)
    assert titles(owner) == titles(colleague) == ["有消息"]
    assert titles(stranger) == []


def test_who_was_deactivated_is_not_told(owner: Account) -> None:
    gone = factories.make_account(roles.ENTERPRISE, enterprise=owner.enterprise, active=False)
    assert owner.enterprise_id
    tell(owner.enterprise_id)
    assert titles(gone) == []


def test_an_enterprise_without_people_is_no_trouble(context: Flask) -> None:
    tell(factories.make_enterprise().id)
    assert db.session.scalars(select(Message)).all() == []


def test_a_title_is_cut_to_what_the_column_holds(owner: Account) -> None:
    with unit_of_work() as session:
        tell_account(session, owner.id, "declaration_reminder", "长" * 150, "正文", "/")
    assert titles(owner) == ["长" * 100]


def test_a_failed_deed_tells_nobody(owner: Account) -> None:
    with pytest.raises(DomainError), unit_of_work() as session:
        tell_account(session, owner.id, "declaration_reminder", "不该发出", "正文", "/")
        raise DomainError("不行")
    assert titles(owner) == []


def test_unread_counts_the_own_ones_only(owner: Account) -> None:
    other = factories.make_account(roles.ENTERPRISE)
    make_message(owner)
    make_message(owner)
    make_message(owner, read_at=now())
    make_message(other)
    assert (count_unread(owner), count_unread(other)) == (2, 1)
    assert count_unread(factories.make_account(roles.CITY)) == 0


def test_reading_marks_once_and_keeps_the_first_time(owner: Account) -> None:
    message = make_message(owner)
    assert get_message(owner, message.public_id).read_at is None, "looking is not reading"
    first = read_message(owner, message.public_id).read_at
    with time_machine.travel(now().replace(year=2030), tick=False):
        again = read_message(owner, message.public_id).read_at
    assert first is not None and again == first
    assert count_unread(owner) == 0


@pytest.mark.parametrize("call", [get_message, read_message])
def test_messages_of_others_do_not_exist(owner: Account, call: object) -> None:
    message = make_message(factories.make_account(roles.ENTERPRISE))
    colleague = make_message(factories.make_account(roles.ENTERPRISE, enterprise=owner.enterprise))
    for public_id in (message.public_id, colleague.public_id, "unknown", ""):
        with pytest.raises(NotFound, match="没有找到这条消息。"):
            call(owner, public_id)  # type: ignore[operator]
    db.session.rollback()
    assert all(m.read_at is None for m in db.session.scalars(select(Message)))


def test_an_administrator_reads_no_foreign_post(owner: Account) -> None:
    message = make_message(owner)
    with pytest.raises(NotFound):
        read_message(factories.make_account(roles.ADMIN), message.public_id)


def test_reading_all_leaves_others_and_older_times_alone(owner: Account) -> None:
    other = factories.make_account(roles.ENTERPRISE)
    early = now().replace(year=2020)
    make_message(owner), make_message(other)
    old = make_message(owner, read_at=early)
    read_all(owner)
    read_all(owner)
    db.session.rollback()
    assert (count_unread(owner), count_unread(other)) == (0, 1)
    assert db.session.get_one(Message, old.id).read_at == early


def test_newest_first_page_by_page_and_by_kind(owner: Account) -> None:
    for number in range(5):
        make_message(owner, f"第{number}条", "information_update" if number % 2 else "declaration_reminder")
    page = list_messages(owner, None, Asked(2, 2))
    assert [m.title for m in page.rows] == ["第2条", "第1条"]
    assert (page.total, page.pages, page.first) == (5, 3, 3)
    only = list_messages(owner, "information_update", Asked(1, 10))
    assert [m.title for m in only.rows] == ["第3条", "第1条"] and only.total == 2


def test_beyond_the_last_page(owner: Account) -> None:
    make_message(owner)
    with pytest.raises(NotFound, match="没有第 2 页，一共 1 页。请从第 1 页看起。"):
        list_messages(owner, None, Asked(2, 10))
    assert list_messages(factories.make_account(roles.CITY), None, Asked(1, 10)).pages == 1


def test_every_kind_that_is_sent_has_a_name(owner: Account) -> None:
    """A whole life of a declaration sends only kinds that the page can name."""
    city = factories.make_account(roles.CITY)
    declaration = factories.submitted(owner)
    factories.perform(city, declaration, "return", "请改")
    factories.perform(owner, declaration, "resubmit")
    factories.perform(city, declaration, "confirm")
    sent = list(db.session.scalars(select(Message).where(Message.account_id == owner.id).order_by(Message.id)))
    assert {m.kind for m in sent} <= KIND_LABELS.keys()
    serial = factories.find(declaration.public_id).serial_no
    assert [m.title for m in sent] == [
        f"企业培育入库已提交，受理号 {serial}",
        f"企业培育入库（{serial}）被退回修改",
        f"企业培育入库已提交，受理号 {serial}",
        f"企业培育入库（{serial}）已通过初审",
    ]
    assert {m.link for m in sent} == {f"/declarations/{declaration.public_id}/"}
    assert "请改" in sent[1].body and "转入“初审”" in sent[2].body
