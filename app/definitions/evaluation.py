"""Judges answers against a definition. One pass serves live hints, check page, submit, review and documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from app.definitions.answers import Answers, Row, row_path
from app.definitions.expressions import ExpressionError, compile_expression
from app.definitions.messages import condition_text, missing_text, rows_text
from app.definitions.schema import Attachment, Condition, Definition, Section, Table
from app.fields import registry as field_types
from app.fields.base import FieldError, FieldSpec, Lookups, Raw, Value

ATTACHMENTS = "attachments"
"""Key of the wizard's last section, where files are added."""


@dataclass(slots=True)
class Problem:
    """Something to change (``error``), to answer (``missing``) or to look at (``warn``), with the way to it."""

    path: str
    section: str
    severity: str
    message: str
    verb: str


@dataclass(slots=True)
class FieldState:
    """One question with what was typed and what it means."""

    spec: FieldSpec
    path: str
    raw: Raw = None
    value: Value = None
    text: str = ""
    error: str | None = None
    warning: str | None = None
    visible: bool = True
    required: bool = True
    prefilled: bool = False

    @property
    def id(self) -> str:
        """HTML id."""
        return self.path.replace("/", "-")

    @property
    def name(self) -> str:
        """Name of the control."""
        return self.path

    @property
    def computed(self) -> bool:
        """Whether the value comes from an expression and cannot be typed."""
        return self.spec.computed is not None

    @property
    def readonly(self) -> bool:
        """Whether the person cannot change it."""
        return self.spec.readonly or self.computed or self.spec.fixed is not None

    @property
    def empty(self) -> bool:
        """Whether nothing was answered."""
        return field_types.get(self.spec.type).is_empty(self.value)


@dataclass(slots=True)
class RowState:
    """One row: columns and nested tables."""

    id: str
    path: str
    number: int
    fields: dict[str, FieldState]
    tables: dict[str, TableState] = field(default_factory=dict)
    title: str = ""
    summary: str = ""

    def all_fields(self) -> Iterator[FieldState]:
        """Own columns, then those of nested rows."""
        yield from self.fields.values()
        for table in self.tables.values():
            if table.visible:
                for row in table.rows:
                    yield from row.all_fields()

    @property
    def problems(self) -> int:
        """How many values must be changed or answered."""
        return sum(1 for f in self.all_fields() if f.visible and (f.error or (f.required and f.empty)))


@dataclass(slots=True)
class TableState:
    """Rows of a table and whether their number fits."""

    spec: Table
    path: str
    rows: list[RowState]
    visible: bool = True
    error: str | None = None

    @property
    def room(self) -> int:
        """How many rows may still be added."""
        return max(0, self.spec.max_rows - len(self.rows))


@dataclass(slots=True)
class FileState:
    """One kind of attachment and the files that are there (mappings with name, size, pages, id, sha256)."""

    spec: Attachment
    files: Sequence[Mapping[str, Any]]
    required: bool

    @property
    def path(self) -> str:
        """Path used by remarks and problems."""
        return f"@{self.spec.key}"


@dataclass(slots=True)
class SectionState:
    """One page of the wizard with its state for the step rail."""

    spec: Section
    fields: list[FieldState]
    tables: list[TableState]
    visible: bool = True

    def all_fields(self) -> Iterator[FieldState]:
        """All fields and columns of the section."""
        yield from self.fields
        for table in self.tables:
            if table.visible:
                for row in table.rows:
                    yield from row.all_fields()


@dataclass(slots=True)
class Finding:
    """A condition's verdict: True, False or None (cannot be decided)."""

    condition: Condition
    result: bool | None
    path: str
    message: str


