"""Row scope as SQL. Every list, count, export and search of declarations starts from one of these."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, exists, false, or_, select, true

from app.models import Account, Assignment, Attachment, Declaration, Enterprise, Event
from app.permissions import members, roles

_FILING = ("submit", "resubmit", "stamp")
"""Deeds that hand the files of the moment to an office."""


def declarations(user: Account) -> ColumnElement[bool]:
    """Condition on ``Declaration`` that leaves what ``user`` may see."""
    held = user.role_names
    if roles.ADMIN in held:
        return true()
    allowed: list[ColumnElement[bool]] = []
    if user.enterprise_id is not None:
        allowed.append(own(user))
    if held & set(roles.OFFICERS):
        # Drafts are nobody's business but the enterprise's.
        prefix = roles.region_prefix(user.region_code)
        submitted = and_(Declaration.submitted_at.is_not(None), Declaration.status != "draft")
        allowed.append(and_(submitted, Declaration.region_code.startswith(prefix, autoescape=True)))
    if held & set(roles.STAFF) and user.enterprise_id is None:
        # What an official fills in on behalf of an enterprise; after its filing, where it is.
        allowed.append(and_(Declaration.created_by == user.id, Declaration.status.in_(("draft", "returned"))))
    if roles.EXPERT in held:
        mine = select(Assignment.declaration_id).where(Assignment.expert_id == user.id)
        allowed.append(Declaration.id.in_(mine))
    return or_(*allowed) if allowed else false()


def own(user: Account) -> ColumnElement[bool]:
    """Condition on ``Declaration``: of the user's enterprise and, for a limited member, one of the chosen ones."""
    if user.enterprise_id is None:
        return false()
    whole = Declaration.enterprise_id == user.enterprise_id
    return whole if members.is_unlimited(user) else and_(whole, Declaration.id.in_(members.chosen_ids(user)))


def filed() -> ColumnElement[bool]:
    """Condition on ``Attachment``: it was there when the declaration was sent in, or its stamped paper handed in.

    Everything else is work of the enterprise that no office has been given.
    """
    return exists().where(
        Event.declaration_id == Attachment.declaration_id,
        Event.action.in_(_FILING),
        Event.at >= Attachment.created_at,
        or_(Attachment.removed_at.is_(None), Event.at < Attachment.removed_at),
    )


def enterprises(user: Account) -> ColumnElement[bool]:
    """Condition on ``Enterprise`` that leaves what ``user`` may see."""
    held = user.role_names
    if roles.ADMIN in held:
        return true()
    if held & set(roles.OFFICERS):
        return Enterprise.region_code.startswith(roles.region_prefix(user.region_code), autoescape=True)
    if user.enterprise_id is not None:
        return Enterprise.id == user.enterprise_id
    return false()


def held_by(user: Account) -> ColumnElement[bool]:
    """Condition on ``Declaration``: it waits for ``user`` (我的待办, 待处理)."""
    held = user.role_names
    waiting: list[ColumnElement[bool]] = []
    if user.enterprise_id is not None:
        waiting.append(and_(Declaration.holder_role == roles.ENTERPRISE, own(user)))
    for role in held & set(roles.OFFICERS):
        waiting.append(and_(Declaration.holder_role == role, Declaration.holder_region == user.region_code))
    if roles.EXPERT in held:
        mine = select(Assignment.declaration_id).where(Assignment.expert_id == user.id, Assignment.done_at.is_(None))
        waiting.append(and_(Declaration.holder_role == roles.EXPERT, Declaration.id.in_(mine)))
    return or_(*waiting) if waiting else false()
