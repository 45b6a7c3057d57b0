"""``docs/workflow.md`` is complete and true: every state and transition has a line, and the tables say the same."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest

from app.definitions.schema import Definition
from app.models.declaration import STATUSES
from app.services import declaration as service
from app.services.effects import EFFECTS
from app.workflow.guards import GUARDS
from app.workflow.outcomes import OUTCOME_DEEDS, OUTCOME_GUARDS, STATE_LABELS
from app.workflow.route import step_after, step_back, steps_before, steps_of
from app.workflow.steps import DEEDS, Deed
from tests.workflow_page import PAGE, Place, Transition, Workflow, collected, general, page

KEYS = list(collected())
ROLES = {
    "enterprise": "enterprise", "district_miit": "district", "city_miit": "city", "expert": "expert",
    "province_miit": "province", "ministry": "ministry", "city_finance": "finance", "system": "system",
}  # fmt: skip
SERVICES = {"service.start": service.start_declaration, "service.statement": service.accept_statement}
LINES = [pytest.param(w, t, id=f"{w.key}-{'-'.join(t.name)}") for w in page().values() for t in w.transitions]
NO_ROW = ("outcome.", "service.statement", "service.window_over")
OF_DEEDS = [p for p in LINES if not any(d.startswith(NO_ROW) for d, _role in p.values[1].deeds)]
Spot = tuple[str, str | None]
"""Status, and step of the route."""


def switches(definition: Definition) -> list[dict[str, object]]:
    """Parameters with every optional step on, and with every one off."""
    names = {s.enabled_by for s in definition.route if s.enabled_by}
    return [{n: on for n in names} for on in (True, False)]


# -- completeness ---------------------------------------------------------------------------------------------------


def test_every_workflow_has_its_section_in_order() -> None:
    assert len(KEYS) == 7
    assert list(page()) == KEYS


@pytest.mark.parametrize("key", KEYS)
def test_every_state_has_a_place_with_its_label(key: str) -> None:
    told = [p.state for p in page()[key].places]
    assert set(told) == {s["key"] for s in collected()[key]["states"]}
    text = PAGE.read_text("utf-8")
    for state in collected()[key]["states"]:
        assert f"| `{state['key']}` | {state['label']} |" in text, state


@pytest.mark.parametrize("key", KEYS)
def test_every_transition_has_one_line_with_its_label(key: str) -> None:
    told = Counter(t.name for t in page()[key].transitions)
    known = Counter((t["from_state"], t["to_state"], t["action"]) for t in collected()[key]["transitions"])
    assert told == known
    text = PAGE.read_text("utf-8")
    for t in collected()[key]["transitions"]:
        assert f"| `{t['from_state']}` | `{t['to_state']}` | `{t['action']}` | {t['label']} |" in text, t


@pytest.mark.parametrize("key", KEYS)
def test_the_role_of_each_transition_does_its_first_deed(key: str) -> None:
    """The role that was collected is the one whose deed begins it; a second deed may be the office's that follows."""
    roles = {(t["from_state"], t["to_state"], t["action"]): t["role"] for t in collected()[key]["transitions"]}
    for transition in page()[key].transitions:
        assert transition.deeds[0][1] == ROLES[roles[transition.name]], transition.name


@pytest.mark.parametrize("key", KEYS)
def test_places_are_places_of_the_routes(key: str) -> None:
    workflow = page()[key]
    for place in workflow.places:
        assert place.status in (*STATUSES, None), place
        found = {
            f"{s.kind}/{s.level}" for d in workflow.definitions() for s in d.route if place.step and s.key == place.step
        }
        assert place.kinds == found, place
        assert bool(place.step) is (place.status == "in_progress"), place


@pytest.mark.parametrize("key", KEYS)
def test_no_step_of_a_route_is_left_out(key: str) -> None:
    workflow = page()[key]
    assert {p.step for p in workflow.places if p.step} == {s.key for d in workflow.definitions() for s in d.route}


@pytest.mark.parametrize("key", KEYS)
def test_two_states_at_one_place_are_told_apart(key: str) -> None:
    spots = Counter((p.status, p.step, p.also) for p in page()[key].places)
    assert max(spots.values()) == 1
    for place in page()[key].places:
        shared = {p.state for p in page()[key].places if (p.status, p.step) == (place.status, place.step)}
        assert len(shared) == 1 or place.also, place


# -- truth ----------------------------------------------------------------------------------------------------------


def spots_of(places: list[Place]) -> set[Spot]:
    return {(p.status or "", p.step) for p in places}


def rows_for(deed: str, role: str, spot: Spot, definition: Definition) -> Iterator[Deed]:
    """Rows of the table for ``deed`` at ``spot`` that belong to ``role``."""
    step = next((s for s in definition.route if s.key == spot[1]), None)
    for row in DEEDS:
        if (row.action, row.status, row.kind) != (deed, spot[0], step.kind if step else None):
            continue
        level = step.level if step and row.by == "officer" else row.by
        if level == role:
            yield row


