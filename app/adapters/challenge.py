"""Challenges before a code is sent: a slider puzzle, and a picture code with sound for those who cannot slide.

They slow down scripts, no more: a program can solve both. Limits on how often are the real guard, and stand above.
The answer stays on the server; pictures carry no names or metadata. Lengths are pixels of a 400 by 180 picture.
"""

from __future__ import annotations

import io
import random
import secrets
from dataclasses import dataclass
from functools import cache

from captcha.audio import AudioCaptcha
from captcha.image import ImageCaptcha
from PIL import Image, ImageChops, ImageDraw, ImageFilter

WIDTH, HEIGHT = 400, 180
BODY, KNOB = 44, 11
PIECE = BODY + KNOB
TOLERANCE = 6
CODE_LENGTH = 4
_FINE = 2
_BLUE, _DEEP, _TINT, _WASH, _LINE = ("#1a5ba6", "#14467f", "#e8f0fa", "#f4f8fd", "#b4cdea")
_SUN, _GREEN, _PAPER = "#fcf2d9", "#e5f3ea", "#ffffff"


@dataclass(frozen=True)
class SliderPuzzle:
    """A puzzle. ``offset``, the answer, is the left edge of the hole; ``piece_top`` its upper edge.

    A range input from 0 to ``max_offset`` moves the left edge of the piece.
    """

    offset: int
    background: bytes
    piece: bytes
    piece_top: int
    width: int = WIDTH
    height: int = HEIGHT
    piece_size: int = PIECE

    @property
    def max_offset(self) -> int:
        """The farthest the piece can go."""
        return self.width - self.piece_size


@dataclass(frozen=True)
class PictureCode:
    """Four digits and the picture (PNG) that shows them."""

    text: str
    png: bytes


