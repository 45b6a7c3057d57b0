"""系统 › 事件推送: the administrator's pages, from a new address to a second sending."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.extensions import db
from app.models import Account, Event, Job, Webhook, WebhookDelivery
from app.models.base import now
from app.permissions import roles
from app.services.announcement import CONTEXT
from app.services.privacy import cipher
from app.services.unit_of_work import unit_of_work
from app.services.webhook import event_labels
from app.workflow.steps import DEEDS
from tests.factories import PASSWORD, login, make_account, submitted
from tests.factories_webhook import (
    EVERYWHERE,
    SECRET,
    allow,
    deliveries,
    hook_now,
    is_genuine,
    jobs_of,
    make_webhook,
    receiving,
    run_all,
)

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
PAGE = "/system/webhooks/"
SHOWN = re.compile(r'id="secret" value="([A-Za-z0-9_-]{43})"')
NOTHING = "01890000-0000-7000-8000-000000000000"


@pytest.fixture
def admin(context: Flask) -> Account:
    return make_account(roles.ADMIN)


@pytest.fixture
def desk(context: Flask, admin: Account) -> FlaskClient:
    return login(context.test_client(), admin)


def filled(**changes: Any) -> dict[str, Any]:
    return {"name": "市大数据平台", "url": EVERYWHERE, "region": "230100", "password": PASSWORD} | changes


def hooks() -> list[Webhook]:
    db.session.rollback()
    return list(db.session.scalars(select(Webhook).order_by(Webhook.id)))


def events(action: str) -> list[Event]:
    db.session.rollback()
    return list(db.session.scalars(select(Event).where(Event.action == action).order_by(Event.id)))


# -- making ---------------------------------------------------------------------------------------------------------


def test_a_new_address_shows_its_secret_once(desk: FlaskClient, admin: Account) -> None:
    assert "还没有推送" in desk.get(PAGE).text
    answer = desk.post(PAGE, data=filled(events=["confirm", "reject"], programmes=["hrb_cultivation_intake"]))
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
    (secret,) = SHOWN.findall(answer.text)
    (hook,) = hooks()
    assert cipher().decrypt(hook.secret, CONTEXT) == secret and secret not in hook.secret
    assert (hook.events, hook.programmes) == (["confirm", "reject"], ["hrb_cultivation_intake"])
    assert (hook.region_code, hook.active, hook.created_by) == ("230100", True, admin.id)
    listed, page = desk.get(PAGE).text, desk.get(f"{PAGE}{hook.public_id}").text
    assert secret not in listed and secret not in page
    assert "inner-key" not in listed, "a list is looked at over shoulders"
    for words in ("市大数据平台", "hooks.example.com", "哈尔滨市", "不通过／不列入名单", "启用"):
        assert words in listed, words
    assert "还没有推送过" in page and "inner-key" in page


def test_the_record_names_the_host_and_no_secret(desk: FlaskClient) -> None:
    secret = SHOWN.findall(desk.post(PAGE, data=filled()).text)[0]
    (event,) = events("webhook_add")
    assert event.data == {
        "名称": "市大数据平台", "主机": "hooks.example.com", "地区": "哈尔滨市", "事项": "全部", "项目": "全部",
    }  # fmt: skip
    page = desk.get(f"/admin/event/show/{event.id}").text
    assert "事件推送 市大数据平台" in page and "新建事件推送" in page
    assert secret not in page and "inner-key" not in page


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": " "}, "请写推送给哪个系统"),
        ({"name": "长" * 61}, "最多 60 个字"),
        ({"url": ""}, "请填对方给的网址"),
        ({"url": "http://hooks.example.com/"}, "https://"),
        ({"url": "https://10.0.0.1/"}, "WEBHOOK_ALLOWED_HOSTS"),
        ({"url": "https://[::1]/"}, "WEBHOOK_ALLOWED_HOSTS"),
        ({"url": "https://169.254.169.254/latest/meta-data"}, "WEBHOOK_ALLOWED_HOSTS"),
        ({"url": "https://2130706433/"}, "主机名"),
        ({"url": "https://a:b@hooks.example.com/"}, "用户名和密码"),
        ({"region": "220100"}, "地区"),
        ({"region": ""}, "地区"),
        ({"events": ["explode"]}, "推送哪些事"),
        ({"programmes": ["nothing"]}, "推送哪些项目"),
        ({"password": ""}, "请再输一次您登录用的密码"),
        ({"password": "Cuowu-2026-mima"}, "密码不对"),
    ],
    ids=lambda v: ascii(v)[:40],
)
def test_a_wrong_form_says_what_is_wrong(desk: FlaskClient, changes: dict[str, Any], words: str) -> None:
    answer = desk.post(PAGE, data=filled(**changes))
    assert answer.status_code == 422 and words in answer.text
    assert not SHOWN.search(answer.text) and PASSWORD not in answer.text
    assert (hooks(), events("webhook_add")) == ([], [])


def test_what_was_typed_stays(desk: FlaskClient) -> None:
    page = desk.post(PAGE, data=filled(name='<b>"', password="", region="230108", events=["confirm"])).text
    assert "&lt;b&gt;&#34;" in page and '<b>"' not in page
    assert re.search(r'value="confirm" checked', page) and not re.search(r'value="submit" checked', page)
    assert re.search(r'<option selected value="230108">', page)


def test_every_action_of_the_table_can_be_chosen(desk: FlaskClient) -> None:
    page = desk.get(PAGE).text
    offered = set(re.findall(r'name="events" id="[^"]+" value="([^"]+)"', page))
    assert offered == {deed.action for deed in DEEDS} | {"correct"} == set(event_labels())


def test_an_administrator_of_a_district_offers_the_district(context: Flask) -> None:
    client = login(context.test_client(), make_account(roles.ADMIN, region="230108"))
    assert re.findall(r'<option[^>]* value="(\d+)"', client.get(PAGE).text) == ["230108"]
    assert client.post(PAGE, data=filled(region="230100")).status_code == 422
    assert client.post(PAGE, data=filled(region="230108")).status_code == 200
    assert hooks()[0].region_code == "230108"


# -- changing -------------------------------------------------------------------------------------------------------


def test_changing(desk: FlaskClient) -> None:
    hook = make_webhook(failures=4, rests_until=now())
    address = f"{PAGE}{hook.public_id}"
    answer = desk.post(address, data=filled(name="省平台", url="https://other.example.com/", version=1))
    assert answer.status_code == 302
    after = hook_now(hook)
    assert (after.name, after.url, after.version, after.failures) == ("省平台", "https://other.example.com/", 2, 0)
    assert after.secret == hook.secret
    assert events("webhook_change")[0].data["主机"] == "other.example.com"


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"version": 7}, 409, "刚被别人改过"),
        ({"version": ""}, 422, "版本"),
        ({"version": 1, "url": "https://127.0.0.1/"}, 422, "WEBHOOK_ALLOWED_HOSTS"),
        ({"version": 1, "password": "Cuowu-2026-mima"}, 422, "密码不对"),
        ({"version": 1, "password": ""}, 422, "请再输一次"),
    ],
    ids=["old", "none", "inner", "wrong", "empty"],
)
def test_a_change_that_cannot_be_made(desk: FlaskClient, changes: dict[str, Any], status: int, words: str) -> None:
    hook = make_webhook()
    answer = desk.post(f"{PAGE}{hook.public_id}", data=filled(name="改过的") | changes)
    assert answer.status_code == status and words in answer.text and "改过的" in answer.text
    assert (hook_now(hook).name, events("webhook_change")) == ("市大数据平台", [])


def test_a_new_secret_replaces_the_old_one(context: Flask, desk: FlaskClient) -> None:
    allow(context, "127.0.0.1")
    with receiving() as receiver:
        hook = make_webhook(receiver.url)
        for typed in ("", "Cuowu-2026-mima"):
            refused = desk.post(f"{PAGE}{hook.public_id}/secret", data={"renew-password": typed})
            assert refused.status_code == 422 and not SHOWN.search(refused.text)
        submitted()
        answer = desk.post(f"{PAGE}{hook.public_id}/secret", data={"renew-password": PASSWORD})
        (secret,) = SHOWN.findall(answer.text)
        assert secret != SECRET and answer.headers["Cache-Control"] == "no-store"
        run_all()
        (seen,) = receiver.seen
    assert is_genuine(secret, seen) and not is_genuine(SECRET, seen)
    (event,) = events("webhook_secret")
    assert event.data == {"名称": "市大数据平台"}


def test_switching_off_and_on(desk: FlaskClient) -> None:
    hook = make_webhook(failures=9)
    address = f"{PAGE}{hook.public_id}"
    for _ in range(2):
        page = desk.post(f"{address}/active", data={"active": "0"}, follow_redirects=True).text
        assert "已停用" in page and "发送测试" not in page
    assert (hook_now(hook).active, len(events("webhook_off"))) == (False, 1)
    submitted()
    assert deliveries() == []
    assert "“市大数据平台”已启用" in desk.post(f"{address}/active", data={"active": "1"}, follow_redirects=True).text
    assert (hook_now(hook).active, hook_now(hook).failures, len(events("webhook_on"))) == (True, 0, 1)
    assert desk.post(f"{address}/active", data={"active": "maybe"}).status_code == 422


# -- trying and sending again ---------------------------------------------------------------------------------------


def test_a_trial_arrives(context: Flask, desk: FlaskClient) -> None:
    allow(context, "127.0.0.1")
    with receiving() as receiver:
        hook = make_webhook(receiver.url, rests_until=now())
        answer = desk.post(f"{PAGE}{hook.public_id}/test", follow_redirects=True)
        assert "测试已交给后台发送" in answer.text and "等待发送" in answer.text
        run_all()
        (seen,) = receiver.seen
    assert set(seen.told) == {"id", "type", "at"} and seen.told["type"] == "trial"
    assert seen.headers["x-shenbao-event"] == "trial" and is_genuine(SECRET, seen)
    page = desk.get(f"{PAGE}{hook.public_id}").text
    assert "已送到" in page and ">测试<" in page
    assert len(events("webhook_try")) == 1


def test_sending_again_what_was_given_up(context: Flask, desk: FlaskClient) -> None:
    allow(context, "127.0.0.1")
    with receiving() as receiver:
        hook = make_webhook(receiver.url)
        serial = submitted().serial_no
        run_all()
        with unit_of_work() as session:
            session.get_one(WebhookDelivery, deliveries()[0].id).state = "dead"
            session.get_one(Job, jobs_of()[0].id).state = "dead"
        page = desk.get(f"{PAGE}{hook.public_id}").text
        assert "没有送到" in page and f"提交 {serial}" in page
        public_id = deliveries()[0].public_id
        for _ in range(2):
            answer = desk.post(f"/system/webhook-deliveries/{public_id}/resend", follow_redirects=True)
            assert "已交给后台重发" in answer.text
        assert len(jobs_of()) == 2, "pressed twice, it is sent once more"
        run_all()
        first, second = receiver.seen
    assert first.body == second.body
    assert [(d.state, d.tries) for d in deliveries()] == [("sent", 2)]
    assert len(events("webhook_resend")) == 2


def test_sending_again_brings_forward_what_waits(context: Flask, desk: FlaskClient) -> None:
    allow(context, "127.0.0.1")
    with receiving() as receiver:
        receiver.statuses = [500, 200]
        make_webhook(receiver.url)
        submitted()
        run_all()
        assert deliveries()[0].state == "failed" and run_all() == 0
        desk.post(f"/system/webhook-deliveries/{deliveries()[0].public_id}/resend")
        assert run_all() == 1
    assert [d.state for d in deliveries()] == ["sent"] and len(jobs_of()) == 1


def test_what_is_switched_off_is_neither_tried_nor_sent_again(desk: FlaskClient) -> None:
    hook = make_webhook()
    submitted()
    desk.post(f"{PAGE}{hook.public_id}/active", data={"active": "0"})
    for address in (f"{PAGE}{hook.public_id}/test", f"/system/webhook-deliveries/{deliveries()[0].public_id}/resend"):
        answer = desk.post(address)
        assert answer.status_code == 422 and "请先启用" in answer.text
    assert len(deliveries()) == 1 and len(jobs_of()) == 1


def test_the_newest_fifty_are_listed(desk: FlaskClient) -> None:
    hook = make_webhook()
    with unit_of_work() as session:
        session.add_all(
            WebhookDelivery(webhook_id=hook.id, kind="trial", body="{}", state="sent", status=200 + n % 5,
                            answer="<script>alert(1)</script>", created_at=now())
            for n in range(55)
        )  # fmt: skip
    page = desk.get(f"{PAGE}{hook.public_id}").text
    assert page.count("/resend") == 50 and "<script>alert" not in page


# -- doors ----------------------------------------------------------------------------------------------------------


def test_only_administrators(context: Flask) -> None:
    hook = make_webhook()
    for role in roles.ALL:
        client = login(context.test_client(), make_account(role))
        wanted = 200 if role == roles.ADMIN else 403
        assert client.get(PAGE).status_code == client.get(f"{PAGE}{hook.public_id}").status_code == wanted, role
        assert client.get("/admin/webhook_delivery/list/").status_code in (
            (200,) if role == roles.ADMIN else (302, 403)
        )


@pytest.mark.parametrize("path", ["", "/secret", "/active", "/test"])
def test_what_is_not_there(desk: FlaskClient, path: str) -> None:
    sent = filled(version=1) | {"renew-password": PASSWORD, "active": "1"}
    assert desk.post(f"{PAGE}{NOTHING}{path}", data=sent).status_code == 404
    assert desk.post(f"/system/webhook-deliveries/{NOTHING}/resend").status_code == 404
    assert desk.get(f"{PAGE}{NOTHING}").status_code == 404


def test_nothing_without_the_form_of_the_site(context: Flask, desk: FlaskClient) -> None:
    hook = make_webhook()
    submitted()
    context.config["WTF_CSRF_ENABLED"] = True
    one = f"{PAGE}{hook.public_id}"
    for address in (PAGE, one, f"{one}/secret", f"{one}/active", f"{one}/test",
                    f"/system/webhook-deliveries/{deliveries()[0].public_id}/resend"):  # fmt: skip
        assert desk.post(address, data=filled(version=1, active="0")).status_code == 400, address
    assert (len(hooks()), hook_now(hook).active, len(deliveries())) == (1, True, 1)


def test_the_grid_shows_no_secret_and_no_text(desk: FlaskClient) -> None:
    make_webhook()
    submitted()
    page = desk.get("/admin/webhook_delivery/list/").text
    assert "市大数据平台" in page and "提交" in page
    shown = desk.get(f"/admin/webhook_delivery/show/{deliveries()[0].id}").text
    for secret in ("inner-key", SECRET, "&#34;declaration&#34;", '"declaration"'):
        assert secret not in page and secret not in shown
