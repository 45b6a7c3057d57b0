"""Decides what is shown and needed, and fills in what is computed or suggested, each after what it reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from app.definitions.messages import undecided_text
from app.definitions.order import Group, Unit, is_plain
from app.definitions.schema import Definition
from app.definitions.scope import Scope, Undecidable
from app.definitions.states import FieldState, RowState, SectionState, TableState
from app.fields.base import Lookups


class _FieldSlot(NamedTuple):
    """A question with the facts that know its value, the row it stands in, and what must be shown for it to be."""

    state: FieldState
    facts: dict[str, Any]
    row: dict[str, Any] | None
    holder: SectionState | TableState


class _TableSlot(NamedTuple):
    """The same for a table; ``row`` is the outer row of a nested one."""

    state: TableState
    facts: dict[str, Any]
    row: dict[str, Any] | None
    holder: SectionState | TableState


class Settler:
    """Settles the states of one form. Everything counts as shown until it is settled."""

    def __init__(self, lookups: Lookups, scope: Scope) -> None:
        self.lookups, self.scope = lookups, scope
        self.moved = False
        self._sections: dict[Unit, SectionState] = {}
        self._tables: dict[Unit, list[_TableSlot]] = {}
        self._fields: dict[Unit, list[_FieldSlot]] = {}

    def settle(self, definition: Definition, sections: list[SectionState]) -> None:
        """Settle ``sections``, which are the ones of ``definition``."""
        for section in sections:
            self._find(section)
        for group in definition.order:
            self._group(group)
        self._require()
        for section in sections:
            for table in section.tables:
                _name_rows(table)

    # -- what there is ----------------------------------------------------------------------------------------------

    def _find(self, section: SectionState) -> None:
        self._sections[Unit("section", section.spec.key)] = section
        for state in section.fields:
            if not is_plain(state.spec):
                slot = _FieldSlot(state, self.scope.form, None, section)
                self._fields[Unit("field", state.spec.key)] = [slot]
        for table in section.tables:
            self._find_table(_TableSlot(table, self.scope.form, None, section))

    def _find_table(self, slot: _TableSlot) -> None:
        table = slot.state
        self._tables.setdefault(Unit("table", table.spec.key), []).append(slot)
        ruled = [c.key for c in table.spec.all_columns if not is_plain(c)]
        columns = [(key, self._fields.setdefault(Unit("column", table.spec.key, key), [])) for key in ruled]
        for row in table.rows:
            for key, slots in columns:
                slots.append(_FieldSlot(row.fields[key], row.facts, row.facts, table))
            for nested in row.tables.values():
                self._find_table(_TableSlot(nested, row.facts, row.facts, table))

    # -- settling ---------------------------------------------------------------------------------------------------

    def _group(self, group: Group) -> None:
        for _ in range(group.rounds):
            self.moved = False
            for unit in group.units:
                self._unit(unit)
            if not self.moved:
                break

    def _unit(self, unit: Unit) -> None:
        if unit.kind == "section":
            self._section(self._sections[unit])
        elif unit.kind == "table":
            for slot in self._tables.get(unit, ()):
                self._table(slot)
        else:
            for field in self._fields.get(unit, ()):
                self._field(field)

    def _section(self, state: SectionState) -> None:
        visible = self.scope.holds(state.spec.visible_if, default=True, path=state.spec.key)
        if visible != state.visible:
            state.visible, self.moved = visible, True
            for field in state.fields:
                self._show(field, self.scope.form, visible)

    def _table(self, slot: _TableSlot) -> None:
        table, spec = slot.state, slot.state.spec
        visible = slot.holder.visible and self.scope.holds(spec.visible_if, slot.row, default=True, path=table.path)
        if visible != table.visible:
            table.visible, self.moved = visible, True
            slot.facts[spec.key] = table.facts
            for row in table.rows:
                for column in row.fields.values():
                    self._show(column, row.facts, visible)

    def _show(self, state: FieldState, facts: dict[str, Any], visible: bool) -> None:
        """Show or hide a question together with what it stands in; one with expressions is settled by itself."""
        if is_plain(state.spec):
            state.visible, state.required = visible, visible and state.spec.required
            facts[state.spec.key] = state.known

    def _field(self, slot: _FieldSlot) -> None:
        state, spec = slot.state, slot.state.spec
        state.visible = slot.holder.visible and self.scope.holds(
            spec.visible_if, slot.row, default=True, path=state.path
        )
        if state.filled_by is not None:
            self._fill(state, state.filled_by, slot.row)
        known = state.known
        if slot.facts[spec.key] != known:
            slot.facts[spec.key], self.moved = known, True

    def _fill(self, state: FieldState, source: str, row: dict[str, Any] | None) -> None:
        state.prefilled, state.undecided, state.warning = state.spec.computed is None, False, None
        try:
            raw = self.scope.answer(state.spec, source, row)
        except Undecidable:
            raw = None
            self._doubt(state, source)
        if raw != state.raw:
            state.take(raw, self.lookups)

    def _doubt(self, state: FieldState, source: str) -> None:
        """Say that the value cannot be found, where somebody looks at it; where people may type, nothing is suggested."""
        if not state.visible:
            return
        self.scope.report(source, state.path)
        if state.readonly:
            state.undecided, state.warning = True, undecided_text(state.spec)

    def _require(self) -> None:
        for slot in _all(self._fields.values()):
            state, spec = slot.state, slot.state.spec
            state.required = state.visible and self.scope.holds(
                spec.required_if, slot.row, default=spec.required, path=state.path
            )


def _all(slots: Iterable[list[_FieldSlot]]) -> Iterable[_FieldSlot]:
    return (slot for several in slots for slot in several)


def _name_rows(table: TableState) -> None:
    """Titles and summaries of the rows, from what their columns say now."""
    for row in table.rows:
        _name_row(table, row)
        for nested in row.tables.values():
            _name_rows(nested)


def _name_row(table: TableState, row: RowState) -> None:
    spec = table.spec
    title = row.fields[spec.title_column].text if spec.title_column else ""
    row.title = title or f"{spec.row_label} {row.number}"
    shown = (row.fields[c] for c in spec.summary_columns if c in row.fields)
    row.summary = " · ".join(f"{f.text} {f.spec.unit or ''}".strip() for f in shown if f.text)