@dataclass(slots=True)
class Evaluation:
    """Everything that is known about the answers."""

    definition: Definition
    sections: list[SectionState]
    files: list[FileState]
    problems: list[Problem]
    findings: list[Finding]
    form: dict[str, Any]

    @property
    def blocking(self) -> list[Problem]:
        """Problems that stand in the way of submitting."""
        return [p for p in self.problems if p.severity != "warn"]

    def of(self, section: str) -> list[Problem]:
        """Problems of one section."""
        return [p for p in self.problems if p.section == section]

    def section(self, key: str) -> SectionState:
        """The section ``key``; KeyError if it does not exist."""
        for section in self.sections:
            if section.spec.key == key:
                return section
        raise KeyError(key)

    def all_fields(self) -> Iterator[FieldState]:
        """Every visible section's fields."""
        for section in self.sections:
            if section.visible:
                yield from section.all_fields()

    def find(self, path: str) -> FieldState | None:
        """The field at ``path``, or None."""
        return next((f for s in self.sections for f in s.all_fields() if f.path == path), None)

    def content(self) -> dict[str, Any]:
        """Canonical content of the record: visible answers only, JSON values, row ids kept."""

        def values(states: Iterator[FieldState] | list[FieldState]) -> dict[str, Any]:
            return {f.spec.key: field_types.get(f.spec.type).to_json(f.value) for f in states if f.visible}

        def rows(table: TableState) -> list[dict[str, Any]]:
            return [
                {
                    "id": row.id,
                    "values": values(list(row.fields.values())),
                    "tables": {k: rows(t) for k, t in row.tables.items() if t.visible},
                }
                for row in table.rows
            ]

        shown = [s for s in self.sections if s.visible]
        return {
            "fields": {k: v for s in shown for k, v in values(s.fields).items()},
            "tables": {t.spec.key: rows(t) for s in shown for t in s.tables if t.visible},
        }


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
    return _Judge(definition, answers, lookups, dict(enterprise), dict(params), today, files or {}, frozen).run()


