"""Names of uploads: whatever a browser sends becomes a name that is safe to show, to store and to write into a zip."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import pytest
from flask import Flask
from flask_babel import Babel
from hypothesis import given, settings
from hypothesis import strategies as st

from app.definitions.schema import Attachment as Spec
from app.errors import InvalidInput
from app.services.attachment import CONTENT_TYPES, ENDINGS, MAX_NAME, clean_name

FEW = settings(max_examples=80, deadline=None, derandomize=True)
PDF = Spec(key="report", label="审计报告", formats=("pdf",))
ANY = Spec(key="photo", label="照片", formats=("pdf", "jpg", "png"))


@pytest.fixture(autouse=True, scope="module")
def translations() -> Iterator[None]:
    app = Flask("words")
    Babel(app)
    with app.app_context():
        yield


@FEW
@given(st.text(max_size=300))
def test_any_name_is_made_safe_or_refused(typed: str) -> None:
    try:
        name, kind = clean_name(f"{typed}.pdf", PDF)
    except InvalidInput as refused:
        assert refused.status == 422 and ".pdf" in refused.message
        return
    assert kind == "pdf" and name.lower().endswith(".pdf")
    assert 0 < len(name) <= MAX_NAME
    assert "/" not in name and "\\" not in name
    assert not any(unicodedata.category(c) in ("Cc", "Cs") for c in name)
    assert not any(
        unicodedata.bidirectional(c) in ("LRO", "RLO", "LRE", "RLE", "PDF", "LRI", "RLI", "FSI", "PDI") for c in name
    )
    assert name == unicodedata.normalize("NFC", name) == name.strip()


@FEW
@given(st.text(min_size=1, max_size=60))
def test_a_clean_name_is_left_as_it_is(typed: str) -> None:
    try:
        name, _kind = clean_name(f"{typed}.pdf", PDF)
    except InvalidInput:
        return
    assert clean_name(name, PDF)[0] == name


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("审计报告.pdf", "审计报告.pdf"),
        ("C:\\Users\\王敏\\审计报告.PDF", "审计报告.PDF"),
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("  报告 2023 .pdf  ", "报告 2023.pdf"),
        ("report\r\nX-Evil: 1.pdf", "report X-Evil: 1.pdf"),
        ("\u202efdp.exe.pdf", "fdp.exe.pdf"),
        ("a.pdf.", "a.pdf"),
        ("e\u0301.pdf", "é.pdf"),
        ("报告.tar.pdf", "报告.tar.pdf"),
    ],
)
def test_names_as_browsers_send_them(typed: str, name: str) -> None:
    assert clean_name(typed, PDF) == (name, "pdf")


@pytest.mark.parametrize(
    "typed", ["", ".pdf", "pdf", "报告.pdf.exe", "报告.doc", "报告", "/", "报告.pdf\u0000.exe", "...", "报告.PD F"]
)
def test_names_without_the_right_ending(typed: str) -> None:
    with pytest.raises(InvalidInput, match="文件名要以 .pdf 结尾"):
        clean_name(typed, PDF)


@pytest.mark.parametrize(("ending", "kind"), [(e, k) for k, endings in sorted(ENDINGS.items()) for e in endings])
def test_every_ending_stands_for_its_format(ending: str, kind: str) -> None:
    assert clean_name(f"现场{ending.upper()}", ANY)[1] == kind
    assert kind in CONTENT_TYPES


@pytest.mark.parametrize("length", [MAX_NAME - 5, MAX_NAME - 4, MAX_NAME - 3, MAX_NAME, 5000])
def test_long_names_are_cut_before_the_ending(length: int) -> None:
    name, _kind = clean_name("长" * length + ".pdf", PDF)
    assert name == "长" * min(length, MAX_NAME - 4) + ".pdf"


def test_a_refusal_shows_at_most_forty_signs_of_the_name() -> None:
    with pytest.raises(InvalidInput) as refused:
        clean_name("长" * 500 + ".doc", PDF)
    assert f"“{'长' * 40}”" in refused.value.message and "长" * 41 not in refused.value.message


def test_a_refusal_of_no_name_says_so() -> None:
    with pytest.raises(InvalidInput, match="现在是“没有名字”"):
        clean_name("", ANY)
