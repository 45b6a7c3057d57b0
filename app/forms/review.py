"""What reviewers and experts post: decisions with ticked points, chosen experts, score sheets."""

from __future__ import annotations

from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from app.errors import InvalidInput


@dataclass(frozen=True)
class Decision:
    """A posted decision. ``version`` is the one that the page showed, ``checks`` the keys of the ticked points."""

    action: str
    opinion: str
    version: int
    key: str | None
    checks: tuple[str, ...] = ()


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
        data.get("action", ""), data.get("opinion", ""), read_version(data.get("version")), read_key(data.get("key")),
        read_checks(data),
    )  # fmt: skip


def read_checks(data: MultiDict[str, str]) -> tuple[str, ...]:
    """Keys of the ticked points; whether there are such points is looked up by whoever uses them."""
    return tuple(dict.fromkeys(data.getlist("check")))


def read_experts(data: MultiDict[str, str]) -> list[int]:
    """Account ids of the chosen experts. InvalidInput for anything that is no id."""
    chosen = data.getlist("expert")
    if any(not (c.isascii() and c.isdigit() and len(c) <= 9) for c in chosen):
        raise InvalidInput("选中的专家有问题，没有提交。请刷新页面后重新选。")
    return sorted({int(c) for c in chosen})


def read_prefixed(data: MultiDict[str, str], prefix: str) -> dict[str, str]:
    """Posted fields named ``prefix.key``, by key."""
    return {name.removeprefix(f"{prefix}."): value for name, value in data.items() if name.startswith(f"{prefix}.")}
