"""Small words of pages: moments, phones, versions, keys, digests, where to go next."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask_babel import Babel
from werkzeug.datastructures import MultiDict

from app.errors import DomainError, InvalidInput, NotFound
from app.forms.batch import _is_iso, _iso_day
from app.forms.review import read_experts, read_key, read_prefixed, read_version
from app.services.listing import check_number
from app.views.account_page import safe_next
from app.views.errors import TEXTS
from app.views.page import clock_time, local_time, mask_phone, short_time
from app.views.paging import asked_page
from app.views.queue_chips import KEPT, address
from app.views.submission import checked_key, checked_version, digest_words


@pytest.fixture
def app() -> Flask:
    """An application that can speak, without a database."""
    made = Flask(__name__)
    Babel(made, default_locale="zh")
    made.add_url_rule("/todo/", "todo.index", lambda: "")
    return made


@pytest.mark.parametrize(
    ("moment", "full", "short", "clock"),
    [
        (datetime(2026, 6, 17, 16, 0, tzinfo=UTC), "2026-06-18 00:00", "06-18 00:00", "00:00"),
        (datetime(2026, 6, 17, 15, 59, 59, tzinfo=UTC), "2026-06-17 23:59", "06-17 23:59", "23:59"),
        (datetime(2025, 12, 31, 16, 30, tzinfo=UTC), "2026-01-01 00:30", "01-01 00:30", "00:30"),
        (None, "", "", ""),
    ],
)
def test_moments_are_said_in_shanghai_time(moment: datetime | None, full: str, short: str, clock: str) -> None:
    assert (local_time(moment), short_time(moment), clock_time(moment)) == (full, short, clock)


@pytest.mark.parametrize(
    ("phone", "shown"),
    [
        ("13812346120", "138****6120"),
        ("1381234612", "1381234612"),
        ("", ""),
        (None, ""),
        ("0451-8400000", "0451-8400000"),
    ],
)
def test_only_whole_mobile_numbers_are_half_hidden(phone: str | None, shown: str) -> None:
    assert mask_phone(phone) == shown


NO_VERSION = [None, "", "-1", "+1", "1.0", "１", "²", "٣", "1e3", "0x1", " 1", "1 ", "NaN", "9" * 10, "1\x00", "一"]


@pytest.mark.parametrize("text", NO_VERSION, ids=range(len(NO_VERSION)))
def test_a_page_without_a_version_is_refused_everywhere_alike(app: Flask, text: str | None) -> None:
    with app.app_context():
        for read in (checked_version, read_version):
            with pytest.raises(InvalidInput) as refused:
                read(text)
            assert "页面不完整，没有提交" in refused.value.message and "刷新" in refused.value.message


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("1", 1), ("007", 7), ("999999999", 999_999_999)])
def test_versions_are_whole_numbers(text: str, number: int) -> None:
    assert checked_version(text) == read_version(text) == number


NO_KEY = [None, "", "x", "01890000-0000-7000-8000-00000000000", "01890000-0000-7000-8000-0000000000000", "G" * 36, "0" * 35 + "\n",
          "01890000-0000-7000-8000-00000000000A"]  # fmt: skip


@pytest.mark.parametrize("text", NO_KEY, ids=range(len(NO_KEY)))
def test_a_page_without_a_key_is_refused(app: Flask, text: str | None) -> None:
    with app.app_context(), pytest.raises(InvalidInput, match="页面不完整"):
        checked_key(text)


def test_a_key_is_a_public_id() -> None:
    assert checked_key("01890000-0000-7000-8000-000000000000") == "01890000-0000-7000-8000-000000000000"
    assert read_key("k" * 64) == "k" * 64 and read_key("k" * 65) is None and read_key("键") is None


@pytest.mark.parametrize("chosen", [["a"], ["1", "x"], ["-1"], ["1.0"], ["９"], ["9" * 10], [""]])
def test_experts_that_are_no_ids(chosen: list[str]) -> None:
    with pytest.raises(InvalidInput, match="请刷新页面后重新选"):
        read_experts(MultiDict([("expert", c) for c in chosen]))


def test_prefixed_fields_keep_what_follows_the_first_point() -> None:
    data = MultiDict([("points.a", "1"), ("points.a.b", "2"), ("point", "3"), ("points", "4"), ("reason.a", "5")])
    assert read_prefixed(data, "points") == {"a": "1", "a.b": "2"}


def test_a_digest_is_read_aloud_in_fours() -> None:
    assert digest_words("ab12cd34" * 8) == "AB12 CD34 AB12 CD34"


DAYS = [
    "20260617",
    "2026-W25-3",
    "2026-6-17",
    "2026-06-17T00:00",
    "2026-06-17 ",
    "２０２６-06-17",
    "2026-02-30",
    "",
    "0000-01-01",
]


@pytest.mark.parametrize("text", DAYS)
def test_other_ways_of_writing_a_day_are_not_read(text: str) -> None:
    """Python reads weeks and days without strokes too; compared as texts they would be wrong."""
    assert not _is_iso(text)
    with pytest.raises(ValueError):
        _iso_day(text)


@pytest.mark.parametrize("value", [None, 20260617, True, 1.5])
def test_other_values_are_no_days(value: Any) -> None:
    assert not _is_iso(value)


@pytest.mark.parametrize(
    ("number", "total", "size"), [(1, 0, 10), (1, 10, 10), (2, 11, 10), (5, 50, 10), (100, 100, 1)]
)
def test_pages_that_are_there(number: int, total: int, size: int) -> None:
    check_number(number, total, size)


@pytest.mark.parametrize(
    ("number", "total", "size", "pages"), [(2, 0, 10, 1), (2, 10, 10, 1), (3, 11, 10, 2), (99, 50, 10, 5)]
)
def test_pages_beyond_the_last(app: Flask, number: int, total: int, size: int, pages: int) -> None:
    with app.app_context(), pytest.raises(NotFound) as refused:
        check_number(number, total, size)
    assert refused.value.message == f"没有第 {number} 页，一共 {pages} 页。请从第 1 页看起。"


@pytest.mark.parametrize(
    "query", ["page=0", "page=-1", "page=x", "page=１", "page=1.5", "page=100001", "psize=0", "psize=101", "psize=x"]
)
def test_pages_that_cannot_be_asked_for(app: Flask, query: str) -> None:
    with app.test_request_context(f"/?{query}"), pytest.raises(DomainError) as refused:
        asked_page()
    assert "请从列表下面的“上一页”“下一页”翻页" in refused.value.message


ELSEWHERE = ["//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil", "javascript:alert(1)", "/a\nb", "/a b", "",
             "evil.example", "/" + "x" * 500, "/\x00", "http:/x", " /x"]  # fmt: skip


@pytest.mark.parametrize("wanted", ELSEWHERE, ids=range(len(ELSEWHERE)))
def test_nobody_is_led_elsewhere(wanted: str) -> None:
    assert safe_next(wanted) is None


@pytest.mark.parametrize("name", ["endpoint", "_external", "_scheme", "_method", "_anchor", "page", "psize", "x"])
def test_only_known_names_stay_in_the_address_of_the_list(app: Flask, name: str) -> None:
    with app.test_request_context(f"/todo/?tab=handled&q=轴承&{name}=javascript"):
        assert address(soon="1") == "/todo/?tab=handled&q=%E8%BD%B4%E6%89%BF&soon=1"
        assert address(q=None) == "/todo/?tab=handled" and name not in KEPT


@pytest.mark.parametrize("status", sorted(TEXTS))
def test_every_refusal_says_what_and_what_next(status: int) -> None:
    title, message = TEXTS[status]
    assert 400 <= status <= 599 and title and message.endswith("。")
    assert not any(letter.isascii() and letter.isalpha() for letter in (title + message).replace("MB", ""))
