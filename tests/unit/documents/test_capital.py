"""Money in capital words."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents.capital import DIGITS, LARGEST, capital_words

VALUES = {"仟": 1000, "佰": 100, "拾": 10}


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("0", "零元整"),
        ("0.01", "壹分"),
        ("0.50", "伍角整"),
        ("0.55", "伍角伍分"),
        ("1", "壹元整"),
        ("1.05", "壹元零伍分"),
        ("1.50", "壹元伍角整"),
        ("10", "壹拾元整"),
        ("101", "壹佰零壹元整"),
        ("1010", "壹仟零壹拾元整"),
        ("1001.10", "壹仟零壹元壹角整"),
        ("10000", "壹万元整"),
        ("10001", "壹万零壹元整"),
        ("100500", "壹拾万零伍佰元整"),
        ("1205000.50", "壹佰贰拾万伍仟元伍角整"),
        ("100010000", "壹亿零壹万元整"),
        ("1000000000000", "壹万亿元整"),
    ],
)
def test_words_of_sums(amount: str, words: str) -> None:
    assert capital_words(Decimal(amount)) == words


def test_half_a_cent_is_rounded_up_as_banks_do() -> None:
    assert capital_words(Decimal("0.005")) == "壹分"


@pytest.mark.parametrize("amount", ["-0.01", "10000000000000000"])
def test_nothing_below_zero_or_beyond_the_column(amount: str) -> None:
    with pytest.raises(ValueError, match="no words"):
        capital_words(Decimal(amount))


def read_group(words: str) -> int:
    """The number of a group of four digits."""
    total, digit = 0, 0
    for sign in words:
        if sign in DIGITS:
            digit = DIGITS.index(sign)
        else:
            total, digit = total + digit * VALUES[sign], 0
    return total + digit


def read_whole(words: str) -> int:
    """The number that words stand for: the way back, written independently."""
    for unit, value in (("亿", 10**8), ("万", 10**4)):
        if unit in words:
            high, _unit, low = words.rpartition(unit) if unit == "亿" else words.partition(unit)
            return read_whole(high) * value + (read_whole(low) if low else 0)
    return read_group(words)


@given(st.integers(0, int(LARGEST * 100)))
def test_words_can_be_read_back(cents: int) -> None:
    amount = Decimal(cents) / 100
    words = capital_words(amount)
    whole, _yuan, rest = words.partition("元") if "元" in words else ("", "", words)
    jiao = DIGITS.index(rest[rest.index("角") - 1]) if "角" in rest else 0
    fen = DIGITS.index(rest[rest.index("分") - 1]) if "分" in rest else 0
    assert read_whole(whole) * 100 + jiao * 10 + fen == cents
    assert "零零" not in words and not words.startswith("元")
    assert words.endswith(("整", "分"))
