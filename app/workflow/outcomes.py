"""The table of what may happen to an outcome after it was given: renewal, expiry, revocation, correction.

As ``steps`` is for declarations. A recognition's state is one of ``STATES``; who, from where, to where and why not
stand in the rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from app.definitions.schema import Holding
from app.models import Recognition

By = Literal["enterprise", "officer", "system"]
State = Literal["valid", "under_review", "expired", "revoked"]
STATE_LABELS: dict[str, str] = {
    "valid": "有效",
    "under_review": "复核中",
    "expired": "有效期届满",
    "revoked": "已取消",
}
BAN_YEARS = 3
"""For so long after a revocation the enterprise cannot declare the same again."""


@dataclass(frozen=True)
class Standing:
    """What guards look at. ``holding``: what a renewal asks for; ``updated``: the yearly update is handed in."""

    recognition: Recognition
    today: date
    holding: Holding | None = None
    updated: bool = True


@dataclass(frozen=True)
class OutcomeDeed:
    """One permitted change. ``officer`` is the office that gave the outcome, or that decides on its renewal.

    ``opinion`` tells whether words are required.
    """

    action: str
    label: str
    state: State
    by: By
    to: State
    guards: tuple[str, ...] = ()
    opinion: bool = False


OUTCOME_DEEDS: tuple[OutcomeDeed, ...] = (
    OutcomeDeed("apply_review", "申请复核", "valid", "enterprise", "under_review", ("near_expiry", "update_done")),
    OutcomeDeed("withdraw_review", "撤回复核", "under_review", "enterprise", "valid"),
    OutcomeDeed("review_pass", "复核通过", "under_review", "officer", "valid"),
    OutcomeDeed("review_fail", "复核未通过", "under_review", "officer", "expired", opinion=True),
    OutcomeDeed("expire", "到期未复核", "valid", "system", "expired", ("past_validity",)),
    OutcomeDeed("revoke", "取消认定", "valid", "officer", "revoked", opinion=True),
    OutcomeDeed("revoke", "取消认定", "under_review", "officer", "revoked", opinion=True),
    OutcomeDeed("correct", "更正认定", "valid", "officer", "valid", opinion=True),
    OutcomeDeed("annul", "随申报作废", "valid", "officer", "revoked", opinion=True),
    OutcomeDeed("annul", "随申报作废", "under_review", "officer", "revoked", opinion=True),
)

OutcomeGuard = Callable[[Standing], str | None]


def near_expiry(standing: Standing) -> str | None:
    """A renewal is asked for only so many days before the outcome runs out."""
    last, days = standing.recognition.valid_to, standing.holding.within_days if standing.holding else None
    if last is None or days is None:
        return None
    first = last - timedelta(days=days)
    if standing.today >= first:
        return None
    return f"有效期到 {day_words(last)}，{day_words(first)}起才能申请复核。"


def update_done(standing: Standing) -> str | None:
    """This year's information update is handed in."""
    return None if standing.updated else "今年的信息更新还没有提交。请先完成信息更新，再申请复核。"


def past_validity(standing: Standing) -> str | None:
    """The last day of validity is over."""
    last = standing.recognition.valid_to
    return None if last is not None and standing.today > last else "认定还在有效期内。"


OUTCOME_GUARDS: dict[str, OutcomeGuard] = {g.__name__: g for g in (near_expiry, update_done, past_validity)}


def find_outcome_deed(state: str, action: str) -> OutcomeDeed | None:
    """The row for (state, action), or None: that change does not exist here."""
    return next((d for d in OUTCOME_DEEDS if d.state == state and d.action == action), None)


def reasons_against(deed: OutcomeDeed, standing: Standing) -> tuple[str, ...]:
    """What every guard of ``deed`` says against it now; empty if none objects."""
    return tuple(reason for name in deed.guards if (reason := OUTCOME_GUARDS[name](standing)))


def last_day(first: date, years: int) -> date:
    """Last day of ``years`` whole years that begin on ``first``: 2024-03-01 and three years end on 2027-02-28."""
    return years_after(first, years) - timedelta(days=1)


def years_after(day: date, years: int) -> date:
    """The same day ``years`` later; 29 February becomes 1 March where there is none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def day_words(day: date) -> str:
    """``2027 年 2 月 28 日``."""
    return f"{day.year} 年 {day.month} 月 {day.day} 日"
