"""The Word form, opened again: content, official measures, safety of text, stable bytes, speed."""

from __future__ import annotations

import io
import re
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
import zxingcpp
from docx import Document
from docx.oxml.ns import qn
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from app.documents import layout
from app.documents.tree import (
    Align,
    Card,
    Cards,
    Column,
    Facts,
    FileRow,
    Files,
    Pair,
    Pairs,
    Paper,
    Prose,
    Rows,
    SealPlace,
    walk_texts,
)
from app.documents.word import write_word
from app.documents.word_styles import FALLBACKS
from tests.factories_paper import ENTERPRISE, STATEMENT, plain_paper, sample_paper

PAYLOADS = (
    "{{7*7}}",
    "${jndi:ldap://x}",
    "<w:p/>",
    "]]>",
    "&amp;&lt;",
    '"/><w:instrText>',
    '{ INCLUDETEXT "/etc/passwd" }',
    "{DDEAUTO c:\\\\windows\\\\system32\\\\cmd.exe}",
    "<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>",
    "=1+1",
)


@pytest.fixture(scope="module")
def sample() -> bytes:
    return write_word(sample_paper())


@pytest.fixture(scope="module")
def document(sample: bytes) -> Any:
    return Document(io.BytesIO(sample))


def parts(data: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {
            name: archive.read(name).decode("utf-8", "replace")
            for name in archive.namelist()
            if name.endswith(("xml", "rels"))
        }


def body_text(data: bytes) -> str:
    """Text of the body without any white space."""
    root = Document(io.BytesIO(data)).element.body
    return re.sub(r"\s", "", "".join(node.text or "" for node in root.iter(qn("w:t"))))


def squeeze(text: str) -> str:
    return re.sub(r"\s", "", text)


def body_texts(paper: Paper) -> Iterator[str]:
    """What the body must show: everything but names of alignments and what stands in header and properties."""
    for block in paper.blocks:
        yield from (text for text in walk_texts(block) if text not in ("left", "right", "center"))


def test_everything_in_the_tree_is_printed(sample: bytes) -> None:
    text = body_text(sample)
    for wanted in body_texts(sample_paper()):
        assert squeeze(wanted) in text
    for wanted in (STATEMENT, ENTERPRISE, "法定代表人（签字）：", "申报单位（公章）", "真实性承诺", "年月日"):
        assert squeeze(wanted) in text


def test_page_is_a4_with_the_margins_of_the_standard(document: Any) -> None:
    section = document.sections[0]
    measures = (section.page_width, section.page_height, section.top_margin, section.bottom_margin, section.left_margin)
    assert [round(value.mm) for value in measures] == [210, 297, 37, 35, 28]
    assert round(section.right_margin.mm) == 26


def test_header_with_code_and_qr_is_on_every_page(document: Any) -> None:
    section = document.sections[0]
    assert document.settings.odd_and_even_pages_header_footer is True
    for header in (section.header, section.even_page_header):
        text = "".join(node.text or "" for node in header._element.iter(qn("w:t")))
        for wanted in (
            "编号：2024-PYRK-0001",
            "校验码：7K3F-92QD",
            "第2版",
            "https://shenbao.example.cn/verify/7K3F-92QD",
        ):
            assert wanted in text
        assert "请勿在此盖章" in text
        (picture,) = [part for part in header.part.related_parts.values() if part.content_type == "image/png"]
        assert zxingcpp.read_barcodes(Image.open(io.BytesIO(picture.blob)))[0].text == "GZCL1|2024-PYRK-0001|7K3F92QD"
        extent = next(header._element.iter(qn("wp:extent")))
        assert round(int(extent.get("cx")) / 36000) == 22


def test_page_number_stands_right_on_odd_and_left_on_even_pages(document: Any) -> None:
    section = document.sections[0]
    for footer, style in ((section.footer, "sbPageOdd"), (section.even_page_footer, "sbPageEven")):
        number = footer.paragraphs[0]
        assert number.style.style_id == style
        assert "PAGE" in "".join(node.text for node in footer._element.iter(qn("w:instrText")))
        assert number.text.replace("1", "").split() == ["—", "—"]
        assert footer.paragraphs[1].text == "哈尔滨市工业和信息化局监制"
    styles = parts(write_word(plain_paper()))["word/styles.xml"]
    assert re.search(r'styleId="sbPageOdd".*?<w:jc w:val="right"/>.*?</w:style>', styles)


@pytest.mark.parametrize(
    ("style", "font", "half_points"),
    [
        ("sbTitle", "方正小标宋简体", "44"),
        ("sbHeading", "黑体", "32"),
        ("sbCard", "楷体_GB2312", "30"),
        ("sbProse", "仿宋_GB2312", "32"),
        ("sbPageOdd", "宋体", "28"),
    ],
)
def test_official_faces_and_sizes(document: Any, style: str, font: str, half_points: str) -> None:
    element = next(s.element for s in document.styles if s.style_id == style)
    assert element.find(f".//{qn('w:rFonts')}").get(qn("w:eastAsia")) == font
    assert element.find(f".//{qn('w:sz')}").get(qn("w:val")) == half_points


def test_every_face_has_a_fallback(sample: bytes) -> None:
    table = parts(sample)["word/fontTable.xml"]
    for name, others in FALLBACKS.items():
        assert f'w:name="{name}"><w:altName w:val="{others}"/>' in table


def test_label_cells_are_grey_and_value_cells_are_not(document: Any) -> None:
    cells = list(document.tables[0]._tbl.iter(qn("w:tc")))
    fills = [cell.find(f"{qn('w:tcPr')}/{qn('w:shd')}") is not None for cell in cells]
    assert fills[:4] == [True, False, True, False]


def test_amounts_are_right_aligned(document: Any) -> None:
    (cell,) = [
        p
        for p in document.element.body.iter(qn("w:p"))
        if "".join(t.text or "" for t in p.iter(qn("w:t"))) == "12,480.55"
    ]
    assert cell.pPr.pStyle.val == "sbCellRight"


def test_rows_stay_whole_and_heads_repeat(document: Any) -> None:
    for table in document.tables:
        for row in table._tbl.tr_lst:
            assert row.trPr.find(qn("w:cantSplit")) is not None
    heads = [table._tbl.tr_lst[0].trPr.find(qn("w:tblHeader")) is not None for table in document.tables]
    # Needs, before/after and providers of three projects, the sums and the files have a head; forms have none.
    assert sum(heads) == 1 + 3 * 2 + 1 + 1


def test_a_row_taller_than_a_page_may_split() -> None:
    document = Document(
        io.BytesIO(write_word(plain_paper(Facts("情况", (Pair("说明", "很长的说明。" * 900, wide=True),)))))
    )
    assert document.tables[0]._tbl.tr_lst[0].trPr.find(qn("w:cantSplit")) is None


def test_headings_are_numbered_and_stay_with_what_follows(document: Any) -> None:
    headings = [p for p in document.paragraphs if p.style.style_id == "sbHeading"]
    assert [p.text for p in headings] == [
        "一、基本情况",
        "二、数字化转型需求",
        "三、数字化转型项目",
        "四、项目投入汇总",
        "五、其他情况",
        "六、附件清单",
    ]
    assert all(p.style.paragraph_format.keep_with_next for p in headings)
    assert [p.text for p in document.paragraphs if p.style.style_id == "sbCard"][0] == "（一）智能排产与制造执行系统"


def test_no_two_tables_touch(document: Any) -> None:
    tags = [child.tag for child in document.element.body]
    assert not any(a == b == qn("w:tbl") for a, b in zip(tags, tags[1:], strict=False))


def test_seal_has_room_and_stays_with_statement_and_content(document: Any) -> None:
    seal = document.tables[-1]._tbl
    (row,) = seal.tr_lst
    assert row.trPr.find(qn("w:cantSplit")) is not None
    texts = ["".join(node.text or "" for node in paragraph.iter(qn("w:t"))) for paragraph in row.tc_lst[-1].p_lst]
    assert texts[-3:] == ["申报单位（公章）", ENTERPRISE, "　　　年　　　月　　　日"]
    first, last = (next(s for s in document.styles if s.style_id == key) for key in ("sbSealFirst", "sbSealLast"))
    lines = 3 * layout.SEAL_LINE
    room = first.paragraph_format.space_before.mm + lines + last.paragraph_format.space_after.mm
    assert room >= layout.SEAL_SIZE
    assert layout.TEXT_WIDTH - layout.PLEDGE_LABEL - first.paragraph_format.left_indent.mm >= layout.SEAL_SIZE
    before = seal.getprevious()
    assert before.pPr.find(qn("w:keepNext")) is not None
    last_row = before.getprevious().tr_lst[-1]
    assert all(p.pPr.find(qn("w:keepNext")) is not None for p in last_row.iter(qn("w:p")))


def test_seal_without_statement_and_statement_without_seal() -> None:
    only_seal = body_text(
        write_word(plain_paper(seal_place=SealPlace("某局", "审核单位（公章）", "负责人（签字）", "2024年4月19日")))
    )
    assert only_seal.endswith("负责人（签字）：审核单位（公章）某局2024年4月19日")
    only_statement = body_text(write_word(plain_paper(statement="本人承诺属实。")))
    assert only_statement.endswith("真实性承诺本人承诺属实。")


def test_empty_answers_and_lists_are_said() -> None:
    paper = plain_paper(
        Facts("甲", (Pair("说明", ""),)),
        Rows("乙", (Column("名称"), Column("金额", "right", "万元")), (), empty="没有填写"),
        Cards("丙", ()),
        Files("丁", (), empty="没有附件"),
        Facts("戊", ()),
    )
    text = body_text(write_word(paper))
    assert text == "情况说明一、甲说明—二、乙名称金额（万元）没有填写三、丙—四、丁序号材料名称文件名大小没有附件五、戊"


def test_paper_without_code_has_no_picture_and_no_warning() -> None:
    data = write_word(plain_paper())
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert not [name for name in archive.namelist() if name.endswith(".png")]
    assert "盖章" not in "".join(parts(data).values())


def test_same_paper_same_bytes_at_any_time(sample: bytes) -> None:
    for moment in (datetime(2020, 1, 1, tzinfo=UTC), datetime(2031, 12, 31, 23, 59, tzinfo=UTC)):
        with time_machine.travel(moment):
            assert write_word(sample_paper()) == sample
    assert write_word(sample_paper(digest="0" * 64)) != sample


def test_properties_name_the_paper_and_nobody_else(document: Any) -> None:
    properties = document.core_properties
    assert properties.title == "哈尔滨市中小企业数字化改造试点企业培育入库申报表"
    assert properties.subject == "2024-PYRK-0001"
    assert properties.identifier == sample_paper().digest
    assert (properties.author, properties.comments) == ("", "")


@pytest.mark.parametrize("payload", PAYLOADS)
def test_text_is_never_markup_or_a_field(payload: str) -> None:
    data = write_word(
        sample_paper(
            title=payload, statement=payload, footer=payload, blocks=(Facts(payload, (Pair(payload, payload),)),)
        )
    )
    contents = parts(data)
    fields = [code for content in contents.values() for code in re.findall(r"<w:instrText[^>]*>([^<]*)", content)]
    assert {code.strip() for code in fields} == {"PAGE"}
    assert not [name for name, content in contents.items() if 'TargetMode="External"' in content]
    assert body_text(data).count(squeeze(payload)) == 5


ORDER = {
    "pPr": (
        "pStyle",
        "keepNext",
        "keepLines",
        "widowControl",
        "kinsoku",
        "overflowPunct",
        "spacing",
        "ind",
        "jc",
        "outlineLvl",
    ),
    "rPr": ("rFonts", "color", "sz", "szCs", "lang"),
    "tblPr": ("tblW", "jc", "tblBorders", "tblLayout", "tblCellMar", "tblCaption"),
    "tcPr": ("tcW", "gridSpan", "vMerge", "tcBorders", "shd", "vAlign"),
    "trPr": ("cantSplit", "trHeight", "tblHeader"),
    "settings": ("zoom", "defaultTabStop", "evenAndOddHeaders", "characterSpacingControl", "compat", "themeFontLang"),
}


def test_elements_stand_in_the_order_of_the_schema(document: Any) -> None:
    section = document.sections[0]
    roots = [
        document.element,
        document.styles.element,
        document.settings.element,
        section.header._element,
        section.footer._element,
    ]
    checked = 0
    for root in roots:
        for element in root.iter():
            order = ORDER.get(element.tag.rpartition("}")[2])
            if order is not None and len(element):
                positions = [order.index(child.tag.rpartition("}")[2]) for child in element]
                assert positions == sorted(positions), element.tag
                checked += 1
    assert checked > 500


def test_grid_and_cells_agree(document: Any) -> None:
    for table in document.tables:
        columns = len(table._tbl.tblGrid.gridCol_lst)
        for row in table._tbl.tr_lst:
            assert sum(cell.grid_span for cell in row.tc_lst) == columns


def test_reference_declaration_is_written_in_time() -> None:
    paper, times = sample_paper(), []
    for _ in range(7):
        start = time.perf_counter()
        write_word(paper)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.1


def test_two_hundred_rows_are_fast_and_complete() -> None:
    rows = tuple((str(n), f"设备{n}", f"{n:,}.00") for n in range(1, 201))
    start = time.perf_counter()
    data = write_word(
        plain_paper(Rows("设备", (Column("序号"), Column("名称"), Column("金额", "right", "万元")), rows))
    )
    assert time.perf_counter() - start < 2
    assert len(Document(io.BytesIO(data)).tables[0]._tbl.tr_lst) == 201


ALIGNS: tuple[Align, ...] = ("left", "center", "right")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60), st.sampled_from(ALIGNS))
def test_any_text_is_written_and_read_back(label: str, text: str, align: Align) -> None:
    pair = Pair(label, text, align=align)
    paper = plain_paper(
        Facts(label, (pair, pair)),
        Rows(label, (Column(label, align, text), Column(text)), ((text, label),), (label, text)),
        Cards(label, (Card(text, (Pairs(label, (label, text), ((text, label),)),)),)),
        Prose(text, text),
        Files(label, (FileRow(label, text, text),)),
        title=text,
        subtitle=label,
        statement=text,
        seal_place=SealPlace(text, label),
    )
    printed = body_text(write_word(paper))
    for wanted in body_texts(paper):
        assert squeeze(wanted) in printed


def test_layout_measures_reach_the_file(document: Any) -> None:
    widths = [int(column.get(qn("w:w"))) for column in document.tables[0]._tbl.tblGrid.gridCol_lst]
    assert sum(widths) / 1440 * 25.4 == pytest.approx(layout.TEXT_WIDTH, abs=0.2)
