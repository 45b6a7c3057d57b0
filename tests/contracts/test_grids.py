"""Every table has its grid, every grid is behind the safe base view, and people read Chinese on all of its pages."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_appbuilder.models.sqla.interface import SQLAInterface
from sqlalchemy import select

from app.definitions import registry
from app.definitions.defects import table_names
from app.extensions import db
from app.models import Account, Region
from app.models.base import Model
from app.permissions import roles
from app.services.permission import sync_permissions
from app.services.projection import sync_definitions
from app.views.admin.base import SafeModelView
from app.views.admin.core import GROUPS, all_grids, everybody
from app.views.admin.filters import ScopeFilter, attribute_of
from app.views.admin.spec import Column, Grid
from tests.conftest import make_app
from tests.factories import filled_draft, login, make_account, make_batch, perform, submitted
from tests.factories_everything import GRIDS, KEY, everything_batch, everything_draft, install

sqlite_only = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

# Core tables without a grid, each with the reason.
WITHOUT_GRID = {
    "answer_row": "drafts are nobody's business but the enterprise's",
    "blob": "content addresses; files are seen through attachments",
    "challenge": "lives two minutes and holds the answer",
    "sms_code": "lives five minutes and holds the code's digest",
    "throttle": "counts tries",
    "idempotency_key": "remembers forms that were posted",
    "counter": "the last serial number",
    "invitation": "whom an enterprise asks is its own business; who joined and left stands in the events",
    "presence": "where somebody was a minute ago",
    "api_token": "keys of other systems have a page of their own",
    "internal_note": "what offices tell each other stands on the page of the declaration alone",
    "bulk_act": "what became of a deed done on several at once has a page of its own",
    "webhook": "holds a secret and has a page of its own",
}


def own_tables() -> set[str]:
    """Names of this product's tables; Flask-AppBuilder's own begin with ab_, those of other tests' programmes with form_."""
    generated = {name for definition in registry.Catalogue(registry.CATALOGUE) for name in table_names(definition)}
    names = {m.class_.__tablename__ for m in Model.registry.mappers if m.class_.__module__.startswith("app.")}
    return {name for name in names if not name.startswith("form_") or name in generated}


@pytest.fixture(scope="module")
def grids() -> list[Grid]:
    return all_grids()


# -- completeness ---------------------------------------------------------------------------------------------------


def test_every_table_has_a_grid_or_a_reason(grids: list[Grid]) -> None:
    covered = {g.model.__tablename__ for g in grids}
    assert own_tables() - covered == set(WITHOUT_GRID)
    assert not covered & set(WITHOUT_GRID)


def test_grids_are_whole(grids: list[Grid]) -> None:
    names = [g.name for g in grids]
    assert len(names) == len(set(names))
    for grid in grids:
        assert grid.group in GROUPS
        assert grid.parent is None or grid.parent in names
        assert grid.listed, grid.name
        assert grid.searchable or grid.name.startswith("form_"), grid.name
        assert re.search(r"[\u4e00-\u9fff]", grid.label)
        labels = [c.label for c in grid.columns]
        assert len(labels) == len(set(labels)), (grid.name, "a column stands twice")
        for column in grid.columns:
            attribute_of(grid.model, column.path)
            assert re.search(r"[\u4e00-\u9fff]", column.label), (grid.name, column.path)
        with pytest.raises(KeyError):
            grid.column("nothing")


def test_only_closed_grids_hide_no_row(grids: list[Grid]) -> None:
    """A grid without row scope is open to the city or to administrators only, never to a district."""
    for grid in grids:
        if grid.scope is everybody:
            assert not roles.doors(grid.name).get(roles.DISTRICT), grid.name
            assert set(roles.doors(grid.name)) <= {roles.CITY, roles.ADMIN}


def test_writable_grids_are_those_with_writing_doors(grids: list[Grid]) -> None:
    assert {g.name for g in grids if g.writable} == roles.WRITABLE


def test_no_secret_is_a_column(grids: list[Grid]) -> None:
    secret = re.compile(r"password|cipher|digest_|_index|token|answer$|storage|address_index")
    shown = {(g.name, c.path) for g in grids for c in g.columns if secret.search(c.path)}
    assert shown == set()
    phones = {(g.name, c.path) for g in grids for c in g.columns if c.path.endswith("phone") and c.spec is None}
    assert all(next(g for g in grids if g.name == n).column(p).kind == "phone" for n, p in phones)


# -- the wall -------------------------------------------------------------------------------------------------------


