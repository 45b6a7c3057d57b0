"""What stands beside the answers of a reviewed submission: papers, checklist, notes, earlier declarations, history, experts."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from flask import request, url_for

from app.definitions.evaluation import Evaluation
from app.definitions.schema import Check, Criterion
from app.models import Account, Allocation, Assignment, Handover, InternalNote, PublicList
from app.models.base import new_public_id
from app.permissions import roles
from app.services import earlier, expert, note, review
from app.services.attachment import handed_in_scans
from app.services.event_names import names_of
from app.services.funding import allocation_of
from app.services.funding_words import money_words
from app.services.handover import sent_with
from app.services.opened import Opened
from app.services.progress import history
from app.services.publicity_board import OFFICES
from app.views.office_page import period_words
from app.views.page import short_time
from app.views.review_findings import Paper, paper_of, scan_words
from app.workflow.engine import Option


@dataclass(frozen=True)
class Point:
    """One point of the checklist, with the paper to look into if it was handed in."""

    check: Check
    ticked: bool
    paper: Paper | None


@dataclass
class Typed:
    """What came back because it could not be accepted: words and a sentence for each field."""

    action: str = ""
    opinion: str = ""
    message: str = ""
    checks: tuple[str, ...] = ()
    note: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    sheet: expert.Sheet | None = None


@dataclass
class ReviewSide:
    """What is asked for about one submission, except its answers and the decision."""

    opened: Opened
    user: Account
    typed: Typed = field(default_factory=Typed)
    editing: str | None = None
    """Path of the answer whose remark is being written."""

    @cached_property
    def evaluation(self) -> Evaluation:
        """The newest submission."""
        return self.opened.submitted

    @cached_property
    def officer(self) -> bool:
        """Whether the reader is of an office or an administrator; experts see neither remarks nor history."""
        return bool(self.user.role_names & set(roles.STAFF))

    @cached_property
    def options(self) -> list[Option]:
        """Deeds of this person here."""
        return self.opened.options()

    @cached_property
    def key(self) -> str:
        """Idempotency key of this page."""
        return new_public_id()

    # -- papers ----------------------------------------------------------------------------------------------------------

    @cached_property
    def papers(self) -> list[Paper]:
        """The stamped scans that were handed in, then the files of the submission."""
        files = [
            paper_of(f["id"], spec.key, spec.label, f["name"], f["size"], f["pages"], f["type"])
            for spec in self.opened.definition.attachments
            if spec.stage == "submit"
            for state in self.evaluation.files
            if state.spec.key == spec.key
            for f in state.files
        ]
        return [*reversed(self._scans()), *files]

    def _scans(self) -> list[Paper]:
        """The stamped scans that were handed in, oldest first, each with what was seen on it."""
        if not self.opened.definition.stamped_keys:
            return []
        scans, handed_in = review.scans_of(self.opened), handed_in_scans(self.opened)
        return [
            paper_of(a.public_id, a.key, spec.label, a.filename, a.size, a.pages, a.content_type,
                     tuple(scan_words(scans.get(a.id), self.opened.revision)))
            for spec in self.opened.definition.attachments
            for a in handed_in
            if a.key == spec.key
        ]  # fmt: skip

    @cached_property
    def around(self) -> tuple[Paper | None, Paper | None]:
        """The papers before and after the open one."""
        at = next((n for n, p in enumerate(self.papers) if p is self.paper), 0)
        return (
            self.papers[at - 1] if at else None,
            self.papers[at + 1] if at + 1 < len(self.papers) else None,
        )

    def paper_url(self, paper: Paper) -> str:
        """Address of this page with ``paper`` open."""
        everything = "1" if request.args.get("all") == "1" else None
        return url_for(
            "review.show", id=self.opened.declaration.public_id, file=paper.id, all=everything, _anchor="papers"
        )

    @cached_property
    def proofs(self) -> dict[str, Paper]:
        """The paper in which an answer stands, by the key of the question; only papers that are there."""
        present = {p.key: p for p in reversed(self.papers)}
        specs = self.opened.definition.attachments
        return {key: present[a.key] for a in specs if a.key in present for key in a.proves}

    @cached_property
    def paper(self) -> Paper | None:
        """The file that is open: the one asked for, else the first."""
        wanted = request.args.get("file")
        return next((p for p in self.papers if p.id == wanted), self.papers[0] if self.papers else None)

    # -- checklist, notes, earlier declarations ---------------------------------------------------------------------------

    @cached_property
    def checklist(self) -> list[Point]:
        """The points of the present step, for whoever decides it."""
        step = self.opened.step
        if step is None or not any(o.deed.action == "confirm" for o in self.options):
            return []
        present = {p.key: p for p in reversed(self.papers)}
        return [Point(c, c.key in self.typed.checks, present.get(c.paper or "")) for c in step.checklist]

    @cached_property
    def takes_notes(self) -> bool:
        """Whether the reader's office is in charge, and so writes and reads internal notes."""
        return note.is_in_charge(self.opened)

    @cached_property
    def notes(self) -> list[InternalNote]:
        """Internal notes, oldest first."""
        return note.notes_of(self.opened) if self.takes_notes else []

    @cached_property
    def earlier(self) -> list[earlier.Earlier]:
        """What the same enterprise declared before; for offices."""
        return earlier.earlier_declarations(self.opened) if self.officer else []

    @property
    def returns(self) -> int:
        """How often the earlier declarations were sent back."""
        return earlier.count_returns(self.earlier)

    # -- what other offices did ------------------------------------------------------------------------------------------

    @cached_property
    def handovers(self) -> list[Handover]:
        """The hand-overs by which it was recommended, newest first."""
        return sent_with(self.opened.declaration) if self._has("handover") else []

    @cached_property
    def publicised(self) -> PublicList | None:
        """The 公示 in which it stands, or stood last."""
        return self.opened.publicity if self._has("publicity") else None

    @property
    def reads_objections(self) -> bool:
        """Whether the reader's office may know who objected."""
        return bool(self.user.role_names & {*OFFICES, roles.ADMIN})

    @property
    def period(self) -> str:
        """First and last day of that 公示."""
        return period_words(self.publicised) if self.publicised is not None else ""

    @cached_property
    def allocation(self) -> Allocation | None:
        """What was allocated to it."""
        return allocation_of(self.opened.declaration) if self._has("fund") else None

    @property
    def allocated(self) -> str:
        """The allocated sum in words."""
        return money_words(self.allocation.amount) if self.allocation is not None else ""

    def _has(self, kind: str) -> bool:
        return any(s.kind == kind for s in self.opened.definition.route)

    # -- history, experts ------------------------------------------------------------------------------------------------

    @cached_property
    def events(self) -> list[dict[str, str]]:
        """History as the timeline shows it: ``text``, and who and when as ``meta``."""
        if not self.officer:
            return []
        shown = [e for e in self.opened.events if e.action not in ("start", "statement", "download")]
        return [
            {"text": f"{p.text}：{p.opinion}" if p.opinion else p.text, "meta": f"{p.who} · {short_time(p.at)}"}
            for p in history(self.opened.definition, shown, names_of(shown))
        ]

    @cached_property
    def rubric(self) -> list[Criterion]:
        """Criteria of the score sheet."""
        return expert.rubric_of(self.opened)

    @cached_property
    def assignment(self) -> Assignment | None:
        """What was asked of the reader as an expert."""
        return expert.own_assignment(self.opened) if roles.EXPERT in self.user.role_names else None

    @cached_property
    def candidates(self) -> list[expert.Candidate]:
        """Experts to choose from, where they are chosen."""
        return expert.candidates(self.opened) if any(o.deed.action == "assign" for o in self.options) else []

    @cached_property
    def removable(self) -> set[int]:
        """Ids of the assignments that may be taken back now: not handed in yet, at the present step."""
        step = self.opened.declaration.step_key
        if not any(o.deed.action == "unassign" for o in self.options):
            return set()
        return {a.id for a in self.opened.assignments if a.done_at is None and a.step_key == step}

    @cached_property
    def result(self) -> expert.Result | None:
        """What the experts came to; for officers only."""
        return expert.result_of(self.opened) if self.officer else None

    @property
    def own_scores(self) -> dict[str, Any]:
        """The reader's own sheet after handing in, by criterion."""
        if self.assignment is None or self.assignment.done_at is None:
            return {}
        return expert.scores_of(self.assignment)
