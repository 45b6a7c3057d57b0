"""What an author can get wrong in a definition file: each mistake is told when the file is loaded, with place and way out.

Before that, such a file loaded, and the mistake showed as a hidden question, a lost column or a broken page.
"""

from __future__ import annotations

import pytest

from app.definitions.defects import LONGEST_NAME, MOST_ROWS, RESERVED, defects, sources, table_names
from app.definitions.difference import starter
from app.definitions.registry import DefinitionError, catalogue, parse_definition
from app.definitions.schema import Definition
from tests.factories_everything import everything

GOOD = """key: sample
version: 1
title: 样例
short_code: YL
kind: declaration
jurisdiction: '230100'
parameters:
  base_year: {label: 年度, value: 2024}
  extra_step: {label: 加一步, value: false}
conditions:
- {key: enough, text: 够多, cel: 'form.total == null ? null : form.total >= 1.0', at: total, message: '只有 {value} 元'}
- {key: cheap, text: 便宜, each: items, cel: 'row.price == null ? null : row.price < 9.0', at: price, message: '第 {number} 行'}
sections:
- key: basics
  label: 基本情况
  fields:
  - {key: name, label: 名称, type: string, prefill: enterprise.name}
  - {key: kind, label: 类别, type: select, options: [{value: a, label: 甲}]}
  - {key: total, label: 合计, type: decimal, required: false, computed: 'sum(form.items.map(i, i.amount))'}
  - {key: why, label: 原因, type: string, visible_if: 'form.kind == "a"'}
- key: lines
  label: 明细
  tables:
  - key: items
    label: 明细
    row_label: 明细
    title_column: price
    summary_columns: [price]
    columns:
    - {key: price, label: 单价, type: decimal}
    - {key: amount, label: 金额, type: decimal, required: false, computed: row.price}
    tables:
    - {key: parts, label: 零件, row_label: 零件, columns: [{key: cost, label: 成本, type: decimal}]}
attachments:
- {key: report, label: 报告, required_if: 'form.kind == "a"'}
route:
- {key: review, label: 初审, kind: review, level: city, due_days: 5, enabled_by: extra_step}
documents:
- {key: list, title: 汇总表, format: xlsx, kind: summary, columns: [name, total], totals: [total]}
rubric:
- {key: quality, label: 质量, points: 50}
reminders:
- {key: paper, text: 交纸质材料}
"""


def told(text: str) -> list[str]:
    """What loading ``text`` says; fails if it loads."""
    with pytest.raises(DefinitionError) as caught:
        parse_definition(text, "sample.yaml")
    return caught.value.problems


def broken(old: str, new: str) -> str:
    assert GOOD.count(old) == 1, old
    return GOOD.replace(old, new)


def line_of(text: str, part: str) -> int:
    return text[: text.rindex(part)].count("\n") + 1


def test_the_sample_itself_loads() -> None:
    assert parse_definition(GOOD, "sample.yaml").key == "sample"


@pytest.mark.parametrize("definition", [*catalogue(), everything()], ids=lambda d: d.key)
def test_the_products_own_definitions_have_no_defect(definition: Definition) -> None:
    assert defects(definition) == []


def test_the_starter_has_no_defect() -> None:
    assert defects(parse_definition(starter("cloud_grant", "上云补助"), "starter.yaml")) == []


# -- keys that stand twice ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("title: 样例\n", "title: 样例\ntitle: 另一个\n", "title"),
        ("label: 单价, type", "label: 单价, label: 价格, type", "label"),
        ("  label: 明细\n  tables", "  label: 明细\n  label: 又一个\n  tables", "label"),
        ("{key: quality, label", "{key: quality, key: cost, label", "key"),
        ("  base_year: {", "  base_year: {label: 年, value: 1}\n  base_year: {", "base_year"),
    ],
)
def test_a_key_twice_in_one_place_is_told_with_its_line(old: str, new: str, key: str) -> None:
    text = broken(old, new)
    (problem,) = told(text)
    where, words = problem.split(": ", 1)
    assert words == f"{key!r} stands twice; only the last would count"
    assert int(where.removeprefix("sample.yaml:")) == line_of(text, new[new.rindex(key) :].splitlines()[0])


def test_the_same_key_in_two_places_is_no_mistake() -> None:
    assert GOOD.count("label:") > 10


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("conditions:\n", "conditions:\n- {key: cheap, text: 再来}\n", "condition 'cheap' stands twice"),
        ("documents:\n", "documents:\n- {key: list, title: 表, format: pdf}\n", "document 'list' stands twice"),
        ("rubric:\n", "rubric:\n- {key: quality, label: 又, points: 1}\n", "line of the rubric 'quality' stands twice"),
        ("reminders:\n", "reminders:\n- {key: paper, text: 又}\n", "reminder 'paper' stands twice"),
        ("{key: parts, label", "{key: price, label", "items: 'price' is a column and a table"),
        (
            "    columns:\n    - {key: price",
            "    groups:\n    - {key: g, label: 甲, columns: []}\n    - {key: g, label: 乙, columns: []}\n"
            "    columns:\n    - {key: price",
            "group of items 'g' stands twice",
        ),
        ("- key: lines", "- key: attachments", "section 'attachments': this is the name of the page with the files"),
    ],
)
def test_parts_of_one_name_are_told(old: str, new: str, words: str) -> None:
    assert any(words in problem for problem in told(broken(old, new)))


