"""PLACEHOLDER declaration."""
from __future__ import annotations
from typing import Any
from flask import Blueprint, render_template_string

blueprint = Blueprint("declaration", __name__)


@blueprint.get("/declarations/")
def index() -> Any:
    return render_template_string("{% extends 'base.html' %}{% block content %}<h1>declaration.index</h1>{% endblock %}")


@blueprint.get("/declarations/<uuid:id>/")
def show(id: Any) -> Any:
    return render_template_string("{% extends 'base.html' %}{% block content %}<h1>declaration.show</h1>{% endblock %}")
