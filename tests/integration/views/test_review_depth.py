"""The review page in depth: checklist, papers, opinions, notes, earlier declarations, many rows; what a late post is told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import select

from app.extensions import db
from app.models import Account, Declaration, Event, InternalNote, Remark
from app.permissions import roles
from app.services import review
from app.services.answers import save_answers
from tests import factories
from tests.factories_review import answered, returned, with_rows


@pytest.fixture
def city(context: Flask) -> Account:
    return factories.make_account(roles.CITY, display_name="李静")


@pytest.fixture
def owner(context: Flask) -> Account:
    return factories.make_account(roles.ENTERPRISE)


@pytest.fixture
def declaration(owner: Account) -> Declaration:
    return factories.submitted(owner)


@pytest.fixture
def clerk(client: FlaskClient, city: Account) -> FlaskClient:
    return factories.login(client, city)


def url(declaration: Declaration, rest: str = "") -> str:
    return f"/review/{declaration.public_id}/{rest}"


def post(client: FlaskClient, declaration: Declaration, action: str, **more: Any) -> Any:
    version = factories.find(declaration.public_id).version
    return client.post(url(declaration), data={"action": action, "version": version, "key": "k1"} | more)


@contextmanager
def counted() -> Iterator[list[str]]:
    """The SELECTs that are sent meanwhile."""
    sent: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            sent.append(statement)

    sqlalchemy_event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        sqlalchemy_event.remove(db.engine, "before_cursor_execute", note)


# -- checklist ---------------------------------------------------------------------------------------------------


def test_unticked_points_stand_in_the_way_of_passing(clerk: FlaskClient, declaration: Declaration) -> None:
    page = clerk.get(url(declaration)).text
    assert page.count('form="decision" name="check"') == 6 and "选看" in page
    answer = post(clerk, declaration, "confirm", check=["identity", "products", "nonsense"], opinion="同意。")
    assert answer.status_code == 422
    assert "还有 3 项没有核对：营业收入、利润、研发占比与审计报告一致；" in answer.text
    # What was ticked and written is still there.
    ticked = re.findall(r'name="check" value="(\w+)" id="c-\w+" checked', answer.text)
    assert ticked == ["identity", "products"] and 'value="同意。"' in answer.text
    assert factories.find(declaration.public_id).step_key == "preliminary_review"


def test_the_ticks_are_kept_with_the_decision(clerk: FlaskClient, city: Account, declaration: Declaration) -> None:
    needed = [k for k in factories.checks_of(declaration) if k != "credit"]
    assert post(clerk, declaration, "confirm", check=needed).status_code == 302
    kept = db.session.scalars(select(Event).where(Event.action == "confirm")).one()
    assert kept.data == {"checks": [
        "企业名称、信用代码与信用报告一致", "企业基本情况写明了主要产品", "营业收入、利润、研发占比与审计报告一致",
        "数字化转型项目在本批结项要求以内", "佐证材料齐全、清楚、年度正确",
    ]}  # fmt: skip


@pytest.mark.parametrize("action", ["return", "reject"])
def test_no_tick_is_needed_to_refuse(clerk: FlaskClient, declaration: Declaration, action: str) -> None:
    assert post(clerk, declaration, action, opinion="营业收入与审计报告不符。", check="identity").status_code == 302
    kept = db.session.scalars(select(Event).where(Event.action == action)).one()
    assert kept.data == {"checks": ["企业名称、信用代码与信用报告一致"]}


def test_the_second_check_has_points_of_its_own(
    clerk: FlaskClient, city: Account, owner: Account, declaration: Declaration
) -> None:
    factories.perform(city, declaration, "confirm")
    factories.attach(declaration, "stamped_material")
    factories.perform(owner, declaration, "stamp")
    page = clerk.get(url(declaration)).text
    assert "盖章材料盖了企业公章、页数完整" in page and "企业基本情况写明了主要产品</label>" not in page
    assert post(clerk, declaration, "confirm", check=["seal", "same"]).status_code == 422
    assert post(clerk, declaration, "confirm", check=["seal", "same", "fit"]).status_code == 302


def test_who_does_not_decide_sees_no_boxes(client: FlaskClient, declaration: Declaration) -> None:
    admin = factories.login(client, factories.make_account(roles.ADMIN))
    assert 'name="check"' not in admin.get(url(declaration)).text


# -- findings and papers -----------------------------------------------------------------------------------------


def test_findings_say_both_figures_and_their_clause(clerk: FlaskClient, city: Account, owner: Account) -> None:
    draft = factories.filled_draft(owner, factories.make_batch())
    save_answers(owner, draft.public_id, {"revenue": "1860", "revenue_per_capita": "12", "profit": "2000"})
    sent = factories.perform(owner, draft, "submit")
    page = clerk.get(url(sent)).text
    assert "“人均营业收入”是 12.00 万元；按营业收入 1,860.00 万元和认证的从业人员计算，约为 10.00 万元，差 20%" in page
    assert "表5-1 人均营业收入" in page
    assert "“利润”是 2,000.00 万元，大于营业收入 1,860.00 万元" in page


def test_only_the_papers_come_for_a_script(clerk: FlaskClient, declaration: Declaration) -> None:
    page = clerk.get(url(declaration)).text
    files = re.findall(r'href="[^"]*\?file=([0-9a-f-]{36})#papers" data-paper', page)
    assert len(set(files)) == 2
    proof = re.search(r'<dt id="f-credit_code">.*?</dd>', page, re.S)
    assert proof and f"file={files[1]}" in proof[0] and "看附件" in proof[0]
    part = clerk.get(url(declaration, f"?file={files[1]}"), headers={"HX-Request": "true"}).text
    assert part.strip().startswith('<section class="sb-card sb-papers"') and "<html" not in part
    assert f'src="/attachments/{files[1]}#view=FitH"' in part and "上一份" in part and "下一份" not in part


# -- opinions ----------------------------------------------------------------------------------------------------


def phrases(page: str, action: str) -> list[str]:
    return re.findall(rf'<li data-for="{action}"><button[^>]*>([^<]*)</button>', page)


def test_what_was_written_last_comes_first(clerk: FlaskClient, city: Account, declaration: Declaration) -> None:
    before = phrases(clerk.get(url(declaration)).text, "return")
    assert before[0] == "请在“企业基本情况”里写明主要产品。" and "佐证材料不清楚或不完整，请重新上传。" in before
    other = factories.make_account(roles.CITY)
    for user, seed, words in ((city, 2, "请补报表。"), (other, 3, "别人写的。"), (city, 4, "请补<附注>。")):
        factories.perform(user, factories.submitted(batch=declaration.batch, seed=seed), "return", words)
    after = phrases(clerk.get(url(declaration)).text, "return")
    assert after == ["请补&lt;附注&gt;。", "请补报表。", *before]


def test_opinions_are_offered_once_and_short_ones_only(city: Account, declaration: Declaration) -> None:
    for seed, words in ((2, "同样的话。"), (3, "长" * 121), (4, "同样的话。"), (5, "又一句。")):
        factories.perform(city, factories.submitted(batch=declaration.batch, seed=seed), "return", words)
    assert review.recent_opinions(city) == {"return": ["又一句。", "同样的话。"]}
    assert review.recent_opinions(factories.make_account(roles.CITY)) == {}


# -- notes -------------------------------------------------------------------------------------------------------


def test_a_note_is_written_and_removed(clerk: FlaskClient, city: Account, declaration: Declaration) -> None:
    answer = clerk.post(url(declaration, "notes"), data={"note": "先<b>放</b>一放", "key": "k7"})
    assert answer.status_code == 302 and answer.location.endswith("#notes")
    page = clerk.get(url(declaration)).text
    assert "先&lt;b&gt;放&lt;/b&gt;一放" in page and "企业和专家看不到" in page
    key = db.session.scalars(select(InternalNote.id)).one()
    assert clerk.post(url(declaration, f"notes/{key}/remove")).status_code == 302
    assert "先&lt;b&gt;" not in clerk.get(url(declaration)).text
    again = clerk.post(url(declaration, f"notes/{key}/remove"))
    assert again.status_code == 409 and '<h1 class="h4">已经删除了</h1>' in again.text


def test_a_note_that_does_not_fit_comes_back(clerk: FlaskClient, declaration: Declaration) -> None:
    long = "长" * 1001
    answer = clerk.post(url(declaration, "notes"), data={"note": long})
    assert answer.status_code == 422 and long in answer.text and "现在是 1001 个" in answer.text


# -- rounds of remarks -------------------------------------------------------------------------------------------


def test_a_remark_is_kept_or_settled_in_the_second_round(
    clerk: FlaskClient, city: Account, owner: Account, declaration: Declaration
) -> None:
    first, second = returned(city, declaration, "profit", "revenue")
    review.reply(owner, declaration.public_id, second.id, "已按审计报告核对，没有错。")
    answered(owner, declaration, profit="12.34")
    page = clerk.get(url(declaration)).text
    assert "上一轮有 2 条批注等您看" in page and "企业说明：" in page and "已按审计报告核对，没有错。" in page
    part = {"HX-Request": "true"}
    kept = clerk.post(url(declaration, f"remarks/{first.id}"), data={"path": "profit", "do": "keep"}, headers=part).text
    assert "仍有问题" in kept and "看过第 2 版" in kept and 'value="return" data-button="退回企业" checked' in kept
    answer = clerk.post(url(declaration, "remarks/settle"))
    assert answer.status_code == 302
    states = {r.path: (r.state, r.kept_no) for r in db.session.scalars(select(Remark))}
    assert states == {"profit": ("open", 2), "revenue": ("settled", None)}
    factories.perform(city, declaration, "return", "利润仍不对。")
    assert factories.find(declaration.public_id).reopened == ["profit"]
    labels = [e.label for e in db.session.scalars(select(Event).where(Event.data["path"].as_string().is_not(None)))]
    assert labels == ["回复批注", "批注仍有问题", "批注已解决"]


def test_unchanged_rows_are_folded(clerk: FlaskClient, city: Account, owner: Account, declaration: Declaration) -> None:
    returned(city, declaration, "profit")
    answered(owner, declaration, profit="12.34")
    page = clerk.get(url(declaration)).text
    assert "其余 1 行没有改" in page
    assert "其余 1 行没有改" not in clerk.get(url(declaration, "?all=1")).text


# -- earlier declarations ----------------------------------------------------------------------------------------


def test_earlier_declarations_of_the_same_enterprise(
    clerk: FlaskClient, city: Account, owner: Account, declaration: Declaration
) -> None:
    factories.perform(city, declaration, "return", "请核对。")
    factories.perform(owner, declaration, "resubmit")
    factories.perform(city, declaration, "reject", "不符合。")
    draft = factories.filled_draft(owner, factories.make_batch(title="草稿批次"))
    stranger = factories.submitted(seed=5)
    second = factories.submitted(owner, factories.make_batch(), seed=2)
    page = clerk.get(url(second)).text
    card = page[page.index('id="h-earlier"') :]
    assert "共 1 件" in card and "退回过 1 次" in card and "未通过" in card and str(declaration.serial_no) in card
    assert url(declaration) in card and draft.public_id not in card and stranger.public_id not in card
    assert "没有其他申报" in clerk.get(url(stranger)).text


# -- many rows ---------------------------------------------------------------------------------------------------


def test_statements_do_not_grow_with_the_rows(clerk: FlaskClient) -> None:
    counts = {}
    # All of them in the middle of the queue: at its ends it is asked once more.
    factories.submitted()
    sent_in = {rows: with_rows(factories.make_account(roles.ENTERPRISE), rows) for rows in (2, 20, 200)}
    factories.submitted()
    for rows, declaration in sent_in.items():
        clerk.get(url(declaration, "?all=1"))
        with counted() as sent:
            page = clerk.get(url(declaration, "?all=1")).text
        counts[rows] = len(sent)
        assert page.count('id="f-digital_needs-n') >= rows - 2 * max(1, rows // 20)
    assert len(set(counts.values())) == 1, counts
    assert counts[200] <= 34


# -- what a late post is told ------------------------------------------------------------------------------------


def test_a_stale_deed_of_the_owner_says_what_is_true(
    client: FlaskClient, city: Account, owner: Account, declaration: Declaration
) -> None:
    version = declaration.version
    factories.perform(city, declaration, "return", "请核对。")
    browser = factories.login(client, owner)
    answer = browser.post(f"/declarations/{declaration.public_id}/act", data={"action": "recall", "version": version})
    assert answer.status_code == 409
    assert '<h1 class="h4">这件申报刚被办过</h1>' in answer.text and "李静作了“退回修改”" in answer.text
    assert "没有丢" not in answer.text and "在下面" not in answer.text
    assert f'href="/declarations/{declaration.public_id}/">看最新内容' in answer.text


def test_words_that_came_late_are_shown(
    client: FlaskClient, city: Account, owner: Account, declaration: Declaration
) -> None:
    remark = returned(city, declaration, "profit")[0]
    factories.perform(owner, declaration, "resubmit")
    browser = factories.login(client, owner)
    answer = browser.post(
        f"/declarations/{declaration.public_id}/remarks/{remark.id}/reply", data={"reply": "第 3 页有<说明>"}
    )
    assert answer.status_code == 409
    assert '<h1 class="h4">这次没有办成</h1>' in answer.text and "您写的内容在下面，没有丢。" in answer.text
    assert "第 3 页有&lt;说明&gt;" in answer.text


def test_what_was_never_submitted_is_not_called_changed(client: FlaskClient, owner: Account) -> None:
    draft = factories.filled_draft(owner, factories.make_batch())
    answer = factories.login(client, owner).get(f"/declarations/{draft.public_id}/receipt.pdf")
    assert answer.status_code == 409 and "还没有提交过。请先检查并提交" in answer.text
    assert '<h1 class="h4">这次没有办成</h1>' in answer.text and "刚被" not in answer.text
