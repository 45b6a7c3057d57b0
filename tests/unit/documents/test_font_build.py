"""The conversion of the fonts: outlines, names, repeatability."""

from __future__ import annotations

from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from app.documents import font_build
from app.documents.font_build import build_fonts, convert
from app.documents.fonts import NAMES

SIGNS = [ord(sign) for sign in "申报 ABC123，。（）"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("built")
    build_fonts(target, lambda line: None, unicodes=SIGNS)
    return target


def test_converted_fonts_are_truetype_with_names_of_their_own(folder: Path) -> None:
    for name in NAMES.values():
        font = TTFont(folder / f"{name}.ttf")
        assert font.sfntVersion == "\x00\x01\x00\x00"
        assert "glyf" in font
        assert "CFF " not in font
        assert font["name"].getDebugName(6) == name
        assert set(SIGNS) <= set(font.getBestCmap())


def test_outlines_and_widths_survive(folder: Path) -> None:
    font = TTFont(folder / "ShenbaoSerif.ttf")
    glyph = font.getBestCmap()[ord("申")]
    assert font["hmtx"][glyph][0] == font["head"].unitsPerEm
    outline = font["glyf"][glyph]
    assert outline.numberOfContours >= 3
    assert 300 < outline.yMax - outline.yMin < 1100
    assert font["hmtx"][glyph][1] == outline.xMin


def test_building_again_does_nothing(folder: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    said: list[str] = []
    assert build_fonts(folder, said.append) == [folder / "ShenbaoSerif.ttf", folder / "ShenbaoSans.ttf"]
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    assert len(said) == 1
    assert "已经准备好" in said[0]


def test_building_completes_what_is_missing(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "ShenbaoSerif.ttf").write_bytes((folder / "ShenbaoSerif.ttf").read_bytes())
    said: list[str] = []
    build_fonts(tmp_path, said.append, unicodes=SIGNS)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["ShenbaoSans.ttf", "ShenbaoSerif.ttf"]
    assert not any("Serif" in line for line in said)


def test_a_broken_source_leaves_nothing(tmp_path: Path) -> None:
    source = tmp_path / "bad.otf"
    source.write_bytes(b"no font")
    with pytest.raises(Exception, match="Not a TrueType or OpenType font"):
        convert(source, tmp_path / "out.ttf", "Out", SIGNS)
    assert [path.name for path in tmp_path.iterdir()] == ["bad.otf"]


def test_missing_package_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(font_build, "SOURCE_PACKAGE", "no_such_font_package")
    with pytest.raises(FileNotFoundError, match="no_such_font_package"):
        build_fonts(tmp_path, lambda line: None)


def test_default_signs_cover_chinese_text() -> None:
    wanted = "申報龘〇㎡￥①ⅳ㈠Αя·—…“”《》𠮷〡㐀"
    assert {ord(sign) for sign in wanted} <= set(font_build.UNICODES)
