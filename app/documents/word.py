"""The Word form of a paper: A4 after GB/T 9704, form tables, QR header on every page, place for the seal.

The same paper gives the same bytes: properties and archive times are fixed, nothing depends on the clock.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from docx import Document
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm

from app.documents import layout
from app.documents.codes import qr_png
from app.documents.tree import Align, Block, Cards, Facts, Files, Pairs, Paper, Prose, Rows, SealPlace
from app.documents.word_parts import CELL_STYLES, cell, frame, page_number, paragraph, paragraphs, row, table
from app.documents.word_styles import font_table_xml, settings_xml, styles_xml

MIME = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
EPOCH = datetime(2024, 1, 1)
"""Fixed time of all properties and archive entries: the document carries its own date as text."""
_NEEDLESS = ("thumbnail", "stylesWithEffects", "webSettings", "customXml", "numbering")


def write_word(paper: Paper) -> bytes:
    """The .docx of ``paper``."""
    document = Document()
    _prepare(document)
    _set_page(document, paper)
    _set_properties(document, paper)
    body = document.element.body
    for element in _parse("body", _body(paper)):
        body.insert(len(body) - 1, element)
    _bind_seal(body, paper)
    buffer = io.BytesIO()
    document.save(buffer)
    return _with_fixed_times(buffer.getvalue())


def _parse(tag: str, content: str) -> list[Any]:
    return list(parse_xml(f"<w:{tag} {nsdecls('w')}>{content}</w:{tag}>"))


def _prepare(document: Any) -> None:
    """Put our styles, settings and fonts in place of the library's sample ones."""
    for part in (document.part, document.part.package):
        for key, relation in list(part.rels.items()):
            if relation.reltype.rsplit("/", 1)[-1] in _NEEDLESS:
                del part.rels[key]
    _replace(document.styles.element, styles_xml())
    _replace(document.settings.element, settings_xml())
    for part in document.part.package.iter_parts():
        if part.partname == "/word/fontTable.xml":
            part._blob = font_table_xml().encode()  # the library has no setter for an opaque part


def _replace(element: Any, xml: str) -> None:
    for child in list(element):
        element.remove(child)
    element.extend(list(parse_xml(xml)))


def _set_page(document: Any, paper: Paper) -> None:
    """A4, margins, and the same header and footer on odd and even pages, the number outside."""
    section = document.sections[0]
    section.page_width, section.page_height = Mm(layout.PAGE_WIDTH), Mm(layout.PAGE_HEIGHT)
    section.top_margin, section.bottom_margin = Mm(layout.TOP), Mm(layout.BOTTOM)
    section.left_margin, section.right_margin = Mm(layout.LEFT), Mm(layout.RIGHT)
    section.header_distance, section.footer_distance = Mm(layout.HEADER_TOP), Mm(layout.FOOTER_BOTTOM)
    picture = qr_png(paper.qr) if paper.qr else b""
    for header in (section.header, section.even_page_header):
        _fill_header(header, paper, picture)
    for footer, style in ((section.footer, "sbPageOdd"), (section.even_page_footer, "sbPageEven")):
        footer.is_linked_to_previous = False
        content = f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr>{page_number()}</w:p>'
        if paper.footer:
            content += paragraph("sbFooter", paper.footer)
        _replace(footer._element, f"<w:ftr {nsdecls('w')}>{content}</w:ftr>")  # no public accessor


