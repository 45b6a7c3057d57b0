"""Two people in one declaration: different fields are both kept, the later one at the same field is told who and when,
and what was typed into a removed row is not lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from app.errors import NotFound
from app.extensions import db
from app.models import Account
from app.models.base import now
from app.permissions import roles
from app.services.answers import (
    RowGone,
    add_row,
    copy_row,
    move_row,
    remove_row,
    require_rows,
    restore_row,
    save_answers,
    save_field,
)
from app.services.declaration import load, start_declaration
from app.services.member import remove_member
from tests.at_once import apart, refusals, together
from tests.factories import make_account, make_batch
from tests.factories_members import colleague

TABLE = "digital_needs"


@pytest.fixture
def owner(context: Flask) -> Account:
    return make_account(roles.ENTERPRISE, display_name="王经理")


@pytest.fixture
def draft(owner: Account) -> str:
    return start_declaration(owner, make_batch().public_id)


@pytest.fixture
def member(owner: Account) -> Account:
    return colleague(owner)


def main(draft: str, owner: Account) -> dict[str, object]:
    db.session.rollback()
    return dict(load(draft, owner).answers.main)


def test_the_later_one_is_told_who_and_when(owner: Account, member: Account, draft: str) -> None:
    before = now()
    save_answers(member, draft, {"revenue": "200"}, {"revenue": ""})
    saved, _opened = save_field(owner, draft, {"revenue": "300"}, {"revenue": ""})
    assert saved.conflicts == {"revenue": "200"}
    editor = saved.editors["revenue"]
    assert editor.name == "李工" and before <= editor.at <= before + timedelta(minutes=1)
    assert main(draft, owner)["revenue"] == "200", "nothing was overwritten"


def test_the_own_other_window_has_no_name(owner: Account, draft: str) -> None:
    save_answers(owner, draft, {"revenue": "200"}, {"revenue": ""})
    saved = save_answers(owner, draft, {"revenue": "300"}, {"revenue": ""})
    assert (saved.conflicts, saved.editors) == ({"revenue": "200"}, {})


@pytest.mark.parametrize("choice", ["200", "300"], ids=["theirs", "mine"])
def test_either_text_can_be_chosen(owner: Account, member: Account, draft: str, choice: str) -> None:
    save_answers(member, draft, {"revenue": "200"}, {"revenue": ""})
    assert save_answers(owner, draft, {"revenue": "300"}, {"revenue": ""}).conflicts
    assert save_answers(owner, draft, {"revenue": choice}, {"revenue": "200"}).conflicts == {}
    assert main(draft, owner)["revenue"] == choice


def test_the_last_editor_is_the_last_one(owner: Account, member: Account, draft: str) -> None:
    third = colleague(owner, name="赵工")
    save_answers(member, draft, {"revenue": "1"}, {"revenue": ""})
    save_answers(third, draft, {"revenue": "2"}, {"revenue": "1"})
    assert save_answers(owner, draft, {"revenue": "3"}, {"revenue": "1"}).editors["revenue"].name == "赵工"


def test_an_editor_who_left_is_still_named(owner: Account, member: Account, draft: str) -> None:
    save_answers(member, draft, {"revenue": "1"}, {"revenue": ""})
    remove_member(owner, member.id)
    db.session.rollback()
    saved = save_answers(db.session.get_one(Account, owner.id), draft, {"revenue": "3"}, {"revenue": ""})
    assert saved.editors["revenue"].name == "李工"


# -- rows ------------------------------------------------------------------------------------------------------------


def test_typing_into_a_removed_row_is_told_and_comes_back(owner: Account, member: Account, draft: str) -> None:
    path = add_row(owner, draft, TABLE)
    save_answers(owner, draft, {f"{path}/need_type": "甲"})
    remove_row(member, draft, path)
    with pytest.raises(RowGone, match=r"\d\d:\d\d 李工移除了这一行.*请点“恢复”") as told:
        save_answers(owner, draft, {f"{path}/need_type": "乙"}, {f"{path}/need_type": "甲"})
    assert told.value.row == path and told.value.status == 409
    restore_row(owner, draft, *path.split("/"))
    saved = save_answers(owner, draft, {f"{path}/need_type": "乙"}, {f"{path}/need_type": "甲"})
    assert saved.changed == [f"{path}/need_type"]


def test_a_row_that_one_removed_oneself_is_just_gone(owner: Account, draft: str) -> None:
    path = add_row(owner, draft, TABLE)
    remove_row(owner, draft, path)
    with pytest.raises(NotFound, match="另一个窗口"):
        save_answers(owner, draft, {f"{path}/need_type": "乙"})
    require_rows(owner, draft, [path])


@pytest.mark.parametrize(
    "deed", [copy_row, remove_row, lambda u, d, p: move_row(u, d, p, 1)], ids=["copy", "remove", "move"]
)
def test_row_deeds_on_a_removed_row_are_told(owner: Account, member: Account, draft: str, deed: object) -> None:
    path = add_row(owner, draft, TABLE)
    remove_row(member, draft, path)
    with pytest.raises(RowGone):
        deed(owner, draft, path)  # type: ignore[operator]


def test_a_nested_row_names_the_outer_row_that_is_gone(owner: Account, member: Account, draft: str) -> None:
    definition = load(draft, owner).definition
    _section, child, parent = next((s, t, p) for s, t, p in definition.tables() if p is not None)
    outer = add_row(owner, draft, parent.key)
    inner = add_row(owner, draft, child.key, outer.split("/")[1])
    remove_row(member, draft, outer)
    key = next(c.key for c in child.all_columns if not c.readonly and not c.computed and c.fixed is None)
    with pytest.raises(RowGone) as told:
        save_answers(owner, draft, {f"{inner}/{key}": "x"})
    assert told.value.row == outer
    restore_row(owner, draft, *outer.split("/"))
    assert save_answers(owner, draft, {f"{inner}/{key}": "x"}).changed == [f"{inner}/{key}"]


def test_what_is_there_is_not_gone(owner: Account, member: Account, draft: str) -> None:
    kept, gone = add_row(owner, draft, TABLE), add_row(owner, draft, TABLE)
    remove_row(member, draft, gone)
    require_rows(owner, draft, [kept, f"{TABLE}/none", "a/b/c/d"])
    with pytest.raises(RowGone):
        require_rows(owner, draft, [kept, gone])


# -- at once ---------------------------------------------------------------------------------------------------------


def test_different_fields_at_once_are_both_kept(context: Flask, owner: Account, member: Account, draft: str) -> None:
    first, second = apart(owner), apart(member)
    deeds = [
        lambda: save_answers(first, draft, {"revenue": "1"}, {"revenue": ""}),
        lambda: save_answers(second, draft, {"profit": "2"}, {"profit": ""}),
    ]
    results = together(context, deeds * 3)
    assert refusals(results) == [] and not any(r.conflicts for r in results)
    found = main(draft, make_owner_again(owner))
    assert (found["revenue"], found["profit"]) == ("1", "2")


def make_owner_again(owner: Account) -> Account:
    """The owner in the test's own session."""
    db.session.rollback()
    return db.session.get_one(Account, owner.id)


