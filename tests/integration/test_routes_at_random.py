"""Random deeds on random routes: wherever a declaration goes, its state, holder, due date, trail and queues agree."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from app.definitions.route_defects import route_defects
from app.definitions.schema import Definition, Step
from app.errors import DomainError
from app.extensions import db
from app.models import Declaration, Event, Objection, Programme, Recognition
from app.models.base import now
from app.permissions import roles
from app.services import todo
from app.services.declaration import Deeds, act
from app.services.opened import Opened
from app.services.unit_of_work import unit_of_work
from app.workflow.engine import event_digest
from app.workflow.steps import FINAL
from tests.factories import find, perform
from tests.factories_workflow import _SPECIAL, PRETENCE, Walk, install, people
from tests.workflow_page import definition_of, page

BASE = "pilot"
"""Whose form the random routes have: one statement, one paper."""
LEVELS = ("district", "city", "province", "ministry")
RARE = {
    "void", "discard", "withdraw", "recall", "return", "reject", "stamp_return", "send_back", "unassign",
    "uphold_objection", "disapprove",
}  # fmt: skip
"""Deeds that lead back or out; drawn seldom, so that late steps are reached."""
ACTORS = ("enterprise", "district", "city", "province", "ministry", "finance", "expert", "expert2", "expert3")
BYSTANDERS = ("rival", "far_district", "far_city", "unasked")

BLOCKS = ("publicity", "handover", "expert", "stamp", "decide", "review")


@st.composite
def routes(draw: st.DrawFn) -> tuple[Step, ...]:
    """A route that an author may write: a review first, then one to four blocks, perhaps funds at the end."""
    blocks = ["review", *draw(st.permutations(BLOCKS))[: draw(st.integers(1, 4))]]
    steps: list[Step] = []
    for block in blocks:
        level = draw(st.sampled_from(LEVELS))
        for kind in {"publicity": ("decide", "publicity")}.get(block, (block,)):
            steps.append(_step(len(steps), kind, level, draw(st.sampled_from((None, 5)))))
    if draw(st.booleans()):
        steps.append(_step(len(steps), "fund", "finance", None))
    return tuple(steps)


def _step(number: int, kind: str, level: str, days: int | None) -> Step:
    fitting = {"stamp": "enterprise", "fund": "finance", "handover": "district"}.get(kind, level)
    return Step.model_validate(
        {"key": f"s{number}", "label": f"第{number}步", "kind": kind, "level": fitting, "due_days": days}
    )


def random_definition(route: tuple[Step, ...]) -> Definition:
    """The base programme on ``route``, its paper taken at every stamp step."""
    base = definition_of(BASE)
    papers = tuple(a.model_copy(update={"step": None}) for a in base.attachments)
    return base.model_copy(update={"route": route, "attachments": papers})


def store_version(definition: Definition) -> None:
    """Put it in force as the newest version of the base programme."""
    digest = hashlib.sha256(definition.canonical.encode()).hexdigest()
    with unit_of_work() as session:
        session.execute(update(Programme).where(Programme.key == BASE).values(current=False))
        known = session.scalars(select(Programme).where(Programme.key == BASE, Programme.digest == digest)).first()
        if known is not None:
            known.current = True
            return
        number = session.scalar(select(func.max(Programme.number)).where(Programme.key == BASE)) or 0
        session.add(
            Programme(
                key=BASE, number=number + 1, title=definition.title, kind=definition.kind, digest=digest,
                content=definition.canonical, current=True, created_at=now(),
            )
        )  # fmt: skip


@dataclass
class Wanderer(Walk):
    """A declaration that does whatever is possible; ``form`` is its definition."""

    form: Definition | None = None
    deeds: int = 0

    @property
    def definition(self) -> Definition:
        """The definition with the random route."""
        assert self.form is not None
        return self.form

    def options(self) -> list[tuple[str, str]]:
        """(person, deed) of everything that somebody could do now, as the buttons say; reasons against it or not."""
        found = []
        declaration = self.declaration
        for name in ACTORS:
            opened = Opened(db.session(), declaration, self.person(name))
            found += [(name, option.deed.action) for option in opened.options()]
        return sorted(set(found))

    def do(self, name: str, action: str) -> None:
        """Do it with all that it needs; a refusal changes nothing."""
        before = (self.declaration.status, self.declaration.step_key, self.declaration.version)
        special = _SPECIAL.get(action)
        try:
            if action == "score":
                self._score(name)
            elif special is not None:
                special(self, self.person(name))
            else:
                perform(self.person(name), self.declaration, action, "理由写在这里。")
        except DomainError:
            declaration = self.declaration
            assert (declaration.status, declaration.step_key, declaration.version) == before, action
            return
        self.deeds += 1

    def _score(self, name: str) -> None:
        from app.services import expert

        sheet = expert.Sheet({"quality": "80"}, {}, "agree", "符合要求。")
        expert.score(self.person(name), self.public_id, sheet, key=None)


# -- what must always hold --------------------------------------------------------------------------------------------


def check(walk: Wanderer) -> None:
    """Everything that is stored about the declaration agrees."""
    declaration = walk.declaration
    step = walk.definition.step(declaration.step_key) if declaration.step_key else None
    assert (declaration.status == "in_progress") is (step is not None)
    assert (declaration.decided_at is not None) is (declaration.status in FINAL)
    assert declaration.version == 1 + walk.deeds
    check_holder(declaration, step)
    check_due(declaration, step)
    check_trail(walk, declaration)
    check_queues(walk, declaration)
    check_objections(declaration, step)
    check_outcome(declaration)


def check_holder(declaration: Declaration, step: Step | None) -> None:
    """The enterprise before and between, the step's office or its experts on the way, nobody at the end."""
    if step is None:
        assert declaration.holder_role == (None if declaration.status in FINAL else "enterprise")
        return
    allowed = {step.level, "expert"} if step.kind == "expert" else {step.level}
    assert declaration.holder_role in allowed
    region = "230108" if step.level == "enterprise" else roles.level_region(step.level, "230108")
    assert declaration.holder_region == region


