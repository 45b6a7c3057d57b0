"""Judging answers: what is shown, asked, computed, carried over; which rule is broken where; what the record holds."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from app.definitions.answers import Answers, Row, from_content
from app.definitions.evaluation import Evaluation, evaluate
from app.definitions.registry import parse_definition
from app.definitions.schema import Definition

TEXT = """key: judged
version: 1
title: 评判样例
short_code: PP
kind: declaration
jurisdiction: '230100'
parameters:
  limit: {label: 上限, value: 100}
  latest: {label: 最晚, value: '2026-10-31'}
conditions:
- {key: within, text: 不超上限, cel: 'form.total == null ? null : form.total <= params.limit', at: total,
   message: '合计 {value} 超过 {params.limit}'}
- {key: each_date, text: 按期, each: items, cel: 'row.day == null ? null : row.day <= params.latest', at: day,
   message: '第 {number} 行是 {value}，最晚 {params.latest}'}
- {key: rows_named, text: 每行都有名称, each: items, severity: warn, cel: 'row.name != null', message: '第 {number} 行没有名称'}
- {key: deep, text: 零件要便宜, each: parts, cel: 'row.cost == null ? null : row.cost < 50.0', at: cost, message: '太贵：{value}'}
- {key: overall, text: 总的来说可以, cel: 'form.kind != "b"'}
- {key: by_person, text: 由人判断}
- {key: outside, text: 已认证, cel: 'enterprise.certified == true'}
sections:
- key: main
  label: 主要
  fields:
  - {key: name, label: 名称, type: string, prefill: enterprise.name}
  - {key: code, label: 代码, type: string, prefill: enterprise.code, readonly: true}
  - {key: city, label: 城市, type: string, fixed: 哈尔滨市}
  - {key: kind, label: 类别, type: select, options: [{value: a, label: 甲}, {value: b, label: 乙}]}
  - {key: why, label: 原因, type: string, visible_if: 'form.kind == "b"'}
  - {key: note, label: 说明, type: string, required: false, required_if: 'form.kind == "b"'}
  - {key: picked, label: 多选, type: multiselect, required: false, options: [{value: x, label: 天}, {value: y, label: 地}]}
  - {key: total, label: 合计, type: decimal, required: false, computed: 'sum(form.items.map(i, i.amount))'}
  - {key: twice, label: 两倍, type: decimal, required: false, computed: 'form.total == null ? null : form.total * 2.0'}
- key: lines
  label: 明细
  tables:
  - key: items
    label: 明细
    row_label: 明细
    min_rows: 1
    max_rows: 2
    title_column: name
    summary_columns: [amount]
    columns:
    - {key: name, label: 名称, type: string, required: false}
    - {key: count, label: 数量, type: integer}
    - {key: price, label: 单价, type: decimal, decimals: 2}
    - {key: amount, label: 金额, type: decimal, unit: 元, required: false,
       computed: 'row.count == null || row.price == null ? null : row.count * row.price'}
    - {key: guess, label: 估计, type: decimal, required: false, prefill: row.amount}
    - {key: day, label: 日期, type: date, required: false}
    - {key: extra, label: 补充, type: string, visible_if: 'row.count != null && row.count > 5.0'}
    tables:
    - key: parts
      label: 零件
      row_label: 零件
      visible_if: 'row.count != null && row.count > 1.0'
      max_rows: 3
      columns:
      - {key: cost, label: 成本, type: decimal}
- key: hidden
  label: 只给乙类
  visible_if: 'form.kind == "b"'
  fields:
  - {key: secret, label: 乙类的题, type: string}
  tables:
  - {key: others, label: 其他, row_label: 其他, min_rows: 1, columns: [{key: what, label: 什么, type: string}]}
