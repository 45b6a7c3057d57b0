"""The heartbeat of a wizard page: who else is there, and what changed since the page was drawn."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import gettext as _
from flask_login import current_user

from app.errors import InvalidInput
from app.services.presence import look_around
from app.views.guard import roles_required
from app.views.wizard import WRITERS

blueprint = Blueprint("presence", __name__)


@blueprint.post("/declarations/<uuid:id>/presence")
@roles_required(*WRITERS)
def visit(id: Any) -> Any:
    """Note where the person is; answers with the line for the head of the page."""
    form = request.form
    around = look_around(
        current_user, str(id), form.get("section", "")[:60], form.get("path", ""), _since(form.get("since"))
    )
    return render_template("wizard/colleagues.html", around=around)


def _since(text: str | None) -> datetime:
    """The moment up to which the page knows. InvalidInput if it does not say."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        raise InvalidInput(_("页面不完整。请刷新后再试。"), fields={"since": _("缺少时间。")}) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
