"""Fonts for the PDF tests: the real conversion, of few signs, so that it takes seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.documents.font_build import build_fonts
from app.documents.tree import walk_texts
from tests.factories_paper import sample_paper


@pytest.fixture(scope="session")
def font_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both faces with ASCII, punctuation and every sign of the sample paper."""
    signs = {ord(sign) for text in walk_texts(sample_paper()) for sign in text}
    fixed = (
        "编号校验码版本核验请勿在此盖章序号材料名称文件大小真实性承诺年月日预览不作为盖章材料一二三四五六七八九十、（）"
    )
    signs |= (
        {ord(sign) for sign in fixed}
        | set(range(0x20, 0x17F))
        | set(range(0x2010, 0x2027))
        | set(range(0x3000, 0x3020))
    )
    signs |= set(range(0xFF01, 0xFF5F)) | {
        ord(sign) for sign in Path(__file__).with_name("test_pdf.py").read_text("utf-8")
    }
    folder = tmp_path_factory.mktemp("fonts")
    build_fonts(folder, lambda line: None, unicodes=signs)
    return folder
