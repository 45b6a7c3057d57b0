"""我的待办: what waits, what was handled, and, for enterprises, what they began."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from app.errors import NotFound
from app.models.base import now
from app.permissions import roles
from app.services import bulk, todo
from app.services.listing import Page
from app.services.queue_counts import Filters
from app.views import queue_chips, todo_page
from app.views.guard import signed_in
from app.views.paging import make_pager
from app.views.queue_chips import read_filters

blueprint = Blueprint("todo", __name__)

LISTS = {"waiting": todo.waiting, "handled": todo.handled, "begun": todo.begun}


@blueprint.get("/todo/")
@signed_in
def index() -> Any:
    """One of the lists, filtered by what the address says."""
    tab = request.args.get("tab", "waiting")
    if tab not in LISTS or (tab == "begun" and current_user.enterprise_id is None):
        raise NotFound(_("没有这个列表。请从“我的待办”进入。"))
    filters = read_filters()
    listing = LISTS[tab](current_user, filters)
    chips = queue_chips.chips_of(listing.tally, filters, current_user) if tab == "waiting" else []
    return render_template(
        "todo/index.html",
        tab=tab,
        listing=listing,
        filters=filters,
        rows=todo_page.rows_of(listing, current_user, now()),
        pager=make_pager(
            Page(listing.entries, listing.total, listing.page, listing.size), "todo.index", **queue_chips.kept()
        ),
        groups=chips,
        cleared=queue_chips.cleared(),
        keep=[(name, value) for name, value in queue_chips.kept().items() if name not in ("q", "lang")],
        actions=bulk.ACTIONS if tab == "waiting" and current_user.role_names & set(roles.OFFICERS) else {},
        all_chosen=request.args.get("all") == "1",
    )


@blueprint.get("/todo/next")
@signed_in
def most_urgent() -> Any:
    """Lead to the most urgent thing that no colleague is at work on, or to the list."""
    if current_user.enterprise_id is None:
        found = todo.most_urgent(current_user)
        return redirect(url_for("review.show", id=found) if found else url_for("todo.index"))
    first = todo.waiting(current_user, Filters())
    if not first.entries:
        return redirect(url_for("todo.index"))
    return redirect(todo_page.row_of(first.entries[0], current_user, now(), first.holidays).url)
