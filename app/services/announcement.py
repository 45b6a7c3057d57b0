"""Announcing deeds to other systems (事件推送): written in the deed's own transaction, sent by jobs, signed.

An address that does not answer is left alone for a while, longer each time, so that it never keeps the worker from
other work. The order in which announcements arrive is not promised; the id lets receivers drop doubles.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.adapters.webhook import Answer, post, sign
from app.errors import InvalidInput, Unavailable
from app.extensions import db
from app.models import Account, Declaration, Event, Job, Webhook, WebhookDelivery
from app.models.base import new_public_id, now
from app.permissions import roles
from app.services.job import Postponed, enqueue
from app.services.message import tell_account
from app.services.opened import Opened
from app.services.privacy import cipher
from app.services.unit_of_work import unit_of_work
from app.workflow import engine
from config import Settings

log = logging.getLogger(__name__)

SEND = "webhook"
"""Kind of the job that sends one announcement."""
TRIAL = "trial"
"""Kind of an announcement that an administrator asked for, about no declaration."""
CONTEXT = "webhook"
"""What secrets are encrypted for."""
TRIES = 9
LIFE = timedelta(days=3)
"""How long an announcement is tried at most; nine tries take two and a half days."""
FIRST_REST, LONGEST_REST = timedelta(seconds=10), timedelta(minutes=10)
GONE = 410
AGENT = "Shenbao-Webhook/1"
ERROR_LENGTH = 300


# -- with the deed --------------------------------------------------------------------------------------------------


def announce(session: Session, opened: Opened, event: Event) -> None:
    """Want ``event``, a deed just done on the declaration, told to every address that listens, with the transaction."""
    declaration = opened.declaration
    if declaration.submitted_at is None:
        return  # As for offices: what was never handed in concerns nobody but the enterprise.
    hooks = session.scalars(select(Webhook).where(Webhook.active).order_by(Webhook.id))
    listening = [hook for hook in hooks if hears(hook, declaration, event.action)]
    if listening:
        facts = facts_of(opened, event)
        for hook in listening:
            put_out(session, hook, f"declaration.{event.action}", facts, event)


def hears(hook: Webhook, declaration: Declaration, action: str) -> bool:
    """Whether ``hook`` listens to ``action`` on this declaration."""
    region = declaration.region_code
    return (
        (not hook.events or action in hook.events)
        and (not hook.programmes or declaration.programme_key in hook.programmes)
        and region is not None
        and region.startswith(roles.region_prefix(hook.region_code))
    )


def facts_of(opened: Opened, event: Event) -> dict[str, Any]:
    """What is told of a deed: where the declaration stands now. No answers, no phones, no names of persons."""
    declaration, enterprise = opened.declaration, opened.declaration.enterprise
    step = opened.definition.step(declaration.step_key) if declaration.step_key else None
    newest = opened.revision.number if opened.revision else None
    return {
        "at": _utc(event.at),
        "actor_role": event.actor_role,
        "previous_status": event.from_status,
        "declaration": {
            "public_id": declaration.public_id,
            "serial_no": declaration.serial_no,
            "programme": {"key": declaration.programme_key, "title": opened.definition.title},
            "batch": {"public_id": declaration.batch.public_id, "title": declaration.batch.title},
            "enterprise": {
                "name": declaration.enterprise_name or enterprise.name,
                "credit_code": enterprise.credit_code,
            },
            "region_code": declaration.region_code,
            "status": declaration.status,
            "step": {"key": step.key, "label": step.label} if step else None,
            "revision": event.revision_no or newest,
        },
    }


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def put_out(
    session: Session, hook: Webhook, kind: str, facts: Mapping[str, Any], event: Event | None
) -> WebhookDelivery:
    """Write one announcement and the job that sends it, in the caller's transaction."""
    public_id = new_public_id()
    body = json.dumps(
        {"id": public_id, "type": kind, **facts}, ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )
    delivery = WebhookDelivery(
        public_id=public_id,
        webhook_id=hook.id,
        event_id=event.id if event else None,
        kind=kind,
        body=body,
        created_at=now(),
    )
    session.add(delivery)
    session.flush()
    _want_sent(session, delivery)
    return delivery


def _want_sent(session: Session, delivery: WebhookDelivery) -> None:
    delivery.job_id = enqueue(session, SEND, {"delivery": delivery.id}, max_tries=TRIES).id


def send_again(session: Session, delivery: WebhookDelivery) -> None:
    """Want a (locked) announcement sent now, the same text under the same id; one that waits is only brought forward."""
    job = session.get(Job, delivery.job_id, with_for_update=True) if delivery.job_id else None
    if job is not None and job.state == "queued":
        job.run_after = now()
    elif job is None or job.state != "running":
        _want_sent(session, delivery)
    delivery.state, delivery.error = "queued", None


# -- sending --------------------------------------------------------------------------------------------------------


def deliver(delivery_id: int) -> None:
    """Send one announcement. Unavailable: not taken, the worker tries again later. Postponed: the address rests."""
    delivery = db.session.get(WebhookDelivery, delivery_id)
    if delivery is None or delivery.state in ("sent", "dead"):
        return
    hook = delivery.webhook
    if not hook.active:
        _settle(delivery_id, None, _("推送已停用，没有发送。"))
        return
    rest = hook.rest_left(now())
    if rest and not _is_old(db.session.get(Job, delivery.job_id)):
        raise Postponed(rest)
    answer, error = _try(delivery, hook)
    if not _settle(delivery_id, answer, error):
        raise Unavailable(error or "")


