"""Which function does which kind of job."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from typing import Any

from app import tasks

Report = Callable[[int, str | None], None]
"""``report(percent, note)`` shows how far the work is."""

Handler = Callable[[Mapping[str, Any], Report], Mapping[str, Any] | None]
"""Takes the job's arguments and a reporter; what it returns is the job's result (JSON)."""

_handlers: dict[str, Handler] = {}


def task(kind: str) -> Callable[[Handler], Handler]:
    """Register a handler for jobs of ``kind``. RuntimeError if there is one already."""

    def register(handler: Handler) -> Handler:
        if kind in _handlers:
            raise RuntimeError(f"two handlers for jobs of kind {kind!r}")
        _handlers[kind] = handler
        return handler

    return register


def load() -> None:
    """Import every module of this package, so that all handlers are known."""
    for module in pkgutil.iter_modules(tasks.__path__):
        importlib.import_module(f"{tasks.__name__}.{module.name}")


def handler_of(kind: str) -> Handler:
    """The handler of ``kind``; LookupError if no module brings one."""
    load()
    try:
        return _handlers[kind]
    except KeyError:
        raise LookupError(f"no handler for jobs of kind {kind!r}") from None


def kinds() -> frozenset[str]:
    """Every kind that can be run."""
    load()
    return frozenset(_handlers)
