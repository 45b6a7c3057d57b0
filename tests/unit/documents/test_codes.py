"""Check codes and QR: typed, scanned, never guessed, never moved to other content."""

from __future__ import annotations

import io

import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.documents.codes import (
    ALPHABET,
    QrContent,
    check_code,
    code_matches,
    make_qr_text,
    normalise_code,
    parse_qr_text,
    qr_png,
)

KEY = b"k" * 32
SERIAL = "2024-PYRK-0001"
DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def test_code_has_the_printed_form_and_is_stable() -> None:
    code = check_code(KEY, SERIAL, DIGEST)
    assert len(code) == 9
    assert code[4] == "-"
    assert set(code.replace("-", "")) <= set(ALPHABET)
    assert code == check_code(KEY, SERIAL, DIGEST)


def test_alphabet_has_no_lookalikes() -> None:
    assert len(set(ALPHABET)) == 32
    assert not set("ILOU") & set(ALPHABET)


def test_code_depends_on_key_serial_and_digest() -> None:
    codes = {
        check_code(KEY, SERIAL, DIGEST),
        check_code(b"x" * 32, SERIAL, DIGEST),
        check_code(KEY, "2024-PYRK-0002", DIGEST),
        check_code(KEY, SERIAL, DIGEST[::-1]),
    }
    assert len(codes) == 4


def test_code_needs_a_key() -> None:
    with pytest.raises(ValueError, match="needs a key"):
        check_code(b"", SERIAL, DIGEST)


def test_codes_are_spread_over_all_signs() -> None:
    signs = "".join(check_code(KEY, f"S-{number}", DIGEST) for number in range(400)).replace("-", "")
    assert set(signs) == set(ALPHABET)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("7K3F-92QD", "7K3F-92QD"),
        ("7k3f92qd", "7K3F-92QD"),
        (" 7K3F 92QD ", "7K3F-92QD"),
        ("７Ｋ３Ｆ－９２ＱＤ", "7K3F-92QD"),
        ("7K3F—92QD", "7K3F-92QD"),
        ("OIL0-1111", "0110-1111"),
    ],
)
def test_typed_codes_are_read_kindly(typed: str, code: str) -> None:
    assert normalise_code(typed) == code


@pytest.mark.parametrize("typed", ["", "7K3F-92Q", "7K3F-92QDD", "7K3F-92Q!", "UUUU-UUUU", "一二三四五六七八"])
def test_what_is_no_code_is_none(typed: str) -> None:
    assert normalise_code(typed) is None


def test_matching_accepts_the_code_and_nothing_else() -> None:
    code = check_code(KEY, SERIAL, DIGEST)
    assert code_matches(KEY, SERIAL, DIGEST, code.lower())
    assert not code_matches(KEY, SERIAL, DIGEST, "")
    assert not code_matches(KEY, SERIAL, DIGEST, check_code(KEY, "2024-PYRK-0002", DIGEST))


@given(st.text(max_size=40))
def test_no_typed_text_crashes(text: str) -> None:
    normalised = normalise_code(text)
    assert normalised is None or normalise_code(normalised) == normalised
    assert parse_qr_text(text) is None or text.strip().startswith("GZCL1|")


@pytest.mark.parametrize("page", [None, 1, 12, 9999])
def test_qr_text_round_trip(page: int | None) -> None:
    text = make_qr_text(SERIAL, "7K3F-92QD", page)
    assert text.startswith("GZCL1|2024-PYRK-0001|7K3F92QD")
    assert parse_qr_text(f" {text}\n") == QrContent(SERIAL, "7K3F-92QD", page)


@pytest.mark.parametrize(
    ("serial", "code", "page"),
    [
        ("a|b", "7K3F-92QD", None),
        ("", "7K3F-92QD", None),
        (SERIAL, "short", None),
        (SERIAL, "7K3F-92QD", 0),
        (SERIAL, "7K3F-92QD", 10000),
        ("编号一", "7K3F-92QD", None),
    ],
)
def test_qr_text_refuses_what_could_not_be_read_back(serial: str, code: str, page: int | None) -> None:
    with pytest.raises(ValueError, match="no QR text"):
        make_qr_text(serial, code, page)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://example.cn/x",
        "GZCL1",
        "GZCL1||7K3F92QD",
        "GZCL2|S|7K3F92QD",
        "GZCL1|S|7K3F92QD|0",
        "GZCL1|S|7K3F92QD|x",
        "GZCL1|S|7K3F92QD|1|2",
        "GZCL1|S|7K3F92Q",
        "GZCL1|S|7K3F92QD|²",
    ],
)
def test_foreign_codes_are_none(text: str) -> None:
    assert parse_qr_text(text) is None


def test_picture_is_read_by_a_scanner_and_stable() -> None:
    text = make_qr_text(SERIAL, "7K3F-92QD", 3)
    picture = qr_png(text)
    assert picture == qr_png(text)
    found = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)))
    assert [code.text for code in found] == [text]


def test_picture_survives_print_at_100_dpi() -> None:
    picture = Image.open(io.BytesIO(qr_png(make_qr_text(SERIAL, "7K3F-92QD")))).convert("L")
    side = round(22 / 25.4 * 100)
    page = Image.new("L", (side + 40, side + 40), 255)
    page.paste(picture.resize((side, side), Image.Resampling.BILINEAR), (20, 20))
    assert zxingcpp.read_barcodes(page)[0].text == "GZCL1|2024-PYRK-0001|7K3F92QD"


def test_picture_needs_text() -> None:
    with pytest.raises(ValueError, match="needs text"):
        qr_png("")
