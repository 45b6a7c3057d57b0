"""Forms that do not fit: every post is refused in Chinese, says what to do, and leaves every table as it was."""

from __future__ import annotations

import io
from typing import Any

import pytest

from tests.factories_files import pdf_bytes, picture_bytes
from tests.shared_world import UNKNOWN, World, visible

Fields = dict[str, Any]
KEY = {"key": UNKNOWN}
RECALL = {"action": "recall", "version": "@sent"} | KEY
SUBMIT = {"action": "submit", "version": "@draft", "statement": "yes"} | KEY
INCOMPLETE = "页面不完整"

OWNER: list[tuple[str, Fields, int, str]] = [
    ("/declarations/", {}, 404, "批次"),
    ("/declarations/", {"batch": UNKNOWN}, 404, "批次"),
    ("/declarations/", {"batch": "x" * 70_000}, 404, "批次"),
    ("/declarations/", {"batch": "\x00"}, 404, "批次"),
    ("/declarations/{draft}/statement", {}, 422, "请先勾选承诺"),
    ("/declarations/{draft}/statement", {"statement": "no"}, 422, "请先勾选承诺"),
    ("/declarations/{unknown}/statement", {"statement": "yes"}, 404, "没有找到这件申报"),
    ("/declarations/{sent}/act", {}, 422, INCOMPLETE),
    ("/declarations/{sent}/act", RECALL | {"action": "approve"}, 422, INCOMPLETE),
    ("/declarations/{sent}/act", RECALL | {"action": "submit"}, 422, INCOMPLETE),
    ("/declarations/{sent}/act", RECALL | {"version": ""}, 422, "请刷新后再试"),
    ("/declarations/{sent}/act", RECALL | {"version": "-1"}, 422, INCOMPLETE),
    ("/declarations/{sent}/act", RECALL | {"version": "１"}, 422, INCOMPLETE),
    ("/declarations/{sent}/act", RECALL | {"version": "9" * 30}, 422, INCOMPLETE),
    ("/declarations/{sent}/act", RECALL | {"version": "999"}, 409, "刚被办过"),
    ("/declarations/{sent}/act", RECALL | {"key": "../../x"}, 422, INCOMPLETE),
    ("/declarations/{draft}/act", RECALL | {"version": "@draft"}, 409, "请刷新看最新状态"),
    ("/declarations/{stamping}/act", RECALL | {"version": "@stamping"}, 409, "不能"),
    ("/declarations/{unknown}/act", RECALL, 404, "没有找到这件申报"),
    ("/declarations/{draft}/submit", {}, 422, INCOMPLETE),
    ("/declarations/{draft}/submit", SUBMIT | {"action": "approve"}, 422, INCOMPLETE),
    ("/declarations/{draft}/submit", SUBMIT | {"version": "NaN"}, 422, INCOMPLETE),
    ("/declarations/{draft}/submit", SUBMIT | {"key": "short"}, 422, INCOMPLETE),
    ("/declarations/{draft}/submit", SUBMIT, 422, "没填"),
    ("/declarations/{draft}/submit", SUBMIT | {"version": "999"}, 409, "刚被办过"),
    ("/declarations/{sent}/submit", SUBMIT | {"version": "@sent"}, 409, "已经提交过了"),
    ("/declarations/{unknown}/submit", SUBMIT, 404, "没有找到这件申报"),
    ("/declarations/{sent}/rebase", {}, 409, "不能"),
    ("/declarations/{unknown}/rebase", {}, 404, "没有找到这件申报"),
    ("/declarations/{draft}/sections/basic_info", {"deed": "explode"}, 422, "不认识这个按钮"),
    ("/declarations/{draft}/sections/nothing", {"deed": "save"}, 404, "申报表里没有这一节"),
    ("/declarations/{draft}/sections/digital_basis", {"deed": "add:nothing"}, 404, "刷新"),
    ("/declarations/{draft}/sections/digital_basis", {"deed": "remove:digital_needs/" + UNKNOWN}, 404, "刷新"),
    ("/declarations/{draft}/sections/digital_basis", {"deed": "up:../../x"}, 404, "刷新"),
    ("/declarations/{draft}/sections/basic_info/field", {}, 404, "没有"),
    ("/declarations/{draft}/sections/basic_info/field", {"nothing": "1", "base:nothing": ""}, 404, "没有"),
    ("/declarations/{sent}/sections/basic_info", {"revenue": "1", "base:revenue": ""}, 409, "正在办理"),
    ("/declarations/{sent}/sections/basic_info/field", {"revenue": "1", "base:revenue": ""}, 409, "已经提交，正在办理，现在不能修改"),
    ("/declarations/{unknown}/sections/basic_info", {"revenue": "1"}, 404, "没有找到这件申报"),
    ("/declarations/{stamping}/stamped", {}, 422, INCOMPLETE),
    ("/declarations/{stamping}/stamped", {"version": "@stamping", "key": ""}, 422, INCOMPLETE),
    ("/declarations/{stamping}/stamped", {"version": "@stamping"} | KEY, 422, "上传"),
    ("/declarations/{stamping}/stamped", {"version": "999"} | KEY, 409, "刚被办过"),
    ("/declarations/{sent}/stamped", {"version": "@sent"} | KEY, 409, "盖章"),
    ("/declarations/{unknown}/stamped", {"version": "1"} | KEY, 404, "没有找到这件申报"),
    ("/attachments/{unknown}/remove", {}, 404, "没有找到这个附件"),
    ("/attachments/{draft}/remove", {}, 404, "没有找到这个附件"),
    ("/messages/{unknown}/read", {}, 404, "没有找到这条消息"),
    ("/account/identity", {"name": "名" * 41}, 422, "姓名最多 40 个字，现在是 41 个"),
    ("/account/password", {}, 422, "请填现在的密码"),
    ("/account/password", {"current": "wrong", "password": "Xin-2026-mima", "repeat": "Xin-2026-mima"}, 422, "密码"),
    ("/review/{sent}/", {"action": "confirm", "version": "@sent"}, 403, "不对您开放"),
    ("/batches/{batch_open}/settings", {"title": "我的批次"}, 403, "不对您开放"),
    ("/batches/{batch_open}/package", {}, 403, "不对您开放"),
]  # fmt: skip

