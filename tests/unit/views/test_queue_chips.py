"""Filters in the address, and chips that say how many each would leave."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from flask_babel import Babel

from app.errors import DomainError
from app.services.queue_counts import Filters, Kind, Tally
from app.views import queue_chips
from app.views.queue_chips import ChipGroup, chips_of, cleared, read_filters

CLERK: Any = SimpleNamespace(enterprise_id=None, role_names={"city"})
OWNER: Any = SimpleNamespace(enterprise_id=1, role_names={"enterprise"})
KINDS = [
    Kind("intake", "企业培育入库", "preliminary_review", "初审", "in_progress", 4),
    Kind("certification", "企业认证", "city_review", "市工信局审核", "in_progress", 1),
]


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    site = Flask(__name__)
    Babel(site)
    site.add_url_rule("/todo/", "todo.index", lambda: "")
    monkeypatch.setattr(queue_chips, "region_name", lambda code: {"230108": "平房区", "230102": "道里区"}.get(code, ""))
    with site.test_request_context("/todo/?q=%E5%8C%97&page=3&evil=1"):
        yield site


def tally(**counts: int) -> Tally:
    """Counts by ``dimension__value``."""
    split = {tuple(name.split("__")): count for name, count in counts.items()}
    return Tally(total=5, kinds=KINDS, counts=split)  # type: ignore[arg-type]


def named(groups: list[ChipGroup], label: str) -> ChipGroup:
    return next(g for g in groups if g.label == label)


def test_chips_toggle_their_part_of_the_address(site: Flask) -> None:
    groups = chips_of(tally(programme__intake=4, programme__certification=1), Filters(programme="intake"), CLERK)
    (intake, certification) = named(groups, "项目").chips
    assert (intake[0], intake[2]) == ("企业培育入库 4", True) and certification[0] == "企业认证 1"
    assert "programme" not in intake[1] and "page" not in intake[1] and "evil" not in intake[1] and "q=" in intake[1]
    assert "programme=certification" in certification[1] and not certification[2]


def test_one_value_needs_no_chip_unless_it_is_chosen(site: Flask) -> None:
    one = Tally(kinds=KINDS[:1], counts={("programme", "intake"): 4, ("step", "preliminary_review"): 4})
    assert chips_of(one, Filters(), OWNER) == []
    assert [g.label for g in chips_of(one, Filters(step="preliminary_review"), OWNER)] == ["步骤"]


def test_switches_that_leave_nothing_are_shown_only_while_on(site: Flask) -> None:
    groups = chips_of(tally(soon__1=2, overdue__1=0, again__1=0), Filters(again=True), OWNER)
    assert [c[0] for c in named(groups, "情况").chips] == ["3 个工作日内到期 2", "再次提交 0"]
    assert [c[2] for c in named(groups, "情况").chips] == [False, True]


def test_claims_are_for_offices_and_only_where_there_are_any(site: Flask) -> None:
    some = tally(claim__mine=1, claim__free=3, claim__others=1)
    assert [c[0] for c in named(chips_of(some, Filters(), CLERK), "认领").chips] == ["我的 1", "未认领 3", "别人的 1"]
    assert "认领" not in [g.label for g in chips_of(some, Filters(), OWNER)]
    assert "认领" not in [g.label for g in chips_of(tally(claim__free=5), Filters(), CLERK)]
    assert "认领" in [g.label for g in chips_of(tally(claim__free=5), Filters(claim="mine"), CLERK)]


def test_districts_and_batches_are_folded_until_one_is_on(site: Flask) -> None:
    counts = tally(district__230108=3, district__230102=2)
    counts.batches = {n: SimpleNamespace(public_id=f"b{n}", title=f"第 {n} 批") for n in (1, 2)}  # type: ignore[misc]
    groups = chips_of(counts, Filters(), CLERK)
    assert [c[0] for c in named(groups, "区县").chips] == ["道里区 2", "平房区 3"]
    assert [c[0] for c in named(groups, "批次").chips] == ["第 1 批 0", "第 2 批 0"]
    assert all(named(groups, label).folded and not named(groups, label).on for label in ("区县", "批次"))
    assert named(chips_of(counts, Filters(district="230108"), CLERK), "区县").on


def test_clearing_keeps_what_is_no_filter(site: Flask) -> None:
    with site.test_request_context("/todo/?tab=handled&q=x&soon=1&claim=mine&psize=50&lang=zh"):
        assert cleared() == "/todo/?tab=handled&lang=zh"


def test_filters_are_read_from_the_address(site: Flask) -> None:
    address = "/todo/?programme=a&step=b&batch=c&district=d&claim=others&soon=1&overdue=1&again=1&findings=1&q=x&page=2&psize=50"
    with site.test_request_context(address):
        assert read_filters() == Filters("a", "b", "c", "d", "others", True, True, True, True, "x", 2, 50)
    with site.test_request_context("/todo/?soon=maybe&again=&programme="):
        assert read_filters() == Filters(size=20) and not read_filters().any


@pytest.mark.parametrize("claim", ["nobody", "MINE", "'", "\u0661"])
def test_a_claim_that_there_cannot_be(site: Flask, claim: str) -> None:
    with (
        site.test_request_context("/todo/", query_string={"claim": claim}),
        pytest.raises(DomainError, match="没有这个筛选条件"),
    ):
        read_filters()
