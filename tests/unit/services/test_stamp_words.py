"""Findings in words, and names of uploads: what was seen, then what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask_babel import Babel

from app.definitions.schema import Attachment as Spec
from app.errors import InvalidInput
from app.services.attachment import clean_name
from app.services.stamp import MATCHES, verdict_of


@pytest.fixture(autouse=True)
def translations() -> Iterator[None]:
    app = Flask("words")
    Babel(app)
    with app.app_context():
        yield


def findings(match: str = "this", pages: int = 3, printed: int = 3) -> dict[str, Any]:
    seen = [{"number": 1, "match": match, "seal": "seen", "revision": 2, "serial": "2026-PY-0009"}]
    return {"pages": pages, "printed": printed, "seen": seen}


def test_clean() -> None:
    verdict = verdict_of("done", "this", "seen", findings())
    assert (verdict.tone, verdict.clean) == ("ok", True)
    assert verdict.title == "已匹配本申报第 2 版，3 页齐全，检测到红章"


@pytest.mark.parametrize("match", [m for m in MATCHES if m != "this"])
def test_wrong_codes_are_advice_only(match: str) -> None:
    verdict = verdict_of("done", match, "seen", findings(match))
    assert verdict.tone == "warn" and not verdict.clean
    assert "照此提交" in verdict.text and verdict.text.endswith("。")


@pytest.mark.parametrize(
    ("seal", "pages", "title", "text"),
    [
        ("not_seen", 3, "没有检测到红章", "彩色重新扫描"),
        ("cannot_tell", 3, "看不出有没有红章", "黑白扫描"),
        ("seen", 2, "扫描件有 2 页，材料有 3 页", "漏扫"),
    ],
)
def test_what_to_look_at(seal: str, pages: int, title: str, text: str) -> None:
    verdict = verdict_of("done", "this", seal, findings(pages=pages))
    assert not verdict.clean and title in verdict.title and text in verdict.text


def test_more_pages_than_printed_are_no_reason_to_scan_again() -> None:
    verdict = verdict_of("done", "this", "seen", findings(pages=4))
    assert verdict.clean and "扫描件有 4 页，材料有 3 页" in verdict.title


def test_waiting_and_failed() -> None:
    assert verdict_of("pending", None, None, {}).title == "正在核对扫描件"
    failed = verdict_of("failed", None, None, {})
    assert failed.tone == "warn" and "照此提交" in failed.text


PDF, PICTURES = Spec(key="a", label="报告"), Spec(key="b", label="照片", formats=("jpg", "png"))


@pytest.mark.parametrize(
    ("spec", "typed", "name", "kind"),
    [
        (PDF, "报告.pdf", "报告.pdf", "pdf"),
        (PDF, "报告.PDF", "报告.PDF", "pdf"),
        (PDF, "C:\\用户\\报告.pdf", "报告.pdf", "pdf"),
        (PDF, "../../etc/报告.pdf", "报告.pdf", "pdf"),
        (PDF, "a\x00b\n.pdf", "ab.pdf", "pdf"),
        (PDF, "e\u0301.pdf", "\u00e9.pdf", "pdf"),
        (PDF, " .a.pdf ", "a.pdf", "pdf"),
        (PICTURES, "x.JPEG", "x.JPEG", "jpg"),
        (PICTURES, "x.png", "x.png", "png"),
    ],
)
def test_names(spec: Spec, typed: str, name: str, kind: str) -> None:
    assert clean_name(typed, spec) == (name, kind)


def test_long_names_keep_their_ending() -> None:
    name, _kind = clean_name("长" * 500 + ".pdf", PDF)
    assert len(name) == 200 and name.endswith("长.pdf")


@pytest.mark.parametrize("typed", ["", "pdf", "报告", "报告.docx", "报告.pdf.exe", "/", "..", "报告.pdf/"])
def test_other_endings_are_refused(typed: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        clean_name(typed, PDF)
    assert "要以 .pdf 结尾" in refused.value.message


def test_all_allowed_endings_are_named() -> None:
    with pytest.raises(InvalidInput) as refused:
        clean_name("x.gif", PICTURES)
    assert ".jpg或.jpeg或.png" in refused.value.message and "x.gif" in refused.value.message
