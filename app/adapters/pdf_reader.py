"""Looks into a PDF without rendering it; runs in the child process of ``pdf.check_pdf``.

Only object structure is read, streams stay packed, so a bomb of gigabytes costs nothing. Returns plain values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pikepdf

MAX_PAGES = 5000
# Points. A business card is 150, the largest sheet of a plotter 3 400; readers give up at 14 400.
MIN_SIDE, MAX_SIDE = 20.0, 14_400.0
MAX_DEPTH = 60
_NAMED = (pikepdf.Dictionary, pikepdf.Stream)
"""Objects that hold values by name."""
_ACTIVE_ACTIONS = {"/JavaScript", "/Launch", "/ImportData", "/GoToE", "/Rendition"}
_SCRIPT_KEYS = {"/JS", "/JavaScript", "/XFA"}
"""XFA forms carry scripts in a stream of their own, and most readers show only 请稍候 instead of them."""
_ATTACHMENT_KEYS = {"/EmbeddedFiles", "/EF", "/RichMediaContent"}


def inspect(path: str, max_pages: int = MAX_PAGES) -> dict[str, Any]:
    """``{ok, reason_key, pages, page}``; ``page`` is the number of the first page that is wrong, or 0."""
    try:
        with pikepdf.open(path, attempt_recovery=False, suppress_warnings=True) as pdf:
            return _judge(pdf, max_pages)
    except pikepdf.PasswordError:
        return _verdict("encrypted")
    except (pikepdf.PdfError, ValueError, TypeError, KeyError, AttributeError, RuntimeError):
        # A broken structure shows in many ways; all of them mean the same to the reader.
        return _verdict("damaged")


def _judge(pdf: pikepdf.Pdf, max_pages: int) -> dict[str, Any]:
    if pdf.is_encrypted:
        return _verdict("encrypted")
    pages = len(pdf.pages)
    if pages == 0:
        return _verdict("empty")
    if pages > max_pages:
        return _verdict("too_many_pages", pages)
    if active := _active_content(pdf):
        return _verdict(active, pages)
    if wrong := _odd_page(pdf):
        return _verdict("page_size", pages, wrong)
    return _verdict("", pages)


def _verdict(reason_key: str, pages: int = 0, page: int = 0) -> dict[str, Any]:
    return {"ok": not reason_key, "reason_key": reason_key, "pages": pages, "page": page}


def _odd_page(pdf: pikepdf.Pdf) -> int:
    """Number of the first page whose sides no printer could make; 0 when all are sane."""
    for number, page in enumerate(pdf.pages, start=1):
        left, bottom, right, top = (float(edge) for edge in page.mediabox)
        unit = float(page.obj.get("/UserUnit", 1))
        sides = abs(right - left) * unit, abs(top - bottom) * unit
        if not all(MIN_SIDE <= side <= MAX_SIDE for side in sides):
            return number
    return 0


def _active_content(pdf: pikepdf.Pdf) -> str:
    """``script`` or ``attachment`` when any object of the file carries one, whether or not a page leads to it."""
    for item in pdf.objects:
        if found := _active_in(item, 0):
            return found
    return ""


def _active_in(item: Any, depth: int) -> str:
    """The same for one object and the direct objects inside it."""
    if depth > MAX_DEPTH:
        return "damaged"
    if isinstance(item, _NAMED) and (found := _active_entries(item)):
        return found
    for child in _parts(item):
        if found := _active_in(child, depth + 1):
            return found
    return ""


def _parts(item: Any) -> Iterator[Any]:
    """Dictionaries and lists written inside ``item`` itself; what it only refers to is an object of the file."""
    children: Iterable[Any] = ()
    if isinstance(item, _NAMED):
        children = [value for _key, value in item.items()]
    elif isinstance(item, pikepdf.Array):
        children = list(item)
    for child in children:
        if isinstance(child, (pikepdf.Dictionary, pikepdf.Array)) and not child.is_indirect:
            yield child


def _active_entries(item: Any) -> str:
    """The same for the entries of one dictionary. A file that is only named, not carried (no ``/EF``), is harmless."""
    keys = set(item.keys())
    if keys & _SCRIPT_KEYS or str(item.get("/S", "")) in _ACTIVE_ACTIONS:
        return "script"
    if keys & _ATTACHMENT_KEYS or str(item.get("/Type", "")) == "/EmbeddedFile":
        return "attachment"
    return ""
