"""PLACEHOLDER enterprise."""
from __future__ import annotations
from typing import Any
from flask import Blueprint, render_template_string

blueprint = Blueprint("enterprise", __name__)


@blueprint.get("/enterprise/")
def index() -> Any:
    return render_template_string("{% extends 'base.html' %}{% block content %}<h1>enterprise.index</h1>{% endblock %}")


@blueprint.get("/enterprise/certification/")
def certification() -> Any:
    return render_template_string("{% extends 'base.html' %}{% block content %}<h1>enterprise.certification</h1>{% endblock %}")
