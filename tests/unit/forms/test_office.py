"""Days, amounts and errors of the office's forms."""

from __future__ import annotations

from datetime import date

import pytest
from werkzeug.datastructures import MultiDict

from app.errors import InvalidInput
from app.forms.office import DocumentForm, mark_errors, read_amounts, read_day, read_optional_day


def form(**values: str) -> DocumentForm:
    return DocumentForm(MultiDict(values))


@pytest.mark.parametrize("text", ["2026-06-17", " 2026-06-17 "])
def test_a_day_is_read(text: str) -> None:
    assert read_day(form(dated=text).dated) == date(2026, 6, 17)


@pytest.mark.parametrize(
    "text",
    ["2026-6-17", "20260617", "2026-W25-3", "2026-02-30", "1999-12-31", "2101-01-01", "明天", "2026-06-17T00:00"],
)
def test_what_is_no_day_is_refused_with_what_was_typed(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_optional_day(form(dated=text).dated)
    assert set(refused.value.fields) == {"dated"} and text[:20] in refused.value.message


@pytest.mark.parametrize("text", ["", "   "])
def test_an_empty_day_is_none_or_missing(text: str) -> None:
    assert read_optional_day(form(dated=text).dated) is None
    with pytest.raises(InvalidInput, match="请填日期，例如"):
        read_day(form(dated=text).dated)


def test_a_long_text_is_not_repeated_whole() -> None:
    with pytest.raises(InvalidInput) as refused:
        read_day(form(dated="九" * 500).dated)
    assert len(refused.value.message) < 80


def test_sentences_stand_beside_their_fields() -> None:
    marked = form(dated="", doc_no="")
    mark_errors(marked, InvalidInput("请核对。", fields={"doc_no": "请填文号。", "chosen": "请选企业。"}))
    assert marked.doc_no.errors == ["请填文号。"] and list(marked.dated.errors) == []


def test_amounts_by_public_id() -> None:
    data = MultiDict([("amount.a-1", "10"), ("amount.b-2", "20"), ("doc_no", "x"), ("amounts", "3")])
    assert read_amounts(data) == {"a-1": "10", "b-2": "20"}
