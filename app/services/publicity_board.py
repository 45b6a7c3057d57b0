"""What the office sees of a running 公示: every row with its objections, what is still to be done, and the end of the period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from sqlalchemy import select

from app.definitions.schema import Step
from app.errors import Conflict, NotFound
from app.extensions import db
from app.models import Account, Batch, Declaration, Objection, PublicList, PublicListEntry
from app.models.base import now
from app.permissions import roles, scopes
from app.services import publicity
from app.services.batch import visible
from app.services.declaration import definition_of
from app.services.publicity import Announcement
from app.services.reference import holidays
from app.services.row_results import Result, is_kept, keep
from app.services.todo import step_of
from app.workflow import engine
from app.workflow.calendar import UnknownYear, end_of, local_date, working_days_left

OFFICES = (roles.CITY, roles.PROVINCE, roles.MINISTRY)
"""Whose publicity it can be."""
State = Literal["clear", "objected", "removed", "onward"]


@dataclass(frozen=True)
class Row:
    """One enterprise of the list. ``state``: clear (no open objection), objected, removed (an objection was founded, or
    it ended otherwise), onward (it went on). ``in_charge``: the reader's office may act on it now."""

    position: int
    declaration: Declaration
    step: Step | None
    state: State
    objections: list[Objection]
    in_charge: bool


@dataclass(frozen=True)
class Board:
    """A 公示 with its rows. ``days_left``: working days to the end of the period, None in an unpublished year."""

    public: PublicList
    rows: list[Row]
    over: bool
    days_left: int | None

    @property
    def ready(self) -> list[Row]:
        """What goes on when the period is concluded."""
        return [r for r in self.rows if r.state == "clear" and r.in_charge]

    @property
    def held(self) -> list[Row]:
        """What an objection holds up."""
        return [r for r in self.rows if r.state == "objected"]

    @property
    def ends_route(self) -> bool:
        """Whether concluding gives the outcome, so that a final list may be published with it."""
        return any(r.step is not None and (r.step.gives_outcome or _is_last(r)) for r in self.ready)


def _is_last(row: Row) -> bool:
    route = row.declaration.programme.definition.route
    return row.step is not None and route[-1].key == row.step.key


def load_board(user: Account, list_id: str) -> Board:
    """The 公示 with everything on it that ``user`` may see. NotFound for final lists and other regions."""
    public = _find(user, list_id)
    statement = (
        select(PublicListEntry.position, Declaration)
        .join(Declaration, Declaration.id == PublicListEntry.declaration_id)
        .where(PublicListEntry.list_id == public.id, scopes.declarations(user))
        .order_by(PublicListEntry.position, PublicListEntry.id)
    )
    found = db.session.execute(statement).unique().all()
    objections = _objections(public)
    rows = [_row(user, public, position, d, objections.get(d.id, [])) for position, d in found]
    return Board(public, rows, is_over(public), days_left(public))


def _find(user: Account, list_id: str) -> PublicList:
    statement = (
        select(PublicList)
        .join(Batch, Batch.id == PublicList.batch_id)
        .where(PublicList.public_id == list_id, PublicList.kind == "publicity", visible(user))
    )
    public = db.session.scalars(statement).unique().first()
    if public is None:
        raise NotFound("没有找到这次公示。请从“批次”重新选。")
    return public


def _objections(public: PublicList) -> dict[int, list[Objection]]:
    found: dict[int, list[Objection]] = {}
    for objection in db.session.scalars(
        select(Objection).where(Objection.list_id == public.id).order_by(Objection.id)
    ).unique():
        found.setdefault(objection.declaration_id, []).append(objection)
    return found


def _row(user: Account, public: PublicList, position: int, declaration: Declaration, against: list[Objection]) -> Row:
    step = step_of(declaration)
    here = step is not None and step.kind == "publicity"
    in_charge = here and step is not None and engine.is_office(user, declaration, step.level)
    return Row(position, declaration, step, _state(declaration, here), against, in_charge)


def _state(declaration: Declaration, here: bool) -> State:
    if here:
        return "objected" if declaration.open_objections else "clear"
    return "removed" if declaration.status in ("rejected", "withdrawn", "void") else "onward"


def is_over(public: PublicList) -> bool:
    """Whether the period has ended."""
    return public.closes_on is not None and now() >= end_of(public.closes_on)


def days_left(public: PublicList, today: date | None = None) -> int | None:
    """Working days from tomorrow to the last day; None without a last day, or in a year nobody has published."""
    if public.closes_on is None:
        return None
    try:
        return working_days_left(today or local_date(now()), public.closes_on, holidays())
    except UnknownYear:
        return None


def running(user: Account, batch: Batch) -> list[PublicList]:
    """The 公示 of the batch on which something still waits for its end, oldest first."""
    waiting = scopes.held_by(user) & (Declaration.status == "in_progress")
    keys = [s.key for s in publicity_steps(batch)]
    statement = (
        select(PublicList)
        .join(PublicListEntry, PublicListEntry.list_id == PublicList.id)
        .join(Declaration, Declaration.id == PublicListEntry.declaration_id)
        .where(PublicList.batch_id == batch.id, PublicList.kind == "publicity", waiting, Declaration.step_key.in_(keys))
        .order_by(PublicList.id)
    )
    return list(dict.fromkeys(db.session.scalars(statement).unique()))


def publicity_steps(batch: Batch) -> list[Step]:
    """The publicity steps of the batch's programme as it is in force."""
    return [s for s in definition_of(batch.programme_key).route if s.kind == "publicity"]


def last_contact(user: Account, batch: Batch) -> PublicList | None:
    """The newest 公示 of the reader's office, that of this batch first: where objections went then."""
    statement = (
        select(PublicList)
        .join(Account, Account.id == PublicList.published_by)
        .where(PublicList.kind == "publicity", Account.region_code == user.region_code)
        .order_by((PublicList.batch_id == batch.id).desc(), PublicList.id.desc())
        .limit(1)
    )
    return db.session.scalars(statement).unique().first()


def conclude_board(
    user: Account, list_id: str, key: str, announcement: Announcement | None = None, *, address: str | None = None
) -> None:
    """公示期满: everything without an open objection goes on; what became of each row is kept under ``key``.

    Refusals as for ``publicity.conclude_list``; Conflict if nothing is left that could go on. Sent again it does nothing.
    """
    if is_kept(user, key):
        return
    board = load_board(user, list_id)
    left = {r.declaration.public_id for r in board.rows if r.step is not None and r.step.kind == "publicity"}
    if not left:
        raise Conflict("这次公示的企业都已经转走，没有要办的了。请回到公示页看最新状态。")
    done = publicity.conclude_list(user, list_id, announcement, address=address)
    rows = [r for r in done.rows if r.public_id in left]
    keep(user, key, "conclude", [
        Result(r.public_id, r.enterprise_name, r.serial_no, "done" if r.done else "refused", r.reason) for r in rows
    ])  # fmt: skip
