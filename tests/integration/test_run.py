"""``python run.py`` as a new user runs it: sets up, prints the accounts once, serves, starts quickly again, ends cleanly."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import run
from tests.servers import free_port

ROOT = Path(__file__).parents[2]
PATIENCE = 90


class Site:
    """A site of its own: data folder, port, and the running process."""

    def __init__(self, folder: Path) -> None:
        self.port, self.log = free_port(), folder / "log.txt"
        keep = {k: v for k, v in os.environ.items() if k not in ("SECRET_KEY", "DATA_DIR", "PUBLIC_URL")}
        self.environment = {**keep, "DATA_DIR": str(folder)}
        # Fonts take a minute and have tests of their own.
        (folder / "fonts").mkdir()
        for name in ("ShenbaoSans.ttf", "ShenbaoSerif.ttf"):
            (folder / "fonts" / name).touch()

    def command(self, *options: str) -> list[str]:
        return [sys.executable, str(ROOT / "run.py"), "--port", str(self.port), *options]

    def start(self) -> float:
        """Start serving; returns the seconds until it answers."""
        begin = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command(), cwd=ROOT, env=self.environment, stdout=log, stderr=log)
        while time.monotonic() - begin < PATIENCE and self.process.poll() is None:
            if self.get("/healthz") == 200:
                return time.monotonic() - begin
            time.sleep(0.05)
        raise AssertionError(self.log.read_text("utf-8"))

    def get(self, path: str) -> int:
        """Status of a page; 0 if nobody answers."""
        with suppress(OSError):
            try:
                return urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=20).status
            except urllib.error.HTTPError as error:
                return error.code
        return 0

    def worker(self) -> int | None:
        """Process id of the worker."""
        found = subprocess.run(
            ["ps", "--ppid", str(self.process.pid), "-o", "pid=,args="], capture_output=True, text=True
        )
        lines = [line.split()[0] for line in found.stdout.splitlines() if " worker " in line]
        return int(lines[0]) if lines else None

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """End it; returns the exit status."""
        self.process.send_signal(number)
        return self.process.wait(30)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A site that is ended with the test."""
    site = Site(tmp_path)
    yield site
    if getattr(site, "process", None) and site.process.poll() is None:
        site.process.kill()


def test_first_start_second_start_and_the_end(site: Site) -> None:
    site.start()
    first = site.log.read_text("utf-8")
    for name in ("admin", "city", "district", "expert", "enterprise", "newcomer", "individual"):
        assert re.search(rf"^  {name} +[A-Za-z0-9]{{4}}-[a-z0-9]{{4}}-[a-z0-9]{{4}} ", first, re.M), name
    assert f"http://127.0.0.1:{site.port}" in first
    assert (site.get("/"), site.get("/readyz"), site.get("/todo/")) == (200, 200, 200)
    deadline = time.monotonic() + 20
    while site.worker() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    worker = site.worker()
    assert worker is not None
    assert site.stop() == 0
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)
    site.log.write_text("")
    seconds = site.start()
    again = site.log.read_text("utf-8")
    assert "Preparing" not in again
    assert not re.search(r"[A-Za-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4} ", again)
    # Three seconds on a quiet machine; here other tests run beside it.
    assert seconds < 12
    assert site.stop(signal.SIGTERM) == 0


def test_prepare_only_sets_up(site: Site) -> None:
    done = subprocess.run(
        site.command("--prepare", "--no-demo"), cwd=ROOT, env=site.environment, capture_output=True, text=True
    )
    assert (done.returncode, "演示账号" in done.stdout) == (0, False)
    assert (Path(site.environment["DATA_DIR"]) / "prepared.json").exists()


def test_production_without_a_secret_does_not_start(site: Site) -> None:
    site.environment["SHENBAO_ENV"] = "production"
    done = subprocess.run(site.command("--prepare"), cwd=ROOT, env=site.environment, capture_output=True, text=True)
    assert done.returncode != 0
    assert "SECRET_KEY is not set" in done.stderr


@pytest.mark.parametrize(
    ("soft", "hard", "expected"),
    ((1024, 4096, 2000), (65536, 65536, 2000), (512, 1024, 824), (256, 256, 100), (1024, resource.RLIM_INFINITY, 2000)),
)
def test_connections_fit_the_limit_of_open_files(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, expected: int
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _which, _limits: None)
    assert run.connection_limit() == expected