def test_the_same_field_at_once_has_one_winner(context: Flask, owner: Account, member: Account, draft: str) -> None:
    first, second = apart(owner), apart(member)
    deeds = [
        lambda: save_answers(first, draft, {"revenue": "1"}, {"revenue": ""}),
        lambda: save_answers(second, draft, {"revenue": "2"}, {"revenue": ""}),
    ]
    won, lost = sorted(together(context, deeds), key=lambda r: len(r.conflicts))
    kept = main(draft, make_owner_again(owner))["revenue"]
    assert won.changed == ["revenue"] and lost.changed == []
    assert lost.conflicts == {"revenue": kept}
    assert lost.editors["revenue"].name == {"1": "王经理", "2": "李工"}[str(kept)]


def test_editing_and_removing_a_row_at_once(context: Flask, owner: Account, member: Account, draft: str) -> None:
    path = add_row(owner, draft, TABLE)
    first, second = apart(owner), apart(member)
    deeds = [
        lambda: save_answers(first, draft, {f"{path}/need_type": "甲"}, {f"{path}/need_type": ""}),
        lambda: remove_row(second, draft, path),
    ]
    told = refusals(together(context, deeds))
    user = make_owner_again(owner)
    restore_row(user, draft, *path.split("/"))
    db.session.rollback()
    kept = next(r for r in load(draft, user).answers.rows if r.id == path.split("/")[1]).values.get("need_type")
    assert (kept == "甲") is (told == []), "either it was saved before the row went, or its writer was told"
    assert all(isinstance(t, RowGone) for t in told)
