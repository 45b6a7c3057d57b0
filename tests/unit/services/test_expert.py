"""Score sheets are read exactly or refused in words; totals are averaged as the rules say."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.definitions.schema import Criterion
from app.services.expert import Sheet, average_of, read_sheet

RUBRIC = [Criterion(key="basis", label="基础条件", points=40), Criterion(key="effect", label="预期成效", points=60)]


def sheet(basis: str = "35", effect: str = "50.5", verdict: str = "agree") -> Sheet:
    return Sheet({"basis": basis, "effect": effect}, {}, verdict, "可行")


def test_a_full_sheet_is_read() -> None:
    lines, errors = read_sheet(RUBRIC, sheet(basis="35", effect="50.5"))
    assert errors == {}
    assert [(x["criterion"], x["points"], x["maximum"]) for x in lines] == [
        ("basis", Decimal("35.0"), 40),
        ("effect", Decimal("50.5"), 60),
    ]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "请打分"),
        ("三十", "请填数字"),
        ("41", "0 到 40 之间"),
        ("-1", "0 到 40 之间"),
        ("NaN", "0 到 40 之间"),
        ("Infinity", "0 到 40 之间"),
        ("1e9", "0 到 40 之间"),
        ("35.55", "一位小数"),
        ("=1+1", "请填数字"),
    ],
)
def test_points_that_do_not_fit_are_named(typed: str, words: str) -> None:
    _, errors = read_sheet(RUBRIC, sheet(basis=typed))
    assert list(errors) == ["points.basis"] and words in errors["points.basis"]


def test_all_mistakes_come_at_once() -> None:
    _, errors = read_sheet(RUBRIC, Sheet({"basis": "", "effect": ""}, {"basis": "长" * 301}, "maybe", ""))
    assert set(errors) == {"points.basis", "reason.basis", "points.effect", "verdict"}


def test_unknown_criteria_are_left_out() -> None:
    typed = Sheet({"basis": "1", "effect": "2", "bonus": "50"}, {}, "agree", "")
    lines, errors = read_sheet(RUBRIC, typed)
    assert len(lines) == 2 and not errors


@pytest.mark.parametrize(
    ("totals", "average"),
    [
        ([], None),
        (["80"], "80.00"),
        (["80", "85", "90"], "85.00"),
        (["70", "80", "90", "95"], "83.75"),
        (["0", "80", "80", "81", "100"], "80.33"),
        (["10", "60", "70", "80", "90", "100"], "75.00"),
    ],
)
def test_average_leaves_out_extremes_from_five_on(totals: list[str], average: str | None) -> None:
    found = average_of([Decimal(t) for t in totals])
    assert found == (None if average is None else Decimal(average))
