"""Arguments of generated form fields."""

from __future__ import annotations

from collections.abc import Callable

from wtforms import Form, SelectField, StringField, TextAreaField

from app.fields import registry
from app.fields.base import FieldSpec
from app.fields.widget import field_arguments


def test_label_help_and_limit(spec: Callable[..., FieldSpec]) -> None:
    arguments = field_arguments(spec("string", help="按执照填写", max_length=60), {})
    assert arguments == {"label": "项目名称", "description": "按执照填写", "render_kw": {"data-limit": "60"}}


def test_the_caller_has_the_last_word(spec: Callable[..., FieldSpec]) -> None:
    kwargs = {"label": "别名", "render_kw": {"inputmode": "none", "class": "form-control"}, "id": "x"}
    arguments = field_arguments(spec("string"), kwargs, inputmode="tel", rows="3")
    assert arguments["label"] == "别名" and arguments["id"] == "x"
    assert arguments["render_kw"] == {"inputmode": "none", "rows": "3", "class": "form-control"}


def test_what_nobody_types_is_read_only(spec: Callable[..., FieldSpec]) -> None:
    for attributes in ({"readonly": True}, {"fixed": "哈尔滨市"}, {"computed": "form.a + form.b"}):
        assert field_arguments(spec("string", **attributes), {})["render_kw"] == {"readonly": True}


def test_kinds_of_inputs(spec: Callable[..., FieldSpec]) -> None:
    def bound(name: str) -> object:
        return type("F", (Form,), {"answer": registry.get(name).form_field(spec(name))})().answer

    assert isinstance(bound("text"), TextAreaField)
    assert isinstance(bound("decimal"), StringField)
    assert isinstance(bound("select"), SelectField)
    html = str(bound("date")())  # type: ignore[operator] - WTForms fields render by being called
    assert 'type="date"' in html


def test_areas_grow_with_the_answer(spec: Callable[..., FieldSpec]) -> None:
    rows = [
        registry.get("text").form_field(spec("text", max_length=most)).kwargs["render_kw"]["rows"]
        for most in (300, 2000)
    ]
    assert rows == ["3", "6"]
