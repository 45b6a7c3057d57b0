"""Lists that are read page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from flask_babel import gettext as _
from sqlalchemy import Select, func, select

from app.errors import NotFound
from app.extensions import db

Row = TypeVar("Row")


@dataclass(frozen=True)
class Asked:
    """Which page is wanted: ``number`` from 1, ``size`` rows each."""

    number: int = 1
    size: int = 10


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One page of ``total`` rows."""

    rows: Sequence[Row]
    total: int
    number: int
    size: int

    @property
    def pages(self) -> int:
        """How many pages there are; an empty list has one."""
        return max(1, -(-self.total // self.size))

    @property
    def first(self) -> int:
        """Running number of the first row."""
        return (self.number - 1) * self.size + 1


def paginate(statement: Select[Any], asked: Asked) -> Page[Any]:
    """One page of the entities that ``statement`` selects. NotFound beyond the last page."""
    total = db.session.scalar(select(func.count()).select_from(statement.order_by(None).subquery())) or 0
    check_number(asked.number, total, asked.size)
    rows = db.session.scalars(statement.limit(asked.size).offset((asked.number - 1) * asked.size)).unique().all()
    return Page(rows, total, asked.number, asked.size)


def check_number(number: int, total: int, size: int) -> None:
    """NotFound if ``total`` rows, ``size`` on a page, have no page ``number``."""
    pages = max(1, -(-total // size))
    if number > pages:
        raise NotFound(_("没有第 %(number)s 页，一共 %(pages)s 页。请从第 1 页看起。", number=number, pages=pages))
