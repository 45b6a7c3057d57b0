"""Parameters of the interface: what they mean, and that every wrong one is named and refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from app.views.admin.core import all_grids
from app.views.admin.spec import Grid
from app.views.api.parameters import Asked, order_paths, read_list, read_one, refuse_all
from app.views.api.refusal import Refusal

GRIDS = {g.name: g for g in all_grids()}
INTAKE = "form_hrb_cultivation_intake"
CHILD = f"{INTAKE}_service_providers"
UUID = "01890000-0000-7000-8000-000000000000"


def asked(grid: str, **arguments: str) -> Asked:
    return read_list(GRIDS[grid], MultiDict(arguments))


def only(grid: str, name: str, value: str) -> tuple[str, str, Any]:
    """Path, operator and value of one filter."""
    (condition,) = read_list(GRIDS[grid], MultiDict({name: value})).conditions
    return condition.column.path, condition.operator, condition.value


def test_nothing_asked_is_the_first_page() -> None:
    assert asked("declaration") == Asked(page=1, page_size=50, after=None, order=None, labels=False)


def test_paging_and_order() -> None:
    read = asked("declaration", page="3", page_size="100", order="-due_at", labels="1")
    assert (read.page, read.page_size, read.order, read.descending, read.labels) == (3, 100, "due_at", True, True)
    assert not asked("declaration", order="due_at").descending


def test_reading_on_by_id() -> None:
    assert asked("declaration", after="0").after == 0
    assert asked("declaration", after="41", page_size="7").page_size == 7


def test_relations() -> None:
    assert asked("opinion", declaration=UUID.upper()).declaration == UUID
    assert asked("declaration", declaration=UUID).declaration == UUID
    assert asked(CHILD, parent="12").parent == 12


DAY = datetime(2026, 11, 19, 16, tzinfo=UTC)
MOMENT = datetime(2026, 11, 20, 1, tzinfo=UTC)
TINY = timedelta(microseconds=1)
FILTERS: list[tuple[str, str, str, tuple[str, str, Any]]] = [
    ("declaration", "filter[serial_no]", "2026-PY-0001", ("serial_no", "eq", "2026-PY-0001")),
    ("declaration", "filter[batch.title__contains]", "第一批", ("batch.title", "contains", "第一批")),
    ("declaration", "filter[status__in]", "draft,returned", ("status", "in", ["draft", "returned"])),
    ("declaration", "filter[submitted_at]", "2026-11-20", ("submitted_at", "eq", (DAY, DAY + timedelta(days=1)))),
    ("declaration", "filter[submitted_at__gte]", "2026-11-20T01:00:00Z", ("submitted_at", "gte", (MOMENT, MOMENT + TINY))),
    ("declaration", "filter[due_at__lte]", "2026-11-20T09:00:00+08:00", ("due_at", "lte", (MOMENT, MOMENT + TINY))),
    ("enterprise", "filter[employees__gte]", "100", ("employees", "gte", 100)),
    ("enterprise", "filter[employees__lte]", "-5", ("employees", "lte", -5)),
    ("enterprise", "filter[registered_capital]", "12.5", ("registered_capital", "eq", Decimal("12.50"))),
    ("enterprise", "filter[established_on__gte]", "2009-06-11", ("established_on", "gte", date(2009, 6, 11))),
    ("enterprise", "filter[region_code__in]", "230102,230108", ("region_code", "in", ["230102", "230108"])),
    ("account", "filter[active]", "false", ("active", "eq", False)),
    ("event", "filter[subject]", "account:3", ("subject", "eq", "account:3")),
    (INTAKE, "filter[revenue__gte]", "1,000.5", ("revenue", "gte", Decimal("1000.5"))),
    (INTAKE, "filter[revenue__lte]", "-1", ("revenue", "lte", Decimal(-1))),
    (INTAKE, "filter[rd_ratio__lte]", "250", ("rd_ratio", "lte", Decimal(250))),
    (INTAKE, "filter[patents_cumulative]", "403", ("patents_cumulative", "eq", 403)),
    (INTAKE, "filter[is_above_scale]", "yes", ("is_above_scale", "eq", "yes")),
    (INTAKE, "filter[ownership_type__in]", "private", ("ownership_type", "in", ["private"])),
    (INTAKE, "filter[quality_sme_status__contains]", "innovative", ("quality_sme_status", "contains", "innovative")),
    (INTAKE, "filter[contact_phone__contains]", "1390", ("contact_phone", "contains", "1390")),
    (INTAKE, "filter[declaration.status]", "approved", ("declaration.status", "eq", "approved")),
]  # fmt: skip


@pytest.mark.parametrize(("grid", "name", "value", "expected"), FILTERS, ids=[f"{g} {n}" for g, n, _v, _e in FILTERS])
def test_filters_are_typed(grid: str, name: str, value: str, expected: tuple[str, str, Any]) -> None:
    assert only(grid, name, value) == expected


def test_several_filters_stand_together() -> None:
    read = asked("declaration", **{"filter[status]": "draft", "filter[submitted_at__gte]": "2026-01-01"})
    assert [(c.column.path, c.operator) for c in read.conditions] == [("status", "eq"), ("submitted_at", "gte")]


HOSTILE: list[tuple[str, str, str, str]] = [
    ("declaration", "page", "0", "bad_value"),
    ("declaration", "page", "-1", "bad_value"),
    ("declaration", "page", "1.5", "bad_value"),
    ("declaration", "page", "1e3", "bad_value"),
    ("declaration", "page", "", "bad_value"),
    ("declaration", "page", "１", "bad_value"),
    ("declaration", "page", "٣", "bad_value"),
    ("declaration", "page", "1000001", "bad_value"),
    ("declaration", "page", "9" * 400, "bad_value"),
    ("declaration", "page_size", "0", "bad_value"),
    ("declaration", "page_size", "101", "bad_value"),
    ("declaration", "page_size", "1000", "bad_value"),
    ("declaration", "after", "-1", "bad_value"),
    ("declaration", "after", "9" * 19, "bad_value"),
    ("declaration", "after", "x' OR 1=1 --", "bad_value"),
    ("declaration", "labels", "yes", "bad_value"),
    ("declaration", "labels", "2", "bad_value"),
    ("declaration", "order", "", "unknown_column"),
    ("declaration", "order", "--serial_no", "unknown_column"),
    ("declaration", "order", "password", "unknown_column"),
    ("declaration", "order", "unique_key", "unknown_column"),
    ("declaration", "order", "batch.title", "unknown_column"),
    ("declaration", "order", "serial_no; DROP TABLE region", "unknown_column"),
    ("account", "order", "phone", "unknown_column"),
    ("declaration", "declaration", "1", "bad_value"),
    ("declaration", "declaration", "' OR ''='", "bad_value"),
    ("region", "declaration", UUID, "unknown_parameter"),
    ("declaration", "parent", "1", "unknown_parameter"),
    (CHILD, "parent", "0", "bad_value"),
    (CHILD, "parent", "x", "bad_value"),
    ("declaration", "Page", "1", "unknown_parameter"),
    ("declaration", "limit", "10", "unknown_parameter"),
    ("declaration", "_flt_0_status", "draft", "unknown_parameter"),
    ("declaration", "filter", "draft", "unknown_parameter"),
    ("declaration", "filter[]", "draft", "unknown_parameter"),
    ("declaration", "filter[a][b]", "draft", "unknown_parameter"),
    ("declaration", "filter[status]x", "draft", "unknown_parameter"),
    ("declaration", "filter[password]", "x", "unknown_column"),
    ("declaration", "filter[unique_key]", "x", "unknown_column"),
    ("declaration", "filter[enterprise.contact_phone]", "x", "unknown_column"),
    ("declaration", "filter[__class__]", "x", "unknown_column"),
    ("declaration", "filter[status__]", "x", "unknown_operator"),
    ("declaration", "filter[status__ne]", "draft", "unknown_operator"),
    ("declaration", "filter[status__contains]", "dr", "unknown_operator"),
    ("declaration", "filter[serial_no__gte]", "2026", "unknown_operator"),
    ("declaration", "filter[submitted_at__in]", "2026-01-01", "unknown_operator"),
    ("account", "filter[phone]", "13912345678", "unknown_operator"),
    ("account", "filter[phone__contains]", "139", "unknown_operator"),
    ("event", "filter[data]", "x", "unknown_operator"),
    ("event", "filter[subject__contains]", "phone:0", "unknown_operator"),
    (INTAKE, "filter[quality_sme_status]", "innovative", "unknown_operator"),
    ("declaration", "filter[serial_no]", "", "bad_value"),
    ("declaration", "filter[serial_no]", "长" * 201, "bad_value"),
    ("declaration", "filter[serial_no]", "a\x00b", "bad_value"),
    ("declaration", "filter[status]", "nothing", "bad_value"),
    ("declaration", "filter[status__in]", "draft,nothing", "bad_value"),
    ("declaration", "filter[status__in]", "draft,,returned", "bad_value"),
    ("declaration", "filter[serial_no__in]", ",".join(["x"] * 51), "bad_value"),
    ("declaration", "filter[submitted_at]", "去年", "bad_value"),
    ("declaration", "filter[submitted_at]", "2026-13-01", "bad_value"),
    ("declaration", "filter[submitted_at]", "2026-02-30", "bad_value"),
    ("declaration", "filter[submitted_at]", "0001-01-01", "bad_value"),
    ("declaration", "filter[submitted_at]", "9999-12-31T23:59:59-12:00", "bad_value"),
    ("declaration", "filter[submitted_at]", "2026-11-20T01:00:00", "bad_value"),
    ("declaration", "filter[submitted_at]", "2026-11-20T01:00:00 08:00", "bad_value"),
    ("declaration", "filter[submitted_at]", "2026-11-20T25:00:00Z", "bad_value"),
    ("enterprise", "filter[employees]", "many", "bad_value"),
    ("enterprise", "filter[employees]", "9" * 30, "bad_value"),
    ("enterprise", "filter[registered_capital]", "NaN", "bad_value"),
    ("enterprise", "filter[registered_capital]", "Infinity", "bad_value"),
    ("enterprise", "filter[registered_capital]", "1e999", "bad_value"),
    ("enterprise", "filter[registered_capital]", "1" * 40, "bad_value"),
    ("enterprise", "filter[established_on]", "11.6.2009", "bad_value"),
    ("account", "filter[active]", "maybe", "bad_value"),
    (INTAKE, "filter[revenue]", "很多", "bad_value"),
    (INTAKE, "filter[revenue]", "1e999", "bad_value"),
    (INTAKE, "filter[patents_cumulative]", "1.5", "bad_value"),
    (INTAKE, "filter[ownership_type]", "nothing", "bad_value"),
    (INTAKE, "filter[quality_sme_status__contains]", "nothing", "bad_value"),
    (INTAKE, "filter[is_above_scale]", "maybe", "bad_value"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("grid", "name", "value", "code"), HOSTILE, ids=[f"{n}-{v[:24]!a}" for _g, n, v, _c in HOSTILE]
)
def test_nonsense_is_named(grid: str, name: str, value: str, code: str) -> None:
    with pytest.raises(Refusal) as caught:
        asked(grid, **{name: value})
    problem = caught.value
    assert (problem.status, problem.code, problem.parameter) == (400, code, name)
    assert problem.message.endswith("。") and len(problem.message) < 1500, problem.message


def test_a_parameter_stands_once() -> None:
    with pytest.raises(Refusal) as caught:
        read_list(GRIDS["declaration"], MultiDict([("page", "1"), ("page", "1")]))
    assert (caught.value.code, caught.value.parameter) == ("repeated_parameter", "page")


@pytest.mark.parametrize("other", [{"page": "1"}, {"order": "id"}], ids=lambda o: next(iter(o)))
def test_two_ways_of_paging_do_not_mix(other: dict[str, str]) -> None:
    with pytest.raises(Refusal) as caught:
        asked("declaration", after="0", **other)
    assert (caught.value.code, caught.value.parameter) == ("conflicting_parameters", "after")


def test_a_long_name_is_cut_in_the_answer() -> None:
    with pytest.raises(Refusal) as caught:
        asked("declaration", **{"x" * 5000: "1"})
    assert len(caught.value.message) < 400 and caught.value.parameter == "x" * 120


def test_one_row_takes_only_labels() -> None:
    assert read_one(GRIDS["region"], MultiDict({"labels": "1"})).labels
    for name in ("page", "filter[code]", "after"):
        with pytest.raises(Refusal) as caught:
            read_one(GRIDS["region"], MultiDict({name: "1"}))
        assert (caught.value.code, caught.value.parameter) == ("unknown_parameter", name)


def test_addresses_without_parameters_take_none() -> None:
    refuse_all(MultiDict())
    with pytest.raises(Refusal, match="没有参数"):
        refuse_all(MultiDict({"page": "1"}))


@pytest.mark.parametrize("grid", GRIDS.values(), ids=list(GRIDS))
def test_every_order_that_is_offered_is_taken(grid: Grid) -> None:
    for path in order_paths(grid):
        assert asked(grid.name, order=path).order == path
        assert asked(grid.name, order=f"-{path}").descending
