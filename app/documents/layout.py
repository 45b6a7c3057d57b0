"""What the Word and the PDF of a paper share: measures after GB/T 9704, headings, fixed words, the grid of a form."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence

from flask_babel import gettext as _

from app.documents.tree import Cards, Column, Files, Pair, Pairs, Paper, Rows, SealPlace

# Millimetres.
PAGE_WIDTH, PAGE_HEIGHT = 210.0, 297.0
TOP, BOTTOM, LEFT, RIGHT = 37.0, 35.0, 28.0, 26.0
TEXT_WIDTH = PAGE_WIDTH - LEFT - RIGHT
HEADER_TOP, FOOTER_BOTTOM = 11.0, 18.0
QR_SIZE, QR_CELL, WARNING_WIDTH = 22.0, 24.0, 14.0
SEAL_SIZE = 45.0
SEAL_ABOVE, SEAL_LINE, SEAL_BELOW = 16.0, 9.2, 14.0
"""Free room above the three lines that the seal rides on, the pitch of these, and room below."""
PLEDGE_LABEL, SEAL_CELL = 24.0, 82.0
MIN_COLUMN = 8.0
"""Room for one sign and the padding beside it."""
LABEL_WIDTH = 32.0
VALUE_WIDTH = TEXT_WIDTH / 2 - LABEL_WIDTH

# Points.
TITLE_SIZE, BODY_SIZE, HEADING_SIZE, PART_SIZE, CELL_SIZE, NUMBER_SIZE, SMALL_SIZE = (
    22.0,
    16.0,
    16.0,
    12.0,
    10.5,
    14.0,
    9.0,
)
BODY_PITCH, CELL_PITCH = 28.95, 16.0
GREY = "EDEFF2"
"""Fill of label cells, light enough for a red seal or a fax."""

BLANK = "—"
"""Stands for an empty answer: a blank cell on sealed paper could be filled in later."""

LONG_ROW_LINES = 26
"""A row estimated at more lines than this may split: kept whole it could be taller than a page."""
CRAMPED_LINES = 3

_DIGITS = "零一二三四五六七八九"


def chinese_number(number: int) -> str:
    """1 to 999 in Chinese figures: 一, 十, 十一, 二十, 一百零三. Raises ValueError outside."""
    if not 1 <= number <= 999:
        raise ValueError(f"no heading number {number}")
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    text = f"{_DIGITS[hundreds]}百" if hundreds else ""
    if tens:
        text += "十" if tens == 1 and not hundreds else f"{_DIGITS[tens]}十"
    elif hundreds and ones:
        text += "零"
    return text + (_DIGITS[ones] if ones else "")


def headings(paper: Paper) -> list[str]:
    """A numbered heading for each block (一、基本情况); ``""`` for a block without title."""
    result, number = [], 0
    for block in paper.blocks:
        number += bool(block.title)
        result.append(f"{chinese_number(number)}、{block.title}" if block.title else "")
    return result


def card_headings(cards: Cards) -> list[str]:
    """A numbered heading of the second level for each card: （一）智能排产系统."""
    return [f"（{chinese_number(index)}）{card.title}" for index, card in enumerate(cards.cards, 1)]


def header_lines(paper: Paper) -> list[str]:
    """The lines at the top of every page, beside the QR."""
    lines = [_("编号：%(serial)s", serial=paper.serial)] if paper.serial else []
    if paper.code:
        lines.append(_("校验码：%(code)s", code=paper.code))
    if paper.version_label:
        lines.append(_("版本：%(version)s", version=paper.version_label))
    if paper.verify_url:
        lines.append(_("核验：%(url)s", url=paper.verify_url))
    return lines


def seal_warning_lines() -> list[str]:
    """Printed at the QR, in two short lines: ink over it makes a scan unreadable."""
    return str(_("请勿在\n此盖章")).split("\n")


def seal_widths(paper: Paper) -> tuple[float, ...]:
    """Columns of the last table: label of the statement if there is one, statement with signature and seal."""
    label = (PLEDGE_LABEL,) if paper.statement else ()
    return (*label, TEXT_WIDTH - sum(label))


def statement_label() -> str:
    """Label of the statement above the seal."""
    return str(_("真实性承诺"))


def file_table(files: Files) -> Rows:
    """The list of attachments as a numbered table."""
    columns = (
        Column(_("序号"), "center", weight=4),
        Column(_("材料名称"), weight=16),
        Column(_("文件名"), weight=20),
        Column(_("大小"), "right", weight=6),
    )
    rows = tuple((str(number), file.label, file.name, file.size) for number, file in enumerate(files.rows, 1))
    return Rows(files.title, columns, rows, empty=files.empty)


def date_line(place: SealPlace) -> str:
    """The date, or 年 月 日 with room to write."""
    return place.date or "　　　年　　　月　　　日"


def column_title(column: Column) -> str:
    """Label with its unit on a line of its own."""
    return f"{column.label}\n（{column.unit}）" if column.unit else column.label


def or_blank(text: str) -> str:
    """``text``, or the dash that stands for nothing."""
    return text if text.strip() else BLANK


def display_width(text: str) -> int:
    """Width in half-width units: Chinese signs count two, others one."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WFA" else 1 for sign in text)


