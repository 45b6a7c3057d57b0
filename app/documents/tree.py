"""The value tree that every printed output is written from: pure, frozen data, no layout.

All text passes ``clean_text`` when a node is made, so a tree cannot hold a character that a document cannot carry.
Numbers arrive as finished text (``1,234.56``); only their alignment is said. Lengths are never units of paper here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, Literal

from app.fields.base import clean_text

Align = Literal["left", "center", "right"]


def _gate(value: Any) -> Any:
    """``value`` with every text in it cleaned; tuples are walked, nodes have cleaned themselves."""
    if isinstance(value, str):
        return clean_text(value, multiline=True)
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return tuple(_gate(item) for item in value)
    return value


@dataclass(frozen=True)
class Node:
    """Base of all parts: cleans text on construction."""

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, _gate(getattr(self, field.name)))


@dataclass(frozen=True)
class Pair(Node):
    """One label cell and its value cell. ``wide``: a row of its own. ``text`` may hold line breaks."""

    label: str
    text: str
    wide: bool = False
    align: Align = "left"


@dataclass(frozen=True)
class Facts(Node):
    """A form table: label cells grey, two pairs in a row unless wide. An empty title prints none."""

    title: str
    pairs: tuple[Pair, ...]


@dataclass(frozen=True)
class Column(Node):
    """Head of a column. ``unit`` is printed below the label in brackets; ``weight`` is the relative width."""

    label: str
    align: Align = "left"
    unit: str = ""
    weight: int = 10


@dataclass(frozen=True)
class Rows(Node):
    """A list with a head that repeats on each page. ``empty`` is printed when there is no row."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    total: tuple[str, ...] | None = None
    empty: str = ""

    def __post_init__(self) -> None:
        """Raises ValueError if a row or the total does not have one cell for each column."""
        super().__post_init__()
        _check_widths(self.title, len(self.columns), self.rows + ((self.total,) if self.total else ()))


@dataclass(frozen=True)
class Pairs(Node):
    """A comparison, such as indicators before and after: the first column is the label and printed grey.

    ``aligns`` gives the alignment of each column; empty means label left, all others right.
    """

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    aligns: tuple[Align, ...] = ()

    def __post_init__(self) -> None:
        """Raises ValueError if a row does not have one cell for each header."""
        super().__post_init__()
        _check_widths(self.title, len(self.headers), self.rows)

    def align(self, index: int) -> Align:
        """Alignment of column ``index``."""
        if self.aligns:
            return self.aligns[index]
        return "left" if index == 0 else "right"


@dataclass(frozen=True)
class Card(Node):
    """One long row record (a project): its facts and the tables nested in it, under one heading."""

    title: str
    parts: tuple[Facts | Rows | Pairs, ...]


@dataclass(frozen=True)
class Cards(Node):
    """A child table whose rows are too long for a line. ``empty`` is printed when there is none."""

    title: str
    cards: tuple[Card, ...]
    empty: str = ""


@dataclass(frozen=True)
class Prose(Node):
    """Running text; each line is a paragraph, first line indented by two characters."""

    title: str
    text: str


@dataclass(frozen=True)
class FileRow(Node):
    """One attachment as listed: what it is, its file name, its size in words."""

    label: str
    name: str
    size: str = ""


@dataclass(frozen=True)
class Files(Node):
    """The list of attachments, numbered."""

    title: str
    rows: tuple[FileRow, ...]
    empty: str = ""


Block = Facts | Rows | Cards | Pairs | Prose | Files


@dataclass(frozen=True)
class SealPlace(Node):
    """Where the unit seals and the person signs. ``date`` empty leaves 年 月 日 blank to be filled by hand."""

    unit: str
    unit_label: str = "申报单位（公章）"
    signer_label: str = "法定代表人（签字）"
    date: str = ""


@dataclass(frozen=True)
class Paper(Node):
    """A whole document.

    ``code`` is the short check code printed beside the QR, ``qr`` the text inside it, ``verify_url`` the address at
    which both are looked up. ``version_label`` says which submission this is, ``digest`` is its SHA-256 in hex,
    ``footer`` one line under every page. ``title`` may hold line breaks (broken by meaning).
    """

    title: str
    serial: str
    blocks: tuple[Block, ...]
    subtitle: str = ""
    code: str = ""
    qr: str = ""
    verify_url: str = ""
    version_label: str = ""
    statement: str = ""
    seal_place: SealPlace | None = None
    footer: str = ""
    digest: str = ""


def _check_widths(title: str, width: int, rows: tuple[tuple[str, ...], ...]) -> None:
    for row in rows:
        if len(row) != width:
            raise ValueError(f"table {title!r}: {len(row)} cells in a row of {width} columns")


def walk_texts(node: Any) -> Iterator[str]:
    """Every text in ``node``, in reading order: for searching, counting and comparing outputs in tests."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, tuple):
        for item in node:
            yield from walk_texts(item)
    elif isinstance(node, Node):
        for field in fields(node):
            yield from walk_texts(getattr(node, field.name))
