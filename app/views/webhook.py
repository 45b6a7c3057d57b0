"""系统 › 事件推送: addresses that hear of deeds. A new secret is shown on the answer to its form and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from wtforms import Form

from app.errors import DomainError, InvalidInput, TooMany
from app.forms.webhook import SecretForm, WebhookForm
from app.models import Webhook, WebhookDelivery
from app.models.base import now
from app.permissions import roles
from app.services import announcement
from app.services import webhook as webhooks
from app.services.reference import region_name
from app.services.webhook import Wanted
from app.views.account_page import visitor
from app.views.guard import roles_required

blueprint = Blueprint("webhook", __name__)

administrators = roles_required(roles.ADMIN)

STATES = {
    "queued": (_l("等待发送"), "go"),
    "sent": (_l("已送到"), "ok"),
    "failed": (_l("没送到，会再试"), "warn"),
    "dead": (_l("没有送到"), "bad"),
}


def state_of(hook: Webhook) -> tuple[str, str | None]:
    """Words and tone of how an address is doing."""
    if not hook.active:
        return _("已停用"), None
    if hook.failures:
        return _("最近 %(n)s 次没送到", n=hook.failures), "warn"
    return _("启用"), "ok"


def host_of(hook: Webhook) -> str:
    """The host of an address: the rest may be a key."""
    return urlsplit(hook.url).hostname or ""


def kind_of(delivery: WebhookDelivery) -> str:
    """What was announced, in words."""
    if delivery.kind == announcement.TRIAL:
        return _("测试")
    serial = json.loads(delivery.body)["declaration"]["serial_no"] or ""
    return f"{delivery.event.label if delivery.event else delivery.kind} {serial}"


def _form(hook: Webhook | None = None, data: Any = None) -> WebhookForm:
    kept: Mapping[str, Any] = {}
    if hook is not None:
        columns = ("name", "url", "events", "programmes", "version")
        kept = {name: getattr(hook, name) for name in columns} | {"region": hook.region_code}
    form = WebhookForm(data, data=kept)
    form.offer(webhooks.regions_of(current_user), webhooks.event_labels(), webhooks.programme_labels())
    return form


def _secret_form(data: Any = None) -> SecretForm:
    """Its field has a name of its own: the other form of the page asks for the password too."""
    return SecretForm(data, prefix="renew-")


def _wanted(form: WebhookForm) -> Wanted:
    region = form.region.data or ""
    return Wanted(
        form.name.data, form.url.data, region, tuple(form.events.data or ()), tuple(form.programmes.data or ())
    )


def _mark(form: Form, problem: DomainError) -> str | None:
    """Put the sentences to their fields; what belongs to none is given back for the top of the page."""
    for name, sentence in problem.fields.items():
        form[name].errors = [sentence]
    return None if problem.fields else problem.message


def _index(form: WebhookForm, *, problem: str | None = None, status: int = 200) -> Any:
    page = render_template(
        "system/webhooks.html",
        form=form,
        problem=problem,
        hooks=webhooks.webhooks_of(current_user),
        state_of=state_of,
        host_of=host_of,
        region_name=region_name,
        events=webhooks.event_labels(),
        programmes=webhooks.programme_labels(),
    )
    return page, status


def _page(hook: Webhook, form: WebhookForm, **more: Any) -> str:
    return render_template(
        "system/webhook.html",
        **({"secret_form": _secret_form(), "problem": None, "secret": None} | more),
        hook=hook,
        form=form,
        deliveries=webhooks.deliveries_of(hook),
        shown=webhooks.SHOWN,
        state=state_of(hook),
        rests=bool(hook.rest_left(now())),
        delivery_states=STATES,
        kind_of=kind_of,
    )


@blueprint.get("/system/webhooks/")
@administrators
def index() -> Any:
    """Every address, and the form for a new one."""
    return _index(_form())


@blueprint.post("/system/webhooks/")
@administrators
def create() -> Any:
    """Make an address and show its secret, once."""
    form = _form(data=request.form)
    if not form.validate():
        return _index(form, status=422)
    try:
        hook, secret = webhooks.create_webhook(current_user, visitor(), _wanted(form), form.password.data)
    except (InvalidInput, TooMany) as problem:
        return _index(form, problem=_mark(form, problem), status=problem.status)
    return _page(hook, _form(hook), secret=secret)


@blueprint.get("/system/webhooks/<uuid:id>")
@administrators
def show(id: UUID) -> Any:
    """One address: what was announced to it lately, and its form."""
    hook = webhooks.webhook_of(current_user, str(id))
    return _page(hook, _form(hook))


@blueprint.post("/system/webhooks/<uuid:id>")
@administrators
def change(id: UUID) -> Any:
    """Change an address."""
    hook = webhooks.webhook_of(current_user, str(id))
    form = _form(data=request.form)
    if not form.validate():
        return _page(hook, form), 422
    try:
        version = form.version.data or 0
        hook = webhooks.change_webhook(current_user, visitor(), str(id), version, _wanted(form), form.password.data)
    except DomainError as problem:
        hook = webhooks.webhook_of(current_user, str(id))
        return _page(hook, form, problem=_mark(form, problem)), problem.status
    flash(_("“%(name)s”已保存。", name=hook.name), "success")
    return redirect(url_for("webhook.show", id=hook.public_id))


@blueprint.post("/system/webhooks/<uuid:id>/secret")
@administrators
def renew(id: UUID) -> Any:
    """Make a new secret and show it, once."""
    hook = webhooks.webhook_of(current_user, str(id))
    form = _secret_form(request.form)
    if not form.validate():
        return _page(hook, _form(hook), secret_form=form), 422
    try:
        hook, secret = webhooks.renew_secret(current_user, visitor(), str(id), form.password.data)
    except (InvalidInput, TooMany) as problem:
        hook = webhooks.webhook_of(current_user, str(id))
        return _page(hook, _form(hook), secret_form=form, problem=_mark(form, problem)), problem.status
    return _page(hook, _form(hook), secret=secret)


@blueprint.post("/system/webhooks/<uuid:id>/active")
@administrators
def switch(id: UUID) -> Any:
    """Switch an address on or off."""
    wanted = request.form.get("active")
    if wanted not in ("0", "1"):
        raise InvalidInput(_("请在推送的页面上按“启用”或“停用”。"))
    hook = webhooks.switch_webhook(current_user, visitor(), str(id), active=wanted == "1")
    sentence = _("“%(name)s”已启用。", name=hook.name) if hook.active else _("“%(name)s”已停用。", name=hook.name)
    flash(sentence, "success")
    return redirect(url_for("webhook.show", id=hook.public_id))


@blueprint.post("/system/webhooks/<uuid:id>/test")
@administrators
def test(id: UUID) -> Any:
    """Want a trial sent; the list of announcements shows what became of it."""
    webhooks.try_webhook(current_user, visitor(), str(id))
    flash(_("测试已交给后台发送，几秒后刷新看下面的记录。"), "success")
    return redirect(url_for("webhook.show", id=id))


@blueprint.post("/system/webhook-deliveries/<uuid:id>/resend")
@administrators
def resend(id: UUID) -> Any:
    """Want one announcement sent once more."""
    hook = webhooks.resend(current_user, visitor(), str(id))
    flash(_("已交给后台重发，几秒后刷新看下面的记录。"), "success")
    return redirect(url_for("webhook.show", id=hook.public_id))
