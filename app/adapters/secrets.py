"""Secrets in the database: encrypted identity numbers, keyed indexes to find them, keyed digests of short codes.

All keys are derived from one secret (HKDF-SHA256, one purpose each), so nothing more than ``SECRET_KEY`` is kept.
Values are compared as given: callers bring them into one form first (trimmed, upper case).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask_babel import gettext as _

from app.errors import Unavailable

MIN_SECRET = 32
_VERSION = "v1."
_NONCE = 12


class Cipher:
    """Encrypts single values (AES-256-GCM) and makes keyed digests of them. Safe to share between threads."""

    def __init__(self, secret: str | bytes) -> None:
        """``secret``: at least 32 bytes, else ``ValueError``; the application refuses to start without it."""
        master = secret.encode() if isinstance(secret, str) else secret
        if len(master) < MIN_SECRET:
            raise ValueError(f"the secret needs at least {MIN_SECRET} bytes")
        self._aead = AESGCM(_derive(master, b"shenbao field encryption 1"))
        self._index_key = _derive(master, b"shenbao blind index 1")
        self._digest_key = _derive(master, b"shenbao keyed digest 1")

    def encrypt(self, value: str, context: str = "") -> str:
        """Text safe to store; different each time. ``context`` (say, the column) must be the same to decrypt."""
        nonce = os.urandom(_NONCE)
        sealed = nonce + self._aead.encrypt(nonce, value.encode(), context.encode())
        return _VERSION + base64.urlsafe_b64encode(sealed).decode()

    def decrypt(self, stored: str, context: str = "") -> str:
        """The value. Raises ``Unavailable`` for text that was changed or made with another secret or context."""
        try:
            if not stored.startswith(_VERSION):
                raise ValueError("unknown version")
            sealed = base64.urlsafe_b64decode(stored.removeprefix(_VERSION).encode("ascii"))
            return self._aead.decrypt(sealed[:_NONCE], sealed[_NONCE:], context.encode()).decode()
        except (InvalidTag, ValueError, binascii.Error) as error:
            raise Unavailable(
                _("这项加密保存的信息打不开，可能是系统密钥换过。信息没有丢，请告诉运维人员核对密钥。")
            ) from error

    def blind_index(self, value: str) -> str:
        """Hex digest to look an encrypted value up by, and to keep it unique."""
        return hmac.new(self._index_key, value.encode(), hashlib.sha256).hexdigest()

    def keyed_digest(self, value: str) -> str:
        """Hex digest of something short-lived and guessable, such as an SMS code with its phone and purpose."""
        return hmac.new(self._digest_key, value.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()

    def digest_matches(self, value: str, digest: str) -> bool:
        """Whether ``value`` gives ``digest``, in constant time."""
        return hmac.compare_digest(self.keyed_digest(value), digest)


def _derive(master: bytes, purpose: bytes) -> bytes:
    """A 32-byte key of its own for each purpose."""
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=purpose).derive(master)
