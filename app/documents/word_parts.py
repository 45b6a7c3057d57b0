"""Pieces of WordprocessingML: paragraphs, cells, rows, tables. Text is always escaped, never markup or a field.

Strings are joined and parsed once per document: building each cell through the object model is ten times slower.
Elements stand in the order that the schema demands.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape, quoteattr

from app.documents import layout
from app.documents.tree import Align

CELL_STYLES: dict[Align, str] = {"left": "sbCell", "right": "sbCellRight", "center": "sbCellCenter"}
FILL = f'<w:shd w:val="clear" w:color="auto" w:fill="{layout.GREY}"/>'
SIDES = ("top", "left", "bottom", "right", "insideH", "insideV")


def twips(millimetres: float) -> int:
    """Millimetres in twentieths of a point."""
    return round(millimetres / 25.4 * 1440)


def run(text: str) -> str:
    """A run of literal text; line breaks become breaks, tabs a blank."""
    pieces = [f'<w:t xml:space="preserve">{escape(line)}</w:t>' for line in text.replace("\t", " ").split("\n")]
    return f"<w:r>{'<w:br/>'.join(pieces)}</w:r>"


def paragraph(style: str, text: str = "", *, keep: bool = False) -> str:
    """A paragraph; ``keep`` binds it to the next one."""
    extra = "<w:keepNext/>" if keep else ""
    return f'<w:p><w:pPr><w:pStyle w:val="{style}"/>{extra}</w:pPr>{run(text) if text else ""}</w:p>'


def paragraphs(style: str, text: str, *, keep: bool = False) -> str:
    """One paragraph for each line of ``text``."""
    return "".join(paragraph(style, line, keep=keep) for line in text.split("\n"))


def page_number() -> str:
    """The field that counts pages; the only field in the document."""
    parts = ("begin", "separate", "end")
    begin, separate, end = (f'<w:r><w:fldChar w:fldCharType="{part}"/></w:r>' for part in parts)
    code = '<w:r><w:instrText xml:space="preserve"> PAGE </w:instrText></w:r>'
    return f"{run('— ')}{begin}{code}{separate}{run('1')}{end}{run(' —')}"


def frame(*sides: str) -> str:
    """Thin grey rules on some sides of one cell."""
    lines = (f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="7F7F7F"/>' for side in SIDES if side in sides)
    return f"<w:tcBorders>{''.join(lines)}</w:tcBorders>"


def cell(
    content: str,
    width: float,
    *,
    span: int = 1,
    fill: bool = False,
    align: str = "center",
    merge: str = "",
    borders: str = "",
) -> str:
    """A cell of ``width`` mm around ready paragraphs. ``merge``: restart or continue of a vertical merge."""
    properties = [f'<w:tcW w:w="{twips(width)}" w:type="dxa"/>']
    if span > 1:
        properties.append(f'<w:gridSpan w:val="{span}"/>')
    if merge:
        properties.append(f'<w:vMerge w:val="{merge}"/>')
    properties.append(borders)
    if fill:
        properties.append(FILL)
    properties.append(f'<w:vAlign w:val="{align}"/>')
    return f"<w:tc><w:tcPr>{''.join(properties)}</w:tcPr>{content}</w:tc>"


def row(cells: Iterable[str], *, header: bool = False, split: bool = False, height: float = 0) -> str:
    """A table row; it stays whole unless ``split``; ``height`` in mm is a minimum."""
    properties = "" if split else "<w:cantSplit/>"
    if height:
        properties += f'<w:trHeight w:val="{twips(height)}" w:hRule="atLeast"/>'
    if header:
        properties += "<w:tblHeader/>"
    return f"<w:tr><w:trPr>{properties}</w:trPr>{''.join(cells)}</w:tr>"


def table(
    widths: Sequence[float], rows: Iterable[str], *, ruled: bool = True, padding: int = 85, title: str = ""
) -> str:
    """A table of fixed column ``widths`` in mm: 1 pt outside, 0.5 pt inside.

    ``padding`` is left and right in twips; ``title`` becomes its alternative text.
    """
    caption = f"<w:tblCaption w:val={quoteattr(title)}/>" if title else ""
    properties = (
        f'<w:tblW w:w="{twips(sum(widths))}" w:type="dxa"/><w:jc w:val="center"/>{_borders(ruled)}'
        '<w:tblLayout w:type="fixed"/>'
        f'<w:tblCellMar><w:top w:w="{padding // 2}" w:type="dxa"/><w:left w:w="{padding}" w:type="dxa"/>'
        f'<w:bottom w:w="{padding // 2}" w:type="dxa"/><w:right w:w="{padding}" w:type="dxa"/></w:tblCellMar>{caption}'
    )
    grid = "".join(f'<w:gridCol w:w="{twips(width)}"/>' for width in widths)
    return f"<w:tbl><w:tblPr>{properties}</w:tblPr><w:tblGrid>{grid}</w:tblGrid>{''.join(rows)}</w:tbl>"


def _borders(ruled: bool) -> str:
    """Rules in eighths of a point."""
    if not ruled:
        return ""
    lines = (
        f'<w:{side} w:val="single" w:sz="{4 if side.startswith("inside") else 8}" w:space="0" w:color="000000"/>'
        for side in SIDES
    )
    return f"<w:tblBorders>{''.join(lines)}</w:tblBorders>"
