"""Short messages. The default gateway only hands the message over; one real gateway speaks signed JSON over HTTPS.

A gateway is given text that is ready to send. Limits, codes and what is stored are decided above. Logs never hold
a whole number or the text, since the text may hold a code.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import secrets
import time
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from typing import Any, Protocol
from urllib.parse import urlsplit

from flask_babel import gettext as _

from app.errors import Unavailable

log = logging.getLogger(__name__)

ANSWER_LIMIT = 64 * 1024
_LOCAL = {"127.0.0.1", "localhost", "::1"}


class SmsGateway(Protocol):
    """Sends one message. ``request_id`` is the same when the same message is tried again."""

    def send(self, phone: str, text: str, request_id: str) -> None:
        """Returns when the gateway has accepted the message. Raises ``Unavailable``."""


def mask_phone(phone: str) -> str:
    """``138****1234``; anything too short to hide its middle is hidden whole."""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 11 else "****"


class OutboxGateway:
    """Hands the message to ``deliver(phone, text, request_id)``, which stores it where staff can read it."""

    def __init__(self, deliver: Callable[[str, str, str], None]) -> None:
        self._deliver = deliver

    def send(self, phone: str, text: str, request_id: str) -> None:
        """See ``SmsGateway.send``."""
        self._deliver(phone, text, request_id)
        log.info("message %s for %s put into the outbox", request_id, mask_phone(phone))


class HttpGateway:
    """A gateway that takes one signed POST per message and answers ``{"code": 0}``.

    Body: JSON with phone, text, template, signature name, request_id. Headers: ``X-Key``, ``X-Timestamp`` (seconds),
    ``X-Nonce`` and ``X-Signature``, the HMAC-SHA256 hex of ``key, timestamp, nonce, SHA-256 of the body`` joined by
    line feeds. The address must be https, except on this machine. ``timeout`` in seconds.
    """

    def __init__(
        self, url: str, key: str, secret: str, template: str = "", sign_name: str = "", timeout: float = 5.0
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOCAL):
            raise ValueError("an SMS gateway is reached over https")
        self._url, self._key, self._secret = url, key, secret
        self._template, self._sign_name, self._timeout = template, sign_name, timeout
        # A redirect would carry the message to an address nobody configured.
        self._opener = urllib.request.build_opener(_NoRedirect)

    def send(self, phone: str, text: str, request_id: str) -> None:
        """See ``SmsGateway.send``."""
        body = json.dumps(
            {
                "phone": phone,
                "text": text,
                "template": self._template,
                "sign": self._sign_name,
                "request_id": request_id,
            },
            ensure_ascii=False,
        ).encode()
        request = urllib.request.Request(self._url, data=body, headers=self._headers(body), method="POST")
        try:
            with self._opener.open(request, timeout=self._timeout) as answer:
                verdict: Any = json.loads(answer.read(ANSWER_LIMIT))
        except (OSError, HTTPException, ValueError) as error:
            log.warning("gateway gave no usable answer for %s: %s", request_id, type(error).__name__)
            raise _not_sent() from error
        if not isinstance(verdict, dict) or str(verdict.get("code")) not in ("0", "OK"):
            log.warning("gateway refused message %s for %s", request_id, mask_phone(phone))
            raise _not_sent()
        log.info("message %s for %s accepted by the gateway", request_id, mask_phone(phone))

    def _headers(self, body: bytes) -> dict[str, str]:
        timestamp, nonce = str(int(time.time())), secrets.token_hex(16)
        return {
            "Content-Type": "application/json; charset=utf-8",
            "X-Key": self._key,
            "X-Timestamp": timestamp,
            "X-Nonce": nonce,
            "X-Signature": sign(self._secret, self._key, timestamp, nonce, body),
        }


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Leaves every redirect unanswered, which urllib then reports as an error."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def sign(secret: str, key: str, timestamp: str, nonce: str, body: bytes) -> str:
    """The signature a gateway has to compare, in hex."""
    message = "\n".join((key, timestamp, nonce, hashlib.sha256(body).hexdigest()))
    return hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()


def _not_sent() -> Unavailable:
    return Unavailable(_("短信暂时发不出去，没有扣次数。请 1 分钟后再试，或先用密码登录。"))
