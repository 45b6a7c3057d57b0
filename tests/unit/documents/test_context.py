"""Any definition becomes a paper: blocks by kind of table, units, hidden questions, attachments, seal."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from pathlib import Path

import pypdfium2
import pytest
from docx import Document
from flask import Flask
from flask_babel import Babel

from app.definitions.evaluation import Evaluation
from app.documents.context import (
    CAPACITY,
    PaperFacts,
    build_paper,
    file_size,
    label_with_unit,
    paper_title,
    split_labels,
    tight,
)
from app.documents.pdf import write_pdf
from app.documents.tree import Cards, Facts, Files, Pairs, Paper, Rows, walk_texts
from app.documents.word import write_word
from app.fields.base import FieldSpec
from tests.answers_sample import ENTERPRISE, sample_evaluation

INTAKE = "app/definitions/catalog/harbin/cultivation_intake.yaml"
CERTIFICATION = "app/definitions/catalog/harbin/enterprise_certification.yaml"
EVERYTHING = "tests/data/definitions/everything.yaml"
REFERENCE = {"digital_needs": 2, "digital_projects": 3, "service_providers": 2}
FACTS = PaperFacts(
    title="企业培育入库申报表（待盖章材料）", enterprise=ENTERPRISE["name"], batch="2026 年第一批", serial="2026-PY-0001",
    code="7K3F-92QD", verify_url="http://localhost/verify/7K3F-92QD", revision=2, submitted="2026年6月3日17时26分提交",
    digest="ab" * 32, seal=True,
)  # fmt: skip


@pytest.fixture(autouse=True)
def translations() -> Iterator[None]:
    app = Flask("context")
    Babel(app)
    with app.app_context():
        yield


@pytest.fixture(scope="module")
def intake() -> Evaluation:
    return sample_evaluation(INTAKE, REFERENCE)


@pytest.fixture(scope="module")
def everything() -> Evaluation:
    return sample_evaluation(EVERYTHING, {"devices": 200, "projects": 2, "members": 2}, ownership="private")


def block(paper: Paper, title: str) -> object:
    """The block with this title."""
    return next(b for b in paper.blocks if b.title == title)


def test_blocks_of_the_reference_declaration(intake: Evaluation) -> None:
    paper = build_paper(intake, FACTS)
    assert [(type(b).__name__, b.title) for b in paper.blocks] == [
        ("Facts", "基本情况"), ("Rows", "数字化转型需求"), ("Cards", "数字化转型项目"), ("Facts", "其他情况"),
        ("Files", "附件清单"),
    ]  # fmt: skip
    basics = block(paper, "基本情况")
    assert isinstance(basics, Facts) and len(basics.pairs) == 18


def test_head_and_foot(intake: Evaluation) -> None:
    paper = build_paper(intake, FACTS)
    assert (paper.title, paper.subtitle) == ("企业培育入库申报表", "（2026年第一批）")
    assert paper.qr == "GZCL1|2026-PY-0001|7K3F92QD" and paper.code == "7K3F-92QD"
    assert paper.version_label == "第2版，2026年6月3日17时26分提交"
    assert paper.footer == "内容摘要 abababababababab"
    assert paper.seal_place is not None and paper.seal_place.unit == ENTERPRISE["name"]
    assert paper.statement.startswith("本企业承诺")


def test_a_preview_has_no_code_and_no_seal(intake: Evaluation) -> None:
    paper = build_paper(intake, PaperFacts("申报表", "某企业"))
    assert (paper.qr, paper.code, paper.footer, paper.statement, paper.seal_place) == ("", "", "", "", None)


def test_long_rows_are_cards_with_comparison_and_nested_rows(intake: Evaluation) -> None:
    cards = block(build_paper(intake, FACTS), "数字化转型项目")
    assert isinstance(cards, Cards) and len(cards.cards) == 3
    facts, outcome, providers = cards.cards[0].parts
    assert isinstance(facts, Facts) and len(facts.pairs) == 10 and facts.title == ""
    assert isinstance(outcome, Pairs) and outcome.title == "数字化改造（预期）成效"
    assert outcome.headers == ("项目", "改造前", "改造后") and len(outcome.rows) == 8
    assert [row[0] for row in outcome.rows][:2] == ["数字化水平等级", "创新方面成效"]
    assert isinstance(providers, Rows) and len(providers.rows) == 2
    assert [c.label for c in providers.columns] == ["序号", "服务商名称", "产品名称", "评价"]


def test_units_stand_once(intake: Evaluation) -> None:
    labels = [p.label for b in build_paper(intake, FACTS).blocks if isinstance(b, Facts) for p in b.pairs]
    assert "2023年营业收入（万元）" in labels and "截至2023年累计专利申请数（个）" in labels
    assert "2023年研发投入占销售收入比例（%）" in labels
    spec = FieldSpec(key="x", label="改造总花费(万元)", type="decimal", unit="万元")
    assert label_with_unit(spec) == "改造总花费（万元）"
    assert label_with_unit(FieldSpec(key="x", label="联系人", type="string")) == "联系人"


def test_numbers_lean_right_and_dates_are_written_out(intake: Evaluation) -> None:
    pairs = {p.label: p for b in build_paper(intake, FACTS).blocks if isinstance(b, Facts) for p in b.pairs}
    assert pairs["2023年营业收入（万元）"].align == "right" and pairs["联系人"].align == "left"
    cards = block(build_paper(intake, FACTS), "数字化转型项目")
    assert isinstance(cards, Cards) and isinstance(cards.cards[0].parts[0], Facts)
    start = next(p for p in cards.cards[0].parts[0].pairs if p.label == "项目开始时间")
    assert "年" in start.text and start.text.endswith("日")


def test_many_short_columns_stay_a_list(everything: Evaluation) -> None:
    devices = block(build_paper(everything, FACTS), "设备")
    assert isinstance(devices, Rows) and len(devices.rows) == 200
    assert [c.label for c in devices.columns] == [
        "序号",
        "设备名称",
        "数量",
        "单价",
        "金额",
        "是否进口",
        "原产国",
        "交付日期",
    ]
    assert [c.unit for c in devices.columns][2:5] == ["台", "万元", "万元"]
    widths = {c.label: c.weight for c in devices.columns}
    longest = max(len(row[4]) for row in devices.rows)
    assert widths["金额"] > longest and widths["交付日期"] > 10, "figures and dates do not break"
    assert sum(widths.values()) <= CAPACITY + len(widths)


def test_a_comparison_of_numbers_leans_right(everything: Evaluation) -> None:
    cards = block(build_paper(everything, FACTS), "项目")
    assert isinstance(cards, Cards)
    outcome = next(p for p in cards.cards[0].parts if isinstance(p, Pairs))
    assert [row[0] for row in outcome.rows] == ["合格率（%）", "成本"]


def test_hidden_questions_and_sections_are_left_out(everything: Evaluation) -> None:
    texts = set(walk_texts(build_paper(everything, FACTS)))
    assert "其他性质说明" not in texts and "外资情况" not in texts and "股东" not in texts
    foreign = sample_evaluation(EVERYTHING, {}, ownership="foreign", foreign_share="40")
    shown = set(walk_texts(build_paper(foreign, FACTS)))
    assert "外资情况" in shown and "股东" in shown


def test_empty_tables_say_so() -> None:
    paper = build_paper(sample_evaluation(INTAKE, {"digital_needs": 0, "digital_projects": 0}), FACTS)
    needs, projects = block(paper, "数字化转型需求"), block(paper, "数字化转型项目")
    assert isinstance(needs, Rows) and needs.rows == () and needs.empty == "无"
    assert isinstance(projects, Cards) and projects.cards == () and projects.empty == "无"


def test_what_was_typed_wrongly_is_shown_as_typed() -> None:
    evaluation = sample_evaluation(INTAKE, {}, revenue="12万")
    assert "12万" in set(walk_texts(build_paper(evaluation, FACTS)))


def test_attachments_without_the_stamped_paper(intake: Evaluation) -> None:
    files = block(build_paper(intake, FACTS), "附件清单")
    assert isinstance(files, Files) and [r.label for r in files.rows] == [
        "2023年度审计报告",
        "信用中国网站企业信用信息报告",
    ]
    assert files.rows[0].size == "12.4 MB"


@pytest.mark.parametrize("path", [INTAKE, CERTIFICATION, EVERYTHING])
def test_every_definition_is_written_as_word_and_pdf(path: str, font_folder: Path) -> None:
    paper = build_paper(sample_evaluation(path, {}), FACTS)
    document = Document(io.BytesIO(write_word(paper)))
    text = "\n".join(c.text for t in document.tables for r in t.rows for c in r.cells)
    assert str(ENTERPRISE["credit_code"]) in text or path == CERTIFICATION
    assert len(pypdfium2.PdfDocument(write_pdf(paper, font_folder))) >= 1
    assert write_word(paper) == write_word(build_paper(sample_evaluation(path, {}), FACTS))


def test_word_of_the_reference_declaration_is_fast(intake: Evaluation) -> None:
    write_word(build_paper(intake, FACTS))
    took = []
    for _ in range(5):
        start = time.perf_counter()
        write_word(build_paper(intake, FACTS))
        took.append(time.perf_counter() - start)
    assert min(took) < 0.1


@pytest.mark.parametrize(
    ("size", "text"), [(None, ""), (0, "1 KB"), (430_080, "420 KB"), (1_048_576, "1.0 MB"), (104_857_599, "100.0 MB")]
)
def test_sizes(size: int | None, text: str) -> None:
    assert file_size(size) == text


@pytest.mark.parametrize(
    ("title", "head"),
    [("申报表（待盖章材料）", "申报表"), ("申报表", "申报表"), ("（空）", "（空）"), ("表（一）续", "表（一）续")],
)
def test_titles(title: str, head: str) -> None:
    assert paper_title(title) == head


@pytest.mark.parametrize(
    ("before", "after", "parts"),
    [
        ("改造前合格率", "改造后合格率", ("合格率", "改造前", "改造后")),
        ("before", "nothing", None),
        ("成本", "成本", None),
        ("甲", "乙", None),
    ],
)
def test_labels_of_a_comparison(before: str, after: str, parts: tuple[str, str, str] | None) -> None:
    assert split_labels(before, after) == parts


def test_blanks_between_figures_and_chinese_go() -> None:
    assert tight("2026 年第 1 批 PDF 材料 A 4") == "2026年第1批 PDF 材料 A 4"
