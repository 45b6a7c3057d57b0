"""Review of one submission: reading, remarks, notes, the decision, and the experts' part."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, g, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from markupsafe import Markup

from app.errors import Conflict, DomainError, InvalidInput, Refused
from app.forms.review import read_checks, read_decision, read_experts, read_key, read_prefixed, read_version
from app.permissions import roles
from app.services import expert, note, review, todo
from app.services.declaration import load
from app.views.guard import roles_required
from app.views.review_page import ReviewPage
from app.views.review_side import Typed

blueprint = Blueprint("review", __name__)

readers = roles_required(*roles.STAFF, roles.EXPERT)
officers = roles_required(*roles.OFFICERS)


@blueprint.get("/review/<uuid:id>/")
@readers
def show(id: Any) -> Any:
    """The page; for a script with ``remark=<path>`` only that answer's remarks, ready to be written, and with
    ``file=<id>`` only the papers, that one open."""
    page = _page(id, editing=request.args.get("remark"))
    if request.headers.get("HX-Request"):
        if page.editing is not None:
            return render_template("review/_slot_only.html", page=page, path=page.editing)
        if "file" in request.args:
            return render_template("review/_papers_only.html", page=page)
    return render_template("review/show.html", page=page)


@blueprint.post("/review/<uuid:id>/")
@officers
def decide(id: Any) -> Any:
    """Carry out the decision; what cannot be done comes back with every word that was typed."""
    typed = Typed(request.form.get("action", ""), request.form.get("opinion", ""), checks=read_checks(request.form))
    try:
        posted = read_decision(request.form)
        done = review.decide(
            current_user, str(id), posted.action, version=posted.version, opinion=posted.opinion, key=posted.key,
            address=request.remote_addr, checks=posted.checks,
        )  # fmt: skip
    except Conflict as error:
        return _conflict(id, typed, error)
    except (InvalidInput, Refused) as error:
        typed.message, typed.errors = error.message, error.fields
        return render_template("review/show.html", page=_page(id, typed=typed)), error.status
    _say_done(done.public_id, _said(posted.action))
    return redirect(url_for("review.show", id=id))


def _page(id: Any, *, typed: Typed | None = None, editing: str | None = None) -> ReviewPage:
    return ReviewPage(load(str(id), current_user), current_user, typed or Typed(), editing)


def _said(action: str) -> str:
    words = {
        "confirm": _("已通过这一步"),
        "return": _("已退回企业"),
        "stamp_return": _("已退回盖章材料"),
        "reject": _("已作出不通过的结论"),
        "approve": _("已通过"),
        "send_back": _("已退回审核"),
        "disapprove": _("已作出报批未通过的结论"),
    }
    return words.get(action, _("已提交"))


def _say_done(public_id: str, words: str) -> None:
    """A toast that offers the next one of the queue."""
    following = todo.most_urgent(current_user, besides=public_id)
    if following is not None:
        link = Markup('<a href="{}">{}</a>').format(url_for("review.show", id=following), _("办下一件"))
        words = Markup("{} {}").format(words, link)
    flash(words, "success")


def _conflict(id: Any, typed: Typed, error: Conflict) -> Any:
    """Somebody was first: both texts side by side, nothing is lost."""
    typed.message = error.message
    page = _page(id, typed=typed)
    return render_template("review/conflict.html", page=page, request_id=g.get("request_id", "")), 409


# -- remarks -----------------------------------------------------------------------------------------------------


@blueprint.post("/review/<uuid:id>/remarks")
@officers
def add_remark(id: Any) -> Any:
    """Write a remark on one answer, or on the whole."""
    path = request.form.get("path", "")
    return _remarked(id, path, lambda: review.remark(current_user, str(id), path, request.form.get("text", "")))


@blueprint.post("/review/<uuid:id>/remarks/<int:remark_id>")
@officers
def change_remark(id: Any, remark_id: int) -> Any:
    """Change, delete, settle or keep a remark, as the button says."""
    path, text = request.form.get("path", ""), request.form.get("text", "")
    deeds = {
        "rewrite": lambda: review.rewrite(current_user, str(id), remark_id, text),
        "delete": lambda: review.delete(current_user, str(id), remark_id),
        "settle": lambda: review.settle(current_user, str(id), remark_id),
        "keep": lambda: review.keep(current_user, str(id), remark_id),
    }
    deed = deeds.get(request.form.get("do", ""))
    if deed is None:
        raise InvalidInput(_("没有看懂要做什么，批注没有改动。请刷新页面再试。"))
    return _remarked(id, path, deed)


def _remarked(id: Any, path: str, deed: Any) -> Any:
    """Do it, then show the answer's remarks (htmx) or the page at that answer."""
    part = bool(request.headers.get("HX-Request"))
    try:
        deed()
    except DomainError as error:
        if not part and not isinstance(error, InvalidInput):
            raise
        page = _page(id, typed=Typed(opinion=request.form.get("text", ""), message=error.message), editing=path)
        name = "review/_slot_only.html" if part else "review/show.html"
        status = error.status if error.status in (409, 422) else 422
        return render_template(name, page=page, path=path, failed=True), status
    if part:
        return render_template("review/_slot_only.html", page=_page(id), path=path)
    return redirect(url_for("review.show", id=id, _anchor=f"f-{ReviewPage.dom_id(path)}"))


