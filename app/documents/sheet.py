"""Excel lists: the formatted 《汇总表》 for paper and mail, and plain grids of any length.

Numbers are numbers, dates are dates, everything else is text: codes keep their digits and ``=1+1`` never becomes a
formula. Text passes ``clean_text``.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from importlib import import_module
from itertools import chain
from typing import Any, BinaryIO, Literal, get_args

import xlsxwriter
from flask_babel import gettext as _
from xlsxwriter.worksheet import Worksheet

from app.fields.base import clean_text

fast_writer: Any
try:
    fast_writer = import_module("rustpy_xlsxwriter")
except ImportError:  # a machine without a wheel for it writes the same grid, about seven times slower
    fast_writer = None

MIME = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Kind = Literal["text", "int", "decimal", "date"]
Value = str | int | float | Decimal | date | None

MAX_TEXT = 32_767
"""Longest text that a cell can hold, in UTF-16 units."""
MAX_EXACT = 10**15
"""Excel keeps fifteen digits; a longer number is written as text rather than changed."""
MAX_ROWS = 1_048_576
FIRST_DATE = date(1900, 3, 1)
"""Before this day Excel's calendar is wrong; earlier dates are written as text."""

_OPTIONS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


@dataclass(frozen=True)
class SheetColumn:
    """A column. ``width`` is in signs of the default font, ``decimals`` counts for kind ``decimal``."""

    label: str
    kind: Kind = "text"
    width: float = 12
    decimals: int = 2

    def __post_init__(self) -> None:
        """Raises ValueError for an unknown kind."""
        if self.kind not in get_args(Kind):
            raise ValueError(f"column {self.label!r}: unknown kind {self.kind!r}")


@dataclass(frozen=True)
class SheetSpec:
    """A formatted list. ``rows`` is read once; ``totals`` has a value for each column, None where nothing is added.

    ``note_lines`` stand under the table (填报单位：… 填报人：…), ``subtitle`` under the title.
    """

    title: str
    columns: Sequence[SheetColumn]
    rows: Iterable[Sequence[Value]]
    note_lines: Sequence[str] = ()
    totals: Sequence[Value] | None = None
    subtitle: str = ""
    sheet_name: str = "汇总表"


def summary_note_lines(unit: str = "", person: str = "", phone: str = "", day: str = "") -> tuple[str, ...]:
    """The closing line of a summary sheet; what is not known stays open to be written in by hand."""
    blank = "____________"
    return (
        "        ".join(
            (
                _("填报单位（公章）：%(unit)s", unit=unit or blank),
                _("填报人：%(person)s", person=person or blank),
                _("联系电话：%(phone)s", phone=phone or blank),
                _("日期：%(day)s", day=day or "______年____月____日"),
            )
        ),
    )


def write_sheet(spec: SheetSpec) -> bytes:
    """The .xlsx of ``spec``: A4 landscape, title, frozen and repeated head, 合计, closing lines.

    The same spec gives the same bytes.

    Raises ValueError if a row or the totals do not have one value for each column, or there are too many rows.
    """
    buffer = io.BytesIO()
    workbook = xlsxwriter.Workbook(buffer, {**_OPTIONS, "in_memory": True})
    workbook.set_properties({"title": _cell_text(spec.title)[:255], "created": datetime(2024, 1, 1)})
    sheet = workbook.add_worksheet(sheet_title(spec.sheet_name))
    formats = _Formats(workbook)
    last = len(spec.columns) - 1
    head = _write_head(sheet, spec, formats, last)
    row = head
    for row, values in enumerate(spec.rows, head + 1):
        _write_values(sheet, row, values, spec.columns, formats, bold=False)
        sheet.set_row(row, _row_height(values, spec.columns))
    if spec.totals is not None:
        row += 1
        _write_values(sheet, row, spec.totals, spec.columns, formats, bold=True)
        sheet.set_row(row, 24)
    for offset, line in enumerate(spec.note_lines, 2):
        sheet.merge_range(row + offset, 0, row + offset, max(last, 1), _cell_text(line), formats.note)
    _set_up_page(sheet, head, last, row + len(spec.note_lines) + 2)
    workbook.close()
    return buffer.getvalue()