def _fill_header(header: Any, paper: Paper, picture: bytes) -> None:
    """Serial, check code and address left; the QR in its box right, with the warning not to seal there."""
    header.is_linked_to_previous = False
    empty = paragraph("sbHeader")
    lines = "".join(paragraph("sbHeader", line) for line in layout.header_lines(paper)) or empty
    warning, left_box, right_box = empty, "", ""
    if picture:
        warning = "".join(paragraph("sbWarning", line) for line in layout.seal_warning_lines())
        left_box, right_box = frame("top", "left", "bottom"), frame("top", "bottom", "right")
    widths = (layout.TEXT_WIDTH - layout.WARNING_WIDTH - layout.QR_CELL, layout.WARNING_WIDTH, layout.QR_CELL)
    cells = (
        cell(lines, widths[0]),
        cell(warning, widths[1], borders=left_box),
        cell(paragraph("sbPicture"), widths[2], borders=right_box),
    )
    content = table(widths, [row(cells)], ruled=False, padding=0) + paragraph("sbGap")
    _replace(header._element, f"<w:hdr {nsdecls('w')}>{content}</w:hdr>")  # no public accessor
    if picture:
        _place_picture(header.tables[0].rows[0].cells[2].paragraphs[0], picture, paper.code or paper.serial)


def _place_picture(place: Any, picture: bytes, description: str) -> None:
    """Set the QR into the paragraph ``place``, close to its box, with words for those who cannot see it."""
    shape = place.add_run().add_picture(io.BytesIO(picture), width=Mm(layout.QR_SIZE))
    inline = shape._inline  # the library cannot set distances or alternative text
    for side in "TBLR":
        inline.set(f"dist{side}", "0")
    inline.docPr.set("descr", description)


def _set_properties(document: Any, paper: Paper) -> None:
    """Properties come from the paper alone; 255 characters is the library's limit."""
    properties = document.core_properties
    properties.title = paper.title.replace("\n", "")[:255]
    properties.subject = paper.serial[:255]
    properties.identifier = paper.digest[:255]
    properties.author = properties.last_modified_by = properties.comments = ""
    properties.language = "zh-CN"
    properties.created = properties.modified = EPOCH
    properties.revision = 1


def _body(paper: Paper) -> str:
    parts = ["".join(paragraph("sbTitle", line) for line in paper.title.split("\n"))]
    if paper.subtitle:
        parts.append(paragraphs("sbSubtitle", paper.subtitle))
    for block, heading in zip(paper.blocks, layout.headings(paper), strict=True):
        parts.append(paragraph("sbHeading", heading) if heading else paragraph("sbGap"))
        parts.append(_block(block))
    if paper.statement or paper.seal_place:
        parts += [paragraph("sbGap", keep=True), _seal(paper), paragraph("sbGap")]
    return "".join(parts)


def _block(block: Block) -> str:
    match block:
        case Facts():
            return _facts(block)
        case Rows():
            return _rows(block)
        case Pairs():
            return _pairs(block)
        case Cards():
            return _cards(block)
        case Files():
            return _rows(layout.file_table(block))
        case Prose():
            return paragraphs("sbProse", layout.or_blank(block.text))


def _facts(facts: Facts) -> str:
    """Label and value cells. A table needs a row: without pairs nothing is printed."""
    label, value = layout.LABEL_WIDTH, layout.VALUE_WIDTH
    lines = []
    for pairs in layout.facts_grid(facts.pairs):
        width, span = (value, 1) if len(pairs) == 2 else (layout.TEXT_WIDTH - label, 3)
        cells = []
        for pair in pairs:
            text = layout.or_blank(pair.text)
            cells.append(cell(paragraphs("sbLabel", layout.label_text(pair.label)), label, fill=True))
            cells.append(cell(paragraphs(CELL_STYLES[pair.align], text), width, span=span))
        lines.append(row(cells, split=layout.may_split([pair.text for pair in pairs], [width] * len(pairs))))
    return table((label, value, label, value), lines, title=facts.title) if lines else ""


def _rows(rows: Rows) -> str:
    widths = layout.share_widths([column.weight for column in rows.columns])
    aligns = [column.align for column in rows.columns]
    heads = [
        cell(paragraphs("sbHead", layout.column_title(column)), width, fill=True)
        for column, width in zip(rows.columns, widths, strict=True)
    ]
    lines = [row(heads, header=True)]
    last = len(rows.rows) - 1
    for index, texts in enumerate(rows.rows):
        lines.append(_row(texts, widths, aligns, keep=index == last and rows.total is not None))
    if not rows.rows:
        empty = cell(paragraph("sbCellCenter", layout.or_blank(rows.empty)), sum(widths), span=len(widths))
        lines.append(row([empty]))
    if rows.total:
        lines.append(_row(rows.total, widths, aligns, fill=True, blank=""))
    return table(widths, lines, title=rows.title)


