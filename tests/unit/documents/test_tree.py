"""The value tree: text is clean, tables are square, texts can be walked."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents.tree import Card, Cards, Column, Facts, FileRow, Files, Pair, Pairs, Paper, Prose, Rows, walk_texts
from app.fields.base import has_control_characters
from tests.factories_paper import ENTERPRISE, basic_facts, sample_paper


def test_text_is_cleaned_wherever_it_enters() -> None:
    bad = "甲\x00\x0b\ufffe\ud800乙"
    paper = Paper(
        title=bad,
        serial=bad,
        blocks=(
            Facts(bad, (Pair(bad, bad),)),
            Rows(bad, (Column(bad, unit=bad),), ((bad,),), (bad,)),
            Pairs(bad, (bad, bad), ((bad, bad),)),
            Cards(bad, (Card(bad, (Facts(bad, (Pair(bad, bad),)),)),)),
            Prose(bad, bad),
            Files(bad, (FileRow(bad, bad, bad),)),
        ),
    )
    assert {text for text in walk_texts(paper) if text and text not in ("left", "right")} == {"甲乙"}


def test_line_breaks_stay_and_are_uniform() -> None:
    assert Pair("规划", "一\r\n二\r三").text == "一\n二\n三"


def test_nodes_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        basic_facts().title = "别的"  # type: ignore[misc]


def test_equal_content_is_equal() -> None:
    assert sample_paper() == sample_paper()
    assert sample_paper() != sample_paper(serial="2024-PYRK-0002")


@pytest.mark.parametrize("rows", [((),), (("1",),), (("1", "2", "3"),)])
def test_a_crooked_table_is_a_defect(rows: tuple[tuple[str, ...], ...]) -> None:
    with pytest.raises(ValueError, match="cells in a row of 2 columns"):
        Rows("表", (Column("甲"), Column("乙")), rows)
    with pytest.raises(ValueError, match="cells in a row of 2 columns"):
        Pairs("表", ("甲", "乙"), rows)


def test_a_crooked_total_is_a_defect() -> None:
    with pytest.raises(ValueError, match="3 cells"):
        Rows("表", (Column("甲"), Column("乙")), (("1", "2"),), ("合计", "2", "3"))


def test_alignment_of_a_comparison() -> None:
    plain = Pairs("成效", ("维度", "前", "后"), ())
    assert [plain.align(index) for index in range(3)] == ["left", "right", "right"]
    chosen = Pairs("成效", ("维度", "前", "后"), (), ("left", "center", "left"))
    assert [chosen.align(index) for index in range(3)] == ["left", "center", "left"]


def test_walk_finds_every_kind_of_text_in_order() -> None:
    texts = list(walk_texts(sample_paper()))
    assert texts[0].startswith("哈尔滨市")
    for wanted in (
        ENTERPRISE,
        "12,480.55",
        "准时交货率：70%",
        "联信边缘采集网关",
        "北辰轴承2023年审计报告.pdf",
        "合计",
    ):
        assert wanted in texts


@given(st.text())
def test_no_text_smuggles_a_control_character(text: str) -> None:
    assert not any(has_control_characters(found) for found in walk_texts(Prose(text, text)))
