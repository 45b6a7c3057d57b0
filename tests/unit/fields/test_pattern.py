"""The sample maker of patterns agrees with ``re`` or says that it does not understand."""

from __future__ import annotations

import random
import re

import pytest

from app.fields import pattern

SIMPLE = [
    r"^\d{6}$",
    r"\d{2,4}",
    r"[A-Z]{2}\d+",
    r"ZL\d{12}\.[\dX]",
    r"[A-Za-z0-9-]{3,8}",
    r"[a\-z]{3}",
    r"A?B*C+",
    r"\(\d{4}\)\d+",
    r"哈工信\d{4}",
    r"[甲乙丙]\d",
]


@pytest.mark.parametrize("expression", SIMPLE)
def test_samples_match(expression: str) -> None:
    assert pattern.problems(expression, 60) == []
    for seed in range(100):
        assert re.fullmatch(expression, pattern.sample(expression, random.Random(seed)), re.ASCII)


def test_samples_use_the_whole_range() -> None:
    texts = {pattern.sample(r"[A-C]\d{1,3}", random.Random(seed)) for seed in range(300)}
    assert {text[0] for text in texts} == {"A", "B", "C"}
    assert {len(text) for text in texts} == {2, 3, 4}


@pytest.mark.parametrize(
    "expression",
    [
        r"(a|b)",
        r"(a+)+",
        r"a|b",
        r".{6}",
        r"\w+",
        r"\s",
        r"[^a]",
        r"\bx",
        r"a{3",
        r"a b",
        r"（\d）",
        r"[Ａ-Ｚ]",
        r"a{3,1}",
    ],
)
def test_what_is_not_simple_is_said(expression: str) -> None:
    assert len(pattern.problems(expression, 60)) == 1
    assert repr(expression) in pattern.problems(expression, 60)[0]


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        (r"\d*", "required: false"),
        (r"", "required: false"),
        (r"\d{61}", "asks for more than max_length 60"),
        (r"[z-a]", "is no regular expression"),
        (r"*a", "is no regular expression"),
    ],
)
def test_other_defects(expression: str, words: str) -> None:
    assert words in pattern.problems(expression, 60)[0]


def test_sample_refuses_what_it_does_not_understand() -> None:
    with pytest.raises(ValueError, match="is not simple"):
        pattern.sample(r"(a|b)", random.Random(1))
