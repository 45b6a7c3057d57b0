"""The pages of claims and of several at once, as browsers without scripts send them."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.models import Account, Declaration
from app.models.base import new_public_id
from app.permissions import roles
from app.services import claim
from app.services.claim import Wish
from tests import factories
from tests.shared_world import visible

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def zhang(context: Flask) -> Account:
    return factories.make_account(roles.CITY, display_name="张科员")


@pytest.fixture
def li(context: Flask) -> Account:
    return factories.make_account(roles.CITY, display_name="李科员")


@pytest.fixture
def waiting(context: Flask) -> Declaration:
    return factories.submitted()


def hidden(page: str, name: str) -> str:
    """The first hidden value called ``name``."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, name
    return html.unescape(found[1])


def browser(context: Flask, account: Account) -> FlaskClient:
    return factories.login(context.test_client(), account)


def test_claimed_on_the_review_page(context: Flask, zhang: Account, li: Account, waiting: Declaration) -> None:
    clerk, mate = browser(context, zhang), browser(context, li)
    path = f"/todo/{waiting.public_id}/claim"
    page = clerk.get(f"/review/{waiting.public_id}/").text
    assert f'action="{path}"' in page and 'value="claim"' in page
    answer = clerk.post(path, data={"do": "claim", "version": hidden(page, "version")})
    assert answer.location == f"/review/{waiting.public_id}/"
    page = clerk.get(answer.location)
    assert "市工信·张科员" in visible(page) and 'value="unclaim"' in page.text
    seen = mate.get(f"/review/{waiting.public_id}/")
    assert "市工信·张科员" in visible(seen) and "接手" in visible(seen) and 'value="claim"' not in seen.text
    assert visible(seen).count("起在办。要由您来办，请先点“接手”") == 1


def test_taking_over_asks_once(context: Flask, zhang: Account, li: Account, waiting: Declaration) -> None:
    claim.carry_out(zhang, waiting.public_id, "claim", Wish(waiting.version))
    mate, path = browser(context, li), f"/todo/{waiting.public_id}/claim"
    page = mate.get(path)
    assert "原来在办的同事会收到消息" in visible(page) and 'value="take_over"' in page.text
    data = {"do": "take_over", "version": hidden(page.text, "version"), "key": hidden(page.text, "key")}
    assert mate.post(path, data=data).status_code == 302
    assert mate.post(path, data=data).status_code == 302, "a second click is no error"
    assert factories.find(waiting.public_id).claimed_by == li.id
    assert "李科员接手了一件您在办的申报" in browser(context, zhang).get("/messages/").text


def test_a_decision_against_a_claim_keeps_every_word(
    context: Flask, zhang: Account, li: Account, waiting: Declaration
) -> None:
    mate = browser(context, li)
    page = mate.get(f"/review/{waiting.public_id}/").text
    claim.carry_out(zhang, waiting.public_id, "claim", Wish(waiting.version))
    data = {
        "action": "return",
        "opinion": "请核对营业收入。",
        "version": hidden(page, "version"),
        "key": new_public_id(),
    }
    late = mate.post(f"/review/{waiting.public_id}/", data=data)
    assert late.status_code == 409 and "张科员" in late.text and "请核对营业收入。" in late.text
    data |= {"version": str(factories.find(waiting.public_id).version), "key": new_public_id()}
    refused = mate.post(f"/review/{waiting.public_id}/", data=data)
    assert refused.status_code == 422 and "由张科员" in refused.text and "请核对营业收入。" in refused.text
    assert factories.find(waiting.public_id).status == "in_progress"


def test_a_hand_over_that_fails_keeps_the_word(
    context: Flask, zhang: Account, li: Account, waiting: Declaration
) -> None:
    clerk, path = browser(context, zhang), f"/todo/{waiting.public_id}/claim"
    page = clerk.get(path)
    assert f'<option value="{li.id}">李科员' in page.text
    data = {"do": "hand_over", "version": hidden(page.text, "version"), "opinion": "请看<第三项>。"}
    refused = clerk.post(path, data=data)
    assert (
        refused.status_code == 422
        and "请选一位本单位的同事" in visible(refused)
        and "请看&lt;第三项&gt;。" in refused.text
    )
    done = clerk.post(path, data=data | {"colleague": str(li.id)})
    assert done.location == "/todo/" and factories.find(waiting.public_id).claimed_by == li.id
    late = clerk.post(path, data=data | {"colleague": str(li.id)})
    assert late.status_code == 409 and "请看&lt;第三项&gt;。" in late.text


