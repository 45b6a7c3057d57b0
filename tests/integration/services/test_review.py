"""Remarks, returns and decisions by the office: who may, what reopens, who was first."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.errors import Conflict, InvalidInput, NotFound, Refused
from app.extensions import db
from app.models import Account, Declaration, Event, Opinion, Remark
from app.permissions import roles
from app.services import review
from app.services.answers import save_answers
from app.services.declaration import load
from app.services.review import WHOLE
from tests import factories


@pytest.fixture
def city(context: Flask) -> Account:
    return factories.make_account(roles.CITY, display_name="李静")


@pytest.fixture
def owner(context: Flask) -> Account:
    return factories.make_account(roles.ENTERPRISE)


@pytest.fixture
def declaration(owner: Account) -> Declaration:
    return factories.submitted(owner)


def decide(user: Account, declaration: Declaration, action: str, opinion: str = "", **more: object) -> Declaration:
    current = factories.find(declaration.public_id)
    version = int(str(more.pop("version", current.version)))
    key = more.pop("key", None)
    review.decide(
        user, declaration.public_id, action, version=version, opinion=opinion, key=str(key) if key else None,
        checks=factories.checks_of(current),
    )  # fmt: skip
    return factories.find(declaration.public_id)


def project_path(user: Account, declaration: Declaration, column: str) -> str:
    opened = load(declaration.public_id, user)
    return next(f.path for f in opened.submitted.all_fields() if f.path.endswith(f"/{column}"))


# -- remarks -----------------------------------------------------------------------------------------------------


def test_a_remark_is_a_draft_until_the_return(city: Account, declaration: Declaration) -> None:
    written = review.remark(city, declaration.public_id, "profit", "  请核对\r\n利润  ")
    assert (written.state, written.text, written.label, written.author_name) == (
        "draft",
        "请核对\n利润",
        "2023年利润",
        "李静",
    )
    assert written.revision_no == 1 and written.step_key == "preliminary_review"
    review.rewrite(city, declaration.public_id, written.id, "请按审计报告修改")
    decide(city, declaration, "return", "请按批注修改")
    assert db.session.get(Remark, written.id).state == "open"
    assert db.session.get(Remark, written.id).text == "请按审计报告修改"


@pytest.mark.parametrize("text", ["", "   ", "长" * 501])
def test_remarks_need_words_and_have_a_limit(city: Account, declaration: Declaration, text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        review.remark(city, declaration.public_id, "profit", text)
    assert "text" in refused.value.fields
    assert db.session.scalar(select(func.count()).select_from(Remark)) == 0


@pytest.mark.parametrize(
    "path", ["nothing", "digital_projects/unknown/end_date", "@nothing", "", "../x", "@stamped_material"]
)
def test_remarks_are_about_something_that_was_submitted(city: Account, declaration: Declaration, path: str) -> None:
    with pytest.raises(NotFound):
        review.remark(city, declaration.public_id, path, "请修改")


def test_remarks_on_rows_tables_files_and_the_whole(city: Account, declaration: Declaration) -> None:
    column = project_path(city, declaration, "end_date")
    row = column.rsplit("/", 1)[0]
    labels = {
        p: review.remark(city, declaration.public_id, p, "请修改").label
        for p in (column, row, "digital_projects", "@audit_report", WHOLE)
    }
    assert labels["digital_projects"] == "数字化转型项目" and labels["@audit_report"] == "2023年度审计报告"
    assert labels[WHOLE] == "整件申报" and labels[column].endswith("项目结束时间")


def test_only_the_office_in_charge_writes_remarks(declaration: Declaration, owner: Account) -> None:
    district = factories.make_account(roles.DISTRICT)
    with pytest.raises(Refused):
        review.remark(district, declaration.public_id, "profit", "请修改")
    for outsider in (
        factories.make_account(roles.DISTRICT, region="230102"),
        factories.make_account(roles.CITY, region="350200"),
        factories.make_account(roles.ENTERPRISE),
        factories.make_account(roles.INDIVIDUAL),
    ):
        with pytest.raises(NotFound):
            review.remark(outsider, declaration.public_id, "profit", "请修改")
    with pytest.raises(Refused):
        review.remark(owner, declaration.public_id, "profit", "请修改")
    with pytest.raises(Refused):
        review.remark(factories.make_account(roles.ADMIN), declaration.public_id, "profit", "请修改")
    assert db.session.scalar(select(func.count()).select_from(Remark)) == 0


def test_what_was_sent_is_settled_and_never_changed(city: Account, owner: Account, declaration: Declaration) -> None:
    written = review.remark(city, declaration.public_id, "profit", "请核对")
    with pytest.raises(Conflict):
        review.settle(city, declaration.public_id, written.id)
    decide(city, declaration, "return", "请修改")
    with pytest.raises(Conflict):
        review.rewrite(city, declaration.public_id, written.id, "别的话")
    factories.perform(owner, declaration, "resubmit")
    for deed in (
        lambda: review.rewrite(city, declaration.public_id, written.id, "别的话"),
        lambda: review.delete(city, declaration.public_id, written.id),
    ):
        with pytest.raises(Conflict):
            deed()
    with pytest.raises(InvalidInput, match="批注没有处理"):
        decide(city, declaration, "confirm")
    review.settle(city, declaration.public_id, written.id)
    assert db.session.scalars(select(Event.action).order_by(Event.id.desc())).first() == "settle"
    assert decide(city, declaration, "confirm").step_key == "stamping"


def test_a_draft_remark_holds_up_the_confirmation(city: Account, declaration: Declaration) -> None:
    written = review.remark(city, declaration.public_id, "profit", "请核对")
    with pytest.raises(InvalidInput, match="还有 1 条批注"):
        decide(city, declaration, "confirm")
    assert review.delete(city, declaration.public_id, written.id) == "profit"
    assert decide(city, declaration, "confirm").step_key == "stamping"


def test_remarks_of_others_declarations_are_not_found(city: Account, declaration: Declaration) -> None:
    other = factories.submitted()
    written = review.remark(city, other.public_id, "profit", "请核对")
    with pytest.raises(NotFound):
        review.delete(city, declaration.public_id, written.id)


# -- what reopens ----------------------------------------------------------------------------------------------------


def test_a_return_reopens_exactly_the_remarked_answers(city: Account, owner: Account, declaration: Declaration) -> None:
    column = project_path(city, declaration, "end_date")
    for path in ("profit", column, "@audit_report"):
        review.remark(city, declaration.public_id, path, "请修改")
    returned = decide(city, declaration, "return", "请按批注修改")
    assert (returned.status, returned.reopened) == ("returned", sorted(["profit", column, "@audit_report"]))
    assert save_answers(owner, declaration.public_id, {"profit": "642.18"}).changed == ["profit"]
    with pytest.raises(Conflict, match="没有退回"):
        save_answers(owner, declaration.public_id, {"contact_name": "别人"})


def test_what_hangs_on_a_remarked_answer_reopens_too(city: Account, declaration: Declaration) -> None:
    review.remark(city, declaration.public_id, "revenue", "请核对")
    assert decide(city, declaration, "return", "请修改").reopened == ["revenue", "revenue_per_capita"]


def test_a_return_without_named_answers_reopens_everything(
    city: Account, owner: Account, declaration: Declaration
) -> None:
    review.remark(city, declaration.public_id, WHOLE, "整体再核对一遍")
    assert decide(city, declaration, "return", "请修改").reopened is None
    assert save_answers(owner, declaration.public_id, {"contact_name": "赵强"}).changed == ["contact_name"]


def test_the_reviewer_sees_the_difference(city: Account, owner: Account, declaration: Declaration) -> None:
    review.remark(city, declaration.public_id, "profit", "请核对")
    decide(city, declaration, "return", "请修改")
    save_answers(owner, declaration.public_id, {"profit": "12.34"})
    factories.perform(owner, declaration, "resubmit")
    opened = load(declaration.public_id, city)
    (change,) = review.changes_since(opened, review.previous_revision(opened))
    assert (change.path, change.after) == ("profit", "12.34 万元")


def test_a_first_submission_has_no_difference(city: Account, declaration: Declaration) -> None:
    opened = load(declaration.public_id, city)
    assert review.previous_revision(opened) is None and review.changes_since(opened, None) == []


# -- decisions -------------------------------------------------------------------------------------------------------


def test_two_clerks_the_second_learns_who_was_first(city: Account, declaration: Declaration) -> None:
    colleague = factories.make_account(roles.CITY, display_name="陈立")
    seen = factories.find(declaration.public_id).version
    decide(colleague, declaration, "confirm", "材料齐全")
    with pytest.raises(Conflict) as late:
        decide(city, declaration, "return", "请修改", version=seen)
    assert "陈立" in late.value.message and "初审确认" in late.value.message
    assert factories.find(declaration.public_id).step_key == "stamping"
    assert db.session.scalar(select(func.count()).select_from(Opinion)) == 1


def test_a_double_post_decides_once(city: Account, declaration: Declaration) -> None:
    version = declaration.version
    decide(city, declaration, "confirm", key="k1")
    again = decide(city, declaration, "confirm", key="k1", version=version)
    assert again.step_key == "stamping"
    assert db.session.scalar(select(func.count()).where(Event.action == "confirm")) == 1


@pytest.mark.parametrize("action", ["return", "reject"])
def test_refusals_need_a_reason(city: Account, declaration: Declaration, action: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        decide(city, declaration, action, "  ")
    assert "opinion" in refused.value.fields
    assert factories.find(declaration.public_id).status == "in_progress"


def test_opinions_have_a_limit(city: Account, declaration: Declaration) -> None:
    with pytest.raises(InvalidInput, match="现在是 1001 个"):
        decide(city, declaration, "return", "长" * 1001)


@pytest.mark.parametrize("action", ["", "submit", "withdraw", "score", "void", "confirm'--"])
def test_only_decisions_are_decisions(city: Account, declaration: Declaration, action: str) -> None:
    with pytest.raises(InvalidInput):
        decide(city, declaration, action, "同意")


def test_a_stamp_cannot_be_sent_back_before_it_was_asked(city: Account, declaration: Declaration) -> None:
    with pytest.raises(InvalidInput, match="前面没有盖章步骤"):
        decide(city, declaration, "stamp_return", "请重新盖章")


def test_a_bad_scan_goes_back_to_stamping(city: Account, owner: Account, declaration: Declaration) -> None:
    decide(city, declaration, "confirm")
    factories.attach(declaration, "stamped_material")
    factories.perform(owner, declaration, "stamp")
    back = decide(city, declaration, "stamp_return", "看不清印章")
    assert (back.step_key, back.holder_role, back.status) == ("stamping", "enterprise", "in_progress")


def test_a_place_on_a_list_is_given_with_the_list(city: Account, owner: Account, declaration: Declaration) -> None:
    decide(city, declaration, "confirm")
    factories.attach(declaration, "stamped_material")
    factories.perform(owner, declaration, "stamp")
    decide(city, declaration, "confirm")
    with pytest.raises(InvalidInput, match="批次页"):
        decide(city, declaration, "approve")
    assert decide(city, declaration, "reject", "不在支持范围").status == "rejected"


def test_foreign_offices_decide_nothing(declaration: Declaration) -> None:
    for outsider in (
        factories.make_account(roles.DISTRICT, region="230102"),
        factories.make_account(roles.CITY, region="350200"),
    ):
        with pytest.raises(NotFound):
            decide(outsider, declaration, "confirm")
    with pytest.raises(Refused):
        decide(factories.make_account(roles.DISTRICT), declaration, "confirm")
    assert factories.find(declaration.public_id).step_key == "preliminary_review"


def test_the_district_decides_first_where_the_batch_says_so(city: Account, owner: Account) -> None:
    batch = factories.make_batch(parameters={"district_step": True})
    declaration = factories.submitted(owner, batch)
    assert (declaration.step_key, declaration.holder_role, declaration.holder_region) == (
        "district_review",
        "district",
        "230108",
    )
    with pytest.raises(Refused):
        decide(city, declaration, "confirm")
    assert decide(factories.make_account(roles.DISTRICT), declaration, "confirm").step_key == "preliminary_review"
