"""A sign that no face of the PDF has is drawn as a box and told once; Word keeps it, since the reader's machine has it."""

from __future__ import annotations

import io
import logging
from pathlib import Path

import pypdfium2
import pytest
from docx import Document
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont

from app.documents import fonts
from app.documents.font_build import build_fonts
from app.documents.fonts import drawable, register
from app.documents.pdf import write_pdf
from app.documents.pdf_parts import Style, lines_of, one_line
from app.documents.tree import Card, Cards, Column, Facts, FileRow, Files, Pair, Prose, Rows
from app.documents.word import write_word
from tests.factories_paper import plain_paper

RARE, LAST, EMOJI = "\U00020bb7", "\u9fff", "\U0001f600"
"""𠮷 (in neither free face), the last sign of the basic block (in the serif face only), and a picture."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both faces with Latin letters, the signs of this file, and the box."""
    target = tmp_path_factory.mktemp("fonts")
    signs = set(range(0x20, 0x7F)) | set(map(ord, Path(__file__).read_text("utf-8"))) | {0x9FFF, 0x25A1, 0x3000}
    build_fonts(target, lambda line: None, unicodes=signs | set(map(ord, "情况说明编号：序一、年月日—")))
    return target


@pytest.fixture(scope="module")
def serif(folder: Path) -> str:
    return register(folder, {}).serif


def text_of(data: bytes) -> str:
    document = pypdfium2.PdfDocument(data)
    try:
        return "".join(page.get_textpage().get_text_range() for page in document)
    finally:
        document.close()


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        (f"{RARE}野家", "□野家"),
        (f"笑{EMOJI}脸", "笑□脸"),
        (LAST, LAST),
        ("한글", "□□"),
        ("\u2764\ufe0f", "□"),
        ("\U0001f468\u200d\U0001f469", "□□"),
        ("王\U000e0100敏", "王敏"),
        ("野家 (a)\t\n\xa0b", "野家 (a)\t\n\xa0b"),
        ("", ""),
    ],
    ids=ascii,
)
def test_what_is_drawn(text: str, drawn: str, serif: str) -> None:
    assert drawable(text, serif) == drawn


def test_each_face_is_asked_for_itself(folder: Path) -> None:
    faces = register(folder, {})
    assert (drawable(LAST, faces.serif), drawable(LAST, faces.sans)) == (LAST, "□")


def test_a_face_without_the_box_takes_the_next_stand_in(tmp_path: Path) -> None:
    build_fonts(tmp_path, lambda line: None, unicodes=range(0x20, 0x7F))
    assert drawable(f"a{RARE}", register(tmp_path, {}).serif) == "a?"


def test_the_last_resort_knows_the_basic_plane() -> None:
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    assert drawable(f"野家{RARE}{EMOJI}", "STSong-Light") == "野家□□"


def test_the_operator_reads_the_code_point_once(serif: str, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    sign = "\U0002a6b2"
    with caplog.at_level(logging.WARNING, logger=fonts.__name__):
        for _ in range(3):
            drawable(sign, serif)
            write_pdf(plain_paper(Prose("", sign * 5)), folder)
    assert [r.getMessage() for r in caplog.records] == [f"PDF font {serif} has no glyph for U+2A6B2: drawn as □"]


def test_no_sign_vanishes_anywhere_on_the_paper(folder: Path) -> None:
    odd = f"吉{RARE}{EMOJI}家"
    paper = plain_paper(
        Facts(odd, (Pair(odd, odd),)),
        Rows(odd, (Column(odd), Column("b")), ((odd, "b"),), None),
        Cards(odd, (Card(odd, (Prose("", odd),)),)),
        Prose(odd, odd),
        Files(odd, (FileRow(odd, odd, "1 KB"),)),
        title=odd,
        subtitle=odd,
        footer=odd,
        serial=odd,
    )
    text = text_of(write_pdf(paper, folder, watermark=odd))
    assert "\0" not in text and RARE not in text
    shown = "".join(text.split())
    assert shown.count("吉□□家") == shown.count("吉") >= 14


def test_the_box_is_ink_on_the_page(folder: Path) -> None:
    def ink(text: str) -> int:
        document = pypdfium2.PdfDocument(write_pdf(plain_paper(Prose("", text), title=" "), folder))
        try:
            return sum(1 for value in document[0].render(scale=2).to_pil().convert("L").tobytes() if value < 128)
        finally:
            document.close()

    assert ink(RARE * 20) == ink("□" * 20) > ink("") + 500


def test_lines_break_by_what_is_drawn(serif: str) -> None:
    style = Style(serif, 10, 12)
    assert lines_of(RARE * 4, style, 20) == ["□□", "□□"]
    assert one_line(f"{EMOJI}家\n家", style, 200) == "□家 家"


def test_word_keeps_the_sign_itself(folder: Path) -> None:
    odd = f"吉{RARE}{LAST}{EMOJI}家"
    document = Document(io.BytesIO(write_word(plain_paper(Prose("", odd), title=odd))))
    assert [p.text for p in document.paragraphs if "吉" in p.text] == [odd, odd]


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=30))
def test_everything_drawn_has_a_glyph_and_nothing_else_changes(text: str, serif: str) -> None:
    glyphs = pdfmetrics.getFont(serif).face.charToGlyph
    drawn = drawable(text, serif)
    assert all(ord(sign) in glyphs or sign in "\n\t\xa0" for sign in drawn)
    assert len(drawn) <= len(text)
    assert drawable(drawn, serif) == drawn
    kept = [sign for sign in text if ord(sign) in glyphs]
    assert [sign for sign in drawn if sign != "□"] == [s for s in text if s in "\n\t\xa0" or (s in kept and s != "□")]
