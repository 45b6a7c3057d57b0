"""Papers to download: the material to be stamped, the preview, the receipt. Enterprise and office, each in its scope."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, request
from flask_login import current_user

from app.services import document
from app.views.download import send_generated
from app.views.guard import signed_in

blueprint = Blueprint("document", __name__)


@blueprint.get("/declarations/<uuid:id>/material.docx")
@signed_in
def material(id: UUID) -> Response:
    """The Word of the newest submission, from the step on that releases it."""
    return send_generated(document.material(current_user, str(id), request.remote_addr))


@blueprint.get("/declarations/<uuid:id>/preview.pdf")
@signed_in
def preview(id: UUID) -> Response:
    """The answers as PDF with a watermark."""
    return send_generated(document.preview(current_user, str(id)), inline=True)


@blueprint.get("/declarations/<uuid:id>/receipt.pdf")
@signed_in
def receipt(id: UUID) -> Response:
    """The receipt of the newest submission."""
    return send_generated(document.receipt(current_user, str(id)))
