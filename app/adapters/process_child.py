"""What runs in the child of ``process.run_limited``: a script; its parent imports only the exit codes.

Reads one order from standard input, sets the limits before any parser is loaded, writes one JSON answer.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
import types
from typing import Any

MEMORY_CODE, ERROR_CODE = 81, 82


def limit(memory: int, cpu: int) -> None:
    """Set what the system offers: address space in bytes, processor time in seconds, no core files."""
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def perform(order: dict[str, Any]) -> Any:
    """Import the module without running ``app/__init__.py``, then call the function."""
    sys.path[:] = order["path"]
    package = types.ModuleType("app")
    package.__path__ = [order["app"]]
    sys.modules["app"] = package
    module, _, name = order["target"].partition(":")
    return getattr(importlib.import_module(module), name)(*order["args"], **order["kwargs"])


def main() -> int:
    """0 with an answer on standard output, else a code that says why not."""
    order = json.load(sys.stdin)
    # Libraries that print must not mix with the answer.
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    limit(order["memory"], order["cpu"])
    try:
        json.dump(perform(order), answer)
        answer.close()
    except MemoryError:
        return MEMORY_CODE
    except Exception:
        traceback.print_exc()
        return ERROR_CODE
    return 0


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    # Parsers may hold threads or objects that are slow to take down; the answer is out, so leave at once.
    os._exit(code)
