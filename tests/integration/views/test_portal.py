"""The portal as the public meets it: lists, search, paging, odd addresses, and nothing that is not published."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.models import Challenge, PublicListEntry
from app.models.base import new_public_id, now
from app.permissions import roles
from app.services import portal
from app.services.unit_of_work import unit_of_work
from tests import factories
from tests.factories_portal import (
    SECRET_CONTACT,
    make_declaration,
    make_notice,
    make_printed,
    make_public_list,
    make_recognition,
)

ENGLISH = re.compile(r">[^<>{}]*\b(?:the|and|not|page|error|search|next|previous)\b[^<>{}]*<", re.IGNORECASE)


@pytest.fixture
def web(context: Flask, client: FlaskClient) -> FlaskClient:
    return client


def test_front_page_of_an_empty_site(web: FlaskClient) -> None:
    page = web.get("/")
    assert page.status_code == 200
    assert "现在没有开放的申报" in page.text and "还没有公布名单" in page.text


def test_front_page_shows_open_rounds_only(web: FlaskClient) -> None:
    factories.make_batch(title="开着的批次")
    factories.make_batch(title="还没开的批次", opens=5)
    factories.make_batch(title="已截止的批次", opens=-30, closes=-1)
    factories.make_batch(title="没发布的批次", published=False)
    page = web.get("/").text
    assert "开着的批次" in page and "个工作日" in page or "前</span>" in page
    assert not any(title in page for title in ("还没开的批次", "已截止的批次", "没发布的批次"))
    assert f'href="/programmes/{factories.INTAKE}/"' in page


def test_apply_leads_through_sign_in_straight_to_the_programme(web: FlaskClient) -> None:
    factories.make_batch()
    answer = web.get(f"/programmes/{factories.INTAKE}/")
    assert answer.status_code == 302
    assert answer.location.endswith(f"/account/login?next=/programmes/{factories.INTAKE}/")


def test_many_rounds_stand_as_a_ladder(web: FlaskClient) -> None:
    for _number in range(3):
        factories.make_batch()
    assert 'class="sb-ladder"' in web.get("/").text


def test_notices_by_level(web: FlaskClient) -> None:
    make_notice("市里的通知")
    make_notice("省里的通知", level="province")
    assert "市里的通知" in web.get("/").text
    assert "省里的通知" not in web.get("/").text
    assert "省里的通知" in web.get("/?level=province").text
    assert "市里的通知" not in web.get("/notices/?level=province").text


@pytest.mark.parametrize("address", ["/?level=moon", "/notices/?level=moon", "/notices/?page=abc", "/notices/?psize=0",
                                     "/publicity/?page=-3", "/notices/?psize=9999", "/notices/?q=" + "长" * 101])  # fmt: skip
def test_odd_addresses_are_refused_in_words(web: FlaskClient, address: str) -> None:
    answer = web.get(address)
    assert answer.status_code == 400
    assert re.search("[请从]", answer.text) and not ENGLISH.search(answer.text)


def test_a_page_beyond_the_end_is_not_there(web: FlaskClient) -> None:
    make_notice()
    answer = web.get("/notices/?page=9")
    assert answer.status_code == 404 and "一共 1 页" in answer.text


def test_notices_page_by_page(web: FlaskClient) -> None:
    for number in range(23):
        make_notice(f"第{number:02d}号通知", published_at=now() - timedelta(days=number))
    first, last = web.get("/notices/").text, web.get("/notices/?page=3").text
    assert "第00号通知" in first and "第10号通知" not in first and "共 23 条，第 1 / 3 页" in first
    assert "第22号通知" in last and 'href="/notices/?page=2"' in last
    assert "第15号通知" in web.get("/notices/?psize=20").text


def test_search_takes_wildcards_and_control_characters_as_text(web: FlaskClient) -> None:
    make_notice("补助 100% 到账")
    make_notice("别的通知", content="正文写到文号甲乙")
    assert "补助 100% 到账" in web.get("/notices/?q=100%25").text
    found = web.get("/notices/?q=%25").text
    assert "补助 100% 到账" in found and "别的通知" not in found
    assert "别的通知" in web.get("/notices/?q=甲乙").text
    assert web.get("/notices/?q=%00%07").status_code == 200
    assert "没有写到“没有的词”的公告" in web.get("/notices/?q=没有的词").text


def test_hidden_and_future_notices_are_not_there(web: FlaskClient) -> None:
    hidden = make_notice("藏起来的", visible=False)
    future = make_notice("明天发布的", published_at=now() + timedelta(days=1))
    for notice in (hidden, future):
        assert notice.title not in web.get("/notices/").text
        assert web.get(f"/notices/{notice.public_id}/").status_code == 404


def test_markup_in_notices_is_shown_as_text(web: FlaskClient) -> None:
    attack = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    notice = make_notice(
        f"标题{attack}", content=f"正文{attack}\n\n{{{{ 7*7 }}}}", authority=attack, category="<b>x</b>"
    )
    for address in ("/", "/notices/", f"/notices/{notice.public_id}/", "/notices/?q=<script>"):
        page = web.get(address).text
        assert "<script>alert" not in page and "<img src=x" not in page and "<b>x</b>" not in page
    page = web.get(f"/notices/{notice.public_id}/").text
    assert "&lt;script&gt;alert(1)" in page and "{{ 7*7 }}" in page


def test_notice_paragraphs(web: FlaskClient) -> None:
    notice = make_notice(doc_no="哈工信发〔2026〕3 号")
    page = web.get(f"/notices/{notice.public_id}/").text
    assert "<p>第一段。</p>" in page and "<p>第二段。</p>" in page and "哈工信发〔2026〕3 号" in page


def test_unknown_ids(web: FlaskClient) -> None:
    for address in (f"/notices/{new_public_id()}/", f"/publicity/{new_public_id()}/", "/notices/1/", "/publicity/x/"):
        assert web.get(address).status_code == 404


def test_published_list_holds_four_facts_and_no_more(web: FlaskClient) -> None:
    listed = make_public_list(factories.make_batch(), 3)
    page = web.get(f"/publicity/{listed.public_id}/").text
    assert "哈尔滨冰晶装备2号有限公司" in page and "道里区" in page and "专用设备制造业" in page
    assert SECRET_CONTACT not in page and "保密人" not in page and "2026-PY-" not in page
    index = web.get("/publicity/").text
    assert listed.title in index and "3 家" in index


def test_search_inside_a_list(web: FlaskClient) -> None:
    listed = make_public_list(factories.make_batch(), 25)
    address = f"/publicity/{listed.public_id}/"
    first = web.get(address).text
    assert "共 25 家，第 1 / 2 页" in first and "装备25号" not in first
    assert "装备25号" in web.get(f"{address}?page=2").text
    found = web.get(f"{address}?q=装备25号").text
    assert "装备25号" in found and "装备24号" not in found
    code = portal.db.session.scalars(select(PublicListEntry.credit_code).where(PublicListEntry.position == 7)).one()
    assert "装备7号" in web.get(f"{address}?q={code.lower()}").text
    assert "名单里没有" in web.get(f"{address}?q=外地企业").text
    assert web.get(f"{address}?page=x").status_code == 400


def printed(web: FlaskClient, code: str, **facts: int) -> None:
    company = factories.make_enterprise(contact_phone=SECRET_CONTACT)
    declaration = make_declaration(
        company, factories.make_batch(), status="in_progress", serial_no="2026-PY-0007", submitted_at=now()
    )
    make_printed(declaration, code, **facts)


def test_printed_code_says_what_it_stands_for(web: FlaskClient) -> None:
    printed(web, "7K3F-92QD")
    for typed in ("7K3F-92QD", "7k3f92qd", "７Ｋ３Ｆ－９２ＱＤ"):
        page = web.get(f"/verify/{typed}").text
        assert "这个校验码有效" in page and "2026-PY-0007" in page and "ab12cd34ab12cd34" in page
        assert "企业培育入库申报表" in page and "轴承" in page
        assert SECRET_CONTACT not in page and "王敏" not in page


def test_printed_code_of_an_old_revision(web: FlaskClient) -> None:
    printed(web, "7K3F-92QD", revision=1, newest=3)
    page = web.get("/verify/7K3F-92QD").text
    assert "不是最新的一版" in page and "第 3 版" in page


@pytest.mark.parametrize("code", ["AAAA-AAAA", "x", "7K3F-92Q", "%00", "'or 1=1", "<script>"])
def test_unknown_codes(web: FlaskClient, code: str) -> None:
    answer = web.get(f"/verify/{code}")
    assert (
        answer.status_code == 404
        and "校验码" in answer.text
        and "<script>" not in answer.text.split("</head>")[1][:2000]
    )


def test_code_form_leads_to_the_code(web: FlaskClient) -> None:
    assert "输入校验码" in web.get("/verify/").text
    assert web.get("/verify/?code=7k3f 92qd").location.endswith("/verify/7k3f%2092qd")


def test_look_ups_are_counted(web: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portal, "LOOKUPS_PER_HOUR", 3)
    assert [web.get("/verify/AAAA-AAAA").status_code for _try in range(5)] == [404, 404, 404, 429, 429]
    assert 3590 < int(web.get("/verify/AAAA-AAAA").headers["Retry-After"]) <= 3600


@pytest.mark.parametrize("role", [None, roles.ENTERPRISE, roles.INDIVIDUAL, roles.CITY, roles.EXPERT])
def test_public_pages_are_open_to_everyone_in_chinese(web: FlaskClient, role: str | None) -> None:
    listed, notice = make_public_list(factories.make_batch(), 1), make_notice()
    if role:
        factories.login(web, factories.make_account(role))
    for address in ("/", "/notices/", f"/notices/{notice.public_id}/", "/publicity/", f"/publicity/{listed.public_id}/",
                    "/recognitions/", "/verify/", "/style"):  # fmt: skip
        page = web.get(address)
        assert page.status_code == 200, address
        assert not ENGLISH.search(page.text), (address, ENGLISH.search(page.text))
        assert "<script>" not in page.text and " style=" not in page.text and "<style" not in page.text


def ask(web: FlaskClient, name: str, code: str, *, answer: str | None = None, token: str | None = None) -> Any:
    """Open the page, read the picture (from the database) and ask."""
    page = web.get("/recognitions/").text
    shown = re.search(r'name="token" value="([^"]+)"', page)
    assert shown
    stored = portal.db.session.scalars(select(Challenge).where(Challenge.token == shown[1])).one()
    assert stored.answer not in re.sub(
        r"data:image/png;base64,[^\"]+|token\" value=\"[^\"]+|nonce[^ ]+|csrf[^>]+", "", page.split("<form")[-1]
    )
    form = {
        "name": name,
        "code": code,
        "token": token or shown[1],
        "answer": stored.answer if answer is None else answer,
    }
    portal.db.session.rollback()
    return web.post("/recognitions/", data=form)


@pytest.fixture
def published(web: FlaskClient) -> PublicListEntry:
    listed = make_public_list(factories.make_batch(), 2)
    return portal.db.session.scalars(select(PublicListEntry).where(PublicListEntry.list_id == listed.id)).first()


def test_recognitions_of_exactly_this_enterprise(web: FlaskClient, published: PublicListEntry) -> None:
    answer = ask(web, published.enterprise_name, published.credit_code.lower())
    assert (
        answer.status_code == 200
        and "培育入库企业" in answer.text
        and "有效" in answer.text
        and "2026-06-30" in answer.text
    )
    assert SECRET_CONTACT not in answer.text and "保密人" not in answer.text


def test_unknown_and_unrecognised_get_the_same_answer(web: FlaskClient, published: PublicListEntry) -> None:
    known = factories.make_enterprise()
    name, code = str(known.name), str(known.credit_code)
    for pair in ((name, code), (published.enterprise_name, code), ("没有这家", "91230108MA1B7T6R0R")):
        assert "没有查到已公布的认定" in ask(web, *pair).text


def test_approved_but_unpublished_is_not_told(web: FlaskClient) -> None:
    company = factories.make_enterprise()
    made = make_declaration(company, factories.make_batch(), status="approved", submitted_at=now())
    make_recognition(company, made)
    assert "没有查到已公布的认定" in ask(web, str(company.name), str(company.credit_code)).text


def test_wrong_picture_code_keeps_what_was_typed(web: FlaskClient, published: PublicListEntry) -> None:
    answer = ask(web, published.enterprise_name, published.credit_code, answer="x")
    assert answer.status_code == 422 and "验证码不对或者过期了" in answer.text
    assert f'value="{published.enterprise_name}"' in answer.text and "培育入库企业" not in answer.text


def test_a_picture_code_works_once_and_in_its_own_browser(web: FlaskClient, published: PublicListEntry) -> None:
    token = re.search(r'name="token" value="([^"]+)"', web.get("/recognitions/").text)[1]
    solution = portal.db.session.scalars(select(Challenge.answer).where(Challenge.token == token)).one()
    form = {"name": published.enterprise_name, "code": published.credit_code, "token": token, "answer": solution}
    other = web.application.test_client()
    assert other.post("/recognitions/", data=form).status_code == 422
    assert web.post("/recognitions/", data=form).status_code == 200
    assert web.post("/recognitions/", data=form).status_code == 422


def test_a_picture_code_ends_after_two_minutes(web: FlaskClient, published: PublicListEntry) -> None:
    token = re.search(r'name="token" value="([^"]+)"', web.get("/recognitions/").text)[1]
    with unit_of_work() as session:
        stored = session.scalars(select(Challenge).where(Challenge.token == token)).one()
        stored.created_at, solution = now() - timedelta(minutes=2, seconds=1), stored.answer
    form = {"name": published.enterprise_name, "code": published.credit_code, "token": token, "answer": solution}
    assert web.post("/recognitions/", data=form).status_code == 422


def test_full_width_digits_are_digits(web: FlaskClient, published: PublicListEntry) -> None:
    token = re.search(r'name="token" value="([^"]+)"', web.get("/recognitions/").text)[1]
    solution = portal.db.session.scalars(select(Challenge.answer).where(Challenge.token == token)).one()
    wide = solution.translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    form = {"name": published.enterprise_name, "code": published.credit_code, "token": token, "answer": f" {wide}"}
    assert web.post("/recognitions/", data=form).status_code == 200


def test_question_without_name_or_with_a_short_code(web: FlaskClient) -> None:
    answer = ask(web, "", "9123")
    assert answer.status_code == 422
    assert "请填企业名称" in answer.text and "现在是 4 位" in answer.text


def test_the_box_of_the_front_page_fills_the_right_field(web: FlaskClient) -> None:
    page = web.get("/recognitions/?q=91230108MA1B7T6R0R").text
    assert 'name="code" value="91230108MA1B7T6R0R"' in page
    assert 'name="name" value="松岭&lt;b&gt;"' in web.get("/recognitions/?q=松岭<b>").text


def test_picture_code_can_be_heard(web: FlaskClient) -> None:
    token = re.search(r'name="token" value="([^"]+)"', web.get("/recognitions/").text)[1]
    heard = web.get(f"/recognitions/sound/{token}")
    assert heard.mimetype == "audio/wav" and heard.data[:4] == b"RIFF"
    assert web.application.test_client().get(f"/recognitions/sound/{token}").status_code == 404
