"""Is the platform alive, is it ready, and how far is a job."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify, render_template, request
from flask_login import current_user

from app.services import health
from app.services.job import job_of
from app.views.guard import signed_in

blueprint = Blueprint("system", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """The process answers. Touches nothing else."""
    return Response("ok\n", mimetype="text/plain")


@blueprint.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Every part that a request needs answers: 200, else 503 with the parts that do not."""
    parts = health.parts()
    ready = all(parts.values())
    return jsonify(ready=ready, **parts), 200 if ready else 503


@blueprint.get("/jobs/<uuid:id>")
@signed_in
def job(id: UUID) -> Any:
    """How far a job is that this person asked for; only the moving part for htmx."""
    found = job_of(current_user, str(id))
    part = "system/_job.html" if request.headers.get("HX-Request") else "system/job.html"
    return render_template(part, job=found)
