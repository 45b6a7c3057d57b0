"""Exports of a batch, and the files that background work has made."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, redirect, request, url_for
from flask_login import current_user

from app.permissions import roles
from app.services import export
from app.views.download import send_generated, send_stored
from app.views.guard import roles_required, signed_in

blueprint = Blueprint("export", __name__)


@blueprint.get("/batches/<uuid:id>/summary.xlsx")
@roles_required(*roles.STAFF)
def summary(id: UUID) -> Response:
    """The 《汇总表》; ``?status=approved`` (several times) chooses states."""
    return send_generated(export.summary(current_user, str(id), request.args.getlist("status")))


@blueprint.post("/batches/<uuid:id>/package")
@roles_required(*roles.STAFF)
def package(id: UUID) -> Any:
    """Have the package made, and show how far it is."""
    job = export.request_package(current_user, str(id), request.form.getlist("status"))
    return redirect(url_for("system.job", id=job), 303)


@blueprint.get("/jobs/<uuid:id>/file")
@signed_in
def file(id: UUID) -> Response:
    """What the job has made, for who asked for it."""
    job, handle = export.finished_file(current_user, str(id))
    return send_stored(
        handle,
        name=job.result["name"],
        size=job.result["size"],
        content_type="application/zip",
        sha256=job.result["sha256"],
        inline=False,
    )
