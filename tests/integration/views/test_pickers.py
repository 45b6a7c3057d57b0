"""What pickers are told: only records in scope, only to who may list them, never a text that was cut."""

from __future__ import annotations

import time

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert

from app.models import Enterprise
from app.models.base import new_public_id, now
from app.permissions import roles
from app.services.unit_of_work import unit_of_work
from tests.factories import login, make_account, make_batch, make_enterprise

sqlite_only = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def as_role(app: Flask, role: str, **facts: str) -> FlaskClient:
    return login(app.test_client(), make_account(role, **facts))


def names(client: FlaskClient, query: str, kind: str = "enterprise") -> list[str]:
    answer = client.get(f"/pickers/records/{kind}?{query}")
    assert answer.status_code == 200
    return [item["code"] for item in answer.json["items"]]


def test_enterprises_by_name_and_code_in_scope(context: Flask) -> None:
    ours = make_enterprise(name="平房轴承有限公司")
    make_enterprise(name="道里轴承有限公司", region="230102")
    code = ours.credit_code or ""
    city, district = as_role(context, roles.CITY), as_role(context, roles.DISTRICT)
    assert names(city, "q=轴承有限") == ["道里轴承有限公司", "平房轴承有限公司"]
    assert names(district, "q=轴承有限") == ["平房轴承有限公司"]
    assert names(district, f"q={code.lower()}") == ["平房轴承有限公司"]
    assert names(city, "q=平房轴承&by=code") == [code]
    assert names(city, "q=没有这一家") == []
    assert names(city, "q=%25") == [], "no wildcard"


@sqlite_only
def test_who_is_told(context: Flask) -> None:
    make_enterprise(name="平房轴承有限公司")
    statuses = {r: as_role(context, r).get("/pickers/records/enterprise?q=轴").status_code for r in roles.ALL}
    assert {r for r, s in statuses.items() if s == 200} == set(roles.STAFF)
    assert {s for s in statuses.values()} == {200, 403}
    city = as_role(context, roles.CITY)
    for unknown in ("event", "nothing", "declaration"):
        assert city.get(f"/pickers/records/{unknown}?q=a").status_code == 404


@sqlite_only
def test_batches_and_accounts(context: Flask) -> None:
    make_batch(title="2026 年第一批")
    make_batch(title="别处的批次", region_code="230200")
    make_account(roles.EXPERT, display_name="孙专家", region="230100")
    city = as_role(context, roles.CITY)
    assert names(city, "q=批", "batch") == ["2026 年第一批"]
    assert names(city, "q=孙专", "account") == ["孙专家"]
    assert as_role(context, roles.DISTRICT).get("/pickers/records/account?q=孙").status_code == 403


@sqlite_only
@pytest.mark.parametrize("path", ["regions", "industries", "records/enterprise"])
def test_a_text_that_is_too_long_is_refused(context: Flask, path: str) -> None:
    client = as_role(context, roles.CITY)
    assert client.get(f"/pickers/{path}?q={'长' * 40}").status_code == 200
    refused = client.get(f"/pickers/{path}?q={'长' * 41}", headers={"Accept": "application/json"})
    assert refused.status_code == 422
    assert "最多 40 个字，现在是 41 个" in refused.json["message"]


@sqlite_only
def test_ten_thousand_enterprises_stay_out_of_the_pages(context: Flask) -> None:
    """No list of all: pages stay small, and finding one by typing stays quick."""
    rows = [
        {"public_id": new_public_id(), "name": f"第{n:05d}号制造有限公司", "region_code": "230108", "created_at": now(),
         "certification_status": "approved", "version": 1}
        for n in range(10_000)
    ]  # fmt: skip
    with unit_of_work() as session:
        session.execute(insert(Enterprise), rows)
    make_batch()
    client = as_role(context, roles.CITY)
    for path in ("declaration/list/", "form_hrb_cultivation_intake/add", "recognition/list/", "account/list/"):
        page = client.get(f"/admin/{path}")
        assert page.status_code == 200 and len(page.data) < 120_000, path
        assert "号制造有限公司" not in page.text
        assert 'data-source="/pickers/records/enterprise' in page.text, path
    client.get("/pickers/records/enterprise?q=04999")
    start = time.perf_counter()
    found = names(client, "q=04999")
    assert found == ["第04999号制造有限公司"]
    assert time.perf_counter() - start < 0.5
    assert len(names(client, "q=制造")) == 20


@sqlite_only
def test_filters_take_names_where_scripts_do_not_run(context: Flask) -> None:
    make_enterprise(name="平房轴承有限公司")
    make_enterprise(name="道里轴承有限公司", region="230102")
    client = as_role(context, roles.CITY)
    page = client.get("/admin/enterprise/list/?_flt_0_region_code=平房区").text
    assert "平房轴承有限公司" in page and "道里轴承有限公司" not in page
    page = client.get("/admin/enterprise/list/?_flt_0_region_code=230102").text
    assert "道里轴承有限公司" in page and "平房轴承有限公司" not in page
    assert "道里区" in page, "the chip says the name of the code"
    assert 'data-source="/pickers/regions"' in page


@sqlite_only
def test_the_code_above_is_picked_in_forms(context: Flask) -> None:
    client = as_role(context, roles.CITY)
    page = client.get("/admin/region/add").text
    assert 'data-source="/pickers/regions"' in page and 'name="parent_code"' in page
    data = {
        "code": "230199",
        "name": "试验区",
        "full_name": "黑龙江省 / 哈尔滨市 / 试验区",
        "level": "county",
        "active": "y",
    }
    refused = client.post("/admin/region/add", data=data | {"parent_code": "没有这里"})
    assert refused.status_code == 422 and 'value="没有这里"' in refused.text
    assert client.post("/admin/region/add", data=data | {"parent_code": "平房区"}).status_code == 302
    key = client.get("/admin/region/list/?_flt_1_code=230199").text.split("/admin/region/show/")[1].split('"')[0]
    assert "230108" in client.get(f"/admin/region/show/{key}").text