# -- names that the program or the database cannot take ---------------------------------------------------------------


@pytest.mark.parametrize("key", sorted(RESERVED))
def test_names_of_the_generated_tables_are_taken(key: str) -> None:
    taken = "this key is taken by the program; choose another one"
    assert f"sample.yaml: basics.why: {taken}".replace("why", key) in told(broken("{key: why,", f"{{key: {key},"))
    assert f"sample.yaml: parts.cost: {taken}".replace("cost", key) in told(broken("{key: cost,", f"{{key: {key},"))


def test_a_table_name_that_the_database_would_cut_is_told() -> None:
    text = broken("key: sample", "key: " + "s" * 30).replace("key: parts", "key: " + "p" * 28)
    (problem,) = told(text)
    assert problem.startswith(f"sample.yaml: table name 'form_{'s' * 30}_{'p' * 28}' has {5 + 30 + 1 + 28} characters")
    assert problem.endswith(f"at most {LONGEST_NAME}: shorten a key")
    shorter = text.replace("p" * 28, "p" * 27)
    assert max(len(name) for name in table_names(parse_definition(shorter, "s.yaml"))) == LONGEST_NAME


# -- limits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ("min_rows: 5, max_rows: 2", "items: min_rows 5 must be between 0 and max_rows 2"),
        ("min_rows: -1", "items: min_rows -1 must be between 0 and max_rows 20"),
        ("max_rows: 0", "items: max_rows 0 must be between 1 and 999"),
        ("max_rows: 1000", "items: max_rows 1000 must be between 1 and 999"),
    ],
)
def test_rows_that_cannot_be(limits: str, words: str) -> None:
    new = "\n".join(f"    {limit}" for limit in limits.split(", "))
    assert f"sample.yaml: {words}" in told(broken("    title_column: price", f"{new}\n    title_column: price"))


def test_the_most_rows_are_those_that_paper_can_number() -> None:
    text = broken("    title_column: price", f"    max_rows: {MOST_ROWS}\n    title_column: price")
    assert parse_definition(text, "sample.yaml").table("items").max_rows == MOST_ROWS


@pytest.mark.parametrize(
    ("attribute", "words"),
    [
        ("max_size_mb: 0", "max_size_mb 0 must be between 1 and 100"),
        ("max_size_mb: -5", "max_size_mb -5 must be between 1 and 100"),
        ("max_size_mb: 101", "max_size_mb 101 must be between 1 and 100"),
        ("max_files: 0", "max_files 0 must be 1 or more"),
        ("formats: []", "formats is empty, so no file would be taken"),
    ],
)
def test_files_that_could_never_be_handed_in(attribute: str, words: str) -> None:
    assert told(broken("label: 报告,", f"label: 报告, {attribute},")) == [f"sample.yaml: attachment report: {words}"]


@pytest.mark.parametrize("days", [0, -3])
def test_a_step_that_would_be_late_at_once(days: int) -> None:
    assert told(broken("due_days: 5", f"due_days: {days}")) == [
        f"sample.yaml: step review: due_days {days} must be 1 or more"
    ]


# -- references -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("title_column: price", "title_column: cost", "items: title_column names no column: cost"),
        (
            "summary_columns: [price]",
            "summary_columns: [price, prise]",
            "items: summary_columns names no column: prise",
        ),
        ("totals: [total]", "totals: [name]", "document list: totals names no number: name"),
        (
            "enabled_by: extra_step",
            "enabled_by: base_year",
            "step review: parameter base_year must be true or false to switch it on",
        ),
        (
            "columns: [{key: cost, label: 成本, type: decimal}]",
            "columns: [], tables: [{key: deep, label: 深, row_label: 深}]",
            "parts: tables nest one level only, so deep cannot stand here",
        ),
    ],
)
def test_references_that_lead_nowhere(old: str, new: str, words: str) -> None:
    assert f"sample.yaml: {words}" in told(broken(old, new))


# -- expressions ------------------------------------------------------------------------------------------------------

PLACES = [
    ("  - {key: why, label: 原因, type: string, visible_if: 'form.kind == \"a\"'}", "basics.why visible_if"),
    ("cel: 'form.total == null ? null : form.total >= 1.0', at: total", "condition enough cel"),
    ("computed: row.price", "items.amount computed"),
    ("prefill: enterprise.name", "basics.name prefill"),
    ("label: 报告, required_if: 'form.kind == \"a\"'", "attachment report required_if"),
]


