"""系统 › 角色权限: which grids each role may open, and what it may do there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from app.errors import Conflict, InvalidInput, TooMany
from app.permissions import roles
from app.services import permission
from app.services.permission import Door
from app.views.account_page import visitor
from app.views.admin.core import GROUPS
from app.views.admin.spec import Grid
from app.views.guard import roles_required

blueprint = Blueprint("role", __name__)

administrators = roles_required(roles.ADMIN)


@dataclass(frozen=True)
class Line:
    """One role in the list."""

    name: str
    label: str
    people: int
    packaged: int
    added: int


@dataclass(frozen=True)
class Box:
    """One door of the form: ``fixed`` ones come with the package and cannot be taken away."""

    value: str
    label: str
    checked: bool
    fixed: bool


def _grids() -> list[Grid]:
    return list(current_app.extensions["grids"])


def _labels() -> dict[str, str]:
    return {grid.name: grid.label for grid in _grids()}


@blueprint.get("/system/roles/")
@administrators
def index() -> str:
    """Every role that opens grids, with how many people hold it and how many doors it has."""
    people, labels = permission.members_of_roles(), _labels()
    return render_template("system/roles.html", lines=[_line(name, people, labels) for name in roles.OPEN_TO])


def _line(name: str, people: dict[str, int], labels: dict[str, str]) -> Line:
    held = {door for door in permission.doors_of_role(name) if door[0] in labels}
    packaged = permission.packaged_doors(name, labels)
    return Line(name, roles.LABELS[name], people.get(name, 0), len(held & packaged), len(held - packaged))


@blueprint.get("/system/roles/<name>")
@administrators
def show(name: str) -> Any:
    """The doors of a role, grouped as the grids are."""
    held = permission.doors_of_role(name)
    return _page(name, held, permission.fingerprint(held))


@blueprint.post("/system/roles/<name>")
@administrators
def change(name: str) -> Any:
    """Give and take away doors. What cannot be done comes back with every tick as it was set."""
    chosen = {_door(value) for value in request.form.getlist("door")}
    shown, password = request.form.get("shown", ""), request.form.get("password", "")
    try:
        given, taken = permission.set_doors(
            current_user, visitor(), name, chosen, _labels(), password=password, shown=shown
        )
    except (InvalidInput, Conflict, TooMany) as problem:
        held = permission.doors_of_role(name)
        # A conflict is judged anew against what is there now.
        again = permission.fingerprint(held) if isinstance(problem, Conflict) else shown
        return _page(name, chosen, again, problem.message, problem.status)
    if given or taken:
        flash(
            _(
                "“%(role)s”的权限已保存：加上 %(a)s 项，去掉 %(b)s 项，马上生效。",
                role=roles.LABELS[name],
                a=len(given),
                b=len(taken),
            ),
            "success",
        )
    else:
        flash(_("没有改动，“%(role)s”的权限和原来一样。", role=roles.LABELS[name]), "success")
    return redirect(url_for("role.show", name=name), 303)


def _door(value: str) -> Door:
    grid, _colon, deed = value.partition(":")
    return grid, deed


def _page(name: str, checked: set[Door], shown: str, problem: str | None = None, status: int = 200) -> Any:
    packaged = permission.packaged_doors(name, _labels())
    groups = [
        (group, [(g.label, _boxes(g.name, checked, packaged)) for g in _grids() if g.group == group])
        for group in GROUPS
    ]
    page = render_template(
        "system/role.html", name=name, label=roles.LABELS[name], groups=[g for g in groups if g[1]], shown=shown,
        problem=problem,
    )  # fmt: skip
    return page, status


def _boxes(grid: str, checked: set[Door], packaged: set[Door]) -> list[Box]:
    return [
        Box(f"{grid}:{deed}", roles.DEED_LABELS[deed], (grid, deed) in checked | packaged, (grid, deed) in packaged)
        for deed in roles.deeds_of(grid)
    ]
