"""Regions as an algebra: what an office sees contains what the offices inside it see, and never more than its own."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask_appbuilder.security.sqla.models import Role
from hypothesis import given, settings
from hypothesis import strategies as st

from app.models import Account, Assignment, Declaration
from app.models.declaration import STATUSES
from app.permissions import roles, rules
from app.permissions.roles import level_region, region_prefix

FEW = settings(max_examples=60, deadline=None, derandomize=True)
SENT = datetime(2026, 6, 1, tzinfo=UTC)
PARTS = st.integers(1, 99).map(lambda n: f"{n:02d}")
DISTRICTS = st.builds(lambda p, c, d: p + c + d, PARTS, PARTS, PARTS)


def officer(role: str, region: str | None) -> Account:
    user = Account(username="x", user_type="staff", region_code=region)
    user.roles = [Role(name=role)]
    return user


def sent(region: str | None, **facts: object) -> Declaration:
    return Declaration(
        **({"enterprise_id": 1, "status": "in_progress", "submitted_at": SENT, "region_code": region} | facts)
    )


@FEW
@given(DISTRICTS)
def test_offices_stand_inside_each_other(district: str) -> None:
    city, province = level_region(roles.CITY, district), level_region(roles.PROVINCE, district)
    assert level_region(roles.DISTRICT, district) == district
    assert district.startswith(region_prefix(city)) and city.startswith(region_prefix(province))
    assert region_prefix(city).startswith(region_prefix(province))
    assert level_region(roles.FINANCE, district) == city, "finance sits beside the city's bureau"
    assert level_region(roles.MINISTRY, district) == "000000"


@FEW
@given(DISTRICTS)
def test_asking_again_changes_nothing(district: str) -> None:
    for level in roles.OFFICERS:
        region = level_region(level, district)
        assert level_region(level, region) == region
        assert len(region) == 6


@FEW
@given(DISTRICTS, DISTRICTS)
def test_an_office_sees_its_own_region_only(mine: str, other: str) -> None:
    for role in (roles.DISTRICT, roles.CITY, roles.PROVINCE):
        user = officer(role, level_region(role, mine))
        inside = level_region(role, mine) == level_region(role, other)
        assert rules.can_see(user, sent(other)) is inside, (role, mine, other)


@FEW
@given(DISTRICTS)
def test_who_is_in_charge_also_sees_it(district: str) -> None:
    for level in (roles.DISTRICT, roles.CITY, roles.PROVINCE, roles.FINANCE):
        assert rules.can_see(officer(level, level_region(level, district)), sent(district)), level


@pytest.mark.parametrize("region", [None, ""])
def test_an_office_without_a_region_sees_nothing(region: str | None) -> None:
    for role in roles.OFFICERS:
        for code in ("230108", "230100", "000000", "", None):
            assert not rules.can_see(officer(role, region), sent(code))


def test_a_declaration_without_a_region_is_seen_by_no_office() -> None:
    for role in roles.OFFICERS:
        assert not rules.can_see(officer(role, "230100"), sent(None))
    assert rules.can_see(officer(roles.ADMIN, None), sent(None))


@pytest.mark.parametrize("status", STATUSES)
def test_an_office_sees_what_was_sent_and_no_draft(status: str) -> None:
    city = officer(roles.CITY, "230100")
    assert rules.can_see(city, sent("230108", status=status)) is (status != "draft")
    assert not rules.can_see(city, sent("230108", status=status, submitted_at=None))


@pytest.mark.parametrize("status", STATUSES)
def test_the_enterprise_always_sees_its_own_and_never_others(status: str) -> None:
    user = officer(roles.ENTERPRISE, None)
    user.enterprise_id = 1
    assert rules.can_see(user, sent("230108", status=status, submitted_at=None))
    assert not rules.can_see(user, sent("230108", status=status, enterprise_id=2))


def test_nobody_owns_what_belongs_to_no_enterprise() -> None:
    homeless = officer(roles.ENTERPRISE, None)
    assert not rules.can_see(homeless, sent("230108", enterprise_id=None))


def test_an_assignment_shows_it_to_that_expert_only() -> None:
    expert = officer(roles.EXPERT, None)
    expert.id = 5
    found = sent("230108")
    assert not rules.can_see(expert, found)
    assert not rules.can_see(expert, found, [Assignment(expert_id=6)])
    assert rules.can_see(expert, found, [Assignment(expert_id=6), Assignment(expert_id=5)])
    clerk = officer(roles.CITY, "350200")
    clerk.id = 5
    assert not rules.can_see(clerk, found, [Assignment(expert_id=5)]), "asked by mistake, but no expert any more"


@pytest.mark.parametrize("grid", sorted(roles.GRID_DOORS))
def test_who_may_change_a_record_may_also_look_at_it(grid: str) -> None:
    for role, deeds in roles.doors(grid).items():
        assert not deeds & {"add", "edit", "delete", "export"} or {"list", "show"} <= deeds, role
        assert role in roles.OPEN_TO
