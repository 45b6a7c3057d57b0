"""Stamped scans: what the codes and the seal on them say. Advice for a person, never a decision.

``look_at`` compares a file with the print records, ``check_attachment`` keeps the findings of an uploaded scan,
``page_of`` gathers what the enterprise's page shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.adapters.pdf import check_pdf
from app.adapters.scan import read_scan
from app.definitions.schema import Attachment as Spec
from app.definitions.schema import Definition, Document
from app.documents.codes import parse_qr_text
from app.errors import Conflict, NotFound
from app.extensions import db
from app.models import Account, Attachment, Declaration, PrintRecord, Revision, StampedScan
from app.models.base import now
from app.services.deadline import Clock, clock_until
from app.services.declaration import Deeds, act, load_own
from app.services.document import RECEIPT, code_of, count_pages, find_print, form_document
from app.services.opened import Opened
from app.services.reference import holidays
from app.services.storage import local_copy
from app.services.unit_of_work import unit_of_work
from app.workflow.engine import Option

MATCHES = ("this", "older", "other", "receipt", "unknown", "none")
"""What the codes on a scan stand for, best first: this declaration's newest revision, an older one, another
declaration, one of our receipts, a code that we never gave out, no code at all."""


@dataclass(frozen=True)
class Seen:
    """One page of a scan: the seal (seen, not_seen, cannot_tell) and what its code stands for."""

    number: int
    seal: str
    match: str
    serial: str = ""
    code: str = ""
    revision: int = 0


@dataclass(frozen=True)
class Look:
    """What a scan shows. ``pages`` counts all pages, ``seen`` holds those looked at; ``readable`` false: nothing known."""

    pages: int
    matched: str
    seal: str
    colour: bool
    readable: bool
    seen: tuple[Seen, ...] = ()

    def findings(self) -> dict[str, Any]:
        """The JSON that is kept."""
        lines = [vars(s) for s in self.seen]
        return {"pages": self.pages, "colour": self.colour, "readable": self.readable, "seen": lines}


def look_at(path: Path, declaration: Declaration | None = None) -> Look:
    """Read the scan at ``path`` and compare its codes with what was printed; ``declaration``: for which it should be."""
    facts = read_scan(path)
    seen = [
        _seen(number, seal, codes, declaration)
        for number, (seal, codes) in enumerate(zip(facts.seals, facts.codes, strict=True), 1)
    ]
    found = {s.match for s in seen}
    # A page of another paper among ours is worth saying, so what is wrong comes before what is right.
    order = ("other", "older", "receipt", "unknown", "this", "none")
    matched = next((m for m in order if m in found), "none")
    return Look(facts.pages, matched, facts.seal, facts.colour, facts.readable, tuple(seen))


def _seen(number: int, seal: str, codes: tuple[str, ...], declaration: Declaration | None) -> Seen:
    """The first of our codes on the page, judged; foreign codes on a page are normal."""
    content = next((c for c in map(parse_qr_text, codes) if c is not None), None)
    if content is None:
        return Seen(number, seal, "none")
    record = find_print(db.session, content.code)
    if record is None or record.declaration.serial_no != content.serial:
        return Seen(number, seal, "unknown", content.serial, content.code)
    return Seen(number, seal, _match(record, declaration), content.serial, content.code, record.revision_no)


def _match(record: PrintRecord, declaration: Declaration | None) -> str:
    if declaration is not None and record.declaration_id != declaration.id:
        return "other"
    if record.document == RECEIPT:
        return "receipt"
    newest = db.session.scalars(
        select(Revision.number).where(Revision.declaration_id == record.declaration_id).order_by(Revision.number.desc())
    ).first()
    return "this" if record.revision_no == newest else "older"


def check_attachment(attachment_id: int) -> dict[str, Any]:
    """Look at an uploaded scan and keep the findings. Replaced or checked meanwhile: nothing is done."""
    scan = _scan_of(attachment_id)
    if scan is None or scan.state != "pending":
        return {"done": False}
    attachment = scan.attachment
    opened = Opened(db.session, attachment.declaration, _nobody())
    with local_copy(attachment.sha256) as path:
        look = look_at(path, attachment.declaration)
    printed = count_pages(opened, opened.revision) if opened.revision is not None else 0
    with unit_of_work() as session:
        kept = session.get_one(StampedScan, scan.id)
        kept.state = "done" if look.readable else "failed"
        kept.matched, kept.seal, kept.checked_at = look.matched, look.seal, now()
        kept.findings = look.findings() | {"printed": printed}
        if opened.revision is not None:
            _keep_pages(session, opened, opened.revision, printed)
    return {"done": True, "matched": look.matched, "seal": look.seal}


def matched_now(scan: StampedScan, newest: Revision | None) -> str | None:
    """What the scan stands for today: found to be of the newest revision, it is of an older one once there is another.

    A file cannot show a revision that was made after it was uploaded.
    """
    if scan.matched == "this" and newest is not None and scan.attachment.created_at < newest.created_at:
        return "older"
    return scan.matched


def findings_now(scan: StampedScan, newest: Revision | None) -> dict[str, Any]:
    """The findings with each page judged as ``matched_now`` judges the whole."""
    older = matched_now(scan, newest) != scan.matched
    pages = [{**p, "match": "older"} if older and p["match"] == "this" else p for p in scan.findings.get("seen", ())]
    return {**scan.findings, "seen": pages}


def _nobody() -> Account:
    """Background work is done for nobody; nothing here asks for rights."""
    return Account()


def _keep_pages(session: Session, opened: Opened, revision: Revision, printed: int) -> None:
    record = find_print(session, code_of(opened, revision))
    if record is not None:
        record.pages = printed


def give_up(attachment_id: int, reason: str) -> None:
    """The check cannot be made: a person will look."""
    with unit_of_work() as session:
        scan = session.scalars(select(StampedScan).where(StampedScan.attachment_id == attachment_id)).unique().first()
        if scan is not None and scan.state == "pending":
            scan.state, scan.checked_at, scan.findings = "failed", now(), {"reason": reason}


def check_file(path: Path) -> dict[str, Any]:
    """The verdict on any PDF, as JSON: readable or why not, the codes on its pages and what they stand for, the seal."""
    pdf = check_pdf(path)
    if not pdf.ok:
        return {"ok": False, "reason": pdf.reason_key, "message": pdf.reason}
    look = look_at(path)
    verdict = verdict_of("done" if look.readable else "failed", look.matched, look.seal, look.findings())
    return {"ok": True, "matched": look.matched, "seal": look.seal, **look.findings(), "message": verdict.title}


@dataclass(frozen=True)
class Verdict:
    """What the findings mean for a person. ``clean``: nothing to look at."""

    tone: str
    title: str
    text: str
    clean: bool = False


def verdict_of(state: str, matched: str | None, seal: str | None, findings: Mapping[str, Any]) -> Verdict:
    """The findings in words: what was seen, then what to do."""
    if state == "pending":
        return Verdict("", _("正在核对扫描件"), _("一般几秒就好，页面会自动显示结果。"))
    if state == "failed":
        return Verdict(
            "warn", _("没能自动核对这份扫描件"),
            _("可以照此提交，由工作人员人工核对；也可以重新扫描后再传。"),
        )  # fmt: skip
    seen = (
        _match_words(matched or "none", findings),
        _page_words(int(findings.get("pages", 0)), int(findings.get("printed", 0))),
        _seal_words(seal or "cannot_tell"),
    )
    title, advice = "，".join(words for words, _todo in seen), "".join(todo for _words, todo in seen)
    if not advice:
        return Verdict("ok", title, _("可以提交了。提交后转下一步办理，结果会发消息告诉您。"), clean=True)
    return Verdict("warn", title, advice + _("确认无误的，也可以照此提交，由工作人员人工核对。"))


def _match_words(matched: str, findings: Mapping[str, Any]) -> tuple[str, str]:
    seen: Mapping[str, Any] = next((s for s in findings.get("seen", ()) if s["match"] == matched), {})
    words = {
        "this": _("已匹配本申报第 %(n)s 版", n=seen.get("revision", "")),
        "older": _("这是本申报的第 %(n)s 版，不是最新的一版", n=seen.get("revision", "")),
        "other": _("有页面是另一件申报（%(serial)s）的", serial=seen.get("serial", "")),
        "receipt": _("有页面是受理回执，不是盖章材料"),
        "unknown": _("有页面的校验码不是本平台发出的"),
        "none": _("没有找到校验码"),
    }
    return words[matched], _match_advice(matched)


def _match_advice(matched: str) -> str:
    if matched == "this":
        return ""
    if matched == "older":
        return _("请重新下载最新一版，打印盖章后再扫描。")
    if matched in ("other", "receipt", "unknown"):
        return _("请确认选对了文件，并且只扫描这一件申报的盖章材料。")
    return _("每页右上角的方形码要扫描完整、清楚，不要被章或装订遮住。")


def _page_words(pages: int, printed: int) -> tuple[str, str]:
    """How many pages there are, and what to do about it; ``printed`` 0: how many there should be is not known."""
    if not printed:
        return _("共 %(n)s 页", n=pages), ""
    if pages == printed:
        return _("%(n)s 页齐全", n=pages), ""
    words = _("扫描件有 %(n)s 页，材料有 %(printed)s 页", n=pages, printed=printed)
    return words, _("请检查有没有漏扫的页，把全部页扫描成一个 PDF。") if pages < printed else ""


def _seal_words(seal: str) -> tuple[str, str]:
    words = {"seen": _("检测到红章"), "not_seen": _("没有检测到红章"), "cannot_tell": _("看不出有没有红章")}
    if seal == "seen":
        return words[seal], ""
    return words[seal], _("常见原因是黑白扫描，或章盖得太浅、压在表格上。请彩色重新扫描。")


@dataclass(frozen=True)
class StampPage:
    """What the enterprise's page shows. ``file`` and ``scan`` are None before the upload."""

    opened: Opened
    document: Document
    spec: Spec
    code: str
    revision: Revision
    clock: Clock | None
    option: Option | None
    file: Attachment | None = None
    scan: StampedScan | None = None
    record: PrintRecord | None = None

    @cached_property
    def findings(self) -> dict[str, Any]:
        """What was seen on the scan, as it stands today; empty before the upload."""
        return findings_now(self.scan, self.revision) if self.scan else {}

    @property
    def pages(self) -> list[Mapping[str, Any]]:
        """The pages of the scan that were looked at."""
        return self.findings.get("seen", [])

    @cached_property
    def verdict(self) -> Verdict | None:
        """What the findings mean; None before the upload."""
        if self.scan is None:
            return None
        return verdict_of(self.scan.state, matched_now(self.scan, self.revision), self.scan.seal, self.findings)

    @property
    def printed(self) -> int | None:
        """Pages of the material, once they were counted."""
        return self.record.pages if self.record else None

    @property
    def open(self) -> bool:
        """Whether the material can be uploaded and handed in now."""
        return self.option is not None

    @property
    def pending(self) -> bool:
        """Whether the check is still to come."""
        return self.scan is not None and self.scan.state == "pending"


