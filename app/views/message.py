"""PLACEHOLDER message."""
from __future__ import annotations
from typing import Any
from flask import Blueprint, render_template_string

blueprint = Blueprint("message", __name__)


@blueprint.get("/messages/")
def index() -> Any:
    return render_template_string("{% extends 'base.html' %}{% block content %}<h1>message.index</h1>{% endblock %}")