@blueprint.post("/review/<uuid:id>/remarks/settle")
@officers
def settle_remarks(id: Any) -> Any:
    """Mark every remark that the newest submission may have answered as settled."""
    count = review.settle_all(current_user, str(id))
    flash(_("%(n)s 条批注已标为已解决", n=count) if count else _("没有要处理的批注"), "success")
    return redirect(url_for("review.show", id=id))


# -- internal notes ----------------------------------------------------------------------------------------------


@blueprint.post("/review/<uuid:id>/notes")
@officers
def add_note(id: Any) -> Any:
    """Write an internal note; one that does not fit comes back as it was typed."""
    text = request.form.get("note", "")
    try:
        note.write_note(current_user, str(id), text, read_key(request.form.get("key")))
    except InvalidInput as error:
        page = _page(id, typed=Typed(note=text, errors=error.fields))
        return render_template("review/show.html", page=page), error.status
    return redirect(url_for("review.show", id=id, _anchor="notes"))


@blueprint.post("/review/<uuid:id>/notes/<int:note_id>/remove")
@officers
def remove_note(id: Any, note_id: int) -> Any:
    """Take one's own internal note away."""
    note.remove_note(current_user, str(id), note_id)
    flash(_("内部备注已删除"), "success")
    return redirect(url_for("review.show", id=id, _anchor="notes"))


# -- experts ---------------------------------------------------------------------------------------------------------


@blueprint.post("/review/<uuid:id>/experts")
@officers
def assign(id: Any) -> Any:
    """Ask experts for their opinion."""
    try:
        chosen = read_experts(request.form)
        version, key = read_version(request.form.get("version")), read_key(request.form.get("key"))
        expert.assign(current_user, str(id), chosen, version=version, key=key)
    except (InvalidInput, Conflict) as error:
        page = _page(id, typed=Typed(message=error.message, errors={"experts": error.message}))
        return render_template("review/show.html", page=page), error.status
    _say_done(str(id), _("已分派专家，评完会回到待办"))
    return redirect(url_for("review.show", id=id))


@blueprint.post("/review/<uuid:id>/experts/<int:expert_id>/remove")
@officers
def unassign(id: Any, expert_id: int) -> Any:
    """Take the declaration off an expert."""
    try:
        version, key = read_version(request.form.get("version")), read_key(request.form.get("key"))
        expert.unassign(current_user, str(id), expert_id, version=version, key=key)
    except (InvalidInput, Conflict) as error:
        return render_template("review/show.html", page=_page(id, typed=Typed(message=error.message))), error.status
    _say_done(str(id), _("已收回分派"))
    return redirect(url_for("review.show", id=id))


@blueprint.post("/review/<uuid:id>/scores")
@roles_required(roles.EXPERT)
def score(id: Any) -> Any:
    """Hand in the score sheet; what does not fit comes back with everything typed."""
    data = request.form
    sheet = expert.Sheet(
        read_prefixed(data, "points"), read_prefixed(data, "reason"), data.get("verdict", ""), data.get("opinion", "")
    )
    try:
        expert.score(current_user, str(id), sheet, key=read_key(data.get("key")))
    except InvalidInput as error:
        page = _page(id, typed=Typed(opinion=sheet.opinion, message=error.message, errors=error.fields, sheet=sheet))
        return make_response(render_template("review/show.html", page=page), 422)
    _say_done(str(id), _("评审意见已提交"))
    return redirect(url_for("review.show", id=id))
