"""认定管理: what was given, by state; correcting and revoking it with a reason."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from app.errors import Conflict, InvalidInput
from app.forms.office import OutcomeForm, mark_errors, read_optional_day
from app.forms.review import read_version
from app.models import Recognition
from app.models.base import now
from app.permissions import roles
from app.services import outcome
from app.services import recognition as recognitions
from app.services.enterprise import RECOGNITION_TONES, RECOGNITION_WORDS
from app.services.outcome import Correction
from app.services.portal import clean_query
from app.views.guard import roles_required
from app.views.paging import asked_page, make_pager
from app.workflow.calendar import local_date
from app.workflow.outcomes import BAN_YEARS, day_words, find_outcome_deed, years_after

blueprint = Blueprint("recognition", __name__)

readers = roles_required(*roles.STAFF)
officers = roles_required(*roles.OFFICERS)
LABELS = {"valid": "有效", "soon": "90 天内到期", "under_review": "复核中", "expired": "已到期", "revoked": "已取消"}


@blueprint.get("/outcomes/")
@readers
def index() -> Any:
    """Everything that was given in the reader's region; ``?state=`` and ``?q=`` choose."""
    state, query = request.args.get("state") or None, clean_query(request.args.get("q", ""))
    page = recognitions.list_recognitions(current_user, state, query, asked_page(recognitions.PAGE))
    return render_template(
        "recognition/index.html", page=page, pager=make_pager(page, "recognition.index", state=state, q=query),
        chips=_chips(state, query), query=query, state=state, state_of=state_of,
    )  # fmt: skip


def _chips(chosen: str | None, query: str) -> list[tuple[str, str, bool]]:
    """One chip for each state with its count; the chosen one takes itself away."""
    counts = recognitions.count_by_view(current_user, query)
    return [
        (
            f"{_(LABELS[v])} {counts[v]}",
            url_for("recognition.index", state=None if v == chosen else v, q=query or None),
            v == chosen,
        )
        for v in recognitions.VIEWS
    ]


def state_of(recognition: Recognition) -> tuple[str, str]:
    """Words and tone of a recognition's state."""
    if recognitions.is_soon(recognition):
        return _("快到期"), "warn"
    return _(RECOGNITION_WORDS[recognition.state]), RECOGNITION_TONES[recognition.state]


@blueprint.get("/outcomes/<int:id>/")
@readers
def show(id: int) -> Any:
    """One recognition with what happened to it, and the forms for who may change it."""
    return _show(id, None)


def _show(id: int, form: OutcomeForm | None, *, doing: str = "", message: str | None = None) -> str:
    held = recognitions.load_recognition(current_user, id)
    found = held.recognition
    days = {"valid_from": str(found.valid_from), "valid_to": str(found.valid_to or "")}
    typed = OutcomeForm(data={"title": found.title, "certificate_no": found.certificate_no or "", **days})
    return render_template(
        "recognition/show.html", held=held, recognition=found, state=state_of(found), message=message, doing=doing,
        correcting=form if form is not None and doing == "correct" else typed,
        revoking=form if form is not None and doing == "revoke" else OutcomeForm(),
        can_correct=held.in_charge and find_outcome_deed(found.state, "correct") is not None,
        can_revoke=held.in_charge and find_outcome_deed(found.state, "revoke") is not None,
        office=roles.LABELS.get(found.level, ""), ban_years=BAN_YEARS,
    )  # fmt: skip


@blueprint.post("/outcomes/<int:id>/revoke")
@officers
def revoke(id: int) -> Any:
    """Say what a revocation brings about (``stage=preview``), then carry it out (``stage=revoke``)."""
    form, stage = OutcomeForm(request.form), request.form.get("stage")
    held = recognitions.load_recognition(current_user, id)
    reason = form.reason.data or ""
    try:
        version = read_version(request.form.get("version"))
        if not reason.strip():
            raise InvalidInput(
                _("请写明取消认定的理由，企业会看到这段话。"), fields={"reason": _("请写明理由，企业会看到这段话。")}
            )
        if stage == "revoke":
            outcome.revoke(current_user, id, reason, version=version)
            flash(_("认定已取消，企业会收到消息"), "success")
            return redirect(url_for("recognition.show", id=id), 303)
    except (InvalidInput, Conflict) as error:
        return _refused(id, form, "revoke", error)
    if stage != "preview":
        return _show(id, form, doing="revoke")
    ban = day_words(years_after(local_date(now()), BAN_YEARS) - timedelta(days=1))
    return render_template(
        "recognition/confirm.html", held=held, recognition=held.recognition, reason=reason, version=version, ban=ban
    )


@blueprint.post("/outcomes/<int:id>/correct")
@officers
def correct(id: int) -> Any:
    """更正认定: name, certificate number, days of validity, with the reason."""
    form = OutcomeForm(request.form)
    try:
        version = read_version(request.form.get("version"))
        correction = Correction(
            form.title.data, form.certificate_no.data or None, read_optional_day(form.valid_from),
            read_optional_day(form.valid_to),
        )  # fmt: skip
        outcome.correct(current_user, id, correction, form.reason.data or "", version=version)
    except (InvalidInput, Conflict) as error:
        return _refused(id, form, "correct", error)
    flash(_("认定已更正，企业会收到消息"), "success")
    return redirect(url_for("recognition.show", id=id), 303)


def _refused(id: int, form: OutcomeForm, doing: str, error: InvalidInput | Conflict) -> Any:
    if isinstance(error, InvalidInput):
        mark_errors(form, error)
    return _show(id, form, doing=doing, message=error.message), error.status
