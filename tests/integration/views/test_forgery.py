"""Posts without this session's token, and with the wrong method: nothing happens, and the page says what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.routing import IntegerConverter, Rule

from tests.shared_world import HTMX, JSON, World, visible

VALUES = {
    "key": "audit_report",
    "section": "basic_info",
    "code": "AAAA-AAAA",
    "token": "x",
}
OWNERS = {"attachment.remove": "file", "message.read": "message", "batch": "batch_open", "export": "batch_open"}
STAFF = {"review", "batch", "export"}


@pytest.fixture
def guarded(world: World) -> Iterator[World]:
    """The platform with the check of tokens switched on, as in production."""
    world.app.config["WTF_CSRF_ENABLED"] = True
    yield world
    world.app.config["WTF_CSRF_ENABLED"] = False


def address(world: World, rule: Rule) -> str:
    """The rule's address with a record of its family."""
    name = OWNERS.get(rule.endpoint) or OWNERS.get(rule.endpoint.split(".")[0], "sent")
    values = VALUES | {"id": world.ids[name]}
    if rule.endpoint == "batch.create":
        values["key"] = "hrb_cultivation_intake"
    # Numbered records need not exist: the token is asked for before anything is looked up.
    numbered = {k for k, converter in rule._converters.items() if isinstance(converter, IntegerConverter)}
    adapter = world.app.url_map.bind("localhost")
    return str(
        adapter.build(
            rule.endpoint, {k: 1 if k in numbered else values.get(k, world.ids["sent"]) for k in rule.arguments}
        )
    )


def posts(app: Flask) -> list[Rule]:
    """Every own address that takes posts."""
    rules = [r for r in app.url_map.iter_rules() if "POST" in (r.methods or ()) and not r.rule.startswith("/admin/")]
    return sorted(rules, key=lambda r: r.rule)


def person_for(rule: Rule) -> str:
    family = rule.endpoint.split(".")[0]
    return "expert" if rule.endpoint == "review.score" else "city" if family in STAFF else "owner"


def test_every_post_asks_for_the_token(guarded: World) -> None:
    """No address is forgotten: each is tried as the person who may use it, without a token and with a made-up one."""
    tried = 0
    with guarded.unchanged():
        for rule in posts(guarded.app):
            for data in ({}, {"csrf_token": "made-up"}):
                answer = guarded.open(person_for(rule), address(guarded, rule), "POST", data=data)
                assert answer.status_code == 400, (rule.rule, answer.status_code)
                assert "刚才的操作没有完成" in visible(answer) and "刷新" in visible(answer), rule.rule
                tried += 1
    assert tried >= 60


def test_every_grid_that_is_written_asks_for_the_token(guarded: World) -> None:
    with guarded.unchanged():
        for grid in ("region", "industry", "holiday", "notice"):
            for path in ("add", "edit/1", "delete/1", "action_post", "action/x/1"):
                answer = guarded.open("city", f"/admin/{grid}/{path}", "POST", data={"name": "x"})
                assert answer.status_code == 400, (grid, path)
                assert "请返回上一页，刷新后再做一次" in visible(answer)


def test_an_upload_by_script_asks_for_the_token(guarded: World) -> None:
    with guarded.unchanged():
        path = "/declarations/{draft}/attachments/audit_report"
        answer = guarded.open("owner", path, "PUT", data=b"%PDF", headers=JSON | {"X-Filename": "a.pdf"})
    assert answer.status_code == 400 and "刚才的操作没有完成" in answer.json["title"]


def test_the_token_of_another_session_counts_as_none(guarded: World) -> None:
    theirs = re.search(r'name="csrf_token" value="([^"]+)"', guarded.open("rival", "/account/").text)
    assert theirs
    with guarded.unchanged():
        answer = guarded.open("owner", "/messages/read", "POST", data={"csrf_token": theirs[1]})
    assert answer.status_code == 400


