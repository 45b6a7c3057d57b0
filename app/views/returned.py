"""What a return asks for, as the enterprise sees it: every remark with its place, what was done about it, its reply."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flask import url_for
from flask_babel import gettext as _

from app.definitions.evaluation import ATTACHMENTS
from app.definitions.schema import Section
from app.models import Remark
from app.models.review import WHOLE
from app.services import review
from app.services.opened import Opened
from app.views.wizard_page import anchor


@dataclass(frozen=True)
class Asked:
    """One open remark. ``url`` leads to its place (None: it is about the whole); ``state``: changed, replied or left."""

    remark: Remark
    url: str | None
    state: str


@dataclass(frozen=True)
class Returned:
    """Everything that was asked; ``partly`` tells whether only those places are open."""

    opinion: str
    partly: bool
    asked: list[Asked]

    @property
    def placed(self) -> list[Asked]:
        """Remarks that name a place."""
        return [a for a in self.asked if a.url]

    @property
    def done(self) -> int:
        """How many of them were changed or replied to."""
        return sum(a.state != "left" for a in self.placed)

    @property
    def words(self) -> str:
        """``3 处要改，已改 1 处``; empty if no place is named."""
        if not self.placed:
            return ""
        return _("%(n)s 处要改，已改 %(done)s 处", n=len(self.placed), done=self.done)


def returned(opened: Opened) -> Returned | None:
    """What the return of ``opened`` asks for; None if it was not returned."""
    if opened.declaration.status != "returned":
        return None
    open_ = [r for r in opened.remarks if r.state == "open"]
    changed = review.changed_by_hand(opened) if open_ else set()
    asked = [Asked(r, _url(opened, r.path), _state(r, changed)) for r in open_]
    opinion = next((e.opinion or "" for e in opened.events if e.action == "return"), "")
    return Returned(opinion, bool(opened.declaration.reopened), asked)


def _state(remark: Remark, changed: Iterable[str]) -> str:
    """Whether the place was changed: the answer itself, or anything in the row or table that the remark is about."""
    path = remark.path
    # A removed row is told at its table.
    table = path.rpartition("/")[0]
    if any(p == path or p.startswith(f"{path}/") or (p == table and _is_row(path)) for p in changed):
        return "changed"
    return "replied" if remark.reply else "left"


def _is_row(path: str) -> bool:
    return "/" in path and path.count("/") % 2 == 1 and not path.startswith("@")


def _url(opened: Opened, path: str) -> str | None:
    """Address of the wizard's page with ``path`` at hand."""
    if path == WHOLE:
        return None
    public_id = opened.declaration.public_id
    if path.startswith("@"):
        return url_for("wizard.section", id=public_id, section=ATTACHMENTS, _anchor=anchor(opened, path))
    first = path.split("/")[0]
    section = next((s.key for s in opened.definition.sections if first in _keys_of(s)), None)
    if section is None:
        return None
    at = "/".join(path.split("/")[:2]) if "/" in path else None
    return url_for("wizard.section", id=public_id, section=section, at=at, _anchor=anchor(opened, path))


def _keys_of(section: Section) -> set[str]:
    return {f.key for f in section.fields} | {t.key for t in section.tables}
