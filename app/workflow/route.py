"""Where a declaration is on its route, and which step comes before, after and again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.definitions.registry import is_switched_on
from app.definitions.schema import Definition, Step
from app.models import Declaration

OBJECTION = "异议处理"
"""What people call a publicity step while an objection is looked into."""


def steps_of(definition: Definition, params: Mapping[str, Any]) -> list[Step]:
    """The route with the optional steps that this batch switches on."""
    return [s for s in definition.route if s.enabled_by is None or is_switched_on(params.get(s.enabled_by))]


def step_after(definition: Definition, params: Mapping[str, Any], key: str | None) -> Step | None:
    """The step that follows ``key`` (None: the first one), or None at the end of the route."""
    route = steps_of(definition, params)
    if key is None:
        return route[0] if route else None
    keys = [s.key for s in route]
    position = keys.index(key) + 1 if key in keys else len(keys)
    return route[position] if position < len(route) else None


def steps_before(definition: Definition, params: Mapping[str, Any], key: str | None) -> list[Step]:
    """The steps before ``key``, in order; none if it is not on the route."""
    route = steps_of(definition, params)
    return route[: next((n for n, s in enumerate(route) if s.key == key), 0)]


def stamps(steps: list[Step]) -> list[Step]:
    """Those at which the enterprise files something."""
    return [s for s in steps if s.kind == "stamp"]


def step_back(definition: Definition, params: Mapping[str, Any], key: str | None) -> Step | None:
    """Where a resubmission enters: the step ``key`` that returned it, or the last stamp step before that one."""
    route, before = steps_of(definition, params), steps_before(definition, params, key)
    again = stamps(before)
    if again:
        return again[-1]
    return route[len(before)] if route else None


def current_step(definition: Definition, declaration: Declaration) -> Step | None:
    """The step the declaration is in, if it is in progress."""
    if declaration.status != "in_progress" or declaration.step_key is None:
        return None
    return definition.step(declaration.step_key)


def place_label(declaration: Declaration, step: Step) -> str:
    """What people call the place: the step's label, or 异议处理 while an objection is open."""
    return OBJECTION if step.kind == "publicity" and declaration.open_objections else step.label
