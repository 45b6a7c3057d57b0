"""我的待办: what waits, what was handled, and, for enterprises, what they began."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from app.errors import NotFound
from app.fields.base import clean_text
from app.models.base import now
from app.services import todo
from app.services.listing import Page
from app.services.todo import Filters
from app.views import todo_page
from app.views.guard import signed_in
from app.views.paging import asked_page, make_pager

blueprint = Blueprint("todo", __name__)

LISTS = {"waiting": todo.waiting, "handled": todo.handled, "begun": todo.begun}


@blueprint.get("/todo/")
@signed_in
def index() -> Any:
    """One of the lists, filtered by what the address says."""
    tab = request.args.get("tab", "waiting")
    if tab not in LISTS or (tab == "begun" and current_user.enterprise_id is None):
        raise NotFound(_("没有这个列表。请从“我的待办”进入。"))
    filters = _filters()
    listing = LISTS[tab](current_user, filters)
    return render_template(
        "todo/index.html",
        tab=tab,
        listing=listing,
        filters=filters,
        rows=todo_page.rows_of(listing, current_user, now()),
        pager=make_pager(Page(listing.entries, listing.total, listing.page, todo.PAGE), "todo.index", **_kept()),
        chips=todo_page.chips_of(listing.kinds, filters) if tab == "waiting" else [],
        address=todo_page.address,
    )


@blueprint.get("/todo/next")
@signed_in
def most_urgent() -> Any:
    """Lead to the most urgent thing, or to the empty list."""
    first = todo.waiting(current_user, Filters())
    if not first.entries:
        return redirect(url_for("todo.index"))
    return redirect(todo_page.row_of(first.entries[0], current_user, now(), first.holidays).url)


def _kept() -> dict[str, str]:
    """What stays in the address while pages are turned."""
    return {k: v for k, v in request.args.items() if k not in ("page", "psize")}


def _filters() -> Filters:
    args = request.args
    return Filters(
        programme=args.get("programme") or None,
        step=args.get("step") or None,
        soon=args.get("soon") == "1",
        query=clean_text(args.get("q", ""))[:100],
        page=asked_page(todo.PAGE).number,
    )
