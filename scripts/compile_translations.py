"""Compiles ``translations/*/LC_MESSAGES/*.po`` to the ``.mo`` files that pages read (not kept in git). Safe to repeat."""

from __future__ import annotations

from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

TRANSLATIONS = Path(__file__).resolve().parent.parent / "translations"


def main() -> int:
    """Compile what is newer than its result; returns how many files were written."""
    written = 0
    for source in sorted(TRANSLATIONS.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with source.open("rb") as text:
            catalogue = read_po(text, locale=source.parent.parent.name)
        with target.open("wb") as compiled:
            write_mo(compiled, catalogue)
        written += 1
    return written


if __name__ == "__main__":
    print(f"{main()} catalogues compiled")
