"""下达资金: the finance office's page of a batch, a look at the sum, the allocation row by row, and its list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_login import current_user

from app.documents.capital import LARGEST, capital_words
from app.errors import Conflict, InvalidInput
from app.forms.office import DocumentForm, mark_errors, read_amounts, read_day
from app.models.base import new_public_id
from app.permissions import roles
from app.services import allotment
from app.services import batch as batches
from app.services.allotment import Order, Wanted
from app.services.batch import Summary
from app.services.funding import check_document
from app.services.reference import region_name
from app.services.row_results import is_kept
from app.views.batch_page import choices_of
from app.views.download import send_generated
from app.views.guard import roles_required
from app.views.office_page import needed_key, today_iso

blueprint = Blueprint("funding", __name__)

readers = roles_required(*roles.STAFF)
finance = roles_required(roles.FINANCE)


@dataclass(frozen=True)
class Line:
    """One row of the form. ``amount`` as it was typed, ``error`` what is wrong with it."""

    id: str
    version: int
    name: str
    serial: str
    region: str
    approved: str
    amount: str
    chosen: bool
    error: str = ""


@blueprint.get("/batches/<uuid:id>/funding")
@readers
def show(id: Any) -> Any:
    """What waits for its funds, and what was allocated already."""
    return _show(batches.load(current_user, str(id)), DocumentForm(data={"dated": today_iso()}))


def _show(summary: Summary, form: DocumentForm, error: InvalidInput | Conflict | None = None) -> str:
    done = allotment.allocated(current_user, summary.batch)
    total = allotment.total_of([a.amount for a in done])
    return render_template(
        "funding/show.html", batch=summary.batch, form=form, lines=_lines(summary, error), done=done, total=total,
        message=error.message if error else None, words=capital_words(min(total, LARGEST)),
        finance=roles.FINANCE in current_user.role_names,
    )  # fmt: skip


def _lines(summary: Summary, error: InvalidInput | Conflict | None) -> list[Line]:
    typed, posted = read_amounts(request.form), request.method == "POST"
    chosen = {text.partition(":")[0] for text in request.form.getlist("chosen")}
    errors = error.fields if error else {}
    lines = []
    for row in allotment.waiting(current_user, summary.batch):
        d = row.declaration
        approved = f"{row.approved:.2f}" if row.approved is not None else ""
        lines.append(
            Line(
                d.public_id, d.version, d.enterprise_name or "", d.serial_no or "", region_name(d.region_code),
                f"{row.approved:,.2f}" if row.approved is not None else "",
                typed.get(d.public_id, approved), not posted or d.public_id in chosen,
                errors.get(f"amount.{d.public_id}", ""),
            )
        )  # fmt: skip
    return lines


@blueprint.post("/batches/<uuid:id>/funding")
@finance
def allocate(id: Any) -> Any:
    """Look at the sum (``stage=preview``), go back, or allocate (``stage=allocate``)."""
    summary, form, stage = batches.load(current_user, str(id)), DocumentForm(request.form), request.form.get("stage")
    try:
        if stage == "allocate":
            return _allocate(summary, form)
        if stage == "preview":
            return _preview(summary, form)
    except (InvalidInput, Conflict) as error:
        if isinstance(error, InvalidInput):
            mark_errors(form, error)
        return _show(summary, form, error), error.status
    return _show(summary, form)


def _wanted(summary: Summary, form: DocumentForm) -> list[Wanted]:
    """The chosen rows. InvalidInput with all faults of rows and document at once."""
    errors: dict[str, str] = {}
    wanted: list[Wanted] = []
    try:
        rows = allotment.waiting(current_user, summary.batch)
        wanted = allotment.wanted_of(rows, choices_of(request.form), read_amounts(request.form))
    except InvalidInput as error:
        errors = error.fields or {"chosen": error.message}
    for check in (lambda: read_day(form.dated), lambda: check_document(form.doc_no.data or "", read_day(form.dated))):
        try:
            check()
        except InvalidInput as error:
            errors = {**errors, **error.fields}
    if errors:
        raise InvalidInput("".join(dict.fromkeys(errors.values())), fields=errors)
    return wanted


def _preview(summary: Summary, form: DocumentForm) -> str:
    wanted = _wanted(summary, form)
    total = allotment.total_of([w.amount for w in wanted])
    return render_template(
        "funding/preview.html", batch=summary.batch, form=form, wanted=wanted, total=total, words=_words(total),
        key=new_public_id(), region_name=region_name,
    )  # fmt: skip


def _words(total: Any) -> str:
    if total > LARGEST:
        raise InvalidInput("合计超出了能办理的范围。请分几次下达。")
    return capital_words(total)


def _allocate(summary: Summary, form: DocumentForm) -> Any:
    key = needed_key()
    if not is_kept(current_user, key):
        order = Order(form.doc_no.data or "", read_day(form.dated), key, request.remote_addr)
        allotment.allocate_all(current_user, _wanted(summary, form), order)
    return redirect(url_for("todo_bulk.show", id=key), 303)


@blueprint.get("/batches/<uuid:id>/funding.xlsx")
@readers
def sheet(id: Any) -> Response:
    """What was allocated, as Excel."""
    summary = batches.load(current_user, str(id))
    return send_generated(allotment.allocated_sheet(current_user, summary.batch))
