"""What two versions do not share, and the starter that ``flask definitions new`` prints."""

from __future__ import annotations

from typing import Any

import pytest

from app.definitions.difference import compare, starter
from app.definitions.registry import DefinitionError, parse_definition, spec_problems
from app.definitions.schema import Definition
from app.services.samples import check_catalogue
from tests.factories_everything import everything


def with_field(definition: Definition, section: int, **changes: Any) -> Definition:
    """``definition`` with its section's first field changed."""
    sections = list(definition.sections)
    fields = list(sections[section].fields)
    fields[0] = fields[0].model_copy(update=changes)
    sections[section] = sections[section].model_copy(update={"fields": tuple(fields)})
    return definition.model_copy(update={"sections": tuple(sections)})


def with_table(definition: Definition, **changes: Any) -> Definition:
    """``definition`` with the table ``devices`` changed."""
    sections = [
        s.model_copy(
            update={"tables": tuple(t.model_copy(update=changes) if t.key == "devices" else t for t in s.tables)}
        )
        for s in definition.sections
    ]
    return definition.model_copy(update={"sections": tuple(sections)})


def test_equal_definitions_differ_in_nothing() -> None:
    assert compare(everything(), everything().model_copy(update={"version": 2, "title": "别的"})) == {}


def test_a_changed_field() -> None:
    assert compare(everything(), with_field(everything(), 0, label="公司名称")) == {
        "fields": {"changed": ["enterprise_name"]}
    }


def test_a_renamed_field_is_one_gone_and_one_new() -> None:
    assert compare(everything(), with_field(everything(), 0, key="company_name")) == {
        "fields": {"added": ["company_name"], "removed": ["enterprise_name"]}
    }


def test_columns_and_their_table_are_told_apart() -> None:
    columns = everything().table("devices").columns
    fewer = with_table(everything(), columns=columns[:-1])
    assert compare(everything(), fewer) == {"fields": {"removed": [f"devices.{columns[-1].key}"]}}
    assert compare(fewer, everything()) == {"fields": {"added": [f"devices.{columns[-1].key}"]}}
    assert compare(everything(), with_table(everything(), max_rows=5)) == {"tables": {"changed": ["devices"]}}


@pytest.mark.parametrize(
    ("attribute", "kind"), [("attachments", "attachments"), ("route", "steps"), ("conditions", "conditions")]
)
def test_other_parts(attribute: str, kind: str) -> None:
    parts = getattr(everything(), attribute)
    shorter = everything().model_copy(update={attribute: parts[1:]})
    assert compare(everything(), shorter) == {kind: {"removed": [parts[0].key]}}
    assert compare(shorter, everything()) == {kind: {"added": [parts[0].key]}}


def test_the_starter_loads_and_no_expression_of_it_fails(tmp_path: Any) -> None:
    text = starter("cloud_subsidy", "企业上云补助")
    definition = parse_definition(text, "starter.yaml")
    assert (definition.key, definition.title) == ("cloud_subsidy", "企业上云补助")
    assert spec_problems(definition) == []
    assert definition.outcome.title == "企业上云补助名单"
    assert text.count("#") >= 4, "it explains itself"
    (tmp_path / "starter.yaml").write_text(text, "utf-8")
    assert check_catalogue(tmp_path) == []


def test_a_starter_with_a_bad_key_does_not_load() -> None:
    with pytest.raises(DefinitionError, match="key"):
        parse_definition(starter("Cloud-Subsidy", "企业上云补助"), "starter.yaml")
