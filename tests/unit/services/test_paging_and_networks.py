"""Pages of lists, addresses that limits count, and browsers by name: small rules that many pages rely on."""

from __future__ import annotations

import ipaddress
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.services.challenge import Visitor
from app.services.listing import Asked, Page
from app.services.session import browser_name
from app.services.sms import _wait_sentence
from app.services.throttle import Limit, network_of
from app.services.todo import Listing, _clamp, soon_limit
from app.workflow.calendar import end_of

FEW = settings(max_examples=60, deadline=None, derandomize=True)


@FEW
@given(st.integers(0, 500), st.integers(1, 50))
def test_the_pages_hold_every_row_once(total: int, size: int) -> None:
    rows = list(range(total))
    pages = Page(rows, total, 1, size).pages
    seen = [row for number in range(1, pages + 1) for row in rows[(number - 1) * size : number * size]]
    assert seen == rows
    assert pages == 1 or len(rows[(pages - 1) * size :]) > 0, "no empty page at the end"


@FEW
@given(st.integers(1, 40), st.integers(1, 50))
def test_running_numbers_go_on_over_pages(number: int, size: int) -> None:
    here, following = Page([], 9999, number, size), Page([], 9999, number + 1, size)
    assert following.first == here.first + size
    assert Page([], 9999, 1, size).first == 1


def test_what_is_asked_without_saying() -> None:
    assert (Asked().number, Asked().size) == (1, 10)


@FEW
@given(st.integers(-10, 100), st.integers(0, 500), st.sampled_from([1, 20, 50, 100]))
def test_a_queue_always_shows_a_page_that_exists(asked: int, total: int, size: int) -> None:
    page = _clamp(asked, total, size)
    assert 1 <= page <= Listing([], total, page, size=size).pages
    if 1 <= asked <= Listing([], total, asked, size=size).pages:
        assert page == asked


# -- addresses -----------------------------------------------------------------------------------------------------


@FEW
@given(st.ip_addresses(v=4))
def test_an_ipv4_address_counts_for_itself_in_every_spelling(address: ipaddress.IPv4Address) -> None:
    assert network_of(str(address)) == str(address)
    assert network_of(f"::ffff:{address}") == str(address), "a socket for both kinds spells it like this"


@FEW
@given(st.ip_addresses(v=6, network="2000::/3"), st.integers(0, 2**64 - 1))
def test_an_ipv6_line_counts_once_whatever_address_it_takes(address: ipaddress.IPv6Address, host: int) -> None:
    neighbour = ipaddress.IPv6Address((int(address) >> 64 << 64) | host)
    assert network_of(str(address)) == network_of(str(neighbour))
    assert network_of(str(address)).endswith("/64")


@FEW
@given(st.ip_addresses(v=6, network="2000::/3"))
def test_the_next_ipv6_line_counts_for_itself(address: ipaddress.IPv6Address) -> None:
    other = ipaddress.IPv6Address(int(address) ^ (1 << 64))
    assert network_of(str(address)) != network_of(str(other))


@pytest.mark.parametrize("address", [None, "", "unknown", "203.0.113.7, 10.0.0.1", "203.0.113", "localhost", "[::1]"])
def test_what_is_no_address_is_counted_together(address: str | None) -> None:
    assert network_of(address) == "unknown"
    assert Visitor("a" * 64, address).network == "unknown"


def test_a_limit_is_a_plain_fact() -> None:
    assert Limit("k", "s", 5, timedelta(hours=1)) == Limit("k", "s", 5, timedelta(hours=1))


# -- words ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1, "验证码发得太频繁，请 1 秒后再获取。"),
        (90, "验证码发得太频繁，请 90 秒后再获取。"),
        (91, "验证码获取次数太多，请 2 分钟后再试，或先用密码登录。"),
        (3600, "验证码获取次数太多，请 60 分钟后再试，或先用密码登录。"),
        (3601, "今天获取验证码的次数已用完，请明天再试，或先用密码登录。"),
    ],
)
def test_how_long_to_wait_in_the_unit_people_count_in(seconds: int, words: str) -> None:
    assert _wait_sentence(seconds) == words


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605 Version/17.0 Safari/604", "Safari，iPhone"),
        ("Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) AppleWebKit/605 Safari/604", "Safari，iPad"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0", "Firefox，Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/122.0 Safari/537.36", "Chrome，Windows"),
        ("Mozilla/5.0 (Windows NT 6.1) Chrome/86.0 Safari/537.36 QIHU 360SE", "360 浏览器，Windows"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/94 Safari/537.36 QQBrowser/11.0", "QQ 浏览器，Windows"),
        ("Mozilla/5.0 (Phone; HarmonyOS 4.2; Android 12) Chrome/99 Safari/537.36", "Chrome，鸿蒙"),
        ("Windows", "Windows"),
        ("", ""),
    ],
)  # fmt: skip
def test_browsers_and_systems(agent: str, name: str) -> None:
    assert browser_name(agent) == name


# -- soon ----------------------------------------------------------------------------------------------------------


def test_soon_is_three_working_days_or_three_days_where_nobody_knows() -> None:
    friday = datetime(2026, 11, 20, 2, tzinfo=UTC)
    assert soon_limit(friday, {}) == end_of(date(2026, 11, 25))
    assert soon_limit(friday, {date(2026, 11, 23): False}) == end_of(date(2026, 11, 26))
    assert soon_limit(datetime(2040, 3, 2, 2, tzinfo=UTC), {}) == end_of(date(2040, 3, 5))