def _is_old(job: Job | None) -> bool:
    return job is None or now() - job.created_at > LIFE


def _try(delivery: WebhookDelivery, hook: Webhook) -> tuple[Answer | None, str | None]:
    """The answer, if there was one, and what is wrong with it; nothing is, if the receiver took the announcement."""
    settings: Settings = current_app.config["SETTINGS"]
    url, body, timestamp = hook.url, delivery.body.encode(), int(time.time())
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": AGENT,
        "X-Shenbao-Delivery": delivery.public_id,
        "X-Shenbao-Event": delivery.kind,
        "X-Shenbao-Signature": sign(cipher().decrypt(hook.secret, CONTEXT), timestamp, body),
    }
    db.session.rollback()  # A receiver may take its time; no connection to the database is held meanwhile.
    try:
        answer = post(url, body, headers, settings.webhook_allowed_hosts)
    except (Unavailable, InvalidInput) as trouble:
        return None, trouble.message[:ERROR_LENGTH]
    if 200 <= answer.status < 300:
        return answer, None
    return answer, _refusal(answer.status)


def _refusal(status: int) -> str:
    if status == GONE:
        return _("对方答复 410：这个地址不再接收。推送已自动停用。")
    if 300 <= status < 400:
        return _("对方答复 %(status)s，要转到别的地址。推送不跟着转，请改成最后的地址。", status=status)
    return _("对方答复 %(status)s，没有收下。", status=status)


def _settle(delivery_id: int, answer: Answer | None, error: str | None) -> bool:
    """Write down what became of a try. False if the receiver did not take it, and did not say that it never will."""
    with unit_of_work() as session:
        delivery = session.get_one(WebhookDelivery, delivery_id, with_for_update=True)
        hook = delivery.webhook
        delivery.error = error
        delivery.status, delivery.answer = (answer.status, answer.excerpt) if answer else (None, None)
        if hook.active:
            delivery.tries += 1
        if error is None:
            _arrived(delivery, hook)
        elif not hook.active:
            delivery.state = "dead"
        elif answer is not None and answer.status == GONE:
            _switch_off(session, delivery, hook)
        else:
            _not_taken(session, delivery, hook)
        log.info("announcement %s: %s (%s)", delivery.public_id, delivery.state, delivery.status)
        return error is None or not hook.active


def _arrived(delivery: WebhookDelivery, hook: Webhook) -> None:
    delivery.state, delivery.sent_at = "sent", now()
    hook.failures, hook.rests_until, hook.told_at = 0, None, None


def _switch_off(session: Session, delivery: WebhookDelivery, hook: Webhook) -> None:
    delivery.state, hook.active, hook.version = "dead", False, hook.version + 1
    engine.record(session, None, None, action="webhook_off", label="对方不再接收，停用了推送",
                  subject=f"webhook:{hook.public_id}", data={"名称": hook.name})  # fmt: skip
    _tell_administrators(session, hook, _("“%(name)s”的对方不再接收，推送已停用", name=hook.name),
                         _("对方答复 410。还要推送的，请和对方核对地址，改好后再启用。"))  # fmt: skip


def _not_taken(session: Session, delivery: WebhookDelivery, hook: Webhook) -> None:
    """Try again later, or give up after the last try; after so many in a row administrators hear of it, once."""
    job = session.get(Job, delivery.job_id) if delivery.job_id else None
    is_last = job is None or job.tries >= job.max_tries or _is_old(job)
    delivery.state = "dead" if is_last else "failed"
    hook.failures += 1
    hook.rests_until = now() + min(LONGEST_REST, FIRST_REST * 2 ** min(hook.failures - 1, 10))
    if is_last or hook.failures >= TRIES:
        _tell_of_losses(session, hook, delivery.error or "")


def _tell_of_losses(session: Session, hook: Webhook, error: str) -> None:
    if hook.told_at is None:
        hook.told_at = now()
        _tell_administrators(session, hook, _("“%(name)s”的推送没有送到", name=hook.name),
                             _("最近一次的原因：%(error)s请看推送记录，修好以后可以重发。", error=error))  # fmt: skip


def _tell_administrators(session: Session, hook: Webhook, title: str, body: str) -> None:
    found = select(Account.id).where(Account.roles.any(name=roles.ADMIN), Account.active)
    for account_id in session.scalars(found):
        tell_account(session, account_id, "information_update", title, body, f"/system/webhooks/{hook.public_id}")


# -- upkeep ---------------------------------------------------------------------------------------------------------


def bury() -> int:
    """Give up announcements whose job is gone, because its worker died in the last try. Returns how many."""
    with unit_of_work() as session:
        living = select(Job.id).where(Job.state.in_(("queued", "running")))
        lost: Iterable[WebhookDelivery] = session.scalars(
            select(WebhookDelivery)
            .where(WebhookDelivery.state.in_(("queued", "failed")), WebhookDelivery.job_id.not_in(living))
            .limit(1000)
        ).all()
        count = 0
        for delivery in lost:
            delivery.state, delivery.error = "dead", _("发送时中断，没有送到。")
            _tell_of_losses(session, delivery.webhook, delivery.error)
            count += 1
        return count
