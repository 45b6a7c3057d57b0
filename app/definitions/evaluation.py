"""Judges answers against a definition. One pass serves live hints, check page, submit, review and documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.definitions.answers import Answers, Row, row_path
from app.definitions.schema import Attachment, Definition, Section, Table
from app.definitions.scope import Scope
from app.definitions.settler import Settler
from app.definitions.states import (
    ATTACHMENTS,
    Evaluation,
    FieldState,
    FileState,
    Finding,
    Problem,
    RowState,
    SectionState,
    TableState,
    nothing,
)
from app.definitions.verdicts import Verdicts
from app.fields.base import FieldSpec, Lookups, Raw

__all__ = [
    "ATTACHMENTS",
    "Evaluation",
    "FieldState",
    "FileState",
    "Finding",
    "Problem",
    "RowState",
    "SectionState",
    "TableState",
    "evaluate",
]


def evaluate(
    definition: Definition,
    answers: Answers,
    *,
    lookups: Lookups,
    enterprise: Mapping[str, Any],
    params: Mapping[str, Any],
    today: str,
    files: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    frozen: bool = False,
) -> Evaluation:
    """Judge ``answers``. ``definition`` is already resolved for the batch; ``today`` is an ISO date.

    ``frozen`` takes every value as it stands (a submitted revision): nothing is prefilled or computed again.
    """
    scope = Scope(dict(enterprise), params, today, definition.key)
    sections = _Reader(answers, lookups, scope, frozen).read(definition)
    Settler(lookups, scope).settle(definition, sections)
    added = files or {}
    states = [_file(scope, a, added.get(a.key, ())) for a in definition.attachments]
    verdicts = Verdicts(definition, sections, scope, params, lookups)
    verdicts.judge()
    verdicts.collect(states)
    return Evaluation(definition, sections, states, verdicts.problems, verdicts.findings, scope.form)


def _file(scope: Scope, spec: Attachment, files: Sequence[Mapping[str, Any]]) -> FileState:
    wanted = scope.holds(spec.required_if, default=spec.required, path=f"@{spec.key}")
    return FileState(spec, list(files), spec.stage == "submit" and wanted)


class _Reader:
    """Makes states out of answers: what was typed and what it means. Everything counts as shown until it is settled."""

    def __init__(self, answers: Answers, lookups: Lookups, scope: Scope, frozen: bool) -> None:
        self.answers, self.lookups, self.form, self.frozen = answers, lookups, scope.form, frozen

    def read(self, definition: Definition) -> list[SectionState]:
        """The sections of ``definition``; the form that expressions see is filled."""
        return [self._section(s) for s in definition.sections]

    def _section(self, section: Section) -> SectionState:
        fields = [self._field(f, f.key, self.answers.main) for f in section.fields]
        self.form.update((f.spec.key, f.fact) for f in fields)
        tables = [self._table(t, None, None) for t in section.tables]
        self.form.update((t.spec.key, t.facts) for t in tables)
        return SectionState(section, fields, tables)

    def _field(self, spec: FieldSpec, path: str, values: Mapping[str, Raw]) -> FieldState:
        state = FieldState(spec, path, value=nothing(spec), required=spec.required, fact=nothing(spec))
        if self.frozen or _is_typed(spec):
            if spec.key in values:
                state.take(values[spec.key], self.lookups)
        elif spec.fixed is not None:
            state.take(spec.fixed, self.lookups)
        if not self.frozen:
            state.filled_by = spec.computed or (None if self._is_answered(state, values) else spec.prefill)
        return state

    def _is_answered(self, state: FieldState, values: Mapping[str, Raw]) -> bool:
        """Whether somebody typed, so that a suggestion comes too late. An emptied field of the main form was typed."""
        if state.spec.readonly:
            return False
        return state.raw is not None or (values is self.answers.main and state.spec.key in values)

    def _table(self, spec: Table, parent: Row | None, outer: tuple[str, str] | None) -> TableState:
        path = row_path(spec.key, "", outer).rstrip("/")
        rows = self.answers.children(spec.key, parent.id if parent else None)
        return TableState(spec, path, [self._row(spec, r, n, outer) for n, r in enumerate(rows, 1)])

    def _row(self, spec: Table, row: Row, number: int, outer: tuple[str, str] | None) -> RowState:
        path = row_path(spec.key, row.id, outer)
        fields = {c.key: self._field(c, f"{path}/{c.key}", row.values) for c in spec.all_columns}
        state = RowState(row.id, path, number, fields)
        state.tables = {t.key: self._table(t, row, (spec.key, row.id)) for t in spec.tables}
        state.facts = {k: f.fact for k, f in fields.items()} | {k: t.facts for k, t in state.tables.items()}
        return state


def _is_typed(spec: FieldSpec) -> bool:
    """Whether people answer it; otherwise it is computed, given, or carried over and read-only."""
    return not (spec.computed or spec.fixed is not None or (spec.readonly and spec.prefill))
