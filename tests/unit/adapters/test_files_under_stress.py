"""File stores when things go wrong or happen at once: nothing half, nothing lost, nothing of somebody else."""

from __future__ import annotations

import hashlib
import io
import os
import random
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.adapters import files
from app.adapters.files import CHUNK, FileStore, FsspecStore, LocalStore, Staged, address, open_store
from app.errors import InvalidInput, NotFound, TooLarge, Unavailable

LIMIT = 8 * CHUNK


class Drip:
    """A slow sender: never more than ``step`` bytes at once, as a network gives them."""

    def __init__(self, body: bytes, step: int) -> None:
        self.body, self.step, self.place = body, step, 0

    def read(self, size: int = -1) -> bytes:
        most = self.step if size < 0 else min(size, self.step)
        piece = self.body[self.place : self.place + most]
        self.place += len(piece)
        return piece


@pytest.fixture(params=["local", "fsspec-file", "fsspec-memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FileStore]:
    """Each kind of store, empty."""
    if request.param == "local":
        yield LocalStore(tmp_path / "store")
    elif request.param == "fsspec-file":
        yield FsspecStore(f"file://{tmp_path}/store", tmp_path / "staging")
    else:
        yield FsspecStore(f"memory://{uuid.uuid4().hex}/files", tmp_path / "staging")


def body(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def keep(store: FileStore, content: bytes) -> str:
    return store.commit(store.stage(io.BytesIO(content), LIMIT))


@pytest.mark.parametrize(
    ("size", "step"), [(1, 1), (1000, 7), (CHUNK, 4096), (CHUNK + 1, CHUNK), (2 * CHUNK - 1, 65536)]
)
def test_a_file_arrives_whole_however_it_is_cut(store: FileStore, size: int, step: int) -> None:
    content = body(size)
    staged = store.stage(Drip(content, step), LIMIT)
    assert (staged.size, staged.sha256) == (size, hashlib.sha256(content).hexdigest())
    with store.open(store.commit(staged)) as reader:
        assert reader.read() == content


@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.binary(max_size=2000), ranges=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 200)), max_size=5)
)
def test_any_part_can_be_read(store: FileStore, content: bytes, ranges: list[tuple[int, int]]) -> None:
    sha = keep(store, content)
    with store.open(sha) as reader:
        for start, length in ranges:
            reader.seek(start)
            assert reader.read(length) == content[start : start + length]


@pytest.mark.parametrize("store", ["local", "fsspec-file"], indirect=True)
def test_two_readers_do_not_share_a_place(store: FileStore) -> None:
    sha = keep(store, body(1000))
    with store.open(sha) as one, store.open(sha) as two:
        one.seek(500)
        assert two.read(10) == body(1000)[:10]
        assert one.read(10) == body(1000)[500:510]


