"""Addresses that hear of deeds (事件推送): made, changed, switched and tried by administrators."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.adapters.webhook import target_of
from app.definitions import registry
from app.errors import Conflict, InvalidInput, NotFound, Refused
from app.extensions import db
from app.models import Account, Region, Webhook, WebhookDelivery
from app.models.base import now
from app.permissions import roles
from app.services.announcement import CONTEXT, TRIAL, put_out, send_again
from app.services.challenge import Visitor
from app.services.confirmation import confirm_password
from app.services.privacy import cipher
from app.services.reference import lookups, region_name
from app.services.unit_of_work import unit_of_work
from app.workflow import engine
from app.workflow.steps import DEEDS
from config import Settings

NAME_LENGTH = 60
SHOWN = 50
"""How many announcements the page of an address lists."""


@dataclass(frozen=True)
class Wanted:
    """What an administrator asks for. ``events`` are actions, ``programmes`` keys; none means all."""

    name: str
    url: str
    region_code: str
    events: tuple[str, ...] = ()
    programmes: tuple[str, ...] = ()


BESIDE_THE_TABLE = {"correct": "更正"}
"""Deeds that are announced too, although they move nothing: the workflow table does not have them."""


def event_labels() -> dict[str, str]:
    """Every action that is announced with its words; in the workflow table one action may have several."""
    found: dict[str, list[str]] = {}
    for deed in DEEDS:
        words = found.setdefault(deed.action, [])
        if deed.label not in words:
            words.append(deed.label)
    return {action: "／".join(words) for action, words in found.items()} | BESIDE_THE_TABLE


def programme_labels() -> dict[str, str]:
    """Every programme that can be listened to."""
    return {d.key: d.menu or d.title for d in registry.catalogue()}


def _home_of(user: Account) -> str:
    return user.region_code or str(current_app.config["CITY_CODE"])


def regions_of(user: Account) -> list[tuple[str, str]]:
    """Regions that ``user`` can choose from, the own one first: code and name."""
    home = _home_of(user)
    inside = Region.code.startswith(roles.region_prefix(home), autoescape=True)
    codes = db.session.scalars(select(Region.code).where(Region.active, inside).order_by(Region.code))
    return [(code, region_name(code) or code) for code in dict.fromkeys((home, *codes))]


def _require_administrator(user: Account) -> None:
    if roles.ADMIN not in user.role_names:
        raise Refused(_("只有平台管理员能管理事件推送。"))


def webhooks_of(user: Account) -> list[Webhook]:
    """Every address, newest first. Refused for anybody but administrators."""
    _require_administrator(user)
    return list(db.session.scalars(select(Webhook).order_by(Webhook.id.desc())))


def webhook_of(user: Account, public_id: str) -> Webhook:
    """One address. Refused, NotFound."""
    _require_administrator(user)
    hook = db.session.scalars(select(Webhook).where(Webhook.public_id == public_id)).first()
    if hook is None:
        raise _no_webhook()
    return hook


def _no_webhook() -> NotFound:
    return NotFound(_("没有找到这个推送。请回到事件推送的列表。"))


def deliveries_of(hook: Webhook) -> list[WebhookDelivery]:
    """The newest announcements to an address."""
    statement = select(WebhookDelivery).where(WebhookDelivery.webhook_id == hook.id)
    newest = statement.options(joinedload(WebhookDelivery.event)).order_by(WebhookDelivery.id.desc()).limit(SHOWN)
    return list(db.session.scalars(newest))


# -- what is asked for ----------------------------------------------------------------------------------------------


def _check(user: Account, wanted: Wanted) -> None:
    """InvalidInput (fields ``name``, ``url``, ``region``, ``events``, ``programmes``) with a sentence for each."""
    problems = {
        "name": _name_problem(wanted.name),
        "url": _url_problem(wanted.url),
        "region": _region_problem(user, wanted.region_code),
        "events": _unknown(wanted.events, event_labels()),
        "programmes": _unknown(wanted.programmes, programme_labels()),
    }
    found = {name: sentence for name, sentence in problems.items() if sentence is not None}
    if found:
        raise InvalidInput(next(iter(found.values())), fields=found)


def _name_problem(name: str) -> str | None:
    if not name:
        return _("请写推送给哪个系统。")
    if len(name) > NAME_LENGTH:
        return _("名称最多 %(most)s 个字，现在是 %(n)s 个，请改短。", most=NAME_LENGTH, n=len(name))
    return None


def _url_problem(url: str) -> str | None:
    settings: Settings = current_app.config["SETTINGS"]
    try:
        target_of(url, settings.webhook_allowed_hosts)
    except InvalidInput as problem:
        return problem.message
    return None


def _region_problem(user: Account, code: str) -> str | None:
    inside = code.startswith(roles.region_prefix(_home_of(user))) and lookups.region(code)
    return None if inside or code == _home_of(user) else _("请选您管理范围里的一个地区。")


def _unknown(asked: Collection[str], known: Mapping[str, str]) -> str | None:
    beyond = sorted(set(asked) - known.keys())
    return _("没有这些选项：%(names)s。请刷新页面再选。", names="、".join(beyond)) if beyond else None


# -- deeds of administrators ----------------------------------------------------------------------------------------


def _new_secret() -> str:
    return secrets.token_urlsafe(32)


def create_webhook(user: Account, visitor: Visitor, wanted: Wanted, password: str) -> tuple[Webhook, str]:
    """A new address: its record, and the secret that announcements are signed with, which is not shown again.

    Refused for anybody but administrators; InvalidInput with its fields; TooMany after many wrong passwords.
    """
    _require_administrator(user)
    _check(user, wanted)
    confirm_password(user, visitor, password)
    secret = _new_secret()
    with unit_of_work() as session:
        hook = Webhook(
            **_values(wanted), secret=cipher().encrypt(secret, CONTEXT), created_at=now(), created_by=user.id
        )
        session.add(hook)
        session.flush()
        _note(session, user, visitor, hook, "webhook_add", "新建事件推送", _facts(hook))
        identity = hook.id
    return db.session.get_one(Webhook, identity), secret


def _values(wanted: Wanted) -> dict[str, Any]:
    return {
        "name": wanted.name,
        "url": wanted.url,
        "region_code": wanted.region_code,
        "events": sorted(wanted.events),
        "programmes": sorted(wanted.programmes),
    }


def change_webhook(
    user: Account, visitor: Visitor, public_id: str, version: int, wanted: Wanted, password: str
) -> Webhook:
    """Change where and of what is announced. Refused, NotFound, InvalidInput, TooMany; Conflict for an old version."""
    _require_administrator(user)
    _check(user, wanted)
    confirm_password(user, visitor, password)
    with unit_of_work() as session:
        hook = _locked(session, public_id)
        if hook.version != version:
            raise Conflict(_("这个推送刚被别人改过，您的修改还没保存。请刷新看最新内容后再改。"))
        for name, value in _values(wanted).items():
            setattr(hook, name, value)
        hook.version += 1
        hook.failures, hook.rests_until = 0, None
        _note(session, user, visitor, hook, "webhook_change", "修改事件推送", _facts(hook))
        identity = hook.id
    return db.session.get_one(Webhook, identity)


def renew_secret(user: Account, visitor: Visitor, public_id: str, password: str) -> tuple[Webhook, str]:
    """A new secret in place of the old one, which stops at once. Refused, NotFound, InvalidInput, TooMany."""
    webhook_of(user, public_id)
    confirm_password(user, visitor, password)
    secret = _new_secret()
    with unit_of_work() as session:
        hook = _locked(session, public_id)
        hook.secret = cipher().encrypt(secret, CONTEXT)
        hook.version += 1
        _note(session, user, visitor, hook, "webhook_secret", "换了推送的密钥", {"名称": hook.name})
        identity = hook.id
    return db.session.get_one(Webhook, identity), secret


def switch_webhook(user: Account, visitor: Visitor, public_id: str, *, active: bool) -> Webhook:
    """Switch an address on or off; again changes nothing. Refused, NotFound."""
    _require_administrator(user)
    with unit_of_work() as session:
        hook = _locked(session, public_id)
        if hook.active != active:
            hook.active, hook.version = active, hook.version + 1
            hook.failures, hook.rests_until, hook.told_at = 0, None, None
            action, label = ("webhook_on", "启用事件推送") if active else ("webhook_off", "停用事件推送")
            _note(session, user, visitor, hook, action, label, {"名称": hook.name})
        identity = hook.id
    return db.session.get_one(Webhook, identity)


def try_webhook(user: Account, visitor: Visitor, public_id: str) -> None:
    """Want an announcement about nothing sent, to see whether it arrives. Refused, NotFound; InvalidInput if it is off."""
    _require_administrator(user)
    with unit_of_work() as session:
        hook = _locked(session, public_id)
        _require_active(hook)
        hook.rests_until = None
        put_out(session, hook, TRIAL, {"at": now().isoformat(timespec="milliseconds").replace("+00:00", "Z")}, None)
        _note(session, user, visitor, hook, "webhook_try", "测试事件推送", {"名称": hook.name})


def resend(user: Account, visitor: Visitor, public_id: str) -> Webhook:
    """Want one announcement sent once more, under the same id. Refused, NotFound; InvalidInput if the address is off."""
    _require_administrator(user)
    with unit_of_work() as session:
        statement = select(WebhookDelivery).where(WebhookDelivery.public_id == public_id).with_for_update()
        delivery = session.scalars(statement).first()
        if delivery is None:
            raise NotFound(_("没有找到这条推送记录，可能已经清理了。"))
        hook = delivery.webhook
        _require_active(hook)
        hook.rests_until = None
        send_again(session, delivery)
        _note(session, user, visitor, hook, "webhook_resend", "重发一条推送", {"名称": hook.name})
        identity = hook.id
    return db.session.get_one(Webhook, identity)


def _require_active(hook: Webhook) -> None:
    if not hook.active:
        raise InvalidInput(_("这个推送停用了，没有发送。请先启用。"))


def _locked(session: Session, public_id: str) -> Webhook:
    hook = session.scalars(select(Webhook).where(Webhook.public_id == public_id).with_for_update()).first()
    if hook is None:
        raise _no_webhook()
    return hook


def _facts(hook: Webhook) -> dict[str, Any]:
    """What the record of deeds notes: the host only, because the rest of an address may be a key of the receiver."""
    settings: Settings = current_app.config["SETTINGS"]
    actions, titles = event_labels(), programme_labels()
    return {
        "名称": hook.name,
        "主机": target_of(hook.url, settings.webhook_allowed_hosts).host,
        "地区": region_name(hook.region_code) or hook.region_code,
        "事项": [actions[e] for e in hook.events] or _("全部"),
        "项目": [titles[p] for p in hook.programmes] or _("全部"),
    }


def _note(
    session: Session, user: Account, visitor: Visitor, hook: Webhook, action: str, label: str, data: dict[str, Any]
) -> None:
    engine.record(session, None, user, action=action, label=label, subject=f"webhook:{hook.public_id}", data=data,
                  address=visitor.address)  # fmt: skip
