"""The grids through their addresses: whose doors, which rows, refused nonsense, changes that leave an event, exports."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
import python_calamine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select

from app.extensions import db
from app.models import Account, Declaration, Event, Holiday, Industry, Notice, Region
from app.models.generated import build_projection
from app.permissions import roles
from app.services.answers import save_answers
from app.services.declaration import definition_of
from tests.factories import (
    INTAKE,
    filled_draft,
    login,
    make_account,
    make_batch,
    make_enterprise,
    perform,
    submitted,
)

FORM = f"form_{INTAKE}"
sqlite_only = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def as_role(app: Flask, role: str, **facts: Any) -> FlaskClient:
    return login(app.test_client(), make_account(role, **facts))


@pytest.fixture
def city(context: Flask) -> FlaskClient:
    return as_role(context, roles.CITY)


# -- doors ----------------------------------------------------------------------------------------------------------

OFFICES = dict.fromkeys(roles.OFFICERS, "r")
# Family → (a grid of it, what each role may do), by hand. r: list, show and export; l: list and show; w: everything that
# reference data has; c: reading, and what stands outside the route of a declaration.
FAMILIES = {
    "declarations": ("declaration", OFFICES | {roles.EXPERT: "l", roles.ADMIN: "r"}),
    "generated form": (FORM, OFFICES | {roles.EXPERT: "l", roles.CITY: "c", roles.ADMIN: "c"}),
    "generated rows": (f"{FORM}_service_providers", OFFICES | {roles.EXPERT: "l", roles.ADMIN: "r"}),
    "enterprises": ("enterprise", OFFICES | {roles.ADMIN: "r"}),
    "accounts": ("account", {roles.CITY: "l", roles.ADMIN: "r"}),
    "records": ("event", {roles.CITY: "r", roles.ADMIN: "r"}),
    "definitions": ("programme", {roles.CITY: "l", roles.ADMIN: "r"}),
    "reference": ("region", {roles.CITY: "w", roles.ADMIN: "w"}),
    "notices": ("notice", {roles.CITY: "w", roles.ADMIN: "w"}),
    "operations": ("login_session", {roles.ADMIN: "r"}),
}
VERBS = ("list", "show", "export", "add", "edit", "delete", "correct", "void")
READ = {"list", "show", "export"}
MAY = {"r": READ, "l": {"list", "show"}, "w": set(VERBS) - {"correct", "void"}, "c": READ | {"add", "correct", "void"}}
THERE = dict.fromkeys(("region", "notice"), MAY["w"]) | {FORM: MAY["c"]}
"""Grids with more addresses than those for reading."""


def ask(client: FlaskClient, grid: str, verb: str) -> int:
    """Status of the verb's address; 404 for a missing record shows that the door itself was open."""
    path = {"list": "list/", "export": "export", "add": "add"}.get(verb, f"{verb}/4000000")
    method = client.post if verb == "delete" else client.get
    return method(f"/admin/{grid}/{path}").status_code


@sqlite_only
@pytest.mark.parametrize("role", [*roles.ALL, None])
def test_doors(context: Flask, role: str | None) -> None:
    client = as_role(context, role) if role else context.test_client()
    for family, (grid, allowed) in FAMILIES.items():
        for verb in VERBS:
            status = ask(client, grid, verb)
            if verb not in THERE.get(grid, READ):
                assert status == 404, (family, verb, "no such address")
            elif verb in MAY.get(allowed.get(role or "", ""), set()):
                assert status in (200, 404), (family, verb)
            else:
                assert status == (403 if role else 302), (family, verb)


@sqlite_only
def test_strangers_are_led_to_sign_in_and_back(client: FlaskClient) -> None:
    door = client.get("/admin/region/list/?_flt_0_name=平房")
    page = client.get(door.headers["Location"])
    assert page.headers["Location"].startswith("/account/login?next=/admin/region/list/")
    assert client.get("/admin/").headers["Location"].startswith("/account/login")


@sqlite_only
def test_an_administrators_change_of_doors_holds(context: Flask) -> None:
    """The rows of the database decide, not the table in the code: what is taken away stays away until the next sync."""
    from flask_appbuilder.security.sqla.models import Role

    from app.services.unit_of_work import unit_of_work

    client = as_role(context, roles.DISTRICT)
    assert client.get("/admin/enterprise/list/").status_code == 200
    with unit_of_work() as session:
        role = session.scalars(select(Role).where(Role.name == roles.DISTRICT)).one()
        role.permissions = [p for p in role.permissions if p.view_menu.name != "grid_enterprise"]
    assert client.get("/admin/enterprise/list/").status_code == 403
    assert 'href="/admin/enterprise/list/"' not in client.get("/admin/").text


