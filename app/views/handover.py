"""行文推荐: choosing declarations, the sealed letter, a look at it, handing over; and reading what was handed over."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from app.errors import Conflict, DomainError, InvalidInput
from app.forms.office import DocumentForm, mark_errors, read_day
from app.forms.review import read_version
from app.permissions import roles
from app.services import batch as batches
from app.services import handover as handovers
from app.services.handover_sheet import handover_sheet
from app.views.batch_page import Line, choices_of
from app.views.download import send_generated, send_office_file
from app.views.guard import roles_required
from app.views.office_page import today_iso

blueprint = Blueprint("handover", __name__)

readers = roles_required(*roles.STAFF)
senders = roles_required(roles.DISTRICT, roles.CITY, roles.PROVINCE)


@blueprint.get("/batches/<uuid:id>/handovers/")
@readers
def index(id: Any) -> Any:
    """What waits for a hand-over, the open one, and the earlier ones."""
    return _index(id)


def _index(id: Any, chosen: dict[str, int] | None = None, message: str | None = None) -> str:
    summary = batches.load(current_user, str(id))
    found = handovers.handovers_of(current_user, summary.batch)
    return render_template(
        "handover/index.html", batch=summary.batch, chosen=chosen or {}, message=message,
        lines=[Line.of(d) for d in handovers.waiting(current_user, summary.batch)],
        open_ones=[h for h in found if h.state == "open"], sent=[h for h in found if h.state == "sent"],
    )  # fmt: skip


@blueprint.post("/batches/<uuid:id>/handovers/")
@senders
def gather(id: Any) -> Any:
    """Put the chosen ones on a new list, or on the open one that the form names."""
    chosen: dict[str, int] = {}
    try:
        chosen = choices_of(request.form)
        named = request.form.get("handover") or None
        new = handovers.gather(current_user, str(id), chosen, handover_id=named)
    except (InvalidInput, Conflict) as error:
        return _index(id, chosen, error.message), error.status
    flash(_("已列入 %(n)s 家，接着上传盖章的推荐文件", n=len(chosen)), "success")
    return redirect(url_for("handover.show", id=new), 303)


@blueprint.get("/handovers/<uuid:id>/")
@readers
def show(id: Any) -> Any:
    """The list, the letter, and what is still to be filled in."""
    return _show(id, DocumentForm(data={"dated": today_iso()}))


def _show(id: Any, form: DocumentForm, message: str | None = None) -> str:
    handover, entries = handovers.load(current_user, str(id))
    return render_template(
        "handover/show.html", handover=handover, entries=entries, form=form, message=message,
        editing=handover.state == "open",
    )  # fmt: skip


@blueprint.post("/handovers/<uuid:id>/letter")
@senders
def letter(id: Any) -> Any:
    """Upload the sealed letter; a second one replaces the first."""
    file = request.files.get("letter")
    try:
        if file is None or not file.filename:
            raise InvalidInput(_("还没有选文件。请先选择盖章的推荐文件（PDF），再点上传。"))
        handovers.put_letter(current_user, str(id), file.stream, file.filename)
    except DomainError as error:
        if error.status not in (409, 413, 422):
            raise
        form = DocumentForm(data={"dated": today_iso()})
        return _show(id, form, error.message), error.status
    flash(_("推荐文件已上传"), "success")
    return redirect(url_for("handover.show", id=id), 303)


@blueprint.get("/handovers/<uuid:id>/letter")
@readers
def read_letter(id: Any) -> Response:
    """The sealed letter."""
    name, handle = handovers.open_letter(current_user, str(id))
    handover, _entries = handovers.load(current_user, str(id))
    return send_office_file(name, handle, handover.letter_sha256 or "")


@blueprint.post("/handovers/<uuid:id>/entries/<uuid:declaration_id>/remove")
@senders
def take_out(id: Any, declaration_id: Any) -> Any:
    """Take one declaration off the list."""
    handovers.take_out(current_user, str(id), str(declaration_id))
    flash(_("已移出名单，这件申报回到待推荐"), "success")
    return redirect(url_for("handover.show", id=id), 303)


@blueprint.post("/handovers/<uuid:id>/")
@senders
def send(id: Any) -> Any:
    """Look at it as it will go out (``stage=preview``), then hand over (``stage=send``)."""
    form, stage = DocumentForm(request.form), request.form.get("stage")
    try:
        version, dated = read_version(request.form.get("version")), read_day(form.dated)
        if stage == "send":
            done = handovers.hand_over(
                current_user, str(id), form.doc_no.data or "", dated, version=version, address=request.remote_addr
            )
            flash(_("已报出 %(doc_no)s，申报已转入下一步", doc_no=done.doc_no), "success")
            return redirect(url_for("handover.show", id=id), 303)
        if stage == "preview":
            return _preview(id, form, version, dated)
    except (InvalidInput, Conflict) as error:
        if isinstance(error, InvalidInput):
            mark_errors(form, error)
        return _show(id, form, error.message), error.status
    return _show(id, form)


def _preview(id: Any, form: DocumentForm, version: int, dated: date) -> str:
    handover, entries = handovers.load(current_user, str(id))
    number = handovers.check_sending(handover, entries, form.doc_no.data or "", dated, version)
    return render_template(
        "handover/preview.html", handover=handover, entries=entries, doc_no=number, dated=dated, version=version
    )


@blueprint.get("/handovers/<uuid:id>/list.xlsx")
@readers
def sheet(id: Any) -> Response:
    """The list of a hand-over as Excel, for printing."""
    return send_generated(handover_sheet(current_user, str(id)))
