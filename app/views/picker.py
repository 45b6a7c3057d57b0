"""What the pickers ask: at most twenty matches of a name or code, among those that the person may see."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, current_app, jsonify, request
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import or_, select

from app.errors import InvalidInput
from app.extensions import db
from app.services.permission import has_door
from app.services.reference import MATCHES, Match, search_industries, search_regions
from app.views.guard import signed_in

blueprint = Blueprint("picker", __name__)
LONGEST = 40
"""Longest text that is looked for, in characters."""
RECORDS: dict[str, tuple[str, str]] = {
    "enterprise": ("name", "credit_code"),
    "batch": ("title", "title"),
    "account": ("display_name", "username"),
}
"""Grids whose records are picked, with the column that is taken and the one that may be typed instead."""


def _answer(matches: list[Match]) -> Response:
    items = [{"code": m.code, "label": m.name.split(" / ")[-1], "path": m.name} for m in matches]
    return jsonify(items=items)


def _asked() -> str:
    """What is looked for. InvalidInput if it is too long: a text that was cut would find something else."""
    text = request.args.get("q", "").strip().replace("\x00", "")
    if len(text) > LONGEST:
        raise InvalidInput(
            _(
                "要找的词太长：最多 %(most)s 个字，现在是 %(count)s 个。请只输入名称的一部分。",
                most=LONGEST,
                count=len(text),
            )
        )
    return text


@blueprint.get("/pickers/regions")
@signed_in
def regions() -> Response:
    """Regions whose name or code contains ``q``."""
    return _answer(search_regions(_asked()))


@blueprint.get("/pickers/industries")
@signed_in
def industries() -> Response:
    """Industries whose name or code contains ``q``."""
    return _answer(search_industries(_asked()))


@blueprint.get("/pickers/records/<name>")
@signed_in
def records(name: str) -> Response:
    """Records of the grid ``name`` in the person's scope whose name or code contains ``q``; who may not list it: 403.

    Taken is the name, as filters compare it; with ``by=code`` the code where there is one.
    """
    if name not in RECORDS:
        abort(404)
    if not has_door(current_user, name, "list"):
        abort(403)
    return jsonify(items=_matches(name, _asked()))


def _matches(name: str, text: str) -> list[dict[str, str]]:
    grid = next(g for g in current_app.extensions["grids"] if g.name == name)
    taken, typed = (getattr(grid.model, column) for column in RECORDS[name])
    by_code = request.args.get("by") == "code"
    found: Any = (
        select(taken, typed)
        .where(grid.scope(current_user), taken.is_not(None))
        .where(or_(taken.icontains(text, autoescape=True), typed.icontains(text, autoescape=True)))
        .order_by(grid.model.id.desc())
        .limit(MATCHES)
    )
    pairs = db.session.execute(found)
    return [{"code": (code if by_code else None) or label, "label": label, "path": label} for label, code in pairs]