def make_slider(rng: random.Random | None = None) -> SliderPuzzle:
    """A new puzzle with the hole in the right three quarters. ``rng`` is for tests; the default is the system's."""
    rng = rng or secrets.SystemRandom()
    scene = _draw_scene(rng)
    offset = rng.randint(WIDTH // 4, WIDTH - PIECE - 8)
    top = rng.randint(8, HEIGHT - PIECE - 12)
    shape, edge = _piece_shape()
    box = (offset, top, offset + PIECE, top + PIECE)
    piece = Image.new("RGBA", (PIECE, PIECE))
    piece.paste(scene.crop(box), (0, 0), shape)
    piece.paste(_DEEP, (0, 0), edge)
    shadow = Image.blend(scene.crop(box), Image.new("RGB", (PIECE, PIECE), "#1c2733"), 0.55)
    scene.paste(shadow, box, shape)
    scene.paste(_PAPER, (offset, top), edge)
    return SliderPuzzle(offset, _png(scene), _png(piece), top)


def slider_matches(offset: int, answer: int) -> bool:
    """Whether the piece was left close enough to the hole."""
    return abs(offset - answer) <= TOLERANCE


def make_picture_code(rng: random.Random | None = None) -> PictureCode:
    """Four digits drawn askew. ``rng`` chooses the digits; the drawing itself always uses the system's."""
    rng = rng or secrets.SystemRandom()
    text = "".join(rng.choice("0123456789") for _place in range(CODE_LENGTH))
    drawer, ink = _drawer(), (20, 70, 127)
    image = drawer.create_captcha_image(text, ink, (255, 255, 255))
    drawer.create_noise_dots(image, ink, width=2, number=24)
    drawer.create_noise_curve(image, ink)
    return PictureCode(text, _png(image.filter(ImageFilter.SMOOTH)))


def picture_audio(text: str) -> bytes:
    """The digits spoken over noise, as WAV. Takes about a third of a second."""
    return bytes(_speaker().generate(text))


def _draw_scene(rng: random.Random) -> Image.Image:
    """Sky, sun, hills, a row of halls with chimneys, water: drawn at double size for smooth edges."""
    width, height = WIDTH * _FINE, HEIGHT * _FINE
    image = Image.new("RGB", (width, height), _TINT)
    draw = ImageDraw.Draw(image)
    sun_x, sun_y, sun = (rng.randint(width // 8, width * 7 // 8), rng.randint(50, 110), rng.randint(30, 50))
    draw.ellipse((sun_x - sun, sun_y - sun, sun_x + sun, sun_y + sun), fill=_SUN)
    _draw_hills(draw, rng, 170, "#cfdff2")
    _draw_hills(draw, rng, 210, _LINE)
    horizon = 258
    draw.rectangle((0, horizon, width, height), fill=_WASH)
    _draw_halls(draw, rng, horizon)
    draw.line((0, horizon, width, horizon), fill=_DEEP, width=4)
    for _wave in range(14):
        x, y, length = (rng.randrange(width), rng.randint(horizon + 14, height - 12), rng.randint(40, 130))
        draw.line((x, y, x + length, y), fill=rng.choice((_LINE, _GREEN, _BLUE)), width=4)
    return image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)


def _draw_hills(draw: ImageDraw.ImageDraw, rng: random.Random, base: int, colour: str) -> None:
    points, x = [(0, HEIGHT * _FINE)], -40
    while x < WIDTH * _FINE + 120:
        points.append((x, base - rng.randint(0, 90)))
        x += rng.randint(60, 130)
    draw.polygon([*points, (x, HEIGHT * _FINE)], fill=colour)


def _draw_halls(draw: ImageDraw.ImageDraw, rng: random.Random, ground: int) -> None:
    x = rng.randint(10, 50)
    while x < WIDTH * _FINE - 40:
        width, tall = rng.randint(50, 110), rng.randint(24, 80)
        colour = rng.choice((_BLUE, _DEEP, "#5f8fc6", "#86ace0"))
        draw.rectangle((x, ground - tall, x + width, ground), fill=colour)
        if rng.random() < 0.5:
            chimney = x + rng.randint(6, width - 18)
            draw.rectangle((chimney, ground - tall - rng.randint(20, 60), chimney + 12, ground - tall), fill=colour)
        for window in range(x + 10, x + width - 12, 22):
            draw.rectangle((window, ground - tall + 10, window + 10, ground - tall + 18), fill=_SUN)
        x += width + rng.randint(10, 60)


@cache
def _piece_shape() -> tuple[Image.Image, Image.Image]:
    """Masks of the piece and of its outline: a square with a knob on top and a notch at the left."""
    fine = 4
    side, knob, body = PIECE * fine, KNOB * fine, BODY * fine
    mask = Image.new("L", (side, side))
    draw = ImageDraw.Draw(mask)
    draw.rounded_rectangle((0, knob, body, side - 1), radius=2 * fine, fill=255)
    middle = body // 2
    draw.ellipse((middle - knob, 1, middle + knob, 2 * knob + 1), fill=255)
    centre = knob + body // 2
    draw.ellipse((-knob, centre - knob, knob, centre + knob), fill=0)
    mask = ImageChops.offset(mask, (side - body) // 2, 0)
    outer = mask.resize((PIECE, PIECE), Image.Resampling.LANCZOS)
    inner = mask.filter(ImageFilter.MinFilter(2 * fine + 1)).resize((PIECE, PIECE), Image.Resampling.LANCZOS)
    return outer, ImageChops.subtract(outer, inner)


@cache
def _drawer() -> ImageCaptcha:
    """Digits lean less and overlap less than by default: people have to read them."""
    drawer = ImageCaptcha(width=160, height=60)
    drawer.character_rotate, drawer.word_offset_dx = (-18, 18), 0.02
    # The table turns brightness of the ink into opacity; the default leaves dark ink pale.
    drawer.lookup_table = [min(255, 3 * level) for level in range(256)]
    return drawer


@cache
def _speaker() -> AudioCaptcha:
    return AudioCaptcha()


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, format="PNG")
    return out.getvalue()
