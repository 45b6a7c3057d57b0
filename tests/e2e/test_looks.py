"""Every own page and the main grids, as each role sees them, wide and narrow: answered, axe without findings, nothing
scrolls sideways, no English words, a quiet console. And forms sent empty: every refusal in Chinese."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import ConsoleMessage, Page
from sqlalchemy import select

from app.extensions import db
from app.models import Account, Assignment, Batch, Declaration, Message, Notice, PublicList, Recognition
from app.services import seed_demo
from tests.e2e.conftest import Live

Check = Callable[[Page], None]

ALLOWED = frozenset(
    ["Ctrl", "Shift", "Enter", "PDF", "pdf", "Word", "Excel", "JPG", "PNG", "MB", "KB", "QR", "Chrome", "Linux"]
)
"""Words that people meet in Chinese sentences too, and the browser that the test itself runs in."""
SIGNS = re.compile(
    r"[0-9A-Z]{18}"  # credit codes
    r"|\d{4}-[A-Z]+\d*-\d{4}"  # serial numbers; of the second batch of a year with its number
    r"|[0-9A-Z]{4}([- ][0-9A-Z]{4})+"  # check codes, digests in fours
    r"|编号 [0-9A-F]{8}"
    r"|[0-9a-f]{64}"
    r"|[0-9a-f-]{36}"
    r"|\S+@\S+"
    r"|\.(pdf|docx|xlsx)\b"
    r"|demo\d+"
    r"|现在是“[^”]*”"  # what was typed
)
"""What is made of letters without being words."""

SAID = """() => {
  const said = [document.title], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode())
    if (!walker.currentNode.parentElement.closest("script, style, noscript")) said.push(walker.currentNode.textContent);
  for (const name of ["title", "aria-label", "placeholder", "alt", "data-confirm", "data-busy", "data-offline"])
    for (const element of document.querySelectorAll(`[${name}]`)) said.push(element.getAttribute(name));
  return said;
}"""
WIDER = """() => document.documentElement.scrollWidth <= window.innerWidth ? [] :
  [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > window.innerWidth + 1)
    .slice(-3).map((e) => `${e.tagName}.${e.className}: ${e.textContent.trim().slice(0, 30)}`).concat("scrolls sideways")"""

DRAFT, REVIEW, STAMP, RETURNED, CONFORMITY, PUBLISH, LISTED = range(1, 8)
"""How far the declaration of each demo enterprise has come, by the enterprise's number."""

