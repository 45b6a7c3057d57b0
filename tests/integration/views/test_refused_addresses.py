"""Addresses that lead nowhere: each is refused in Chinese with a way out, for everybody, and changes nothing."""

from __future__ import annotations

import re

import pytest

from tests.shared_world import HTMX, JSON, World, visible

ENGLISH = re.compile(r"\b(Not Found|Bad Request|Forbidden|Internal Server Error|Method Not Allowed|Traceback)\b")

PUBLIC = [
    ("/?level=county", 400, "没有“county”这一级公告"),
    ("/?level=%3Cb%3E", 400, "从市级、省级、部级里选"),
    ("/notices/?level=all", 400, "没有“all”这一级公告"),
    ("/notices/?page=0", 400, "页码要是 1 到 100,000 的整数|页码要是 1 到 100000 的整数"),
    ("/notices/?page=-1", 400, "现在是“-1”"),
    ("/notices/?page=1.0", 400, "现在是“1.0”"),
    ("/notices/?page=%EF%BC%91", 400, "现在是“１”"),
    ("/notices/?page=%C2%B2", 400, "现在是“²”"),
    ("/notices/?page=+1", 400, "页码要是"),
    ("/notices/?page=1e3", 400, "页码要是"),
    ("/notices/?page=9999999", 400, "页码要是"),
    ("/notices/?page=99", 404, "没有第 99 页，一共 1 页"),
    ("/notices/?psize=0", 400, "每页条数要是 1 到 100 的整数"),
    ("/notices/?psize=101", 400, "每页条数要是"),
    ("/notices/?psize=all", 400, "现在是“all”"),
    ("/notices/?q=" + "长" * 101, 400, "搜索词最多 100 个字，现在是 101 个"),
    ("/notices/{unknown}/", 404, "没有找到这条公告"),
    ("/notices/{list}/", 404, "没有找到这条公告"),
    ("/notices/not-an-id/", 404, "没有找到这个页面"),
    ("/publicity/?page=x", 400, "页码要是"),
    ("/publicity/{unknown}/", 404, "没有找到这份名单"),
    ("/publicity/{notice}/", 404, "没有找到这份名单"),
    ("/publicity/{list}/?page=2", 404, "没有第 2 页，一共 1 页"),
    ("/publicity/{list}/?psize=1000", 400, "每页条数要是"),
    ("/publicity/{list}/?q=" + "x" * 5000, 400, "现在是 5000 个"),
    ("/recognitions/?q=" + "名" * 200, 400, "搜索词最多 100 个字"),
    ("/recognitions/?name=" + "名" * 200, 400, "搜索词最多 100 个字"),
    ("/verify/?code=" + "A" * 200, 400, "搜索词最多 100 个字"),
    ("/verify/AAAA-AAAA", 404, "没有这个校验码"),
    ("/verify/%E2%80%AE", 404, "没有这个校验码"),
    ("/recognitions/sound/" + "x" * 500, 404, "请换一张"),
    ("/account/challenge/x/picture", 404, "请换一张"),
    ("/no-such-page", 404, "从菜单重新进入"),
    ("/admin/nothing/list/", 404, "没有找到这个页面"),
    ("/static/../config.py", 404, "没有找到这个页面"),
    ("/static/%2e%2e/config.py", 404, "没有找到这个页面"),
]  # fmt: skip

