"""The interface as another system meets it: doors by role, rows by scope, paging, words, and how it says no."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from app.extensions import db
from app.models import Account, Declaration, Region
from app.models.generated import build_projection
from app.permissions import roles
from app.services.declaration import definition_of
from app.services.unit_of_work import unit_of_work
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
from tests.factories_api import Caller, administrator, caller, error_of, make_token

FORM = f"form_{INTAKE}"
ROWS = f"{FORM}_service_providers"
sqlite_only = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


# -- doors ----------------------------------------------------------------------------------------------------------

# Table → roles whose keys open it, by hand.
READERS = {
    "declaration": {*roles.STAFF, roles.EXPERT},
    FORM: {*roles.STAFF, roles.EXPERT},
    ROWS: {*roles.STAFF, roles.EXPERT},
    "enterprise": {*roles.STAFF},
    "public_list_entry": {*roles.STAFF},
    "account": {roles.CITY, roles.ADMIN},
    "event": {roles.CITY, roles.ADMIN},
    "region": {roles.CITY, roles.ADMIN},
    "job": {roles.ADMIN},
    "login_session": {roles.ADMIN},
    "sms_message": {roles.ADMIN},
}


@sqlite_only
@pytest.mark.parametrize("role", roles.ALL)
def test_doors(context: Flask, role: str) -> None:
    system = caller(context, role)
    found = {name: system.get(name).status_code for name in READERS}
    assert found == {name: 200 if role in readers else 403 for name, readers in READERS.items()}
    index = system.get("")
    if role in roles.OPEN_TO:
        listed = {r["name"] for r in index.json["resources"]}
        assert {n for n in READERS if n in listed} == {n for n, readers in READERS.items() if role in readers}
    else:
        assert error_of(index) == (403, "forbidden", None)
        assert error_of(system.get("openapi.json"))[0] == 403


@sqlite_only
def test_the_index_names_every_table_once(context: Flask) -> None:
    resources = administrator(context).get("").json["resources"]
    grids = context.extensions["grids"]
    assert [r["name"] for r in resources] == [g.name for g in grids]
    first = resources[0]
    assert first == {
        "name": "declaration", "label": "全部申报", "columns": len(grids[0].columns), "parent": None,
        "url": "/api/v1/declaration",
    }  # fmt: skip
    assert {r["name"]: r["parent"] for r in resources}[ROWS] is not None


@sqlite_only
def test_what_an_administrator_closes_is_closed_at_once(context: Flask) -> None:
    """Both doors are asked: all columns of a row are shown, also those that only the single page shows."""
    from flask_appbuilder.security.sqla.models import Role

    system = caller(context, roles.DISTRICT)
    assert system.get("enterprise").status_code == 200
    with unit_of_work() as session:
        role = session.scalars(select(Role).where(Role.name == roles.DISTRICT)).one()
        role.permissions = [
            p for p in role.permissions if (p.permission.name, p.view_menu.name) != ("can_show", "grid_enterprise")
        ]
    assert error_of(system.get("enterprise")) == (403, "forbidden", None)
    assert error_of(system.get("enterprise/1")) == (403, "forbidden", None)
    assert "enterprise" not in {r["name"] for r in system.get("").json["resources"]}


@sqlite_only
def test_a_key_for_some_tables_opens_only_these(context: Flask) -> None:
    system = caller(context, roles.CITY, resources=["region", "login_session"])
    assert [r["name"] for r in system.get("").json["resources"]] == ["region"], "never more than the account may"
    assert system.get("region").status_code == 200
    for name in ("declaration", "login_session"):
        assert error_of(system.get(name)) == (403, "forbidden", None)
    assert set(system.get("openapi.json").json["paths"]) == {
        "/api/v1/", "/api/v1/openapi.json", "/api/v1/region", "/api/v1/region/{id}",
    }  # fmt: skip


# -- scope ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def two(context: Flask) -> tuple[Declaration, Declaration]:
    """A submission of 平房区 and one of 道里区, and a draft that is nobody's business."""
    batch = make_batch()
    there = make_account(roles.ENTERPRISE, enterprise=make_enterprise(region="230102"))
    filled_draft(make_account(roles.ENTERPRISE), batch, seed=3)
    return submitted(batch=batch), perform(there, filled_draft(there, batch), "submit")


