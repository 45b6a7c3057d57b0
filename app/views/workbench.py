"""工作台: where enterprises and individuals land."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template
from flask_login import current_user

from app.permissions import roles
from app.services.message import KIND_LABELS
from app.services.workbench import workbench_of
from app.views.guard import roles_required

blueprint = Blueprint("workbench", __name__)


@blueprint.get("/workbench/")
@roles_required(roles.ENTERPRISE, roles.INDIVIDUAL)
def index() -> Any:
    """What to do next, and what else there is."""
    return render_template("workbench/index.html", bench=workbench_of(current_user), kinds=KIND_LABELS)
