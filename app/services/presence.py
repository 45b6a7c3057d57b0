"""Who else is filling in a declaration now, and what they changed since a page was drawn. No lock, no event.

A page tells every twenty seconds where its reader is; whoever told nothing for a minute is gone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select

from app.definitions import registry
from app.definitions.schema import Definition
from app.errors import Conflict, NotFound, Refused, Unavailable
from app.extensions import db
from app.models import Account, AnswerRow, Declaration, Presence
from app.models.base import now
from app.permissions import rules
from app.services.unit_of_work import unit_of_work

FRESH = timedelta(seconds=60)
"""How long a person counts as there."""
WORTH_WRITING = timedelta(seconds=15)
"""A visit that is newer than this, in the same place, is not written again."""


@dataclass(frozen=True)
class Colleague:
    """Somebody else who is filling in now: name, and the label of the section (empty if it is gone)."""

    name: str
    place: str

    @property
    def initial(self) -> str:
        """The sign in the round mark."""
        return self.name[:1]


@dataclass
class Around:
    """What a page learns: colleagues, paths of others' newer answers, whether rows came or went, and whose hand it was.

    ``until`` is what the page sends as ``since`` the next time.
    """

    until: datetime
    colleagues: list[Colleague] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    rows_changed: bool = False
    editors: list[str] = field(default_factory=list)


def look_around(user: Account, public_id: str, section: str, path: str, since: datetime) -> Around:
    """Note where ``user`` is, and tell who else is there and what changed after ``since`` (aware).

    NotFound for strangers; Refused when the declaration cannot be filled in any more.
    """
    declaration = _opened(user, public_id)
    definition = declaration.programme.definition
    params = registry.parameters_of(definition, declaration.batch.parameters)
    labels = {s.key: s.label for s in registry.resolve(definition, params).sections}
    labels["attachments"] = definition.attachments_label
    _note(user, declaration, section if section in labels else "", path[:200])
    around = Around(until=max(declaration.saved_at, since))
    around.colleagues = [Colleague(name, labels.get(place, "")) for name, place in _others(user, declaration.id)]
    if declaration.saved_at > since:
        _add_changes(around, user, declaration, definition, section, since)
    return around


def _opened(user: Account, public_id: str) -> Declaration:
    statement = select(Declaration).where(Declaration.public_id == public_id)
    declaration = db.session.scalars(statement).unique().first()
    if declaration is None or not rules.is_own(user, declaration):
        raise NotFound("没有找到这件申报。它可能已被删除，请从“我的申报”重新打开。")
    refusal = rules.refuse_edit(user, declaration)
    if refusal:
        raise Refused(refusal)
    return declaration


def _note(user: Account, declaration: Declaration, section: str, path: str) -> None:
    mine = (Presence.declaration_id == declaration.id, Presence.account_id == user.id)
    seen = db.session.execute(select(Presence.section, Presence.path, Presence.seen_at).where(*mine)).first()
    at = now()
    if seen is not None and seen[:2] == (section, path) and at - seen.seen_at < WORTH_WRITING:
        return
    declaration_id, account_id = declaration.id, user.id
    # Two windows of one person that come first at once, or a busy database: the next visit is noted.
    with suppress(Conflict, Unavailable), unit_of_work() as session:
        row = session.scalars(select(Presence).where(*mine)).first()
        if row is None:
            row = Presence(declaration_id=declaration_id, account_id=account_id)
            session.add(row)
        row.section, row.path, row.seen_at = section, path, at


def _others(user: Account, declaration_id: int) -> list[tuple[str, str]]:
    statement = (
        select(Account, Presence.section)
        .join(Presence, Presence.account_id == Account.id)
        .join(Declaration, Declaration.id == Presence.declaration_id)
        .where(
            Presence.declaration_id == declaration_id,
            Presence.account_id != user.id,
            Presence.seen_at > now() - FRESH,
            Account.enterprise_id == Declaration.enterprise_id,
        )
        .order_by(Presence.seen_at.desc())
    )
    return [(a.get_full_name(), section) for a, section in db.session.execute(statement).unique()]


def _add_changes(
    around: Around, user: Account, declaration: Declaration, definition: Definition, section: str, since: datetime
) -> None:
    """Fields and rows of ``section`` that somebody else wrote after ``since``."""
    rows = list(db.session.scalars(select(AnswerRow).where(AnswerRow.declaration_id == declaration.id)))
    places = _places(definition, section)
    hands: set[int] = set()
    for row in rows:
        prefix = _prefix(row, definition)
        for key, account_id, at in edits_of(row):
            if account_id != user.id and at > since and (row.table_key, key) in places:
                around.changed.append(f"{prefix}{key}")
                hands.add(account_id)
        if row.removed_by not in (None, user.id) and row.removed_at is not None and row.removed_at > since:
            around.rows_changed = around.rows_changed or (row.table_key, "") in places
            hands.add(row.removed_by or 0)
    around.rows_changed = around.rows_changed or any(
        (r.table_key, "") in places and _came(r, user.id, since, hands) for r in rows if r.removed_at is None
    )
    names = {a.id: a.get_full_name() for a in db.session.scalars(select(Account).where(Account.id.in_(hands))).unique()}
    around.editors = sorted(names.values())


def _came(row: AnswerRow, account_id: int, since: datetime, hands: set[int]) -> bool:
    """Whether somebody else added the row after ``since``; the hand is noted."""
    made = (row.editors or {}).get("")
    if made is None or made[0] == account_id or datetime.fromisoformat(made[1]) <= since:
        return False
    hands.add(made[0])
    return True


def edits_of(row: AnswerRow) -> Iterator[tuple[str, int, datetime]]:
    """Key, account and moment of every answer in ``row`` that somebody typed."""
    for key, (account_id, at) in (row.editors or {}).items():
        if key:
            yield key, account_id, datetime.fromisoformat(at)


def _places(definition: Definition, section: str) -> set[tuple[str, str]]:
    """(table, key) of every field of ``section``; (table, "") for its tables themselves."""
    places = {("", f.key) for s, f in definition.fields() if s.key == section}
    for s, table, _parent in definition.tables():
        if s.key == section:
            places |= {(table.key, "")} | {(table.key, c.key) for c in table.all_columns}
    return places


def _prefix(row: AnswerRow, definition: Definition) -> str:
    if not row.table_key:
        return ""
    outer = next((p for _s, t, p in definition.tables() if t.key == row.table_key), None)
    below = f"{outer.key}/{row.parent_row_id}/" if outer is not None else ""
    return f"{below}{row.table_key}/{row.row_id}/"