def test_rows_in_scope(context: Flask, two: tuple[Declaration, Declaration]) -> None:
    ours, theirs = (d.public_id for d in two)
    seen = {}
    for role, region in ((roles.ADMIN, None), (roles.CITY, None), (roles.DISTRICT, "230108"), (roles.DISTRICT, "230102"),
                         (roles.DISTRICT, "230103"), (roles.CITY, "230200")):  # fmt: skip
        system = caller(context, role, region=region)
        for name in ("declaration", FORM):
            seen[role, region, name] = {row["declaration"] for row in system.rows(name)}
    for name in ("declaration", FORM):
        assert seen[roles.CITY, None, name] == {ours, theirs}
        assert seen[roles.DISTRICT, "230108", name] == {ours}
        assert seen[roles.DISTRICT, "230102", name] == {theirs}
        assert seen[roles.DISTRICT, "230103", name] == seen[roles.CITY, "230200", name] == set()
    assert seen[roles.ADMIN, None, FORM] == {ours, theirs}
    assert len(seen[roles.ADMIN, None, "declaration"]) == 3, "administrators see drafts here as they do under 数据"


def test_rows_are_those_of_the_pages(context: Flask, two: tuple[Declaration, Declaration]) -> None:
    """For every table: the numbers of the 数据 page and the totals of the interface are the same."""
    import re

    for role, region in ((roles.ADMIN, None), (roles.CITY, None), (roles.DISTRICT, "230102")):
        account = make_account(role, region=region)
        system = Caller(context, make_token(account)[1])
        page = login(context.test_client(), account).get("/admin/").text
        shown = dict(re.findall(r'href="/admin/(\w+)/list/">[^<]+<span>([\d,]+)</span>', page))
        # Looking at the page itself writes a session and keys are no table here: these change under the test's feet.
        names = shown.keys() - {"login_session", "account"}
        totals = {name: f"{system.get(name).json['total']:,}" for name in names}
        assert totals == {name: shown[name] for name in names}, role


def test_foreign_and_unknown_rows_get_the_same_answer(context: Flask, two: tuple[Declaration, Declaration]) -> None:
    own, foreign = two
    system = caller(context, roles.DISTRICT)
    unknown = system.get("declaration/4000000")
    assert error_of(unknown) == (404, "not_found", None)
    assert system.get(f"declaration/{foreign.id}").data == unknown.data
    assert system.get(f"declaration/{own.id}").json["values"]["serial_no"] == own.serial_no
    main = build_projection(definition_of(INTAKE)).main
    form = db.session.scalars(select(main.id).where(main.declaration_id == foreign.id)).one()
    assert system.get(f"{FORM}/{form}").data == unknown.data
    assert error_of(system.get(f"enterprise/{foreign.enterprise_id}"))[0] == 404
    assert system.rows("declaration", declaration=foreign.public_id) == []
    assert system.rows("opinion", declaration=foreign.public_id) == []


def test_a_changed_account_changes_what_its_key_sees(context: Flask, two: tuple[Declaration, Declaration]) -> None:
    account = make_account(roles.DISTRICT)
    system = Caller(context, make_token(account)[1])
    assert [r["declaration"] for r in system.rows("declaration")] == [two[0].public_id]
    with unit_of_work() as session:
        session.get_one(Account, account.id).region_code = "230102"
    assert [r["declaration"] for r in system.rows("declaration")] == [two[1].public_id]
    with unit_of_work() as session:
        session.get_one(Account, account.id).roles = []
    assert error_of(system.get("declaration")) == (403, "forbidden", None)


# -- rows and their words -------------------------------------------------------------------------------------------


def test_a_row_with_its_words(context: Flask) -> None:
    sent = submitted()
    (row,) = caller(context, roles.CITY).rows("declaration", labels="1")
    assert (row["id"], row["declaration"]) == (sent.id, sent.public_id)
    values = row["values"]
    assert values["status"] == "in_progress" and row["labels"]["status"] == "办理中"
    assert values["region_code"] == "230108" and row["labels"]["region_code"].endswith("平房区")
    assert values["batch.title"] == sent.batch.title
    assert values["submitted_at"] == sent.submitted_at.isoformat().replace("+00:00", "Z")
    assert values["decided_at"] is None and "decided_at" not in row["labels"]
    assert "labels" not in caller(context, roles.CITY).rows("declaration")[0]


