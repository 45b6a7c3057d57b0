"""Line breaking: punctuation, words, numbers, and that it always ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents.breaking import NO_END, NO_START, break_lines


def measure(sign: str) -> float:
    """Full-width signs count two, all others one."""
    return 1.0 if sign < "\u2e80" and sign not in "“”‘’…—" else 2.0


def width_of(line: str) -> float:
    return sum(map(measure, line))


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("", 10, [""]),
        ("企业名称", 10, ["企业名称"]),
        ("企业名称企业名称", 10, ["企业名称企", "业名称"]),
        ("一二三四五。六", 10, ["一二三四", "五。六"]),
        ("一二三四（五六）", 10, ["一二三四", "（五六）"]),
        ("一二三12,480.55万元", 10, ["一二三", "12,480.55", "万元"]),
        ("第一行\n第二行", 10, ["第一行", "第二行"]),
        ("一\n\n二", 10, ["一", "", "二"]),
        ("hello world again", 11, ["hello world", "again"]),
        ("增长28.5%，其中", 8, ["增长", "28.5%，", "其中"]),
        ("他说：“好。”然后", 8, ["他说：", "“好。”", "然后"]),
    ],
)
def test_breaks(text: str, width: float, lines: list[str]) -> None:
    assert break_lines(text, width, measure) == lines


def test_a_long_word_is_cut_to_fit() -> None:
    lines = break_lines("A" * 25, 10, measure)
    assert lines == ["A" * 10, "A" * 10, "A" * 5]


def test_a_long_word_begins_in_what_is_left_of_the_line() -> None:
    assert break_lines("一二" + "A" * 12, 10, measure) == ["一二AAAAAA", "AAAAAA"]


def test_a_sign_wider_than_the_line_stands_alone() -> None:
    assert break_lines("一二", 1, measure) == ["一", "二"]


def test_addresses_break_after_slashes() -> None:
    lines = break_lines("https://shenbao.example.cn/verify/7K3F-92QD", 30, measure)
    assert "".join(lines) == "https://shenbao.example.cn/verify/7K3F-92QD"
    assert all(width_of(line) <= 30 for line in lines)


PHRASE = st.tuples(
    st.sampled_from(["", "（", "“", "《"]),
    st.text(st.sampled_from("企业数字化转型申报"), min_size=2, max_size=9),
    st.sampled_from(["", "12,480.55", "28.5%", "V5.0"]),
    st.sampled_from(["，", "。", "；", "）", "”", "》", "、", "”。", ""]),
).map("".join)


@given(st.lists(PHRASE, min_size=1, max_size=30).map("".join), st.integers(32, 90))
def test_no_line_begins_or_ends_wrongly(text: str, width: int) -> None:
    for line in break_lines(text, width, measure):
        assert not line or line[0] not in NO_START
        assert not line or line[-1] not in NO_END or text.endswith(line)


@given(st.lists(PHRASE, min_size=1, max_size=30).map("".join), st.integers(32, 90))
def test_numbers_stay_whole(text: str, width: int) -> None:
    lines = break_lines(text, width, measure)
    assert sum(line.count("12,480.55") for line in lines) == text.count("12,480.55")


@given(st.text(max_size=300), st.floats(0.5, 100))
def test_nothing_is_lost_and_it_ends(text: str, width: float) -> None:
    joined = "".join(break_lines(text, width, measure))
    assert "".join(joined.split()) == "".join(text.split())


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x9FFF), max_size=200), st.integers(2, 60))
def test_lines_fit(text: str, width: int) -> None:
    assert all(width_of(line) <= width for line in break_lines(text, width, measure))
