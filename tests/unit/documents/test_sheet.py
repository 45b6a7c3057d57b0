"""Excel lists, opened again: kinds of cells, no formulas, layout for paper, both bulk writers agree."""

from __future__ import annotations

import io
import re
import time
import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import python_calamine
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st

from app.documents import sheet
from app.documents.sheet import (
    SheetColumn,
    SheetSpec,
    Value,
    cell_value,
    column_names,
    sheet_title,
    summary_note_lines,
    write_bulk,
    write_sheet,
)
from app.fields.base import clean_text

COLUMNS = (
    SheetColumn("序号", "int", 6),
    SheetColumn("企业名称", "text", 30),
    SheetColumn("统一社会信用代码", "text", 22),
    SheetColumn("营业收入（万元）", "decimal", 16),
    SheetColumn("结束时间", "date", 12),
)
ROWS: tuple[tuple[Value, ...], ...] = (
    (1, "哈尔滨北辰精密轴承制造有限公司", "912301080000000018", Decimal("12480.55"), date(2025, 6, 30)),
    (2, "=1+1", "007", Decimal("-186.20"), None),
)
INJECTIONS = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://x")',
    "{=1}",
    "http://example.cn/",
    "mailto:a@b.c",
)


def spec(**changes: Any) -> SheetSpec:
    values: dict[str, Any] = {
        "title": "企业培育入库汇总表",
        "columns": COLUMNS,
        "rows": ROWS,
        "note_lines": summary_note_lines("平房区工信局", "王敏"),
        "totals": (None, "合计", None, Decimal("12294.35"), None),
    }
    return SheetSpec(**{**values, **changes})


def read(data: bytes) -> list[list[Any]]:
    return python_calamine.load_workbook(io.BytesIO(data)).get_sheet_by_index(0).to_python()


def xml(data: bytes, name: str = "xl/worksheets/sheet1.xml") -> str:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(name).decode()


def bulk(columns: Sequence[SheetColumn], rows: Sequence[Sequence[Value]]) -> bytes:
    buffer = io.BytesIO()
    write_bulk(columns, iter(rows), buffer)
    return buffer.getvalue()