def lead(row: Deed, spot: Spot, definition: Definition, params: dict, back: list[Place]) -> set[Spot]:
    """Where ``row`` leads from ``spot``: one place, for a resubmission one for each step that may have returned it."""
    if row.to == "stay":
        return {spot}
    if row.to in ("next", "scored", "first"):
        following = step_after(definition, params, spot[1] if row.to != "first" else None)
        return {("in_progress", following.key) if following else ("approved", None)}
    if row.to == "back":
        returned = [step_back(definition, params, p.step) for p in back if p.step]
        return {("in_progress", s.key) for s in returned if s is not None}
    if row.to in ("stamp", "before"):
        before = [s for s in steps_before(definition, params, spot[1]) if row.to == "before" or s.kind == "stamp"]
        return {("in_progress", before[-1].key)} if before else set()
    return {(row.to, None)}


def done(workflow: Workflow, transition: Transition, rows: list[Deed]) -> set[Spot]:
    """Every place where the deeds of ``transition`` can end; ``rows`` takes the rows that were found."""
    ends: set[Spot] = set()
    for definition in workflow.definitions():
        for params in switches(definition):
            here = {s for s in spots_of(workflow.places_of(transition.source)) if s[1] in _keys(definition, params)}
            for deed, role in transition.deeds:
                if deed == "service.start":
                    here = {("draft", None)}
                    continue
                found = [(row, spot) for spot in here for row in rows_for(deed, role, spot, definition)]
                rows += [row for row, _spot in found]
                back = workflow.places_of(transition.target)
                here = {end for row, spot in found for end in lead(row, spot, definition, params, back)}
            ends |= here
    return ends


def _keys(definition: Definition, params: dict) -> set[str | None]:
    return {None, *(s.key for s in steps_of(definition, params))}


@pytest.mark.parametrize(("workflow", "transition"), OF_DEEDS)
def test_the_deeds_exist_and_lead_there(workflow: Workflow, transition: Transition) -> None:
    rows: list[Deed] = []
    ends = done(workflow, transition, rows)
    assert {r.action for r in rows} == {d for d, _ in transition.deeds if "." not in d}, "no such row for this role"
    assert ends & spots_of(workflow.places_of(transition.target)), ends


@pytest.mark.parametrize(("workflow", "transition"), LINES)
def test_guards_and_effects_are_those_of_the_rows(workflow: Workflow, transition: Transition) -> None:
    rows: list[Deed] = []
    done(workflow, transition, rows)
    outcome = [r for r in OUTCOME_DEEDS if f"outcome.{r.action}" in dict(transition.deeds)]
    guards = {g for r in (*rows, *outcome) for g in r.guards}
    assert set(transition.guards) == guards - general(), "change docs/workflow.md with the table"
    assert set(transition.effects) == {e for r in rows for e in r.effects}


@pytest.mark.parametrize(("workflow", "transition"), LINES)
def test_names_are_names(workflow: Workflow, transition: Transition) -> None:
    assert set(transition.guards) <= {*GUARDS, *OUTCOME_GUARDS}
    assert set(transition.effects) <= set(EFFECTS)
    for deed, _role in transition.deeds:
        kind, _dot, name = deed.rpartition(".")
        if kind == "outcome":
            assert name in {r.action for r in OUTCOME_DEEDS}
        elif kind == "service":
            assert deed in SERVICES or name == "window_over"


def test_general_guards_are_asked_of_every_deed_that_they_are_left_out_of() -> None:
    assert general() <= set(GUARDS)


def outcome_lines() -> Iterator[tuple[Transition, str]]:
    for workflow in page().values():
        for transition in workflow.transitions:
            yield from ((transition, d) for d, _ in transition.deeds if d.startswith("outcome."))


@pytest.mark.parametrize("number", range(5))
def test_outcome_deeds_lead_from_state_to_state(number: int) -> None:
    transition, deed = list(outcome_lines())[number]
    workflow = page()["recognition"]
    states = {
        p.state: p.also.removeprefix("outcome ") for p in workflow.places if p.also.startswith("outcome ")
    }  # fmt: skip
    found = {(r.state, r.to) for r in OUTCOME_DEEDS if r.action == deed.removeprefix("outcome.")}
    assert (states[transition.source], states[transition.target]) in found


def test_every_change_of_an_outcome_is_on_the_page_or_explained() -> None:
    told = {deed.removeprefix("outcome.") for _t, deed in outcome_lines()}
    # Taking a renewal back, correcting a certificate and annulling one with its declaration are ours; nobody collected them.
    assert {r.action for r in OUTCOME_DEEDS} - told == {"withdraw_review", "correct", "annul"}
    assert {r.state for r in OUTCOME_DEEDS} | {r.to for r in OUTCOME_DEEDS} == set(STATE_LABELS)


def test_the_page_explains_every_kind_of_step() -> None:
    text = PAGE.read_text("utf-8")
    explained = re.findall(r"^\| `(\w+)` \| (?:the|.* office)", text, re.MULTILINE)
    kinds = {d.kind for d in DEEDS if d.kind}
    assert kinds <= set(explained)
    for kind in kinds:
        line = next(ln for ln in text.splitlines() if ln.startswith(f"| `{kind}` | the"))
        assert {d.action for d in DEEDS if d.kind == kind} - {"void", "correct"} <= set(re.findall(r"`(\w+)`", line)), (
            kind
        )