DECIDE = {"action": "confirm", "version": "@sent", "opinion": "同意"}
SETTINGS = {
    "title": "新名称", "opens": "2026-06-01", "closes": "2026-06-17", "published": "y", "version": "1",
    "parameter_base_year": "2025", "parameter_plan_years": "2026-2027", "parameter_project_closed_deadline": "2026-06-30",
    "parameter_project_planned_end_latest": "2027-10-31", "parameter_project_window": "2026年6月前结项",
    "parameter_correction_days": "10", "parameter_max_total_mb": "1024", "parameter_district_step": "no",
    "parameter_expert_step": "no", "parameter_publicity_required": "no", "parameter_publicity_days": "5",
}  # fmt: skip
SET, LIST = "/batches/{batch_open}/settings", "/batches/{batch_open}/publication"

CITY: list[tuple[str, Fields, int, str]] = [
    ("/review/{sent}/", {}, 422, INCOMPLETE),
    ("/review/{sent}/", DECIDE | {"version": "x"}, 422, "先复制下来"),
    ("/review/{sent}/", DECIDE | {"version": "²"}, 422, INCOMPLETE),
    ("/review/{sent}/", DECIDE | {"version": "999"}, 409, "同意"),
    ("/review/{sent}/", DECIDE | {"action": "explode"}, 422, "同意"),
    ("/review/{sent}/", DECIDE | {"action": "submit"}, 422, "同意"),
    ("/review/{sent}/", DECIDE | {"action": "stamp_return"}, 422, "同意"),
    ("/review/{sent}/", DECIDE | {"action": "return", "opinion": ""}, 422, "意见"),
    ("/review/{sent}/", DECIDE | {"action": "reject", "opinion": "   "}, 422, "意见"),
    ("/review/{sent}/", DECIDE | {"opinion": "长" * 1001}, 422, "1001"),
    ("/review/{returned}/", DECIDE | {"version": "@returned"}, 409, "同意"),
    ("/review/{draft}/", DECIDE, 404, "没有找到这件申报"),
    ("/review/{unknown}/", DECIDE, 404, "没有找到这件申报"),
    ("/review/{sent}/remarks", {"path": "revenue", "text": ""}, 422, "批注"),
    ("/review/{sent}/remarks", {"path": "revenue", "text": " \n\t "}, 422, "批注"),
    ("/review/{sent}/remarks", {"path": "revenue", "text": "\x00\x07"}, 422, "批注"),
    ("/review/{sent}/remarks", {"path": "revenue", "text": "长" * 501}, 422, "501"),
    ("/review/{sent}/remarks", {"path": "nothing", "text": "请改"}, 404, "申报里没有这一项"),
    ("/review/{sent}/remarks", {"text": "请改"}, 404, "申报里没有这一项"),
    ("/review/{stamping}/remarks", {"path": "revenue", "text": "请改"}, 403, "现在不在您的审核步骤"),
    ("/review/{sent}/remarks/999999", {"do": "settle"}, 404, "批注"),
    ("/review/{sent}/remarks/999999", {"do": "explode"}, 422, "没有看懂要做什么"),
    ("/review/{sent}/remarks/999999", {}, 422, "没有看懂要做什么"),
    ("/review/{sent}/remarks/x", {"do": "settle"}, 404, "没有找到这个页面"),
    ("/review/{sent}/experts", {"expert": "1", "version": "@sent"}, 422, "请刷新页面后重新选"),
    ("/review/{sent}/experts", {"expert": "abc", "version": "@sent"}, 422, "请刷新页面后重新选"),
    ("/review/{sent}/experts", {"expert": "٣", "version": "@sent"}, 422, "请刷新页面后重新选"),
    ("/review/{sent}/experts", {"expert": "1"}, 422, INCOMPLETE),
    ("/review/{sent}/experts/1/remove", {}, 422, INCOMPLETE),
    ("/batches/new/nothing", SETTINGS, 404, "项目"),
    ("/batches/new/hrb_cultivation_intake", {}, 422, "请写批次名称"),
    ("/batches/new/hrb_cultivation_intake", SETTINGS | {"closes": "2026-05-01"}, 422, "截止日期早于开始日期"),
    (SET, SETTINGS | {"title": ""}, 422, "请写批次名称"),
    (SET, SETTINGS | {"title": "\x00\x07"}, 422, "请写批次名称"),
    (SET, SETTINGS | {"title": "名" * 101}, 422, "批次名称最多 100 个字"),
    (SET, SETTINGS | {"opens": "2026-02-30"}, 422, "请填日期，例如 2026-06-17"),
    (SET, SETTINGS | {"opens": "1999-12-31"}, 422, "年份要在 2000 到 2100 之间"),
    (SET, SETTINGS | {"opens": "20260601"}, 422, "请填日期"),
    (SET, SETTINGS | {"closes": "2026-W30-1"}, 422, "请填日期"),
    (SET, SETTINGS | {"opens": "20260701"}, 422, "请填日期"),
    (SET, SETTINGS | {"parameter_project_closed_deadline": "2026-W30-1"}, 422, "请填日期"),
    (SET, SETTINGS | {"closes": "明天"}, 422, "现在填的是“明天”"),
    (SET, SETTINGS | {"closes": "2026-06-17T00:00"}, 422, "请填日期"),
    (SET, SETTINGS | {"parameter_base_year": "NaN"}, 422, "请填整数"),
    (SET, SETTINGS | {"parameter_base_year": "2025.5"}, 422, "请填整数"),
    (SET, SETTINGS | {"parameter_base_year": "٢٠٢٥"}, 422, "请填整数"),
    (SET, SETTINGS | {"parameter_base_year": "9" * 20}, 422, "请填整数"),
    (SET, SETTINGS | {"parameter_correction_days": "-1"}, 422, "不能小于 0"),
    (SET, SETTINGS | {"parameter_max_total_mb": "0"}, 422, "不能小于 1"),
    (SET, SETTINGS | {"parameter_max_total_mb": "Infinity"}, 422, "请填整数"),
    (SET, SETTINGS | {"parameter_project_closed_deadline": "六月"}, 422, "请填日期"),
    (SET, SETTINGS | {"parameter_district_step": "maybe"}, 422, "选"),
    (SET, SETTINGS | {"parameter_plan_years": "长" * 201}, 422, "最多 200 个字"),
    (SET, SETTINGS | {"version": "0x1"}, 422, INCOMPLETE),
    (SET, SETTINGS | {"version": "7"}, 409, "核对最新内容后再保存"),
    ("/batches/{unknown}/settings", SETTINGS, 404, "没有找到这个批次"),
    (LIST, {}, 422, "请至少选一家企业"),
    (LIST, {"stage": "publish", "title": "名单"}, 422, "请至少选一家企业"),
    (LIST, {"stage": "preview", "title": "名" * 151, "chosen": "{sent}:1"}, 422, "标题"),
    (LIST, {"stage": "publish", "title": "名单", "chosen": "x"}, 422, INCOMPLETE),
    (LIST, {"stage": "publish", "title": "名单", "chosen": f"{UNKNOWN}:1"}, 404, "没有找到"),
    ("/batches/{batch_open}/reminders/nothing", {"done": "1"}, 404, "没有这一项提醒"),
    ("/batches/{unknown}/reminders/paper_copy", {"done": "1"}, 404, "没有找到这个批次"),
    ("/batches/{batch_open}/package", {"status": "x"}, 422, "没有“x”这种状态"),
    ("/batches/{unknown}/package", {}, 404, "没有找到这个批次"),
    ("/declarations/", {"batch": UNKNOWN}, 403, "不对您开放"),
    ("/declarations/{draft}/submit", SUBMIT, 403, "不对您开放"),
]  # fmt: skip

