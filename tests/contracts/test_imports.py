"""The rooms import one way only; the contracts stand in pyproject.toml and are proved to bite."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BAN = ("session", "g", "current_user")


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports_command; lint_imports_command()",
        "--no-cache",
    ]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_every_contract_is_kept() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert "4 kept, 0 broken" in done.stdout


def test_a_wrong_import_would_be_found(tmp_path: Path) -> None:
    """A definition that imports a service breaks two contracts: the lint is not blind."""
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text("utf-8"), "utf-8")
    for room in (
        "views",
        "tasks",
        "services",
        "documents",
        "workflow",
        "permissions",
        "forms",
        "models",
        "definitions",
        "fields",
        "adapters",
    ):
        (tmp_path / "app" / room).mkdir(parents=True)
        (tmp_path / "app" / room / "__init__.py").write_text("")
    (tmp_path / "app" / "__init__.py").write_text("")
    for module in ("extensions", "errors", "cli"):
        (tmp_path / "app" / f"{module}.py").write_text("")
    (tmp_path / "app" / "migrations").mkdir()
    (tmp_path / "app" / "migrations" / "__init__.py").write_text("")
    assert lint(tmp_path).returncode == 0
    (tmp_path / "app" / "definitions" / "bad.py").write_text("import flask\nfrom app.services import x\n")
    (tmp_path / "app" / "services" / "x.py").write_text("")
    broken = lint(tmp_path)
    assert broken.returncode != 0
    assert "2 broken" in broken.stdout, broken.stdout


@pytest.mark.parametrize("path", sorted((ROOT / "app").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_each_module_says_what_it_is_for(path: Path) -> None:
    if "versions" in path.parts:
        return
    text = path.read_text("utf-8")
    assert text.startswith('"""'), "no docstring"
    assert len(text.splitlines()) <= 600


def test_no_room_of_odds_and_ends() -> None:
    names = {p.stem for p in (ROOT / "app").rglob("*.py")}
    assert not names & {"utils", "helpers", "common", "misc"}
