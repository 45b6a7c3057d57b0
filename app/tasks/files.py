"""The daily sweeping of the file store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.services import storage
from app.tasks.registry import Report, task


@task(storage.SWEEP)
def sweep_files(_args: Mapping[str, Any], _report: Report) -> Mapping[str, Any]:
    """Remove what no row names."""
    return storage.sweep_files()
