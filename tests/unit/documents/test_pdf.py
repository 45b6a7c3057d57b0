"""The PDF form, opened again: text, pages, breaks, embedded fonts, stable bytes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest
import time_machine
import zxingcpp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.documents.breaking import NO_START
from app.documents.pdf import write_pdf
from app.documents.tree import (
    Card,
    Cards,
    Column,
    Facts,
    FileRow,
    Files,
    Pair,
    Pairs,
    Prose,
    Rows,
    SealPlace,
    walk_texts,
)
from tests.factories_paper import ENTERPRISE, STATEMENT, plain_paper, sample_paper


@pytest.fixture(scope="module")
def sample(font_folder: Path) -> bytes:
    return write_pdf(sample_paper(), font_folder)


def pages(data: bytes) -> list[str]:
    """Text of each page without white space."""
    document = pypdfium2.PdfDocument(data)
    try:
        return [re.sub(r"\s", "", page.get_textpage().get_text_range()) for page in document]
    finally:
        document.close()


def squeeze(text: str) -> str:
    return re.sub(r"\s", "", text)


def scan(data: bytes, page: int, dpi: int = 150) -> Any:
    document = pypdfium2.PdfDocument(data)
    try:
        return document[page].render(scale=dpi / 72).to_pil()
    finally:
        document.close()


def table_of(count: int, text: str = "内容") -> Rows:
    rows = tuple((f"始{n}号", f"{text}\n终{n}号") for n in range(1, count + 1))
    return Rows("清单", (Column("序号", weight=8), Column("说明", weight=30)), rows)


def test_everything_in_the_tree_is_printed(sample: bytes) -> None:
    text = "".join(pages(sample))
    for block in sample_paper().blocks:
        for wanted in walk_texts(block):
            if wanted not in ("left", "right", "center"):
                assert _is_printed(wanted, text), wanted
    for wanted in (STATEMENT, ENTERPRISE, "法定代表人（签字）：", "申报单位（公章）", "（2024年度首批）"):
        assert _is_printed(wanted, text), wanted


def _is_printed(wanted: str, text: str) -> bool:
    """Whole, or in pieces when a cell beside it was read between its lines."""
    wanted = squeeze(wanted)
    return wanted in text or all(wanted[start : start + 6] in text for start in range(0, len(wanted) - 5, 6))


def test_every_page_carries_header_code_and_number(sample: bytes) -> None:
    texts = pages(sample)
    assert 5 <= len(texts) <= 8
    for number, text in enumerate(texts, 1):
        for wanted in ("编号：2024-PYRK-0001", "校验码：7K3F-92QD", "请勿在此盖章", "监制", f"—{number}—"):
            assert wanted in text


def test_qr_is_read_from_a_scan_of_every_page(sample: bytes) -> None:
    for page in range(len(pages(sample))):
        found = [code.text for code in zxingcpp.read_barcodes(scan(sample, page))]
        assert found == ["GZCL1|2024-PYRK-0001|7K3F92QD"]


def test_page_number_changes_sides(sample: bytes) -> None:
    document = pypdfium2.PdfDocument(sample)
    centres = []
    for number in (1, 2):
        page = document[number - 1].get_textpage()
        found = page.search(f"— {number} —").get_next()
        assert found is not None
        left, _, right, _ = page.get_charbox(found[0])
        centres.append((left + right) / 2)
    document.close()
    assert centres[0] > 400
    assert centres[1] < 150


def test_fonts_are_embedded(sample: bytes) -> None:
    with pikepdf.open(BytesIO(sample)) as pdf:
        names = {}
        for page in pdf.pages:
            for font in page.resources.Font.values():
                names[str(font.BaseFont)] = "/FontDescriptor" in font and "/FontFile2" in font.FontDescriptor
    assert len({name.partition("+")[2] for name in names}) == 2
    assert all(names.values()), names


def test_measures_and_language(sample: bytes) -> None:
    with pikepdf.open(BytesIO(sample)) as pdf:
        assert [round(float(value)) for value in pdf.pages[0].mediabox] == [0, 0, 595, 842]
        assert str(pdf.Root.Lang) == "zh-CN"
        assert "企业培育入库申报表" in str(pdf.docinfo.Title)


def test_same_paper_same_bytes_at_any_time(sample: bytes, font_folder: Path) -> None:
    for moment in (datetime(2020, 1, 1, tzinfo=UTC), datetime(2031, 12, 31, tzinfo=UTC)):
        with time_machine.travel(moment):
            assert write_pdf(sample_paper(), font_folder) == sample


def test_watermark_is_on_every_page_only_when_asked(sample: bytes, font_folder: Path) -> None:
    marked = write_pdf(sample_paper(), font_folder, watermark="预览，不作为盖章材料")
    assert all("不作为盖章材料" in text for text in pages(marked))
    assert not any("不作为盖章材料" in text for text in pages(sample))
    assert len(pages(marked)) == len(pages(sample))


def test_watermark_stays_pale(font_folder: Path) -> None:
    paper = plain_paper(qr="")
    grey = scan(write_pdf(paper, font_folder, watermark="预览，不作为盖章材料"), 0).convert("L")
    plain = scan(write_pdf(paper, font_folder), 0).convert("L")
    assert grey.tobytes() != plain.tobytes()
    middle = (300, 600, 1000, 1500)
    assert min(grey.crop(middle).get_flattened_data()) > 190


@pytest.mark.parametrize("count", [30, 60, 90])
def test_even_too_many_columns_do_not_fail(font_folder: Path, count: int) -> None:
    table = Rows("宽表", tuple(Column("列", weight=1 + n % 40) for n in range(count)), (("值",) * count,))
    (text,) = pages(write_pdf(plain_paper(table), font_folder))
    # Signs that lie on each other are read as one.
    assert text.count("值") == count or count > 60


@pytest.mark.parametrize("filler", range(0, 26, 2))
def test_no_heading_stands_alone_at_the_end_of_a_page(font_folder: Path, filler: int) -> None:
    lead = Prose("", "\n".join(["占位"] * filler) or "占位")
    texts = pages(write_pdf(plain_paper(lead, table_of(3)), font_folder))
    (page,) = [text for text in texts if "一、清单" in text]
    assert page.index("一、清单") < page.index("始1号")
    assert "终1号" in page


def test_rows_are_not_torn_and_heads_repeat(font_folder: Path) -> None:
    texts = pages(write_pdf(plain_paper(table_of(60, "两行\n三行")), font_folder))
    assert len(texts) > 3
    for number in range(1, 61):
        (page,) = [text for text in texts if f"始{number}号" in text]
        assert f"终{number}号" in page
    assert all("序号说明" in text for text in texts)


@pytest.mark.parametrize("signs", [2_000, 12_000])
def test_a_very_long_answer_runs_over_pages_complete(font_folder: Path, signs: int) -> None:
    text = "".join(f"第{n}句企业数字化转型。" for n in range(signs // 12))
    texts = pages(
        write_pdf(
            plain_paper(Facts("情况", (Pair("企业基本情况", text, wide=True), Pair("末项", "末值")))), font_folder
        )
    )
    whole = "".join(texts)
    for number in range(0, signs // 12, 7):
        assert f"第{number}句" in whole
    assert "末值" in texts[-1]


@pytest.mark.parametrize("filler", range(0, 24, 3))
def test_seal_keeps_statement_signature_and_date_together(font_folder: Path, filler: int) -> None:
    lead = Prose("", "\n".join(["占位"] * filler) or "占位")
    paper = plain_paper(
        lead, statement="本企业承诺所填报内容真实。", seal_place=SealPlace(ENTERPRISE, date="2024年4月19日")
    )
    (page,) = [text for text in pages(write_pdf(paper, font_folder)) if "公章" in text]
    for wanted in ("本企业承诺所填报内容真实。", "法定代表人（签字）", ENTERPRISE, "2024年4月19日"):
        assert wanted in page


def test_seal_without_statement_takes_the_last_words_with_it(font_folder: Path) -> None:
    for filler in (18, 19, 20, 21):
        paper = plain_paper(
            Prose("", "\n".join(["占位"] * filler)), Prose("意见", "同意推荐。"), seal_place=SealPlace("某局")
        )
        (page,) = [text for text in pages(write_pdf(paper, font_folder)) if "公章" in text]
        assert "同意推荐。" in page


def test_no_line_begins_with_punctuation(sample: bytes) -> None:
    document = pypdfium2.PdfDocument(sample)
    lines = [line for page in document for line in page.get_textpage().get_text_range().splitlines() if line.strip()]
    document.close()
    assert len(lines) > 150
    wrong = [line for line in lines if line[0] in NO_START and not re.fullmatch(r"— \d+ —|—", line.strip())]
    assert wrong == []


def test_many_columns_still_fit(font_folder: Path) -> None:
    columns = tuple(Column(f"很长的列名第{n}列", "right", "万元") for n in range(24))
    table = Rows("宽表", columns, (tuple("1,234,567.89" for _ in columns),))
    assert "一、宽表" in "".join(pages(write_pdf(plain_paper(table), font_folder)))


def test_empty_things_are_said(font_folder: Path) -> None:
    paper = plain_paper(
        Rows("乙", (Column("名称"),), (), empty="没有填写"), Cards("丙", ()), Facts("戊", ()), Files("丁", ())
    )
    text = "".join(pages(write_pdf(paper, font_folder)))
    assert "没有填写" in text
    assert text.count("—") >= 2


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=80), st.text(max_size=400), st.integers(1, 40))
def test_any_text_is_written(font_folder: Path, label: str, text: str, times: int) -> None:
    pair = Pair(label * times, text)
    paper = plain_paper(
        Facts(label, (pair, pair)),
        Rows(
            label * times, (Column(label * times, "right", text), Column(text)), ((text * times, label),), (label, text)
        ),
        Cards(label, (Card(text, (Pairs(label, (label, text), ((text, label),)), Facts("", (pair,)))),)),
        Prose(text, text * times),
        Files(label, (FileRow(label, text, text),)),
        title=text,
        subtitle=label,
        serial=text,
        footer=label * times,
        verify_url=text,
        statement=text * times,
        seal_place=SealPlace(text, label),
    )
    assert len(pages(write_pdf(paper, font_folder, watermark=label))) >= 1


MARKUP: Sequence[str] = ("<b>粗</b>", "<img src='file:///etc/passwd'/>", "&lt;", "<para>", "%s %(x)s {0}")


@pytest.mark.parametrize("text", MARKUP)
def test_text_is_never_markup(font_folder: Path, text: str) -> None:
    data = write_pdf(plain_paper(Facts("", (Pair("说明", text),)), Prose("", text)), font_folder)
    assert "".join(pages(data)).count(squeeze(text)) == 2
