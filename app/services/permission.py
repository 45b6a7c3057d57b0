"""Writes the packaged roles and doors as Flask-AppBuilder rows; what an administrator added survives."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping

from flask_appbuilder.security.sqla.models import Permission, PermissionView, Role, ViewMenu
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.errors import Conflict, InvalidInput, NotFound, Refused
from app.extensions import db
from app.models import Account
from app.permissions import roles
from app.services.challenge import Visitor
from app.services.confirmation import confirm_password
from app.services.unit_of_work import unit_of_work
from app.workflow.engine import record

PREFIX = "grid_"
Door = tuple[str, str]
"""Name of a grid and the deed that is done on it: ``("region", "edit")``."""


def sync_permissions(grids: Iterable[str]) -> int:
    """Make sure that every role has the doors of ``roles.doors`` on ``grids``; returns how many were missing."""
    added = 0
    with unit_of_work() as session:
        by_role = {name: _role(session, name) for name in (*roles.ALL, "Public")}
        doors = _Doors(session)
        held = {name: {_key(door) for door in role.permissions} for name, role in by_role.items()}
        for role, key in _wanted(grids):
            if key not in held[role]:
                by_role[role].permissions.append(doors.at(key))
                added += 1
    return added


Key = tuple[str, str]
"""Names of a door's permission and of its view."""


def _key(door: PermissionView) -> Key:
    return door.permission.name, door.view_menu.name


def _wanted(grids: Iterable[str]) -> Iterator[tuple[str, Key]]:
    """Every role with each of the doors that the package gives it."""
    for grid in grids:
        for role, deeds in roles.doors(grid).items():
            for deed in sorted(deeds):
                yield role, (f"can_{deed}", f"{PREFIX}{grid}")


