"""Working answers: save one field, save a page, add, copy, move, remove and restore rows.

Text is kept exactly as typed, also when it does not fit; a newer text of somebody else is never overwritten.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.definitions import registry
from app.definitions.answers import row_path
from app.definitions.schema import Definition, Table
from app.errors import Conflict, InvalidInput, NotFound, Refused
from app.fields.base import FieldSpec, Raw
from app.models import Account, AnswerRow, Declaration
from app.models.base import new_public_id, now
from app.permissions import rules
from app.services.opened import Opened, unseen
from app.services.privacy import seal, unseal
from app.services.reference import lookups
from app.services.unit_of_work import unit_of_work
from app.workflow.calendar import SHANGHAI

MAX_RAW = 20_000
"""Longest text kept for one answer, in characters; anything longer is refused with its length."""


@dataclass(frozen=True)
class Editor:
    """Who saved something last, and when."""

    name: str
    at: datetime


class RowGone(Conflict):
    """Somebody took away the row that an answer belongs to. ``row`` is its path; it can be restored."""

    def __init__(self, message: str, row: str) -> None:
        super().__init__(message)
        self.row = row


@dataclass
class Saved:
    """What a save did: paths that changed, and paths where somebody else's newer text stands."""

    changed: list[str] = field(default_factory=list)
    conflicts: dict[str, Raw] = field(default_factory=dict)
    editors: dict[str, Editor] = field(default_factory=dict)
    """Who wrote the newer text of a path in ``conflicts``, where it was somebody else."""


@dataclass(frozen=True)
class Target:
    """Where a path points: the row that holds it and the field's spec."""

    row: AnswerRow
    spec: FieldSpec
    path: str

    @property
    def is_automatic(self) -> bool:
        """Whether the platform fills it in, so that nobody may change it."""
        return self.spec.readonly or bool(self.spec.computed) or self.spec.fixed is not None

    def stored(self, base: Any) -> Raw:
        """The text that is an answer here; ``base`` is what the page showed (``...`` if it does not say)."""
        if self.spec.prefill and self.spec.key not in self.row.values:
            # What stood there was carried over, not typed: only a text that differs from it is an answer, also an
            # empty one.
            return None if base is ... else base
        return unseal(self.spec, self.row.values.get(self.spec.key))

    def write(self, raw: Raw, user: Account) -> None:
        """Store ``raw`` as the newer text, by ``user``."""
        # Postgres cannot store NUL, and no database should hold lone surrogates; everything else stays as typed.
        self.row.values = {**self.row.values, self.spec.key: seal(self.spec, _storable(raw))}
        _sign(self.row, self.spec.key, user)
        self.row.version += 1

    @property
    def editor(self) -> tuple[int, datetime] | None:
        """Account and moment of the last save; None where it is not known."""
        found = (self.row.editors or {}).get(self.spec.key)
        return (found[0], datetime.fromisoformat(found[1])) if found else None


def _sign(row: AnswerRow, key: str, user: Account) -> None:
    """Note that ``user`` wrote ``key`` now; the empty key stands for the row itself."""
    row.editors = {**(row.editors or {}), key: [user.id, now().isoformat()]}


