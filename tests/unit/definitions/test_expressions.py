"""CEL as this product uses it: doubles, null for "cannot be decided", functions that never guess. And its traps."""

from __future__ import annotations

from typing import Any

import pytest

from app.definitions.expressions import FUNCTIONS, ExpressionError, compile_expression, sme_size


def run(source: str, **scope: Any) -> Any:
    return compile_expression(source).evaluate(scope)


@pytest.mark.parametrize(
    ("source", "scope", "value"),
    [
        ("form.a == null", {"form": {"a": None}}, True),
        ("form.missing == null", {"form": {}}, True),
        ('form.a == "x"', {"form": {"a": None}}, False),
        ("form.a > 2.0", {"form": {"a": 3.0}}, True),
        ("form.a == null ? null : form.a > 2.0", {"form": {"a": None}}, None),
        ('"none" in form.picked', {"form": {"picked": []}}, False),
        ("size(form.picked) > 0", {"form": {"picked": ["a"]}}, True),
        ('row.kind == "x" && form.a == 1.0', {"row": {"kind": "x"}, "form": {"a": 1.0}}, True),
        ("params.limit * 2.0", {"params": {"limit": 5.0}}, 10.0),
        ('today > "2024-06-30"', {"today": "2024-07-01"}, True),
        ("form.rows.all(r, r.n > 0.0)", {"form": {"rows": [{"n": 1.0}, {"n": 2.0}]}}, True),
        ("form.rows.exists(r, r.n > 5.0)", {"form": {"rows": []}}, False),
        ("sum(form.rows.map(r, r.n))", {"form": {"rows": [{"n": 0.1}, {"n": 0.2}, {"n": None}]}}, 0.3),
        ("enterprise.name", {"enterprise": {"name": "北辰"}}, "北辰"),
    ],
)
def test_values(source: str, scope: dict[str, Any], value: Any) -> None:
    assert run(source, **scope) == value
    assert type(run(source, **scope)) is type(value)


@pytest.mark.parametrize("source", ["form.a >", "form.a = 1", "1 +", "'unclosed", ""])
def test_what_does_not_compile_is_told(source: str) -> None:
    with pytest.raises(ExpressionError, match="does not compile"):
        compile_expression(source)


@pytest.mark.parametrize(
    ("source", "scope"),
    [
        ("form.a > 2.0", {"form": {"a": None}}),
        ("form.a + 1", {"form": {"a": 1.0}}),
        ("form.a > 2.0", {"form": {"a": "x"}}),
        ("nothing(form.a)", {"form": {"a": 1.0}}),
        ("growth(form.a)", {"form": {"a": 1.0}}),
        ("unknown.a", {}),
    ],
)
def test_traps_raise_and_never_give_a_wrong_verdict(source: str, scope: dict[str, Any]) -> None:
    with pytest.raises(ExpressionError):
        run(source, **scope)


def test_only_named_keys_are_handed_over() -> None:
    expression = compile_expression('form.a == 1.0 && row.b == "form.c" && form.rows.size() > 0')
    assert expression.form_keys == {"a", "rows"}
    assert expression.row_keys == {"b"}
    assert expression.names == {"form", "row"}


@pytest.mark.parametrize(
    ("source", "scope", "value"),
    [
        ("size(row) == 2", {"row": {"a": 1.0, "b": 2.0}}, True),
        ('row.a == 1.0 && row["b"] == 2.0', {"row": {"a": 1.0, "b": 2.0}}, True),
        ("row.all(k, k != 'c')", {"row": {"a": 1.0, "c": 2.0}}, False),
        ('"b" in form && form.a == 1.0', {"form": {"a": 1.0, "b": None}}, True),
        ("has(enterprise.name)", {"enterprise": {}}, False),
        ("has(params.limit) && params.limit > 1.0", {"params": {"limit": 2.0, "other": 3.0}}, True),
    ],
)
def test_a_variable_that_is_used_whole_is_handed_over_whole(source: str, scope: dict[str, Any], value: Any) -> None:
    assert run(source, **scope) is value


@pytest.mark.parametrize("variable", ["row", "enterprise", "params", "review"])
def test_a_key_that_is_not_there_decides_nothing(variable: str) -> None:
    with pytest.raises(ExpressionError):
        run(f"{variable}.missing == null", **{variable: {"other": 1.0}})


def test_words_in_texts_are_no_names() -> None:
    expression = compile_expression('form.a == "today enterprise.name review"')
    assert expression.names == {"form"}


