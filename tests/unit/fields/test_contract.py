"""What every registered type must be able to do; a new type is picked up by being registered."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, create_engine, insert, select
from werkzeug.datastructures import MultiDict
from wtforms import Form

from app.fields import registry
from app.fields.base import FieldError, FieldSpec, Lookups, Option, Value

WIDGETS = {"text", "textarea", "number", "date", "select", "radio", "checks", "region", "industry"}
ONE_TEXT = [name for name in registry.names() if name != "multiselect"]
FREE_TEXT = {"string", "text"}

every_type = pytest.mark.parametrize("name", registry.names())


def _answer(name: str, spec: Callable[..., FieldSpec], lookups: Lookups, seed: int = 7) -> tuple[FieldSpec, Value]:
    one = spec(name)
    field_type = registry.get(name)
    return one, field_type.parse(one, field_type.sample(one, random.Random(seed)), lookups)


@every_type
def test_parses_its_own_samples(name: str, spec: Callable[..., FieldSpec], lookups: Lookups) -> None:
    field_type, one = registry.get(name), spec(name)
    for seed in range(200):
        value = field_type.parse(one, field_type.sample(one, random.Random(seed)), lookups)
        assert not field_type.is_empty(value)


@every_type
def test_samples_repeat_for_a_seed(name: str, spec: Callable[..., FieldSpec]) -> None:
    field_type, one = registry.get(name), spec(name)
    assert field_type.sample(one, random.Random(3)) == field_type.sample(one, random.Random(3))


@every_type
@pytest.mark.parametrize("blank", [None, "", "   ", "\u3000", "\r\n", []])
def test_nothing_typed_is_empty(
    name: str, blank: Any, parse: Callable[..., Value], refusal: Callable[..., str]
) -> None:
    if name == "multiselect":
        if isinstance(blank, str) and blank:
            assert refusal(name, blank)
        else:
            assert parse(name, blank) == []
    else:
        assert parse(name, blank) is None


@every_type
def test_column_gives_back_what_was_written(name: str, spec: Callable[..., FieldSpec], lookups: Lookups) -> None:
    one, value = _answer(name, spec, lookups)
    engine = create_engine("sqlite://")
    table = Table(
        "answers", MetaData(), Column("id", Integer, primary_key=True), Column("a", registry.get(name).column(one))
    )
    table.create(engine)
    with engine.begin() as connection:
        connection.execute(insert(table), [{"id": 1, "a": value}, {"id": 2, "a": None}])
        back = connection.execute(select(table.c.a).order_by(table.c.id)).scalars().all()
        assert back == [value, None]
        assert type(back[0]) is type(value)
        assert connection.scalar(select(table.c.id).where(table.c.a == value)) == 1


@every_type
def test_json_is_exact_and_plain(name: str, spec: Callable[..., FieldSpec], lookups: Lookups) -> None:
    _one, value = _answer(name, spec, lookups)
    field_type = registry.get(name)
    text = json.dumps(field_type.to_json(value), allow_nan=False)
    back = field_type.from_json(json.loads(text))
    assert back == value and type(back) is type(value)
    empty = field_type.from_json(None)
    assert field_type.is_empty(empty) and field_type.to_json(empty) in (None, [])


@every_type
def test_cel_value_is_of_a_cel_kind(name: str, spec: Callable[..., FieldSpec], lookups: Lookups) -> None:
    _one, value = _answer(name, spec, lookups)
    cel = registry.get(name).to_cel(value)
    if isinstance(value, (int, Decimal)):
        assert type(cel) is float and cel == pytest.approx(float(value))
    elif isinstance(value, date):
        assert cel == value.isoformat()
    else:
        assert cel == value
    assert registry.get(name).to_cel(None) is None


@every_type
def test_prints_text_and_sheet_cell(name: str, spec: Callable[..., FieldSpec], lookups: Lookups) -> None:
    one, value = _answer(name, spec, lookups)
    field_type = registry.get(name)
    text = field_type.text(one, value, lookups)
    assert text and text == text.strip()
    cell = field_type.sheet(one, value, lookups)
    assert cell == (value if isinstance(value, (int, Decimal, date)) else text)
    empty: Value = [] if name == "multiselect" else None
    assert field_type.text(one, empty, lookups) == ""
    assert field_type.sheet(one, empty, lookups) is None


@every_type
def test_form_field_keeps_any_working_text(name: str, spec: Callable[..., FieldSpec]) -> None:
    field_type = registry.get(name)
    assert field_type.widget in WIDGETS
    one = spec(name, help="按营业执照填写")
    form_class = type("AnswerForm", (Form,), {"answer": field_type.form_field(one)})
    form = form_class(MultiDict([("answer", "12万"), ("answer", "不在列表里")]))
    assert form.validate()
    assert form.answer.data == (["12万", "不在列表里"] if name == "multiselect" else "12万")
    assert form.answer.label.text == "项目名称" and form.answer.description == "按营业执照填写"
    html = str(form_class(data={"answer": ["mes"] if name == "multiselect" else "mes"}).answer())
    assert "maxlength" not in html and "style=" not in html and "onclick" not in html


@every_type
def test_spec_of_the_type_is_sound(name: str, problems: Callable[..., list[str]]) -> None:
    assert problems(name) == []


BAD = [
    "NaN",
    "Infinity",
    "-inf",
    "1e400",
    "1E5",
    "12万",
    "9" * 40,
    "1" * 5000,
    "１" * 4301,
    "²",
    "--1",
    "0x1F",
    "; DROP TABLE form",
    "<script>alert(1)</script>",
    "%(seen)s %s {value}",
    "\U0001f600",
]
HOSTILE = [
    "\x00",
    "a\x00b",
    "1\x002",
    "\x1b[31m",
    "\ud800",
    "12\udfff",
    "\ufffe",
    "\u202e12",
    "张三\u2066李四",
    "12\u200f",
]
NOT_TEXT = [["a", "b"], ["a"], [["a"]], {"a": 1}, 5, 1.5, True, b"12", [None, "a"], object()]


@pytest.mark.parametrize("name", [name for name in ONE_TEXT if name not in FREE_TEXT])
@pytest.mark.parametrize("raw", BAD, ids=lambda raw: repr(raw[:12]))
def test_bad_text_is_refused_in_words(name: str, raw: str, refusal: Callable[..., str]) -> None:
    _assert_sentence(refusal(name, raw))


@pytest.mark.parametrize("name", ONE_TEXT)
@pytest.mark.parametrize("raw", HOSTILE, ids=ascii)
def test_hostile_characters_are_refused_everywhere(name: str, raw: str, refusal: Callable[..., str]) -> None:
    _assert_sentence(refusal(name, raw))


@pytest.mark.parametrize("name", ONE_TEXT)
@pytest.mark.parametrize("raw", NOT_TEXT, ids=lambda raw: type(raw).__name__)
def test_anything_but_one_text_is_refused(name: str, raw: Any, refusal: Callable[..., str]) -> None:
    _assert_sentence(refusal(name, raw))


@pytest.mark.parametrize("raw", [*BAD, *HOSTILE, {"a": 1}, 5, True, b"mes", object()], ids=lambda raw: ascii(raw)[:12])
def test_several_choices_refuse_one_text(raw: Any, refusal: Callable[..., str]) -> None:
    _assert_sentence(refusal("multiselect", raw))


@pytest.mark.parametrize("raw", [[text] for text in [*BAD, *HOSTILE]] + [[["mes"]], [None], [5], ["mes", {}]])
def test_several_choices_refuse_bad_members(raw: Any, refusal: Callable[..., str]) -> None:
    _assert_sentence(refusal("multiselect", raw))


def _assert_sentence(message: str) -> None:
    assert message.endswith("。") and len(message) < 120
    assert re.search("[\u4e00-\u9fff]{3}", message)
    message.encode("utf-8")
    assert "\x00" not in message and "\u202e" not in message and "%(" not in message.replace("%(seen)s %s {value}", "")


anything = st.one_of(
    st.none(),
    st.text(),
    st.text(alphabet=st.characters(codec=None, categories=["Cs", "Cc", "Cf", "Nd", "Nl", "No", "Zs"])),
    st.text(alphabet="0123456789-+.,()eE年月日转 %\u3000１２３，．", max_size=24),
    st.lists(st.one_of(st.text(max_size=5), st.none(), st.sampled_from(["mes", "erp", "none"])), max_size=4),
    st.integers(),
    st.floats(),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


@every_type
@settings(max_examples=150, deadline=None)
@given(raw=anything)
def test_any_input_is_a_value_or_a_field_error(
    name: str, spec: Callable[..., FieldSpec], lookups: Lookups, raw: Any
) -> None:
    field_type, one = registry.get(name), spec(name)
    try:
        value = field_type.parse(one, raw, lookups)
    except FieldError as error:
        str(error).encode("utf-8")
        return
    assert field_type.from_json(json.loads(json.dumps(field_type.to_json(value)))) == value
    field_type.text(one, value, lookups).encode("utf-8")
    if name not in {"text"} and not field_type.is_empty(value) and not isinstance(value, list):
        again = field_type.parse(one, str(field_type.to_json(value)), lookups)
        assert again == value


def _number_spec(draw: st.DrawFn, name: str) -> dict[str, Any]:
    bound = st.decimals(min_value=-(10**9), max_value=10**9, places=2)
    low, high = draw(st.none() | bound), draw(st.none() | bound)
    if low is not None and high is not None and low > high:
        low, high = high, low
    decimals = {"decimals": draw(st.none() | st.integers(0, 6))} if name in {"decimal", "percent"} else {}
    return {"min": low, "max": high, "unit": draw(st.sampled_from([None, "万元", "%"])), **decimals}


@st.composite
def specs(draw: st.DrawFn) -> FieldSpec:
    """Specs of every type with the attributes that the type understands."""
    name = draw(st.sampled_from(registry.names()))
    label = draw(
        st.sampled_from(["企业名称", "联系人", "注册地址", "邮编", "开户银行", "专利号", "说明", "产品名称", "型号"])
    )
    attributes: dict[str, Any] = {}
    if name in {"integer", "decimal", "percent"}:
        attributes = _number_spec(draw, name)
    elif name == "year":
        years = sorted(draw(st.tuples(st.integers(1900, 2100), st.integers(1900, 2100))))
        attributes = {"min": years[0], "max": years[1]}
    elif name in {"string", "text"}:
        attributes = {"max_length": draw(st.none() | st.integers(1, 400))}
    elif name == "phone":
        attributes = {"pattern": draw(st.sampled_from([None, r"^1[3-9]\d{9}$", r"^0\d{2,3}-\d{7,8}$", r"^\S+$"]))}
    elif name in {"select", "multiselect"}:
        values = draw(st.lists(st.from_regex(r"[a-z]{1,8}", fullmatch=True), min_size=1, max_size=6, unique=True))
        alone = draw(st.booleans())
        attributes["options"] = tuple(
            Option(value=v, label=f"第{i}项", exclusive=alone and i == 0) for i, v in enumerate(values)
        )
        if name == "multiselect" and len(values) > alone:
            attributes["min"] = draw(st.none() | st.integers(1, len(values) - alone))
            attributes["max"] = draw(st.none() | st.integers(int(attributes["min"] or 1), 9))
    return FieldSpec(key="answer", label=label, type=name, **attributes)


@settings(max_examples=400, deadline=None)
@given(one=specs(), seed=st.integers(0, 10**6))
def test_every_sound_spec_has_samples_that_pass(lookups: Lookups, one: FieldSpec, seed: int) -> None:
    field_type = registry.get(one.type)
    if field_type.check_spec(one):
        return  # an unsound spec is refused when the definition is loaded
    value = field_type.parse(one, field_type.sample(one, random.Random(seed)), lookups)
    assert not field_type.is_empty(value)
    assert field_type.text(one, value, lookups)


def test_the_types_of_the_domain_are_known() -> None:
    wanted = (
        "string text integer decimal percent date select multiselect boolean region industry phone email uscc "
        "id_number year"
    )
    assert set(wanted.split()) <= set(registry.names())


@every_type
def test_unknown_attributes_are_named(name: str, problems: Callable[..., list[str]]) -> None:
    own = {
        "string": {"unit", "max_length", "pattern"},
        "text": {"max_length"},
        "integer": {"unit", "min", "max"},
        "decimal": {"unit", "min", "max", "decimals"},
        "percent": {"unit", "min", "max", "decimals"},
        "year": {"unit", "min", "max"},
        "select": {"options"},
        "multiselect": {"options", "min", "max"},
        "boolean": {"options"},
        "phone": {"max_length", "pattern"},
        "email": {"max_length"},
        "uscc": {"max_length"},
        "id_number": {"max_length"},
    }.get(name, set())
    tried = {
        "unit": "个",
        "min": 1,
        "max": 2,
        "max_length": 18,
        "decimals": 2,
        "pattern": r"\d",
        "options": ({"value": "a", "label": "b"},),
    }
    for attribute in set(tried) - own:
        assert any(attribute in problem for problem in problems(name, **{attribute: tried[attribute]})), attribute
