"""Reading what was typed, before any type looks at it: one text or several, half-width, how to quote it back."""

from __future__ import annotations

import re
from typing import Any

from flask_babel import gettext as _

from app.fields.base import FieldError, clean_text, has_control_characters

_HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {
    0x3000: 0x20,  # ideographic space
    0x00A0: 0x20,  # no-break space, comes with text pasted from Word
    0x202F: 0x20,
    0x2009: 0x20,
    0x2212: 0x2D,  # minus sign
    0x2010: 0x2D,
    0x2011: 0x2D,
    0x2013: 0x2D,
    0x2014: 0x2D,
    0x3002: 0x2E,  # 。typed where . was meant
    0x3001: 0x2C,
    0x200B: None,
    0xFEFF: None,
}
_DIRECTION = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\u061c]")
_INVISIBLE = re.compile(r"[\s\u200b-\u200d\u2060\ufeff]+")
_SEEN = 20


def half_width(text: str) -> str:
    """``text`` with full-width letters, digits, signs and spaces as their ASCII twins, trimmed.

    Deliberately not NFKC: that would also turn 10² into 102.
    """
    return text.translate(_HALF_WIDTH).strip()


def seen(text: str) -> str:
    """``text`` short and clean enough to be quoted in a sentence."""
    text = _DIRECTION.sub("", clean_text(text))
    return text if len(text) <= _SEEN else text[:_SEEN] + "…"


def one_text(raw: Any, *, multiline: bool = False) -> str | None:
    """The single cleaned text in ``raw``, None if nothing visible was typed.

    Raises FieldError for several values, for control characters and for signs that turn the writing direction
    (they make a name read as another one).
    """
    if raw is None or raw == []:
        return None
    if isinstance(raw, (list, tuple)) and len(raw) > 1:
        raise FieldError(_("这里只能填一项，现在收到 %(n)s 项，请只留一项。", n=len(raw)))
    if not isinstance(raw, str):
        raise FieldError(_("这里要填文字，请重新填写。"))
    if has_control_characters(raw) or _DIRECTION.search(raw):
        raise FieldError(_("内容里有看不见的控制字符，请删掉这一段后重新输入。"))
    text = clean_text(raw, multiline=multiline)
    return text if _INVISIBLE.sub("", text) else None


def several_texts(raw: Any) -> list[str]:
    """The cleaned, non-empty texts of the list ``raw``. FieldError if ``raw`` is one text or no list of texts."""
    if raw is None or raw == "":
        return []
    if isinstance(raw, str) or not isinstance(raw, (list, tuple)):
        raise FieldError(_("这里可以选多项，请从选项里勾选。"))
    if not all(isinstance(item, str) for item in raw):
        raise FieldError(_("选项的格式不对，请从选项里重新勾选。"))
    return [text for item in raw if (text := one_text(item)) is not None]
