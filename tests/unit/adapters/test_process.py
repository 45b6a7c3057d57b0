"""Limited children: they answer, they are stopped, and they know nothing of the server."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from app.adapters.process import MIB, ChildFailed, ProcessLimit, run_limited

CHILD = """
import os, sys, time

def echo(*args, **kwargs):
    return {"args": list(args), "kwargs": kwargs}

def chatter():
    print("printed by a library", flush=True)
    os.write(1, b"written by C code")
    return {"ok": True}

def loaded():
    return {"modules": sorted(name for name in sys.modules if name.startswith(("flask", "sqlalchemy", "app"))),
            "env": sorted(os.environ)}

def sleep(): time.sleep(60)

def spin():
    while True: pass

def eat(): return {"size": len(bytearray(1 << 30))}

def die(): os.abort()

def fail(): raise RuntimeError("broken inside")

def unserialisable(): return {"value": object()}
"""


@pytest.fixture(autouse=True)
def child_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "child_tricks.py").write_text(CHILD)
    monkeypatch.syspath_prepend(str(tmp_path))


def test_arguments_and_results_travel_as_json() -> None:
    answer = run_limited("child_tricks:echo", "轴承", 7, deep={"a": [1, None]})
    assert answer == {"args": ["轴承", 7], "kwargs": {"deep": {"a": [1, None]}}}


def test_what_a_library_prints_does_not_spoil_the_answer() -> None:
    assert run_limited("child_tricks:chatter") == {"ok": True}


def test_child_has_no_application_and_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "must not travel")
    facts = run_limited("child_tricks:loaded")
    assert facts["modules"] == ["app"]
    assert "SECRET_KEY" not in facts["env"]


def test_child_starts_fast() -> None:
    run_limited("child_tricks:echo")
    started = time.monotonic()
    run_limited("child_tricks:echo")
    assert time.monotonic() - started < 0.5


def test_sleeper_is_stopped_by_the_clock() -> None:
    started = time.monotonic()
    with pytest.raises(ProcessLimit) as caught:
        run_limited("child_tricks:sleep", wall=0.5)
    assert caught.value.kind == "wall"
    assert time.monotonic() - started < 3


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no resource limits")
def test_busy_loop_is_stopped_by_processor_time() -> None:
    with pytest.raises(ProcessLimit) as caught:
        run_limited("child_tricks:spin", cpu=1, wall=20)
    assert caught.value.kind == "cpu"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no resource limits")
def test_glutton_is_stopped_by_memory() -> None:
    with pytest.raises(ProcessLimit) as caught:
        run_limited("child_tricks:eat", memory=256 * MIB)
    assert caught.value.kind == "memory"


def test_crash_is_a_limit_with_a_sentence() -> None:
    with pytest.raises(ProcessLimit) as caught:
        run_limited("child_tricks:die")
    assert caught.value.kind == "crash"
    assert caught.value.status == 422
    assert caught.value.message == "这个文件太复杂，没能检查完。请重新导出或扫描成普通的 PDF 再传。"


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("child_tricks:fail", "broken inside"),
        ("child_tricks:unserialisable", "serializable"),
        ("child_tricks:nothing", "nothing"),
    ],
)
def test_defects_are_not_hidden_as_limits(target: str, words: str) -> None:
    with pytest.raises(ChildFailed, match=words):
        run_limited(target)
