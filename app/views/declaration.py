"""我的申报: the list, starting one, its statement, its page, printing it, taking it back."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from app.errors import InvalidInput, NotFound, Refused
from app.models.base import new_public_id, now
from app.permissions import rules
from app.services import declaration as declarations
from app.services import progress
from app.services.declaration import Deeds
from app.services.funding import allocation_of
from app.services.funding_words import money_words
from app.services.on_behalf import starters_of
from app.services.opened import Opened
from app.services.reference import holidays
from app.views.declaration_page import list_rows, own_buttons, preview_sections, refusal_of_submission, waiting_of
from app.views.guard import roles_required, signed_in
from app.views.submission import checked_key, checked_version, digest_words
from app.views.wizard import WRITERS, writers
from app.views.wizard_frame import rail
from app.workflow.route import place_label

blueprint = Blueprint("declaration", __name__)

CONFIRMED = ("recall", "withdraw", "discard")
"""Deeds that a person confirms on a page of their own."""


@blueprint.get("/declarations/")
@roles_required(*WRITERS)
def index() -> Any:
    """Everything the enterprise declared, with the next thing to do."""
    found = declarations.declarations_of(current_user) if current_user.enterprise_id else []
    return render_template("declaration/index.html", rows=list_rows(found, now(), holidays(), starters_of(found)))


@blueprint.post("/declarations/")
@roles_required(*WRITERS)
def start() -> Any:
    """Begin a declaration in the batch of the form, or go on with the one that is there."""
    try:
        public_id = declarations.start_declaration(current_user, request.form.get("batch", "")[:64])
    except Refused as error:
        if not error.details.get("certification"):
            raise
        return render_template("declaration/uncertified.html", message=error.message), error.status
    opened = declarations.reload(public_id, current_user)
    if opened.declaration.status not in ("draft", "returned"):
        flash(_("这一批您已经申报过了，下面是它的进度。"), "info")
        return redirect(url_for("declaration.show", id=public_id), 303)
    return redirect(first_page(opened), 303)


def first_page(opened: Opened) -> str:
    """Where filling in begins or goes on: the statement, else the first section that is not done."""
    if opened.definition.statement and not opened.declaration.statement_at and opened.declaration.status == "draft":
        return url_for("declaration.statement", id=opened.declaration.public_id)
    stops = rail(opened, "")
    return next((stop.url for stop in stops if stop.state != "done"), stops[-1].url)


@blueprint.get("/declarations/<uuid:id>/sections/")
@writers
def go_on(id: Any) -> Any:
    """Lead to where filling in goes on; to the declaration's page when nothing may be changed now."""
    opened = declarations.load(str(id), current_user)
    if rules.refuse_edit(current_user, opened.declaration):
        return redirect(url_for("declaration.show", id=str(id)))
    return redirect(first_page(opened))


@blueprint.get("/declarations/<uuid:id>/statement")
@writers
def statement(id: Any) -> Any:
    """The truthfulness statement, before anything is filled in."""
    opened = declarations.load(str(id), current_user)
    if rules.refuse_edit(current_user, opened.declaration) or not opened.definition.statement:
        return redirect(url_for("declaration.show", id=str(id)))
    return render_template("declaration/statement.html", opened=opened, definition=opened.definition)


@blueprint.post("/declarations/<uuid:id>/statement")
@writers
def accept(id: Any) -> Any:
    """Note the acceptance and begin. Without the tick the page comes again and says so."""
    opened = declarations.load(str(id), current_user)
    if request.form.get("statement") != "yes":
        error = _("请先勾选承诺，再开始填写；不作承诺可以返回。")
        page = render_template("declaration/statement.html", opened=opened, definition=opened.definition, error=error)
        return page, InvalidInput.status
    declarations.accept_statement(current_user, str(id))
    return redirect(first_page(declarations.reload(str(id), current_user)), 303)


@blueprint.get("/declarations/<uuid:id>/")
@signed_in
def show(id: Any) -> Any:
    """State, route, history and the deeds of the owner; officers are led to their own page."""
    opened = declarations.load(str(id), current_user)
    if not opened.own:
        return redirect(url_for("review.show", id=str(id)))
    definition, declaration = opened.definition, opened.declaration
    return render_template(
        "declaration/show.html",
        opened=opened,
        declaration=declaration,
        definition=definition,
        stages=progress.stages(definition, opened.params, declaration, opened.events),
        history=progress.history(definition, opened.events),
        buttons=own_buttons(opened, first_page(opened) if not rules.refuse_edit(current_user, declaration) else ""),
        can_invite=current_user.enterprise_role == "owner" and declaration.status in ("draft", "returned"),
        needs=refusal_of_submission(opened),
        remarks=[r for r in opened.remarks if r.state == "open"] if declaration.status == "returned" else [],
        returned=next((e for e in opened.events if e.action == "return"), None)
        if declaration.status == "returned"
        else None,
        digest=digest_words(opened.revision.digest) if opened.revision else "",
        allocation=allocation_of(declaration),
        money_words=money_words,
        waiting=waiting_of(opened),
        place_label=place_label,
    )


@blueprint.get("/declarations/<uuid:id>/preview")
@signed_in
def preview(id: Any) -> Any:
    """All answers on one page, for reading and printing: what was submitted; for who writes it, the answers of now."""
    opened = declarations.load(str(id), current_user)
    evaluation = opened.shown
    return render_template(
        "declaration/preview.html", opened=opened, declaration=opened.declaration, definition=opened.definition,
        sections=preview_sections(evaluation), files=evaluation.files, draft=opened.writing,
    )  # fmt: skip


@blueprint.post("/declarations/<uuid:id>/rebase")
@writers
def rebase(id: Any) -> Any:
    """Move the draft to the newest version of its form."""
    declarations.rebase(current_user, str(id))
    flash(_("已换到新版申报表，已填的内容都在。请从头看一遍。"), "success")
    return redirect(first_page(declarations.reload(str(id), current_user)), 303)


@blueprint.get("/declarations/<uuid:id>/act")
@writers
def confirm(id: Any) -> Any:
    """Ask once more before something is taken back."""
    opened = declarations.load(str(id), current_user)
    option = next((o for o in opened.options() if o.deed.action == request.args.get("action")), None)
    if option is None or option.deed.action not in CONFIRMED:
        raise NotFound(_("这件申报现在不能这样办。请回到申报页看最新状态。"))
    return render_template(
        "declaration/confirm.html", option=option, declaration=opened.declaration, definition=opened.definition,
        key=new_public_id(),
    )  # fmt: skip


@blueprint.post("/declarations/<uuid:id>/act")
@writers
def act(id: Any) -> Any:
    """Take back, withdraw or delete."""
    action = request.form.get("action", "")
    if action not in CONFIRMED:
        raise InvalidInput(_("页面不完整，没有办理。请刷新后再试。"))
    key = request.form.get("key")
    deeds = Deeds(
        version=checked_version(request.form.get("version")),
        idempotency_key=checked_key(key) if key else None,
        address=request.remote_addr,
    )
    declaration = declarations.act(current_user, str(id), action, deeds)
    words = {
        "recall": _("已撤回，现在可以修改。改完要重新提交。"),
        "withdraw": _("已撤回申报。申报期内还可以重新申报。"),
        "discard": _("草稿已删除。"),
    }
    flash(words[action], "success")
    if action == "discard":
        return redirect(url_for("declaration.index"), 303)
    return redirect(url_for("declaration.show", id=declaration.public_id), 303)
