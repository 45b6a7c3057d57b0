"""Saving what was typed: kept as it is, never over somebody else's text; rows come, move, go and come back."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from app.errors import Conflict, InvalidInput, NotFound, Refused
from app.extensions import db
from app.models import Account, AnswerRow, Declaration, Event
from app.permissions import roles
from app.services.answers import (
    MAX_RAW,
    add_row,
    copy_row,
    count_removed,
    move_row,
    remove_row,
    restore_row,
    save_answers,
    save_field,
)
from app.services.declaration import load, start_declaration
from tests.at_once import apart, refusals, together
from tests.factories import find, make_account, make_batch, standing_batch, submitted
from tests.factories_certification import uncertified

PROJECTS, PROVIDERS = "digital_projects", "service_providers"


@pytest.fixture
def owner(context: Flask) -> Account:
    return make_account(roles.ENTERPRISE)


@pytest.fixture
def draft(owner: Account) -> Declaration:
    return find(start_declaration(owner, make_batch().public_id))


def typed(draft: Declaration, owner: Account, path: str) -> object:
    db.session.rollback()
    answers = load(draft.public_id, owner).answers
    if "/" not in path:
        return answers.main.get(path)
    row, key = path.split("/")[-2:]
    return next(r.values.get(key) for r in answers.rows if r.id == row)


def paths(draft: Declaration, table: str, parent: str | None = None) -> list[str]:
    """Paths of the living rows, in order."""
    db.session.rollback()
    owner = db.session.scalars(select(Account).where(Account.enterprise_id == draft.enterprise_id)).first()
    prefix = f"{PROJECTS}/{parent}/" if parent else ""
    return [f"{prefix}{table}/{r.id}" for r in load(draft.public_id, owner).answers.children(table, parent)]


# -- fields ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["12.5", "十二", "  12 ", "１２", "1,2,3", "", "=SUM(A1)", "<b>12</b>", "12\n13", "🏭", "e\u0301"]
)
def test_text_is_kept_exactly(owner: Account, draft: Declaration, text: str) -> None:
    save_answers(owner, draft.public_id, {"revenue": "1"})
    assert save_answers(owner, draft.public_id, {"revenue": text}).changed == ["revenue"]
    assert typed(draft, owner, "revenue") == text


def test_what_no_database_holds_is_replaced(owner: Account, draft: Declaration) -> None:
    save_answers(owner, draft.public_id, {"revenue": "1\x002\ud800"})
    assert typed(draft, owner, "revenue") == "1\ufffd2?"


def test_too_long_text_is_refused_with_its_length(owner: Account, draft: Declaration) -> None:
    save_answers(owner, draft.public_id, {"enterprise_intro": "字" * MAX_RAW})
    with pytest.raises(InvalidInput, match=f"现在 {MAX_RAW + 1} 个字符"):
        save_answers(owner, draft.public_id, {"enterprise_intro": "字" * (MAX_RAW + 1)})
    assert len(typed(draft, owner, "enterprise_intro")) == MAX_RAW


def test_saving_the_same_changes_nothing(owner: Account, draft: Declaration) -> None:
    save_answers(owner, draft.public_id, {"revenue": "12"})
    before = find(draft.public_id).saved_at
    assert save_answers(owner, draft.public_id, {"revenue": "12"}).changed == []
    assert find(draft.public_id).saved_at == before
    assert find(draft.public_id).version == 1, "autosaves are no deeds"
    assert len(db.session.scalars(select(Event)).all()) == 1


def test_somebody_elses_newer_text_stands(owner: Account, draft: Declaration) -> None:
    save_answers(owner, draft.public_id, {"revenue": "100", "profit": "5"})
    colleague = make_account(roles.ENTERPRISE, enterprise=owner.enterprise)
    save_answers(colleague, draft.public_id, {"revenue": "200"}, {"revenue": "100"})
    saved = save_answers(owner, draft.public_id, {"revenue": "150", "profit": "6"}, {"revenue": "100", "profit": "5"})
    assert (saved.changed, saved.conflicts) == (["profit"], {"revenue": "200"})
    assert typed(draft, owner, "revenue") == "200"
    assert save_answers(owner, draft.public_id, {"revenue": "200"}, {"revenue": "100"}).conflicts == {}


def test_two_fields_saved_at_once_are_both_kept(context: Flask, owner: Account, draft: Declaration) -> None:
    public_id, user = draft.public_id, apart(owner)
    db.session.rollback()
    keys = ["revenue", "profit", "revenue_per_capita", "digital_investment_existing", "rd_ratio", "patents_total"]
    known = {f.key for _, f in find(public_id).programme.definition.fields()}
    chosen = [k for k in keys if k in known]
    db.session.rollback()
    deeds = [lambda key=key, n=n: save_answers(user, public_id, {key: str(n)}) for n, key in enumerate(chosen, 1)]
    assert refusals(together(context, deeds)) == []
    assert [typed(draft, owner, key) for key in chosen] == [str(n) for n in range(1, len(chosen) + 1)]


def test_saving_one_field_gives_the_state_after_it(owner: Account, draft: Declaration) -> None:
    saved, opened = save_field(owner, draft.public_id, {"revenue": "x"}, {})
    assert saved.changed == ["revenue"]
    assert opened.evaluation.find("revenue").error


@pytest.mark.parametrize("path", ["nonsense", "digital_projects/none/project_name", "a/b", "a/b/c/d/e/f", ""])
def test_unknown_places(owner: Account, draft: Declaration, path: str) -> None:
    with pytest.raises(NotFound):
        save_answers(owner, draft.public_id, {path: "1"})


def test_one_bad_path_saves_nothing(owner: Account, draft: Declaration) -> None:
    with pytest.raises(NotFound):
        save_answers(owner, draft.public_id, {"revenue": "7", "nonsense": "1"})
    assert typed(draft, owner, "revenue") is None


def test_who_may_not_save(owner: Account, draft: Declaration) -> None:
    for role in (roles.ENTERPRISE, roles.CITY, roles.DISTRICT, roles.INDIVIDUAL, roles.EXPERT):
        with pytest.raises(NotFound):
            save_answers(make_account(role), draft.public_id, {"revenue": "1"})
    with pytest.raises(Refused, match="不是您企业的"):
        save_answers(make_account(roles.ADMIN), draft.public_id, {"revenue": "1"})
    sent = submitted()
    with pytest.raises(Refused):
        save_answers(make_account(roles.CITY), sent.public_id, {"revenue": "1"})


def test_a_region_typed_by_name_becomes_its_code(context: Flask) -> None:
    user = uncertified()
    draft = find(start_declaration(user, standing_batch().public_id))
    save_answers(user, draft.public_id, {"region_code": "平房区", "industry_code": "没有这个行业"})
    assert typed(draft, user, "region_code") == "230108"
    assert typed(draft, user, "industry_code") == "没有这个行业"


def test_identity_numbers_rest_encrypted(context: Flask) -> None:
    user = uncertified()
    draft = find(start_declaration(user, standing_batch().public_id))
    number = "11010519491231002X"
    save_answers(user, draft.public_id, {"legal_person_id": number})
    stored = db.session.scalars(
        select(AnswerRow).where(AnswerRow.declaration_id == draft.id, AnswerRow.table_key == "")
    ).one()
    assert number not in str(stored.values)
    assert typed(draft, user, "legal_person_id") == number
    assert save_answers(user, draft.public_id, {"legal_person_id": number}).changed == []


# -- rows -----------------------------------------------------------------------------------------------------------


def test_rows_come_with_the_nested_ones_they_need(owner: Account, draft: Declaration) -> None:
    path = add_row(owner, draft.public_id, PROJECTS)
    assert paths(draft, PROJECTS)[-1] == path
    table = draft.programme.definition.table(PROVIDERS)
    assert len(paths(draft, PROVIDERS, path.split("/")[1])) == table.min_rows


def test_rows_keep_to_the_maximum(owner: Account, draft: Declaration) -> None:
    parent = paths(draft, PROJECTS)[0].split("/")[1]
    most = draft.programme.definition.table(PROVIDERS).max_rows
    for _ in range(most - len(paths(draft, PROVIDERS, parent))):
        add_row(owner, draft.public_id, PROVIDERS, parent)
    with pytest.raises(InvalidInput, match=f"最多 {most} 个"):
        add_row(owner, draft.public_id, PROVIDERS, parent)


def test_a_copy_stands_behind_with_everything_in_it(owner: Account, draft: Declaration) -> None:
    first = paths(draft, PROJECTS)[0]
    last = add_row(owner, draft.public_id, PROJECTS)
    name, nested = first.split("/")[1], add_row(owner, draft.public_id, PROVIDERS, first.split("/")[1])
    save_answers(owner, draft.public_id, {f"{first}/project_name": "智能排产", f"{nested}/provider_name": "工智软件"})
    copy = copy_row(owner, draft.public_id, first)
    assert paths(draft, PROJECTS) == [first, copy, last]
    assert typed(draft, owner, f"{copy}/project_name") == "智能排产"
    ours, theirs = paths(draft, PROVIDERS, name), paths(draft, PROVIDERS, copy.split("/")[1])
    assert len(ours) == len(theirs)
    assert {typed(draft, owner, f"{p}/provider_name") for p in theirs} == {
        typed(draft, owner, f"{p}/provider_name") for p in ours
    }
    save_answers(owner, draft.public_id, {f"{copy}/project_name": "另一个"})
    assert typed(draft, owner, f"{first}/project_name") == "智能排产"


def test_moving_stops_at_the_ends(owner: Account, draft: Declaration) -> None:
    one = paths(draft, PROJECTS)[0]
    two, three = (add_row(owner, draft.public_id, PROJECTS) for _ in range(2))
    for path, step, order in (
        (three, -1, [one, three, two]),
        (three, -1, [three, one, two]),
        (three, -1, [three, one, two]),
        (one, 1, [three, two, one]),
        (one, 1, [three, two, one]),
    ):
        move_row(owner, draft.public_id, path, step)
        assert paths(draft, PROJECTS) == order


def test_a_removed_row_comes_back_whole(owner: Account, draft: Declaration) -> None:
    first, second = paths(draft, PROJECTS)[0], add_row(owner, draft.public_id, PROJECTS)
    save_answers(owner, draft.public_id, {f"{first}/project_name": "智能排产"})
    remove_row(owner, draft.public_id, first)
    assert paths(draft, PROJECTS) == [second]
    assert count_removed(db.session, draft.id) == 1
    with pytest.raises(NotFound, match="这一行已经不在了"):
        save_answers(owner, draft.public_id, {f"{first}/project_name": "x"})
    assert restore_row(owner, draft.public_id, PROJECTS, first.split("/")[1]) == first
    assert paths(draft, PROJECTS) == [first, second]
    assert typed(draft, owner, f"{first}/project_name") == "智能排产"
    with pytest.raises(NotFound, match="没有可以恢复"):
        restore_row(owner, draft.public_id, PROJECTS, "none")


def test_nested_rows_want_a_living_parent(owner: Account, draft: Declaration) -> None:
    with pytest.raises(NotFound, match="上一级"):
        add_row(owner, draft.public_id, PROVIDERS)
    with pytest.raises(NotFound, match="没有上一级"):
        add_row(owner, draft.public_id, PROJECTS, "some-parent")
    first = paths(draft, PROJECTS)[0]
    remove_row(owner, draft.public_id, first)
    with pytest.raises(NotFound, match="上一级"):
        add_row(owner, draft.public_id, PROVIDERS, first.split("/")[1])
    with pytest.raises(NotFound, match="没有这张表"):
        add_row(owner, draft.public_id, "nonsense")


def test_rows_added_at_once_keep_to_the_maximum(context: Flask, owner: Account, draft: Declaration) -> None:
    public_id, parent = draft.public_id, paths(draft, PROJECTS)[0].split("/")[1]
    most = draft.programme.definition.table(PROVIDERS).max_rows
    user = apart(owner)
    db.session.rollback()
    found = together(context, [lambda: add_row(user, public_id, PROVIDERS, parent)] * 8)
    assert len(paths(draft, PROVIDERS, parent)) == most
    assert all(isinstance(r, InvalidInput) for r in refusals(found))


def test_nothing_moves_once_it_is_submitted(context: Flask) -> None:
    sent = submitted()
    user = db.session.scalars(select(Account).where(Account.enterprise_id == sent.enterprise_id)).first()
    row = paths(sent, PROJECTS)[0]
    for deed in (
        lambda: save_answers(user, sent.public_id, {"revenue": "1"}),
        lambda: add_row(user, sent.public_id, PROJECTS),
        lambda: copy_row(user, sent.public_id, row),
        lambda: move_row(user, sent.public_id, row, 1),
        lambda: remove_row(user, sent.public_id, row),
        lambda: restore_row(user, sent.public_id, PROJECTS, row.split("/")[1]),
    ):
        with pytest.raises(Conflict, match="正在办理"):
            deed()
