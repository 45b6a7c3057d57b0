"""Where people are led after signing in: only to addresses of this site."""

from __future__ import annotations

import pytest

from app.services.session import browser_name
from app.services.throttle import network_of
from app.views.account_page import safe_next


@pytest.mark.parametrize(
    "wanted", ["/", "/workbench/", "/declarations/0198/sections/basics?x=1&y=%E4%B8%AD#a", "/a//b"]
)
def test_addresses_of_this_site_pass(wanted: str) -> None:
    assert safe_next(wanted) == wanted


@pytest.mark.parametrize(
    "wanted",
    [
        None, "", "https://evil.example/", "//evil.example/", "///evil.example", "/\\evil.example", "\\/evil.example",
        "http:/evil.example", "javascript:alert(1)", "/a\r\nSet-Cookie: x=1", "/a\tb", " /workbench/", "workbench",
        "/" + "a" * 600, "/\u0000",
    ],
)  # fmt: skip
def test_other_addresses_do_not(wanted: str | None) -> None:
    assert safe_next(wanted) is None


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        (None, "unknown"),
        ("x" * 300, "unknown"),
    ],
)
def test_whom_an_address_is_counted_for(address: str | None, counted: str) -> None:
    assert network_of(address) == counted


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/120 Safari/537.36 Edg/120", "Edge，Windows"),
        ("Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/120 Safari/537.36 MicroMessenger/8", "微信，安卓"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14) Version/17 Safari/605", "Safari，Mac"),
        ("curl/8", ""),
        (None, ""),
    ],
)
def test_browsers_are_named_as_people_know_them(agent: str | None, name: str) -> None:
    assert browser_name(agent) == name
