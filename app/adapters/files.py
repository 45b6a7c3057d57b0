"""Where the bytes of attachments live: a local folder, or any fsspec address (S3-compatible in production).

A file is *staged* while it is hashed, then *committed* under its own SHA-256 (``ab/cd/<sha256>``), and only then does
a service write the row that names it. A crash in between leaves bytes without a row, never a row without bytes.
Sizes are bytes. Equal content is one stored file; who may read it is decided by the caller, not here.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO, Any, BinaryIO, Protocol, cast

import fsspec
from flask_babel import gettext as _

from app.errors import DomainError, InvalidInput, NotFound, TooLarge, Unavailable

log = logging.getLogger(__name__)

CHUNK = 1024 * 1024
STAGING = "staging"
_HASH = re.compile(r"[0-9a-f]{64}")


class Readable(Protocol):
    """Anything that gives bytes: an open file, a request stream."""

    def read(self, size: int = ..., /) -> bytes:
        """Up to ``size`` bytes; empty at the end."""


@dataclass(frozen=True)
class Staged:
    """A file received in full but not yet kept. ``size`` in bytes, ``sha256`` in lower-case hex."""

    key: str
    size: int
    sha256: str


class FileStore(Protocol):
    """What every store can do; one set of contract tests runs on all of them."""

    def stage(self, stream: Readable, limit: int) -> Staged:
        """Receive ``stream`` in chunks. Raises ``TooLarge`` as soon as ``limit`` bytes are reached."""

    def path(self, staged: Staged) -> Path:
        """The staged file on this machine, for checks before it is kept."""

    def commit(self, staged: Staged) -> str:
        """Keep a staged file; returns its SHA-256. Doing it twice, or for known content, is harmless."""

    def discard(self, staged: Staged) -> None:
        """Forget a staged file; nothing happens when it is gone already."""

    def open(self, sha256: str) -> BinaryIO:
        """A seekable reader of a kept file. Raises ``NotFound``."""

    def size(self, sha256: str) -> int:
        """Bytes of a kept file. Raises ``NotFound``."""

    def delete(self, sha256: str) -> None:
        """Remove a kept file; nothing happens when it is gone already."""

    def kept(self, older_than: timedelta = ...) -> Iterator[str]:
        """The SHA-256 of every kept file last written at least ``older_than`` ago, for the sweeper and backups."""

    def sweep(self, older_than: timedelta) -> int:
        """Remove staged files nobody came back for; returns how many."""


class StagingArea:
    """A local folder that receives uploads; both stores stage here, because checks need a local file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def receive(self, stream: Readable, limit: int) -> Staged:
        """Copy ``stream`` to disk while hashing it, and force it to the disk."""
        key = uuid.uuid4().hex
        target = self.folder / key
        try:
            with _storage_errors(), target.open("xb") as out:
                size, sha256 = _copy_hashing(stream, out, limit)
                out.flush()
                os.fsync(out.fileno())
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        return Staged(key, size, sha256)

    def path(self, staged: Staged) -> Path:
        """Where the staged file lies; its key is made by us, anything else is a programming mistake."""
        if not re.fullmatch(r"[0-9a-f]{32}", staged.key):
            raise ValueError("a staged file has a key made by stage()")
        return self.folder / staged.key

    def sweep(self, older_than: timedelta) -> int:
        """Remove files last written more than ``older_than`` ago."""
        removed, before = 0, time.time() - older_than.total_seconds()
        for file in self.folder.iterdir():
            with suppress(FileNotFoundError):
                if file.stat().st_mtime <= before:
                    file.unlink()
                    removed += 1
        return removed


