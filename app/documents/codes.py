"""Check codes printed on paper: eight characters that people can type, and the text inside the QR.

The code is an HMAC over serial number and digest, so it can be neither guessed nor moved to other content. The key is
an argument; nothing is stored here.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import re
from dataclasses import dataclass

import segno

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's 32 signs: no I, L, O, U."""

PREFIX = "GZCL1"
CODE_LENGTH = 8
_LOOKALIKES = str.maketrans({"O": "0", "I": "1", "L": "1"})
_SEPARATORS = re.compile(r"[\s\-—–－_]+")
_SERIAL = re.compile(r"[0-9A-Za-z\-]{1,64}")


@dataclass(frozen=True)
class QrContent:
    """What a printed QR says. ``page`` is None when one code serves the whole document."""

    serial: str
    code: str
    page: int | None = None


def check_code(key: bytes, serial: str, digest: str) -> str:
    """The check code of a paper, such as ``7K3F-92QD``. Raises ValueError for an empty key."""
    if not key:
        raise ValueError("a check code needs a key")
    mark = hmac.new(key, f"{PREFIX}|{serial}|{digest}".encode(), hashlib.sha256).digest()
    number = int.from_bytes(mark[:5], "big")
    signs = "".join(ALPHABET[number >> shift & 31] for shift in range(35, -1, -5))
    return f"{signs[:4]}-{signs[4:]}"


def normalise_code(text: str) -> str | None:
    """``text`` as typed by a person in the printed form, or None if it cannot be a code.

    Small letters, full-width signs, blanks, missing dashes and look-alikes (O for 0, I or L for 1) are accepted.
    """
    narrow = "".join(chr(ord(sign) - 0xFEE0) if "！" <= sign <= "～" else sign for sign in text)
    signs = _SEPARATORS.sub("", narrow).upper().translate(_LOOKALIKES)
    if len(signs) != CODE_LENGTH or any(sign not in ALPHABET for sign in signs):
        return None
    return f"{signs[:4]}-{signs[4:]}"


def code_matches(key: bytes, serial: str, digest: str, typed: str) -> bool:
    """Whether ``typed`` is the check code of this serial and digest; takes the same time for any answer."""
    return hmac.compare_digest(check_code(key, serial, digest), normalise_code(typed) or "")


def make_qr_text(serial: str, code: str, page: int | None = None) -> str:
    """Text for the QR: ``GZCL1|serial|code`` and, if given, ``|page``. Raises ValueError for what cannot be parsed."""
    normal = normalise_code(code)
    if normal is None or not _SERIAL.fullmatch(serial) or (page is not None and not 1 <= page <= 9999):
        raise ValueError(f"no QR text for serial {serial!r}, code {code!r}, page {page!r}")
    parts = [PREFIX, serial, normal.replace("-", "")]
    return "|".join([*parts, str(page)] if page is not None else parts)


def parse_qr_text(text: str) -> QrContent | None:
    """What a scanned QR says, or None if it is not one of ours (foreign codes on a scan are normal)."""
    parts = text.strip().split("|")
    if len(parts) not in (3, 4) or parts[0] != PREFIX or not _SERIAL.fullmatch(parts[1]):
        return None
    code = normalise_code(parts[2])
    if code is None:
        return None
    if len(parts) == 3:
        return QrContent(parts[1], code)
    if not re.fullmatch(r"[1-9][0-9]{0,3}", parts[3]):
        return None
    return QrContent(parts[1], code, int(parts[3]))


def qr_png(text: str, *, scale: int = 8, border: int = 2) -> bytes:
    """Black and white PNG of ``text``; ``scale`` in pixels a module, ``border`` in modules. Same text, same bytes.

    Error correction is at least M (15 %), raised as far as the size allows. Raises ValueError for empty text.
    """
    if not text:
        raise ValueError("a QR needs text")
    buffer = io.BytesIO()
    segno.make_qr(text, error="m").save(buffer, kind="png", scale=scale, border=border)
    return buffer.getvalue()