class _Formats:
    """Cell formats of one workbook, made when first needed."""

    def __init__(self, workbook: Any) -> None:
        self._workbook = workbook
        self._made: dict[tuple[str, int, bool], Any] = {}
        self.title = workbook.add_format(
            {"font_name": "方正小标宋简体", "font_size": 20, "align": "center", "valign": "vcenter"}
        )
        self.subtitle = workbook.add_format(
            {"font_name": "楷体", "font_size": 12, "align": "center", "valign": "vcenter"}
        )
        self.head = workbook.add_format(
            {
                "font_name": "黑体",
                "font_size": 11,
                "align": "center",
                "valign": "vcenter",
                "text_wrap": True,
                "border": 1,
                "bg_color": "#EDEFF2",
            }
        )
        self.note = workbook.add_format({"font_name": "仿宋", "font_size": 11, "valign": "vcenter", "text_wrap": True})

    def of(self, column: SheetColumn, bold: bool) -> Any:
        """The format of a body cell."""
        key = (column.kind, column.decimals, bold)
        if key not in self._made:
            align = {"text": "left", "date": "center"}.get(column.kind, "right")
            look = {
                "font_name": "黑体" if bold else "仿宋",
                "font_size": 11,
                "border": 1,
                "valign": "vcenter",
                "text_wrap": True,
                "align": align,
                "num_format": number_format(column),
            }
            self._made[key] = self._workbook.add_format(look)
        return self._made[key]


def number_format(column: SheetColumn) -> str:
    """Excel's format code for a column: ``#,##0.00``, ``0``, ``yyyy-mm-dd`` or text."""
    if column.kind == "decimal":
        return "#,##0" + ("." + "0" * column.decimals if column.decimals else "")
    return {"int": "#,##0", "date": "yyyy-mm-dd", "text": "@"}[column.kind]


def sheet_title(name: str) -> str:
    """``name`` as Excel allows it for a sheet: at most 31 signs, none of ``[]:*?/\\``, no quote at the ends."""
    cleaned = "".join("-" if sign in "[]:*?/\\" else sign for sign in clean_text(name)).strip("'")
    while len(cleaned.encode("utf-16-le")) > 62:
        cleaned = cleaned[:-1]
    return cleaned.strip("' ") or "Sheet1"


def _write_head(sheet: Worksheet, spec: SheetSpec, formats: _Formats, last: int) -> int:
    """Title, subtitle and column heads; returns the row of the heads."""
    sheet.merge_range(0, 0, 0, max(last, 1), _cell_text(spec.title), formats.title)
    sheet.set_row(0, 36)
    row = 1
    if spec.subtitle:
        sheet.merge_range(1, 0, 1, max(last, 1), _cell_text(spec.subtitle), formats.subtitle)
        sheet.set_row(1, 22)
        row = 2
    for index, column in enumerate(spec.columns):
        sheet.write_string(row, index, _cell_text(column.label), formats.head)
        sheet.set_column(index, index, min(max(column.width, 3), 80))
    sheet.set_row(row, max(34, _row_height([c.label for c in spec.columns], spec.columns) + 8))
    return row


def _write_values(
    sheet: Worksheet,
    row: int,
    values: Sequence[Value],
    columns: Sequence[SheetColumn],
    formats: _Formats,
    *,
    bold: bool,
) -> None:
    if len(values) != len(columns):
        raise ValueError(f"{len(values)} values in a row of {len(columns)} columns")
    if row >= MAX_ROWS:
        raise ValueError(f"a sheet holds at most {MAX_ROWS} rows")
    for index, (value, column) in enumerate(zip(values, columns, strict=True)):
        look = formats.of(column, bold)
        cell = cell_value(value, column.kind)
        if cell is None:
            sheet.write_blank(row, index, None, look)
        elif isinstance(cell, str):
            sheet.write_string(row, index, cell, look)
        elif isinstance(cell, date):
            sheet.write_datetime(row, index, cell, look)
        else:
            sheet.write_number(row, index, cell, look)


def _row_height(values: Sequence[Value], columns: Sequence[SheetColumn]) -> float:
    """Points for the tallest wrapped cell; Excel does not grow rows by itself when a file is opened."""
    lines = 1
    for value, column in zip(values, columns, strict=True):
        if isinstance(value, str):
            capacity = max(column.width - 1, 2)
            lines = max(lines, sum(math.ceil(max(_width(part), 1) / capacity) for part in value.split("\n")))
    return min(lines * 16 + 6, 400)


def _width(text: str) -> int:
    return sum(1 if sign < "\u2e80" else 2 for sign in text)


def _set_up_page(sheet: Worksheet, head: int, last: int, bottom: int) -> None:
    sheet.set_paper(9)
    sheet.set_landscape()
    sheet.set_margins(left=0.6, right=0.6, top=0.8, bottom=0.8)
    sheet.fit_to_pages(1, 0)
    sheet.center_horizontally()
    sheet.freeze_panes(head + 1, 0)
    sheet.repeat_rows(0, head)
    sheet.print_area(0, 0, bottom, max(last, 1))
    sheet.set_footer("&C" + _("第 &P 页，共 &N 页"))


