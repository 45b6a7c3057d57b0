"""提交盖章材料: download, print and seal, upload, see what was found, hand in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from app.documents.context import paper_title
from app.models.base import new_public_id
from app.services import filing, progress, stamp
from app.services.filing import Filing
from app.services.stamp import StampPage
from app.views.guard import roles_required
from app.views.submission import checked_key, checked_version
from app.views.wizard import WRITERS

blueprint = Blueprint("stamped", __name__)


@blueprint.get("/declarations/<uuid:id>/stamped")
@roles_required(*WRITERS)
def show(id: UUID) -> Any:
    """The whole page; a step that asks for papers of the enterprise's own making has a plain one."""
    own = filing.filing_of(current_user, str(id))
    if own is not None:
        return _filing(own)
    page = stamp.page_of(current_user, str(id))
    history = progress.history(page.opened.definition, page.opened.events[:8])
    return render_template("stamped/show.html", history=history, **_parts(page))


@blueprint.get("/declarations/<uuid:id>/stamped/result")
@roles_required(*WRITERS)
def result(id: UUID) -> Any:
    """What was found on the scan, as the part that the page renews while the check is under way."""
    return render_template("stamped/_result.html", **_parts(stamp.page_of(current_user, str(id))))


@blueprint.post("/declarations/<uuid:id>/stamped")
@roles_required(*WRITERS)
def hand_in(id: UUID) -> Any:
    """Hand the material in; a double click does it once."""
    version, key = checked_version(request.form.get("version")), checked_key(request.form.get("key"))
    own = filing.filing_of(current_user, str(id))
    if own is not None:
        declaration = filing.file_papers(current_user, str(id), version, key, request.remote_addr)
        flash(
            _("%(what)s已提交，结果会发消息告诉您。", what=own.papers[0].spec.label if own.papers else _("材料")),
            "success",
        )
        return redirect(url_for("declaration.show", id=declaration.public_id), 303)
    declaration = stamp.hand_in(current_user, str(id), version, key, request.remote_addr)
    flash(_("盖章材料已提交，结果会发消息告诉您。"), "success")
    return redirect(url_for("declaration.show", id=declaration.public_id), 303)


def _filing(own: Filing) -> str:
    declaration = own.opened.declaration
    return render_template(
        "stamped/filing.html", own=own, declaration=declaration, definition=own.opened.definition, key=new_public_id(),
        upload_url=lambda spec: url_for("attachment.upload_form", id=declaration.public_id, key=spec.key),
        limit_of=lambda spec: min(spec.max_size_mb, 100) * 1_048_576,
    )  # fmt: skip


def _parts(page: StampPage) -> dict[str, Any]:
    return {
        "page": page,
        "declaration": page.opened.declaration,
        "title": paper_title(page.document.title),
        "key": new_public_id(),
        "upload_url": url_for("attachment.upload_form", id=page.opened.declaration.public_id, key=page.spec.key),
        "limit": min(page.spec.max_size_mb, 100) * 1_048_576,
    }