def _row(
    texts: Sequence[str],
    widths: Sequence[float],
    aligns: Sequence[Align],
    *,
    keep: bool = False,
    fill: bool = False,
    blank: str = layout.BLANK,
) -> str:
    cells = [
        cell(paragraphs(CELL_STYLES[align], text if text.strip() else blank, keep=keep), width, fill=fill)
        for text, width, align in zip(texts, widths, aligns, strict=True)
    ]
    return row(cells, split=layout.may_split(texts, widths))


def _pairs(pairs: Pairs) -> str:
    widths = layout.pairs_widths(pairs)
    heads = [
        cell(paragraphs("sbHead", text), width, fill=True) for text, width in zip(pairs.headers, widths, strict=True)
    ]
    lines = [row(heads, header=True)]
    for texts in pairs.rows:
        cells = [cell(paragraphs("sbLabel", layout.label_text(texts[0], widths[0])), widths[0], fill=True)]
        for index in range(1, len(texts)):
            style = CELL_STYLES[pairs.align(index)]
            cells.append(cell(paragraphs(style, layout.or_blank(texts[index])), widths[index]))
        lines.append(row(cells, split=layout.may_split(texts, widths)))
    return table(widths, lines, title=pairs.title)


def _cards(cards: Cards) -> str:
    if not cards.cards:
        return paragraphs("sbProse", layout.or_blank(cards.empty))
    parts = []
    for card, heading in zip(cards.cards, layout.card_headings(cards), strict=True):
        parts.append(paragraph("sbCard", heading))
        for index, part in enumerate(card.parts):
            if part.title:
                parts.append(paragraph("sbPart", part.title))
            elif index:
                parts.append(paragraph("sbGap"))
            parts.append(_block(part))
    return "".join(parts)


def _seal(paper: Paper) -> str:
    """The statement, and under it the places for signature, seal and date, in one row that never splits.

    One row, because only Word itself keeps neighbouring rows together; other programs tear them apart.
    """
    sides = layout.seal_widths(paper)
    content = paragraphs("sbPledge", paper.statement) if paper.statement else ""
    if paper.seal_place:
        content += _seal_paragraphs(paper.seal_place)
    cells = [cell(content, sides[-1], align="top")]
    if paper.statement:
        cells.insert(0, cell(paragraphs("sbLabel", layout.statement_label()), sides[0], fill=True))
    split = layout.may_split([paper.statement], [sides[-1]])
    return table(sides, [row(cells, split=split)], title=layout.statement_label())


def _seal_paragraphs(place: SealPlace) -> str:
    """The seal rides on unit and date, so free room stands above and below them, and nothing beside them."""
    lines = (place.unit_label, place.unit, layout.date_line(place))
    styles = ("sbSealFirst", "sbSeal", "sbSealLast")
    seal = "".join(paragraph(style, text) for style, text in zip(styles, lines, strict=True))
    return paragraph("sbSign", f"{place.signer_label}：") + seal


def _bind_seal(body: Any, paper: Paper) -> None:
    """Tie the last lines of the content to the place for the seal, so that it never stands alone on a page."""
    if not (paper.statement or paper.seal_place) or len(body) < 5:
        return
    previous = body[-5]
    last = previous.findall(qn("w:tr"))[-1] if previous.tag == qn("w:tbl") else previous
    for item in last.iter(qn("w:pPr")):
        style = item.find(qn("w:pStyle"))
        if item.find(qn("w:keepNext")) is None and style is not None:
            style.addnext(OxmlElement("w:keepNext"))


def _with_fixed_times(data: bytes) -> bytes:
    """The archive again, each entry with the same time and attributes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            entry = zipfile.ZipInfo(name, EPOCH.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, source.read(name))
    return buffer.getvalue()