def test_the_own_token_opens_the_door(guarded: World) -> None:
    own = re.search(r'name="csrf_token" value="([^"]+)"', guarded.open("owner", "/account/").text)
    assert own
    with guarded.unchanged():
        answer = guarded.open("owner", "/messages/{unknown}/read", "POST", data={"csrf_token": own[1]})
    assert answer.status_code == 404, "past the check, to the record that is not there"
    by_header = guarded.open("owner", "/messages/{unknown}/read", "POST", headers={"X-CSRFToken": own[1]})
    assert by_header.status_code == 404


@pytest.mark.parametrize("headers", [{}, HTMX, JSON])
def test_whose_login_has_ended_is_told_so(guarded: World, headers: dict[str, str]) -> None:
    data = {"opinion": "写了很久的意见"} if not headers else {}
    answer = guarded.open("nobody", "/review/{sent}/", "POST", data=data, headers=headers)
    said = answer.json["title"] if headers is JSON else visible(answer)
    assert answer.status_code == 400 and "登录已过期，刚才的操作没有完成" in said
    if not headers:
        assert "写了很久的意见" in visible(answer) and "去登录" in visible(answer)


# -- methods --------------------------------------------------------------------------------------------------------

WRONG = [
    ("owner", "POST", "/workbench/"), ("owner", "DELETE", "/workbench/"), ("owner", "PUT", "/declarations/"),
    ("owner", "PATCH", "/declarations/{sent}/"), ("owner", "DELETE", "/declarations/{draft}/"),
    ("owner", "GET", "/declarations/{draft}/submit"), ("owner", "GET", "/declarations/{draft}/rebase"),
    ("owner", "GET", "/declarations/{draft}/attachments/audit_report"), ("owner", "GET", "/attachments/{file}/remove"),
    ("owner", "DELETE", "/attachments/{file}"), ("owner", "GET", "/messages/read"), ("owner", "GET", "/messages/{message}/read"),
    ("owner", "GET", "/account/identity"), ("owner", "GET", "/account/sessions/end"), ("owner", "GET", "/account/logout"),
    ("owner", "POST", "/pickers/regions"), ("owner", "POST", "/programmes/"), ("owner", "POST", "/enterprise/"),
    ("owner", "POST", "/declarations/{sent}/preview.pdf"), ("owner", "POST", "/declarations/{sent}/receipt"),
    ("city", "GET", "/review/{sent}/remarks"), ("city", "GET", "/review/{sent}/remarks/1"), ("city", "GET", "/review/{sent}/experts"),
    ("city", "GET", "/review/{sent}/scores"), ("city", "DELETE", "/review/{sent}/"), ("city", "POST", "/batches/"),
    ("city", "GET", "/batches/{batch_open}/package"), ("city", "GET", "/batches/{batch_open}/reminders/paper_copy"),
    ("city", "POST", "/batches/{batch_open}/summary.xlsx"), ("city", "POST", "/todo/"), ("city", "POST", "/todo/next"),
    ("city", "POST", "/admin/"), ("city", "POST", "/admin/region/list/"), ("city", "GET", "/admin/region/delete/1"),
    ("city", "GET", "/admin/region/action_post"), ("city", "POST", "/admin/region/export"), ("city", "POST", "/jobs/{job}"),
    ("nobody", "POST", "/"), ("nobody", "PUT", "/recognitions/"), ("nobody", "POST", "/verify/"), ("nobody", "POST", "/notices/"),
    ("nobody", "GET", "/account/code"), ("nobody", "POST", "/healthz"), ("nobody", "DELETE", "/publicity/"),
]  # fmt: skip


@pytest.mark.parametrize(("person", "method", "pattern"), WRONG, ids=[f"{w[1]} {w[2]}" for w in WRONG])
def test_a_wrong_method_does_nothing(world: World, person: str, method: str, pattern: str) -> None:
    """A link never changes anything, and a form never reaches a page that only shows."""
    with world.unchanged():
        answer = world.open(person, pattern, method)
    assert answer.status_code == 405 and "不能这样打开" in visible(answer), visible(answer)[:200]
    assert "请从页面上的按钮操作" in visible(answer)