def estimate_lines(text: str, width: float, size: float = CELL_SIZE) -> int:
    """Lines that ``text`` needs at ``size`` points in ``width`` millimetres, before any layout."""
    capacity = max(2.0, width / 25.4 * 72 / size * 2)
    return sum(max(1, math.ceil(display_width(line) / capacity)) for line in text.split("\n"))


def facts_grid(pairs: Iterable[Pair]) -> list[tuple[Pair, ...]]:
    """Pairs by printed row: two, or one that takes the whole row (wide, or cramped in half a row, or left over)."""
    rows: list[tuple[Pair, ...]] = []
    waiting: Pair | None = None
    for pair in pairs:
        if pair.wide or estimate_lines(pair.text, VALUE_WIDTH - 4) > CRAMPED_LINES:
            if waiting:
                rows.append((waiting,))
                waiting = None
            rows.append((pair,))
        elif waiting:
            rows.append((waiting, pair))
            waiting = None
        else:
            waiting = pair
    return [*rows, (waiting,)] if waiting else rows


def label_text(label: str, width: float = LABEL_WIDTH) -> str:
    """``label`` broken by meaning where that costs no line: before a closing bracket, or in halves.

    改造总花费（万元） becomes 改造总花费 / （万元）; 优质中小企业情况 does not leave 况 alone.
    """
    room = width - 4
    if "\n" in label or estimate_lines(label, room) == 1:
        return label
    start = label.rfind("（")
    if start > 0 and label.endswith("）"):
        broken = f"{label[:start]}\n{label[start:]}"
        return broken if estimate_lines(broken, room) <= estimate_lines(label, room) else label
    if estimate_lines(label, room) == 2 and display_width(label) == 2 * len(label):
        middle = (len(label) + 1) // 2
        return f"{label[:middle]}\n{label[middle:]}"
    return label


def share_widths(weights: Sequence[float], total: float = TEXT_WIDTH) -> list[float]:
    """``total`` millimetres shared by weight, none narrower than ``MIN_COLUMN`` while there is room for that.

    The last column takes what rounding leaves.
    """
    floor = min(MIN_COLUMN, total / len(weights))
    narrow: set[int] = set()
    while True:
        rest = total - floor * len(narrow)
        whole = sum(weight for index, weight in enumerate(weights) if index not in narrow) or 1
        too_narrow = {index for index, weight in enumerate(weights) if rest * weight / whole < floor} - narrow
        if not too_narrow:
            break
        narrow |= too_narrow
    widths = [round(floor if index in narrow else rest * weight / whole, 1) for index, weight in enumerate(weights)]
    widths[-1] = round(total - sum(widths[:-1]), 1)
    return widths


def pairs_widths(pairs: Pairs) -> list[float]:
    """Widths of a comparison: a narrow label column, the rest by what it holds."""
    weights = [10.0] + [18.0 if align == "left" else 12.0 for align in map(pairs.align, range(1, len(pairs.headers)))]
    return share_widths(weights)


def may_split(texts: Sequence[str], widths: Sequence[float]) -> bool:
    """Whether a row of these cells may break across pages, being taller than most of a page."""
    return any(estimate_lines(text, width - 4) > LONG_ROW_LINES for text, width in zip(texts, widths, strict=True))
