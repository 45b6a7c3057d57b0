"""Adding, changing and deleting records of reference data: the record and its event in one transaction, or neither."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.definitions import registry
from app.errors import Conflict, InvalidInput, NotFound, Refused
from app.models import Account, Batch, Declaration, Enterprise, Handover, Industry, Region
from app.models.base import Model
from app.models.generated import build_projection
from app.services.permission import has_door
from app.services.reference import lookups
from app.services.unit_of_work import after_commit, unit_of_work
from app.workflow.engine import record

Values = Mapping[str, Any]
Describe = Callable[[Model], dict[str, str]]
"""The record in people's words, label → text, for its event."""
GONE = "没有找到这条记录。它可能已被删除，请回到列表。"
CHANGED = "这条记录刚被别人改过，您的修改还没有保存。请核对下面的内容，要改的请打开最新的那一条再改。"
TAKEN = "已经有这一条了，请核对，或到列表里修改那一条。"
LABELS = {"add": "添加", "edit": "修改", "delete": "删除"}


@dataclass(frozen=True)
class Kind:
    """A kind of record: the grid it is written in, its table, the scope of who writes, and its words."""

    grid: str
    label: str
    model: type[Model]
    scope: Callable[[Account], ColumnElement[bool]]
    describe: Describe


def fingerprint(row: Model) -> str:
    """A digest of everything that is stored in ``row``: whether it was changed since it was shown."""
    stored = "\x1f".join(f"{c.key}={getattr(row, c.key)!r}" for c in row.__mapper__.column_attrs)
    return hashlib.sha256(stored.encode()).hexdigest()


def add_record(user: Account, kind: Kind, values: Values) -> int:
    """Add a record; returns its id. Refused without the door, Conflict naming the field if it is there already,
    InvalidInput naming the field for a code that does not exist."""
    with _changing(user, kind, "add") as session:
        row = kind.model(**values)
        _check_parent(session, kind, row)
        session.add(row)
        _flush(session, kind, row)
        _note(session, user, kind, "add", row)
        return int(row.id)


def change_record(user: Account, kind: Kind, key: int, values: Values, *, shown: str) -> None:
    """Change the record ``key`` as it was when its fingerprint was ``shown``.

    NotFound, Refused; Conflict if it was changed since, or is a double of another; InvalidInput for a code that does not
    exist, and for a new code of a record whose old one is in use.
    """
    with _changing(user, kind, "edit") as session:
        row = _found(session, user, kind, key)
        if fingerprint(row) != shown:
            raise Conflict(CHANGED)
        before = kind.describe(row)
        if "code" in values and values["code"] != row.code:
            _check_unused(session, kind, row, "代码不能改", "code")
        for name, value in values.items():
            setattr(row, name, value)
        _check_parent(session, kind, row)
        _flush(session, kind, row)
        _note(session, user, kind, "edit", row, before)


def remove_record(user: Account, kind: Kind, key: int) -> None:
    """Delete the record ``key``. NotFound, Refused; Conflict saying where it is used."""
    with _changing(user, kind, "delete") as session:
        row = _found(session, user, kind, key)
        _check_unused(session, kind, row, "不能删除")
        session.delete(row)
        session.flush()
        _note(session, user, kind, "delete", row)


@contextmanager
def _changing(user: Account, kind: Kind, deed: str) -> Iterator[Session]:
    """The transaction of one change, once the door is open; names of codes are read anew after it."""
    if not has_door(user, kind.grid, deed):
        raise Refused(f"您的账号没有{LABELS[deed]}“{kind.label}”的权限。要用的话，请联系平台管理员开通。")
    with unit_of_work() as session:
        after_commit(session, lookups.forget)
        yield session


def _found(session: Session, user: Account, kind: Kind, key: int) -> Any:
    row = session.scalars(
        select(kind.model).where(kind.model.id == key, kind.scope(user)).with_for_update(of=kind.model)
    ).first()
    if row is None:
        raise NotFound(GONE)
    return row


def _flush(session: Session, kind: Kind, row: Model) -> None:
    try:
        session.flush()
    except IntegrityError as error:
        # The form looked before; somebody else was faster.
        unique = [c.key for c in kind.model.__table__.columns if c.unique]
        raise Conflict(TAKEN, fields=dict.fromkeys(unique[:1], TAKEN)) from error


def _note(
    session: Session, user: Account, kind: Kind, action: str, row: Any, before: Mapping[str, str] | None = None
) -> None:
    after = kind.describe(row)
    changed = {k: f"{before.get(k, '—')} 改为 {v}" for k, v in after.items() if before.get(k) != v} if before else {}
    gone = {k: f"{v} 改为 —" for k, v in (before or {}).items() if k not in after}
    data = {**after, **changed, **gone} if before is not None else after
    record(session, None, user, action=action, label=LABELS[action], subject=f"{kind.grid}:{row.id}"[:80], data=data)


# -- codes ----------------------------------------------------------------------------------------------------------


def _check_parent(session: Session, kind: Kind, row: Any) -> None:
    """The code above must be one that exists, and not the record's own."""
    parent = getattr(row, "parent_code", None)
    if not parent:
        return
    if parent == row.code:
        raise InvalidInput("上级不能是这一条自己。", fields={"parent_code": "上级不能是这一条自己。"})
    with session.no_autoflush:
        known = session.scalar(select(func.count()).where(kind.model.code == parent))
    if not known:
        sentence = f"没有代码是“{parent}”的记录。请从下拉里选，或先添加上级。"
        raise InvalidInput(sentence, fields={"parent_code": sentence})


Use = tuple[str, Any]
"""What uses a code, in words, and the column in which it stands."""

_USES: dict[type[Model], tuple[Use, ...]] = {
    Region: (
        ("下级地区", Region.parent_code),
        ("企业", Enterprise.region_code),
        ("账号", Account.region_code),
        ("批次", Batch.region_code),
        ("申报", Declaration.region_code),
        ("行文推荐", Handover.region_code),
    ),
    Industry: (("下级行业", Industry.parent_code), ("企业", Enterprise.industry_code)),
}
_TYPES = {Region: "region", Industry: "industry"}
"""Types of answers that hold codes of these records."""


def uses_of(session: Session, row: Any) -> list[str]:
    """Where the code of ``row`` is used, each in words with how often: ``企业（3 条）``. Empty for other records."""
    model = type(row)
    counted = ((words, _count(session, column, row.code)) for words, column in _columns_with(model))
    return [f"{words}（{count} 条）" for words, count in counted if count]


def _columns_with(model: type[Model]) -> Iterator[Use]:
    yield from _USES.get(model, ())
    wanted = _TYPES.get(model)
    for definition in registry.catalogue() if wanted else ():
        projection = build_projection(definition)
        for _section, spec in definition.fields():
            if spec.type == wanted:
                yield f"{definition.title}的“{spec.label}”", getattr(projection.main, spec.key)
        for _section, table, _parent in definition.tables():
            for column in table.all_columns:
                if column.type == wanted:
                    yield f"{definition.title}的“{column.label}”", getattr(projection.tables[table.key], column.key)


def _count(session: Session, column: Any, code: str) -> int:
    return session.scalar(select(func.count()).where(column == code)) or 0


def _check_unused(session: Session, kind: Kind, row: Any, refusal: str, field: str | None = None) -> None:
    used = uses_of(session, row)
    if used:
        instead = "不想再让人选它，可以修改这一条，去掉“启用”。" if hasattr(row, "active") else ""
        sentence = f"“{row}”正在使用，{refusal}：{'、'.join(used)}。{instead}"
        raise Conflict(sentence, fields={field: sentence} if field else None)
