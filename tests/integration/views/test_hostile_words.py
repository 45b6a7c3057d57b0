"""Names that attack the reader: markup, quotes, writing direction, formulas. They are words everywhere, and nothing else."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import pytest
import python_calamine
from flask import Flask

from app.extensions import db
from app.models import Account
from app.services import review
from app.services.answers import save_answers
from app.services.reference import lookups
from app.services.unit_of_work import unit_of_work
from tests import factories
from tests.conftest import SqliteDatabases
from tests.factories_files import pdf_bytes
from tests.factories_portal import make_message, make_notice, make_public_list
from tests.shared_world import World, build

MARKUP = "<script>alert(1)</script>"
QUOTES = "\"'><img src=x onerror=alert(2)>"
BIDI = "\u202egnp.exe\u2066"
FORMULA = '=HYPERLINK("http://evil.example","点我")'
NAME = f"冰城{MARKUP}{QUOTES}"


@pytest.fixture(scope="module")
def hostile(sqlite_databases: SqliteDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The furnished platform, in which the owner's enterprise and everybody's words attack."""
    app: Flask = sqlite_databases.app
    sqlite_databases.reset()
    lookups.forget()
    kept = dict(app.config)
    app.config["DATA_DIR"] = tmp_path_factory.mktemp("hostile")
    with app.app_context():
        world = build(
            app, name=NAME, contact_name=FORMULA, registered_address=QUOTES, company_profile=f"{MARKUP}公司" * 10
        )
        _add_words(world)
        db.session.remove()
    yield world
    app.config.clear()
    app.config.update(kept)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def _add_words(world: World) -> None:
    owner = db.session.get_one(Account, world.people["owner"])
    city = db.session.get_one(Account, world.people["city"])
    with unit_of_work() as session:
        session.get_one(Account, owner.id).display_name = f"王{MARKUP}"
        session.get_one(Account, city.id).display_name = f"李{QUOTES}"
    world.ids["words"] = make_message(owner, f"消息{MARKUP}", body=QUOTES + BIDI).public_id
    world.ids["notice"] = make_notice(f"公告{MARKUP}", content=QUOTES, authority=MARKUP, doc_no=QUOTES[:60]).public_id
    world.ids["named"] = make_public_list(factories.make_batch(title=f"批{MARKUP}"), 2, title=f"名单{QUOTES}").public_id
    review.remark(db.session.get_one(Account, city.id), world.ids["sent"], "revenue", f"批注{MARKUP}{QUOTES}")
    save_answers(db.session.get_one(Account, owner.id), world.ids["draft"], {"sub_industry": MARKUP, "profit": FORMULA})


PAGES = [
    ("owner", "/workbench/"), ("owner", "/enterprise/"), ("owner", "/account/"), ("owner", "/programmes/"),
    ("owner", "/programmes/hrb_cultivation_intake/"), ("owner", "/declarations/"), ("owner", "/declarations/{draft}/"),
    ("owner", "/declarations/{draft}/sections/basic_info"), ("owner", "/declarations/{draft}/check"),
    ("owner", "/declarations/{draft}/preview"), ("owner", "/declarations/{draft}/statement"), ("owner", "/declarations/{sent}/"),
    ("owner", "/declarations/{sent}/preview"), ("owner", "/declarations/{sent}/receipt"),
    ("owner", "/declarations/{sent}/act?action=recall"), ("owner", "/declarations/{returned}/"),
    ("owner", "/declarations/{returned}/sections/basic_info"), ("owner", "/declarations/{stamping}/stamped"),
    ("owner", "/todo/"), ("owner", "/todo/?tab=begun"), ("owner", "/messages/"), ("owner", "/messages/{words}/"),
    ("city", "/todo/"), ("city", "/todo/?tab=handled"), ("city", "/review/{sent}/"), ("city", "/review/{returned}/"),
    ("city", "/review/{sent}/?remark=revenue"), ("city", "/batches/"), ("city", "/batches/{batch_second}/"),
    ("city", "/batches/{batch_second}/publication"), ("city", "/admin/declaration/list/"), ("city", "/admin/enterprise/list/"),
    ("city", "/admin/account/list/"), ("city", "/admin/message/list/"), ("city", "/admin/remark/list/"),
    ("city", "/admin/form_hrb_cultivation_intake/list/"), ("admin", "/admin/event/list/"), ("admin", "/admin/notice/list/"),
    ("admin", "/admin/public_list/list/"), ("admin", "/admin/enterprise/show/1"), ("admin", "/admin/declaration/show/2"),
    ("expert", "/todo/"), ("expert", "/review/{sent}/"), ("nobody", "/"), ("nobody", "/notices/"), ("nobody", "/notices/{notice}/"),
    ("nobody", "/publicity/"), ("nobody", "/publicity/{named}/"),
]  # fmt: skip


