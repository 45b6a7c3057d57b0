"""The roles, by stable name, and the level of administration that each stands for."""

from __future__ import annotations

ENTERPRISE = "enterprise"
INDIVIDUAL = "individual"
DISTRICT = "district"
CITY = "city"
PROVINCE = "province"
MINISTRY = "ministry"
FINANCE = "finance"
EXPERT = "expert"
ADMIN = "admin"

OFFICERS = (DISTRICT, CITY, PROVINCE, MINISTRY, FINANCE)
STAFF = (*OFFICERS, ADMIN)
ALL = (ENTERPRISE, INDIVIDUAL, *OFFICERS, EXPERT, ADMIN)

LABELS = {
    ENTERPRISE: "企业",
    INDIVIDUAL: "个人",
    DISTRICT: "区县工信",
    CITY: "市工信",
    PROVINCE: "省级主管部门",
    MINISTRY: "工业和信息化部",
    FINANCE: "财政局",
    EXPERT: "专家",
    ADMIN: "平台管理员",
}


def region_prefix(code: str | None) -> str:
    """Digits that all regions inside ``code`` begin with: 230100 → 2301, 230102 → 230102, None → no region at all."""
    if not code:
        return "-"
    return code.removesuffix("0000") if code.endswith("0000") else code.removesuffix("00")


def level_region(level: str, code: str) -> str:
    """Region of the office of ``level`` that is in charge of a declaration from ``code``."""
    if level == DISTRICT:
        return code
    if level == PROVINCE:
        return code[:2] + "0000"
    if level == MINISTRY:
        return "000000"
    return code[:4] + "00"


# -- doors of the grids -------------------------------------------------------------------------------------------

READ = frozenset({"list", "show", "export"})
FULL = READ | {"add", "edit", "delete"}

GRID_DOORS: dict[str, dict[str, frozenset[str]]] = {
    "enterprise": {CITY: READ, DISTRICT: READ},
    "account": {CITY: frozenset({"list", "show"})},
    "batch": {CITY: READ, DISTRICT: READ},
    "revision": {CITY: READ},
    "event": {CITY: READ},
    "programme": {CITY: frozenset({"list", "show"})},
    "notice": {CITY: FULL},
    "message": {CITY: frozenset({"list", "show"})},
    "region": {CITY: FULL},
    "industry": {CITY: FULL},
    "holiday": {CITY: FULL},
    "public_list": {CITY: READ, DISTRICT: READ},
    "public_list_entry": {CITY: READ, DISTRICT: READ},
    "login_session": {},
    "job": {},
    "sms_message": {},
}
"""Doors beyond the administrator's, per grid. A grid that is not named is open to city and district for reading."""

WRITABLE = frozenset({"notice", "region", "industry", "holiday"})


def doors(grid: str) -> dict[str, frozenset[str]]:
    """Role → deeds (list, show, export, add, edit, delete) that the packaged roles have on ``grid``."""
    named = GRID_DOORS.get(grid, {CITY: READ, DISTRICT: READ})
    return {**named, ADMIN: FULL if grid in WRITABLE else READ}
