"""Builds typed projection tables from a definition: ``form_<key>`` and ``form_<key>_<table>``.

They hold nothing that a revision does not. Columns are only ever added; one whose question changed its type is remade
when asked for, since the revisions still hold the answers. Alembic leaves these tables alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, ForeignKey, Inspector, Integer, String, inspect, text
from sqlalchemy import Table as SqlTable
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
        assert isinstance(table, SqlTable)  # no model here maps a join
        if table.name in existing:
            done += _add_missing(connection, inspector, table) + _widen(connection, inspector, table)
        else:
            table.create(connection)
            done.append(f"created {table.name}")
    return done


def _add_missing(connection: Connection, inspector: Inspector, table: SqlTable) -> list[str]:
    """Add the columns that ``table`` lacks in the database, and the indexes on them."""
    present = _column_names(inspector, table.name)
    missing = [c for c in table.columns if c.name not in present]
    quote = connection.dialect.identifier_preparer.quote
    for column in missing:
        kind = column.type.compile(connection.dialect)
        # Names come from the schema's own pattern ([a-z0-9_]), so this text cannot carry anything else.
        connection.execute(text(f"ALTER TABLE {quote(table.name)} ADD COLUMN {quote(column.name)} {kind}"))
    return [f"added {table.name}.{c.name}" for c in missing] + _add_indexes(connection, inspector, table, present)


def _add_indexes(connection: Connection, inspector: Inspector, table: SqlTable, present: set[str]) -> list[str]:
    """Add the indexes that ``table`` lacks; says so of columns that were ``present`` before."""
    # By what they stand on: long names are cut differently by each database.
    indexed = {tuple(i["column_names"]) for i in inspector.get_indexes(table.name)}
    missing = sorted((i for i in table.indexes if tuple(i.columns.keys()) not in indexed), key=lambda i: str(i.name))
    for index in missing:
        index.create(connection)
    return [f"indexed {table.name}.{c.name}" for i in missing for c in i.columns if c.name in present]


@dataclass(frozen=True)
class Misfit:
    """A column whose question was of another type, or had other decimals, when its values were written."""

    table: str
    column: str
    was: str
    now: str

    def __str__(self) -> str:
        return f"{self.table}.{self.column} was {self.was} and is {self.now} now: the values there would be misread"


def misfits(written: Iterable[Definition], new: Definition) -> list[Misfit]:
    """Columns that the versions ``written``, the latest first, made and ``new`` would read otherwise."""
    before: dict[tuple[str, str], FieldSpec] = {}
    for definition in written:
        before = _questions(definition) | before
    return [
        Misfit(*place, _named(before[place]), _named(spec))
        for place, spec in _questions(new).items()
        if place in before and shape(before[place]) != shape(spec)
    ]


def _questions(definition: Definition) -> dict[tuple[str, str], FieldSpec]:
    """Every question by table and column."""
    main = f"{PREFIX}{definition.key}"
    found = {(main, field.key): field for _, field in definition.fields()}
    for _, table, _parent in definition.tables():
        found |= {(f"{main}_{table.key}", column.key): column for column in table.all_columns}
    return found


def shape(spec: FieldSpec) -> tuple[str, int | None]:
    """What two columns must share to read each other's values: texts of any length do, decimals of one scale do."""
    kind = field_types.get(spec.type).column(spec)
    return ("text" if isinstance(kind, String) else type(kind).__name__), getattr(kind, "scale", None)


def _named(spec: FieldSpec) -> str:
    scale = getattr(field_types.get(spec.type).column(spec), "scale", None)
    return spec.type if scale is None else f"{spec.type} with {scale} decimals"


def drop_columns(connection: Connection, changed: Iterable[Misfit]) -> list[str]:
    """Take the ``changed`` columns away, so that the next sync makes them anew; returns what was done, in words."""
    inspector, quote = inspect(connection), connection.dialect.identifier_preparer.quote
    existing = set(inspector.get_table_names())
    done = []
    for misfit in changed:
        if misfit.table not in existing or misfit.column not in _column_names(inspector, misfit.table):
            continue
        for index in inspector.get_indexes(misfit.table):
            if misfit.column in index["column_names"]:
                connection.execute(text(f"DROP INDEX {quote(str(index['name']))}"))
        connection.execute(text(f"ALTER TABLE {quote(misfit.table)} DROP COLUMN {quote(misfit.column)}"))
        done.append(f"dropped {misfit.table}.{misfit.column}: it was {misfit.was}")
    return done


def _column_names(inspector: Inspector, table: str) -> set[str]:
    return {column["name"] for column in inspector.get_columns(table)}


def _widen(connection: Connection, inspector: Inspector, table: SqlTable) -> list[str]:
    """Give texts the room that a raised ``max_length`` promises; only PostgreSQL holds them to the old one."""
    if connection.dialect.name != "postgresql":
        return []
    room = {c["name"]: getattr(c["type"], "length", None) for c in inspector.get_columns(table.name)}
    wider = [c for c in table.columns if isinstance(c.type, String) and _is_narrower(room.get(c.name), c.type.length)]
    quote = connection.dialect.identifier_preparer.quote
    for column in wider:
        kind = column.type.compile(connection.dialect)
        connection.execute(text(f"ALTER TABLE {quote(table.name)} ALTER COLUMN {quote(column.name)} TYPE {kind}"))
    return [f"widened {table.name}.{c.name}" for c in wider]


def _is_narrower(has: int | None, wants: int | None) -> bool:
    """Whether a text column has a limit, and a smaller one than is wanted."""
    return has is not None and (wants is None or has < wants)
