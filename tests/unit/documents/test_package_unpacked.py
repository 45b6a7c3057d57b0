"""The archive as another program unpacks it: nothing leaves its folder, nothing overwrites, every name can be read."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.documents.package import MAX_PART, Names, safe_part, safe_path, write_package

FEW = settings(
    max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
HOSTILE = [
    "../../../etc/passwd", "..\\..\\windows\\system.ini", "/root/.ssh/authorized_keys", "C:/Windows/a.pdf", "a/../../b.pdf",
    "./././a.pdf", "a//b///c.pdf", "~/a.pdf", "a\x00.pdf", "a\n/b.pdf", "aux", "nul.pdf", "COM1.tar.gz", "a.pdf.", "a.pdf ",
    "...", "\u202egnp.exe", "＜名＞.pdf", "a:b|c?d*e.pdf", "\"引号\".pdf", "x" * 400, "哈" * 200 + ".pdf", ".htaccess", "-rf",
]  # fmt: skip


def pack(*names: str) -> bytes:
    buffer = io.BytesIO()
    files = [(name, lambda n=name: io.BytesIO(n.encode("utf-8", "replace"))) for name in names]
    write_package(buffer, b"sheet", "汇总表.xlsx", files)
    return buffer.getvalue()


def unpack(data: bytes, folder: Path) -> dict[str, bytes]:
    """Every file below ``folder`` after unpacking as the plain tool does: no cleaning of names on its side."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for entry in archive.infolist():
            target = folder / entry.filename
            assert folder.resolve() in target.resolve().parents, entry.filename
            target.parent.mkdir(parents=True, exist_ok=True)
            assert not target.exists(), entry.filename
            target.write_bytes(archive.read(entry))
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_name_is_unpacked_inside(name: str, tmp_path: Path) -> None:
    inside = tmp_path / "here"
    files = unpack(pack(name), inside)
    assert len(files) == 2 and files["汇总表.xlsx"] == b"sheet"
    assert name.encode("utf-8", "replace") in files.values()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["here"]


def test_all_of_them_together_are_all_there(tmp_path: Path) -> None:
    files = unpack(pack(*HOSTILE, *HOSTILE), tmp_path)
    assert len(files) == 2 * len(HOSTILE) + 1


@FEW
@given(names=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), max_size=12))
def test_any_names_give_as_many_files(names: list[str]) -> None:
    with zipfile.ZipFile(io.BytesIO(pack(*names))) as archive:
        given_names = archive.namelist()
    assert len(given_names) == len(set(given_names)) == len(names) + 1
    for name in given_names:
        assert not name.startswith("/") and ".." not in name.split("/") and "\\" not in name
        assert all(len(part.encode()) <= MAX_PART + 8 for part in name.split("/"))


@pytest.mark.parametrize(
    "name", ["审计报告.pdf", "001-哈尔滨北辰/已盖章申报材料.pdf", "a b (1).pdf", "报告（更正）.pdf", "2024.06.pdf"]
)
def test_an_honest_name_stays_as_it_is(name: str) -> None:
    assert safe_path(name) == name
    assert safe_path(safe_path(name)) == name


@FEW
@given(name=st.text(max_size=60))
def test_cleaning_a_name_twice_is_cleaning_it_once(name: str) -> None:
    assert safe_path(safe_path(name)) == safe_path(name)
    assert safe_part(safe_part(name)) == safe_part(name)


@pytest.mark.parametrize("copies", [2, 3, 12])
def test_equal_names_are_counted_before_the_ending(copies: int) -> None:
    names = Names()
    given_names = [names.add("甲/报告.pdf") for _ in range(copies)]
    assert given_names == ["甲/报告.pdf", *(f"甲/报告 ({n}).pdf" for n in range(2, copies + 1))]


def test_names_that_differ_in_case_only_are_told_apart_for_windows() -> None:
    names = Names()
    assert [names.add(n) for n in ("A.pdf", "a.pdf", "a (2).pdf", "A.PDF")] == [
        "A.pdf",
        "a (2).pdf",
        "a (2) (2).pdf",
        "A (3).PDF",
    ]


def test_files_can_be_read_by_their_owner_and_are_no_programs(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(pack("a.pdf"))) as archive:
        modes = {entry.external_attr >> 16 for entry in archive.infolist()}
    assert modes == {0o644} and not any(mode & 0o111 for mode in modes)
    assert os.fspath(tmp_path)