OWNER = [
    ("/messages/?kind=spam", 400, "没有这一类消息"),
    ("/messages/?page=0", 400, "页码要是"),
    ("/messages/?page=99", 404, "没有第 99 页"),
    ("/messages/{unknown}/", 404, "没有找到这条消息"),
    ("/messages/{draft}/", 404, "没有找到这条消息"),
    ("/todo/?tab=nothing", 404, "没有这个列表"),
    ("/todo/?tab=", 404, "没有这个列表"),
    ("/todo/?page=abc", 400, "页码要是"),
    ("/todo/?psize=0", 400, "每页条数要是"),
    ("/programmes/nothing/", 404, "项目"),
    ("/programmes/%3Cscript%3E/", 404, "项目"),
    ("/declarations/{unknown}/", 404, "没有找到这件申报"),
    ("/declarations/{batch_open}/", 404, "没有找到这件申报"),
    ("/declarations/1/", 404, "没有找到这个页面"),
    ("/declarations/{unknown}/preview", 404, "没有找到这件申报"),
    ("/declarations/{unknown}/preview.pdf", 404, "没有找到这件申报"),
    ("/declarations/{unknown}/statement", 404, "没有找到这件申报"),
    ("/declarations/{unknown}/check", 404, "没有找到这件申报"),
    ("/declarations/{unknown}/receipt", 404, "没有找到这件申报"),
    ("/declarations/{unknown}/sections/", 404, "没有找到这件申报"),
    ("/declarations/{unknown}/stamped", 404, "没有找到这件申报"),
    ("/declarations/{draft}/receipt", 404, "还没有提交过，没有回执"),
    ("/declarations/{draft}/receipt.pdf", 409, "还没有提交过。请先检查并提交"),
    ("/declarations/{draft}/material.docx", 409, "通过以后才能下载盖章材料"),
    ("/declarations/{draft}/stamped", 409, "还没到提交盖章材料这一步"),
    ("/declarations/{draft}/act", 404, "现在不能这样办"),
    ("/declarations/{draft}/act?action=recall", 404, "回到申报页看最新状态"),
    ("/declarations/{draft}/act?action=submit", 404, "现在不能这样办"),
    ("/declarations/{sent}/act?action=discard", 404, "现在不能这样办"),
    ("/declarations/{sent}/act?action=approve", 404, "现在不能这样办"),
    ("/declarations/{draft}/sections/nothing", 404, "申报表里没有这一节"),
    ("/declarations/{draft}/sections/BASIC_INFO", 404, "申报表里没有这一节"),
    ("/attachments/{unknown}", 404, "没有找到这个附件"),
    ("/attachments/{draft}", 404, "没有找到这个附件"),
    ("/jobs/{unknown}", 404, "没有找到这项任务"),
    ("/jobs/{job}", 404, "没有找到这项任务"),
    ("/jobs/{job}/file", 404, "没有找到这项任务"),
    ("/review/{sent}/", 403, "这个页面不对您开放"),
    ("/batches/", 403, "这个页面不对您开放"),
    ("/admin/", 403, "联系本单位的平台管理员"),
]  # fmt: skip

CITY = [
    ("/todo/?tab=begun", 404, "没有这个列表"),
    ("/todo/?page=0", 400, "页码要是"),
    ("/review/{unknown}/", 404, "没有找到这件申报"),
    ("/review/{draft}/", 404, "没有找到这件申报"),
    ("/review/{batch_open}/", 404, "没有找到这件申报"),
    ("/batches/{unknown}/", 404, "没有找到这个批次"),
    ("/batches/{sent}/", 404, "没有找到这个批次"),
    ("/batches/{batch_second}/?status=nothing", 400, "没有这种状态"),
    ("/batches/{batch_second}/?step=nothing", 400, "从“按状态看”里选"),
    ("/batches/{batch_second}/?page=2", 404, "没有第 2 页，一共 1 页"),
    ("/batches/{batch_second}/?page=x", 400, "页码要是"),
    ("/batches/{unknown}/settings", 404, "没有找到这个批次"),
    ("/batches/{unknown}/publication", 404, "没有找到这个批次"),
    ("/batches/new/nothing", 404, "项目"),
    ("/batches/new/enterprise_certification", 404, "这个项目不用开批次"),
    ("/batches/{unknown}/summary.xlsx", 404, "没有找到这个批次"),
    ("/batches/{batch_second}/summary.xlsx?status=draft", 422, "没有“draft”这种状态"),
    ("/batches/{batch_second}/summary.xlsx?status=in_progress&status=%00", 422, "这种状态。可以选："),
    ("/jobs/{unknown}", 404, "没有找到这项任务"),
    ("/workbench/", 403, "这个页面不对您开放"),
    ("/declarations/", 403, "这个页面不对您开放"),
    ("/enterprise/", 403, "这个页面不对您开放"),
    ("/declarations/{draft}/", 404, "没有找到这件申报"),
    ("/declarations/{draft}/preview", 404, "没有找到这件申报"),
    ("/attachments/{file}", 404, "没有找到这个附件"),
]  # fmt: skip

ROWS = [(p, *row) for p, rows in (("nobody", PUBLIC), ("owner", OWNER), ("city", CITY)) for row in rows]