PUBLIC = (
    "/", "/notices/", "/notices/{notice}/", "/publicity/", "/publicity/{list}/", "/recognitions/", "/verify/",
    "/style", "/account/login", "/account/login?way=sms", "/account/register", "/account/recover",
    "/account/agreement", "/account/privacy",
)  # fmt: skip
OWNER = (
    "/workbench/", "/todo/", "/programmes/", f"/programmes/{seed_demo.INTAKE}/", "/declarations/",
    "/declarations/{draft}/", "/declarations/{draft}/statement", "/declarations/{draft}/check",
    "/declarations/{draft}/preview", "/declarations/{certified}/", "/declarations/{certified}/receipt",
    "/enterprise/", "/enterprise/certification/", "/enterprise/members/", "/enterprise/invitations/", "/messages/", "/messages/{message}/", "/account/", "/account/password",
)  # fmt: skip
OFFICE = (
    "/todo/", "/todo/?tab=handled", "/batches/", "/batches/{batch}/", "/batches/{batch}/settings",
    "/batches/{batch}/publication", f"/batches/new/{seed_demo.INTAKE}", "/review/{review}/", "/review/{conformity}/",
    "/review/{listed}/", "/todo/{review}/claim", "/outcomes/", "/outcomes/{outcome}/", "/messages/", "/admin/", "/admin/?q=企业", "/admin/declaration/list/",
    "/admin/declaration/list/?_flt_0_serial_no=2026", "/admin/declaration/list/?_flt_0_serial_no=0", "/admin/enterprise/show/2",
    f"/admin/form_{seed_demo.INTAKE}/list/", f"/admin/form_{seed_demo.INTAKE}/show/1", "/admin/event/list/",
)  # fmt: skip
ADMIN = (
    "/admin/", "/admin/account/list/", "/admin/login_session/list/", "/admin/event/show/1", "/admin/job/list/",
    "/admin/notice/show/1", "/admin/notice/edit/1", "/admin/region/list/", "/admin/industry/add",
    "/admin/objection/list/", "/admin/handover/list/", f"/admin/form_{seed_demo.INTAKE}/correct/1",
    f"/admin/form_{seed_demo.INTAKE}/void/1", "/system/roles/", "/system/roles/city", "/system/tokens/", "/system/webhooks/",
    "/outcomes/",
)  # fmt: skip
VISITS: dict[str, tuple[str, ...]] = {
    "": PUBLIC,
    "enterprise": OWNER,
    "demo0003": ("/workbench/", "/declarations/{stamp}/stamped"),
    "demo0004": (
        "/workbench/", "/declarations/{returned}/",
        *(f"/declarations/{{returned}}/sections/{s}" for s in ("basic_info", "digital_basis", "digital_content", "attachments")),
    ),
    "newcomer": ("/workbench/", "/programmes/", "/enterprise/", "/enterprise/certification/"),
    "individual": ("/workbench/", "/programmes/", "/messages/"),
    "city": OFFICE,
    "district": ("/todo/", "/batches/{batch}/", "/review/{stamp}/", "/admin/enterprise/list/"),
    "expert": ("/todo/", "/todo/?tab=handled", "/messages/", "/review/{asked}/", "/review/{scored}/"),
    "admin": ADMIN,
}  # fmt: skip
REFUSED = (
    ("", "/not-there", 404),
    ("", "/notices/?page=abc", 400),
    ("", "/verify/ZZZZ-9999", 404),
    ("enterprise", "/admin/", 403),
    ("enterprise", "/declarations/{review}/", 404),
    ("city", "/workbench/", 403),
    ("city", "/admin/declaration/list/?page_Grid_declaration=abc", 422),
    ("city", "/admin/declaration/show/99999", 404),
    ("district", "/review/{review}/", 404),
)


class Look:
    """Looks at one page after the other and remembers what is wrong."""

    def __init__(self, page: Page, accessible: Check, known: set[str]) -> None:
        self.page, self.accessible, self.known = page, accessible, known
        self.wrong: list[str] = []
        self.expected = 200
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.wrong.append(f"{page.url}: {error}"))

    def _hear(self, message: ConsoleMessage) -> None:
        # The browser notes the status of a refused page by itself.
        if message.type in ("error", "warning") and self.expected == 200:
            self.wrong.append(f"{self.page.url}: console: {message.text}")

    def visit(self, path: str, status: int = 200) -> None:
        """Open ``path`` and look at it, wide and narrow."""
        self.expected = status
        self.page.set_viewport_size({"width": 1280, "height": 900})
        response = self.page.goto(path)
        if response is None or response.status != status:
            self.wrong.append(f"{path}: answered {response and response.status}")
        self.words(path)
        for width in (1280, 360):
            self.page.set_viewport_size({"width": width, "height": 900})
            self.wrong += [f"{path} at {width}: {part}" for part in self.page.evaluate(WIDER)]
            try:
                self.accessible(self.page)
            except AssertionError as found:
                self.wrong.append(f"{path} at {width}: {str(found)[:600]}")

    def words(self, where: str) -> None:
        """No English is read or heard."""
        texts = [SIGNS.sub(" ", text) for text in self.page.evaluate(SAID)]
        english = {
            w: t.strip()[:80] for t in texts for w in re.findall(r"[A-Za-z]{2,}", t) if w not in ALLOWED | self.known
        }
        self.wrong += [f"{where}: “{word}” in “{text}”" for word, text in english.items()]


