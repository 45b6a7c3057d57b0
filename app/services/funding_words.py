"""Allocated money as people read it."""

from __future__ import annotations

from decimal import Decimal

TEN_THOUSAND = Decimal(10000)


def money_words(amount: Decimal) -> str:
    """``120.5 万元（1,205,000.00 元）``; below ten thousand only yuan. Nothing is rounded away."""
    yuan = f"{amount:,.2f} 元"
    if amount < TEN_THOUSAND:
        return yuan
    return f"{_short(amount / TEN_THOUSAND)} 万元（{yuan}）"


def _short(number: Decimal) -> str:
    """``1,205`` and ``120.5``: no zeros at the end of the decimals."""
    text = f"{number:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
