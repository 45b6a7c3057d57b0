"""Verdicts over judged states: which condition is broken where, and everything that stands in the way of submitting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.definitions.messages import condition_text, missing_text, rows_text, undecided_text
from app.definitions.schema import Condition, Definition
from app.definitions.scope import Scope, Undecidable, raw_of
from app.definitions.states import (
    ATTACHMENTS,
    FieldState,
    FileState,
    Finding,
    Problem,
    RowState,
    SectionState,
    TableState,
)
from app.fields.base import Lookups


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a condition's problem is shown: a section, a path, and the field beside which it stands, if it is one."""

    section: str
    path: str
    target: FieldState | None = None

    @property
    def text(self) -> str:
        """The answer that is judged, as people read it."""
        return self.target.text if self.target else ""


class Verdicts:
    """Judges conditions over settled ``sections`` and collects problems."""

    def __init__(
        self,
        definition: Definition,
        sections: list[SectionState],
        scope: Scope,
        params: Mapping[str, Any],
        lookups: Lookups,
    ) -> None:
        self.definition, self.sections, self.scope = definition, sections, scope
        self.params, self.lookups = params, lookups
        self.problems: list[Problem] = []
        self.findings: list[Finding] = []
        self._whole = _Place(definition.sections[0].key, "")
        self._places = dict(_places(sections))
        self._texts = {f.spec.key: f.text for s in sections for f in s.fields}

    def judge(self) -> None:
        """Evaluate every condition, those over rows once for each row that is shown."""
        for condition in self.definition.conditions:
            if condition.each is None:
                self._judge(condition, self._places.get(condition.at or "", self._whole), None)
                continue
            for section, row in _rows(self.sections, condition.each):
                target = row.fields[condition.at] if condition.at else None
                self._judge(condition, _Place(section, target.path if target else row.path, target), row)

    def _judge(self, condition: Condition, place: _Place, row: RowState | None) -> None:
        result = self._run(condition.cel, row, condition.key)
        broken = result is False
        message = self._message(condition, place, row, self._expected(condition, place, row) if broken else "")
        self.findings.append(Finding(condition, result if isinstance(result, bool) else None, place.path, message))
        if broken:
            self._blame(condition, message, place)

    def _run(self, source: str | None, row: RowState | None, key: str) -> Any:
        if source is None:
            return None
        return self.scope.run(source, row.facts if row else None, path=f"condition {key}")

    def _message(self, condition: Condition, place: _Place, row: RowState | None, expected: str) -> str:
        """The sentence, with the texts of the form and, in a row, of its columns."""
        texts, number = {**self._texts, "expected": expected}, 0
        if row is not None:
            texts, number = (
                {**self._texts, **{k: f.text for k, f in row.fields.items()}, "expected": expected},
                row.number,
            )
        return condition_text(condition, texts, self.params, place.text, number)

    def _expected(self, condition: Condition, place: _Place, row: RowState | None) -> str:
        """What the value was compared with, as people read it."""
        result = self._run(condition.expected, row, condition.key)
        if not isinstance(result, float) or place.target is None:
            return "" if result is None else str(result)
        figure = FieldState(place.target.spec, place.path)
        try:
            figure.take(raw_of(figure.spec, result), self.lookups)
        except Undecidable:
            return ""
        return figure.text

    def _blame(self, condition: Condition, message: str, place: _Place) -> None:
        target = place.target
        if condition.severity == "warn":
            if target is not None:
                target.warning = target.warning or message
            self.problems.append(Problem(place.path, place.section, "warn", message, "去看"))
        elif target is None:
            self.problems.append(Problem(place.path, place.section, "error", message, "去看"))
        else:
            # Shown once, beside its field; the collecting pass turns it into a problem.
            target.error = target.error or message

    def collect(self, files: list[FileState]) -> None:
        """Add what is missing or wrong in fields, tables and ``files``; everything in the order of the sections."""
        for state in self.sections:
            if state.visible:
                self._collect_section(state)
        for file in files:
            self._collect_file(file)
        order = {s.key: i for i, s in enumerate(self.definition.sections)}
        self.problems.sort(key=lambda p: order.get(p.section, 999))

    def _collect_section(self, state: SectionState) -> None:
        for field_state in state.fields:
            self._collect_field(field_state, state.spec.key, "")
        for table in state.tables:
            self._collect_table(table, state.spec.key, "")

    def _collect_table(self, table: TableState, section: str, prefix: str) -> None:
        if not table.visible:
            return
        table.error = rows_text(table.spec, len(table.rows))
        if table.error:
            self.problems.append(Problem(table.path, section, "error", prefix + table.error, "去填"))
        for row in table.rows:
            place = f"{prefix}第 {row.number} 个{table.spec.row_label}的"
            for column in row.fields.values():
                self._collect_field(column, section, place)
            for nested in row.tables.values():
                self._collect_table(nested, section, place)

    def _collect_field(self, state: FieldState, section: str, place: str) -> None:
        if not state.visible:
            return
        if state.error:
            text = state.error if f"“{state.spec.label}”" in state.error else f"“{state.spec.label}”：{state.error}"
            self.problems.append(Problem(state.path, section, "error", place + text, "去改"))
        elif state.undecided:
            severity = "error" if state.required else "warn"
            self.problems.append(Problem(state.path, section, severity, undecided_text(state.spec, place), "去看"))
        elif state.lacking:
            self.problems.append(Problem(state.path, section, "missing", missing_text(state.spec, place), "去填"))

    def _collect_file(self, state: FileState) -> None:
        if state.required and not state.files:
            formats = "、".join(f.upper() for f in state.spec.formats)
            message = f"还没传“{state.spec.label}”，请上传 {formats}，要小于 {state.spec.max_size_mb} MB"
            self.problems.append(Problem(state.path, ATTACHMENTS, "missing", message, "去传"))


def _places(sections: list[SectionState]) -> Iterator[tuple[str, _Place]]:
    """Fields and tables that a condition over the whole form may be shown beside, by key."""
    for section in sections:
        for state in section.fields:
            yield state.spec.key, _Place(section.spec.key, state.path, state)
        for table in section.tables:
            yield table.spec.key, _Place(section.spec.key, table.path)


def _rows(sections: list[SectionState], key: str) -> Iterator[tuple[str, RowState]]:
    """Every row of the table ``key`` that is shown, with the key of its section."""
    for section in sections:
        for table in section.tables if section.visible else ():
            for row in _rows_of(table, key):
                yield section.spec.key, row


def _rows_of(table: TableState, key: str) -> Iterator[RowState]:
    for row in table.rows if table.visible else ():
        if table.spec.key == key:
            yield row
        for nested in row.tables.values():
            yield from _rows_of(nested, key)
