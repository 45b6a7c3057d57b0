"""Messages to people: 我的消息 in the guide's five kinds."""

from __future__ import annotations

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.extensions import db
from app.models import Account, Message
from app.models.base import now
from app.permissions import members
from app.services.listing import Asked, Page, paginate
from app.services.unit_of_work import unit_of_work

KIND_LABELS = {
    "recognition_expiry": "认定到期",
    "information_update": "信息更新",
    "recognition_notice": "认定通知",
    "recognition_cancelled": "取消认定",
    "declaration_reminder": "申报提醒",
}


def tell_enterprise(
    session: Session,
    enterprise_id: int,
    kind: str,
    title: str,
    body: str,
    link: str,
    *,
    declaration_id: int | None = None,
) -> None:
    """A message to every account of the enterprise, in the caller's transaction. Members who were given only some
    declarations hear of these alone (``declaration_id`` None: it is about none)."""
    accounts = session.scalars(select(Account).where(Account.enterprise_id == enterprise_id, Account.active)).unique()
    for account in accounts:
        if members.right_of(account, declaration_id) is not None:
            tell_account(session, account.id, kind, title, body, link)


def tell_office(session: Session, role: str, region: str, kind: str, title: str, body: str, link: str) -> None:
    """A message to every account of the office of ``role`` in ``region``, in the caller's transaction."""
    found = select(Account.id).where(Account.roles.any(name=role), Account.region_code == region, Account.active)
    for account_id in session.scalars(found):
        tell_account(session, account_id, kind, title, body, link)


def tell_account(session: Session, account_id: int, kind: str, title: str, body: str, link: str) -> None:
    """A message to one account, in the caller's transaction."""
    session.add(Message(account_id=account_id, kind=kind, title=title[:100], body=body, link=link, sent_at=now()))


def count_unread(user: Account) -> int:
    """How many messages ``user`` has not read."""
    return db.session.scalar(select(func.count()).where(Message.account_id == user.id, Message.read_at.is_(None))) or 0


def list_messages(user: Account, kind: str | None, asked: Asked) -> Page[Message]:
    """One page of the messages of ``user``, newest first; ``kind`` None for all."""
    statement = select(Message).where(Message.account_id == user.id).order_by(Message.id.desc())
    return paginate(statement.where(Message.kind == kind) if kind else statement, asked)


def get_message(user: Account, public_id: str) -> Message:
    """The message as it is; NotFound if it is not the user's."""
    found = db.session.scalars(
        select(Message).where(Message.public_id == public_id, Message.account_id == user.id)
    ).first()
    if found is None:
        raise NotFound("没有找到这条消息。")
    return found


def read_message(user: Account, public_id: str) -> Message:
    """The message, marked as read now. NotFound if it is not the user's."""
    with unit_of_work() as session:
        message = session.scalars(
            select(Message).where(Message.public_id == public_id, Message.account_id == user.id)
        ).first()
        if message is None:
            raise NotFound("没有找到这条消息。")
        if message.read_at is None:
            message.read_at = now()
        return message


def read_all(user: Account) -> None:
    """Mark every message of ``user`` as read."""
    with unit_of_work() as session:
        session.execute(
            update(Message).where(Message.account_id == user.id, Message.read_at.is_(None)).values(read_at=now())
        )
