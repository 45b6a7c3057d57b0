"""Translations are compiled when they are newer than their result."""

from __future__ import annotations

import gettext
import os
from pathlib import Path

import pytest

from scripts import compile_translations


@pytest.fixture
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One Chinese catalogue."""
    source = tmp_path / "zh/LC_MESSAGES/messages.po"
    source.parent.mkdir(parents=True)
    source.write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "Save"\nmsgstr "保存"\n', "utf-8"
    )
    monkeypatch.setattr(compile_translations, "TRANSLATIONS", tmp_path)
    return source


def test_result_is_readable(catalogue: Path) -> None:
    assert compile_translations.main() == 1
    assert gettext.translation("messages", catalogue.parents[2], ["zh"]).gettext("Save") == "保存"


def test_only_what_changed_is_compiled(catalogue: Path) -> None:
    compile_translations.main()
    assert compile_translations.main() == 0
    later = catalogue.with_suffix(".mo").stat().st_mtime + 5
    os.utime(catalogue, (later, later))
    assert compile_translations.main() == 1
