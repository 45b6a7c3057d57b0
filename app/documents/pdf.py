"""The PDF form of a paper: preview and record, with embedded fonts; looks like the Word.

The same paper and fonts give the same bytes. Fonts are made ready by a command (``fonts``), never here.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    KeepTogether,
    PageTemplate,
    Spacer,
    Table,
)

from app.documents import fonts, layout
from app.documents.codes import qr_png
from app.documents.pdf_parts import Cell, Style, TextBlock, one_line, ruled_table
from app.documents.tree import Align, Block, Cards, Facts, Files, Pairs, Paper, Prose, Rows, SealPlace

MIME = "application/pdf"
GREY_TEXT = HexColor("#444444")
HEADER_LEADING = 14.0
GAP = 6.0


def write_pdf(paper: Paper, font_folder: Path, *, watermark: str = "") -> bytes:
    """The PDF of ``paper``. ``watermark`` is printed pale across every page (预览，不作为盖章材料)."""
    faces = fonts.register(font_folder)
    buffer = io.BytesIO()
    template = BaseDocTemplate(
        buffer,
        pagesize=A4,
        invariant=1,
        title=paper.title.replace("\n", ""),
        subject=paper.serial,
        author="",
        creator="",
        lang="zh-CN",
        initialFontName=faces.serif,
    )
    frame = Frame(
        layout.LEFT * mm,
        layout.BOTTOM * mm,
        layout.TEXT_WIDTH * mm,
        (layout.PAGE_HEIGHT - layout.TOP - layout.BOTTOM) * mm,
        leftPadding=0,
        rightPadding=0,
        topPadding=0,
        bottomPadding=0,
    )
    decorate = _page_decorator(paper, faces, watermark)
    template.addPageTemplates([PageTemplate(id="page", frames=[frame], onPage=decorate)])
    template.build(_Writer(faces).story(paper))
    return buffer.getvalue()


def _page_decorator(paper: Paper, faces: fonts.FontSet, watermark: str) -> Callable[[Any, Any], None]:
    """What is drawn on every page around the content."""
    picture = ImageReader(io.BytesIO(qr_png(paper.qr))) if paper.qr else None
    small = Style(faces.serif, layout.SMALL_SIZE, HEADER_LEADING, colour=GREY_TEXT)
    lines = [one_line(line, small, _header_width()) for line in layout.header_lines(paper)]
    footer = one_line(paper.footer, small, layout.TEXT_WIDTH * mm) if paper.footer else ""

    def decorate(canvas: Any, document: Any) -> None:
        canvas.saveState()
        if watermark:
            _draw_watermark(canvas, faces.sans, watermark)
        canvas.setFillColor(GREY_TEXT)
        canvas.setFont(small.font, small.size)
        top = (layout.PAGE_HEIGHT - layout.HEADER_TOP) * mm
        for index, line in enumerate(lines):
            canvas.drawString(layout.LEFT * mm, top - 12 - index * HEADER_LEADING, line)
        if picture:
            _draw_qr(canvas, picture, small)
        if footer:
            canvas.drawCentredString(A4[0] / 2, layout.FOOTER_BOTTOM * mm, footer)
        _draw_number(canvas, faces.serif, document.page)
        canvas.restoreState()

    return decorate


def _header_width() -> float:
    return float((layout.TEXT_WIDTH - layout.WARNING_WIDTH - layout.QR_CELL - 2) * mm)


def _draw_qr(canvas: Any, picture: ImageReader, style: Style) -> None:
    """The QR in its box at the right, the warning beside it."""
    right = (layout.PAGE_WIDTH - layout.RIGHT) * mm
    top = (layout.PAGE_HEIGHT - layout.HEADER_TOP) * mm
    width, side = (layout.QR_CELL + layout.WARNING_WIDTH) * mm, layout.QR_SIZE * mm
    canvas.setStrokeColor(HexColor("#7f7f7f"))
    canvas.setLineWidth(0.5)
    canvas.rect(right - width, top - side - 2, width, side + 2)
    canvas.drawImage(picture, right - side - 1 * mm, top - side - 1, side, side)
    middle = right - width + layout.WARNING_WIDTH * mm / 2
    for index, line in enumerate(layout.seal_warning_lines()):
        canvas.drawCentredString(middle, top - side / 2 + 2 - index * style.leading, line)


def _draw_number(canvas: Any, font: str, page: int) -> None:
    """— 1 —: odd pages right, even pages left, one sign in."""
    canvas.setFillColor(HexColor("#000000"))
    canvas.setFont(font, layout.NUMBER_SIZE)
    y = (layout.FOOTER_BOTTOM + 6) * mm
    if page % 2:
        canvas.drawRightString((layout.PAGE_WIDTH - layout.RIGHT) * mm - layout.NUMBER_SIZE, y, f"— {page} —")
    else:
        canvas.drawString(layout.LEFT * mm + layout.NUMBER_SIZE, y, f"— {page} —")


def _draw_watermark(canvas: Any, font: str, text: str) -> None:
    text = fonts.drawable(text, font)
    canvas.saveState()
    canvas.setFillColor(HexColor("#9aa3ad"))
    canvas.setFillAlpha(0.22)
    canvas.setFont(font, min(36.0, 520.0 / max(len(text), 1)))
    canvas.translate(A4[0] / 2, A4[1] / 2)
    canvas.rotate(45)
    canvas.drawCentredString(0, 130, text)
    canvas.drawCentredString(0, -130, text)
    canvas.restoreState()


class _Writer:
    """Turns blocks into flowables with one set of faces."""

    def __init__(self, faces: fonts.FontSet) -> None:
        serif, sans, cell = faces.serif, faces.sans, layout.CELL_SIZE
        self.title = Style(serif, layout.TITLE_SIZE, 34, "center", heavy=True)
        self.subtitle = Style(serif, 14, 24, "center", after=6)
        self.heading = Style(sans, layout.HEADING_SIZE, layout.BODY_PITCH, before=10, after=4)
        self.card = Style(serif, 15, 26, before=8, after=3, heavy=True)
        self.part = Style(sans, layout.PART_SIZE, 22, before=6, after=2)
        self.prose = Style(serif, layout.BODY_SIZE, layout.BODY_PITCH, indent=2)
        self.cells: dict[Align, Style] = {
            "left": Style(serif, cell, layout.CELL_PITCH),
            "right": Style(serif, cell, layout.CELL_PITCH, "right"),
            "center": Style(serif, cell, layout.CELL_PITCH, "center"),
        }
        self.label = self.cells["center"]
        self.head = Style(sans, cell, layout.CELL_PITCH, "center")
        self.pledge = Style(serif, 12, 24, indent=2)
        self.sign = Style(serif, 12, 26)
        self.sign_centre = Style(serif, 12, 26, "center")

    def story(self, paper: Paper) -> list[Flowable]:
        """Everything in reading order."""
        parts: list[Flowable] = [TextBlock(paper.title, self.title)]
        if paper.subtitle:
            parts.append(TextBlock(paper.subtitle, self.subtitle))
        for block, heading in zip(paper.blocks, layout.headings(paper), strict=True):
            parts += self._headed(heading, self.heading, self._block(block))
        if paper.statement or paper.seal_place:
            last = [] if paper.statement else [parts.pop()]
            parts.append(KeepTogether([*last, Spacer(1, GAP), self._seal(paper)]))
        return parts

    def _headed(self, heading: str, style: Style, content: list[Flowable]) -> list[Flowable]:
        """``content`` under its heading; a new page first if its first rows would not follow the heading."""
        if not heading:
            return [Spacer(1, GAP), *content]
        title = TextBlock(heading, style)
        need = title.wrap(layout.TEXT_WIDTH * mm, 0)[1] + style.before + style.after + _opening_height(content)
        return [CondPageBreak(min(need, _page_height())), title, *content]

    def _block(self, block: Block) -> list[Flowable]:
        match block:
            case Facts():
                return self._facts(block)
            case Rows():
                return [self._rows(block)]
            case Pairs():
                return [self._pairs(block)]
            case Cards():
                return self._cards(block)
            case Files():
                return [self._rows(layout.file_table(block))]
            case Prose():
                return [TextBlock(layout.or_blank(block.text), self.prose)]

    def _facts(self, facts: Facts) -> list[Flowable]:
        label, value = layout.LABEL_WIDTH, layout.VALUE_WIDTH
        lines = []
        for pairs in layout.facts_grid(facts.pairs):
            line = []
            for pair in pairs:
                line.append(Cell(layout.label_text(pair.label), self.label, fill=True))
                line.append(Cell(layout.or_blank(pair.text), self.cells[pair.align], span=1 if len(pairs) == 2 else 3))
            lines.append(line)
        return [ruled_table((label, value, label, value), lines)] if lines else []

    def _rows(self, rows: Rows) -> Table:
        widths = layout.share_widths([column.weight for column in rows.columns])
        styles = [self.cells[column.align] for column in rows.columns]
        lines = [[Cell(layout.column_title(column), self.head, fill=True) for column in rows.columns]]
        for texts in rows.rows:
            lines.append([Cell(layout.or_blank(text), style) for text, style in zip(texts, styles, strict=True)])
        if not rows.rows:
            lines.append([Cell(layout.or_blank(rows.empty), self.label, span=len(widths))])
        if rows.total:
            lines.append([Cell(text, style, fill=True) for text, style in zip(rows.total, styles, strict=True)])
        return ruled_table(widths, lines, head=1)

    def _pairs(self, pairs: Pairs) -> Table:
        widths = layout.pairs_widths(pairs)
        lines = [[Cell(text, self.head, fill=True) for text in pairs.headers]]
        for texts in pairs.rows:
            line = [Cell(layout.label_text(texts[0], widths[0]), self.label, fill=True)]
            line += [Cell(layout.or_blank(text), self.cells[pairs.align(i)]) for i, text in enumerate(texts[1:], 1)]
            lines.append(line)
        return ruled_table(widths, lines, head=1)

    def _cards(self, cards: Cards) -> list[Flowable]:
        if not cards.cards:
            return [TextBlock(layout.or_blank(cards.empty), self.prose)]
        parts: list[Flowable] = []
        for card, heading in zip(cards.cards, layout.card_headings(cards), strict=True):
            content: list[Flowable] = []
            for part in card.parts:
                content += (
                    self._headed(part.title, self.part, self._block(part))
                    if content or part.title
                    else self._block(part)
                )
            parts += self._headed(heading, self.card, content)
        return parts

    def _seal(self, paper: Paper) -> Table:
        """The statement, and under it the places for signature, seal and date; one box, only the label apart."""
        sides = [*layout.seal_widths(paper)[:-1], layout.seal_widths(paper)[-1] - layout.SEAL_CELL, layout.SEAL_CELL]
        label = [Cell(layout.statement_label(), self.label, fill=True)] if paper.statement else []
        lines = [[*label, Cell(paper.statement, self.pledge, span=2)]] if paper.statement else []
        if not paper.seal_place:
            return ruled_table(sides, lines)
        lines.append([*(Cell("", cell.style, fill=True) for cell in label), *self._sign_cells(paper.seal_place)])
        above, below = layout.SEAL_ABOVE + layout.SEAL_LINE, layout.SEAL_BELOW
        table = ruled_table(sides, lines, open_from=len(label), last_height=above + 3 * layout.SEAL_LINE + below)
        table.setStyle(
            [
                ("VALIGN", (-2, -1), (-2, -1), "TOP"),
                ("VALIGN", (-1, -1), (-1, -1), "BOTTOM"),
                ("BOTTOMPADDING", (-1, -1), (-1, -1), below * mm),
            ]
        )
        return table

    def _sign_cells(self, place: SealPlace) -> Sequence[Cell]:
        """The seal rides on unit and date, so free room stands above and below them."""
        text = "\n".join((place.unit_label, place.unit, layout.date_line(place)))
        return Cell(f"{place.signer_label}：", self.sign), Cell(text, self.sign_centre)


def _page_height() -> float:
    return float((layout.PAGE_HEIGHT - layout.TOP - layout.BOTTOM) * mm - 1)


def _opening_height(content: Sequence[Flowable]) -> float:
    """Height of what must stand right under a heading: inner headings, a table's head and its first row."""
    total = 0.0
    for part in content:
        if isinstance(part, CondPageBreak):
            continue
        height = float(part.wrap(layout.TEXT_WIDTH * mm, _page_height())[1])
        if isinstance(part, Table):
            rows = part._rowHeights[: (part.repeatRows or 0) + 1]  # known after wrap, no public name
            return total + float(sum(rows))
        if isinstance(part, TextBlock) and not part.style.before:
            return total + min(height, 2 * part.style.leading)
        total += height
    return total
