"""Stamped scans: codes are read, round red seals are seen, and what cannot be told is said to be so."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.adapters import scan as reader
from app.adapters.scan import ScanFacts, read_scan
from app.adapters.seal import has_colour, look_for_seal
from tests.unit.adapters import scanned_paper as paper

CODE = "GZCL1|2024-HRB-0001|0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def sheet() -> Image.Image:
    return paper.blank_page(CODE)


def look(page: Image.Image) -> str:
    """The verdict on one page, without PDF and child, at the 100 dpi the reader uses."""
    rgb = np.asarray(page.convert("RGB"))
    height, width = rgb.shape[0] // 2 * 2, rgb.shape[1] // 2 * 2
    return look_for_seal(
        rgb[:height, :width].reshape(height // 2, 2, width // 2, 2, 3).mean(axis=(1, 3)).astype(np.uint8)
    )


def test_codes_and_seal_of_a_whole_document(sheet: Image.Image, tmp_path: Path) -> None:
    pages = [
        paper.scan(sheet, seed=1, turn=2),
        paper.scan(sheet, seed=2, turn=-2),
        paper.scan(sheet, paper.seal(), seed=3, turn=1),
    ]
    facts = read_scan(paper.save_scan(tmp_path / "scan.pdf", *pages))
    assert facts == ScanFacts(3, ((CODE,),) * 3, ("not_seen", "not_seen", "seen"), colour=True)
    assert (facts.seal, facts.complete) == ("seen", True)


def test_unsealed_colour_scan(sheet: Image.Image, tmp_path: Path) -> None:
    facts = read_scan(paper.save_scan(tmp_path / "scan.pdf", paper.scan(sheet)))
    assert (facts.codes, facts.seal, facts.colour) == (((CODE,),), "not_seen", True)


def test_grey_scan_cannot_tell(sheet: Image.Image, tmp_path: Path) -> None:
    facts = read_scan(paper.save_scan(tmp_path / "scan.pdf", paper.scan(sheet, paper.seal(), grey=True)))
    assert (facts.codes, facts.seal, facts.colour) == (((CODE,),), "cannot_tell", False)


def test_seal_over_the_code_is_looked_through(sheet: Image.Image, tmp_path: Path) -> None:
    page = paper.scan(sheet, paper.seal(at=(176.0, 23.0), ink=(205, 25, 30)), seed=4)
    facts = read_scan(paper.save_scan(tmp_path / "scan.pdf", page))
    assert (facts.codes, facts.seal) == (((CODE,),), "seen")


def test_upside_down_and_coarse_scan(sheet: Image.Image, tmp_path: Path) -> None:
    page = paper.scan(sheet, paper.seal(), seed=5, turn=181, dpi=150, quality=60)
    facts = read_scan(paper.save_scan(tmp_path / "scan.pdf", page, dpi=150))
    assert (facts.codes, facts.seal) == (((CODE,),), "seen")


def test_page_without_code_has_none(tmp_path: Path) -> None:
    facts = read_scan(paper.save_scan(tmp_path / "scan.pdf", paper.scan(paper.blank_page())))
    assert facts.codes == ((),)


@pytest.mark.parametrize("diameter", [30, 38, 42, 45])
@pytest.mark.parametrize("turn", [-3.0, 2.0])
def test_seals_of_all_sizes_are_seen(sheet: Image.Image, diameter: float, turn: float) -> None:
    assert look(paper.scan(sheet, paper.seal(diameter), seed=int(diameter), turn=turn)) == "seen"


@pytest.mark.parametrize("seed", range(4))
def test_faded_seals_are_seen(sheet: Image.Image, seed: int) -> None:
    assert look(paper.scan(sheet, paper.seal(40, ink=paper.FADED), seed=seed)) == "seen"


@pytest.mark.parametrize(
    "mark", [paper.red_heading, paper.name_stamp, paper.finger_print], ids=lambda mark: mark.__name__
)
def test_other_red_marks_do_not_hide_a_seal(sheet: Image.Image, mark: paper.Mark) -> None:
    assert look(paper.scan(sheet, mark, paper.seal(at=(60.0, 230.0)))) == "seen"


@pytest.mark.parametrize("at", [(165.0, 230.0), (125.0, 245.0), (140.0, 200.0)])
@pytest.mark.parametrize("ink", [paper.RED, paper.FADED])
def test_seal_that_touches_a_name_stamp_is_seen(
    sheet: Image.Image, at: tuple[float, float], ink: tuple[int, int, int]
) -> None:
    assert look(paper.scan(sheet, paper.name_stamp, paper.seal(at=at, ink=ink))) == "seen"


@pytest.mark.parametrize("seed", range(3))
def test_seal_on_a_red_table_is_seen(sheet: Image.Image, seed: int) -> None:
    assert look(paper.scan(sheet, paper.red_table, paper.seal(at=(135.0, 222.0)), seed=seed)) == "seen"


@pytest.mark.parametrize(
    "mark",
    [paper.name_stamp, paper.finger_print, paper.red_disc, paper.red_table, paper.red_heading],
    ids=lambda mark: mark.__name__,
)
@pytest.mark.parametrize("turn", [0.0, 2.0])
def test_other_red_marks_are_no_seal(sheet: Image.Image, mark: paper.Mark, turn: float) -> None:
    assert look(paper.scan(sheet, mark, turn=turn)) == "not_seen"


@pytest.mark.parametrize("seed", range(101, 105))
def test_several_red_marks_together_are_no_seal(sheet: Image.Image, seed: int) -> None:
    marks = (paper.red_table, paper.name_stamp, paper.finger_print, paper.red_heading)
    assert look(paper.scan(sheet, *marks, seed=seed, turn=seed - 102.5, quality=60)) == "not_seen"


@pytest.mark.parametrize("diameter", [16, 22, 60])
def test_rings_of_other_sizes_are_no_seal(sheet: Image.Image, diameter: float) -> None:
    assert look(paper.scan(sheet, paper.seal(diameter))) == "not_seen"


@pytest.mark.parametrize("ink", [(30, 60, 180), (20, 120, 40), (20, 20, 20)])
def test_rings_of_other_colours_are_no_seal(sheet: Image.Image, ink: tuple[int, int, int]) -> None:
    assert look(paper.scan(sheet, paper.seal(ink=ink))) == "not_seen"


def test_empty_pictures_are_grey() -> None:
    assert not has_colour(np.full((50, 50, 3), 255, np.uint8))
    assert look_for_seal(np.zeros((50, 50, 3), np.uint8)) == "cannot_tell"


def test_only_the_first_pages_are_looked_at(sheet: Image.Image, tmp_path: Path) -> None:
    page = paper.scan(sheet)
    facts = read_scan(paper.save_scan(tmp_path / "scan.pdf", *[page] * 4), max_pages=2)
    assert (facts.pages, len(facts.codes), len(facts.seals), facts.complete) == (4, 2, 2, False)


@pytest.mark.parametrize("body", [b"", b"%PDF-1.7\n", os.urandom(3000)])
def test_file_that_cannot_be_drawn_is_unreadable(tmp_path: Path, body: bytes) -> None:
    file = tmp_path / "scan.pdf"
    file.write_bytes(body)
    facts = read_scan(file)
    assert (facts.readable, facts.seal, facts.complete) == (False, "cannot_tell", False)


def test_limit_leaves_everything_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_args: object, **_kwargs: object) -> None:
        raise reader.ProcessLimit("memory")

    monkeypatch.setattr(reader, "run_limited", stopped)
    assert read_scan(tmp_path / "scan.pdf") == ScanFacts(0, (), (), colour=False, readable=False)


@pytest.mark.parametrize(
    ("seals", "expected"),
    [
        ((), "cannot_tell"),
        (("not_seen",), "not_seen"),
        (("not_seen", "cannot_tell"), "cannot_tell"),
        (("cannot_tell", "seen", "not_seen"), "seen"),
    ],
)
def test_verdict_on_the_whole(seals: tuple[reader.Seal, ...], expected: str) -> None:
    assert ScanFacts(len(seals), ((),) * len(seals), seals, colour=True).seal == expected


def test_three_pages_are_read_quickly(sheet: Image.Image, tmp_path: Path) -> None:
    file = paper.save_scan(tmp_path / "scan.pdf", *[paper.scan(sheet, paper.seal())] * 3)
    started = time.monotonic()
    read_scan(file)
    assert time.monotonic() - started < 3