@sqlite_only
def test_the_index_shows_what_may_be_opened(context: Flask) -> None:
    assert as_role(context, roles.ENTERPRISE).get("/admin/").status_code == 403
    assert as_role(context, roles.INDIVIDUAL).get("/admin/").status_code == 403
    expert = as_role(context, roles.EXPERT).get("/admin/").text
    assert "/admin/declaration/list/" in expert and "/admin/opinion/list/" not in expert
    district, admin = (
        as_role(context, roles.DISTRICT).get("/admin/").text,
        as_role(context, roles.ADMIN).get("/admin/").text,
    )
    assert "/admin/region/list/" not in district
    assert "/admin/login_session/list/" not in district
    assert {f"/admin/{g.name}/list/" for g in context.extensions["grids"]} <= set(re.findall(r'href="([^"]+)"', admin))
    found = as_role(context, roles.CITY).get("/admin/?q=节假").text
    assert "/admin/holiday/list/" in found
    assert "/admin/region/list/" not in found
    assert "没有名字里带" in as_role(context, roles.CITY).get("/admin/?q=没有这张表").text


# -- whose rows -----------------------------------------------------------------------------------------------------


@pytest.fixture
def two(context: Flask) -> tuple[Declaration, Declaration]:
    """A submission of 平房区 and one of 道里区."""
    batch = make_batch()
    there = make_account(roles.ENTERPRISE, enterprise=make_enterprise(region="230102"))
    return submitted(batch=batch), perform(there, filled_draft(there, batch), "submit")


def test_rows_in_scope(context: Flask, two: tuple[Declaration, Declaration]) -> None:
    ours, theirs = (d.enterprise_name for d in two)
    seen = {}
    for role, region in (
        (roles.CITY, None),
        (roles.DISTRICT, "230108"),
        (roles.DISTRICT, "230102"),
        (roles.CITY, "230200"),
    ):
        client = as_role(context, role, region=region)
        pages = [client.get(f"/admin/{grid}/list/").text for grid in ("declaration", FORM, "enterprise")]
        seen[role, region] = [(ours in page, theirs in page) for page in pages]
    assert seen[roles.CITY, None] == [(True, True)] * 3
    assert seen[roles.DISTRICT, "230108"] == [(True, False)] * 3
    assert seen[roles.DISTRICT, "230102"] == [(False, True)] * 3
    assert seen[roles.CITY, "230200"] == [(False, False)] * 3


def test_drafts_are_nobodys_business(context: Flask, city: FlaskClient) -> None:
    owner = make_account(roles.ENTERPRISE)
    draft = filled_draft(owner, make_batch())
    assert city.get(f"/admin/declaration/show/{draft.id}").status_code == 404
    assert "共 0 条" in city.get("/admin/declaration/list/").text


def rows_of(grid: Any, declaration: Declaration) -> list[int]:
    """Ids of the grid's rows that belong to the declaration."""
    if grid.name == "declaration":
        return [declaration.id]
    if hasattr(grid.model, "declaration_id"):
        return list(db.session.scalars(select(grid.model.id).where(grid.model.declaration_id == declaration.id)))
    return []


def test_foreign_records_do_not_exist(context: Flask, two: tuple[Declaration, Declaration]) -> None:
    own, foreign = two
    perform(make_account(roles.CITY), foreign, "reject", "不符合。")
    client = as_role(context, roles.DISTRICT)
    tried = 0
    for grid in context.extensions["grids"]:
        allowed = "show" in roles.doors(grid.name).get(roles.DISTRICT, ())
        for pk in rows_of(grid, foreign) if allowed else []:
            assert client.get(f"/admin/{grid.name}/show/{pk}").status_code == 404, grid.name
            tried += 1
    assert tried >= 8
    assert client.get(f"/admin/declaration/show/{own.id}").status_code == 200
    assert client.get(f"/admin/enterprise/show/{foreign.enterprise_id}").status_code == 404


def test_exports_and_counts_keep_to_the_scope(context: Flask, two: tuple[Declaration, Declaration]) -> None:
    client = as_role(context, roles.DISTRICT)
    lines = sheet(client.get(f"/admin/{FORM}/export"))
    assert [two[0].serial_no in line for line in lines[1:]] == [True]
    counts = dict(re.findall(r'href="/admin/(\w+)/list/">[^<]+<span>([\d,]+)</span>', client.get("/admin/").text))
    assert (counts["declaration"], counts[FORM], counts["enterprise"]) == ("1", "1", "1")


