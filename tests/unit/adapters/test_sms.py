"""Messages: the outbox hands over, the HTTP gateway signs, waits briefly, and turns every trouble into one sentence."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from app.adapters.sms import HttpGateway, OutboxGateway, mask_phone, sign
from app.errors import Unavailable

PHONE, TEXT = "13812346120", "您的验证码是 402817，5 分钟内有效。"


@dataclass
class FakeGateway:
    """A gateway on this machine; ``answers`` is what it will say."""

    url: str = ""
    status: int = 200
    answer: bytes = b'{"code": 0}'
    delay: float = 0.0
    location: str = ""
    seen: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGateway]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    fake = FakeGateway()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            fake.seen.append(({name.lower(): value for name, value in self.headers.items()}, body))
            time.sleep(fake.delay)
            self.send_response(fake.status)
            if fake.location:
                self.send_header("Location", fake.location)
            self.end_headers()
            self.wfile.write(fake.answer)

        do_GET = do_POST

        def log_message(self, format: str, *args: object) -> None:
            """Keep the test output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_address[1]}/send"
    yield fake
    server.shutdown()
    server.server_close()
    thread.join()


def client(fake: FakeGateway, timeout: float = 5.0) -> HttpGateway:
    return HttpGateway(fake.url, "key-1", "secret-1", template="T01", sign_name="工信申报", timeout=timeout)


def test_outbox_hands_the_message_over() -> None:
    kept: list[tuple[str, str, str]] = []
    OutboxGateway(lambda *message: kept.append(message)).send(PHONE, TEXT, "r-1")
    assert kept == [(PHONE, TEXT, "r-1")]


def test_logs_hold_neither_number_nor_text(caplog: pytest.LogCaptureFixture, gateway: FakeGateway) -> None:
    caplog.set_level(logging.DEBUG, logger="app.adapters.sms")
    OutboxGateway(lambda *_message: None).send(PHONE, TEXT, "r-1")
    client(gateway).send(PHONE, TEXT, "r-2")
    gateway.answer = b'{"code": 7}'
    with pytest.raises(Unavailable):
        client(gateway).send(PHONE, TEXT, "r-3")
    assert "138****6120" in caplog.text
    assert PHONE not in caplog.text
    assert "402817" not in caplog.text


@pytest.mark.parametrize(("phone", "shown"), [(PHONE, "138****6120"), ("12345", "****"), ("", "****")])
def test_mask(phone: str, shown: str) -> None:
    assert mask_phone(phone) == shown


def test_message_arrives_whole_and_signed(gateway: FakeGateway) -> None:
    client(gateway).send(PHONE, TEXT, "r-1")
    headers, body = gateway.seen[0]
    assert json.loads(body) == {
        "phone": PHONE, "text": TEXT, "template": "T01", "sign": "工信申报", "request_id": "r-1",
    }  # fmt: skip
    assert headers["x-key"] == "key-1"
    assert headers["x-signature"] == sign("secret-1", "key-1", headers["x-timestamp"], headers["x-nonce"], body)
    assert abs(int(headers["x-timestamp"]) - time.time()) < 5
    assert "secret-1" not in str(headers) + body.decode()


def test_signature_covers_every_part() -> None:
    right = sign("s", "k", "1", "n", b"body")
    others = [
        sign("S", "k", "1", "n", b"body"),
        sign("s", "K", "1", "n", b"body"),
        sign("s", "k", "2", "n", b"body"),
        sign("s", "k", "1", "N", b"body"),
        sign("s", "k", "1", "n", b"Body"),
    ]
    assert right not in others
    assert len(set(others)) == 5


def test_each_message_has_its_own_nonce(gateway: FakeGateway) -> None:
    for _turn in range(3):
        client(gateway).send(PHONE, TEXT, "same")
    assert len({headers["x-nonce"] for headers, _body in gateway.seen}) == 3


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (500, b"{}"),
        (403, b'{"code": 0}'),
        (200, b""),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b'{"code": 1}'),
        (200, b'{"code": false}'),
        (200, b"\xff\xfe"),
        (200, b'{"other": 0}'),
    ],
)
def test_anything_but_acceptance_is_unavailable(gateway: FakeGateway, status: int, answer: bytes) -> None:
    gateway.status, gateway.answer = status, answer
    with pytest.raises(Unavailable, match="短信暂时发不出去") as caught:
        client(gateway).send(PHONE, TEXT, "r-1")
    assert caught.value.status == 503


def test_slow_gateway_is_given_up(gateway: FakeGateway) -> None:
    gateway.delay = 2.0
    started = time.monotonic()
    with pytest.raises(Unavailable):
        client(gateway, timeout=0.3).send(PHONE, TEXT, "r-1")
    assert time.monotonic() - started < 1.5


def test_redirect_is_not_followed(gateway: FakeGateway) -> None:
    gateway.status, gateway.location = 302, gateway.url + "/elsewhere"
    with pytest.raises(Unavailable):
        client(gateway).send(PHONE, TEXT, "r-1")
    assert len(gateway.seen) == 1


def test_unreachable_gateway_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(Unavailable):
        HttpGateway("http://127.0.0.1:9/send", "k", "s", timeout=1.0).send(PHONE, TEXT, "r-1")


@pytest.mark.parametrize("url", ["http://sms.example.com/send", "ftp://127.0.0.1/x", "file:///etc/passwd", ""])
def test_plain_text_addresses_are_refused_at_start(url: str) -> None:
    with pytest.raises(ValueError, match="https"):
        HttpGateway(url, "k", "s")
