"""A return reopens the named answers and what hangs on them, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.definitions import registry
from app.definitions.dependents import with_dependents
from app.definitions.schema import Definition

FILE = Path(__file__).parents[2] / "data" / "definitions" / "everything.yaml"


@pytest.fixture(scope="module")
def definition() -> Definition:
    return registry.parse_definition(FILE.read_text("utf-8"), FILE.name)


@pytest.mark.parametrize(
    ("path", "also"),
    [
        ("summary", set()),
        ("has_branch", {"branch_note"}),
        ("ownership", {"ownership_other", "investor", "foreign_share", "shareholders"}),
        ("foreign_share", {"shareholders"}),
        ("@audit_report", set()),
        ("devices/d1/imported", {"devices/d1/origin_country", "@customs_papers"}),
        ("devices", {"@customs_papers"}),
        ("devices/d1", {"@customs_papers"}),
        ("projects/p1/members/m1/name", set()),
    ],
)
def test_what_hangs_on_an_answer(definition: Definition, path: str, also: set[str]) -> None:
    assert with_dependents(definition, [path]) == {path} | also


def test_nothing_named_opens_nothing(definition: Definition) -> None:
    assert with_dependents(definition, []) == set()


def test_a_suggested_figure_follows_its_source() -> None:
    intake = registry.catalogue().get("hrb_cultivation_intake")
    assert with_dependents(intake, ["revenue"]) == {"revenue", "revenue_per_capita"}
    row = "digital_projects/r1"
    assert with_dependents(intake, [f"{row}/device_cost"]) == {f"{row}/device_cost", f"{row}/total_cost"}


def test_read_only_answers_are_never_opened(definition: Definition) -> None:
    fixed = {f.key for _, f in definition.fields() if f.readonly or f.computed or f.fixed is not None}
    for _, field in definition.fields():
        assert not (with_dependents(definition, [field.key]) - {field.key}) & fixed
