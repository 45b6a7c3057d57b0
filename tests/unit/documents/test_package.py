"""The archive: names that every system unpacks, content unharmed, flat memory."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import PurePosixPath
from typing import BinaryIO

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents.package import Names, Opener, safe_part, safe_path, write_package


def source(data: bytes) -> Opener:
    return lambda: io.BytesIO(data)


def unpack(buffer: io.BytesIO) -> dict[str, bytes]:
    with zipfile.ZipFile(buffer) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_sheet_and_files_are_in_it() -> None:
    buffer = io.BytesIO()
    files = [
        ("001-北辰轴承/已盖章申报材料.pdf", source(b"%PDF-1")),
        ("002-松江仪表/已盖章申报材料.pdf", source(b"%PDF-2")),
    ]
    summary = write_package(buffer, b"xlsx", "汇总表.xlsx", files)
    assert unpack(buffer) == {
        "汇总表.xlsx": b"xlsx",
        "001-北辰轴承/已盖章申报材料.pdf": b"%PDF-1",
        "002-松江仪表/已盖章申报材料.pdf": b"%PDF-2",
    }
    assert summary.names == ("汇总表.xlsx", "001-北辰轴承/已盖章申报材料.pdf", "002-松江仪表/已盖章申报材料.pdf")
    assert summary.total_bytes == 16


def test_names_are_marked_as_utf8() -> None:
    buffer = io.BytesIO()
    write_package(buffer, b"", "汇总表.xlsx", [])
    with zipfile.ZipFile(buffer) as archive:
        assert archive.infolist()[0].flag_bits & 0x800


def test_equal_names_get_numbers() -> None:
    buffer = io.BytesIO()
    write_package(
        buffer, b"", "a.xlsx", [("甲/A.pdf", source(b"1")), ("甲/a.PDF", source(b"2")), ("甲/A.pdf", source(b"3"))]
    )
    assert list(unpack(buffer)) == ["a.xlsx", "甲/A.pdf", "甲/a (2).PDF", "甲/A (3).pdf"]


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "etc/passwd"),
        ("/etc/passwd", "etc/passwd"),
        ("C:\\Windows\\a.pdf", "C_/Windows/a.pdf"),
        ("a:b*c?.pdf", "a_b_c_.pdf"),
        ("CON", "_CON"),
        ("com1.pdf", "_com1.pdf"),
        (" .hidden. ", "hidden"),
        ("", "未命名"),
        ("///", "未命名"),
        ("报\x00告\n.pdf", "报告 .pdf"),
    ],
)
def test_unsafe_names_are_made_safe(name: str, safe: str) -> None:
    assert safe_path(name) == safe


def test_long_names_keep_their_ending() -> None:
    part = safe_part("哈" * 300 + ".pdf")
    assert len(part.encode()) <= 200
    assert part.endswith("哈.pdf")


@given(st.text(max_size=300))
def test_any_name_stays_inside(name: str) -> None:
    path = PurePosixPath(safe_path(name))
    assert not path.is_absolute()
    assert ".." not in path.parts
    assert all(0 < len(part.encode()) <= 205 for part in path.parts)


@given(st.lists(st.text(max_size=12), max_size=40))
def test_given_names_never_repeat(wanted: list[str]) -> None:
    names = Names()
    given_names = [names.add(name) for name in wanted]
    assert len({name.casefold() for name in given_names}) == len(wanted)
    assert names.given == given_names


def test_same_input_same_bytes() -> None:
    results = []
    for _ in range(2):
        buffer = io.BytesIO()
        write_package(buffer, b"s", "s.xlsx", [("a.pdf", source(b"1"))], modified=datetime(2024, 4, 19, 17, 26))
        results.append(buffer.getvalue())
    assert results[0] == results[1]


def test_early_times_are_raised_to_what_zip_knows() -> None:
    buffer = io.BytesIO()
    write_package(buffer, b"s", "s.xlsx", [], modified=datetime(1970, 1, 1))
    with zipfile.ZipFile(buffer) as archive:
        assert archive.infolist()[0].date_time == (1980, 1, 1, 0, 0, 0)


class Zeros(io.RawIOBase):
    """A large file that takes no memory; counts how many are open."""

    open_now = 0
    most = 0

    def __init__(self, size: int) -> None:
        self.left = size
        Zeros.open_now += 1
        Zeros.most = max(Zeros.most, Zeros.open_now)

    def read(self, size: int = -1) -> bytes:
        count = min(size, self.left)
        self.left -= count
        return bytes(count)

    def close(self) -> None:
        if not self.closed:
            Zeros.open_now -= 1
        super().close()


class Sink(io.RawIOBase):
    """Takes everything, keeps nothing, cannot seek: like a response."""

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        return len(data)


def test_large_packages_take_no_memory_and_one_file_at_a_time() -> None:
    size, count = 40 << 20, 5

    def opener() -> BinaryIO:
        return Zeros(size)  # type: ignore[return-value]

    def files() -> Iterator[tuple[str, Opener]]:
        for number in range(count):
            yield f"{number}.pdf", opener

    process = psutil.Process()
    before = process.memory_info().rss
    summary = write_package(Sink(), b"s", "s.xlsx", files())  # type: ignore[arg-type]
    assert process.memory_info().rss - before < 20 << 20
    assert summary.total_bytes == size * count + 1
    assert (Zeros.most, Zeros.open_now) == (1, 0)


def test_an_unreadable_file_is_not_hidden() -> None:
    def broken() -> BinaryIO:
        raise FileNotFoundError("gone")

    with pytest.raises(FileNotFoundError, match="gone"):
        write_package(io.BytesIO(), b"", "s.xlsx", [("a.pdf", broken)])
