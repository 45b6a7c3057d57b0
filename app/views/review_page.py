"""What the review page shows of one submission: verdicts, answers with their remarks, differences, papers, the decision."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from flask import request, url_for
from flask_babel import gettext as _
from markupsafe import Markup

from app.definitions.comparison import Change
from app.definitions.evaluation import FieldState, Finding, RowState, SectionState, TableState
from app.definitions.phrases import phrases_for
from app.models import Remark
from app.models.base import now
from app.models.review import WHOLE
from app.services import review, todo
from app.services.reference import holidays
from app.views.holder import Holder, holder_of
from app.views.office_page import Way
from app.views.review_findings import Verdict, verdict_of
from app.views.review_side import ReviewSide
from app.views.review_ways import is_listed, ways_of
from app.views.todo_page import RowClock, short_clock, state_words
from app.workflow.engine import Option
from app.workflow.steps import DEEDS

SENSIBLE = ("confirm", "return", "stamp_return", "reject", "approve", "send_back", "disapprove")
STRUCTURAL = ("after_stamp", "step_can_return", "step_can_reject")
"""Guards that say a deed does not belong to this step at all: such a deed is not shown."""
_LINK = Markup(
    '<a class="btn btn-sm btn-text flush sb-write" href="%s#f-%s" hx-get="%s" aria-label="%s：%s">'
    '<i class="i i-chat" aria-hidden="true"></i>%s</a>'
)
_SLOT = Markup('<div class="sb-slot" id="slot-%s">%s</div>')
_IN_ID = str.maketrans({"/": "-", "@": "file-", WHOLE: "whole"})
FLAT_COLUMNS = 5
"""Up to this many columns (and no nested rows) a child table is printed as one grid."""


@dataclass(frozen=True)
class Phrase:
    """An opinion to pick from for the decision ``action``."""

    action: str
    text: str


@dataclass(frozen=True)
class Choice:
    """One possible decision, with the words of the button that carries it out and the reasons against it."""

    value: str
    label: str
    button: str
    checked: bool
    reasons: tuple[str, ...]


class ReviewPage(ReviewSide):
    """Everything the template asks for. Parts are made when they are first asked for."""

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

    @cached_property
    def holder(self) -> Holder | None:
        """Who holds it since when, and whether the reader may take it; for officers only."""
        return holder_of(self.opened, now()) if self.officer else None

    # -- who may do what ---------------------------------------------------------------------------------------

    @cached_property
    def can_remark(self) -> bool:
        """Whether remarks on single answers may be written now."""
        step = self.opened.step
        return step is not None and step.kind == "review" and any(o.deed.action == "return" for o in self.options)

    @cached_property
    def choices(self) -> list[Choice]:
        """Decisions to choose from; the default follows the remarks."""
        shown = [o for o in self.options if o.deed.action in SENSIBLE and self._belongs_here(o)]
        wanted = self.typed.action or self._default_action(shown)
        return [
            Choice(o.deed.action, o.label, _button(o), o.deed.action == wanted, o.reasons) for o in shown
        ]  # fmt: skip

    def _belongs_here(self, option: Option) -> bool:
        """Whether the deed is decided on this page and in this step; what is approved by a list is published there."""
        if option.deed.action == "approve" and is_listed(self.opened):
            return False
        return not (option.reasons and set(option.deed.guards) & set(STRUCTURAL) and self._structural(option))

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
    def ways(self) -> list[Way]:
        """What is done here on a page of its own: lists, hand-overs, objections, funds."""
        return ways_of(self.opened, self.options)

    @property
    def decision_note(self) -> str:
        """What a return would reopen, or why something cannot be done now."""
        common = _common_reasons(self.choices)
        reasons = "".join(common) + "".join(
            f"{c.label}：{r}" for c in self.choices for r in c.reasons if r not in common
        )
        paths = {r.path for r in self.remarks if r.state in ("draft", "open")} - {WHOLE}
        if not any(c.value == "return" and not c.reasons for c in self.choices):
            return reasons
        if paths:
            return _("退回后，企业只能改 %(n)s 个有批注的地方。", n=len(paths)) + reasons
        return reasons or _("没有批注时退回，企业可以改全部内容")

    @cached_property
    def phrases(self) -> list[Phrase]:
        """Opinions to pick from: what this person wrote last, then those of the step, then the general ones."""
        recent = review.recent_opinions(self.user) if self.choices else {}
        return [
            Phrase(c.value, text)
            for c in self.choices
            for text in dict.fromkeys((*recent.get(c.value, ()), *phrases_for(self.opened.step, c.value)))
        ]

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
        return self._is_touched(row.path) or any(self.stands_out(f) for f in row.all_fields())

    def _is_touched(self, path: str) -> bool:
        """Whether anything at or below ``path`` changed, or is remarked."""
        touched = self.changed | self._remarks.keys()
        return any(p == path or p.startswith(f"{path}/") for p in touched)

    # -- answers -----------------------------------------------------------------------------------------------------

    @property
    def sections(self) -> list[SectionState]:
        """Visible sections with something in them."""
        return [s for s in self.evaluation.sections if s.visible and (s.fields or s.tables)]

    @staticmethod
    def dom_id(path: str) -> str:
        """A path as part of an HTML id."""
        return path.translate(_IN_ID)

    @staticmethod
    def is_flat(table: TableState) -> bool:
        """Whether a table fits into one grid."""
        return not table.spec.groups and not table.spec.tables and len(table.spec.columns) <= FLAT_COLUMNS

    @staticmethod
    def pairs(columns: Iterable[FieldState]) -> list[tuple[str, FieldState, FieldState]]:
        """Before and after columns side by side: (dimension, before, after)."""
        states = list(columns)
        return [(_dimension(a.spec.plain_label), a, b) for a, b in zip(states[::2], states[1::2], strict=False)]

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
    def _around_path(self) -> tuple[str, str]:
        """What stands before and after the path in ``write_url``."""
        here = url_for("review.show", id=self.opened.declaration.public_id)
        return f"{here}?remark=", "&all=1" if request.args.get("all") == "1" else ""

    def write_url(self, path: str) -> str:
        """Address of the page with a remark on ``path`` being written; built by hand, as there are hundreds."""
        before, after = self._around_path
        # Keys and row ids hold nothing else that an address would not.
        return f"{before}{path.replace('/', '%2F')}{after}"

    def write_link(self, path: str, name: str) -> Markup:
        """The link that begins a remark on ``path``; made here and not in a template, as there are hundreds."""
        url, words = self.write_url(path), self._write_words
        return _LINK % (url, self.dom_id(path), url, words, name, words)

    @cached_property
    def _write_words(self) -> str:
        return _("写批注")

    def bare_slot(self, path: str, name: str) -> Markup:
        """The slot of an answer without remarks; empty if there is more to show, which the template draws."""
        if path in self._remarks or path == self.editing:
            return Markup()
        return _SLOT % (self.dom_id(path), self.write_link(path, name) if self.can_remark else "")

    def label_of(self, path: str) -> str:
        """Name of what a remark is about."""
        written = self.remarks_at(path)
        return review.target_labels(self.evaluation).get(path) or (written[0].label if written else _("这一项"))

    def action_label(self, action: str) -> str:
        """Name of a decision, also of one that is not possible any more."""
        labels = {d.action: d.label for d in DEEDS if d.by in ("officer", "city")}
        # The step in which the other one acted is the step that this person was looking at.
        key = self.opened.events[0].step_key if self.opened.events else None
        step = next((s for s in self.opened.definition.route if s.key == key), None)
        if step is not None and action in ("confirm", "reject"):
            return step.confirm_label if action == "confirm" else step.reject_label
        return labels.get(action, _("（没有选）"))

    def can_keep(self, remark: Remark) -> bool:
        """Whether it can be said that the newest submission has not answered ``remark``."""
        number = self.opened.revision.number if self.opened.revision else 0
        return self.can_remark and remark.state == "open" and remark.revision_no < number and remark.kept_no != number

    @property
    def to_settle(self) -> int:
        """How many remarks the newest submission may have answered."""
        return sum(self.can_keep(r) for r in self.remarks)

    @cached_property
    def stray_remarks(self) -> list[Remark]:
        """Remarks on the whole, or on answers that are not there any more."""
        known = set(review.target_labels(self.evaluation)) - {WHOLE}
        return [r for r in self.remarks if r.path not in known]


def _button(option: Option) -> str:
    words = {"return": _("退回企业"), "stamp_return": _("退回盖章材料")}
    return words.get(option.deed.action, option.label)


def _dimension(label: str) -> str:
    """What a pair of columns is about: the label without the words before and after."""
    for word in ("改造前", "改造后", "申报前", "申报后"):
        label = label.removeprefix(word)
    return label


def _common_reasons(choices: Sequence[Choice]) -> list[str]:
    """What stands against every one of several choices: it is said once."""
    first = choices[0].reasons if len(choices) > 1 else ()
    return [r for r in first if all(r in c.reasons for c in choices)]
