"""我的企业: the profile and its certification."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template
from flask_login import current_user

from app.permissions import roles
from app.services import enterprise as service
from app.views.guard import roles_required

blueprint = Blueprint("enterprise", __name__)


@blueprint.get("/enterprise/")
@roles_required(roles.ENTERPRISE, roles.INDIVIDUAL)
def index() -> Any:
    """企业信息."""
    return render_template("enterprise/index.html", profile=service.profile_of(current_user), words=service)


@blueprint.get("/enterprise/certification/")
@roles_required(roles.ENTERPRISE, roles.INDIVIDUAL)
def certification() -> Any:
    """企业认证, in whatever state it is."""
    return render_template("enterprise/certification.html", page=service.certification_of(current_user))
