"""Values of grids: how a filter's text is read, how a value is shown, and what becomes a cell of Excel."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from markupsafe import escape

from app.errors import InvalidInput
from app.views.admin.filters import parse_value
from app.views.admin.spec import Column


@pytest.fixture(autouse=True)
def speaking() -> Any:
    """Sentences need an application; no database is behind it."""
    from flask_babel import Babel

    app = Flask(__name__)
    Babel(app, default_locale="zh")
    with app.app_context():
        yield


GOOD: list[tuple[str, str, Any]] = [
    ("int", "12", 12), ("int", "1,200", 1200), ("int", "-3", -3), ("int", " 7 ", 7), ("int", "0", 0),
    ("int", str(2**63 - 1), 2**63 - 1), ("size", "1024", 1024),
    ("money", "12.5", Decimal("12.50")), ("money", "1,234,567.891", Decimal("1234567.89")), ("money", "-0.5", Decimal("-0.50")),
    ("date", "2026-11-20", date(2026, 11, 20)), ("date", "2028-02-29", date(2028, 2, 29)), ("time", "2026-11-20", date(2026, 11, 20)),
    ("bool", "y", True), ("bool", "YES", True), ("bool", "1", True), ("bool", "true", True),
    ("bool", "n", False), ("bool", "No", False), ("bool", "0", False), ("bool", "false", False),
    ("text", "轴承", "轴承"), ("text", "%", "%"), ("text", "x" * 200, "x" * 200), ("option", "draft", "draft"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "raw", "value"), GOOD, ids=[f"{g[0]}-{g[1][:12]}" for g in GOOD])
def test_what_is_asked_for_is_read(kind: Any, raw: str, value: Any) -> None:
    read = parse_value(Column("x", "列", kind), raw)
    assert read == value and type(read) is type(value)


BAD = [
    ("int", "1.5"), ("int", "十"), ("int", ""), ("int", "1e3"), ("int", "NaN"), ("int", str(2**63)), ("int", "--1"), ("int", "0x10"),
    ("money", "NaN"), ("money", "Infinity"), ("money", "-Infinity"), ("money", "sNaN"), ("money", "1e16"), ("money", "十二万"),
    ("money", "1.2.3"), ("money", ""), ("date", "2026-02-29"), ("date", "2026/11/20"), ("date", "明天"), ("date", "0000-01-01"),
    ("time", "2026-11-20T09:00"), ("time", "2026-13-01"), ("bool", "maybe"), ("bool", "2"), ("bool", "是"),
    ("text", "x" * 201), ("text", "a\x00b"), ("option", "\x00"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "raw"), BAD, ids=[f"{n}-{b[0]}" for n, b in enumerate(BAD)])
def test_what_cannot_be_read_names_the_column(kind: Any, raw: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_value(Column("x", "从业人员", kind), raw)
    assert "“从业人员”" in refused.value.message and refused.value.status == 422
    assert len(refused.value.message) < 200, "the text itself is cut short"


SHOWN: list[tuple[str, Any, str]] = [
    ("text", "轴承", "轴承"), ("int", 0, "0"), ("int", 12, "12"), ("money", Decimal("1234567.8"), "1,234,567.80"),
    ("money", Decimal("0"), "0.00"), ("money", Decimal("-5"), "-5.00"), ("bool", True, "是"), ("bool", False, "否"),
    ("time", datetime(2026, 6, 17, 23, 30, tzinfo=UTC), "2026-06-18 07:30"),
    ("time", datetime(2025, 12, 31, 16, 0, tzinfo=UTC), "2026-01-01 00:00"),
    ("date", date(2026, 6, 17), "2026-06-17"), ("phone", "13812346120", "138****6120"), ("phone", "0451-84000000", "0451-84000000"),
    ("option", "draft", "草稿"), ("option", "nothing-known", "nothing-known"),
    ("long", "字" * 60, "字" * 60), ("long", "字" * 61, "字" * 60 + "……"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value", "words"), SHOWN, ids=[f"{n}-{s[0]}" for n, s in enumerate(SHOWN)])
def test_a_value_as_people_read_it(kind: Any, value: Any, words: str) -> None:
    shown = Column("x", "列", kind, {"draft": "草稿"}).text(value)
    assert str(shown) == words


@pytest.mark.parametrize("value", [None, ""])
@pytest.mark.parametrize("kind", ["text", "int", "money", "time", "date", "phone", "option", "long", "bool"])
def test_nothing_is_a_dash(kind: Any, value: Any) -> None:
    assert "—" in Column("x", "列", kind).text(value)


@pytest.mark.parametrize("kind", ["text", "long", "option", "phone", "json", "subject"])
def test_words_of_others_are_not_markup(kind: Any) -> None:
    """The template escapes what comes out here; nothing of it claims to be safe."""
    shown = Column("x", "列", kind).text("<b>粗</b>")
    assert "<b>" not in escape(shown)


CELLS: list[tuple[str, Any, Any]] = [
    ("int", 12, 12), ("money", Decimal("12.50"), Decimal("12.50")), ("date", date(2026, 6, 17), date(2026, 6, 17)),
    ("size", 1024, 1024), ("time", datetime(2026, 6, 17, 23, 30, tzinfo=UTC), "2026-06-18 07:30"), ("bool", True, "是"),
    ("text", "=1+1", "=1+1"), ("text", "007", "007"), ("phone", "13812346120", "138****6120"), ("option", "draft", "草稿"),
    ("text", None, None), ("int", None, None),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value", "cell"), CELLS, ids=[f"{n}-{c[0]}" for n, c in enumerate(CELLS)])
def test_numbers_stay_numbers_in_a_sheet(kind: Any, value: Any, cell: Any) -> None:
    made = Column("x", "列", kind, {"draft": "草稿"}).cell(value)
    assert made == cell and type(made) is type(cell)


@pytest.mark.parametrize(
    ("kind", "sheet"),
    [("int", "int"), ("size", "int"), ("money", "decimal"), ("date", "date"), ("time", "text"), ("text", "text"),
     ("phone", "text"), ("bool", "text"), ("option", "text"), ("json", "text")],
)  # fmt: skip
def test_the_kind_of_a_column(kind: Any, sheet: str) -> None:
    assert Column("x", "列", kind).sheet_kind == sheet


def test_what_an_event_notes_is_put_in_words() -> None:
    shown = str(Column("data", "内容", "json").text({"title": "名单", "count": 3, "way": "sms", "seal": "not_seen"}))
    assert shown == "名称：名单；件数：3；登录方式：短信；印章：没看到"