# -- nonsense -------------------------------------------------------------------------------------------------------

NONSENSE = [
    ("list/?page_Grid_{name}=x", 422, "页码要是数字"),
    ("list/?psize_Grid_{name}=-1", 422, "页码要是数字"),
    ("list/?page_Grid_{name}=99999999999", 422, "页码要是数字"),
    ("list/?_oc_Grid_{name}=password&_od_Grid_{name}=asc", 422, "不能按“password”排序"),
    ("list/?_oc_Grid_{name}=serial_no&_od_Grid_{name}=sideways", 422, "排序方向不对"),
    ("list/?_flt_0_password=x", 422, "没有这个筛选条件"),
    ("list/?_flt_9_serial_no=x", 422, "没有这个筛选条件"),
    ("list/?_flt_x=1", 422, "没有这个筛选条件"),
    ("list/?_flt_0_due_at=去年", 422, "“办理期限”不能按“去年”筛选"),
    ("list/?_flt_0_serial_no=" + "长" * 300, 422, "太长"),
    ("list/?_flt_0_serial_no=%00", 422, "不能用的符号"),
    ("export?_flt_0_due_at=2026-13-45", 422, "不能按"),
    ("export?_flt_0_password=x", 422, "没有这个筛选条件"),
    ("show/abc", 404, "没有找到这条记录"),
    ("show/-1", 404, "没有找到这条记录"),
    ("show/1.5", 404, "没有找到这条记录"),
    ("show/99999999999999999999999999", 404, "没有找到这条记录"),
    ("show/1%20OR%201=1", 404, "没有找到这条记录"),
]


@pytest.mark.parametrize(("path", "status", "words"), NONSENSE, ids=[n[0][:40] for n in NONSENSE])
def test_nonsense_is_refused_in_words(city: FlaskClient, path: str, status: int, words: str) -> None:
    response = city.get("/admin/declaration/" + path.replace("{name}", "declaration"))
    assert (response.status_code, words in response.text) == (status, True), response.text[-600:]


@pytest.mark.parametrize(
    ("grid", "name", "value"),
    [
        (FORM, "revenue", "很多"),
        (FORM, "revenue", "1e999"),
        (FORM, "revenue", "NaN"),
        ("enterprise", "employees", "9" * 30),
        ("enterprise", "registered_capital", "1" * 40),
        ("holiday", "day", "2026/01"),
        ("holiday", "working", "maybe"),
    ],
)
def test_values_that_do_not_fit_a_column(city: FlaskClient, grid: str, name: str, value: str) -> None:
    response = city.get(f"/admin/{grid}/list/?_flt_0_{name}={value}")
    assert response.status_code == 422, response.status_code
    assert "筛选" in response.text


def test_empty_filters_and_wild_signs_do_no_harm(city: FlaskClient, two: tuple[Declaration, Declaration]) -> None:
    assert "共 2 条" in city.get("/admin/declaration/list/?_flt_0_serial_no=&_flt_0_status=").text
    for text in ("%", "_", "'; DROP TABLE region; --", "<script>alert(1)</script>", "😀"):
        response = city.get("/admin/declaration/list/", query_string={"_flt_0_enterprise_name": text})
        assert response.status_code == 200
        assert "共 0 条" in response.text
        assert "<script>alert" not in response.text


def test_pages_are_capped(city: FlaskClient) -> None:
    text = city.get("/admin/industry/list/?psize_Grid_industry=5000").text
    assert text.count("/admin/industry/show/") <= 100 < db.session.query(Industry).count() or text.count("<tr") <= 102
    assert city.get("/admin/industry/list/?page_Grid_industry=900").status_code == 200


def test_actions_that_do_not_exist(city: FlaskClient) -> None:
    assert city.post("/admin/region/action/delete_all/1").status_code == 404
    assert city.post("/admin/region/action_post", data={"action": "delete_all", "rowid": ["1"]}).status_code == 404
    assert city.get("/admin/region/delete/1").status_code == 405, "a link never deletes"


# -- changing reference data ----------------------------------------------------------------------------------------


def last_event(action: str) -> Event:
    return db.session.scalars(select(Event).where(Event.action == action).order_by(Event.id.desc())).first()


