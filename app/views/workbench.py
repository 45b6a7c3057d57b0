"""PLACEHOLDER workbench."""
from __future__ import annotations
from typing import Any
from flask import Blueprint, render_template_string

blueprint = Blueprint("workbench", __name__)


@blueprint.get("/workbench/")
def index() -> Any:
    return render_template_string("{% extends 'base.html' %}{% block content %}<h1>workbench.index</h1>{% endblock %}")