def check_due(declaration: Declaration, step: Step | None) -> None:
    """A limit exactly where the step has one; publicity counts from its end, an objection from its receipt."""
    if step is None:
        assert declaration.due_at is None
    elif step.kind != "publicity":
        assert (declaration.due_at is not None) is (step.due_days is not None)
        assert declaration.due_at is None or declaration.due_at > declaration.step_since


def check_trail(walk: Wanderer, declaration: Declaration) -> None:
    """One event for each deed, chained, each beginning where the one before ended."""
    events = db.session.scalars(
        select(Event).where(Event.declaration_id == declaration.id).order_by(Event.id)
    ).all()  # fmt: skip
    previous, status = None, "draft"
    for event in events:
        assert (event.previous, event.digest) == (previous, event_digest(event))
        assert event.from_status in (None, status)
        previous, status = event.digest, event.to_status or status
    assert status == declaration.status
    assert sum(e.from_status is not None and "outcome" not in e.data for e in events) == walk.deeds


def check_queues(walk: Wanderer, declaration: Declaration) -> None:
    """我的待办 of each person has it exactly if it is theirs by the columns, read naively."""
    for name in ACTORS:
        user = walk.person(name)
        waiting = {e.declaration.id for e in todo.waiting(user, todo.Filters()).entries}
        assert (declaration.id in waiting) is is_theirs(user, declaration), name
    for name in BYSTANDERS:
        assert not is_theirs(walk.person(name), declaration)


def is_theirs(user: Any, declaration: Declaration) -> bool:
    """Whether it waits for this person, in plain Python."""
    role = declaration.holder_role
    if role == "enterprise":
        return user.enterprise_id == declaration.enterprise_id
    if role == "expert":
        opened = Opened(db.session(), declaration, user)
        return roles.EXPERT in user.role_names and any(
            a.expert_id == user.id and a.done_at is None for a in opened.assignments
        )
    return role in user.role_names and user.region_code == declaration.holder_region