class Attributes(HTMLParser):
    """Collects tags and the names of their attributes, as a browser would understand them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.tags: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.names |= {name for name, _value in attrs}


def assert_harmless(page: str) -> None:
    assert MARKUP not in page and "<img src=x" not in page
    scripts = re.findall(r"(?s)<script([^>]*)>(.*?)</script>", page)
    assert all("nonce=" in head and "alert" not in body for head, body in scripts)
    read = Attributes(page)
    assert not {name for name in read.names if name.startswith("on")}, "a quote closed an attribute"
    assert not read.tags & {"object", "embed", "base", "math"}
    assert "\u202e" not in re.sub(r"(?s)<main.*?</main>|<header.*?</header>|<title>.*?</title>", "", page)


@pytest.mark.parametrize(("person", "pattern"), PAGES, ids=[f"{p}{a}" for p, a in PAGES])
def test_words_stay_words(hostile: World, person: str, pattern: str) -> None:
    answer = hostile.open(person, pattern)
    assert answer.status_code == 200, answer.status_code
    assert_harmless(answer.text)
    assert "alert(1)" in answer.text or "alert(2)" in answer.text or "冰城" not in answer.text


SHOWN = [
    p
    for p in PAGES
    if p[0] != "expert"
    and p[1] in ("/declarations/{sent}/", "/review/{sent}/", "/enterprise/", "/batches/{batch_second}/", "/todo/")
]


@pytest.mark.parametrize(("person", "pattern"), SHOWN, ids=[f"{p}{a}" for p, a in SHOWN])
def test_the_name_is_shown_whole(hostile: World, person: str, pattern: str) -> None:
    """Escaped, not cut out: a clerk must see what an enterprise calls itself."""
    if (person, pattern) == ("owner", "/todo/"):
        pattern = "/workbench/"
    assert "冰城&lt;script&gt;alert(1)&lt;/script&gt;" in hostile.open(person, pattern).text


ECHOES = [
    ("nobody", "/notices/?q={x}"), ("nobody", "/recognitions/?name={x}"), ("nobody", "/recognitions/?q={x}"), ("nobody", "/?level={x}"),
    ("nobody", "/notices/?page={x}"), ("nobody", "/publicity/{named}/?q={x}"), ("nobody", "/account/login?next=/{x}"),
    ("nobody", "/verify/{x}"), ("owner", "/todo/?q={x}"), ("owner", "/todo/?programme={x}"), ("owner", "/todo/?step={x}"),
    ("owner", "/messages/?kind={x}"), ("owner", "/declarations/{draft}/sections/basic_info?at={x}&removed={x}"),
    ("city", "/todo/?q={x}&soon={x}"), ("city", "/review/{sent}/?remark={x}"), ("city", "/admin/?q={x}"),
    ("city", "/batches/{batch_second}/?status={x}"), ("city", "/admin/declaration/list/?_flt_0_enterprise_name={x}"),
    ("city", "/admin/declaration/list/?_oc_Grid_declaration={x}"), ("city", "/batches/{batch_second}/publication?pick={x}"),
    ("city", "/batches/{batch_second}/summary.xlsx?status={x}"),
]  # fmt: skip


@pytest.mark.parametrize(("person", "pattern"), ECHOES, ids=[f"{p}{a}" for p, a in ECHOES])
@pytest.mark.parametrize("attack", [MARKUP, QUOTES])
def test_what_the_address_says_stays_words(hostile: World, person: str, pattern: str, attack: str) -> None:
    answer = hostile.open(person, pattern.replace("{x}", quote(attack, safe="")))
    assert answer.status_code < 500
    assert_harmless(answer.get_data(as_text=True))


def test_what_was_typed_comes_back_as_words(hostile: World) -> None:
    for person, pattern, data in (
        ("nobody", "/account/register", {"username": QUOTES, "phone": MARKUP}),
        ("nobody", "/account/login", {"username": QUOTES + MARKUP}),
        ("nobody", "/recognitions/", {"name": MARKUP, "code": QUOTES}),
        ("owner", "/account/identity", {"name": MARKUP * 3}),
        ("city", "/review/{sent}/", {"action": "return", "opinion": f"</textarea>{MARKUP}", "version": "999"}),
        ("city", "/batches/{batch_second}/settings", {"title": QUOTES, "opens": MARKUP}),
        ("city", "/batches/{batch_second}/publication", {"title": QUOTES, "body": f"</textarea>{MARKUP}"}),
        ("city", "/admin/notice/add", {"title": QUOTES, "content": f"</textarea>{MARKUP}"}),
        ("owner", "/declarations/{draft}/sections/basic_info", {"deed": MARKUP, "main_products": QUOTES}),
    ):
        answer = hostile.send(person, pattern, data)
        assert answer.status_code in (409, 422), (pattern, answer.status_code)
        assert_harmless(answer.text)


# -- files ----------------------------------------------------------------------------------------------------------

SHEETS = [
    ("city", "/batches/{batch_second}/summary.xlsx"), ("city", "/admin/enterprise/export"), ("city", "/admin/declaration/export"),
    ("city", "/admin/form_hrb_cultivation_intake/export"), ("admin", "/admin/account/export"), ("admin", "/admin/event/export"),
]  # fmt: skip


def sheet_of(answer: Any) -> tuple[list[list[Any]], str]:
    """Cells of the first sheet, and the XML of all sheets."""
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        xml = "".join(archive.read(n).decode() for n in archive.namelist() if n.startswith("xl/worksheets/"))
    cells = python_calamine.load_workbook(io.BytesIO(answer.data)).get_sheet_by_index(0).to_python()
    return cells, xml


@pytest.mark.parametrize(("person", "pattern"), SHEETS, ids=[s[1] for s in SHEETS])
def test_a_sheet_holds_words_and_calculates_nothing_of_theirs(hostile: World, person: str, pattern: str) -> None:
    cells, xml = sheet_of(hostile.open(person, pattern))
    formulas = re.findall(r"<f[^>]*>([^<]*)</f>", xml)
    assert all(re.fullmatch(r"(SUM|SUBTOTAL)\([\w:,]+\)", f) for f in formulas), formulas
    assert "<hyperlink" not in xml.lower()
    texts = [str(c) for row in cells for c in row]
    assert len(texts) > 3 and all("HYPERLINK" not in t or t.lstrip("'") == FORMULA for t in texts)


def test_the_sheet_shows_the_name_as_it_is(hostile: World) -> None:
    cells, _xml = sheet_of(hostile.open("city", "/admin/enterprise/export"))
    assert any(MARKUP in str(cell) for row in cells for cell in row)


@pytest.mark.parametrize("pattern", ["/declarations/{sent}/receipt.pdf", "/declarations/{stamping}/material.docx",
                                     "/declarations/{sent}/preview.pdf"])  # fmt: skip
def test_the_name_of_a_file_breaks_no_header(hostile: World, pattern: str) -> None:
    header = hostile.open("owner", pattern).headers["Content-Disposition"]
    assert header.count('"') == 2 and "\n" not in header and "<" not in header and "\u202e" not in header
    assert header.isascii()


def test_word_keeps_markup_as_text(hostile: World) -> None:
    answer = hostile.open("owner", "/declarations/{stamping}/material.docx")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        xml = archive.read("word/document.xml").decode()
    assert "&lt;script&gt;alert(1)" in xml and "<script>" not in xml


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd.pdf", "a\r\nSet-Cookie: x=1.pdf", '"; filename="b.exe.pdf', f"{MARKUP}.pdf", f"{BIDI}.pdf"],
)
def test_names_of_uploaded_files(hostile: World, name: str) -> None:
    path = "/declarations/{draft}/attachments/credit_china_report"
    answer = hostile.open("owner", path, "PUT", data=pdf_bytes(), headers={"X-Filename": quote(name, safe="")})
    assert answer.status_code == 201
    kept = answer.json["name"]
    assert "/" not in kept and "\n" not in kept and "\r" not in kept and kept.endswith(".pdf")
    header = hostile.open("owner", answer.json["url"]).headers["Content-Disposition"]
    assert header.count('"') == 2 and header.isascii()
    assert_harmless(hostile.open("owner", "/declarations/{draft}/sections/attachments").text)
