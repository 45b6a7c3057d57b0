"""One page for every refusal: what happened, what to do, a number for repair."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422, 429, 500, 503])
def test_every_status_has_the_same_page(page: Callable[..., Any], status: int) -> None:
    tree = page("errors/error.html", error={
        "status": status, "title": "没有找到这个页面", "message": "请从菜单重新进入。",
        "next_label": "回到首页", "next_url": "/", "request_id": "7F3A", "fields": {"phone": "少 1 位"},
    })  # fmt: skip
    assert [h.text for h in tree.xpath("//main//h1")] == ["没有找到这个页面"]
    assert tree.xpath("//main//a[contains(@class, 'btn-primary')]/@href") == ["/"]
    words = tree.xpath("//main")[0].text_content()
    assert "7F3A" in words and "少 1 位" in words and "请从菜单重新进入。" in words
    assert bool(tree.xpath("//nav")) is (status < 500)


def test_nothing_is_promised_that_is_not_there(page: Callable[..., Any]) -> None:
    tree = page("errors/error.html", error={"status": 404, "title": "没有", "message": "没有。"})
    assert not tree.xpath("//main//a") and "编号" not in tree.xpath("//main")[0].text_content()
