"""Roles, the regions that offices are in charge of, and the packaged doors of the grids."""

from __future__ import annotations

import pytest

from app.permissions import roles

READ, FULL = {"list", "show", "export"}, {"list", "show", "export", "add", "edit", "delete"}
LOOK = {"list", "show"}
CARE = READ | {"add", "correct", "void"}
OFFICES = {"city": READ, "district": READ, "province": READ, "ministry": READ, "finance": READ}
# Grid → role → deeds, by hand. Whoever is not named has no door.
EXPECTED: dict[str, dict[str, set[str]]] = {
    "declaration": OFFICES | {"expert": LOOK, "admin": READ},
    "form_hrb_cultivation_intake": OFFICES | {"expert": LOOK, "city": CARE, "admin": CARE},
    "form_hrb_cultivation_intake_service_providers": OFFICES | {"expert": LOOK, "admin": READ},
    "form_enterprise_certification": OFFICES | {"expert": LOOK, "city": CARE - {"add"}, "admin": CARE - {"add"}},
    "form_anything_new": OFFICES | {"expert": LOOK, "admin": READ},
    "enterprise": OFFICES | {"admin": READ},
    "account": {"city": LOOK, "admin": READ},
    "batch": OFFICES | {"admin": READ},
    "revision": {"city": READ, "admin": READ},
    "event": {"city": READ, "admin": READ},
    "programme": {"city": LOOK, "admin": READ},
    "notice": {"city": FULL, "admin": FULL},
    "message": {"city": LOOK, "admin": READ},
    "region": {"city": FULL, "admin": FULL},
    "industry": {"city": FULL, "admin": FULL},
    "holiday": {"city": FULL, "admin": FULL},
    "public_list": OFFICES | {"admin": READ},
    "public_list_entry": OFFICES | {"admin": READ},
    "recognition": OFFICES | {"admin": READ},
    "allocation": OFFICES | {"admin": READ},
    "login_session": {"admin": READ},
    "job": {"admin": READ},
    "sms_message": {"admin": READ},
    "opinion": {"city": READ, "district": READ, "admin": READ},
    "remark": {"city": READ, "district": READ, "admin": READ},
    "attachment": {"city": READ, "district": READ, "admin": READ},
}


@pytest.mark.parametrize("grid", EXPECTED)
def test_doors(grid: str) -> None:
    assert {role: set(deeds) for role, deeds in roles.doors(grid).items() if deeds} == EXPECTED[grid]


@pytest.mark.parametrize("role", [roles.ENTERPRISE, roles.INDIVIDUAL, "Public"])
def test_people_outside_have_no_door_anywhere(role: str) -> None:
    for grid in (*EXPECTED, *roles.GRID_DOORS):
        assert not roles.doors(grid).get(role)


def test_experts_look_at_declarations_and_nothing_else() -> None:
    opened = {g for g in (*EXPECTED, *roles.GRID_DOORS) if roles.doors(g).get(roles.EXPERT)}
    assert opened == {"declaration", *(g for g in EXPECTED if g.startswith("form_"))}
    assert all(set(roles.doors(g)[roles.EXPERT]) == LOOK for g in opened)


@pytest.mark.parametrize(
    ("grid", "deeds"),
    [
        ("region", ("list", "show", "export", "add", "edit", "delete")),
        ("event", ("list", "show", "export")),
        ("form_hrb_cultivation_intake", ("list", "show", "export", "add", "correct", "void")),
        ("form_hrb_cultivation_intake_service_providers", ("list", "show", "export")),
        ("form_enterprise_certification", ("list", "show", "export", "correct", "void")),
        ("form_no_such_programme", ("list", "show", "export")),
    ],
)
def test_deeds_that_exist(grid: str, deeds: tuple[str, ...]) -> None:
    assert roles.deeds_of(grid) == deeds


def test_packaged_doors_are_doors_that_exist() -> None:
    for grid in (*EXPECTED, *roles.GRID_DOORS):
        for role, deeds in roles.doors(grid).items():
            assert deeds <= set(roles.deeds_of(grid)), (grid, role)
            assert role in roles.OPEN_TO


def test_only_reference_data_is_written_in_grids() -> None:
    writers = {g for g in roles.GRID_DOORS if any(d & {"edit", "delete"} for d in roles.doors(g).values())}
    assert writers == roles.WRITABLE == {"notice", "region", "industry", "holiday"}


@pytest.mark.parametrize(
    ("code", "prefix"),
    [("230108", "230108"), ("230100", "2301"), ("230000", "23"), ("000000", ""), (None, "-"), ("", "-")],
)
def test_region_prefix(code: str | None, prefix: str) -> None:
    assert roles.region_prefix(code) == prefix


@pytest.mark.parametrize(
    ("level", "office"),
    [("district", "230108"), ("city", "230100"), ("finance", "230100"), ("province", "230000"), ("ministry", "000000")],
)
def test_office_in_charge(level: str, office: str) -> None:
    assert roles.level_region(level, "230108") == office


def test_every_role_has_a_chinese_name() -> None:
    assert set(roles.LABELS) == set(roles.ALL)
    assert len(set(roles.LABELS.values())) == len(roles.ALL)
    assert set(roles.STAFF) == {*roles.OFFICERS, roles.ADMIN}
