"""Words of the wizard: heads of rows, changes from before to after, counts."""

from __future__ import annotations

from decimal import Decimal

import pytest
from flask import Flask
from flask_babel import Babel

from app.definitions.evaluation import FieldState, RowState, TableState
from app.definitions.schema import Table
from app.fields.base import FieldSpec
from app.views.wizard_page import View, change_words, count, head_words, identify


@pytest.fixture(autouse=True)
def chinese() -> object:
    app = Flask(__name__)
    Babel(app)
    with app.test_request_context():
        yield


def field(
    key: str, value: object = None, *, kind: str = "text", error: str | None = None, required: bool = True
) -> FieldState:
    spec = FieldSpec(key=key, label=key, type=kind, required=required)
    state = FieldState(spec, f"t/1/{key}", required=required)
    state.value, state.text, state.error = value, str(value or ""), error
    return state


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("关键工序数控化率：50%", "关键工序数控化率：60%", "提高 20.00%"),
        ("月度平均能耗总成本：60 万元", "月度平均能耗总成本：50 万元", "降低 16.67%"),
        ("故障率：10%", "故障率：1%", "降低 90.00%"),
        ("50%", "60万元", None),
        ("50%", "60%，提高20%", None),
        ("无", "无", None),
        ("0%", "60%", None),
        ("50%", "50%", None),
        ("2023 年 50%", "60%", None),
        (None, "60%", None),
    ],
)
def test_change_is_told_only_when_it_is_clear(before: str | None, after: str, words: str | None) -> None:
    assert change_words(field("a", before), field("b", after)) == words


def test_change_of_numbers() -> None:
    assert (
        change_words(field("a", Decimal("80"), kind="percent"), field("b", Decimal("95"), kind="percent"))
        == "提高 18.75%"
    )


def test_count_tells_wrong_from_missing_and_leaves_out_what_is_hidden() -> None:
    hidden = field("h")
    hidden.visible = False
    states = [field("a", error="不对"), field("b"), field("c", required=False), field("d", "有"), hidden]
    assert count(states) == (1, 1)


def test_heads_of_rows() -> None:
    spec = Table(key="t", label="表", row_label="项目", title_column="name", summary_columns=("cost",),
                 columns=(FieldSpec(key="name", label="名称", type="string"), FieldSpec(key="cost", label="花费", type="string")))  # fmt: skip
    row = RowState("1", "t/1", 1, {"name": field("name", "系统"), "cost": field("cost", "12.00")}, summary="12.00 万元")
    table = TableState(spec, "t", [row])
    assert head_words(row, table) == ("12.00 万元 · 已填完", "mute")
    row.fields["cost"] = field("cost")
    row.summary = ""
    assert head_words(row, table) == ("还有 1 项没填", "mute")
    row.fields["cost"] = field("cost", error="不对")
    assert head_words(row, table) == ("1 处要改", "bad")


def test_ids_of_paths() -> None:
    assert identify("projects/1/name") == "projects-1-name"
    assert identify("@audit_report") == "file-audit_report"


def test_an_answer_is_based_on_what_is_stored() -> None:
    state = field("a")
    state.raw = "刚写的"
    assert View().base(state) == "刚写的"
    assert View(bases={"t/1/a": "页面打开时的"}).base(state) == "页面打开时的"
    both = View(bases={"t/1/a": "页面打开时的"}, conflicts={"t/1/a": "别人存的"})
    assert both.base(state) == "别人存的"
    assert View(conflicts={"t/1/a": None}).base(state) is None
