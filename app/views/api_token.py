"""系统 › 接口令牌: the keys of other systems. A new key is shown on the answer to its form and nowhere else."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from app.errors import InvalidInput, TooMany
from app.forms.api_token import ApiTokenForm
from app.models import ApiToken
from app.models.base import now
from app.permissions import roles
from app.services import api_token as tokens
from app.services.api_token import Wanted
from app.views.account_page import visitor
from app.views.guard import roles_required
from app.workflow.calendar import local_date

blueprint = Blueprint("api_token", __name__)

administrators = roles_required(roles.ADMIN)


def _tables() -> list[tuple[str, str]]:
    return [(grid.name, grid.label) for grid in current_app.extensions["grids"]]


def _form() -> ApiTokenForm:
    form = ApiTokenForm(request.form)
    form.offer(_tables())
    return form


def state_of(token: ApiToken) -> tuple[str, str | None]:
    """Words and tone of what a key is good for."""
    if token.revoked_at is not None:
        return _("已停用"), None
    if token.expires_at <= now():
        return _("已过期"), None
    return (_("可用"), "ok") if token.account.active else (_("账号已停用"), "warn")


def last_day(token: ApiToken) -> date:
    """The day at whose end (24:00 in Shanghai) a key stops."""
    return local_date(token.expires_at - timedelta(microseconds=1))


def _page(form: ApiTokenForm, *, problem: str | None = None, status: int = 200, key: str | None = None) -> Any:
    page = render_template(
        "system/tokens.html",
        form=form,
        problem=problem,
        key=key,
        tokens=tokens.tokens_of(current_user),
        labels=dict(_tables()),
        state_of=state_of,
        last_day=last_day,
    )
    return page, status


@blueprint.get("/system/tokens/")
@administrators
def index() -> Any:
    """Every key, and the form for a new one."""
    return _page(_form())


@blueprint.post("/system/tokens/")
@administrators
def create() -> Any:
    """Make a key and show it, once."""
    form = _form()
    if not form.validate():
        return _page(form, status=422)
    wanted = Wanted(form.name.data, form.account.data, form.day, tuple(form.resources.data or ()))
    try:
        _token, key = tokens.create_token(current_user, visitor(), wanted, form.password.data)
    except (InvalidInput, TooMany) as problem:
        for name, sentence in problem.fields.items():
            form[name].errors = [sentence]
        return _page(form, problem=None if problem.fields else problem.message, status=problem.status)
    empty = ApiTokenForm()
    empty.offer(_tables())
    return _page(empty, key=key)


@blueprint.post("/system/tokens/<uuid:id>/revoke")
@administrators
def revoke(id: UUID) -> Any:
    """End a key at once."""
    token = tokens.revoke_token(current_user, visitor(), str(id))
    flash(_("令牌“%(name)s”已停用，用它的系统读不到数据了。", name=token.name), "success")
    return redirect(url_for("api_token.index"))
