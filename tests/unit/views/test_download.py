"""Names of downloads in the header, for every script and against every trick."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.views.download import content_disposition


def test_plain_names_stand_as_they_are() -> None:
    assert content_disposition("a-1_2 (3).pdf") == 'attachment; filename="a-1_2 (3).pdf"'
    assert content_disposition("a.pdf", inline=True) == 'inline; filename="a.pdf"'


def test_chinese_names_are_percent_encoded_with_a_plain_one_beside() -> None:
    header = content_disposition("企业培育入库申报表_北辰_2026-PY-0001.docx")
    assert header.startswith("attachment; filename=\"__2026-PY-0001.docx\"; filename*=UTF-8''%E4%BC%81")
    assert unquote(header.partition("UTF-8''")[2]) == "企业培育入库申报表_北辰_2026-PY-0001.docx"
    assert content_disposition("报告.pdf").startswith('attachment; filename="file.pdf"; ')


@pytest.mark.parametrize("name", ['a"; filename="b.exe', "a\r\nX-Evil: 1.pdf", "a\\b.pdf", "a;b.pdf"])
def test_nothing_gets_out_of_the_quotes(name: str) -> None:
    header = content_disposition(name)
    plain = header.partition('filename="')[2].partition('"')[0]
    assert not set(plain) & set('"\\\r\n;') and "\n" not in header
    assert unquote(header.partition("UTF-8''")[2]) == name


@given(st.text(min_size=1).filter(lambda t: t.isprintable()))
def test_any_name_makes_a_header_that_reads_back(name: str) -> None:
    header = content_disposition(name)
    header.encode("ascii")
    star = header.partition("UTF-8''")[2]
    assert (unquote(star) if star else header.partition('filename="')[2][:-1]) == name
