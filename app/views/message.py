"""我的消息: reading changes nothing by itself; a message is marked as read by a button."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from app.errors import DomainError
from app.services import message as service
from app.services.listing import Page
from app.views.guard import signed_in
from app.views.paging import asked_page, make_pager

blueprint = Blueprint("message", __name__)


@blueprint.get("/messages/")
@signed_in
def index() -> Any:
    """Messages, newest first; ``?kind=`` one of the guide's five."""
    kind = request.args.get("kind") or None
    if kind is not None and kind not in service.KIND_LABELS:
        raise DomainError(_("没有这一类消息。请从上面的分类里选。"))
    page: Page[Any] = service.list_messages(current_user, kind, asked_page(20))
    pager = make_pager(page, "message.index", kind=kind)
    unread = service.count_unread(current_user)
    return render_template(
        "message/index.html", page=page, pager=pager, kind=kind, kinds=service.KIND_LABELS, unread=unread
    )


@blueprint.get("/messages/<uuid:id>/")
@signed_in
def show(id: Any) -> Any:
    """One message."""
    return render_template(
        "message/show.html", message=service.get_message(current_user, str(id)), kinds=service.KIND_LABELS
    )


@blueprint.post("/messages/<uuid:id>/read")
@signed_in
def read(id: Any) -> Any:
    """Mark one message as read and show it."""
    service.read_message(current_user, str(id))
    return redirect(url_for("message.show", id=id), 303)


@blueprint.post("/messages/read")
@signed_in
def read_all() -> Any:
    """Mark all messages as read."""
    service.read_all(current_user)
    flash(_("全部标为已读了"))
    return redirect(url_for("message.index"), 303)
