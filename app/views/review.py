"""PLACEHOLDER review."""
from __future__ import annotations
from typing import Any
from flask import Blueprint, render_template_string

blueprint = Blueprint("review", __name__)


@blueprint.get("/review/<uuid:id>/")
def show(id: Any) -> Any:
    return render_template_string("{% extends 'base.html' %}{% block content %}<h1>review.show</h1>{% endblock %}")
