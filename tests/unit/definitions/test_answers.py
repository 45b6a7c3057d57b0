"""Working answers as a value, and the way back from a record to them."""

from __future__ import annotations

import random

from app.definitions import registry
from app.definitions.answers import Answers, Row, from_content, row_path
from app.definitions.evaluation import evaluate
from app.services.samples import FACTS, FileLookups, sample_answers
from tests.factories_everything import everything


def test_rows_in_order_below_their_parent() -> None:
    answers = Answers(rows=[
        Row("b", "t", None, 2), Row("a", "t", None, 1), Row("n2", "c", "a", 5), Row("n1", "c", "a", 3), Row("m", "c", "b", 0),
    ])  # fmt: skip
    assert [r.id for r in answers.children("t")] == ["a", "b"]
    assert [r.id for r in answers.children("c", "a")] == ["n1", "n2"]
    assert answers.children("c") == []
    assert answers.children("nothing") == []


def test_paths_of_rows() -> None:
    assert row_path("t", "1") == "t/1"
    assert row_path("c", "2", ("t", "1")) == "t/1/c/2"


def test_a_record_can_be_read_as_if_it_had_been_typed() -> None:
    definition, params = everything(), registry.parameters_of(everything())
    names = FileLookups()
    for seed in range(5):
        typed = sample_answers(definition, params, random.Random(seed), lookups=names)
        known = {"lookups": names, "enterprise": FACTS, "params": params, "today": "2026-06-12"}
        first = evaluate(definition, typed, **known)
        content = first.content()
        back = from_content(definition, content)
        assert evaluate(definition, back, **known, frozen=True).content() == content
        assert [(r.id, r.parent) for r in back.rows if r.table == "members"] == [
            (r.id, r.parent) for r in typed.rows if r.table == "members"
        ]
        assert all(isinstance(v, (str, list, type(None))) for v in back.main.values())
