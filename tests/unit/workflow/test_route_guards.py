"""Guards of publicity, hand-over, funds, renewals and bans: what they say, and when they say nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from app.definitions.schema import Definition, Step
from app.models import Account, Batch, Declaration, Enterprise
from app.workflow.calendar import end_of
from app.workflow.guards import GUARDS, Case
from app.workflow.route import OBJECTION, place_label, step_back, steps_before
from tests.workflow_page import made_up

NOON = datetime(2026, 10, 10, 4, tzinfo=UTC)


def case(key: str, step: str | None, *, at: datetime = NOON, objections: int = 0, **facts: Any) -> Case:
    definition = made_up().get(key)
    batch = Batch(title="首批", published=True, closes_at=facts.pop("closes_at", None))
    declaration = Declaration(
        status="in_progress" if step else "draft", step_key=step, region_code="230108", enterprise_id=1, batch=batch,
        enterprise=Enterprise(certification_status="approved"), open_objections=objections,
    )  # fmt: skip
    params = {k: p.value for k, p in definition.parameters.items()} | facts.pop("params", {})
    return Case(declaration, definition, params, definition.step(step) if step else None, Account(), at, facts=facts)


def says(guard: str, found: Case) -> str | None:
    return GUARDS[guard](found)


# -- publicity --------------------------------------------------------------------------------------------------------

PERIOD = {"publicity_opens": date(2026, 9, 28), "publicity_closes": date(2026, 10, 10)}


def stated(day: date) -> dict[str, Any]:
    return {"received_on": day}


@pytest.mark.parametrize(
    ("day", "taken"),
    [
        (date(2026, 9, 27), False),
        (date(2026, 9, 28), True),
        (date(2026, 10, 3), True),
        (date(2026, 10, 10), True),
        (date(2026, 10, 11), False),
    ],
)
def test_objections_are_taken_on_the_first_and_last_day(day: date, taken: bool) -> None:
    sentence = says("objection_stated", case("subsidy", "publicity", objection=stated(day), **PERIOD))
    assert (sentence is None) is taken
    if not taken:
        assert sentence is not None and "2026 年 9 月 28 日至 2026 年 10 月 10 日" in sentence


def test_an_objection_needs_a_period_and_words() -> None:
    assert "请先登记异议" in (says("objection_stated", case("subsidy", "publicity", **PERIOD)) or "")
    without = case("subsidy", "publicity", objection=stated(date(2026, 10, 1)))
    assert says("objection_stated", without) == "还没有发布公示，不能登记异议。"


def test_the_period_ends_at_midnight_in_shanghai() -> None:
    ends = end_of(date(2026, 10, 10))
    assert ends == datetime(2026, 10, 10, 16, tzinfo=UTC)
    last = case("subsidy", "publicity", at=datetime(2026, 10, 10, 15, 59, 59, tzinfo=UTC), publicity_ends=ends)
    assert says("publicity_over", last) == "公示到 2026 年 10 月 10 日 24:00 才期满，期满以后再办。"
    assert says("publicity_over", case("subsidy", "publicity", at=ends, publicity_ends=ends)) is None


def test_nothing_ends_that_was_never_published() -> None:
    assert "还没有发布公示" in (says("publicity_over", case("subsidy", "publicity")) or "")


@pytest.mark.parametrize("count", [0, 1, 3])
def test_open_objections_hold_it_up(count: int) -> None:
    sentence = says("no_open_objection", case("subsidy", "publicity", objections=count))
    assert sentence == (f"还有 {count} 条异议没有办结。请先写调查结论，再结束公示。" if count else None)


@pytest.mark.parametrize(
    ("kind", "count", "label"), [("publicity", 1, OBJECTION), ("publicity", 0, "公示"), ("decide", 1, "公示")]
)
def test_people_read_that_an_objection_is_looked_into(kind: str, count: int, label: str) -> None:
    step = Step(key="p", label="公示", kind=kind, level="city")  # type: ignore[arg-type]
    assert place_label(Declaration(open_objections=count), step) == label


@pytest.mark.parametrize(
    ("key", "step", "params", "wanted"),
    [
        ("subsidy", "ranking", {}, True),
        ("pool_intake", "decision", {"publicity_required": True}, True),
        ("pool_intake", "decision", {"publicity_required": False}, False),
        ("little_giant", "ministry_review", {}, True),
    ],
)
def test_into_publicity_only_with_a_list(key: str, step: str, params: dict[str, Any], wanted: bool) -> None:
    sentence = says("list_published", case(key, step, params=params))
    assert (sentence is not None) is wanted
    assert says("list_published", case(key, step, params=params, list="x")) is None


@pytest.mark.parametrize(
    ("guard", "fact"),
    [("objection_open", "objection"), ("letter_present", "letter"), ("allocation_stated", "allocation")],
)
def test_what_must_come_with_the_deed(guard: str, fact: str) -> None:
    sentence = says(guard, case("subsidy", "handover"))
    assert sentence is not None and sentence.endswith("。")
    assert says(guard, case("subsidy", "handover", **{fact: "x"})) is None


# -- enough experts ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chosen", "asked", "sentence"),
    [
        ([], [], "请至少选一位专家。"),
        ([1], [], "本批每件申报至少要 3 位专家，现在只有 1 位，请再选 2 位。"),
        ([1, 2], [2], "本批每件申报至少要 3 位专家，现在只有 2 位，请再选 1 位。"),
        ([1, 2, 3], [], None),
        ([1], [2, 3], None),
        ([1, 2, 3, 4], [5], None),
    ],
)
def test_a_batch_says_how_many_experts_are_enough(chosen: list[int], asked: list[int], sentence: str | None) -> None:
    assert says("experts_chosen", case("subsidy", "expert_review", experts=chosen, asked=asked)) == sentence


def test_without_a_number_one_expert_is_enough() -> None:
    assert says("experts_chosen", case("pool_intake", "conformity_review", experts=[1])) is None


def test_who_is_of_the_enterprise_stands_aside_even_if_they_are_many() -> None:
    found = case("subsidy", "expert_review", experts=[1, 2, 3], conflicts=["王敏"])
    assert says("experts_chosen", found) == "王敏与申报企业有关联，要回避，请换一位。"


# -- what the enterprise files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "late"),
    [
        (datetime(2026, 10, 31, 15, 59, 59, tzinfo=UTC), False),
        (datetime(2026, 10, 31, 16, tzinfo=UTC), True),
        (datetime(2026, 1, 1, tzinfo=UTC), False),
    ],
)
def test_the_last_day_to_file_is_a_day_of_shanghai(at: datetime, late: bool) -> None:
    found = case("pilot", "acceptance_filing", at=at, params={"acceptance_deadline": "2026-10-31"})
    sentence = says("before_last_day", found)
    assert sentence == ("“申请验收”已在 2026 年 10 月 31 日截止，不能再提交。请与办理单位联系。" if late else None)


@pytest.mark.parametrize("value", [None, ""])
def test_no_last_day_is_no_limit(value: str | None) -> None:
    assert says("before_last_day", case("pilot", "acceptance_filing", params={"acceptance_deadline": value})) is None


def test_what_is_missing_is_called_by_its_name() -> None:
    assert says("scan_present", case("pilot", "acceptance_filing")) == "还没有上传“改造验收报告”。请先上传，再提交。"
    assert says("scan_present", case("pool_intake", "awaiting_stamp")) == "还没有上传盖章扫描件。请先上传 PDF，再提交。"
    assert says("scan_present", case("pool_intake", "awaiting_stamp", scans=1)) is None


# -- bans, renewals, closed windows -----------------------------------------------------------------------------------


def test_a_ban_names_its_last_day() -> None:
    sentence = says("not_banned", case("innovative_sme", None, banned_until=date(2029, 11, 20)))
    assert sentence is not None and "2029 年 11 月 20 日以前不能再申报" in sentence
    assert says("not_banned", case("innovative_sme", None, banned_until=None)) is None


def test_what_is_not_held_cannot_be_renewed() -> None:
    assert (
        says("holds_recognition", case("re_review", None, holding="企业现在没有有效的认定。"))
        == "企业现在没有有效的认定。"
    )
    assert says("holds_recognition", case("re_review", None, holding=None)) is None


@pytest.mark.parametrize(
    ("key", "closes", "closed"),
    [
        ("information_update", datetime(2026, 10, 1, tzinfo=UTC), True),
        ("information_update", NOON, True),
        ("information_update", datetime(2026, 10, 11, tzinfo=UTC), False),
        ("information_update", None, False),
        ("subsidy", datetime(2026, 10, 1, tzinfo=UTC), False),
    ],
)
def test_only_drafts_of_updates_are_closed(key: str, closes: datetime | None, closed: bool) -> None:
    assert (says("update_missed", case(key, None, closes_at=closes)) is None) is closed


# -- the route --------------------------------------------------------------------------------------------------------


def definition(key: str) -> Definition:
    return made_up().get(key)


@pytest.mark.parametrize(
    ("key", "step", "before"),
    [
        ("subsidy", "handover", ["district_review"]),
        ("subsidy", "district_review", []),
        ("subsidy", "nothing", []),
        ("pilot", "acceptance_filing", ["district_review", "city_review", "expert_review", "listing", "publicity"]),
    ],
)
def test_what_lies_before_a_step(key: str, step: str, before: list[str]) -> None:
    assert [s.key for s in steps_before(definition(key), {}, step)] == before


@pytest.mark.parametrize("key", ["innovative_sme", "subsidy", "pilot"])
def test_a_resubmission_comes_back_to_the_level_that_returned_it(key: str) -> None:
    for step in definition(key).route:
        if step.kind == "review" and step.can_return:
            back = step_back(definition(key), {}, step.key)
            assert back is not None and (back.key, back.level) == (step.key, step.level)
