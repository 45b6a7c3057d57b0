"""Working answers: what is stored, what is refused, and what a save gives back."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from app.errors import Conflict, InvalidInput, NotFound, Refused
from app.models import Account
from app.services import answers
from app.services import declaration as declarations
from tests import factories


@pytest.fixture
def owner(context: Flask) -> Account:
    return factories.make_account("enterprise")


@pytest.fixture
def draft(owner: Account) -> str:
    return declarations.start_declaration(owner, factories.make_batch().public_id)


def stored(owner: Account, draft: str, path: str) -> Any:
    opened = declarations.reload(draft, owner)
    if "/" not in path:
        return opened.answers.main.get(path)
    row = next(r for r in opened.answers.rows if r.id == path.split("/")[-2])
    return row.values.get(path.split("/")[-1])


def test_a_save_gives_back_the_declaration_as_it_is_afterwards(owner: Account, draft: str) -> None:
    saved, opened = answers.save_field(owner, draft, {"revenue": "8621.24"}, {"revenue": ""})
    assert saved.changed == ["revenue"] and saved.conflicts == {}
    assert opened.evaluation.find("revenue_per_capita").text == "46.35"
    assert opened.declaration.saved_at > opened.declaration.created_at


def test_an_unchanged_text_is_no_change(owner: Account, draft: str) -> None:
    answers.save_answers(owner, draft, {"profit": "5"})
    before = declarations.reload(draft, owner).declaration.saved_at
    saved, opened = answers.save_field(owner, draft, {"profit": "5"}, {"profit": "别的"})
    assert saved.changed == [] and saved.conflicts == {} and opened.declaration.saved_at == before


def test_somebody_elses_newer_text_stays(owner: Account, draft: str) -> None:
    answers.save_answers(owner, draft, {"profit": "1"})
    saved = answers.save_answers(owner, draft, {"profit": "3", "revenue": "7"}, {"profit": "", "revenue": ""})
    assert saved.conflicts == {"profit": "1"} and saved.changed == ["revenue"]
    assert stored(owner, draft, "profit") == "1"


@pytest.mark.parametrize(
    ("raw", "base", "kept"),
    [("王敏", "王敏", None), ("李雷", "王敏", "李雷"), ("", "王敏", ""), (None, "王敏", None), ("李雷", ..., "李雷"), ("", ..., None)],
)
def test_carried_over_text_is_stored_only_when_it_was_changed(owner: Account, draft: str, raw: Any, base: Any, kept: Any) -> None:
    answers.save_answers(owner, draft, {"contact_name": raw}, {} if base is ... else {"contact_name": base})
    assert stored(owner, draft, "contact_name") == kept


def test_a_carried_over_text_typed_elsewhere_is_a_conflict(owner: Account, draft: str) -> None:
    answers.save_answers(owner, draft, {"contact_name": "韩梅梅"}, {"contact_name": "王敏"})
    saved = answers.save_answers(owner, draft, {"contact_name": "李雷"}, {"contact_name": "王敏"})
    assert saved.conflicts == {"contact_name": "韩梅梅"}


@pytest.mark.parametrize("path", ["nothing", "", "a/b", "digital_needs/x/need_type", "digital_needs//need_type", "service_providers/x/provider_name",
                                  "a/b/c/d/e", "a/b/c/d/e/f/g"])  # fmt: skip
def test_unknown_paths_are_not_found(owner: Account, draft: str, path: str) -> None:
    with pytest.raises(NotFound):
        answers.save_answers(owner, draft, {path: "x"})


def test_a_whole_save_is_refused_together(owner: Account, draft: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        answers.save_answers(owner, draft, {"revenue": "5", "enterprise_intro": "字" * 20_001})
    assert "20001 个字符" in refusal.value.message and "enterprise_intro" in refusal.value.fields
    assert stored(owner, draft, "revenue") is None


def test_surrogates_and_nul_are_replaced_everything_else_is_kept(owner: Account, draft: str) -> None:
    answers.save_answers(owner, draft, {"profit": "a\x00b\ud800c\u200bd\te"})
    assert stored(owner, draft, "profit") == "a\ufffdb?c\u200bd\te"


def test_only_the_own_enterprise_saves(owner: Account, draft: str) -> None:
    with pytest.raises(NotFound):
        answers.save_answers(factories.make_account("enterprise"), draft, {"profit": "1"})
    with pytest.raises((NotFound, Refused)):
        answers.save_answers(factories.make_account("admin"), draft, {"profit": "1"})


def test_submitted_answers_stand(owner: Account) -> None:
    sent = factories.submitted(owner)
    for deed in (
        lambda: answers.save_answers(owner, sent.public_id, {"profit": "1"}),
        lambda: answers.add_row(owner, sent.public_id, "digital_needs"),
    ):
        with pytest.raises(Conflict):
            deed()


def test_rows_have_limits_and_places(owner: Account, draft: str) -> None:
    paths = [answers.add_row(owner, draft, "digital_needs") for _ in range(19)]
    with pytest.raises(InvalidInput, match="最多 20 个"):
        answers.add_row(owner, draft, "digital_needs")
    with pytest.raises(InvalidInput, match="最多 20 个"):
        answers.copy_row(owner, draft, paths[0])
    answers.remove_row(owner, draft, paths[0])
    answers.add_row(owner, draft, "digital_needs")
    with pytest.raises(InvalidInput, match="最多 20 个"):
        answers.restore_row(owner, draft, "digital_needs", paths[0].split("/")[1])


def test_a_removed_project_comes_back_with_its_providers(owner: Account, draft: str) -> None:
    path = answers.add_row(owner, draft, "digital_projects")
    provider = declarations.reload(draft, owner).answers.children("service_providers", path.split("/")[1])[0]
    inner = f"{path}/service_providers/{provider.id}"
    answers.save_answers(owner, draft, {f"{path}/project_name": "系统", f"{inner}/provider_name": "数联"})
    answers.remove_row(owner, draft, path)
    with pytest.raises(NotFound):
        answers.save_answers(owner, draft, {f"{path}/project_name": "x"})
    assert answers.restore_row(owner, draft, "digital_projects", path.split("/")[1]) == path
    assert answers.restore_row(owner, draft, "digital_projects", path.split("/")[1]) == path, "a second time changes nothing"
    assert stored(owner, draft, f"{path}/project_name") == "系统"
    assert stored(owner, draft, f"{inner}/provider_name") == "数联"


def test_moving_stops_at_the_ends(owner: Account, draft: str) -> None:
    second = answers.add_row(owner, draft, "digital_needs")
    for step in (1, 1, -1, -1, -1):
        answers.move_row(owner, draft, second, step)
    assert declarations.reload(draft, owner).answers.children("digital_needs")[0].id == second.split("/")[1]


def test_the_statement_is_noted_once(owner: Account, draft: str) -> None:
    declarations.accept_statement(owner, draft)
    first = declarations.reload(draft, owner).declaration.statement_at
    declarations.accept_statement(owner, draft)
    assert declarations.reload(draft, owner).declaration.statement_at == first is not None
    with pytest.raises(NotFound):
        declarations.accept_statement(factories.make_account("enterprise"), draft)
