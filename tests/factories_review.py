"""Makers for tests of the review page: declarations with many rows, and the round trip of a return."""

from __future__ import annotations

import hashlib
import json

from sqlalchemy import select

from app.extensions import db
from app.models import Account, Declaration, Remark, Revision
from app.models.base import now
from app.services import review
from app.services.answers import save_answers
from app.services.effects import canonical
from tests import factories


def with_rows(owner: Account, count: int) -> Declaration:
    """A submitted declaration whose newest revision has ``count`` rows: needs, and a project with a provider in ten."""
    declaration = factories.submitted(owner)
    content = json.loads(newest(declaration).content)
    need, project = content["tables"]["digital_needs"][0], content["tables"]["digital_projects"][0]
    provider = project["tables"]["service_providers"][0]
    projects = max(1, count // 20)
    content["tables"] = {
        "digital_needs": [need | {"id": f"n{n}"} for n in range(count - 2 * projects)],
        "digital_projects": [
            project | {"id": f"p{n}", "tables": {"service_providers": [provider | {"id": f"s{n}"}]}}
            for n in range(projects)
        ],
    }
    text = canonical(content)
    factories.store(
        Revision(
            # A gap in the numbers: there is nothing to compare it with.
            declaration_id=declaration.id, number=3, programme_id=declaration.programme_id, content=text,
            digest=hashlib.sha256(text.encode()).hexdigest(), created_at=now(),
        )
    )  # fmt: skip
    return factories.find(declaration.public_id)


def newest(declaration: Declaration) -> Revision:
    """The newest revision."""
    statement = select(Revision).where(Revision.declaration_id == declaration.id).order_by(Revision.number.desc())
    return db.session.scalars(statement).first()


def returned(office: Account, declaration: Declaration, *paths: str) -> list[Remark]:
    """Send ``declaration`` back with a remark on each of ``paths``; the remarks in that order."""
    found = [review.remark(office, declaration.public_id, path, f"请核对{path[:20]}。") for path in paths]
    factories.perform(office, declaration, "return", "请按批注修改。")
    return found


def answered(owner: Account, declaration: Declaration, **values: str) -> Declaration:
    """Change ``values`` of a returned declaration and send it in again."""
    save_answers(owner, declaration.public_id, values)
    return factories.perform(owner, declaration, "resubmit")
