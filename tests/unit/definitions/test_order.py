"""The settling order: every unit once, each after what it reads; circles together; long definitions in no time."""

from __future__ import annotations

import random
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from app.definitions import registry
from app.definitions.expressions import compile_expression
from app.definitions.order import Unit, is_plain, settling_order
from app.definitions.schema import Definition
from tests.factories_everything import FOLDER


def field(key: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "label": key, "type": "decimal", **more}


def definition(*fields: dict[str, Any], tables: tuple[dict[str, Any], ...] = ()) -> Definition:
    return Definition.model_validate(
        {
            "key": "ordered", "version": 1, "title": "序", "short_code": "OR", "kind": "declaration",
            "jurisdiction": "230100",
            "sections": [{"key": "main", "label": "页", "fields": fields, "tables": tables}],
        }
    )  # fmt: skip


def table(key: str, *columns: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"key": key, "label": key, "row_label": "行", "columns": columns, **more}


def keys(found: Definition) -> list[tuple[str, ...]]:
    return [tuple(f"{u.owner}.{u.key}".rstrip(".") for u in group.units) for group in found.order]


CATALOGUES = [registry.CATALOGUE, FOLDER]


@pytest.mark.parametrize("folder", CATALOGUES, ids=lambda folder: Path(folder).name)
def test_every_unit_of_a_real_definition_stands_once_after_what_it_reads(folder: Path) -> None:
    for found in registry.Catalogue(folder):
        place = {unit: n for n, group in enumerate(found.order) for unit in group.units}
        assert len(place) == sum(len(group.units) for group in found.order)
        assert {u.owner for u in place if u.kind == "section"} == {s.key for s in found.sections}
        assert {u.owner for u in place if u.kind == "table"} == {t.key for _, t, _ in found.tables()}
        for _section, spec in found.fields():
            for source in (spec.visible_if, spec.computed, spec.prefill):
                for key in compile_expression(source).form_keys if source else ():
                    read = Unit("field", key)
                    assert read not in place or place[read] <= place[Unit("field", spec.key)], (spec.key, key)
        assert all(group.rounds == 1 for group in found.order), "no real definition goes round in a circle"


def test_what_only_people_fill_needs_no_unit_of_its_own() -> None:
    found = definition(field("a"), field("b", computed="form.a"), field("c", required_if="form.b == 1.0"))
    assert keys(found) == [("main",), ("b",), ("c",)]
    assert [is_plain(spec) for _, spec in found.fields()] == [True, False, False]


def test_a_chain_is_walked_from_its_source() -> None:
    found = definition(*(field(f"v{n}", computed=f"form.v{n + 1}") for n in range(4)), field("v4"))
    assert keys(found) == [("main",), ("v3",), ("v2",), ("v1",), ("v0",)]


@pytest.mark.parametrize(
    ("source", "before"),
    [
        ("sum(form.items.map(i, i.amount))", {"items.amount"}),
        ('sum(form.items.map(i, i["amount"]))', {"items.amount"}),
        ("size(form.items)", {"items.amount", "items.fiscal_year"}),
        ("year_row(form.items, 1.0).amount", {"items.amount", "items.fiscal_year"}),
        ("form.items[0][form.name]", {"items.amount", "items.fiscal_year"}),
    ],
)
def test_of_a_table_the_columns_that_are_named_come_before(source: str, before: set[str]) -> None:
    columns = (field("amount", computed="1.0"), field("fiscal_year", computed="2.0"))
    found = definition(field("total", computed=source), field("name"), tables=(table("items", *columns),))
    order = [name for group in keys(found) for name in group]
    early = set(order[: order.index("total")]) - {"main", "items"}
    assert before <= early
    if before == {"items.amount"}:
        link = definition(
            field("total", computed=source),
            tables=(table("items", columns[0], field("fiscal_year", computed="form.total")),),
        )
        assert keys(link)[-1] == ("items.fiscal_year",), "a share of the total is no circle"


@pytest.mark.parametrize("source", ['form["a"]', "size(form) > 0 ? form.a : null", 'form.filter(k, k == "a").size()'])
def test_a_form_used_whole_is_read_after_what_it_names(source: str) -> None:
    found = definition(field("z", computed=source), field("a", computed="1.0"))
    assert keys(found)[-1] == ("z",)


def test_a_circle_is_one_group_with_several_rounds_and_always_in_the_same_order() -> None:
    ring = [field("a", visible_if="form.b == 1.0"), field("b", visible_if="form.a == 1.0"),
            field("after", computed="form.a"), field("own", visible_if="form.own == null")]  # fmt: skip
    for order in (ring, ring[::-1]):
        groups = {tuple(u.owner for u in g.units): g.rounds for g in definition(*order).order}
        assert groups[("a", "b")] == 4 and groups[("own",)] == 3
        assert list(groups)[-1] == ("after",)


def test_an_expression_that_does_not_compile_reads_nothing() -> None:
    assert ("a",) in keys(definition(field("a", computed="form.b +")))


def test_a_changed_copy_has_its_own_order() -> None:
    found = definition(field("a", computed="1.0"))
    assert found.order is found.order
    copy = found.model_copy(update={"sections": ()})
    assert (len(found.order), copy.order) == (2, ())


def test_four_hundred_questions_in_one_chain_take_less_than_a_second() -> None:
    fields = [field(f"v{n}", computed=f"form.v{n + 1}") for n in range(400)] + [field("v400")]
    random.Random(5).shuffle(fields)
    found = definition(*fields)
    start = perf_counter()
    order = settling_order(found)
    assert perf_counter() - start < 1
    assert [group.units[0].owner for group in order[1:]] == [f"v{n}" for n in range(399, -1, -1)]
