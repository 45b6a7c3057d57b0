"""PLACEHOLDER todo."""
from __future__ import annotations
from typing import Any
from flask import Blueprint, render_template_string

blueprint = Blueprint("todo", __name__)


@blueprint.get("/todo/")
def index() -> Any:
    return render_template_string("{% extends 'base.html' %}{% block content %}<h1>todo.index</h1>{% endblock %}")
