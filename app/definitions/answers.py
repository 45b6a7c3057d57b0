"""Working answers as a value: what was typed, before anything is judged. Paths are stable, numbers are for display.

A path is ``field``, ``table/<row id>/column`` or ``table/<row id>/child/<row id>/column``; ``@key`` is an attachment.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from app.definitions.schema import Definition, Table
from app.fields.base import Raw


@dataclass(slots=True)
class Row:
    """One row of a child table. ``values`` holds text exactly as typed."""

    id: str
    table: str
    parent: str | None
    position: int
    values: dict[str, Raw] = field(default_factory=dict)


@dataclass(slots=True)
class Answers:
    """All working answers of one declaration."""

    main: dict[str, Raw] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    _index: dict[tuple[str, str | None], list[Row]] | None = None

    def children(self, table: str, parent: str | None = None) -> list[Row]:
        """Rows of ``table`` below ``parent``, in order."""
        if self._index is None:
            index: dict[tuple[str, str | None], list[Row]] = {}
            for row in sorted(self.rows, key=lambda r: r.position):
                index.setdefault((row.table, row.parent), []).append(row)
            self._index = index
        return self._index.get((table, parent), [])


def row_path(table: str, row: str, parent: tuple[str, str] | None = None) -> str:
    """Path of a row; ``parent`` is (table, row id) of the outer row."""
    return f"{parent[0]}/{parent[1]}/{table}/{row}" if parent else f"{table}/{row}"


def _as_raw(value: Any) -> Raw:
    if value is None or isinstance(value, (str, list)):
        return value
    return str(value)


def from_content(definition: Definition, content: dict[str, Any]) -> Answers:
    """The answers that a revision's ``content`` holds, as if they had been typed."""
    answers = Answers(main={k: _as_raw(v) for k, v in content["fields"].items()})

    def take(table: Table, rows: Iterable[dict[str, Any]], parent: str | None) -> None:
        for position, row in enumerate(rows):
            values = {k: _as_raw(v) for k, v in row["values"].items()}
            answers.rows.append(Row(row["id"], table.key, parent, position, values))
            for child in table.tables:
                take(child, row.get("tables", {}).get(child.key, ()), row["id"])

    for section in definition.sections:
        for table in section.tables:
            take(table, content.get("tables", {}).get(table.key, ()), None)
    return answers