class _Judge:
    """State of one pass; see ``evaluate``."""

    def __init__(
        self,
        definition: Definition,
        answers: Answers,
        lookups: Lookups,
        enterprise: dict[str, Any],
        params: dict[str, Any],
        today: str,
        files: Mapping[str, Sequence[Mapping[str, Any]]],
        frozen: bool,
    ) -> None:
        self.definition, self.answers, self.lookups, self.frozen = definition, answers, lookups, frozen
        self.files = files
        self.form: dict[str, Any] = {}
        # Every number inside expressions is a double: whole parameters too.
        numbers = {k: float(v) if isinstance(v, int) and not isinstance(v, bool) else v for k, v in params.items()}
        self.params = params
        self.scope = {"form": self.form, "enterprise": enterprise, "params": numbers, "today": today, "review": {}}
        self.problems: list[Problem] = []
        self.findings: list[Finding] = []

    def run(self) -> Evaluation:
        for _, spec in self.definition.fields():
            self.form[spec.key] = [] if spec.type == "multiselect" else None
        for _, table, parent in self.definition.tables():
            if parent is None:
                self.form[table.key] = []
        sections = [self._section(s) for s in self.definition.sections]
        # Twice: a computed value may depend on a later field, visibility on a computed value.
        for _ in range(2):
            for state in sections:
                self._settle(state)
        files = [self._file(a) for a in self.definition.attachments]
        for condition in self.definition.conditions:
            self._judge(condition, sections)
        for state in sections:
            self._collect(state)
        for file in files:
            self._collect_file(file)
        order = {s.key: i for i, s in enumerate(self.definition.sections)}
        self.problems.sort(key=lambda p: order.get(p.section, 999))
        return Evaluation(self.definition, sections, files, self.problems, self.findings, self.form)

    # -- building ------------------------------------------------------------------------------------------

    def _section(self, section: Section) -> SectionState:
        fields = [self._field(f, f.key, self.answers.main) for f in section.fields]
        for state in fields:
            self.form[state.spec.key] = self._cel(state)
        tables = [self._table(t, None, None) for t in section.tables]
        for table in tables:
            self.form[table.spec.key] = [self._row_cel(r) for r in table.rows]
        return SectionState(section, fields, tables)

    def _field(self, spec: FieldSpec, path: str, values: Mapping[str, Raw]) -> FieldState:
        nothing: Value = [] if spec.type == "multiselect" else None
        state = FieldState(spec, path, value=nothing, required=spec.required)
        if self.frozen or not (spec.computed or spec.fixed is not None or (spec.readonly and spec.prefill)):
            state.raw = values.get(spec.key)
            if spec.key in values:
                self._parse(state)
        if spec.fixed is not None and not self.frozen:
            state.raw = spec.fixed
            self._parse(state)
        return state

    def _parse(self, state: FieldState) -> None:
        kind = field_types.get(state.spec.type)
        state.error = None
        try:
            state.value = kind.parse(state.spec, state.raw, self.lookups)
            state.text = kind.text(state.spec, state.value, self.lookups)
        except FieldError as error:
            state.value, state.error = None, str(error)
            state.text = state.raw if isinstance(state.raw, str) else "、".join(state.raw or [])

    def _table(self, spec: Table, parent: Row | None, outer: tuple[str, str] | None) -> TableState:
        path = row_path(spec.key, "", outer).rstrip("/")
        rows = self.answers.children(spec.key, parent.id if parent else None)
        return TableState(spec, path, [self._row(spec, r, n, outer) for n, r in enumerate(rows, 1)])

    def _row(self, spec: Table, row: Row, number: int, outer: tuple[str, str] | None) -> RowState:
        path = row_path(spec.key, row.id, outer)
        fields = {c.key: self._field(c, f"{path}/{c.key}", row.values) for c in spec.all_columns}
        state = RowState(row.id, path, number, fields)
        state.tables = {t.key: self._table(t, row, (spec.key, row.id)) for t in spec.tables}
        return state

    @staticmethod
    def _cel(state: FieldState) -> Any:
        kind = field_types.get(state.spec.type)
        if not state.visible or kind.is_empty(state.value):
            return [] if state.spec.type == "multiselect" else None
        return kind.to_cel(state.value)

    def _row_cel(self, row: RowState) -> dict[str, Any]:
        data: dict[str, Any] = {k: self._cel(f) for k, f in row.fields.items()}
        for key, table in row.tables.items():
            data[key] = [self._row_cel(r) for r in table.rows] if table.visible else []
        return data

    # -- visibility, computed values, prefill ----------------------------------------------------------------

    def _settle(self, state: SectionState) -> None:
        state.visible = self._is_true(state.spec.visible_if, None, True)
        for field_state in state.fields:
            self._settle_field(field_state, None, state.visible)
            self.form[field_state.spec.key] = self._cel(field_state)
        for table in state.tables:
            table.visible = state.visible and self._is_true(table.spec.visible_if, None, True)
            self._settle_table(table)
            self.form[table.spec.key] = [self._row_cel(r) for r in table.rows] if table.visible else []

    def _settle_table(self, table: TableState) -> None:
        spec = table.spec
        for row in table.rows:
            for nested in row.tables.values():
                nested.visible = table.visible and self._is_true(nested.spec.visible_if, self._row_cel(row), True)
                self._settle_table(nested)
            data = self._row_cel(row)
            for column in row.fields.values():
                self._settle_field(column, data, table.visible)
                data[column.spec.key] = self._cel(column)
            titles = [row.fields[spec.title_column].text] if spec.title_column else []
            row.title = titles[0] if titles and titles[0] else f"{spec.row_label} {row.number}"
            shown = (row.fields[c] for c in spec.summary_columns if c in row.fields)
            row.summary = " · ".join(f"{f.text} {f.spec.unit or ''}".strip() for f in shown if f.text)

    def _settle_field(self, state: FieldState, row: dict[str, Any] | None, shown: bool) -> None:
        spec = state.spec
        state.visible = shown and self._is_true(spec.visible_if, row, True)
        state.required = state.visible and spec.required
        if spec.required_if:
            state.required = state.visible and self._is_true(spec.required_if, row, False)
        if self.frozen:
            return
        values = self.answers.main if row is None else {}
        typed = state.raw is not None and not state.prefilled or spec.key in values
        if spec.computed or (spec.prefill and (not typed or spec.readonly)):
            result = self._run(spec.computed or spec.prefill or "null", row)
            state.raw, state.prefilled = _raw_of(spec, result), spec.computed is None
            self._parse(state)

    def _is_true(self, source: str | None, row: dict[str, Any] | None, default: bool) -> bool:
        return default if source is None else self._run(source, row) is True

    def _run(self, source: str, row: dict[str, Any] | None) -> Any:
        try:
            return compile_expression(source).evaluate({**self.scope, "row": row or {}})
        except ExpressionError:
            # The definition's check evaluates every expression on empty and full samples, so this is a rare
            # combination: undecided, never hidden (a condition shows as "cannot be decided" to the reviewer).
            return None

    # -- verdicts ------------------------------------------------------------------------------------------

    def _judge(self, condition: Condition, sections: list[SectionState]) -> None:
        if condition.each is None:
            self._judge_one(condition, None, sections, None)
            return
        for section in sections:
            for table in section.tables:
                for row in table.rows if section.visible and table.visible else ():
                    if table.spec.key == condition.each:
                        self._judge_one(condition, row, sections, section)
                    for nested in row.tables.values():
                        for inner in nested.rows if nested.spec.key == condition.each else ():
                            self._judge_one(condition, inner, sections, section)

    def _judge_one(
        self, condition: Condition, row: RowState | None, sections: list[SectionState], home: SectionState | None
    ) -> None:
        result = None if condition.cel is None else self._run(condition.cel, self._row_cel(row) if row else None)
        result = result if isinstance(result, bool) else None
        section, target, path = home, None, row.path if row else ""
        if row is not None and condition.at:
            target = row.fields[condition.at]
        elif condition.at:
            for state in sections:
                for candidate in state.fields:
                    if candidate.spec.key == condition.at:
                        section, target = state, candidate
                for table in state.tables:
                    if table.spec.key == condition.at:
                        section, path = state, table.path
        path = target.path if target else path
        texts = {f.spec.key: f.text for s in sections for f in s.fields} | (
            {k: f.text for k, f in row.fields.items()} if row else {}
        )
        texts["expected"] = self._expected(condition, row, target) if result is False else ""
        message = condition_text(condition, texts, self.params, target.text if target else "", row.number if row else 0)
        self.findings.append(Finding(condition, result, path, message))
        if result is False:
            self._blame(condition, message, section, target, path)

    def _expected(self, condition: Condition, row: RowState | None, target: FieldState | None) -> str:
        """What the value was compared with, as people read it."""
        if condition.expected is None:
            return ""
        result = self._run(condition.expected, self._row_cel(row) if row else None)
        if not isinstance(result, float) or target is None:
            return "" if result is None else str(result)
        figure = FieldState(target.spec, target.path, _raw_of(target.spec, result))
        self._parse(figure)
        return figure.text

    def _blame(
        self, condition: Condition, message: str, section: SectionState | None, target: FieldState | None, path: str
    ) -> None:
        key = section.spec.key if section else self.definition.sections[0].key
        if condition.severity == "warn":
            if target is not None and not target.warning:
                target.warning = message
            self.problems.append(Problem(path, key, "warn", message, "去看"))
        elif target is None:
            self.problems.append(Problem(path, key, "error", message, "去看"))
        elif not target.error:
            # Shown once, beside its field; the collecting pass turns it into a problem.
            target.error = message

    def _collect(self, state: SectionState) -> None:
        if not state.visible:
            return
        for field_state in state.fields:
            self._collect_field(field_state, state.spec.key, "")
        for table in state.tables:
            if table.visible:
                self._collect_table(table, state.spec.key, "")

    def _collect_table(self, table: TableState, section: str, prefix: str) -> None:
        spec = table.spec
        table.error = rows_text(spec, len(table.rows))
        if table.error:
            self.problems.append(Problem(table.path, section, "error", prefix + table.error, "去填"))
        for row in table.rows:
            place = f"{prefix}第 {row.number} 个{spec.row_label}的"
            for column in row.fields.values():
                self._collect_field(column, section, place)
            for nested in row.tables.values():
                if nested.visible:
                    self._collect_table(nested, section, place)

    def _collect_field(self, state: FieldState, section: str, place: str) -> None:
        if not state.visible:
            return
        if state.error:
            text = state.error if f"“{state.spec.label}”" in state.error else f"“{state.spec.label}”：{state.error}"
            self.problems.append(Problem(state.path, section, "error", place + text, "去改"))
        elif state.required and state.empty:
            self.problems.append(Problem(state.path, section, "missing", missing_text(state.spec, place), "去填"))

    def _file(self, spec: Attachment) -> FileState:
        required = spec.required and spec.stage == "submit"
        if spec.required_if:
            required = spec.stage == "submit" and self._is_true(spec.required_if, None, False)
        return FileState(spec, list(self.files.get(spec.key, ())), required)

    def _collect_file(self, state: FileState) -> None:
        if state.required and not state.files:
            formats = "、".join(f.upper() for f in state.spec.formats)
            message = f"还没传“{state.spec.label}”，请上传 {formats}，要小于 {state.spec.max_size_mb} MB"
            self.problems.append(Problem(state.path, ATTACHMENTS, "missing", message, "去传"))


def _raw_of(spec: FieldSpec, result: Any) -> Raw:
    """An expression's result as it would be typed."""
    if result is None or isinstance(result, list):
        return result
    if isinstance(result, bool):
        return "yes" if result else "no"
    if isinstance(result, (int, float)):
        places = 0 if spec.type in {"integer", "year"} else (2 if spec.decimals is None else spec.decimals)
        exact = Decimal(repr(float(result))).quantize(Decimal(1).scaleb(-6), ROUND_HALF_UP)
        return format(exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP), "f")
    return str(result)