class _Doors:
    """The doors that there are, read at once; one that is asked for and missing is made."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.permissions = {p.name: p for p in session.scalars(select(Permission))}
        self.menus = {m.name: m for m in session.scalars(select(ViewMenu))}
        self.doors = {_key(door): door for door in session.scalars(select(PermissionView)).unique()}

    def at(self, key: Key) -> PermissionView:
        if key not in self.doors:
            permission = self.permissions.setdefault(key[0], Permission(name=key[0]))
            menu = self.menus.setdefault(key[1], ViewMenu(name=key[1]))
            self.doors[key] = PermissionView(permission=permission, view_menu=menu)
            self.session.add(self.doors[key])
        return self.doors[key]


def _role(session: Session, name: str) -> Role:
    role = session.scalars(select(Role).where(Role.name == name)).first()
    if role is None:
        role = Role(name=name)
        session.add(role)
        session.flush()
    return role


def doors_of(user: Account, *deeds: str) -> set[str]:
    """Names of the grids on which ``user`` may do all of ``deeds`` (to list, if none is named), as set now."""
    wanted = [f"can_{deed}" for deed in deeds or ("list",)]
    statement = (
        select(ViewMenu.name)
        .join(PermissionView, PermissionView.view_menu_id == ViewMenu.id)
        .join(Permission, Permission.id == PermissionView.permission_id)
        .join(PermissionView.role)
        .where(Permission.name.in_(wanted), Role.name.in_(user.role_names), ViewMenu.name.startswith(PREFIX))
        .group_by(ViewMenu.name)
        .having(func.count(Permission.name.distinct()) == len(wanted))
    )
    return {name.removeprefix(PREFIX) for name in db.session.scalars(statement)}


def has_door(user: Account, grid: str, deed: str) -> bool:
    """Whether ``user`` may do ``deed`` on ``grid``, as the administrator has set it now."""
    return grid in doors_of(user, deed)


def doors_of_role(role: str) -> set[Door]:
    """The doors that ``role`` has now. NotFound for a role that cannot have any."""
    _known(role)
    statement = (
        select(ViewMenu.name, Permission.name)
        .join(PermissionView, PermissionView.view_menu_id == ViewMenu.id)
        .join(Permission, Permission.id == PermissionView.permission_id)
        .join(PermissionView.role)
        .where(Role.name == role, ViewMenu.name.startswith(PREFIX, autoescape=True))
    )
    return _readable((deed, grid) for grid, deed in db.session.execute(statement))


def packaged_doors(role: str, grids: Iterable[str]) -> set[Door]:
    """The doors that ``role`` always has: a synchronisation brings them back."""
    return {(grid, deed) for grid in grids for deed in roles.doors(grid).get(role, ())}


def members_of_roles() -> dict[str, int]:
    """How many active accounts hold each role."""
    statement = select(Role.name, func.count()).join(Account.roles).where(Account.active).group_by(Role.name)
    return {name: count for name, count in db.session.execute(statement)}


def fingerprint(doors: Iterable[Door]) -> str:
    """A digest of ``doors``: whether they were changed since they were shown."""
    return hashlib.sha256(repr(sorted(doors)).encode()).hexdigest()


def set_doors(
    user: Account, visitor: Visitor, role: str, wanted: Iterable[Door], grids: Mapping[str, str],
    *, password: str, shown: str,
) -> tuple[set[Door], set[Door]]:  # fmt: skip
    """Give ``role`` the doors ``wanted`` on ``grids`` (name → label) beside the packaged ones; returns those added and
    those taken away.

    Refused if ``user`` is no administrator, NotFound for a role without doors, InvalidInput for a door that there is
    not or a wrong ``password``, Conflict if the doors are not those of the fingerprint ``shown``. What the package gives
    is never taken away: the next synchronisation would bring it back.
    """
    if roles.ADMIN not in user.role_names:
        raise Refused("只有平台管理员能改权限。")
    _known(role)
    packaged, chosen = packaged_doors(role, grids), set(wanted)
    _check_exist(chosen, grids)
    confirm_password(user, visitor, password)
    with unit_of_work() as session:
        row, doors = _locked_role(session, role), _Doors(session)
        held = {_key(door): door for door in row.permissions}
        if fingerprint(_readable(held)) != shown:
            raise Conflict("这个角色的权限刚被别人改过，您的修改还没有保存。请核对下面的勾选，再保存一次。")
        target = {_key_of(door) for door in chosen | packaged}
        listed = {_key_of(door) for door in _existing(grids)}
        added, removed = target - held.keys(), (held.keys() & listed) - target
        row.permissions = [d for key, d in held.items() if key not in removed] + [doors.at(k) for k in sorted(added)]
        if added or removed:
            noted = {"given": _words(added, grids), "taken": _words(removed, grids)}
            record(session, None, user, action="doors", label="修改角色权限", subject=f"role:{role}",
                   data={k: v for k, v in noted.items() if v})  # fmt: skip
    return {_door_of(k) for k in added}, {_door_of(k) for k in removed}


def _known(role: str) -> None:
    if role not in roles.OPEN_TO:
        raise NotFound("没有这个角色，或者它不能打开数据表。请从角色列表里选。")


def _existing(grids: Iterable[str]) -> set[Door]:
    return {(grid, deed) for grid in grids for deed in roles.deeds_of(grid)}


def _check_exist(chosen: set[Door], grids: Iterable[str]) -> None:
    if chosen - _existing(grids):
        raise InvalidInput("选的权限里有平台没有的，什么都没有改。请刷新页面再选。")


def _readable(keys: Iterable[Key]) -> set[Door]:
    """The doors among ``keys`` that are for grids and for deeds of people."""
    return {_door_of(key) for key in keys if key[1].startswith(PREFIX) and _door_of(key)[1] in roles.DEEDS}


def _locked_role(session: Session, name: str) -> Role:
    """The role, so that two administrators who save at once take turns."""
    return session.scalars(select(Role).where(Role.name == name).with_for_update(of=Role)).unique().one()


def _key_of(door: Door) -> Key:
    return f"can_{door[1]}", f"{PREFIX}{door[0]}"


def _door_of(key: Key) -> Door:
    return key[1].removeprefix(PREFIX), key[0].removeprefix("can_")


def _words(keys: Iterable[Key], labels: Mapping[str, str]) -> list[str]:
    """The doors in people's words: ``行政区划：修改``."""
    doors = sorted(_door_of(key) for key in keys)
    return [f"{labels[grid]}：{roles.DEED_LABELS[deed]}" for grid, deed in doors]
