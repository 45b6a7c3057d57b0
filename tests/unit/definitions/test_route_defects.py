"""What the author of a route is told: levels, order and attributes on which nobody could go on."""

from __future__ import annotations

import pytest

from app.definitions.registry import CATALOGUE, DefinitionError, catalogue, parse_definition, resolve
from app.definitions.route_defects import route_defects
from tests.workflow_page import ROUTES, made_up

FRAME = """key: example
version: 1
title: 例子
short_code: ZZ
kind: {kind}
jurisdiction: '230100'
parameters:
  optional: {{label: 打开, value: true}}
  last: {{label: 最后一天, value: '2026-10-31'}}
sections:
  - key: basics
    label: 基本情况
    fields:
      - {{key: wanted, label: 申请金额, type: decimal, unit: 万元}}
      - {{key: words, label: 说明, type: text}}
{attachments}route:
{route}
{more}
"""
STAMPED = "attachments:\n  - {key: scan, label: 扫描件, stage: stamp}\n"
REVIEW = "key: review, label: 审核, kind: review, level: city"
DECIDE = "key: decide, label: 决定, kind: decide, level: city"
PUBLICITY = "key: public, label: 公示, kind: publicity, level: city"
HANDOVER = "key: letter, label: 行文, kind: handover, level: district"
FUND = "key: fund, label: 下达, kind: fund, level: finance"
STAMP = "key: paper, label: 盖章, kind: stamp, level: enterprise"
LIST = "outcome: {kind: list, title: 名单}"


def problems(*steps: str, kind: str = "declaration", attachments: str = "", more: str = "") -> list[str]:
    route = "\n".join(f"  - {{{s}}}" for s in steps) or "  []"
    text = FRAME.format(kind=kind, attachments=attachments, route=route, more=more)
    try:
        parse_definition(text, "example.yaml")
    except DefinitionError as error:
        return error.problems
    return []


@pytest.mark.parametrize(
    "steps",
    [
        (REVIEW, DECIDE, PUBLICITY),
        (REVIEW, f"{DECIDE}, enabled_by: optional", f"{PUBLICITY}, enabled_by: optional"),
        (REVIEW, DECIDE, f"{PUBLICITY}, enabled_by: optional"),
        (REVIEW, HANDOVER, DECIDE, PUBLICITY, FUND),
        (REVIEW, f"{HANDOVER}, enabled_by: optional"),
        ("key: r, label: 审核, kind: review, level: province, city_if: optional",),
    ],
)
def test_good_routes_say_nothing(steps: tuple[str, ...]) -> None:
    assert problems(*steps) == []


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ((REVIEW, PUBLICITY), "step public: publicity needs a decide step just before it"),
        ((PUBLICITY,), "publicity needs a decide step"),
        ((DECIDE, REVIEW, PUBLICITY), "publicity needs a decide step just before it"),
        ((f"{DECIDE}, enabled_by: optional", PUBLICITY), "publicity needs a decide step just before it"),
        ((REVIEW, FUND.replace("finance", "city")), "step fund: funds are allocated by level finance, not city"),
        ((HANDOVER, REVIEW), "step letter: handover needs a review step before it"),
        ((f"{REVIEW}, enabled_by: optional", HANDOVER), "handover needs a review step before it"),
        ((REVIEW, HANDOVER.replace("district", "ministry")), "a hand-over comes from district, city, province"),
        ((REVIEW.replace("city", "enterprise"),), "kind stamp and level enterprise belong together"),
        ((STAMP.replace("enterprise", "city"),), "kind stamp and level enterprise belong together"),
        ((STAMP,), "step paper: nothing can be filed here: no attachment has stage stamp for it"),
        ((f"{REVIEW}, city_if: optional",), "city_if lets the city take a step of level province"),
        ((REVIEW.replace("city", "province") + ", city_if: nothing",), "city_if names no parameter: nothing"),
        ((f"{REVIEW}, until: last",), "until belongs to kind stamp"),
        ((f"{REVIEW}, gives_outcome: true",), "gives_outcome needs an outcome"),
        ((f"{REVIEW}, reject_revokes: true, can_reject: false",), "reject_revokes belongs to a step that can reject"),
        ((REVIEW, f"{FUND}, reject_revokes: true"), "reject_revokes belongs to a step that can reject"),
    ],
)
def test_the_author_is_told(steps: tuple[str, ...], words: str) -> None:
    found = problems(*steps)
    assert any(words in p for p in found), found
    assert all(p.startswith("example.yaml: ") for p in found)


