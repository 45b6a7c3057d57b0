"""The filters of a queue as they stand in the address, and as chips that say how many each would leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import request, url_for
from flask_babel import gettext as _

from app.errors import DomainError
from app.fields.base import clean_text
from app.models import Account
from app.permissions import roles
from app.services import todo
from app.services.queue_counts import CLAIMS, Filters, Kind, Tally
from app.services.reference import region_name
from app.views.paging import asked_page
from app.workflow.steps import STATUS_LABELS

CHOSEN = ("programme", "step", "batch", "district", "claim", "soon", "overdue", "again", "findings")
"""Parameters that are chips."""
KEPT = ("tab", *CHOSEN, "q", "lang")
"""Parameters of the lists. Any other name must not reach ``url_for``, which has names of its own (``_scheme``, ``endpoint``)."""

Chip = tuple[str, str, bool]
"""Words with the count, address that switches it, whether it is on."""


@dataclass(frozen=True)
class ChipGroup:
    """Chips of one dimension. ``folded``: there may be many, so they stand behind 更多筛选."""

    label: str
    chips: list[Chip]
    folded: bool = False

    @property
    def on(self) -> bool:
        """Whether any of them is."""
        return any(chip[2] for chip in self.chips)


def read_filters() -> Filters:
    """What the address asks for. DomainError for a page or a claim that there cannot be."""
    args, asked = request.args, asked_page(todo.PAGE)
    claim = args.get("claim") or None
    if claim is not None and claim not in CLAIMS:
        raise DomainError(_("没有这个筛选条件“%(text)s”。请从“我的待办”里选。", text=claim[:20]))
    return Filters(
        programme=args.get("programme") or None,
        step=args.get("step") or None,
        batch=args.get("batch") or None,
        district=args.get("district") or None,
        claim=claim,
        soon=args.get("soon") == "1",
        overdue=args.get("overdue") == "1",
        again=args.get("again") == "1",
        findings=args.get("findings") == "1",
        query=clean_text(args.get("q", ""))[:100],
        page=asked.number,
        size=asked.size,
    )


def kept() -> dict[str, str]:
    """What stays in the address while pages are turned."""
    return {name: request.args[name] for name in KEPT if name in request.args}


def address(**changes: str | None) -> str:
    """This page's address with some parameters replaced (None removes); always from the first page."""
    return _Here.now().address(**changes)


@dataclass(frozen=True)
class _Here:
    """This page, read once for all the addresses that differ by one parameter."""

    path: str
    kept: Mapping[str, str]

    @classmethod
    def now(cls) -> _Here:
        return cls(url_for(request.endpoint or ""), kept())

    def address(self, **changes: str | None) -> str:
        args = {k: v for k, v in {**self.kept, **changes}.items() if v not in (None, "")}
        return f"{self.path}?{urlencode(args)}" if args else self.path


def cleared() -> str:
    """This list without any filter."""
    return address(**dict.fromkeys((*CHOSEN, "q")))


def chips_of(tally: Tally, filters: Filters, user: Account) -> list[ChipGroup]:
    """All groups that leave something to choose; each chip toggles its part of the address."""
    here = _Here.now()
    programmes = {k.programme: k.title for k in tally.kinds}
    groups = [
        ChipGroup(_("项目"), _values(here, "programme", programmes, filters.programme, tally)),
        ChipGroup(_("步骤"), _values(here, "step", _steps(tally, filters), filters.step, tally)),
        ChipGroup(_("情况"), _switches(here, tally, filters)),
    ]
    if user.role_names & set(roles.OFFICERS):
        batches = {b.public_id: b.title for b in tally.batches.values()}
        districts = {code: region_name(code) or code for code in sorted(tally.values("district")) if code}
        groups += [
            ChipGroup(_("认领"), _claims(here, tally, filters)),
            ChipGroup(_("批次"), _values(here, "batch", batches, filters.batch, tally), folded=True),
            ChipGroup(_("区县"), _values(here, "district", districts, filters.district, tally), folded=True),
        ]
    return [g for g in groups if g.chips]


def _steps(tally: Tally, filters: Filters) -> dict[str, str]:
    return {k.place: _step_label(k) for k in tally.kinds if filters.programme in (None, "", k.programme)}


def _step_label(kind: Kind) -> str:
    return kind.label or _(STATUS_LABELS[kind.status])


def _switches(here: _Here, tally: Tally, filters: Filters) -> list[Chip]:
    """Chips that are on or off by themselves; one that leaves nothing is shown only while it is on."""
    labels = {
        "overdue": (_("已超期"), filters.overdue),
        "soon": (_("3 个工作日内到期"), filters.soon),
        "again": (_("再次提交"), filters.again),
        "findings": (_("自动核对有疑问"), filters.findings),
    }
    chips = []
    for name, (label, on) in labels.items():
        count = tally.counts.get((name, "1"), 0)
        if count or on:
            chips.append(_chip(here, name, "1", label, count, on))
    return chips


def _claims(here: _Here, tally: Tally, filters: Filters) -> list[Chip]:
    labels = {"mine": _("我的"), "free": _("未认领"), "others": _("别人的")}
    counts = {value: tally.counts.get(("claim", value), 0) for value in CLAIMS}
    if filters.claim is None and not (counts["mine"] or counts["others"]):
        return []
    return [_chip(here, "claim", v, labels[v], counts[v], filters.claim == v) for v in CLAIMS]


def _values(here: _Here, name: str, labels: Mapping[str, str], chosen: str | None, tally: Tally) -> list[Chip]:
    """A chip for each value of a dimension; none where there is nothing to choose."""
    if len(labels) < 2 and not chosen:
        return []
    counts = tally.values(name)
    return [_chip(here, name, v, label, counts.get(v, 0), v == chosen) for v, label in labels.items()]


def _chip(here: _Here, name: str, value: str, label: str, count: int, on: bool) -> Chip:
    return f"{label} {count}", here.address(**{name: None if on else value}), on
