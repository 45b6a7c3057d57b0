"""PLACEHOLDER wizard."""
from __future__ import annotations
from typing import Any
from flask import Blueprint, render_template_string

blueprint = Blueprint("wizard", __name__)
