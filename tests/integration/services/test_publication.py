"""Publishing a list: everything or nothing, once, and only what may be public."""

from __future__ import annotations

import threading

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.errors import Conflict, DomainError, InvalidInput, NotFound, Refused
from app.extensions import db
from app.models import Account, Batch, Declaration, Event, Message, PublicList, PublicListEntry, Recognition
from app.permissions import roles
from app.services import publication
from tests import factories


@pytest.fixture
def city(context: Flask) -> Account:
    return factories.make_account(roles.CITY, display_name="李静")


@pytest.fixture
def batch(context: Flask) -> Batch:
    return factories.make_batch()


def decided(city: Account, batch: Batch, seed: int = 1) -> Declaration:
    """A declaration that waits for its list."""
    owner = factories.make_account(roles.ENTERPRISE)
    declaration = factories.submitted(owner, batch, seed=seed)
    factories.perform(city, declaration, "confirm")
    factories.attach(declaration, "stamped_material")
    factories.perform(owner, declaration, "stamp")
    return factories.perform(city, declaration, "confirm", "符合要求")


def publish(user: Account, batch: Batch, *chosen: Declaration, key: str | None = None, **texts: str) -> str:
    versions = {d.public_id: factories.find(d.public_id).version for d in chosen}
    title, body = texts.get("title", "入库企业名单"), texts.get("body", "现予公布。")
    return publication.publish_list(user, batch.public_id, versions, title, body, authority="市工信局", key=key)


def count(model: type) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_a_list_decides_all_of_it(city: Account, batch: Batch) -> None:
    one, two, three = (decided(city, batch, n) for n in (1, 2, 3))
    assert [d.public_id for d in publication.ready(city, batch)] == [one.public_id, two.public_id, three.public_id]
    public_id = publish(city, batch, two, one)
    public = db.session.scalars(select(PublicList).where(PublicList.public_id == public_id)).unique().one()
    assert (public.title, public.body, public.authority, public.published_by) == (
        "入库企业名单",
        "现予公布。",
        "市工信局",
        city.id,
    )
    entries = db.session.scalars(select(PublicListEntry).order_by(PublicListEntry.position)).unique().all()
    assert [e.enterprise_name for e in entries] == [one.enterprise_name, two.enterprise_name]
    assert (entries[0].region_name, entries[0].industry_name) == ("平房区", "通用设备制造业")
    assert entries[0].credit_code == one.enterprise.credit_code
    assert {factories.find(d.public_id).status for d in (one, two)} == {"approved"}
    assert factories.find(three.public_id).status == "in_progress"
    assert [d.public_id for d in publication.ready(city, batch)] == [three.public_id]
    assert count(Recognition) == 2
    assert db.session.scalar(select(func.count()).where(Message.title.contains("已列入名单"))) == 2
    event = db.session.scalars(select(Event).where(Event.action == "publish")).one()
    assert event.data == {"list": public_id, "count": 2, "title": "入库企业名单"}
    assert [p.public_id for p in publication.lists_of(batch)] == [public_id]


def test_one_stale_choice_stops_everything(city: Account, batch: Batch) -> None:
    one, two = decided(city, batch, 1), decided(city, batch, 2)
    versions = {one.public_id: one.version, two.public_id: two.version - 1}
    with pytest.raises(Conflict):
        publication.publish_list(city, batch.public_id, versions, "名单", "", authority="市工信局")
    assert count(PublicList) == count(PublicListEntry) == count(Recognition) == 0
    assert {factories.find(d.public_id).status for d in (one, two)} == {"in_progress"}


def test_one_that_is_not_there_yet_stops_everything(city: Account, batch: Batch) -> None:
    one, early = decided(city, batch, 1), factories.submitted(batch=batch, seed=2)
    with pytest.raises(DomainError):
        publish(city, batch, one, early)
    assert count(PublicList) == 0 and factories.find(one.public_id).status == "in_progress"


def test_declarations_of_other_batches_are_not_found(city: Account, batch: Batch) -> None:
    foreign = decided(city, factories.make_batch(), 1)
    with pytest.raises(NotFound):
        publish(city, batch, foreign)
    assert factories.find(foreign.public_id).status == "in_progress"


def test_a_repeated_key_publishes_once(city: Account, batch: Batch) -> None:
    one = decided(city, batch)
    versions = {one.public_id: one.version}
    first = publication.publish_list(city, batch.public_id, versions, "名单", "", authority="市工信局", key="k1")
    again = publication.publish_list(city, batch.public_id, versions, "名单", "", authority="市工信局", key="k1")
    assert first == again and count(PublicList) == 1
    with pytest.raises(Conflict):
        publication.publish_list(
            city, factories.make_batch().public_id, versions, "名单", "", authority="市工信局", key="k1"
        )


def test_two_clerks_publish_at_once(city: Account, batch: Batch) -> None:
    chosen = [decided(city, batch, n) for n in (1, 2)]
    versions = {d.public_id: d.version for d in chosen}
    app, key, results = db.session.get_bind(), city.id, []
    assert app is not None
    from flask import current_app

    site = current_app._get_current_object()  # type: ignore[attr-defined]

    def work(order: int) -> None:
        with site.app_context():
            user = db.session.get_one(Account, key)
            try:
                publication.publish_list(
                    user, batch_id, dict(list(versions.items())[::order]), "名单", "", authority="市工信局"
                )
                results.append("published")
            except DomainError as error:
                results.append(type(error).__name__)

    batch_id = batch.public_id
    db.session.rollback()
    threads = [threading.Thread(target=work, args=(order,)) for order in (1, -1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["Conflict", "published"]
    assert count(PublicList) == 1 and count(PublicListEntry) == 2


@pytest.mark.parametrize(
    ("title", "body", "field"), [("", "", "title"), ("长" * 151, "", "title"), ("名单", "长" * 5001, "body")]
)
def test_words_are_checked_first(city: Account, batch: Batch, title: str, body: str, field: str) -> None:
    one = decided(city, batch)
    with pytest.raises(InvalidInput) as refused:
        publish(city, batch, one, title=title, body=body)
    assert list(refused.value.fields) == [field]


def test_nobody_chosen_is_no_list(city: Account, batch: Batch) -> None:
    with pytest.raises(InvalidInput) as refused:
        publish(city, batch, title="")
    assert set(refused.value.fields) == {"chosen", "title"}


@pytest.mark.parametrize(
    ("role", "region"), [(roles.DISTRICT, "230108"), (roles.ADMIN, "230100"), (roles.EXPERT, None)]
)
def test_only_the_city_publishes(city: Account, batch: Batch, role: str, region: str | None) -> None:
    one = decided(city, batch)
    with pytest.raises((Refused, NotFound)):
        publish(factories.make_account(role, region=region), batch, one)
    assert count(PublicList) == 0


def test_other_cities_find_nothing(city: Account, batch: Batch) -> None:
    one = decided(city, batch)
    stranger = factories.make_account(roles.CITY, region="350200")
    assert publication.ready(stranger, batch) == []
    with pytest.raises(NotFound):
        publish(stranger, batch, one)


def test_the_title_comes_from_the_definition(batch: Batch) -> None:
    assert publication.default_title(batch) == "首批中小企业数字化改造试点培育入库企业名单"
