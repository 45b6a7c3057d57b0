"""Line breaking for Chinese text: what may not begin or end a line, words and numbers kept whole.

Pure: the caller brings a function that measures a sign. The PDF library's own breaking splits numbers and begins lines
with full-width punctuation.
"""

from __future__ import annotations

from collections.abc import Callable

NO_START = frozenset("，。、；：！？）】》」』”’〉〕〗〙〛］｝．·…—～％‰℃°!%),.:;?]}>々ーゝゞ￠″′")
"""May not begin a line; joined to the sign before."""

NO_END = frozenset("（【《「『“‘〈〔〖〘〚［｛￥＄＃([{<$#¥")
"""May not end a line; joined to the sign after."""

Measure = Callable[[str], float]


def break_lines(text: str, width: float, measure: Measure) -> list[str]:
    """``text`` as lines no wider than ``width``. Line breaks in it are kept; never empty, always ends.

    A single sign wider than ``width`` stands alone on its line.
    """
    lines: list[str] = []
    for part in text.split("\n"):
        lines += _break_part(part, width, measure)
    return lines


def _break_part(text: str, width: float, measure: Measure) -> list[str]:
    lines: list[str] = []
    line, used = "", 0.0
    for unit in _units(text):
        size = sum(map(measure, unit))
        if used + size <= width:
            line, used = line + unit, used + size
            continue
        if not unit.strip():
            continue
        pieces = [unit] if size <= width else _force(unit, width, measure, first=width - used)
        for piece in pieces:
            fresh = sum(map(measure, piece))
            if line and used + fresh > width:
                lines.append(line.rstrip())
                line, used = "", 0.0
            line, used = line + piece, used + fresh
    return [*lines, line.rstrip()]


def _force(unit: str, width: float, measure: Measure, *, first: float) -> list[str]:
    """A unit wider than a whole line, in pieces that fit; the first piece into what is left of the line."""
    pieces, piece, used, room = [], "", 0.0, first
    for sign in unit:
        size = measure(sign)
        if used + size > room and (piece or room < width):
            if piece:
                pieces.append(piece)
            piece, used, room = "", 0.0, width
        piece, used = piece + sign, used + size
    return [*pieces, piece]


def _units(text: str) -> list[str]:
    """What may not be torn: words and numbers, signs with the punctuation that clings to them, runs of blanks."""
    units: list[str] = []
    for sign in text:
        if units and _clings(units[-1], sign):
            units[-1] += sign
        else:
            units.append(sign)
    return units


def _clings(unit: str, sign: str) -> bool:
    last = unit[-1]
    if sign in " \u3000":
        return last in " \u3000"
    if last in " \u3000":
        return False
    return sign in NO_START or last in NO_END or (_is_word(last) and _is_word(sign))


def _is_word(sign: str) -> bool:
    """Part of a Latin word, a number or an address."""
    return "!" <= sign < "\u2000" and sign not in "/\\&|_@?="
