"""Walks along the workflows of ``docs/workflow.md``: every deed by the right person, and refused to everybody else."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from sqlalchemy import select, update

from app.definitions import registry
from app.definitions.schema import Definition
from app.errors import DomainError
from app.extensions import db
from app.models import Account, Batch, Declaration, Event, Objection, PublicList, Recognition
from app.models.base import now
from app.permissions import roles
from app.services import expert, funding, handover, outcome, publication, publicity, turn_of_time
from app.services.answers import save_answers
from app.services.declaration import Deeds, accept_statement, act, start_declaration
from app.services.projection import sync_definitions
from app.services.unit_of_work import unit_of_work
from app.workflow.calendar import local_date
from tests.factories import attach, find, make_account, make_batch, perform, standing_batch
from tests.factories_certification import ANSWERS, credit_code, uncertified
from tests.factories_files import pdf_bytes
from tests.workflow_page import Transition, Workflow, definition_of, made_up, page

PERIOD = publication.Period("0451-84664271", "gxj@example.gov.cn", "市工信局中小企业处")
STRANGERS = (
    "rival", "district", "far_district", "city", "far_city", "province", "ministry", "finance", "unasked", "admin",
    "enterprise", "expert",
)  # fmt: skip
PRETENCE: dict[str, Any] = {
    "list": "x", "letter": "x", "objection": 1, "experts": [1], "assignment_id": 1, "verdict": "agree", "scores": [],
    "allocation": {"amount": Decimal(1)}, "statement": True,
}  # fmt: skip
"""What a stranger sends along, so that no guard but the person can be the reason of the refusal."""


class WithWorkflows(registry.Catalogue):
    """The product's catalogue and some of the made-up definitions."""

    def __init__(self, keys: frozenset[str]) -> None:
        super().__init__(registry.CATALOGUE)
        self._definitions.update({d.key: d for d in made_up() if d.key in keys})


@cache
def _catalogue(keys: frozenset[str]) -> WithWorkflows:
    return WithWorkflows(keys)


HOLDERS = {"re_review", "information_update", "innovative_sme"}
"""What renewing a recognition needs."""


def install(monkeypatch: pytest.MonkeyPatch, *keys: str) -> None:
    """Put the made-up definitions ``keys`` (all without any) into the catalogue and sync. Needs a context."""
    known = _catalogue(frozenset(keys or [d.key for d in made_up()]))
    monkeypatch.setattr(registry, "catalogue", lambda: known)
    sync_definitions()


def begun(monkeypatch: pytest.MonkeyPatch, key: str, route: str, actions: str, **parameters: Any) -> Walk:
    """A declaration that has been led along ``actions``, with nobody else trying."""
    install(monkeypatch, route, *(HOLDERS if key in ("recognition", "information_update", "major_change") else ()))
    walk = Walk(page()[key], route, people(), parameters, try_strangers=False)
    walk.begin()
    for action in actions.split():
        walk.go(action)
    return walk


def people() -> dict[str, int]:
    """Ids of one account for each role, three experts who are asked, and strangers."""
    makers: dict[str, tuple[str, dict[str, Any]]] = {
        "enterprise": (roles.ENTERPRISE, {}), "rival": (roles.ENTERPRISE, {}),
        "district": (roles.DISTRICT, {}), "far_district": (roles.DISTRICT, {"region": "230102"}),
        "city": (roles.CITY, {}), "far_city": (roles.CITY, {"region": "230200"}),
        "province": (roles.PROVINCE, {}), "ministry": (roles.MINISTRY, {}), "finance": (roles.FINANCE, {}),
        "expert": (roles.EXPERT, {}), "expert2": (roles.EXPERT, {}), "expert3": (roles.EXPERT, {}),
        "unasked": (roles.EXPERT, {}), "admin": (roles.ADMIN, {}),
    }  # fmt: skip
    return {name: make_account(role, **more).id for name, (role, more) in makers.items()}


