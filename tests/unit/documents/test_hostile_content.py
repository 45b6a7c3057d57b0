"""Whatever an applicant types arrives on Word, PDF and Excel as text: nothing lost, nothing executed, nothing broken.

Each file is opened again by another program's reader and compared with what was put in.
"""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pypdfium2
import pytest
import python_calamine
from docx import Document

from app.documents.pdf import write_pdf
from app.documents.sheet import SheetColumn, SheetSpec, write_bulk, write_sheet
from app.documents.tree import Card, Cards, Column, Facts, FileRow, Files, Pair, Pairs, Paper, Prose, Rows
from app.documents.word import write_word
from app.fields.base import clean_text
from tests.factories_paper import plain_paper

XML = [
    "<w:t>企业</w:t>",
    "A & B &amp; C",
    "]]><!-- -->",
    "\"企业\" 'x'",
    "</w:tbl></w:body>",
    "<![CDATA[x]]>",
    "&#x0;&#9;",
]
FIELDS = ["{ PAGE }", "{ DDEAUTO cmd }", "{{ config }}", "${7*7}", "{% raw %}", "%s %d %n", "\\fldinst INCLUDETEXT"]
FORMULAS = ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", '=HYPERLINK("http://x","点")', "|cmd|' /C calc'!A0", "＝1+1"]
UNICODE = ["𠮷野家", "e\u0301 é", "👷🏽‍♀️ 工人", "مرحبا", "１２３ ①②", "a\u200bb", "…—“”‘’", "ﬁ Å"]
CONTROL = ["甲\x00乙", "甲\x0b乙", "甲\x1f乙", "甲\ufffe乙", "甲\x7f乙", "甲\ud800乙"]
HOSTILE = [*XML, *FIELDS, *FORMULAS, *UNICODE, *CONTROL]
hostile = pytest.mark.parametrize("text", HOSTILE, ids=ascii)


def everywhere(text: str) -> Paper:
    """A paper that holds ``text`` in every place where an applicant's words can stand."""
    return plain_paper(
        Facts("基本情况", (Pair("企业名称", text), Pair(text, "值"), Pair("说明", text, wide=True))),
        Rows("明细", (Column("名称"), Column("数", "right", "个")), ((text, "1"), ("乙", text)), ("合计", text)),
        Pairs("成效", ("项目", "前", "后"), ((text, text, "1"),)),
        Cards("项目", (Card(text, (Facts("", (Pair("项目名称", text),)),)),)),
        Files("附件清单", (FileRow("审计报告", text, "1.0 MB"),)),
        Prose("情况说明", text),
        serial="2026-PY-0001",
        statement=text,
        footer=text,
        version_label=text,
    )


def word_text(data: bytes) -> str:
    """All text of a Word file, body, headers and footers, as another reader sees it."""
    document = Document(io.BytesIO(data))
    section = document.sections[0]
    parts = [document.element.body, section.header._element, section.footer._element]
    return "\n".join("".join(node.text or "" for node in part.iter() if node.tag.endswith("}t")) for part in parts)


def times(text: str, whole: str) -> int:
    """How often ``text`` stands in ``whole``, blanks and line ends aside."""
    return re.sub(r"\s", "", whole).count(re.sub(r"\s", "", text))


@hostile
def test_word_holds_it_in_every_place(text: str) -> None:
    shown = clean_text(text, multiline=True)
    data = write_word(everywhere(text))
    assert times(shown, word_text(data)) >= 13
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            if name.endswith((".xml", ".rels")):
                ElementTree.fromstring(archive.read(name))


@hostile
def test_word_has_no_field_but_the_page_number_and_no_link(text: str) -> None:
    with zipfile.ZipFile(io.BytesIO(write_word(everywhere(text)))) as archive:
        body = archive.read("word/document.xml").decode()
        relations = "".join(archive.read(n).decode() for n in archive.namelist() if n.endswith(".rels"))
        footers = "".join(archive.read(n).decode() for n in archive.namelist() if "footer" in n and n.endswith(".xml"))
    assert "<w:instrText" not in body and "<w:hyperlink" not in body and "<w:fldSimple" not in body
    assert set(re.findall(r"<w:instrText[^>]*>([^<]*)<", footers)) == {" PAGE "}
    assert 'TargetMode="External"' not in relations


def test_text_that_went_through_word_is_the_same_paper() -> None:
    """Two papers that differ in one sign differ in their Word text: nothing is folded together on the way."""
    texts = [word_text(write_word(everywhere(t))) for t in ("甲", "乙", "甲 ", "甲甲")]
    assert len(set(texts)) == 3, "only the blank at the end is dropped"


@pytest.mark.parametrize("lines", [1, 2, 40])
def test_line_breaks_of_an_answer_stay(lines: int) -> None:
    answer = "\n".join(f"第{n}点说明。" for n in range(lines))
    document = Document(io.BytesIO(write_word(plain_paper(Prose("说明", answer)))))
    texts = [p.text for p in document.paragraphs if p.text.endswith("点说明。")]
    assert texts == answer.split("\n")


