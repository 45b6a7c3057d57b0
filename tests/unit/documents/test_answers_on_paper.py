"""Every kind of answer as it is printed: the same words on Word and PDF, figures as figures in Excel."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import python_calamine
from docx import Document
from flask import Flask
from flask_babel import Babel

from app.definitions.answers import Answers, Row
from app.definitions.evaluation import Evaluation, evaluate
from app.definitions.schema import Definition
from app.documents.context import PaperFacts, build_paper
from app.documents.pdf import write_pdf
from app.documents.sheet import SheetColumn, SheetSpec, write_bulk, write_sheet
from app.documents.tree import Cards, Facts, Paper, Rows
from app.documents.word import write_word
from app.fields.base import Raw

OPTIONS = [
    {"value": "a", "label": "生产"},
    {"value": "b", "label": "质量"},
    {"value": "n", "label": "无", "exclusive": True},
]
# kind, attributes, typed, label on paper, words on paper
PRINTED: list[tuple[str, dict[str, Any], Raw, str, str]] = [
    ("string", {}, "北辰精密轴承", "名称", "北辰精密轴承"),
    ("text", {}, "第一段。\n第二段。", "名称", "第一段。\n第二段。"),
    ("integer", {"unit": "人"}, "12345", "名称（人）", "12,345"),
    ("decimal", {"unit": "万元"}, "-1234.5", "名称（万元）", "-1,234.50"),
    ("decimal", {"decimals": 4}, "0.5", "名称", "0.5000"),
    ("percent", {"unit": "%"}, "5.32%", "名称（%）", "5.32"),
    ("year", {}, "2024", "名称", "2024"),
    ("date", {}, "2024/6/1", "名称", "2024年6月1日"),
    ("select", {"options": OPTIONS}, "b", "名称", "质量"),
    ("multiselect", {"options": OPTIONS}, ["b", "a"], "名称", "生产、质量"),
    ("boolean", {}, "yes", "名称", "是"),
    ("region", {}, "230108", "名称", "黑龙江省 / 哈尔滨市 / 平房区"),
    ("industry", {}, "34", "名称", "制造业 / 通用设备制造业"),
    ("phone", {}, "(0451)84000000", "名称", "0451-84000000"),
    ("email", {}, "HR@EXAMPLE.COM", "名称", "HR@example.com"),
    ("uscc", {}, "91110000600037341l", "名称", "91110000600037341L"),
    ("id_number", {}, "11010519491231002x", "名称", "11010519491231002X"),
]


class Names:
    """The two codes above."""

    def region(self, code: str) -> str | None:
        return {"230108": "黑龙江省 / 哈尔滨市 / 平房区"}.get(code)

    def industry(self, code: str) -> str | None:
        return {"34": "制造业 / 通用设备制造业"}.get(code)


@pytest.fixture(autouse=True)
def translations() -> Iterator[None]:
    """Fixed words of the papers are translated inside an application."""
    app = Flask("paper")
    Babel(app)
    with app.app_context():
        yield


def judged(sections: list[dict[str, Any]], answers: Answers) -> Evaluation:
    data = {
        "key": "paper", "version": 1, "title": "样例", "short_code": "PA", "kind": "declaration",
        "jurisdiction": "230100", "sections": sections,
    }  # fmt: skip
    definition = Definition.model_validate(data)
    return evaluate(definition, answers, lookups=Names(), enterprise={}, params={}, today="2026-06-01")


def all_kinds() -> Paper:
    fields = [
        {"key": f"q{n}", "label": f"名称{n:02}", "type": kind, "required": False, **more}
        for n, (kind, more, *_rest) in enumerate(PRINTED)
    ]
    answers = Answers({f"q{n}": typed for n, (_k, _m, typed, _l, _t) in enumerate(PRINTED)})
    return build_paper(
        judged([{"key": "main", "label": "基本情况", "fields": fields}], answers),
        PaperFacts(title="样例", enterprise="北辰", serial="2026-PA-0001"),
    )


@pytest.fixture(scope="module")
def word_cells() -> dict[str, str]:
    """Label and answer of every question, read from the Word file."""
    app = Flask("word")
    Babel(app)
    with app.app_context():
        document = Document(io.BytesIO(write_word(all_kinds())))
    found: dict[str, str] = {}
    for row in document.tables[0].rows:
        texts = [cell.text for cell in dict.fromkeys(row.cells)]
        found |= dict(zip(texts[::2], texts[1::2], strict=True))
    return {label.replace("\n", ""): text for label, text in found.items()}


numbered = [(n, label, text) for n, (_k, _m, _typed, label, text) in enumerate(PRINTED)]


@pytest.mark.parametrize(("number", "label", "text"), numbered, ids=[f"{n}-{PRINTED[n][0]}" for n, _l, _t in numbered])
def test_word_prints_it(number: int, label: str, text: str, word_cells: dict[str, str]) -> None:
    assert word_cells[label.replace("名称", f"名称{number:02}")] == text


def test_word_prints_nothing_else(word_cells: dict[str, str]) -> None:
    assert len(word_cells) == len(PRINTED)


def test_pdf_prints_the_same(font_folder: Path) -> None:
    document = pypdfium2.PdfDocument(write_pdf(all_kinds(), font_folder))
    shown = "".join(re.sub(r"\s", "", page.get_textpage().get_text_range()) for page in document)
    document.close()
    for _kind, _more, _typed, _label, text in PRINTED:
        for word in re.findall(r"[A-Za-z0-9@.,%-]{4,}", text):
            assert word in shown


def test_what_is_not_answered_is_struck_out_on_paper() -> None:
    """A blank cell on sealed paper could be filled in afterwards."""
    fields = [
        {"key": f"q{n}", "label": f"题{n}", "type": k, "required": False, **m} for n, (k, m, *_r) in enumerate(PRINTED)
    ]
    paper = build_paper(
        judged([{"key": "main", "label": "基本情况", "fields": fields}], Answers()),
        PaperFacts(title="样例", enterprise="北辰", serial="2026-PA-0001"),
    )
    document = Document(io.BytesIO(write_word(paper)))
    values = [[c.text for c in dict.fromkeys(row.cells)][1::2] for row in document.tables[0].rows]
    assert {text for row in values for text in row} == {"—"}


@pytest.mark.parametrize("count", [0, 1, 3, 20])
def test_rows_are_numbered_and_totals_follow(count: int) -> None:
    columns = [{"key": "name", "label": "名称", "type": "string"}, {"key": "price", "label": "价", "type": "decimal"}]
    table = {"key": "items", "label": "设备清单", "row_label": "设备", "max_rows": 50, "columns": columns}
    rows = [Row(f"r{n}", "items", None, n, {"name": f"设备{n}", "price": str(n)}) for n in range(count)]
    paper = build_paper(
        judged([{"key": "main", "label": "明细", "tables": [table]}], Answers(rows=rows)),
        PaperFacts(title="样例", enterprise="北辰", serial="2026-PA-0001"),
    )
    (block,) = [b for b in paper.blocks if isinstance(b, Rows)]
    assert [row[0] for row in block.rows] == [str(n) for n in range(1, count + 1)]
    assert [row[2] for row in block.rows] == [f"{n}.00" for n in range(count)]
    assert block.empty == "无"
    document = Document(io.BytesIO(write_word(paper)))
    assert len(document.tables[0].rows) == 1 + max(count, 1)


def test_a_hidden_question_leaves_no_trace_on_paper() -> None:
    fields = [
        {"key": "kind", "label": "类别", "type": "boolean"},
        {"key": "secret", "label": "只给是的人", "type": "string", "visible_if": 'form.kind == "yes"'},
    ]
    sections = [
        {"key": "main", "label": "基本情况", "fields": fields},
        {"key": "more", "label": "隐藏的一页", "visible_if": 'form.kind == "yes"', "fields": [
            {"key": "deep", "label": "更深", "type": "string"}]},
    ]  # fmt: skip
    facts = PaperFacts(title="样例", enterprise="北辰", serial="2026-PA-0001")
    hidden = build_paper(judged(sections, Answers({"kind": "no", "secret": "机密", "deep": "机密"})), facts)
    text = "".join(
        t.text or "" for t in Document(io.BytesIO(write_word(hidden))).element.body.iter() if t.tag.endswith("}t")
    )
    assert "机密" not in text and "只给是的人" not in text and "隐藏的一页" not in text
    shown = build_paper(judged(sections, Answers({"kind": "yes", "secret": "机密", "deep": "机密"})), facts)
    assert [b.title for b in shown.blocks if isinstance(b, (Facts, Rows, Cards))] == ["基本情况", "隐藏的一页"]


# -- Excel ------------------------------------------------------------------------------------------------------------

COLUMNS = (
    SheetColumn("序号", "int", 6), SheetColumn("企业", "text", 30), SheetColumn("代码", "text", 22),
    SheetColumn("收入", "decimal", 16), SheetColumn("比例", "decimal", 10, 4), SheetColumn("日期", "date", 12),
)  # fmt: skip
LINE = (1, "北辰", "007", Decimal("12480.55"), Decimal("0.1234"), date(2026, 6, 1))


def cells(data: bytes) -> list[list[Any]]:
    return python_calamine.load_workbook(io.BytesIO(data)).get_sheet_by_index(0).to_python()


def bulk(*rows: tuple[Any, ...]) -> bytes:
    buffer = io.BytesIO()
    write_bulk(COLUMNS, rows, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("way", ["list", "grid"])
def test_figures_are_figures_and_codes_are_text(way: str) -> None:
    data = bulk(LINE) if way == "grid" else write_sheet(SheetSpec(title="表", columns=COLUMNS, rows=[LINE]))
    row = next(r for r in cells(data) if r[1] == "北辰")
    assert row == [1.0, "北辰", "007", 12480.55, 0.1234, date(2026, 6, 1)]
    assert [type(value) for value in row] == [float, str, str, float, float, date]


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (Decimal("0.1") + Decimal("0.2"), 0.3), (Decimal("999999999999999"), 999999999999999),
        (Decimal("9999999999999999.99"), "9999999999999999.99"), (Decimal("-0.00"), 0), (None, ""), (0, 0),
        ("12万", "12万"), (Decimal("NaN"), ""),
    ],
)  # fmt: skip
def test_an_amount_is_exact_or_it_is_text(value: Any, cell: Any) -> None:
    assert cells(bulk((1, "甲", "乙", value, None, None)))[1][3] == cell
