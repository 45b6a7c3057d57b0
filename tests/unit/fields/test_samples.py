"""Samples read like the answer to their question."""

from __future__ import annotations

import random

import pytest

from app.fields import samples


@pytest.mark.parametrize(
    ("label", "part"),
    [
        ("企业名称", "有限公司"),
        ("注册地址", "哈尔滨市"),
        ("项目建设地点", "哈尔滨市"),
        ("开户银行", "银行"),
        ("邮编", "1500"),
        ("实际控制人国籍", "中国"),
        ("所属城市", "哈尔滨市"),
        ("项目备案文号", "HRB"),
        ("股东名称", "有限公司"),
    ],
)
def test_line_suits_the_label(label: str, part: str) -> None:
    for seed in range(20):
        assert part in samples.line("answer", label, random.Random(seed), 100)


def test_people_have_short_names() -> None:
    names = {samples.line("contact", "联系人", random.Random(seed), 20) for seed in range(50)}
    assert len(names) > 10 and all(2 <= len(name) <= 3 for name in names)


def test_account_numbers_are_digits() -> None:
    account = samples.line("account", "银行账号", random.Random(1), 40)
    assert account.isdigit() and len(account) == 19


def test_unknown_labels_get_something() -> None:
    assert samples.line("other", "其他", random.Random(1), 50)
    assert samples.line("supplier_name", "其他", random.Random(1), 50).endswith("有限公司")


def test_paragraphs_are_sentences_within_the_limit() -> None:
    for seed in range(30):
        text = samples.paragraph("说明", random.Random(seed), 2000)
        assert 30 < len(text) < 300 and text.endswith("。") and "{" not in text
        assert len(samples.paragraph("说明", random.Random(seed), 10)) == 10
