"""The wizard with two people in it: the heartbeat's answer, both texts with a name, removed rows, removed members."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.extensions import db
from app.models import Account
from app.permissions import roles
from app.services.answers import add_row, remove_row, save_answers
from app.services.declaration import accept_statement, load, start_declaration
from app.services.member import remove_member
from tests.factories import find, login, make_account, make_batch
from tests.factories_members import colleague

TABLE = "digital_needs"


@pytest.fixture
def owner(context: Flask) -> Account:
    return make_account(roles.ENTERPRISE, display_name="王经理")


@pytest.fixture
def draft(owner: Account) -> str:
    public_id = start_declaration(owner, make_batch().public_id)
    accept_statement(owner, public_id)
    return public_id


@pytest.fixture
def member(owner: Account) -> Account:
    return colleague(owner)


@pytest.fixture
def web(context: Flask, owner: Account) -> FlaskClient:
    return login(context.test_client(), owner)


@pytest.fixture
def other(context: Flask, member: Account) -> FlaskClient:
    return login(context.test_client(), member)


def text(response: Any) -> str:
    return re.sub(r"\s+", " ", response.get_data(as_text=True))


def visit(client: FlaskClient, draft: str, **data: str) -> Any:
    facts = {"section": "basic_info", "path": "", "since": find(draft).saved_at.isoformat()} | data
    return client.post(f"/declarations/{draft}/presence", data=facts)


def typed(draft: str, owner: Account) -> dict[str, object]:
    db.session.rollback()
    return dict(load(draft, db.session.get_one(Account, owner.id)).answers.main)


# -- the heartbeat ----------------------------------------------------------------------------------------------------


def test_the_page_says_where_to_report(web: FlaskClient, draft: str) -> None:
    page = text(web.get(f"/declarations/{draft}/sections/basic_info"))
    line = re.search(r'<div id="colleagues"[^>]*>', page)
    assert line and f'data-url="/declarations/{draft}/presence"' in line[0] and 'aria-live="polite"' in line[0]
    assert f'data-since="{find(draft).saved_at.isoformat()}"' in line[0] and 'data-section="basic_info"' in line[0]


def test_colleagues_and_their_changes(web: FlaskClient, other: FlaskClient, member: Account, draft: str) -> None:
    since = find(draft).saved_at.isoformat()
    assert "也在填" not in text(visit(web, draft))
    visit(other, draft, section="digital_basis")
    save_answers(member, draft, {"revenue": "1", "profit": "2"})
    page = text(visit(web, draft, since=since))
    assert re.search(
        r'<span class="sb-initial" aria-hidden="true">李</span><span class="small">李工也在填“[^”]+”', page
    )
    assert "有 2 处被李工改过，点此更新" in page
    changed = re.search(r'data-changed="([^"]*)"', page)
    assert changed and sorted(json.loads(html.unescape(changed[1]))) == ["profit", "revenue"]


def test_rows_are_told_without_fields(web: FlaskClient, member: Account, draft: str) -> None:
    since = find(draft).saved_at.isoformat()
    add_row(member, draft, TABLE)
    page = text(visit(web, draft, section="digital_basis", since=since))
    assert "李工增减了行，点此更新" in page and "data-rows" in page


@pytest.mark.parametrize("since", ["", "yesterday", "2026-13-01", "12"])
def test_a_visit_without_a_moment_is_refused(web: FlaskClient, draft: str, since: str) -> None:
    assert visit(web, draft, since=since).status_code == 422


@pytest.mark.parametrize("path", ["x" * 500, "<b>", "🏭"])
def test_strange_places_do_no_harm(web: FlaskClient, draft: str, path: str) -> None:
    assert visit(web, draft, path=path, section="y" * 500).status_code == 200


def test_strangers_are_not_there(context: Flask, draft: str) -> None:
    stranger = login(context.test_client(), make_account(roles.ENTERPRISE))
    assert visit(stranger, draft).status_code == 404
    assert visit(login(context.test_client(), make_account(roles.CITY)), draft).status_code == 403
    assert visit(context.test_client(), draft).status_code == 302


# -- the same field ---------------------------------------------------------------------------------------------------


def test_both_texts_with_name_and_time(web: FlaskClient, member: Account, owner: Account, draft: str) -> None:
    save_answers(member, draft, {"revenue": "200"}, {"revenue": ""})
    address = f"/declarations/{draft}/sections/basic_info/field"
    answer = web.post(address, data={"revenue": "300", "base:revenue": ""}, headers={"HX-Request": "true"})
    page = text(answer)
    assert answer.status_code == 409
    assert re.search(r"\d\d:\d\d 李工把这一项改成了“200”，没有覆盖。上面是您写的", page)
    assert "用我写的" in page and "用李工的" in page and 'value="300"' in page
    assert typed(draft, owner)["revenue"] == "200"
    web.post(address, data={"revenue": "300", "base:revenue": "200", "deed": "mine:revenue"})
    assert typed(draft, owner)["revenue"] == "300"


def test_the_same_without_scripts(web: FlaskClient, member: Account, owner: Account, draft: str) -> None:
    save_answers(member, draft, {"revenue": "200"}, {"revenue": ""})
    data = {"revenue": "300", "base:revenue": "", "profit": "7", "base:profit": ""}
    answer = web.post(f"/declarations/{draft}/sections/basic_info", data=data)
    assert answer.status_code == 409 and "李工把这一项改成了“200”" in text(answer)
    assert (typed(draft, owner)["revenue"], typed(draft, owner)["profit"]) == ("200", "7")


# -- rows --------------------------------------------------------------------------------------------------------------


def test_a_field_of_a_removed_row_keeps_its_text(web: FlaskClient, owner: Account, member: Account, draft: str) -> None:
    path = add_row(owner, draft, TABLE)
    remove_row(member, draft, path)
    name = f"{path}/need_type"
    answer = web.post(
        f"/declarations/{draft}/sections/digital_basis/field", data={name: "设备联网", f"base:{name}": ""}
    )
    page = text(answer)
    assert answer.status_code == 409
    assert "李工移除了这一行" in page and "设备联网</textarea>" in page and f'value="restore:{path}"' in page


def test_without_scripts_the_text_waits_until_the_row_is_back(
    web: FlaskClient, owner: Account, member: Account, draft: str
) -> None:
    path = add_row(owner, draft, TABLE)
    remove_row(member, draft, path)
    name, section = f"{path}/need_type", f"/declarations/{draft}/sections/digital_basis"
    answer = web.post(section, data={name: "设备联网", f"base:{name}": "", "deed": "save"})
    page = text(answer)
    assert answer.status_code == 409 and "李工移除了这一行" in page and f'value="restore:{path}"' in page
    back = web.post(section, data={"deed": f"restore:{path}"}, follow_redirects=True)
    assert back.status_code == 200
    assert "上次没有存上的内容已放回原处" in text(back) and 'value="设备联网"' in text(back)
    web.post(section, data={name: "设备联网", f"base:{name}": "", "deed": "save"})
    db.session.rollback()
    rows = load(draft, db.session.get_one(Account, owner.id)).answers.rows
    assert next(r for r in rows if r.id == path.split("/")[1]).values["need_type"] == "设备联网"


def test_an_untouched_removed_row_holds_nobody_up(
    web: FlaskClient, owner: Account, member: Account, draft: str
) -> None:
    path = add_row(owner, draft, TABLE)
    save_answers(owner, draft, {f"{path}/need_type": "甲"})
    remove_row(member, draft, path)
    name = f"{path}/need_type"
    answer = web.post(
        f"/declarations/{draft}/sections/digital_basis", data={name: "甲", f"base:{name}": "甲", "deed": "save"}
    )
    assert answer.status_code == 303


# -- a member who was removed ------------------------------------------------------------------------------------------


def test_the_open_page_of_a_removed_member(other: FlaskClient, owner: Account, member: Account, draft: str) -> None:
    section = f"/declarations/{draft}/sections/basic_info"
    assert other.get(section).status_code == 200
    remove_member(owner, member.id)
    data = {"revenue": "写了半天", "base:revenue": "", "profit": "5", "base:profit": "5", "deed": "save"}
    answer = other.post(section, data=data)
    page = text(answer)
    assert answer.status_code == 403
    assert "您已不是这家企业的成员" in page and "您刚写的内容没有保存，也没有丢" in page
    assert "<blockquote" in page and "写了半天" in page and ">5<" not in page
    assert typed(draft, owner).get("revenue") in (None, "")


def test_one_field_and_the_heartbeat_of_a_removed_member(
    other: FlaskClient, owner: Account, member: Account, draft: str
) -> None:
    remove_member(owner, member.id)
    answer = other.post(
        f"/declarations/{draft}/sections/basic_info/field",
        data={"revenue": "9", "base:revenue": ""}, headers={"HX-Request": "true"},
    )  # fmt: skip
    assert answer.status_code == 403 and "您已不是这家企业的成员" in text(answer)
    assert visit(other, draft).status_code in (403, 404)
    shown = other.get(f"/declarations/{draft}/sections/basic_info")
    assert shown.status_code == 403 and "不能再看和填这件申报" in text(shown) and "您刚写的" not in text(shown)


def test_strangers_still_find_nothing(context: Flask, draft: str) -> None:
    stranger = login(context.test_client(), make_account(roles.ENTERPRISE))
    answer = stranger.post(f"/declarations/{draft}/sections/basic_info", data={"revenue": "1", "deed": "save"})
    assert answer.status_code == 404
