"""Browsers of offices for the pages of publicity, hand-over and funds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.extensions import db
from app.models import Event, Objection, PublicList
from app.models.base import new_public_id, now
from app.workflow.calendar import local_date
from tests.factories import login
from tests.factories_workflow import Walk

TO_DECISION = "submit recommend accept assign_experts all_scored"
TO_PUBLICITY = f"{TO_DECISION} publish"
TO_FUNDS = f"{TO_PUBLICITY} publicity_passed"
OBJECTION = {"objector": "李志强", "contact": "13904512187", "unit": "某公司", "content": "设备是租来的。"}


@dataclass
class Office:
    """A walk along the subsidy's route, with everybody's browser."""

    app: Flask
    walk: Walk

    def browser(self, person: str) -> FlaskClient:
        """The browser in which ``person`` is signed in."""
        return login(self.app.test_client(), self.walk.person(person))

    def get(self, person: str, path: str) -> Any:
        """What ``person`` is shown; ``{id}`` and ``{batch}`` stand for the declaration's and the batch's id."""
        return self.browser(person).get(self.path(path))

    def post(self, person: str, path: str, **data: Any) -> Any:
        """Send a form; the declaration's version and a key go along unless they are given."""
        sent = {"version": str(self.version), "key": new_public_id()} | data
        return self.browser(person).post(self.path(path), data=sent, content_type="multipart/form-data")

    def path(self, pattern: str) -> str:
        """``pattern`` with the ids filled in."""
        filled = pattern.replace("{id}", self.walk.public_id).replace("{batch}", self.walk.batch_id)
        return filled.replace("{list}", self.listed.public_id if "{list}" in pattern else "")

    @property
    def version(self) -> int:
        """Version of the declaration as it is stored."""
        return self.walk.declaration.version

    @property
    def step(self) -> str | None:
        """The step it is in."""
        return self.walk.declaration.step_key

    @property
    def listed(self) -> PublicList:
        """The newest 公示."""
        db.session.rollback()
        statement = select(PublicList).where(PublicList.kind == "publicity").order_by(PublicList.id.desc())
        return db.session.scalars(statement).unique().first()

    @property
    def objections(self) -> list[Objection]:
        """Every objection, oldest first."""
        db.session.rollback()
        return list(db.session.scalars(select(Objection).order_by(Objection.id)).unique())

    def count(self, action: str) -> int:
        """How many events of this deed the declaration has."""
        db.session.rollback()
        statement = select(Event.id).where(Event.declaration_id == self.walk.declaration.id, Event.action == action)
        return len(db.session.scalars(statement).all())

    def register(self, **changes: Any) -> Any:
        """Send the form of an objection."""
        data = {**OBJECTION, "received_on": local_date(now()).isoformat()} | changes
        return self.post("city", "/review/{id}/objections", **data)


def link_in(response: Any, pattern: str) -> str:
    """The first address on the page that fits ``pattern``."""
    found = re.search(f'(?:href|action)="({pattern})"', response.text)
    assert found, pattern
    return found[1]
