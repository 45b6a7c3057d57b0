"""PLACEHOLDER programme."""
from __future__ import annotations
from typing import Any
from flask import Blueprint, render_template_string

blueprint = Blueprint("programme", __name__)


@blueprint.get("/programmes/")
def index() -> Any:
    return render_template_string("{% extends 'base.html' %}{% block content %}<h1>programme.index</h1>{% endblock %}")


@blueprint.get("/programmes/<key>/")
def show(key: Any) -> Any:
    return render_template_string("{% extends 'base.html' %}{% block content %}<h1>programme.show</h1>{% endblock %}")