@pytest.mark.parametrize(("old", "place"), PLACES, ids=[place for _old, place in PLACES])
@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("form.kind ==", "does not compile: 'form.kind =='"),
        ("form.knid == null", "form.knid names no question or table"),
        ("params.year == 1.0", "params.year names no parameter"),
        ("totl(form.items) > 0.0", "there is no function totl()"),
        ("formular.kind == null", "there is no variable formular; known: form, row, enterprise, params, today, review"),
    ],
)
def test_a_mistake_in_an_expression_is_told_where_it_stands(old: str, place: str, expression: str, why: str) -> None:
    head, _colon, _source = old.rpartition(": ") if "at: total" not in old else ("cel", "", "")
    new = f"cel: '{expression}', at: total" if head == "cel" else f"{head}: '{expression}'"
    found = told(broken(old, new + ("}" if old.endswith("}") else "")))
    assert any(p.startswith(f"sample.yaml: {place}: {why}") for p in found), found


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("row.prize", "items.amount computed: row.prize names no column of this row"),
        ("row.cost", "items.amount computed: row.cost names no column of this row"),
        ("sum(row.parts.map(p, p.cost)) + row.parst", "items.amount computed: row.parst names no column of this row"),
    ],
)
def test_a_column_reads_its_own_row_only(expression: str, why: str) -> None:
    assert f"sample.yaml: {why}" in told(broken("computed: row.price", f"computed: '{expression}'"))


def test_a_question_outside_tables_has_no_row() -> None:
    found = told(broken("prefill: enterprise.name", "prefill: row.price"))
    assert found == ["sample.yaml: basics.name prefill: row.price names no column of this row"]


def test_nested_rows_are_no_part_of_the_form() -> None:
    found = told(broken("sum(form.items.map(i, i.amount))", "sum(form.parts.map(p, p.cost))"))
    assert found == ["sample.yaml: basics.total computed: form.parts names no question or table"]


@pytest.mark.parametrize(
    "expression",
    [
        'form.name == "form.nothing params.nothing nofunction(x)"',
        "form.items.all(r, r.price > 1.0) && form.items.exists_one(one, one.price == 2.0)",
        "form.items.filter(item, item.price > 1.0).map(item, item.price).size() > 0",
        '[1.0, 2.0].map(x, x * 2.0)[0] > 1.0 && "a" in ["a"] && !(true && false)',
        'string(int(2.5)) == "2" && double("1.5") > 1.0 && size(form.items) == 0',
        "min(form.total, 1.0) > 0.0 && round2(ratio(form.total, 2.0)) > 1.0e2",
        'today > "2024-01-01" && enterprise.anything == null && review.rank == null',
        "has(form.name) && params.extra_step == true",
    ],
)
def test_sound_expressions_are_not_accused(expression: str) -> None:
    text = broken("visible_if: 'form.kind == \"a\"'", f"visible_if: >-\n      {expression}\n   ".rstrip())
    inline = text.replace("{key: why, label: 原因, type: string, visible_if: >-\n      " + expression + "}", "WHY")
    block = f"key: why\n    label: 原因\n    type: string\n    visible_if: >-\n      {expression}"
    assert parse_definition(inline.replace("WHY", block), "sample.yaml").key == "sample"


def test_every_expression_of_a_definition_is_looked_at() -> None:
    places = {place for place, _source, _table in sources(parse_definition(GOOD, "sample.yaml"))}
    assert places == {
        "basics.name prefill", "basics.total computed", "basics.why visible_if", "items.amount computed",
        "attachment report required_if", "condition enough cel", "condition cheap cel",
    }  # fmt: skip


# -- circles ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "ring"),
    [
        ("sum(form.items.map(i, i.amount))", "form.total", "total → total"),
        ("computed: row.price", "computed: row.amount", "items.amount → items.amount"),
        ("computed: row.price", "computed: form.total", "total → items → items.amount → total"),
    ],
)
def test_values_that_need_themselves_are_told(old: str, new: str, ring: str) -> None:
    assert told(broken(old, new)) == [f"sample.yaml: computed values go round in a circle: {ring}"]


def test_a_chain_is_no_circle() -> None:
    why = "label: 原因, type: decimal, computed: 'form.total == null ? null : form.total * 2.0'"
    text = broken("label: 原因, type: string, visible_if: 'form.kind == \"a\"'", why)
    assert parse_definition(text, "sample.yaml").key == "sample"


# -- messages ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("只有 {value 元", "message has a brace too much or too few"),
        ("只有 value} 元，{number}", "message has a brace too much or too few"),
        ("只有 {valeu} 元", "message names nothing known: {valeu}"),
        ("只有 {params.limit} 元", "message names nothing known: {params.limit}"),
        ("只有 {price} 元", "message names nothing known: {price}"),
        ("只有 {value:.2f} 元", "message may hold {value} only, without : or !"),
        ("只有 {value!r} 元", "message may hold {value} only, without : or !"),
        ("只有 {} 元", "message names nothing known: {}"),
    ],
)
def test_a_message_that_could_not_be_filled_in(message: str, words: str) -> None:
    (problem,) = told(broken("只有 {value} 元", message))
    assert problem.startswith("sample.yaml: condition enough: ") and words in problem


def test_a_message_about_a_row_may_name_its_columns() -> None:
    text = broken(
        "第 {number} 行", "第 {number} 行的 {price}，全部 {total}，{params.base_year}，{expected}，{base_year}"
    )
    assert parse_definition(text, "sample.yaml").conditions[1].message.startswith("第 {number} 行的 {price}")
