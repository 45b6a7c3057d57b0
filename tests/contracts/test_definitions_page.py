"""``docs/definitions.md`` is complete and true: every attribute and function is named, its example loads."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from app.definitions import schema
from app.definitions.expressions import FUNCTIONS
from app.definitions.registry import DefinitionError, parse_definition
from app.fields import registry as field_types
from app.fields.base import FieldSpec, Option

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "definitions.md").read_text("utf-8")
NAMED = {word for quoted in re.findall(r"`([^`\n]+)`", TEXT) for word in re.findall(r"\w+", quoted)}
PARTS = [
    m for _, m in inspect.getmembers(schema, inspect.isclass) if issubclass(m, schema.Part) and m is not schema.Part
]


def example() -> str:
    """The YAML block of the page."""
    match = re.search(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    assert match
    return match[1]


@pytest.mark.parametrize("part", [*PARTS, FieldSpec, Option], ids=lambda p: p.__name__)
def test_every_attribute_is_described(part: type[schema.Part]) -> None:
    names = {field.alias or name for name, field in part.model_fields.items()}
    assert names <= NAMED, sorted(names - NAMED)


def test_every_function_and_type_is_described() -> None:
    assert set(FUNCTIONS) <= NAMED, sorted(set(FUNCTIONS) - NAMED)
    types = next(line for line in TEXT.splitlines() if line.startswith("| `type` |"))
    assert set(field_types.names()) == set(re.findall(r"\w+", types.split("|")[2]))


def test_the_example_loads() -> None:
    definition = parse_definition(example(), "example")
    assert definition.title == "企业上云补助"
    assert [f.key for _, f in definition.fields()] == ["name", "revenue", "cloud_fee"]
    assert len(example().splitlines()) <= 32


def test_a_mistake_is_told_with_its_line() -> None:
    broken = example().replace("label: 云服务费, type: decimal", "label: 云服务费, typ: decimal")
    with pytest.raises(DefinitionError) as caught:
        parse_definition(broken, "example.yaml")
    line = broken[: broken.index("typ: decimal")].count("\n") + 1
    assert any(p.startswith(f"example.yaml:{line}:") for p in caught.value.problems), caught.value.problems