@pytest.mark.parametrize(
    "data",
    [{}, {"do": "claim"}, {"do": "nothing", "version": "1"}, {"do": "claim", "version": "１"},
     {"do": "hand_over", "version": "2", "colleague": "x"}, {"do": "hand_over", "version": "2", "colleague": "9" * 40}],
    ids=["empty", "no version", "unknown", "wide digit", "no id", "long id"],
)  # fmt: skip
def test_odd_forms_change_nothing(context: Flask, zhang: Account, waiting: Declaration, data: dict[str, str]) -> None:
    answer = browser(context, zhang).post(f"/todo/{waiting.public_id}/claim", data=data)
    assert answer.status_code in (409, 422) and "请" in visible(answer)
    assert factories.find(waiting.public_id).version == waiting.version


def test_rows_say_who_holds_it(context: Flask, zhang: Account, li: Account, waiting: Declaration) -> None:
    claim.carry_out(zhang, waiting.public_id, "claim", Wish(waiting.version))
    assert "市工信·张科员" in visible(browser(context, li).get("/todo/"))
    owner = factories.make_account(roles.ENTERPRISE, enterprise=waiting.enterprise)
    seen = visible(browser(context, owner).get("/todo/?tab=begun"))
    assert "市工信" in seen and "张科员" not in seen


def test_the_most_urgent_is_one_that_nobody_has(
    context: Flask, zhang: Account, li: Account, waiting: Declaration
) -> None:
    mate = browser(context, li)
    assert mate.get("/todo/next").location == f"/review/{waiting.public_id}/"
    claim.carry_out(zhang, waiting.public_id, "claim", Wish(waiting.version))
    assert mate.get("/todo/next").location == "/todo/"


# -- several at once --------------------------------------------------------------------------------------------------


def rows_of(page: str) -> list[str]:
    return re.findall(r'name="chosen" value="([^"]+)"', page)


def ticks_of(page: str) -> list[str]:
    return re.findall(r'name="check" value="([^"]+)"', page)


def test_several_are_looked_at_then_done(context: Flask, zhang: Account) -> None:
    batch = factories.make_batch()
    found = [factories.submitted(batch=batch, seed=n) for n in range(1, 4)]
    clerk = browser(context, zhang)
    page = clerk.get("/todo/").text
    rows = rows_of(page)
    assert {r.split(":")[0] for r in rows} == {d.public_id for d in found} and "本页全选" in page
    looked = clerk.post("/todo/bulk", data={"action": "confirm", "chosen": rows})
    assert looked.status_code == 200 and "还什么都没有做" in visible(looked) and "能办 3 件" in visible(looked)
    assert {factories.find(d.public_id).step_key for d in found} == {"preliminary_review"}
    data: dict[str, Any] = {
        "stage": "do", "action": "confirm", "chosen": rows_of(looked.text), "key": hidden(looked.text, "key"),
        "opinion": "同意。", "check": ticks_of(looked.text),
    }  # fmt: skip
    factories.perform(factories.make_account(roles.CITY, display_name="陈立"), found[1], "return", "请改。")
    answer = clerk.post("/todo/bulk", data=data)
    assert answer.location == f"/todo/bulk/{data['key']}"
    said = visible(clerk.get(answer.location))
    assert "办成 2 件，没办成 1 件" in said and "陈立作了“退回修改”" in said and "别人先办了" in said
    assert clerk.post("/todo/bulk", data=data).location == answer.location
    assert visible(clerk.get(answer.location)) == said
    assert browser(context, factories.make_account(roles.CITY)).get(answer.location).status_code == 404


def test_without_scripts_a_link_ticks_the_page(context: Flask, zhang: Account, waiting: Declaration) -> None:
    clerk = browser(context, zhang)
    assert 'name="chosen"' in clerk.get("/todo/").text and not re.search(
        r'name="chosen"[^>]*checked', clerk.get("/todo/").text
    )
    assert re.search(r'name="chosen"[^>]*checked', clerk.get("/todo/?all=1").text)


