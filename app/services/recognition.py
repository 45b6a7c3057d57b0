"""认定管理: what was given in a region, by state, as offices look after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select

from app.errors import DomainError, NotFound
from app.extensions import db
from app.models import Account, Declaration, Enterprise, Event, Recognition
from app.models.base import now
from app.permissions import scopes
from app.services.listing import Asked, Page, paginate
from app.services.outcome import REMIND_BEFORE
from app.workflow import engine
from app.workflow.calendar import local_date
from app.workflow.outcomes import OUTCOME_DEEDS

VIEWS = ("valid", "soon", "under_review", "expired", "revoked")
"""States to choose from; ``soon``: valid, and its last day is near."""
CHANGES = tuple(sorted({d.action for d in OUTCOME_DEEDS}))
PAGE = 20


@dataclass(frozen=True)
class Held:
    """A recognition with its declaration. ``in_charge``: the reader's office gave it and may change it."""

    recognition: Recognition
    declaration: Declaration
    in_charge: bool
    events: list[Event]


def list_recognitions(user: Account, view: str | None, query: str, asked: Asked) -> Page[Recognition]:
    """One page of what ``user`` may see, newest first. ``query`` is part of a name, a code or a certificate number.

    DomainError for an unknown ``view``, NotFound beyond the last page.
    """
    if view is not None and view not in VIEWS:
        raise DomainError("没有这种状态。请从上面的条件里选。")
    statement = _visible(user).where(*_wanted(query))
    if view is not None:
        statement = statement.where(_states()[view])
    return paginate(statement.order_by(Recognition.id.desc()), asked)


def count_by_view(user: Account, query: str = "") -> Mapping[str, int]:
    """How many there are of each of ``VIEWS``, in one statement."""
    found = _visible(user).where(*_wanted(query)).with_only_columns(
        *(func.count(case((condition, 1))).label(name) for name, condition in _states().items()), maintain_column_froms=True
    )  # fmt: skip
    return dict(db.session.execute(found).one()._mapping)


def _visible(user: Account) -> Select[tuple[Recognition]]:
    return (
        select(Recognition)
        .join(Declaration, Declaration.id == Recognition.declaration_id)
        .join(Enterprise, Enterprise.id == Recognition.enterprise_id)
        .where(scopes.declarations(user))
    )


def _wanted(query: str) -> list[ColumnElement[bool]]:
    if not query:
        return []
    columns = (Enterprise.name, Enterprise.credit_code, Recognition.certificate_no, Recognition.title)
    return [or_(*(c.contains(query, autoescape=True) for c in columns))]


def _states() -> dict[str, ColumnElement[bool]]:
    today = local_date(now())
    soon = and_(
        Recognition.state == "valid",
        Recognition.valid_to.is_not(None),
        Recognition.valid_to <= today + REMIND_BEFORE,
    )
    plain = {name: Recognition.state == name for name in VIEWS if name != "soon"}
    return {name: soon if name == "soon" else plain[name] for name in VIEWS}


def is_soon(recognition: Recognition) -> bool:
    """Whether it is valid and its last day is near."""
    last = recognition.valid_to
    return recognition.state == "valid" and last is not None and last <= local_date(now()) + REMIND_BEFORE


def load_recognition(user: Account, recognition_id: int) -> Held:
    """A recognition with what happened to it, newest first. NotFound if it is none of this person's business."""
    found = db.session.scalars(_visible(user).where(Recognition.id == recognition_id)).unique().first()
    if found is None:
        raise NotFound("没有找到这项认定。请从“认定结果”重新打开。")
    declaration = db.session.get_one(Declaration, found.declaration_id)
    statement = select(Event).where(Event.declaration_id == declaration.id, Event.action.in_(CHANGES))
    events = list(db.session.scalars(statement.order_by(Event.id.desc())))
    return Held(found, declaration, engine.is_office(user, declaration, found.level), events)
