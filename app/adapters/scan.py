"""What can be seen on the scan of a stamped paper: printed codes and a red seal, page by page.

Nothing here decides. A person does, with these findings beside the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.adapters.process import MIB, ProcessLimit, run_limited

Seal = Literal["seen", "not_seen", "cannot_tell"]
MAX_PAGES = 20


@dataclass(frozen=True)
class ScanFacts:
    """Findings. ``codes`` and ``seals`` have one entry for each page looked at, ``pages`` counts all pages.

    ``colour``: some page was scanned in colour; without colour no seal can be told. ``readable`` is false when the
    file could not be drawn within the limits; then nothing is known and a person has to look.
    """

    pages: int
    codes: tuple[tuple[str, ...], ...]
    seals: tuple[Seal, ...]
    colour: bool
    readable: bool = True

    @property
    def seal(self) -> Seal:
        """The verdict on the whole scan: seen on any page, else unknown if any page is unknown."""
        if "seen" in self.seals:
            return "seen"
        return "cannot_tell" if not self.seals or "cannot_tell" in self.seals else "not_seen"

    @property
    def complete(self) -> bool:
        """Whether every page was looked at."""
        return self.readable and len(self.seals) == self.pages


def read_scan(path: Path, max_pages: int = MAX_PAGES) -> ScanFacts:
    """Look at the first ``max_pages`` pages of the PDF at ``path``; never raises for what is in it."""
    try:
        found = run_limited("app.adapters.scan_reader:read", str(path), max_pages, memory=1024 * MIB, cpu=20, wall=45.0)
    except ProcessLimit:
        return ScanFacts(0, (), (), colour=False, readable=False)
    return ScanFacts(
        pages=found["pages"],
        codes=tuple(tuple(texts) for texts in found["codes"]),
        seals=tuple(found["seals"]),
        colour=found["colour"],
        readable=found["readable"],
    )
