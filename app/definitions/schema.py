"""What a definition may hold. See docs/definitions.md; the YAML files under ``catalog/`` are instances of this."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.definitions.order import Group as SettlingGroup
from app.definitions.order import settling_order
from app.fields.base import FieldSpec

KEY = r"^[a-z][a-z0-9_]*$"


class Part(BaseModel):
    """Base of everything in a definition: unknown keys are mistakes, instances do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Parameter(Part):
    """A value that a batch sets; labels and expressions may use it."""

    label: str
    value: str | int | float | bool | None
    min: int | None = None
    """Smallest number a batch may set."""
    help: str | None = None
    origin: str | None = None


class Applicant(Part):
    """Who may declare, and how often."""

    text: str | None = None
    certified: bool = True
    user_type: Literal["enterprise", "individual"] = "enterprise"
    scales: tuple[str, ...] = ()
    once_per: Literal["batch", "enterprise", "none"] = "batch"


class Condition(Part):
    """One rule for pre-check, live hint, submit check and reviewer's findings.

    ``cel`` is true, false or null (cannot be decided). With ``each`` it is evaluated for every row of that
    table as ``row``. ``at`` names the field that the problem is shown beside (in ``each`` rows, a column).
    ``message`` may use ``{value}``, ``{number}``, ``{params.x}``, ``{expected}``, ``{difference}`` and field keys; without it
    ``text`` is shown. ``expected`` is CEL for what the value was compared with (text as it stands, numbers as
    the field ``at`` prints them).
    """

    key: str = Field(pattern=KEY)
    text: str
    cel: str | None = None
    severity: Literal["block", "warn"] = "block"
    each: str | None = None
    at: str | None = None
    expected: str | None = None
    message: str | None = None
    precheck: bool = False
    origin: str | None = None
    source: str | None = None
    note: str | None = None


class Group(Part):
    """A titled run of columns inside a table; ``pairs`` shows before/after columns side by side."""

    key: str = Field(pattern=KEY)
    label: str
    help: str | None = None
    layout: Literal["fields", "pairs"] = "fields"
    columns: tuple[FieldSpec, ...]


class Table(Part):
    """Rows of answers. Tables nest one level (a project has providers)."""

    key: str = Field(pattern=KEY, max_length=40)
    label: str
    row_label: str
    help: str | None = None
    min_rows: int = 0
    max_rows: int = 20
    columns: tuple[FieldSpec, ...] = ()
    groups: tuple[Group, ...] = ()
    tables: tuple[Table, ...] = ()
    title_column: str | None = None
    summary_columns: tuple[str, ...] = ()
    visible_if: str | None = None
    origin: str | None = None
    source: str | None = None
    note: str | None = None

    @property
    def all_columns(self) -> tuple[FieldSpec, ...]:
        """Columns outside and inside groups, in order."""
        return self.columns + tuple(c for g in self.groups for c in g.columns)


class Section(Part):
    """One page of the wizard."""

    key: str = Field(pattern=KEY)
    label: str
    help: str | None = None
    fields: tuple[FieldSpec, ...] = ()
    tables: tuple[Table, ...] = ()
    visible_if: str | None = None
    origin: str | None = None
    source: str | None = None


class Attachment(Part):
    """A file that belongs to the declaration. Sizes are strict: smaller than ``max_size_mb`` × 1 048 576 bytes."""

    key: str = Field(pattern=KEY)
    label: str
    formats: tuple[Literal["pdf", "jpg", "png"], ...] = ("pdf",)
    max_size_mb: int = 100
    max_files: int = 1
    required: bool = True
    required_if: str | None = None
    stage: Literal["submit", "stamp"] = "submit"
    step: str | None = None
    """With ``stage: stamp``: the one step that takes it; None for every step of kind ``stamp``."""
    stamped: bool = False
    proves: tuple[str, ...] = ()
    """Keys of questions outside tables whose answers stand in this paper: whoever reviews opens it from there."""
    help: str | None = None
    origin: str | None = None
    source: str | None = None
    note: str | None = None


class Check(Part):
    """One point that whoever reviews looks at before the step is passed.

    ``source`` is the clause it comes from; ``paper`` the key of the attachment to look into.
    """

    key: str = Field(pattern=KEY, max_length=40)
    label: str = Field(max_length=100)
    optional: bool = False
    paper: str | None = None
    source: str | None = None
    origin: str | None = None