def test_equal_files_sent_at_once_are_one_whole_file(store: FileStore) -> None:
    content, shas, errors = body(CHUNK // 4), [], []

    def send() -> None:
        try:
            shas.append(keep(store, content))
        except Exception as error:  # told below: a thread's own error would be lost
            errors.append(error)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (errors, len(shas), len(set(shas))) == ([], 8, 1)
    assert list(store.kept()) == [shas[0]]
    with store.open(shas[0]) as reader:
        assert reader.read() == content


def test_different_files_sent_at_once_do_not_mix(store: FileStore) -> None:
    contents = [body(50_000 + n, n) for n in range(6)]
    shas: dict[int, str] = {}
    threads = [
        threading.Thread(target=lambda n=n: shas.__setitem__(n, keep(store, contents[n]))) for n in range(len(contents))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for n, content in enumerate(contents):
        assert shas[n] == hashlib.sha256(content).hexdigest()
        assert store.size(shas[n]) == len(content)


def test_deleting_one_file_leaves_the_others(store: FileStore) -> None:
    one, two = keep(store, b"one"), keep(store, b"two")
    store.delete(one)
    assert list(store.kept()) == [two]
    with pytest.raises(NotFound):
        store.open(one)
    assert keep(store, b"one") == one, "what was deleted can be handed in again"
    assert store.size(one) == 3


def test_too_large_is_said_before_everything_has_arrived(store: FileStore) -> None:
    stream = Drip(body(4 * CHUNK), CHUNK)
    with pytest.raises(TooLarge):
        store.stage(stream, CHUNK + 1)
    assert stream.place == 2 * CHUNK, "no more is taken than needed to know"


def test_a_full_disk_is_said_and_leaves_nothing(
    store: FileStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(Unavailable) as caught:
        store.stage(io.BytesIO(b"x"), LIMIT)
    assert caught.value.message == "文件存储暂时没有应答，已填的内容都在。请过几分钟再试一次。"
    assert caught.value.status == 503
    assert [f for f in tmp_path.rglob("*") if f.is_file()] == []


def test_missing_and_unknown_files_are_told_alike(store: FileStore) -> None:
    sha = keep(store, b"x")
    store.delete(sha)
    sentences = set()
    for name in (sha, "0" * 64, "../secret", ""):
        for ask in (store.open, store.size):
            with pytest.raises(NotFound) as caught:
                ask(name)
            sentences.add((caught.value.message, caught.value.status))
    assert sentences == {("找不到这份文件。请回到申报页重新上传，或联系受理单位查询。", 404)}


@pytest.mark.parametrize(
    "key", ["", "a", "../x", "A" * 32, "g" * 32, "a" * 31, "a" * 33, "a" * 32 + "\n", "a" * 31 + "/"]
)
def test_a_stage_key_made_by_others_reaches_nothing(store: FileStore, key: str) -> None:
    invented = Staged(key, 1, "0" * 64)
    for ask in (store.path, store.discard, store.commit):
        with pytest.raises(ValueError, match="key made by stage"):
            ask(invented)


def test_a_stage_that_claims_another_hash_reaches_no_file_outside(store: FileStore, tmp_path: Path) -> None:
    staged = store.stage(io.BytesIO(b"x"), LIMIT)
    with pytest.raises(NotFound):
        store.commit(Staged(staged.key, 1, "../../outside"))
    assert not (tmp_path / "outside").exists()
    assert store.path(staged).read_bytes() == b"x"


def test_old_kept_files_are_listed_by_age(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    old, young = keep(store, b"old"), keep(store, b"young")
    week = time.time() - 8 * 86_400
    os.utime(tmp_path / address(old), (week, week))
    assert list(store.kept(timedelta(days=7))) == [old]
    assert set(store.kept()) == {old, young}


def test_foreign_files_in_the_folder_are_not_ours(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    sha = keep(store, b"x")
    for name in ("ab/cd/readme.txt", "ab/cd/" + "z" * 64, "note.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("foreign")
    assert list(store.kept()) == [sha]


def test_names_of_files_say_nothing_about_their_owner(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    sha = keep(store, "哈尔滨北辰公司审计报告".encode())
    (kept,) = [f for f in (tmp_path / "store").rglob("*") if f.is_file()]
    assert kept.relative_to(tmp_path / "store").as_posix() == f"{sha[:2]}/{sha[2:4]}/{sha}"


@pytest.mark.parametrize("sha", ["0" * 64, "abcdef0123456789" * 4])
def test_addresses_stay_inside(sha: str) -> None:
    assert address(sha) == f"{sha[:2]}/{sha[2:4]}/{sha}"


@pytest.mark.parametrize("url", ["nowhere://bucket", "s4://bucket/x"])
def test_an_address_that_no_library_knows_is_told_in_words(url: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        open_store(url, tmp_path)
    assert caught.value.message.startswith(f"文件存储地址 {url} 用不了：")
    assert caught.value.message.endswith("请检查地址，并安装它需要的组件。")


def test_stores_of_one_folder_see_each_other(tmp_path: Path) -> None:
    """A server and its worker are two processes on one folder."""
    writer, reader = (open_store(str(tmp_path / "files"), tmp_path) for _ in range(2))
    staged = writer.stage(io.BytesIO(b"material"), LIMIT)
    assert reader.path(staged).read_bytes() == b"material"
    assert reader.size(writer.commit(staged)) == 8