class Sheet:
    """The working answers of one locked declaration, ready to be changed by ``user``."""

    def __init__(self, session: Session, public_id: str, user: Account) -> None:
        self.session, self.user = session, user
        self.declaration = _locked(session, public_id, user)
        params = registry.parameters_of(self.declaration.programme.definition, self.declaration.batch.parameters)
        self.definition: Definition = registry.resolve(self.declaration.programme.definition, params)
        statement = select(AnswerRow).where(AnswerRow.declaration_id == self.declaration.id).with_for_update()
        self.rows = {(r.table_key, r.row_id): r for r in session.scalars(statement)}

    @property
    def main(self) -> AnswerRow:
        """The row of the fields outside tables."""
        return next(r for r in self.rows.values() if r.table_key == "")

    def target(self, path: str) -> Target:
        """The field at ``path``; NotFound if there is no such field or row here."""
        spec = spec_at(self.definition, path)
        return Target(self.row(path.rpartition("/")[0]) if "/" in path else self.main, spec, path)

    def row(self, path: str) -> AnswerRow:
        """The living row at ``table/<id>`` or ``table/<id>/child/<id>``; NotFound otherwise."""
        parts = path.split("/")
        row = self.rows.get((parts[-2], parts[-1])) if len(parts) in (2, 4) else None
        if row is not None:
            self._refuse_gone(row, parts)
        if row is None or row.removed_at is not None or (len(parts) == 4 and row.parent_row_id != parts[1]):
            raise NotFound("这一行已经不在了，可能在另一个窗口里移除了。请刷新页面。")
        return row

    def _refuse_gone(self, row: AnswerRow, parts: Sequence[str]) -> None:
        """RowGone if somebody else took the row, or the one it stands below, away."""
        outer = self.rows.get((parts[0], parts[1])) if len(parts) == 4 else None
        for gone, path in ((outer, "/".join(parts[:2])), (row, "/".join(parts))):
            if gone is not None and gone.removed_at is not None and gone.removed_by not in (None, self.user.id):
                who, when = _name_of(self.session, gone.removed_by), clock(gone.removed_at)
                raise RowGone(f"{when} {who}移除了这一行，您写的还没有保存。要留下，请点“恢复”。", path)

    def siblings(self, table: str, parent: str | None) -> list[AnswerRow]:
        """Living rows of ``table`` below ``parent``, in order."""
        found = [
            r for r in self.rows.values()
            if r.table_key == table and r.parent_row_id == parent and r.removed_at is None
        ]  # fmt: skip
        return sorted(found, key=lambda r: (r.position, r.id))

    def touch(self) -> None:
        """Note the time of the save on the declaration."""
        self.declaration.saved_at = now()

    def opened(self) -> Opened:
        """The declaration as it is now, with all that judging it needs, so that the transaction can end first."""
        opened = Opened(self.session, self.declaration, self.user)
        living = [r for r in self.rows.values() if r.removed_at is None]
        opened.rows = sorted(living, key=lambda r: (r.table_key, r.position, r.id))
        _read_now = (opened.files, opened.remarks if self.declaration.status == "returned" else None)
        return opened


def spec_at(definition: Definition, path: str) -> FieldSpec:
    """What the field at ``path`` is, by the definition alone; NotFound if there is no such field."""
    *row, key = path.split("/")
    spec = next((s for s in _specs_in(definition, row) if s.key == key), None)
    if spec is None:
        raise NotFound("申报表里没有这一项，可能刚被移除了。请刷新页面。")
    return spec


def _specs_in(definition: Definition, row: Sequence[str]) -> Iterable[FieldSpec]:
    """The fields of ``row`` (its path in parts, empty for the form itself); none if there is no such table."""
    if not row:
        return (f for _, f in definition.fields())
    if len(row) % 2:
        return ()
    for _, table, parent in definition.tables():
        if row[::2] == ([parent.key, table.key] if parent else [table.key]):
            return table.all_columns
    return ()


def _locked(session: Session, public_id: str, user: Account) -> Declaration:
    statement = select(Declaration).where(Declaration.public_id == public_id).with_for_update(of=Declaration)
    declaration = session.execute(statement).unique().scalar_one_or_none()
    if declaration is None or not rules.can_see(user, declaration):
        raise unseen(session, user, declaration)
    refusal = rules.refuse_edit(user, declaration)
    if refusal:
        raise Conflict(refusal) if declaration.enterprise_id == user.enterprise_id else Refused(refusal)
    return declaration


def save_answers(
    user: Account, public_id: str, values: Mapping[str, Raw], bases: Mapping[str, Raw] | None = None
) -> Saved:
    """Save ``values`` (path → text as typed). ``bases`` holds the text that each field showed before.

    A field whose stored text is neither its base nor the new text was changed elsewhere: it is left alone and
    reported in ``conflicts``. Read-only, computed and closed fields are refused.
    """
    with unit_of_work() as session:
        return _save_all(Sheet(session, public_id, user), values, bases or {})


def save_field(
    user: Account, public_id: str, values: Mapping[str, Raw], bases: Mapping[str, Raw]
) -> tuple[Saved, Opened]:
    """``save_answers`` for the field somebody just left; also gives the declaration as it is afterwards."""
    with unit_of_work() as session:
        sheet = Sheet(session, public_id, user)
        saved = _save_all(sheet, values, bases)
        return saved, sheet.opened()


def _save_all(sheet: Sheet, values: Mapping[str, Raw], bases: Mapping[str, Raw]) -> Saved:
    saved = Saved()
    for path, raw in values.items():
        _save_one(sheet, path, raw, bases.get(path, ...), saved)
    if saved.changed:
        sheet.touch()
    return saved


