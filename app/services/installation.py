"""Brings a database to what this version of the product needs: tables, definitions, permissions, reference data.

Every step is safe to repeat. A note beside the files tells what was last prepared, so that a start can skip it all.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import current_app
from flask_migrate import upgrade
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from app.extensions import db
from app.services.permission import sync_permissions
from app.services.projection import sync_definitions
from app.services.seed import seed_reference

NOTE = "prepared.json"
APP = Path(__file__).resolve().parent.parent
SOURCES = ("migrations/versions/*.py", "definitions/catalog/**/*.yaml", "definitions/reference/*.yaml",
           "permissions/*.py", "services/permission.py", "services/seed*.py", "models/generated.py")  # fmt: skip

Echo = Callable[[str], None]


def fingerprint() -> str:
    """What the contents of a prepared database depend on, as a digest."""
    parts = [current_app.config["SQLALCHEMY_DATABASE_URI"], *grid_names()]
    digest = hashlib.sha256("\n".join(parts).encode())
    for pattern in SOURCES:
        for path in sorted(APP.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def grid_names() -> list[str]:
    """The grids that this application has; their doors are what permissions are about."""
    return [grid.name for grid in current_app.extensions["grids"]]


def table_version() -> str | None:
    """The migration that the database is at; None if it is empty."""
    try:
        return db.session.scalar(text("SELECT version_num FROM alembic_version"))
    except DatabaseError:
        return None
    finally:
        db.session.remove()


def is_prepared() -> bool:
    """Whether this database was prepared by exactly this version."""
    note = _note()
    return note is not None and note == {"fingerprint": fingerprint(), "tables": table_version()}


def _note() -> dict[str, Any] | None:
    path: Path = current_app.config["DATA_DIR"] / NOTE
    return json.loads(path.read_text("utf-8")) if path.exists() else None


def prepare_database(echo: Echo = lambda text: None) -> None:
    """Make the tables, store the definitions, restore the packaged permissions, add reference data."""
    upgrade()
    sync_definitions(echo)
    seed_reference(current_app.config["CITY_CODE"], echo)
    sync_permissions(grid_names())
    note = {"fingerprint": fingerprint(), "tables": table_version()}
    (current_app.config["DATA_DIR"] / NOTE).write_text(json.dumps(note), "utf-8")
