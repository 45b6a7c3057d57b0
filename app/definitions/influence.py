"""What may look different after an answer changed: values, visibility, requirement and findings that read it.

A superset, for pages that are kept up to date while somebody types. What a return reopens is in ``dependents``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from app.definitions.expressions import compile_expression
from app.definitions.schema import Definition, Table
from app.fields.base import FieldSpec


@dataclass(frozen=True)
class Place:
    """A field (``table`` empty), a column, or a whole table (``table`` is its key, ``key`` empty).

    ``everywhere`` tells a column that may change in every row from one that changes in the same row only.
    """

    table: str
    key: str
    everywhere: bool = False


@dataclass(frozen=True)
class _Link:
    """``place`` reads form keys and, for a column, keys of its own row."""

    place: Place
    form: frozenset[str]
    row: frozenset[str]


def influenced(definition: Definition, table: str, key: str) -> frozenset[Place]:
    """Everything computed, prefilled, shown or required through the answer ``key`` of ``table`` (empty: main form).

    Directly or through others; and the fields beside which a condition over it is shown.
    """
    links = [*_links(definition), *_judgements(definition)]
    parents = {t.key: p.key for _, t, p in definition.tables() if p is not None}
    found: set[Place] = set()
    queue = [Place(table, key)]
    while queue:
        change = queue.pop()
        for link in links:
            place = _reached(link, change, parents)
            if place is not None and place not in found and (place.table, place.key) != (table, key):
                found.add(place)
                queue.append(place)
    return frozenset(found)


def _reached(link: _Link, change: Place, parents: dict[str, str]) -> Place | None:
    """The place of ``link`` as it is reached by ``change``, or None."""
    top = parents.get(change.table, change.table) or change.key
    if top in link.form:
        return Place(link.place.table, link.place.key, bool(link.place.table))
    outer = parents.get(change.table)
    inside = link.place.table == change.table and change.key in link.row
    above = outer is not None and link.place.table == outer and change.table in link.row
    if change.table and (inside or above):
        return Place(link.place.table, link.place.key, change.everywhere)
    return None


def _links(definition: Definition) -> Iterator[_Link]:
    for section in definition.sections:
        fields = [Place("", f.key) for f in section.fields] + [Place(t.key, "") for t in section.tables]
        for place in fields if section.visible_if else ():
            yield _link(place, [section.visible_if])
        for spec in section.fields:
            yield from _spec_links("", spec)
        for table in section.tables:
            yield from _table_links(table)


def _table_links(table: Table) -> Iterator[_Link]:
    if table.visible_if:
        yield _link(Place(table.key, ""), [table.visible_if])
    for column in table.all_columns:
        yield from _spec_links(table.key, column)
    for nested in table.tables:
        yield from _table_links(nested)


def _spec_links(table: str, spec: FieldSpec) -> Iterator[_Link]:
    sources = [spec.visible_if, spec.required_if, spec.computed, spec.prefill]
    if any(sources):
        yield _link(Place(table, spec.key), sources)


def _judgements(definition: Definition) -> Iterator[_Link]:
    for condition in definition.conditions:
        if condition.at and condition.cel:
            yield _link(Place(condition.each or "", condition.at), [condition.cel, condition.expected])


def _link(place: Place, sources: Iterable[str | None]) -> _Link:
    read = [compile_expression(s) for s in sources if s]
    return _Link(place, frozenset(k for e in read for k in e.form_keys), frozenset(k for e in read for k in e.row_keys))
