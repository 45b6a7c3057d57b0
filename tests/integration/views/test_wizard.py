"""Filling in over HTTP: fields, sections, rows, other people, other tabs, ended logins."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.extensions import db
from app.models import AnswerRow, Declaration, Event
from app.services import answers
from app.services import declaration as declarations
from app.services.unit_of_work import unit_of_work
from tests import factories

HTMX = {"HX-Request": "true"}


class Draft:
    """A draft with its owner signed in."""

    def __init__(self, client: FlaskClient, *, accepted: bool = True, **batch: Any) -> None:
        self.client = client
        self.user = factories.make_account("enterprise")
        self.batch = factories.make_batch(**batch)
        self.id = declarations.start_declaration(self.user, self.batch.public_id)
        if accepted:
            declarations.accept_statement(self.user, self.id)
        factories.login(client, self.user)

    def url(self, section: str = "basic_info", rest: str = "") -> str:
        return f"/declarations/{self.id}/sections/{section}{rest}"

    def get(self, section: str = "basic_info", query: str = "") -> Any:
        return self.client.get(self.url(section) + query)

    def autosave(self, path: str, value: Any, base: Any = "", section: str = "basic_info") -> Any:
        data = {path: value, f"base:{path}": base} if value is not None else {f"base:{path}": base}
        return self.client.post(self.url(section, "/field"), data=data, headers=HTMX)

    def post(self, section: str, deed: str = "save", **values: Any) -> Any:
        data = {"deed": deed, **values} | {f"base:{k}": "" for k in values}
        return self.client.post(self.url(section), data=data)

    def opened(self) -> Any:
        return declarations.reload(self.id, self.user)

    def main(self, key: str) -> Any:
        return self.opened().answers.main.get(key)

    def rows(self, table: str, parent: str | None = None) -> list[Any]:
        return self.opened().answers.children(table, parent)


@pytest.fixture
def draft(context: Flask, client: FlaskClient) -> Draft:
    return Draft(client)


# -- pages -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("section", ["basic_info", "digital_basis", "digital_content", "other_info", "attachments"])
def test_every_section_opens(draft: Draft, section: str) -> None:
    page = draft.get(section)
    assert page.status_code == 200
    assert 'aria-current="step"' in page.text and "检查并提交" in page.text


def test_base_year_and_prefilled_texts_are_shown(draft: Draft) -> None:
    page = draft.get().text
    assert "2023年营业收入" in page and "{base_year}" not in page
    assert draft.user.enterprise.name in page and "已自动带出，可以改" in page


@pytest.mark.parametrize("path", ["sections/nothing", "sections/stamped", "sections/basic_info%00"])
def test_unknown_sections_are_not_found(draft: Draft, path: str) -> None:
    page = draft.client.get(f"/declarations/{draft.id}/{path}")
    assert page.status_code == 404 and "申报" in page.text


def test_the_statement_comes_first(context: Flask, client: FlaskClient) -> None:
    draft = Draft(client, accepted=False)
    assert draft.get().location.endswith("/statement")


def test_a_submitted_declaration_is_not_filled_in(context: Flask, client: FlaskClient) -> None:
    user = factories.make_account("enterprise")
    sent = factories.submitted(user)
    factories.login(client, user)
    assert client.get(f"/declarations/{sent.public_id}/sections/basic_info").status_code == 302
    answer = client.post(
        f"/declarations/{sent.public_id}/sections/basic_info", data={"revenue": "1", "base:revenue": ""}
    )
    assert answer.status_code == 409 and "正在办理" in answer.text


def test_other_people_find_nothing(draft: Draft, app: Flask) -> None:
    for role in ("enterprise", "individual"):
        other = factories.login(app.test_client(), factories.make_account(role))
        assert other.get(draft.url()).status_code == 404
        assert other.post(draft.url("basic_info", "/field"), data={"revenue": "1"}).status_code == 404
        assert other.post(draft.url(), data={"revenue": "1"}).status_code == 404
    officer = factories.login(app.test_client(), factories.make_account("city"))
    assert officer.get(draft.url()).status_code == 403
    nobody = app.test_client()
    assert nobody.get(draft.url()).status_code == 302
    assert nobody.post(draft.url("basic_info", "/field"), data={"revenue": "1"}, headers=HTMX).status_code == 401
    assert draft.main("revenue") is None


# -- one field ---------------------------------------------------------------------------------------------------


def test_a_field_saves_itself_and_tells_what_else_changed(draft: Draft) -> None:
    answer = draft.autosave("revenue", "8621.24")
    assert answer.status_code == 200 and "已保存" in answer.text
    assert answer.text.count('id="field-revenue"') == 1
    per_head = re.search(r'<div class="sb-field" id="field-revenue_per_capita"[^>]*>', answer.text)
    assert per_head and 'hx-swap-oob="true"' in per_head[0] and 'value="46.35"' in answer.text
    for part in ('id="saved"', 'id="rail"', 'id="summary"'):
        assert part in answer.text
    assert draft.main("revenue") == "8621.24"


BAD = [
    ("revenue", "12万"), ("revenue", "NaN"), ("revenue", "Infinity"), ("revenue", "1e400"), ("revenue", "-5"),
    ("revenue", "1.234567"), ("patents_cumulative", "3.5"), ("rd_ratio", "101"), ("contact_phone", "1390451218"),
    ("contact_name", "王" * 21), ("enterprise_intro", "字" * 2001), ("contact_name", "王\x07敏"), ("sub_industry", "没有这个行业"),
    ("enterprise_scale", "giant"), ("is_above_scale", "maybe"), ("quality_sme_status", ["none", "srdi"]),
    ("enterprise_scale", ["small", "medium"]),
]  # fmt: skip


@pytest.mark.parametrize(("path", "text"), BAD, ids=lambda x: str(x)[:16])
def test_bad_text_is_kept_and_marked(draft: Draft, path: str, text: Any) -> None:
    answer = draft.autosave(path, text, "" if path not in ("contact_name", "contact_phone") else None)
    assert answer.status_code == 200
    assert "sb-error" in answer.text, answer.text
    assert draft.main(path) == text
    assert "sb-error" in draft.get().text


def test_over_long_text_is_refused_with_its_length_and_stays_on_the_page(draft: Draft) -> None:
    answer = draft.autosave("enterprise_intro", "字" * 20_001, draft.user.enterprise.company_profile)
    assert answer.status_code == 422 and "20001" in answer.text
    assert "字" * 20_001 in answer.text
    assert draft.main("enterprise_intro") is None


def test_a_nul_does_not_break_the_database(draft: Draft) -> None:
    assert draft.autosave("profit", "1\x002").status_code == 200
    assert draft.main("profit") == "1\ufffd2"


@pytest.mark.parametrize(
    "path", ["no_such_field", "", "digital_needs/nope/need_type", "a/b/c/d/e", "revenue/x", "@audit_report"]
)
def test_unknown_fields_are_not_found(draft: Draft, path: str) -> None:
    assert draft.autosave(path, "1").status_code == 404


@pytest.mark.parametrize("path", ["enterprise_name", "credit_code", "city"])
def test_carried_over_fields_cannot_be_changed(draft: Draft, path: str) -> None:
    answer = draft.autosave(path, "别的")
    assert answer.status_code == 422 and "不能修改" in answer.text
    whole = draft.post("basic_info", **{path: "别的"})
    assert whole.status_code == 422 and "不能修改" in whole.text
    assert draft.main(path) is None


def test_prefilled_text_counts_as_typed_only_when_it_was_changed(draft: Draft) -> None:
    name = draft.user.enterprise.contact_name
    draft.client.post(draft.url(), data={"contact_name": name, "base:contact_name": name})
    assert draft.main("contact_name") is None, "carried over, still follows the enterprise"
    draft.autosave("contact_name", "", name)
    assert draft.main("contact_name") == ""
    assert draft.opened().evaluation.find("contact_name").empty, "emptied on purpose stays empty"


def test_a_conditional_requirement_shows_at_once(draft: Draft) -> None:
    project = draft.rows("digital_projects")[0].id
    path = f"digital_projects/{project}/cloud_service_type"
    answer = draft.autosave(path, "public_cloud", section="digital_content")
    provider = answer.text[answer.text.index("cloud_provider") :]
    assert "选填" not in provider[: provider.index("</label>")]
    answer = draft.autosave(path, "not_on_cloud", "public_cloud", section="digital_content")
    provider = answer.text[answer.text.index("cloud_provider") :]
    assert "选填" in provider[: provider.index("</label>")]


def test_two_tabs_overwrite_nothing(draft: Draft) -> None:
    draft.autosave("profit", "1")
    answer = draft.autosave("profit", "3", "")
    assert answer.status_code == 409
    assert "改成了“1”" in answer.text and 'value="3"' in answer.text and "用我写的" in answer.text
    assert draft.main("profit") == "1"
    taken = draft.client.post(
        draft.url("basic_info", "/field"),
        data={"deed": "theirs:profit", "profit": "3", "base:profit": "1"}, headers=HTMX,
    )  # fmt: skip
    assert taken.status_code == 200 and 'value="1"' in taken.text
    mine = draft.client.post(
        draft.url("basic_info", "/field"), data={"deed": "mine:profit", "profit": "3", "base:profit": "1"}, headers=HTMX
    )
    assert mine.status_code == 200 and draft.main("profit") == "3"


# -- whole sections ----------------------------------------------------------------------------------------------


def test_a_section_is_saved_by_an_ordinary_post(draft: Draft) -> None:
    answer = draft.post("basic_info", "next", revenue="12万", profit="5")
    assert answer.status_code == 303 and answer.location.endswith("/sections/digital_basis")
    assert (draft.main("revenue"), draft.main("profit")) == ("12万", "5")
    assert draft.post("digital_basis", "previous").location.endswith("/sections/basic_info")
    assert draft.post("other_info", "check").location.endswith("/check")


def test_unticked_boxes_are_saved_as_nothing(draft: Draft) -> None:
    draft.autosave("quality_sme_status", ["srdi", "innovative"])
    draft.client.post(draft.url(), data={"base:quality_sme_status": ["srdi", "innovative"]})
    assert draft.main("quality_sme_status") == []


def test_a_conflict_in_a_section_saves_the_rest_and_shows_both(draft: Draft) -> None:
    draft.autosave("profit", "1")
    answer = draft.post("basic_info", "next", profit="3", revenue="100")
    assert answer.status_code == 409 and "改成了“1”" in answer.text and 'value="3"' in answer.text
    assert (draft.main("profit"), draft.main("revenue")) == ("1", "100")
    again = draft.client.post(draft.url(), data={"deed": "theirs:profit", "profit": "3", "base:profit": "1"})
    assert again.status_code == 303 and draft.main("profit") == "1"


def test_a_refused_post_shows_everything_that_was_typed(draft: Draft) -> None:
    answer = draft.post("basic_info", revenue="77.5", enterprise_intro="字" * 20_001)
    assert answer.status_code in (409, 422)
    assert 'value="77.5"' in answer.text and "字" * 20_001 in answer.text
    unknown = draft.post("basic_info", "explode", revenue="78")
    assert unknown.status_code == 422 and "不认识这个按钮" in unknown.text and draft.main("revenue") == "78"


def test_rows_are_added_copied_moved_removed_restored(draft: Draft) -> None:
    first = draft.rows("digital_needs")[0]
    kind = f"digital_needs/{first.id}/need_type"
    answer = draft.post("digital_basis", "add:digital_needs", **{kind: "甲"})
    at = parse_qs(urlsplit(answer.location).query)["at"][0]
    second = draft.rows("digital_needs")[1]
    assert at == f"digital_needs/{second.id}"
    assert f'id="row-{at.replace("/", "-")}" data-arrive' in draft.client.get(answer.location).text
    draft.post("digital_basis", f"copy:digital_needs/{first.id}")
    assert [r.values.get("need_type") for r in draft.rows("digital_needs")] == ["甲", "甲", None]
    draft.post("digital_basis", f"up:{at}")
    draft.post("digital_basis", f"up:{at}")
    assert draft.rows("digital_needs")[0].id == second.id
    draft.post("digital_basis", f"down:{at}")
    assert draft.rows("digital_needs")[1].id == second.id
    answer = draft.post("digital_basis", f"remove:digital_needs/{first.id}")
    page = draft.client.get(answer.location).text
    assert f'value="restore:digital_needs/{first.id}"' in page and len(draft.rows("digital_needs")) == 2
    draft.post("digital_basis", f"restore:digital_needs/{first.id}")
    assert [r.values.get("need_type") for r in draft.rows("digital_needs")].count("甲") == 2


def test_nested_rows_come_with_their_project_and_are_at_most_three(draft: Draft) -> None:
    draft.post("digital_content", "add:digital_projects")
    first, second = draft.rows("digital_projects")
    assert len(draft.rows("service_providers", second.id)) == 1
    place = f"digital_projects/{first.id}/service_providers"
    for _ in range(2):
        assert draft.post("digital_content", f"add:{place}").status_code == 303
    refused = draft.post("digital_content", f"add:{place}", **{f"digital_projects/{first.id}/project_name": "没丢"})
    assert refused.status_code == 422 and "最多 3 个" in refused.text and "没丢" in refused.text
    provider = draft.rows("service_providers", first.id)[0]
    answer = draft.post("digital_content", f"remove:{place}/{provider.id}")
    page = draft.client.get(answer.location).text
    assert page.count("已移除 1 个服务商") == 1
    draft.post("digital_content", f"copy:digital_projects/{first.id}")
    copy = draft.rows("digital_projects")[1]
    assert len(draft.rows("service_providers", copy.id)) == 2


@pytest.mark.parametrize("deed", ["add:nothing", "remove:digital_needs/none", "copy:x", "up:", "restore:digital_needs/none",
                                  "add:digital_projects/none/service_providers", "restore:", "add:"])  # fmt: skip
def test_deeds_on_rows_that_do_not_exist_change_nothing(draft: Draft, deed: str) -> None:
    before = len(draft.opened().rows)
    answer = draft.post("digital_content", deed)
    assert answer.status_code == 404 and "刷新" in answer.text or "没有可以恢复" in answer.text
    assert len(draft.opened().rows) == before


def test_missing_answers_are_marked_when_one_comes_from_the_check_page(draft: Draft) -> None:
    assert "这一项还没填" not in draft.get().text
    assert "这一项还没填" in draft.get(query="?fix=1").text


def test_tables_with_many_rows_show_one_as_a_form(draft: Draft) -> None:
    for _ in range(19):
        answers.add_row(draft.user, draft.id, "digital_needs")
    with unit_of_work() as session:
        main = session.scalars(select(AnswerRow).where(AnswerRow.table_key == "digital_needs").limit(1)).one()
        for n in range(5):
            session.add(AnswerRow(declaration_id=main.declaration_id, table_key="digital_needs", position=50 + n))
    rows = draft.rows("digital_needs")
    page = draft.get("digital_basis", f"?at=digital_needs/{rows[3].id}").text
    assert page.count("<details open>") == 1 and page.count("打开") >= 24
    assert f"base:digital_needs/{rows[3].id}/need_type" in page
    assert f"base:digital_needs/{rows[4].id}/need_type" not in page
    assert "最多 20 个，现在有 25 个" in page


# -- ended logins and old pages ------------------------------------------------------------------------------------


ORIGIN = {"Origin": "http://localhost"}


def test_a_post_without_a_login_waits_in_the_session_and_is_offered_again(draft: Draft, app: Flask) -> None:
    browser = app.test_client()
    answer = browser.post(draft.url(), data={"profit": "99", "base:profit": "", "deed": "next"}, headers=ORIGIN)
    assert answer.status_code == 303 and "/account/login" in answer.location and "basic_info" in answer.location
    with browser.session_transaction() as session:
        session["_user_id"], session["_fresh"] = str(draft.user.id), True
    page = browser.get(draft.url()).text
    assert "还没有保存" in page and 'value="99"' in page and draft.main("profit") is None
    assert "还没有保存" not in browser.get(draft.url("other_info")).text
    browser.post(draft.url(), data={"profit": "99", "base:profit": "", "deed": "save"})
    assert draft.main("profit") == "99"
    assert "还没有保存" not in browser.get(draft.url()).text


def test_what_was_kept_can_be_dropped(draft: Draft, app: Flask) -> None:
    browser = app.test_client()
    browser.post(draft.url(), data={"profit": "99", "base:profit": ""}, headers=ORIGIN)
    with browser.session_transaction() as session:
        session["_user_id"], session["_fresh"] = str(draft.user.id), True
    assert browser.post(draft.url(), data={"deed": "forget", "profit": "99", "base:profit": ""}).status_code == 303
    assert "还没有保存" not in browser.get(draft.url()).text and draft.main("profit") is None


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}, {"Referer": "https://evil.example/x"}])
def test_posts_from_elsewhere_are_not_kept(draft: Draft, app: Flask, headers: dict[str, str]) -> None:
    browser = app.test_client()
    assert browser.post(draft.url(), data={"profit": "99"}, headers=headers).status_code == 302
    assert not browser.get_cookie("session")


def test_a_kept_post_has_a_limit(draft: Draft, app: Flask) -> None:
    answer = app.test_client().post(draft.url(), data={"enterprise_intro": "字" * 200_000}, headers=ORIGIN)
    assert answer.status_code == 413 and "后退" in answer.text


def test_a_page_with_an_old_token_loses_nothing(draft: Draft, app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    answer = draft.client.post(
        draft.url(), data={"profit": "99", "base:profit": "", "csrf_token": "old"}, headers=ORIGIN
    )
    assert answer.status_code == 303 and draft.main("profit") is None
    assert 'value="99"' in draft.client.get(draft.url()).text
    forged = draft.client.post(draft.url(), data={"profit": "1"}, headers={"Origin": "https://evil.example"})
    assert forged.status_code == 400 and draft.main("profit") is None


# -- returned, newer versions ---------------------------------------------------------------------------------------


def returned(client: FlaskClient, *paths: str) -> tuple[Any, Declaration]:
    """A declaration that came back with a remark on each of ``paths`` (``{project}``: id of the first project)."""
    from app.models import Remark
    from app.models.base import now

    user = factories.make_account("enterprise")
    sent = factories.submitted(user)
    officer = factories.make_account("city")
    project = declarations.reload(sent.public_id, user).answers.children("digital_projects")[0].id
    for path in paths:
        factories.store(Remark(
            declaration_id=sent.id, path=path.format(project=project), label="某项", text="请按审计报告填写", step_key="preliminary_review",
            revision_no=1, author_id=officer.id, author_name="赵科长", created_at=now(),
        ))  # fmt: skip
    factories.perform(officer, sent, "return", "请修改")
    factories.login(client, user)
    return user, factories.find(sent.public_id)


def test_only_what_was_returned_can_be_changed(context: Flask, client: FlaskClient) -> None:
    user, declaration = returned(client, "revenue")
    url = f"/declarations/{declaration.public_id}/sections/basic_info"
    page = client.get(url).text
    assert "请按审计报告填写" in page and "只有退回的几项可以改" in page
    assert re.search(r'id="profit"[^>]*readonly', page) and not re.search(r'id="revenue"[^>]*readonly', page)
    stored = declarations.reload(declaration.public_id, user).answers.main
    ok = client.post(f"{url}/field", data={"revenue": "5000", "base:revenue": stored["revenue"]}, headers=HTMX)
    assert ok.status_code == 200
    no = client.post(f"{url}/field", data={"profit": "1", "base:profit": stored["profit"]}, headers=HTMX)
    assert no.status_code == 409 and "没有退回" in no.text
    rows = client.post(
        f"/declarations/{declaration.public_id}/sections/digital_basis", data={"deed": "add:digital_needs"}
    )
    assert rows.status_code == 409 and "不能增减行" in rows.text
    assert "add:digital_needs" not in client.get(f"/declarations/{declaration.public_id}/sections/digital_basis").text


def test_a_returned_table_opens_its_rows(context: Flask, client: FlaskClient) -> None:
    _user, declaration = returned(client, "digital_needs")
    answer = client.post(
        f"/declarations/{declaration.public_id}/sections/digital_basis", data={"deed": "add:digital_needs"}
    )
    assert answer.status_code == 303


def test_a_draft_moves_to_a_newer_version_and_keeps_its_texts(draft: Draft) -> None:
    from app.models import Programme
    from app.models.base import now

    draft.autosave("profit", "12")
    with unit_of_work() as session:
        old = session.scalars(select(Programme).where(Programme.key == factories.INTAKE, Programme.current)).one()
        content = old.content.replace("年利润", "年利润总额")
        old.current = False
        session.add(
            Programme(
                key=old.key,
                number=2,
                title=old.title,
                kind=old.kind,
                digest="x" * 64,
                content=content,
                created_at=now(),
            )
        )
    assert "申报表有新版本" in draft.get().text and "年利润总额" not in draft.get().text
    assert draft.client.post(f"/declarations/{draft.id}/rebase").status_code == 303
    page = draft.get().text
    assert "年利润总额" in page and 'value="12"' in page and "申报表有新版本" not in page
    assert db.session.scalar(select(func.count()).select_from(Event).where(Event.action == "rebase")) == 1