def _save_one(sheet: Sheet, path: str, raw: Raw, base: Any, saved: Saved) -> None:
    target = sheet.target(path)
    raw = _coded(target.spec, raw)
    if target.is_automatic:
        raise InvalidInput(f"“{target.spec.label}”是自动带出的，不能修改。", fields={path: "自动带出，不能修改。"})
    stored = target.stored(base)
    if _same(stored, raw):
        return
    if not rules.is_open_path(sheet.declaration, path):
        raise Conflict(f"“{target.spec.label}”这次没有退回，不能修改。只改退回的几项就行。")
    _refuse_too_long(target, raw)
    if base is not ... and not _same(stored, base):
        saved.conflicts[path] = stored
        if target.editor is not None and target.editor[0] != sheet.user.id:
            saved.editors[path] = Editor(_name_of(sheet.session, target.editor[0]), target.editor[1])
        return
    target.write(raw, sheet.user)
    saved.changed.append(path)


def _name_of(session: Session, account_id: int | None) -> str:
    account = session.get(Account, account_id or 0)
    return account.get_full_name() if account is not None else "同事"


def clock(moment: datetime) -> str:
    """``10:42`` in Shanghai."""
    return f"{moment.astimezone(SHANGHAI):%H:%M}"


def _refuse_too_long(target: Target, raw: Raw) -> None:
    length = len(raw) if isinstance(raw, str) else sum(len(x) for x in raw or [])
    if length > MAX_RAW:
        raise InvalidInput(
            f"“{target.spec.label}”太长：现在 {length} 个字符，这里最多放得下 {MAX_RAW} 个。请删减后再保存。",
            fields={target.path: f"现在 {length} 个字符，太长了。"},
        )


def _coded(spec: FieldSpec, raw: Raw) -> Raw:
    """A region or industry typed by its exact name (a page without scripts has no picker) becomes its code."""
    if spec.type in ("region", "industry") and isinstance(raw, str) and raw and not raw.isascii():
        return lookups.code_of(spec.type, raw.strip()) or raw
    return raw


def _same(a: Raw, b: Raw) -> bool:
    return (a or "") == (b or "") if not isinstance(a, list) and not isinstance(b, list) else (a or []) == (b or [])


def _storable(raw: Raw) -> Raw:
    if isinstance(raw, list):
        return [str(_storable(x)) for x in raw]
    return None if raw is None else raw.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def add_row(user: Account, public_id: str, table: str, parent: str | None = None) -> str:
    """Append an empty row to ``table`` (below row ``parent``), with the nested rows it needs; returns its path."""
    with unit_of_work() as session:
        sheet = Sheet(session, public_id, user)
        spec = _table(sheet, table)
        row = _new_row(sheet, spec, parent, {})
        for child in spec.tables:
            for _ in range(child.min_rows):
                _new_row(sheet, child, row.row_id, {})
        sheet.touch()
        return _path(sheet, row)


def copy_row(user: Account, public_id: str, path: str) -> str:
    """Append a copy of the row at ``path`` with its nested rows; returns the copy's path."""
    with unit_of_work() as session:
        sheet = Sheet(session, public_id, user)
        source = sheet.row(path)
        table = _table(sheet, source.table_key)
        copy = _new_row(sheet, table, source.parent_row_id, dict(source.values), after=source)
        for child in table.tables:
            for nested in sheet.siblings(child.key, source.row_id):
                _new_row(sheet, child, copy.row_id, dict(nested.values))
        sheet.touch()
        return _path(sheet, copy)


def move_row(user: Account, public_id: str, path: str, step: int) -> None:
    """Move the row at ``path`` up (``step`` −1) or down (1); at the end nothing happens."""
    with unit_of_work() as session:
        sheet = Sheet(session, public_id, user)
        row = sheet.row(path)
        # The others move with it, so that all of the table must be open.
        _require_open(sheet, f"{path.rpartition('/')[0]}/-")
        rows = sheet.siblings(row.table_key, row.parent_row_id)
        at = rows.index(row)
        to = max(0, min(len(rows) - 1, at + step))
        rows.insert(to, rows.pop(at))
        for position, sibling in enumerate(rows):
            sibling.position = position
        sheet.touch()