def test_answers_as_stored(context: Flask) -> None:
    sent = submitted()
    system = caller(context, roles.CITY)
    (row,) = system.rows(FORM, labels="1")
    main = build_projection(definition_of(INTAKE)).main
    stored = db.session.scalars(select(main).where(main.declaration_id == sent.id)).one()
    assert row["values"]["revenue"] == f"{stored.revenue:f}" and isinstance(row["values"]["revenue"], str)
    assert row["values"]["patents_cumulative"] == stored.patents_cumulative
    assert row["values"]["quality_sme_status"] == stored.quality_sme_status
    assert row["labels"]["is_above_scale"] in ("是", "否")
    grid = next(g for g in context.extensions["grids"] if g.name == FORM)
    assert list(row["values"]) == [c.path for c in grid.columns], "nothing that the grid does not show"


def test_masked_stays_masked(context: Flask) -> None:
    submitted()
    system = administrator(context)
    text = "".join(system.get(name).text for name in ("enterprise", "account", "sms_message", "event"))
    assert "13904512187" not in text
    assert "139****2187" in text
    assert "id_number" not in text and "password" not in text


def test_child_rows_by_declaration_and_parent(context: Flask) -> None:
    first, second = submitted(), submitted(seed=2)
    system = caller(context, roles.CITY)
    projects = next(g for g in context.extensions["grids"] if g.name == ROWS).parent
    found = {d.public_id: system.rows(projects, declaration=d.public_id) for d in (first, second)}
    assert all(row["declaration"] == key for key, rows in found.items() for row in rows)
    assert sum(len(rows) for rows in found.values()) == system.get(projects).json["total"] > 1
    for row in system.rows(projects):
        below = system.rows(ROWS, parent=row["id"])
        assert {r["parent"] for r in below} <= {row["id"]}
        assert {r["declaration"] for r in below} <= {row["declaration"]}
    assert sum(len(system.rows(ROWS, parent=r["id"])) for r in system.rows(projects)) == system.get(ROWS).json["total"]


# -- paging ---------------------------------------------------------------------------------------------------------


def region_ids() -> list[int]:
    return list(db.session.scalars(select(Region.id).order_by(Region.id)))


def test_pages_hold_every_row_once(context: Flask) -> None:
    system = administrator(context)
    everything = region_ids()
    for query in ({"page_size": 7}, {"page_size": 7, "order": "-name"}, {"page_size": 7, "order": "level"}):
        pages = list(system.walk("region", **query))
        assert [len(p) for p in pages[:-1]] == [7] * (len(pages) - 1)
        assert sorted(row["id"] for page in pages for row in page) == everything
    assert [row["id"] for page in system.walk("region", after=0, page_size=7) for row in page] == everything


def test_links_keep_the_other_parameters(context: Flask) -> None:
    system = administrator(context)
    query = {"page_size": "3", "filter[level]": "county", "order": "-code", "labels": "1"}
    answer = system.get("region", page="2", **query).json
    assert (answer["page"], answer["page_size"]) == (2, 3)
    for link, page in ((answer["next"], 3), (answer["previous"], 1)):
        followed = system.get(link.removeprefix("/api/v1/")).json
        assert followed["page"] == page
        assert followed["rows"] == system.get("region", page=str(page), **query).json["rows"]
    first = system.get("region", page="1", page_size="3").json
    assert first["previous"] is None and first["total"] == len(region_ids())
    assert system.get("region", page="100000").json["rows"] == []


def test_reading_on_is_not_disturbed_by_new_rows(context: Flask) -> None:
    system = administrator(context)
    before = region_ids()
    seen: list[int] = []
    for number, page in enumerate(system.walk("region", after=0, page_size=5)):
        seen += [row["id"] for row in page]
        if number == 0:
            with unit_of_work() as session:
                session.delete(session.get_one(Region, before[0]))
                session.add(Region(code="230199", name="新区", full_name="新区", level="county"))
    assert seen == [*before, seen[-1]] and len(seen) == len(before) + 1


def test_order_has_empty_values_last(context: Flask) -> None:
    for capital in ("3.00", None, "1.00"):
        make_enterprise(employees=None if capital is None else int(float(capital)))
    system = administrator(context)
    for sign in ("", "-"):
        numbers = [r["values"]["employees"] for r in system.rows("enterprise", order=f"{sign}employees")]
        filled = [n for n in numbers if n is not None]
        assert filled == sorted(filled, reverse=bool(sign)) and numbers[len(filled) :] == [None]


def test_the_usual_order_is_that_of_the_page(context: Flask) -> None:
    codes = [r["values"]["code"] for r in administrator(context).rows("region")]
    assert codes == sorted(codes)
    submitted()
    ids = administrator(context).ids("event")
    assert ids == sorted(ids, reverse=True)