@dataclass
class Walk:
    """One declaration on its way. ``walked`` collects the transitions, ``tried`` what strangers were refused."""

    workflow: Workflow
    route: str
    people: dict[str, int]
    parameters: dict[str, Any] = field(default_factory=dict)
    walked: set[tuple[str, str, str]] = field(default_factory=set)
    tried: set[tuple[str | None, str]] = field(default_factory=set)
    try_strangers: bool = True
    public_id: str = ""
    batch_id: str = ""
    seen: Declaration | None = None
    """The declaration as the last look at ``state`` found it."""

    def begin(self) -> None:
        """A new life: a declaration of a new enterprise's owner, or, where a state stands before it, none."""
        self.public_id = ""
        self.people["enterprise"] = (
            uncertified() if self.workflow.key == "certification" else make_account(roles.ENTERPRISE)
        ).id
        self.batch_id = self._batch().public_id
        if self.definition.holding is not None:
            self.hold_something()
        if self.workflow.key != "information_update":
            self.start()

    def _batch(self) -> Batch:
        if self.workflow.key == "certification":
            return standing_batch()
        return make_batch(self.route, parameters={"correction_days": 10, **self.parameters})

    @property
    def definition(self) -> Definition:
        """The definition with its route."""
        return definition_of(self.route)

    @property
    def owner(self) -> Account:
        """The enterprise's account, read anew."""
        return self.person("enterprise")

    def person(self, name: str) -> Account:
        """The account, as an object of the session of now."""
        return db.session.get_one(Account, self.people[name])

    @property
    def declaration(self) -> Declaration:
        """The declaration as it is stored now."""
        return find(self.public_id)

    @property
    def recognition(self) -> Recognition | None:
        """The outcome of the declaration."""
        db.session.rollback()
        found = select(Recognition).join(Declaration, Declaration.id == Recognition.declaration_id)
        return db.session.scalars(found.where(Declaration.public_id == self.public_id)).unique().first()

    def start(self) -> None:
        """A draft with every answer."""
        self.public_id = start_declaration(self.owner, self.batch_id)
        if self.workflow.key == "certification":
            self._fill_certification()
            return
        answers = {"contact_name": "王敏", "applied": "120.50"}
        keys = {f.key for _, f in self.definition.fields()}
        save_answers(self.owner, self.public_id, {k: v for k, v in answers.items() if k in keys})
        if self.definition.statement and self.workflow.key != "pilot":
            accept_statement(self.owner, self.public_id)

    def _fill_certification(self) -> None:
        code = credit_code(700_000 + self.owner.id)
        save_answers(self.owner, self.public_id, ANSWERS | {"credit_code": code})
        attach(self.declaration, "business_licence")

    # -- states ----------------------------------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """The one state of the workflow in which the declaration is."""
        self.seen = self.declaration if self.public_id else None
        found = {p.state for p in self.workflow.places if self._is_at(p.status, p.step) and self._holds(p.also)}
        assert len(found) == 1, (found, self.seen and vars(self.seen))
        return found.pop()

    def _is_at(self, status: str | None, step: str | None) -> bool:
        if self.seen is None:
            return status is None
        return (self.seen.status, self.seen.step_key) == (status, step)

    def _holds(self, also: str) -> bool:
        if also.startswith("outcome "):
            found = self.recognition
            return found is not None and found.state == also.removeprefix("outcome ")
        return _ALSO[also](self)

    # -- transitions -------------------------------------------------------------------------------------------------

    def go(self, action: str) -> None:
        """Carry out the transition ``action`` of the present state; it must end where the page says."""
        here = self.state
        transition = self.transition(here, action)
        for deed, role in transition.deeds:
            self._refuse_strangers(deed, role)
            self._do(deed, role)
        assert self.state == transition.target, (transition, self.state)
        self.walked.add(transition.name)

    def transition(self, source: str, action: str) -> Transition:
        """The line of the page."""
        found = [t for t in self.workflow.transitions if (t.source, t.action) == (source, action)]
        assert len(found) == 1, (self.workflow.key, source, action)
        return found[0]

    def _do(self, deed: str, role: str) -> None:
        special = _SPECIAL.get(deed)
        if special is not None:
            special(self, self.person(role) if role != "system" else Account())
        else:
            perform(self.person(role), self.declaration, deed, "理由写在这里。")

    def _refuse_strangers(self, deed: str, role: str) -> None:
        if deed.startswith("service.") or not self.try_strangers:
            return
        place = self.declaration.step_key if self.public_id else None
        if (place, deed) in self.tried:
            return
        self.tried.add((place, deed))
        for name in STRANGERS:
            if name != role:
                refuse(self, name, deed)

    def hold_something(self) -> None:
        """A valid recognition that runs out in a hundred days, and this year's update handed in."""
        giver = Walk(page()["recognition"], "innovative_sme", self.people, try_strangers=False)
        giver.batch_id = giver._batch().public_id
        giver.start()
        for action in ("submit", "recommend", "approve", "publish", "announce"):
            giver.go(action)
        run_out_in(giver, 100)