def remove_row(user: Account, public_id: str, path: str) -> None:
    """Take the row at ``path`` away; ``restore_row`` brings it back with everything in it."""
    with unit_of_work() as session:
        sheet = Sheet(session, public_id, user)
        row = sheet.row(path)
        _require_open(sheet, path)
        row.removed_at, row.removed_by = now(), user.id
        sheet.touch()


def require_rows(user: Account, public_id: str, paths: Iterable[str]) -> None:
    """RowGone for the first of the rows at ``paths`` that somebody else took away. Nothing is changed."""
    with unit_of_work() as session:
        sheet = Sheet(session, public_id, user)
        for path in sorted(paths):
            with suppress(NotFound):
                sheet.row(path)


def restore_row(user: Account, public_id: str, table: str, row_id: str) -> str:
    """Bring a removed row back to its place; returns its path. NotFound if there is none."""
    with unit_of_work() as session:
        sheet = Sheet(session, public_id, user)
        row = sheet.rows.get((table, row_id))
        if row is None:
            raise NotFound("没有可以恢复的内容了。")
        if row.removed_at is not None:
            _require_open(sheet, _path(sheet, row))
            _check_room(sheet, _table(sheet, table), row.parent_row_id)
            row.removed_at = row.removed_by = None
            _sign(row, "", user)
        sheet.touch()
        return _path(sheet, row)


def _table(sheet: Sheet, key: str) -> Table:
    try:
        return sheet.definition.table(key)
    except KeyError:
        raise NotFound("申报表里没有这张表，请刷新页面。") from None


def _path(sheet: Sheet, row: AnswerRow) -> str:
    return row_path(row.table_key, row.row_id, _parent_of(sheet, row.table_key, row.parent_row_id))


def _parent_of(sheet: Sheet, table: str, row_id: str | None) -> tuple[str, str] | None:
    """Table and id of the row ``row_id`` that a row of ``table`` stands below; None at the first level."""
    outer = next((p for _, t, p in sheet.definition.tables() if t.key == table), None)
    return (outer.key, row_id or "") if outer is not None else None


def _require_open(sheet: Sheet, path: str) -> None:
    if not rules.is_open_table(sheet.declaration, path):
        raise Conflict("这次退回的不是这张表，不能增减行。只改退回的几项就行。")


def _check_room(sheet: Sheet, table: Table, parent: str | None) -> None:
    count = len(sheet.siblings(table.key, parent))
    if count >= table.max_rows:
        raise InvalidInput(f"“{table.label}”最多 {table.max_rows} 个，已经有 {count} 个，不能再添加。")


def _new_row(
    sheet: Sheet, table: Table, parent: str | None, values: dict[str, Raw], after: AnswerRow | None = None
) -> AnswerRow:
    outer = _parent_of(sheet, table.key, parent)
    if outer is not None:
        _require_living(sheet, outer)
    elif parent is not None:
        raise NotFound("这张表没有上一级，请刷新页面。")
    _check_room(sheet, table, parent)
    row_id = new_public_id()
    _require_open(sheet, row_path(table.key, row_id, outer))
    row = AnswerRow(
        declaration_id=sheet.declaration.id,
        table_key=table.key,
        row_id=row_id,
        parent_row_id=parent,
        position=_make_place(sheet.siblings(table.key, parent), after),
        values=values,
    )
    _sign(row, "", sheet.user)
    sheet.session.add(row)
    sheet.session.flush()
    sheet.rows[(table.key, row_id)] = row
    return row


def _require_living(sheet: Sheet, key: tuple[str, str]) -> None:
    owner = sheet.rows.get(key)
    if owner is None or owner.removed_at is not None:
        raise NotFound("上一级的这一行已经不在了，请刷新页面。")


def _make_place(rows: Sequence[AnswerRow], after: AnswerRow | None) -> int:
    """Position of a new row among ``rows``: the end, or right below ``after``, from where the others move on."""
    if after is None:
        return rows[-1].position + 1 if rows else 0
    for sibling in rows[rows.index(after) + 1 :]:
        sibling.position += 1
    return after.position + 1


def count_removed(session: Session, declaration_id: int) -> int:
    """How many rows of the declaration can still be restored."""
    return session.scalar(
        select(func.count()).where(AnswerRow.declaration_id == declaration_id, AnswerRow.removed_at.is_not(None))
    ) or 0  # fmt: skip
