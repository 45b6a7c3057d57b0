"""Pages of a list in the address: ``?page=2&psize=20``. What cannot be read is refused, never guessed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import request, url_for
from flask_babel import gettext as _

from app.errors import DomainError
from app.services.listing import Asked, Page

LARGEST_SIZE = 100
LARGEST_PAGE = 100_000


@dataclass(frozen=True)
class Pager:
    """What the pager component shows."""

    total: int
    number: int
    pages: int
    previous_url: str | None
    next_url: str | None


def asked_page(size: int = 10) -> Asked:
    """The page the address asks for. DomainError if a number is none or out of range."""
    return Asked(
        _number("page", _("页码"), 1, LARGEST_PAGE), _number("psize", _("每页条数"), size, LARGEST_SIZE)
    )  # fmt: skip


def _number(name: str, label: str, default: int, largest: int) -> int:
    text = request.args.get(name)
    if text is None or text == "":
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and 1 <= int(text) <= largest):
        raise DomainError(
            _("%(label)s要是 1 到 %(max)s 的整数，现在是“%(text)s”。请从列表下面的“上一页”“下一页”翻页。",
              label=label, max=largest, text=text[:20])
        )  # fmt: skip
    return int(text)


def make_pager(page: Page[Any], endpoint: str, **values: Any) -> Pager:
    """The pager of ``page``; ``values`` are the arguments that stay in the address."""
    kept = {k: v for k, v in values.items() if v not in (None, "")}
    if request.args.get("psize"):
        kept["psize"] = page.size

    def url(number: int) -> str | None:
        return url_for(endpoint, page=number, **kept) if 1 <= number <= page.pages else None

    return Pager(page.total, page.number, page.pages, url(page.number - 1), url(page.number + 1))
