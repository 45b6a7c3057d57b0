"""Reading raw input: half-width, quoting, one text or several."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.fields.base import FieldError
from app.fields.raw import half_width, one_text, seen, several_texts


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("ＡＢｃ１２３", "ABc123"),
        ("（０４５１）", "(0451)"),
        ("\u3000a\u00a0b\u3000", "a b"),
        ("1\u22122\u20133\u20144", "1-2-3-4"),
        ("10²", "10²"),
        ("①", "①"),
        ("\u200b5\ufeff", "5"),
        ("汉字", "汉字"),
    ],
)
def test_half_width(typed: str, plain: str) -> None:
    assert half_width(typed) == plain


@given(text=st.text())
def test_half_width_twice_is_once(text: str) -> None:
    assert half_width(half_width(text)) == half_width(text)


def test_seen_is_short_and_clean() -> None:
    assert seen("12万") == "12万"
    assert seen("甲" * 20) == "甲" * 20
    assert seen("甲" * 21) == "甲" * 20 + "…"
    assert seen("a\x00b\u202ec\nd") == "abc d"


@given(text=st.text(alphabet=st.characters(codec=None)))
def test_seen_can_always_be_sent(text: str) -> None:
    shown = seen(text)
    shown.encode("utf-8")
    assert len(shown) <= 21 and "\n" not in shown


@pytest.mark.parametrize("raw", [None, "", " ", [], "\u200b\u200b"])
def test_one_text_of_nothing(raw: Any) -> None:
    assert one_text(raw) is None


def test_one_text_keeps_lines_if_asked() -> None:
    assert one_text("a\nb") == "a b"
    assert one_text("a\r\nb", multiline=True) == "a\nb"


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (["a", "b", "c"], "这里只能填一项，现在收到 3 项，请只留一项。"),
        (["a"], "这里要填文字，请重新填写。"),
        (12, "这里要填文字，请重新填写。"),
        (b"a", "这里要填文字，请重新填写。"),
        ("a\x00", "内容里有看不见的控制字符，请删掉这一段后重新输入。"),
    ],
)
def test_one_text_refusals(raw: Any, sentence: str) -> None:
    with pytest.raises(FieldError) as caught:
        one_text(raw)
    assert str(caught.value) == sentence


def test_several_texts() -> None:
    assert several_texts(None) == several_texts("") == several_texts([]) == []
    assert several_texts([" a ", "", "b"]) == ["a", "b"]


@pytest.mark.parametrize("raw", ["a", 5, {"a": 1}, ["a", None], [["a"]], ["a\x00"]])
def test_several_texts_refusals(raw: Any) -> None:
    with pytest.raises(FieldError):
        several_texts(raw)
