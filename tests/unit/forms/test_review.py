"""Posted decisions, experts and score sheets: read as they are, refused when they are no such thing."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import MultiDict

from app.errors import InvalidInput
from app.forms.review import read_checks, read_decision, read_experts, read_key, read_prefixed, read_version


def test_a_decision_is_read() -> None:
    decision = read_decision(MultiDict({"action": "return", "opinion": " 请核对 ", "version": "7", "key": "k-1"}))
    assert (decision.action, decision.opinion, decision.version, decision.key) == ("return", " 请核对 ", 7, "k-1")


@pytest.mark.parametrize("text", [None, "", "-1", "1.0", "七", "１", "9" * 12, "1 or 1=1"])
def test_a_page_without_a_usable_version_is_refused(text: str | None) -> None:
    with pytest.raises(InvalidInput):
        read_version(text)


def test_keys_that_cannot_be_stored_count_as_none() -> None:
    assert read_key("a" * 65) is None and read_key("键") is None and read_key("") is None and read_key("abc") == "abc"


def test_experts_are_ids_once_each() -> None:
    assert read_experts(MultiDict([("expert", "5"), ("expert", "3"), ("expert", "5")])) == [3, 5]
    assert read_experts(MultiDict()) == []
    with pytest.raises(InvalidInput):
        read_experts(MultiDict([("expert", "5; drop")]))


def test_fields_by_their_prefix() -> None:
    data = MultiDict({"points.basis": "5", "points.effect": "6", "reason.basis": "好", "other": "x"})
    assert read_prefixed(data, "points") == {"basis": "5", "effect": "6"}


def test_ticked_points_are_read_once_each() -> None:
    data = MultiDict([("action", "confirm"), ("version", "1"), ("check", "b"), ("check", "a"), ("check", "b")])
    assert read_decision(data).checks == ("b", "a")
    assert read_checks(MultiDict()) == ()
