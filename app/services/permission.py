"""Writes the packaged roles and doors as Flask-AppBuilder rows; what an administrator added survives."""

from __future__ import annotations

from collections.abc import Iterable

from flask_appbuilder.security.sqla.models import Permission, PermissionView, Role, ViewMenu
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.extensions import db
from app.models import Account
from app.permissions import roles
from app.services.unit_of_work import unit_of_work

PREFIX = "grid_"


def sync_permissions(grids: Iterable[str]) -> int:
    """Make sure that every role has the doors of ``roles.doors`` on ``grids``; returns how many were missing."""
    added = 0
    with unit_of_work() as session:
        by_role = {name: _role(session, name) for name in (*roles.ALL, "Public")}
        permissions = {p.name: p for p in session.scalars(select(Permission))}
        menus = {m.name: m for m in session.scalars(select(ViewMenu))}
        pairs = {(v.permission.name, v.view_menu.name): v for v in session.scalars(select(PermissionView)).unique()}
        held = {
            name: {(v.permission.name, v.view_menu.name) for v in role.permissions} for name, role in by_role.items()
        }
        for grid in grids:
            for role, deeds in roles.doors(grid).items():
                for deed in sorted(deeds):
                    key = (f"can_{deed}", f"{PREFIX}{grid}")
                    if key not in pairs:
                        permission = permissions.setdefault(key[0], Permission(name=key[0]))
                        menu = menus.setdefault(key[1], ViewMenu(name=key[1]))
                        pairs[key] = PermissionView(permission=permission, view_menu=menu)
                        session.add(pairs[key])
                    if key not in held[role]:
                        by_role[role].permissions.append(pairs[key])
                        added += 1
    return added


def _role(session: Session, name: str) -> Role:
    role = session.scalars(select(Role).where(Role.name == name)).first()
    if role is None:
        role = Role(name=name)
        session.add(role)
        session.flush()
    return role


def doors_of(user: Account) -> set[str]:
    """Names of the grids that ``user`` may list, as the administrator has set them now."""
    statement = (
        select(ViewMenu.name)
        .join(PermissionView, PermissionView.view_menu_id == ViewMenu.id)
        .join(Permission, Permission.id == PermissionView.permission_id)
        .join(PermissionView.role)
        .where(Permission.name == "can_list", Role.name.in_(user.role_names), ViewMenu.name.startswith(PREFIX))
    )
    return {name.removeprefix(PREFIX) for name in db.session.scalars(statement)}
