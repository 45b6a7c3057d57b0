"""What a saved field changes on the page it is on: itself, fields that hang on it, heads of rows, rail and summary."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask_babel import gettext as _

from app.definitions.evaluation import FieldState, RowState, SectionState, TableState
from app.definitions.influence import Place, influenced
from app.errors import NotFound
from app.models.base import now
from app.services.opened import Opened
from app.views.returned import Returned, returned
from app.views.wizard_frame import Stop, rail, section_problems
from app.views.wizard_page import Line, Painter, Question, Sheet, View, change_id, change_words, pair_of


@dataclass
class Parts:
    """Parts of a wizard page to draw anew. ``main`` is the field that was posted."""

    main: Question
    others: list[Question] = field(default_factory=list)
    heads: list[Line] = field(default_factory=list)
    changes: list[tuple[str, str | None]] = field(default_factory=list)
    sheets: list[Sheet] = field(default_factory=list)
    rail: list[Stop] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)
    returned: Returned | None = None
    saved_at: object = None
    alone: bool = False


@dataclass(frozen=True)
class _Spot:
    """A field with the rows and tables it stands in, outermost first."""

    state: FieldState
    tables: tuple[TableState, ...] = ()
    rows: tuple[RowState, ...] = ()

    @property
    def table(self) -> str:
        """Key of the innermost table, empty in the main form."""
        return self.tables[-1].spec.key if self.tables else ""

    @property
    def compact(self) -> bool:
        """Whether it stands in a before/after table."""
        return bool(self.rows) and pair_of(self.rows[-1], self.tables[-1], self.state.spec.key) is not None


def _spots(section: SectionState) -> list[_Spot]:
    spots = [_Spot(f) for f in section.fields]

    def walk(table: TableState, tables: tuple[TableState, ...], rows: tuple[RowState, ...]) -> None:
        for row in table.rows:
            spots.extend(_Spot(f, (*tables, table), (*rows, row)) for f in row.fields.values())
            for nested in row.tables.values():
                walk(nested, (*tables, table), (*rows, row))

    for table in section.tables:
        walk(table, (), ())
    return spots


def changed_parts(opened: Opened, section: str, path: str, view: View, *, alone: bool = False) -> Parts:
    """The parts that look different after ``path`` was saved; with ``alone`` only the field. NotFound if it is gone."""
    state = opened.evaluation.section(section)
    spots = _spots(state)
    here = _spot_at(spots, path)
    painter = Painter(opened, view)
    parts = Parts(painter.question(here.state, compact=here.compact), saved_at=now(), alone=alone)
    if alone:
        return parts
    places = influenced(opened.definition, here.table, here.state.spec.key)
    reached = [s for s in spots if s.state.path != path and _is_reached(s, here, places)]
    parts.others = [painter.question(s.state, compact=s.compact) for s in reached]
    whole = {p.table for p in places if not p.key}
    parts.sheets = [painter.sheet(t) for t in state.tables if t.spec.key in whole]
    parts.saved_at = opened.declaration.saved_at
    parts.rail = rail(opened, section)
    parts.problems = section_problems(opened, section)
    parts.returned = returned(opened)
    _add_rows(parts, painter, [here, *reached])
    return parts


def _spot_at(spots: list[_Spot], path: str) -> _Spot:
    for spot in spots:
        if spot.state.path == path:
            return spot
    raise NotFound(_("这一项已经不在了，可能在另一个窗口里移除了。请刷新页面。"))


def _is_reached(spot: _Spot, here: _Spot, places: frozenset[Place]) -> bool:
    for place in places:
        if (place.table, place.key) == (spot.table, spot.state.spec.key):
            return place.everywhere or not spot.rows or any(spot.rows[-1] is row for row in here.rows)
    return False


def _add_rows(parts: Parts, painter: Painter, spots: list[_Spot]) -> None:
    """Heads and changes of the rows in which something looks different."""
    done: set[str] = set()
    for spot in spots:
        for depth, (row, table) in enumerate(zip(spot.rows, spot.tables, strict=True)):
            if depth == 0 and row.path not in done:
                done.add(row.path)
                parts.heads.append(painter.line(row, table, shown=False))
        pair = pair_of(spot.rows[-1], spot.tables[-1], spot.state.spec.key) if spot.rows else None
        if pair is not None and change_id(pair[0]) not in done:
            done.add(change_id(pair[0]))
            parts.changes.append((change_id(pair[0]), change_words(*pair)))
