"""The main job, end to end, in a browser: from registration to the published list, with nothing done behind the pages."""

from __future__ import annotations

import random
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from sqlalchemy import select

from app.documents.codes import make_qr_text
from app.extensions import db
from app.fields.base import Raw
from app.models import Account, Challenge, Declaration, PrintRecord, SmsMessage
from app.permissions import roles
from app.services.declaration import load
from app.services.reference import lookups
from app.services.samples import FACTS, _place_rows, sample_answers
from app.services.sms import read_text
from tests import factories
from tests.e2e.conftest import Live
from tests.factories_files import pdf_bytes
from tests.unit.adapters import scanned_paper as paper

PHONE, NAME, PASSWORD = "13945120387", "songling-wangmin", "Songling-2026"


def newest(model: type) -> object:
    """The newest row of ``model``, as it is now."""
    db.session.rollback()
    return db.session.scalars(select(model).order_by(model.id.desc())).unique().first()


def the_account() -> Account:
    """The account that was registered in this test."""
    db.session.rollback()
    return db.session.scalars(select(Account).where(Account.username == NAME)).unique().one()


def declaration_in(page: Page) -> str:
    """Public id of the declaration whose page is open."""
    found = re.search(r"/declarations/([0-9a-f-]{36})/", page.url)
    assert found, page.url
    return found[1]


def register(live: Live, page: Page) -> None:
    """Register as 企业用户: puzzle by keyboard value, SMS code from the outbox."""
    page.goto("/")
    page.locator("header").get_by_role("link", name="注册").click()
    expect(page.get_by_label("企业用户")).to_be_checked()
    page.get_by_label("用户名").fill(NAME)
    page.get_by_label("手机号").fill(PHONE)
    page.locator("#answer").fill(newest(Challenge).answer)
    page.get_by_role("button", name="获取验证码").click()
    expect(page.get_by_text("已发出，5 分钟内有效")).to_be_visible()
    live.run_jobs()
    code = re.search(r"\d{6}", read_text(newest(SmsMessage)))
    assert code
    page.get_by_label("短信验证码").fill(code[0])
    page.get_by_label("密码", exact=True).fill(PASSWORD)
    page.get_by_label("再输一次密码").fill(PASSWORD)
    page.get_by_label("我已读过并同意").check()
    page.get_by_role("button", name="注册", exact=True).click()
    expect(page).to_have_url(re.compile("/workbench/"))


def answer(page: Page, path: str, raw: Raw) -> None:
    """Give one answer with the control that is there, and leave it, so that it saves itself."""
    # A hand is slower than a save: the answer before is back, redrawn and listening.
    page.wait_for_function(
        "() => !document.querySelector('.htmx-request, .htmx-swapping, .htmx-settling, .htmx-added')"
    )
    controls: Locator = page.locator(f'[name="{path}"]')
    first = controls.first
    kind = first.evaluate("e => e.tagName === 'INPUT' ? e.type : e.tagName.toLowerCase()")
    if kind in ("radio", "checkbox"):
        for value in [raw] if isinstance(raw, str) else raw or []:
            page.locator(f'[name="{path}"][value="{value}"]').check()
    elif kind == "select":
        first.select_option(str(raw))
    else:
        box = page.locator(f'[id="{path.replace("/", "-")}"]')
        box.fill(str(raw))
        box.press("Tab")


def fill_in(page: Page, public_id: str, seed: int) -> None:
    """Fill every section of the draft through its pages with made-up answers that keep the rules."""
    user = the_account()
    opened = load(public_id, user)
    answers = sample_answers(opened.definition, opened.params, random.Random(seed), lookups=lookups, facts=FACTS)
    paths = _place_rows(user, public_id, opened.definition, answers)
    values: dict[str, Raw] = dict(answers.main)
    for row in answers.rows:
        values |= {f"{paths[row.id]}/{key}": raw for key, raw in row.values.items()}
    for section in opened.definition.sections:
        page.goto(f"/declarations/{public_id}/sections/{section.key}")
        page.wait_for_function("() => window.htmx !== undefined && document.readyState === 'complete'")
        # A closed row is opened first, as a person would.
        for fold in page.locator("main details:not([open]) > summary").all():
            fold.click()
        for path, raw in values.items():
            if page.locator(f'[name="{path}"]').count():
                answer(page, path, raw)
        expect(page.locator("#saved")).to_contain_text("已保存")
        page.wait_for_timeout(600)
        page.wait_for_load_state("networkidle")
    page.goto(f"/declarations/{public_id}/sections/attachments")


def upload(page: Page, key: str, path: Path) -> None:
    """Choose a file for the attachment ``key`` and wait until it is stored and shown."""
    chosen = page.locator("#scan") if key == "stamped_material" else page.locator(f"#file-{key}-input")
    with page.expect_response(lambda r: f"/attachments/{key}" in r.url and r.ok):
        chosen.set_input_files(path)
    page.wait_for_load_state("networkidle")
    expect(page.locator("main").get_by_text(path.name).first).to_be_visible()


def promise(page: Page) -> str:
    """Accept the truthfulness statement before filling in; returns the declaration's id."""
    page.get_by_label("我代表").check()
    page.get_by_role("button", name="同意，开始填写").click()
    expect(page).to_have_url(re.compile("/sections/"))
    return declaration_in(page)


def hand_in(page: Page, public_id: str) -> None:
    """Check, accept the statement where there is one, and submit."""
    page.goto(f"/declarations/{public_id}/check")
    assert [p.message for p in load(public_id, the_account()).evaluation.blocking] == []
    vow = page.locator("#vow, input[name=statement]")
    if vow.count():
        vow.first.check()
    page.get_by_role("button", name=re.compile("^提交")).last.click()
    expect(page).to_have_url(re.compile("/receipt"))


