"""What the machine found on a submission, and the papers beside it, as the review page shows them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from flask_babel import gettext as _

from app.definitions.evaluation import Finding
from app.models import Revision, StampedScan
from app.services.stamp import matched_now
from app.views.page import file_size


@dataclass(frozen=True)
class Verdict:
    """One condition over all its rows. ``state``: met, unmet or open (cannot be decided)."""

    text: str
    state: str
    severity: str
    source: str
    lines: list[tuple[str, str]]


@dataclass(frozen=True)
class Paper:
    """One attached file. ``state`` and ``tone`` are a tag; ``findings`` what was seen on a stamped scan."""

    id: str
    key: str
    title: str
    name: str
    meta: str
    picture: bool
    stamped: bool = False
    findings: tuple[tuple[str, str], ...] = ()

    @property
    def path(self) -> str:
        """Path for remarks."""
        return f"@{self.key}"


def verdict_of(group: list[Finding], source: dict[str, Any]) -> Verdict:
    """One condition over all its rows; ``source`` is where the definition comes from."""
    condition = group[0].condition
    clause = condition.source or source.get("tables") or source.get("guide") or ""
    verdict = partial(Verdict, condition.text, severity=condition.severity, source=clause)
    unmet = [(f.message, f.path) for f in group if f.result is False]
    if unmet:
        return verdict(state="unmet", lines=unmet)
    undecided = next((f for f in group if f.result is None), None)
    if undecided is None:
        return verdict(state="met", lines=[])
    words = _("%(text)s：没有足够的内容自动判断，请人工核对", text=condition.text)
    return verdict(state="open", lines=[(words, undecided.path)])


def paper_of(
    id: str, key: str, title: str, name: str, size: int, pages: int | None, kind: str,
    findings: tuple[tuple[str, str], ...] | None = None,
) -> Paper:  # fmt: skip
    """A file as the page shows it; ``findings`` (maybe empty) mark it as a stamped scan."""
    parts = [name, file_size(size), _("%(n)s 页", n=pages) if pages else ""]
    meta = " · ".join(p for p in parts if p)
    return Paper(id, key, title, name, meta, kind.startswith("image/"), findings is not None, findings or ())


SEAL_WORDS = {
    "seen": ("good", "看到公章"),
    "not_seen": ("warn", "没有看到公章，请看原件"),
    "cannot_tell": ("warn", "看不出有没有公章（可能是黑白扫描），请看原件"),
}
MATCH_WORDS = {
    "this": ("good", "查验码与本申报最新一版一致"),
    "older": ("warn", "查验码是本申报以前一版的，请核对内容"),
    "other": ("warn", "查验码是另一件申报的，请核对"),
    "receipt": ("warn", "盖章的是回执，不是申报材料，请核对"),
    "unknown": ("warn", "查验码不是本平台打印的，请核对"),
    "none": ("warn", "没有读到查验码，请人工核对"),
}


def scan_words(scan: StampedScan | None, newest: Revision | None) -> list[tuple[str, str]]:
    """What was seen on a stamped scan, as (tone, sentence), judged against the ``newest`` revision."""
    if scan is None or scan.state == "pending":
        return [("warn", _("还在自动核对，可以先人工查看"))]
    if scan.state == "failed":
        return [("warn", _("没能自动核对，请人工查看"))]
    lines = [MATCH_WORDS.get(matched_now(scan, newest) or "none", MATCH_WORDS["none"])]
    if scan.seal:
        lines.append(SEAL_WORDS.get(scan.seal, SEAL_WORDS["cannot_tell"]))
    return [(tone, _(text)) for tone, text in lines]
