"""A grid as data: which table, which columns, who is in scope. Core grids are listed, generated ones derived."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlencode

from flask import g, has_app_context
from markupsafe import Markup
from sqlalchemy import ColumnElement

from app.definitions.schema import Definition, Table
from app.documents.context import label_with_unit
from app.documents.sheet import Kind as SheetKind
from app.fields import registry as field_types
from app.fields.base import FieldSpec
from app.models import Account, Event
from app.models.base import Model
from app.models.generated import build_projection
from app.services.event_names import Names, names_of
from app.services.reference import lookups
from app.services.session import browser_name
from app.views.page import file_size, local_time, mask_phone

Kind = Literal[
    "text",
    "long",
    "int",
    "money",
    "bool",
    "time",
    "date",
    "option",
    "region",
    "industry",
    "phone",
    "size",
    "json",
    "agent",
    "subject",
    "field",
]
Scope = Callable[[Account], ColumnElement[bool]]


@dataclass(frozen=True)
class Column:
    """One column: ``path`` is an attribute, dotted into a related record. ``spec`` is set for answers."""

    path: str
    label: str
    kind: Kind = "text"
    options: Mapping[str, str] = field(default_factory=dict)
    listed: bool = True
    search: bool = False
    order: bool = True
    spec: FieldSpec | None = None
    pick: str = ""
    """What the filter or the control offers while one types: regions, industries, or the name of a grid of records."""

    @property
    def offers(self) -> str:
        """``pick``, or what goes without saying: codes are never typed by heart."""
        kind = self.spec.type if self.spec else self.kind
        return self.pick or {"region": "regions", "industry": "industries"}.get(kind, "")

    @property
    def head(self) -> str:
        """The label where values stand or are typed without their unit: in Excel and in filters."""
        return label_with_unit(self.spec) if self.spec else self.label

    def text(self, value: Any) -> str | Markup:
        """The value as people read it."""
        if value is None or value == "":
            return Markup('<span class="mute">—</span>')
        if self.spec is not None:
            return self.spec.with_unit(field_types.get(self.spec.type).text(self.spec, value, lookups))
        return _TEXTS.get(self.kind, lambda c, v: str(v))(self, value)

    def choice(self, value: str) -> str:
        """What was asked for in a filter, in words where it is one of the choices."""
        known = {o.value: o.label for o in self.spec.options} if self.spec else self.options
        return known.get(value, value)

    def cell(self, value: Any) -> Any:
        """The value as an Excel cell: numbers and dates stay what they are."""
        if value is None:
            return None
        if self.spec is not None:
            return field_types.get(self.spec.type).sheet(self.spec, value, lookups)
        if self.kind in ("int", "money", "date", "size"):
            return value
        return str(self.text(value))

    @property
    def sheet_kind(self) -> SheetKind:
        """Kind of Excel column: text, int, decimal or date."""
        kind = self.spec.type if self.spec else self.kind
        kinds: dict[str, SheetKind] = {"int": "int", "size": "int", "integer": "int", "year": "int", "money": "decimal", "decimal": "decimal",
                "percent": "decimal", "date": "date"}  # fmt: skip
        return kinds.get(kind, "text")


def keep_names(events: Iterable[Event]) -> None:
    """Read the names that the columns of these events will be asked for, all at once, for this request."""
    g.event_names = names_of(events)


def _names() -> Names:
    return g.get("event_names", Names()) if has_app_context() else Names()


_TEXTS: dict[str, Callable[[Column, Any], str]] = {
    "option": lambda c, v: c.options.get(str(v), str(v)),
    "bool": lambda c, v: "是" if v else "否",
    "time": lambda c, v: local_time(v),
    "money": lambda c, v: f"{v:,.2f}",
    "region": lambda c, v: lookups.region(v) or str(v),
    "industry": lambda c, v: lookups.industry(v) or str(v),
    "phone": lambda c, v: mask_phone(v),
    "size": lambda c, v: file_size(v),
    "long": lambda c, v: v if len(v) <= 60 else v[:60] + "……",
    "subject": lambda c, v: _names().subject(v, c.options),
    "json": lambda c, v: _names().noted(v) if isinstance(v, dict) else str(v),
    "agent": lambda c, v: browser_name(v) or "其他",
}


@dataclass(frozen=True)
class Grid:
    """One grid. ``name`` is stable: it is the address, the permission and the view at once."""

    name: str
    label: str
    group: str
    model: type[Model]
    columns: tuple[Column, ...]
    scope: Scope
    writable: bool = False
    parent: str | None = None
    order: tuple[str, str] = ("id", "desc")
    indent: bool = False
    prepare: Callable[[Iterable[Any]], None] | None = None
    """Called with the rows before they are shown, to read in one go what their columns need."""

    @property
    def listed(self) -> list[Column]:
        """Columns of the list."""
        return [c for c in self.columns if c.listed]

    @property
    def searchable(self) -> list[Column]:
        """Columns with a filter."""
        return [c for c in self.columns if c.search]

    def describe(self, row: Any) -> dict[str, str]:
        """The record in people's words, label → text, without what is empty: for the record of changes."""
        shown = [(c, value_at(row, c.path)) for c in self.columns]
        return {c.label: str(c.text(value)) for c, value in shown if value not in (None, "")}

    def child_address(self, child: Grid, row: Any) -> str:
        """Address of the grid ``child`` with the rows that belong to ``row`` of this one; empty if no filter tells."""
        filters = [(c.path, value_at(row, c.path)) for c in WAY_UP if c in child.columns and c in self.columns]
        above = next((c for c in child.columns if c.path.startswith("parent.")), None)
        if above is not None:
            filters.append((above.path, value_at(row, above.path.removeprefix("parent."))))
        if not filters or not all(value for _path, value in filters):
            return ""
        return f"/admin/{child.name}/list/?" + urlencode([(f"_flt_1_{path}", value) for path, value in filters])

    def column(self, path: str) -> Column:
        """The column ``path``; KeyError if there is none."""
        for column in self.columns:
            if column.path == path:
                return column
        raise KeyError(path)