def decide(page: Page, public_id: str, words: str) -> None:
    """Open the declaration from the to-do list and take the decision called ``words``."""
    page.goto("/todo/")
    page.locator(f'a[href*="/review/{public_id}/"]').first.click()
    page.get_by_label(words, exact=True).check()
    # One by one: the button that ticks them all appears only when the scripts have come.
    for point in page.locator("#points input[name=check]").all():
        point.check()
    before = factories.find(public_id).version
    with page.expect_navigation():
        page.locator("#decide").click()
    assert factories.find(public_id).version == before + 1


@pytest.fixture
def office(live: Live, browser: Browser, new_context: Callable[..., BrowserContext]) -> Page:
    """The city officer's own browser."""
    page = new_context().new_page()
    live.sign_in(page, factories.make_account(roles.CITY))
    return page


def test_from_registration_to_the_published_list(
    live: Live, page: Page, office: Page, tmp_path: Path, new_context: Callable[..., BrowserContext]
) -> None:
    page.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
    office.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
    batch = factories.make_batch()
    scan = tmp_path / "材料.pdf"
    scan.write_bytes(pdf_bytes(2))

    register(live, page)

    # Declaring before certification leads there, politely.
    side = page.locator(".sb-side")
    side.get_by_role("link", name="企业培育入库").click()
    expect(page.locator("main").get_by_text("企业认证").first).to_be_visible()
    page.goto("/workbench/")
    side.get_by_role("link", name="企业认证").click()
    page.get_by_role("button", name=re.compile("开始认证")).click()
    certification = promise(page)
    fill_in(page, certification, 3)
    upload(page, "business_licence", scan)
    hand_in(page, certification)
    decide(office, certification, "审核通过")
    account = the_account()
    assert account.enterprise is not None and account.enterprise.certification_status == "approved"
    name = account.enterprise.name
    assert name

    # 企业培育入库: statement, sections, files, check, submit.
    page.goto("/workbench/")
    side.get_by_role("link", name="企业培育入库").click()
    page.get_by_role("button", name=re.compile("添加")).first.click()
    declaration = promise(page)
    expect(page.locator("#enterprise_name")).to_have_value(name)
    fill_in(page, declaration, 5)
    for key in ("audit_report", "credit_china_report"):
        upload(page, key, scan)
    hand_in(page, declaration)
    serial = factories.find(declaration).serial_no
    assert serial and re.fullmatch(r"20\d\d-PY-0001", serial)
    expect(page.locator("main")).to_contain_text(serial)

    decide(office, declaration, "初审确认")

    # The stamped material: the Word is taken, stamped, scanned and handed in.
    page.goto("/todo/")
    page.locator(f'a[href*="/declarations/{declaration}/stamped"]').first.click()
    with page.expect_download() as word:
        page.locator(f'a[href*="/declarations/{declaration}/material.docx"]').first.click()
    assert "word/document.xml" in zipfile.ZipFile(word.value.path()).namelist()
    record = newest(PrintRecord)
    sheet = paper.blank_page(make_qr_text(serial, record.code))
    stamped = paper.save_scan(tmp_path / "盖章材料.pdf", paper.scan(sheet, paper.seal(), seed=2))
    upload(page, "stamped_material", stamped)
    live.run_jobs()
    page.goto(f"/declarations/{declaration}/stamped")
    page.get_by_role("button", name=re.compile("提交")).last.click()
    expect(page).not_to_have_url(re.compile("/stamped$"))

    decide(office, declaration, "符合要求")

    # The list is chosen, previewed and published.
    office.goto(f"/batches/{batch.public_id}/publication")
    expect(office.locator("main")).to_contain_text(name)
    office.get_by_label("全选").check()
    office.get_by_role("button", name="预览名单").click()
    office.get_by_role("button", name="公布名单").click()
    approved = factories.find(declaration)
    assert (approved.status, approved.holder_role) == ("approved", None)

    # Everybody can read it, signed out; only the four published facts stand there.
    visitor = new_context().new_page()
    visitor.goto("/publicity/")
    visitor.locator('main a[href*="/publicity/"]').first.click()
    expect(visitor.locator("main")).to_contain_text(name)
    assert PHONE not in visitor.content()

    # The enterprise signs in again from the portal, is told, and the history is complete.
    page.goto("/workbench/")
    page.get_by_role("button", name="退出").click()
    page.goto("/")
    page.locator("header").get_by_role("link", name="登录").click()
    page.get_by_label("用户名", exact=True).fill(NAME)
    page.get_by_label("密码", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page).to_have_url(re.compile("/workbench/"))
    page.locator(".sb-side").get_by_role("link", name="我的消息").click()
    expect(page.locator("main")).to_contain_text("已列入名单")
    labels = [e.action for e in load(declaration, the_account()).events]
    assert labels[0] == "approve" and {"start", "submit", "confirm", "stamp"} <= set(labels)


def test_the_chain_never_leaves_a_second_declaration(live: Live, page: Page) -> None:
    """添加 pressed twice, or in a second window, opens the one that is there."""
    batch = factories.make_batch()
    owner = factories.make_account(roles.ENTERPRISE)
    live.sign_in(page, owner)
    ids = set()
    for _ in range(2):
        page.goto(f"/programmes/{batch.programme_key}/")
        page.locator('form[action$="/declarations/"] button, main a[href*="/declarations/"]').first.click()
        ids.add(declaration_in(page))
    db.session.rollback()
    assert len(ids) == 1
    assert len(db.session.scalars(select(Declaration)).unique().all()) == 1
