"""Whether the parts that requests need are there."""

from __future__ import annotations

import shutil
from pathlib import Path

from flask import current_app
from redis import Redis, RedisError

from app.services.installation import table_version
from app.services.job import REDIS_SECONDS

FREE_BYTES = 200 * 1024 * 1024
"""Below this much free space no upload of the largest permitted file could be received."""


def newest_tables() -> str:
    """The newest migration that this version of the product brings."""
    folder = Path(current_app.root_path) / "migrations" / "versions"
    return max(path.name.split("_")[0] for path in folder.glob("*.py"))


def parts() -> dict[str, bool]:
    """Part → whether it is ready: database (with the tables of this version), space for files, Redis if it is set."""
    found = {
        "database": table_version() == newest_tables(),
        "space": shutil.disk_usage(current_app.config["DATA_DIR"]).free > FREE_BYTES,
    }
    url = current_app.config["REDIS_URL"]
    if url:
        found["redis"] = _answers(url)
    return found


def _answers(url: str) -> bool:
    try:
        return bool(Redis.from_url(url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS).ping())
    except RedisError:
        return False
