"""Writes typed projections from a revision, in the same transaction; and rebuilds them."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from sqlalchemy import CursorResult, delete, insert, inspect, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.definitions import registry
from app.definitions.registry import DefinitionError
from app.definitions.schema import Definition, Table
from app.extensions import db
from app.fields import registry as field_types
from app.fields.base import FieldSpec, Value
from app.models import Declaration, Programme, Revision
from app.models.base import Model, now
from app.models.generated import Misfit, Projection, build_projection, drop_columns, misfits, shape, sync_tables
from app.services.privacy import mask_content
from app.services.reference import lookups
from app.services.unit_of_work import unit_of_work

log = logging.getLogger(__name__)
Echo = Callable[[str], None]
REMEDY = "run flask definitions sync --rebuild, which writes them anew from the revisions"


def project(
    session: Session, definition: Definition, declaration_id: int, number: int, content: dict[str, Any]
) -> list[str]:
    """Replace the projection of one declaration with ``content``, a revision's, answered on ``definition``.

    The table may be of a later version: an answer that its column cannot hold is left empty there, and a sentence
    about it is returned and logged. The revision keeps it.
    """
    projection = build_projection(definition)
    for model in reversed(projection.all()):
        session.execute(delete(model).where(cast(Any, model).declaration_id == declaration_id))
    writer = _Writer(session, projection, definition, declaration_id, number)
    writer.write(mask_content(definition, content))
    for line in writer.lost:
        log.warning("%s", line)
    return writer.lost


@dataclass
class _Writer:
    """Writes the rows of one declaration."""

    session: Session
    projection: Projection
    definition: Definition
    declaration_id: int
    number: int
    lost: list[str] = field(default_factory=list)

    def write(self, content: dict[str, Any]) -> None:
        """The main row, then the rows of every table that there still is."""
        asked = {f.key: f for _, f in self.definition.fields()}
        columns = {f.key: f for _, f in self.projection.definition.fields()}
        values = self._typed(asked, columns, content["fields"], self.projection.main)
        form_id = self._insert(self.projection.main, {"revision_no": self.number, **values})
        for section in self.definition.sections:
            self._tables(section.tables, content["tables"], {"form_id": form_id})

    def _tables(self, tables: tuple[Table, ...], content: dict[str, Any], above: dict[str, int]) -> None:
        for table in tables:
            if table.key in self.projection.tables:
                for position, row in enumerate(content.get(table.key, ()), 1):
                    self._row(table, row, {**above, "position": position})

    def _row(self, table: Table, row: dict[str, Any], place: dict[str, int]) -> None:
        model = self.projection.tables[table.key]
        asked = {c.key: c for c in table.all_columns}
        columns = {c.key: c for c in self.projection.definition.table(table.key).all_columns}
        values = self._typed(asked, columns, row["values"], model)
        row_id = self._insert(model, {**place, "row_id": row["id"], **values})
        self._tables(table.tables, row.get("tables", {}), {"form_id": place["form_id"], "parent_id": row_id})

    def _typed(
        self,
        asked: Mapping[str, FieldSpec],
        columns: Mapping[str, FieldSpec],
        values: dict[str, Any],
        model: type[Model],
    ) -> dict[str, Any]:
        # A column that an old definition had and this one has not stays as it was: projections are additive.
        typed: dict[str, Any] = {}
        for key in values.keys() & asked.keys() & columns.keys():
            try:
                typed[key] = _carried(asked[key], columns[key], values[key])
            except (ArithmeticError, TypeError, ValueError):
                typed[key] = None
                self.lost.append(
                    f"{model.__tablename__}.{key} of declaration {self.declaration_id}: "
                    f"revision {self.number} holds no {columns[key].type} that fits; left empty"
                )
        return typed

    def _insert(self, model: type[Model], values: dict[str, Any]) -> int:
        statement = insert(model).values(declaration_id=self.declaration_id, **values)
        key = cast(CursorResult[Any], self.session.execute(statement)).inserted_primary_key
        assert key is not None
        return int(key[0])


def _carried(asked: FieldSpec, column: FieldSpec, data: Any) -> Value:
    """What ``data``, an answer to ``asked``, is in ``column``. Raises if the column cannot hold it without loss."""
    if shape(asked) == shape(column):
        return field_types.get(asked.type).from_json(data)
    typed = data if data is None or isinstance(data, (str, list)) else str(data)
    # Limits were judged by the version that was answered.
    unlimited = column.model_copy(update={"min": None, "max": None})
    return field_types.get(column.type).parse(unlimited, typed, lookups)


def sync_definitions(echo: Echo = lambda text: None, *, rebuilding: bool = False) -> None:
    """Store new definition versions and extend projection tables. Safe to repeat; drops nothing.

    DefinitionError, with nothing changed, where a question has another type or other decimals than the values that its
    column holds; with ``rebuilding`` such columns are made anew and all projections written again.
    """
    with unit_of_work() as session:
        changed = list(_changed_columns(session))
        if changed and not rebuilding:
            raise DefinitionError([_sentence(c) for c in changed])
        for definition in registry.catalogue():
            _store_version(session, definition, echo)
        connection = session.connection()
        for line in drop_columns(connection, changed):
            echo(line)
        for definition in registry.catalogue():
            for line in sync_tables(connection, build_projection(definition)):
                echo(line)
        if rebuilding:
            _rebuild(session, echo)


def check_columns() -> list[str]:
    """A sentence for each column that the catalogue would misread; none where there is no database to compare with."""
    url = db.engine.url
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        return []  # looking would create it
    try:
        with Session(db.engine) as session:
            if not inspect(session.connection()).has_table(Programme.__tablename__):
                return []
            return [_sentence(c) for c in _changed_columns(session)]
    except OperationalError:
        return []


def _sentence(misfit: Misfit) -> str:
    return f"{misfit}; {REMEDY}"


def _changed_columns(session: Session) -> Iterator[Misfit]:
    for definition in registry.catalogue():
        digest = registry.digest(definition)
        versions = session.scalars(select(Programme).where(Programme.key == definition.key)).all()
        if any(v.current and v.digest == digest for v in versions):
            continue
        latest_first = sorted(versions, key=lambda v: (v.current, v.number), reverse=True)
        yield from misfits((v.definition for v in latest_first), definition)


def _store_version(session: Session, definition: Definition, echo: Echo) -> None:
    """Put ``definition`` in force, as a new version unless there was one of this content."""
    digest = registry.digest(definition)
    versions = session.scalars(select(Programme).where(Programme.key == definition.key)).all()
    if not any(v.digest == digest for v in versions):
        session.add(
            Programme(
                key=definition.key,
                number=max((v.number for v in versions), default=0) + 1,
                title=definition.title,
                kind=definition.kind,
                digest=digest,
                content=registry.to_json(definition),
                created_at=now(),
            )
        )
        echo(f"{definition.key}: new version")
    for version in versions:
        version.current = version.digest == digest


def rebuild(echo: Echo = lambda text: None) -> int:
    """Remake every projection from the newest revisions; returns how many declarations were written."""
    with unit_of_work() as session:
        return _rebuild(session, echo)


def _rebuild(session: Session, echo: Echo) -> int:
    count = 0
    seen: set[int] = set()
    for revision in session.scalars(select(Revision).order_by(Revision.declaration_id, Revision.number.desc())):
        if revision.declaration_id in seen:
            continue
        seen.add(revision.declaration_id)
        key = session.scalar(select(Declaration.programme_key).where(Declaration.id == revision.declaration_id))
        if key is not None and key in registry.catalogue():
            answered = session.get_one(Programme, revision.programme_id).definition
            content = json.loads(revision.content)
            for line in project(session, answered, revision.declaration_id, revision.number, content):
                echo(line)
            count += 1
    echo(f"rebuilt {count}")
    return count


def current_programme(session: Session, key: str) -> Programme:
    """The version in force. KeyError if ``flask definitions sync`` has not run for it."""
    version = session.scalars(select(Programme).where(Programme.key == key, Programme.current)).first()
    if version is None:
        raise KeyError(key)
    return version
