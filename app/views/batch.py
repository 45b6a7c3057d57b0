"""Batches: the list, one batch with what it holds, its settings, and the publication of a list."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from app.errors import Conflict, DomainError, InvalidInput, NotFound
from app.forms.batch import BatchForm, filled_batch_form
from app.forms.office import PublicityForm, mark_errors, read_optional_day
from app.forms.review import read_key, read_version
from app.models.base import new_public_id, now
from app.permissions import roles
from app.services import batch as batches
from app.services import publication
from app.services.batch import Changes, Summary
from app.services.declaration import definition_of
from app.services.listing import Page, check_number
from app.services.publicity_board import OFFICES
from app.services.reference import holidays
from app.views.batch_page import Line, choices_of, lines_of, name_of, state_tabs, ticked_on, window_state
from app.views.guard import roles_required
from app.views.office_page import first_texts, is_publicity, pages_of, preview_words, ways_of_batch
from app.views.paging import asked_page, make_pager
from app.workflow.calendar import local_date
from app.workflow.steps import STATUS_LABELS

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
    status, step = _asked_state(summary)
    asked = asked_page(batches.PAGE)
    found, total = batches.declarations(current_user, summary.batch, status=status, step=step, page=asked.number)
    check_number(asked.number, total, batches.PAGE)
    return render_template(
        "batch/show.html",
        summary=summary,
        batch=summary.batch,
        name=name_of(summary),
        tabs=state_tabs(summary, status, step),
        lines=lines_of(found),
        pager=make_pager(Page(found, total, asked.number, batches.PAGE), "batch.show", id=id, status=status, step=step),
        managing=batches.may_manage(current_user, summary.batch.region_code),
        ways=ways_of_batch(current_user, summary.batch),
        pages_of_batch=pages_of(summary.definition, summary.batch),
        on_board=bool(current_user.role_names & {*OFFICES, roles.ADMIN}),
        lists=publication.lists_of(summary.batch),
        events=batches.events_of(summary.batch),
        window_state=window_state,
        ticked_on=ticked_on,
    )


def _asked_state(summary: Summary) -> tuple[str | None, str | None]:
    """Status and step of the address. DomainError for what no declaration can be in: an empty list would mislead."""
    status, step = request.args.get("status") or None, request.args.get("step") or None
    steps = {s.key for s in summary.definition.route}
    if (status and status not in STATUS_LABELS) or (step and step not in steps):
        raise DomainError(_("没有这种状态。请从“按状态看”里选。"))
    return status, step


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
            year = local_date(changes.opens_at or now()).year
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
@roles_required(roles.CITY, roles.PROVINCE, roles.MINISTRY)
def publish(id: Any) -> Any:
    """Choose, look at the list as it will be, publish. ``stage`` says which button was pressed."""
    summary = batches.load(current_user, str(id))
    if request.method == "GET":
        return _publication(summary, PublicityForm(data=first_texts(current_user, summary)))
    form = PublicityForm(request.form)
    chosen = choices_of(request.form)
    try:
        facts = _facts_of(summary, form, chosen)
        if request.form.get("stage") == "publish":
            return _publish(summary, chosen, facts)
    except InvalidInput as error:
        mark_errors(form, error)
        return _publication(summary, form, chosen=chosen, message=error.message), 422
    if request.form.get("stage") == "back":
        return _publication(summary, form, chosen=chosen)
    lines = [Line.of(d) for d in publication.ready(current_user, summary.batch) if d.public_id in chosen]
    if len(lines) != len(chosen):
        message = _("选中的企业里有的刚被办过，请核对后重新预览。")
        return _publication(summary, form, chosen=chosen, message=message), 409
    return render_template(
        "batch/preview.html", batch=summary.batch, form=form, lines=lines, key=new_public_id(), facts=facts,
        period=preview_words(facts) if facts else "",
    )  # fmt: skip


def _facts_of(summary: Summary, form: PublicityForm, chosen: dict[str, int]) -> dict[str, Any] | None:
    """What a 公示 says beside its list, None for a final list. InvalidInput with all faults of the form."""
    errors: dict[str, str] = {}
    facts = None
    try:
        publication.check_texts(form.title.data or "", form.body.data or "", chosen)
    except InvalidInput as error:
        errors = error.fields
    if is_publicity(current_user, summary.batch):
        try:
            days = publication.period_days(summary.batch)
            facts = publication.check_period(_period(form), days, holidays())
        except InvalidInput as error:
            errors = {**errors, **error.fields}
    if errors:
        raise InvalidInput("".join(errors.values()), fields=errors)
    return facts


def _period(form: PublicityForm) -> publication.Period:
    day = read_optional_day(form.opens_on)
    return publication.Period(form.phone.data or "", form.email.data or "", form.office.data or "", day)


def _publish(summary: Summary, chosen: dict[str, int], facts: dict[str, Any] | None) -> Any:
    form = PublicityForm(request.form)
    new = publication.publish_list(
        current_user,
        summary.batch.public_id,
        chosen,
        form.title.data or "",
        form.body.data or "",
        authority=current_app.config["SITE_OWNER"],
        period=_period(form) if facts else None,
        key=read_key(request.form.get("key")),
        address=request.remote_addr,
    )
    # A form that was sent before finds its list, though nothing waits any more that would say of which kind it is.
    if publication.is_publicity_list(new):
        flash(_("公示已发布，企业会收到消息；收到异议请在这里登记"), "success")
        return redirect(url_for("publicity.show", id=new))
    flash(_("名单已公布，企业会收到消息"), "success")
    return redirect(f"{url_for('portal.publicity')}{new}/")


def _publication(summary: Summary, form: PublicityForm, **more: Any) -> Any:
    lines = [Line.of(d) for d in publication.ready(current_user, summary.batch)]
    chosen = more.pop("chosen", None)
    if chosen is None and request.args.get("pick"):
        chosen = {request.args["pick"]: 0}
    return render_template(
        "batch/publication.html", batch=summary.batch, form=form, lines=lines, chosen=chosen or {},
        public=is_publicity(current_user, summary.batch), days=publication.period_days(summary.batch), **more,
    )  # fmt: skip
