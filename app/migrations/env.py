"""Alembic's environment, run inside the application (``flask db upgrade``).

Alembic owns the core tables on both databases; ``form_*`` tables belong to ``flask definitions sync``.
"""

from __future__ import annotations

from typing import Any

from alembic import context
from alembic.autogenerate.api import AutogenContext
from flask import current_app

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
    with _migrate.db.engine.connect() as connection:
        context.configure(connection=connection, target_metadata=_migrate.db.metadatas[None], **arguments)
        with context.begin_transaction():
            context.run_migrations()


if context.is_offline_mode():
    raise SystemExit("Offline migrations are not supported: the scripts look at the database they change.")
run()