EXPERT: list[tuple[str, Fields, int, str]] = [
    ("/review/{sent}/scores", {}, 422, "还有 7 处要改，改好后再提交"),
    ("/review/{sent}/scores", {"verdict": "maybe", "opinion": "好"}, 422, "请打分，0 到 15 分"),
    ("/review/{returned}/scores", {"verdict": "agree", "opinion": "好"}, 404, "没有"),
    ("/review/{sent}/", {"action": "confirm", "version": "@sent"}, 403, "不对您开放"),
    ("/review/{sent}/remarks", {"path": "revenue", "text": "请改"}, 403, "不对您开放"),
]
DISTRICT: list[tuple[str, Fields, int, str]] = [
    ("/review/{sent}/", DECIDE, 403, "这件申报现在不归您办"),
    (SET, SETTINGS, 403, "不对您开放"),
    (LIST, {"stage": "publish"}, 403, "不对您开放"),
    ("/batches/{batch_open}/reminders/paper_copy", {"done": "1"}, 403, "不对您开放"),
]

TABLES = {"owner": OWNER, "city": CITY, "expert": EXPERT, "district": DISTRICT}
ROWS = [(person, *row) for person, rows in TABLES.items() for row in rows]
IDS = [f"{n}-{r[0]}{r[1][:40]}" for n, r in enumerate(ROWS)]


