"""The judge against a naive one written for this test, on random small forms; and laws that hold for any answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.definitions.answers import Answers, Row, from_content
from app.definitions.evaluation import Evaluation, evaluate
from app.definitions.schema import Definition
from app.fields.sqltypes import canonical_json

TYPED = (None, "", "0", "1", "2", "12", "x", " 1 ", "-3")
FEW = settings(max_examples=25, deadline=None, derandomize=True)


class NoNames:
    """No lists of codes are needed here."""

    def region(self, code: str) -> str | None:
        return None

    def industry(self, code: str) -> str | None:
        return None


@dataclass(frozen=True)
class Question:
    """A whole number that may hang on an earlier one being 1."""

    number: int
    typed: str | None
    required: bool
    shown_by: int | None
    required_by: int | None

    @property
    def key(self) -> str:
        return f"q{self.number}"

    def spec(self) -> dict[str, Any]:
        spec: dict[str, Any] = {
            "key": self.key,
            "label": f"第{self.number}题",
            "type": "integer",
            "required": self.required,
        }
        if self.shown_by is not None:
            spec["visible_if"] = f"form.q{self.shown_by} == 1.0"
        if self.required_by is not None:
            spec["required_if"] = f"form.q{self.required_by} != null"
        return spec


@dataclass(frozen=True)
class Line:
    """A row of the table: two typed figures."""

    count: str | None
    price: str | None


@dataclass(frozen=True)
class Case:
    """A form with its answers."""

    questions: tuple[Question, ...]
    lines: tuple[Line, ...]
    least: int
    most: int

    def definition(self) -> Definition:
        amount = "row.count == null || row.price == null ? null : row.count * row.price"
        columns = [
            {"key": "count", "label": "数量", "type": "integer"},
            {"key": "price", "label": "单价", "type": "integer", "required": False},
            {"key": "amount", "label": "金额", "type": "decimal", "required": False, "computed": amount},
        ]
        table = {
            "key": "items", "label": "明细", "row_label": "明细", "min_rows": self.least, "max_rows": self.most,
            "columns": columns,
        }  # fmt: skip
        total = {"key": "total", "label": "合计", "type": "decimal", "computed": "sum(form.items.map(i, i.amount))"}
        sections = [
            {"key": "main", "label": "主要", "fields": [q.spec() for q in self.questions]},
            {"key": "lines", "label": "明细", "tables": [table], "fields": [total]},
        ]
        return Definition.model_validate(
            {
                "key": "law", "version": 1, "title": "律", "short_code": "LL", "kind": "declaration",
                "jurisdiction": "230100", "sections": sections,
            }
        )  # fmt: skip

    def answers(self) -> Answers:
        rows = [
            Row(f"r{n}", "items", None, n, {"count": line.count, "price": line.price})
            for n, line in enumerate(self.lines)
        ]
        return Answers({q.key: q.typed for q in self.questions if q.typed is not None}, rows)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Up to six questions, up to four rows."""
    questions = []
    for number in range(draw(st.integers(1, 6))):
        earlier = st.none() | st.integers(0, number - 1) if number else st.none()
        questions.append(
            Question(number, draw(st.sampled_from(TYPED)), draw(st.booleans()), draw(earlier), draw(earlier))
        )
    line = st.builds(Line, st.sampled_from(TYPED), st.sampled_from(TYPED))
    least = draw(st.integers(0, 2))
    lines = draw(st.lists(line, max_size=4))
    return Case(tuple(questions), tuple(lines), least, least + draw(st.integers(1, 2)))


def judge(case: Case, answers: Answers | None = None, **more: Any) -> Evaluation:
    return evaluate(
        case.definition(), case.answers() if answers is None else answers,
        lookups=NoNames(), enterprise={}, params={}, today="2026-06-01", **more,
    )  # fmt: skip


def number(typed: str | None) -> int | str | None:
    """What a person means by ``typed``; the text itself if it is no whole number."""
    text = (typed or "").strip()
    if not text:
        return None
    return int(text) if text.lstrip("-").isdigit() else text


def shown_values(questions: Sequence[Question]) -> dict[str, int | str | None]:
    """The naive judge: shown questions with what was typed, in order."""
    shown: dict[str, int | str | None] = {}
    for question in questions:
        if question.shown_by is None or shown.get(f"q{question.shown_by}") == 1:
            shown[question.key] = number(question.typed)
    return shown


def is_wanted(question: Question, shown: dict[str, int | str | None]) -> bool:
    if question.required_by is None:
        return question.required
    return isinstance(shown.get(f"q{question.required_by}"), int)


def product(line: Line) -> int | None:
    count, price = number(line.count), number(line.price)
    return count * price if isinstance(count, int) and isinstance(price, int) else None


