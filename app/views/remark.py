"""The enterprise's word on a remark of the office, while the declaration is with it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from app.definitions.evaluation import ATTACHMENTS
from app.services import declaration as declarations
from app.services import review
from app.views.guard import roles_required
from app.views.wizard import WRITERS
from app.views.wizard_frame import section_url

blueprint = Blueprint("remark", __name__)


@blueprint.post("/declarations/<uuid:id>/remarks/<int:remark_id>/reply")
@roles_required(*WRITERS)
def reply(id: Any, remark_id: int) -> Any:
    """Keep the reply, and go back to the page that it was written on."""
    review.reply(current_user, str(id), remark_id, request.form.get("reply", ""))
    flash(_("说明已保存，重新提交后审核人能看到"), "success")
    return redirect(_page_of(str(id), request.form.get("section", "")), 303)


def _page_of(public_id: str, section: str) -> str:
    """Address of the wizard's page ``section``, or of the check page if there is no such section."""
    sections = {s.key for s in declarations.load_own(public_id, current_user).definition.sections}
    if section in sections | {ATTACHMENTS}:
        return section_url(public_id, section, _anchor="returned")
    return url_for("submission.check", id=public_id, _anchor="returned")
