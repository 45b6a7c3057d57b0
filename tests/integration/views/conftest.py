"""The furnished platform that tables of bad inputs share."""

from __future__ import annotations

from tests.shared_world import world

__all__ = ["world"]