def cell_value(value: Value, kind: Kind) -> str | int | float | date | None:
    """``value`` as the cell will hold it: text if the column's kind or Excel's exactness would misrepresent it."""
    if value is None or value == "":
        return None
    if kind == "text" or isinstance(value, (str, bool)) or (kind == "date") != isinstance(value, date):
        return _cell_text(_plain(value)) or None
    if isinstance(value, date):
        return _cell_date(value)
    return _cell_number(value)


def _cell_number(value: int | float | Decimal) -> str | int | float | None:
    """The number while Excel keeps it exactly, else its digits; nothing for NaN and infinity."""
    if isinstance(value, int):
        return value if abs(value) < MAX_EXACT else str(value)
    finite = value.is_finite() if isinstance(value, Decimal) else math.isfinite(value)
    if not finite:
        return None
    number = float(value)
    return number if abs(number) < MAX_EXACT else _plain(value)


def _cell_date(value: date) -> str | date:
    if isinstance(value, datetime):
        value = value.replace(tzinfo=None)
        return value if value.date() >= FIRST_DATE else value.isoformat(" ")
    return value if value >= FIRST_DATE else value.isoformat()


def _plain(value: Value) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, date) else str(value)


def _cell_text(text: str) -> str:
    """Clean text, cut to what a cell can hold."""
    text = clean_text(text, multiline=True)
    if len(text) <= MAX_TEXT // 2:
        return text
    return text.encode("utf-16-le")[: MAX_TEXT * 2].decode("utf-16-le", "ignore")


def write_bulk(
    columns: Sequence[SheetColumn], rows: Iterable[Sequence[Value]], target: BinaryIO, *, title: str = "数据"
) -> None:
    """A plain grid of any length into ``target``, in flat memory: head, then rows, sheet ``title``.

    ``rows`` is read once. Raises ValueError if a row does not have one value for each column, or there are too many;
    ``target`` then holds nothing usable.
    """
    checked = _checked(columns, rows)
    if fast_writer is None:
        _write_slowly(columns, checked, target, title)
        return
    names = column_names(columns)
    look = {
        name: fast_writer.Format().set_num_format(number_format(column))
        for name, column in zip(names, columns, strict=True)
    }
    head = fast_writer.Format().set_bold().set_background_color("#EDEFF2").set_align("center")
    records = (dict(zip(names, values, strict=True)) for values in checked)
    first = next(records, None)
    if first is None:
        # Without a record the fast writer knows no columns and would leave out the head.
        _write_slowly(columns, iter(()), target, title)
        return
    fast_writer.write_worksheet(
        chain([first], records),
        target,
        sheet_name=sheet_title(title),
        freeze_row=1,
        header_format=head,
        autofilter=True,
        column_formats=look,
        column_widths={name: min(max(c.width, 3), 80) for name, c in zip(names, columns, strict=True)},
    )


def column_names(columns: Sequence[SheetColumn]) -> list[str]:
    """Labels as heads, each different: the second 评价 becomes 评价 (2)."""
    names: list[str] = []
    for column in columns:
        label = _cell_text(column.label)[:200] or _("列")
        name, number = label, 1
        while name in names:
            number += 1
            name = f"{label} ({number})"
        names.append(name)
    return names


def _write_slowly(columns: Sequence[SheetColumn], rows: Iterator[list[Any]], target: BinaryIO, title: str) -> None:
    workbook = xlsxwriter.Workbook(target, {**_OPTIONS, "constant_memory": True, "default_date_format": "yyyy-mm-dd"})
    sheet = workbook.add_worksheet(sheet_title(title))
    head = workbook.add_format({"bold": True, "bg_color": "#EDEFF2", "align": "center"})
    for index, (name, column) in enumerate(zip(column_names(columns), columns, strict=True)):
        look = workbook.add_format({"num_format": number_format(column)})
        sheet.set_column(index, index, min(max(column.width, 3), 80), look)
        sheet.write_string(0, index, name, head)
    sheet.freeze_panes(1, 0)
    number = 0
    for number, values in enumerate(rows, 1):
        sheet.write_row(number, 0, values)
    sheet.autofilter(0, 0, max(number, 1), len(columns) - 1)
    workbook.close()


def _checked(columns: Sequence[SheetColumn], rows: Iterable[Sequence[Value]]) -> Iterator[list[Any]]:
    for number, values in enumerate(rows, 2):
        if len(values) != len(columns):
            raise ValueError(f"{len(values)} values in a row of {len(columns)} columns")
        if number > MAX_ROWS:
            raise ValueError(f"a sheet holds at most {MAX_ROWS} rows")
        yield [cell_value(value, column.kind) for value, column in zip(values, columns, strict=True)]
