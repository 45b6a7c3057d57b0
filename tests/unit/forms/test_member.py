"""What owners post about colleagues is brought into one shape, whatever was typed."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import MultiDict

from app.forms.member import read_phone, read_rights


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("13904512187", "13904512187"), (" 139 0451 2187 ", "13904512187"), ("139-0451-2187", "13904512187"),
        ("１３９０４５１２１８７", "13904512187"), ("", ""), ("不知道", "不知道"), ("1" * 99, "1" * 20),
    ],
)  # fmt: skip
def test_phone(typed: str, read: str) -> None:
    assert read_phone(MultiDict({"phone": typed})) == read
    assert read_phone(MultiDict()) == ""


@pytest.mark.parametrize(
    ("posted", "rights"),
    [
        ([("scope", "whole"), ("right", "fill")], {"*": "fill"}),
        ([("right", "submit")], {"*": "submit"}),
        ([], {"*": ""}),
        ([("scope", "chosen")], {}),
        (
            [("scope", "chosen"), ("right", "submit"), ("chosen", "a"), ("right.a", "fill"), ("right.b", "submit")],
            {"a": "fill"},
        ),
        ([("scope", "chosen"), ("chosen", "a"), ("chosen", "b"), ("right.b", "submit")], {"a": "", "b": "submit"}),
        ([("scope", "whole"), ("right", "fill"), ("chosen", "a"), ("right.a", "submit")], {"*": "fill"}),
    ],
    ids=["whole", "no scope", "nothing", "none ticked", "one ticked", "right missing", "whole wins"],
)
def test_rights(posted: list[tuple[str, str]], rights: dict[str, str]) -> None:
    assert read_rights(MultiDict(posted)) == rights
