"""Uploading, showing and removing the files of a declaration.

A form post works everywhere; a PUT of the bare bytes with ``X-Filename`` is for scripts that show progress.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote
from uuid import UUID

from flask import Blueprint, Response, flash, jsonify, redirect, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from app.adapters.files import Readable
from app.errors import DomainError, InvalidInput
from app.models import Attachment
from app.services import attachment as attachments
from app.views.download import send_stored
from app.views.errors import error_page, wants_json
from app.views.guard import roles_required, signed_in
from app.views.wizard import WRITERS, writers

blueprint = Blueprint("attachment", __name__)


@blueprint.post("/declarations/<uuid:id>/attachments/<key>")
@writers
def upload_form(id: UUID, key: str) -> Any:
    """Take the file of the form, then go back to where it came from."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return _refuse(InvalidInput(_("还没有选文件。请先选择文件，再点上传。")), str(id), key)
    return _take(str(id), key, file.stream, file.filename, None)


@blueprint.put("/declarations/<uuid:id>/attachments/<key>")
@writers
def upload_bytes(id: UUID, key: str) -> Any:
    """Take the request's body as the file; ``X-Filename`` is its name, percent-encoded."""
    try:
        name = unquote(request.headers.get("X-Filename", ""), errors="strict")
    except UnicodeDecodeError:
        name = ""
    return _take(str(id), key, request.stream, name, request.content_length)


def _take(public_id: str, key: str, stream: Readable, name: str, size: int | None) -> Any:
    try:
        changed = attachments.upload(_person(), public_id, key, stream, name, size)
    except DomainError as error:
        return _refuse(error, public_id, key)
    if wants_json() or request.method == "PUT":
        return jsonify(_facts(changed.file)), 201
    flash(_("已上传“%(name)s”。", name=changed.file.filename), "success")
    return redirect(_place(public_id, key, changed.stage), 303)


def _person() -> Any:
    return current_user._get_current_object()  # the service outlives no request, but keeps the person over a rollback


def _stands_in_at_file(id: UUID) -> bool:
    return attachments.is_filled_for(current_user, str(id))


def _facts(kept: Attachment) -> dict[str, Any]:
    return {
        "message": _("已上传“%(name)s”。", name=kept.filename),
        "id": kept.public_id,
        "key": kept.key,
        "name": kept.filename,
        "size": kept.size,
        "pages": kept.pages,
        "url": url_for("attachment.show", id=kept.public_id),
    }


def _place(public_id: str, key: str, stage: str) -> str:
    """The page on which the attachment stands."""
    if stage == "stamp":
        return url_for("stamped.show", id=public_id)
    return url_for("wizard.section", id=public_id, section="attachments", _anchor=f"file-{key}")


def _refuse(error: DomainError, public_id: str, key: str) -> Response:
    """Why not, with the way back; JSON for scripts."""
    if wants_json():
        answer = jsonify(status=error.status, message=error.message, fields=error.fields)
        answer.status_code = error.status
        return answer
    stage = "stamp" if (request.referrer or "").endswith("/stamped") else "submit"
    return error_page(
        error.status, _("文件没有收下"), error.message, fields=error.fields,
        next_label=_("回去重新选文件"), next_url=_place(public_id, key, stage),
    )  # fmt: skip


@blueprint.post("/attachments/<uuid:id>/remove")
@roles_required(*WRITERS, also=_stands_in_at_file)
def remove(id: UUID) -> Any:
    """Take a file away, then go back."""
    changed = attachments.remove(_person(), str(id))
    words = _("已移除“%(name)s”。", name=changed.file.filename)
    if wants_json():
        return jsonify(message=words, id=changed.file.public_id)
    flash(words, "success")
    return redirect(_place(changed.declaration, changed.file.key, changed.stage), 303)


@blueprint.get("/attachments/<uuid:id>")
@signed_in
def show(id: UUID) -> Response:
    """The file in the browser, or with ``?download=1`` to be saved; ranges work."""
    found = attachments.load(current_user, str(id))
    return send_stored(
        attachments.open_file(found),
        name=found.filename,
        size=found.size,
        content_type=found.content_type,
        sha256=found.sha256,
        inline=request.args.get("download") != "1",
    )
