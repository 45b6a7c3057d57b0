"""Files on their way to a browser: names in any script, ranges, and headers that keep them from doing anything."""

from __future__ import annotations

import os
import unicodedata
from typing import BinaryIO
from urllib.parse import quote

from flask import Response, make_response, request
from werkzeug.wsgi import wrap_file

from app.services.document import Generated

BLOCK = 64 * 1024
_SAFE = "!#$&+-.^_`|~"

FRAME = "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; object-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
"""Policy of a stored file: it may be framed by our own pages (review), and can load or run nothing.

Not sandboxed where it is a PDF: browsers then refuse to show it.
"""
SANDBOX = "; sandbox"


def content_disposition(name: str, *, inline: bool = False) -> str:
    """Header value after RFC 6266: the name in UTF-8, and in ASCII for what cannot read that."""
    kind = "inline" if inline else "attachment"
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = "".join(sign for sign in plain if sign.isalnum() or sign in " -_.()").strip()
    if plain == name:
        return f'{kind}; filename="{plain}"'
    plain = (
        plain if plain.strip("._- ") and not plain.startswith(".") else f"file{plain if plain.startswith('.') else ''}"
    )
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe=_SAFE)}"


def send_generated(file: Generated, *, inline: bool = False) -> Response:
    """A file made for this request."""
    response = make_response(file.content)
    response.headers["Content-Type"] = file.content_type
    response.headers["Content-Disposition"] = content_disposition(file.name, inline=inline)
    return response


def send_stored(handle: BinaryIO, *, name: str, size: int, content_type: str, sha256: str, inline: bool) -> Response:
    """A kept file, whole or the part that was asked for; content never changes under its hash."""
    response = Response(wrap_file(request.environ, handle, BLOCK), direct_passthrough=True)
    response.call_on_close(handle.close)
    response.headers["Content-Type"] = content_type
    response.headers["Content-Disposition"] = content_disposition(name, inline=inline)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    response.headers["Content-Security-Policy"] = FRAME if content_type == "application/pdf" else FRAME + SANDBOX
    response.content_length = size
    response.set_etag(sha256)
    try:
        return response.make_conditional(request.environ, accept_ranges=True, complete_length=size)  # type: ignore[return-value]
    except BaseException:
        handle.close()
        raise


KINDS = {"pdf": "application/pdf", "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg"}
"""Content types of what offices add themselves, by the ending of the name; it was checked against the content."""


def send_office_file(name: str, handle: BinaryIO, sha256: str) -> Response:
    """A file that an office has added: a sealed letter, evidence. Shown in the browser."""
    size = handle.seek(0, os.SEEK_END)
    handle.seek(0)
    kind = KINDS.get(name.rpartition(".")[2].lower(), "application/octet-stream")
    return send_stored(handle, name=name, size=size, content_type=kind, sha256=sha256, inline=True)
