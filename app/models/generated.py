"""Builds typed projection tables from a definition: ``form_<key>`` and ``form_<key>_<table>``.

They hold nothing that a revision does not. Columns are only ever added; Alembic leaves these tables alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, ForeignKey, Integer, String, inspect, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.definitions.schema import Definition, Table
from app.fields import registry as field_types
from app.fields.base import FieldSpec
from app.models.base import BigId, Model
from app.models.declaration import Declaration

PREFIX = "form_"


@dataclass(frozen=True)
class Projection:
    """The model classes of one definition: ``main`` and child tables by key."""

    definition: Definition
    main: type[Model]
    tables: dict[str, type[Model]]

    def all(self) -> list[type[Model]]:
        """Main first, then children in the definition's order."""
        return [self.main, *self.tables.values()]


_built: dict[str, Projection] = {}


def _columns(specs: list[FieldSpec]) -> dict[str, Any]:
    return {
        s.key: mapped_column(field_types.get(s.type).column(s), nullable=True, index=s.filter and s.type != "text")
        for s in specs
    }


def _declaration_columns(unique: bool) -> dict[str, Any]:
    return {
        "id": mapped_column(BigId, primary_key=True, autoincrement=True),
        "declaration_id": mapped_column(ForeignKey("declaration.id"), unique=unique, index=not unique),
        "declaration": relationship(Declaration, lazy="joined", viewonly=True),
        "__annotations__": {"id": Mapped[int], "declaration_id": Mapped[int]},
    }


def _main(definition: Definition) -> type[Model]:
    name = f"{PREFIX}{definition.key}"
    attributes = {
        "__tablename__": name,
        "__doc__": f"Typed projection of {definition.key}.",
        **_declaration_columns(unique=True),
        "revision_no": mapped_column(Integer),
        **_columns([f for _, f in definition.fields()]),
        "__str__": lambda self: str(self.declaration),
    }
    return type(_class_name(name), (Model,), attributes)


def _child(definition: Definition, table: Table, parent: Table | None) -> type[Model]:
    main = f"{PREFIX}{definition.key}"
    name = f"{main}_{table.key}"
    attributes: dict[str, Any] = {
        "__tablename__": name,
        "__doc__": f"Typed projection of table {table.key} of {definition.key}.",
        **_declaration_columns(unique=False),
        "form_id": mapped_column(ForeignKey(f"{main}.id"), index=True),
        "form": relationship(_class_name(main), lazy="select"),
        "row_id": mapped_column(String(36)),
        "position": mapped_column(Integer),
        **_columns(list(table.all_columns)),
        "__str__": lambda self: str(getattr(self, table.title_column or "position") or ""),
    }
    if parent is not None:
        attributes["parent_id"] = mapped_column(ForeignKey(f"{main}_{parent.key}.id"), index=True)
        attributes["parent"] = relationship(_class_name(f"{main}_{parent.key}"), lazy="select")
    return type(_class_name(name), (Model,), attributes)


def _class_name(table: str) -> str:
    return "".join(part.capitalize() for part in table.split("_"))


def build_projection(definition: Definition) -> Projection:
    """The model classes of ``definition``, built once per key and process."""
    if definition.key not in _built:
        main = _main(definition)
        tables = {t.key: _child(definition, t, parent) for _, t, parent in definition.tables()}
        _built[definition.key] = Projection(definition, main, tables)
    return _built[definition.key]


def sync_tables(connection: Connection, projection: Projection) -> list[str]:
    """Create missing tables and add missing columns; returns what was done, in words. Never drops anything."""
    inspector = inspect(connection)
    existing = set(inspector.get_table_names())
    done = []
    for model in projection.all():
        table = model.__table__
        if table.name not in existing:
            table.create(connection)
            done.append(f"created {table.name}")
            continue
        present = {c["name"] for c in inspector.get_columns(table.name)}
        quote = connection.dialect.identifier_preparer.quote
        for column in table.columns:
            if column.name not in present:
                kind = column.type.compile(connection.dialect)
                # Names come from the schema's own pattern ([a-z0-9_]), so this text cannot carry anything else.
                connection.execute(text(f"ALTER TABLE {quote(table.name)} ADD COLUMN {quote(column.name)} {kind}"))
                done.append(f"added {table.name}.{column.name}")
        indexes = {i["name"] for i in inspector.get_indexes(table.name)}
        for index in table.indexes:
            if index.name not in indexes and all(c.name not in present for c in index.columns):
                index.create(connection)
    return done
