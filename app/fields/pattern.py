"""Sample texts for the short patterns of definitions (``\\d{6}``, ``[A-Z]{2}\\d+``).

Only literals, ``\\d``, classes and counts are understood: enough for codes, simple enough to explain, and free of
the nested repeats that make a regular expression hang.
"""

from __future__ import annotations

import random
import re
import string
from typing import NamedTuple

from app.fields.raw import half_width

_PART = re.compile(r"(\\d|\[(?:[^\]\\^]|\\[\\\]d-])+\]|\\[^\w\s]|[^\\\[\](){}*+?.|^$])(\{\d+(?:,\d+)?\}|[?*+])?")
_OPEN_END = 4
"""How many more than the least a ``+`` or ``*`` gives."""


class _Piece(NamedTuple):
    chars: str
    least: int
    most: int


def _class_chars(text: str) -> str:
    body = text[1:-1].replace("\\d", string.digits)
    body = re.sub(r"([^\\])-([^\\])", _expand, body)
    return re.sub(r"\\(.)", r"\1", body)


def _expand(match: re.Match[str]) -> str:
    return "".join(map(chr, range(ord(match[1]), ord(match[2]) + 1)))


def _pieces(expression: str) -> list[_Piece] | None:
    """The parts of ``expression``, None if it goes beyond what this module understands."""
    body = expression.removeprefix("^").removesuffix("$")
    pieces, position = [], 0
    while position < len(body):
        match = _PART.match(body, position)
        if match is None:
            return None
        atom, count = match[1], match[2]
        chars = string.digits if atom == "\\d" else _class_chars(atom) if atom[0] == "[" else atom[-1]
        pieces.append(_Piece(chars, *_counts(count)))
        position = match.end()
    return pieces


def _counts(count: str | None) -> tuple[int, int]:
    if count is None:
        return 1, 1
    if count in "?*+":
        least = 1 if count == "+" else 0
        return least, 1 if count == "?" else least + _OPEN_END
    low, _comma, high = count[1:-1].partition(",")
    return int(low), int(high or low)


def sample(expression: str, rng: random.Random) -> str:
    """A text that fits ``expression``; ValueError if it is not one of the simple ones."""
    pieces = _pieces(expression)
    if pieces is None:
        raise ValueError(f"pattern {expression!r} is not simple")
    return "".join(rng.choice(p.chars) for p in pieces for _place in range(rng.randint(p.least, p.most)))


def problems(expression: str, max_length: int) -> list[str]:
    """Words if ``expression`` is no simple pattern, or if texts of it can be empty or longer than ``max_length``."""
    try:
        re.compile(expression)
    except re.error as error:
        return [f"pattern {expression!r} is no regular expression: {error}"]
    pieces = _pieces(expression)
    if pieces is None or not all(_is_typeable(piece) for piece in pieces):
        return [f"pattern {expression!r} may hold only half-width characters, \\d, classes like [A-Z] and counts"]
    least, most = _lengths(pieces)
    if least == 0:
        return [f"pattern {expression!r} lets an empty text pass; use required: false instead"]
    if most > max_length:
        return [f"pattern {expression!r} asks for more than max_length {max_length}"]
    if not _is_fitted_by_samples(expression):
        return [f"pattern {expression!r} is read differently by its sample maker; write it more simply"]
    return []


def _is_typeable(piece: _Piece) -> bool:
    """Whether the piece has characters that survive the cleaning of typed text."""
    chars = piece.chars
    return bool(chars) and " " not in chars and half_width(chars) == chars and piece.least <= piece.most


def _lengths(pieces: list[_Piece]) -> tuple[int, int]:
    """Length of the shortest and of the longest text."""
    return sum(piece.least for piece in pieces), sum(piece.most for piece in pieces)


def _is_fitted_by_samples(expression: str) -> bool:
    """Whether the regular expression means what the pieces say: texts made of these fit it."""
    return all(re.fullmatch(expression, sample(expression, random.Random(n)), re.ASCII) for n in range(20))