def test_compiled_once() -> None:
    assert compile_expression("1 + 1") is compile_expression("1 + 1")


@pytest.mark.parametrize(
    ("call", "value"),
    [
        ("round2(2.675)", 2.68),
        ("round2(51.75 * 0.04)", 2.07),
        ("round2(-2.675)", -2.68),
        ("floor2(2.679)", 2.67),
        ("floor2(2.07)", 2.07),
        ("round2(null)", None),
        ("floor(2.9)", 2.0),
        ("floor(-2.1)", -3.0),
        ("min([3.0, 1.0])", 1.0),
        ("max([3.0, 1.0])", 3.0),
        ("text_len(' 四个字吗 ')", 4.0),
        ("text_len(null)", 0.0),
        ("growth(120.0, 100.0)", 20.0),
        ("growth(120.0, 0.0)", None),
        ("growth(null, 100.0)", None),
        ("growth(50.0, -10.0)", None),
        ("ratio(5.0, 200.0)", 2.5),
        ("ratio(5.0, 0.0)", None),
        ("ratio(null, 5.0)", None),
        ("cagr(100.0, 121.0, 2.0)", 10.0),
        ("cagr(0.0, 121.0, 2.0)", None),
        ("cagr(100.0, -1.0, 2.0)", None),
        ('add_months("2024-01-31", 1.0)', "2024-02-29"),
        ('add_months("2024-11-30", 3.0)', "2025-02-28"),
        ('add_months("2024-03-31", -1.0)', "2024-02-29"),
        ('add_days("2024-02-28", 2.0)', "2024-03-01"),
        ('years_between("2020-05-10", "2024-05-09")', 3.0),
        ('years_between("2020-05-10", "2024-05-10")', 4.0),
        ('full_fiscal_years("2020-05-10", "2024-05-09")', 3.0),
        ('full_fiscal_years("2020-01-01", "2024-05-09")', 4.0),
        ('full_fiscal_years("2024-06-01", "2024-08-01")', 0.0),
        ('date_of("2024-05-09T10:00:00")', "2024-05-09"),
        ('industry_division("C3489")', "34"),
        ('industry_section("34")', "C"),
        ('industry_section("99x")', ""),
        ("assessment_category(null)", ""),
    ],
)
def test_functions(call: str, value: Any) -> None:
    result = run(call)
    assert result == (pytest.approx(value) if isinstance(value, float) else value)


def test_the_newest_year_comes_first() -> None:
    rows = [{"fiscal_year": 2022.0, "n": 1.0}, {"fiscal_year": 2024.0, "n": 3.0}, {"fiscal_year": 2023.0, "n": 2.0}]
    assert [run(f"year_row(form.rows, {k}.0).n", form={"rows": rows}) for k in (1, 2, 3)] == [3.0, 2.0, 1.0]
    with pytest.raises(ExpressionError):
        run("year_row(form.rows, 4.0).n", form={"rows": rows})


@pytest.mark.parametrize(
    ("employees", "revenue", "size"),
    [
        (1000.0, 40000.0, "large"),
        (999.0, 40000.0, "medium"),
        (1000.0, 39999.0, "medium"),
        (300.0, 2000.0, "medium"),
        (299.0, 2000.0, "small"),
        (300.0, 1999.0, "small"),
        (20.0, 300.0, "small"),
        (19.0, 300.0, "micro"),
        (20.0, 299.0, "micro"),
        (None, 300.0, None),
        (20.0, None, None),
    ],
)
def test_size_of_an_industrial_enterprise(employees: float | None, revenue: float | None, size: str | None) -> None:
    assert sme_size("34", employees, revenue, None) == size
    assert run('sme_size("34", form.e, form.r, null)', form={"e": employees, "r": revenue}) == size


@pytest.mark.parametrize("code", [None, "", "A", "xx", "00"])
def test_size_without_an_industry_is_undetermined(code: str | None) -> None:
    assert sme_size(code, 10.0, 10.0, 10.0) == "undetermined"


def test_every_function_is_tried_here() -> None:
    """A function that is added to the language comes with a line above."""
    tried = "min max sum floor round2 floor2 text_len year_row growth ratio cagr sme_size industry_section"
    tried += " industry_division assessment_category full_fiscal_years years_between add_months add_days date_of"
    assert set(FUNCTIONS) == set(tried.split())