def edit(client: FlaskClient, grid: str, key: int, data: dict[str, str]) -> Any:
    """Send the form of a record as its page has it, with ``data`` typed."""
    page = client.get(f"/admin/{grid}/edit/{key}").text
    shown = re.search(r'name="shown"[^>]*value="(\w+)"', page)
    assert shown is not None
    return client.post(f"/admin/{grid}/edit/{key}", data=data | {"shown": shown[1]})


def test_a_holiday_comes_changes_and_goes(context: Flask) -> None:
    user = make_account(roles.CITY)
    client = login(context.test_client(), user)
    added = client.post("/admin/holiday/add", data={"day": "2031-05-01", "name": "劳动节"})
    assert (added.status_code, added.headers["Location"]) == (302, "/admin/holiday/list/")
    row = db.session.scalars(select(Holiday).order_by(Holiday.id.desc())).first()
    assert (str(row.day), row.name, row.working) == ("2031-05-01", "劳动节", False)
    key = row.id
    noted = last_event("add")
    assert (noted.actor_id, noted.subject, noted.declaration_id) == (user.id, f"holiday:{row.id}", None)
    assert noted.data["名称"] == "劳动节"
    edit(client, "holiday", key, {"day": "2031-05-01", "name": "劳动节调休", "working": "y"})
    changed = db.session.get_one(Holiday, row.id)
    assert (changed.name, changed.working) == ("劳动节调休", True)
    assert last_event("edit").data["上班"] == "否 改为 是"
    assert client.post(f"/admin/holiday/delete/{key}").status_code == 302
    assert db.session.get(Holiday, key) is None
    assert last_event("delete").subject == f"holiday:{key}"


def test_a_region_comes_and_is_known_at_once(city: FlaskClient) -> None:
    data = {"code": "230199", "name": "试验区", "full_name": "黑龙江省 / 哈尔滨市 / 试验区", "level": "county",
            "parent_code": "230100", "active": "y"}  # fmt: skip
    assert city.post("/admin/region/add", data=data).status_code == 302
    assert [i["label"] for i in city.get("/pickers/regions?q=试验").json["items"]] == ["试验区"]
    key = db.session.scalars(select(Region.id).where(Region.code == "230199")).one()
    edit(city, "region", key, data | {"name": "新试验区"})
    assert db.session.get_one(Region, key).name == "新试验区"
    city.post(f"/admin/region/delete/{key}")
    assert db.session.get(Region, key) is None
    assert [last_event(a).subject for a in ("add", "edit", "delete")] == [f"region:{key}"] * 3


def test_a_notice_is_published_on_the_portal(city: FlaskClient, client: FlaskClient) -> None:
    data = {"title": "关于开展申报工作的通知", "level": "city", "category": "通知", "authority": "市工信局",
            "content": "各有关企业：现将有关事项通知如下。", "published_at": "2026-06-01T09:00", "visible": "y"}  # fmt: skip
    response = city.post("/admin/notice/add", data=data)
    assert response.status_code == 302, re.findall(r'class="[^"]*error[^"]*"[^>]*>([^<]+)', response.text)
    assert "关于开展申报工作的通知" in client.get("/notices/").text
    row = db.session.scalars(select(Notice)).one()
    assert row.published_at == datetime(2026, 6, 1, 1, tzinfo=UTC), "typed in Shanghai, stored in UTC"
    assert 'value="2026-06-01T09:00"' in city.get(f"/admin/notice/edit/{row.id}").text
    edit(city, "notice", row.id, {k: v for k, v in data.items() if k != "visible"})
    assert "关于开展申报工作的通知" not in client.get("/notices/").text
    assert last_event("edit").label == "修改"


@pytest.mark.parametrize(
    "data",
    [
        {"code": "", "name": "x", "full_name": "x", "level": "county"},
        {"code": "230199", "name": "名" * 41, "full_name": "x", "level": "county"},
        {"code": "230199", "name": "x", "full_name": "x", "level": "village"},
        {"code": "230199001", "name": "x", "full_name": "x", "level": "county"},
    ],
)
def test_a_bad_region_is_not_stored(city: FlaskClient, data: dict[str, str]) -> None:
    before = db.session.query(Region).count()
    response = city.post("/admin/region/add", data=data)
    assert response.status_code in (200, 422)
    assert db.session.query(Region).count() == before
    assert last_event("add") is None


def test_a_code_that_stands_already_is_refused(city: FlaskClient) -> None:
    before = db.session.query(Region).count()
    data = {"code": "230108", "name": "又一个", "full_name": "又一个", "level": "county", "active": "y"}
    response = city.post("/admin/region/add", data=data)
    assert "已经有这一条了" in response.text
    assert 'value="又一个"' in response.text, "what was typed stays"
    assert db.session.query(Region).count() == before
    assert last_event("add") is None


