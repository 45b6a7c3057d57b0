"""Facts about an enterprise as expressions read them: numbers are doubles, dates ISO text, unknown is null."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Declaration, Enterprise, Recognition


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def doubles(params: Mapping[str, Any]) -> dict[str, Any]:
    """The variable ``params`` of expressions: whole numbers are doubles there too, everything else stays."""
    return {k: float(v) if isinstance(v, int) and not isinstance(v, bool) else v for k, v in params.items()}


def enterprise_facts(enterprise: Enterprise, session: Session | None = None) -> dict[str, Any]:
    """The variable ``enterprise`` of expressions. With ``session`` also certificates and declarations."""
    facts: dict[str, Any] = {
        "name": enterprise.name,
        "credit_code": enterprise.credit_code,
        "user_type": "enterprise",
        "certification_status": enterprise.certification_status,
        "region_code": enterprise.region_code,
        "registered_address": enterprise.registered_address,
        "industry_code": enterprise.industry_code,
        "nature": enterprise.nature,
        "registered_capital": _number(enterprise.registered_capital),
        "established_on": enterprise.established_on.isoformat() if enterprise.established_on else None,
        "employees": _number(enterprise.employees),
        "legal_representative": enterprise.legal_representative,
        "contact_name": enterprise.contact_name,
        "contact_phone": enterprise.contact_phone,
        "company_profile": enterprise.company_profile,
        "revenue_y1": _number(enterprise.revenue_y1),
        "total_assets_y1": _number(enterprise.total_assets_y1),
        "certificates": [],
        "declarations": [],
    }
    if session is not None:
        held = session.scalars(select(Recognition).where(Recognition.enterprise_id == enterprise.id)).unique()
        facts["certificates"] = [
            {"code": r.programme_key, "valid_from": str(r.valid_from), "valid_to": r.valid_to and str(r.valid_to)}
            for r in held
            if r.state in ("valid", "under_review")  # it counts until the review has failed
        ]
        made = session.execute(
            select(Declaration.programme_key, Declaration.status).where(Declaration.enterprise_id == enterprise.id)
        )
        facts["declarations"] = [{"programme": key, "status": status} for key, status in made]
    return facts
