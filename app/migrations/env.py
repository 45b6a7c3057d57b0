"""Alembic's environment, run inside the application (``flask db upgrade``).

Alembic owns the core tables on both databases; ``form_*`` tables belong to ``flask definitions sync``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic import context
from alembic.autogenerate.api import AutogenContext
from flask import current_app
from sqlalchemy import Connection

from app.fields.sqltypes import ExactDecimal, JsonText, UtcDateTime

_migrate = current_app.extensions["migrate"]


def render_item(kind: str, item: Any, autogen: AutogenContext) -> str | bool:
    """Write our column types as plain SQLAlchemy types: a migration must not change when the code does."""
    if kind == "type":
        if isinstance(item, ExactDecimal):
            return f'sa.Numeric({item.precision}, {item.scale}).with_variant(sa.BigInteger(), "sqlite")'
        if isinstance(item, UtcDateTime):
            return "sa.DateTime(timezone=True)"
        if isinstance(item, JsonText):
            return "sa.Text()"
    return False


def compare_type(
    _context: Any, _inspected: Any, _metadata: Any, inspected_type: Any, metadata_type: Any
) -> bool | None:
    """No difference where a type is stored differently on purpose; None leaves the answer to Alembic."""
    if isinstance(metadata_type, (ExactDecimal, UtcDateTime, JsonText)):
        stored = metadata_type.load_dialect_impl(_context.dialect)
        return stored._type_affinity is not inspected_type._type_affinity
    return None


def run() -> None:
    """Run the migrations on the application's database, in one transaction."""
    arguments = dict(_migrate.configure_args)
    arguments.update(compare_type=compare_type, render_item=render_item, render_as_batch=True)
    with _migrate.db.engine.connect() as connection, _references_checked_at_the_end(connection):
        context.configure(connection=connection, target_metadata=_migrate.db.metadatas[None], **arguments)
        with context.begin_transaction():
            context.run_migrations()


@contextmanager
def _references_checked_at_the_end(connection: Connection) -> Iterator[None]:
    """SQLite changes a table by making it anew: with references on, dropping the old one would take rows along."""
    if connection.dialect.name != "sqlite":
        yield
        return
    connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
    connection.commit()
    try:
        yield
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise RuntimeError(f"The migration left rows whose references lead nowhere: {broken[:5]}")
    finally:
        connection.rollback()
        connection.exec_driver_sql("PRAGMA foreign_keys=ON")


if context.is_offline_mode():
    raise SystemExit("Offline migrations are not supported: the scripts look at the database they change.")
run()
