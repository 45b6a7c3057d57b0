"""Identity numbers in answers: encrypted wherever they rest, readable only in memory, masked in projections."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from flask import current_app

from app.adapters.secrets import Cipher
from app.definitions.schema import Definition
from app.fields.base import FieldSpec, Raw

SENSITIVE = frozenset({"id_number"})
_CONTEXT = "answer"


@lru_cache(maxsize=4)
def _cipher(secret: str) -> Cipher:
    return Cipher(secret)


def cipher() -> Cipher:
    """The cipher of this installation."""
    return _cipher(current_app.config["SECRET_KEY"])


def seal(spec: FieldSpec, raw: Raw) -> Raw:
    """``raw`` as it is stored: encrypted if the field is sensitive and something was typed."""
    return cipher().encrypt(raw, _CONTEXT) if spec.type in SENSITIVE and isinstance(raw, str) and raw else raw


def unseal(spec: FieldSpec, stored: Raw) -> Raw:
    """Inverse of ``seal``."""
    return (
        cipher().decrypt(stored, _CONTEXT) if spec.type in SENSITIVE and isinstance(stored, str) and stored else stored
    )


def seal_content(definition: Definition, content: dict[str, Any]) -> dict[str, Any]:
    """A revision's content with sensitive answers encrypted."""
    return _walk(definition, content, seal)


def unseal_content(definition: Definition, content: dict[str, Any]) -> dict[str, Any]:
    """Inverse of ``seal_content``."""
    return _walk(definition, content, unseal)


def mask_content(definition: Definition, content: dict[str, Any]) -> dict[str, Any]:
    """Sensitive answers as grids may show them: first four and last two characters."""

    def mask(spec: FieldSpec, stored: Raw) -> Raw:
        plain = unseal(spec, stored)
        return masked(plain) if spec.type in SENSITIVE and isinstance(plain, str) else plain

    return _walk(definition, content, mask)


def masked(number: str) -> str:
    """``2301************17``."""
    return f"{number[:4]}{'*' * max(0, len(number) - 6)}{number[-2:]}" if len(number) > 6 else "*" * len(number)


def sensitive_keys(definition: Definition) -> dict[str, dict[str, FieldSpec]]:
    """Sensitive specs by table key (empty text: the main form) and field key."""
    found: dict[str, dict[str, FieldSpec]] = {}
    for _, field in definition.fields():
        if field.type in SENSITIVE:
            found.setdefault("", {})[field.key] = field
    for _, table, _parent in definition.tables():
        for column in table.all_columns:
            if column.type in SENSITIVE:
                found.setdefault(table.key, {})[column.key] = column
    return found


def change_values(
    specs: dict[str, FieldSpec], values: dict[str, Any], change: Callable[[FieldSpec, Raw], Raw]
) -> dict[str, Any]:
    """``values`` with ``change`` applied to the keys of ``specs``."""
    return {**values, **{k: change(s, values[k]) for k, s in specs.items() if k in values}}


def _walk(definition: Definition, content: dict[str, Any], change: Callable[[FieldSpec, Raw], Raw]) -> dict[str, Any]:
    keys = sensitive_keys(definition)
    if not keys:
        return content

    def rows(table: str, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            {
                **row,
                "values": change_values(keys.get(table, {}), row["values"], change),
                "tables": {k: rows(k, v) for k, v in row.get("tables", {}).items()},
            }
            for row in items
        ]

    return {
        **content,
        "fields": change_values(keys.get("", {}), content["fields"], change),
        "tables": {k: rows(k, v) for k, v in content["tables"].items()},
    }
