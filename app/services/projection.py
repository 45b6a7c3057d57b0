"""Writes typed projections from a revision, in the same transaction; and rebuilds them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

from sqlalchemy import CursorResult, delete, insert, select
from sqlalchemy.orm import Session

from app.definitions import registry
from app.definitions.schema import Definition, Table
from app.fields import registry as field_types
from app.models import Declaration, Programme, Revision
from app.models.base import Model, now
from app.models.generated import Projection, build_projection, sync_tables
from app.services.privacy import mask_content
from app.services.unit_of_work import unit_of_work


def project(
    session: Session, definition: Definition, declaration_id: int, number: int, content: dict[str, Any]
) -> None:
    """Replace the projection of one declaration with ``content`` (a revision's)."""
    content = mask_content(definition, content)
    projection = build_projection(definition)
    for table in reversed(list(projection.tables.values())):
        session.execute(delete(table).where(table.declaration_id == declaration_id))
    session.execute(delete(projection.main).where(projection.main.declaration_id == declaration_id))
    values = _typed({f.key: f.type for _, f in definition.fields()}, content["fields"], projection.main)
    form_id = _insert(session, projection.main, {"declaration_id": declaration_id, "revision_no": number, **values})
    for section in definition.sections:
        for table in section.tables:
            for position, row in enumerate(content["tables"].get(table.key, ()), 1):
                _write_row(session, projection, table, row, position, declaration_id, form_id, None)


def _write_row(
    session: Session, projection: Projection, table: Table, row: dict[str, Any], position: int,
    declaration_id: int, form_id: int, parent_id: int | None,
) -> None:  # fmt: skip
    model = projection.tables[table.key]
    values = _typed({c.key: c.type for c in table.all_columns}, row["values"], model)
    base = {"declaration_id": declaration_id, "form_id": form_id, "row_id": row["id"], "position": position}
    if parent_id is not None:
        base["parent_id"] = parent_id
    row_id = _insert(session, model, {**base, **values})
    for child in table.tables:
        for n, nested in enumerate(row.get("tables", {}).get(child.key, ()), 1):
            _write_row(session, projection, child, nested, n, declaration_id, form_id, row_id)


def _typed(kinds: dict[str, str], values: dict[str, Any], model: type[Model]) -> dict[str, Any]:
    # A column that an old definition had and this one has not stays as it was: projections are additive.
    return {k: field_types.get(kinds[k]).from_json(v) for k, v in values.items() if k in kinds and hasattr(model, k)}


def _insert(session: Session, model: type[Model], values: dict[str, Any]) -> int:
    result = cast(CursorResult[Any], session.execute(insert(model).values(**values)))
    key = result.inserted_primary_key
    assert key is not None
    return int(key[0])


def sync_definitions(echo: Callable[[str], None] = lambda text: None) -> None:
    """Store new definition versions and extend projection tables. Safe to repeat; drops nothing."""
    with unit_of_work() as session:
        for definition in registry.catalogue():
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
        connection = session.connection()
        for definition in registry.catalogue():
            for line in sync_tables(connection, build_projection(definition)):
                echo(line)


def rebuild(echo: Callable[[str], None] = lambda text: None) -> int:
    """Remake every projection from the newest revisions; returns how many declarations were written."""
    count = 0
    with unit_of_work() as session:
        newest = select(Revision).order_by(Revision.declaration_id, Revision.number.desc())
        seen: set[int] = set()
        for revision in session.scalars(newest):
            if revision.declaration_id in seen:
                continue
            seen.add(revision.declaration_id)
            key = session.scalar(select(Declaration.programme_key).where(Declaration.id == revision.declaration_id))
            if key is not None and key in registry.catalogue():
                definition = registry.catalogue().get(key)
                project(session, definition, revision.declaration_id, revision.number, json.loads(revision.content))
                count += 1
        echo(f"rebuilt {count}")
    return count


def current_programme(session: Session, key: str) -> Programme:
    """The version in force. KeyError if ``flask definitions sync`` has not run for it."""
    version = session.scalars(select(Programme).where(Programme.key == key, Programme.current)).first()
    if version is None:
        raise KeyError(key)
    return version
