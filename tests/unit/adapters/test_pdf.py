"""The gate for uploaded PDFs: real ones pass, everything else is refused with a sentence that helps."""

from __future__ import annotations

import io
import os
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pikepdf import Array, Dictionary, Name, String
from PIL import Image

from app.adapters import pdf as gate
from app.adapters.pdf import PdfFacts, check_pdf
from app.adapters.pdf_reader import inspect

A4 = (595, 842)


def blank(pages: int = 1, size: tuple[float, float] = A4) -> pikepdf.Pdf:
    document = pikepdf.new()
    for _page in range(pages):
        document.add_blank_page(page_size=A4)
        document.pages[-1].mediabox = Array([0, 0, *size])
    return document


def saved(document: pikepdf.Pdf, **options: object) -> bytes:
    out = io.BytesIO()
    document.save(out, **options)
    return out.getvalue()


def check(tmp_path: Path, body: bytes) -> PdfFacts:
    file = tmp_path / "upload"
    file.write_bytes(body)
    return check_pdf(file)


def scanned(image_format: str = "PDF", pages: int = 2) -> bytes:
    out = io.BytesIO()
    images = [Image.effect_noise((1240, 1754), 20) for _page in range(pages)]
    images[0].save(out, format=image_format, save_all=True, append_images=images[1:], resolution=150)
    return out.getvalue()


def with_root(**entries: object) -> bytes:
    document = blank()
    for name, value in entries.items():
        document.Root[Name(f"/{name}")] = value
    return saved(document)


def script() -> Dictionary:
    return Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))


def page_action(**action: object) -> bytes:
    document = blank()
    document.pages[0].obj.AA = Dictionary(O=Dictionary(**action))
    return saved(document)


def annotation() -> bytes:
    document = blank()
    document.pages[0].obj.Annots = Array([Dictionary(Type=Name.Annot, Subtype=Name.Link, A=script())])
    return saved(document)


def embedded() -> bytes:
    document = blank()
    document.attachments["virus.exe"] = b"MZ"
    return saved(document)


def orphan_attachment() -> bytes:
    """A file that no page and no name leads to, but that is inside."""
    document = blank()
    stream = document.make_stream(b"MZ", Type=Name.EmbeddedFile)
    document.pages[0].obj.PieceInfo = Dictionary(Hidden=Dictionary(Private=stream))
    return saved(document)


GOOD: dict[str, Callable[[], bytes]] = {
    "one page": lambda: saved(blank()),
    "many pages": lambda: saved(blank(300)),
    "object streams": lambda: saved(blank(3), object_stream_mode=pikepdf.ObjectStreamMode.generate),
    "linearised": lambda: saved(blank(3), linearize=True),
    "scan": scanned,
    "A0 drawing": lambda: saved(blank(1, (2384, 3370))),
    "go to page at opening": lambda: with_root(OpenAction=Dictionary(S=Name.GoTo, D=Array([0, Name.Fit]))),
    "link to a site": lambda: page_action(S=Name.URI, URI=String("https://www.harbin.gov.cn/")),
    "bytes before the header": lambda: b"\xef\xbb\xbf\r\n" + saved(blank()),
}
BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "no_bytes"),
    "png": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(99), "picture"),
    "jpeg": (lambda: b"\xff\xd8\xff\xe0" + bytes(99), "picture"),
    "gif that is also a pdf": (lambda: b"GIF89a" + saved(blank()), "picture"),
    "zip, docx": (lambda: b"PK\x03\x04" + bytes(99), "office"),
    "old word": (lambda: b"\xd0\xcf\x11\xe0" + bytes(99), "office"),
    "program": (lambda: b"MZ" + bytes(99), "not_pdf"),
    "program that is also a pdf": (lambda: b"MZ" + saved(blank()), "not_pdf"),
    "page of the web": (lambda: b"<!DOCTYPE html><p>%PDF-1.7", "not_pdf"),
    "text": (lambda: "这不是 PDF".encode(), "not_pdf"),
    "zeros": (lambda: bytes(5000), "not_pdf"),
    "header too late": (lambda: b"x" * 1020 + saved(blank()), "not_pdf"),
    "header only": (lambda: b"%PDF-1.7\n", "damaged"),
    "truncated": (lambda: scanned()[:-400], "damaged"),
    "half": (lambda: (body := scanned())[: len(body) // 2], "damaged"),
    "garbage after the header": (lambda: b"%PDF-1.7\n" + os.urandom(4000), "damaged"),
    "user password": (lambda: saved(blank(), encryption=pikepdf.Encryption(user="u", owner="o")), "encrypted"),
    "owner password": (lambda: saved(blank(), encryption=pikepdf.Encryption(user="", owner="o")), "encrypted"),
    "no page": (lambda: saved(pikepdf.new()), "empty"),
    "too many pages": (lambda: saved(blank(5001)), "too_many_pages"),
    "script at opening": (lambda: with_root(OpenAction=script()), "script"),
    "script by name": (
        lambda: with_root(Names=Dictionary(JavaScript=Dictionary(Names=Array([String("a"), script()])))),
        "script",
    ),
    "script in an array": (lambda: with_root(Odd=Array([Array([script()])])), "script"),
    "script on a link": (annotation, "script"),
    "launch on a page": (lambda: page_action(S=Name.Launch, F=String("cmd.exe")), "script"),
    "attachment": (embedded, "attachment"),
    "attachment nobody names": (orphan_attachment, "attachment"),
    "page of a kilometre": (lambda: saved(blank(1, (200_000, 842))), "page_size"),
    "page without area": (lambda: saved(blank(1, (0, 842))), "page_size"),
}


@pytest.mark.parametrize("name", GOOD)
def test_good_files_pass(name: str, tmp_path: Path) -> None:
    facts = check(tmp_path, GOOD[name]())
    assert facts.ok, facts
    assert (facts.reason, facts.reason_key, facts.unclear) == ("", "", False)
    assert facts.pages >= 1


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_with_their_own_reason(name: str, tmp_path: Path) -> None:
    build, expected = BAD[name]
    facts = check(tmp_path, build())
    assert not facts.ok
    assert facts.reason_key == expected
    assert "请" in facts.reason
    assert facts.reason.endswith("。")
    assert not facts.unclear


def test_every_reason_has_its_own_sentence() -> None:
    keys = {key for _build, key in BAD.values()} | {"too_complex"}
    assert len({gate._sentence(key, 1, 1) for key in keys}) == len(keys)


def test_page_count_is_told(tmp_path: Path) -> None:
    assert check(tmp_path, saved(blank(17))).pages == 17
    assert "5001 页" in check(tmp_path, saved(blank(5001))).reason


def test_odd_page_is_named(tmp_path: Path) -> None:
    document = blank(3)
    document.pages[2].mediabox = Array([0, 0, 5, 5])
    assert "第 3 页" in check(tmp_path, saved(document)).reason


def test_wrong_start_is_refused_without_a_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_args: object, **_kwargs: object) -> None:
        raise AssertionError("a child was started")

    monkeypatch.setattr(gate, "run_limited", never)
    assert check(tmp_path, b"\x89PNG" + bytes(99)).reason_key == "picture"


