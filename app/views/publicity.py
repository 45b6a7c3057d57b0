"""A running 公示 as its office sees it: every row with its objections, and the end of the period."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from app.errors import InvalidInput
from app.forms.batch import PublicationForm
from app.forms.office import mark_errors
from app.models.base import new_public_id
from app.permissions import roles
from app.services import publication
from app.services import publicity_board as boards
from app.services.publicity import Announcement
from app.services.publicity_board import Board, Row
from app.views.guard import roles_required
from app.views.office_page import needed_key, period_words, waiting_words

blueprint = Blueprint("publicity", __name__)

readers = roles_required(*boards.OFFICES, roles.ADMIN)
offices = roles_required(*boards.OFFICES)


def row_state(row: Row) -> tuple[str, str]:
    """Words and tone of a row."""
    if row.state == "clear":
        return _("无异议"), "ok"
    if row.state == "objected":
        return _("异议处理中"), "warn"
    if row.state == "removed":
        upheld = any(o.state == "upheld" for o in row.objections)
        return (_("异议成立，已撤下") if upheld else _("已撤下")), "bad"
    return (_("已转“%(step)s”", step=row.step.label) if row.step is not None else _("已办结")), "go"


@blueprint.get("/batches/publicity/<uuid:id>/")
@readers
def show(id: Any) -> Any:
    """Rows with their state, and what can be done now."""
    board = boards.load_board(current_user, str(id))
    return render_template(
        "publicity/show.html", board=board, listed=board.public, period=period_words(board.public),
        words=waiting_words(board.public), row_state=row_state,
    )  # fmt: skip


@blueprint.get("/batches/publicity/<uuid:id>/conclusion")
@offices
def preview(id: Any) -> Any:
    """What would become of every row, before anything is done."""
    board = boards.load_board(current_user, str(id))
    title = publication.default_title(board.public.batch)
    return _preview(board, PublicationForm(data={"title": title}), announce=board.ends_route)


def _preview(board: Board, form: PublicationForm, *, announce: bool, message: str | None = None) -> str:
    return render_template(
        "publicity/conclusion.html", board=board, listed=board.public, period=period_words(board.public), form=form,
        announce=announce, message=message, key=request.form.get("key") or new_public_id(),
    )  # fmt: skip


@blueprint.post("/batches/publicity/<uuid:id>/conclusion")
@offices
def conclude(id: Any) -> Any:
    """公示期满: everything without an open objection goes on; what does not fit comes back as it was typed."""
    form, announce = PublicationForm(request.form), request.form.get("announce") == "1"
    key = needed_key()
    texts = Announcement(form.title.data or "", form.body.data or "", current_app.config["SITE_OWNER"])
    try:
        boards.conclude_board(current_user, str(id), key, texts if announce else None, address=request.remote_addr)
    except InvalidInput as error:
        mark_errors(form, error)
        board = boards.load_board(current_user, str(id))
        return _preview(board, form, announce=announce, message=error.message), error.status
    return redirect(url_for("todo_bulk.show", id=key), 303)
