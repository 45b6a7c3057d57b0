"""Slider puzzle and picture code: drawn right, solvable by a person, answer not in the picture files."""

from __future__ import annotations

import io
import random
import wave

import pytest
from PIL import Image, ImageChops, ImageStat

from app.adapters.challenge import (
    PIECE,
    TOLERANCE,
    SliderPuzzle,
    make_picture_code,
    make_slider,
    picture_audio,
    slider_matches,
)


def picture(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.fixture(scope="module")
def puzzles() -> list[SliderPuzzle]:
    return [make_slider(random.Random(seed)) for seed in range(30)]


def test_pictures_have_the_promised_sizes(puzzles: list[SliderPuzzle]) -> None:
    for puzzle in puzzles:
        assert picture(puzzle.background).size == (puzzle.width, puzzle.height) == (400, 180)
        assert picture(puzzle.piece).size == (puzzle.piece_size, puzzle.piece_size)
        assert picture(puzzle.piece).mode == "RGBA"


def test_hole_is_inside_and_never_at_the_start(puzzles: list[SliderPuzzle]) -> None:
    for puzzle in puzzles:
        assert 100 <= puzzle.offset <= puzzle.max_offset
        assert 0 <= puzzle.piece_top <= puzzle.height - PIECE


def test_holes_differ(puzzles: list[SliderPuzzle]) -> None:
    assert len({puzzle.offset for puzzle in puzzles}) > 20


def test_piece_put_at_the_answer_hides_the_hole(puzzles: list[SliderPuzzle]) -> None:
    """At the answer the darkened hole is covered: the place becomes far brighter than before."""
    for puzzle in puzzles:
        background, piece = (picture(puzzle.background).convert("RGB"), picture(puzzle.piece))
        box = (puzzle.offset, puzzle.piece_top, puzzle.offset + PIECE, puzzle.piece_top + PIECE)
        inner = (18, 18, 44, 50)
        hole = background.crop(box).crop(inner)
        background.paste(piece, box[:2], piece)
        assert ImageStat.Stat(background.crop(box).crop(inner).convert("L")).mean[0] > (
            ImageStat.Stat(hole.convert("L")).mean[0] + 20
        )


def test_hole_is_the_only_dark_place(puzzles: list[SliderPuzzle]) -> None:
    """A person sees where to go: the grey of the hole appears nowhere else."""
    puzzle = puzzles[0]
    grey = ImageChops.subtract(picture(puzzle.background).convert("L"), Image.new("L", (400, 180), 200))
    assert grey.crop(
        (puzzle.offset + 20, puzzle.piece_top + 20, puzzle.offset + 40, puzzle.piece_top + 40)
    ).getextrema() == (0, 0)


@pytest.mark.parametrize("shift", range(-TOLERANCE, TOLERANCE + 1))
def test_close_enough_matches(shift: int) -> None:
    assert slider_matches(200, 200 + shift)


@pytest.mark.parametrize("shift", [-200, -TOLERANCE - 1, TOLERANCE + 1, 10**30])
def test_too_far_does_not_match(shift: int) -> None:
    assert not slider_matches(200, 200 + shift)


def test_guessing_is_rarely_right() -> None:
    rng = random.Random(7)
    puzzles = [rng.randint(100, 337) for _turn in range(10_000)]
    hits = sum(slider_matches(offset, rng.randint(0, 345)) for offset in puzzles)
    assert hits / 10_000 < (2 * TOLERANCE + 1) / 238 + 0.01


def test_picture_files_hold_no_metadata() -> None:
    puzzle = make_slider()
    for data in (puzzle.background, puzzle.piece, make_picture_code().png):
        assert picture(data).info == {}


def test_without_a_given_generator_nothing_repeats() -> None:
    random.seed(1)
    first = make_slider().background
    random.seed(1)
    assert make_slider().background != first


def test_picture_code_has_four_digits_and_a_dark_drawing() -> None:
    for _turn in range(10):
        code = make_picture_code()
        assert code.text.isascii()
        assert code.text.isdigit()
        assert len(code.text) == 4
        image = picture(code.png).convert("L")
        assert image.size == (160, 60)
        assert sum(image.histogram()[:128]) > 400


def test_given_generator_decides_the_digits() -> None:
    assert make_picture_code(random.Random(3)).text == make_picture_code(random.Random(3)).text


def test_sound_is_a_playable_wave_of_some_seconds() -> None:
    with wave.open(io.BytesIO(picture_audio("4028"))) as sound:
        assert 2 < sound.getnframes() / sound.getframerate() < 30