def page_of(user: Account, public_id: str) -> StampPage:
    """The page of one declaration for its own enterprise. NotFound or Conflict if there is nothing to stamp (yet)."""
    opened = load_own(public_id, user)
    document, spec = _material_of(opened.definition)
    option = next((o for o in opened.options() if o.deed.action == "stamp"), None)
    file = next((a for a in reversed(opened.attachments) if a.key == spec.key), None)
    if opened.revision is None or (option is None and file is None):
        raise Conflict(_("现在还没到提交盖章材料这一步。审核确认以后会发消息提醒您，到时再来下载和上传。"))
    code = code_of(opened, opened.revision)
    return StampPage(
        opened=opened,
        document=document,
        spec=spec,
        code=code,
        revision=opened.revision,
        clock=clock_until(opened.declaration.due_at, now(), holidays()) if option else None,
        option=option,
        file=file,
        scan=_scan_of(file.id) if file else None,
        record=find_print(db.session, code),
    )


def _material_of(definition: Definition) -> tuple[Document, Spec]:
    """What is printed and what comes back stamped; NotFound if the definition has no such thing."""
    document = form_document(definition)
    spec = next((a for a in definition.attachments if a.stage == "stamp"), None)
    if document is None or spec is None:
        raise NotFound(_("这个申报项目没有需要盖章的材料。"))
    return document, spec


def _scan_of(attachment_id: int) -> StampedScan | None:
    return db.session.scalars(select(StampedScan).where(StampedScan.attachment_id == attachment_id)).unique().first()


def hand_in(user: Account, public_id: str, version: int, key: str | None, address: str | None = None) -> Declaration:
    """Hand the stamped material in, whatever the findings say; they travel with the event."""
    page = page_of(user, public_id)
    seen = {}
    if page.file is not None:
        seen = {"attachment": page.file.public_id, "state": page.scan.state if page.scan else None,
                "matched": matched_now(page.scan, page.revision) if page.scan else None, "seal": page.scan.seal if page.scan else None}  # fmt: skip
    return act(user, public_id, "stamp", Deeds(version, payload={"event": seen}, idempotency_key=key, address=address))
