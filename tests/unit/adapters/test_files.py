"""One contract for every file store: a local folder, an fsspec folder, an fsspec object store in memory."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import textwrap
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from app.adapters.files import CHUNK, FileStore, FsspecStore, LocalStore, Staged, address, open_store
from app.errors import InvalidInput, NotFound, TooLarge, Unavailable

ROOT = Path(__file__).resolve().parents[3]
LIMIT = 104_857_600
BODY = "申报材料".encode() * 1000
SHA = hashlib.sha256(BODY).hexdigest()


class Endless:
    """A stream that never ends and counts what was taken from it."""

    taken = 0

    def read(self, size: int = -1) -> bytes:
        self.taken += size
        return b"x" * size


class Broken:
    """A stream whose sender goes away after the first chunk."""

    def __init__(self) -> None:
        self.calls = 0

    def read(self, size: int = -1) -> bytes:
        self.calls += 1
        if self.calls > 1:
            raise ConnectionResetError("the sender went away")
        return b"x" * 1000


@pytest.fixture(params=["local", "fsspec-file", "fsspec-memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FileStore]:
    if request.param == "local":
        yield LocalStore(tmp_path / "store")
    elif request.param == "fsspec-file":
        yield FsspecStore(f"file://{tmp_path}/store", tmp_path / "staging")
    else:
        yield FsspecStore(f"memory://{uuid.uuid4().hex}/files", tmp_path / "staging")


def keep(store: FileStore, body: bytes = BODY) -> str:
    return store.commit(store.stage(io.BytesIO(body), LIMIT))


def test_staged_file_knows_its_size_and_hash_and_lies_on_this_machine(store: FileStore) -> None:
    staged = store.stage(io.BytesIO(BODY), LIMIT)
    assert (staged.size, staged.sha256) == (len(BODY), SHA)
    assert store.path(staged).read_bytes() == BODY


def test_staged_file_is_not_kept_before_commit(store: FileStore) -> None:
    staged = store.stage(io.BytesIO(BODY), LIMIT)
    assert list(store.kept()) == []
    with pytest.raises(NotFound):
        store.open(staged.sha256)


def test_committed_file_reads_back_equal_and_leaves_no_stage(store: FileStore) -> None:
    staged = store.stage(io.BytesIO(BODY), LIMIT)
    assert store.commit(staged) == SHA
    with store.open(SHA) as reader:
        assert reader.read() == BODY
    assert store.size(SHA) == len(BODY)
    assert not store.path(staged).exists()


def test_reader_can_seek_for_range_requests(store: FileStore) -> None:
    with store.open(keep(store)) as reader:
        reader.seek(12)
        assert reader.read(12) == BODY[12:24]


def test_commit_twice_is_harmless(store: FileStore) -> None:
    staged = store.stage(io.BytesIO(BODY), LIMIT)
    assert store.commit(staged) == store.commit(staged) == SHA
    assert store.size(SHA) == len(BODY)


def test_equal_content_is_one_kept_file(store: FileStore) -> None:
    assert keep(store) == keep(store)
    assert list(store.kept()) == [SHA]


def test_discard_forgets_a_stage_and_may_be_repeated(store: FileStore) -> None:
    staged = store.stage(io.BytesIO(BODY), LIMIT)
    store.discard(staged)
    store.discard(staged)
    assert not store.path(staged).exists()


def test_commit_of_a_stage_that_was_swept_keeps_nothing(store: FileStore) -> None:
    staged = store.stage(io.BytesIO(BODY), LIMIT)
    store.discard(staged)
    with pytest.raises(Unavailable, match="请过几分钟再试一次"):
        store.commit(staged)
    assert list(store.kept()) == []


def test_delete_may_be_repeated(store: FileStore) -> None:
    sha = keep(store)
    store.delete(sha)
    store.delete(sha)
    with pytest.raises(NotFound, match="找不到这份文件"):
        store.size(sha)


def test_empty_file_can_be_stored(store: FileStore) -> None:
    sha = keep(store, b"")
    assert store.size(sha) == 0
    assert store.open(sha).read() == b""


@pytest.mark.parametrize(("size", "limit"), [(10, 10), (11, 10), (CHUNK, CHUNK), (3 * CHUNK + 1, 3 * CHUNK)])
def test_limit_itself_is_too_large(store: FileStore, size: int, limit: int) -> None:
    with pytest.raises(TooLarge, match="文件要小于"):
        store.stage(io.BytesIO(b"x" * size), limit)


@pytest.mark.parametrize(("size", "limit"), [(9, 10), (CHUNK - 1, CHUNK), (3 * CHUNK - 1, 3 * CHUNK)])
def test_one_byte_under_the_limit_is_fine(store: FileStore, size: int, limit: int) -> None:
    assert store.stage(io.BytesIO(b"x" * size), limit).size == size


def test_endless_stream_is_cut_off_at_the_limit_and_leaves_nothing(store: FileStore, tmp_path: Path) -> None:
    stream = Endless()
    with pytest.raises(TooLarge):
        store.stage(stream, 3 * CHUNK)
    assert stream.taken == 3 * CHUNK
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


def test_limit_is_named_in_megabytes(store: FileStore) -> None:
    with pytest.raises(TooLarge) as caught:
        store.stage(cast(BinaryIO, Endless()), 2 * CHUNK)
    assert caught.value.message == "文件要小于 2 MB。请把扫描分辨率降到每英寸 200 点后再传。"
    assert caught.value.status == 413


def test_interrupted_upload_leaves_nothing(store: FileStore, tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        store.stage(Broken(), LIMIT)
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


@pytest.mark.parametrize(
    "name", ["", "../../etc/passwd", "ab/cd", SHA.upper(), SHA[:-1], SHA + "0", SHA + "\n", "\x00" * 64]
)
def test_what_is_no_hash_names_no_file(store: FileStore, name: str) -> None:
    for ask in (store.open, store.size, store.delete):
        with pytest.raises(NotFound):
            ask(name)


def test_invented_stage_key_reaches_no_file(store: FileStore) -> None:
    with pytest.raises(ValueError, match="key made by stage"):
        store.path(Staged("../../etc/passwd", 1, SHA))


def test_sweep_takes_old_stages_only(store: FileStore) -> None:
    old, young = (store.stage(io.BytesIO(body), LIMIT) for body in (b"old", b"young"))
    sha = keep(store)
    yesterday = time.time() - 86_500
    os.utime(store.path(old), (yesterday, yesterday))
    assert store.sweep(timedelta(hours=24)) == 1
    assert not store.path(old).exists()
    assert store.path(young).read_bytes() == b"young"
    assert store.size(sha) == len(BODY)


def test_kept_lists_only_files_of_that_age(store: FileStore) -> None:
    shas = {keep(store, b"one"), keep(store, b"two")}
    assert set(store.kept()) == shas
    assert list(store.kept(timedelta(days=7))) == []


def test_address_spreads_files_over_folders() -> None:
    assert address(SHA) == f"{SHA[:2]}/{SHA[2:4]}/{SHA}"


def test_local_store_puts_the_file_under_its_address(tmp_path: Path) -> None:
    sha = keep(LocalStore(tmp_path))
    assert (tmp_path / address(sha)).read_bytes() == BODY


def test_fsspec_store_sweeps_half_sent_keys(tmp_path: Path) -> None:
    store = FsspecStore(f"file://{tmp_path}/store", tmp_path / "staging")
    half = tmp_path / "store" / "staging" / "half"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"half")
    os.utime(half, (0, 0))
    assert store.sweep(timedelta(hours=24)) == 1
    assert not half.exists()


def test_fsspec_store_sends_again_what_is_not_whole(tmp_path: Path) -> None:
    store = FsspecStore(f"file://{tmp_path}/store", tmp_path / "staging")
    torn = tmp_path / "store" / address(SHA)
    torn.parent.mkdir(parents=True)
    torn.write_bytes(BODY[:10])
    assert keep(store) == SHA
    assert torn.read_bytes() == BODY


def test_silent_object_store_is_unavailable_and_keeps_the_stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FsspecStore(f"memory://{uuid.uuid4().hex}", tmp_path / "staging")
    staged = store.stage(io.BytesIO(BODY), LIMIT)

    def refuse(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("no route to host")

    monkeypatch.setattr(store, "_upload", refuse)
    with pytest.raises(Unavailable, match="文件存储暂时没有应答"):
        store.commit(staged)
    assert store.path(staged).read_bytes() == BODY


@pytest.mark.parametrize("url", [None, "", "{tmp}/here", "file://{tmp}/here"])
def test_paths_open_a_local_store(url: str | None, tmp_path: Path) -> None:
    store = open_store(url.format(tmp=tmp_path) if url else url, tmp_path / "data")
    assert isinstance(store, LocalStore)
    assert store.folder == (tmp_path / "here" if url else tmp_path / "data" / "files")


def test_other_schemes_open_fsspec(tmp_path: Path) -> None:
    assert isinstance(open_store("memory://bucket/prefix", tmp_path), FsspecStore)


def test_unknown_scheme_is_refused_with_the_address(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="nowhere://bucket"):
        open_store("nowhere://bucket", tmp_path)


MEASURE = """
    import resource, sys, pathlib
    from app.adapters.files import FsspecStore, LocalStore

    class Zeros:
        left = 100 * 1024 * 1024 - 1
        def read(self, size=-1):
            size = min(size, self.left)
            self.left -= size
            return bytes(size)

    folder = pathlib.Path(sys.argv[2])
    store = LocalStore(folder) if sys.argv[1] == "local" else FsspecStore("file://" + sys.argv[2], folder / "in")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sha = store.commit(store.stage(Zeros(), 104857600))
    assert store.size(sha) == 104857599
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.parametrize("kind", ["local", "fsspec"])
def test_memory_stays_flat_for_the_largest_file(kind: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(MEASURE), kind, str(tmp_path / "store")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 32
