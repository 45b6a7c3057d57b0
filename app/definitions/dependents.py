"""What hangs on an answer: fields shown, required or filled in through it. A return reopens these with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from app.definitions.schema import Definition, Table
from app.fields.base import FieldSpec

_NAME = re.compile(r"\b(form|row)\.([a-z][a-z0-9_]*)")


def with_dependents(definition: Definition, paths: Iterable[str]) -> set[str]:
    """``paths`` and the paths of everything that hangs on them, directly or through others."""
    found: set[str] = set()
    waiting = set(paths)
    while waiting:
        found |= waiting
        waiting = {p for path in waiting for p in _dependents(definition, path)} - found
    return found


def _names(*expressions: str | None) -> set[tuple[str, str]]:
    return {match for e in expressions if e for match in _NAME.findall(e)}


def _names_of(spec: FieldSpec) -> set[tuple[str, str]]:
    fixed = spec.readonly or spec.computed or spec.fixed is not None
    # A computed value follows by itself; what hangs on it is found through its own sources.
    return set() if fixed else _names(spec.visible_if, spec.required_if, spec.prefill)


def _dependents(definition: Definition, path: str) -> Iterator[str]:
    if path.startswith("@"):
        return
    parts = path.split("/")
    name = ("form", parts[0])
    yield from _in_main(definition, name)
    yield from _in_row(definition, parts)
    for _, spec in definition.fields():
        if spec.computed and name in _names(spec.computed) and spec.key != parts[0]:
            yield from _in_main(definition, ("form", spec.key))


def _in_row(definition: Definition, parts: list[str]) -> Iterator[str]:
    """Columns of the same row that hang on the column at ``table/<row>/column``; nothing for other paths."""
    if len(parts) % 2 == 0 or len(parts) == 1:
        return
    row = "/".join(parts[:-1])
    columns = definition.table(parts[-3]).all_columns
    read = {("row", parts[-1])}
    for column in columns:
        # What is computed from it changes by itself, and what hangs on that is wanted.
        if column.computed and _names(column.computed) & read:
            read.add(("row", column.key))
    yield from (f"{row}/{column.key}" for column in columns if _names_of(column) & read and column.key != parts[-1])


def _in_main(definition: Definition, name: tuple[str, str]) -> Iterator[str]:
    for section in definition.sections:
        whole = name in _names(section.visible_if)
        yield from (f.key for f in section.fields if whole or name in _names_of(f))
        yield from (t.key for t in section.tables if whole or name in _names_of_table(t))
    yield from (f"@{a.key}" for a in definition.attachments if name in _names(a.required_if))


def _names_of_table(table: Table) -> set[tuple[str, str]]:
    # A column that needs an answer of the main form opens its table: there is no path for "in every row".
    shown = {n for c in table.all_columns for n in _names(c.visible_if, c.required_if)}
    nested = {n for t in table.tables for n in _names_of_table(t)}
    return {n for n in shown | nested | _names(table.visible_if) if n[0] == "form"}