def refuse(walk: Walk, name: str, deed: str) -> None:
    """``name`` tries ``deed`` with everything that it may want, is refused, and nothing is changed."""
    before = (walk.declaration.version, walk.state)
    if deed.startswith("outcome."):
        tries = _OUTCOME_TRIES.get(deed)
        if tries is None:
            return
        with pytest.raises(DomainError):
            tries(walk, walk.person(name))
    else:
        deeds = Deeds(before[0], "理由", statement=True, payload=PRETENCE)
        with pytest.raises(DomainError):
            act(walk.person(name), walk.public_id, deed, deeds)
    assert (walk.declaration.version, walk.state) == before, (name, deed)


def run_out_in(walk: Walk, days: int) -> None:
    """Set the last day of the outcome to so many days from today (negative: past)."""
    found = walk.recognition
    assert found is not None
    with unit_of_work() as session:
        last = local_date(now()) + timedelta(days=days)
        session.get_one(Recognition, found.id).valid_to = last
    db.session.rollback()


def end_publicity() -> None:
    """Every period ended yesterday."""
    yesterday = local_date(now()) - timedelta(days=1)
    with unit_of_work() as session:
        session.execute(
            update(PublicList)
            .where(PublicList.kind == "publicity")
            .values(opens_on=yesterday - timedelta(days=7), closes_on=yesterday)
        )
    db.session.rollback()


# -- the deeds that are more than a button ----------------------------------------------------------------------------


def _approve(walk: Walk, user: Account) -> None:
    declaration = walk.declaration
    versions = {walk.public_id: declaration.version}
    period = PERIOD if publication.follows_publicity(declaration) else None
    publication.publish_list(
        user, walk.batch_id, versions, "名单", "现予公布。", authority="市工信局", period=period
    )  # fmt: skip


def _assign(walk: Walk, user: Account) -> None:
    chosen = [walk.people[n] for n in ("expert", "expert2", "expert3")]
    expert.assign(user, walk.public_id, chosen, version=walk.declaration.version, key=None)


def _score(walk: Walk, _user: Account) -> None:
    for name in ("expert", "expert2", "expert3"):
        sheet = expert.Sheet({"quality": "80"}, {}, "agree", "符合要求。")
        expert.score(walk.person(name), walk.public_id, sheet, key=None)


def _stamp(walk: Walk, user: Account) -> None:
    step = walk.declaration.step_key or ""
    attach(walk.declaration, walk.definition.papers_at(step)[0].key)
    perform(user, walk.declaration, "stamp")


def _recommend(walk: Walk, user: Account) -> None:
    public_id = handover.gather(user, walk.batch_id, {walk.public_id: walk.declaration.version})
    handover.put_letter(walk.person("district"), public_id, io.BytesIO(pdf_bytes()), "推荐函.pdf")
    found, _entries = handover.load(walk.person("district"), public_id)
    today = local_date(now())
    handover.hand_over(walk.person("district"), public_id, "平工信呈〔2026〕1号", today, version=found.version)


def stated(**facts: Any) -> publicity.Stated:
    """An objection that has everything."""
    values = {
        "objector": "李志强", "contact": "13904512187", "unit": "某公司", "content": "设备是租来的，不是自有。",
        "received_on": local_date(now()),
    }  # fmt: skip
    return publicity.Stated(**(values | facts))


def _object(walk: Walk, user: Account) -> None:
    publicity.register_objection(user, walk.public_id, stated(), version=walk.declaration.version)


def _decide(upheld: bool) -> Callable[[Walk, Account], None]:
    def decide(walk: Walk, user: Account) -> None:
        declaration = walk.declaration
        newest = select(Objection.public_id).where(
            Objection.declaration_id == declaration.id, Objection.state == "open"
        )
        found = db.session.scalars(newest.order_by(Objection.id.desc())).first()
        publicity.decide_objection(
            user, walk.public_id, found or "none", upheld=upheld, conclusion="经现场核查。", version=declaration.version
        )

    return decide


def _conclude(walk: Walk, user: Account) -> None:
    end_publicity()
    publicity.conclude(user, walk.public_id, version=walk.declaration.version)


def _allocate(walk: Walk, user: Account) -> None:
    today = date(2026, 3, 1)
    funding.allocate(
        user, walk.public_id, Decimal("1205000.00"), "哈财指〔2026〕8号", today, version=walk.declaration.version
    )


def _renewal(walk: Walk) -> str:
    """Public id of the declaration that renews what was given."""
    found = walk.recognition
    assert found is not None and found.review_id is not None
    return db.session.get_one(Declaration, found.review_id).public_id


