"""Each guard's reason: what is wrong, then what to do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.models import Account, Batch, Declaration, Enterprise
from app.workflow.guards import GUARDS, Case
from tests.factories_everything import everything

NOW = datetime(2026, 11, 20, 6, tzinfo=UTC)


def case(*, step: str | None = "district_review", params: dict[str, Any] | None = None, **more: Any) -> Case:
    batch = Batch(title="首批", published=True, opens_at=more.pop("opens", None), closes_at=more.pop("closes", None))
    enterprise = Enterprise(certification_status=more.pop("certified", "approved"))
    declaration = Declaration(batch=batch, enterprise=enterprise, step_since=more.pop("since", NOW))
    definition = everything()
    found = definition.step(step) if step else None
    return Case(declaration, definition, params or {}, found, Account(username="x"), NOW, facts=more)


@pytest.mark.parametrize(
    ("guard", "good", "bad", "words"),
    [
        ("certified", {}, {"certified": "submitted"}, "先完成企业认证"),
        ("window_open", {}, {"opens": NOW + timedelta(1)}, "还没开放，2026 年 11 月 21 日 14:00 起"),
        ("window_open", {"closes": NOW + timedelta(seconds=1)}, {"closes": NOW}, "已在 2026 年 11 月 20 日 14:00 截止"),
        ("complete", {"problems": 0}, {"problems": 3}, "还有 3 处要改"),
        ("statement", {"statement": True}, {}, "先勾选真实性承诺"),
        ("not_acted_on", {}, {"acted_on": "张科长"}, "张科长已经开始办理"),
        ("remarks_settled", {"open_remarks": 0}, {"open_remarks": 2}, "还有 2 条批注没有处理"),
        ("step_can_return", {}, {"step": "stamping"}, "不能退回修改"),
        ("step_can_return", {}, {"step": None}, "不能退回修改"),
        ("step_can_reject", {}, {"step": "stamping"}, "不能作“不通过”"),
        ("may_correct", {}, {"closes": NOW}, "本批没有补正期，现在不能退回"),
        ("may_correct", {"closes": NOW, "params": {"correction_days": 1}}, {"closes": NOW - timedelta(1), "params": {"correction_days": 1}}, "1 天补正期也过了"),
        ("correction_open", {"closes": NOW + timedelta(1)}, {"closes": NOW}, "现在不能重新提交"),
        (
            "correction_open",
            {"closes": NOW - timedelta(9), "params": {"correction_days": 2}, "since": NOW - timedelta(1)},
            {"closes": NOW - timedelta(9), "params": {"correction_days": 2}, "since": NOW - timedelta(2)},
            "2 天补正期也过了",
        ),
        ("after_stamp", {"stamped": True}, {}, "没有材料可退"),
        ("scan_present", {"scans": 1}, {"scans": 0}, "还没有上传盖章扫描件"),
        ("experts_chosen", {"experts": [1]}, {"experts": []}, "至少选一位专家"),
        ("experts_chosen", {"experts": [1]}, {"experts": [1], "conflicts": ["李工", "赵工"]}, "李工、赵工与申报企业有关联"),
        ("assignment_open", {"open_assignment": 7}, {"open_assignment": None}, "不用收回"),
        ("scores_complete", {}, {"score_errors": ["缺一项", "还缺一项"]}, "缺一项；还缺一项"),
    ],
)  # fmt: skip
def test_reasons(guard: str, good: dict[str, Any], bad: dict[str, Any], words: str) -> None:
    assert GUARDS[guard](case(**good)) is None
    reason = GUARDS[guard](case(**bad))
    assert reason is not None
    assert words in reason


def test_midnight_is_said_as_the_end_of_the_day() -> None:
    reason = GUARDS["window_open"](case(closes=datetime(2026, 11, 19, 16, tzinfo=UTC)))
    assert reason is not None
    assert "2026 年 11 月 19 日 24:00 截止" in reason


def test_an_opening_at_midnight_is_said_as_its_own_day() -> None:
    reason = GUARDS["window_open"](case(opens=datetime(2026, 11, 20, 16, tzinfo=UTC)))
    assert reason == "“首批”还没开放，2026 年 11 月 21 日起可以提交。草稿会一直留着。"


def test_an_unpublished_batch_is_closed() -> None:
    closed = case()
    closed.declaration.batch.published = False
    assert GUARDS["window_open"](closed) == "“首批”现在没有开放。"


def test_a_definition_without_a_statement_asks_for_none() -> None:
    plain = case()
    plain.definition = plain.definition.model_copy(update={"statement": None})
    assert GUARDS["statement"](plain) is None


def test_a_definition_may_admit_uncertified_ones() -> None:
    open_case = case(certified="none")
    applicant = open_case.definition.applicant.model_copy(update={"certified": False})
    open_case.definition = open_case.definition.model_copy(update={"applicant": applicant})
    assert GUARDS["certified"](open_case) is None
