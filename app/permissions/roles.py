"""The roles, by stable name, and the level of administration that each stands for."""

from __future__ import annotations

from app.definitions import registry

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
    """Digits that all regions inside ``code`` begin with: 230100 → 2301, 230102 → 230102, 000000 → none (everywhere),
    None → no region at all."""
    if not code:
        return "-"
    if code == "000000":
        return ""
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
LOOK = frozenset({"list", "show"})
CARE = frozenset({"add", "correct", "void"})
"""Deeds on declarations that stand outside their route: 代填, 更正 and 作废."""
DEED_LABELS = {
    "list": "列表",
    "show": "查看",
    "export": "导出",
    "add": "添加",
    "edit": "修改",
    "delete": "删除",
    "correct": "更正",
    "void": "作废",
}
DEEDS = tuple(DEED_LABELS)
"""Every deed that a door can be for, in the order in which people read them."""
FORM = "form_"
"""Names of the grids that are made from definitions begin like this."""
PERSONAL = ("certification", "account_change")
"""Kinds of declarations that only the enterprise itself can begin."""
OPEN_TO = (*STAFF, EXPERT)
"""Roles that may be given doors at all: enterprises and individuals stay on their own pages."""

OFFICES: dict[str, frozenset[str]] = dict.fromkeys(OFFICERS, READ)
GRID_DOORS: dict[str, dict[str, frozenset[str]]] = {
    "declaration": {**OFFICES, EXPERT: LOOK},
    "enterprise": OFFICES,
    "account": {CITY: frozenset({"list", "show"})},
    "batch": OFFICES,
    "revision": {CITY: READ},
    "event": {CITY: READ},
    "programme": {CITY: frozenset({"list", "show"})},
    "notice": {CITY: FULL},
    "message": {CITY: frozenset({"list", "show"})},
    "region": {CITY: FULL},
    "industry": {CITY: FULL},
    "holiday": {CITY: FULL},
    "public_list": OFFICES,
    "public_list_entry": OFFICES,
    "recognition": OFFICES,
    "allocation": OFFICES,
    "login_session": {},
    "job": {},
    "sms_message": {},
    "webhook_delivery": {},
}
"""Doors beyond the administrator's, per grid. A grid that is not named is open to city and district for reading, one of
a definition to every office, and to experts for looking at what is assigned to them."""

WRITABLE = frozenset({"notice", "region", "industry", "holiday"})


def doors(grid: str) -> dict[str, frozenset[str]]:
    """Role → deeds that the packaged roles have on ``grid``."""
    if grid.startswith(FORM):
        own = READ | care_of(grid)
        return {**OFFICES, EXPERT: LOOK, CITY: own, ADMIN: own}
    named = GRID_DOORS.get(grid, {CITY: READ, DISTRICT: READ})
    return {**named, ADMIN: FULL if grid in WRITABLE else READ}


def care_of(grid: str) -> frozenset[str]:
    """Which of ``CARE`` exist on ``grid``: only where it shows whole declarations, and nobody certifies for another."""
    catalogue = registry.catalogue()
    key = grid.removeprefix(FORM)
    if not grid.startswith(FORM) or key not in catalogue:
        return frozenset()
    return CARE - {"add"} if catalogue.get(key).kind in PERSONAL else CARE


def deeds_of(grid: str) -> tuple[str, ...]:
    """The deeds that exist on ``grid``, in the order of ``DEEDS``."""
    known = FULL if grid in WRITABLE else READ | care_of(grid)
    return tuple(deed for deed in DEEDS if deed in known)
