"""One archive to hand over: the summary sheet and the materials of every enterprise, streamed in flat memory."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from app.fields.base import clean_text

BLOCK = 1 << 20
MAX_PART = 200
"""Bytes of one path segment: common file systems allow 255, and an ending must fit."""

_FORBIDDEN = frozenset('<>:"/\\|?*')
_RESERVED = frozenset({"CON", "PRN", "AUX", "NUL", *(f"{kind}{n}" for kind in ("COM", "LPT") for n in range(1, 10))})

Opener = Callable[[], BinaryIO]


@dataclass(frozen=True)
class PackageSummary:
    """What went into an archive: the names in order and the bytes before packing."""

    names: tuple[str, ...]
    total_bytes: int


def write_package(
    target: BinaryIO,
    sheet_bytes: bytes,
    sheet_name: str,
    files: Iterable[tuple[str, Opener]],
    *,
    modified: datetime = datetime(2024, 1, 1),
) -> PackageSummary:
    """Write a zip of the sheet and ``files`` (name with ``/``, callable that opens it) into ``target``.

    Names are made safe and unique, in UTF-8. Files are opened one at a time and closed. ``modified`` is the time of
    every entry. An error while opening or reading is passed on; ``target`` then holds nothing usable.
    """
    names = Names()
    total = len(sheet_bytes)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        archive.writestr(_entry(names.add(sheet_name), modified), sheet_bytes)
        for name, open_file in files:
            entry = _entry(names.add(name), modified)
            with open_file() as source, archive.open(entry, "w", force_zip64=True) as sink:
                shutil.copyfileobj(source, sink, BLOCK)
            total += entry.file_size
    return PackageSummary(tuple(names.given), total)


def _entry(name: str, modified: datetime) -> zipfile.ZipInfo:
    """Stored as is: PDF and xlsx are packed already. Zip knows no year before 1980."""
    entry = zipfile.ZipInfo(name, max(modified, datetime(1980, 1, 1)).timetuple()[:6])
    entry.external_attr = 0o644 << 16
    return entry


class Names:
    """Gives each entry a safe name that no other has, regardless of case."""

    def __init__(self) -> None:
        self.given: list[str] = []
        self._folded: set[str] = set()

    def add(self, name: str) -> str:
        """The name under which ``name`` is stored: itself made safe, or with a number before its ending."""
        safe = safe_path(name)
        stem, dot, ending = safe.rpartition(".")
        if not dot or "/" in ending:
            stem, dot, ending = safe, "", ""
        candidate, number = safe, 1
        while candidate.casefold() in self._folded:
            number += 1
            candidate = f"{stem} ({number}){dot}{ending}"
        self._folded.add(candidate.casefold())
        self.given.append(candidate)
        return candidate


def safe_path(name: str) -> str:
    """``name`` as a relative path that every system can unpack and that stays inside its folder."""
    parts = [safe_part(part) for part in name.replace("\\", "/").split("/") if part.strip(" .")]
    return "/".join(parts) or "未命名"


def safe_part(text: str) -> str:
    """One path segment: no control or reserved signs, no leading or trailing dots, not too long; never empty."""
    text = "".join("_" if sign in _FORBIDDEN else sign for sign in clean_text(text)).strip(" .")
    if text.split(".")[0].upper() in _RESERVED:
        text = f"_{text}"
    return _cut(text).strip(" .") or "未命名"


def _cut(text: str) -> str:
    """``text`` cut to ``MAX_PART`` bytes of UTF-8, its ending kept."""
    if len(text.encode()) <= MAX_PART:
        return text
    stem, dot, ending = text.rpartition(".")
    if not dot or len(ending.encode()) > 10:
        stem, dot, ending = text, "", ""
    room = MAX_PART - len(f"{dot}{ending}".encode())
    return stem.encode()[:room].decode(errors="ignore") + dot + ending
