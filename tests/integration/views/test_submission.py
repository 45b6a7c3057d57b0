"""检查并提交 over HTTP: everything at once, one submission per page, nothing half done."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.extensions import db
from app.models import Declaration, Event, Revision
from app.models.base import new_public_id, now
from app.services import answers
from app.services.declaration import accept_statement, start_declaration
from app.services.unit_of_work import unit_of_work
from tests import factories
from tests import factories_certification as certification


class Ready:
    """A filled draft with its owner signed in."""

    def __init__(self, client: FlaskClient) -> None:
        self.client, self.user = client, factories.make_account("enterprise")
        self.declaration = factories.filled_draft(self.user, factories.make_batch())
        self.id = self.declaration.public_id
        accept_statement(self.user, self.id)
        factories.login(client, self.user)

    def form(self, **more: Any) -> dict[str, Any]:
        page = self.client.get(f"/declarations/{self.id}/check").text
        fields = dict(re.findall(r'<input type="hidden" name="(version|key|action)" value="([^"]*)"', page))
        return {**fields, "statement": "yes", **more}

    def submit(self, form: dict[str, Any], client: FlaskClient | None = None) -> Any:
        return (client or self.client).post(f"/declarations/{self.id}/submit", data=form)

    def now(self) -> Declaration:
        return factories.find(self.id)


@pytest.fixture
def ready(context: Flask, client: FlaskClient) -> Ready:
    return Ready(client)


def count(model: Any) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_check_page_lists_every_problem_with_a_link_to_its_field(context: Flask, client: FlaskClient) -> None:
    user = factories.make_account("enterprise")
    public_id = start_declaration(user, factories.make_batch().public_id)
    accept_statement(user, public_id)
    answers.save_answers(user, public_id, {"revenue": "12万", "contact_phone": "1390451218"})
    factories.login(client, user)
    page = client.get(f"/declarations/{public_id}/check")
    assert page.status_code == 200
    for text in (
        "现在填的是“12万”",
        "“联系方式”",
        "还没传“2023年度审计报告”",
        "第 1 个项目的“项目名称”还没填",
        "“标杆样板打造”还没选",
    ):
        assert text in page.text, text
    assert f'href="/declarations/{public_id}/sections/basic_info?fix=1#field-revenue"' in page.text
    links = re.findall(r'href="([^"]+#(?:field|file|table|row)-[^"]+)"', page.text)
    assert len(links) > 20
    for link in {links[0], links[len(links) // 2], links[-1]}:
        target = link.replace("&amp;", "&")
        assert f'id="{target.split("#")[1]}"' in client.get(target).text, target
    assert "disabled" in page.text and "以后再传" in page.text


def test_a_complete_declaration_is_submitted_and_gets_a_receipt(ready: Ready) -> None:
    page = ready.client.get(f"/declarations/{ready.id}/check").text
    assert "可以提交" in page and "市工信初审，一般 10 个工作日" in page
    answer = ready.submit(ready.form())
    assert answer.status_code == 303 and answer.location.endswith("/receipt")
    receipt = ready.client.get(answer.location).text
    declaration = ready.now()
    assert declaration.status == "in_progress" and declaration.serial_no in receipt
    revision = db.session.scalars(select(Revision)).one()
    assert revision.digest[:4].upper() in receipt and "撤回修改" in receipt
    assert ready.client.get(f"/declarations/{ready.id}/check").status_code == 302


def test_a_double_click_makes_one_submission(ready: Ready) -> None:
    form = ready.form()
    assert [ready.submit(form).status_code for _ in range(3)] == [303, 303, 303]
    assert count(Revision) == 1
    assert db.session.scalar(select(func.count()).select_from(Event).where(Event.action == "submit")) == 1
    late = ready.submit({**form, "key": new_public_id()})
    assert late.status_code == 409 and "已经提交过" in late.text


def test_two_clicks_at_the_same_time_make_one_submission(ready: Ready, app: Flask) -> None:
    form = ready.form()
    found: list[int] = []

    def click(browser: FlaskClient) -> None:
        found.append(ready.submit(form, browser).status_code)

    # The test's own session is for one thread: everybody is signed in first.
    clicks = [threading.Thread(target=click, args=(factories.login(app.test_client(), ready.user),)) for _ in range(2)]
    for thread in clicks:
        thread.start()
    for thread in clicks:
        thread.join()
    assert found == [303, 303] and count(Revision) == 1


def test_problems_and_a_missing_statement_stop_it(ready: Ready) -> None:
    without = ready.submit({**ready.form(), "statement": ""})
    assert without.status_code == 422 and "请先勾选真实性承诺" in without.text
    form = ready.form()
    answers.save_answers(ready.user, ready.id, {"revenue": "12万"})
    wrong = ready.submit(form)
    assert wrong.status_code == 422 and "处要改，改完就能提交" in wrong.text and "12万" in wrong.text
    assert ready.now().status == "draft" and count(Revision) == 0


@pytest.mark.parametrize("broken", [{"version": "x"}, {"version": ""}, {"version": "٣"}, {"key": ""}, {"key": "a' or 1=1"},
                                    {"action": "approve"}, {"version": "9" * 30}])  # fmt: skip
def test_broken_forms_are_refused_in_words(ready: Ready, broken: dict[str, str]) -> None:
    answer = ready.submit({**ready.form(), **broken})
    assert answer.status_code == 422 and "请刷新后再试" in answer.text
    assert ready.now().status == "draft"


def test_an_old_page_is_a_conflict(ready: Ready) -> None:
    form = ready.form()
    assert ready.submit({**form, "version": str(int(form["version"]) + 1)}).status_code == 409
    assert ready.now().status == "draft"


def test_a_closed_batch_takes_nothing_and_keeps_the_draft(ready: Ready) -> None:
    form = ready.form()
    with unit_of_work() as session:
        session.get_one(type(ready.declaration.batch), ready.declaration.batch_id).closes_at = now() - timedelta(
            minutes=1
        )
    page = ready.client.get(f"/declarations/{ready.id}/check").text
    assert "截止，不能再提交" in page and "disabled" in page
    answer = ready.submit(form)
    assert answer.status_code == 422 and "截止" in answer.text and ready.now().status == "draft"


def test_other_people_cannot_submit(ready: Ready, app: Flask) -> None:
    form = ready.form()
    other = factories.login(app.test_client(), factories.make_account("enterprise"))
    assert ready.submit(form, other).status_code == 404
    assert other.get(f"/declarations/{ready.id}/check").status_code == 404
    assert other.get(f"/declarations/{ready.id}/receipt").status_code == 404
    assert ready.submit(form, app.test_client()).status_code == 302
    assert ready.now().status == "draft"


def test_a_returned_one_is_submitted_again(ready: Ready) -> None:
    ready.submit(ready.form())
    officer = factories.make_account("city")
    factories.perform(officer, ready.now(), "return", "请核对营业收入")
    page = ready.client.get(f"/declarations/{ready.id}/check").text
    assert "重新提交" in page
    assert ready.submit(ready.form()).status_code == 303
    assert ready.now().status == "in_progress" and count(Revision) == 2
    assert "第 2 次" in ready.client.get(f"/declarations/{ready.id}/receipt").text


def test_no_receipt_before_the_submission(ready: Ready) -> None:
    answer = ready.client.get(f"/declarations/{ready.id}/receipt")
    assert answer.status_code == 404 and "还没有提交过" in answer.text


# -- a credit code that somebody else has ---------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["submitted", "approved", "returned"])
def test_a_taken_credit_code_is_told_beside_the_field_and_nothing_is_lost(
    context: Flask, client: FlaskClient, state: str
) -> None:
    """Certified, under review or returned: the code is claimed, and the second one keeps every word it typed."""
    first = certification.sent_certification(certification.uncertified())
    if state != "submitted":
        city = factories.make_account("city")
        factories.perform(city, first, {"approved": "confirm", "returned": "return"}[state], "请看批注")
    user = certification.uncertified()
    mine = certification.drafted_certification(user)
    accept_statement(user, mine.public_id)
    factories.login(client, user)
    url = f"/declarations/{mine.public_id}"
    form = {"version": str(mine.version), "key": new_public_id(), "action": "submit", "statement": "yes"}
    answer = client.post(f"{url}/submit", data=form)
    assert answer.status_code == 409
    page = answer.text
    assert "不能重复认证" in page and "账号找回" in page
    beside = page[page.index('id="credit_code"') :].split("</div>")[0:6]
    assert "这个代码已经认证过或正在认证" in "".join(beside)
    assert f'value="{factories.credit_code(certification.NUMBER)}"' in page
    for key in ("enterprise_name", "legal_representative", "registered_address"):
        assert certification.ANSWERS[key] in client.get(f"{url}/preview").text, key
    kept = factories.find(mine.public_id)
    assert (kept.status, kept.serial_no, kept.submitted_at) == ("draft", None, None)
    assert (kept.enterprise.certification_status, kept.enterprise.credit_code) == ("none", None)
    assert db.session.scalar(select(func.count()).where(Revision.declaration_id == kept.id)) == 0
    answers.save_answers(user, mine.public_id, {"credit_code": factories.credit_code(certification.NUMBER + 1)})
    assert client.post(f"{url}/submit", data=form | {"key": new_public_id()}).status_code == 303
    assert factories.find(mine.public_id).status == "in_progress"


def test_a_code_given_free_can_be_used_again(context: Flask, client: FlaskClient) -> None:
    owner = certification.uncertified()
    first = certification.sent_certification(owner)
    factories.perform(factories.make_account("city"), first, "reject", "材料不真实")
    again = certification.sent_certification(certification.uncertified())
    assert again.status == "in_progress"


def test_two_at_once_with_one_code_make_one_certification(context: Flask) -> None:
    drafts = []
    for _ in range(2):
        user = certification.uncertified()
        drafts.append((user, certification.drafted_certification(user)))
    forms = []
    for user, mine in drafts:
        browser = factories.login(context.test_client(), user)
        data = {"version": str(mine.version), "key": new_public_id(), "action": "submit", "statement": "yes"}
        forms.append((browser, f"/declarations/{mine.public_id}/submit", data))
    db.session.rollback()
    found: list[int] = []

    def send(browser: FlaskClient, url: str, data: dict[str, str]) -> None:
        found.append(browser.post(url, data=data).status_code)

    threads = [threading.Thread(target=send, args=form) for form in forms]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [303, 409]
