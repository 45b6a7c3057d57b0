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


CHINESE = st.text(st.sampled_from("企业数字化转型申报，。、；：！？（）《》“”A1b2 .,%"), max_size=200)


@given(CHINESE, st.integers(24, 80))
def test_no_line_begins_or_ends_wrongly(text: str, width: int) -> None:
    lines = break_lines(text, width, measure)
    for line, following in zip(lines, lines[1:], strict=False):
        # A run of punctuation longer than a line, or one after a blank, leaves no choice.
        if following and following[0] in NO_START:
            assert _forced(text, following)
        if line and line[-1] in NO_END:
            assert _forced(text, following) or text[text.find(line) + len(line) :].startswith(" ")


def _forced(text: str, following: str) -> bool:
    """Whether the break lies inside an unbreakable run wider than any line here, or after a blank."""
    position = text.find(following.rstrip())
    before = text[:position]
    run = before[len(before.rstrip("，。、；：！？（）《》“”A1b2.,%")) :]
    return before.endswith(" ") or width_of(run) + 4 >= 20


@given(st.text(max_size=300), st.floats(0.5, 100))
def test_nothing_is_lost_and_it_ends(text: str, width: float) -> None:
    joined = "".join(break_lines(text, width, measure))
    assert joined.split() == joined.split()
    assert "".join(joined.split()) == "".join(text.split())


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x9FFF), max_size=200), st.integers(2, 60))
def test_lines_fit(text: str, width: int) -> None:
    assert all(width_of(line) <= width for line in break_lines(text, width, measure))