def test_a_day_that_stands_already_is_refused(city: FlaskClient) -> None:
    known = db.session.scalars(select(Holiday)).first()
    response = city.post("/admin/holiday/add", data={"day": str(known.day), "name": "又一个"})
    assert "已经有这一条了" in response.text
    wrong = city.post("/admin/holiday/add", data={"day": "五月一日", "name": "又一个"})
    assert wrong.status_code == 422
    assert last_event("add") is None


# -- export ---------------------------------------------------------------------------------------------------------


def sheet(response: Any) -> list[list[Any]]:
    assert response.status_code == 200
    assert "spreadsheetml" in response.content_type
    return python_calamine.load_workbook(io.BytesIO(response.data)).get_sheet_by_index(0).to_python()


def test_an_export_is_what_the_list_shows(context: Flask) -> None:
    user, batch = make_account(roles.CITY), make_batch()
    client = login(context.test_client(), user)
    for revenue in ("500.25", "1500", "2500.5"):
        owner = make_account(roles.ENTERPRISE)
        draft = filled_draft(owner, batch)
        save_answers(owner, draft.public_id, {"revenue": revenue})
        perform(owner, draft, "submit")
    address = "_flt_1_revenue=1000"
    assert "共 2 条" in client.get(f"/admin/{FORM}/list/?{address}").text
    lines = sheet(client.get(f"/admin/{FORM}/export?{address}"))
    column = next(i for i, head in enumerate(lines[0]) if "营业收入" in str(head) and "人均" not in str(head))
    assert sorted(line[column] for line in lines[1:]) == [1500, 2500.5]
    assert all(isinstance(line[column], (int, float)) for line in lines[1:])
    grid = next(g for g in context.extensions["grids"] if g.name == FORM)
    assert lines[0] == [c.head for c in grid.columns] and "2023年营业收入（万元）" in lines[0]
    noted = last_event("export")
    label = grid.column("revenue").label
    assert (noted.actor_id, noted.subject, noted.data) == (user.id, FORM, {label: "1000"})


def test_cells_are_no_formulas(context: Flask, city: FlaskClient) -> None:
    make_enterprise(name="=HYPERLINK(1)")
    lines = sheet(city.get("/admin/enterprise/export"))
    assert any("HYPERLINK" in str(cell) for line in lines for cell in line)
    content = city.get("/admin/enterprise/export").data
    import zipfile

    inside = zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in inside


# -- cost -----------------------------------------------------------------------------------------------------------


@contextmanager
def counted() -> Iterator[list[str]]:
    said: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        said.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


@sqlite_only
def test_statements_do_not_grow_with_rows(context: Flask, city: FlaskClient) -> None:
    batch, clerk = make_batch(), make_account(roles.CITY)
    grids = (
        "declaration",
        FORM,
        f"{FORM}_digital_projects",
        "enterprise",
        "account",
        "opinion",
        "event",
        "message",
        "attachment",
    )

    def cost() -> dict[str, int]:
        found = {}
        for grid in grids:
            with counted() as said:
                assert city.get(f"/admin/{grid}/list/").status_code == 200
            found[grid] = len(said)
        return found

    perform(clerk, submitted(batch=batch), "reject", "不符合。")
    for grid in grids:
        city.get(f"/admin/{grid}/list/")
    few = cost()
    for _ in range(5):
        perform(clerk, submitted(batch=batch), "reject", "不符合。")
    assert cost() == few
    assert max(few.values()) <= 12, few


@sqlite_only
def test_nothing_is_written_by_reading(context: Flask, city: FlaskClient) -> None:
    city.get("/admin/region/list/")
    with counted() as said:
        city.get("/admin/region/list/")
        city.get("/admin/region/show/1")
    assert [s for s in said if s.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE"))] == []


def test_every_generated_grid_has_its_model(context: Flask) -> None:
    models = {m for key in (INTAKE, "enterprise_certification") for m in build_projection(definition_of(key)).all()}
    assert models <= {g.model for g in context.extensions["grids"]}


def test_accounts_show_no_secret(context: Flask, city: FlaskClient) -> None:
    owner = make_account(roles.ENTERPRISE, phone="13912345678")
    page = city.get(f"/admin/account/show/{owner.id}").text
    assert "13912345678" not in page
    assert "139****5678" in page
    assert db.session.get_one(Account, owner.id).password not in page
