"""Pieces of the PDF: a text block with our own line breaking, and ruled tables made of such blocks.

Text is drawn as it is, never parsed as markup. A row taller than most of a page is cut into several physical rows
without a rule between them, so that no content can exceed a page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from reportlab.lib.colors import Color, HexColor, black
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import Flowable, Table

from app.documents import layout
from app.documents.breaking import break_lines
from app.documents.fonts import drawable
from app.documents.tree import Align

PADDING_SIDE, PADDING_TOP = 1.5 * mm, 2.5
CHUNK_LINES = 8
HEAD_LINES = 12
"""A repeated table head may take no more lines, or nothing else would fit on the page."""


@lru_cache(maxsize=65536)
def _em(sign: str, font: str) -> float:
    """Width of a sign at one point."""
    return float(stringWidth(sign, font, 1))


@dataclass(frozen=True)
class Style:
    """How a block is set. Sizes in points; ``indent`` is the first line's, in signs."""

    font: str
    size: float
    leading: float
    align: Align = "left"
    indent: int = 0
    before: float = 0
    after: float = 0
    heavy: bool = False
    colour: Color = black


class TextBlock(Flowable):
    """Lines of text that know how to break, align and split between lines."""

    def __init__(self, text: str, style: Style, *, lines: Sequence[str] | None = None) -> None:
        super().__init__()
        self.text = text
        self.style = style
        self.lines = lines
        self.fixed = lines is not None

    def getSpaceBefore(self) -> float:
        """Points kept free above; the library asks by this name."""
        return self.style.before

    def getSpaceAfter(self) -> float:
        """Points kept free below."""
        return self.style.after

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """Break into lines for ``width`` points; returns the size taken."""
        self.width = width
        if not self.fixed:
            self.lines = lines_of(self.text, self.style, width)
        self.height = self.height_of_lines()
        return width, self.height

    def height_of_lines(self) -> float:
        """Points that the broken lines take."""
        return len(self.lines or ()) * self.style.leading

    def split(self, width: float, height: float) -> list[Flowable]:
        """Two blocks, cut between lines; none if not one line fits."""
        self.wrap(width, height)
        lines = self.lines or ()
        count = int(height / self.style.leading + 0.001)
        if count >= len(lines):
            return [self]
        if count < 1:
            return []
        return [TextBlock("", self.style, lines=lines[:count]), TextBlock("", self.style, lines=lines[count:])]

    def draw(self) -> None:
        """Draw at the origin that the library has set."""
        style = self.style
        y = self.height - (style.leading + style.size) / 2 + style.size * 0.12
        text = self.canv.beginText()
        text.setFont(style.font, style.size)
        text.setFillColor(style.colour)
        if style.heavy:
            # The free serif face has no heavy cut: a thin outline makes the title as dark as 小标宋.
            self.canv.setLineWidth(style.size / 45)
            text.setTextRenderMode(2)
        for line in self.lines or ():
            slack = self.width - sum(_em(sign, style.font) for sign in line) * style.size
            shift = {"left": 0.0, "right": slack, "center": slack / 2}[style.align]
            text.setTextOrigin(shift, y)
            text.textOut(line)
            y -= style.leading
        if style.heavy:
            text.setTextRenderMode(0)
        self.canv.drawText(text)


def lines_of(text: str, style: Style, width: float) -> list[str]:
    """``text`` broken for ``width`` points; each paragraph indented as the style says."""
    if style.indent:
        text = "\n".join("\u3000" * style.indent + line for line in text.split("\n"))
    text = drawable(text.replace("\t", " "), style.font)
    return break_lines(text, width / style.size, lambda sign: _em(sign, style.font))


def one_line(text: str, style: Style, width: float) -> str:
    """``text`` cut to ``width`` points, with an ellipsis if something is lost."""
    lines = lines_of(text.replace("\n", " "), style, width - style.size)
    return lines[0] if len(lines) == 1 else f"{lines[0]}…"


@dataclass(frozen=True)
class Cell:
    """A table cell: text and style; ``fill`` grey; ``span`` columns."""

    text: str
    style: Style
    fill: bool = False
    span: int = 1


Line = Sequence[Cell]


