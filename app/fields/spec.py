"""Checks of a spec that several types share: which attributes fit a type, and whether limits contradict."""

from __future__ import annotations

from app.fields.base import FieldSpec

_TYPED_ATTRIBUTES = ("unit", "options", "min", "max", "max_length", "decimals", "pattern")


def attribute_problems(spec: FieldSpec, *allowed: str) -> list[str]:
    """Words for every type-dependent attribute that is set though the type has no use for it, and for min > max."""
    problems = [
        f"{name} means nothing for type {spec.type!r}"
        for name in _TYPED_ATTRIBUTES
        if name not in allowed and getattr(spec, name) not in (None, ())
    ]
    if spec.min is not None and spec.max is not None and spec.min > spec.max:
        problems.append(f"min {spec.min} is greater than max {spec.max}")
    return problems


def length_problems(spec: FieldSpec, least: int, most: int) -> list[str]:
    """Words if ``max_length`` is outside ``least`` … ``most`` characters (no valid answer, or no column for it)."""
    if spec.max_length is not None and not least <= spec.max_length <= most:
        return [f"max_length {spec.max_length} must be between {least} and {most}"]
    return []