WAY_UP = (Column("declaration.serial_no", "受理号", search=True),)
"""Columns by which the rows of a child table are told from those of other declarations."""


def value_at(row: Any, path: str) -> Any:
    """What ``row`` holds at ``path``, dotted into related records; None where there is none."""
    for part in path.split("."):
        row = getattr(row, part, None)
    return row


def _above(parent: Table | None) -> tuple[Column, ...]:
    """The row that a nested row stands below, by its title."""
    title = next((c for c in parent.all_columns if c.key == parent.title_column), None) if parent else None
    if parent is None or title is None or title.type != "string":
        return ()
    return (Column(f"parent.{title.key}", f"所属{parent.row_label}", search=True, order=False),)


def _answer(spec: FieldSpec, listed: bool) -> Column:
    return Column(spec.key, spec.plain_label, "field", listed=listed, search=spec.filter or spec.search, spec=spec)


def _listed(specs: list[FieldSpec], limit: int) -> set[str]:
    # A definition that flags nothing shows its first short fields.
    flagged = [s.key for s in specs if s.in_list]
    return set(flagged or [s.key for s in specs if s.type not in ("text", "multiselect")][:limit])


def grids_of(
    definition: Definition, facts: tuple[Column, ...], scope: Callable[[type[Model]], Scope], group: str
) -> list[Grid]:
    """The grids of a definition: its form, then each child table. ``facts`` are the columns of the declaration."""
    projection = build_projection(definition)
    name = f"form_{definition.key}"
    specs = [f for _, f in definition.fields()]
    shown = _listed(specs, 4)
    # The enterprise's name is usually an answer too: once is enough.
    labels = {s.label for s in specs}
    own = tuple(f for f in facts if f.label not in labels)
    main = Grid(
        name,
        definition.menu or definition.title,
        group,
        projection.main,
        (*own, *(_answer(s, s.key in shown) for s in specs)),
        scope(projection.main),
    )
    return [
        main,
        *(
            _child(t, parent, name, projection.tables[t.key], facts, scope, group)
            for _, t, parent in definition.tables()
        ),
    ]


def _child(
    table: Table, parent: Table | None, main: str, model: type[Model], facts: tuple[Column, ...],
    scope: Callable[[type[Model]], Scope], group: str,
) -> Grid:  # fmt: skip
    specs = list(table.all_columns)
    shown = _listed(specs, 5)
    return Grid(
        f"{main}_{table.key}",
        table.label,
        group,
        model,
        (*facts[:2], *_above(parent), Column("position", "序号", "int"), *(_answer(s, s.key in shown) for s in specs)),
        scope(model),
        parent=f"{main}_{parent.key}" if parent else main,
        indent=True,
    )