def ruled_table(
    widths: Sequence[float],
    lines: Sequence[Line],
    *,
    head: int = 0,
    last_height: float = 0,
    open_from: int | None = None,
) -> Table:
    """A table of column ``widths`` in mm; the first ``head`` rows repeat; ``last_height`` in mm is the last row's.

    ``open_from``: the last row continues the one above, without a rule between them nor upright ones after this column.
    """
    side = min(PADDING_SIDE, min(widths) * mm / 6)
    data: list[list[Any]] = []
    rules: list[tuple[Any, ...]] = [*_PADDING, ("LEFTPADDING", *_ALL, side), ("RIGHTPADDING", *_ALL, side)]
    for index, line in enumerate(lines):
        chunks = _chunks(line, widths, side, is_head=index < head)
        is_last = index == len(lines) - 1
        rules += _line_rules(line, range(len(data), len(data) + len(chunks)), open_from if is_last else None)
        data += chunks
    heights: list[float | None] = [None] * len(data)
    if last_height:
        heights[-1] = max(last_height * mm, _needed_height(data[-1]))
    table = Table(data, [width * mm for width in widths], heights, repeatRows=head, spaceBefore=0, spaceAfter=0)
    # Spanned cells are empty, but would still name the library's own, unembedded face.
    rules.append(("FONTNAME", *_ALL, lines[0][0].style.font))
    table.setStyle([*rules, *_FRAME])
    return table


def _needed_height(row: Sequence[Any]) -> float:
    """Points that the tallest cell of a physical row takes with its padding."""
    return max(block.height_of_lines() for block in row if isinstance(block, TextBlock)) + 2 * PADDING_TOP


_ALL = ((0, 0), (-1, -1))
_FRAME = [
    ("LINEBELOW", (0, -1), (-1, -1), 1, black),
    ("LINEBEFORE", (0, 0), (0, -1), 1, black),
    ("LINEAFTER", (-1, 0), (-1, -1), 1, black),
]
_PADDING = [
    ("VALIGN", *_ALL, "MIDDLE"),
    ("TOPPADDING", *_ALL, PADDING_TOP),
    ("BOTTOMPADDING", *_ALL, PADDING_TOP),
    # A split table closes with a rule below and opens with one above.
    ("LINEBELOW", (0, "splitlast"), (-1, "splitlast"), 1, black),
    ("LINEABOVE", (0, "splitfirst"), (-1, "splitfirst"), 1, black),
]


def _chunks(line: Line, widths: Sequence[float], side: float, *, is_head: bool) -> list[list[Any]]:
    """The physical rows of a logical one: one, or several when it is very tall. ``side`` is the padding in points."""
    broken, column = [], 0
    for cell in line:
        width = sum(widths[column : column + cell.span]) * mm - 2 * side
        broken.append(lines_of(cell.text, cell.style, width))
        column += cell.span
    if is_head:
        broken = [lines[:HEAD_LINES] for lines in broken]
    tallest = max(map(len, broken))
    height = max(len(lines) * cell.style.leading for lines, cell in zip(broken, line, strict=True))
    step = tallest if height <= layout.LONG_ROW_LINES * layout.CELL_PITCH else CHUNK_LINES
    return [_physical(line, [lines[start : start + step] for lines in broken]) for start in range(0, tallest, step)]


def _physical(line: Line, broken: Sequence[Sequence[str]]) -> list[Any]:
    row: list[Any] = []
    for cell, lines in zip(line, broken, strict=True):
        row += [TextBlock("", cell.style, lines=lines), *[""] * (cell.span - 1)]
    return row


def _line_rules(line: Line, rows: range, open_from: int | None) -> list[tuple[Any, ...]]:
    """All rules of one logical row, whose physical ones are ``rows``; ``open_from`` as for the table."""
    first = rows.start
    rules: list[tuple[Any, ...]] = []
    if open_from is None or first == 0:
        rules.append(("LINEABOVE", (0, first), (-1, first), 0.5 if first else 1, black))
    ruled_to = sum(cell.span for cell in line) if open_from is None else open_from
    for row in rows:
        rules += _cell_rules(line, row, ruled_to)
    return rules


def _cell_rules(line: Line, row: int, ruled_to: int) -> list[tuple[Any, ...]]:
    """Spans, fills and upright rules of one physical row; the latter up to column ``ruled_to``."""
    rules: list[tuple[Any, ...]] = []
    column = 0
    for cell in line:
        end = column + cell.span - 1
        if cell.span > 1:
            rules.append(("SPAN", (column, row), (end, row)))
        if cell.fill:
            rules.append(("BACKGROUND", (column, row), (end, row), HexColor(f"#{layout.GREY}")))
        if 0 < column <= ruled_to:
            rules.append(("LINEBEFORE", (column, row), (column, row), 0.5, black))
        column = end + 1
    return rules
