"""A bare Flask application with the project's templates: no database, no views."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, get_template_attribute, render_template
from flask_babel import Babel, gettext, ngettext
from flask_wtf.csrf import CSRFProtect
from lxml import html as lxml_html

ROOT = Path(__file__).resolve().parents[3]


@dataclass
class Item:
    label: str
    url: str = "/x"
    count: int = 0
    current: bool = False


@dataclass
class Group:
    label: str | None
    items: list[Item]


@dataclass
class Nav:
    top: list[Item] = field(default_factory=list)
    side: list[Group] = field(default_factory=list)
    audience: str = "public"
    full: bool = False


@dataclass
class Person:
    is_authenticated: bool = True

    def get_full_name(self) -> str:
        return "王敏"


class Site:
    """What the bare application shows: who is signed in, which menus."""

    def __init__(self) -> None:
        self.nav = Nav([Item("首页", "/", current=True), Item("公告", count=3)])
        self.person: Any = Person(is_authenticated=False)

    def sign_in(self, audience: str = "enterprise") -> None:
        self.person = Person()
        self.nav.audience = audience
        self.nav.side = [Group(None, [Item("工作台")]), Group("我的企业", [Item("企业认证", current=True)])]


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def app(site: Site) -> Iterator[Flask]:
    app = Flask("templates", template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "app" / "static"))
    app.config.update(SECRET_KEY="only for tests", BABEL_DEFAULT_LOCALE="zh_CN")
    Babel(app)
    CSRFProtect(app)
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    app.jinja_env.globals.update(
        navigation=lambda: site.nav,
        site_owner="哈尔滨市工业和信息化局",
        site_contact="填报咨询 0451-8400 0000",
        csp_nonce=lambda: "n0nce",
        static_url=lambda name: f"/static/{name}",
    )
    app.jinja_env.filters["local_time"] = lambda moment: moment.strftime("%Y-%m-%d %H:%M")
    app.context_processor(lambda: {"current_user": site.person})
    with app.test_request_context("/here"):
        yield app


@pytest.fixture
def macro(app: Flask) -> Callable[..., Any]:
    """``macro("fields.html", "field")(state)`` → the parsed element tree of what it draws."""

    def load(file: str, name: str) -> Callable[..., Any]:
        attribute = get_template_attribute(f"components/{file}", name)
        return lambda *args, **kwargs: lxml_html.fragment_fromstring(str(attribute(*args, **kwargs)), "main")

    return load


@pytest.fixture
def page(app: Flask) -> Callable[..., Any]:
    """The parsed page of a template."""
    return lambda name, **values: lxml_html.fromstring(render_template(name, **values))


@pytest.fixture
def inline(app: Flask) -> Callable[..., Any]:
    """The parsed page of a template given as text."""
    return lambda source, **values: lxml_html.fromstring(app.jinja_env.from_string(source).render(
        current_user=values.pop("current_user", None), **values))  # fmt: skip
