"""Expert scores as an algebra: how totals come to one figure, and that every sheet is read exactly or refused."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.definitions.schema import Criterion
from app.models import Assignment
from app.models.base import now
from app.services.expert import MAX_REASON, TRIMMED_FROM, VERDICTS, Result, Sheet, average_of, read_sheet

FEW = settings(max_examples=60, deadline=None, derandomize=True)
TENTHS = st.integers(0, 1000).map(lambda n: Decimal(n) / 10)
TOTALS = st.lists(TENTHS, min_size=1, max_size=12)
CENT = Decimal("0.01")


def naive(totals: list[Decimal]) -> Decimal:
    """By hand, in fractions of a cent: drop one highest and one lowest from five on, then round half up."""
    counted = sorted(totals)
    if len(counted) >= TRIMMED_FROM:
        counted = counted[1:-1]
    hundredths = sum(int(t * 100) for t in counted)
    whole, rest = divmod(hundredths, len(counted))
    return Decimal(whole + (rest * 2 >= len(counted))) / 100


@FEW
@given(TOTALS)
def test_average_by_hand(totals: list[Decimal]) -> None:
    assert average_of(totals) == naive(totals)


@FEW
@given(TOTALS, st.randoms(use_true_random=False))
def test_the_order_of_handing_in_does_not_count(totals: list[Decimal], rng: object) -> None:
    mixed = list(totals)
    rng.shuffle(mixed)  # type: ignore[attr-defined]
    assert average_of(mixed) == average_of(totals)


@FEW
@given(TOTALS)
def test_average_lies_between_lowest_and_highest(totals: list[Decimal]) -> None:
    average = average_of(totals)
    assert average is not None
    assert min(totals) <= average <= max(totals)
    assert average == average.quantize(CENT)


@FEW
@given(st.lists(TENTHS, min_size=TRIMMED_FROM, max_size=9), TENTHS)
def test_one_expert_alone_cannot_move_a_large_panel_beyond_the_others(totals: list[Decimal], odd: Decimal) -> None:
    counted = sorted(totals)
    average = average_of([*totals, odd])
    assert average is not None and counted[0] - CENT < average < counted[-1] + CENT


@FEW
@given(TENTHS, st.integers(1, 9))
def test_experts_who_agree_are_taken_at_their_word(total: Decimal, count: int) -> None:
    assert average_of([total] * count) == total


def assignments(*totals: str | None) -> list[Assignment]:
    return [Assignment(done_at=now() if t else None, total=Decimal(t) if t else None) for t in totals]


def test_who_has_handed_in_is_counted() -> None:
    assert Result(assignments("80", None, "90"), {}, None, False).done == 2
    assert Result(assignments(), {}, None, False).done == 0


RUBRIC = [Criterion(key="basis", label="基础条件", points=40), Criterion(key="effect", label="预期成效", points=60)]


def read(points: str, reason: str = "") -> tuple[list[dict[str, object]], dict[str, str]]:
    return read_sheet(RUBRIC, Sheet({"basis": points, "effect": "60"}, {"basis": reason}, "agree", "可行"))


@FEW
@given(st.integers(0, 400))
def test_every_tenth_within_the_maximum_is_kept_exactly(tenths: int) -> None:
    typed = f"{tenths // 10}.{tenths % 10}"
    lines, errors = read(typed)
    assert not errors
    assert lines[0]["points"] == Decimal(typed)
    assert str(lines[0]["points"]) == typed


@FEW
@given(st.text(max_size=12))
def test_any_text_is_a_number_in_range_or_refused_in_words(typed: str) -> None:
    lines, errors = read(typed)
    points = lines[0]["points"]
    if points is None:
        assert "0 到 40" in errors["points.basis"] or "一位小数" in errors["points.basis"]
    else:
        assert isinstance(points, Decimal) and 0 <= points <= 40 and not errors


@pytest.mark.parametrize(
    ("typed", "points"),
    [
        ("0", "0.0"), ("40", "40.0"), (" 35 ", "35.0"), ("３５", "35.0"), ("35.0", "35.0"), ("35.50", "35.5"), ("-0", "0.0"),
        (".5", "0.5"),
    ],
)  # fmt: skip
def test_usual_spellings_of_points(typed: str, points: str) -> None:
    lines, errors = read(typed)
    assert not errors and str(lines[0]["points"]) == points


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("40.1", "请填 0 到 40 之间的分数；现在填的是 40.1。"),
        ("1_0", "请填数字，0 到 40 分；现在填的是“1_0”。"),
        ("3,5", "请填数字，0 到 40 分；现在填的是“3,5”。"),
        ("35分", "请填数字，0 到 40 分；现在填的是“35分”。"),
        ("", "请打分，0 到 40 分。"),
        ("   ", "请打分，0 到 40 分。"),
        ("0.05", "最多一位小数；现在填的是 0.05。"),
        ("9" * 400, f"请填 0 到 40 之间的分数；现在填的是 {'9' * 20}。"),
    ],
    ids=["over", "grouped", "comma", "unit", "empty", "blank", "fine", "endless"],
)
def test_refused_points_say_what_was_typed(typed: str, words: str) -> None:
    _lines, errors = read(typed)
    assert errors == {"points.basis": words}


def test_reasons_at_the_limit() -> None:
    lines, errors = read("1", "据" * MAX_REASON)
    assert not errors and lines[0]["reason"] == "据" * MAX_REASON
    _lines, errors = read("1", "据" * (MAX_REASON + 1))
    assert errors == {"reason.basis": "理由最多 300 个字，现在是 301 个，请精简。"}


def test_a_blank_reason_is_none() -> None:
    assert read("1", " \n ")[0][0]["reason"] is None
    assert read("1", "第一行\n第二行")[0][0]["reason"] == "第一行 第二行"


@pytest.mark.parametrize("verdict", [*VERDICTS, "", "AGREE", "同意", "agree "])
def test_a_verdict_is_one_of_two(verdict: str) -> None:
    _lines, errors = read_sheet(RUBRIC, Sheet({"basis": "1", "effect": "1"}, {}, verdict, ""))
    assert errors == ({} if verdict in VERDICTS else {"verdict": "请选同意或不同意。"})


def test_lines_keep_the_rubric_of_the_moment() -> None:
    lines, _errors = read("12")
    assert [(x["criterion"], x["label"], x["maximum"]) for x in lines] == [
        ("basis", "基础条件", 40),
        ("effect", "预期成效", 60),
    ]
    assert read_sheet([], Sheet({"basis": "1"}, {}, "agree", "")) == ([], {})
