"""The menus: at most five short names on top for everyone, the guides' names on the left for enterprises."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask import g, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import func, select

from app.definitions import registry
from app.extensions import db
from app.models import Declaration
from app.permissions import roles, scopes
from app.services.message import count_unread


@dataclass(frozen=True)
class Item:
    """One entry of a menu."""

    label: str
    url: str
    count: int = 0
    current: bool = False


@dataclass(frozen=True)
class Group:
    """Entries under a heading (None: without one)."""

    label: str | None
    items: list[Item]


@dataclass(frozen=True)
class Nav:
    """The menus of one page."""

    top: list[Item]
    side: list[Group] = field(default_factory=list)
    audience: str = "public"
    full: bool = False


def navigation() -> Nav:
    """The menus for the current person and page, made once a request."""
    if "navigation" not in g:
        g.navigation = _build()
    return g.navigation


def _item(label: str, url: str, count: int = 0, *starts: str) -> Item:
    here = request.path
    prefixes = starts or (url,)
    current = here == url if url == "/" else any(here.startswith(p) for p in prefixes)
    return Item(label, url, count, current)


def _build() -> Nav:
    if not current_user.is_authenticated:
        return _public()
    if current_user.role_names & {*roles.STAFF, roles.EXPERT}:
        return _staff()
    return _enterprise() if current_user.enterprise_id is not None else _individual()


def _public() -> Nav:
    return Nav(
        [
            _item(_("首页"), "/"),
            _item(_("公告"), url_for("portal.notices")),
            _item(_("公示"), url_for("portal.publicity")),
            _item(_("查询"), url_for("portal.recognitions")),
        ]
    )


def waiting_count() -> int:
    """How many declarations wait for the current person."""
    statement = select(func.count()).select_from(Declaration).where(scopes.held_by(current_user))
    return db.session.scalar(statement) or 0


def _staff() -> Nav:
    items = [_item(_("待办"), url_for("todo.index"), waiting_count(), "/todo/", "/review/")]
    if current_user.role_names & set(roles.STAFF):
        items.append(_item(_("批次"), url_for("batch.index"), 0, "/batches/", "/handovers/"))
    # At most five: administrators, who have 系统, reach it from 批次.
    if current_user.role_names & set(roles.OFFICERS) and roles.ADMIN not in current_user.role_names:
        items.append(_item(_("认定"), url_for("recognition.index")))
    items.append(_item(_("数据"), "/admin/", 0, "/admin/"))
    items.append(_item(_("消息"), url_for("message.index"), count_unread(current_user)))
    if roles.ADMIN in current_user.role_names:
        items.append(_item(_("系统"), url_for("api_token.index"), 0, "/system/"))
    return Nav(items, audience="staff")


def _individual() -> Nav:
    """A person looks at what is public and reads messages; nothing can be declared without an enterprise."""
    workbench, messages, unread = url_for("workbench.index"), url_for("message.index"), count_unread(current_user)
    notices, lists, query = url_for("portal.notices"), url_for("portal.publicity"), url_for("portal.recognitions")
    top = [
        _item(_("工作台"), workbench),
        _item(_("公告"), notices),
        _item(_("公示"), lists),
        _item(_("查询"), query),
        _item(_("消息"), messages, unread),
    ]
    public = [_item(_("通知公告"), notices), _item(_("公示名单"), lists), _item(_("认定查询"), query)]
    side = [
        Group(None, [_item(_("工作台"), workbench)]),
        Group(_("公开信息"), public),
        Group(None, [_item(_("我的消息"), messages, unread)]),
    ]
    return Nav(top, side, "enterprise")


def _about_certification() -> bool:
    """Whether the page belongs to a declaration that certifies the enterprise: it stands under 企业, not 申报."""
    public_id = (request.view_args or {}).get("id")
    if public_id is None or not request.path.startswith(url_for("declaration.index")):
        return False
    key = db.session.scalar(select(Declaration.programme_key).where(Declaration.public_id == str(public_id)))
    return key in registry.catalogue() and registry.catalogue().get(key).kind == "certification"


def _enterprise() -> Nav:
    waiting, unread = waiting_count(), count_unread(current_user)
    workbench, todo = url_for("workbench.index"), url_for("todo.index")
    messages, mine = url_for("message.index"), url_for("declaration.index")
    programmes, profile, certifying = url_for("programme.index"), url_for("enterprise.index"), _about_certification()
    top = [
        _item(_("工作台"), workbench),
        Item(_("申报"), programmes, 0, request.path.startswith((programmes, mine)) and not certifying),
        _item(_("待办"), todo, waiting),
        _item(_("消息"), messages, unread),
        Item(_("企业"), profile, 0, request.path.startswith(profile) or certifying),
    ]
    certification = url_for("enterprise.certification")
    menu = [
        _item(d.menu or d.title, url_for("programme.show", key=d.key))
        for d in registry.catalogue()
        if d.kind in ("declaration", "recognition", "subsidy")
    ]
    side = [
        Group(None, [_item(_("工作台"), workbench), _item(_("我的待办"), todo, waiting)]),
        Group(
            _("申报"),
            [
                *menu,
                Item(_("能报什么"), programmes, 0, request.path == programmes),
                Item(_("我的申报"), mine, 0, request.path.startswith(mine) and not certifying),
            ],
        ),
        Group(
            _("我的企业"),
            [
                Item(_("企业信息"), profile, 0, request.path == profile),
                Item(_("企业认证"), certification, 0, certifying or request.path.startswith(certification)),
                _item(_("成员"), url_for("member.index"), 0, url_for("member.index"), url_for("member.invite_page")),
            ],
        ),
        Group(None, [_item(_("我的消息"), messages, unread)]),
    ]
    return Nav(top, side, "enterprise")
