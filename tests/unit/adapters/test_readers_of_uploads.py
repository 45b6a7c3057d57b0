"""What hides in uploaded PDFs and pictures: each trick is found wherever in the file it stands, and harmless kin pass."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String
from PIL import Image

from app.adapters import image_reader
from app.adapters.pdf_reader import MAX_SIDE, MIN_SIDE, inspect

Build = Callable[[pikepdf.Pdf], object]


def pdf(change: Build, pages: int = 2) -> bytes:
    """A PDF of blank pages after ``change``."""
    out = io.BytesIO()
    with pikepdf.new() as document:
        for _page in range(pages):
            document.add_blank_page(page_size=(595, 842))
        change(document)
        document.save(out)
    return out.getvalue()


def verdict(tmp_path: Path, body: bytes) -> tuple[str, int, int]:
    file = tmp_path / "upload.pdf"
    file.write_bytes(body)
    found = inspect(str(file))
    assert found["ok"] == (not found["reason_key"])
    return found["reason_key"], found["pages"], found["page"]


def on_root(**entries: object) -> Build:
    return lambda document: [document.Root.__setitem__(f"/{k}", v) for k, v in entries.items()]


def on_page(number: int = 0, **entries: object) -> Build:
    return lambda document: [document.pages[number].obj.__setitem__(f"/{k}", v) for k, v in entries.items()]


def action(kind: str, **more: object) -> Dictionary:
    return Dictionary(S=Name(f"/{kind}"), **more)


def nested(depth: int, inside: object) -> object:
    for _level in range(depth):
        inside = Array([inside])
    return inside


SCRIPT = action("JavaScript", JS=String("app.alert(1)"))
FOUND: dict[str, tuple[Build, str]] = {
    "script of a form field": (on_root(AcroForm=Dictionary(Fields=Array([Dictionary(AA=Dictionary(K=SCRIPT))]))), "script"),
    "xfa form as one stream": (
        lambda d: d.Root.__setitem__("/AcroForm", Dictionary(XFA=d.make_stream(b"<xdp:xdp/>"))), "script"
    ),
    "xfa form in packets": (
        lambda d: d.Root.__setitem__("/AcroForm", Dictionary(XFA=Array([String("form"), d.make_stream(b"<x/>")]))),
        "script",
    ),
    "script when a page opens": (on_page(1, AA=Dictionary(O=SCRIPT)), "script"),
    "script after a harmless action": (on_root(OpenAction=action("GoTo", Next=SCRIPT)), "script"),
    "script in a list of next actions": (on_root(OpenAction=action("URI", Next=Array([action("GoTo"), SCRIPT]))), "script"),
    "script as a stream": (lambda d: d.Root.__setitem__("/X", action("JavaScript", JS=d.make_stream(b"x"))), "script"),
    "script deep inside": (on_root(Odd=nested(40, SCRIPT)), "script"),
    "script of a bookmark": (on_root(Outlines=Dictionary(First=Dictionary(A=SCRIPT))), "script"),
    "script of a rendition": (on_page(0, Annots=Array([Dictionary(A=action("Rendition"))])), "script"),
    "launch of a program": (on_root(OpenAction=action("Launch", Win=Dictionary(F=String("cmd.exe")))), "script"),
    "import of data": (on_root(OpenAction=action("ImportData", F=String("x.fdf"))), "script"),
    "jump into an attachment": (on_root(OpenAction=action("GoToE")), "script"),
    "file on a page": (
        lambda d: d.pages[0].obj.__setitem__(
            "/Annots", Array([Dictionary(Subtype=Name.FileAttachment, FS=Dictionary(EF=Dictionary(F=d.make_stream(b"MZ"))))])
        ),
        "attachment",
    ),
    "film": (on_page(0, Annots=Array([Dictionary(RichMediaContent=Dictionary())])), "attachment"),
    "portfolio": (on_root(Names=Dictionary(EmbeddedFiles=Dictionary(Names=Array([])))), "attachment"),
    "nesting without end": (on_root(Odd=nested(80, Dictionary())), "damaged"),
    "page as large as a field": (lambda d: d.pages[1].__setattr__("mediabox", Array([0, 0, MAX_SIDE + 1, 842])), "page_size"),
    "page as small as a stamp": (lambda d: d.pages[1].__setattr__("mediabox", Array([0, 0, MIN_SIDE - 1, 842])), "page_size"),
    "page enlarged by its unit": (on_page(1, UserUnit=100), "page_size"),
}  # fmt: skip
PASSES: dict[str, Build] = {
    "form without script": on_root(AcroForm=Dictionary(Fields=Array([Dictionary(FT=Name.Tx, T=String("name"))]))),
    "link to a page of the web": on_page(0, Annots=Array([Dictionary(A=action("URI", URI=String("https://x.cn")))])),
    "a file that is only named": on_page(0, Annots=Array([Dictionary(A=action("GoToR", F=Dictionary(F=String("a.pdf"))))])),
    "words that look like a script": on_root(Note=String("/JavaScript /JS (app.alert)")),
    "page turned upside down": on_page(0, Rotate=180),
    "box with corners the other way round": lambda d: d.pages[0].__setattr__("mediabox", Array([595, 842, 0, 0])),
    "box away from the origin": lambda d: d.pages[0].__setattr__("mediabox", Array([-100, -100, 495, 742])),
    "largest sheet": lambda d: d.pages[0].__setattr__("mediabox", Array([0, 0, MAX_SIDE, MAX_SIDE])),
    "metadata": on_root(Info=Dictionary(Title=String("审计报告"))),
}  # fmt: skip


@pytest.mark.parametrize("name", FOUND)
def test_a_trick_is_found(name: str, tmp_path: Path) -> None:
    change, reason = FOUND[name]
    assert verdict(tmp_path, pdf(change))[0] == reason


@pytest.mark.parametrize("name", PASSES)
def test_harmless_kin_pass(name: str, tmp_path: Path) -> None:
    assert verdict(tmp_path, pdf(PASSES[name])) == ("", 2, 0)


@pytest.mark.parametrize("number", [1, 2, 7])
def test_the_first_wrong_page_is_named(number: int, tmp_path: Path) -> None:
    def shrink(document: pikepdf.Pdf) -> None:
        for page in list(document.pages)[number - 1 :]:
            page.mediabox = Array([0, 0, 5, 5])

    assert verdict(tmp_path, pdf(shrink, pages=8)) == ("page_size", 8, number)


@pytest.mark.parametrize(
    "box", [Array([0, 0]), Array([String("a")] * 4), String("A4"), Array([0, 0, 595, Dictionary()])], ids=range(4)
)
def test_a_page_without_a_proper_box_is_the_usual_sheet_as_readers_take_it(box: object, tmp_path: Path) -> None:
    assert verdict(tmp_path, pdf(on_page(0, MediaBox=box))) == ("", 2, 0)


@pytest.mark.parametrize(("pages", "most", "reason"), [(3, 3, ""), (4, 3, "too_many_pages")])
def test_the_most_pages_are_allowed_and_one_more_is_not(pages: int, most: int, reason: str, tmp_path: Path) -> None:
    file = tmp_path / "upload.pdf"
    file.write_bytes(pdf(lambda d: None, pages))
    found = inspect(str(file), most)
    assert (found["reason_key"], found["pages"]) == (reason, pages)


@pytest.mark.parametrize("cut", [10, 200, 700])
def test_a_file_without_its_end_is_damaged(cut: int, tmp_path: Path) -> None:
    assert verdict(tmp_path, pdf(lambda d: None)[:-cut])[0] == "damaged"


# -- pictures ---------------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def own_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader switches the library's limit off in its child; here it is put back after each test."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)


def picture(kind: str, size: tuple[int, int], mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    Image.new(mode, size).save(out, kind)
    return out.getvalue()


def look(tmp_path: Path, body: bytes, kind: str) -> tuple[str, int, int]:
    file = tmp_path / "picture"
    file.write_bytes(body)
    found = image_reader.inspect(str(file), kind)
    return found["reason_key"], found["width"], found["height"]


def png_that_claims(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose head speaks of a huge picture."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("size", [(16, 16), (640, 480)])
def test_a_picture_of_its_kind_passes(kind: str, mode: str, size: tuple[int, int], tmp_path: Path) -> None:
    assert look(tmp_path, picture(kind, size, mode), kind) == ("", *size)


@pytest.mark.parametrize(
    ("made", "asked"), [("PNG", "JPEG"), ("JPEG", "PNG"), ("GIF", "PNG"), ("TIFF", "JPEG"), ("BMP", "PNG")]
)
def test_a_picture_of_another_kind_is_told(made: str, asked: str, tmp_path: Path) -> None:
    assert look(tmp_path, picture(made, (64, 64)), asked)[0] == "other_kind"


@pytest.mark.parametrize("size", [(15, 500), (500, 15), (1, 1)])
def test_a_picture_too_small_to_read_is_told_with_its_size(size: tuple[int, int], tmp_path: Path) -> None:
    assert look(tmp_path, picture("PNG", size), "PNG") == ("too_small", *size)


@pytest.mark.parametrize("size", [(100_000, 100_000), (75_000_001, 1), (8661, 8661)])
def test_a_bomb_is_refused_by_what_it_claims(size: tuple[int, int], tmp_path: Path) -> None:
    assert look(tmp_path, png_that_claims(*size), "PNG") == ("too_large", *size)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_half_a_picture_is_damaged(kind: str, part: float, tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.effect_noise((200, 200), 60).save(out, kind)
    whole = out.getvalue()
    assert look(tmp_path, whole[: int(len(whole) * part)], kind)[0] == "damaged"


@pytest.mark.parametrize("body", [b"", b"\x89PNG", b"text", bytes(1000), b"\xff\xd8\xff"], ids=ascii)
def test_what_is_no_picture_is_told(body: bytes, tmp_path: Path) -> None:
    for kind in ("JPEG", "PNG"):
        assert look(tmp_path, body, kind)[0] in {"other_kind", "damaged"}