class Step(Part):
    """One step of the route. ``enabled_by`` names a yes/no parameter of the batch that switches it on.

    ``city_if`` names a yes/no parameter with which the city takes the step in the province's stead (计划单列市).
    ``until`` names a parameter with the last day on which the enterprise may file (kind ``stamp``).
    ``gives_outcome``: leaving it onward gives the outcome, although the route goes on. ``reject_revokes``: a rejection
    here also takes the enterprise's valid recognitions away.
    """

    key: str = Field(pattern=KEY)
    label: str
    kind: Literal["review", "stamp", "handover", "expert", "publicity", "decide", "fund"]
    level: Literal["enterprise", "district", "city", "province", "ministry", "finance"]
    due_days: int | None = None
    enabled_by: str | None = None
    confirm_label: str = "通过"
    reject_label: str = "不通过"
    can_return: bool = True
    can_reject: bool = True
    city_if: str | None = None
    until: str | None = None
    gives_outcome: bool = False
    reject_revokes: bool = False
    checklist: tuple[Check, ...] = ()
    """Kind ``review``: points to look at; those that are not optional must be ticked before the step is passed."""
    phrases: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Opinions to pick from, by deed (``confirm``, ``return``, …); they stand before the general ones."""
    help: str | None = None
    origin: str | None = None
    note: str | None = None

    @property
    def needed_checks(self) -> tuple[Check, ...]:
        """The points without which the step is not passed."""
        return tuple(c for c in self.checklist if not c.optional)


class Document(Part):
    """A paper generated from the declaration (``form``) or from a list of them (``summary``).

    ``columns`` are field keys; ``totals`` names those of them that are added up in the last line.
    """

    key: str = Field(pattern=KEY)
    title: str
    format: Literal["docx", "pdf", "xlsx"]
    kind: Literal["form", "summary", "receipt"] = "form"
    after_step: str | None = None
    columns: tuple[str, ...] = ()
    totals: tuple[str, ...] = ()
    help: str | None = None
    origin: str | None = None


class Criterion(Part):
    """One line of the experts' score sheet; ``points`` is the maximum."""

    key: str = Field(pattern=KEY)
    label: str
    points: int
    help: str | None = None


class Outcome(Part):
    """What an approval gives."""

    kind: Literal["list", "certificate", "amount", "profile"]
    title: str
    valid_years: int | None = None
    amount: str | None = None
    """Question with the amount applied for, in 元 or 万元 as its unit says (kind ``amount``)."""


class Holding(Part):
    """A recognition that the enterprise must hold: for its yearly update, or to have it renewed (kind ``re_review``).

    ``programmes``: any of them counts. ``within_days``: only so many days before it runs out. ``update``: key of the
    information update that must have been handed in this year.
    """

    programmes: tuple[str, ...] = Field(min_length=1)
    within_days: int | None = Field(default=None, ge=1)
    update: str | None = None


class Reminder(Part):
    """Something to do outside the platform, with a tick (paper copy, e-mail)."""

    key: str = Field(pattern=KEY)
    text: str


class Definition(Part):
    """One declaration, described once."""

    key: str = Field(pattern=KEY, max_length=30)
    version: int
    title: str
    short_title: str | None = None
    short_code: str = Field(pattern=r"^[A-Z]{2,4}$")
    kind: Literal[
        "certification", "declaration", "recognition", "subsidy", "change", "update", "re_review", "account_change"
    ]
    jurisdiction: str
    menu: str | None = None
    purpose: str | None = None
    source: dict[str, Any] = Field(default_factory=dict)
    policy_basis: tuple[dict[str, Any], ...] = ()
    parameters: dict[str, Parameter] = Field(default_factory=dict)
    applicant: Applicant = Applicant()
    conditions: tuple[Condition, ...] = ()
    sections: tuple[Section, ...]
    attachments: tuple[Attachment, ...] = ()
    attachments_label: str = "相关佐证材料"
    statement: str | None = None
    route: tuple[Step, ...] = ()
    documents: tuple[Document, ...] = ()
    rubric: tuple[Criterion, ...] = ()
    outcome: Outcome | None = None
    holding: Holding | None = None
    reminders: tuple[Reminder, ...] = ()
    profile_map: dict[str, str] = Field(default_factory=dict)
    """Field key → attribute of ``enterprise`` that approval writes (kind ``certification``)."""

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Definition:
        """A changed copy; what was derived from the original is derived anew."""
        copy = super().model_copy(update=update, deep=deep)
        for name in ("canonical", "stamped_keys", "order"):
            copy.__dict__.pop(name, None)
        return copy

    @cached_property
    def canonical(self) -> str:
        """Canonical JSON: what is stored as an immutable version. Made once, since definitions do not change."""
        data = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @cached_property
    def order(self) -> tuple[SettlingGroup, ...]:
        """In which order answers are settled. Worked out once: a page judges them at every keystroke."""
        return settling_order(self)

    @cached_property
    def stamped_keys(self) -> frozenset[str]:
        """Keys of the attachments that belong to the stamp steps and not to the form."""
        return frozenset(a.key for a in self.attachments if a.stage == "stamp")

    def papers_at(self, step_key: str) -> tuple[Attachment, ...]:
        """What the enterprise files at the step ``step_key`` of kind ``stamp``."""
        return tuple(a for a in self.attachments if a.stage == "stamp" and a.step in (None, step_key))

    def tables(self) -> Iterator[tuple[Section, Table, Table | None]]:
        """Every table with its section and its parent table (None at the first level)."""
        for section in self.sections:
            for table in section.tables:
                yield section, table, None
                for child in table.tables:
                    yield section, child, table

    def table(self, key: str) -> Table:
        """The table ``key``; KeyError if there is none."""
        for _, table, _ in self.tables():
            if table.key == key:
                return table
        raise KeyError(key)

    def fields(self) -> Iterator[tuple[Section, FieldSpec]]:
        """Every field outside tables, with its section."""
        for section in self.sections:
            for field in section.fields:
                yield section, field

    def step(self, key: str) -> Step:
        """The route's step ``key``; KeyError if there is none."""
        for step in self.route:
            if step.key == key:
                return step
        raise KeyError(key)
