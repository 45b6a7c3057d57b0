"""Objections against one publicised declaration: registering them, their evidence, and what the enquiry came to."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from app.errors import Conflict, InvalidInput, NotFound
from app.forms.office import ConclusionForm, ObjectionForm, mark_errors, read_day
from app.forms.review import read_key, read_version
from app.models import Objection
from app.models.base import new_public_id
from app.permissions import roles
from app.services import office_file, publicity
from app.services.declaration import load, reload
from app.services.opened import Opened
from app.services.publicity import Stated
from app.services.publicity_board import OFFICES
from app.views.download import send_office_file
from app.views.guard import roles_required
from app.views.office_page import period_words, today_iso, waiting_words

blueprint = Blueprint("objection", __name__)

# Who objected is the business of the offices that publicise, not of every office that may read the declaration.
readers = roles_required(*OFFICES, roles.ADMIN)
officers = roles_required(*OFFICES)
STATES = {
    "open": ("核查中", "warn"),
    "dismissed": ("不成立", "ok"),
    "upheld": ("成立", "bad"),
    "moot": ("不用再查", ""),
}
"""Words and tone of an objection's state."""


@blueprint.get("/review/<uuid:id>/objections")
@readers
def index(id: Any) -> Any:
    """The objections so far, and the form for another one while the period allows it."""
    opened = load(str(id), current_user)
    name = opened.declaration.enterprise_name or ""
    form = ObjectionForm(data={"unit": name, "received_on": today_iso()})
    return _index(opened, form)


def _index(opened: Opened, form: ObjectionForm, message: str | None = None) -> str:
    public_id = opened.declaration.public_id
    possible = next((o for o in opened.options() if o.deed.action == "object"), None)
    # The first reason is always that nothing is stated yet: the form is there for it.
    reasons = [r for r in possible.reasons if not r.startswith("请先登记异议")] if possible else []
    return render_template(
        "objection/index.html", opened=opened, declaration=opened.declaration, form=form, message=message,
        objections=publicity.objections_of(current_user, public_id), states=STATES, listed=opened.publicity,
        can_register=possible is not None and not reasons, reasons=reasons, key=request.form.get("key") or new_public_id(),
        deciding=any(o.deed.action == "dismiss_objection" for o in opened.options()),
        period=period_words(opened.publicity) if opened.publicity else "",
        words=waiting_words(opened.publicity) if opened.publicity else "",
    )  # fmt: skip


@blueprint.post("/review/<uuid:id>/objections")
@officers
def register(id: Any) -> Any:
    """收到异议; what does not fit comes back as it was typed, nothing registered."""
    form = ObjectionForm(request.form)
    try:
        version, key = read_version(request.form.get("version")), read_key(request.form.get("key"))
        stated = _stated(form)
        publicity.register_objection(
            current_user, str(id), stated, version=version, key=key, address=request.remote_addr
        )
    except (InvalidInput, Conflict) as error:
        if isinstance(error, InvalidInput):
            mark_errors(form, error)
        return _index(reload(str(id), current_user), form, error.message), error.status
    flash(_("异议已登记，企业会收到消息；核查完请写结论"), "success")
    return redirect(url_for("objection.index", id=id), 303)


def _stated(form: ObjectionForm) -> Stated:
    """The form as an objection, its evidence in the store. InvalidInput with all faults of the form at once."""
    received_on, errors = None, {}
    try:
        received_on = read_day(form.received_on)
    except InvalidInput as error:
        errors = error.fields
    stated = Stated(
        form.objector.data or "", form.contact.data or "", form.unit.data or "", form.content.data or "",
        received_on or _some_day(),
    )  # fmt: skip
    try:
        publicity.check_objection(stated)
    except InvalidInput as error:
        errors = {**error.fields, **errors}
    if errors:
        raise InvalidInput("".join(errors.values()), fields=errors)
    file = request.files.get("evidence")
    if file is None or not file.filename:
        return stated
    kept = office_file.receive(office_file.EVIDENCE, file.stream, file.filename)
    return Stated(stated.objector, stated.contact, stated.unit, stated.content, stated.received_on, kept)


