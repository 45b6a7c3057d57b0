"""Makers for 事件推送: addresses that hear of deeds, a receiver on this machine, and a look at its signatures.

``is_genuine`` does not use the product's code: it is what a receiver would write after reading the documents.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from flask import Flask
from sqlalchemy import select

from app.extensions import db
from app.models import Job, Webhook, WebhookDelivery
from app.models.base import now
from app.services.announcement import CONTEXT
from app.services.privacy import cipher
from app.services.unit_of_work import unit_of_work
from app.tasks import worker
from tests.factories import store

SECRET = "geheim-" + "s" * 36
EVERYWHERE = "https://hooks.example.com/receive?key=inner-key"


def make_webhook(url: str = EVERYWHERE, **facts: Any) -> Webhook:
    """An address that hears of everything in 哈尔滨 (230100) and whose secret is ``SECRET``, out of every session."""
    values = {
        "name": "市大数据平台",
        "url": url,
        "secret": cipher().encrypt(SECRET, CONTEXT),
        "region_code": "230100",
        "created_at": now(),
        "created_by": 1,
    }
    hook = store(Webhook(**(values | facts)))
    db.session.expunge(hook)
    return hook


def allow(app: Flask, *hosts: str) -> None:
    """Let announcements go to these hosts, as the operator's setting does."""
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], webhook_allowed_hosts=frozenset(hosts))


def deliveries() -> list[WebhookDelivery]:
    """Every announcement, oldest first, as stored now."""
    db.session.rollback()
    return list(db.session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.id)))


def hook_now(hook: Webhook) -> Webhook:
    """The address as it is stored now."""
    db.session.rollback()
    return db.session.get_one(Webhook, hook.id, populate_existing=True)


def jobs_of() -> list[Job]:
    """Every sending job, oldest first."""
    db.session.rollback()
    return list(db.session.scalars(select(Job).where(Job.kind == "webhook").order_by(Job.id)))


def hurry() -> None:
    """As if all pauses were over: of jobs, and of addresses that are left alone."""
    with unit_of_work() as session:
        for job in session.scalars(select(Job).where(Job.state == "queued")):
            job.run_after = now()
        for hook in session.scalars(select(Webhook)):
            hook.rests_until = None


def run_all() -> int:
    """Run what is due; returns how many jobs that were."""
    count = 0
    while worker.run_job():
        count += 1
    return count


@dataclass
class Received:
    """One request: headers in small letters, and the body as it came."""

    headers: dict[str, str]
    body: bytes
    path: str

    @property
    def told(self) -> dict[str, Any]:
        """The body, read."""
        return json.loads(self.body)


@dataclass
class Receiver:
    """Another system on this machine. ``statuses`` are answered one after the other, the last one from then on."""

    url: str = ""
    port: int = 0
    statuses: list[int] = field(default_factory=lambda: [200])
    answer: bytes = b"ok"
    headers: dict[str, str] = field(default_factory=dict)
    seen: list[Received] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)
    """Cleared, answers wait until it is set."""
    drip: bool = False
    """Answer one byte now and then, without end."""

    def next_status(self) -> int:
        """What to answer now."""
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]


@contextmanager
def receiving(context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver on a port of its own; with ``context`` it speaks https as ``localhost``."""
    receiver = Receiver()
    receiver.hold.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.seen.append(Received(headers, body, self.path))
            receiver.hold.wait(20)
            try:
                self._answer()
            except OSError:
                """The sender has had enough."""

        def _answer(self) -> None:
            self.send_response(receiver.next_status())
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(receiver.answer)
            while receiver.drip:
                self.wfile.write(b".")
                time.sleep(0.05)

        do_GET = do_POST

        def log_message(self, format: str, *args: object) -> None:
            """Keep the test output quiet."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """A sender that refuses our certificate ends the connection; that is wanted."""

    server = Server(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    receiver.port = server.server_address[1]
    receiver.url = f"https://localhost:{receiver.port}/in" if context else f"http://127.0.0.1:{receiver.port}/in"
    try:
        yield receiver
    finally:
        receiver.hold.set()
        receiver.drip = False
        server.shutdown()
        server.server_close()
        thread.join()


def is_genuine(secret: str, request: Received, *, at: float | None = None, tolerance: float = 300) -> bool:
    """Whether ``request`` was signed with ``secret`` at about ``at`` (unix seconds, None: now)."""
    parts = dict(part.split("=", 1) for part in request.headers["x-shenbao-signature"].split(","))
    if abs((time.time() if at is None else at) - int(parts["t"])) > tolerance:
        return False
    wanted = hmac.new(secret.encode(), f"{parts['t']}.".encode() + request.body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted, parts["v1"])