@pytest.mark.parametrize(("person", "pattern", "fields", "status", "words"), ROWS, ids=IDS)
def test_a_post_that_does_not_fit(
    world: World, person: str, pattern: str, fields: Fields, status: int, words: str
) -> None:
    with world.unchanged():
        answer = world.send(person, pattern, {k: world.path(v) if "{" in v else v for k, v in fields.items()})
    assert answer.status_code == status, visible(answer)[:300]
    assert words in visible(answer) + answer.text, visible(answer)[:400]


FILES = [
    ("空文件.pdf", b"", "空"),
    ("营业执照.exe", b"MZ\x90\x00" + b"0" * 100, "要以 .pdf 结尾"),
    ("说明.txt", b"hello", "请转换成要求的格式"),
    ("没有扩展名", pdf_bytes(), "要以 .pdf 结尾"),
    ("图片.pdf", picture_bytes("PNG"), "PDF"),
    ("网页.pdf", b"<html><script>alert(1)</script></html>", "PDF"),
    ("坏的.pdf", pdf_bytes()[:60], "PDF"),
    ("加密的.pdf", b"%PDF-1.7\n" + b"\x00" * 300, "PDF"),
    ("a" * 400 + ".pdf", b"", ""),
]


@pytest.mark.parametrize(("name", "content", "words"), FILES, ids=[f[0][:8] for f in FILES])
def test_a_file_that_does_not_fit(world: World, name: str, content: bytes, words: str) -> None:
    with world.unchanged():
        sent = {"file": (io.BytesIO(content), name)}
        answer = world.open("owner", "/declarations/{draft}/attachments/credit_china_report", "POST", data=sent)
    read = visible(answer)
    assert answer.status_code in (415, 422) and words in read, read
    assert "文件没有收下" in read and "回去重新选文件" in read
    assert f"/declarations/{world.ids['draft']}/sections/attachments#file-credit_china_report" in answer.text


@pytest.mark.parametrize(
    ("pattern", "status"),
    [("/declarations/{draft}/attachments/nothing", 404), ("/declarations/{draft}/attachments/%00", 404),
     ("/declarations/{draft}/attachments/stamped_material", 409), ("/declarations/{sent}/attachments/audit_report", 409),
     ("/declarations/{unknown}/attachments/audit_report", 404)],
)  # fmt: skip
def test_a_good_file_in_the_wrong_place(world: World, pattern: str, status: int) -> None:
    with world.unchanged():
        by_form = world.open("owner", pattern, "POST", data={"file": (io.BytesIO(pdf_bytes()), "好.pdf")})
        by_script = world.open("owner", pattern, "PUT", data=pdf_bytes(), headers={"X-Filename": "a.pdf"})
    assert by_form.status_code == by_script.status_code == status, visible(by_form)


def test_a_form_without_a_file_says_so(world: World) -> None:
    for data in ({}, {"file": (io.BytesIO(b""), "")}, {"file": "only text"}):
        with world.unchanged():
            answer = world.open("owner", "/declarations/{draft}/attachments/audit_report", "POST", data=data)
        assert answer.status_code == 422 and "还没有选文件" in visible(answer)
