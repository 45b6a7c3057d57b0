"""Checklists, opinions to pick from, papers that prove answers: what is read from a definition, and its author's mistakes."""

from __future__ import annotations

from typing import Any

import pytest

from app.definitions.dependents import with_dependents
from app.definitions.messages import difference_text
from app.definitions.phrases import common_phrases, phrases_for
from app.definitions.registry import catalogue
from app.definitions.route_defects import route_defects
from app.definitions.schema import Attachment, Check, Definition, Section, Step, Table
from app.fields.base import FieldSpec
from app.workflow.steps import DEEDS


def with_step(**more: Any) -> Definition:
    """A small definition with one step that has ``more``, one question and one paper."""
    section = Section(key="s", label="一", fields=(FieldSpec(key="revenue", label="收入", type="decimal"),))
    step = Step(**{"key": "look", "label": "初审", "kind": "review", "level": "city"} | more)
    paper = Attachment(key="report", label="审计报告", proves=("revenue",))
    return Definition(
        key="t", version=1, title="试", short_code="SH", kind="declaration", jurisdiction="230100",
        sections=(section,), attachments=(paper,), route=(step,),
    )  # fmt: skip


def check(key: str = "a", **more: Any) -> Check:
    return Check(key=key, label="看一看", **more)


def test_a_checklist_in_order_has_no_faults() -> None:
    points = (check(paper="report"), check("b", optional=True))
    fine = with_step(checklist=points, phrases={"confirm": ("同意。",)})
    assert list(route_defects(fine)) == []
    assert [c.key for c in fine.route[0].needed_checks] == ["a"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"kind": "decide", "checklist": (check(),)}, "a checklist belongs to kind review"),
        ({"checklist": (check(), check())}, "point 'a' of the checklist stands twice"),
        ({"checklist": (check(paper="nothing"),)}, "paper names no attachment: nothing"),
        (
            {"phrases": {"explode": ("嘭",)}},
            "phrases are for approve, confirm, reject, return, stamp_return, not explode",
        ),
    ],
)
def test_mistakes_are_named(more: dict[str, Any], words: str) -> None:
    assert any(words in fault for fault in route_defects(with_step(**more)))


def test_a_paper_proves_questions_only() -> None:
    definition = with_step().model_copy(
        update={"attachments": (Attachment(key="report", label="审计报告", proves=("revenue", "profit")),)}
    )
    assert [f for f in route_defects(definition) if "proves" in f] == [
        "attachment report: proves names no question: profit"
    ]


def test_every_formal_check_of_the_catalogue_has_points() -> None:
    intake = catalogue().get("hrb_cultivation_intake")
    for key, needed, all_ in (("preliminary_review", 5, 6), ("conformity_review", 3, 4)):
        step = intake.step(key)
        assert (len(step.needed_checks), len(step.checklist)) == (needed, all_)
        assert all(c.source for c in step.checklist)


def test_own_opinions_stand_before_the_general_ones() -> None:
    step = with_step(phrases={"confirm": ("本步骤的话。", common_phrases()["confirm"][0])}).route[0]
    assert phrases_for(step, "confirm") == ("本步骤的话。", *common_phrases()["confirm"])
    assert phrases_for(None, "reject") == common_phrases()["reject"]
    assert phrases_for(step, "unknown") == ()


def test_general_opinions_belong_to_deeds_of_the_table() -> None:
    assert set(common_phrases()) <= {d.action for d in DEEDS if d.by == "officer"}
    assert all(0 < len(text) <= 120 for texts in common_phrases().values() for text in texts)


@pytest.mark.parametrize(
    ("value", "expected", "words"),
    [
        ("1,200.00", "1,500.00", "20%"),
        ("12.00", "10.00", "20%"),
        ("10.01", "10.00", "不到 1%"),
        ("301.40", "30.14", "900%"),
        ("5", "0", ""),
        ("中型企业", "小型企业", ""),
        ("", "10", ""),
        ("NaN", "10", ""),
        ("-5", "-10", "50%"),
    ],
)
def test_how_far_two_figures_are_apart(value: str, expected: str, words: str) -> None:
    assert difference_text(value, expected) == words


def test_what_hangs_on_a_computed_column_opens_with_its_source() -> None:
    columns = (
        FieldSpec(key="price", label="单价", type="decimal"),
        FieldSpec(key="total", label="合计", type="decimal", computed="row.price * 2.0"),
        FieldSpec(key="reason", label="理由", type="string", required_if="row.total != null && row.total > 100.0"),
        FieldSpec(key="other", label="别的", type="string"),
    )
    table = Table(key="items", label="设备", row_label="设备", columns=columns)
    definition = with_step().model_copy(update={"sections": (Section(key="s", label="一", tables=(table,)),)})
    assert with_dependents(definition, ["items/r1/price"]) == {"items/r1/price", "items/r1/reason"}
    assert with_dependents(definition, ["items/r1/other"]) == {"items/r1/other"}
