"""Reads rows of a grid for an account: its scope, its columns, two statements however many rows there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.orm import aliased

from app.extensions import db
from app.fields.sqltypes import list_contains
from app.models import Account, Declaration
from app.views.admin.spec import Column, Grid
from app.views.api.parameters import Asked, Condition, has_declaration
from app.views.api.values import label_of, machine_value


@dataclass(frozen=True)
class Found:
    """Rows as JSON holds them. ``total`` is None when reading on by id; ``more``: whether others follow."""

    rows: list[dict[str, Any]]
    total: int | None
    more: bool


class Source:
    """One grid as a SELECT of plain columns. Related records are joined under names of their own, so that a scope that
    asks about the same table stays a question of its own.
    """

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.model: Any = grid.model
        self._related: dict[str, Any] = {}
        for place in dict.fromkeys(p for c in grid.columns for p in _places(c.path)):
            self._related[place] = aliased(self._relation(place).property.mapper.class_)
        self.attributes = {c.path: self._attribute(c.path) for c in grid.columns}

    def _relation(self, place: str) -> Any:
        """The relationship at ``place``, seen from the record that it leads away from."""
        outer, _dot, name = place.rpartition(".")
        return getattr(self._related[outer] if outer else self.model, name)

    def _attribute(self, path: str) -> Any:
        relation, _dot, name = path.rpartition(".")
        return getattr(self._related[relation] if relation else self.model, name)

    @cached_property
    def parent(self) -> Any:
        """The column with the id of the row in the parent grid; None if there is no parent."""
        if self.grid.parent is None:
            return None
        return self.model.parent_id if hasattr(self.model, "parent_id") else self.model.form_id

    @cached_property
    def statement(self) -> Select[Any]:
        """Id, public id of the declaration, parent, then the columns in the grid's order."""
        facts = [self.model.id]
        joined: Select[Any] = select().select_from(self.model)
        for place, target in self._related.items():
            joined = joined.outerjoin(self._relation(place).of_type(target))
        if self.model is Declaration:
            facts.append(self.model.public_id)
        elif has_declaration(self.grid):
            facts.append(select(Declaration.public_id).where(Declaration.id == self.model.declaration_id)
                         .correlate(self.model).scalar_subquery())  # fmt: skip
        if self.parent is not None:
            facts.append(self.parent)
        return joined.add_columns(*facts, *self.attributes.values())

    def scoped(self, account: Account) -> Select[Any]:
        """The rows that ``account`` may see."""
        return self.statement.where(self.grid.scope(account))

    def row(self, found: Row[Any], labels: bool) -> dict[str, Any]:
        """One row as JSON."""
        columns = self.grid.columns
        facts, values = found[: -len(columns)], found[-len(columns) :]
        names = [
            "id",
            *(["declaration"] if has_declaration(self.grid) else []),
            *(["parent"] if self.grid.parent else []),
        ]
        row: dict[str, Any] = dict(zip(names, facts, strict=True))
        row["values"] = {c.path: machine_value(c, v) for c, v in zip(columns, values, strict=True)}
        if labels:
            row["labels"] = _labels(columns, values)
        return row


def _places(path: str) -> list[str]:
    """The related records on the way to ``path``, outermost first: ``event``, ``event.declaration``."""
    steps = path.split(".")[:-1]
    return [".".join(steps[: n + 1]) for n in range(len(steps))]


def _labels(columns: Sequence[Column], values: Sequence[Any]) -> dict[str, str]:
    labels = {c.path: label_of(c, v) for c, v in zip(columns, values, strict=True)}
    return {path: label for path, label in labels.items() if label is not None}


def read_rows(source: Source, account: Account, asked: Asked) -> Found:
    """The rows of one page, or the next ones after an id."""
    statement = _narrowed(source, source.scoped(account), asked)
    if asked.after is not None:
        return _rows_after(source, statement, asked)
    ids = statement.with_only_columns(source.model.id).order_by(None).subquery()
    total = db.session.scalar(select(func.count()).select_from(ids)) or 0
    start = (asked.page - 1) * asked.page_size
    page = statement.order_by(*_order(source, asked)).offset(start).limit(asked.page_size)
    rows = [source.row(r, asked.labels) for r in db.session.execute(page)] if start < total else []
    return Found(rows, total, start + asked.page_size < total)


def _rows_after(source: Source, statement: Select[Any], asked: Asked) -> Found:
    # One more than asked for tells whether others follow.
    following = statement.where(source.model.id > asked.after).order_by(source.model.id).limit(asked.page_size + 1)
    found = db.session.execute(following).all()
    rows = [source.row(r, asked.labels) for r in found[: asked.page_size]]
    return Found(rows, None, len(found) > asked.page_size)


def read_row(source: Source, account: Account, key: int, labels: bool) -> dict[str, Any] | None:
    """The row with this id, or None if there is none in scope."""
    found = db.session.execute(source.scoped(account).where(source.model.id == key)).first()
    return source.row(found, labels) if found is not None else None


def _narrowed(source: Source, statement: Select[Any], asked: Asked) -> Select[Any]:
    if asked.declaration is not None:
        wanted = select(Declaration.id).where(Declaration.public_id == asked.declaration)
        column = source.model.id if source.model is Declaration else source.model.declaration_id
        statement = statement.where(column == wanted.correlate(None).scalar_subquery())
    if asked.parent is not None:
        statement = statement.where(source.parent == asked.parent)
    return statement.where(*(condition_of(source, c) for c in asked.conditions))


def _order(source: Source, asked: Asked) -> list[ColumnElement[Any]]:
    path, descending = (asked.order, asked.descending) if asked.order else (
        source.grid.order[0], source.grid.order[1] == "desc")  # fmt: skip
    model_id = source.model.id
    if path == "id":
        return [model_id.desc() if descending else model_id]
    column = source.attributes[path]
    # Empty ones last on every database, then by id, so that no row is on two pages.
    return [(column.desc() if descending else column.asc()).nulls_last(), model_id]


# -- conditions -----------------------------------------------------------------------------------------------------


def condition_of(source: Source, condition: Condition) -> ColumnElement[bool]:
    """The SQL condition of one filter."""
    attribute, value = source.attributes[condition.column.path], condition.value
    if isinstance(value, tuple):
        return _IN_SPAN[condition.operator](attribute, *value)
    if condition.operator == "contains" and condition.column.spec and condition.column.spec.type == "multiselect":
        return list_contains(attribute, value)
    return _COMPARISONS[condition.operator](attribute, value)


_COMPARISONS: Mapping[str, Any] = {
    "eq": lambda a, v: a == v,
    "gte": lambda a, v: a >= v,
    "lte": lambda a, v: a <= v,
    "in": lambda a, v: a.in_(v),
    "contains": lambda a, v: a.icontains(v, autoescape=True),
}
_IN_SPAN: Mapping[str, Any] = {
    "eq": lambda a, start, end: (a >= start) & (a < end),
    "gte": lambda a, start, _end: a >= start,
    "lte": lambda a, _start, end: a < end,
}
