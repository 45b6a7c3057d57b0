"""What changed between two submissions: contents of revisions compared by path, rows matched by their id."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any, Literal

from app.definitions.schema import Definition, Table
from app.fields import registry as field_types
from app.fields.base import FieldSpec, Lookups

MAX_INLINE = 4000
"""Characters of both texts together up to which the difference is shown word by word."""
KEEP = 12
"""Characters left and right of a change that stay visible in long text."""
SLIVER = 2
"""Unchanged characters between two changes that are shown as part of the change."""
_TOKEN = re.compile(r"[A-Za-z0-9.%]+|.", re.DOTALL)


@dataclass(frozen=True)
class Part:
    """A run of text: kept, struck out or put in."""

    op: Literal["same", "del", "ins"]
    text: str


@dataclass(frozen=True)
class Change:
    """One difference. ``place`` says where (a row's title), ``path`` leads there; texts are as people read them."""

    path: str
    place: str
    label: str
    kind: Literal["changed", "added", "removed"]
    before: str
    after: str
    parts: tuple[Part, ...] = field(default=())


Content = Mapping[str, Any]
Rows = Sequence[Mapping[str, Any]]


def compare_contents(definition: Definition, old: Content, new: Content, lookups: Lookups) -> list[Change]:
    """Differences from ``old`` to ``new`` in the order of ``definition``; files last."""
    changes: list[Change] = []
    for section in definition.sections:
        for spec in section.fields:
            changes += _field(spec, spec.key, "", old["fields"], new["fields"], lookups)
        for table in section.tables:
            before, after = old["tables"].get(table.key, ()), new["tables"].get(table.key, ())
            changes += _table(table, table.key, "", before, after, lookups)
    return changes + list(_files(definition, old.get("attachments", {}), new.get("attachments", {})))


def text_of(spec: FieldSpec, stored: Any, lookups: Lookups) -> str:
    """A stored JSON value as people read it, with its unit; empty text if nothing was answered.

    What another version of the question stored, of another type or with more decimals, is shown as it stands.
    """
    kind = field_types.get(spec.type)
    try:
        value = kind.stored(spec, stored)
    except ValueError:
        return "、".join(map(str, stored)) if isinstance(stored, list) else str(stored)
    if kind.is_empty(value):
        return ""
    return spec.with_unit(kind.text(spec, value, lookups))


def _field(spec: FieldSpec, path: str, place: str, old: Content, new: Content, lookups: Lookups) -> Iterator[Change]:
    if old.get(spec.key) == new.get(spec.key):
        return
    before, after = (text_of(spec, c.get(spec.key), lookups) for c in (old, new))
    if before != after:
        yield Change(path, place, spec.plain_label, "changed", before, after, tuple(inline_parts(before, after)))


def _table(table: Table, path: str, place: str, old: Rows, new: Rows, lookups: Lookups) -> Iterator[Change]:
    known = {row["id"]: row for row in old}
    present = {row["id"] for row in new}
    for number, row in enumerate(new, 1):
        title = row_title(table, row, number, lookups)
        here = f"{place} · {title}" if place else title
        before = known.get(row["id"])
        if before is None:
            yield Change(f"{path}/{row['id']}", place, table.label, "added", "", title)
        else:
            yield from _row(table, f"{path}/{row['id']}", here, before, row, lookups)
    for number, row in enumerate(old, 1):
        if row["id"] not in present:
            yield Change(path, place, table.label, "removed", row_title(table, row, number, lookups), "")


def _row(table: Table, path: str, place: str, old: Content, new: Content, lookups: Lookups) -> Iterator[Change]:
    for spec in table.all_columns:
        yield from _field(spec, f"{path}/{spec.key}", place, old["values"], new["values"], lookups)
    for child in table.tables:
        old_rows, new_rows = (r.get("tables", {}).get(child.key, ()) for r in (old, new))
        yield from _table(child, f"{path}/{child.key}", place, old_rows, new_rows, lookups)


def row_title(table: Table, row: Mapping[str, Any], number: int, lookups: Lookups) -> str:
    """Name of a row: the text of its title column, or its kind and number."""
    spec = next((c for c in table.all_columns if c.key == table.title_column), None)
    title = text_of(spec, row["values"].get(spec.key), lookups) if spec else ""
    return title or f"{table.row_label} {number}"


def _files(definition: Definition, old: Content, new: Content) -> Iterator[Change]:
    for spec in definition.attachments:
        before, after = old.get(spec.key, ()), new.get(spec.key, ())
        if [f["sha256"] for f in before] != [f["sha256"] for f in after]:
            one, two = ("、".join(f["name"] for f in files) for files in (before, after))
            yield Change(f"@{spec.key}", "", spec.label, "changed", one, two, tuple(_whole(one, two)))


def inline_parts(before: str, after: str) -> list[Part]:
    """The difference of two texts as runs; far unchanged text is cut to ``……``. Short or huge texts: whole."""
    if not before or not after or len(before) + len(after) > MAX_INLINE or min(len(before), len(after)) <= KEEP:
        return _whole(before, after)
    one, two = _TOKEN.findall(before), _TOKEN.findall(after)
    matcher = SequenceMatcher(None, one, two, autojunk=False)
    if matcher.ratio() < 0.4:
        return _whole(before, after)
    return list(_shortened(_joined(one, two, matcher.get_opcodes())))


def _joined(one: list[str], two: list[str], codes: Sequence[tuple[str, int, int, int, int]]) -> list[Part]:
    """Runs of change; a lone sign or two that happen to agree inside a change do not break it up."""
    parts: list[Part] = []
    before = after = ""
    for number, (op, a, b, c, d) in enumerate(codes):
        same = "".join(one[a:b])
        if op == "equal" and not (len(same) <= SLIVER and 0 < number < len(codes) - 1):
            parts += [*_whole(before, after), Part("same", same)]
            before = after = ""
        else:
            before, after = before + same, after + "".join(two[c:d])
    return parts + _whole(before, after)


def _whole(before: str, after: str) -> list[Part]:
    pair: Iterable[tuple[Literal["del", "ins"], str]] = (("del", before), ("ins", after))
    return [Part(op, text) for op, text in pair if text]


def _shortened(parts: list[Part]) -> Iterator[Part]:
    last = len(parts) - 1
    for position, part in enumerate(parts):
        text = part.text
        if part.op == "same" and len(text) > 2 * KEEP + 2:
            head = "" if position == 0 else text[:KEEP]
            tail = "" if position == last else text[-KEEP:]
            text = f"{head}……{tail}"
        yield Part(part.op, text)
