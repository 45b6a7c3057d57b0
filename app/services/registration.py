"""Registration of enterprise users and individuals.

What is taken shows late: a number's owner learns from the message that it has an account, everybody else from
nothing; a user name is only called taken to somebody with the right code in hand, five times a code at most.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from flask_appbuilder.security.sqla.models import Role
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.adapters.passwords import hash_password
from app.errors import InvalidInput
from app.models import Account, Enterprise
from app.models.base import new_public_id, now
from app.permissions import roles
from app.services import sms
from app.services.challenge import Solution, Visitor
from app.services.identity import account_by_phone, account_by_username, folded_name
from app.services.password import require_acceptable
from app.services.sms import Letter
from app.services.throttle import lock
from app.services.unit_of_work import unit_of_work
from app.workflow import engine

REGISTER = "register"
USER_TYPES = (roles.ENTERPRISE, roles.INDIVIDUAL)


@dataclass(frozen=True)
class Registration:
    """What somebody registers with; the form has brought every part into its normal shape."""

    user_type: str
    username: str
    phone: str
    code: str
    password: str = field(repr=False)


def send_registration_code(visitor: Visitor, phone: str, solution: Solution) -> None:
    """Send a code to register with. The answer is the same for every number. InvalidInput, TooMany."""

    def write(session: Session, code: str) -> Letter:
        if account_by_phone(phone, session) is not None:
            return Letter(
                _("该号码已注册，请直接登录；忘了密码可以用“账号找回”。如果不是您本人操作，请不用理会。"), usable=False
            )
        return Letter(_("验证码 %(code)s，用于注册账号，5 分钟内有效。请不要告诉别人。", code=code))

    sms.send_code(visitor, phone, REGISTER, write, solution)


def register(visitor: Visitor, wanted: Registration) -> Account:
    """Create the account, for an enterprise user together with an empty enterprise that it owns.

    InvalidInput with the field: ``user_type``, ``password``, ``code``, ``username``.
    """
    if wanted.user_type not in USER_TYPES:
        raise InvalidInput(_("请选择您是企业用户还是个人用户。"), fields={"user_type": _("请选一种。")})
    require_acceptable(wanted.password, username=wanted.username, phone=wanted.phone, user_type=wanted.user_type)
    hashed = hash_password(wanted.password)
    problem: InvalidInput | None = None
    account: Account | None = None
    with unit_of_work() as session:
        lock(session, f"username:{folded_name(wanted.username)}")
        row = sms.try_code(session, visitor, wanted.phone, REGISTER, wanted.code)
        if row is None or account_by_phone(wanted.phone, session) is not None:
            problem = sms.wrong_code()
        elif account_by_username(wanted.username, session) is not None:
            sentence = _("用户名“%(name)s”已经有人用了，请换一个。", name=wanted.username)
            problem = InvalidInput(sentence, fields={"username": sentence})
        else:
            row.used_at = now()
            account = _create(session, wanted, hashed)
            engine.record(session, None, account, action="register", label="注册账号", subject=f"account:{account.id}",
                          data={"user_type": wanted.user_type}, address=visitor.address)  # fmt: skip
    if problem is not None or account is None:
        raise problem or sms.wrong_code()
    return account


def _create(session: Session, wanted: Registration, hashed: str) -> Account:
    account = Account(
        username=wanted.username,
        # Columns that the framework insists on; people see display_name or the user name.
        first_name=wanted.username,
        last_name="",
        email=f"{new_public_id()}@account.invalid",
        password=hashed,
        active=True,
        user_type=wanted.user_type,
        phone=wanted.phone,
        password_changed_at=now(),
        agreed_at=now(),
    )
    if wanted.user_type == roles.ENTERPRISE:
        enterprise = Enterprise(created_at=now())
        session.add(enterprise)
        session.flush()
        account.enterprise_id, account.enterprise_role = enterprise.id, "owner"
    account.roles = [role_named(session, wanted.user_type)]
    session.add(account)
    session.flush()
    return account


def role_named(session: Session, name: str) -> Role:
    """The role, made if the installation has none of that name yet."""
    role = session.scalars(select(Role).where(Role.name == name)).first()
    if role is None:
        role = Role(name=name)
        session.add(role)
        session.flush()
    return role
