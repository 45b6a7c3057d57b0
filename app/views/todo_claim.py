"""认领, 放回, 接手, 转交: one page that says who is at work on a declaration, and one address for all four."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from app.errors import Conflict, InvalidInput
from app.forms.bulk import read_colleague
from app.forms.review import read_key, read_version
from app.models.base import new_public_id, now
from app.permissions import roles
from app.services import claim
from app.services.claim import Wish
from app.services.declaration import load
from app.services.opened import Opened
from app.views.guard import roles_required
from app.views.holder import holder_of

blueprint = Blueprint("todo_claim", __name__)

officers = roles_required(*roles.OFFICERS)


@blueprint.get("/todo/<uuid:id>/claim")
@officers
def show(id: Any) -> Any:
    """Who is at work on it, and what can be done about that."""
    return _page(id)


@blueprint.post("/todo/<uuid:id>/claim")
@officers
def act(id: Any) -> Any:
    """Carry out what the button says; what cannot be done comes back with every word that was typed."""
    data, action = request.form, request.form.get("do", "")
    try:
        wish = Wish(
            read_version(data.get("version")), read_key(data.get("key")), read_colleague(data), data.get("opinion", "")
        )  # fmt: skip
        claim.carry_out(current_user, str(id), action, wish)
    except (Conflict, InvalidInput) as error:
        return _page(id, error), error.status
    flash(_said(action), "success")
    return redirect(url_for("todo.index") if action in ("hand_over", "unclaim") else url_for("review.show", id=id))


def _said(action: str) -> str:
    words = {
        "claim": _("已认领，同事能看到您在办"),
        "unclaim": _("已放回，同事可以认领"),
        "take_over": _("已接手，原来在办的同事会收到消息"),
        "hand_over": _("已转交，同事会收到消息"),
    }
    return words[action]


def _page(id: Any, error: Conflict | InvalidInput | None = None) -> str:
    opened = load(str(id), current_user)
    return render_template(
        "todo/claim.html",
        opened=opened,
        holder=holder_of(opened, now()),
        colleagues=_colleagues(opened),
        error=error,
        key=new_public_id(),
        typed=request.form,
    )


def _colleagues(opened: Opened) -> list[Any]:
    if opened.step is None or not claim.can_claim(opened):
        return []
    return claim.colleagues(opened.session, opened.user, opened.step.level)
