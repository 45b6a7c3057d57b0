"""Synthetic scans for tests: a page with a QR code, stamped (or not), then turned, made noisy and saved as JPEG.

Lengths in millimetres on A4. Everything is drawn from a seed, so that a failing scan can be drawn again.
"""

from __future__ import annotations

import io
import math
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import segno
from PIL import Image, ImageDraw

DPI = 200
MM = DPI / 25.4
SIZE = (round(210 * MM), round(297 * MM))
RED, FADED = (190, 30, 35), (245, 208, 210)

Mark = Callable[[Image.Image, random.Random], None]


def _px(*lengths: float) -> tuple[float, ...]:
    return tuple(length * MM for length in lengths)


def blank_page(code: str | None = None, code_mm: float = 22.0) -> Image.Image:
    """Lines of black "text" and a QR code at the top right."""
    page = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(page)
    rng = random.Random(5)
    for row in range(24):
        y, x = 50 + row * 9, 25.0
        while x < 180:
            _character(draw, x, y, rng)
            x += 4.5
    if code is not None:
        page.paste(_qr(code, round(code_mm * MM)), (round(165 * MM), round(12 * MM)))
    return page


def _character(draw: ImageDraw.ImageDraw, x: float, y: float, rng: random.Random) -> None:
    """Four or five strokes in a square of 4 mm, about as black as a Chinese character."""
    for _stroke in range(rng.randint(4, 5)):
        at = rng.uniform(0, 3.6)
        box = (x + at, y, x + at + 0.4, y + 4) if rng.random() < 0.5 else (x, y + at, x + 4, y + at + 0.4)
        draw.rectangle(_px(*box), fill=(20, 20, 20))


def _qr(code: str, side: int) -> Image.Image:
    out = io.BytesIO()
    segno.make(code, error="m", micro=False).save(out, kind="png", scale=8, border=4)
    return Image.open(out).convert("RGB").resize((side, side), Image.Resampling.LANCZOS)


def _multiply(page: Image.Image, layer: Image.Image) -> None:
    product = np.asarray(page, np.uint16) * np.asarray(layer, np.uint16) // 255
    page.paste(Image.fromarray(product.astype(np.uint8)))


def seal(diameter: float = 40.0, at: tuple[float, float] = (140.0, 230.0), ink: tuple[int, int, int] = RED) -> Mark:
    """A round official seal: ring, arc of "characters", star, with gaps where the ink did not take."""

    def mark(page: Image.Image, rng: random.Random) -> None:
        layer = Image.new("RGB", page.size, "white")
        draw, radius = ImageDraw.Draw(layer), diameter / 2
        x, y = at
        draw.ellipse(_px(x - radius, y - radius, x + radius, y + radius), outline=ink, width=round(1.2 * MM))
        for number in range(14):
            turn = math.radians(150 + number * 240 / 13)
            cx, cy = (x + math.cos(turn) * radius * 0.76, y + math.sin(turn) * radius * 0.76)
            draw.rectangle(_px(cx - 1.4, cy - 1.6, cx + 1.4, cy + 1.6), outline=ink, width=3)
            draw.line(_px(cx - 1.4, cy, cx + 1.4, cy), fill=ink, width=3)
        tips = []
        for number in range(10):
            reach = radius * (0.3 if number % 2 == 0 else 0.12)
            turn = math.radians(-90 + number * 36)
            tips.append(_px(x + math.cos(turn) * reach, y + math.sin(turn) * reach))
        draw.polygon(tips, fill=ink)
        for _gap in range(60):
            gx, gy = (rng.uniform(x - radius, x + radius), rng.uniform(y - radius, y + radius))
            draw.ellipse(_px(gx - 0.3, gy - 0.3, gx + 0.3, gy + 0.3), fill="white")
        _multiply(page, layer)

    return mark


def name_stamp(page: Image.Image, _rng: random.Random) -> None:
    """A square personal stamp of 20 mm."""
    draw = ImageDraw.Draw(page)
    draw.rectangle(_px(130, 220, 150, 240), outline=RED, width=8)
    for x in (134, 142):
        draw.rectangle(_px(x, 224, x + 5, 236), outline=RED, width=8)


def finger_print(page: Image.Image, _rng: random.Random) -> None:
    draw = ImageDraw.Draw(page)
    for size in range(1, 9):
        draw.ellipse(_px(140 - size, 230 - size * 1.3, 140 + size, 230 + size * 1.3), outline=RED, width=3)


def red_disc(page: Image.Image, _rng: random.Random) -> None:
    ImageDraw.Draw(page).ellipse(_px(120, 210, 160, 250), fill=RED)


def red_table(page: Image.Image, _rng: random.Random) -> None:
    draw = ImageDraw.Draw(page)
    for row in range(6):
        draw.line(_px(110, 200 + row * 8, 160, 200 + row * 8), fill=RED, width=4)
    for column in range(6):
        draw.line(_px(110 + column * 10, 200, 110 + column * 10, 240), fill=RED, width=4)


def red_heading(page: Image.Image, _rng: random.Random) -> None:
    draw = ImageDraw.Draw(page)
    for letter in range(9):
        draw.rectangle(_px(30 + letter * 17, 30, 43 + letter * 17, 43), outline=RED, width=14)
    draw.line(_px(25, 47, 185, 47), fill=RED, width=10)


def scan(
    page: Image.Image,
    *marks: Mark,
    seed: int = 1,
    turn: float = 2.0,
    grey: bool = False,
    quality: int = 70,
    dpi: int = DPI,
) -> Image.Image:
    """What a scanner makes of the page: marks, turned by degrees, paper tone, noise, JPEG."""
    rng, noise = random.Random(seed), np.random.default_rng(seed)
    page = page.copy()
    for mark in marks:
        mark(page, rng)
    page = page.rotate(turn, resample=Image.Resampling.BICUBIC, fillcolor="white", expand=False)
    if dpi != DPI:
        page = page.resize((SIZE[0] * dpi // DPI, SIZE[1] * dpi // DPI), Image.Resampling.LANCZOS)
    if grey:
        page = page.convert("L")
    tone = np.asarray(page, np.float32) * 0.96 + noise.normal(0, 5, np.asarray(page).shape)
    page = Image.fromarray(tone.clip(0, 255).astype(np.uint8))
    out = io.BytesIO()
    page.save(out, format="JPEG", quality=quality)
    return Image.open(out)


def save_scan(path: Path, *pages: Image.Image, dpi: int = DPI) -> Path:
    """One PDF with a picture on each page, as scanners write it."""
    pages[0].save(path, format="PDF", save_all=True, append_images=pages[1:], resolution=dpi)
    return path
