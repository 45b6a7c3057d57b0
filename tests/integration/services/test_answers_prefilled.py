"""Texts that are carried over from the enterprise or worked out: stored only once somebody changed them."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from app.models import Account
from app.services import declaration as declarations
from app.services.answers import save_answers, save_field
from app.services.unit_of_work import unit_of_work
from tests import factories


@pytest.fixture
def owner(context: Flask) -> Account:
    return factories.make_account("enterprise")


@pytest.fixture
def draft(owner: Account) -> str:
    return declarations.start_declaration(owner, factories.make_batch().public_id)


def stored(owner: Account, draft: str, key: str) -> Any:
    return declarations.reload(draft, owner).answers.main.get(key)


@pytest.mark.parametrize(
    ("raw", "base", "kept"),
    [
        ("王敏", "王敏", None),
        ("李雷", "王敏", "李雷"),
        ("", "王敏", ""),
        (None, "王敏", ""),
        ("李雷", ..., "李雷"),
        ("", ..., None),
    ],
)
def test_carried_over_text_is_stored_only_when_it_was_changed(
    owner: Account, draft: str, raw: Any, base: Any, kept: Any
) -> None:
    save_answers(owner, draft, {"contact_name": raw}, {} if base is ... else {"contact_name": base})
    assert (stored(owner, draft, "contact_name") or "") == (kept or "")
    assert (stored(owner, draft, "contact_name") is None) == (kept is None or raw is None)


def test_until_then_it_follows_the_enterprise(owner: Account, draft: str) -> None:
    save_answers(owner, draft, {"contact_name": "王敏"}, {"contact_name": "王敏"})
    with unit_of_work() as session:
        session.get_one(type(owner.enterprise), owner.enterprise_id).contact_name = "赵雪松"
    assert declarations.reload(draft, owner).evaluation.find("contact_name").text == "赵雪松"


def test_somebody_elses_answer_in_its_place_is_a_conflict(owner: Account, draft: str) -> None:
    save_answers(owner, draft, {"contact_name": "韩梅梅"}, {"contact_name": "王敏"})
    saved = save_answers(owner, draft, {"contact_name": "李雷"}, {"contact_name": "王敏"})
    assert saved.conflicts == {"contact_name": "韩梅梅"}


def test_a_suggested_figure_follows_until_it_is_typed(owner: Account, draft: str) -> None:
    _saved, opened = save_field(owner, draft, {"revenue": "8621.24"}, {"revenue": ""})
    assert opened.evaluation.find("revenue_per_capita").text == "46.35"
    save_field(owner, draft, {"revenue_per_capita": "46.00"}, {"revenue_per_capita": "46.35"})
    _saved, opened = save_field(owner, draft, {"revenue": "100"}, {"revenue": "8621.24"})
    assert opened.evaluation.find("revenue_per_capita").text == "46.00"


def test_an_emptied_suggestion_stays_empty(owner: Account, draft: str) -> None:
    save_answers(owner, draft, {"contact_name": ""}, {"contact_name": "王敏"})
    state = declarations.reload(draft, owner).evaluation.find("contact_name")
    assert state.empty and not state.prefilled