class LocalStore:
    """Files in one folder of this machine. The staging area is inside it, so that a rename is atomic."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._staging = StagingArea(folder / STAGING)

    def stage(self, stream: Readable, limit: int) -> Staged:
        """See ``FileStore.stage``."""
        return self._staging.receive(stream, limit)

    def path(self, staged: Staged) -> Path:
        """See ``FileStore.path``."""
        return self._staging.path(staged)

    def discard(self, staged: Staged) -> None:
        """See ``FileStore.discard``."""
        self._staging.path(staged).unlink(missing_ok=True)

    def sweep(self, older_than: timedelta) -> int:
        """See ``FileStore.sweep``."""
        return self._staging.sweep(older_than)

    def commit(self, staged: Staged) -> str:
        """See ``FileStore.commit``."""
        source, target = self._staging.path(staged), self._target(staged.sha256)
        with _storage_errors():
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.replace(source, target)
            except (FileNotFoundError, PermissionError):
                # Committed before, or (Windows) the same content is being read right now: it is kept already.
                if not target.exists():
                    raise
                source.unlink(missing_ok=True)
            for folder in (target.parent, target.parent.parent, self.folder):
                _sync_folder(folder)
        return staged.sha256

    def open(self, sha256: str) -> BinaryIO:
        """See ``FileStore.open``."""
        try:
            return self._target(sha256).open("rb")
        except FileNotFoundError:
            raise _missing() from None

    def size(self, sha256: str) -> int:
        """See ``FileStore.size``."""
        try:
            return self._target(sha256).stat().st_size
        except FileNotFoundError:
            raise _missing() from None

    def delete(self, sha256: str) -> None:
        """See ``FileStore.delete``."""
        self._target(sha256).unlink(missing_ok=True)

    def kept(self, older_than: timedelta = timedelta(0)) -> Iterator[str]:
        """See ``FileStore.kept``."""
        before = time.time() - older_than.total_seconds()
        for file in self.folder.glob("??/??/*"):
            with suppress(FileNotFoundError):
                if _HASH.fullmatch(file.name) and file.stat().st_mtime <= before:
                    yield file.name

    def _target(self, sha256: str) -> Path:
        return self.folder / address(sha256)


class FsspecStore:
    """Files at an fsspec address such as ``s3://bucket/prefix``; ``options`` go to that file system.

    Object stores cannot rename: a file is written to a temporary key, then moved, so that a key under its
    content address is always whole.
    """

    def __init__(self, url: str, staging: Path, **options: Any) -> None:
        try:
            self._fs, root = fsspec.core.url_to_fs(url, **options)
        except (ImportError, ValueError) as error:
            raise InvalidInput(
                _("文件存储地址 %(url)s 用不了：%(why)s。请检查地址，并安装它需要的组件。", url=url, why=str(error))
            ) from error
        self._root = str(root).rstrip("/")
        self._staging = StagingArea(staging)

    def stage(self, stream: Readable, limit: int) -> Staged:
        """See ``FileStore.stage``."""
        return self._staging.receive(stream, limit)

    def path(self, staged: Staged) -> Path:
        """See ``FileStore.path``."""
        return self._staging.path(staged)

    def discard(self, staged: Staged) -> None:
        """See ``FileStore.discard``."""
        self._staging.path(staged).unlink(missing_ok=True)

    def commit(self, staged: Staged) -> str:
        """See ``FileStore.commit``."""
        source, target = self._staging.path(staged), self._target(staged.sha256)
        with _remote_errors():
            if not self._is_whole(target, staged.size):
                self._upload(source, target, staged.size)
        source.unlink(missing_ok=True)
        return staged.sha256

    def open(self, sha256: str) -> BinaryIO:
        """See ``FileStore.open``."""
        target = self._target(sha256)
        with _remote_errors():
            try:
                return cast(BinaryIO, self._fs.open(target, "rb"))
            except FileNotFoundError:
                raise _missing() from None

    def size(self, sha256: str) -> int:
        """See ``FileStore.size``."""
        target = self._target(sha256)
        with _remote_errors():
            try:
                return int(self._fs.size(target))
            except FileNotFoundError:
                raise _missing() from None

    def delete(self, sha256: str) -> None:
        """See ``FileStore.delete``."""
        target = self._target(sha256)
        with _remote_errors(), suppress(FileNotFoundError):
            self._fs.rm_file(target)

    def kept(self, older_than: timedelta = timedelta(0)) -> Iterator[str]:
        """See ``FileStore.kept``."""
        before = time.time() - older_than.total_seconds()
        for key in self._files():
            name = key.rsplit("/", 1)[-1]
            if _HASH.fullmatch(name) and self._modified(key) <= before:
                yield name

    def sweep(self, older_than: timedelta) -> int:
        """See ``FileStore.sweep``; half-sent temporary keys are removed as well."""
        removed, before = (self._staging.sweep(older_than), time.time() - older_than.total_seconds())
        for key in self._files(STAGING):
            if self._modified(key) <= before:
                with suppress(FileNotFoundError):
                    self._fs.rm_file(key)
                    removed += 1
        return removed

    def _upload(self, source: Path, target: str, size: int) -> None:
        temporary = f"{self._root}/{STAGING}/{uuid.uuid4().hex}"
        self._fs.makedirs(temporary.rsplit("/", 1)[0], exist_ok=True)
        with source.open("rb") as reader, self._fs.open(temporary, "wb") as writer:
            shutil.copyfileobj(reader, writer, CHUNK)
        self._fs.makedirs(target.rsplit("/", 1)[0], exist_ok=True)
        self._fs.mv(temporary, target)
        if not self._is_whole(target, size):
            raise OSError("the stored copy is not as long as the file that was sent")

    def _is_whole(self, target: str, size: int) -> bool:
        self._fs.invalidate_cache()
        try:
            return int(self._fs.size(target)) == size
        except FileNotFoundError:
            return False

    def _files(self, below: str = "") -> list[str]:
        self._fs.invalidate_cache()
        try:
            return [str(key) for key in self._fs.find(f"{self._root}/{below}".rstrip("/"))]
        except FileNotFoundError:
            return []

    def _modified(self, key: str) -> float:
        """Seconds since 1970; a key that has just vanished counts as new, so that nobody touches it."""
        try:
            return float(self._fs.modified(key).timestamp())
        except FileNotFoundError:
            return time.time()

    def _target(self, sha256: str) -> str:
        return f"{self._root}/{address(sha256)}"


def open_store(url: str | None, data_dir: Path) -> FileStore:
    """The store a setting names: nothing, a path or ``file://`` is a local folder, any other scheme goes to fsspec."""
    if not url:
        return LocalStore(data_dir / "files")
    if url.startswith("file://"):
        return LocalStore(Path(url.removeprefix("file://")))
    if "://" not in url:
        return LocalStore(Path(url))
    return FsspecStore(url, data_dir / STAGING)