def test_an_outcome_is_given_once_and_surely() -> None:
    twice = problems(f"{REVIEW}, gives_outcome: true", f"{DECIDE}, gives_outcome: true", more=LIST)
    assert any("gives_outcome stands at review, decide" in p for p in twice)
    maybe = problems(f"{REVIEW}, gives_outcome: true, enabled_by: optional", DECIDE, more=LIST)
    assert any("a batch may switch off" in p for p in maybe)


@pytest.mark.parametrize(
    ("attachment", "words"),
    [
        ("step: nothing, stage: stamp", "attachment scan: step names no step of kind stamp: nothing"),
        ("step: review, stage: stamp", "attachment scan: step names no step of kind stamp: review"),
        ("step: paper", "attachment scan: step needs stage stamp"),
    ],
)
def test_papers_belong_to_a_stamp_step(attachment: str, words: str) -> None:
    found = problems(REVIEW, STAMP, attachments=f"attachments:\n  - {{key: scan, label: 扫描件, {attachment}}}\n")
    assert any(words in p for p in found), found


def test_each_stamp_step_takes_its_own_paper_or_the_common_ones() -> None:
    two = (REVIEW, STAMP, STAMP.replace("paper", "second"))
    assert problems(*two, attachments=STAMPED) == []
    own = STAMPED.replace("stage: stamp", "stage: stamp, step: second")
    assert [p for p in problems(*two, attachments=own) if "nothing can be filed here" in p]


@pytest.mark.parametrize(
    ("kind", "more", "words"),
    [
        ("re_review", "", "a re_review needs holding"),
        ("subsidy", "holding: {programmes: [x]}", "holding belongs to kinds update and re_review, not subsidy"),
        ("update", "holding: {programmes: []}", "holding.programmes"),
        ("re_review", "holding: {programmes: [x], within_days: 0}", "holding.within_days"),
        ("subsidy", "outcome: {kind: amount, title: 奖补, amount: nothing}", "outcome.amount names no number: nothing"),
        ("subsidy", "outcome: {kind: amount, title: 奖补, amount: words}", "outcome.amount names no number: words"),
    ],
)
def test_outcomes_and_holdings(kind: str, more: str, words: str) -> None:
    assert any(words in p for p in problems(REVIEW, kind=kind, more=more))


def test_an_amount_may_be_asked_for() -> None:
    assert problems(REVIEW, kind="subsidy", more="outcome: {kind: amount, title: 奖补, amount: wanted}") == []


@pytest.mark.parametrize("folder", [CATALOGUE, ROUTES], ids=lambda f: f.name)
def test_our_own_routes_are_good(folder: object) -> None:
    known = catalogue() if folder == CATALOGUE else made_up()
    assert [p for d in known for p in route_defects(d)] == []


# -- what a batch changes on a route ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "level"), [(True, "city"), ("yes", "city"), (False, "province"), (None, "province")])
def test_the_city_takes_what_the_batch_gives_it(value: object, level: str) -> None:
    resolved = resolve(made_up().get("srdi_sme"), {"city_takes_province": value})
    assert {s.key: s.level for s in resolved.route} == {
        "district_review": "district", "city_review": "city", "province_review": level, "expert_review": level,
        "listing": level, "publicity": level,
    }  # fmt: skip


def test_a_definition_without_the_switch_stays_as_it_is() -> None:
    before = made_up().get("subsidy")
    assert resolve(before, {"min_experts": 3}).route == before.route
