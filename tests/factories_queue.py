"""Thousands of submitted declarations in a few statements: what an office finds after the last day of a window.

The rows are what the services would have written, as far as lists, counts and clocks read them. Call ``fill_queue`` inside
an application context.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, text

from app.extensions import db
from app.models import Account, Batch, Declaration, Enterprise, Event, Region, Revision
from app.models.base import new_public_id, now
from app.permissions import roles
from app.services.projection import current_programme
from app.services.unit_of_work import unit_of_work
from tests.factories import INTAKE, credit_code

PLACES = (
    "北辰",
    "哈东",
    "松江",
    "龙滨",
    "兴安",
    "远大",
    "博实",
    "天顺",
    "汇鑫",
    "康达",
    "瑞丰",
    "东轻",
    "新光",
    "亿鑫",
)
TRADES = ("精密轴承", "电机", "焊接装备", "生物制药", "乳业", "仪器仪表", "复合材料", "数控机床", "锅炉", "食品")
STEPS = (("preliminary_review", 7), ("conformity_review", 2), ("publish_list", 1))
"""Steps that wait for the city, and how often each occurs."""


def districts() -> list[str]:
    """Codes of the city's districts."""
    found = select(Region.code).where(Region.parent_code == "230100").order_by(Region.code)
    return list(db.session.scalars(found)) or ["230108", "230102"]


def fill_queue(count: int, batches: list[Batch], clerks: list[Account], *, seed: int = 1) -> list[str]:
    """``count`` declarations of as many enterprises that wait for the city; returns their public ids.

    One in five is claimed by one of ``clerks``, one in six came a second time, one in three has findings; the first
    clerk has decided one in ten of them before.
    """
    rng, at = random.Random(seed), now()
    with unit_of_work() as session:
        programme = current_programme(session, INTAKE).id
        start = (session.scalar(select(Enterprise.id).order_by(Enterprise.id.desc())) or 0) + 1
        places = districts()
        ids = range(start, start + count)
        session.execute(insert(Enterprise), [_enterprise(n, rng, places, at) for n in ids])
        first = (session.scalar(select(Declaration.id).order_by(Declaration.id.desc())) or 0) + 1
        regions = dict(
            session.execute(select(Enterprise.id, Enterprise.region_code).where(Enterprise.id >= start)).all()
        )
        names = dict(session.execute(select(Enterprise.id, Enterprise.name).where(Enterprise.id >= start)).all())
        rows = [
            _declaration(first + n, key, rng, at, rng.choice(batches).id, programme, clerks)
            | {"region_code": regions[key], "enterprise_name": names[key]}
            for n, key in enumerate(ids)
        ]
        session.execute(insert(Declaration), rows)
        session.execute(insert(Revision), [_revision(r, n) for r in rows for n in range(1, r["revision_no"] + 1)])
        session.execute(insert(Event), [_event(r, clerks, n) for n, r in enumerate(rows)])
        _tell_sequences(session)
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE" if db.engine.dialect.name == "postgresql" else "ANALYZE"))
    return [r["public_id"] for r in rows]


def _tell_sequences(session: Any) -> None:
    """PostgreSQL counts on behind the ids that were given here."""
    if session.get_bind().dialect.name == "postgresql":
        for table in ("enterprise", "declaration"):
            session.execute(
                text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
            )


def _enterprise(key: int, rng: random.Random, places: list[str], at: datetime) -> dict[str, Any]:
    return {
        "id": key, "public_id": new_public_id(), "created_at": at, "certified_at": at, "certification_status": "approved",
        "name": f"哈尔滨{rng.choice(PLACES)}{rng.choice(TRADES)}第{key}有限公司", "credit_code": credit_code(500_000 + key),
        "region_code": rng.choice(places), "employees": rng.randint(10, 900), "version": 1,
    }  # fmt: skip


def _declaration(
    key: int, enterprise: int, rng: random.Random, at: datetime, batch: int, programme: int, clerks: list[Account]
) -> dict[str, Any]:
    step = rng.choices([s for s, _n in STEPS], [n for _s, n in STEPS])[0]
    since = at - timedelta(days=rng.randint(0, 12), minutes=rng.randint(0, 600))
    claimed = rng.choice(clerks) if clerks and rng.random() < 0.2 else None
    return {
        "id": key, "public_id": new_public_id(), "serial_no": f"2026-PYQ-{key:06d}", "programme_key": INTAKE,
        "programme_id": programme, "batch_id": batch, "enterprise_id": enterprise, "status": "in_progress",
        "step_key": step, "step_since": since, "holder_role": roles.CITY, "holder_region": "230100",
        "due_at": None if step == "publish_list" else since + timedelta(days=10), "claimed_by": claimed and claimed.id,
        "claimed_at": claimed and at, "revision_no": 2 if rng.random() < 0.16 else 1,
        "finding_count": rng.choice((0, 0, 1, 3)), "unique_key": f"queue:{key}", "submitted_at": since,
        "created_at": since, "saved_at": since, "version": 2, "open_objections": 0,
    }  # fmt: skip


def _revision(row: dict[str, Any], number: int) -> dict[str, Any]:
    return {
        "declaration_id": row["id"], "number": number, "programme_id": row["programme_id"], "content": "{}",
        "digest": "0" * 64, "created_at": row["submitted_at"],
    }  # fmt: skip


def _event(row: dict[str, Any], clerks: list[Account], number: int) -> dict[str, Any]:
    acted = clerks[0] if clerks and number % 10 == 0 else None
    return {
        "declaration_id": row["id"], "at": row["submitted_at"], "actor_id": acted and acted.id,
        "actor_name": acted.get_full_name() if acted else "企业", "actor_role": "city" if acted else "enterprise",
        "action": "confirm" if acted else "submit", "label": "通过" if acted else "提交", "data": {}, "digest": "0" * 64,
        "to_status": "in_progress",
    }  # fmt: skip
