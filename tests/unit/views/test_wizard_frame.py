"""Words of the step rail: what is wrong before what is missing, what is missing before what is done."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from flask_babel import Babel

from app.definitions.evaluation import Evaluation, FieldState, FileState, RowState, SectionState, TableState
from app.definitions.schema import Attachment, Definition, Section, Table
from app.fields.base import FieldSpec
from app.views.wizard_frame import attachment_words, section_words


@pytest.fixture(autouse=True)
def chinese() -> Iterator[None]:
    app = Flask(__name__)
    Babel(app)
    with app.test_request_context():
        yield


def field(key: str, value: str | None = None, *, error: str | None = None, prefilled: bool = False) -> FieldState:
    state = FieldState(FieldSpec(key=key, label=key, type="string"), key, raw=value, value=value)
    state.error, state.prefilled = error, prefilled
    return state


def table(rows: int, *, error: str | None = None, nested: TableState | None = None, visible: bool = True) -> TableState:
    states = [RowState(str(n), f"t/{n}", n, {}, {"inner": nested} if nested else {}) for n in range(1, rows + 1)]
    return TableState(Table(key="t", label="项目", row_label="项目"), "t", states, visible, error)


def section(*fields: FieldState, tables: tuple[TableState, ...] = ()) -> SectionState:
    return SectionState(Section(key="s", label="节"), list(fields), list(tables))


@pytest.mark.parametrize(
    ("state", "strict", "words"),
    [
        (section(field("a", "有"), field("b", "有")), False, ("done", "2 项已填完")),
        (section(field("a"), field("b")), False, (None, "2 项要填")),
        (section(field("a", "有"), field("b")), False, ("warn", "还有 1 项没填")),
        (section(field("a", "带出", prefilled=True), field("b")), False, (None, "1 项要填")),
        (section(field("a", "有"), field("b")), True, ("bad", "1 项没填")),
        (section(field("a", "错", error="不对"), field("b")), True, ("bad", "1 处要改")),
        (section(tables=(table(2),)), False, ("done", "2 个项目")),
        (section(tables=(table(2), table(1, visible=False))), False, ("done", "2 个项目")),
        (section(tables=(table(1, error="太多"),)), False, ("bad", "1 个项目，1 处要改")),
        (section(tables=(table(2, nested=table(0, error="太少")),)), False, ("bad", "2 个项目，2 处要改")),
    ],
    ids=["done", "untouched", "begun", "only-suggested", "strict", "wrong-first", "rows", "hidden", "rows-wrong", "nested"],
)  # fmt: skip
def test_sections(state: SectionState, strict: bool, words: tuple[str | None, str]) -> None:
    assert section_words(state, strict) == words


def with_files(*there: tuple[bool, int]) -> Evaluation:
    """An evaluation with a kind of attachment for each (required, how many files are there)."""
    files = [
        FileState(Attachment(key=f"k{n}", label="件"), [{"name": "x"}] * count, required)
        for n, (required, count) in enumerate(there)
    ]
    stamped = FileState(Attachment(key="stamped", label="盖章件", stage="stamp"), [], False)
    definition = Definition(
        key="d", version=1, title="表", short_code="DD", kind="declaration", jurisdiction="230100",
        sections=(Section(key="s", label="节"),),
    )  # fmt: skip
    return Evaluation(definition, [], [*files, stamped], [], [], {})


@pytest.mark.parametrize(
    ("there", "strict", "words"),
    [
        (((True, 1), (True, 2)), False, ("done", "已传 3 份")),
        (((True, 1), (True, 0)), False, ("warn", "已传 1 / 2 份")),
        (((True, 0), (False, 1)), False, (None, "已传 0 / 1 份")),
        (((True, 1), (True, 0)), True, ("bad", "1 份没传")),
        (((False, 0),), False, (None, "已传 0 份")),
        (((False, 1),), True, ("done", "已传 1 份")),
    ],
    ids=["all", "some", "none", "strict", "nothing-needed", "optional"],
)
def test_attachments(there: tuple[tuple[bool, int], ...], strict: bool, words: tuple[str | None, str]) -> None:
    assert attachment_words(with_files(*there), strict) == words
