"""认定管理: the list by state, correcting, revoking after being asked twice; and what the enterprise reads about it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.extensions import db
from app.models import Recognition
from app.models.base import now
from app.services import recognition as recognitions
from app.services.enterprise import next_words
from app.services.listing import Asked
from app.services.unit_of_work import unit_of_work
from app.workflow.calendar import local_date
from tests.factories import login, make_account
from tests.factories_workflow import Walk, begun, run_out_in

RECOGNISED = "submit recommend approve publish announce"
sqlite_only = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def walk(context: Flask, monkeypatch: pytest.MonkeyPatch) -> Walk:
    """A recognition that the province gave."""
    return begun(monkeypatch, "recognition", "innovative_sme", RECOGNISED)


def held(walk: Walk) -> Recognition:
    found = walk.recognition
    assert found is not None
    return found


def browser(app: Flask, walk: Walk, person: str) -> FlaskClient:
    return login(app.test_client(), walk.person(person))


def post(app: Flask, walk: Walk, deed: str, person: str = "province", **data: str) -> Any:
    sent = {"version": str(held(walk).version), "reason": "提供虚假材料。"} | data
    return browser(app, walk, person).post(f"/outcomes/{held(walk).id}/{deed}", data=sent)


def facts(walk: Walk, **changes: str) -> dict[str, str]:
    found = held(walk)
    data = {"title": found.title, "certificate_no": "HL-2026-001", "valid_from": str(found.valid_from)}
    return data | {"valid_to": str(found.valid_to)} | changes


# -- the list -----------------------------------------------------------------------------------------------------------


def test_states_and_counts(walk: Walk) -> None:
    user = walk.person("province")
    assert recognitions.count_by_view(user) == {"valid": 1, "soon": 0, "under_review": 0, "expired": 0, "revoked": 0}
    run_out_in(walk, 30)
    user = walk.person("province")
    assert recognitions.count_by_view(user)["soon"] == 1 and recognitions.count_by_view(user)["valid"] == 1
    assert [r.id for r in recognitions.list_recognitions(user, "soon", "", Asked()).rows] == [held(walk).id]
    assert recognitions.list_recognitions(user, "expired", "", Asked()).total == 0
    assert recognitions.list_recognitions(user, None, "没有这家", Asked()).total == 0
    code = held(walk).enterprise.credit_code or ""
    assert recognitions.list_recognitions(walk.person("city"), None, code, Asked()).total == 1
    assert recognitions.list_recognitions(walk.person("far_district"), None, "", Asked()).total == 0
    assert recognitions.count_by_view(walk.person("far_city"), code)["valid"] == 0


@sqlite_only
def test_the_page_and_its_chips(context: Flask, walk: Walk) -> None:
    page = browser(context, walk, "city").get("/outcomes/")
    assert page.status_code == 200 and held(walk).title in page.text
    assert "有效 1" in page.text and "90 天内到期 0" in page.text and 'href="/outcomes/?state=expired"' in page.text
    chosen = browser(context, walk, "city").get("/outcomes/?state=expired&q=轴承").text
    assert "没有这样的认定" in chosen and "，移除" in chosen and "清空" in chosen
    assert 'aria-current="page"' in page.text and ">认定</a>" in page.text


@sqlite_only
@pytest.mark.parametrize(
    ("query", "status"),
    [("state=nothing", 400), ("page=0", 400), ("page=99", 404), ("q=" + "长" * 101, 400), ("q=%00", 200)],
)
def test_addresses_that_are_refused(context: Flask, walk: Walk, query: str, status: int) -> None:
    assert browser(context, walk, "city").get(f"/outcomes/?{query}").status_code == status


@sqlite_only
@pytest.mark.parametrize(
    ("person", "index", "shown"),
    [("province", 200, 200), ("city", 200, 200), ("district", 200, 200), ("far_district", 200, 404), ("admin", 200, 200),
     ("enterprise", 403, 403), ("expert", 403, 403)],
)  # fmt: skip
def test_who_reads(context: Flask, walk: Walk, person: str, index: int, shown: int) -> None:
    client = browser(context, walk, person)
    assert client.get("/outcomes/").status_code == index
    page = client.get(f"/outcomes/{held(walk).id}/")
    assert page.status_code == shown
    if shown == 200:
        assert ("下一步：核对" in page.text) == (person == "province")


# -- revoking -----------------------------------------------------------------------------------------------------------


@sqlite_only
def test_revoked_after_being_asked(context: Flask, walk: Walk) -> None:
    asked = post(context, walk, "revoke", stage="preview")
    assert asked.status_code == 200 and "要取消这项认定吗？" in asked.text and "提供虚假材料。" in asked.text
    assert held(walk).state == "valid"
    assert "提供虚假材料。" in post(context, walk, "revoke", stage="back").text
    version = str(held(walk).version)
    assert post(context, walk, "revoke", stage="revoke", version=version).status_code == 303
    assert (held(walk).state, held(walk).reason) == ("revoked", "提供虚假材料。")
    last = held(walk).banned_until
    assert last is not None and f"{last.year} 年 {last.month} 月 {last.day} 日" in asked.text
    again = post(context, walk, "revoke", stage="revoke", version=version)
    assert again.status_code == 409 and "刚被别人改过" in again.text
    page = browser(context, walk, "province").get(f"/outcomes/{held(walk).id}/").text
    assert "已取消" in page and "取消认定：提供虚假材料。" in page and "下一步：核对" not in page
    own = browser(context, walk, "enterprise").get("/enterprise/").text
    assert "认定已取消" in own and "提供虚假材料。" in own


@sqlite_only
@pytest.mark.parametrize("stage", ["preview", "revoke"])
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"reason": ""}, "请写明取消认定的理由"),
        ({"reason": "  "}, "请写明取消认定的理由"),
        ({"version": ""}, "页面不完整"),
    ],
    ids=("wordless", "blank", "versionless"),
)
def test_a_revocation_that_does_not_fit(
    context: Flask, walk: Walk, stage: str, changes: dict[str, str], sentence: str
) -> None:
    answer = post(context, walk, "revoke", stage=stage, **changes)
    assert answer.status_code == 422 and sentence in answer.text and held(walk).state == "valid"


@sqlite_only
@pytest.mark.parametrize(
    ("person", "status"), [("city", 403), ("district", 403), ("far_district", 404), ("admin", 403), ("enterprise", 403)]
)
@pytest.mark.parametrize("deed", ["revoke", "correct"])
def test_only_the_office_that_gave_it(context: Flask, walk: Walk, deed: str, person: str, status: int) -> None:
    answer = post(context, walk, deed, person, stage="revoke", **facts(walk))
    assert answer.status_code == status and held(walk).state == "valid" and held(walk).certificate_no is None


# -- correcting ---------------------------------------------------------------------------------------------------------


@sqlite_only
def test_corrected_with_a_reason(context: Flask, walk: Walk) -> None:
    answer = post(context, walk, "correct", **facts(walk, title="创新型中小企业"), reason="名称写错。")
    assert answer.status_code == 303
    assert (held(walk).title, held(walk).certificate_no, held(walk).state) == ("创新型中小企业", "HL-2026-001", "valid")
    page = browser(context, walk, "province").get(answer.location).text
    assert "更正认定：名称写错。" in page and "HL-2026-001" in page


@sqlite_only
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"title": "  "}, "请填 1 到 100 个字"),
        ({"certificate_no": "9" * 41}, "请填 1 到 40 个字"),
        ({"valid_to": "2000-01-02"}, "最后一天不能早于第一天"),
        ({"valid_from": "去年"}, "现在填的是“去年”"),
        ({"reason": ""}, "请写明"),
        ({"version": "99"}, "刚被别人改过"),
    ],
    ids=("nameless", "long", "turned", "no day", "wordless", "stale"),
)
def test_a_correction_that_does_not_fit(context: Flask, walk: Walk, changes: dict[str, str], sentence: str) -> None:
    answer = post(context, walk, "correct", **facts(walk, **changes))
    assert answer.status_code in (409, 422) and sentence in answer.text
    assert held(walk).certificate_no is None and held(walk).version == 1
    assert re.search(r"<details class=\"sb-card\" open>", answer.text)


@sqlite_only
def test_nothing_to_correct(context: Flask, walk: Walk) -> None:
    answer = post(context, walk, "correct", **facts(walk, certificate_no=""))
    assert answer.status_code == 422 and "没有要更正的内容" in answer.text


@sqlite_only
def test_unknown_ones_are_not_there(context: Flask, walk: Walk) -> None:
    client = browser(context, walk, "province")
    assert client.get("/outcomes/999999/").status_code == 404
    assert client.post("/outcomes/999999/revoke", data={"version": "1", "reason": "x"}).status_code == 404


# -- what the enterprise reads ------------------------------------------------------------------------------------------------


@sqlite_only
@pytest.mark.parametrize(
    ("state", "days", "words"),
    [
        ("valid", 300, ""),
        ("valid", 30, "请在到期以前申请复核"),
        ("under_review", 30, "复核正在办理"),
        ("expired", -1, "可以重新申报"),
        ("revoked", 300, "认定已取消"),
    ],
)
def test_what_to_do_next(context: Flask, walk: Walk, state: str, days: int, words: str) -> None:
    with unit_of_work() as session:
        found = session.get_one(Recognition, held(walk).id)
        found.state, found.valid_to = state, local_date(now()) + timedelta(days=days)
    db.session.rollback()
    assert words in next_words(held(walk)) and bool(next_words(held(walk))) == bool(words)
    page = browser(context, walk, "enterprise").get("/enterprise/").text
    assert "我的认定" in page and words in page


@sqlite_only
def test_administrators_come_from_the_batches(context: Flask, walk: Walk) -> None:
    admin = login(context.test_client(), make_account("admin"))
    page = admin.get("/batches/").text
    assert 'href="/outcomes/"' in page and page.split("<main")[0].count("aria-current") <= 1
