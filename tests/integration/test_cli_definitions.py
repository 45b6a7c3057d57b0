"""``flask definitions …``: check, new, diff, export, sync say what they did and fail when something is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flask import Flask

from app.definitions import registry
from app.services import samples
from tests.factories_everything import FOLDER

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def test_check(app: Flask) -> None:
    done = app.test_cli_runner().invoke(args=["definitions", "check"])
    assert done.exit_code == 0, done.output
    assert done.output.strip() == f"{len(list(registry.catalogue()))} definitions, no problems"


def test_check_fails_and_names_the_place(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    known = registry.Catalogue(registry.CATALOGUE)
    one = known.get("hrb_cultivation_intake")
    bad = one.conditions[0].model_copy(update={"key": "broken", "cel": "form.revenue > 1.0"})
    known._definitions[one.key] = one.model_copy(update={"conditions": (*one.conditions, bad)})
    monkeypatch.setattr(samples.registry, "catalogue", lambda *_: known)
    done = app.test_cli_runner().invoke(args=["definitions", "check"])
    assert done.exit_code == 1
    assert "hrb_cultivation_intake: condition broken on empty answers" in done.output


def test_new_prints_a_file_that_loads(app: Flask, tmp_path: Path) -> None:
    done = app.test_cli_runner().invoke(args=["definitions", "new", "cloud_subsidy", "企业上云补助"])
    assert done.exit_code == 0
    assert registry.parse_definition(done.output, "x.yaml").key == "cloud_subsidy"
    refused = app.test_cli_runner().invoke(args=["definitions", "new", "Cloud Subsidy", "企业上云补助"])
    assert refused.exit_code != 0
    assert "pattern" in refused.output


def test_diff(app: Flask, tmp_path: Path) -> None:
    old = FOLDER / "everything.yaml"
    new = tmp_path / "new.yaml"
    new.write_text(
        old.read_text("utf-8").replace("{key: email, label: 电子邮箱", "{key: mail, label: 电子邮箱"), "utf-8"
    )
    done = app.test_cli_runner().invoke(args=["definitions", "diff", str(old), str(new)])
    assert json.loads(done.output) == {"fields": {"added": ["mail"], "removed": ["email"]}}


def test_export_and_sync(app: Flask) -> None:
    listed = app.test_cli_runner().invoke(args=["definitions", "export"]).output
    assert "hrb_cultivation_intake" in listed
    lines = app.test_cli_runner().invoke(args=["definitions", "export", "--json"]).output.splitlines()
    assert [json.loads(line)["key"] for line in lines] == [d.key for d in registry.catalogue()]
    done = app.test_cli_runner().invoke(args=["definitions", "sync"])
    assert (done.exit_code, done.output) == (0, "")
    assert "rebuilt 0" in app.test_cli_runner().invoke(args=["definitions", "rebuild"]).output
