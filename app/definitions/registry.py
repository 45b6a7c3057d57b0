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

from app.definitions.schema import Definition, Table
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
        definition = Definition.model_validate(yaml.load(text, Loader=yaml.CSafeLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise DefinitionError([f"{name}:{mark.line + 1 if mark else 1}: {getattr(error, 'problem', error)}"]) from error
    except ValidationError as error:
        raise DefinitionError(
            [
                f"{name}:{_line_of(root, e['loc']) if root else 1}: {'.'.join(str(p) for p in e['loc'])}: {e['msg']}"
                for e in error.errors()
            ]
        ) from error
    problems = [f"{name}: {p}" for p in spec_problems(definition)]
    if problems:
        raise DefinitionError(problems)
    return definition


def specs(definition: Definition) -> Iterator[tuple[str, FieldSpec]]:
    """Every field and column with a readable place (``section.key`` or ``table.key``)."""
    for section, field in definition.fields():
        yield f"{section.key}.{field.key}", field
    for _, table, _ in definition.tables():
        for column in table.all_columns:
            yield f"{table.key}.{column.key}", column


def spec_problems(definition: Definition) -> list[str]:
    """What the schema cannot see: unknown types, duplicate keys, options, references to missing parts."""
    problems: list[str] = []
    for place, spec in specs(definition):
        if spec.type not in field_types.names():
            problems.append(
                f"{place}: unknown field type {spec.type!r}, known: {', '.join(sorted(field_types.names()))}"
            )
        else:
            problems += [f"{place}: {p}" for p in field_types.get(spec.type).check_spec(spec)]
    problems += _duplicates(
        "field", [f.key for _, f in definition.fields()] + [t.key for _, t, _ in definition.tables()]
    )
    for _, table, _ in definition.tables():
        problems += _duplicates(f"column of {table.key}", [c.key for c in table.all_columns])
    problems += _duplicates("section", [s.key for s in definition.sections])
    problems += _duplicates("attachment", [a.key for a in definition.attachments])
    problems += _duplicates("step", [s.key for s in definition.route])
    problems += _reference_problems(definition)
    return problems


def _duplicates(what: str, keys: list[str]) -> list[str]:
    return [f"{what} {k!r} stands twice" for k in sorted({k for k in keys if keys.count(k) > 1})]


def _reference_problems(definition: Definition) -> list[str]:
    tables: dict[str, Table] = {t.key: t for _, t, _ in definition.tables()}
    fields = {f.key for _, f in definition.fields()}
    problems = []
    for condition in definition.conditions:
        if condition.each and condition.each not in tables:
            problems.append(f"condition {condition.key}: each names no table: {condition.each}")
        elif condition.at:
            known = {c.key for c in tables[condition.each].all_columns} if condition.each else fields | set(tables)
            if condition.at not in known:
                problems.append(f"condition {condition.key}: at names no field: {condition.at}")
    for step in definition.route:
        if step.enabled_by and step.enabled_by not in definition.parameters:
            problems.append(f"step {step.key}: enabled_by names no parameter: {step.enabled_by}")
    problems += [f"profile_map names no field: {k}" for k in definition.profile_map if k not in fields]
    problems += _document_problems(definition, fields)
    return problems


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
    """``definition`` with ``{parameter}`` in labels, help and option texts replaced by the batch's values."""
    return _resolve(to_json(definition), tuple(sorted((k, str(v)) for k, v in params.items())))


@lru_cache(maxsize=256)
def _resolve(text: str, params: tuple[tuple[str, str], ...]) -> Definition:
    data = json.loads(text)
    values = dict(params)

    def fill(node: Any, key: str = "") -> Any:
        if isinstance(node, dict):
            return {k: fill(v, k) for k, v in node.items()}
        if isinstance(node, list):
            return [fill(v, key) for v in node]
        if isinstance(node, str) and key in {"label", "help", "text", "title"}:
            for name, value in values.items():
                node = node.replace("{" + name + "}", value)
        return node

    data["sections"] = fill(data["sections"])
    data["attachments"] = fill(data.get("attachments", []))
    data["conditions"] = fill(data.get("conditions", []))
    return Definition.model_validate(data)


def parameters_of(definition: Definition, overrides: dict[str, Any] | None = None) -> dict[str, Any]:
    """Parameter values: the definition's, overridden by the batch's."""
    values = {key: p.value for key, p in definition.parameters.items()}
    values.update({k: v for k, v in (overrides or {}).items() if k in values})
    return values
