"""What every generated WTForms field gets: label, help, HTML attributes. Validation is ``parse``, never WTForms."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from wtforms import Field as WTField
from wtforms import RadioField, SelectField, SelectMultipleField
from wtforms.fields import SelectChoice

from app.fields.base import FieldSpec, Option


def field_arguments(spec: FieldSpec, kwargs: dict[str, Any], **attributes: Any) -> dict[str, Any]:
    """Constructor arguments of a form field: the caller's ``kwargs`` over the spec's, HTML attributes merged.

    There is no ``maxlength``: browsers cut pasted text without a word. ``data-limit`` feeds the counter instead.
    """
    if spec.max_length is not None:
        attributes["data-limit"] = str(spec.max_length)
    if spec.readonly or spec.fixed is not None or spec.computed is not None:
        attributes["readonly"] = True
    attributes |= kwargs.pop("render_kw", None) or {}
    return {"label": spec.label, "description": spec.help or "", "render_kw": attributes, **kwargs}


def choice_field(spec: FieldSpec, options: tuple[Option, ...], kind: str, kwargs: dict[str, Any]) -> WTField:
    """A ``select``, ``radio`` or ``checks`` field that keeps any posted text; blank first choice for ``select``."""
    choices = [SelectChoice(option.value, option.label) for option in options]
    arguments = {"choices": choices, "validate_choice": False, **field_arguments(spec, kwargs)}
    if kind == "checks":
        return SelectMultipleField(**arguments)
    if kind == "radio":
        return RadioField(**arguments)
    return SelectField(**{**arguments, "choices": [SelectChoice("", _("请选择")), *choices]})
