"""系统 › 角色权限: the pages on which an administrator gives and takes doors."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.permissions import roles
from app.services.permission import doors_of_role
from tests.contracts.test_grids import english
from tests.factories import PASSWORD, login, make_account
from tests.factories_care import give
from tests.shared_world import visible

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def admin(context: Flask) -> FlaskClient:
    return login(context.test_client(), make_account(roles.ADMIN))


def shown(client: FlaskClient, role: str) -> str:
    found = re.search(r'name="shown" value="(\w+)"', client.get(f"/system/roles/{role}").text)
    assert found is not None
    return found[1]


def test_the_list_counts(context: Flask, admin: FlaskClient) -> None:
    give(roles.DISTRICT, ("event", "list"))
    page = admin.get("/system/roles/")
    row = re.search(r'(?s)roles/district">区县工信</a></th>(.*?)</tr>', page.text)
    assert row is not None
    packaged = len(doors_of_role(roles.DISTRICT)) - 1
    assert re.findall(r">(\d+)</td>", row[1]) == ["0", str(packaged), "1"]
    assert english(page.text) == set()
    for outside in (roles.ENTERPRISE, roles.INDIVIDUAL):
        assert f"/system/roles/{outside}" not in page.text


def test_the_form_of_a_role(admin: FlaskClient) -> None:
    page = admin.get("/system/roles/district")
    box = re.search(r'<input[^>]*value="declaration:list"[^>]*>', page.text)
    extra = re.search(r'<input[^>]*value="event:list"[^>]*>', page.text)
    assert box and " checked" in box[0] and " disabled" in box[0]
    assert extra and " checked" not in extra[0] and " disabled" not in extra[0]
    assert 'value="region:edit"' in page.text and 'value="region:correct"' not in page.text
    assert 'value="form_hrb_cultivation_intake:void"' in page.text
    assert english(page.text) == set()


def test_giving_and_taking(context: Flask, admin: FlaskClient) -> None:
    district = login(context.test_client(), make_account(roles.DISTRICT))
    assert district.get("/admin/event/list/").status_code == 403
    data = {"door": ["event:list"], "shown": shown(admin, "district"), "password": PASSWORD}
    done = admin.post("/system/roles/district", data=data, follow_redirects=True)
    assert "加上 1 项，去掉 0 项" in done.text
    assert district.get("/admin/event/list/").status_code == 200, "at once"
    record = admin.get("/admin/event/list/?_flt_1_label=修改角色权限").text
    assert "角色 区县工信" in record
    data = {"door": [], "shown": shown(admin, "district"), "password": PASSWORD}
    assert "加上 0 项，去掉 1 项" in admin.post("/system/roles/district", data=data, follow_redirects=True).text
    assert district.get("/admin/event/list/").status_code == 403


def test_refusals_keep_the_ticks(admin: FlaskClient) -> None:
    data = {"door": ["event:list"], "shown": shown(admin, "district"), "password": "wrong"}
    refused = admin.post("/system/roles/district", data=data)
    assert refused.status_code == 422 and "密码不对" in visible(refused)
    assert " checked" in (re.search(r'<input[^>]*value="event:list"[^>]*>', refused.text) or [""])[0]
    stale = admin.post("/system/roles/district", data=data | {"shown": "x", "password": PASSWORD})
    assert stale.status_code == 409 and "刚被别人改过" in visible(stale)
    assert ("event", "list") not in doors_of_role(roles.DISTRICT)


@pytest.mark.parametrize("door", ["region:correct", "nothing", ":", "region:list:x", "\x00", "x" * 500])
def test_doors_that_there_are_not(admin: FlaskClient, door: str) -> None:
    data = {"door": [door], "shown": shown(admin, "district"), "password": PASSWORD}
    refused = admin.post("/system/roles/district", data=data)
    assert refused.status_code == 422 and "平台没有的" in visible(refused)


@pytest.mark.parametrize("name", ["enterprise", "individual", "Public", "nobody"])
def test_roles_without_a_page(admin: FlaskClient, name: str) -> None:
    assert admin.get(f"/system/roles/{name}").status_code == 404
    assert admin.post(f"/system/roles/{name}", data={"password": PASSWORD}).status_code == 404
