"""In which order answers are settled: what an expression reads comes before what it fills, across sections and tables.

Worked out once per definition. Visibility may go round in a circle (computed values may not): such a ring is settled in
rounds, always in the same order, so that the order of the file never shows in a result.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from app.definitions.expressions import Expression, ExpressionError, compile_expression
from app.fields.base import FieldSpec

if TYPE_CHECKING:
    from app.definitions.schema import Definition, Table

_WORD = re.compile(r"[A-Za-z_]\w*")
_COMPUTED_INDEX = re.compile(r"\[\s*[A-Za-z(]")
"""A key that is only known when the expression runs."""
_BY_FUNCTION = {"year_row": frozenset({"fiscal_year"})}
"""Columns that a function reads although the expression does not name them."""


class Unit(NamedTuple):
    """What is settled at once: a section or a table (shown or not), a field, or a column in all its rows.

    ``key`` is empty for a section, a table and a field of the main form.
    """

    kind: str
    owner: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Units that hang on each other, and how many rounds settle them: one, unless they are a ring."""

    units: tuple[Unit, ...]
    rounds: int


def is_plain(spec: FieldSpec) -> bool:
    """Whether no expression stands on ``spec``: it is shown with its section or table, and only typed."""
    return not (spec.visible_if or spec.required_if or spec.computed or spec.prefill)


def settling_order(definition: Definition) -> tuple[Group, ...]:
    """Every unit of ``definition`` once, each after what it reads."""
    return tuple(_sorted(_Readings(definition).of_units()))


class _Readings:
    """Which units each unit reads. A superset: rather one too many than one too few."""

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self.fields = {f.key: _unit(f, "", section.key) for section, f in definition.fields()}
        self.tables = {t.key: t for _, t, parent in definition.tables() if parent is None}

    def of_units(self) -> dict[Unit, frozenset[Unit]]:
        """Units by what they read, in the order of the definition."""
        found: dict[Unit, frozenset[Unit]] = {}
        for section in self.definition.sections:
            holder = Unit("section", section.key)
            found[holder] = self._read(section.visible_if)
            for field in section.fields:
                if not is_plain(field):
                    found[Unit("field", field.key)] = self._of_spec(field, None) | {holder}
            for table in section.tables:
                found |= self._of_table(table, None, holder)
        return found

    def _of_table(self, table: Table, parent: Table | None, holder: Unit) -> dict[Unit, frozenset[Unit]]:
        whole = Unit("table", table.key)
        found = {whole: self._read(table.visible_if, parent) | {holder}}
        for column in table.all_columns:
            if not is_plain(column):
                found[Unit("column", table.key, column.key)] = self._of_spec(column, table) | {whole}
        for nested in table.tables:
            found |= self._of_table(nested, table, whole)
        return found

    def _of_spec(self, spec: FieldSpec, table: Table | None) -> frozenset[Unit]:
        # What is required is read by nobody, so it is found at the end and hangs on no order.
        sources = (spec.visible_if, spec.computed, spec.prefill)
        return frozenset(unit for source in sources for unit in self._read(source, table))

    def _read(self, source: str | None, table: Table | None = None) -> frozenset[Unit]:
        """What ``source``, looking at the form and a row of ``table``, reads."""
        expression = _compiled(source)
        if expression is None:
            return frozenset()
        found = set()
        for key in _keys(expression, "form", self._form_keys):
            found |= self._in_form(key, expression)
        for key in _keys(expression, "row", _row_keys(table)) if table else ():
            found |= _in_row(key, table, expression) if table else set()
        return frozenset(found)

    @cached_property
    def _form_keys(self) -> frozenset[str]:
        return frozenset(self.fields.keys() | self.tables.keys())

    def _in_form(self, key: str, expression: Expression) -> set[Unit]:
        if key in self.tables:
            return set(_in_table(self.tables[key], expression))
        return {self.fields[key]} if key in self.fields else set()


def _unit(spec: FieldSpec, table: str, section: str = "") -> Unit:
    """The unit that settles ``spec``: its own, or with nothing to settle that of its table or section."""
    if is_plain(spec):
        return Unit("table", table) if table else Unit("section", section)
    return Unit("column", table, spec.key) if table else Unit("field", spec.key)


def _compiled(source: str | None) -> Expression | None:
    if source is None:
        return None
    try:
        return compile_expression(source)
    except ExpressionError:  # refused when the definition is loaded; here it simply reads nothing
        return None


def _keys(expression: Expression, name: str, known: frozenset[str]) -> frozenset[str]:
    """Keys of the variable ``name`` that ``expression`` may read."""
    plain = expression.form_keys if name == "form" else expression.row_keys
    if name not in expression.whole:
        return plain
    return (_named(expression, known) or known) | plain


def _named(expression: Expression, known: frozenset[str]) -> frozenset[str]:
    """Those of ``known`` whose name stands in the expression, texts included; none if that cannot be said."""
    if _COMPUTED_INDEX.search(expression.source):
        return frozenset()
    words = set(_WORD.findall(expression.source))
    for function, keys in _BY_FUNCTION.items():
        words |= keys if function in words else set()
    return known & words


def _row_keys(table: Table | None) -> frozenset[str]:
    if table is None:
        return frozenset()
    return frozenset([c.key for c in table.all_columns] + [t.key for t in table.tables])


def _in_row(key: str, table: Table, expression: Expression) -> set[Unit]:
    for nested in table.tables:
        if nested.key == key:
            return set(_in_table(nested, expression))
    return {_unit(c, table.key) for c in table.all_columns if c.key == key}


def _in_table(table: Table, expression: Expression) -> Iterator[Unit]:
    """The table and those of its columns, and of the tables nested in it, that the expression may read."""
    yield Unit("table", table.key)
    known = _row_keys(table)
    names = _named(expression, known) or known
    yield from (_unit(c, table.key) for c in table.all_columns if c.key in names)
    for nested in table.tables:
        if nested.key in names:
            yield from _in_table(nested, expression)


def _sorted(reads: Mapping[Unit, frozenset[Unit]]) -> Iterator[Group]:
    left = dict(reads)
    while left:
        ready = [unit for unit, needs in left.items() if left.keys().isdisjoint(needs)]
        if ready:
            yield from (Group((unit,), 1) for unit in ready)
        else:
            ready = min((_reachable(unit, left) for unit in left), key=lambda ring: (len(ring), ring))
            yield Group(tuple(ready), len(ready) + 2)
        for unit in ready:
            del left[unit]


def _reachable(start: Unit, reads: Mapping[Unit, frozenset[Unit]]) -> list[Unit]:
    """Everything that ``start`` reads, directly or through others; the smallest such set is a ring."""
    found: set[Unit] = set()
    queue = [start]
    while queue:
        fresh = (reads[queue.pop()] & reads.keys()) - found
        found |= fresh
        queue += fresh
    return sorted(found)
