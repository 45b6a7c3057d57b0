"""Random lives of declarations against a small model: states, versions and events stay what the table says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import func, select

from app.errors import Conflict, DomainError
from app.extensions import db
from app.models import Account, Event, Opinion, Revision
from app.permissions import roles
from app.services.answers import save_answers
from app.services.declaration import Deeds, act
from app.services.projection import build_projection
from app.workflow.engine import event_digest
from app.workflow.steps import FINAL
from tests.factories import attach, find, make_account
from tests.factories_everything import everything, everything_batch, everything_draft, install

# (status, step) → action → (who, next status, next step); "back" is the step that returned it.
MODEL: dict[tuple[str, str | None], dict[str, tuple[str, str, str | None]]] = {
    ("draft", None): {
        "submit": ("owner", "in_progress", "district_review"),
        "discard": ("owner", "withdrawn", None),
    },
    ("in_progress", "district_review"): {
        "confirm": ("district", "in_progress", "stamping"),
        "return": ("district", "returned", None),
        "reject": ("district", "rejected", None),
        "recall": ("owner", "draft", None),
        "withdraw": ("owner", "withdrawn", None),
    },
    ("returned", None): {
        "resubmit": ("owner", "in_progress", "district_review"),
        "withdraw": ("owner", "withdrawn", None),
    },
    ("in_progress", "stamping"): {"stamp": ("owner", "in_progress", "decision")},
    ("in_progress", "decision"): {"approve": ("city", "approved", None), "reject": ("city", "rejected", None)},
}
ACTIONS = sorted({a for deeds in MODEL.values() for a in deeds} | {"assign", "score", "stamp_return", "nonsense"})
PEOPLE = ("owner", "district", "city", "stranger", "other_district", "admin")


class Life(RuleBasedStateMachine):
    """One declaration at a time; everybody tries everything."""

    people: ClassVar[dict[str, Account]]
    make: ClassVar[Callable[[], str]]

    def __init__(self) -> None:
        super().__init__()
        self.public_id = type(self).make()
        self.status, self.step = "draft", None
        self.version, self.events, self.revisions, self.opinions = 1, 1, 0, 0
        self.staff = "40"

    @rule(action=st.sampled_from(ACTIONS), who=st.sampled_from(PEOPLE), stale=st.booleans())
    def try_anything(self, action: str, who: str, stale: bool) -> None:
        """A deed happens exactly if the model has it for this person and the page was fresh."""
        deeds = Deeds(version=self.version - stale, opinion="理由", statement=True)
        expected = MODEL.get((self.status, self.step), {}).get(action)
        allowed = expected is not None and expected[0] == who and not stale
        try:
            act(self.people[who], self.public_id, action, deeds)
        except DomainError:
            assert not allowed, (self.status, self.step, action, who)
            return
        assert allowed, (self.status, self.step, action, who, stale)
        assert expected is not None
        self._note(action, expected)

    @rule()
    def go_on(self) -> None:
        """The way forward, so that late steps are reached often."""
        deeds = MODEL.get((self.status, self.step))
        if not deeds:
            return
        action, expected = next(iter(deeds.items()))
        act(
            self.people[expected[0]],
            self.public_id,
            action,
            Deeds(version=self.version, opinion="同意", statement=True),
        )
        self._note(action, expected)

    def _note(self, action: str, expected: tuple[str, str, str | None]) -> None:
        self.status, self.step = expected[1], expected[2]
        self.version += 1
        self.events += 1
        self.revisions += action in ("submit", "resubmit")
        self.opinions += expected[0] in ("district", "city")
        if self.step == "stamping":
            attach(find(self.public_id), "stamped_material")

    @rule(staff=st.integers(1, 900))
    def type_something(self, staff: int) -> None:
        """Answers change in a draft or a returned declaration and nowhere else; saving is no deed."""
        try:
            save_answers(self.people["owner"], self.public_id, {"staff": str(staff)})
        except Conflict:
            assert self.status not in ("draft", "returned")
            return
        assert self.status in ("draft", "returned")
        self.staff = str(staff)

    @precondition(lambda self: self.status in FINAL)
    @rule()
    def begin_again(self) -> None:
        """A new life in the same batch, which the database allows only if the old place is free."""
        if self.status == "approved":
            return
        self.__init__()  # type: ignore[misc]

    @invariant()
    def database_agrees(self) -> None:
        """Status, step, version, events, revisions and holder are those of the model."""
        found = find(self.public_id)
        assert (found.status, found.step_key, found.version) == (self.status, self.step, self.version)
        assert self._count(Event) == self.events
        assert self._count(Revision) == self.revisions
        assert self._count(Opinion) == self.opinions
        assert (found.unique_key is None) is (self.status in ("rejected", "withdrawn"))
        assert (found.decided_at is None) is (self.status not in FINAL)
        assert (found.serial_no is None) is (self.revisions == 0)
        holder = {"draft": "enterprise", "returned": "enterprise"}.get(self.status)
        places = {"district_review": "district", "stamping": "enterprise", "decision": "city"}
        assert found.holder_role == (places[self.step] if self.step else holder)

    @invariant()
    def trail_is_whole(self) -> None:
        """Every event follows the one before."""
        found = find(self.public_id)
        events = db.session.scalars(select(Event).where(Event.declaration_id == found.id).order_by(Event.id)).all()
        assert [e.previous for e in events] == [None, *(e.digest for e in events[:-1])]
        assert all(e.digest == event_digest(e) for e in events)

    @invariant()
    def projection_is_the_newest_record(self) -> None:
        """The typed row exists once something was submitted, with the newest revision's number."""
        main = build_projection(everything()).main
        rows = db.session.scalars(select(main).where(main.declaration_id == find(self.public_id).id)).unique().all()
        assert [r.revision_no for r in rows] == ([self.revisions] if self.revisions else [])

    def _count(self, model: Any) -> int:
        identity = find(self.public_id).id
        return db.session.scalar(select(func.count()).select_from(model).where(model.declaration_id == identity)) or 0


@pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
def test_lives(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    people = {
        "owner": make_account(roles.ENTERPRISE),
        "district": make_account(roles.DISTRICT),
        "city": make_account(roles.CITY),
        "stranger": make_account(roles.ENTERPRISE),
        "other_district": make_account(roles.DISTRICT, region="230102"),
        "admin": make_account(roles.ADMIN),
    }

    def make() -> str:
        return everything_draft(people["owner"], everything_batch()).public_id

    machine = type("Lives", (Life,), {"people": people, "make": staticmethod(make)})
    few = settings(
        max_examples=6, stateful_step_count=14, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
    )
    run_state_machine_as_test(machine, settings=few)


def test_the_model_is_the_route_of_the_definition() -> None:
    """The hand-written model names every step of the made-up programme's route."""
    assert {step for _, step in MODEL if step} == {s.key for s in everything().route}
