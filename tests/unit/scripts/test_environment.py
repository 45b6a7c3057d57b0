"""The environment is made only when the pinned packages changed."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from scripts import environment


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with requirement files and an environment without packages."""
    (tmp_path / "requirements.txt").write_text("a==1\n")
    (tmp_path / "requirements-dev.txt").write_text("b==1\n")
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.touch()
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "FOLDER", tmp_path / ".venv")
    monkeypatch.setattr(environment, "PYTHON", python)
    return tmp_path


@pytest.fixture
def installs(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Commands that were run; all succeed."""
    seen: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        seen.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    return seen


def test_packages_are_installed_once(project: Path, installs: list[list[str]]) -> None:
    assert not environment.is_current()
    environment.make()
    assert installs[0][-2:] == ["-r", str(project / "requirements.txt")]
    assert environment.is_current()


def test_a_changed_pin_installs_again(project: Path, installs: list[list[str]]) -> None:
    environment.make()
    (project / "requirements.txt").write_text("a==2\n")
    assert not environment.is_current()


def test_the_environment_of_the_tests_is_enough_for_running(project: Path, installs: list[list[str]]) -> None:
    environment.make(environment.TESTING)
    assert environment.is_current(environment.TESTING)
    assert environment.is_current()


def test_the_environment_for_running_is_not_enough_for_the_tests(project: Path, installs: list[list[str]]) -> None:
    environment.make()
    assert not environment.is_current(environment.TESTING)


def test_failed_installation_is_not_taken_for_done(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1))
    with pytest.raises(SystemExit, match="could not be installed"):
        environment.make()
    assert not environment.is_current()


def test_old_python_is_refused(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "OLDEST", (9, 0))
    with pytest.raises(SystemExit, match=r"Python 3\.11"):
        environment.make()


def test_everything_is_pinned_exactly_and_no_address_is_named() -> None:
    root = Path(__file__).parents[3]
    for name in environment.TESTING:
        for line in (root / name).read_text().splitlines():
            assert line.startswith(("#", "-r ")) or "==" in line, line
            assert "://" not in line