def _apply_review(walk: Walk, user: Account) -> None:
    run_out_in(walk, 100)
    update_id = start_declaration(user, make_batch("information_update").public_id)
    for public_id in (update_id, start_declaration(walk.owner, make_batch("re_review").public_id)):
        save_answers(walk.owner, public_id, {"contact_name": "王敏"})
        perform(walk.owner, find(public_id), "submit")


def _review(action: str) -> Callable[[Walk, Account], None]:
    def decide(walk: Walk, user: Account) -> None:
        perform(user, find(_renewal(walk)), action, "理由写在这里。")

    return decide


def _expire(walk: Walk, _user: Account) -> None:
    run_out_in(walk, -1)
    assert turn_of_time.turn()["expired outcomes"] == 1


def _revoke(walk: Walk, user: Account) -> None:
    found = walk.recognition
    assert found is not None
    outcome.revoke(user, found.id, "提供虚假材料。", version=found.version)


def _statement(walk: Walk, user: Account) -> None:
    accept_statement(user, walk.public_id)


def _close_window(walk: Walk) -> None:
    with unit_of_work() as session:
        batch = session.scalars(select(Batch).where(Batch.public_id == walk.batch_id)).one()
        batch.closes_at = now() - timedelta(minutes=1)
    db.session.rollback()


def _close(walk: Walk, _user: Account) -> None:
    _close_window(walk)
    assert turn_of_time.turn()["closed updates"] == 1


def _window_over(walk: Walk, _user: Account) -> None:
    _close_window(walk)
    with pytest.raises(DomainError, match="没有开放"):
        start_declaration(walk.owner, walk.batch_id)


def _start(walk: Walk, _user: Account) -> None:
    walk.start()


_SPECIAL: dict[str, Callable[[Walk, Account], None]] = {
    "approve": _approve, "assign": _assign, "score": _score, "stamp": _stamp, "recommend": _recommend, "object": _object,
    "dismiss_objection": _decide(False), "uphold_objection": _decide(True), "conclude": _conclude, "close": _close,
    "allocate": _allocate, "outcome.apply_review": _apply_review, "outcome.review_pass": _review("confirm"),
    "outcome.review_fail": _review("reject"), "outcome.expire": _expire, "outcome.revoke": _revoke,
    "service.start": _start, "service.statement": _statement, "service.window_over": _window_over,
}  # fmt: skip
_OUTCOME_TRIES: dict[str, Callable[[Walk, Account], None]] = {
    "outcome.review_pass": _review("confirm"), "outcome.review_fail": _review("reject"), "outcome.revoke": _revoke,
}  # fmt: skip
"""What strangers can try at all: a renewal is its owner's declaration, and time asks nobody."""


def _refused_at(walk: Walk) -> str:
    """Kind of the office that refused it."""
    statement = select(Event).where(Event.declaration_id == walk.declaration.id).order_by(Event.id.desc()).limit(1)
    event = db.session.scalars(statement).one()
    return "district" if event.step_key == "district_review" else "later"


def _held_state(walk: Walk) -> str | None:
    statement = select(Recognition).where(Recognition.enterprise_id == walk.owner.enterprise_id)
    found = db.session.scalars(statement).unique().first()
    return found.state if found else None


def _window(walk: Walk) -> bool:
    return db.session.scalars(select(Batch).where(Batch.public_id == walk.batch_id)).one().is_open(now())


_ALSO: dict[str, Callable[[Any], bool]] = {
    "": lambda walk: True,
    "innovative_sme": lambda walk: walk.route == "innovative_sme",
    "srdi_sme": lambda walk: walk.route == "srdi_sme",
    "scored": lambda walk: True,
    "gathered for the letter": lambda walk: True,
    "nobody asked yet": lambda walk: walk.seen.holder_role != "expert",
    "experts are asked": lambda walk: walk.seen.holder_role == "expert",
    "no objection is open": lambda walk: walk.seen.open_objections == 0,
    "an objection is open": lambda walk: walk.seen.open_objections > 0,
    "no outcome": lambda walk: walk.recognition is None,
    "held outcome revoked": lambda walk: _held_state(walk) == "revoked",
    "statement not accepted": lambda walk: walk.seen.statement_at is None,
    "statement accepted": lambda walk: walk.seen.statement_at is not None,
    "refused by the district": lambda walk: _refused_at(walk) == "district",
    "refused later": lambda walk: _refused_at(walk) == "later",
    "no declaration, window open": _window,
    "no declaration, window over": lambda walk: not _window(walk),
}
"""The conditions of the page's last column."""
