"""The to-do pages: lists, filters in the address, empty states, odd input."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.models import Account
from app.permissions import roles
from tests import factories


@pytest.fixture
def city(context: Flask) -> Account:
    return factories.make_account(roles.CITY)


def test_sign_in_first(context: Flask, client: FlaskClient) -> None:
    assert client.get("/todo/").status_code == 302


def test_an_office_sees_its_queue(client: FlaskClient, city: Account) -> None:
    declaration = factories.submitted()
    page = factories.login(client, city).get("/todo/").text
    assert declaration.enterprise_name in page and f"/review/{declaration.public_id}/" in page
    assert "从最急的开始办" in page and "初审中" in page and "剩 10 个工作日" in page and "我发起的" not in page
    assert client.get("/todo/next").location == f"/review/{declaration.public_id}/"


def test_an_empty_queue_says_so(client: FlaskClient, city: Account) -> None:
    page = factories.login(client, city).get("/todo/").text
    assert "现在没有要办的事" in page and "从最急的开始办" not in page
    assert client.get("/todo/next").location == "/todo/"
    assert "没有符合条件的事项" in client.get("/todo/?q=没有").text
    assert "这里还没有记录" in client.get("/todo/?tab=handled").text


def test_an_enterprise_goes_on_where_it_should(client: FlaskClient, city: Account) -> None:
    owner = factories.make_account(roles.ENTERPRISE)
    declaration = factories.filled_draft(owner, factories.make_batch())
    browser = factories.login(client, owner)
    assert "继续填" in browser.get("/todo/").text
    factories.perform(owner, declaration, "submit")
    assert "我发起的" in browser.get("/todo/?tab=begun").text and "初审中" in browser.get("/todo/?tab=begun").text
    factories.perform(city, declaration, "return", "请核对<利润>")
    page = browser.get("/todo/").text
    assert (
        "去修改" in page and "请核对&lt;利润&gt;" in page and f"/declarations/{declaration.public_id}/sections/" in page
    )
    factories.perform(owner, declaration, "resubmit")
    factories.perform(city, declaration, "confirm")
    page = browser.get("/todo/").text
    assert "传盖章材料" in page and f"/declarations/{declaration.public_id}/stamped" in page


def test_handled_shows_the_own_deed(client: FlaskClient, city: Account) -> None:
    declaration = factories.submitted()
    factories.perform(city, declaration, "return", "请改")
    page = factories.login(client, city).get("/todo/?tab=handled").text
    assert "作了“退回修改”" in page and declaration.enterprise_name in page


@pytest.mark.parametrize("query", ["page=abc", "page=0", "page=-3", "page=1e9", "page=%00"])
def test_pages_that_are_no_number(client: FlaskClient, city: Account, query: str) -> None:
    answer = factories.login(client, city).get(f"/todo/?{query}")
    assert answer.status_code == 400 and "页码" in answer.text


@pytest.mark.parametrize(
    "query",
    [
        "page=99",
        "q=%25_%5C",
        "q=" + "长" * 500,
        "programme=nothing",
        "step=%27%3B--",
        "soon=maybe",
        "q=%00%ff",
        "x=1&x=2",
        "q=%ED%A0%80",
    ],
)
def test_odd_filters_give_a_page(client: FlaskClient, city: Account, query: str) -> None:
    assert factories.login(client, city).get(f"/todo/?{query}").status_code == 200


@pytest.mark.parametrize("tab", ["nothing", "begun", "'"])
def test_lists_that_are_not_there(client: FlaskClient, city: Account, tab: str) -> None:
    assert factories.login(client, city).get(f"/todo/?tab={tab}").status_code == 404


def test_filters_stay_in_the_address(client: FlaskClient, city: Account) -> None:
    batch = factories.make_batch(parameters={"district_step": False})
    factories.submitted(batch=batch)
    page = factories.login(client, city).get("/todo/?soon=1&q=北").text
    assert 'name="soon" value="1"' in page and "清空筛选" in page
