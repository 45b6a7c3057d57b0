"""《汇总表》 and material package of a batch: what is in them, for whom, and what is refused."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from app.extensions import db
from app.models import Account, Batch, Blob, Declaration, Event, Job
from app.models.base import now
from app.permissions import roles
from app.services.storage import add_blob, store, sweep_files
from app.services.unit_of_work import unit_of_work
from tests import factories
from tests.factories_files import STAMP_KEY, at_stamp_step, pdf_bytes, put, run_jobs

UNKNOWN = "01890000-0000-7000-8000-000000000000"


@pytest.fixture
def officer(context: Flask) -> Account:
    return factories.make_account(roles.CITY, department="市工信局中小企业发展处")


@pytest.fixture
def desk(client: FlaskClient, officer: Account) -> FlaskClient:
    return factories.login(client, officer)


@pytest.fixture
def batch(context: Flask) -> Batch:
    return factories.make_batch(title="2026 年第一批")


def cells(content: bytes) -> list[list[Any]]:
    """Every row of the first sheet."""
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python(skip_empty_area=False)


def summary(desk: FlaskClient, batch: Batch, query: str = "") -> Any:
    return desk.get(f"/batches/{batch.public_id}/summary.xlsx{query}")


def test_one_line_each_with_numbers_as_numbers(desk: FlaskClient, batch: Batch) -> None:
    first = factories.submitted(batch=batch, seed=1)
    second = factories.submitted(batch=batch, seed=2)
    answer = summary(desk, batch)
    assert answer.status_code == 200 and "filename*=UTF-8''" in answer.headers["Content-Disposition"]
    rows = cells(answer.data)
    assert rows[0][0] == "企业培育入库（2026 年第一批）汇总表"
    head = [str(text).replace("\n", "") for text in rows[1]]
    assert head[0] == "序号" and head[1] == "企业名称" and "2023年营业收入（万元）" in head and head[-1] == "受理号"
    lines = rows[2:4]
    assert [line[head.index("受理号")] for line in lines] == [first.serial_no, second.serial_no]
    revenue = head.index("2023年营业收入（万元）")
    assert all(isinstance(line[revenue], float) for line in lines)
    assert all(isinstance(line[head.index("联系方式")], str) for line in lines), "a phone number is no amount"
    totals = rows[4]
    assert "合计" in totals and totals[revenue] == pytest.approx(sum(line[revenue] for line in lines))
    share = next(i for i, text in enumerate(head) if "研发投入占" in text)
    assert totals[share] == "", "shares are not added up"
    closing = "".join(str(cell) for row in rows[5:] for cell in row)
    assert (
        "填报单位（公章）：市工信局中小企业发展处" in closing and "填报人：" in closing and "联系电话：139" in closing
    )


def test_labels_of_choices_not_their_keys(desk: FlaskClient, batch: Batch) -> None:
    factories.submitted(batch=batch)
    text = "".join(str(cell) for row in cells(summary(desk, batch).data) for cell in row)
    assert not re.search(r"\b(private|foreign|medium|small|micro|yes|no|srdi|little_giant)\b", text)


def test_states_can_be_chosen(desk: FlaskClient, batch: Batch, officer: Account) -> None:
    kept = factories.submitted(batch=batch, seed=1)
    gone = factories.perform(officer, factories.submitted(batch=batch, seed=2), "reject", "不符合条件")
    both = "".join(
        str(c) for row in cells(summary(desk, batch, "?status=in_progress&status=rejected").data) for c in row
    )
    assert kept.serial_no in both and gone.serial_no in both
    alive = "".join(str(c) for row in cells(summary(desk, batch).data) for c in row)
    assert kept.serial_no in alive and gone.serial_no not in alive
    answer = summary(desk, batch, "?status=draft")
    assert answer.status_code == 422 and "没有“draft”这种状态" in answer.text


def test_an_empty_batch_is_an_empty_list(desk: FlaskClient, batch: Batch) -> None:
    assert len([r for r in cells(summary(desk, batch).data) if r[0] == 1]) == 0


def test_each_office_sees_its_own(batch: Batch, app: Flask) -> None:
    near = factories.make_account(roles.ENTERPRISE, enterprise=factories.make_enterprise(region="230108"))
    far = factories.make_account(roles.ENTERPRISE, enterprise=factories.make_enterprise(region="230102"))
    mine, others = factories.submitted(near, batch, seed=1), factories.submitted(far, batch, seed=2)
    district = factories.login(app.test_client(), factories.make_account(roles.DISTRICT, region="230108"))
    text = "".join(str(c) for row in cells(summary(district, batch).data) for c in row)
    assert mine.serial_no in text and others.serial_no not in text


def test_who_may_not(batch: Batch, desk: FlaskClient, app: Flask) -> None:
    enterprise = factories.login(app.test_client(), factories.make_account(roles.ENTERPRISE))
    assert summary(enterprise, batch).status_code == 403
    assert enterprise.post(f"/batches/{batch.public_id}/package").status_code == 403
    assert summary(app.test_client(), batch).status_code == 302
    assert desk.get(f"/batches/{UNKNOWN}/summary.xlsx").status_code == 404
    assert desk.post(f"/batches/{UNKNOWN}/package").status_code == 404
    certification = factories.standing_batch()
    answer = summary(desk, certification)
    assert answer.status_code == 404 and "没有汇总表" in answer.text


def test_exports_are_recorded(desk: FlaskClient, batch: Batch, officer: Account) -> None:
    summary(desk, batch)
    desk.post(f"/batches/{batch.public_id}/package")
    events = db.session.scalars(select(Event).where(Event.action == "export").order_by(Event.id)).all()
    assert [e.label for e in events] == ["导出《汇总表》", "导出材料包"]
    assert {e.subject for e in events} == {f"batch:{batch.public_id}"} and {e.actor_id for e in events} == {officer.id}


@pytest.fixture
def handed_in(batch: Batch, app: Flask) -> Declaration:
    """A declaration with real files, whose stamped material is handed in."""
    owner = factories.make_account(roles.ENTERPRISE)
    draft = factories.filled_draft(owner, batch)
    web = factories.login(app.test_client(), owner)
    for pages, key in enumerate(("audit_report", "credit_china_report"), 2):
        assert put(web, draft, key, pdf_bytes(pages)).status_code == 201
    factories.perform(owner, draft, "submit")
    factories.perform(factories.make_account(roles.CITY), draft, "confirm", "材料齐全")
    put(web, draft, STAMP_KEY, pdf_bytes(7))
    return factories.perform(owner, draft, "stamp")


def package(desk: FlaskClient, batch: Batch) -> str:
    """Ask for the package, let the worker make it; gives the address of the job's page."""
    answer = desk.post(f"/batches/{batch.public_id}/package")
    assert answer.status_code == 303
    run_jobs()
    return str(answer.location)