@pytest.mark.parametrize("signs", [1000, 5000])
def test_a_long_answer_is_complete_in_a_cell(signs: int) -> None:
    answer = "".join(chr(0x4E00 + n % 3000) for n in range(signs))
    document = Document(io.BytesIO(write_word(plain_paper(Facts("情况", (Pair("说明", answer, wide=True),))))))
    assert document.tables[0].rows[0].cells[1].text == answer


def test_two_hundred_rows_are_two_hundred_rows() -> None:
    rows = tuple((str(n), f"设备{n}", f"{n * 10:,}.00") for n in range(1, 201))
    columns = (Column("序号", "center"), Column("名称"), Column("金额", "right", "元"))
    document = Document(io.BytesIO(write_word(plain_paper(Rows("设备", columns, rows, ("合计", "", "201,000.00"))))))
    (table,) = document.tables
    assert [tuple(cell.text for cell in row.cells) for row in table.rows[1:-1]] == list(rows)
    assert [cell.text for cell in table.rows[0].cells] == ["序号", "名称", "金额\n（元）"]
    assert [cell.text for cell in table.rows[-1].cells] == ["合计", "", "201,000.00"], "a total leaves blanks blank"


# -- PDF --------------------------------------------------------------------------------------------------------------


def pdf_pages(data: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(data)
    try:
        return [re.sub(r"\s", "", page.get_textpage().get_text_range()) for page in document]
    finally:
        document.close()


@pytest.mark.parametrize("text", [*XML, *FIELDS, *FORMULAS[:3]], ids=ascii)
def test_pdf_shows_markup_as_text(text: str, font_folder: Path) -> None:
    pages = "".join(pdf_pages(write_pdf(everywhere(text), font_folder)))
    assert times(clean_text(text, multiline=True), pages) >= 10


@pytest.mark.parametrize("text", CONTROL, ids=ascii)
def test_pdf_leaves_out_what_no_document_can_carry(text: str, font_folder: Path) -> None:
    pages = "".join(pdf_pages(write_pdf(plain_paper(Facts("表", (Pair("值", f"始{text}终"),))), font_folder)))
    assert re.search("始.{0,2}终", pages), "the signs around it stay together"


def test_pdf_carries_no_action(font_folder: Path) -> None:
    data = write_pdf(everywhere("https://example.cn/?a=1 javascript:alert(1)"), font_folder)
    for mark in (b"/JavaScript", b"/JS", b"/URI", b"/Launch", b"/OpenAction", b"/EmbeddedFile", b"/AcroForm"):
        assert mark not in data


@pytest.mark.parametrize("rows", [30, 200])
def test_every_row_is_on_some_page_once_and_pages_are_numbered(rows: int, font_folder: Path) -> None:
    lines = tuple((f"第{n:03}行", "一") for n in range(rows))
    pages = pdf_pages(write_pdf(plain_paper(Rows("明细", (Column("名称"), Column("值")), lines)), font_folder))
    assert len(pages) > 1
    assert re.findall(r"第(\d{3})行", "".join(pages)) == [f"{n:03}" for n in range(rows)]
    for number, page in enumerate(pages, 1):
        assert f"—{number}—" in page


def test_a_word_without_end_stays_on_the_page_and_complete(font_folder: Path) -> None:
    word = "A" * 2000
    pages = pdf_pages(write_pdf(plain_paper(Facts("表", (Pair("网址", word, wide=True),))), font_folder))
    assert "".join(pages).count("A") == len(word)


# -- Excel ------------------------------------------------------------------------------------------------------------


def formulas_in(data: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        sheets = [n for n in archive.namelist() if n.startswith("xl/worksheets/") and n.endswith(".xml")]
        found = [re.findall(r"<f[ >].*?</f>", archive.read(n).decode()) for n in sheets]
        assert not [n for n in archive.namelist() if "externalLink" in n or n.endswith("vbaProject.bin")]
    return [f for formulas in found for f in formulas]


def cells(data: bytes) -> list[list[Any]]:
    return python_calamine.load_workbook(io.BytesIO(data)).get_sheet_by_index(0).to_python()


@hostile
def test_a_list_holds_it_as_text(text: str) -> None:
    columns = (SheetColumn("企业名称"), SheetColumn(text or "列"))
    data = write_sheet(SheetSpec(title=text, columns=columns, rows=[(text, "x")], note_lines=(text,), subtitle=text))
    shown = clean_text(text, multiline=True)
    assert formulas_in(data) == []
    assert sum(cell == shown for row in cells(data) for cell in row) == 5


@hostile
def test_a_grid_holds_it_as_text(text: str) -> None:
    buffer = io.BytesIO()
    write_bulk((SheetColumn("企业名称"), SheetColumn("金额", "decimal")), [(text, text), ("乙", 1)], buffer, title=text)
    shown = clean_text(text, multiline=True)
    assert formulas_in(buffer.getvalue()) == []
    assert cells(buffer.getvalue())[1] == [shown, shown], "words in a column of amounts stay words"
    assert cells(buffer.getvalue())[2] == ["乙", 1.0]
