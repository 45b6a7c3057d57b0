"""What the review page shows of one submission: verdicts, answers with their remarks, differences, papers, the decision."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import quote

from flask import request, url_for
from flask_babel import gettext as _

from app.definitions.comparison import Change
from app.definitions.evaluation import Evaluation, FieldState, Finding, RowState, SectionState, TableState
from app.definitions.schema import Criterion
from app.forms.review import PHRASES
from app.models import Account, Assignment, Remark
from app.models.base import new_public_id, now
from app.models.review import WHOLE
from app.permissions import roles
from app.services import expert, review, todo
from app.services.attachment import handed_in_scans
from app.services.opened import Opened
from app.services.progress import history
from app.services.reference import holidays
from app.views.page import short_time
from app.views.review_findings import Paper, Verdict, paper_of, scan_words, verdict_of
from app.views.todo_page import RowClock, short_clock, state_words
from app.workflow.engine import Option
from app.workflow.steps import DEEDS

SENSIBLE = ("confirm", "return", "stamp_return", "reject", "approve")
STRUCTURAL = ("after_stamp", "step_can_return", "step_can_reject")
"""Guards that say a deed does not belong to this step at all: such a deed is not shown."""
FLAT_COLUMNS = 5
"""Up to this many columns (and no nested rows) a child table is printed as one grid."""


@dataclass(frozen=True)
class Choice:
    """One possible decision, with the words of the button that carries it out and the reasons against it."""

    value: str
    label: str
    button: str
    checked: bool
    reasons: tuple[str, ...]


@dataclass
class Typed:
    """What came back because it could not be accepted: words and a sentence for each field."""

    action: str = ""
    opinion: str = ""
    message: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    sheet: expert.Sheet | None = None


@dataclass
class ReviewPage:
    """Everything the template asks for. Parts are made when they are first asked for."""

    opened: Opened
    user: Account
    typed: Typed = field(default_factory=Typed)
    editing: str | None = None
    """Path of the answer whose remark is being written."""

    @cached_property
    def evaluation(self) -> Evaluation:
        """The newest submission."""
        return self.opened.submitted

    # -- head ------------------------------------------------------------------------------------------------

    @property
    def title(self) -> str:
        """The enterprise's name."""
        return self.opened.declaration.enterprise_name or _("（没有名称）")

    @property
    def subtitle(self) -> str:
        """Programme, batch, serial number and version."""
        declaration, definition = self.opened.declaration, self.opened.definition
        name = definition.menu or definition.title
        windowed = declaration.batch.closes_at is not None
        number = self.opened.revision.number if self.opened.revision else 0
        parts = [
            _("%(title)s（%(batch)s）", title=name, batch=declaration.batch.title) if windowed else name,
            declaration.serial_no or "",
            _("第 %(n)s 版", n=number),
        ]
        return " · ".join(p for p in parts if p)

    @property
    def state(self) -> tuple[str, str]:
        """Words and tone of the tag."""
        return state_words(self.opened.declaration, self.opened.step)

    @cached_property
    def clock(self) -> RowClock | None:
        """Deadline of the present step."""
        if self.opened.declaration.status != "in_progress":
            return None
        return short_clock(self.opened.declaration.due_at, self.opened.step, now(), holidays())

    @cached_property
    def neighbours(self) -> tuple[str | None, str | None]:
        """Addresses of the one before and the one after in the queue."""
        before, after = todo.neighbours(self.user, self.opened.declaration.public_id)
        return (
            url_for("review.show", id=before) if before else None,
            url_for("review.show", id=after) if after else None,
        )

    # -- who may do what ---------------------------------------------------------------------------------------

    @cached_property
    def officer(self) -> bool:
        """Whether the reader is of an office or an administrator; experts see neither remarks nor history."""
        return bool(self.user.role_names & set(roles.STAFF))

    @cached_property
    def options(self) -> list[Option]:
        """Deeds of this person here."""
        return self.opened.options()

    @cached_property
    def can_remark(self) -> bool:
        """Whether remarks on single answers may be written now."""
        step = self.opened.step
        return step is not None and step.kind == "review" and any(o.deed.action == "return" for o in self.options)

    @cached_property
    def choices(self) -> list[Choice]:
        """Decisions to choose from; the default follows the remarks."""
        listed = self.opened.definition.outcome is not None and self.opened.definition.outcome.kind == "list"
        shown = [
            o
            for o in self.options
            if o.deed.action in SENSIBLE
            and not (o.reasons and set(o.deed.guards) & set(STRUCTURAL) and self._structural(o))
            and not (o.deed.action == "approve" and listed)
        ]
        wanted = self.typed.action or self._default_action(shown)
        return [
            Choice(o.deed.action, o.label, _button(o), o.deed.action == wanted, o.reasons) for o in shown
        ]  # fmt: skip

    def _structural(self, option: Option) -> bool:
        step = self.opened.step
        refused = {
            "after_stamp": not any(p.stamped for p in self.papers) and option.deed.action == "stamp_return",
            "step_can_return": step is not None and not step.can_return and option.deed.action == "return",
            "step_can_reject": step is not None and not step.can_reject and option.deed.action == "reject",
        }
        return any(refused[g] for g in option.deed.guards if g in refused)

    def _default_action(self, shown: Sequence[Option]) -> str:
        if any(r.state in ("draft", "open") for r in self.remarks):
            return "return"
        return next((o.deed.action for o in shown if o.possible and o.deed.action != "reject"), "")

    @cached_property
    def publishing(self) -> str | None:
        """Address where a list is published, if that is what comes next here."""
        if any(o.deed.action == "approve" for o in self.options) and not any(
            c.value == "approve" for c in self.choices
        ):
            return url_for("batch.publish", id=self.opened.declaration.batch.public_id)
        return None

    @property
    def decision_note(self) -> str:
        """What a return would reopen, or why something cannot be done now."""
        reasons = "".join(f"{c.label}：{r}" for c in self.choices for r in c.reasons)
        paths = {r.path for r in self.remarks if r.state in ("draft", "open")} - {WHOLE}
        if not any(c.value == "return" and not c.reasons for c in self.choices):
            return reasons
        if paths:
            return _("退回后，企业只能改 %(n)s 个有批注的地方。", n=len(paths)) + reasons
        return reasons or _("没有批注时退回，企业可以改全部内容")

    @cached_property
    def phrases(self) -> list[str]:
        """Opinions to pick from."""
        return [str(p) for c in self.choices for p in PHRASES.get(c.value, ())]

    @cached_property
    def key(self) -> str:
        """Idempotency key of this page."""
        return new_public_id()

    # -- verdicts of the machine ---------------------------------------------------------------------------------

    @cached_property
    def verdicts(self) -> list[Verdict]:
        """Every condition once, those to look at first."""
        groups: dict[str, list[Finding]] = {}
        for finding in self.evaluation.findings:
            groups.setdefault(finding.condition.key, []).append(finding)
        order = {"unmet": 0, "open": 1, "met": 2}
        found = [verdict_of(group, self.opened.definition.source) for group in groups.values()]
        return sorted(found, key=lambda v: order[v.state])

    @cached_property
    def by_path(self) -> dict[str, list[Finding]]:
        """Findings beside their answers: conditions that are met and name one field."""
        found: dict[str, list[Finding]] = {}
        for finding in self.evaluation.findings:
            if finding.path and finding.result is True and finding.condition.each is None and finding.condition.at:
                found.setdefault(finding.path, []).append(finding)
        return found

    @property
    def to_look_at(self) -> list[Verdict]:
        """Conditions that are not met or cannot be decided."""
        return [v for v in self.verdicts if v.state != "met"]

    # -- differences -----------------------------------------------------------------------------------------------

    @cached_property
    def changes(self) -> list[Change]:
        """What this version changed."""
        return review.changes_since(self.opened, review.previous_revision(self.opened)) if self.officer else []

    @cached_property
    def compared(self) -> int | None:
        """Number of the version compared with."""
        number = self.opened.revision.number if self.opened.revision else 0
        return number - 1 if number > 1 and self.officer else None

    @cached_property
    def folded(self) -> bool:
        """Whether unchanged answers are folded away."""
        return self.compared is not None and request.args.get("all") != "1"

    @cached_property
    def changed(self) -> set[str]:
        """Paths that changed."""
        return {c.path for c in self.changes}

    def stands_out(self, state: FieldState) -> bool:
        """Whether an answer stays unfolded: changed, remarked or found fault with."""
        return bool(
            state.path in self.changed or self.remarks_at(state.path) or state.warning or state.error
            or state.path == self.editing
        )  # fmt: skip

    def row_stands_out(self, row: RowState) -> bool:
        """The same for a row of a child table."""
        return any(p.startswith(row.path) for p in self.changed) or any(self.stands_out(f) for f in row.all_fields())

    # -- answers -----------------------------------------------------------------------------------------------------

    @property
    def sections(self) -> list[SectionState]:
        """Visible sections with something in them."""
        return [s for s in self.evaluation.sections if s.visible and (s.fields or s.tables)]

    @staticmethod
    def dom_id(path: str) -> str:
        """A path as part of an HTML id."""
        return path.replace("/", "-").replace("@", "file-").replace(WHOLE, "whole")

    @staticmethod
    def is_flat(table: TableState) -> bool:
        """Whether a table fits into one grid."""
        return not table.spec.groups and not table.spec.tables and len(table.spec.columns) <= FLAT_COLUMNS

    @staticmethod
    def pairs(columns: Iterable[FieldState]) -> list[tuple[str, FieldState, FieldState]]:
        """Before and after columns side by side: (dimension, before, after)."""
        states = list(columns)
        return [(_dimension(a.spec.label), a, b) for a, b in zip(states[::2], states[1::2], strict=False)]

    @cached_property
    def remarks(self) -> list[Remark]:
        """Remarks, oldest first; none for experts."""
        return self.opened.remarks if self.officer else []

    @cached_property
    def _remarks(self) -> dict[str, list[Remark]]:
        found: dict[str, list[Remark]] = {}
        for remark in self.remarks:
            found.setdefault(remark.path, []).append(remark)
        return found

    def remarks_at(self, path: str) -> list[Remark]:
        """Remarks on one answer."""
        return self._remarks.get(path, [])

    @cached_property
    def _here(self) -> str:
        return url_for("review.show", id=self.opened.declaration.public_id)

    def write_url(self, path: str) -> str:
        """Address of the page with a remark on ``path`` being written; built by hand, as there are hundreds."""
        return f"{self._here}?remark={quote(path, safe='@')}{'&all=1' if request.args.get('all') == '1' else ''}"

    def label_of(self, path: str) -> str:
        """Name of what a remark is about."""
        written = self.remarks_at(path)
        return review.target_labels(self.evaluation).get(path) or (written[0].label if written else _("这一项"))

    def action_label(self, action: str) -> str:
        """Name of a decision, also of one that is not possible any more."""
        labels = {d.action: d.label for d in DEEDS if d.by == "officer"}
        # The step in which the other one acted is the step that this person was looking at.
        key = self.opened.events[0].step_key if self.opened.events else None
        step = next((s for s in self.opened.definition.route if s.key == key), None)
        if step is not None and action in ("confirm", "reject"):
            return step.confirm_label if action == "confirm" else step.reject_label
        return labels.get(action, _("（没有选）"))

    @cached_property
    def stray_remarks(self) -> list[Remark]:
        """Remarks on the whole, or on answers that are not there any more."""
        known = set(review.target_labels(self.evaluation)) - {WHOLE}
        return [r for r in self.remarks if r.path not in known]

    # -- papers ----------------------------------------------------------------------------------------------------------

    @cached_property
    def papers(self) -> list[Paper]:
        """The stamped scans that were handed in, then the files of the submission."""
        scans = review.scans_of(self.opened) if self.opened.definition.stamped_keys else {}
        handed_in = handed_in_scans(self.opened) if self.opened.definition.stamped_keys else []
        papers = [
            paper_of(f["id"], spec.key, spec.label, f["name"], f["size"], f["pages"], f["type"])
            for spec in self.opened.definition.attachments
            if spec.stage == "submit"
            for state in self.evaluation.files
            if state.spec.key == spec.key
            for f in state.files
        ]
        for spec in self.opened.definition.attachments:
            for a in handed_in:
                if a.key == spec.key:
                    seen = tuple(scan_words(scans.get(a.id), self.opened.revision))
                    papers.insert(
                        0, paper_of(a.public_id, a.key, spec.label, a.filename, a.size, a.pages, a.content_type, seen)
                    )
        return papers

    @cached_property
    def paper(self) -> Paper | None:
        """The file that is open: the one asked for, else the first."""
        wanted = request.args.get("file")
        return next((p for p in self.papers if p.id == wanted), self.papers[0] if self.papers else None)

    # -- history, experts ------------------------------------------------------------------------------------------------

    @cached_property
    def events(self) -> list[dict[str, str]]:
        """History as the timeline shows it: ``text``, and who and when as ``meta``."""
        if not self.officer:
            return []
        shown = [e for e in self.opened.events if e.action not in ("start", "statement", "download")]
        return [
            {"text": f"{p.text}：{p.opinion}" if p.opinion else p.text, "meta": f"{p.who} · {short_time(p.at)}"}
            for p in history(self.opened.definition, shown)
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


def _button(option: Option) -> str:
    words = {"return": _("退回企业"), "stamp_return": _("退回盖章材料")}
    return words.get(option.deed.action, option.label)


def _dimension(label: str) -> str:
    """What a pair of columns is about: the label without the words before and after."""
    for word in ("改造前", "改造后", "申报前", "申报后"):
        label = label.removeprefix(word)
    return label
