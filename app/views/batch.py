"""PLACEHOLDER batch."""
from __future__ import annotations
from typing import Any
from flask import Blueprint, render_template_string

blueprint = Blueprint("batch", __name__)


@blueprint.get("/batches/")
def index() -> Any:
    return render_template_string("{% extends 'base.html' %}{% block content %}<h1>batch.index</h1>{% endblock %}")