def address(sha256: str) -> str:
    """``ab/cd/<sha256>``. Anything that is not a SHA-256 names no file, so ``../`` never reaches the disk."""
    if not _HASH.fullmatch(sha256):
        raise _missing()
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"


def _copy_hashing(stream: Readable, out: IO[bytes], limit: int) -> tuple[int, str]:
    """Copy in chunks; the size must stay under ``limit``."""
    digest, size = hashlib.sha256(), 0
    while chunk := stream.read(CHUNK):
        size += len(chunk)
        if size >= limit:
            raise TooLarge(
                _("文件要小于 %(limit)s MB。请把扫描分辨率降到每英寸 200 点后再传。", limit=f"{limit / CHUNK:g}")
            )
        digest.update(chunk)
        out.write(chunk)
    return size, digest.hexdigest()


def _sync_folder(folder: Path) -> None:
    """Force a rename to the disk; Windows has no such call and needs none."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _storage_errors() -> Iterator[None]:
    """A full disk or a silent store is not the reader's mistake: say so, and that nothing was lost."""
    try:
        yield
    except OSError as error:
        log.exception("the disk refused a file")
        raise _not_stored() from error


@contextmanager
def _remote_errors() -> Iterator[None]:
    """The same for object stores, whose libraries raise classes of their own that we do not load."""
    try:
        yield
    except DomainError:
        raise
    except Exception as error:
        log.exception("the file store did not answer")
        raise _not_stored() from error


def _not_stored() -> Unavailable:
    return Unavailable(_("文件存储暂时没有应答，已填的内容都在。请过几分钟再试一次。"))


def _missing() -> NotFound:
    return NotFound(_("找不到这份文件。请回到申报页重新上传，或联系受理单位查询。"))
