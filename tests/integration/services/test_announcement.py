"""Deeds announced to other systems: written with the deed, sent by the job table, signed, tried again, given up visibly."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import func, select

from app.definitions import registry
from app.errors import DomainError, InvalidInput
from app.extensions import db
from app.models import Account, Declaration, Event, Job, Message, Webhook, WebhookDelivery
from app.models.base import now
from app.permissions import roles
from app.services import announcement, declaration, upkeep
from app.services import job as jobs
from app.services.declaration import Deeds, act, act_by_system
from app.services.reference import holidays
from app.services.unit_of_work import unit_of_work
from app.tasks import worker
from tests import factories, servers
from tests.at_once import apart, refusals, together
from tests.factories_webhook import (
    SECRET,
    Receiver,
    allow,
    deliveries,
    hook_now,
    hurry,
    is_genuine,
    jobs_of,
    make_webhook,
    receiving,
    run_all,
)

sqlite_only = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def receiver(context: Flask) -> Iterator[Receiver]:
    """Another system on this machine, which operators allow."""
    allow(context, "127.0.0.1")
    before = context.config["SETTINGS"]
    with receiving() as found:
        yield found
    assert context.config["SETTINGS"] is before


@pytest.fixture
def city(context: Flask) -> Account:
    return factories.make_account(roles.CITY)


def told(kind: str | None = None) -> list[str]:
    """Titles of messages to administrators."""
    db.session.rollback()
    admin = select(Account.id).where(Account.roles.any(name=roles.ADMIN))
    return list(db.session.scalars(select(Message.title).where(Message.account_id.in_(admin)).order_by(Message.id)))


# -- with the deed --------------------------------------------------------------------------------------------------


def test_a_deed_is_written_down_with_one_announcement_and_one_job(context: Flask, city: Account) -> None:
    hook = make_webhook()
    sent = factories.submitted()
    (first,) = deliveries()
    factories.perform(city, sent, "confirm", "同意。")
    _first, second = deliveries()
    assert [(d.kind, d.state, d.tries, d.webhook_id) for d in (first, second)] == [
        ("declaration.submit", "queued", 0, hook.id),
        ("declaration.confirm", "queued", 0, hook.id),
    ]
    assert [(j.id, j.args, j.max_tries) for j in jobs_of()] == [
        (d.job_id, {"delivery": d.id}, announcement.TRIES) for d in (first, second)
    ]
    happened = db.session.get_one(Event, second.event_id)
    assert (happened.action, happened.declaration_id) == ("confirm", sent.id)


def test_what_is_told(context: Flask, city: Account) -> None:
    make_webhook()
    sent = factories.submitted()
    confirmed = factories.perform(city, sent, "confirm", "机密的意见。")
    first, second = (json.loads(d.body) for d in deliveries())
    definition = registry.catalogue().get(sent.programme_key)
    assert second == {
        "id": deliveries()[1].public_id,
        "type": "declaration.confirm",
        "at": second["at"],
        "actor_role": "city",
        "previous_status": "in_progress",
        "declaration": {
            "public_id": sent.public_id,
            "serial_no": sent.serial_no,
            "programme": {"key": sent.programme_key, "title": definition.title},
            "batch": {"public_id": sent.batch.public_id, "title": sent.batch.title},
            "enterprise": {"name": sent.enterprise_name, "credit_code": sent.enterprise.credit_code},
            "region_code": "230108",
            "status": "in_progress",
            "step": {"key": confirmed.step_key, "label": definition.step(confirmed.step_key or "").label},
            "revision": 1,
        },
    }
    assert (first["previous_status"], first["declaration"]["revision"]) == ("draft", 1)
    assert first["declaration"]["serial_no"] == sent.serial_no
    moment = db.session.get_one(Event, deliveries()[1].event_id).at
    assert second["at"] == moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_nothing_personal_is_told(context: Flask, city: Account) -> None:
    make_webhook()
    sent = factories.submitted()
    factories.perform(city, sent, "return", "请找王敏核对。")
    text = "".join(d.body for d in deliveries())
    enterprise = sent.enterprise
    for secret in (enterprise.contact_phone, enterprise.contact_name, enterprise.legal_representative, "王敏",
                   city.get_full_name(), city.username, "请找"):  # fmt: skip
        assert secret and secret not in text


def test_the_text_is_canonical(context: Flask) -> None:
    make_webhook()
    factories.submitted()
    (only,) = deliveries()
    assert only.body == json.dumps(json.loads(only.body), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def test_a_refused_deed_announces_nothing(context: Flask, city: Account) -> None:
    make_webhook(events=["return"])
    sent = factories.submitted()
    with pytest.raises(InvalidInput):
        factories.perform(city, sent, "return", "")
    with pytest.raises(DomainError):
        act(city, sent.public_id, "return", Deeds(version=999, opinion="请修改。"))
    assert (deliveries(), jobs_of()) == ([], [])


def test_a_rolled_back_deed_announces_nothing(context: Flask, city: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    make_webhook()
    sent = factories.submitted()
    before = len(deliveries())
    announce = announcement.announce

    def announce_and_fall(*args: Any) -> None:
        announce(*args)
        raise RuntimeError("the machine stops")

    monkeypatch.setattr(declaration, "announce", announce_and_fall)
    with pytest.raises(RuntimeError):
        factories.perform(city, sent, "confirm")
    assert (len(deliveries()), len(jobs_of())) == (before, before)
    assert factories.find(sent.public_id).step_key == sent.step_key


def test_a_deed_stands_although_the_job_cannot_be_sent(context: Flask, city: Account) -> None:
    make_webhook("https://hooks.invalid/in")
    public_id = factories.submitted().public_id
    run_all()
    assert factories.find(public_id).status == "in_progress"
    (only,) = deliveries()
    assert (only.state, only.status) == ("failed", None)


def test_a_repeated_form_announces_once(context: Flask, city: Account) -> None:
    make_webhook(events=["return"])
    sent = factories.submitted()
    deeds = Deeds(version=sent.version, opinion="请补充。", idempotency_key="k" * 36)
    for _ in range(2):
        act(city, sent.public_id, "return", deeds)
    assert len(deliveries()) == 1


def test_two_officers_at_once_announce_one_deed(context: Flask, city: Account) -> None:
    make_webhook()
    make_webhook(name="省平台")
    sent = factories.submitted()
    public_id, version, before = sent.public_id, sent.version, len(deliveries())
    officers = [apart(city), apart(factories.make_account(roles.CITY))]
    results = together(
        context,
        [
            lambda user=user: act(user, public_id, "return", Deeds(version=version, opinion="请补充。"))  # type: ignore[misc]
            for user in officers
        ],
    )
    assert len(refusals(results)) == 1
    fresh = deliveries()[before:]
    assert [d.kind for d in fresh] == ["declaration.return"] * 2
    assert len({d.webhook_id for d in fresh}) == 2


def test_recall_is_announced_and_an_unsent_draft_is_nobodys_business(context: Flask) -> None:
    make_webhook()
    owner = factories.make_account(roles.ENTERPRISE)
    draft = factories.filled_draft(owner, factories.make_batch())
    factories.perform(owner, draft, "discard")
    assert deliveries() == []
    sent = factories.submitted(owner)
    factories.perform(owner, sent, "recall")
    assert [d.kind for d in deliveries()] == ["declaration.submit", "declaration.recall"]
    body = json.loads(deliveries()[1].body)
    assert (body["previous_status"], body["declaration"]["status"], body["declaration"]["step"]) == (
        "in_progress",
        "draft",
        None,
    )


def test_deeds_of_the_system_are_announced(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.workflow.guards import GUARDS

    make_webhook()
    owner = factories.make_account(roles.ENTERPRISE)
    recalled = factories.perform(owner, factories.submitted(owner), "recall")
    monkeypatch.setitem(GUARDS, "update_missed", lambda _case: None)
    days = holidays()
    with unit_of_work() as session:
        act_by_system(session, recalled.public_id, "close", days)
    body = json.loads(deliveries()[-1].body)
    assert (body["type"], body["actor_role"], body["declaration"]["status"]) == ("declaration.close", "system", "void")


@sqlite_only
def test_without_an_address_a_deed_asks_one_question_more(context: Flask, city: Account) -> None:
    def asked(user: Account, of: Declaration, action: str) -> list[str]:
        seen: list[str] = []

        def note(_c: Any, _cursor: Any, statement: str, *_more: Any) -> None:
            seen.append(statement)

        sqlalchemy_event.listen(db.engine, "before_cursor_execute", note)
        try:
            factories.perform(user, of, action)
        finally:
            sqlalchemy_event.remove(db.engine, "before_cursor_execute", note)
        return [s for s in seen if "webhook" in s or "INTO job" in s]

    sent = factories.submitted()
    assert len(asked(city, sent, "confirm")) == 1


# -- who hears what -------------------------------------------------------------------------------------------------


def declaration_from(region: str) -> Declaration:
    owner = factories.make_account(roles.ENTERPRISE, enterprise=factories.make_enterprise(region=region))
    return factories.submitted(owner)


@pytest.mark.parametrize(
    ("region", "hears"),
    [("230108", True), ("230102", False), ("230100", True), ("230000", True), ("000000", True), ("220000", False),
     ("220100", False), ("", False)],
    ids=lambda v: str(v) or "none",
)  # fmt: skip
def test_an_address_hears_of_its_region_only(context: Flask, region: str, hears: bool) -> None:
    make_webhook(region_code=region)
    declaration_from("230108")
    assert [d.kind for d in deliveries()] == ["declaration.submit"] * hears


def test_two_districts_hear_of_their_own(context: Flask) -> None:
    here, there = make_webhook(region_code="230108"), make_webhook(region_code="230102")
    mine, theirs = declaration_from("230108"), declaration_from("230102")
    heard = {(d.webhook_id, json.loads(d.body)["declaration"]["public_id"]) for d in deliveries()}
    assert heard == {(here.id, mine.public_id), (there.id, theirs.public_id)}


@pytest.mark.parametrize(
    ("facts", "kinds"),
    [
        ({"events": ["confirm"]}, ["confirm"]),
        ({"events": ["confirm", "submit"]}, ["submit", "confirm"]),
        ({"events": ["reject"]}, []),
        ({"programmes": ["hrb_cultivation_intake"]}, ["submit", "confirm"]),
        ({"programmes": ["enterprise_certification"]}, []),
        ({"active": False}, []),
    ],
    ids=["one", "two", "none", "programme", "other programme", "off"],
)
def test_an_address_hears_what_it_was_made_for(
    context: Flask, city: Account, facts: dict[str, Any], kinds: list[str]
) -> None:
    make_webhook(**facts)
    factories.perform(city, factories.submitted(), "confirm")
    assert [d.kind for d in deliveries()] == [f"declaration.{kind}" for kind in kinds]


# -- sending --------------------------------------------------------------------------------------------------------


def test_it_arrives_signed(receiver: Receiver) -> None:
    hook = make_webhook(f"{receiver.url}?key=inner-key", failures=3, told_at=now())
    factories.submitted()
    run_all()
    (only,) = deliveries()
    (seen,) = receiver.seen
    assert seen.body == only.body.encode() and seen.told["declaration"]["status"] == "in_progress"
    assert seen.headers["x-shenbao-delivery"] == only.public_id == seen.told["id"]
    assert seen.headers["x-shenbao-event"] == "declaration.submit"
    assert seen.headers["content-type"] == "application/json; charset=utf-8"
    assert seen.headers["user-agent"] == announcement.AGENT
    assert is_genuine(SECRET, seen) and not is_genuine("another", seen)
    assert (only.state, only.tries, only.status, only.answer, only.error) == ("sent", 1, 200, "ok", None)
    assert only.sent_at is not None
    assert (hook_now(hook).failures, hook_now(hook).told_at) == (0, None)
    assert [j.state for j in jobs_of()] == ["done"]


def test_500_then_200(receiver: Receiver) -> None:
    receiver.statuses = [500, 503, 200]
    hook = make_webhook(receiver.url)
    factories.submitted()
    run_all()
    (only,) = deliveries()
    assert (only.state, only.tries, only.status) == ("failed", 1, 500)
    assert only.error is not None and "500" in only.error
    assert hook_now(hook).failures == 1
    (job,) = jobs_of()
    assert job.state == "queued" and job.run_after > now() + timedelta(seconds=5)
    hurry()
    run_all()
    hurry()
    run_all()
    (only,) = deliveries()
    assert (only.state, only.tries, only.status, only.error) == ("sent", 3, 200, None)
    assert hook_now(hook).failures == 0
    bodies = {seen.body for seen in receiver.seen}
    assert len(receiver.seen) == 3 and len(bodies) == 1, "the same text under the same id each time"
    assert all(is_genuine(SECRET, seen) for seen in receiver.seen)


@pytest.mark.parametrize("status", [301, 307])
def test_redirects_are_failures(receiver: Receiver, status: int) -> None:
    with receiving() as elsewhere:
        receiver.statuses, receiver.headers = [status], {"Location": elsewhere.url}
        make_webhook(receiver.url)
        factories.submitted()
        run_all()
        assert elsewhere.seen == []
    (only,) = deliveries()
    assert (only.state, only.status) == ("failed", status) and "改成最后的地址" in (only.error or "")


def test_a_slow_receiver_is_a_failure_and_holds_no_transaction(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcement.post, "__defaults__", ((), 0.4))
    receiver.hold.clear()
    make_webhook(receiver.url)
    factories.submitted()
    run_all()
    (only,) = deliveries()
    assert (only.state, only.status) == ("failed", None) and "规定时间" in (only.error or "")


def test_a_huge_answer_is_kept_in_part(receiver: Receiver) -> None:
    receiver.answer = "收到\x00".encode() * 100_000
    make_webhook(receiver.url)
    factories.submitted()
    run_all()
    (only,) = deliveries()
    assert only.state == "sent" and only.answer is not None
    assert len(only.answer) <= 500 and "\x00" not in only.answer


def test_410_switches_it_off(receiver: Receiver) -> None:
    admin_id = factories.make_account(roles.ADMIN).id
    receiver.statuses = [410]
    hook = make_webhook(receiver.url)
    factories.submitted()
    factories.submitted()
    run_all()
    assert len(receiver.seen) == 1
    assert not hook_now(hook).active and hook_now(hook).version == 2
    assert [(d.state, d.status) for d in deliveries()] == [("dead", 410), ("dead", None)]
    assert "停用" in (deliveries()[1].error or "")
    assert [j.state for j in jobs_of()] == ["done", "done"]
    event = db.session.scalars(select(Event).where(Event.action == "webhook_off")).one()
    assert (event.actor_role, event.subject) == ("system", f"webhook:{hook.public_id}")
    assert told() == ["“市大数据平台”的对方不再接收，推送已停用"]
    assert db.session.scalars(select(Message.link).where(Message.account_id == admin_id)).all() == [
        f"/system/webhooks/{hook.public_id}"
    ]


def test_given_up_after_the_last_try(receiver: Receiver) -> None:
    factories.make_account(roles.ADMIN)
    factories.make_account(roles.ADMIN, active=False)
    receiver.statuses = [500]
    hook = make_webhook(receiver.url)
    factories.submitted()
    for _ in range(announcement.TRIES + 2):
        run_all()
        hurry()
    (only,) = deliveries()
    assert (only.state, only.tries, len(receiver.seen)) == ("dead", announcement.TRIES, announcement.TRIES)
    assert [j.state for j in jobs_of()] == ["dead"]
    assert told() == ["“市大数据平台”的推送没有送到"]
    assert hook_now(hook).active, "one that fails is not switched off: the receiver may come back"


def test_administrators_hear_once_until_it_works_again(receiver: Receiver) -> None:
    factories.make_account(roles.ADMIN)
    hook = make_webhook(receiver.url, failures=announcement.TRIES - 1)
    for statuses, messages in (([500], 1), ([500], 1), ([200], 1), ([500], 1)):
        receiver.statuses = statuses
        factories.submitted()
        run_all()
        hurry()
        run_all()
        hurry()
        assert len(told()) == messages
    assert hook_now(hook).told_at is None or hook_now(hook).failures


def test_an_address_that_fails_is_left_alone_and_keeps_nobody_waiting(receiver: Receiver) -> None:
    receiver.statuses = [500]
    hook = make_webhook(receiver.url)
    for _ in range(4):
        factories.submitted()
    with unit_of_work() as session:
        other = jobs.enqueue(session, "sweep_files").id
    run_all()
    assert len(receiver.seen) == 1, "the others wait until the address has rested"
    assert sorted(d.state for d in deliveries()) == ["failed", "queued", "queued", "queued"]
    assert [j.tries for j in jobs_of()] == [1, 0, 0, 0], "waiting costs no try"
    rest = hook_now(hook).rests_until
    assert rest is not None and all(j.run_after > now() for j in jobs_of())
    assert db.session.get_one(Job, other).state == "done"
    receiver.statuses = [200]
    hurry()
    run_all()
    assert [d.state for d in deliveries()] == ["sent"] * 4


@sqlite_only
@pytest.mark.parametrize(("failures", "seconds"), [(0, 10), (1, 20), (2, 40), (5, 320), (6, 600), (50, 600)], ids=str)
def test_rests_grow_up_to_ten_minutes(receiver: Receiver, failures: int, seconds: int) -> None:
    receiver.statuses = [500]
    hook = make_webhook(receiver.url, failures=failures)
    factories.submitted()
    before = now()
    run_all()
    rest = hook_now(hook).rests_until
    assert rest is not None and abs((rest - before).total_seconds() - seconds) < 5


def test_what_is_too_old_is_given_up(receiver: Receiver) -> None:
    receiver.statuses = [500]
    hook = make_webhook(receiver.url, rests_until=now() + timedelta(hours=1), failures=3)
    factories.submitted()
    with unit_of_work() as session:
        session.get_one(Job, jobs_of()[0].id).created_at = now() - timedelta(days=4)
    run_all()
    assert [(d.state, d.tries) for d in deliveries()] == [("dead", 1)]
    assert hook_now(hook).told_at is not None


def test_switched_off_meanwhile_nothing_is_sent(receiver: Receiver) -> None:
    hook = make_webhook(receiver.url)
    factories.submitted()
    with unit_of_work() as session:
        session.get_one(Webhook, hook.id).active = False
    run_all()
    assert receiver.seen == []
    assert [(d.state, d.tries, d.error) for d in deliveries()] == [("dead", 0, "推送已停用，没有发送。")]


def test_an_address_that_became_an_inner_one_gets_nothing(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as receiver:
        make_webhook(receiver.url)
        factories.submitted()
        run_all()
        assert receiver.seen == []
    (only,) = deliveries()
    assert only.state == "failed" and "https" in (only.error or "")


def test_sending_twice_what_was_sent_does_nothing(receiver: Receiver) -> None:
    make_webhook(receiver.url)
    factories.submitted()
    run_all()
    announcement.deliver(deliveries()[0].id)
    announcement.deliver(999_999)
    assert len(receiver.seen) == 1


def test_a_worker_that_died_in_the_last_try_leaves_nothing_undecided(context: Flask) -> None:
    factories.make_account(roles.ADMIN)
    make_webhook()
    factories.submitted()
    with unit_of_work() as session:
        job = session.get_one(Job, jobs_of()[0].id)
        job.state, job.tries, job.lease_until = "running", job.max_tries, now() - timedelta(seconds=1)
    assert jobs.claim() is None
    assert [d.state for d in deliveries()] == ["queued"]
    assert announcement.bury() == 1
    assert [(d.state, d.error) for d in deliveries()] == [("dead", "发送时中断，没有送到。")]
    assert announcement.bury() == 0
    assert len(told()) == 1


def test_upkeep_keeps_ninety_days(context: Flask) -> None:
    hook = make_webhook()
    for state, days in (("sent", 91), ("dead", 91), ("sent", 89), ("queued", 91)):
        factories.store(
            WebhookDelivery(
                webhook_id=hook.id, kind="trial", body="{}", state=state, created_at=now() - timedelta(days=days)
            )
        )
    assert upkeep.keep_up()["old announcements"] == 2
    assert [d.state for d in deliveries()] == ["sent", "queued"]


@sqlite_only
def test_neither_logs_nor_jobs_nor_messages_hold_secrets(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    factories.make_account(roles.ADMIN)
    hook = make_webhook(f"{receiver.url}?key=inner-key", failures=announcement.TRIES)
    receiver.statuses = [500, 200]
    factories.submitted()
    run_all()
    hurry()
    run_all()
    make_webhook("https://hooks.invalid/?key=inner-key")
    factories.submitted()
    run_all()
    seen = [caplog.text, *(str(j.error) + str(j.args) + str(j.result) for j in jobs_of())]
    seen += [m.title + m.body for m in db.session.scalars(select(Message))]
    seen += [f"{e.label}{e.data}" for e in db.session.scalars(select(Event))]
    seen += [f"{d.body}{d.error}" for d in deliveries()]
    for secret in (SECRET, "inner-key", hook.secret):
        assert not [text for text in seen if secret in text]
    assert SECRET not in hook.secret, "it rests encrypted"


# -- both kinds of worker -------------------------------------------------------------------------------------------


def test_the_built_in_worker_sends(receiver: Receiver, context: Flask) -> None:
    make_webhook(receiver.url)
    factories.submitted()
    stop, arrived = threading.Event(), threading.Event()
    receiver.hold = arrived
    thread = threading.Thread(target=lambda: _work(context, stop))
    thread.start()
    arrived.set()
    for _ in range(200):
        if deliveries()[0].state == "sent":
            break
        stop.wait(0.05)
    stop.set()
    thread.join(10)
    assert [d.state for d in deliveries()] == ["sent"] and len(receiver.seen) == 1


def _work(app: Flask, stop: threading.Event) -> None:
    with app.app_context():
        worker.work(stop)


@sqlite_only
def test_redis_carries_announcements_too(context: Flask, receiver: Receiver) -> None:
    try:
        with servers.redis() as url:
            context.config["REDIS_URL"] = url
            make_webhook(receiver.url)
            factories.submitted()
            worker.work_with_redis(threading.Event(), burst=True)
    except servers.NotHere as reason:
        pytest.skip(f"no Redis: {reason}")
    assert [d.state for d in deliveries()] == ["sent"]
    assert db.session.scalar(select(func.count()).select_from(Job).where(Job.kind == "webhook")) == 1
