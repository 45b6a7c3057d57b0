"""Every page works without scripts: each form is an ordinary form to an address that takes it, each control has a name
people can read, each link leads somewhere, and what scripts send is what a button would send too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import pytest
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from tests.shared_world import World

PAGES = [
    ("nobody", "/"), ("nobody", "/notices/"), ("nobody", "/publicity/{list}/"), ("nobody", "/recognitions/"), ("nobody", "/verify/"),
    ("nobody", "/account/login"), ("nobody", "/account/login?way=sms"), ("nobody", "/account/register"), ("nobody", "/account/recover"),
    ("owner", "/account/"), ("owner", "/account/password"), ("owner", "/workbench/"), ("owner", "/enterprise/certification/"),
    ("owner", "/programmes/hrb_cultivation_intake/"), ("owner", "/declarations/{draft}/"), ("owner", "/declarations/{draft}/statement"),
    ("owner", "/declarations/{draft}/sections/basic_info"), ("owner", "/declarations/{draft}/sections/digital_basis"),
    ("owner", "/declarations/{draft}/sections/digital_content"), ("owner", "/declarations/{draft}/sections/attachments"),
    ("owner", "/declarations/{draft}/check"), ("owner", "/declarations/{sent}/act?action=recall"),
    ("owner", "/declarations/{stamping}/stamped"), ("owner", "/todo/"), ("owner", "/messages/"), ("owner", "/messages/{message}/"),
    ("city", "/todo/"), ("city", "/review/{sent}/"), ("city", "/review/{sent}/?remark=revenue"), ("city", "/review/{stamping}/"),
    ("city", "/batches/"), ("city", "/batches/{batch_second}/"), ("city", "/batches/{batch_second}/settings"),
    ("city", "/batches/new/hrb_cultivation_intake"), ("city", "/batches/{batch_second}/publication"), ("city", "/admin/"),
    ("city", "/admin/declaration/list/"), ("city", "/admin/holiday/list/"), ("city", "/admin/holiday/add"),
    ("city", "/admin/notice/add"), ("city", "/admin/region/edit/1"), ("expert", "/review/{sent}/"), ("individual", "/workbench/"),
]  # fmt: skip
everywhere = pytest.mark.parametrize(("person", "pattern"), PAGES, ids=[f"{p}{a}" for p, a in PAGES])
Attributes = dict[str, str | None]


@dataclass
class Sent:
    """A form with what is in it."""

    attributes: Attributes
    controls: list[tuple[str, Attributes]] = field(default_factory=list)


class Page(HTMLParser):
    """Forms, links, labels and ids of a page."""

    VOID = {"input", "img", "br", "hr", "meta", "link", "source", "wbr"}

    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: list[Sent] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.labelled: set[str] = set()
        self.requests: list[Attributes] = []
        self.loose: list[tuple[str, Attributes]] = []
        self.headings: list[int] = []
        self._form: Sent | None = None
        self._labels = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if found.get("id"):
            self.ids.append(str(found["id"]))
        if tag == "form" and found.get("method") != "dialog":
            self._form = Sent(found)
            self.forms.append(self._form)
        elif tag == "a" and found.get("href"):
            self.links.append(str(found["href"]))
        elif tag == "label":
            self.labelled.add(str(found.get("for")))
            self._labels += 1
        elif tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
            self.headings.append(int(tag[1]))
        elif tag in ("input", "select", "textarea", "button"):
            found["in-label"] = "yes" if self._labels else None
            (self._form.controls if self._form else self.loose).append((tag, found))
        if any(name in found for name in ("hx-post", "hx-get", "hx-put")):
            self.requests.append(found)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        if tag == "label":
            self._labels -= 1


Read = Callable[[str, str], tuple[Page, str]]


@pytest.fixture(scope="module")
def read(world: World) -> Read:
    """A page and its address; each is asked for once."""

    @cache
    def reading(person: str, pattern: str) -> tuple[Page, str]:
        # As in production: the forms of the grids carry a token only while it is asked for.
        world.app.config["WTF_CSRF_ENABLED"] = True
        answer = world.open(person, pattern)
        world.app.config["WTF_CSRF_ENABLED"] = False
        assert answer.status_code == 200, answer.status_code
        return Page(answer.text), f"http://localhost{world.path(pattern)}"

    return reading


def takes(world: World, url: str, method: str) -> bool:
    """Whether an address of ours takes this method."""
    parts = urlsplit(url)
    try:
        world.app.url_map.bind("localhost").match(parts.path, method=method)
    except RequestRedirect:
        return False
    except HTTPException:
        return False
    return parts.netloc == "localhost"


@everywhere
def test_forms_are_ordinary_forms(world: World, read: Read, person: str, pattern: str) -> None:
    page, here = read(person, pattern)
    for form in page.forms:
        method = str(form.attributes.get("method") or "get").upper()
        target = urljoin(here, str(form.attributes.get("action") or ""))
        others = [urljoin(here, str(a["formaction"])) for _tag, a in form.controls if a.get("formaction")]
        assert method in ("GET", "POST") and all(takes(world, url, method) for url in [target, *others]), target
        names = [a.get("name") for _tag, a in form.controls]
        assert ("csrf_token" in names) == (method == "POST"), (
            f"{target}: a token where something is changed, and only there"
        )
        if any(a.get("type") == "file" for _tag, a in form.controls):
            assert form.attributes.get("enctype") == "multipart/form-data", target


@everywhere
def test_every_form_can_be_sent_without_scripts(read: Read, person: str, pattern: str) -> None:
    """A submit button (not hidden until a script shows it) in every form, or one that belongs to it from outside."""
    page, _here = read(person, pattern)
    for form in page.forms:
        if all(a.get("type") == "hidden" for _tag, a in form.controls):
            continue  # a list in which this person may only read
        buttons = [a for tag, a in form.controls if tag == "button" and a.get("type", "submit") == "submit"]
        buttons += [a for _tag, a in page.loose if a.get("form") and a["form"] == form.attributes.get("id")]
        assert [b for b in buttons if "hidden" not in b], form.attributes


@everywhere
def test_every_control_has_a_name_people_can_read(read: Read, person: str, pattern: str) -> None:
    page, _here = read(person, pattern)
    controls = [c for form in page.forms for c in form.controls] + page.loose
    unnamed = [
        a
        for tag, a in controls
        if tag != "button" and a.get("type") not in ("hidden", "submit")
        and not (a.get("id") in page.labelled or a.get("aria-label") or a.get("aria-labelledby") or a.get("in-label"))
    ]  # fmt: skip
    assert unnamed == []


@everywhere
def test_links_lead_to_addresses_that_exist(world: World, read: Read, person: str, pattern: str) -> None:
    page, here = read(person, pattern)
    for link in page.links:
        if link.startswith("#"):
            assert link == "#" or link[1:] in page.ids, f"{link} is no place on this page"
        elif urljoin(here, link).startswith("http://localhost"):
            assert takes(world, urljoin(here, link), "GET"), link
        else:
            assert urlsplit(link).scheme in ("http", "https", "tel", "mailto"), link


@everywhere
def test_ids_are_used_once_and_there_is_one_title(read: Read, person: str, pattern: str) -> None:
    page, _here = read(person, pattern)
    assert len(page.ids) == len(set(page.ids)), [i for i in page.ids if page.ids.count(i) > 1]
    assert page.headings.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(page.headings, page.headings[1:], strict=False)), (
        page.headings
    )


@everywhere
def test_what_scripts_send_has_an_address_too(world: World, read: Read, person: str, pattern: str) -> None:
    page, here = read(person, pattern)
    for found in page.requests:
        for name, method in (("hx-post", "POST"), ("hx-get", "GET"), ("hx-put", "PUT")):
            if found.get(name):
                assert takes(world, urljoin(here, str(found[name])), method), found[name]


def test_a_described_control_is_described(world: World) -> None:
    """``aria-describedby`` of a refused form points to sentences that are there."""
    for person, pattern, data in (
        ("nobody", "/account/register", {"username": "x"}),
        ("nobody", "/account/recover", {}),
        ("owner", "/account/password", {"current": "x"}),
        ("city", "/batches/{batch_second}/settings", {"title": "", "version": "1"}),
    ):
        answer = world.send(person, pattern, data)
        page = Page(answer.text)
        described = [
            str(a["aria-describedby"]) for f in page.forms for _t, a in f.controls if a.get("aria-invalid") == "true"
        ]
        assert answer.status_code == 422 and described
        assert all(set(ids.split()) & set(page.ids) for ids in described), pattern
        assert any(link.startswith("#") and link != "#main" for link in page.links), "the summary leads to the fields"