attachments:
- {key: proof, label: 证明}
- {key: extra_proof, label: 补充证明, required: false, required_if: 'form.kind == "b"'}
- {key: stamped, label: 盖章件, stage: stamp}
"""
FACTS = {"name": "北辰公司", "code": "91", "certified": True}
FILES = {"proof": [{"name": "证明.pdf"}]}


class NoNames:
    def region(self, code: str) -> str | None:
        return None

    def industry(self, code: str) -> str | None:
        return None


@cache
def definition() -> Definition:
    return parse_definition(TEXT, "judged.yaml")


def item(number: int, parts: tuple[dict[str, Any], ...] = (), **values: Any) -> list[Row]:
    rows = [Row(f"r{number}", "items", None, number, {"count": "2", "price": "10"} | values)]
    return rows + [Row(f"r{number}p{n}", "parts", f"r{number}", n, p) for n, p in enumerate(parts, 1)]


def judge(
    main: dict[str, Any] | None = None, rows: list[Row] | None = None, facts: dict[str, Any] | None = None, **more: Any
) -> Evaluation:
    answers = Answers({"kind": "a"} | (main or {}), rows if rows is not None else item(1))
    given: dict[str, Any] = {"files": FILES, "params": {"limit": 100, "latest": "2026-10-31"}} | more
    return evaluate(
        definition(),
        answers,
        lookups=NoNames(),
        enterprise=FACTS if facts is None else facts,
        today="2026-06-01",
        **given,
    )


def told(verdict: Evaluation) -> list[tuple[str, str, str]]:
    return [(p.path, p.severity, p.message) for p in verdict.problems]


def test_complete_answers_have_no_problems() -> None:
    assert told(judge(rows=item(1, name="轴承"))) == []


# -- missing and wrong ----------------------------------------------------------------------------------------------


def test_nothing_at_all() -> None:
    verdict = evaluate(
        definition(),
        Answers(),
        lookups=NoNames(),
        enterprise=FACTS,
        params={"limit": 100, "latest": "2026-10-31"},
        today="2026-06-01",
    )
    assert told(verdict) == [
        ("kind", "missing", "“类别”还没选，请选“甲”或“乙”"),
        ("items", "error", "“明细”至少要有 1 个，现在有 0 个，请添加"),
        ("@proof", "missing", "还没传“证明”，请上传 PDF，要小于 100 MB"),
    ]
    assert [p.verb for p in verdict.problems] == ["去填", "去填", "去传"]
    assert [p.section for p in verdict.problems] == ["main", "lines", "attachments"]


def test_problems_in_rows_say_which_row() -> None:
    verdict = judge(rows=[*item(1, name="轴承", count="两个"), *item(2, ({"cost": "贵"},), price="")])
    found = {path: message for path, _, message in told(verdict)}
    assert found["items/r1/count"].startswith("第 1 个明细的“数量”：")
    assert found["items/r2/price"] == "第 2 个明细的“单价”还没填"
    assert found["items/r2/parts/r2p1/cost"].startswith("第 2 个明细的第 1 个零件的“成本”：")
    assert found["items/r2"] == "第 2 行没有名称"


def test_too_many_rows() -> None:
    verdict = judge(rows=[*item(1, name="a"), *item(2, name="b"), *item(3, name="c")])
    assert ("items", "error", "“明细”最多 2 个，现在有 3 个，请移除 1 个") in told(verdict)
    assert verdict.section("lines").tables[0].room == 0


def test_wrong_text_stays_visible() -> None:
    verdict = judge({"kind": "z"})
    state = verdict.find("kind")
    assert (state.raw, state.value, state.text) == ("z", None, "z")
    assert state.error
    assert verdict.form["kind"] is None, "expressions never see what is wrong"


# -- visibility and requirement -------------------------------------------------------------------------------------


def test_hidden_questions_are_not_asked_and_not_seen() -> None:
    verdict = judge({"why": "因为", "secret": "x"})
    assert not verdict.find("why").visible
    assert not verdict.section("hidden").visible
    assert verdict.form["why"] is None
    assert verdict.form["others"] == []
    assert "why" not in verdict.content()["fields"]
    assert "secret" not in verdict.content()["fields"]
    assert "others" not in verdict.content()["tables"]
    assert "secret" not in {f.spec.key for f in verdict.all_fields()}


def test_shown_questions_are_asked() -> None:
    paths = {path for path, _, _ in told(judge({"kind": "b"}))}
    assert {"why", "note", "secret", "others", "@extra_proof"} <= paths
    assert "why" in judge({"kind": "b", "why": "因为"}).content()["fields"]


def test_columns_follow_their_own_row() -> None:
    verdict = judge(rows=[*item(1, name="a", count="6"), *item(2, name="b", count="5")])
    assert verdict.find("items/r1/extra").visible
    assert not verdict.find("items/r2/extra").visible
    assert "items/r1/extra" in {path for path, _, _ in told(verdict)}


def test_nested_tables_follow_the_row_above() -> None:
    verdict = judge(rows=item(1, ({"cost": "x"},), name="a", count="1"))
    nested = verdict.section("lines").tables[0].rows[0].tables["parts"]
    assert not nested.visible
    assert told(verdict) == []
    assert verdict.content()["tables"]["items"][0]["tables"] == {}
    assert verdict.form["items"][0]["parts"] == []
    assert verdict.find("items/r1/parts/r1p1/cost") is None


# -- computed, fixed, carried over ----------------------------------------------------------------------------------


def test_computed_values_follow_through() -> None:
    verdict = judge({"total": "999"}, [*item(1, count="3", price="0.1"), *item(2, count="1", price="0.2")])
    assert (verdict.find("total").value, verdict.find("twice").value) == (Decimal("0.50"), Decimal("1.00"))
    assert verdict.find("items/r1/amount").value == Decimal("0.30")
    assert verdict.find("total").readonly
    assert not verdict.find("total").prefilled


def test_a_value_that_cannot_be_computed_is_empty() -> None:
    verdict = judge(rows=item(1, price="?"))
    assert (verdict.find("items/r1/amount").value, verdict.find("items/r1/amount").error) == (None, None)
    assert verdict.find("total").value == Decimal("0.00")


def test_a_suggestion_stands_until_somebody_types() -> None:
    assert (judge().find("name").value, judge().find("name").prefilled) == ("北辰公司", True)
    typed = judge({"name": "松岭公司"}).find("name")
    assert (typed.value, typed.prefilled) == ("松岭公司", False)
    emptied = judge({"name": ""}).find("name")
    assert (emptied.value, emptied.prefilled) == (None, False)
    assert ("name", "missing", "“名称”还没填") in told(judge({"name": ""}))


def test_a_suggestion_in_a_row() -> None:
    assert judge().find("items/r1/guess").value == Decimal("20.00")
    assert judge(rows=item(1, guess="7")).find("items/r1/guess").value == Decimal("7.00")
    assert judge(rows=item(1, guess="")).find("items/r1/guess").value is None


def test_what_is_read_only_is_never_what_was_sent() -> None:
    verdict = judge({"code": "forged", "city": "上海市"})
    assert (verdict.find("code").value, verdict.find("city").value) == ("91", "哈尔滨市")


def test_unknown_facts_are_empty() -> None:
    verdict = judge(facts={"name": None, "code": None, "certified": None})
    assert verdict.find("name").empty
    assert ("code", "missing", "“代码”还没填") in told(verdict)


# -- rules ----------------------------------------------------------------------------------------------------------


def result(verdict: Evaluation, key: str) -> list[bool | None]:
    return [f.result for f in verdict.findings if f.condition.key == key]


def test_a_rule_is_told_beside_its_field() -> None:
    verdict = judge(rows=item(1, name="a", price="60"))
    assert told(verdict) == [("total", "error", "“合计”：合计 120.00 超过 100")]
    assert verdict.find("total").error == "合计 120.00 超过 100"


def test_a_rule_over_rows_is_told_in_the_row() -> None:
    verdict = judge(rows=[*item(1, name="a", day="2026-10-31"), *item(2, name="b", day="2026-11-01")])
    assert told(verdict) == [
        ("items/r2/day", "error", "第 2 个明细的“日期”：第 2 行是 2026 年 11 月 1 日，最晚 2026 年 10 月 31 日")
    ]
    assert result(verdict, "each_date") == [True, False]


def test_a_rule_over_nested_rows() -> None:
    verdict = judge(rows=item(1, ({"cost": "49"}, {"cost": "50"}), name="a"))
    assert result(verdict, "deep") == [True, False]
    assert [(p, m) for p, _, m in told(verdict)] == [
        ("items/r1/parts/r1p2/cost", "第 1 个明细的第 2 个零件的“成本”：太贵：50.00")
    ]


def test_rows_of_a_hidden_table_are_not_judged() -> None:
    shown = judge(rows=item(1, ({"cost": "70"},), name="a"))
    hidden = judge(rows=item(1, ({"cost": "70"},), name="a", count="1"))
    assert (result(shown, "deep"), result(hidden, "deep")) == ([False], [])
    assert [path for path, _, _ in told(shown)] == ["items/r1/parts/r1p1/cost"]
    assert told(hidden) == []


def test_a_warning_does_not_block() -> None:
    verdict = judge()
    assert told(verdict) == [("items/r1", "warn", "第 1 行没有名称")]
    assert verdict.blocking == []


def test_a_rule_on_the_whole_is_told_in_the_first_section() -> None:
    verdict = judge({"kind": "b"})
    broken = next(p for p in verdict.problems if p.message == "总的来说可以")
    assert (broken.section, broken.path, broken.severity) == ("main", "", "error")


def test_what_cannot_be_decided_accuses_nobody() -> None:
    verdict = judge(rows=item(1, name="a"))
    assert result(verdict, "each_date") == [None]
    assert result(verdict, "by_person") == [None]
    assert told(verdict) == []
    assert result(judge(facts={"name": "x", "code": "y"}), "outside") == [None], "a failing expression is undecided"
    assert result(judge(facts=FACTS | {"certified": None}), "outside") == [False]


def test_a_wrong_value_is_told_once() -> None:
    verdict = judge(rows=item(1, name="a", day="31 日"))
    assert [p for p, _, _ in told(verdict)] == ["items/r1/day"]


# -- the record -----------------------------------------------------------------------------------------------------


def test_an_untouched_choice_of_several_is_an_empty_list() -> None:
    assert judge().content()["fields"]["picked"] == judge({"picked": []}).content()["fields"]["picked"] == []


def test_the_record_holds_json_with_row_ids() -> None:
    content = judge({"picked": ["y"]}, item(1, ({"cost": "1.5"},), name="a", day="2026-01-05")).content()
    assert content["fields"] == {
        "name": "北辰公司", "code": "91", "city": "哈尔滨市", "kind": "a", "note": None, "picked": ["y"], "total": "20.00",
        "twice": "40.00",
    }  # fmt: skip
    assert content["tables"]["items"] == [
        {
            "id": "r1",
            "values": {
                "name": "a",
                "count": 2,
                "price": "10.00",
                "amount": "20.00",
                "guess": "20.00",
                "day": "2026-01-05",
            },
            "tables": {"parts": [{"id": "r1p1", "values": {"cost": "1.50"}, "tables": {}}]},
        }
    ]


def test_a_frozen_record_is_taken_as_it_stands() -> None:
    content = judge({"name": "当时的名称"}, item(1, ({"cost": "1.5"},), name="a")).content()
    content["fields"]["total"] = "19.00"
    answers = from_content(definition(), content)
    verdict = evaluate(
        definition(), answers, lookups=NoNames(), enterprise={"name": "后来的名称", "code": "92"},
        params={"limit": 1, "latest": "2020-01-01"}, today="2030-01-01", files=FILES, frozen=True,
    )  # fmt: skip
    assert verdict.content() == content
    assert (verdict.find("total").value, verdict.find("code").value) == (Decimal("19.00"), "91")


def test_a_value_may_be_computed_from_later_ones() -> None:
    # ``twice`` reads ``total``, which reads the rows of a later section: two rounds reach the end of the chain.
    verdict = judge(rows=item(1, name="a", count="3", price="5"))
    assert (verdict.form["total"], verdict.form["twice"]) == (15.0, 30.0)
    assert verdict.form["items"][0]["amount"] == 15.0


def test_who_answered_is_known() -> None:
    verdict = judge({"name": "松岭公司", "kind": ""})
    answered = {f.spec.key for f in verdict.section("main").fields if f.typed}
    assert answered == {"name"}, "suggested, given, computed and empty values were typed by nobody"


def test_rows_have_titles_and_summaries() -> None:
    rows = judge(rows=[*item(1, name="轴承"), *item(2)]).section("lines").tables[0].rows
    assert [(r.number, r.title, r.summary) for r in rows] == [(1, "轴承", "20.00 元"), (2, "明细 2", "20.00 元")]


def test_names_of_controls() -> None:
    state = judge().find("items/r1/count")
    assert (state.id, state.name) == ("items-r1-count", "items/r1/count")


@pytest.mark.parametrize("number", [1, 60])
def test_the_verdict_does_not_depend_on_how_often_it_is_asked(number: int) -> None:
    first = judge(rows=item(1, name="a"))
    for _ in range(number):
        assert told(judge(rows=item(1, name="a"))) == told(first)


def test_unknown_sections_and_paths() -> None:
    with pytest.raises(KeyError):
        judge().section("nothing")
    assert judge().find("nothing") is None
