"""Renders the pages of a stamped scan, reads their QR codes and looks for the seal; runs in a child process.

Steps for the code, each only when the one before found none: 200 dpi grey, 300 dpi grey, 300 dpi red channel, in which
a red seal printed over the code disappears.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pypdfium2
import zxingcpp

from app.adapters.seal import Pixels, has_colour, look_for_seal

POINTS = 72
LOOK_DPI, CLOSE_DPI = 200, 300
# 300 dpi of A3. A page that is larger is rendered more coarsely instead of taking the memory.
MAX_PIXELS = 18_000_000
_QR = zxingcpp.barcode_formats_from_str("QRCode")


def read(path: str, max_pages: int = 20) -> dict[str, Any]:
    """``{pages, codes: [[text]], seals: [verdict], colour, readable}``; lists hold the first ``max_pages`` pages."""
    facts: dict[str, Any] = {"pages": 0, "codes": [], "seals": [], "colour": False, "readable": True}
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError:
        return facts | {"readable": False}
    facts["pages"] = len(document)
    for number in range(min(len(document), max_pages)):
        codes, seal, colour = _read_page(document, number)
        facts["codes"].append(codes)
        facts["seals"].append(seal)
        facts["colour"] = facts["colour"] or colour
    return facts


def _read_page(document: pypdfium2.PdfDocument, number: int) -> tuple[list[str], str, bool]:
    try:
        page = document[number]
        rgb = _render(page, LOOK_DPI)
    except pypdfium2.PdfiumError:
        return [], "cannot_tell", False
    small = _halve(rgb)
    codes = _codes(_grey(rgb)) or _look_closer(page)
    page.close()
    return codes, look_for_seal(small), has_colour(small)


def _look_closer(page: pypdfium2.PdfPage) -> list[str]:
    rgb = _render(page, CLOSE_DPI)
    return _codes(_grey(rgb)) or _codes(np.ascontiguousarray(rgb[..., 0]))


def _render(page: pypdfium2.PdfPage, dpi: int) -> Pixels:
    """The page as RGB; raises ``PdfiumError`` when it cannot be drawn."""
    scale = dpi / POINTS
    width, height = page.get_size()
    pixels = width * height * scale * scale
    if pixels > MAX_PIXELS:
        scale *= (MAX_PIXELS / pixels) ** 0.5
    drawn: Pixels = page.render(scale=scale, rev_byteorder=True, maybe_alpha=False).to_numpy()
    return drawn[..., :3]


def _halve(rgb: Pixels) -> Pixels:
    """Average of two by two pixels: 200 dpi become 100, and noise becomes half."""
    height, width = rgb.shape[0] // 2 * 2, rgb.shape[1] // 2 * 2
    part = rgb[:height, :width].astype(np.uint16)
    total: Pixels = part[::2, ::2] + part[1::2, ::2] + part[::2, 1::2] + part[1::2, 1::2]
    return (total >> 2).astype(np.uint8)


def _grey(rgb: Pixels) -> Pixels:
    """Brightness; whole numbers are several times faster here than fractions."""
    weighed: Pixels = rgb[..., 0] * np.uint16(77) + rgb[..., 1] * np.uint16(150) + rgb[..., 2] * np.uint16(29)
    return (weighed >> 8).astype(np.uint8)


def _codes(grey: Pixels) -> list[str]:
    found = zxingcpp.read_barcodes(grey, formats=_QR)
    return sorted({code.text for code in found if code.text})
