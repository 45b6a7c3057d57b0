"""Decodes a picture to see whether it is whole; runs in the child process of ``image.check_image``."""

from __future__ import annotations

from typing import Any

from PIL import Image, UnidentifiedImageError

# A sheet of A3 at 600 dpi is 70 million; more is a bomb or a mistake.
MAX_PIXELS = 75_000_000
MIN_SIDE = 16


def inspect(path: str, kind: str) -> dict[str, Any]:
    """``{ok, reason_key, width, height}`` for the file at ``path``, which should be a ``JPEG`` or ``PNG``."""
    Image.MAX_IMAGE_PIXELS = None  # counted here, so that the answer is a sentence and not a warning
    try:
        with Image.open(path, formats=(kind,)) as picture:
            width, height = picture.size
            if width * height > MAX_PIXELS:
                return _verdict("too_large", width, height)
            if min(width, height) < MIN_SIDE:
                return _verdict("too_small", width, height)
            picture.load()
    except UnidentifiedImageError:
        return _verdict("other_kind")
    except (OSError, ValueError, SyntaxError, EOFError):
        # The library tells a broken file in any of these ways.
        return _verdict("damaged")
    return _verdict("", width, height)


def _verdict(reason_key: str, width: int = 0, height: int = 0) -> dict[str, Any]:
    return {"ok": not reason_key, "reason_key": reason_key, "width": width, "height": height}