def test_package_holds_the_list_and_every_file(desk: FlaskClient, batch: Batch, handed_in: Declaration) -> None:
    page = desk.get(package(desk, batch)).text
    link = re.search(r'href="(/jobs/[0-9a-f-]+/file)"', page)
    assert link and "下载材料包" in page and "保留 3 天" in page
    answer = desk.get(link[1])
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        folder = f"001-{handed_in.enterprise_name}"
        assert archive.namelist() == [
            "企业培育入库（2026 年第一批）汇总表.xlsx",
            f"{folder}/已盖章申报材料.pdf",
            f"{folder}/2023年度审计报告.pdf",
            f"{folder}/信用中国网站企业信用信息报告.pdf",
        ]
        assert archive.read(f"{folder}/已盖章申报材料.pdf") == pdf_bytes(7)
        assert archive.read(f"{folder}/2023年度审计报告.pdf") == pdf_bytes(2)
    part = desk.get(link[1], headers={"Range": "bytes=0-1"})
    assert part.status_code == 206 and part.data == b"PK"


def test_scan_that_is_not_handed_in_stays_at_home(desk: FlaskClient, batch: Batch, app: Flask) -> None:
    owner, declaration = at_stamp_step(batch=batch)
    put(factories.login(app.test_client(), owner), declaration, STAMP_KEY, pdf_bytes(5))
    from app.services.export import _materials

    names = [m.name for m in _materials(factories.make_account(roles.CITY), batch, ["in_progress"])]
    assert len(names) == 2 and not any("已盖章" in n for n in names)


def test_only_who_asked_may_download(desk: FlaskClient, batch: Batch, handed_in: Declaration, app: Flask) -> None:
    location = package(desk, batch)
    colleague = factories.login(app.test_client(), factories.make_account(roles.CITY))
    assert colleague.get(location).status_code == 404
    assert colleague.get(f"{location}/file").status_code == 404
    assert app.test_client().get(f"{location}/file").status_code == 302
    assert handed_in.status == "in_progress"


def test_asking_twice_is_one_job(desk: FlaskClient, batch: Batch) -> None:
    first = desk.post(f"/batches/{batch.public_id}/package").location
    assert desk.post(f"/batches/{batch.public_id}/package").location == first
    assert desk.get(f"{first}/file").status_code == 404, "not made yet"
    assert len(db.session.scalars(select(Job).where(Job.kind == "package")).all()) == 1


def test_packages_and_orphans_are_swept(desk: FlaskClient, batch: Batch, handed_in: Declaration) -> None:
    link = f"{package(desk, batch)}/file"
    orphan = store().stage(io.BytesIO(b"nobody names me"), 100)
    store().commit(orphan)
    forgotten = store().stage(io.BytesIO(b"nobody came back"), 100)
    assert sweep_files() == {"staged": 0, "unfiled": 0, "packages": 0, "orphans": 0}, "everything is young"
    with time_machine.travel(now() + timedelta(days=4), tick=True):
        # Two files were replaced by real ones before the submission.
        assert sweep_files() == {"staged": 1, "unfiled": 2, "packages": 2, "orphans": 2}
    db.session.rollback()
    kept = set(store().kept())
    assert orphan.sha256 not in kept and not store().path(forgotten).exists()
    assert kept == {b.sha256 for b in db.session.scalars(select(Blob)) if b.sha256 in kept} and len(kept) == 3
    answer = desk.get(link)
    assert answer.status_code == 404 and "过了保留期" in answer.text
    assert handed_in.serial_no


def test_the_same_content_is_stored_once(context: Flask) -> None:
    with unit_of_work() as session:
        add_blob(session, "a" * 64, 1)
        add_blob(session, "a" * 64, 1)
    assert len(db.session.scalars(select(Blob)).all()) == 1
