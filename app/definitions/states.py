"""What judging finds: every question, row, table and section with its state, the problems, and what the record will hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

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


def nothing(spec: FieldSpec) -> Any:
    """How "not answered" looks: several choices are an empty list, everything else is null."""
    return [] if spec.type == "multiselect" else None


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
    fact: Any = None
    """The value as expressions see it while the question is shown."""
    filled_by: str | None = None
    """Expression that answers it, as long as nobody types; None where only people answer."""
    undecided: bool = False
    """Whether that expression gives no answer, although nobody else can give one."""

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
    def typed(self) -> bool:
        """Whether a person answered it: it is not empty, given, computed or suggested."""
        return bool(self.raw) and not self.readonly and not self.prefilled

    @property
    def readonly(self) -> bool:
        """Whether the person cannot change it."""
        return self.spec.readonly or self.computed or self.spec.fixed is not None

    @property
    def empty(self) -> bool:
        """Whether nothing was answered."""
        return field_types.get(self.spec.type).is_empty(self.value)

    def take(self, raw: Raw, lookups: Lookups) -> None:
        """Answer it with ``raw``: what it means, how people read it, or the sentence that says why it means nothing."""
        kind = field_types.get(self.spec.type)
        self.raw, self.error, self.fact = raw, None, nothing(self.spec)
        try:
            self.value = kind.parse(self.spec, raw, lookups)
            self.text = kind.text(self.spec, self.value, lookups)
        except FieldError as error:
            self.value, self.error = None, str(error)
            self.text = raw if isinstance(raw, str) else "、".join(raw or [])
        if not kind.is_empty(self.value):
            self.fact = kind.to_cel(self.value)

    @property
    def known(self) -> Any:
        """What expressions see: nothing while the question is hidden."""
        return self.fact if self.visible else nothing(self.spec)

    @property
    def lacking(self) -> bool:
        """Whether an answer is needed and there is none."""
        return self.visible and self.required and self.empty


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
    facts: dict[str, Any] = field(default_factory=dict)
    """The row as expressions see it; kept up to date while answers are judged."""

    def all_fields(self) -> Iterator[FieldState]:
        """Own columns, then those of nested rows."""
        yield from self.fields.values()
        for table in self.tables.values():
            yield from table.all_fields()

    @property
    def problems(self) -> int:
        """How many values must be changed or answered."""
        return sum(1 for f in self.all_fields() if f.lacking or (f.visible and f.error))


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

    @property
    def facts(self) -> list[dict[str, Any]]:
        """The rows as expressions see them: none while the table is hidden."""
        return [row.facts for row in self.rows] if self.visible else []

    def all_fields(self) -> Iterator[FieldState]:
        """Columns of all rows and of the rows nested in them; none while the table is hidden."""
        for row in self.rows if self.visible else ():
            yield from row.all_fields()


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

    def all_tables(self) -> Iterator[TableState]:
        """The tables of the section, each followed by those nested in its rows."""
        for table in self.tables:
            yield table
            for row in table.rows:
                yield from row.tables.values()

    def all_fields(self) -> Iterator[FieldState]:
        """All fields and columns of the section."""
        yield from self.fields
        for table in self.tables:
            yield from table.all_fields()


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
        fields: dict[str, Any] = {}
        tables: dict[str, Any] = {}
        for section in (s for s in self.sections if s.visible):
            fields |= _recorded(section.fields)
            tables |= _recorded_rows(section.tables)
        return {"fields": fields, "tables": tables}


def _recorded(states: Iterable[FieldState]) -> dict[str, Any]:
    return {f.spec.key: field_types.get(f.spec.type).to_json(f.value) for f in states if f.visible}


def _recorded_rows(tables: Iterable[TableState]) -> dict[str, list[dict[str, Any]]]:
    return {
        table.spec.key: [
            {"id": r.id, "values": _recorded(r.fields.values()), "tables": _recorded_rows(r.tables.values())}
            for r in table.rows
        ]
        for table in tables
        if table.visible
    }
