"""What a wizard page shows, made from a judged declaration: questions, rows, tables, in the order of the definition."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from flask import request
from flask_babel import gettext as _

from app.definitions.evaluation import FieldState, RowState, SectionState, TableState
from app.definitions.schema import Group
from app.fields.base import FieldSpec, Raw
from app.models import Remark
from app.permissions import rules
from app.services.answers import Editor, clock
from app.services.opened import Opened

MANY_ROWS = 20
"""Tables with more rows show only the row at hand as a form, the others as links to it."""

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_BEFORE_AFTER = re.compile(r"改造前|改造后|(方面)?成效$")


@dataclass(slots=True)
class Question:
    """A field as ``components/fields.html`` draws it. ``base`` is the stored text that the answer is based on."""

    spec: FieldSpec
    path: str
    id: str
    raw: Raw
    text: str
    error: str | None
    warning: str | None
    visible: bool
    required: bool
    readonly: bool
    computed: bool
    prefilled: bool
    base: Raw
    source_url: str | None = None
    compact: bool = False
    remarks: Sequence[Remark] = ()
    theirs: str | None = None
    """Text that somebody saved meanwhile; the person chooses between it and their own."""
    theirs_name: str = ""
    """Who saved it, and (``theirs_at``) when; empty if it was the same person elsewhere."""
    theirs_at: str = ""

    @property
    def name(self) -> str:
        """Name of the control."""
        return self.path


@dataclass(slots=True)
class Pair:
    """A line of a before/after table. ``id`` names the cell with the change."""

    name: str
    before: Question
    after: Question
    change: str | None
    id: str


@dataclass(slots=True)
class Run:
    """A titled run of questions; ``pairs`` instead of ``questions`` where the layout asks for it."""

    label: str
    help: str
    questions: list[Question]
    pairs: list[Pair]
    id: str = ""


@dataclass(slots=True)
class Line:
    """A row with its questions. ``shown`` is False where only its head is drawn."""

    path: str
    id: str
    number: int
    title: str
    label: str
    summary: str
    tone: str
    runs: list[Run]
    tables: list[Sheet]
    open: bool = False
    shown: bool = True
    arrive: bool = False
    first: bool = False
    last: bool = False
    removable: bool = False
    remarks: Sequence[Remark] = ()


@dataclass(slots=True)
class Sheet:
    """A table of the section. ``place`` is what ``add:`` names; ``gone`` the row that was just removed."""

    key: str
    label: str
    row_label: str
    place: str
    id: str
    aside: str
    error: str | None
    visible: bool
    editable: bool
    room: int
    lines: list[Line]
    gone: str | None = None
    links_only: bool = False
    remarks: Sequence[Remark] = ()


@dataclass(frozen=True)
class View:
    """How a page is looked at: the row at hand, the one just removed, whether missing answers are marked."""

    at: str = ""
    removed: str = ""
    marking: bool = False
    bases: Mapping[str, Raw] = field(default_factory=dict)
    conflicts: Mapping[str, Raw] = field(default_factory=dict)
    editors: Mapping[str, Editor] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)

    def base(self, state: FieldState) -> Raw:
        """The stored text that the answer on the page is based on: in a conflict, what somebody else saved."""
        return self.conflicts.get(state.path, self.bases.get(state.path, state.raw))


def identify(path: str) -> str:
    """HTML id of a path."""
    return path.replace("/", "-").replace("@", "file-")


def anchor(opened: Opened, path: str) -> str:
    """HTML id of the field, table, row or file at ``path``."""
    if path.startswith("@"):
        return identify(path)
    tables = {t.key for _section, t, _parent in opened.definition.tables()}
    parts = path.split("/")
    if parts[-1] in tables:
        return f"table-{identify(path)}"
    return f"row-{identify(path)}" if len(parts) % 2 == 0 else f"field-{identify(path)}"


class Painter:
    """Makes questions and tables of one declaration, seen through ``view``."""

    def __init__(self, opened: Opened, view: View | None = None) -> None:
        self.opened, self.view = opened, view or View()
        self.declaration = opened.declaration
        self.remarks: dict[str, list[Remark]] = {}
        returned = self.declaration.status == "returned"
        for remark in opened.remarks if returned else ():
            if remark.state == "open":
                self.remarks.setdefault(remark.path, []).append(remark)
        self.partly = returned and bool(self.declaration.reopened)
        root = request.script_root
        self.sources = {"region": f"{root}/pickers/regions", "industry": f"{root}/pickers/industries"}

    def question(self, state: FieldState, *, compact: bool = False) -> Question:
        """``state`` with what the person may do with it here."""
        spec, path, view = state.spec, state.path, self.view
        closed = self.partly and not rules.is_open_path(self.declaration, path)
        editor = view.editors.get(path)
        return Question(
            spec=spec, path=path, id=identify(path), raw=state.raw, text=state.text, error=self._error(state),
            warning=state.warning, visible=state.visible, required=state.required, readonly=closed or state.readonly,
            computed=state.computed, prefilled=state.prefilled and not closed and bool(state.raw), base=view.base(state),
            theirs=_theirs(spec, view.conflicts[path]) if path in view.conflicts else None,
            source_url=self.sources.get(spec.type), compact=compact, remarks=self.remarks.get(path, ()),
            theirs_name=editor.name if editor else "", theirs_at=clock(editor.at) if editor else "",
        )  # fmt: skip

    def _error(self, state: FieldState) -> str | None:
        """What is wrong with it; that nothing is there only where missing answers are marked."""
        error = self.view.errors.get(state.path) or state.error
        if error or not (self.view.marking and state.lacking):
            return error
        chosen = state.spec.options or state.spec.type == "boolean"
        return _("这一项还没选，请选一项。") if chosen else _("这一项还没填，请填写。")

    def sheets(self, section: SectionState) -> list[Sheet]:
        """The tables of ``section``."""
        return [self.sheet(t) for t in section.tables]

    def sheet(self, state: TableState, outer: bool = True) -> Sheet:
        """One table with its rows; of many rows only the one at hand is a form."""
        spec = state.spec
        many = outer and len(state.rows) > MANY_ROWS
        chosen = self._chosen(state) if outer else None
        sheet = Sheet(
            key=spec.key, label=spec.label, row_label=spec.row_label, place=state.path, id=identify(state.path),
            aside=_aside(state), error=state.error, visible=state.visible, room=state.room,
            editable=rules.is_open_table(self.declaration, f"{state.path}/-"), lines=[], links_only=many,
            remarks=self.remarks.get(state.path, ()),
        )  # fmt: skip
        for row in state.rows:
            shown = not many or row is chosen
            sheet.lines.append(self.line(row, state, shown=shown, open_=row is chosen))
        if self.view.removed.rpartition("/")[0] == state.path:
            sheet.gone = self.view.removed
        return sheet

    def _chosen(self, state: TableState) -> RowState | None:
        """The row that stands open: the one at hand, else the first with something wrong, else the only one."""
        for is_meant in (self._is_at_hand, _is_wrong, _is_unfinished):
            for row in state.rows:
                if is_meant(row):
                    return row
        return state.rows[0] if len(state.rows) == 1 else None

    def _is_at_hand(self, row: RowState) -> bool:
        return self.view.at == row.path or self.view.at.startswith(f"{row.path}/")

    def line(self, row: RowState, table: TableState, *, shown: bool = True, open_: bool = False) -> Line:
        """One row of ``table``."""
        titled = table.spec.title_column and row.fields[table.spec.title_column].text
        summary, tone = head_words(row, table)
        return Line(
            path=row.path, id=identify(row.path), number=row.number,
            title=f"{row.number}. {row.title}" if titled else row.title, label=f"{table.spec.row_label} {row.number}",
            summary=summary, tone=tone, runs=list(self._runs(row, table)) if shown else [],
            tables=[self.sheet(t, outer=False) for t in row.tables.values()] if shown else [],
            open=open_, shown=shown, arrive=self.view.at == row.path,
            first=row.number == 1, last=row.number == len(table.rows),
            removable=rules.is_open_table(self.declaration, row.path), remarks=self.remarks.get(row.path, ()),
        )  # fmt: skip

    def _runs(self, row: RowState, table: TableState) -> Iterator[Run]:
        spec = table.spec
        if spec.columns:
            yield Run("", "", [self.question(row.fields[c.key]) for c in spec.columns], [])
        for number, group in enumerate(spec.groups):
            yield self._run(row, group, first=number == 0 and not spec.columns)

    def _run(self, row: RowState, group: Group, *, first: bool) -> Run:
        """The questions of ``group``. The first run of a row needs no title: the row has one."""
        run = Run(group.label, group.help or "", [], [], f"{identify(row.path)}-{group.key}")
        if group.layout == "pairs":
            run.pairs = list(self._pairs(row, group))
            return run
        run.questions = [self.question(row.fields[c.key]) for c in group.columns]
        if first:
            run.label = ""
        return run

    def _pairs(self, row: RowState, group: Group) -> Iterator[Pair]:
        states = [row.fields[c.key] for c in group.columns]
        for before, after in zip(states[::2], states[1::2], strict=False):
            yield Pair(
                _BEFORE_AFTER.sub("", before.spec.label),
                self.question(before, compact=True),
                self.question(after, compact=True),
                change_words(before, after),
                change_id(before),
            )


def _theirs(spec: FieldSpec, raw: Raw) -> str:
    """What somebody else saved, as people read it: names of options instead of their values."""
    names = {o.value: o.label for o in spec.options}
    texts = [raw] if isinstance(raw, str) else (raw or [])
    return "、".join(names.get(t, t) for t in texts)


def _is_wrong(row: RowState) -> bool:
    return count(row.all_fields())[0] > 0


def _is_unfinished(row: RowState) -> bool:
    return row.problems > 0


def change_id(before: FieldState) -> str:
    """HTML id of the cell that shows the change from ``before``."""
    return f"change-{identify(before.path)}"


def pair_of(row: RowState, table: TableState, key: str) -> tuple[FieldState, FieldState] | None:
    """The before and after fields that the column ``key`` belongs to, or None outside before/after tables."""
    for group in table.spec.groups:
        keys = [c.key for c in group.columns]
        if group.layout == "pairs" and key in keys:
            at = keys.index(key) // 2 * 2
            return (row.fields[keys[at]], row.fields[keys[at + 1]]) if at + 1 < len(keys) else None
    return None


def change_words(before: FieldState, after: FieldState) -> str | None:
    """``提高 20.00%`` where both texts hold one number with the same unit after it, else None."""
    earlier, later = _figure(before), _figure(after)
    if earlier is None or later is None:
        return None
    (old, old_unit), (new, new_unit) = earlier, later
    if old_unit != new_unit or old <= 0 or old == new:
        return None
    change = ((new - old) / old * 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return _("提高 %(n)s%%", n=change) if change > 0 else _("降低 %(n)s%%", n=-change)


def _figure(state: FieldState) -> tuple[Decimal, str] | None:
    if isinstance(state.value, (int, Decimal)):
        return Decimal(state.value), state.spec.unit or ""
    text = state.value if isinstance(state.value, str) and not state.spec.options else ""
    found = list(_NUMBER.finditer(text))
    return (Decimal(found[0][0]), text[found[0].end() :].strip()) if len(found) == 1 else None


def head_words(row: RowState, table: TableState) -> tuple[str, str]:
    """What the head of a row says beside its title, and the class of its colour."""
    wrong, missing = count(row.all_fields())
    if wrong:
        return _("%(n)s 处要改", n=wrong), "bad"
    end = _("还有 %(n)s 项没填", n=missing) if missing else _("已填完")
    return " · ".join([*_summary_parts(row, table), end]), "mute"


def _summary_parts(row: RowState, table: TableState) -> Iterator[str]:
    """How many nested rows there are, and what the summary says that the title does not say already; each cut short."""
    parts = [f"{t.spec.row_label} {len(t.rows)} 个" for t in row.tables.values()]
    title = row.fields[table.spec.title_column].text if table.spec.title_column else ""
    parts += [p for p in row.summary.split(" · ") if p not in ("", title)]
    for part in parts:
        yield part if len(part) <= 24 else f"{part[:24]}…"


def count(states: Iterable[FieldState]) -> tuple[int, int]:
    """How many visible fields must be changed, and how many answered."""
    wrong = missing = 0
    for state in states:
        if state.visible and state.error:
            wrong += 1
        elif state.lacking:
            missing += 1
    return wrong, missing


def _aside(state: TableState) -> str:
    spec = state.spec
    if spec.help:
        return spec.help
    if spec.min_rows:
        return _("至少 %(a)s 个，最多 %(b)s 个", a=spec.min_rows, b=spec.max_rows)
    return _("有几个填几个，最多 %(b)s 个", b=spec.max_rows)
