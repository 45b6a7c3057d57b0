"""The web server in front of the application: requests that are too large, and what proxies may say."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request

from app.services import portal
from scripts.server import ROOM, make_server
from tests.conftest import make_app
from tests.servers import free_port

LIMIT = 64 * 1024
TITLE = "文件太大"

one_database = pytest.mark.parametrize("database", ["sqlite"])


@pytest.fixture
def port(app: Flask) -> Iterator[int]:
    """A server with a small limit."""
    app.config["MAX_CONTENT_LENGTH"] = LIMIT
    port = free_port()
    server = make_server(app, host="127.0.0.1", port=port, connections=20, threads=2)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield port
    server.close()
    server.task_dispatcher.shutdown()
    thread.join(10)


class Talk:
    """A client that decides itself what it sends and when it listens."""

    def __init__(self, port: int, head: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n")

    def answer(self) -> tuple[int, str, bytes]:
        """Status, head and body of what comes until the other side ends or the length is reached."""
        got = b""
        while b"\r\n\r\n" not in got:
            block = self.socket.recv(65536)
            assert block, got
            got += block
        head, _, body = got.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        length = int(next(x.split(":")[1] for x in lines if x.lower().startswith("content-length")))
        while len(body) < length:
            body += self.socket.recv(65536)
        return int(lines[0].split()[1]), head.decode(), body


def head(length: object, *more: str) -> str:
    return "\n".join(("POST /account/login HTTP/1.1", "Host: localhost", f"Content-Length: {length}", *more))


@one_database
@pytest.mark.parametrize("more", [(), ("Expect: 100-continue",)])
def test_an_announced_flood_is_refused_in_chinese_before_it_comes(port: int, more: tuple[str, ...]) -> None:
    status, lines, body = Talk(port, head(10**12, *more)).answer()
    assert (status, TITLE in body.decode()) == (413, True)
    assert "connection: close" in lines.lower() and "content-security-policy" in lines.lower()


@one_database
def test_scripts_are_told_in_json(port: int) -> None:
    status, _, body = Talk(port, head(10**12, "Accept: application/json")).answer()
    assert (status, json.loads(body)["title"]) == (413, TITLE)


@one_database
def test_pieces_without_a_length_are_counted(port: int) -> None:
    talk = Talk(port, "POST /account/login HTTP/1.1\nHost: localhost\nTransfer-Encoding: chunked")
    piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    for _ in range((LIMIT + ROOM) // 0x10000 + 2):
        talk.socket.sendall(piece)
    status, _, body = talk.answer()
    assert (status, TITLE in body.decode()) == (413, True)


@one_database
def test_who_speaks_on_still_gets_the_answer(port: int) -> None:
    """The rest of the body is thrown away; the connection ends when the client does."""
    size = 8 * 1024 * 1024
    talk = Talk(port, head(size))
    talk.socket.sendall(b"x" * size)
    assert talk.answer()[0] == 413
    talk.socket.shutdown(socket.SHUT_WR)
    assert talk.socket.recv(10) == b""


@one_database
def test_a_little_too_much_is_refused_by_the_application(port: int) -> None:
    talk = Talk(port, head(LIMIT + 1))
    talk.socket.sendall(b"x" * (LIMIT + 1))
    status, _, body = talk.answer()
    assert (status, TITLE in body.decode()) == (413, True)


@one_database
def test_other_errors_and_good_requests_are_as_ever(port: int) -> None:
    assert Talk(port, "GET /healthz HTTP/1.1\nHost: localhost").answer()[0] == 200
    assert Talk(port, "GET /healthz HTTP/1.1\nHost: localhost\nno header").answer()[0] == 400


# -- proxies ----------------------------------------------------------------------------------------------------------


def statuses(app: Flask, addresses: list[str]) -> list[int]:
    """Look-ups by one machine that says each time to forward for another address."""
    client = app.test_client()
    return [client.get("/verify/ABCD-1234", headers={"X-Forwarded-For": a}).status_code for a in addresses]


def test_what_anybody_may_write_changes_no_limit(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portal, "LOOKUPS_PER_HOUR", 3)
    assert app.config["TRUSTED_PROXIES"] == 0
    assert statuses(app, [f"198.51.100.{n}" for n in range(5)]) == [404, 404, 404, 429, 429]


@pytest.mark.parametrize("database", ["sqlite"])
def test_a_trusted_proxy_is_believed_and_nobody_before_it(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portal, "LOOKUPS_PER_HOUR", 3)
    behind = make_app(app.config["SQLALCHEMY_DATABASE_URI"], tmp_path, TRUSTED_PROXIES=1)
    assert statuses(behind, [f"198.51.100.{n}" for n in range(5)]) == [404] * 5
    # What the client itself wrote stands before the address that the proxy adds.
    assert statuses(behind, [f"192.0.2.{n}, 203.0.113.9" for n in range(5)]) == [404, 404, 404, 429, 429]


@one_database
def test_the_scheme_comes_from_the_proxy_too(app: Flask, tmp_path: Path) -> None:
    def seen(count: int) -> tuple[Any, str]:
        behind = make_app(app.config["SQLALCHEMY_DATABASE_URI"], tmp_path, TRUSTED_PROXIES=count)
        with behind.test_client() as client:
            client.get("/healthz", headers={"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https"})
            return request.remote_addr, request.scheme

    assert seen(0) == ("127.0.0.1", "http")
    assert seen(1) == ("198.51.100.7", "https")