@FEW
@given(case=cases())
def test_shown_questions_are_those_of_the_naive_judge(case: Case) -> None:
    verdict, shown = judge(case), shown_values(case.questions)
    assert {f.spec.key for f in verdict.section("main").fields if f.visible} == set(shown)
    for key, value in shown.items():
        assert verdict.find(key).value == (value if isinstance(value, int) else None)
        assert bool(verdict.find(key).error) == isinstance(value, str)


@FEW
@given(case=cases())
def test_problems_are_those_of_the_naive_judge(case: Case) -> None:
    shown = shown_values(case.questions)
    wanted = {q.key for q in case.questions if q.key in shown and shown[q.key] is None and is_wanted(q, shown)}
    wrong = {key for key, value in shown.items() if isinstance(value, str)}
    for n, line in enumerate(case.lines):
        wanted |= {f"items/r{n}/count"} if number(line.count) is None else set()
        wrong |= {f"items/r{n}/{k}" for k in ("count", "price") if isinstance(number(getattr(line, k)), str)}
    if not case.least <= len(case.lines) <= case.most:
        wrong.add("items")
    verdict = judge(case)
    assert {p.path for p in verdict.problems if p.severity == "missing"} == wanted
    assert {p.path for p in verdict.problems if p.severity == "error"} == wrong
    assert len(verdict.blocking) == len(wanted) + len(wrong), "each problem is told once"


@FEW
@given(case=cases())
def test_products_and_totals_are_exact(case: Case) -> None:
    verdict, products = judge(case), [product(line) for line in case.lines]
    rows = verdict.section("lines").tables[0].rows
    assert [row.fields["amount"].value for row in rows] == products
    assert verdict.find("total").value == Decimal(sum(p for p in products if p is not None))


@FEW
@given(case=cases())
def test_the_record_holds_what_is_shown_and_nothing_else(case: Case) -> None:
    content, shown = judge(case).content(), shown_values(case.questions)
    assert {k: v for k, v in content["fields"].items() if k != "total"} == {
        key: value if isinstance(value, int) else None for key, value in shown.items()
    }
    assert [row["id"] for row in content["tables"]["items"]] == [f"r{n}" for n in range(len(case.lines))]
    assert json.loads(canonical_json(content)) == content


@FEW
@given(case=cases())
def test_a_record_read_again_is_the_same_record(case: Case) -> None:
    content = judge(case).content()
    frozen = judge(case, from_content(case.definition(), content), frozen=True)
    assert canonical_json(frozen.content()) == canonical_json(content)


@FEW
@given(case=cases(), noise=st.sampled_from(TYPED[1:]))
def test_hidden_answers_never_reach_the_record(case: Case, noise: str) -> None:
    shown, answers = shown_values(case.questions), case.answers()
    before = judge(case)
    answers.main |= {q.key: noise for q in case.questions if q.key not in shown}
    answers.main |= {"no_question": noise, "items": noise}
    after = judge(case, answers)
    assert after.content() == before.content()
    assert [(p.path, p.message) for p in after.problems] == [(p.path, p.message) for p in before.problems]


@FEW
@given(case=cases(), seed=st.randoms(use_true_random=False))
def test_the_order_of_answering_does_not_matter(case: Case, seed: Any) -> None:
    answers = case.answers()
    names = list(answers.main)
    seed.shuffle(names)
    seed.shuffle(answers.rows)
    turned = Answers({name: answers.main[name] for name in names}, answers.rows)
    assert judge(case, turned).content() == judge(case).content()


@FEW
@given(case=cases())
def test_every_problem_leads_to_a_place_that_exists(case: Case) -> None:
    verdict = judge(case)
    places = {f.path for f in verdict.all_fields()} | {"items"}
    sections = {s.key for s in verdict.definition.sections}
    for problem in verdict.problems:
        assert problem.path in places and problem.section in sections
        assert problem.message and problem.verb in {"去填", "去改"}
    assert sum(len(verdict.of(key)) for key in sections) == len(verdict.problems)


@FEW
@given(case=cases())
def test_room_for_rows_is_never_negative(case: Case) -> None:
    table = judge(case).section("lines").tables[0]
    assert table.room == max(0, case.most - len(case.lines))
    assert [row.number for row in table.rows] == list(range(1, len(case.lines) + 1))
    assert [row.title for row in table.rows] == [f"明细 {n}" for n in range(1, len(case.lines) + 1)]


@FEW
@given(case=cases())
def test_a_rows_own_count_of_problems_agrees_with_the_list(case: Case) -> None:
    verdict = judge(case)
    for row in verdict.section("lines").tables[0].rows:
        assert row.problems == sum(p.path.startswith(f"{row.path}/") for p in verdict.problems)


@pytest.mark.parametrize("typed", TYPED, ids=repr)
def test_what_was_typed_stays_as_it_was_typed(typed: str | None) -> None:
    case = Case((Question(0, typed, True, None, None),), (), 0, 1)
    state = judge(case).find("q0")
    assert state.raw == typed
    value = number(typed)
    assert state.text == ("" if value is None else str(value))