@pytest.mark.parametrize(("person", "pattern", "status", "words"), ROWS, ids=[f"{r[0]}{r[1][:46]}" for r in ROWS])
def test_a_bad_address_is_refused_in_words(world: World, person: str, pattern: str, status: int, words: str) -> None:
    with world.unchanged():
        answer = world.open(person, pattern)
    read = visible(answer)
    assert answer.status_code == status, read[:300]
    assert any(part in read for part in words.split("|")), read[:300]
    assert not ENGLISH.search(read) and "编号" in read and answer.headers["X-Request-Id"] in read
    assert "回到首页" in read, "there is a way out"


@pytest.mark.parametrize(
    "pattern",
    ["/declarations/{draft}/", "/declarations/{draft}/preview", "/declarations/{draft}/preview.pdf", "/declarations/{draft}/check",
     "/declarations/{draft}/statement", "/declarations/{draft}/sections/", "/declarations/{draft}/sections/basic_info",
     "/declarations/{sent}/", "/declarations/{sent}/receipt", "/declarations/{sent}/receipt.pdf", "/declarations/{sent}/act?action=recall",
     "/declarations/{stamping}/stamped", "/declarations/{stamping}/stamped/result", "/declarations/{stamping}/material.docx",
     "/attachments/{file}", "/attachments/{file}?download=1", "/messages/{message}/"],
)  # fmt: skip
@pytest.mark.parametrize("person", ["rival", "individual"])
def test_what_belongs_to_others_looks_like_nothing(world: World, person: str, pattern: str) -> None:
    """The same answer as for an id that no record has: nobody learns that it exists."""
    foreign = world.open(person, pattern)
    nothing = world.open(person, re.sub(r"{\w+}", "{unknown}", pattern))
    assert foreign.status_code == nothing.status_code == 404
    assert re.sub(r"编号 \w+", "", visible(foreign)) == re.sub(r"编号 \w+", "", visible(nothing))


@pytest.mark.parametrize("pattern", ["/todo/", "/messages/", "/declarations/{sent}/", "/review/{sent}/", "/batches/", "/workbench/",
                                     "/account/", "/enterprise/", "/programmes/", "/pickers/regions", "/jobs/{job}", "/attachments/{file}"])  # fmt: skip
def test_strangers_are_led_in_and_scripts_are_told(world: World, pattern: str) -> None:
    led = world.open("nobody", pattern)
    assert led.status_code == 302 and led.location.startswith("/account/login?next=" + world.path(pattern))
    told = world.open("nobody", pattern, headers=JSON)
    assert (told.status_code, told.json["title"]) == (401, "请先登录")
    assert world.open("nobody", pattern, headers=HTMX).status_code == 401


@pytest.mark.parametrize(
    "name", ["endpoint", "_scheme", "_external", "_method", "_anchor", "values", "self", "_values"]
)
@pytest.mark.parametrize("person", ["owner", "city"])
def test_odd_names_in_the_address_of_lists_reach_no_link(world: World, person: str, name: str) -> None:
    """Names that the link builder gives a meaning of its own; ``_scheme=javascript`` once stood in every chip."""
    for pattern in ("/todo/", "/messages/", "/notices/", "/batches/"):
        if pattern == "/batches/" and person == "owner":
            continue
        answer = world.open(person, pattern, query_string={name: "javascript", "_external": "1"})
        assert answer.status_code == 200, pattern
        assert "javascript:" not in answer.text and "://localhost" not in answer.text


@pytest.mark.parametrize("pattern", ["/", "/notices/", "/todo/", "/messages/", "/batches/", "/admin/declaration/list/"])
def test_a_huge_query_of_unknown_names_is_harmless(world: World, pattern: str) -> None:
    query = "&".join(f"n{i}={'v' * 40}" for i in range(400))
    assert world.open("city", f"{pattern}?{query}").status_code == 200


def test_script_callers_get_the_sentence_as_json(world: World) -> None:
    for person, pattern, status, words in (
        ("nobody", "/notices/?page=x", 400, "页码要是"),
        ("owner", "/declarations/{unknown}/", 404, "没有找到这件申报"),
        ("city", "/workbench/", 403, "没有这一项权限"),
        ("city", "/batches/{batch_second}/summary.xlsx?status=x", 422, "没有“x”这种状态"),
    ):
        answer = world.open(person, pattern, headers=JSON)
        assert (answer.status_code, answer.json["status"]) == (status, status)
        assert words in answer.json["message"]
