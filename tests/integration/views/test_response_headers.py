"""Headers of every family of pages: what may be kept, framed, run and led elsewhere; and HEAD, which says the same."""

from __future__ import annotations

import re

import pytest

from tests.shared_world import World

PAGES = [
    ("nobody", "/"), ("nobody", "/notices/"), ("nobody", "/notices/{notice}/"), ("nobody", "/publicity/"), ("nobody", "/publicity/{list}/"),
    ("nobody", "/recognitions/"), ("nobody", "/verify/"), ("nobody", "/style"), ("nobody", "/account/login"),
    ("nobody", "/account/login?way=sms"), ("nobody", "/account/register"), ("nobody", "/account/recover"),
    ("nobody", "/account/agreement"), ("nobody", "/account/privacy"), ("nobody", "/no-such-page"),
    ("owner", "/account/"), ("owner", "/account/password"), ("owner", "/workbench/"), ("owner", "/enterprise/"),
    ("owner", "/enterprise/certification/"), ("owner", "/programmes/"), ("owner", "/programmes/hrb_cultivation_intake/"),
    ("owner", "/declarations/"), ("owner", "/declarations/{sent}/"), ("owner", "/declarations/{draft}/sections/basic_info"),
    ("owner", "/declarations/{draft}/sections/attachments"), ("owner", "/declarations/{draft}/check"),
    ("owner", "/declarations/{draft}/preview"), ("owner", "/declarations/{sent}/receipt"), ("owner", "/declarations/{stamping}/stamped"),
    ("owner", "/todo/"), ("owner", "/messages/"), ("owner", "/messages/{message}/"), ("owner", "/review/{sent}/"),
    ("city", "/todo/"), ("city", "/review/{sent}/"), ("city", "/batches/"), ("city", "/batches/{batch_second}/"),
    ("city", "/batches/{batch_second}/settings"), ("city", "/batches/{batch_second}/publication"), ("city", "/jobs/{job}"),
    ("city", "/admin/"), ("city", "/admin/declaration/list/"), ("city", "/admin/holiday/add"), ("expert", "/review/{sent}/"),
]  # fmt: skip


@pytest.mark.parametrize(("person", "pattern"), PAGES, ids=[f"{p}{a}" for p, a in PAGES])
def test_a_page_keeps_to_itself(world: World, person: str, pattern: str) -> None:
    answer = world.open(person, pattern)
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    assert "'unsafe-inline'" not in answer.headers["Content-Security-Policy"]
    assert policy["object-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    nonce = re.search(r"'nonce-([^']+)'", policy["script-src"])
    assert nonce and all(f'nonce="{nonce[1]}"' in tag for tag in re.findall(r"<script[^>]*>", answer.text))
    assert answer.headers["Cache-Control"] == "no-store", "a shared computer keeps nothing"
    assert answer.headers["X-Content-Type-Options"] == "nosniff" and answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "same-origin" and answer.mimetype == "text/html"
    assert not re.search(r"<[^>]+ (?:on\w+|style)=", answer.text), "nothing that the policy would stop"
    assert "Server" not in answer.headers or "Werkzeug" not in answer.headers["Server"]


def test_a_nonce_is_used_once(world: World) -> None:
    found = {
        re.search(r"nonce-([^']+)", world.open("nobody", "/").headers["Content-Security-Policy"])[1] for _ in range(5)
    }
    assert len(found) == 5 and all(len(n) >= 20 for n in found)


HEADS = [
    row
    for row in PAGES
    if row[1] not in ("/recognitions/", "/account/login?way=sms", "/account/register", "/account/recover")
]


@pytest.mark.parametrize(("person", "pattern"), HEADS[::3], ids=[f"{p}{a}" for p, a in HEADS[::3]])
def test_head_says_what_get_says_without_a_body(world: World, person: str, pattern: str) -> None:
    with world.unchanged():
        head, full = world.open(person, pattern, "HEAD"), world.open(person, pattern)
    assert head.data == b"" and head.status_code == full.status_code
    assert head.headers["Content-Type"] == full.headers["Content-Type"]


FILES = [
    ("owner", "/declarations/{sent}/preview.pdf", "application/pdf", "inline"),
    ("owner", "/declarations/{sent}/receipt.pdf", "application/pdf", "attachment"),
    ("owner", "/declarations/{stamping}/material.docx", "wordprocessingml", "attachment"),
    ("owner", "/attachments/{file}", "application/pdf", "inline"),
    ("owner", "/attachments/{file}?download=1", "application/pdf", "attachment"),
    ("city", "/batches/{batch_second}/summary.xlsx", "spreadsheetml", "attachment"),
    ("city", "/admin/declaration/export", "spreadsheetml", "attachment"),
]


@pytest.mark.parametrize(("person", "pattern", "kind", "way"), FILES, ids=[f[1] for f in FILES])
def test_a_file_names_itself_and_stays_private(world: World, person: str, pattern: str, kind: str, way: str) -> None:
    answer = world.open(person, pattern)
    assert answer.status_code == 200 and kind in answer.content_type
    assert answer.headers["Content-Disposition"].startswith(f"{way};")
    assert "public" not in answer.headers["Cache-Control"] and answer.headers["X-Content-Type-Options"] == "nosniff"
    assert int(answer.headers["Content-Length"]) == len(answer.data) > 100


def test_a_stored_file_can_do_nothing_in_our_name(world: World) -> None:
    answer = world.open("owner", "/attachments/{file}")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "script-src" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN" and answer.headers["Cache-Control"] == "private, no-cache"


RANGES = [
    ("bytes=0-3", 206, b"%PDF"), ("bytes=-5", 206, None), ("bytes=999999999-", 416, None), ("bytes=5-2", 200, None),
    ("lines=1-2", 200, None), ("bytes=x", 200, None),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "status", "content"), RANGES, ids=[r[0] for r in RANGES])
def test_parts_of_a_file(world: World, asked: str, status: int, content: bytes | None) -> None:
    answer = world.open("owner", "/attachments/{file}", headers={"Range": asked})
    assert answer.status_code in (status, 416), answer.status_code
    assert content is None or answer.data == content


def test_an_unchanged_file_is_not_sent_again(world: World) -> None:
    tag = world.open("owner", "/attachments/{file}").headers["ETag"]
    again = world.open("owner", "/attachments/{file}", headers={"If-None-Match": tag})
    assert again.status_code == 304 and again.data == b""
    assert world.open("rival", "/attachments/{file}", headers={"If-None-Match": tag}).status_code == 404


def test_static_files_may_be_kept_and_set_no_cookie(world: World) -> None:
    answer = world.open("owner", "/static/css/shenbao.css")
    assert answer.status_code == 200 and "no-store" not in answer.headers["Cache-Control"]
    assert "Set-Cookie" not in answer.headers


def test_the_session_cookie_is_out_of_reach_of_scripts(world: World) -> None:
    cookie = world.open("nobody", "/recognitions/").headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie


def test_the_machine_questions_are_small(world: World) -> None:
    assert world.open("nobody", "/healthz").data == b"ok\n"
    assert world.open("nobody", "/readyz").json["ready"] is True
