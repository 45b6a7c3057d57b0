"""Looks into a PDF without rendering it; runs in the child process of ``pdf.check_pdf``.

Only object structure is read, streams stay packed, so a bomb of gigabytes costs nothing. Returns plain values.
"""

from __future__ import annotations

from typing import Any

import pikepdf

MAX_PAGES = 5000
# Points. A business card is 150, the largest sheet of a plotter 3 400; readers give up at 14 400.
MIN_SIDE, MAX_SIDE = 20.0, 14_400.0
MAX_DEPTH = 60
_ACTIVE_ACTIONS = {"/JavaScript", "/Launch", "/ImportData", "/GoToE", "/Rendition"}
_FILE_TYPES = {"/EmbeddedFile", "/Filespec"}


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
    children: Any = ()
    if isinstance(item, (pikepdf.Dictionary, pikepdf.Stream)):
        if found := _active_dictionary(item):
            return found
        children = [value for _key, value in item.items()]
    elif isinstance(item, pikepdf.Array):
        children = list(item)
    for child in children:
        nested = isinstance(child, (pikepdf.Dictionary, pikepdf.Array))
        if nested and not child.is_indirect and (found := _active_in(child, depth + 1)):
            return found
    return ""


def _active_dictionary(item: Any) -> str:
    keys = set(item.keys())
    if "/JS" in keys or "/JavaScript" in keys:
        return "script"
    if "/S" in keys and str(item["/S"]) in _ACTIVE_ACTIONS:
        return "script"
    if "/EmbeddedFiles" in keys or "/EF" in keys or "/RichMediaContent" in keys:
        return "attachment"
    if "/Type" in keys and str(item["/Type"]) in _FILE_TYPES and ("/EF" in keys or item["/Type"] == "/EmbeddedFile"):
        return "attachment"
    return ""
