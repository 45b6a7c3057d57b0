"""PLACEHOLDER account."""
from __future__ import annotations
from typing import Any
from flask import Blueprint, render_template_string

blueprint = Blueprint("account", __name__)


@blueprint.get("/account/login")
def login() -> Any:
    return render_template_string("{% extends 'base.html' %}{% block content %}<h1>account.login</h1>{% endblock %}")


@blueprint.get("/account/register")
def register() -> Any:
    return render_template_string("{% extends 'base.html' %}{% block content %}<h1>account.register</h1>{% endblock %}")
