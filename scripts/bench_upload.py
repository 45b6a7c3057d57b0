"""How much memory one upload of almost 100 MB adds to a serving process."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pikepdf
from flask import Flask

from app.models import Account
from tests import factories

ROOT = Path(__file__).resolve().parents[1]
SIZE = 100 * 1024 * 1024 - 1
SERVE = (
    "from waitress import serve; from app import create_app; import sys; "
    "serve(create_app({'WTF_CSRF_ENABLED': False}), host='127.0.0.1', port=int(sys.argv[1]), threads=4, "
    "max_request_body_size=120_000_000)"
)


def large_pdf(path: Path) -> None:
    """A sound PDF of exactly ``SIZE`` bytes: one page and an uncompressed stream of noise."""

    def write(filler: int) -> int:
        document = pikepdf.new()
        document.add_blank_page()
        document.Root.Filler = document.make_stream(os.urandom(filler))
        document.save(path, compress_streams=False)
        return path.stat().st_size

    size = write(SIZE - 2000)
    write(SIZE - 2000 + (SIZE - size))


def resident_megabytes(pid: int, field: str) -> float:
    """``VmRSS`` (now) or ``VmHWM`` (highest) of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    raise LookupError(field)


def upload_megabytes(app: Flask, public_id: str, owner: Account) -> float:
    """Highest resident size during the upload less the size before it, in a server of its own."""
    client = factories.login(app.test_client(), owner)
    cookie = client.get_cookie(app.config["SESSION_COOKIE_NAME"])
    assert cookie is not None
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.pdf"
        large_pdf(path)
        server = subprocess.Popen([sys.executable, "-c", SERVE, str(port)], cwd=ROOT, env={**os.environ})
        try:
            _ask(port, "GET", "/healthz", cookie.value)
            before = resident_megabytes(server.pid, "VmRSS")
            _put(port, public_id, cookie.value, path)
            return resident_megabytes(server.pid, "VmHWM") - before
        finally:
            server.terminate()
            server.wait(10)


def _ask(port: int, method: str, path: str, sid: str) -> None:
    for _ in range(100):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request(method, path, headers={"Cookie": f"session={sid}"})
            connection.getresponse().read()
            return
        except ConnectionError:
            time.sleep(0.1)
    raise SystemExit("the server for the upload did not start")


def _put(port: int, public_id: str, sid: str, path: Path) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {
        "Cookie": f"session={sid}",
        "X-Filename": "large.pdf",
        "Content-Type": "application/pdf",
        "Content-Length": str(path.stat().st_size),
        "Accept": "application/json",
    }
    with path.open("rb") as body:
        connection.request("PUT", f"/declarations/{public_id}/attachments/audit_report", body=body, headers=headers)
    answer = connection.getresponse()
    text = answer.read()
    if answer.status >= 300:
        raise SystemExit(f"the upload answered {answer.status}: {text[:200]!r}")
