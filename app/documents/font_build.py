"""Makes the fonts for PDF once: the free Noto SC fonts come with CFF outlines, the PDF library embeds TrueType only.

Takes about a minute; a command does it at set-up, never a request.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Collection
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from flask_babel import gettext as _
from fontTools import subset
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont, newTable

from app.documents.fonts import NAMES

SOURCE_PACKAGE = "pylopdf_fonts_zh_cn"
SOURCES = {"serif": "NotoSerifSC-Regular.otf", "sans": "NotoSansSC-Regular.otf"}

# What GB 18030 text of this country needs; Hangul and vertical forms are left out to halve the conversion.
UNICODES = (
    *range(0x20, 0x530),
    *range(0x1E00, 0x2E80),
    *range(0x2E80, 0x3130),
    *range(0x3190, 0xA4D0),
    *range(0xE000, 0xFB00),
    *range(0xFE10, 0x10000),
    *range(0x1F000, 0x1FB00),
    *range(0x20000, 0x32000),
)
MAX_ERROR = 1.0
"""Largest distance of a converted curve from the original, in font units (1/1000 em)."""


def build_fonts(folder: Path, echo: Callable[[str], None], *, unicodes: Collection[int] = UNICODES) -> list[Path]:
    """Convert what is not yet in ``folder``, telling ``echo`` about it. Safe to repeat. Returns the font files.

    ``unicodes`` are the signs to keep, all that declarations need by default.
    Raises FileNotFoundError if the package with the original fonts is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    targets = {face: folder / f"{NAMES[face]}.ttf" for face in SOURCES}
    missing = [face for face, path in targets.items() if not path.exists()]
    if not missing:
        echo(_("字体已经准备好：%(folder)s", folder=folder))
        return list(targets.values())
    origin = _source_folder()
    echo(_("正在转换字体，约需一分钟，只做这一次……"))
    with ProcessPoolExecutor(max_workers=min(2, os.cpu_count() or 1)) as pool:
        jobs = [pool.submit(convert, origin / SOURCES[face], targets[face], NAMES[face], unicodes) for face in missing]
        for face, job in zip(missing, jobs, strict=True):
            job.result()
            echo(f"  {targets[face].name}：{targets[face].stat().st_size // 1024} KB")
    return list(targets.values())


def convert(source: Path, target: Path, name: str, unicodes: Collection[int] = UNICODES) -> None:
    """Write ``source`` (CFF outlines) as TrueType to ``target`` under the PostScript name ``name``.

    The file appears under its name only when complete, so a broken run leaves nothing half-made.
    """
    font = TTFont(source)
    options = subset.Options(layout_features=[], name_IDs=[0, 13, 14], notdef_outline=True, glyph_names=False)
    options.drop_tables += ["BASE", "VORG", "vhea", "vmtx", "GPOS", "GSUB", "GDEF"]
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=unicodes)
    subsetter.subset(font)
    _to_truetype(font)
    _rename(font, name)
    partial = target.with_suffix(f".{os.getpid()}.part")
    font.save(partial)
    partial.replace(target)


def _to_truetype(font: TTFont) -> None:
    """Replace the CFF table by glyf and loca, with quadratic curves, in place."""
    glyphs = font.getGlyphSet()
    outlines = {}
    for name in font.getGlyphOrder():
        pen = TTGlyphPen(None)
        glyphs[name].draw(Cu2QuPen(pen, MAX_ERROR, reverse_direction=True))
        outlines[name] = pen.glyph()
    font["loca"] = newTable("loca")
    font["glyf"] = glyf = newTable("glyf")
    glyf.glyphOrder = font.getGlyphOrder()
    glyf.glyphs = outlines
    _copy_metrics(font)
    del font["CFF "]
    font["post"].formatType = 3.0
    font.sfntVersion = "\x00\x01\x00\x00"


_UNUSED_LIMITS = (
    "maxTwilightPoints",
    "maxStorage",
    "maxFunctionDefs",
    "maxInstructionDefs",
    "maxStackElements",
    "maxSizeOfInstructions",
    "maxComponentElements",
)


def _copy_metrics(font: TTFont) -> None:
    """Left side bearings must equal the new outlines; ``maxp`` needs its TrueType form."""
    glyf, metrics, maxp = font["glyf"], font["hmtx"], font["maxp"]
    for name, glyph in glyf.glyphs.items():
        glyph.recalcBounds(glyf)
        advance = metrics[name][0]
        metrics[name] = (advance, getattr(glyph, "xMin", 0))
    maxp.tableVersion = 0x00010000
    maxp.maxZones = 1
    for limit in _UNUSED_LIMITS:
        setattr(maxp, limit, 0)
    maxp.compile(font)


def _rename(font: TTFont, name: str) -> None:
    """Own names: two faces with one PostScript name would share their glyphs in a PDF."""
    table = font["name"]
    for name_id in (1, 3, 4, 6):
        table.setName(name, name_id, 3, 1, 0x409)
    table.setName("Regular", 2, 3, 1, 0x409)


def _source_folder() -> Path:
    spec = importlib.util.find_spec(SOURCE_PACKAGE)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"package {SOURCE_PACKAGE} is not installed: no fonts to convert")
    return Path(spec.origin).parent
