"""What events speak of, by name: the record keeps ids and keys, people read titles. Nothing stored is changed.

Names are read for many events at once, in one statement per kind of record.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute

from app.definitions import registry
from app.extensions import db
from app.models import (
    Account,
    ApiToken,
    Attachment,
    Batch,
    Declaration,
    Enterprise,
    Event,
    Handover,
    Holiday,
    Industry,
    Notice,
    PublicList,
    Region,
    Webhook,
)
from app.permissions import roles
from app.permissions.members import RIGHT_LABELS
from app.workflow.calendar import SHANGHAI
from app.workflow.outcomes import STATE_LABELS
from app.workflow.steps import STATUS_LABELS

CHUNK = 500
"""Most ids in one statement."""
Ref = tuple[str, str]
"""Kind of record and id, as a subject holds them: ``batch:<public id>``."""


@dataclass(frozen=True)
class Source:
    """Where the names of a kind stand: the column of the id, and the columns that make up the name."""

    key: InstrumentedAttribute[Any]
    name: tuple[Any, ...]


_PERSON = func.coalesce(func.nullif(Account.display_name, ""), Account.username)
SOURCES: dict[str, Source] = {
    "account": Source(Account.id, (_PERSON,)),
    "enterprise": Source(Enterprise.id, (func.coalesce(Enterprise.name, "（还没认证的企业）"),)),
    "batch": Source(Batch.public_id, (Batch.title,)),
    "list": Source(PublicList.public_id, (PublicList.title,)),
    "attachment": Source(Attachment.public_id, (Attachment.filename,)),
    "notice": Source(Notice.id, (Notice.title,)),
    "region": Source(Region.id, (Region.full_name,)),
    "industry": Source(Industry.id, (Industry.full_name,)),
    "holiday": Source(Holiday.id, (Holiday.day, Holiday.name)),
    "handover": Source(Handover.public_id, (Handover.doc_no,)),
    "api_token": Source(ApiToken.public_id, (ApiToken.name,)),
    "declaration": Source(Declaration.public_id, (Declaration.enterprise_name, Declaration.serial_no)),
    "webhook": Source(Webhook.public_id, (Webhook.name,)),
}
HIDDEN = {"phone": _l("手机号（不显示）"), "name": _l("没有这个账号")}
"""Subjects that are kept as digests on purpose: nothing of them can be read."""

POINTERS = {"experts": "account", "expert": "account", "member": "account", "colleague": "account", "list": "list", "attachment": "attachment",
            "handover": "handover"}  # fmt: skip
"""Keys of what an event notes that hold ids, and ids of what."""
NOTED = {"title": "名称", "colleague": "同事", "list": "名单", "handover": "行文推荐", "doc_no": "文号", "amount": "金额（元）",
         "objection": "异议编号", "outcome": "认定状态", "certificate_no": "证书编号", "valid_from": "有效期起",
         "valid_to": "有效期止", "count": "件数", "way": "登录方式", "role": "身份", "user_type": "账号类型",
         "revision": "版本", "code": "校验码", "states": "状态", "label": "哪一项", "experts": "专家", "expert": "专家",
         "name": "姓名", "seal": "印章", "state": "核对", "matched": "校验码", "attachment": "文件", "key": "事项",
         "given": "加上", "taken": "去掉",
         "before": "修改前", "after": "修改后", "corrected": "更正内容", "kept_although": "更正后不符合", "basis": "依据",
         "opens_at": "开放时间", "closes_at": "截止时间", "published": "企业能看到", "checks": "核对过", "member": "成员",
         "right": "权限", "phone": "手机号"}  # fmt: skip
SAID = {"password": "密码", "sms": "短信", "seen": "看到", "not_seen": "没看到", "cannot_tell": "看不清", "done": "已核对",
        "pending": "等待核对", "failed": "要人工核对", "enterprise": "企业", "individual": "个人", "True": "是", "False": "否",
        "None": "—", "": "—", "this": "是这一版的", "older": "是以前一版的", "other": "是另一件申报的",
        "receipt": "是回执的", "unknown": "不是本平台的", "none": "没有读到"}  # fmt: skip
"""What an event notes, by the words that the services write: names and values."""


@dataclass(frozen=True)
class Names:
    """Names of the records that some events point to. Without any, ids of known kinds read as deleted records."""

    found: Mapping[Ref, str] = field(default_factory=dict)

    def subject(self, subject: str, kinds: Mapping[str, str]) -> str:
        """``批次 2026 年第一批`` for ``batch:<id>``; ``kinds`` are the words for what stands before the colon."""
        kind, _colon, key = subject.partition(":")
        if kind in HIDDEN:
            return str(HIDDEN[kind])
        word = kinds.get(kind, kind)
        if not key:
            return word
        name = self._name(kind, key) if kind in SOURCES else roles.LABELS.get(key, key)
        return f"{word} {name}"

    def noted(self, data: Mapping[str, Any]) -> str:
        """What the event notes, as ``name：value`` one after the other."""
        return "；".join(f"{_name_of(k)}：{self._value(k, v)}" for k, v in data.items() if not _is_repeated(k, data))

    def about(self, event: Event) -> str:
        """What the deed was done to, for the line of a history: the item, the experts, the file, the list; else ``""``."""
        data = event.data or {}
        if label := data.get("label"):
            return str(label)
        pointed = [self._value(key, data[key]) for key in POINTERS if data.get(key)]
        return "、".join(pointed)

    def _name(self, kind: str, key: str) -> str:
        return self.found.get((kind, key)) or _("（已删除）")

    def _value(self, key: str, value: Any) -> str:
        if key in POINTERS:
            return "、".join(self._name(POINTERS[key], str(one)) for one in _listed(value))
        if key in _CHANGEABLE or key.startswith("parameter_"):
            # A changed batch notes the value before and the one after.
            return _(" 改为 ").join(_said(one) for one in _listed(value))
        return "、".join(_WORDS.get(key, _said)(one) for one in _listed(value))


_CHANGEABLE = ("title", "opens_at", "closes_at", "published")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _said(value: Any) -> str:
    """A noted value in words: what services write as keys, moments in Shanghai time, all else as it stands."""
    text = "" if value is None else str(value)
    return SAID.get(text) or _moment(text) or text


def _moment(text: str) -> str:
    """``2026-11-20 09:00`` for an ISO moment with its zone; empty if it is none."""
    try:
        moment = datetime.fromisoformat(text) if "T" in text else None
    except ValueError:
        return ""
    return f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M}" if moment and moment.tzinfo else ""


_WORDS = {
    "outcome": lambda v: STATE_LABELS.get(v, v),
    "states": lambda v: STATUS_LABELS.get(v, v),
    "role": lambda v: roles.LABELS.get(v, v),
    "revision": lambda v: _("第 %(n)s 版", n=v),
    "key": lambda v: _reminders().get(v, v),
    "right": lambda v: RIGHT_LABELS.get(v, v),
}


def _reminders() -> dict[str, str]:
    return {r.key: r.text for d in registry.catalogue() for r in d.reminders}


def _name_of(key: str) -> str:
    if key.startswith("parameter_"):
        parameter = key.removeprefix("parameter_")
        return next((d.parameters[parameter].label for d in registry.catalogue() if parameter in d.parameters), key)
    return NOTED.get(key, key)


def _is_repeated(key: str, data: Mapping[str, Any]) -> bool:
    """Whether the same is said in words beside it: the path of a labelled item, a list with its title, a named expert."""
    return {"path": "label", "list": "title", "expert": "name"}.get(key, "") in data


def names_of(events: Iterable[Event]) -> Names:
    """The names of everything that ``events`` are about or note."""
    wanted: dict[str, set[str]] = {}
    for kind, key in (ref for event in events for ref in _refs(event)):
        wanted.setdefault(kind, set()).add(key)
    return Names({ref: name for kind, keys in wanted.items() for ref, name in _read(kind, sorted(keys))})


def _refs(event: Event) -> Iterator[Ref]:
    kind, _colon, key = (event.subject or "").partition(":")
    if kind in SOURCES and key:
        yield kind, key
    for name in POINTERS.keys() & event.data.keys():
        yield from ((POINTERS[name], str(one)) for one in _listed(event.data[name]))


def _read(kind: str, keys: list[str]) -> Iterator[tuple[Ref, str]]:
    source = SOURCES[kind]
    numbered = source.key.type.python_type is int
    ids: list[Any] = [int(k) for k in keys if k.isdigit()] if numbered else list(keys)
    for start in range(0, len(ids), CHUNK):
        statement = select(source.key, *source.name).where(source.key.in_(ids[start : start + CHUNK]))
        for key, *parts in db.session.execute(statement):
            yield (kind, str(key)), " ".join(str(part) for part in parts)
