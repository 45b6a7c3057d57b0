"""我的申报 over HTTP: list, start, statement, page, preview, taking back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_appbuilder.security.sqla.models import Role
from sqlalchemy import func, select

from app.extensions import db
from app.models import Account, AnswerRow, Declaration
from app.models.base import new_public_id, now
from app.services import answers
from app.services.declaration import accept_statement, start_declaration
from app.services.unit_of_work import unit_of_work
from tests import factories


@pytest.fixture
def owner(context: Flask, client: FlaskClient) -> Account:
    account = factories.make_account("enterprise")
    factories.login(client, account)
    return account


def start(client: FlaskClient, batch: Any) -> Any:
    return client.post("/declarations/", data={"batch": batch.public_id})


def count() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Declaration)) or 0


def test_starting_leads_to_the_statement_and_then_to_the_first_section(owner: Account, client: FlaskClient) -> None:
    batch = factories.make_batch()
    first = start(client, batch)
    assert first.status_code == 303 and first.location.endswith("/statement")
    page = client.get(first.location).text
    assert "如有虚假愿承担相应责任" in page and f"/programmes/{factories.INTAKE}/" in page
    refused = client.post(first.location)
    assert refused.status_code == 422 and "请先勾选承诺" in refused.text
    accepted = client.post(first.location, data={"statement": "yes"})
    assert accepted.location.endswith("/sections/basic_info")
    assert client.get(accepted.location).status_code == 200
    assert start(client, batch).location == accepted.location, "a second start goes on with the first"
    assert count() == 1


@pytest.mark.parametrize("batch", ["", "x", "' or 1=1", "01a1f93d-469d-7cd9-b333-3c7cb1225582"])
def test_unknown_batches_are_not_found(owner: Account, client: FlaskClient, batch: str) -> None:
    answer = client.post("/declarations/", data={"batch": batch})
    assert answer.status_code == 404 and "批次" in answer.text and count() == 0


@pytest.mark.parametrize(("opens", "closes"), [(-10, -1), (1, 10)])
def test_batches_that_are_not_open_take_nothing(owner: Account, client: FlaskClient, opens: int, closes: int) -> None:
    answer = start(client, factories.make_batch(opens=opens, closes=closes))
    assert answer.status_code == 422 and "没有开放申报" in answer.text and count() == 0


def test_without_certification_the_way_leads_there(context: Flask, client: FlaskClient) -> None:
    plain = factories.make_account("enterprise", enterprise=factories.make_enterprise(certified=False, name="甲公司"))
    factories.login(client, plain)
    answer = start(client, factories.make_batch())
    assert answer.status_code == 403 and "/enterprise/certification/" in answer.text and count() == 0


def test_individuals_look_but_do_not_declare(context: Flask, client: FlaskClient) -> None:
    factories.login(client, factories.make_account("individual"))
    answer = start(client, factories.make_batch())
    assert answer.status_code == 403 and "个人用户不能申报" in answer.text
    assert "还没有申报" in client.get("/declarations/").text


def test_the_list_shows_state_and_next_step(owner: Account, client: FlaskClient) -> None:
    assert "还没有申报" in client.get("/declarations/").text
    start_declaration(owner, factories.make_batch(title="第二批").public_id)
    sent = factories.submitted(owner, factories.make_batch(title="第一批"))
    page = client.get("/declarations/").text
    for text in ("第二批 · 还没提交", "继续填", f"受理号 {sent.serial_no}", "初审"):
        assert text in page, text


def test_the_page_of_a_draft_leads_on(owner: Account, client: FlaskClient) -> None:
    public_id = start_declaration(owner, factories.make_batch().public_id)
    page = client.get(f"/declarations/{public_id}/").text
    assert "继续填写" in page and "删除草稿" in page and "开始填写" in page and "正在填" in page


def test_the_page_of_a_submitted_one_offers_to_take_it_back(owner: Account, client: FlaskClient) -> None:
    sent = factories.submitted(owner)
    page = client.get(f"/declarations/{sent.public_id}/").text
    assert "撤回修改" in page and "撤回申报" in page and sent.serial_no in page and "继续填写" not in page


def test_the_page_of_a_returned_one_says_why(owner: Account, client: FlaskClient) -> None:
    sent = factories.submitted(owner)
    factories.perform(factories.make_account("city"), sent, "return", "营业收入与审计报告不一致")
    page = client.get(f"/declarations/{sent.public_id}/").text
    assert "被退回修改" in page and "营业收入与审计报告不一致" in page and "去修改" in page


def test_officers_are_led_to_their_own_page_and_others_find_nothing(owner: Account, app: Flask) -> None:
    sent = factories.submitted(owner)
    officer = factories.login(app.test_client(), factories.make_account("city"))
    assert f"/review/{sent.public_id}/" in officer.get(f"/declarations/{sent.public_id}/").location
    assert officer.get(f"/declarations/{sent.public_id}/preview").status_code == 200
    draft = start_declaration(owner, factories.make_batch().public_id)
    assert officer.get(f"/declarations/{draft}/preview").status_code == 404
    other = factories.login(app.test_client(), factories.make_account("enterprise"))
    for path in ("", "preview", "statement", "act?action=discard"):
        assert other.get(f"/declarations/{sent.public_id}/{path}").status_code == 404, path
    for path in ("statement", "rebase", "act"):
        answer = other.post(
            f"/declarations/{draft}/{path}", data={"statement": "yes", "action": "discard", "version": "1"}
        )
        assert answer.status_code == 404, path
    assert app.test_client().get(f"/declarations/{sent.public_id}/").status_code == 302


@pytest.mark.parametrize(("action", "status"), [("recall", "draft"), ("withdraw", "withdrawn")])
def test_taking_back_asks_first(owner: Account, client: FlaskClient, action: str, status: str) -> None:
    sent = factories.submitted(owner)
    url = f"/declarations/{sent.public_id}/act"
    page = client.get(f"{url}?action={action}").text
    assert "吗？" in page and factories.find(sent.public_id).status == "in_progress"
    form = {"action": action, "version": str(sent.version), "key": new_public_id()}
    assert [client.post(url, data=form).status_code for _ in range(2)] == [303, 303]
    assert factories.find(sent.public_id).status == status


def test_a_recalled_one_keeps_its_answers_and_number(owner: Account, client: FlaskClient) -> None:
    sent = factories.submitted(owner)
    serial = sent.serial_no
    client.post(f"/declarations/{sent.public_id}/act", data={"action": "recall", "version": str(sent.version)})
    page = client.get(f"/declarations/{sent.public_id}/sections/basic_info")
    assert page.status_code == 200 and factories.find(sent.public_id).serial_no == serial


def test_what_the_office_has_begun_cannot_be_taken_back(owner: Account, client: FlaskClient) -> None:
    sent = factories.submitted(owner)
    confirmed = factories.perform(factories.make_account("city"), sent, "confirm")
    url = f"/declarations/{sent.public_id}/act"
    assert client.get(f"{url}?action=recall").status_code == 404
    answer = client.post(url, data={"action": "recall", "version": str(confirmed.version)})
    assert answer.status_code == 409 and factories.find(sent.public_id).status == "in_progress"


def test_a_deleted_draft_leaves_the_list_and_frees_the_place(owner: Account, client: FlaskClient) -> None:
    batch = factories.make_batch()
    public_id = start_declaration(owner, batch.public_id)
    answer = client.post(f"/declarations/{public_id}/act", data={"action": "discard", "version": "1"})
    assert answer.status_code == 303 and answer.location.endswith("/declarations/")
    assert (
        "草稿已删除" in client.get("/declarations/").text
        and "第" not in client.get("/declarations/").text.split("</main>")[0][-200:]
    )
    assert start_declaration(owner, batch.public_id) != public_id


@pytest.mark.parametrize("form", [{"action": "approve", "version": "1"}, {"action": "discard"}, {"action": "discard", "version": "-1"},
                                  {"action": "discard", "version": "1", "key": "x"}, {}])  # fmt: skip
def test_broken_deeds_are_refused_in_words(owner: Account, client: FlaskClient, form: dict[str, str]) -> None:
    public_id = start_declaration(owner, factories.make_batch().public_id)
    answer = client.post(f"/declarations/{public_id}/act", data=form)
    assert answer.status_code == 422 and "请刷新后再试" in answer.text
    assert factories.find(public_id).status == "draft"


def test_preview_shows_drafts_as_they_are_and_submissions_as_they_were(owner: Account, client: FlaskClient) -> None:
    public_id = start_declaration(owner, factories.make_batch().public_id)
    answers.save_answers(owner, public_id, {"revenue": "12万", "profit": "1234.5"})
    page = client.get(f"/declarations/{public_id}/preview").text
    assert "12万（要改）" in page and "1,234.50 万元" in page and "这是预览" in page and "没有填" in page
    assert ">改造总花费</dt>" in page and "改造总花费(万元)" not in page
    sent = factories.submitted(owner)
    name = factories.find(sent.public_id).enterprise_name
    with unit_of_work() as session:
        row = session.scalars(
            select(AnswerRow).where(AnswerRow.declaration_id == sent.id, AnswerRow.table_key == "")
        ).one()
        row.values = {**row.values, "contact_name": "后来改的"}
    page = client.get(f"/declarations/{sent.public_id}/preview").text
    assert "后来改的" not in page and name in page and "这是预览" not in page


def test_working_answers_are_the_enterprises_alone(owner: Account, client: FlaskClient, app: Flask) -> None:
    """Whatever the status: offices, experts and administrators read the newest submission and nothing newer."""
    city = factories.make_account("city")
    sent = factories.submitted(owner, factories.make_batch(parameters={"expert_step": True, "correction_days": 10}))
    factories.perform(city, sent, "confirm")
    factories.attach(sent, "stamped_material")
    factories.perform(owner, sent, "stamp")
    factories.perform(city, sent, "confirm")
    asked = factories.make_account("expert")
    factories.perform(city, sent, "assign", experts=[asked.id])
    with unit_of_work() as session:
        # Under way again, as a return from a later step would have it.
        session.get_one(type(sent), sent.id).status = "returned"
    answers.save_answers(owner, sent.public_id, {"contact_name": "还没交的人"})
    report = factories.attach(sent, "audit_report", "还没交的报告.pdf")
    assert "还没交的人" in client.get(f"/declarations/{sent.public_id}/preview").text
    for role in ("city", "district", "province", "admin"):
        reader = factories.login(app.test_client(), factories.make_account(role))
        for path in (f"declarations/{sent.public_id}/preview", f"review/{sent.public_id}/", "admin/attachment/list/"):
            page = reader.get(f"/{path}")
            assert page.status_code == 200 or (role, page.status_code) == ("province", 403), (role, path)
            assert "还没交的" not in page.text and "这是预览" not in page.text, (role, path)
        assert reader.get(f"/attachments/{report.public_id}").status_code == 404
    expert = factories.login(app.test_client(), asked)
    for path in (f"declarations/{sent.public_id}/preview", f"review/{sent.public_id}/"):
        page = expert.get(f"/{path}")
        assert page.status_code == 200 and "还没交的" not in page.text, path


def test_nobody_else_reads_a_draft(owner: Account, app: Flask) -> None:
    draft = factories.filled_draft(owner, factories.make_batch()).public_id
    for role in ("admin", "city", "expert"):
        reader = factories.login(app.test_client(), factories.make_account(role))
        for path in (f"declarations/{draft}/preview", f"declarations/{draft}/preview.pdf", f"review/{draft}/"):
            assert reader.get(f"/{path}").status_code in (403, 404, 409), (role, path)


def test_a_second_role_opens_no_wizard(owner: Account, app: Flask) -> None:
    """Somebody of another enterprise who is also an officer sees the declaration, and none of its working pages."""
    both = factories.make_account("enterprise", region="230100").id
    with unit_of_work() as session:
        account = session.get_one(Account, both)
        account.roles = [*account.roles, session.scalars(select(Role).where(Role.name == "city")).one()]
    reader = factories.login(app.test_client(), db.session.get_one(Account, both))
    sent = factories.submitted(owner)
    factories.perform(factories.make_account("city"), sent, "return", "请改")
    answers.save_answers(owner, sent.public_id, {"contact_name": "还没交的人"})
    base = f"/declarations/{sent.public_id}"
    assert reader.get(f"{base}/preview").status_code == 200
    replies = [
        reader.get(f"{base}/{p}") for p in ("preview", "check", "sections/basic_info", "sections/attachments", "")
    ]
    replies += [
        reader.post(f"{base}/sections/basic_info", data={"deed": "save", "contact_name": "x"}),
        reader.post(f"{base}/sections/basic_info/field", data={"contact_name": "x"}),
        reader.post(f"{base}/submit", data={"action": "resubmit", "version": "3", "key": new_public_id()}),
    ]
    assert not [r.request.path for r in replies if "还没交的人" in r.text]
    assert [r.status_code for r in replies[5:]] == [404, 404, 409]


def test_statement_of_a_closed_batch_can_still_be_read(owner: Account, client: FlaskClient) -> None:
    batch = factories.make_batch()
    public_id = start_declaration(owner, batch.public_id)
    with unit_of_work() as session:
        session.get_one(type(batch), batch.id).closes_at = now() - timedelta(minutes=1)
    accept_statement(owner, public_id)
    assert client.get(f"/declarations/{public_id}/statement").status_code == 200
    assert client.get(f"/declarations/{public_id}/sections/basic_info").status_code == 200
