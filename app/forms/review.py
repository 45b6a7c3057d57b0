"""What reviewers and experts post: decisions with phrases to pick from, chosen experts, score sheets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict

from app.errors import InvalidInput

PHRASES: Mapping[str, tuple[object, ...]] = {
    "confirm": (
        _l("材料齐全，内容与佐证材料一致，同意进入下一步。"),
        _l("符合申报条件，同意。"),
    ),
    "return": (
        _l("请按批注修改后重新提交，其他内容不用改动。"),
        _l("填报数据与审计报告不一致，请核对后修改。"),
        _l("佐证材料不清楚或不完整，请重新上传。"),
    ),
    "stamp_return": (
        _l("扫描件看不清印章，请重新盖章扫描后上传。"),
        _l("扫描件与最新一版申报材料不一致，请下载最新材料盖章后上传。"),
        _l("扫描件缺页，请补齐后重新上传。"),
    ),
    "reject": (
        _l("不符合本批申报条件。"),
        _l("项目不在本批支持范围内。"),
    ),
}
"""Opinions that are written often, by deed; a person picks one and may change it."""


@dataclass(frozen=True)
class Decision:
    """A posted decision. ``version`` is the one that the page showed."""

    action: str
    opinion: str
    version: int
    key: str | None


def read_version(text: str | None) -> int:
    """The version a page carried. InvalidInput if it is no number."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 9:
        raise InvalidInput("页面不完整，没有提交。请刷新页面后再办，写的内容可以先复制下来。")
    return int(text)


def read_key(text: str | None) -> str | None:
    """The idempotency key of a page, if it carried a usable one."""
    return text if text and len(text) <= 64 and text.isascii() else None


def read_decision(data: MultiDict[str, str]) -> Decision:
    """The posted decision; whether it is allowed is the engine's business."""
    return Decision(
        data.get("action", ""), data.get("opinion", ""), read_version(data.get("version")), read_key(data.get("key"))
    )


def read_experts(data: MultiDict[str, str]) -> list[int]:
    """Account ids of the chosen experts. InvalidInput for anything that is no id."""
    chosen = data.getlist("expert")
    if any(not (c.isascii() and c.isdigit() and len(c) <= 9) for c in chosen):
        raise InvalidInput("选中的专家有问题，没有提交。请刷新页面后重新选。")
    return sorted({int(c) for c in chosen})


def read_prefixed(data: MultiDict[str, str], prefix: str) -> dict[str, str]:
    """Posted fields named ``prefix.key``, by key."""
    return {name.removeprefix(f"{prefix}."): value for name, value in data.items() if name.startswith(f"{prefix}.")}