def test_limit_leaves_the_file_unclear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_args: object, **_kwargs: object) -> None:
        raise gate.ProcessLimit("cpu")

    monkeypatch.setattr(gate, "run_limited", stopped)
    facts = check(tmp_path, saved(blank()))
    assert (facts.ok, facts.unclear, facts.reason_key) == (False, True, "too_complex")


def test_bomb_stays_packed(tmp_path: Path) -> None:
    """400 MB of zeros in a page's content are never unpacked."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _turn in range(400)) + packer.flush()
    document = blank()
    document.pages[0].Contents = document.make_stream(packed, Filter=Name.FlateDecode)
    body = saved(document, stream_decode_level=pikepdf.StreamDecodeLevel.none, compress_streams=False)
    assert len(body) < 1_000_000
    started = time.monotonic()
    assert check(tmp_path, body).ok
    assert time.monotonic() - started < 2


def test_ten_megabytes_are_checked_quickly(tmp_path: Path) -> None:
    document = blank(30)
    for page in document.pages:
        page.Contents = document.make_stream(os.urandom(350_000))
    body = saved(document, compress_streams=False)
    assert len(body) > 10_000_000
    check(tmp_path, body)
    started = time.monotonic()
    assert check(tmp_path, body).ok
    assert time.monotonic() - started < 0.6


def test_office_file_is_named_as_such(tmp_path: Path) -> None:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    assert "另存为 PDF" in check(tmp_path, body.getvalue()).reason


SAMPLE = saved(blank(2))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(SAMPLE) - 1), st.binary(max_size=6)), min_size=1, max_size=5))
@example([(75, b"\x00"), (129, b"\x00")])
def test_no_damage_makes_the_reader_raise(tmp_path: Path, damage: list[tuple[int, bytes]]) -> None:
    body = bytearray(SAMPLE)
    for place, junk in damage:
        body[place : place + len(junk)] = junk
    file = tmp_path / "damaged"
    file.write_bytes(body)
    found = inspect(str(file))
    assert found["ok"] == (found["reason_key"] == "")
    assert found["reason_key"] == "" or gate._sentence(found["reason_key"], found["pages"], found["page"])


@pytest.mark.parametrize(
    "trailer",
    [
        b"1 0 obj<</Type/Catalog/Pages 1 0 R>>endobj",
        b"1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[2 0 R]/Count 1>>endobj",
        b"1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 999999999>>endobj",
        b"1 0 obj" + b"[" * 100_000 + b"]" * 100_000 + b"endobj",
        b"1 0 obj" + b"<</A" * 5_000 + b" 1" + b">>" * 5_000 + b"endobj",
    ],
)
def test_hostile_structures_are_refused(tmp_path: Path, trailer: bytes) -> None:
    body = b"%PDF-1.7\n" + trailer + b"\n"
    body += b"xref\n0 3\n0000000000 65535 f \n0000000009 00000 n \n%010d 00000 n \n" % (9 + trailer.find(b"2 0 obj"))
    body += b"trailer<</Root 1 0 R/Size 3>>\nstartxref\n%d\n%%%%EOF\n" % body.index(b"xref\n")
    assert not check(tmp_path, body).ok
