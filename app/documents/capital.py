"""Sums of money in capital words (大写), as official letters and bank papers want them."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

DIGITS = "零壹贰叁肆伍陆柒捌玖"
PLACES = ("", "拾", "佰", "仟")
WAN, YI = 10**4, 10**8
LARGEST = Decimal("9999999999999999.99")


def capital_words(amount: Decimal) -> str:
    """``amount`` yuan in words: 1205000.50 → 壹佰贰拾万伍仟元伍角整. ValueError below 0 or above ``LARGEST``."""
    exact = amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
    if not 0 <= exact <= LARGEST:
        raise ValueError(f"no words for {amount}")
    yuan, cents = divmod(int(exact * 100), 100)
    jiao, fen = divmod(cents, 10)
    if not yuan and not cents:
        return "零元整"
    whole = f"{_whole(yuan)}元" if yuan else ""
    return whole + _cents(jiao, fen, gap=bool(yuan))


def _cents(jiao: int, fen: int, *, gap: bool) -> str:
    """角 and 分; 整 where no 分 follows. ``gap``: yuan stand before, so that a missing 角 is said as 零."""
    if not fen:
        return f"{DIGITS[jiao]}角整" if jiao else "整"
    tens = f"{DIGITS[jiao]}角" if jiao else ("零" if gap else "")
    return f"{tens}{DIGITS[fen]}分"


def _whole(number: int) -> str:
    """A number above 0, in groups of four digits."""
    for unit, word in ((YI, "亿"), (WAN, "万")):
        if number >= unit:
            high, low = divmod(number, unit)
            zero = "零" if 0 < low < unit // 10 else ""
            return f"{_whole(high)}{word}{zero}{_whole(low) if low else ''}"
    return _group(number)


def _group(number: int) -> str:
    """A number from 1 to 9999."""
    words, gap = "", False
    for place in (3, 2, 1, 0):
        digit = number // 10**place % 10
        if digit:
            words += ("零" if gap and words else "") + DIGITS[digit] + PLACES[place]
        gap = not digit
    return words
