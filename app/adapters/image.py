"""Whether an uploaded file is a picture that officials can open. Decoding happens in a limited child process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flask_babel import gettext as _

from app.adapters.process import ProcessLimit, run_limited

KINDS = {"jpg": "JPEG", "png": "PNG"}
"""Format as definitions name it, and as the library does."""


@dataclass(frozen=True)
class ImageFacts:
    """The verdict. ``reason`` is a sentence for the reader, ``reason_key`` its stable name; sizes are pixels."""

    ok: bool
    width: int = 0
    height: int = 0
    reason_key: str = ""
    reason: str = ""


def check_image(path: Path, kind: str) -> ImageFacts:
    """Check the file at ``path``, which should be of ``kind`` (a key of ``KINDS``); never raises for what is in it."""
    try:
        found = run_limited("app.adapters.image_reader:inspect", str(path), KINDS[kind])
    except ProcessLimit:
        return ImageFacts(False, reason_key="too_complex", reason=_sentence("too_complex", kind, 0, 0))
    width, height, key = found["width"], found["height"], found["reason_key"]
    return ImageFacts(found["ok"], width, height, key, _sentence(key, kind, width, height) if key else "")


def _sentence(key: str, kind: str, width: int, height: int) -> str:
    """What is wrong, then what to do."""
    sentences: dict[str, str] = {
        "other_kind": _(
            "这个文件不是 %(kind)s 图片，只改后缀名不行。请用看图软件另存为 %(kind)s 再传。", kind=kind.upper()
        ),
        "damaged": _("这张图片不完整或已损坏，打不开。请先在电脑上打开确认，再重新选择。"),
        "too_large": _(
            "这张图片有 %(w)s × %(h)s 个像素，太大了。请缩小到 A3 纸每英寸 600 点以内再传。", w=width, h=height
        ),
        "too_small": _("这张图片只有 %(w)s × %(h)s 个像素，看不清。请换一张清楚的再传。", w=width, h=height),
        "too_complex": _("这张图片太复杂，没能检查完。请用看图软件重新另存一份再传。"),
    }
    return sentences[key]
