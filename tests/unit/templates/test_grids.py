"""Widgets of the grids: usable without scripts, deeds are posts that ask first, no word of the library shows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from lxml import html as lxml_html
from wtforms import BooleanField, DateField, DecimalField, Form, SelectField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, InputRequired

Draw = Callable[..., Any]
GENERAL = "appbuilder/general"


class Filters:
    """Stand-in for Flask-AppBuilder's: which comparisons a column has."""

    def get_search_filters(self) -> dict[str, list[Any]]:
        starts, contains = type("FilterStartsWith", (), {})(), type("FilterContains", (), {})()
        equal, greater = type("FilterEqual", (), {})(), type("FilterGreater", (), {})()
        return {
            "name": [starts, contains],
            "revenue": [equal, greater],
            "big": [equal],
            "city": [equal],
            "born": [equal],
        }


class Search(Form):
    name = StringField("企业名称")
    revenue = DecimalField("营业收入")
    big = BooleanField("规上")
    city = SelectField("注册地", choices=[SelectChoice("1", "道里区"), SelectChoice("2", "南岗区")])
    born = DateField("成立日期")


@pytest.fixture
def allowed() -> set[str]:
    return {"can_add", "can_show", "can_edit", "can_delete"}


@pytest.fixture
def widget(app: Flask, allowed: set[str]) -> Draw:
    def link(endpoint: str, **values: Any) -> str | None:
        name, _, deed = endpoint.partition(".")
        return f"/admin/{name}/{deed}" + "".join(f"/{v}" for v in values.values()) if deed != "export" else None

    app.jinja_env.filters.update(
        is_item_visible=lambda deed, view: deed in allowed,
        get_actions_on_list=lambda actions, view: actions,
        get_actions_on_show=lambda actions, view: actions,
        safe_url_for=link,
        set_link_filters=lambda path, filters: path,
        link_order=lambda column, view: f"?_oc_{view}={column}",
        get_link_order=lambda column, view: 1 if column == "revenue" else 0,
        link_page=lambda page, view: f"?page_{view}={page}",
        link_page_size=lambda size, view: f"?psize_{view}={size}",
    )
    return lambda name, **values: lxml_html.fragment_fromstring(
        app.jinja_env.get_template(f"{GENERAL}/{name}").render(**values), "main"
    )


def rows(*more: dict[str, Any], **changes: Any) -> dict[str, Any]:
    first = {
        "name": "松岭 <b>",
        "revenue": Decimal("8621.24"),
        "big": True,
        "updated": datetime(2024, 6, 1, 9, tzinfo=UTC),
        "note": None,
    }
    values = [first, *more]
    action = SimpleNamespace(name="send", text="发消息", confirmation="要给所选企业发消息吗？")
    return {
        "modelview_name": "EntView", "include_columns": list(first), "order_columns": ["name", "revenue"],
        "label_columns": {"name": "企业名称", "revenue": "营业收入", "big": "规上", "updated": "更新", "note": "备注"},
        "formatters_columns": {"revenue": lambda v: f"{v:,.2f}"}, "value_columns": (v for v in values),
        "pks": [str(n) for n in range(7, 7 + len(values))], "page": 0, "page_size": 25, "count": 51, "filters": Filters(),
        "actions": {"send": action}, **changes,
    }  # fmt: skip


def test_rows_as_people_read_them(widget: Draw) -> None:
    tree = widget("widgets/list.html", **rows())
    cells = [" ".join(c.text_content().split()) for c in tree.xpath("//tbody/tr/*")]
    assert cells[1:6] == ["松岭 <b>", "8,621.24", "是", "2024-06-01 09:00", "—"]
    assert tree.xpath("//tbody//th/a/@href") == ["/admin/EntView/show/7"]
    assert "num" in tree.xpath("//td[@data-label='营业收入']/@class")[0]
    assert tree.xpath("//th[@aria-sort]/@aria-sort") == ["descending"]


def test_deeds_are_posts_with_token_and_question(widget: Draw) -> None:
    tree = widget("widgets/list.html", **rows())
    form = tree.xpath("//form")[0]
    assert form.get("method") == "post" and form.get("action") == "/admin/EntView/action_post"
    assert form.xpath("./input[@name='csrf_token']/@value")[0]
    delete = form.xpath(".//button[@formaction]")[0]
    assert delete.get("formaction") == "/admin/EntView/delete/7"
    assert "松岭" in delete.get("data-confirm") and delete.get("aria-label").startswith("删除松岭")
    send = form.xpath(".//button[@name='action']")[0]
    assert send.get("value") == "send" and send.get("data-confirm") == "要给所选企业发消息吗？"
    assert form.xpath(".//input[@name='rowid']/@value") == ["7"]


def test_what_is_not_allowed_is_not_offered(widget: Draw, allowed: set[str]) -> None:
    allowed.clear()
    tree = widget("widgets/list.html", **rows(actions={}))
    assert (
        not tree.xpath("//tbody//a")
        and not tree.xpath("//button[@formaction]")
        and not tree.xpath("//input[@type='checkbox']")
    )
    assert "操作" not in tree.text_content()


