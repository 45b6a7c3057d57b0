"""Page numbers in the address: read exactly, or refused in words."""

from __future__ import annotations

import pytest
from flask import Flask
from flask_babel import Babel

from app.errors import DomainError
from app.services.listing import Asked, Page
from app.views.paging import asked_page, make_pager


@pytest.fixture
def site() -> Flask:
    site = Flask(__name__)
    Babel(site)
    site.add_url_rule("/things/", "things", lambda: "")
    return site


def test_default_and_given(site: Flask) -> None:
    with site.test_request_context("/"):
        assert asked_page(20) == Asked(1, 20)
    with site.test_request_context("/?page=3&psize=50"):
        assert asked_page() == Asked(3, 50)


@pytest.mark.parametrize(
    "query", ["page=abc", "page=0", "page=-1", "page=1.5", "page=１", "page=99999999999", "page=1e3", "psize=0", "psize=101",
              "psize=all", "page=%00", "page=1%20or%201=1"]
)  # fmt: skip
def test_what_is_no_number_is_refused(site: Flask, query: str) -> None:
    with site.test_request_context(f"/?{query}"), pytest.raises(DomainError) as refused:
        asked_page()
    assert refused.value.status == 400
    assert "整数" in refused.value.message


def test_pager_keeps_what_the_address_held(site: Flask) -> None:
    with site.test_request_context("/things/?psize=5&q=%E5%86%B0"):
        pager = make_pager(Page([], 23, 2, 5), "things", q="冰", level=None)
    assert (pager.total, pager.number, pager.pages) == (23, 2, 5)
    assert pager.previous_url == "/things/?page=1&q=%E5%86%B0&psize=5"
    assert pager.next_url == "/things/?page=3&q=%E5%86%B0&psize=5"


def test_no_way_on_at_the_ends(site: Flask) -> None:
    with site.test_request_context("/things/"):
        pager = make_pager(Page([], 0, 1, 10), "things")
    assert (pager.pages, pager.previous_url, pager.next_url) == (1, None, None)


def test_running_number_of_the_first_row() -> None:
    assert Page([], 45, 3, 20).first == 41
