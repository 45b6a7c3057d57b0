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
