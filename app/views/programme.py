"""What may be applied for, and everything about one programme."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, url_for
from flask_login import current_user

from app.permissions import roles
from app.services import eligibility
from app.views.guard import roles_required

blueprint = Blueprint("programme", __name__)


@blueprint.get("/programmes/")
@roles_required(roles.ENTERPRISE, roles.INDIVIDUAL)
def index() -> Any:
    """能报什么: every programme with the reasons."""
    return render_template("programme/index.html", offers=eligibility.overview(current_user))


@blueprint.get("/programmes/<key>/")
@roles_required(roles.ENTERPRISE, roles.INDIVIDUAL)
def show(key: str) -> Any:
    """One programme: policy, conditions, materials, steps, and what the enterprise declared in it."""
    if current_user.enterprise_id is None:
        # 能报什么 says why a person cannot declare and where to go.
        return redirect(url_for("programme.index"))
    offers = eligibility.overview(current_user, key)
    mine = [m for m in eligibility.mine_of(current_user) if m.programme_key == key]
    return render_template(
        "programme/show.html",
        offers=offers,
        offer=offers[0],
        mine=mine,
        steps=eligibility.steps_shown(offers[0]),
        parameters=eligibility.parameters_shown(offers[0]),
    )
