"""Allocated money as people read it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.services.funding_words import money_words


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("0.00", "0.00 元"),
        ("9999.99", "9,999.99 元"),
        ("10000.00", "1 万元（10,000.00 元）"),
        ("1205000.00", "120.5 万元（1,205,000.00 元）"),
        ("1200000.50", "120.00005 万元（1,200,000.50 元）"),
        ("100000000.00", "10,000 万元（100,000,000.00 元）"),
    ],
)
def test_both_units_and_nothing_rounded_away(amount: str, words: str) -> None:
    assert money_words(Decimal(amount)) == words