@sqlite_only
def test_routes_of_grids(app: Flask) -> None:
    """Reading has no adding, changing or deleting address; nothing of Flask-AppBuilder's own is left."""
    routes: dict[str, set[str]] = {}
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/admin/") and rule.rule.count("/") > 2:
            routes.setdefault(rule.rule.split("/")[2], set()).add(rule.rule.split("/")[3])
            if "delete" in rule.rule or "action" in rule.rule:
                assert "GET" not in rule.methods, rule
    for grid in app.extensions["grids"]:
        reading = {"list", "show", "export", "action", "action_post"}
        assert routes.pop(grid.name) == reading | set(roles.deeds_of(grid.name))
    assert routes == {}
    paths = {r.rule for r in app.url_map.iter_rules()}
    own = {p for p in paths if p.startswith("/api/v1/")}
    assert own == {f"/api/v1/{rest}" for rest in ("", "openapi.json", "<string:name>", "<string:name>/<string:key>")}
    assert not [
        p for p in paths - own if p.startswith(("/users", "/roles", "/api", "/lang", "/back", "/swagger", "/openapi"))
    ]


@sqlite_only
def test_every_view_is_safe(app: Flask) -> None:
    views = [v for v in app.appbuilder.baseviews if hasattr(v, "datamodel")]
    assert len(views) == len(app.extensions["grids"])
    for view in views:
        assert isinstance(view, SafeModelView)
        assert [f[1] for f in view.base_filters] == [ScopeFilter]
        assert view.class_permission_name == f"grid_{view.grid.name}"


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "no filter": ({"base_filters": None}, "base_filters"),
    "empty list": ({"base_filters": []}, "base_filters"),
    "list value": ({"base_filters": [["id", ScopeFilter, []]]}, "fail-open"),
    "list with something": ({"base_filters": [["id", ScopeFilter, [1]]]}, "fail-open"),
    "no list columns": ({"list_columns": None}, "list_columns is missing"),
    "no show columns": ({"show_columns": None}, "show_columns is missing"),
    "no search columns": ({"search_columns": None}, "search_columns is missing"),
}


@sqlite_only
@pytest.mark.parametrize("name", BROKEN)
def test_an_unsafe_view_does_not_start(context: Flask, name: str) -> None:
    changes, words = BROKEN[name]
    good = {
        "datamodel": SQLAInterface(Region, db.session), "list_columns": ["code"], "show_columns": ["code"], "search_columns": ["code"],
        "base_filters": [["id", ScopeFilter, None]], "add_columns": ["code"], "edit_columns": ["code"],
    }  # fmt: skip
    with pytest.raises(RuntimeError, match=words):
        type("Unsafe", (SafeModelView,), good | changes)()


# -- Chinese --------------------------------------------------------------------------------------------------------

KNOWN = {"PDF", "MB", "KB", "Word", "Excel", "CEL", "GB", "APP", "MES", "ERP", "test", "invalid", "pdf"}
_HIDDEN = re.compile(r"<(script|style|svg|template)\b.*?</\1>", re.DOTALL)
_SPOKEN = re.compile(r'(?:aria-label|placeholder|title|alt)="([^"]*)"')


def english(page: str) -> set[str]:
    """Latin words that a person can read on the page; names with figures in them (hashes, accounts) are data."""
    page = _HIDDEN.sub(" ", page)
    spoken = " ".join(_SPOKEN.findall(page))
    text = html.unescape(re.sub(r"<[^>]+>", " ", page) + " " + spoken)
    tokens = re.findall(r"[A-Za-z0-9_@.\-/]+", text)
    return {t for t in tokens if re.fullmatch(r"[A-Za-z_]{3,}", t.strip("./-")) and t.strip("./-") not in KNOWN}


def test_english_is_found() -> None:
    assert english("<p>共 3 条 Records</p><script>var word</script>") == {"Records"}
    assert english('<input aria-label="Search here">') == {"Search", "here"}
    assert english("<p>PDF a1b2c3 enterprise12 哈</p>") == set()


@pytest.fixture
def lived(context: Flask) -> None:
    """Records in many tables: submitted, returned, rejected, recognised, told, remarked."""
    from app.services import review

    clerk, batch = make_account(roles.CITY), make_batch()
    sent = submitted(batch=batch)
    review.remark(clerk, sent.public_id, "profit", "请核对利润的单位。")
    perform(clerk, sent, "return", "请核对。")
    owner = make_account(roles.ENTERPRISE)
    perform(clerk, perform(owner, filled_draft(owner, batch), "submit"), "reject", "不符合。")
    client = login(context.test_client(), clerk)
    client.post("/admin/holiday/add", data={"day": "2031-05-01", "name": "劳动节"})
    client.get("/admin/declaration/export?_flt_0_status=returned")
    client.post("/admin/notice/add", data={
        "title": "关于申报的通知", "level": "city", "category": "通知", "authority": "市工信局", "content": "正文。",
        "published_at": "2026-06-01T09:00", "visible": "y",
    })  # fmt: skip


