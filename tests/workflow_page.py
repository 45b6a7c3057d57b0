"""``docs/workflow.md`` as data: the places of every state and the deeds of every transition."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from app.definitions import registry
from app.definitions.schema import Definition

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "workflow.md"
DOMAIN = ROOT / "tests" / "data" / "domain" / "workflow.yaml"
ROUTES = ROOT / "tests" / "data" / "workflows"


@dataclass(frozen=True)
class Place:
    """One place of a state. ``kinds``: kind/level of the step, in each route that has it."""

    state: str
    status: str | None
    step: str | None
    kinds: frozenset[str]
    also: str


@dataclass(frozen=True)
class Transition:
    """One transition. ``deeds``: (name, role) in the order in which they are done."""

    source: str
    target: str
    action: str
    deeds: tuple[tuple[str, str], ...]
    guards: tuple[str, ...]
    effects: tuple[str, ...]

    @property
    def name(self) -> tuple[str, str, str]:
        """What tells it apart inside its workflow."""
        return self.source, self.target, self.action


@dataclass(frozen=True)
class Workflow:
    """One section of the page."""

    key: str
    routes: tuple[str, ...]
    places: tuple[Place, ...]
    transitions: tuple[Transition, ...]

    def definitions(self) -> list[Definition]:
        """The definitions that hold its routes."""
        return [definition_of(key) for key in self.routes]

    def places_of(self, state: str) -> list[Place]:
        """Where a declaration in ``state`` may be."""
        return [p for p in self.places if p.state == state]


@cache
def made_up() -> registry.Catalogue:
    """The definitions under ``tests/data/workflows``."""
    return registry.Catalogue(ROUTES)


def definition_of(key: str) -> Definition:
    """A made-up definition, or one of the product."""
    return made_up().get(key) if key in made_up() else registry.catalogue().get(key)


@cache
def collected() -> dict[str, dict]:
    """The workflows as collected, by key."""
    return {w["key"]: w for w in yaml.safe_load(DOMAIN.read_text("utf-8"))["workflows"]}


@cache
def page() -> dict[str, Workflow]:
    """The sections of the page, by key."""
    parts = re.split(r"^## (\w+) .*$", PAGE.read_text("utf-8"), flags=re.MULTILINE)[1:]
    known = zip(parts[::2], parts[1::2], strict=True)
    return {key: _workflow(key, text) for key, text in known if key in collected()}


def general() -> frozenset[str]:
    """Guards that the page names once, for all deeds of offices."""
    line = re.search(r"not repeated below: (.*)\.", PAGE.read_text("utf-8"))
    return frozenset(_names(line[1])) if line else frozenset()


def _workflow(key: str, text: str) -> Workflow:
    routes = re.search(r"^Routes: (.*?)\. ", text, re.MULTILINE)
    assert routes, key
    rows = list(_rows(text))
    return Workflow(
        key,
        tuple(n for n in _names(routes[1]) if not n.startswith("tests")),
        tuple(_place(r) for r in rows if len(r) == 5),
        tuple(_transition(r) for r in rows if len(r) == 7),
    )


def _rows(text: str) -> Iterator[list[str]]:
    for line in text.splitlines():
        cells = [c.strip() for c in line.strip("|").split("|")]
        if line.startswith("|") and cells[0].startswith("`"):
            yield cells


def _names(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"`([\w./]+)`", text))


def _place(cells: list[str]) -> Place:
    status, step = _names(cells[2]), _names(cells[3])
    kinds = frozenset(re.findall(r"\b[a-z]+/[a-z]+\b", cells[3]))
    also = "" if cells[4] == "—" else cells[4]
    return Place(_names(cells[0])[0], status[0] if status else None, step[0] if step else None, kinds, also)


def _transition(cells: list[str]) -> Transition:
    deeds = tuple(re.findall(r"`([\w.]+)` \((\w+)\)", cells[4]))
    source, target, action = (_names(c)[0] for c in cells[:3])
    return Transition(source, target, action, deeds, _names(cells[5]), _names(cells[6]))