def _some_day() -> date:
    """A day that is always accepted, to look at the other fields when the real one cannot be read."""
    return date(2000, 1, 1)


@blueprint.get("/review/<uuid:id>/objections/<uuid:objection_id>")
@officers
def decide_page(id: Any, objection_id: Any) -> Any:
    """One objection with the form for the conclusion."""
    opened = load(str(id), current_user)
    return _decide_page(opened, _find(opened, str(objection_id)), ConclusionForm())


def _find(opened: Opened, objection_id: str) -> Objection:
    found = publicity.objections_of(current_user, opened.declaration.public_id)
    objection = next((o for o in found if o.public_id == objection_id), None)
    if objection is None:
        raise NotFound(_("没有找到这条异议。请从这件申报的“异议”里重新打开。"))
    return objection


def _decide_page(opened: Opened, objection: Objection, form: ConclusionForm, message: str | None = None) -> str:
    return render_template(
        "objection/decide.html", opened=opened, declaration=opened.declaration, objection=objection, form=form,
        message=message, states=STATES, key=request.form.get("key") or new_public_id(),
        deciding=objection.state == "open" and any(o.deed.action == "dismiss_objection" for o in opened.options()),
    )  # fmt: skip


@blueprint.post("/review/<uuid:id>/objections/<uuid:objection_id>")
@officers
def decide(id: Any, objection_id: Any) -> Any:
    """Look at what the conclusion brings about (``stage=preview``), then carry it out (``stage=decide``)."""
    form, stage = ConclusionForm(request.form), request.form.get("stage")
    opened = load(str(id), current_user)
    objection = _find(opened, str(objection_id))
    try:
        version, upheld = read_version(request.form.get("version")), _checked(form)
        if stage == "decide":
            publicity.decide_objection(
                current_user, str(id), str(objection_id), upheld=upheld, conclusion=form.conclusion.data or "",
                version=version, key=read_key(request.form.get("key")), address=request.remote_addr,
            )  # fmt: skip
            flash(_("结论已记下，企业会收到消息") if upheld else _("结论已记下，公示继续"), "success")
            return redirect(url_for("objection.index", id=id), 303)
    except (InvalidInput, Conflict) as error:
        if isinstance(error, InvalidInput):
            mark_errors(form, error)
        opened = reload(str(id), current_user)
        return _decide_page(opened, _find(opened, str(objection_id)), form, error.message), error.status
    if stage != "preview":
        return _decide_page(opened, objection, form)
    return render_template(
        "objection/confirm.html", opened=opened, declaration=opened.declaration, objection=objection, form=form,
        upheld=upheld, version=version, key=request.form.get("key") or new_public_id(),
    )  # fmt: skip


def _checked(form: ConclusionForm) -> bool:
    """Whether the objection is founded. InvalidInput by field: verdict, conclusion."""
    errors = {}
    if form.verdict.data not in ("dismissed", "upheld"):
        errors["verdict"] = _("请选结论：异议不成立，或者异议成立。")
    words = (form.conclusion.data or "").strip()
    if not words:
        errors["conclusion"] = _("请写核查结论：查了什么，查到什么。")
    if len(words) > publicity.MAX_CONTENT:
        errors["conclusion"] = _(
            "核查结论最多 %(max)s 个字，现在是 %(n)s 个，请精简。", max=publicity.MAX_CONTENT, n=len(words)
        )
    if errors:
        raise InvalidInput("".join(errors.values()), fields=errors)
    return form.verdict.data == "upheld"


@blueprint.get("/review/<uuid:id>/objections/<uuid:objection_id>/evidence")
@readers
def evidence(id: Any, objection_id: Any) -> Response:
    """The evidence that came with an objection."""
    name, handle = publicity.open_evidence(current_user, str(id), str(objection_id))
    objection = _find(load(str(id), current_user), str(objection_id))
    return send_office_file(name, handle, objection.evidence_sha256 or "")
