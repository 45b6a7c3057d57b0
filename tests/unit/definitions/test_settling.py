"""Settling: each value after what it reads, wherever that stands; what cannot be found is said and hides nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.definitions.answers import Answers, Row, from_content
from app.definitions.evaluation import Evaluation, evaluate
from app.definitions.schema import Definition
from app.definitions.states import Problem

FEW = settings(max_examples=40, deadline=None, derandomize=True)
Spec = Mapping[str, Any]


class NoNames:
    """No lists of codes are needed here."""

    def region(self, code: str) -> str | None:
        return None

    def industry(self, code: str) -> str | None:
        return None


def asked(key: str, kind: str = "integer", **more: Any) -> dict[str, Any]:
    return {"key": key, "label": f"题{key}", "type": kind, "required": False, **more}


def computed(key: str, source: str, kind: str = "decimal", **more: Any) -> dict[str, Any]:
    return asked(key, kind, computed=source, **more)


def form(*sections: Spec, **more: Any) -> Definition:
    return Definition.model_validate(
        {
            "key": "settled", "version": 1, "title": "算", "short_code": "SL", "kind": "declaration",
            "jurisdiction": "230100", "sections": sections, **more,
        }
    )  # fmt: skip


def page(*fields: Spec, tables: Iterable[Spec] = (), key: str = "main", **more: Any) -> dict[str, Any]:
    return {"key": key, "label": "页", "fields": fields, "tables": tuple(tables), **more}


def items(*columns: Spec, **more: Any) -> dict[str, Any]:
    return {"key": "items", "label": "明细", "row_label": "明细", "columns": columns, **more}


def judge(definition: Definition, answers: Answers | None = None, **more: Any) -> Evaluation:
    return evaluate(
        definition, answers or Answers(), lookups=NoNames(), enterprise={}, params={}, today="2026-06-01", **more
    )


def value(verdict: Evaluation, path: str) -> Any:
    found = verdict.find(path)
    assert found is not None
    return found.value


def lines(*values: dict[str, str | None]) -> list[Row]:
    return [Row(f"r{n}", "items", None, n, dict(v)) for n, v in enumerate(values)]


# -- order ----------------------------------------------------------------------------------------------------------


CHAIN = (
    computed("a", "form.b == null ? null : form.b + 1.0"),
    computed("b", "form.c == null ? null : form.c + 1.0"),
    computed("c", "form.d == null ? null : form.d * 2.0"),
    computed("d", "form.x == null ? null : form.x + 1.0"),
    asked("x"),
    asked("y", visible_if="form.a != null && form.a > 10.0"),
    asked("z", visible_if='form.y == 3.0 && form.b != null'),
)  # fmt: skip


@FEW
@given(order=st.permutations(CHAIN), typed=st.sampled_from([None, "0", "5", "-3"]))
def test_values_that_hang_on_each_other_settle_in_any_order(order: list[Spec], typed: str | None) -> None:
    verdict = judge(form(page(*order)), Answers({"x": typed, "y": "3"}))
    expected = None if typed is None else Decimal((int(typed) + 1) * 2 + 2)
    assert value(verdict, "a") == expected
    shown = expected is not None and expected > 10
    assert [verdict.find(key).visible for key in ("y", "z")] == [shown, shown]


@FEW
@given(data=st.data(), count=st.integers(2, 7))
def test_any_order_gives_what_a_naive_fixpoint_gives(data: st.DataObject, count: int) -> None:
    """Each value reads up to two typed or computed ones of lower number; the naive judge repeats until nothing moves."""
    reads = [data.draw(st.lists(st.integers(0, n), max_size=2), label=f"v{n + 1} reads") for n in range(count)]
    specs = [asked("v0", "decimal")] + [
        computed(f"v{n}", " + ".join([f"{n}.0", *(f"(form.v{m} == null ? 100.0 : form.v{m})" for m in read)]))
        for n, read in enumerate(reads, 1)
    ]
    known: dict[int, Decimal | None] = dict.fromkeys(range(count + 1))
    known[0] = Decimal(4)
    for _ in range(count + 1):
        for n, read in enumerate(reads, 1):
            inputs = [known[m] for m in read]
            known[n] = Decimal(n) + sum((Decimal(100) if i is None else i for i in inputs), Decimal(0))
    verdict = judge(form(page(*data.draw(st.permutations(specs)))), Answers({"v0": "4"}))
    assert {n: value(verdict, f"v{n}") for n in known} == known


ACROSS = (
    page(computed("twice", "form.total * 2.0"), key="first"),
    page(computed("total", "sum(form.items.map(i, i.amount))"), key="second"),
    page(
        tables=[
            items(
                asked("why", "string", visible_if="form.twice > 40.0", required_if="row.amount > 10.0"),
                computed("share", "form.twice == 0.0 ? null : row.amount / form.twice"),
                computed("amount", "row.count == null ? null : row.count * row.price"),
                computed("price", "row.count == null ? null : row.count + 1.0"),
                asked("count"),
            )
        ],
        key="third",
    ),
)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)], ids=str)
@pytest.mark.parametrize("backwards", [False, True])
def test_a_row_feeds_a_total_that_feeds_the_rows(order: tuple[int, ...], backwards: bool) -> None:
    sections = [dict(ACROSS[n]) for n in order]
    if backwards:
        for section in sections:
            section["tables"] = [{**t, "columns": t["columns"][::-1]} for t in section["tables"]]
    verdict = judge(form(*sections), Answers({}, lines({"count": "2"}, {"count": "4"})))
    assert value(verdict, "total") == Decimal("26.00"), "2 × 3 and 4 × 5"
    assert value(verdict, "twice") == Decimal("52.00")
    assert value(verdict, "items/r1/share") == Decimal("0.38")
    why = [verdict.find(f"items/r{n}/why") for n in (0, 1)]
    assert [(state.visible, state.required) for state in why] == [(True, False), (True, True)]


def test_a_hidden_table_counts_nothing_wherever_the_total_stands() -> None:
    table = items(asked("count"), visible_if='form.has == "yes"')
    total = computed("total", "sum(form.items.map(i, i.count))")
    has = asked("has", "boolean", visible_if="form.x == 1.0")
    for fields in ((total, has, asked("x")), (asked("x"), has, total)):
        definition = form(page(*fields, tables=[table]))
        for x, expected in (("1", "7.00"), ("2", "0.00")):
            verdict = judge(definition, Answers({"x": x, "has": "yes"}, lines({"count": "7"})))
            assert value(verdict, "total") == Decimal(expected)
            assert verdict.section("main").tables[0].visible is (x == "1")
            assert verdict.section("main").tables[0].rows[0].fields["count"].visible is (x == "1")


def test_a_hidden_page_takes_its_questions_along_and_gives_them_back() -> None:
    definition = form(
        page(computed("seen", 'form.inside == null ? "no" : "yes"', "boolean"), key="first"),
        page(asked("inside"), asked("own", visible_if="form.inside == 1.0"), key="second", visible_if="form.x == 1.0"),
        page(asked("x"), key="third"),
    )
    for x, shown in (("1", True), ("2", False), (None, False)):
        verdict = judge(definition, Answers({"x": x, "inside": "1"}))
        assert value(verdict, "seen") == ("yes" if shown else "no")
        states = [f for f in verdict.section("second").fields]
        assert [state.visible for state in states] == [shown, shown]


def test_nested_rows_feed_the_row_they_stand_in() -> None:
    parts = {"key": "parts", "label": "零件", "row_label": "零件",
             "columns": [computed("cost", "row.n == null ? null : row.n * 3.0"), asked("n")]}  # fmt: skip
    table = items(
        computed("double", "row.cost * 2.0"), computed("cost", "sum(row.parts.map(p, p.cost))"), tables=[parts]
    )
    rows = [*lines({}), Row("p1", "parts", "r0", 0, {"n": "1"}), Row("p2", "parts", "r0", 1, {"n": "2"})]
    verdict = judge(form(page(computed("all", "sum(form.items.map(i, i.double))"), tables=[table])), Answers({}, rows))
    assert value(verdict, "items/r0/cost") == Decimal("9.00")
    assert value(verdict, "all") == Decimal("18.00")


def test_visibility_in_a_circle_ends_and_does_not_depend_on_the_order() -> None:
    ring = [
        asked("p", visible_if="form.q != 1.0"),
        asked("q", visible_if="form.p != 1.0"),
        asked("r", visible_if="form.r == null"),
        asked("plain"),
    ]
    seen = set()
    for order in (ring, ring[::-1]):
        verdict = judge(form(page(*order)), Answers(dict.fromkeys("pqr", "1")))
        seen.add(tuple(verdict.find(key).visible for key in "pqr"))
    assert len(seen) == 1
    assert seen.pop()[:2] in {(True, False), (False, True)}, "exactly one of two that exclude each other"


# -- what cannot be found -------------------------------------------------------------------------------------------


BROKEN = [
    "1.0 / form.x",
    "form.x / form.x",
    "1 / 0",
    "1e300 * 1e300",
    "1e30",
    "-1e16",
    '["文"]',
    '{"a": 1.0}',
    "form.none + 1.0",
]


@pytest.mark.parametrize("source", BROKEN)
@pytest.mark.parametrize("kind", ["decimal", "integer", "string"])
@pytest.mark.parametrize("required", [True, False])
def test_a_value_that_cannot_be_found_is_empty_and_said(source: str, kind: str, required: bool) -> None:
    verdict = judge(form(page(computed("k", source, kind, required=required), asked("x"))), Answers({"x": "0"}))
    state = verdict.find("k")
    sentence = "“题k”算不出来，请核对与它有关的内容，例如作除数的数字不能是 0"
    assert (state.value, state.text, state.error, state.warning) == (None, "", None, sentence)
    assert verdict.problems == [Problem("k", "main", "error" if required else "warn", sentence, "去看")]
    assert len(verdict.blocking) == required
    assert verdict.form["k"] is None
    assert verdict.content()["fields"]["k"] is None


def test_what_hangs_on_it_is_empty_too_and_the_rest_is_not() -> None:
    definition = form(
        page(
            computed("rate", "100.0 / form.x"),
            computed("more", "form.rate == null ? null : form.rate + 1.0"),
            computed("other", "form.x + 1.0"),
            asked("x"),
        )
    )
    verdict = judge(definition, Answers({"x": "0"}))
    assert [value(verdict, k) for k in ("rate", "more", "other")] == [None, None, Decimal("1.00")]
    healed = judge(definition, Answers({"x": "4"}))
    assert [value(healed, k) for k in ("rate", "more")] == [Decimal("25.00"), Decimal("26.00")]
    assert healed.problems == []


def test_in_a_row_the_sentence_names_the_row() -> None:
    definition = form(page(tables=[items(computed("rate", "1.0 / row.n", required=True), asked("n"))]))
    verdict = judge(definition, Answers({}, lines({"n": "1"}, {"n": "0"})))
    assert [(p.path, p.message[:16]) for p in verdict.problems] == [("items/r1/rate", "第 2 个明细的“题rate”算")]
    assert [row.problems for row in verdict.section("main").tables[0].rows] == [0, 1]


def test_a_hidden_value_may_fail_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    """Guarding a division with visible_if is what a careful author does."""
    definition = form(page(computed("quiet", "7.0 / form.x", visible_if="form.x != 0.0", required=True), asked("x")))
    with caplog.at_level(logging.WARNING):
        verdict = judge(definition, Answers({"x": "0"}))
    assert (verdict.problems, verdict.find("quiet").warning, caplog.text) == ([], None, "")


def test_a_suggestion_that_fails_leaves_the_field_to_the_person() -> None:
    field = asked("k", "decimal", prefill="1.0 / form.x", required=True)
    empty = judge(form(page(field, asked("x"))), Answers({"x": "0"}))
    assert [(p.severity, p.message) for p in empty.problems] == [("missing", "“题k”还没填")]
    assert judge(form(page(field, asked("x"))), Answers({"x": "0", "k": "3"})).problems == []


def test_a_read_only_suggestion_that_fails_is_said_like_a_computed_value() -> None:
    field = asked("k", "decimal", prefill="1.0 / form.x", readonly=True, required=True)
    verdict = judge(form(page(field, asked("x"))), Answers({"x": "0"}))
    assert [p.message for p in verdict.blocking] == [verdict.find("k").warning]


def test_nothing_yet_is_not_a_failure() -> None:
    field = computed("k", "form.x == null ? null : 1.0 / form.x")
    verdict = judge(form(page(field, asked("x"))))
    assert (verdict.problems, verdict.find("k").warning) == ([], None)


def test_a_figure_too_large_for_its_field_still_says_so() -> None:
    field = computed("k", "form.x * 100000000000000.0", decimals=6)
    verdict = judge(form(page(field, asked("x"))), Answers({"x": "99"}))
    assert "数字太大" in verdict.find("k").error


def test_what_was_submitted_is_not_computed_again() -> None:
    definition = form(page(computed("k", "1.0 / form.x"), asked("x")))
    content = judge(definition, Answers({"x": "0"})).content()
    frozen = judge(definition, from_content(definition, content), frozen=True)
    assert (frozen.find("k").warning, frozen.problems) == (None, [])


def test_the_operator_reads_definition_place_and_expression_once(caplog: pytest.LogCaptureFixture) -> None:
    definition = form(page(tables=[items(computed("rate", "17.25 / row.n"), asked("n"))]), key="told_once")
    with caplog.at_level(logging.WARNING, logger="app.definitions.scope"):
        for _ in range(3):
            judge(definition, Answers({}, lines({"n": "0"}, {"n": "0"})))
    assert [r.getMessage() for r in caplog.records] == [
        "definition told_once: expression at 'items/rate' cannot be decided for some answers: 17.25 / row.n"
    ]


# -- never hidden ---------------------------------------------------------------------------------------------------


FAILS = "form.x > 1.0"
"""Cannot be decided while x is not answered."""


def test_nothing_is_hidden_because_its_expression_fails() -> None:
    definition = form(
        page(asked("x"), asked("k", visible_if=FAILS)),
        page(asked("inside"), key="second", visible_if=FAILS),
        page(tables=[items(asked("n", visible_if="row.m > 1.0"), asked("m"), visible_if=FAILS)], key="third"),
    )
    rows = lines({"n": "5"})
    verdict = judge(definition, Answers({"k": "3", "inside": "4"}, rows))
    assert {f.path for f in verdict.all_fields() if f.visible} == {"x", "k", "inside", "items/r0/n", "items/r0/m"}
    content = verdict.content()
    assert (content["fields"]["k"], content["tables"]["items"][0]["values"]["n"]) == (3, 5)
    decided = judge(definition, Answers({"x": "0", "k": "3", "inside": "4"}, rows))
    assert {f.path for f in decided.all_fields() if f.visible} == {"x"}


@pytest.mark.parametrize("required", [True, False])
def test_a_requirement_that_fails_leaves_what_the_question_says(required: bool) -> None:
    definition = form(page(asked("x"), asked("k", required=required, required_if=FAILS)))
    assert judge(definition).find("k").required is required
    assert judge(definition, Answers({"x": "2"})).find("k").required is True
    assert judge(definition, Answers({"x": "1"})).find("k").required is False


def test_a_condition_that_fails_is_undecided_and_blames_nobody() -> None:
    condition = {"key": "big", "text": "要大", "cel": FAILS, "at": "x"}
    verdict = judge(form(page(asked("x")), conditions=[condition]))
    assert [(f.result, f.path) for f in verdict.findings] == [(None, "x")]
    assert verdict.problems == []


def test_an_expected_figure_that_cannot_be_said_is_left_out() -> None:
    condition = {"key": "same", "text": "一致", "cel": "form.x == 1.0", "at": "x", "expected": "1.0 / 0.0",
                 "message": "应为 {expected}，请核对"}  # fmt: skip
    verdict = judge(form(page(asked("x")), conditions=[condition]), Answers({"x": "2"}))
    assert verdict.find("x").error == "应为 ，请核对"
