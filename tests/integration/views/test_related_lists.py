"""Child tables on the page of their parent: paged, cheap however many rows, and one step away from their own list."""

from __future__ import annotations

import re
import time
from typing import Any
from urllib.parse import unquote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, insert, select

from app.definitions import registry
from app.extensions import db
from app.models import Declaration, Holiday
from app.models.base import new_public_id
from app.models.generated import build_projection
from app.permissions import roles
from app.services.unit_of_work import unit_of_work
from tests.factories import INTAKE, login, make_account, submitted
from tests.integration.views.test_admin import counted
from tests.shared_world import visible

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
FORM = f"form_{INTAKE}"
PROJECTS, PROVIDERS = f"{FORM}_digital_projects", f"{FORM}_service_providers"


@pytest.fixture
def city(context: Flask) -> FlaskClient:
    return login(context.test_client(), make_account(roles.CITY))


@pytest.fixture
def sent(context: Flask) -> Declaration:
    return submitted()


def model_of(name: str) -> Any:
    return next(m for m in build_projection(registry.catalogue().get(INTAKE)).all() if m.__tablename__ == name)


def key_of(name: str, declaration: Declaration) -> int:
    model = model_of(name)
    return db.session.scalars(select(model.id).where(model.declaration_id == declaration.id).order_by(model.id)).first()


def add_projects(declaration: Declaration, count: int) -> None:
    """Rows as a large form would have; written at once, since reading them is what is tested."""
    model = model_of(PROJECTS)
    form = key_of(FORM, declaration)
    rows = [
        {"declaration_id": declaration.id, "form_id": form, "row_id": new_public_id(), "position": n + 2,
         "project_name": f"项目{n:05d}"}
        for n in range(count)
    ]  # fmt: skip
    with unit_of_work() as session:
        session.execute(insert(model), rows)


def test_five_thousand_rows_cost_no_more_than_one(city: FlaskClient, sent: Declaration) -> None:
    address = f"/admin/{FORM}/show/{key_of(FORM, sent)}"
    city.get(address)
    with counted() as few:
        assert city.get(address).status_code == 200
    add_projects(sent, 5_000)
    start = time.perf_counter()
    with counted() as many:
        page = city.get(address)
    assert len(many) <= len(few) + 1, "one more for the related names of rows, however many"
    assert time.perf_counter() - start < 1.5
    assert page.text.count(f"/admin/{PROJECTS}/show/") == 20
    assert "共 5,001 条，第 1 / 251 页" in visible(page)


def test_the_pages_of_a_child_table(city: FlaskClient, sent: Declaration) -> None:
    add_projects(sent, 60)
    address = f"/admin/{FORM}/show/{key_of(FORM, sent)}"
    last = city.get(f"{address}?page_Grid_{PROJECTS}=3")
    assert "第 4 / 4 页" in visible(last) and last.text.count(f"/admin/{PROJECTS}/show/") == 1
    beyond = city.get(f"{address}?page_Grid_{PROJECTS}=99")
    assert "第 4 / 4 页" in visible(beyond)
    ordered = city.get(f"{address}?_oc_Grid_{PROJECTS}=position&_od_Grid_{PROJECTS}=asc")
    assert ordered.status_code == 200


@pytest.mark.parametrize(
    "query",
    ["page_Grid_{t}=x", "psize_Grid_{t}=-1", "_oc_Grid_{t}=password", "_od_Grid_{t}=sideways", "_oc_Grid_other=position",
     "_flt_9_nothing=1"],
)  # fmt: skip
def test_nonsense_about_a_child_table(city: FlaskClient, sent: Declaration, query: str) -> None:
    answer = city.get(f"/admin/{FORM}/show/{key_of(FORM, sent)}?{query.replace('{t}', PROJECTS)}")
    assert answer.status_code == 422


def test_the_way_to_the_own_list(city: FlaskClient, sent: Declaration) -> None:
    add_projects(sent, 3)
    submitted(seed=2)
    page = city.get(f"/admin/{FORM}/show/{key_of(FORM, sent)}").text
    link = re.search(rf'href="(/admin/{PROJECTS}/list/\?[^"]+)"', page)
    assert link is not None and unquote(link[1]).endswith(f"_flt_1_declaration.serial_no={sent.serial_no}")
    own = city.get(link[1])
    assert "共 4 条" in visible(own) and f"受理号 等于 {sent.serial_no}" in visible(own)


def test_rows_in_rows_name_the_one_above(city: FlaskClient, sent: Declaration) -> None:
    parent = model_of(PROJECTS)
    title, key = db.session.execute(
        select(parent.project_name, parent.id).where(parent.declaration_id == sent.id)
    ).one()
    page = city.get(f"/admin/{PROJECTS}/show/{key}").text
    link = re.search(rf'href="(/admin/{PROVIDERS}/list/\?[^"]+)"', page)
    assert link is not None
    own = city.get(link[1].replace("&amp;", "&"))
    expected = db.session.scalar(select(func.count()).where(model_of(PROVIDERS).parent_id == key))
    assert f"共 {expected} 条" in visible(own) and f"等于 {title}" in visible(own)


def test_a_page_beyond_the_last_is_the_last(city: FlaskClient) -> None:
    total = db.session.query(Holiday).count()
    pages = -(-total // 20)
    beyond = city.get("/admin/holiday/list/?page_Grid_holiday=99")
    assert beyond.status_code == 200
    assert f"第 {pages} / {pages} 页" in visible(beyond)
    empty = city.get("/admin/holiday/list/?page_Grid_holiday=99&_flt_1_name=没有这一天")
    assert "这里还没有记录" in visible(empty)


def test_a_form_that_is_older_than_the_record(context: Flask, city: FlaskClient) -> None:
    key = db.session.scalars(select(Holiday.id).order_by(Holiday.id)).first()

    def shown() -> str:
        found = re.search(r'name="shown"[^>]*value="(\w+)"', city.get(f"/admin/holiday/edit/{key}").text)
        assert found is not None
        return found[1]

    day = str(db.session.get_one(Holiday, key).day)
    old = shown()
    assert city.post(f"/admin/holiday/edit/{key}", data={"day": day, "name": "先改的", "shown": old}).status_code == 302
    late = city.post(f"/admin/holiday/edit/{key}", data={"day": day, "name": "后改的", "shown": old})
    assert late.status_code == 409 and "刚被别人改过" in visible(late)
    assert 'value="后改的"' in late.text, "what was typed stays"
    assert db.session.get_one(Holiday, key).name == "先改的"
    assert city.post(f"/admin/holiday/edit/{key}", data={"day": day, "name": "后改的"}).status_code == 409


def test_a_region_in_use_says_so_on_its_page(city: FlaskClient, sent: Declaration) -> None:
    page = city.get("/admin/region/list/?_flt_1_code=230108").text
    key = re.search(r"/admin/region/show/(\d+)", page)
    assert key is not None
    refused = city.post(f"/admin/region/delete/{key[1]}")
    assert refused.status_code == 409
    assert "正在使用，不能删除" in visible(refused) and "企业（" in visible(refused)