def test_words_that_are_missing_are_asked_for(context: Flask, zhang: Account, waiting: Declaration) -> None:
    clerk, row = browser(context, zhang), f"{waiting.public_id}:{waiting.version}"
    data = {"stage": "do", "action": "return", "chosen": row, "key": new_public_id(), "opinion": " "}
    asked = clerk.post("/todo/bulk", data=data)
    assert asked.status_code == 422 and "请写退回理由" in visible(asked) and rows_of(asked.text) == [row]
    assert clerk.post("/todo/bulk", data=data | {"opinion": "请改利润。"}).status_code == 302
    assert factories.find(waiting.public_id).status == "returned"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "请先选要一起办什么"),
        ({"action": "void", "chosen": "{row}"}, "请先选要一起办什么"),
        ({"action": "claim"}, "还没有选申报"),
        ({"action": "claim", "chosen": "x"}, "勾选的内容有问题"),
        ({"action": "claim", "chosen": "{id}"}, "页面不完整"),
        ({"action": "claim", "chosen": "{id}:-1"}, "页面不完整"),
        ({"action": "claim", "chosen": "{row}", "stage": "do"}, "页面不完整"),
        ({"action": "claim", "chosen": "{row}", "stage": "do", "key": "short"}, "页面不完整"),
    ],
    ids=["empty", "unknown deed", "none", "no id", "no version", "negative", "no key", "short key"],
)
def test_odd_bulk_forms(context: Flask, zhang: Account, waiting: Declaration, data: dict[str, str], words: str) -> None:
    row = f"{waiting.public_id}:{waiting.version}"
    sent = {k: v.replace("{row}", row).replace("{id}", waiting.public_id) for k, v in data.items()}
    answer = browser(context, zhang).post("/todo/bulk", data=sent)
    assert answer.status_code == 422 and words in visible(answer)
    assert factories.find(waiting.public_id).version == waiting.version


@pytest.mark.parametrize("role", [roles.ENTERPRISE, roles.EXPERT, roles.ADMIN])
def test_only_offices_do_several_at_once(context: Flask, role: str) -> None:
    person = browser(context, factories.make_account(role))
    assert person.post("/todo/bulk", data={"action": "claim"}).status_code == 403
    assert 'name="chosen"' not in person.get("/todo/").text


# -- chips ------------------------------------------------------------------------------------------------------------


def test_chips_say_how_many_and_stay_while_pages_turn(context: Flask, zhang: Account, li: Account) -> None:
    from tests.factories_queue import fill_queue

    fill_queue(90, [factories.make_batch(), factories.make_batch()], [zhang, li])
    clerk = browser(context, zhang)
    page = clerk.get("/todo/?claim=free&again=1")
    chips = re.findall(r'<a class="sb-chip( on)?" href="([^"]+)">([^<]+?) (\d+)', page.text)
    assert {"未认领", "再次提交"} == {label for on, _url, label, _n in chips if on}
    assert {"我的", "别人的", "初审"} <= {label for _on, _url, label, _n in chips}
    for _on, url, label, number in chips:
        found = clerk.get(html.unescape(url))
        assert found.status_code == 200, label
        if not _on:
            assert f"共 {number} 件" in visible(found) or number == "0", (label, number)
    second = clerk.get("/todo/?claim=free&psize=10&page=2").text
    assert "claim=free" in html.unescape(re.search(r'href="([^"]+)">下一页', second)[1])  # type: ignore[index]
    assert 'name="claim" value="free"' in second and 'class="small">清空' in second


@pytest.mark.parametrize("query", ["claim=nobody", "claim=%27", "psize=0", "psize=101"])
def test_filters_that_cannot_be(context: Flask, zhang: Account, query: str) -> None:
    answer = browser(context, zhang).get(f"/todo/?{query}")
    assert answer.status_code == 400 and "请从" in visible(answer)


def test_unknown_values_leave_nothing(context: Flask, zhang: Account, waiting: Declaration) -> None:
    clerk = browser(context, zhang)
    for query in ("batch=nothing", "district=999999", "step=nothing", "findings=1&again=1&overdue=1"):
        assert "没有符合条件的事项" in visible(clerk.get(f"/todo/?{query}")), query