@pytest.fixture
def ids(live: Live) -> dict[str, str]:
    """Public ids of the demo that the pages are of."""
    seed_demo.seed_demo(8, 8)
    db.session.rollback()

    def declared(number: int, programme: str = seed_demo.INTAKE) -> str:
        name = seed_demo.OWNER.username if number == 1 else f"demo{number:04d}"
        owner = db.session.scalars(select(Account).where(Account.username == name)).unique().one()
        own = select(Declaration.public_id).where(Declaration.enterprise_id == owner.enterprise_id)
        # The first one: some have declared again, in the batch with the expert step.
        of_programme = own.where(Declaration.programme_key == programme).order_by(Declaration.id)
        return str(db.session.scalars(of_programme).first())

    def first(column: object, *conditions: object) -> str:
        return str(db.session.scalars(select(column).where(*conditions)).first())

    owner = db.session.scalars(select(Account).where(Account.username == seed_demo.OWNER.username)).unique().one()
    return {
        "draft": declared(DRAFT),
        "certified": declared(DRAFT, seed_demo.CERTIFICATION),
        "review": declared(REVIEW),
        "stamp": declared(STAMP),
        "returned": declared(RETURNED),
        "conformity": declared(CONFORMITY),
        "listed": declared(LISTED),
        "asked": first(Declaration.public_id, Declaration.step_key == "expert_review"),
        "scored": first(
            Declaration.public_id,
            Declaration.id.in_(select(Assignment.declaration_id).where(Assignment.done_at.is_not(None))),
        ),
        "batch": first(Batch.public_id, Batch.programme_key == seed_demo.INTAKE),
        "notice": first(Notice.public_id),
        "list": first(PublicList.public_id),
        "outcome": first(Recognition.id),
        "message": first(Message.public_id, Message.account_id == owner.id),
    }


@pytest.fixture
def look(page: Page, accessible: Check, ids: dict[str, str]) -> Look:
    return Look(page, accessible, set(db.session.scalars(select(Account.username))))


def enter(live: Live, page: Page, username: str) -> None:
    """Be ``username``; nobody for an empty one."""
    page.context.clear_cookies()
    if username:
        live.sign_in(page, db.session.scalars(select(Account).where(Account.username == username)).unique().one())


def test_every_page_for_every_role(live: Live, page: Page, look: Look, ids: dict[str, str]) -> None:
    for username, paths in VISITS.items():
        enter(live, page, username)
        for path in paths:
            look.visit(path.format(**ids))
    for username, path, status in REFUSED:
        enter(live, page, username)
        look.visit(path.format(**ids), status)
    assert not look.wrong, "\n".join(look.wrong)


SEND_EMPTY = """() => { const form = document.querySelector("main form[method=post]"); form.noValidate = true;
  for (const input of form.querySelectorAll("input:not([type=hidden]):not([type=radio]), textarea")) input.value = "";
  form.requestSubmit(form.querySelector("button.btn-primary")); }"""


def test_forms_sent_empty_answer_in_chinese(live: Live, page: Page, look: Look, ids: dict[str, str]) -> None:
    look.expected = 422
    forms = {
        "": ("/account/login", "/account/register", "/account/recover"),
        "enterprise": ("/account/password",),
        "city": ("/batches/{batch}/settings", f"/batches/new/{seed_demo.INTAKE}"),
        "admin": ("/admin/notice/add", "/admin/region/add", "/admin/industry/add", "/admin/holiday/add"),
    }
    for username, paths in forms.items():
        enter(live, page, username)
        for path in paths:
            page.goto(path.format(**ids))
            page.evaluate(SEND_EMPTY)
            page.locator(".sb-error, .sb-note[data-tone=bad]").first.wait_for()
            look.words(f"{path}, sent empty")
    assert not look.wrong, "\n".join(look.wrong)
