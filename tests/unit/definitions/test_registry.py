"""Mistakes in a definition are told with file, line and words; versions are stable texts."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.definitions.registry import (
    Catalogue,
    DefinitionError,
    catalogue,
    digest,
    from_json,
    parameters_of,
    parse_definition,
    resolve,
    specs,
    to_json,
)

TEXT = """key: sample
version: 1
title: 样例
short_code: YL
kind: declaration
jurisdiction: '230100'
parameters:
  base_year: {label: 年度, value: 2024}
  extra_step: {label: 加一步, value: false}
sections:
- key: basics
  label: 基本情况
  fields:
  - {key: name, label: '{base_year}年名称', type: string, help: '{base_year}年的', note: '{base_year}'}
  - {key: kind, label: 类别, type: select, options: [{value: a, label: 甲}]}
  tables:
  - key: items
    label: 明细
    row_label: 明细
    columns:
    - {key: price, label: 单价, type: decimal}
attachments:
- {key: report, label: '{base_year}年报告'}
route:
- {key: review, label: 初审, kind: review, level: city}
"""


def problems(text: str) -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        parse_definition(text, "sample.yaml")
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems


def line(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def test_a_good_definition() -> None:
    definition = parse_definition(TEXT, "sample.yaml")
    assert [place for place, _ in specs(definition)] == ["basics.name", "basics.kind", "items.price"]
    assert definition.table("items").label == "明细"
    with pytest.raises(KeyError):
        definition.table("nothing")
    with pytest.raises(KeyError):
        definition.step("nothing")


@pytest.mark.parametrize(
    ("old", "new", "where", "words"),
    [
        ("label: 单价, type", "lable: 单价, type", "key: price", "lable"),
        ("kind: declaration", "kind: banquet", "kind: banquet", "Input should be"),
        ("short_code: YL", "short_code: yl", "short_code: yl", "pattern"),
        ("key: sample", "key: Sample-1", "key: Sample-1", "pattern"),
        ("level: city", "level: village", "level: village", "Input should be"),
        ("version: 1", "version: one", "version: one", "integer"),
        ("key: items", "key: Items", "key: Items", "pattern"),
        ("title: 样例\n", "", "key: sample", "Field required"),
    ],
)
def test_a_mistake_is_told_with_its_line(old: str, new: str, where: str, words: str) -> None:
    assert TEXT.count(old) == 1
    broken = TEXT.replace(old, new)
    found = problems(broken)
    assert any(p.startswith(f"sample.yaml:{line(broken, where)}:") and words in p for p in found), found


def test_broken_yaml_is_told_with_its_line() -> None:
    broken = TEXT.replace("title: 样例", "title: [样例")
    assert problems(broken)[0].startswith("sample.yaml:4:")


@pytest.mark.parametrize("text", ["", "[]", "只是一句话", "42"])
def test_what_is_no_mapping_is_refused(text: str) -> None:
    assert all(p.startswith("sample.yaml:1:") for p in problems(text))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("type: decimal", "type: number", "items.price: unknown field type 'number', known: boolean,"),
        ("{key: kind, label", "{key: name, label", "field 'name' stands twice"),
        ("key: items", "key: name", "field 'name' stands twice"),
        (", options: [{value: a, label: 甲}]", "", "basics.kind:"),
        ("attachments:\n", "attachments:\n- {key: report, label: 又一份}\n", "attachment 'report' stands twice"),
        ("route:\n", "route:\n- {key: review, label: 初审, kind: review, level: city}\n", "step 'review' stands twice"),
        ("label: 初审,", "label: 初审, enabled_by: nothing,", "step review: enabled_by names no parameter: nothing"),
        ("route:\n", "profile_map: {nothing: name}\nroute:\n", "profile_map names no field: nothing"),
        (
            "route:\n",
            "conditions: [{key: c, text: t, each: nothing}]\nroute:\n",
            "condition c: each names no table: nothing",
        ),
        (
            "route:\n",
            "conditions: [{key: c, text: t, at: nothing}]\nroute:\n",
            "condition c: at names no field: nothing",
        ),
        (
            "route:\n",
            "conditions: [{key: c, text: t, each: items, at: name}]\nroute:\n",
            "condition c: at names no field: name",
        ),
    ],
)
def test_what_the_schema_cannot_see(old: str, new: str, words: str) -> None:
    assert TEXT.count(old) == 1
    found = problems(TEXT.replace(old, new))
    assert any(words in p and p.startswith("sample.yaml: ") for p in found), found


def test_several_mistakes_are_told_at_once() -> None:
    broken = TEXT.replace("type: decimal", "type: number").replace("{key: kind, label", "{key: name, label")
    assert len(problems(broken)) == 2


# -- versions -------------------------------------------------------------------------------------------------------


def test_the_stored_text_is_canonical() -> None:
    definition = parse_definition(TEXT, "sample.yaml")
    head, tail = TEXT.split("parameters:\n")
    moved = "parameters:\n" + tail + head
    again = parse_definition(moved, "sample.yaml")
    assert to_json(again) == to_json(definition)
    assert digest(again) == digest(definition)
    assert from_json(to_json(definition)) == definition
    assert digest(definition.model_copy(update={"title": "别的"})) != digest(definition)


def test_the_products_catalogue_survives_storing() -> None:
    for definition in catalogue():
        assert from_json(to_json(definition)) == definition, definition.key


def test_labels_speak_of_the_batchs_values() -> None:
    definition = parse_definition(TEXT, "sample.yaml")
    resolved = resolve(definition, parameters_of(definition, {"base_year": 2026}))
    name = next(f for _, f in resolved.fields() if f.key == "name")
    assert (name.label, name.help, name.note) == ("2026年名称", "2026年的", "{base_year}")
    assert resolved.attachments[0].label == "2026年报告"
    assert next(f for _, f in definition.fields()).label == "{base_year}年名称"


def test_a_batch_sets_known_parameters_only() -> None:
    definition = parse_definition(TEXT, "sample.yaml")
    assert parameters_of(definition, {"base_year": 2026, "unknown": 1}) == {"base_year": 2026, "extra_step": False}
    assert parameters_of(definition, None) == {"base_year": 2024, "extra_step": False}


# -- the folder -----------------------------------------------------------------------------------------------------


def test_a_folder_tells_every_problem_of_every_file(tmp_path: Path) -> None:
    (tmp_path / "city").mkdir()
    (tmp_path / "city" / "one.yaml").write_text(TEXT.replace("type: decimal", "type: number"), "utf-8")
    (tmp_path / "two.yaml").write_text(TEXT.replace("version: 1", "version: x"), "utf-8")
    (tmp_path / "readme.md").write_text("not a definition")
    with pytest.raises(DefinitionError) as caught:
        Catalogue(tmp_path)
    assert [p.split(":")[0] for p in caught.value.problems] == ["city/one.yaml", "two.yaml"]


def test_keys_and_short_codes_are_unique(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(TEXT, "utf-8")
    (tmp_path / "two.yaml").write_text(TEXT, "utf-8")
    with pytest.raises(DefinitionError, match="stands in another file too"):
        Catalogue(tmp_path)
    (tmp_path / "two.yaml").write_text(TEXT.replace("key: sample", "key: other"), "utf-8")
    with pytest.raises(DefinitionError, match="short_code 'YL' stands twice"):
        Catalogue(tmp_path)
    (tmp_path / "two.yaml").write_text(TEXT.replace("key: sample", "key: other").replace("YL", "EL"), "utf-8")
    folder = Catalogue(tmp_path)
    assert [d.key for d in folder] == ["sample", "other"]
    assert "other" in folder
    assert "third" not in folder
    with pytest.raises(KeyError):
        folder.get("third")
