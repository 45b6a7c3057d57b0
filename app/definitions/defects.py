"""What would go wrong later in a definition that the schema lets pass: sentences for its author, told at the start.

Unlike ``registry.spec_problems`` this reads expressions and messages too: a typo in one hides a question from everybody
or breaks a page only when a certain answer is given.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from app.definitions.expressions import FUNCTIONS, TOP, ExpressionError, compile_expression
from app.definitions.route_defects import route_defects
from app.definitions.schema import Attachment, Condition, Definition, Document, Table
from app.fields.base import FieldSpec

RESERVED = frozenset(
    [
        "id",
        "declaration",
        "declaration_id",
        "form",
        "form_id",
        "metadata",
        "parent",
        "parent_id",
        "position",
        "query",
        "registry",
        "revision_no",
        "row_id",
    ]
)
"""Names that every generated table has for itself."""
LONGEST_NAME = 63
"""Characters of a table name that PostgreSQL keeps; it cuts longer ones without a word."""
MOST_ROWS = 999
"""Rows of a table: papers number their cards in Chinese figures up to here."""
MOST_MEGABYTES = 100
"""The server refuses larger files whatever a definition says (``MAX_FILE_BYTES``)."""
FILES_PAGE = "attachments"
NUMBERS = frozenset({"integer", "decimal", "percent"})

_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'')
_CALL = re.compile(r"(?<![\w.])([A-Za-z_]\w*)\s*\(")
_ROOT = re.compile(r"(?<![\w.])([A-Za-z_]\w*)\b(?!\s*\()")
_BOUND = re.compile(r"\.(?:all|exists|exists_one|filter|map)\s*\(\s*([A-Za-z_]\w*)\s*,")
_PARAMETER = re.compile(r"(?<![\w.])params\.(\w+)")
_WORDS = frozenset({"true", "false", "null", "in"})
_OWN_CALLS = frozenset(
    ["bool", "bytes", "double", "duration", "has", "int", "matches", "size", "string", "timestamp", "type", "uint"]
)

Source = tuple[str, str, Table | None]
"""An expression: where it stands, its text, the table whose row it reads."""


def defects(definition: Definition) -> list[str]:
    """Everything found, in words; empty if nothing."""
    found = [*_repeated(definition), *_pages(definition), *_names(definition), *_switches(definition)]
    found += route_defects(definition)
    for _section, table, parent in definition.tables():
        found += _table_defects(table, parent)
    for attachment in definition.attachments:
        found += _attachment_defects(attachment)
    for document in definition.documents:
        found += _document_defects(document, definition)
    for place, source, table_of_row in sources(definition):
        found += [f"{place}: {why}" for why in _expression_defects(source, table_of_row, definition)]
    for condition in definition.conditions:
        found += _message_defects(condition, definition)
    return found + [f"computed values go round in a circle: {' → '.join(ring)}" for ring in _rings(definition)]


def table_names(definition: Definition) -> Iterator[str]:
    """Names of the generated tables."""
    yield f"form_{definition.key}"
    yield from (f"form_{definition.key}_{table.key}" for _section, table, _parent in definition.tables())


def sources(definition: Definition) -> Iterator[Source]:
    """Every expression of ``definition``."""
    for place, source, table in _all_sources(definition):
        if source is not None:
            yield place, source, table


def _all_sources(definition: Definition) -> Iterator[tuple[str, str | None, Table | None]]:
    for section in definition.sections:
        yield f"section {section.key} visible_if", section.visible_if, None
    for section, field in definition.fields():
        yield from _spec_sources(f"{section.key}.{field.key}", field, None)
    for _section, table, parent in definition.tables():
        yield f"table {table.key} visible_if", table.visible_if, parent
        for column in table.all_columns:
            yield from _spec_sources(f"{table.key}.{column.key}", column, table)
    for attachment in definition.attachments:
        yield f"attachment {attachment.key} required_if", attachment.required_if, None
    yield from _condition_sources(definition)


def _spec_sources(place: str, spec: FieldSpec, table: Table | None) -> Iterator[tuple[str, str | None, Table | None]]:
    for name in ("visible_if", "required_if", "computed", "prefill"):
        yield f"{place} {name}", getattr(spec, name), table


def _condition_sources(definition: Definition) -> Iterator[tuple[str, str | None, Table | None]]:
    tables = {table.key: table for _section, table, _parent in definition.tables()}
    for condition in definition.conditions:
        row = tables.get(condition.each or "")
        yield f"condition {condition.key} cel", condition.cel, row
        yield f"condition {condition.key} expected", condition.expected, row


def _twice(what: str, keys: Iterable[str]) -> list[str]:
    return [f"{what} {key!r} stands twice" for key, count in Counter(keys).items() if count > 1]


def _repeated(definition: Definition) -> Iterator[str]:
    yield from _twice("condition", (c.key for c in definition.conditions))
    yield from _twice("document", (d.key for d in definition.documents))
    yield from _twice("line of the rubric", (c.key for c in definition.rubric))
    yield from _twice("reminder", (r.key for r in definition.reminders))
    for _section, table, _parent in definition.tables():
        yield from _twice(f"group of {table.key}", (g.key for g in table.groups))


def _pages(definition: Definition) -> Iterator[str]:
    if FILES_PAGE in {section.key for section in definition.sections}:
        yield f"section {FILES_PAGE!r}: this is the name of the page with the files; choose another one"


def _names(definition: Definition) -> Iterator[str]:
    for section, field in definition.fields():
        if field.key in RESERVED:
            yield f"{section.key}.{field.key}: this key is taken by the program; choose another one"
    for _section, table, _parent in definition.tables():
        for column in table.all_columns:
            if column.key in RESERVED:
                yield f"{table.key}.{column.key}: this key is taken by the program; choose another one"
    for name in table_names(definition):
        if len(name) > LONGEST_NAME:
            yield f"table name {name!r} has {len(name)} characters, at most {LONGEST_NAME}: shorten a key"


def _switches(definition: Definition) -> Iterator[str]:
    for step in definition.route:
        parameter = definition.parameters.get(step.enabled_by or "")
        if parameter is not None and not isinstance(parameter.value, bool):
            yield f"step {step.key}: parameter {step.enabled_by} must be true or false to switch it on"
        if step.due_days is not None and step.due_days < 1:
            yield f"step {step.key}: due_days {step.due_days} must be 1 or more"


def _table_defects(table: Table, parent: Table | None) -> Iterator[str]:
    columns = _column_keys(table)
    named = [("title_column", table.title_column)] + [("summary_columns", key) for key in table.summary_columns]
    for attribute, key in named:
        if key is not None and key not in columns:
            yield f"{table.key}: {attribute} names no column: {key}"
    yield from _nesting_defects(table, parent)
    if not 0 <= table.min_rows <= table.max_rows:
        yield f"{table.key}: min_rows {table.min_rows} must be between 0 and max_rows {table.max_rows}"
    if not 1 <= table.max_rows <= MOST_ROWS:
        yield f"{table.key}: max_rows {table.max_rows} must be between 1 and {MOST_ROWS}"


def _nesting_defects(table: Table, parent: Table | None) -> Iterator[str]:
    for nested in table.tables:
        if parent is not None:
            yield f"{table.key}: tables nest one level only, so {nested.key} cannot stand here"
        if nested.key in _column_keys(table):
            yield f"{table.key}: {nested.key!r} is a column and a table"


def _column_keys(table: Table) -> set[str]:
    return {column.key for column in table.all_columns}


def _attachment_defects(attachment: Attachment) -> Iterator[str]:
    if not attachment.formats:
        yield f"attachment {attachment.key}: formats is empty, so no file would be taken"
    if not 1 <= attachment.max_size_mb <= MOST_MEGABYTES:
        yield (
            f"attachment {attachment.key}: max_size_mb {attachment.max_size_mb} must be between 1 and {MOST_MEGABYTES}"
        )
    if attachment.max_files < 1:
        yield f"attachment {attachment.key}: max_files {attachment.max_files} must be 1 or more"


def _document_defects(document: Document, definition: Definition) -> Iterator[str]:
    kinds = {field.key: field.type for _section, field in definition.fields()}
    for key in document.totals:
        if kinds.get(key, "decimal") not in NUMBERS:
            yield f"document {document.key}: totals names no number: {key}"


# -- expressions ----------------------------------------------------------------------------------------------------


def _expression_defects(source: str, table: Table | None, definition: Definition) -> Iterator[str]:
    try:
        expression = compile_expression(source)
    except ExpressionError as error:
        yield str(error)
        return
    yield from _unknown_words(source)
    row = _column_keys(table) | {nested.key for nested in table.tables} if table else set()
    parameters = set(_PARAMETER.findall(_TEXT.sub('""', source)))
    for what, used, known in (
        ("form.{} names no question or table", expression.form_keys, _form_keys(definition)),
        ("row.{} names no column of this row", expression.row_keys, row),
        ("params.{} names no parameter", parameters, definition.parameters.keys()),
    ):
        yield from (what.format(key) for key in sorted(used - known))


def _form_keys(definition: Definition) -> set[str]:
    """What ``form`` holds: questions, and tables of the first level."""
    tables = {table.key for _section, table, parent in definition.tables() if parent is None}
    return tables | {field.key for _section, field in definition.fields()}


def _unknown_words(source: str) -> Iterator[str]:
    """Functions and variables that nobody defines."""
    plain = _TEXT.sub('""', source)
    calls = set(_CALL.findall(plain)) - FUNCTIONS.keys() - _OWN_CALLS - _WORDS
    yield from (f"there is no function {name}()" for name in sorted(calls))
    roots = set(_ROOT.findall(plain)) - set(TOP) - set(_BOUND.findall(plain)) - _WORDS
    yield from (f"there is no variable {name}; known: {', '.join(TOP)}" for name in sorted(roots))


def _message_defects(condition: Condition, definition: Definition) -> Iterator[str]:
    message = condition.message or ""
    try:
        parts = list(string.Formatter().parse(message))
    except ValueError as error:
        yield f"condition {condition.key}: message has a brace too much or too few: {error}"
        return
    known = _message_names(condition, definition)
    for _literal, name, look, conversion in parts:
        if name is not None and name not in known:
            yield f"condition {condition.key}: message names nothing known: {{{name}}}"
        elif look or conversion:
            yield f"condition {condition.key}: message may hold {{{name}}} only, without : or !"


def _message_names(condition: Condition, definition: Definition) -> set[str]:
    known = {"value", "number", "expected", "difference"} | {f"params.{key}" for key in definition.parameters}
    known |= {field.key for _section, field in definition.fields()} | definition.parameters.keys()
    for _section, table, _parent in definition.tables():
        if table.key == condition.each:
            known |= _column_keys(table)
    return known


# -- circles --------------------------------------------------------------------------------------------------------


def _rings(definition: Definition) -> list[list[str]]:
    """Computed values that need themselves, each ring once."""
    graph = dict(_readings(definition))
    rings: dict[frozenset[str], list[str]] = {}
    for start in graph:
        ring = _way_back(start, graph)
        if ring:
            rings.setdefault(frozenset(ring), ring)
    return list(rings.values())


def _way_back(start: str, graph: Mapping[str, set[str]]) -> list[str]:
    """The shortest way from ``start`` over what it reads back to itself; empty if there is none."""
    ways = [[start]]
    seen: set[str] = set()
    for way in ways:
        for name in sorted(graph.get(way[-1], set())):
            if name == start:
                return [*way, start]
            if name not in seen:
                seen.add(name)
                ways.append([*way, name])
    return []


def _readings(definition: Definition) -> Iterator[tuple[str, set[str]]]:
    """What each computed value reads: ``key``, ``table`` (all its computed columns) or ``table.column``."""
    for _section, field in definition.fields():
        if field.computed:
            yield field.key, _reads(field.computed, "")
    for _section, table, parent in definition.tables():
        computed = {c.key: _reads(c.computed, table.key) for c in table.all_columns if c.computed}
        yield from ((f"{table.key}.{key}", read) for key, read in computed.items())
        if parent is None:
            yield table.key, {f"{table.key}.{key}" for key in computed}


def _reads(source: str, table: str) -> set[str]:
    try:
        expression = compile_expression(source)
    except ExpressionError:  # told where the expression stands
        return set()
    return set(expression.form_keys) | {f"{table}.{key}" for key in expression.row_keys}
