"""数据: every grid once, grouped, with the number of rows that the person may see."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, abort, current_app, render_template, request
from flask_login import current_user
from sqlalchemy import func, literal, select, union_all

from app.extensions import db
from app.permissions import roles
from app.services.permission import doors_of
from app.views.admin.core import GROUPS
from app.views.admin.spec import Grid
from app.views.guard import signed_in

blueprint = Blueprint("data", __name__)


@dataclass(frozen=True)
class Entry:
    """One grid on the page."""

    label: str
    url: str
    count: int
    children: list[Entry]


@blueprint.get("/admin/")
@signed_in
def index() -> str:
    """The index of grids; ``?q=`` keeps those whose name contains it."""
    if not current_user.role_names & set(roles.OPEN_TO):
        abort(403)
    query = request.args.get("q", "").strip()[:40]
    open_doors = doors_of(current_user)
    grids = [g for g in current_app.extensions["grids"] if g.name in open_doors]
    counts = _counts(grids)
    groups = [(name, _entries(grids, counts, name, query)) for name in GROUPS]
    shown = [(name, entries) for name, entries in groups if entries]
    return render_template("admin/index.html", groups=shown, query=query, total=len(grids))


def _counts(grids: list[Grid]) -> dict[str, int]:
    """Rows in scope of every grid, in one statement."""
    if not grids:
        return {}
    parts = [
        select(literal(g.name), func.count()).select_from(g.model).where(g.scope(current_user._get_current_object()))
        for g in grids
    ]
    return {name: count for name, count in db.session.execute(union_all(*parts))}


def _entries(grids: list[Grid], counts: dict[str, int], group: str, query: str) -> list[Entry]:
    def entry(grid: Grid) -> Entry:
        children = [entry(g) for g in grids if g.parent == grid.name]
        return Entry(grid.label, f"/admin/{grid.name}/list/", counts[grid.name], children)

    def matches(grid: Grid) -> bool:
        return query in grid.label or any(matches(g) for g in grids if g.parent == grid.name)

    return [entry(g) for g in grids if g.group == group and g.parent is None and (not query or matches(g))]