@sqlite_only
def test_people_read_chinese(context: Flask, lived: None) -> None:
    client = login(context.test_client(), make_account(roles.ADMIN))
    found: dict[str, set[str]] = {"index": english(client.get("/admin/").text)}
    shown = 0
    for grid in context.extensions["grids"]:
        found[f"{grid.name} list"] = english(client.get(f"/admin/{grid.name}/list/").text)
        pk = db.session.scalars(select(grid.model.id).order_by(grid.model.id.desc())).first()
        if pk is not None:
            page = client.get(f"/admin/{grid.name}/show/{pk}")
            assert page.status_code == 200, grid.name
            found[f"{grid.name} show"] = english(page.text)
            shown += 1
        for deed in {"add", "correct", "void"} & set(roles.deeds_of(grid.name)) if grid.parent is None else ():
            path = deed if deed == "add" else f"{deed}/{pk}"
            if pk is not None and not grid.writable:
                found[f"{grid.name} {deed}"] = english(client.get(f"/admin/{grid.name}/{path}").text)
        if grid.writable:
            found[f"{grid.name} add"] = english(client.get(f"/admin/{grid.name}/add").text)
            found[f"{grid.name} refused"] = english(
                client.post(f"/admin/{grid.name}/add", data={"day": "x", "level": "x"}).text
            )
            if pk is not None:
                found[f"{grid.name} edit"] = english(client.get(f"/admin/{grid.name}/edit/{pk}").text)
    assert {page: words for page, words in found.items() if words} == {}
    assert shown > 15


@sqlite_only
def test_events_are_shown_in_words(context: Flask, lived: None) -> None:
    client = login(context.test_client(), make_account(roles.ADMIN))
    from app.models import Event

    for action in ("add", "export"):
        event = db.session.scalars(select(Event).where(Event.action == action)).first()
        page = client.get(f"/admin/event/show/{event.id}").text
        assert english(page) == set(), action
    assert "状态：退回修改" in page


# -- a programme that nobody wrote code for -------------------------------------------------------------------------


@pytest.fixture
def with_everything(context: Flask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Flask]:
    """A start of the program on the same database after the file was added."""
    install(monkeypatch)
    app = make_app(context.config["SQLALCHEMY_DATABASE_URI"], tmp_path)
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def test_a_new_file_has_its_grids(context: Flask, with_everything: Flask) -> None:
    owner, batch = make_account(roles.ENTERPRISE), everything_batch()
    sent = perform(owner, everything_draft(owner, batch), "submit")
    client: FlaskClient = login(with_everything.test_client(), make_account(roles.CITY))
    names = {g.name for g in with_everything.extensions["grids"]}
    assert set(GRIDS) <= names
    index = client.get("/admin/").text
    for name in GRIDS:
        assert f'href="/admin/{name}/list/"' in index, name
        assert client.get(f"/admin/{name}/list/").status_code == 200, name
    listed = client.get(
        f"/admin/form_{KEY}/list/?_flt_1_revenue=1000&_flt_0_ownership=private&_flt_0_honours=srdi"
    ).text
    assert "共 1 条" in listed
    assert "1,250.50 万元" in listed
    assert "民营" in listed
    main = with_everything.extensions["grids"][
        [g.name for g in with_everything.extensions["grids"]].index(f"form_{KEY}")
    ]
    pk = db.session.scalars(select(main.model.id).where(main.model.declaration_id == sent.id)).one()
    shown = client.get(f"/admin/form_{KEY}/show/{pk}").text
    assert "2024年营业收入" in shown
    assert "110105" not in re.sub(r"1101\*+2X", "", shown), "identity numbers are masked"
    assert client.get(f"/admin/form_{KEY}_devices/export").status_code == 200


def test_new_grids_have_the_packaged_doors(context: Flask, with_everything: Flask) -> None:
    assert sync_permissions(GRIDS) == 0, "nothing is missing after the sync"
    for role, status in ((roles.DISTRICT, 200), (roles.ADMIN, 200), (roles.ENTERPRISE, 403), (roles.EXPERT, 200)):
        client = login(with_everything.test_client(), make_account(role))
        assert client.get(f"/admin/form_{KEY}/list/").status_code == status, role
    with with_everything.app_context():
        sync_definitions()


# -- how a value reads ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("bool", True, "是"),
        ("bool", False, "否"),
        ("money", 1234.5, "1,234.50"),
        ("size", 1_572_864, "1.5 MB"),
        ("phone", "13912345678", "139****5678"),
        ("long", "字" * 61, "字" * 60 + "……"),
        ("json", {"名称": "甲", "上班": "是"}, "名称：甲；上班：是"),
        ("int", 7, "7"),
    ],
)
def test_values_as_people_read_them(kind: Any, value: Any, text: str) -> None:
    assert str(Column("x", "列", kind).text(value)) == text


def test_an_empty_value_is_a_dash_that_is_markup() -> None:
    for value in (None, ""):
        assert str(Column("x", "列").text(value)) == '<span class="mute">—</span>'
    assert Column("x", "列").cell(None) is None


def test_account_is_listed_without_framework_columns(grids: list[Grid]) -> None:
    grid = next(g for g in grids if g.model is Account)
    assert {c.path for c in grid.columns} == {
        "username", "display_name", "user_type", "phone", "enterprise.name", "department", "region_code", "active",
    }  # fmt: skip
