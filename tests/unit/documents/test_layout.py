"""What Word and PDF share: numbering, header lines, the grid of a form, widths."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents import layout
from app.documents.tree import Cards, Column, Files, Pair, Pairs, Prose, SealPlace
from tests.factories_paper import basic_facts, plain_paper, sample_paper


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1, "一"),
        (10, "十"),
        (11, "十一"),
        (20, "二十"),
        (35, "三十五"),
        (100, "一百"),
        (103, "一百零三"),
        (110, "一百一十"),
        (111, "一百一十一"),
        (999, "九百九十九"),
    ],
)
def test_chinese_number(number: int, text: str) -> None:
    assert layout.chinese_number(number) == text


@pytest.mark.parametrize("number", [0, -1, 1000])
def test_chinese_number_has_limits(number: int) -> None:
    with pytest.raises(ValueError, match="no heading number"):
        layout.chinese_number(number)


def test_headings_count_only_titled_blocks() -> None:
    paper = plain_paper(Prose("", "引言"), Prose("依据", "文"), Prose("", "接上"), Prose("结论", "文"))
    assert layout.headings(paper) == ["", "一、依据", "", "二、结论"]


def test_card_headings() -> None:
    cards = sample_paper().blocks[2]
    assert isinstance(cards, Cards)
    assert layout.card_headings(cards)[1] == "（二）设备物联与能耗管理平台"


def test_header_lines_leave_out_what_is_missing() -> None:
    assert layout.header_lines(plain_paper(serial="")) == []
    lines = layout.header_lines(sample_paper())
    assert lines[0] == "编号：2024-PYRK-0001"
    assert lines[1] == "校验码：7K3F-92QD"
    assert len(lines) == 4


def test_grid_pairs_two_and_gives_wide_ones_a_row() -> None:
    grid = layout.facts_grid(
        [Pair("甲", "1"), Pair("乙", "2"), Pair("丙", "3"), Pair("丁", "4", wide=True), Pair("戊", "5")]
    )
    assert [[pair.label for pair in row] for row in grid] == [["甲", "乙"], ["丙"], ["丁"], ["戊"]]


def test_grid_widens_what_is_cramped() -> None:
    grid = layout.facts_grid([Pair("甲", "1"), Pair("乙", "很长的回答" * 20), Pair("丙", "3")])
    assert [len(row) for row in grid] == [1, 1, 1]


def test_grid_keeps_every_pair_in_order() -> None:
    pairs = basic_facts().pairs
    assert tuple(pair for row in layout.facts_grid(pairs) for pair in row) == pairs


@given(st.lists(st.tuples(st.text(max_size=80), st.booleans()), max_size=30))
def test_grid_never_loses_a_pair(items: list[tuple[str, bool]]) -> None:
    pairs = [Pair(f"标签{index}", text, wide=wide) for index, (text, wide) in enumerate(items)]
    rows = layout.facts_grid(pairs)
    assert [pair for row in rows for pair in row] == pairs
    assert all(len(row) in (1, 2) for row in rows)


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("企业名称", "企业名称"),
        ("改造总花费（万元）", "改造总花费\n（万元）"),
        ("优质中小企业情况", "优质中小\n企业情况"),
        ("数据采集传输设备支出（万元）", "数据采集传输设备支出（万元）"),
        ("已有\n换行", "已有\n换行"),
    ],
)
def test_label_breaks_by_meaning(label: str, text: str) -> None:
    assert layout.label_text(label) == text


@given(st.text(max_size=60))
def test_label_keeps_its_signs(label: str) -> None:
    assert layout.label_text(label).replace("\n", "") == label.replace("\n", "")


@given(st.lists(st.integers(1, 60), min_size=1, max_size=20))
def test_shared_widths_fill_the_text_area(weights: list[int]) -> None:
    widths = layout.share_widths(weights)
    assert sum(widths) == pytest.approx(layout.TEXT_WIDTH)
    assert all(width > 0 for width in widths)


def test_a_light_column_still_holds_a_sign() -> None:
    assert min(layout.share_widths([1, 60, 60])) == layout.MIN_COLUMN
    assert layout.share_widths([4, 14, 40]) == pytest.approx([10.8, 37.7, 107.5], abs=0.11)
    assert layout.share_widths([1] * 39) == pytest.approx([4.0] * 39)


def test_measures_are_those_of_the_standard() -> None:
    assert (layout.TOP, layout.BOTTOM, layout.LEFT, layout.RIGHT) == (37, 35, 28, 26)
    assert layout.TEXT_WIDTH == 156
    assert layout.PAGE_HEIGHT - layout.TOP - layout.BOTTOM == 225
    assert layout.HEADER_TOP + layout.QR_SIZE < layout.TOP
    assert layout.SEAL_ABOVE + 3 * layout.SEAL_LINE + layout.SEAL_BELOW >= layout.SEAL_SIZE
    assert layout.SEAL_CELL >= layout.SEAL_SIZE


def test_columns_of_a_comparison_are_wider_for_text() -> None:
    label, first, second = layout.pairs_widths(Pairs("成效", ("维度", "说明", "数"), (), ("left", "left", "right")))
    assert label < second < first


def test_file_table_numbers_its_rows() -> None:
    files = sample_paper().blocks[5]
    assert isinstance(files, Files)
    table = layout.file_table(files)
    assert [row[0] for row in table.rows] == ["1", "2"]
    assert [column.align for column in table.columns] == ["center", "left", "left", "right"]


def test_small_words() -> None:
    assert layout.or_blank("  ") == "—"
    assert layout.or_blank("无") == "无"
    assert layout.column_title(Column("金额", unit="万元")) == "金额\n（万元）"
    assert layout.date_line(SealPlace("公司", date="2024年4月19日")) == "2024年4月19日"
    assert layout.date_line(SealPlace("公司")).split() == ["年", "月", "日"]
    assert "".join(layout.seal_warning_lines()) == "请勿在此盖章"


def test_seal_table_has_no_label_column_without_statement() -> None:
    assert len(layout.seal_widths(sample_paper())) == 2
    assert len(layout.seal_widths(sample_paper(statement=""))) == 1
    assert sum(layout.seal_widths(sample_paper())) == sum(layout.seal_widths(sample_paper(statement=""))) == 156


def test_only_very_tall_rows_may_split() -> None:
    assert not layout.may_split(["短", "也短"], [30, 126])
    assert layout.may_split(["短", "长" * 3000], [30, 126])
