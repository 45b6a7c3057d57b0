"""Loads the catalogue (YAML files) and stored versions (JSON), and says in words what is wrong with them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from app.definitions.defects import defects, table_names
from app.definitions.schema import Definition
from app.fields import registry as field_types
from app.fields.base import FieldSpec

CATALOGUE = Path(__file__).parent / "catalog"


class DefinitionError(Exception):
    """A definition that cannot be used; ``problems`` are sentences with file and line."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def _line_of(node: yaml.Node, path: tuple[Any, ...]) -> int:
    """Line (from 1) of the deepest part of ``path`` that exists below ``node``."""
    line = node.start_mark.line + 1
    for part in path:
        if isinstance(node, yaml.MappingNode):
            found = next(((k, v) for k, v in node.value if k.value == str(part)), None)
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line


def parse_definition(text: str, name: str) -> Definition:
    """The definition in the YAML ``text`` of file ``name``. DefinitionError with file, line and a sentence each."""
    try:
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
        if doubled := list(_doubled(root, name)):
            raise DefinitionError(doubled)
        definition = Definition.model_validate(yaml.load(text, Loader=yaml.CSafeLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise DefinitionError([f"{name}:{mark.line + 1 if mark else 1}: {getattr(error, 'problem', error)}"]) from error
    except ValidationError as error:
        raise DefinitionError([f"{name}:{p}" for p in _schema_problems(root, error)]) from error
    problems = [f"{name}: {p}" for p in spec_problems(definition)]
    if problems:
        raise DefinitionError(problems)
    return definition


def _doubled(root: yaml.Node | None, name: str) -> Iterator[str]:
    """A sentence for each key that stands twice in one mapping; YAML's loader says nothing about them."""
    for mapping in (node for node in _nodes(root) if isinstance(node, yaml.MappingNode)):
        met: set[str] = set()
        for key, _value in mapping.value:
            if str(key.value) in met:
                yield f"{name}:{key.start_mark.line + 1}: {key.value!r} stands twice; only the last would count"
            met.add(str(key.value))


def _nodes(root: yaml.Node | None) -> Iterator[yaml.Node]:
    """``root`` and everything below it, each once: an alias may lead back."""
    queue, seen = [root] if root else [], set()
    while queue:
        node = queue.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        if isinstance(node, yaml.MappingNode):
            queue += [value for _key, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            queue += node.value


def _schema_problems(root: yaml.Node | None, error: ValidationError) -> Iterator[str]:
    """``line: place: message`` for everything that does not fit the schema."""
    for problem in error.errors():
        path = problem["loc"]
        line = _line_of(root, path) if root else 1
        yield f"{line}: {'.'.join(map(str, path))}: {problem['msg']}"


def specs(definition: Definition) -> Iterator[tuple[str, FieldSpec]]:
    """Every field and column with a readable place (``section.key`` or ``table.key``)."""
    for section, field in definition.fields():
        yield f"{section.key}.{field.key}", field
    for _, table, _ in definition.tables():
        for column in table.all_columns:
            yield f"{table.key}.{column.key}", column


def spec_problems(definition: Definition) -> list[str]:
    """What the schema cannot see: unknown types, duplicate keys, options, references to missing parts."""
    problems = [f"{place}: {p}" for place, spec in specs(definition) for p in _type_problems(spec)]
    for what, keys in _key_lists(definition):
        problems += _duplicates(what, keys)
    return problems + _reference_problems(definition) + defects(definition)


def _type_problems(spec: FieldSpec) -> list[str]:
    if spec.type not in field_types.names():
        return [f"unknown field type {spec.type!r}, known: {', '.join(sorted(field_types.names()))}"]
    return field_types.get(spec.type).check_spec(spec)


def _key_lists(definition: Definition) -> Iterator[tuple[str, list[str]]]:
    """Keys that must differ from each other, with the word for what they name."""
    yield "field", [f.key for _, f in definition.fields()] + [t.key for _, t, _ in definition.tables()]
    for _, table, _ in definition.tables():
        yield f"column of {table.key}", [c.key for c in table.all_columns]
    yield "section", [s.key for s in definition.sections]
    yield "attachment", [a.key for a in definition.attachments]
    yield "step", [s.key for s in definition.route]


def _duplicates(what: str, keys: list[str]) -> list[str]:
    return [f"{what} {k!r} stands twice" for k in sorted({k for k in keys if keys.count(k) > 1})]


def _reference_problems(definition: Definition) -> list[str]:
    fields = {f.key for _, f in definition.fields()}
    return [
        *_condition_problems(definition, fields),
        *_step_problems(definition),
        *(f"profile_map names no field: {k}" for k in definition.profile_map if k not in fields),
        *_document_problems(definition, fields),
    ]


def _condition_problems(definition: Definition, fields: set[str]) -> Iterator[str]:
    places = {t.key: {c.key for c in t.all_columns} for _, t, _ in definition.tables()}
    places[""] = fields | set(places)  # outside rows, a problem stands beside a field or a whole table
    for condition in definition.conditions:
        known = places.get(condition.each or "")
        if known is None:
            yield f"condition {condition.key}: each names no table: {condition.each}"
        elif condition.at and condition.at not in known:
            yield f"condition {condition.key}: at names no field: {condition.at}"


def _step_problems(definition: Definition) -> Iterator[str]:
    for step in definition.route:
        for name in ("enabled_by", "city_if", "until"):
            parameter = getattr(step, name)
            if parameter and parameter not in definition.parameters:
                yield f"step {step.key}: {name} names no parameter: {parameter}"


def _document_problems(definition: Definition, fields: set[str]) -> list[str]:
    steps, problems = {s.key for s in definition.route}, []
    for document in definition.documents:
        if document.after_step is not None and document.after_step not in steps:
            problems.append(f"document {document.key}: after_step names no step: {document.after_step}")
        problems += [
            f"document {document.key}: columns names no field: {c}" for c in document.columns if c not in fields
        ]
        problems += [
            f"document {document.key}: totals names no column: {c}"
            for c in document.totals
            if c not in document.columns
        ]
    return problems


def digest(definition: Definition) -> str:
    """SHA-256 of the definition's canonical JSON, hex."""
    return hashlib.sha256(to_json(definition).encode()).hexdigest()


def to_json(definition: Definition) -> str:
    """Canonical JSON of the definition: what is stored as an immutable version."""
    return definition.canonical


@lru_cache(maxsize=256)
def from_json(text: str) -> Definition:
    """Inverse of ``to_json``; shared, since definitions do not change."""
    return Definition.model_validate_json(text)


class Catalogue:
    """The definitions of one folder, by key."""

    def __init__(self, folder: Path) -> None:
        problems: list[str] = []
        self._definitions: dict[str, Definition] = {}
        for path in sorted(folder.rglob("*.yaml")):
            name = path.relative_to(folder).as_posix()
            try:
                definition = parse_definition(path.read_text("utf-8"), name)
            except DefinitionError as error:
                problems += error.problems
                continue
            if definition.key in self._definitions:
                problems.append(f"{name}:1: key {definition.key!r} stands in another file too")
            self._definitions[definition.key] = definition
        problems += _duplicates("short_code", [d.short_code for d in self._definitions.values()])
        problems += _duplicates("table name", [n for d in self._definitions.values() for n in table_names(d)])
        if problems:
            raise DefinitionError(problems)

    def __iter__(self) -> Iterator[Definition]:
        return iter(self._definitions.values())

    def get(self, key: str) -> Definition:
        """The definition ``key``; KeyError if the catalogue has none."""
        return self._definitions[key]

    def __contains__(self, key: object) -> bool:
        return key in self._definitions


@lru_cache(maxsize=4)
def catalogue(folder: Path = CATALOGUE) -> Catalogue:
    """The catalogue of ``folder``, loaded once. DefinitionError lists every problem of every file."""
    return Catalogue(folder)


def resolve(definition: Definition, params: dict[str, Any]) -> Definition:
    """``definition`` with ``{parameter}`` in labels, help and option texts replaced by the batch's values, and with the
    steps that the city takes over in this batch at the city's level."""
    return _resolve(to_json(definition), tuple(sorted((k, str(v)) for k, v in params.items())))


@lru_cache(maxsize=256)
def _resolve(text: str, params: tuple[tuple[str, str], ...]) -> Definition:
    data, values = json.loads(text), dict(params)
    for step in data.get("route", []):
        if is_switched_on(values.get(step.get("city_if") or "")):
            step["level"] = "city"
    for part in ("sections", "attachments", "conditions"):
        data[part] = _filled(data.get(part, []), values)
    return Definition.model_validate(data)


_READ_BY_PEOPLE = frozenset({"label", "help", "text", "title"})


def _filled(node: Any, values: dict[str, str], key: str = "") -> Any:
    """``node`` with the ``values`` in the texts that people read; ``key`` is where it stands."""
    if isinstance(node, dict):
        return {k: _filled(v, values, k) for k, v in node.items()}
    if isinstance(node, list):
        return [_filled(v, values, key) for v in node]
    if isinstance(node, str) and key in _READ_BY_PEOPLE:
        for name, value in values.items():
            node = node.replace("{" + name + "}", value)
    return node


def is_switched_on(value: object) -> bool:
    """Whether a yes/no parameter says yes, as a batch stores it or as text."""
    return value in (True, "yes", "true", "True")


def parameters_of(definition: Definition, overrides: dict[str, Any] | None = None) -> dict[str, Any]:
    """Parameter values: the definition's, overridden by the batch's."""
    values = {key: p.value for key, p in definition.parameters.items()}
    values.update({k: v for k, v in (overrides or {}).items() if k in values})
    return values
