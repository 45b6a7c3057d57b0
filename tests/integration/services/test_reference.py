"""Names of codes, pickers and holidays: what is found, what is not, and what an administrator's change does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import select

from app.extensions import db
from app.models import Event, Holiday, Industry, Region
from app.permissions import roles
from app.services import reference
from app.services.facts import enterprise_facts
from app.services.grid import note_export
from app.services.reference import MATCHES, holidays, lookups, region_name, search_industries, search_regions
from app.services.unit_of_work import unit_of_work
from tests import factories
from tests.factories_portal import make_declaration, make_recognition

pytestmark = pytest.mark.parametrize("database", ["sqlite"])


@pytest.fixture(autouse=True)
def fresh(context: Flask) -> Iterator[None]:
    lookups.forget()
    yield
    lookups.forget()


def codes(matches: list[reference.Match]) -> list[str]:
    return [m.code for m in matches]


def rename(code: str, name: str) -> None:
    with unit_of_work() as session:
        session.scalars(select(Region).where(Region.code == code)).one().full_name = name


# -- names ---------------------------------------------------------------------------------------------------------


def test_full_and_last_names() -> None:
    assert lookups.region("230108") == "黑龙江省 / 哈尔滨市 / 平房区"
    assert region_name("230108") == "平房区" and region_name("230100") == "哈尔滨市"
    assert lookups.industry("34") == "制造业 / 通用设备制造业"


@pytest.mark.parametrize("code", [None, "", "999999", "2301", "平房区", " 230108"])
def test_unknown_codes_have_no_name(code: str | None) -> None:
    assert lookups.region(code or "") is None
    assert region_name(code) == ""


def test_a_name_typed_by_a_person_becomes_its_code() -> None:
    assert lookups.code_of("region", "黑龙江省 / 哈尔滨市 / 平房区") == "230108"
    assert lookups.code_of("region", "平房区") == "230108"
    assert lookups.code_of("industry", "通用设备制造业") == "34"


def test_a_name_that_several_places_have_is_no_answer() -> None:
    rename("230102", "黑龙江省 / 牡丹江市 / 平房区")
    lookups.forget()
    assert lookups.code_of("region", "平房区") is None
    assert lookups.code_of("region", "黑龙江省 / 哈尔滨市 / 平房区") == "230108"
    assert lookups.code_of("region", "不存在区") is None
    assert lookups.code_of("region", "平房") is None, "a part of a name is no name"


def test_names_are_kept_for_a_minute_and_forgotten_on_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    at = [1000.0]
    monkeypatch.setattr(reference.time, "monotonic", lambda: at[0])
    assert region_name("230108") == "平房区"
    rename("230108", "黑龙江省 / 哈尔滨市 / 新名区")
    at[0] += reference.CACHE_SECONDS
    assert region_name("230108") == "平房区"
    at[0] += 1
    assert region_name("230108") == "新名区"
    rename("230108", "黑龙江省 / 哈尔滨市 / 又一名")
    lookups.forget()
    assert region_name("230108") == "又一名"


# -- pickers -------------------------------------------------------------------------------------------------------


def test_regions_by_name_and_by_the_beginning_of_a_code() -> None:
    assert codes(search_regions("平房")) == ["230108"]
    assert codes(search_regions(" 230108 ")) == ["230108"]
    found = codes(search_regions("2301"))
    assert found == sorted(found) and all(code.startswith("2301") for code in found) and "230108" in found
    assert codes(search_regions("0108")) == [], "a code is known by its beginning"


def test_industries_by_name_and_code() -> None:
    assert "34" in codes(search_industries("通用设备"))
    assert codes(search_industries("34"))[0] == "34"


@pytest.mark.parametrize("search", [search_regions, search_industries])
def test_at_most_twenty_answers(search: object) -> None:
    assert len(search("")) == MATCHES  # type: ignore[operator]


@pytest.mark.parametrize("query", ["%", "_", "%%", "2_0108", "\\", "'; DROP TABLE region; --", "\x00%"])
@pytest.mark.parametrize("search", [search_regions, search_industries])
def test_signs_of_sql_are_only_signs(search: object, query: str) -> None:
    assert search(query) == []  # type: ignore[operator]


def test_what_was_switched_off_keeps_its_name_but_is_offered_no_more() -> None:
    with unit_of_work() as session:
        session.scalars(select(Region).where(Region.code == "230108")).one().active = False
        session.scalars(select(Industry).where(Industry.code == "34")).one().active = False
    db.session.rollback()
    assert search_regions("230108") == [] and "34" not in codes(search_industries("34"))
    assert region_name("230108") == "平房区", "old declarations still say where they come from"


def test_holidays_are_what_the_table_says() -> None:
    with unit_of_work() as session:
        session.add(Holiday(day=date(2040, 1, 2), working=False, name="元旦"))
        session.add(Holiday(day=date(2040, 1, 7), working=True, name="元旦调休"))
    db.session.rollback()
    found = holidays()
    assert found[date(2040, 1, 2)] is False and found[date(2040, 1, 7)] is True
    assert date(2040, 1, 3) not in found


# -- facts ---------------------------------------------------------------------------------------------------------


def test_facts_are_as_expressions_read_them() -> None:
    enterprise = factories.make_enterprise(
        established_on=date(2009, 4, 18), revenue_y1=Decimal("8621.24"), employees=186
    )
    facts = enterprise_facts(enterprise)
    assert (facts["established_on"], facts["revenue_y1"], facts["employees"]) == ("2009-04-18", 8621.24, 186.0)
    assert isinstance(facts["employees"], float), "CEL compares doubles with doubles only"
    assert (facts["certificates"], facts["declarations"]) == ([], [])


def test_unknown_facts_are_null_and_never_zero() -> None:
    facts = enterprise_facts(factories.make_enterprise(certified=False))
    assert {facts[k] for k in ("employees", "revenue_y1", "total_assets_y1", "established_on", "name")} == {None}
    assert facts["certification_status"] == "none"


def test_facts_hold_no_identity_number() -> None:
    enterprise = factories.make_enterprise(legal_person_id_cipher="v1:secret")
    facts = enterprise_facts(enterprise, db.session())
    assert not [k for k, v in facts.items() if "cipher" in k or v == "v1:secret"]


def test_only_valid_certificates_and_own_declarations_count() -> None:
    enterprise, other = factories.make_enterprise(), factories.make_enterprise()
    batch = factories.make_batch()
    for state in ("valid", "expired", "revoked"):
        make_recognition(enterprise, make_declaration(enterprise, batch, status="approved"), state=state)
    make_recognition(other, make_declaration(other, batch, status="approved"), valid_to=date(2029, 6, 30))
    facts = enterprise_facts(enterprise, db.session())
    assert facts["certificates"] == [{"code": factories.INTAKE, "valid_from": "2026-06-30", "valid_to": None}]
    assert facts["declarations"] == [{"programme": factories.INTAKE, "status": "approved"}] * 3
    assert enterprise_facts(other, db.session())["certificates"][0]["valid_to"] == "2029-06-30"


# -- what grids leave behind ---------------------------------------------------------------------------------------


def test_exports_of_grids_leave_events() -> None:
    city = factories.make_account(roles.CITY, display_name="李静")
    note_export(city, "declaration", {"status": "approved"})
    db.session.rollback()
    events = db.session.scalars(select(Event).where(Event.declaration_id.is_(None)).order_by(Event.id)).all()
    assert [(e.actor_name, e.actor_role, e.action, e.label, e.subject, e.data) for e in events] == [
        ("李静", "city", "export", "导出", "declaration", {"status": "approved"}),
    ]
