"""A part of the tests that did not run is named; with CI it fails the run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.coverage_of_parts import PartsRun

ALL = ("tests/a.py::test_x[postgresql]", "tests/b.py::test_redis_y[sqlite]", "tests/e2e/test_z.py::test_z[chromium]")


def parts(*passed: str, whole: bool = True, keyword: str = "") -> PartsRun:
    source = pytest.Config.ArgsSource.TESTPATHS if whole else pytest.Config.ArgsSource.ARGS
    run = PartsRun(SimpleNamespace(args_source=source, option=SimpleNamespace(keyword=keyword)))  # type: ignore[arg-type]
    for nodeid in passed:
        run.pytest_runtest_logreport(SimpleNamespace(when="call", passed=True, nodeid=nodeid))  # type: ignore[arg-type]
    return run


def finish(run: PartsRun, status: int = 0) -> Any:
    session = SimpleNamespace(exitstatus=status)
    run.pytest_sessionfinish(session)  # type: ignore[arg-type]
    return session.exitstatus


def test_nothing_is_missing_when_every_part_ran() -> None:
    assert parts(*ALL).missing() == []


@pytest.mark.parametrize(("left_out", "name"), ((0, "PostgreSQL"), (1, "Redis"), (2, "browser")))
def test_missing_part_is_named(left_out: int, name: str) -> None:
    assert parts(*(n for i, n in enumerate(ALL) if i != left_out)).missing() == [name]


def test_skipped_and_failed_tests_do_not_count() -> None:
    run = parts(*ALL[1:])
    for passed, when in ((False, "call"), (True, "setup")):
        run.pytest_runtest_logreport(SimpleNamespace(when=when, passed=passed, nodeid=ALL[0]))  # type: ignore[arg-type]
    assert run.missing() == ["PostgreSQL"]


def test_some_tests_only_miss_nothing() -> None:
    assert parts(whole=False).missing() == []
    assert parts(keyword="x").missing() == []


def test_ci_fails_a_run_with_a_missing_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    assert finish(parts()) == 0
    monkeypatch.setenv("CI", "1")
    assert finish(parts()) == pytest.ExitCode.TESTS_FAILED
    assert finish(parts(*ALL)) == 0
    assert finish(parts(), status=2) == 2
