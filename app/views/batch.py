"""Batches: the list, one batch with what it holds, its settings, and the publication of a list."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from app.errors import Conflict, InvalidInput, NotFound
from app.forms.batch import BatchForm, PublicationForm, filled_batch_form
from app.forms.review import read_key, read_version
from app.models.base import new_public_id, now
from app.permissions import roles
from app.services import batch as batches
from app.services import publication
from app.services.batch import Changes, Summary
from app.services.declaration import definition_of
from app.services.listing import Page
from app.views.batch_page import Line, choices_of, lines_of, name_of, state_tabs, window_state
from app.views.guard import roles_required
from app.views.paging import asked_page, make_pager

blueprint = Blueprint("batch", __name__)

staff = roles_required(*roles.STAFF)
managers = roles_required(roles.CITY, roles.PROVINCE, roles.ADMIN)


@blueprint.get("/batches/")
@staff
def index() -> Any:
    """Every batch this person may see."""
    return render_template(
        "batch/index.html",
        summaries=batches.batches_of(current_user),
        window_state=window_state,
        name_of=name_of,
        programmes=batches.programmes() if _may_open() else [],
    )


def _may_open() -> bool:
    return batches.may_manage(current_user, current_app.config["CITY_CODE"])


@blueprint.get("/batches/<uuid:id>/")
@staff
def show(id: Any) -> Any:
    """One batch: counts, declarations, what comes next, reminders."""
    summary = batches.load(current_user, str(id))
    status, step = request.args.get("status"), request.args.get("step")
    asked = asked_page(batches.PAGE)
    found, total = batches.declarations(current_user, summary.batch, status=status, step=step, page=asked.number)
    return render_template(
        "batch/show.html",
        summary=summary,
        batch=summary.batch,
        name=name_of(summary),
        tabs=state_tabs(summary, status, step),
        lines=lines_of(found),
        pager=make_pager(Page(found, total, asked.number, batches.PAGE), "batch.show", id=id, status=status, step=step),
        managing=batches.may_manage(current_user, summary.batch.region_code),
        ready=len(publication.ready(current_user, summary.batch)),
        lists=publication.lists_of(summary.batch),
        events=batches.events_of(summary.batch),
        window_state=window_state,
    )


# -- settings ------------------------------------------------------------------------------------------------------


@blueprint.route("/batches/new/<key>", methods=["GET", "POST"])
@managers
def create(key: str) -> Any:
    """Open a batch of a programme."""
    definition = definition_of(key)
    if key not in {d.key for d in batches.programmes()}:
        raise NotFound(_("这个项目不用开批次。请从“批次”重新选。"))
    form = filled_batch_form(definition, None, request.form if request.method == "POST" else None)
    if request.method == "POST" and form.validate():
        try:
            changes = _changes(form)
            year = (changes.opens_at or now()).year
            new = batches.create_batch(current_user, key, year, current_app.config["CITY_CODE"], changes)
        except InvalidInput as error:
            _mark(form, error)
        else:
            flash(_("批次已建好"), "success")
            return redirect(url_for("batch.show", id=new))
    return _settings(form, definition=definition, batch=None)


@blueprint.route("/batches/<uuid:id>/settings", methods=["GET", "POST"])
@managers
def settings(id: Any) -> Any:
    """Change title, window and parameters."""
    summary = batches.load(current_user, str(id))
    posted = request.form if request.method == "POST" else None
    form = filled_batch_form(summary.definition, summary.batch, posted, batches.days_of(summary.batch))
    message, status = None, 200
    if request.method == "POST" and form.validate():
        try:
            batches.change_batch(current_user, str(id), read_version(request.form.get("version")), _changes(form))
        except InvalidInput as error:
            _mark(form, error)
            message, status = (None if error.fields else error.message), error.status
        except Conflict as error:
            message, status = error.message, error.status
            summary = batches.load(current_user, str(id))
        else:
            flash(_("批次设置已保存"), "success")
            return redirect(url_for("batch.show", id=id))
    return _settings(form, definition=summary.definition, batch=summary.batch, message=message, status=status)


def _changes(form: BatchForm) -> Changes:
    opens, closes = batches.window_between(*form.days)
    return Changes(form.title.data or "", opens, closes, bool(form.published.data), form.parameters())


def _mark(form: BatchForm, error: InvalidInput) -> None:
    """Put a service's sentences beside their fields."""
    for name, sentence in error.fields.items():
        if name in form:
            form[name].errors = [*form[name].errors, sentence]


def _settings(form: BatchForm, *, message: str | None = None, status: int = 200, **more: Any) -> Any:
    code = status if status != 200 else (422 if form.errors else 200)
    return render_template("batch/settings.html", form=form, message=message, **more), code


@blueprint.post("/batches/<uuid:id>/reminders/<key>")
@managers
def remind(id: Any, key: str) -> Any:
    """Tick, or untick, something that is done outside the platform."""
    batches.tick_reminder(current_user, str(id), key, request.form.get("done") == "1")
    return redirect(url_for("batch.show", id=id, _anchor="reminders"))


# -- publication -----------------------------------------------------------------------------------------------------


@blueprint.route("/batches/<uuid:id>/publication", methods=["GET", "POST"])
@roles_required(roles.CITY, roles.PROVINCE)
def publish(id: Any) -> Any:
    """Choose, look at the list as it will be, publish. ``stage`` says which button was pressed."""
    summary = batches.load(current_user, str(id))
    if request.method == "GET":
        form = PublicationForm(data={"title": publication.default_title(summary.batch)})
        return _publication(summary, form)
    form = PublicationForm(request.form)
    chosen = choices_of(request.form)
    try:
        if request.form.get("stage") == "publish":
            return _publish(summary, chosen)
        publication.check_texts(form.title.data or "", form.body.data or "", chosen)
    except InvalidInput as error:
        return _publication(summary, form, chosen=chosen, message=error.message, errors=error.fields), 422
    if request.form.get("stage") == "back":
        return _publication(summary, form, chosen=chosen)
    lines = [Line.of(d) for d in publication.ready(current_user, summary.batch) if d.public_id in chosen]
    if len(lines) != len(chosen):
        message = _("选中的企业里有的刚被办过，请核对后重新预览。")
        return _publication(summary, form, chosen=chosen, message=message), 409
    return render_template("batch/preview.html", batch=summary.batch, form=form, lines=lines, key=new_public_id())


def _publish(summary: Summary, chosen: dict[str, int]) -> Any:
    new = publication.publish_list(
        current_user,
        summary.batch.public_id,
        chosen,
        request.form.get("title", ""),
        request.form.get("body", ""),
        authority=current_app.config["SITE_OWNER"],
        key=read_key(request.form.get("key")),
        address=request.remote_addr,
    )
    flash(_("名单已公布，企业会收到消息"), "success")
    return redirect(f"{url_for('portal.publicity')}{new}/")


def _publication(summary: Summary, form: PublicationForm, **more: Any) -> Any:
    lines = [Line.of(d) for d in publication.ready(current_user, summary.batch)]
    chosen = more.pop("chosen", None)
    if chosen is None and request.args.get("pick"):
        chosen = {request.args["pick"]: 0}
    return render_template(
        "batch/publication.html", batch=summary.batch, form=form, lines=lines, chosen=chosen or {}, **more
    )
