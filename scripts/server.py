"""The web server of ``run.py``: waitress, with refusals of too large requests in the application's own words."""

from __future__ import annotations

import io
import sys
import time
from typing import Any

from flask import Flask
from waitress import create_server
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, Task, WSGITask
from waitress.utilities import RequestEntityTooLarge

ROOM = 1024 * 1024
"""The server refuses this many bytes above the application's own limit, so that the application knows of no more."""
MOST_DRAINED = 1024 * 1024 * 1024
DRAIN_SECONDS = 60.0
CHUNK = 256 * 1024


class TooLarge(WSGITask):
    """Lets the application say that a request is too large, without a byte of its body."""

    def execute(self) -> None:
        """Answer, and end the connection: the body is still on its way."""
        self.set_close_on_finish()
        super().execute()

    def get_environment(self) -> dict[str, Any]:
        """The request as announced, with nothing to read."""
        environ: dict[str, Any] = super().get_environment()
        limit = self.channel.server.adj.max_request_body_size
        # In pieces it comes without a length; it was counted to the limit.
        environ["CONTENT_LENGTH"] = str(max(limit, self.request.content_length))
        environ["wsgi.input"] = io.BytesIO()
        return environ


def refusal(channel: HTTPChannel, request: HTTPRequestParser) -> Task:
    """What answers a request that waitress does not take."""
    if isinstance(request.error, RequestEntityTooLarge):
        channel.refused = True
        return TooLarge(channel, request)
    return ErrorTask(channel, request)


class Channel(HTTPChannel):
    """A connection that lets a refused client finish speaking: closed on the spot, many never read the answer."""

    error_task_class = staticmethod(refusal)
    refused = False
    drain_until = 0.0
    drained = 0

    def send_continue(self) -> None:
        """Ask for the body, unless it was announced too large."""
        if self.request.error is None:
            super().send_continue()
        else:
            self.request.expect_continue = False

    def handle_close(self) -> None:
        """Close; after a refusal, only when the client is done or has had time and room enough."""
        if self.refused and not self.drain_until and self.connected:
            self.drain_until, self.will_close = time.monotonic() + DRAIN_SECONDS, False
            return
        super().handle_close()

    def handle_read(self) -> None:
        """Read a request, or throw away the rest of a refused one."""
        if not self.drain_until:
            super().handle_read()
            return
        data = self.recv(CHUNK)
        self.drained += len(data)
        self.last_activity = time.time()
        if not data or self.drained > MOST_DRAINED or time.monotonic() > self.drain_until:
            super().handle_close()


def make_server(app: Flask, *, host: str, port: int, connections: int, threads: int = 8) -> Any:
    """A server for ``app``, listening; ``run()`` serves until it is closed."""
    TcpWSGIServer.channel_class = Channel
    return create_server(
        app,
        host=host,
        port=port,
        threads=threads,
        connection_limit=connections,
        channel_timeout=20,
        asyncore_use_poll=sys.platform != "win32",
        max_request_body_size=app.config["MAX_CONTENT_LENGTH"] + ROOM,
        # Forwarded headers are for the application to judge, and only behind proxies that it is told to trust.
        clear_untrusted_proxy_headers=app.config["TRUSTED_PROXIES"] == 0,
        ident="shenbao",
    )
