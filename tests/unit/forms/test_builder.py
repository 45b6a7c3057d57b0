"""Reading a posted section: any text is taken, nothing is cut, line ends are one kind."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import MultiDict

from app.definitions.evaluation import FieldState
from app.fields.base import FieldSpec, Option
from app.forms.builder import build_section_form, posted_text

PICKS = (Option(value="a", label="甲"), Option(value="b", label="乙"))


def state(key: str, kind: str = "string", **more: object) -> FieldState:
    return FieldState(FieldSpec(key=key, label=key, type=kind, **more), key)


def read(states: list[FieldState], *pairs: tuple[str, str]) -> tuple[dict[str, object], dict[str, object]]:
    form = build_section_form(states, MultiDict(pairs))
    return form.values(), form.bases()


@pytest.mark.parametrize(
    "text", ["12万", "NaN", "1e999", "=1+1", "a\x00b", "\x07", "x" * 50_000, "  两端有空格  ", "<b>"]
)
def test_any_text_is_kept_as_typed(text: str) -> None:
    values, _ = read([state("revenue", "decimal", decimals=2)], ("revenue", text), ("base:revenue", ""))
    assert values == {"revenue": text}


def test_line_ends_become_one_kind_in_text_and_base() -> None:
    values, bases = read([state("intro", "text")], ("intro", "甲\r\n乙\r丙"), ("base:intro", "甲\n乙"))
    assert values == {"intro": "甲\n乙\n丙"} and bases == {"intro": "甲\n乙"}


def test_fields_that_were_not_on_the_page_are_left_alone() -> None:
    assert read([state("a"), state("b")], ("a", "1"), ("base:a", "")) == ({"a": "1"}, {"a": ""})


def test_a_base_without_a_name_means_nothing_chosen() -> None:
    several, one = state("honours", "multiselect", options=PICKS), state("size", "select", options=PICKS)
    values, bases = read([several, one], ("base:honours", "a"), ("base:honours", "b"), ("base:size", "a"))
    assert values == {"honours": [], "size": ""}
    assert bases == {"honours": ["a", "b"], "size": "a"}


def test_several_choices_are_a_list_even_if_one() -> None:
    values, _ = read([state("honours", "multiselect", options=PICKS)], ("honours", "b"), ("base:honours", ""))
    assert values == {"honours": ["b"]}


def test_several_texts_for_one_answer_stay_several() -> None:
    assert posted_text(["a", "b"], FieldSpec(key="size", label="规模", type="select", options=PICKS)) == ["a", "b"]


def test_computed_fields_are_never_read() -> None:
    assert read([state("total", "decimal", computed="1.0")], ("total", "5")) == ({}, {})


def test_a_readonly_field_counts_only_when_it_was_tampered_with() -> None:
    fixed = state("name", readonly=True, prefill="enterprise.name")
    assert read([fixed], ("name", "甲公司"), ("base:name", "甲公司"))[0] == {}
    assert read([fixed], ("name", "乙公司"), ("base:name", "甲公司"))[0] == {"name": "乙公司"}


def test_paths_of_nested_rows_are_names() -> None:
    path = "projects/1/providers/2/name"
    nested = FieldState(FieldSpec(key="name", label="名称", type="string"), path)
    assert read([nested], (path, "数联"), (f"base:{path}", ""))[0] == {path: "数联"}
