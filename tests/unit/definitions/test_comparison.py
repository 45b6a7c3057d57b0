"""Differences between two submissions: by path, rows by their id, words as people read them."""

from __future__ import annotations

import copy
import time
from pathlib import Path
from typing import Any

import pytest

from app.definitions import registry
from app.definitions.comparison import Change, Part, compare_contents, inline_parts, row_title, text_of
from app.definitions.schema import Definition
from app.fields import registry as field_types
from app.fields.base import FieldSpec, Option

FILE = Path(__file__).parents[2] / "data" / "definitions" / "everything.yaml"


class Names:
    def region(self, code: str) -> str | None:
        return {"230108": "黑龙江省 / 哈尔滨市 / 平房区"}.get(code)

    def industry(self, code: str) -> str | None:
        return {"34": "制造业 / 通用设备制造业"}.get(code)


@pytest.fixture(scope="module")
def definition() -> Definition:
    return registry.parse_definition(FILE.read_text("utf-8"), FILE.name)


@pytest.fixture
def content() -> dict[str, Any]:
    member = {"id": "m1", "values": {"name": "王敏", "age": 41}, "tables": {}}
    project = {
        "id": "p1",
        "values": {"title": "智能产线", "yield_before": "91.00", "yield_after": "97.50"},
        "tables": {"members": [member]},
    }
    devices = [
        {"id": "d1", "values": {"name": "五轴机床", "quantity": 2, "unit_price": "120.00"}, "tables": {}},
        {"id": "d2", "values": {"name": "机器人", "quantity": 6, "unit_price": "18.50"}, "tables": {}},
    ]
    file = {"id": "a1", "name": "审计报告.pdf", "sha256": "a" * 64, "size": 10, "pages": 3}
    return {
        "fields": {
            "revenue": "8621.24",
            "ownership": "private",
            "honours": ["srdi"],
            "region": "230108",
            "summary": "主要生产轴承",
        },
        "tables": {"devices": devices, "projects": [project]},
        "attachments": {"audit_report": [file]},
    }


