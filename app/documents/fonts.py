"""Chinese fonts for PDF, found and registered when first needed.

The PDF library embeds TrueType outlines only. ``register`` takes, in this order: files named in the settings, the fonts
that ``font_build`` converted, fonts of the machine, and as a last resort the unembedded CID font, with a warning.
"""

from __future__ import annotations

import logging
import os
import threading
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFError
from reportlab.pdfbase.ttfonts import TTFont as PdfFont

log = logging.getLogger(__name__)

SETTINGS = {"serif": "PDF_FONT_SERIF", "sans": "PDF_FONT_SANS"}
NAMES = {"serif": "ShenbaoSerif", "sans": "ShenbaoSans"}

SYSTEM = {
    "serif": (
        ("C:/Windows/Fonts/simfang.ttf", 0),
        ("C:/Windows/Fonts/simsun.ttc", 0),
        ("/usr/share/fonts/truetype/arphic/uming.ttc", 0),
        ("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc", 0),
    ),
    "sans": (
        ("C:/Windows/Fonts/simhei.ttf", 0),
        ("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc", 0),
        ("/usr/share/fonts/truetype/arphic/uming.ttc", 0),
    ),
}


@dataclass(frozen=True)
class FontSet:
    """Names under which the faces are registered. ``embedded`` is False for the last resort."""

    serif: str
    sans: str
    embedded: bool = True


_lock = threading.Lock()
_registered: dict[tuple[str, ...], FontSet] = {}


def register(folder: Path, settings: Mapping[str, str] | None = None) -> FontSet:
    """The faces for PDF, registered once per process. ``settings`` defaults to the environment. Never raises."""
    settings = os.environ if settings is None else settings
    key = (str(folder), *(settings.get(name, "") for name in SETTINGS.values()))
    with _lock:
        if key not in _registered:
            _registered[key] = _register(folder, settings, len(_registered))
        return _registered[key]


def _register(folder: Path, settings: Mapping[str, str], number: int) -> FontSet:
    names = {}
    for face, base in NAMES.items():
        name = base if number == 0 else f"{base}{number}"
        if not _load_first(name, _candidates(face, folder, settings)):
            return _last_resort(folder)
        names[face] = name
    return FontSet(serif=names["serif"], sans=names["sans"])


def _candidates(face: str, folder: Path, settings: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """Files to try, best first, each with its index inside a collection."""
    if configured := settings.get(SETTINGS[face]):
        yield configured, 0
    yield str(folder / f"{NAMES[face]}.ttf"), 0
    yield from SYSTEM[face]


def _load_first(name: str, candidates: Iterator[tuple[str, int]]) -> bool:
    """Register the first loadable file as ``name``; an unreadable one is logged and passed over."""
    for path, index in candidates:
        if not Path(path).is_file():
            continue
        try:
            font = PdfFont(name, path, subfontIndex=index)
            # The library takes the first font of a face name for all later ones, whatever file they come from.
            font.face.name = name.encode("ascii")
            pdfmetrics.registerFont(font)
        except (TTFError, OSError) as error:
            log.warning("PDF font %s cannot be used: %s", path, error)
        else:
            return True
    return False


def _last_resort(folder: Path) -> FontSet:
    log.warning("no embeddable Chinese font: run the font build into %s; PDF falls back to STSong-Light", folder)
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    return FontSet(serif="STSong-Light", sans="STSong-Light", embedded=False)


STAND_INS = "□〓?"
"""Drawn for a sign that a face lacks: the first of these that it has."""


def drawable(text: str, font: str) -> str:
    """``text`` as the face ``font`` can draw it. The library draws nothing at all for a sign without a glyph, so each
    gets a visible stand-in; signs that only steer their neighbours (joiners, variation selectors) go."""
    if all(_has(sign, font) for sign in set(text)):
        return text
    return "".join(sign if _has(sign, font) else _stand_in(sign, font) for sign in text)


@lru_cache(maxsize=65536)
def _has(sign: str, font: str) -> bool:
    glyphs = getattr(getattr(pdfmetrics.getFont(font), "face", None), "charToGlyph", None)
    if sign in "\n\t\xa0":
        return True
    # The unembedded last resort knows no sign beyond the basic plane.
    return ord(sign) <= 0xFFFF if glyphs is None else ord(sign) in glyphs


@lru_cache(maxsize=4096)
def _stand_in(sign: str, font: str) -> str:
    if unicodedata.category(sign) == "Cf" or 0xFE00 <= ord(sign) <= 0xFE0F or 0xE0100 <= ord(sign) <= 0xE01EF:
        return ""
    instead = next((s for s in STAND_INS if _has(s, font)), " ")
    log.warning("PDF font %s has no glyph for U+%04X: drawn as %s", font, ord(sign), instead)
    return instead
