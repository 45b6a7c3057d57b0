"""Pictures: good ones pass, everything else is refused with a reason, and nothing raises."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import Babel

from app.adapters.image import check_image
from tests.factories_files import picture_bytes


@pytest.fixture(autouse=True)
def translations():
    app = Flask("image")
    Babel(app)
    with app.app_context():
        yield


def png_of(width: int, height: int) -> bytes:
    """A PNG that only says how large it would be."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("kind", "library"), [("jpg", "JPEG"), ("png", "PNG")])
def test_good_pictures(tmp_path: Path, kind: str, library: str) -> None:
    path = tmp_path / "x"
    path.write_bytes(picture_bytes(library, (640, 480)))
    facts = check_image(path, kind)
    assert facts.ok and (facts.width, facts.height) == (640, 480) and facts.reason == ""


@pytest.mark.parametrize(
    ("content", "kind", "key", "words"),
    [
        (b"", "png", "other_kind", "不是 PNG"),
        (b"hello", "jpg", "other_kind", "不是 JPG"),
        (picture_bytes("PNG"), "jpg", "other_kind", "不是 JPG"),
        (picture_bytes("JPEG"), "png", "other_kind", "不是 PNG"),
        (picture_bytes("JPEG", (900, 900))[:-400], "jpg", "damaged", "不完整"),
        (picture_bytes("PNG", (8, 900)), "png", "too_small", "看不清"),
        (png_of(60_000, 60_000), "png", "too_large", "60000 × 60000"),
    ],
    ids=["empty", "text", "png as jpg", "jpg as png", "cut short", "a stroke", "a bomb"],
)
def test_refused(tmp_path: Path, content: bytes, kind: str, key: str, words: str) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    facts = check_image(path, kind)
    assert not facts.ok and facts.reason_key == key
    assert words in facts.reason and facts.reason.endswith("。")
