"""select, boolean, multiselect: only what the spec offers."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.datastructures import MultiDict
from wtforms import Form

from app.fields import registry
from app.fields.base import FieldSpec, Lookups, Option, Value


def _options(*pairs: tuple[str, str]) -> tuple[Option, ...]:
    return tuple(Option(value=value, label=label) for value, label in pairs)


@pytest.mark.parametrize(("typed", "value"), [("mes", "mes"), (" mes ", "mes"), ("仓储管理", "wms"), ("无", "none")])
def test_select_by_value_or_label(typed: str, value: str, parse: Callable[..., Value]) -> None:
    assert parse("select", typed) == value


@pytest.mark.parametrize("typed", ["MES", "crm", "m", "None", "生产"])
def test_select_refuses_what_is_not_offered(typed: str, refusal: Callable[..., str]) -> None:
    assert refusal("select", typed) == f"选项里没有“{typed}”，请从列表里重新选择。"


def test_a_value_wins_over_a_label(parse: Callable[..., Value]) -> None:
    options = _options(("a", "b"), ("b", "c"))
    assert parse("select", "b", options=options) == "b"
    assert parse("select", "c", options=options) == "b"


def test_boolean_has_default_labels(
    parse: Callable[..., Value], spec: Callable[..., FieldSpec], lookups: Lookups
) -> None:
    assert parse("boolean", "yes") == "yes" and parse("boolean", "否") == "no"
    assert registry.get("boolean").text(spec("boolean"), "yes", lookups) == "是"
    assert registry.get("boolean").to_cel("yes") == "yes"


def test_boolean_may_have_own_words(
    parse: Callable[..., Value], spec: Callable[..., FieldSpec], lookups: Lookups
) -> None:
    words = _options(("yes", "已完成"), ("no", "未完成"))
    assert parse("boolean", "已完成", options=words) == "yes"
    assert registry.get("boolean").text(spec("boolean", options=words), "no", lookups) == "未完成"


@pytest.mark.parametrize("typed", ["true", "1", "on", "Y", "YES"])
def test_boolean_refuses_other_words(typed: str, refusal: Callable[..., str]) -> None:
    assert refusal("boolean", typed) == f"选项里没有“{typed}”，请从列表里重新选择。"


@pytest.mark.parametrize(
    ("typed", "values"),
    [
        (["erp", "mes"], ["mes", "erp"]),
        (["mes", "mes", "生产执行系统"], ["mes"]),
        (["", "wms"], ["wms"]),
        (["none"], ["none"]),
        (["", " "], []),
        (("mes",), ["mes"]),
    ],
)
def test_multiselect_is_ordered_and_unique(typed: Any, values: list[str], parse: Callable[..., Value]) -> None:
    assert parse("multiselect", typed) == values


@pytest.mark.parametrize(
    ("typed", "attributes", "sentence"),
    [
        (["mes", "none"], {}, "“无”不能和其他选项一起选，请只留一种。"),
        (["mes"], {"min": 2}, "至少选 2 项，现在选了 1 项，请补选。"),
        (["mes", "erp", "wms"], {"max": 2}, "最多选 2 项，现在选了 3 项，请去掉几项。"),
        (["mes", "crm"], {}, "选项里没有“crm”，请从列表里重新选择。"),
        ("mes", {}, "这里可以选多项，请从选项里勾选。"),
        (["mes", 5], {}, "选项的格式不对，请从选项里重新勾选。"),
    ],
)
def test_multiselect_refusals(
    typed: Any, attributes: dict[str, Any], sentence: str, refusal: Callable[..., str]
) -> None:
    assert refusal("multiselect", typed, **attributes) == sentence


def test_the_exclusive_option_needs_no_minimum(parse: Callable[..., Value]) -> None:
    assert parse("multiselect", ["none"], min=2) == ["none"]


def test_one_choice_refuses_a_list(refusal: Callable[..., str]) -> None:
    assert refusal("select", ["mes", "erp"]) == "这里只能填一项，现在收到 2 项，请只留一项。"
    assert refusal("boolean", ["yes"]) == "这里要填文字，请重新填写。"


def test_texts_join_labels(spec: Callable[..., FieldSpec], lookups: Lookups) -> None:
    field_type = registry.get("multiselect")
    assert field_type.text(spec("multiselect"), ["mes", "wms"], lookups) == "生产执行系统、仓储管理"
    assert field_type.sheet(spec("multiselect"), ["mes", "wms"], lookups) == "生产执行系统、仓储管理"
    assert field_type.text(spec("multiselect"), ["gone"], lookups) == "gone"
    assert registry.get("select").text(spec("select"), "gone", lookups) == "gone"


def test_select_offers_a_blank_first(spec: Callable[..., FieldSpec]) -> None:
    form = type("F", (Form,), {"answer": registry.get("select").form_field(spec("select"))})()
    assert [(choice.value, choice.label) for choice in form.answer.choices][:2] == [
        ("", "请选择"),
        ("mes", "生产执行系统"),
    ]
    assert form.answer.data is None


def test_radio_and_boxes_have_no_blank(spec: Callable[..., FieldSpec]) -> None:
    fields = {"yes_no": registry.get("boolean").form_field(spec("boolean"))}
    fields["boxes"] = registry.get("multiselect").form_field(spec("multiselect"))
    form = type("F", (Form,), fields)(MultiDict([("yes_no", "no"), ("boxes", "mes"), ("boxes", "wms")]))
    assert [choice.value for choice in form.yes_no.choices] == ["yes", "no"]
    assert len(form.boxes.choices) == 4
    assert form.validate() and form.yes_no.data == "no" and form.boxes.data == ["mes", "wms"]


@pytest.mark.parametrize(
    ("type_name", "attributes", "words"),
    [
        ("select", {"options": ()}, "type 'select' needs options"),
        ("multiselect", {"options": ()}, "type 'multiselect' needs options"),
        ("select", {"options": _options(("a", "甲"), ("a", "乙"))}, "option value 'a' stands twice"),
        ("select", {"options": _options(("a", "甲"), ("b", "甲"))}, "option label '甲' stands twice"),
        ("select", {"options": _options(("", "甲"))}, "must have 1 to 64 characters"),
        ("select", {"options": _options(("a" * 65, "甲"))}, "must have 1 to 64 characters"),
        ("select", {"options": _options((" a", "甲"))}, "must have 1 to 64 characters"),
        ("boolean", {"options": _options(("yes", "是"))}, "must be exactly 'yes' and 'no'"),
        ("boolean", {"options": _options(("yes", "是"), ("true", "否"))}, "must be exactly 'yes' and 'no'"),
        ("multiselect", {"min": 0}, "min 0 is no count of choices"),
        ("multiselect", {"max": 1.5}, "max 1.5 is no count of choices"),
        ("multiselect", {"min": 4}, "min 4 is more than the 3 options that can be chosen together"),
        ("multiselect", {"min": 3, "max": 2}, "min 3 is greater than max 2"),
        ("select", {"min": 1}, "min means nothing for type 'select'"),
    ],
)
def test_unsound_specs_are_found(
    type_name: str, attributes: dict[str, Any], words: str, problems: Callable[..., list[str]]
) -> None:
    assert any(words in problem for problem in problems(type_name, **attributes))


def test_samples_keep_counts_and_never_mix_the_exclusive(spec: Callable[..., FieldSpec]) -> None:
    field_type = registry.get("multiselect")
    for seed in range(100):
        chosen = field_type.sample(spec("multiselect", min=2, max=2), random.Random(seed))
        assert isinstance(chosen, list) and len(chosen) == 2 and "none" not in chosen


def test_sample_of_exclusive_options_only(spec: Callable[..., FieldSpec]) -> None:
    alone = (Option(value="none", label="无", exclusive=True),)
    assert registry.get("multiselect").sample(spec("multiselect", options=alone), random.Random(1)) == ["none"]
