"""What would go wrong later on a route: steps in an order or at a level where nobody could go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.definitions.schema import Definition, Step
from app.fields.base import FieldSpec

AMOUNTS = frozenset({"integer", "decimal"})
HANDING_OVER = ("district", "city", "province")
REFUSING = ("review", "decide")
DECIDED = frozenset({"confirm", "return", "stamp_return", "reject", "approve"})
"""Deeds whose opinions can be picked from a list."""


def route_defects(definition: Definition) -> Iterator[str]:
    """Sentences for the author, each naming the step or part."""
    for position, step in enumerate(definition.route):
        before = definition.route[:position]
        yield from (f"step {step.key}: {fault}" for fault in _faults(step, before, definition) if fault)
    givers = [s.key for s in definition.route if s.gives_outcome]
    if len(givers) > 1:
        yield f"gives_outcome stands at {', '.join(givers)}; an outcome is given once"
    yield from _attachment_faults(definition)
    yield from _holding_faults(definition)
    yield from _outcome_faults(definition)


def _faults(step: Step, before: Sequence[Step], definition: Definition) -> list[str]:
    """Every fault of one step; empty texts for what is in order."""
    return [*_level_faults(step), *_order_faults(step, before), *_attribute_faults(step, definition)]


def _level_faults(step: Step) -> Iterator[str]:
    if (step.kind == "stamp") is not (step.level == "enterprise"):
        yield "stamp is what the enterprise does, and all it does: kind stamp and level enterprise belong together"
    if step.kind == "fund" and step.level != "finance":
        yield f"funds are allocated by level finance, not {step.level}"
    if step.kind == "handover" and step.level not in HANDING_OVER:
        yield f"a hand-over comes from {', '.join(HANDING_OVER)}, not {step.level}"
    if step.city_if and step.level != "province":
        yield "city_if lets the city take a step of level province; this one is not"


def _order_faults(step: Step, before: Sequence[Step]) -> Iterator[str]:
    if step.kind == "publicity" and not _is_led_to(step, before[-1:], "decide"):
        yield "publicity needs a decide step just before it, whose list is publicised (with the same enabled_by, or none)"
    if step.kind == "handover" and not any(_is_led_to(step, [s], "review") for s in before):
        yield "handover needs a review step before it, to which a declaration can be sent back"


def _is_led_to(step: Step, before: Sequence[Step], kind: str) -> bool:
    """Whether there is a step of ``kind`` among ``before`` that is there whenever ``step`` is."""
    return any(s.kind == kind and s.enabled_by in (None, step.enabled_by) for s in before)


def _attribute_faults(step: Step, definition: Definition) -> Iterator[str]:
    if step.until and step.kind != "stamp":
        yield "until belongs to kind stamp: the last day on which the enterprise may file"
    if step.kind == "stamp" and not definition.papers_at(step.key):
        yield "nothing can be filed here: no attachment has stage stamp for it"
    yield from _outcome_giving_faults(step, definition)
    yield from _checklist_faults(step, definition)


def _outcome_giving_faults(step: Step, definition: Definition) -> Iterator[str]:
    if step.gives_outcome and step.enabled_by:
        yield "gives_outcome stands at a step that a batch may switch off; nobody would get the outcome then"
    if step.gives_outcome and definition.outcome is None:
        yield "gives_outcome needs an outcome"
    if step.reject_revokes and (step.kind not in REFUSING or not step.can_reject):
        yield f"reject_revokes belongs to a step that can reject ({', '.join(REFUSING)})"


def _checklist_faults(step: Step, definition: Definition) -> Iterator[str]:
    if step.checklist and step.kind != "review":
        yield "a checklist belongs to kind review"
    papers = {a.key for a in definition.attachments}
    met: set[str] = set()
    for check in step.checklist:
        if check.key in met:
            yield f"point {check.key!r} of the checklist stands twice"
        if check.paper is not None and check.paper not in papers:
            yield f"point {check.key!r} of the checklist: paper names no attachment: {check.paper}"
        met.add(check.key)
    for action in sorted(step.phrases.keys() - DECIDED):
        yield f"phrases are for {', '.join(sorted(DECIDED))}, not {action}"


def _attachment_faults(definition: Definition) -> Iterator[str]:
    stamps = {s.key for s in definition.route if s.kind == "stamp"}
    questions = {f.key for _, f in definition.fields()}
    for attachment in definition.attachments:
        if attachment.step is not None and attachment.step not in stamps:
            yield f"attachment {attachment.key}: step names no step of kind stamp: {attachment.step}"
        elif attachment.step is not None and attachment.stage != "stamp":
            yield f"attachment {attachment.key}: step needs stage stamp"
        for key in sorted(set(attachment.proves) - questions):
            yield f"attachment {attachment.key}: proves names no question: {key}"


def _holding_faults(definition: Definition) -> Iterator[str]:
    if definition.kind == "re_review" and definition.holding is None:
        yield "a re_review needs holding: which recognition it renews"
    if definition.holding is not None and definition.kind not in ("update", "re_review"):
        yield f"holding belongs to kinds update and re_review, not {definition.kind}"


def _outcome_faults(definition: Definition) -> Iterator[str]:
    amount = definition.outcome.amount if definition.outcome is not None else None
    specs: dict[str, FieldSpec] = {f.key: f for _, f in definition.fields()}
    if amount is not None and (amount not in specs or specs[amount].type not in AMOUNTS):
        yield f"outcome.amount names no number: {amount}"
