"""Fonts for PDF: the order of search, each file once, the last resort."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from app.documents import fonts
from app.documents.font_build import build_fonts
from app.documents.fonts import register


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("built")
    build_fonts(target, lambda line: None, unicodes=range(0x20, 0x7F))
    return target


def test_registers_converted_fonts_once(folder: Path) -> None:
    first = register(folder, {})
    assert first.embedded
    assert first.serif != first.sans
    assert register(folder, {}) is first


def test_settings_come_first(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "SYSTEM", {"serif": (), "sans": ()})
    chosen = {"PDF_FONT_SERIF": str(folder / "ShenbaoSans.ttf"), "PDF_FONT_SANS": str(folder / "ShenbaoSans.ttf")}
    assert register(tmp_path, chosen).embedded


def test_an_unusable_file_is_passed_over_with_a_warning(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bad = tmp_path / "bad.ttf"
    bad.write_bytes(b"not a font at all")
    with caplog.at_level(logging.WARNING):
        assert register(folder, {"PDF_FONT_SERIF": str(bad)}).embedded
    assert "bad.ttf cannot be used" in caplog.text


def test_last_resort_is_said_loudly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(fonts, "SYSTEM", {"serif": (), "sans": ()})
    with caplog.at_level(logging.WARNING):
        found = register(tmp_path / "nothing", {})
    assert not found.embedded
    assert found.serif == "STSong-Light"
    assert "no embeddable Chinese font" in caplog.text
