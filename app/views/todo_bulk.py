"""Several declarations at once: chosen in the queue, looked at row by row, done row by row."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from app.definitions.phrases import common_phrases
from app.errors import InvalidInput
from app.forms.bulk import read_chosen, read_colleague
from app.forms.review import read_experts, read_key
from app.models.base import new_public_id
from app.permissions import roles
from app.services import bulk
from app.services.bulk import Order
from app.services.claim import colleagues_for
from app.views.guard import roles_required

blueprint = Blueprint("todo_bulk", __name__)

officers = roles_required(*roles.OFFICERS)


@blueprint.post("/todo/bulk")
@officers
def act() -> Any:
    """The preview of what was chosen or, from there (``stage=do``), the act itself."""
    chosen, action = read_chosen(request.form), request.form.get("action", "")
    if request.form.get("stage") != "do":
        return _preview(action, chosen)
    try:
        kept = bulk.carry_out(current_user, _order(action, chosen))
    except InvalidInput as error:
        bulk.check_choice(action, chosen)
        return _preview(action, chosen, error), error.status
    return redirect(url_for("todo_bulk.show", id=kept.key))


@blueprint.get("/todo/bulk/<uuid:id>")
@officers
def show(id: Any) -> Any:
    """What became of each row; loading it again does nothing."""
    action, results = bulk.result_of(current_user, str(id))
    done = [r for r in results if r.state == "done"]
    return render_template("todo/bulk_result.html", label=bulk.LABELS[action], results=results, done=len(done))


def _order(action: str, chosen: dict[str, int]) -> Order:
    data = request.form
    key = read_key(data.get("key"))
    if key is None or len(key) != len(new_public_id()):
        raise InvalidInput(_("页面不完整，什么都没有办。请回到列表重新勾选。"))
    return Order(
        action,
        chosen,
        key,
        words=data.get("opinion", ""),
        checks=data.getlist("check"),
        experts=read_experts(data),
        colleague=read_colleague(data),
        address=request.remote_addr,
    )


def _preview(action: str, chosen: dict[str, int], error: InvalidInput | None = None) -> str:
    lines = bulk.preview(current_user, action, chosen)
    return render_template(
        "todo/bulk.html",
        action=action,
        label=bulk.ACTIONS[action],
        lines=lines,
        possible=sum(1 for line in lines if not line.reasons),
        experts=bulk.experts_to_ask() if action == "assign" else [],
        colleagues=colleagues_for(current_user) if action == "hand_over" else [],
        points=bulk.points_to_tick(lines) if action == "confirm" else [],
        phrases=common_phrases().get(action, ()),
        error=error,
        typed=request.form,
        key=request.form.get("key") or new_public_id(),
    )
