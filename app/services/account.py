"""Accounts beyond signing in: the owner's name and identity number, and what operators do from the command line."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.adapters.passwords import hash_password
from app.errors import Conflict, InvalidInput, NotFound
from app.models import Account, Region
from app.models.base import new_public_id, now
from app.permissions import roles
from app.services.identity import CODE, PHONE, account_by_username, id_index, normal_name
from app.services.password import random_password, store_password
from app.services.privacy import cipher, masked
from app.services.registration import role_named
from app.services.session import revoke_sessions
from app.services.unit_of_work import unit_of_work
from app.workflow import engine

__all__ = ["create_staff", "hidden_id_number", "revoke_sessions", "set_identity", "set_password"]

_CONTEXT = "account"
STAFF_ROLES = (*roles.STAFF, roles.EXPERT)


def set_identity(user: Account, name: str, id_number: str | None, address: str | None) -> None:
    """Keep the person's name and, for individuals, the 身份证号 (None: unchanged), encrypted and with its index.

    InvalidInput (field ``id_number``) if the number cannot be taken; the answer does not say whose it is.
    """
    with unit_of_work() as session:
        account = session.get_one(Account, user.id)
        account.display_name = name or None
        if id_number and account.user_type == roles.INDIVIDUAL:
            index = id_index(id_number)
            other = session.scalar(select(Account.id).where(Account.id_number_index == index, Account.id != account.id))
            if other is not None:
                sentence = _("这个身份证号现在不能保存。请核对号码；确认无误的话，请打咨询电话核实。")
                raise InvalidInput(sentence, fields={"id_number": sentence})
            account.id_number_cipher, account.id_number_index = cipher().encrypt(id_number, _CONTEXT), index
        engine.record(session, None, account, action="identity", label="修改了姓名或证件号", subject=f"account:{account.id}",
                      address=address)  # fmt: skip


def hidden_id_number(user: Account) -> str:
    """The own 身份证号 with its middle hidden; empty if none was entered."""
    return masked(cipher().decrypt(user.id_number_cipher, _CONTEXT)) if user.id_number_cipher else ""


def create_staff(
    username: str,
    role: str,
    name: str,
    *,
    region_code: str | None = None,
    phone: str | None = None,
    department: str | None = None,
) -> str:
    """Create an account for staff or an expert; returns its first password, which must be changed at once.

    InvalidInput for an unknown role or region and for a user name or phone that nobody could sign in with, Conflict
    for one that is taken.
    """
    if role not in STAFF_ROLES:
        raise InvalidInput(f"没有“{role}”这种角色，可用：{'、'.join(STAFF_ROLES)}。")
    if role in roles.OFFICERS and not region_code:
        raise InvalidInput("工作人员要写明所属地区的 6 位代码。")
    username = normal_name(username)
    _check_shapes(username, phone)
    word = random_password(username)
    hashed = hash_password(word)
    with unit_of_work() as session:
        _check_new(session, username, region_code, phone)
        account = Account(
            username=username,
            first_name=name,
            last_name="",
            display_name=name,
            email=f"{new_public_id()}@account.invalid",
            password=hashed,
            active=True,
            user_type="staff",
            phone=phone,
            region_code=region_code,
            department=department,
            must_change_password=True,
            password_changed_at=now(),
        )
        account.roles = [role_named(session, role)]
        session.add(account)
        session.flush()
        engine.record(session, None, None, action="create_staff", label="新建工作人员账号",
                      subject=f"account:{account.id}", data={"role": role})  # fmt: skip
    return word


def _check_shapes(username: str, phone: str | None) -> None:
    """A name that reads like a phone or a code is looked up as one at the sign-in, so nobody would ever be found."""
    if not username or PHONE.fullmatch(username) or CODE.fullmatch(username.upper()):
        raise InvalidInput("用户名不能是空的，也不能写成手机号或 18 位代码，那样登录时找不到账号。请换一个。")
    if phone and not PHONE.fullmatch(phone):
        raise InvalidInput(f"手机号要写 11 位数字，例如 13800001234；现在写的是“{phone[:20]}”。")


def _check_new(session: Session, username: str, region_code: str | None, phone: str | None) -> None:
    if account_by_username(username, session) is not None:
        raise Conflict(f"用户名“{username}”已经有人用了，请换一个。")
    if phone and session.scalar(select(Account.id).where(Account.phone == phone)) is not None:
        raise Conflict("这个手机号已经有账号了，请换一个。")
    if region_code and session.scalar(select(Region.id).where(Region.code == region_code)) is None:
        raise InvalidInput(f"没有代码是“{region_code}”的地区，请核对。")


def set_password(username: str) -> str:
    """Give the account a new random password and end its sessions; returns it. It must be changed at once. NotFound."""
    word = random_password(username)
    hashed = hash_password(word)
    with unit_of_work() as session:
        account = account_by_username(username, session)
        if account is None:
            raise NotFound(f"没有用户名是“{username}”的账号，请核对。")
        store_password(session, account, hashed, forced=True)
        engine.record(session, None, None, action="password", label="运维人员重设了密码",
                      subject=f"account:{account.id}")  # fmt: skip
    return word
