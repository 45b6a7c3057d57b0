"""What the pickers of regions and industries ask: at most twenty matches of a name or code."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from app.services.reference import Match, search_industries, search_regions
from app.views.guard import signed_in

blueprint = Blueprint("picker", __name__)
LONGEST = 40


def _answer(matches: list[Match]) -> Response:
    items = [{"code": m.code, "label": m.name.split(" / ")[-1], "path": m.name} for m in matches]
    return jsonify(items=items)


@blueprint.get("/pickers/regions")
@signed_in
def regions() -> Response:
    """Regions whose name or code contains ``q``."""
    return _answer(search_regions(request.args.get("q", "")[:LONGEST]))


@blueprint.get("/pickers/industries")
@signed_in
def industries() -> Response:
    """Industries whose name or code contains ``q``."""
    return _answer(search_industries(request.args.get("q", "")[:LONGEST]))
