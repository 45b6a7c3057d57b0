"""What is left to do after a return: which remark counts as answered."""

from __future__ import annotations

import pytest
from flask import Flask
from flask_babel import Babel

from app.models import Remark
from app.views.returned import Asked, Returned, _state


@pytest.mark.parametrize(
    ("path", "changed", "reply", "state"),
    [
        ("profit", {"profit"}, None, "changed"),
        ("profit", {"profit_note"}, None, "left"),
        ("profit", set(), "没有错", "replied"),
        ("profit", {"profit"}, "没有错", "changed"),
        ("@report", {"@report"}, None, "changed"),
        ("@report", {"@reports"}, None, "left"),
        ("items", {"items/r1/price"}, None, "changed"),
        ("items", {"items"}, None, "changed"),
        ("items/r1", {"items/r1/price"}, None, "changed"),
        ("items/r1", {"items/r10/price"}, None, "left"),
        # The row was taken away: that is told at its table.
        ("items/r1", {"items"}, None, "changed"),
        ("items/r1/price", {"items"}, None, "left"),
        ("items/r1/parts/p1", {"items/r1/parts"}, None, "changed"),
        ("*", set(), None, "left"),
    ],
)
def test_when_a_remark_is_answered(path: str, changed: set[str], reply: str | None, state: str) -> None:
    assert _state(Remark(path=path, reply=reply), changed) == state


def asked(state: str, url: str | None = "/x") -> Asked:
    return Asked(Remark(path="p"), url, state)


def test_the_count_in_words() -> None:
    site = Flask(__name__)
    Babel(site)
    with site.test_request_context("/"):
        check_words()


def check_words() -> None:
    view = Returned("请改。", True, [asked("changed"), asked("replied"), asked("left"), asked("left", None)])
    assert (len(view.placed), view.done) == (3, 2)
    assert view.words == "3 处要改，已改 2 处"
    assert Returned("请改。", False, [asked("left", None)]).words == ""
