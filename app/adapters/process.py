"""Runs one function of ours in a child process with limits on memory, processor time and waiting time.

Parsers of uploaded files run there: a hostile file can end its child, not the server. The child loads the named
module without the application (``app/__init__.py`` is not run), so it starts in tens of milliseconds.
Arguments and results travel as JSON. Windows has no resource limits: only the waiting time holds there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Literal

from flask_babel import gettext as _

from app.adapters.process_child import ERROR_CODE, MEMORY_CODE
from app.errors import InvalidInput

LimitKind = Literal["wall", "cpu", "memory", "crash"]
MIB = 1024 * 1024
_APP = Path(__file__).resolve().parent.parent
_CHILD = Path(__file__).with_name("process_child.py")
_SLOTS = threading.BoundedSemaphore(4)
_SIGXCPU = 24


class ProcessLimit(InvalidInput):
    """The child reached a limit or died; ``kind`` says which. The file is to blame, not the reader's other input."""

    def __init__(self, kind: LimitKind) -> None:
        super().__init__(_("这个文件太复杂，没能检查完。请重新导出或扫描成普通的 PDF 再传。"), kind=kind)
        self.kind = kind


class ChildFailed(RuntimeError):
    """The function raised: a defect of ours. The text is the child's last words."""


def run_limited(
    target: str, *args: Any, memory: int = 512 * MIB, cpu: int = 10, wall: float = 15.0, **kwargs: Any
) -> dict[str, Any]:
    """Call ``package.module:function`` in a child and return its dictionary.

    ``memory`` in bytes of address space, ``cpu`` and ``wall`` in seconds. Raises ``ProcessLimit`` when a limit is
    reached or the child dies, ``ChildFailed`` when the function itself raises. At most four children at once.
    """
    order = json.dumps(
        {
            "target": target,
            "args": args,
            "kwargs": kwargs,
            "memory": memory,
            "cpu": cpu,
            "app": str(_APP),
            "path": [entry for entry in sys.path if entry],
        }
    )
    with _SLOTS:
        try:
            done = subprocess.run(  # our own interpreter and script, no shell
                [sys.executable, "-I", str(_CHILD)],
                input=order.encode(),
                capture_output=True,
                timeout=wall,
                env=_environment(),
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ProcessLimit("wall") from error
    return _result(done)


def _environment() -> dict[str, str]:
    """No secrets for a process that reads strangers' files; one thread per numeric library, since each costs memory."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TMPDIR", "TEMP", "LANG") if name in os.environ}
    return kept | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def _result(done: subprocess.CompletedProcess[bytes]) -> dict[str, Any]:
    if done.returncode == 0:
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer
    if done.returncode == MEMORY_CODE:
        raise ProcessLimit("memory")
    if done.returncode == ERROR_CODE:
        raise ChildFailed(done.stderr.decode(errors="replace")[-2000:])
    raise ProcessLimit("cpu" if done.returncode == -_SIGXCPU else "crash")
