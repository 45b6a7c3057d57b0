"""Pages of batches: list, settings with typed errors, reminders, publication with preview."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.extensions import db
from app.models import Account, Batch, Declaration, PublicList
from app.permissions import roles
from tests import factories

INTAKE = factories.INTAKE


@pytest.fixture
def city(context: Flask) -> Account:
    return factories.make_account(roles.CITY, display_name="李静")


@pytest.fixture
def clerk(client: FlaskClient, city: Account) -> FlaskClient:
    return factories.login(client, city)


@pytest.fixture
def batch(context: Flask) -> Batch:
    return factories.make_batch(title="2026 年第一批")


def settings(**changes: str) -> dict[str, str]:
    data = {
        "title": "2026 年第二批",
        "opens": "2026-06-01",
        "closes": "2026-06-17",
        "published": "y",
        "parameter_base_year": "2025",
        "parameter_plan_years": "2026-2027",
        "parameter_project_closed_deadline": "2026-06-30",
        "parameter_project_planned_end_latest": "2027-10-31",
        "parameter_project_window": "2026年6月前结项",
        "parameter_correction_days": "10",
        "parameter_max_total_mb": "1024",
        "parameter_district_step": "no",
        "parameter_expert_step": "yes",
        "parameter_publicity_required": "no",
        "parameter_publicity_days": "5",
    }
    return {k: v for k, v in (data | changes).items() if v is not None}


def decided(city: Account, batch: Batch, seed: int) -> Declaration:
    owner = factories.make_account(roles.ENTERPRISE)
    declaration = factories.submitted(owner, batch, seed=seed)
    factories.perform(city, declaration, "confirm")
    factories.attach(declaration, "stamped_material")
    factories.perform(owner, declaration, "stamp")
    return factories.perform(city, declaration, "confirm")


def stored(batch: Batch) -> Batch:
    db.session.rollback()
    return db.session.get_one(Batch, batch.id)


@pytest.mark.parametrize(
    ("role", "status"),
    [(roles.CITY, 200), (roles.DISTRICT, 200), (roles.ADMIN, 200), (roles.EXPERT, 403), (roles.ENTERPRISE, 403)],
)
def test_who_sees_batches(client: FlaskClient, batch: Batch, role: str, status: int) -> None:
    browser = factories.login(client, factories.make_account(role))
    for url in ("/batches/", f"/batches/{batch.public_id}/"):
        assert browser.get(url).status_code == status


def test_the_list_has_windows_and_counts(clerk: FlaskClient, batch: Batch) -> None:
    factories.submitted(batch=batch)
    page = clerk.get("/batches/").text
    assert "企业培育入库 · 2026 年第一批" in page and "申报中" in page and "新建批次" in page and "常年受理" in page
    assert f'href="/batches/new/{INTAKE}"' in page and "enterprise_certification" not in page


def test_one_batch(clerk: FlaskClient, batch: Batch) -> None:
    declaration = factories.submitted(batch=batch)
    page = clerk.get(f"/batches/{batch.public_id}/").text
    assert declaration.serial_no in page and f"/review/{declaration.public_id}/" in page
    assert f"/batches/{batch.public_id}/summary.xlsx" in page and f"/batches/{batch.public_id}/package" in page
    assert "标为已办" in page and "zxqyfzzdc@126.com" in page and "改设置" in page
    assert declaration.serial_no not in clerk.get(f"/batches/{batch.public_id}/?status=approved").text
    assert clerk.get(f"/batches/{batch.public_id}/?page=x").status_code == 400


def test_a_batch_is_made(clerk: FlaskClient) -> None:
    page = clerk.get(f"/batches/new/{INTAKE}")
    assert page.status_code == 200 and "一件申报全部附件的上限（MB）" in page.text
    assert re.search(r'name="parameter_max_total_mb"[^>]*value="1024"', page.text)
    answer = clerk.post(f"/batches/new/{INTAKE}", data=settings(parameter_max_total_mb="500"))
    assert answer.status_code == 302
    page = clerk.get(answer.location).text
    assert "2026 年第二批" in page and "批次已建好" in page
    made = db.session.scalars(select(Batch).where(Batch.title == "2026 年第二批")).one()
    assert made.parameters["expert_step"] is True and made.parameters["base_year"] == 2025 and made.year == 2026
    assert made.parameters["max_total_mb"] == 500
    assert made.closes_at is not None and made.closes_at.isoformat() == "2026-06-17T16:00:00+00:00"


@pytest.mark.parametrize("key", ["enterprise_certification", "nothing"])
def test_no_batches_of_these(clerk: FlaskClient, key: str) -> None:
    assert clerk.get(f"/batches/new/{key}").status_code == 404


def test_mistakes_come_back_all_at_once_with_what_was_typed(clerk: FlaskClient, batch: Batch) -> None:
    typed = settings(title="", opens="2026-07-01", parameter_base_year="二〇二五") | {"version": "1"}
    answer = clerk.post(f"/batches/{batch.public_id}/settings", data=typed)
    assert answer.status_code == 422
    assert "还有 3 处要改" in answer.text and 'value="二〇二五"' in answer.text and "早于开始日期" in answer.text
    assert stored(batch).version == 1


def test_settings_are_saved_once_per_version(clerk: FlaskClient, batch: Batch) -> None:
    data = settings(published=None) | {"version": "1"}  # type: ignore[arg-type]
    assert clerk.post(f"/batches/{batch.public_id}/settings", data=data).status_code == 302
    assert (stored(batch).version, stored(batch).published) == (2, False)
    late = clerk.post(f"/batches/{batch.public_id}/settings", data=settings(title="迟到的名称") | {"version": "1"})
    assert late.status_code == 409 and "李静" in late.text and 'value="迟到的名称"' in late.text
    assert 'name="version" value="2"' in late.text
    assert clerk.post(f"/batches/{batch.public_id}/settings", data=settings() | {"version": "x"}).status_code == 422


def test_a_step_in_use_stays_on(clerk: FlaskClient) -> None:
    batch = factories.make_batch(parameters={"district_step": True})
    factories.submitted(batch=batch)
    answer = clerk.post(f"/batches/{batch.public_id}/settings", data=settings() | {"version": "1"})
    assert answer.status_code == 422 and "还有 1 件申报在“区县初审”" in answer.text


@pytest.mark.parametrize(
    ("role", "region", "status"),
    [(roles.DISTRICT, "230108", 403), (roles.CITY, "350200", 404), (roles.ENTERPRISE, None, 403)],
)
def test_others_change_nothing(client: FlaskClient, batch: Batch, role: str, region: str | None, status: int) -> None:
    browser = factories.login(client, factories.make_account(role, region=region))
    assert (
        browser.post(f"/batches/{batch.public_id}/settings", data=settings() | {"version": "1"}).status_code == status
    )
    assert browser.post(f"/batches/{batch.public_id}/reminders/paper_copy", data={"done": "1"}).status_code == status
    assert browser.get(f"/batches/{batch.public_id}/publication").status_code == status
    assert stored(batch).version == 1 and stored(batch).reminders_done == {}


def test_reminders_are_ticked(clerk: FlaskClient, batch: Batch) -> None:
    answer = clerk.post(f"/batches/{batch.public_id}/reminders/paper_copy", data={"done": "1"})
    assert answer.status_code == 302
    assert "已办：李静" in clerk.get(answer.location).text
    assert clerk.post(f"/batches/{batch.public_id}/reminders/nothing", data={"done": "1"}).status_code == 404


def test_publication_from_choice_to_portal(clerk: FlaskClient, city: Account, batch: Batch) -> None:
    one, two = decided(city, batch, 1), decided(city, batch, 2)
    url = f"/batches/{batch.public_id}/publication"
    assert "有 2 件在等公布名单" in clerk.get(f"/batches/{batch.public_id}/").text
    page = clerk.get(f"{url}?pick={one.public_id}").text
    boxes = re.findall(r'name="chosen" value="([^"]+)"', page)
    assert boxes == [f"{d.public_id}:{d.version}" for d in (one, two)] and page.count(" checked") == 1
    nobody = clerk.post(url, data={"stage": "preview", "title": "", "body": "正文"})
    assert (
        nobody.status_code == 422
        and "请至少选一家企业" in nobody.text
        and "请写名单标题" in nobody.text
        and "正文" in nobody.text
    )
    form = {"title": "入库名单<一>", "body": "现予公布。", "chosen": boxes}
    preview = clerk.post(url, data=form | {"stage": "preview"}).text
    assert "公布以后不能撤回" in preview and "入库名单&lt;一&gt;" in preview and one.enterprise_name in preview
    key = re.search(r'name="key" value="([^"]+)"', preview)
    assert key
    back = clerk.post(url, data=form | {"stage": "back"}).text
    assert back.count(" checked") >= 2 and 'value="入库名单&lt;一&gt;"' in back
    for _ in range(2):
        answer = clerk.post(url, data=form | {"stage": "publish", "key": key[1]})
        assert answer.status_code == 302 and answer.location.startswith("/publicity/")
    assert db.session.scalar(select(func.count()).select_from(PublicList)) == 1
    assert {factories.find(d.public_id).status for d in (one, two)} == {"approved"}
    assert "入库名单&lt;一&gt;" in clerk.get(f"/batches/{batch.public_id}/").text
    assert "现在没有等公布的企业" in clerk.get(url).text


def test_a_stale_preview_publishes_nothing(clerk: FlaskClient, city: Account, batch: Batch) -> None:
    one, two = decided(city, batch, 1), decided(city, batch, 2)
    chosen = [f"{d.public_id}:{d.version}" for d in (one, two)]
    factories.perform(city, two, "reject", "不在支持范围")
    url = f"/batches/{batch.public_id}/publication"
    preview = clerk.post(url, data={"stage": "preview", "title": "名单", "chosen": chosen})
    assert preview.status_code == 409 and "请核对后重新预览" in preview.text
    assert clerk.post(url, data={"stage": "publish", "title": "名单", "chosen": chosen}).status_code == 409
    assert db.session.scalar(select(func.count()).select_from(PublicList)) == 0
    assert factories.find(one.public_id).status == "in_progress"


@pytest.mark.parametrize("chosen", ["nonsense", "x:y", ":1", "a:1:2"])
def test_choices_that_are_none(clerk: FlaskClient, batch: Batch, chosen: str) -> None:
    answer = clerk.post(
        f"/batches/{batch.public_id}/publication", data={"stage": "publish", "title": "名单", "chosen": chosen}
    )
    assert answer.status_code in (404, 422)
