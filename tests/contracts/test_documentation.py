"""The documents say what the product does: settings, commands, pages and files that they name exist, and none is left out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask

ROOT = Path(__file__).parents[2]
READMES = ("README.md", "README.zh.md")


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def test_every_setting_is_documented_and_no_other() -> None:
    wanted = set(re.findall(r'environ(?:\.get\(|\[)"([A-Z_]+)"', read("config.py") + read("run.py")))
    told = set(
        re.findall(r"`([A-Z][A-Z_]{3,})`", re.search(r"## Settings(.*?)\n## ", read("docs/deployment.md"), re.S)[1])
    )
    assert wanted <= told
    assert told - wanted <= {"PDF_FONT_SERIF", "PDF_FONT_SANS"}


@pytest.mark.parametrize("name", READMES)
def test_commands_of_the_readmes_exist(app: Flask, name: str) -> None:
    named = set(re.findall(r"`([a-z]+ [a-z\-| ]+)(?: --| [A-Z文]|`)", read(name)))
    told = {(g, c.strip()) for entry in named for g, _, rest in [entry.partition(" ")] for c in rest.split("|")}
    groups = {g: set(getattr(c, "commands", {})) for g, c in app.cli.commands.items()}
    checked = {(g, c) for g, c in told if g in groups and c}
    assert {
        ("definitions", "check"),
        ("seed", "reference"),
        ("accounts", "set-password"),
        ("audit", "verify"),
    } <= checked
    assert {(g, c) for g, c in checked if c.split(" ")[0] not in groups[g] and g != "make"} == set()


@pytest.mark.parametrize("name", READMES)
def test_every_own_command_is_in_the_readme(app: Flask, name: str) -> None:
    text = read(name)
    for group in ("definitions", "seed", "accounts", "audit", "stamps", "sms", "fonts"):
        for command in app.cli.commands[group].commands:
            assert re.search(rf"{group}[^`]*{command}", text), f"{group} {command}"


@pytest.mark.parametrize("name", (*READMES, "docs/deployment.md", "docs/dependencies.md"))
def test_links_lead_somewhere(name: str) -> None:
    folder = (ROOT / name).parent
    links = re.findall(r"\]\(([^)#:]+)\)", read(name))
    assert [link for link in links if not (folder / link).exists()] == []


def test_make_targets_of_the_readmes_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", read("Makefile"), re.M))
    for name in READMES:
        assert set(re.findall(r"make ([a-z]+)", read(name))) - {"sure"} <= targets


def test_chosen_packages_are_explained() -> None:
    table = read("docs/dependencies.md").lower().replace("_", "-")
    for package in ("flask", "sqlalchemy", "waitress", "reportlab", "python-docx", "rq", "fsspec", "pikepdf", "tzdata"):
        assert package in table


def test_demo_accounts_of_the_readmes_are_those_of_the_demo() -> None:
    from app.services import seed_demo

    made = {p.username for p in (*seed_demo.STAFF, seed_demo.OWNER, seed_demo.FRESH, seed_demo.INDIVIDUAL)}
    for name in READMES:
        assert set(re.findall(r"^\| `([a-z]+)` \|", read(name), re.M)) == made