@pytest.fixture(params=["fast", "slow"])
def writer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of writing a grid."""
    if request.param == "slow":
        monkeypatch.setattr(sheet, "fast_writer", None)
    return str(request.param)


def test_summary_has_title_head_rows_total_and_closing_line() -> None:
    cells = read(write_sheet(spec()))
    assert cells[0][0] == "企业培育入库汇总表"
    assert cells[1] == [column.label for column in COLUMNS]
    assert cells[2] == [1.0, "哈尔滨北辰精密轴承制造有限公司", "912301080000000018", 12480.55, date(2025, 6, 30)]
    assert cells[3] == [2.0, "=1+1", "007", -186.2, ""]
    assert cells[4] == ["", "合计", "", 12294.35, ""]
    assert "填报单位（公章）：平房区工信局" in cells[6][0]
    assert "填报人：王敏" in cells[6][0]
    assert "联系电话：____" in cells[6][0]
    assert "日期：______年____月____日" in cells[6][0]


def test_subtitle_moves_the_table_down() -> None:
    cells = read(write_sheet(spec(subtitle="（2024年度首批）")))
    assert cells[1][0] == "（2024年度首批）"
    assert cells[2][0] == "序号"


def test_summary_is_set_up_for_paper() -> None:
    content = xml(write_sheet(spec()))
    assert 'paperSize="9"' in content
    assert 'orientation="landscape"' in content
    assert 'fitToHeight="0"' in content
    assert re.search(r'<pane ySplit="2" topLeftCell="A3"[^>]*state="frozen"', content)
    assert "第 &amp;P 页，共 &amp;N 页" in content
    names = xml(write_sheet(spec()), "xl/workbook.xml")
    assert "$1:$2</definedName>" in names
    assert "_xlnm.Print_Area" in names


def test_formats_are_those_of_the_columns() -> None:
    styles = xml(
        write_sheet(spec(columns=(*COLUMNS[:3], SheetColumn("收入", "decimal", 10, 4), COLUMNS[4]))), "xl/styles.xml"
    )
    assert "#,##0.0000" in styles
    assert "yyyy-mm-dd" in styles
    assert sheet.number_format(SheetColumn("", "decimal", decimals=2)) == "#,##0.00"
    assert sheet.number_format(SheetColumn("", "decimal", decimals=0)) == "#,##0"
    assert sheet.number_format(SheetColumn("", "text")) == "@"


def test_long_text_gets_a_taller_row() -> None:
    content = xml(write_sheet(spec(rows=((1, "很长的企业名称" * 12, "x", Decimal(1), None),), totals=None)))
    heights = [float(value) for value in re.findall(r'<row r="3"[^>]* ht="([\d.]+)"', content)]
    assert heights
    assert heights[0] > 50


def test_rows_may_be_a_generator_and_may_be_none() -> None:
    assert read(write_sheet(spec(rows=iter(ROWS))))[3][1] == "=1+1"
    assert read(write_sheet(spec(rows=(), totals=None, note_lines=())))[-1][0] == "序号"


def test_one_column_is_enough() -> None:
    assert read(write_sheet(SheetSpec("名单", (SheetColumn("名称"),), (("甲",),))))[2][0] == "甲"


@pytest.mark.parametrize("row", [(), (1,), (1, "a", "b", Decimal(1), None, "多")])
def test_a_crooked_row_is_a_defect(row: tuple[Value, ...], writer: str) -> None:
    with pytest.raises(ValueError, match="values in a row of 5 columns"):
        write_sheet(spec(rows=(row,)))
    with pytest.raises(ValueError, match="values in a row of 5 columns"):
        bulk(COLUMNS, [row])


def test_same_spec_same_bytes_at_any_time() -> None:
    with time_machine.travel(datetime(2020, 1, 1, tzinfo=UTC)):
        first = write_sheet(spec())
    with time_machine.travel(datetime(2031, 12, 31, tzinfo=UTC)):
        assert write_sheet(spec()) == first


def test_unknown_kind_is_a_defect() -> None:
    with pytest.raises(ValueError, match="unknown kind 'money'"):
        SheetColumn("金额", "money")  # type: ignore[arg-type]


@pytest.mark.parametrize("payload", INJECTIONS)
def test_text_is_never_a_formula_or_link(payload: str, writer: str) -> None:
    columns = (SheetColumn(payload), SheetColumn("数", "decimal"))
    for data in (
        write_sheet(SheetSpec(payload, columns, ((payload, payload),), (payload,))),
        bulk(columns, [(payload, payload)]),
    ):
        content = xml(data)
        assert "<f>" not in content
        assert "<f " not in content
        assert "hyperlink" not in content
        assert payload in [cell for row in read(data) for cell in row]


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (None, "text", None),
        ("", "decimal", None),
        ("甲\x00乙", "text", "甲乙"),
        ("\x0b", "text", None),
        (13904512187, "text", "13904512187"),
        (Decimal("0.10"), "text", "0.10"),
        (Decimal("12480.55"), "decimal", 12480.55),
        (Decimal("NaN"), "decimal", None),
        (float("inf"), "decimal", None),
        (10**15, "int", "1000000000000000"),
        (10**400, "int", str(10**400)),
        (Decimal(10**16), "decimal", "10000000000000000"),
        (-(10**14), "int", -(10**14)),
        (date(2024, 4, 19), "date", date(2024, 4, 19)),
        (date(1899, 12, 31), "date", "1899-12-31"),
        (datetime(2024, 4, 19, 8, tzinfo=UTC), "date", datetime(2024, 4, 19, 8)),
        (datetime(1800, 1, 1, 8), "date", "1800-01-01 08:00:00"),
        ("待定", "date", "待定"),
        (45401, "date", "45401"),
        (date(2024, 4, 19), "decimal", "2024-04-19"),
    ],
)
def test_cell_values(value: Value, kind: sheet.Kind, expected: Any) -> None:
    found = cell_value(value, kind)
    assert found == expected
    assert type(found) is type(expected)


def test_text_longer_than_a_cell_is_cut_between_signs(writer: str) -> None:
    text = "𠮷" * 20_000
    (cell,) = read(bulk((SheetColumn("甲"),), [(text,)]))[1]
    assert set(cell) == {"𠮷"}
    assert len(cell.encode("utf-16-le")) // 2 <= 32_767
    assert len(read(write_sheet(SheetSpec("t", (SheetColumn("甲"),), ((text,),))))[2][0]) == 16_383


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("汇总表", "汇总表"),
        ("2024/首批[1]", "2024-首批-1-"),
        ("", "Sheet1"),
        ("'甲'", "甲"),
        ("长" * 40, "长" * 31),
        ("𠮷" * 20, "𠮷" * 15),
    ],
)
def test_sheet_titles_are_allowed_ones(name: str, safe: str) -> None:
    assert sheet_title(name) == safe
    assert python_calamine.load_workbook(io.BytesIO(write_sheet(spec(sheet_name=name)))).sheet_names == [safe]


def test_bulk_reads_back(writer: str) -> None:
    cells = read(bulk(COLUMNS, ROWS))
    assert cells[0] == [column.label for column in COLUMNS]
    assert cells[1] == [1.0, "哈尔滨北辰精密轴承制造有限公司", "912301080000000018", 12480.55, date(2025, 6, 30)]
    assert cells[2] == [2.0, "=1+1", "007", -186.2, ""]


def test_bulk_without_rows_still_has_its_head(writer: str) -> None:
    assert read(bulk(COLUMNS, [])) == [[column.label for column in COLUMNS]]


def test_equal_labels_become_different(writer: str) -> None:
    columns = (SheetColumn("评价"), SheetColumn("评价"), SheetColumn(""))
    assert column_names(columns) == ["评价", "评价 (2)", "列"]
    assert read(bulk(columns, [("好", "中", "差")])) == [["评价", "评价 (2)", "列"], ["好", "中", "差"]]


def test_an_error_in_the_rows_is_not_swallowed(writer: str) -> None:
    def rows() -> Iterator[tuple[Value, ...]]:
        yield ROWS[0]
        raise RuntimeError("gone")

    with pytest.raises(RuntimeError, match="gone"):
        write_bulk(COLUMNS, rows(), io.BytesIO())


def test_bulk_is_fast() -> None:
    rows = [ROWS[0]] * 10_000
    start = time.perf_counter()
    data = bulk(COLUMNS, rows)
    assert time.perf_counter() - start < 3
    assert len(read(data)) == 10_001


TEXTS = st.text(max_size=80)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=6), st.booleans())
def test_any_text_comes_back(rows: list[tuple[str, str]], fast: bool) -> None:
    columns = (SheetColumn("甲"), SheetColumn("乙"))
    wanted = [[clean_text(text, multiline=True) for text in row] for row in rows]
    with pytest.MonkeyPatch.context() as patch:
        if not fast:
            patch.setattr(sheet, "fast_writer", None)
        assert _padded(read(bulk(columns, rows))[1:], len(rows)) == wanted
    assert _padded(read(write_sheet(SheetSpec("标题", columns, rows)))[2:], len(rows)) == wanted


def _padded(cells: list[list[Any]], count: int) -> list[list[Any]]:
    """Rows that hold nothing at the end of a sheet are not read back."""
    rows = [[*row, "", ""][:2] for row in cells]
    return rows + [["", ""]] * (count - len(rows))


NUMBERS = st.one_of(
    st.integers(), st.floats(), st.decimals(), st.dates(), st.datetimes(), st.none(), st.booleans(), TEXTS
)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS), max_size=5), st.booleans())
def test_any_value_in_any_column_is_written(rows: list[tuple[Any, ...]], fast: bool) -> None:
    columns = tuple(SheetColumn(kind, kind) for kind in ("text", "int", "decimal", "date"))  # type: ignore[arg-type]
    with pytest.MonkeyPatch.context() as patch:
        if not fast:
            patch.setattr(sheet, "fast_writer", None)
        assert read(bulk(columns, rows))[0] == ["text", "int", "decimal", "date"]
    assert read(write_sheet(SheetSpec("标题", columns, rows)))[0][0] == "标题"
