"""email: one plain address."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from app.fields import registry
from app.fields.base import FieldSpec, Value


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("hr@example.com", "hr@example.com"),
        (" First.Last+gov@EXAMPLE.Com ", "First.Last+gov@example.com"),
        ("ｈｒ＠ｅｘａｍｐｌｅ．ｃｏｍ", "hr@example.com"),
        ("a_b-c@mail.gov.cn", "a_b-c@mail.gov.cn"),
        ("1@2.cn", "1@2.cn"),
        ("x@a-b.xn--fiqs8s", "x@a-b.xn--fiqs8s"),
        ("a" * 64 + "@b.cn", "a" * 64 + "@b.cn"),
    ],
)
def test_addresses(typed: str, address: str, parse: Callable[..., Value]) -> None:
    assert parse("email", typed) == address


@pytest.mark.parametrize(
    "typed",
    [
        "hr",
        "@b.cn",
        "a@",
        "a@b",
        "a@@b.cn",
        "a@b@c.cn",
        "a..b@c.cn",
        ".a@c.cn",
        "a.@c.cn",
        "a@b..cn",
        "a@-b.cn",
        "a@b-.cn",
        "a b@c.cn",
        "a@b c.cn",
        "用户@b.cn",
        "a@例子.cn",
        "a@b.c",
        "a@1.2.3.4",
        "a@b.cn,c@d.cn",
        "<a@b.cn>",
        "a@b.cn.",
        "a" * 65 + "@b.cn",
        "a@" + "b" * 64 + ".cn",
    ],
)
def test_refusals(typed: str, refusal: Callable[..., str]) -> None:
    shown = typed if len(typed) <= 20 else typed[:20] + "…"
    assert refusal("email", typed) == f"请填邮箱地址，例如 name@example.com；现在填的是“{shown}”。"


def test_length(refusal: Callable[..., str]) -> None:
    long = "a@" + ".".join(["b" * 60] * 5) + ".cn"
    assert refusal("email", long) == f"最多 254 个字，现在是 {len(long)} 个字，请删减。"
    assert refusal("email", "abcdefghij@example.com", max_length=20) == "最多 20 个字，现在是 22 个字，请删减。"


def test_a_long_hostile_text_is_refused_at_once(refusal: Callable[..., str]) -> None:
    assert refusal("email", "a" * 64 + "@" + "a-" * 200_000).startswith("最多 254 个字")


def test_samples_can_reach_nobody(spec: Callable[..., FieldSpec]) -> None:
    sample = registry.get("email").sample(spec("email"), random.Random(1))
    assert isinstance(sample, str) and sample.endswith("@example.com")


def test_unsound_specs_are_found(problems: Callable[..., list[str]]) -> None:
    assert problems("email", max_length=19) == ["max_length 19 must be between 20 and 254"]
    assert problems("email", max_length=100) == []
