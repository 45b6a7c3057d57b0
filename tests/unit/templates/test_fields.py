"""Questions of the wizard as HTML: nothing typed is lost, everything is labelled, only what changed travels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.definitions.evaluation import FieldState
from app.fields import registry
from app.fields.base import FieldSpec, Option, Raw

Draw = Callable[..., Any]


def options(*labels: str) -> tuple[Option, ...]:
    return tuple(Option(value=f"v{n}", label=label) for n, label in enumerate(labels))


def state(type: str, raw: Raw = None, **more: Any) -> FieldState:
    names = {"error", "warning", "visible", "required", "prefilled", "text"}
    own = {k: more.pop(k) for k in names & set(more)}
    return FieldState(FieldSpec(key="answer", label="项目名称", type=type, **more), "projects/7/answer", raw, **own)


@pytest.fixture
def field(macro: Draw) -> Draw:
    return macro("fields.html", "field")


@pytest.mark.parametrize("name", registry.names())
def test_every_type_is_drawn_with_a_label(field: Draw, name: str) -> None:
    given = options("甲", "乙") if name in ("select", "multiselect") else ()
    tree = field(state(name, options=given))
    controls = tree.xpath("//*[self::input or self::select or self::textarea][not(@type='hidden')]")
    assert controls
    for control in controls:
        label = tree.xpath(f"//label[@for='{control.get('id')}']")
        assert label and label[0].text_content().strip()


@pytest.mark.parametrize("name", registry.names())
def test_the_macro_exists_for_every_widget(macro: Draw, name: str) -> None:
    assert macro("fields.html", registry.get(name).widget)(state(name, options=options("甲"))) is not None


def test_what_cannot_be_read_stays_and_is_marked(field: Draw) -> None:
    tree = field(state("decimal", "12万", unit="万元", error="请填数字。", help="按审计报告"))
    control = tree.xpath("//input[@type='text']")[0]
    assert control.get("value") == "12万"
    assert control.get("aria-invalid") == "true"
    described = tree.xpath(f"//*[@id='{control.get('aria-describedby')}']")[0]
    assert described.text_content().strip() == "请填数字。"
    assert "按审计报告" not in tree.text_content()
    assert tree.xpath("//*[@class='input-group-text']")[0].text == "万元"


def test_help_is_tied_to_the_control(field: Draw) -> None:
    tree = field(state("string", "x", help="与合同一致"))
    control = tree.xpath("//input[@type='text']")[0]
    assert tree.xpath(f"//*[@id='{control.get('aria-describedby')}']")[0].text_content() == "与合同一致"
    assert control.get("aria-invalid") is None


def test_over_long_text_is_not_cut(field: Draw) -> None:
    tree = field(state("string", "字" * 12, max_length=10))
    control = tree.xpath("//input[@type='text']")[0]
    assert control.get("maxlength") is None and control.get("value") == "字" * 12
    counter = tree.xpath("//*[@data-counter]")[0]
    assert counter.text == "12 / 10" and counter.get("class") == "bad"
    assert counter.get("data-counter") == control.get("id")


def test_markup_that_was_typed_is_text(field: Draw) -> None:
    evil = '"><script>alert(1)</script>'
    for type in ("string", "text", "region"):
        tree = field(state(type, evil, error=evil, text=evil))
        assert not tree.xpath("//script")
        assert (
            evil in (tree.xpath("//input[not(@type='hidden')]/@value") or [tree.xpath("//textarea")[0].text.strip()])[0]
        )


def test_a_first_line_break_of_a_text_survives(field: Draw) -> None:
    area = field(state("text", "\n第二行")).xpath("//textarea")[0]
    # Browsers drop one line break after the tag; the macro adds it.
    assert area.text == "\n\n第二行"


@pytest.mark.parametrize(
    ("raw", "text", "type"),
    [
        (None, "", "date"),
        ("2024-06-01", "2024-06-01", "date"),
        ("2024年6月1日", "2024-06-01", "text"),
        ("2024-13-45", "", "text"),
        ("不知道", "", "text"),
    ],
)
def test_a_date_that_a_calendar_cannot_show_stays_text(field: Draw, raw: Raw, text: str, type: str) -> None:
    control = field(state("date", raw, text=text)).xpath("//input[not(@type='hidden')]")[0]
    assert control.get("type") == type and control.get("value") == (raw or "")


def test_a_short_required_choice_is_open(field: Draw) -> None:
    tree = field(state("select", "v1", options=options("公有云", "私有云")))
    assert tree.xpath("//fieldset/legend")[0].text_content() == "项目名称"
    assert [r.get("value") for r in tree.xpath("//input[@type='radio'][@checked]")] == ["v1"]


def test_a_long_or_optional_choice_is_a_list(field: Draw) -> None:
    for more in ({"required": False}, {"options": options(*"一二三四五六七")}):
        tree = field(state("select", "v1", **{"options": options("甲", "乙"), **more}))
        chosen = tree.xpath("//select/option[@selected]")
        assert [c.get("value") for c in chosen] == ["v1"]
        assert tree.xpath("//select/option")[0].get("value") == ""


def test_an_answer_that_is_no_option_is_shown(field: Draw) -> None:
    tree = field(state("select", "gone", required=False, options=options("甲")))
    assert [o.text for o in tree.xpath("//option[@selected]")] == ["gone"]


def test_yes_and_no_need_no_options(field: Draw) -> None:
    tree = field(state("boolean", "no"))
    assert [label.text for label in tree.xpath("//label")] == ["是", "否"]
    assert tree.xpath("//input[@checked]/@value") == ["no"]
    compact = field(state("boolean", "no"), compact=True)
    assert compact.xpath("//option[@selected]/@value") == ["no"] and len(compact.xpath("//option")) == 3


def test_several_choices(field: Draw) -> None:
    given = (*options("甲", "乙"), Option(value="none", label="无", exclusive=True))
    tree = field(state("multiselect", ["v0", "none"], options=given))
    assert tree.xpath("//input[@type='checkbox'][@checked]/@value") == ["v0", "none"]
    assert tree.xpath("//input[@data-exclusive]/@value") == ["none"]
    assert tree.xpath("//input[@name='base:projects/7/answer']/@value") == ["v0", "none"]


@pytest.mark.parametrize("raw", [None, "", []])
def test_an_empty_answer_has_an_empty_base(field: Draw, raw: Raw) -> None:
    tree = field(state("multiselect", raw, options=options("甲")))
    assert tree.xpath("//input[@name='base:projects/7/answer']/@value") == [""]
    assert not tree.xpath("//input[@checked]")


def test_only_the_field_and_its_base_are_saved(field: Draw) -> None:
    box = field(state("string", "旧"), "/save").xpath("//div[@id='field-projects-7-answer']")[0]
    assert box.get("hx-post") == "/save" and box.get("hx-target") == "#field-projects-7-answer"
    assert box.get("hx-params") == "projects/7/answer,base:projects/7/answer"
    assert box.get("hx-trigger") == "change" and box.get("hx-swap") == "outerHTML"
    assert box.xpath(".//input[@name='base:projects/7/answer']/@value") == ["旧"]


def test_without_an_address_nothing_is_saved_by_script(field: Draw) -> None:
    assert not field(state("string", "x")).xpath("//*[@hx-post]")
    assert not field(state("string", "x"), base=False).xpath("//input[@type='hidden']")


def test_computed_values_cannot_be_typed_or_saved(field: Draw) -> None:
    tree = field(state("decimal", "86.50", unit="万元", computed="form.a + form.b"), "/save")
    assert tree.xpath("//input[@readonly]/@value") == ["86.50"]
    assert not tree.xpath("//*[@hx-post]") and not tree.xpath("//input[@type='hidden']")
    assert "自动算出，不用填" in tree.text_content() and "选填" not in tree.text_content()


@pytest.mark.parametrize("type", ["select", "boolean", "multiselect", "region", "industry"])
def test_a_fixed_choice_shows_its_text_and_posts_its_value(field: Draw, type: str) -> None:
    given = () if type in ("region", "industry") else options("哈尔滨市")
    raw: Raw = ["v0"] if type == "multiselect" else "v0"
    tree = field(state(type, raw, text="哈尔滨市", readonly=True, options=given))
    assert tree.xpath("//input[@readonly]/@value") == ["哈尔滨市"]
    assert tree.xpath("//input[@type='hidden'][@name='projects/7/answer']/@value") == ["v0"]
    assert not tree.xpath("//fieldset")


def test_a_hidden_question_leaves_only_its_place(field: Draw) -> None:
    box = field(state("string", "x", visible=False), "/save").xpath("//*[@id='field-projects-7-answer']")[0]
    assert box.get("hidden") is not None and len(box) == 0


def test_marks_beside_the_label(field: Draw) -> None:
    assert "选填" in field(state("string", required=False)).text_content()
    assert "已自动带出，可以改" in field(state("string", "x", prefilled=True)).text_content()
    assert "已保存" in field(state("string", "x"), saved=True).text_content()
    assert "选填" not in field(state("string")).text_content()


def test_a_remark_of_the_machine_does_not_replace_help(field: Draw) -> None:
    tree = field(state("integer", "286", help="按社保人数", warning="按标准应为小型。"))
    assert tree.xpath("//*[@class='sb-find warn']")[0].text_content() == "按标准应为小型。"
    assert "按社保人数" in tree.text_content()


def test_pickers_work_as_text_and_say_where_to_ask(field: Draw) -> None:
    for type, kind in (("region", "regions"), ("industry", "industries")):
        tree = field(state(type, "230108", text="黑龙江省 / 哈尔滨市 / 平房区"))
        box = tree.xpath("//*[@data-picker]")[0]
        assert box.get("data-source") == f"/pickers/{kind}" and box.get("data-text") == "黑龙江省 / 哈尔滨市 / 平房区"
        control = box.xpath(".//input")[0]
        assert control.get("name") == "projects/7/answer" and control.get("value") == "230108"
        assert "平房区" in tree.xpath("//*[contains(@class, 'sb-plain')]")[0].text_content()


@pytest.mark.parametrize(
    ("type", "more", "wide"),
    [
        ("text", {}, True),
        ("string", {}, False),
        ("string", {"wide": True}, True),
        ("string", {"max_length": 200}, True),
        ("multiselect", {"options": options(*["研发设计"] * 8)}, True),
        ("multiselect", {"options": options("甲")}, False),
    ],
)
def test_width(field: Draw, type: str, more: dict[str, Any], wide: bool) -> None:
    assert ("wide" in field(state(type, **more))[0].get("class").split()) is wide


def test_before_and_after(macro: Draw) -> None:
    rows = [("等级", state("select", "v0", options=options("一级", "二级")), state("string", "后"), "1 级"),
            ("安全", state("string", "无"), state("string", "无"), None)]  # fmt: skip
    tree = macro("fields.html", "pairs")(rows, "heading", "/save")
    assert [cell.text for cell in tree.xpath("//td[@data-label='提升']")] == ["1 级", "—"]
    assert len(tree.xpath("//label[@class='visually-hidden']")) == 4
    assert len(tree.xpath("//*[@hx-post='/save']")) == 4
