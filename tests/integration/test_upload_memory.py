"""A server that takes a file of 100 MB does not grow by it. A real server in a process of its own, a real socket."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from flask import Flask

from app.permissions import roles
from app.services.declaration import start_declaration
from tests import factories, servers
from tests.factories_files import LIMIT, pdf_bytes

ROOT = Path(__file__).parents[2]
MIB = 1024 * 1024
MOST_GROWTH = 50 * MIB
SERVER = """
import sys
from app import create_app
from scripts.server import make_server
app = create_app({"WTF_CSRF_ENABLED": False})
make_server(app, host="127.0.0.1", port=int(sys.argv[1]), connections=100, threads=4).run()
"""

pytestmark = pytest.mark.parametrize("database", ["sqlite"])


@pytest.fixture
def server(app: Flask) -> Iterator[tuple[psutil.Process, int]]:
    """The process and the port of a server on the test's database."""
    port = servers.free_port()
    settings = {"DATABASE_URL": app.config["SQLALCHEMY_DATABASE_URI"], "DATA_DIR": str(app.config["DATA_DIR"])}
    child = subprocess.Popen([sys.executable, "-c", SERVER, str(port)], cwd=ROOT, env=os.environ | settings)
    try:
        deadline = time.monotonic() + 30
        while not _answers(port):
            assert child.poll() is None and time.monotonic() < deadline, "the server did not start"
            time.sleep(0.1)
        yield psutil.Process(child.pid), port
    finally:
        child.terminate()
        child.wait(20)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _big_pdf(path: Path) -> Path:
    """A valid PDF one byte under the limit."""
    small = pdf_bytes(padding=1000, compress_streams=False)
    path.write_bytes(pdf_bytes(padding=LIMIT - len(small) + 1000 - 64, compress_streams=False))
    assert LIMIT - 200 < path.stat().st_size < LIMIT
    return path


def test_a_file_of_100_mb_adds_little_memory(
    context: Flask, server: tuple[psutil.Process, int], tmp_path: Path
) -> None:
    process, port = server
    owner = factories.make_account(roles.ENTERPRISE)
    draft = start_declaration(owner, factories.make_batch().public_id)
    client = factories.login(context.test_client(), owner)
    cookie = client.get_cookie(context.config["SESSION_COOKIE_NAME"])
    headers = {
        "Cookie": f"{cookie.key}={cookie.value}", "X-Filename": "big.pdf", "Accept": "application/json",
        "Content-Type": "application/octet-stream",
    }  # fmt: skip
    # The first upload also loads code, which is not what is measured.
    assert _put(port, draft, headers, pdf_bytes())[0] == 201
    before, highest = process.memory_info().rss, 0
    big = _big_pdf(tmp_path / "big.pdf")

    def watched() -> Iterator[bytes]:
        nonlocal highest
        with big.open("rb") as file:
            while block := file.read(MIB):
                yield block
                highest = max(highest, process.memory_info().rss)

    status, answer = _put(port, draft, headers | {"Content-Length": str(big.stat().st_size)}, watched())
    highest = max(highest, process.memory_info().rss)
    assert status == 201, answer
    assert answer["size"] == big.stat().st_size
    assert highest - before < MOST_GROWTH, f"grew by {(highest - before) / MIB:.0f} MB"


def _put(port: int, draft: str, headers: dict[str, str], body: object) -> tuple[int, dict[str, object]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        connection.request("PUT", f"/declarations/{draft}/attachments/audit_report", body=body, headers=headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()
