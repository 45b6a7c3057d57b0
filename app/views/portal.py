"""PLACEHOLDER portal."""
from __future__ import annotations
from typing import Any
from flask import Blueprint, render_template_string

blueprint = Blueprint("portal", __name__)


@blueprint.get("/")
def home() -> Any:
    return render_template_string("{% extends 'base.html' %}{% block content %}<h1>portal.home</h1>{% endblock %}")


@blueprint.get("/notices/")
def notices() -> Any:
    return render_template_string("{% extends 'base.html' %}{% block content %}<h1>portal.notices</h1>{% endblock %}")


@blueprint.get("/publicity/")
def publicity() -> Any:
    return render_template_string("{% extends 'base.html' %}{% block content %}<h1>portal.publicity</h1>{% endblock %}")


@blueprint.get("/recognitions/")
def recognitions() -> Any:
    return render_template_string("{% extends 'base.html' %}{% block content %}<h1>portal.recognitions</h1>{% endblock %}")