def check_objections(declaration: Declaration, step: Step | None) -> None:
    """The count on the row is the count of open objections; none is open outside publicity."""
    count = db.session.scalar(
        select(func.count()).where(Objection.declaration_id == declaration.id, Objection.state == "open")
    )
    assert declaration.open_objections == count
    assert not count or (step is not None and step.kind == "publicity")


def check_outcome(declaration: Declaration) -> None:
    """One outcome for what is approved, none for anything else."""
    count = db.session.scalar(select(func.count()).where(Recognition.declaration_id == declaration.id))
    assert count == (declaration.status == "approved")


# -- the walks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
def test_random_deeds_on_random_routes(context: Flask, monkeypatch: pytest.MonkeyPatch, database: str) -> None:
    install(monkeypatch, BASE)
    everybody = people()
    reached: set[str] = set()

    @settings(
        max_examples=16 if database == "sqlite" else 3, deadline=None, derandomize=True, database=None, phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(route=routes(), moves=st.lists(st.integers(0, 999), min_size=12, max_size=18))
    def live(route: tuple[Step, ...], moves: list[int]) -> None:
        form = random_definition(route)
        assert list(route_defects(form)) == [], "the routes that are drawn are routes that may be written"
        store_version(form)
        walk = Wanderer(page()["pilot"], BASE, dict(everybody), form=form)
        walk.begin()
        for move in moves:
            wander(walk, move)
            check(walk)
            reached.add(place_of(walk.declaration, form))

    live()
    everywhere = {*BLOCKS, "fund", "draft", "approved"}
    assert (everywhere if database == "sqlite" else {"draft", "review"}) <= reached, "too little was tried"
    if database == "sqlite":
        assert reached & {"returned", "rejected", "withdrawn"}


def place_of(declaration: Declaration, form: Definition) -> str:
    """The kind of the step, or the status outside the route."""
    return form.step(declaration.step_key).kind if declaration.step_key else declaration.status


def wander(walk: Wanderer, move: int) -> None:
    """One deed of those that are offered, or a stranger's attempt at one of them."""
    options = [o for o in walk.options() if o[1] not in RARE] if move % 6 else walk.options()
    if not options:
        assert walk.declaration.status in FINAL
        return
    name, action = options[move % len(options)]
    if move % 7 == 0:
        with pytest.raises(DomainError):
            act(
                walk.person(BYSTANDERS[move % 4]),
                walk.public_id,
                action,
                Deeds(walk.declaration.version, "我来", payload=PRETENCE),
            )
        return
    walk.do(name, action)


def test_a_declaration_is_found_as_it_was_left(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The straight way over the longest route: every kind of step once, each leading to the next."""
    install(monkeypatch, BASE)
    kinds = ("review", "handover", "stamp", "expert", "decide", "publicity", "fund")
    route = tuple(_step(n, kind, "city", 5) for n, kind in enumerate(kinds))
    form = random_definition(route)
    store_version(form)
    walk = Wanderer(page()["pilot"], BASE, people(), form=form)
    walk.begin()
    way = [
        ("enterprise", "submit"), ("city", "confirm"), ("district", "recommend"), ("enterprise", "stamp"),
        ("city", "assign"), ("expert", "score"), ("expert2", "score"), ("expert3", "score"), ("city", "approve"),
        ("city", "conclude"), ("finance", "allocate"),
    ]  # fmt: skip
    seen = []
    for name, action in way:
        walk.do(name, action)
        check(walk)
        seen.append(find(walk.public_id).step_key)
    assert seen == ["s0", "s1", "s2", "s3", "s3", "s3", "s3", "s4", "s5", "s6", None]
    assert walk.declaration.status == "approved"
