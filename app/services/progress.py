"""How far a declaration has come, as the office's own steps with dates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from app.definitions.schema import Definition, Step
from app.models import Declaration, Event
from app.models.base import now
from app.permissions import roles
from app.services.deadline import day_words
from app.services.event_names import Names
from app.workflow.calendar import local_date
from app.workflow.route import place_label, steps_of

QUIET = {"download", "remark", "rebase", "claim", "unclaim", "take_over", "hand_over"}
"""Events that move nothing, and so date no step."""
INTERNAL = {"claim", "unclaim", "take_over", "hand_over"}
"""Who in the office is at work on it, and what they write to each other: not for the enterprise."""


@dataclass(frozen=True)
class Stage:
    """One step of the route. ``state``: done, current or None (still to come)."""

    label: str
    state: str | None = None
    text: str = ""


@dataclass(frozen=True)
class Past:
    """One line of the history."""

    text: str
    who: str
    at: datetime
    opinion: str | None = None


def stages(
    definition: Definition, params: Mapping[str, Any], declaration: Declaration, events: Iterable[Event]
) -> list[Stage]:
    """The route from filling to the result. ``events`` in any order; each step is dated by its last event."""
    dates = _last_deeds(events)
    route = steps_of(definition, params)
    place = _place(declaration, route)
    found = [_filling(declaration, place)]
    for number, step in enumerate(route, 1):
        if number < place:
            found.append(Stage(step.label, "done", _day(dates.get(step.key))))
        elif number == place:
            found.append(Stage(place_label(declaration, step), "current", _waiting(declaration, step)))
        else:
            found.append(Stage(step.label))
    if not route or route[-1].kind != "decide":
        found.append(_result(definition, declaration, place > len(route)))
    return found


def _last_deeds(events: Iterable[Event]) -> dict[str, datetime]:
    """When something last happened in each step."""
    told = [e for e in events if e.step_key and e.action not in QUIET]
    return {e.step_key or "": e.at for e in sorted(told, key=lambda e: e.id)}


def _place(declaration: Declaration, route: Sequence[Step]) -> int:
    """Number of the step it is in: 0 while it is filled, one more than there are steps when approved."""
    if declaration.status == "approved":
        return len(route) + 1
    keys = [s.key for s in route]
    if declaration.step_key in keys:
        return keys.index(declaration.step_key) + 1
    return 0


def _filling(declaration: Declaration, place: int) -> Stage:
    if place:
        return Stage(_("填报"), "done", _day(declaration.submitted_at))
    words = {
        "draft": _("正在填"),
        "returned": _("等您修改"),
        "rejected": _("未通过"),
        "withdrawn": _("已撤回"),
        "void": _("已作废"),
    }
    return Stage(_("填报"), "current", words.get(declaration.status, ""))


def _waiting(declaration: Declaration, step: Step) -> str:
    if step.level == "enterprise":
        return _("等您上传")
    if step.kind == "fund":
        return _("等资金下达")
    if step.kind == "publicity" and declaration.open_objections:
        return _("收到异议，正在核查")
    return _("%(day)s转入", day=_day(declaration.step_since) + " ")


def _result(definition: Definition, declaration: Declaration, reached: bool) -> Stage:
    profile = definition.outcome is not None and definition.outcome.kind == "profile"
    label = _("认证通过") if profile else _("通过")
    return Stage(label, "done", _day(declaration.decided_at)) if reached else Stage(label)


def _day(moment: datetime | None) -> str:
    return day_words(local_date(moment), local_date(now())) if moment else ""


def history(definition: Definition, events: Iterable[Event], names: Names | None = None) -> list[Past]:
    """Events as lines, in the order given, with the step they happened in.

    ``names`` adds whom or what each deed was about, and is for offices. Without it the lines are what the enterprise
    reads: experts have no name there, and what they wrote is for the office.
    """
    labels = {s.key: s.label for s in definition.route}
    lines = []
    for event in events:
        if names is None and event.action in INTERNAL:
            continue
        step = labels.get(event.step_key or "")
        text = f"{step}：{event.label}" if step and step not in event.label else event.label
        about = names.about(event) if names else (event.data or {}).get("label")
        if about:
            text = f"{text}：{about}"
        if names is None and event.actor_role == roles.EXPERT:
            lines.append(Past(text, _("评审专家"), event.at))
        else:
            lines.append(Past(text, event.actor_name, event.at, event.opinion))
    return lines


def step_label(declaration: Declaration) -> str:
    """Name of the step it is in; empty outside steps."""
    if declaration.step_key is None:
        return ""
    route = declaration.programme.definition.route
    return next((place_label(declaration, s) for s in route if s.key == declaration.step_key), "")