def test_pages_of_a_grid(widget: Draw) -> None:
    tree = widget("widgets/list.html", **rows(page=1))
    pager = tree.xpath("//nav[@aria-label='分页']")[0]
    assert "共 51 条，第 2 / 3 页" in pager.text_content()
    assert pager.xpath(".//a[contains(@class, 'btn')]/@href") == ["?page_EntView=0", "?page_EntView=2"]
    assert pager.xpath(".//a[@aria-current]/text()") == ["25"]


def test_an_empty_grid_says_what_to_do(widget: Draw) -> None:
    tree = widget("widgets/list.html", **rows(count=0))
    assert "这里还没有记录" in tree.text_content() and not tree.xpath("//table")


def search(widget: Draw, app: Flask, address: str) -> Any:
    names = {"name": "企业名称", "revenue": "营业收入", "big": "规上", "city": "注册地", "born": "成立日期"}
    ways = {
        "name": ["开头是", "包含"],
        "revenue": ["等于", "大于"],
        "big": ["等于"],
        "city": ["等于"],
        "born": ["等于"],
    }
    with app.test_request_context(address):
        return widget("widgets/search.html", form=Search(), include_cols=list(names), label_columns=names,
                      search_filters=ways, active_filters=[], filters=Filters())  # fmt: skip


def test_filters_offer_the_usual_comparison(widget: Draw, app: Flask) -> None:
    tree = search(widget, app, "/admin/ent/list/")
    assert tree.xpath("//form")[0].get("method") == "get"
    names = tree.xpath("//*[@id and @name]/@name")
    assert names == ["_flt_1_name", "_flt_0_revenue", "_flt_0_big", "_flt_0_city", "_flt_0_born"]
    assert tree.xpath("//select[@data-way='revenue']/option/@value") == ["_flt_0_revenue", "_flt_1_revenue"]
    assert tree.xpath("//input[@id='born']/@type") == ["date"]
    for control in tree.xpath("//*[@id and @name]"):
        assert tree.xpath(f"//label[@for='{control.get('id')}']")
    assert not tree.xpath("//a[contains(@class, 'sb-chip')]")


def test_active_filters_are_visible_and_removable(widget: Draw, app: Flask) -> None:
    tree = search(widget, app, "/admin/ent/list/?_flt_0_city=2&_flt_1_revenue=9000&_oc_E=name&page_E=3")
    chips = {" ".join(c.text_content().split()): c.get("href") for c in tree.xpath("//a[contains(@class, 'sb-chip')]")}
    assert chips == {
        "营业收入 大于 9000 ，移除": "/admin/ent/list/?_flt_0_city=2&_oc_E=name",
        "注册地 等于 南岗区 ，移除": "/admin/ent/list/?_flt_1_revenue=9000&_oc_E=name",
    }
    assert tree.xpath("//input[@id='revenue']/@value") == ["9000"]
    assert tree.xpath("//select[@data-way='revenue']/option[@selected]/text()") == ["大于"]
    assert tree.xpath("//input[@type='hidden']/@name") == ["_oc_E"]


def test_one_record_as_facts(widget: Draw) -> None:
    values = rows()
    first = next(iter(values.pop("value_columns")))
    values.update(value_columns=list(first.values()), pk="7", fieldsets=[])
    tree = widget("widgets/show.html", **values)
    assert [dt.text for dt in tree.xpath("//dt")] == ["企业名称", "营业收入", "规上", "更新", "备注"]
    assert tree.xpath("//dd")[0].text_content() == "松岭 <b>"
    form = tree.xpath("//form")[0]
    assert form.get("method") == "post" and form.xpath(".//input[@name='csrf_token']")
    assert "/admin/EntView/edit/7" in tree.xpath("//a/@href")


class Edit(Form):
    name = StringField("企业名称", [DataRequired("请填企业名称。")])
    revenue = DecimalField("营业收入", [InputRequired("请填数字。")], description="万元")
    born = DateField("成立日期")
    big = BooleanField("规上")
    city = SelectField("注册地", choices=[SelectChoice("1", "道里区")])

    def hidden_tag(self) -> str:
        return ""


def test_form_marks_errors_and_keeps_what_was_typed(widget: Draw) -> None:
    from werkzeug.datastructures import MultiDict

    form = Edit(MultiDict({"revenue": "12万", "born": "2024-06-01", "city": "1"}))
    form.validate()
    tree = widget(
        "widgets/form.html", form=form, include_cols=list(form._fields), exclude_cols=[], fieldsets=[], form_action=None
    )
    assert tree.xpath("//form/@novalidate") and tree.xpath("//*[@role='alert']//a/@href") == ["#name", "#revenue"]
    revenue = tree.xpath("//input[@id='revenue']")[0]
    assert revenue.get("value") == "12万" and revenue.get("aria-invalid") == "true"
    assert revenue.get("aria-describedby").split() == ["revenue-e", "revenue-d"]
    assert tree.xpath("//input[@id='born']/@type") == ["date"]
    assert tree.xpath("//input[@id='born']/@value") == [str(date(2024, 6, 1))]
    assert tree.xpath("//button/text()") == ["保存"]


def test_no_page_of_the_library_brings_its_own_scripts(app: Flask, widget: Draw) -> None:
    for name in ("widgets/list.html", "widgets/search.html", "widgets/show.html", "widgets/form.html", "lib.html"):
        source = app.jinja_env.loader.get_source(app.jinja_env, f"{GENERAL}/{name}")[0]  # type: ignore[union-attr]
        assert "<script" not in source and "glyphicon" not in source and "data-toggle" not in source
