"""The frame of every page: landmarks, menus, sign-out, scripts that a strict policy allows."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
Page = Callable[..., Any]

PLAIN = '{% extends "base.html" %}{% block title %}待办{% endblock %}{% block content %}<h1>待办</h1>{% endblock %}'


def with_layout(layout: str) -> str:
    return PLAIN.replace("%}{% block title", f'%}}{{% set layout = "{layout}" %}}{{% block title', 1)


def test_landmarks_and_language(inline: Page) -> None:
    tree = inline(PLAIN)
    assert tree.get("lang") == "zh-CN"
    assert tree.xpath("//title")[0].text == "待办 - 申报"
    assert tree.xpath("//body/a[1]/@href") == ["#main"]
    assert len(tree.xpath("//main[@id='main']")) == 1 and tree.xpath("//header") and tree.xpath("//footer")
    assert [a.text_content() for a in tree.xpath("//a[@aria-current='page']")] == ["首页"]


@pytest.mark.parametrize("layout", ["page", "shell", "task", "plain"])
def test_every_layout_shows_the_content_once(inline: Page, site: Any, layout: str) -> None:
    site.sign_in()
    tree = inline(with_layout(layout), current_user=site.person)
    assert len(tree.xpath("//main//h1")) == 1
    assert bool(tree.xpath("//nav[@class='sb-side']")) is (layout == "shell")


def test_enterprises_have_the_left_menu_and_staff_have_not(inline: Page, site: Any) -> None:
    site.sign_in()
    tree = inline(PLAIN, current_user=site.person)
    side = tree.xpath("//nav[@class='sb-side']")[0]
    heading = side.xpath(".//*[@class='head']")[0]
    assert heading.text == "我的企业"
    assert side.xpath(f".//ul[@aria-labelledby='{heading.get('id')}']//a[@aria-current]")[0].text == "企业认证"
    assert tree.xpath("//nav/@aria-label") == ["主导航", "全部功能"]
    site.sign_in("staff")
    assert not inline(PLAIN, current_user=site.person).xpath("//nav[@class='sb-side']")


def test_bars_of_a_task(inline: Page) -> None:
    source = with_layout("task") + "{% block bar %}<b>上</b>{% endblock %}{% block act %}<b>下</b>{% endblock %}"
    assert [b.text for b in inline(source).xpath("//main/b")] == ["上", "下"]


def test_signing_out_is_a_post_with_a_token(inline: Page, site: Any) -> None:
    site.sign_in()
    tree = inline(PLAIN, current_user=site.person)
    form = tree.xpath("//form[@action='/account/logout']")[0]
    assert form.get("method") == "post" and form.xpath("./input[@name='csrf_token']/@value")[0]
    assert "X-CSRFToken" in tree.xpath("//body/@hx-headers")[0]
    assert "王敏" in tree.xpath("//*[@class='sb-me']")[0].text_content()


def test_visitors_can_sign_in_or_register(inline: Page) -> None:
    tree = inline(PLAIN)
    assert tree.xpath("//*[@class='sb-me']/a/@href") == ["/account/login", "/account/register"]
    assert not tree.xpath("//body/@hx-headers") and not tree.xpath("//form[@action='/account/logout']")


def test_a_bare_page_asks_nobody(inline: Page, app: Any) -> None:
    def away() -> None:
        raise AssertionError("the database is away")

    app.jinja_env.globals["navigation"] = away
    tree = inline(PLAIN.replace("%}", "%}{% set bare = true %}", 1))
    assert tree.xpath("//h1") and not tree.xpath("//nav")


def test_scripts_carry_the_nonce_and_styles_are_files(inline: Page) -> None:
    tree = inline(PLAIN)
    scripts = tree.xpath("//script")
    assert scripts and all(s.get("nonce") == "n0nce" and s.get("src") and not s.text for s in scripts)
    for address in tree.xpath("//script/@src | //link/@href"):
        assert address.startswith("/static/")


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_template_needs_an_exception_from_the_policy(template: Path) -> None:
    source = template.read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", source)
    assert not re.search(r"https?://(?!www\.w3\.org)", source)
    for tag in re.findall(r"<script[^>]*>", source):
        assert "nonce" in tag and "src=" in tag


def test_our_scripts_and_styles_ask_nobody_else() -> None:
    for path in [*(ROOT / "app/static/js").glob("*.js"), *(ROOT / "app/static/css").glob("*.css")]:
        source = path.read_text(encoding="utf-8").replace("http://www.w3.org", "")
        assert not re.search(r"https?://|\beval\(|new Function|@import", source), path.name
