"""What may look different after an answer changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.definitions import registry
from app.definitions.influence import influenced
from app.definitions.schema import Definition

MADE_UP = Path(__file__).parents[2] / "data/definitions/everything.yaml"


@pytest.fixture(scope="module")
def everything() -> Definition:
    return registry.parse_definition(MADE_UP.read_text("utf-8"), "everything.yaml")


@pytest.fixture(scope="module")
def intake() -> Definition:
    return registry.catalogue().get("hrb_cultivation_intake")


def keys(definition: Definition, table: str, key: str) -> set[tuple[str, str, bool]]:
    return {(p.table, p.key, p.everywhere) for p in influenced(definition, table, key)}


def test_prefilled_and_judged_fields_follow_a_main_field(intake: Definition) -> None:
    found = keys(intake, "", "revenue")
    assert {("", "revenue_per_capita", False), ("", "profit", False), ("", "enterprise_scale", False)} <= found
    assert ("", "contact_name", False) not in found


def test_a_column_reaches_its_own_row_only(intake: Definition) -> None:
    assert keys(intake, "digital_projects", "software_cloud_cost") == {("digital_projects", "total_cost", False)}
    assert ("digital_projects", "cloud_provider", False) in keys(intake, "digital_projects", "cloud_service_type")
    assert ("digital_projects", "end_date", False) in keys(intake, "digital_projects", "start_date")


def test_totals_over_rows_follow_through_computed_columns(everything: Definition) -> None:
    found = keys(everything, "devices", "quantity")
    assert ("devices", "amount", False) in found
    assert ("", "device_total", False) in found
    assert ("", "budget", False) in found, "the budget's condition reads the total"


def test_a_hidden_section_brings_its_fields_and_tables(everything: Definition) -> None:
    found = keys(everything, "", "ownership")
    assert {("", "investor", False), ("", "foreign_share", False), ("shareholders", "", True)} <= found


def test_a_table_is_shown_through_a_field(everything: Definition) -> None:
    assert ("shareholders", "", True) in keys(everything, "", "foreign_share")


def test_nothing_hangs_on_a_plain_field(intake: Definition) -> None:
    assert keys(intake, "", "contact_phone") == set()
    assert keys(intake, "service_providers", "provider_name") == set()