def compare(definition: Definition, old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    return compare_contents(definition, old, new, Names())


def test_equal_contents_have_no_difference(definition: Definition, content: dict[str, Any]) -> None:
    assert compare(definition, content, copy.deepcopy(content)) == []


def test_a_changed_field_is_told_as_people_read_it(definition: Definition, content: dict[str, Any]) -> None:
    new = copy.deepcopy(content)
    new["fields"]["revenue"] = "8621.45"
    (change,) = compare(definition, content, new)
    assert (change.path, change.kind) == ("revenue", "changed")
    assert (change.before, change.after) == ("8,621.24 万元", "8,621.45 万元")
    assert change.parts == (Part("del", "8,621.24 万元"), Part("ins", "8,621.45 万元"))


def test_options_are_told_by_their_labels(definition: Definition, content: dict[str, Any]) -> None:
    new = copy.deepcopy(content)
    new["fields"]["ownership"], new["fields"]["honours"] = "foreign", ["innovative", "srdi"]
    changes = {c.path: c for c in compare(definition, content, new)}
    assert changes["ownership"].after == "外资"
    assert (changes["honours"].before, changes["honours"].after) == (
        "专精特新中小企业",
        "创新型中小企业、专精特新中小企业",
    )


def test_an_answer_that_appears_or_goes(definition: Definition, content: dict[str, Any]) -> None:
    new = copy.deepcopy(content)
    del new["fields"]["summary"]
    new["fields"]["staff"] = 286
    changes = {c.path: c for c in compare(definition, content, new)}
    assert (changes["summary"].before, changes["summary"].after) == ("主要生产轴承", "")
    assert (changes["staff"].before, changes["staff"].after) == ("", "286 人")
    assert changes["staff"].parts == (Part("ins", "286 人"),)


def test_rows_are_matched_by_id_not_by_position(definition: Definition, content: dict[str, Any]) -> None:
    new = copy.deepcopy(content)
    new["tables"]["devices"].reverse()
    assert compare(definition, content, new) == []
    new["tables"]["devices"][1]["values"]["quantity"] = 3
    (change,) = compare(definition, content, new)
    assert (change.path, change.place, change.before, change.after) == (
        "devices/d1/quantity",
        "五轴机床",
        "2 台",
        "3 台",
    )


def test_rows_that_come_and_go_are_said_once(definition: Definition, content: dict[str, Any]) -> None:
    new = copy.deepcopy(content)
    del new["tables"]["devices"][0]
    new["tables"]["devices"].append({"id": "d3", "values": {"name": None, "quantity": 1}, "tables": {}})
    changes = compare(definition, content, new)
    assert [(c.kind, c.before, c.after) for c in changes] == [("added", "", "设备 2"), ("removed", "五轴机床", "")]
    assert changes[0].path == "devices/d3" and changes[1].path == "devices"


def test_nested_rows_say_where_they_are(definition: Definition, content: dict[str, Any]) -> None:
    new = copy.deepcopy(content)
    new["tables"]["projects"][0]["tables"]["members"][0]["values"]["age"] = 42
    (change,) = compare(definition, content, new)
    assert change.path == "projects/p1/members/m1/age"
    assert change.place.startswith("智能产线 · ")


def test_a_table_that_is_not_shown_any_more_loses_its_rows(definition: Definition, content: dict[str, Any]) -> None:
    new = copy.deepcopy(content)
    del new["tables"]["devices"]
    assert [c.kind for c in compare(definition, content, new)] == ["removed", "removed"]


def test_a_replaced_file_is_a_difference_a_renamed_row_is_none(definition: Definition, content: dict[str, Any]) -> None:
    new = copy.deepcopy(content)
    new["attachments"]["audit_report"][0] |= {"id": "a2", "size": 11}
    assert compare(definition, content, new) == []
    new["attachments"]["audit_report"][0] |= {"sha256": "b" * 64, "name": "审计报告（更正）.pdf"}
    (change,) = compare(definition, content, new)
    assert (change.path, change.before, change.after) == ("@audit_report", "审计报告.pdf", "审计报告（更正）.pdf")


def test_long_text_shows_only_what_changed() -> None:
    before = "建设能耗看板和故障预警，年内接入生产执行系统，四季度前验收，并完成全员培训、数据治理、设备联网和安全防护等全部工作。"
    after = before.replace("年内", "2025 年三季度").replace("四季度前", "10 月 20 日前")
    parts = inline_parts(before, after)
    assert [p.text for p in parts if p.op == "del"] == ["年内", "四季度"]
    assert "".join(p.text for p in parts if p.op == "ins") == "2025 年三季度10 月 20 日"
    assert "……" in parts[-1].text and parts[-1].op == "same"


def test_figures_are_never_split_inside() -> None:
    before, after = "改造总花费为 8621.24 万元，其中软件 120 万元", "改造总花费为 8621.45 万元，其中软件 120 万元"
    parts = inline_parts(before, after)
    assert [p.text for p in parts if p.op != "same"] == ["8621.24", "8621.45"]


def test_unlike_or_huge_texts_are_shown_whole() -> None:
    one, two = "完全不同的一段说明文字内容", "另外写的情况介绍，没有相同的地方了吧"
    assert inline_parts(one, two) == [Part("del", one), Part("ins", two)]
    start = time.perf_counter()
    inline_parts("甲乙丙丁" * 5000, "甲乙丙戊" * 5000)
    assert time.perf_counter() - start < 0.5


def test_titles_of_rows_without_a_name(definition: Definition) -> None:
    table = definition.table("devices")
    assert row_title(table, {"values": {"name": "机床"}}, 1, Names()) == "机床"
    assert row_title(table, {"values": {}}, 3, Names()) == "设备 3"


def test_empty_answers_have_no_text(definition: Definition) -> None:
    specs = {f.key: f for _, f in definition.fields()}
    assert text_of(specs["revenue"], None, Names()) == ""
    assert text_of(specs["honours"], [], Names()) == ""
    assert text_of(specs["rd_ratio"], "5.32", Names()) == "5.32 %"


# -- versions -------------------------------------------------------------------------------------------------------


def spec(kind: str, **more: Any) -> FieldSpec:
    return FieldSpec(key="k", label="题", type=kind, **more)


CHOICES = [Option(value="a", label="甲"), Option(value="b", label="乙")]
KINDS = [spec(name, **({"options": CHOICES} if "select" in name else {})) for name in field_types.names()]


@pytest.mark.parametrize(
    ("now", "stored", "shown"),
    [
        (spec("decimal", unit="万元"), "约三千", "约三千"),
        (spec("decimal", unit="万元"), "1.2345", "1.2345"),
        (spec("decimal", decimals=4, unit="万元"), "1.50", "1.5000 万元"),
        (spec("integer", unit="人"), "1.5", "1.5"),
        (spec("integer"), "12", "12"),
        (spec("date"), "abc", "abc"),
        (spec("date"), "2024年6月", "2024年6月"),
        (spec("string"), ["a", "b"], "a、b"),
        (spec("text"), 5, "5"),
        (spec("multiselect", options=CHOICES), "a", "a"),
        (spec("select", options=CHOICES), "z", "z"),
    ],
    ids=str,
)
def test_what_another_version_stored_is_shown_as_it_stands(now: FieldSpec, stored: Any, shown: str) -> None:
    assert text_of(now, stored, Names()) == shown


@pytest.mark.parametrize("now", KINDS, ids=lambda now: now.type)
@pytest.mark.parametrize("stored", ["abc", "1.5", "2024-06-01", "", 7, -1, ["a", "b"], [], True, None], ids=str)
def test_no_stored_value_breaks_the_comparison(now: FieldSpec, stored: Any) -> None:
    text = text_of(now, stored, Names())
    assert isinstance(text, str)
    assert (text == "") == (stored in (None, "", [])), "what was answered never looks unanswered"


def test_a_change_hidden_by_fewer_decimals_is_seen(definition: Definition, content: dict[str, Any]) -> None:
    """Rounded to two places both would read 3,000.00."""
    old, new = copy.deepcopy(content), copy.deepcopy(content)
    old["fields"]["revenue"], new["fields"]["revenue"] = "3000.0012", "3000.00"
    (change,) = compare(definition, old, new)
    assert (change.before, change.after) == ("3000.0012", "3,000.00 万元")


def test_rows_of_another_version_keep_their_titles(definition: Definition) -> None:
    table = definition.table("devices")
    assert row_title(table, {"values": {table.title_column: ["甲", "乙"]}}, 1, Names()) == "甲、乙"
