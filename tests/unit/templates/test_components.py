"""Components: markup of the look, words beside every colour, names for every repeated button."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from flask import flash
from wtforms import BooleanField, Form, PasswordField, RadioField, SelectField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired

Draw = Callable[..., Any]


def text(tree: Any) -> str:
    return " ".join(tree.text_content().split())


def test_the_style_page_shows_every_tone(page: Draw) -> None:
    tree = page("portal/style.html")
    for kind in ("sb-tag", "sb-note"):
        tones = {t.get("data-tone") for t in tree.xpath(f"//*[contains(concat(' ', @class, ' '), ' {kind} ')]")}
        assert tones >= {None, "ok", "warn", "bad"}
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids))
    for reference in tree.xpath("//@aria-labelledby | //@aria-describedby"):
        assert set(reference.split()) <= set(ids)


def test_the_style_page_shows_every_icon(page: Draw) -> None:
    classes = " ".join(page("portal/style.html").xpath("//i/@class"))
    for name in ("check", "alert", "clock", "file", "up", "down", "plus", "x", "lock", "chat"):
        assert f"i-{name}" in classes


@pytest.mark.parametrize("tone", [None, "go", "ok", "warn", "bad"])
def test_tag(macro: Draw, tone: str | None) -> None:
    tag = macro("status.html", "tag")("退回修改", tone)[0]
    assert tag.get("data-tone") == tone and tag.text == "退回修改"


def test_an_error_summary_is_an_alert_that_takes_the_focus(macro: Draw) -> None:
    box = macro("status.html", "note")("bad", "还有 1 处要改", [("手机号少 1 位", "#phone")], focus=True)[0]
    assert box.get("role") == "alert" and box.get("tabindex") == "-1" and box.get("data-focus") is not None
    assert box.xpath(".//a/@href") == ["#phone"]
    assert macro("status.html", "note")("ok", "通过")[0].get("role") is None


def test_note_takes_sentences_pairs_and_objects(macro: Draw) -> None:
    items = ["一", ("二", "#2"), SimpleNamespace(text="三", url="#3")]
    tree = macro("status.html", "note")("warn", "看一看", items)
    assert [li.text_content() for li in tree.xpath("//li")] == ["一", "二", "三"]
    assert tree.xpath("//a/@href") == ["#2", "#3"]


def test_flashes_are_toasts_or_notes(app: Any, macro: Draw) -> None:
    flash("已退回企业", "success")
    flash("密码不对", "danger")
    tree = macro("status.html", "flashes")()
    assert text(tree.xpath("//*[@role='alert']")[0]) == "密码不对"
    assert text(tree.xpath("//*[@role='status']")[0]) == "已退回企业"
    assert tree.xpath("//*[@role='status']//*[@data-toast]")


def test_todo_row_names_its_button(macro: Draw) -> None:
    row = SimpleNamespace(title="松岭精密", reason="重新提交", tag="再次提交", tone="warn", clock="剩 2 个工作日",
                          clock_tone="warn", verb="审核", url="/review/1/")  # fmt: skip
    tree = macro("work.html", "todo")(row)
    assert tree.xpath("//a[contains(@class, 'btn')]/@aria-label") == ["审核：松岭精密"]
    assert tree.xpath("//li/@class") == ["sb-todo"]
    picked = macro("work.html", "todo")(row, pick=("rowid", "1"))
    assert picked.xpath("//input/@aria-label") == ["选择松岭精密"]


def test_route_and_rail_mark_the_place(macro: Draw) -> None:
    steps = [
        SimpleNamespace(label="填报", state="done", text="6 月 3 日"),
        SimpleNamespace(label="初审", state="current"),
    ]
    tree = macro("work.html", "route")(steps)
    assert tree.xpath("//li[@class='done']/text()")[0] == "填报"
    assert tree.xpath("//li[@aria-current='step']/text()")[0] == "初审"
    rail = macro("work.html", "rail")(
        [SimpleNamespace(label="基本情况", url="/a", state="bad", text="1 处要改", current=True)]
    )
    assert rail.xpath("//li[@data-state='bad'][@aria-current='step']/a/@href") == ["/a"]


def test_problems_link_to_their_fields(macro: Draw) -> None:
    problem = SimpleNamespace(text="还没选", url="/s#f", verb="去填", name="标杆样板打造", warn=False)
    groups = [
        {"label": "其他情况", "tag": "1 项没填", "tone": "bad", "problems": [problem]},
        {"label": "基础", "tag": "没有问题", "tone": "ok"},
    ]
    tree = macro("work.html", "problems")(groups)
    assert tree.xpath("//a/@href") == ["/s#f"] and tree.xpath("//a/@aria-label") == ["去填：标杆样板打造"]
    assert len(tree.xpath("//h3")) == 2


def test_attachment_says_what_went_wrong(macro: Draw) -> None:
    file = {"title": "审计报告", "state": "没传", "tone": "bad", "meta": "128.3 MB", "error": "文件要小于 100 MB。"}
    tree = macro("work.html", "attachment")(file, "div")
    assert text(tree.xpath("//*[@class='sb-error']")[0]) == "文件要小于 100 MB。"
    assert tree[0].tag == "div"


def test_pager_at_the_ends(macro: Draw) -> None:
    page = SimpleNamespace(total=1284, number=1, pages=129, previous_url=None, next_url="/?page=2")
    tree = macro("layout.html", "pager")(page, "家")
    assert "共 1,284 家，第 1 / 129 页" in text(tree)
    assert tree.xpath("//button[@disabled]/text()") == ["上一页"] and tree.xpath("//a/@href") == ["/?page=2"]


def test_chips_say_that_they_remove(macro: Draw) -> None:
    tree = macro("layout.html", "chips")([("注册地：平房区", "/a", True), ("规模", "/b", False)], clear="/c")
    assert text(tree.xpath("//a[contains(@class, ' on')]")[0]) == "注册地：平房区 ，移除"
    assert tree.xpath("//a/@href") == ["/a", "/b", "/c"]


def test_grid_names_its_cells_for_cards(macro: Draw) -> None:
    columns = [
        {"label": "企业名称"},
        {
            "label": "2023 年营业收入（万元）",
            "short": "营业收入",
            "num": True,
            "sorted": "descending",
            "sort_url": "/s",
        },
    ]
    tree = macro("layout.html", "grid")("企业列表", columns, [[("松岭", "/1"), "8,621.24"], [("科佳", "/2"), None]])
    assert tree.xpath("//tbody/tr[1]/th/a/@href") == ["/1"]
    assert tree.xpath("//td/@data-label") == ["营业收入", "营业收入"]
    assert tree.xpath("//th[@aria-sort='descending']/a/@href") == ["/s"]
    assert tree.xpath("//caption")[0].text == "企业列表"


def test_empty_answers_are_said(macro: Draw) -> None:
    tree = macro("layout.html", "facts")([("企业性质", "民营"), ("上年纳税", None), ("人数", "0", "f-staff")])
    assert [text(d) for d in tree.xpath("//dd")] == ["民营", "没有填", "0"]
    assert tree.xpath("//dt/@id") == ["f-staff"]


class SignUp(Form):
    name = StringField("用户名", [DataRequired("请填用户名。")])
    secret = PasswordField("密码")
    kind = RadioField("您是", choices=[SelectChoice("enterprise", "企业用户")])
    city = SelectField("城市", choices=[SelectChoice("1", "哈尔滨")])
    agree = BooleanField("我已读过")


@pytest.fixture
def form() -> SignUp:
    form = SignUp(data={"kind": "enterprise", "city": "1"})
    form.validate()
    form.name.errors = ["请填用户名。"]
    return form


def test_form_input_with_help_and_error(macro: Draw, form: SignUp) -> None:
    tree = macro("forms.html", "input")(form.name, help="用来登录", autocomplete="username", counter=30)
    control = tree.xpath("//input")[0]
    assert control.get("autocomplete") == "username" and control.get("aria-invalid") == "true"
    assert control.get("aria-describedby").split() == ["name-e", "name-d"]
    assert {"name-e", "name-d"} <= set(tree.xpath("//@id"))


def test_password_button_waits_for_scripts(macro: Draw, form: SignUp) -> None:
    button = macro("forms.html", "password")(form.secret, "new-password").xpath("//button")[0]
    assert (
        button.get("hidden") is not None
        and button.get("data-show-password") == "secret"
        and button.get("type") == "button"
    )


def test_form_choices(macro: Draw, form: SignUp) -> None:
    tree = macro("forms.html", "choice")(
        form.kind, [("enterprise", "企业用户", "代表企业申报。"), ("person", "个人用户", "不能申报。")]
    )
    assert tree.xpath("//input[@checked]/@value") == ["enterprise"] and len(tree.xpath("//label")) == 2
    assert "我已读过" in text(macro("forms.html", "check")(form.agree))
    assert macro("forms.html", "select")(form.city).xpath("//select/@class") == ["form-select"]


def test_summary_links_to_each_field(macro: Draw, form: SignUp) -> None:
    tree = macro("forms.html", "summary")(form)
    assert ("用户名：请填用户名。", "#name") in [(a.text, a.get("href")) for a in tree.xpath("//a")]
    clean = SignUp(data={"name": "x"})
    assert text(macro("forms.html", "summary")(clean)) == ""
