"""Papers of a declaration: the material to be stamped, the preview, the receipt. Written outside any transaction.

A paper that leaves the platform carries a check code. What each code stands for is a print record, written once per
revision, so that printing again gives the same code.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pypdfium2
from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.definitions.evaluation import Evaluation
from app.definitions.schema import Definition, Document
from app.documents import pdf, word
from app.documents.codes import check_code
from app.documents.context import PaperFacts, build_paper, file_size, paper_of, paper_title
from app.documents.package import safe_part
from app.documents.pdf import write_pdf
from app.documents.tree import Block, Facts, FileRow, Files, Pair
from app.documents.word import write_word
from app.errors import Conflict, NotFound
from app.extensions import db
from app.models import Account, PrintRecord, Revision
from app.models.base import now
from app.services.opened import Opened, open_declaration
from app.services.privacy import cipher
from app.services.unit_of_work import unit_of_work
from app.workflow import engine
from app.workflow.calendar import SHANGHAI

RECEIPT = "receipt"


@dataclass(frozen=True)
class Generated:
    """A file made for a person: its name, content and content type."""

    name: str
    content: bytes
    content_type: str


def form_document(definition: Definition) -> Document | None:
    """The paper that is stamped, if the definition has one."""
    return next((d for d in definition.documents if d.kind == "form"), None)


def material(user: Account, public_id: str, address: str | None = None) -> Generated:
    """The Word material of the newest revision, for stamping. Notes the code and who took it.

    Conflict before the step that releases it, NotFound if the definition has no such paper.
    """
    opened = open_declaration(db.session, public_id, user)
    document = form_document(opened.definition)
    if document is None:
        raise NotFound(_("这个申报项目没有需要盖章的材料。"))
    refuse_early(opened, document)
    revision = _revision(opened)
    code = code_of(opened, revision)
    facts = _facts(opened, revision, document.title, code, seal=True)
    content = write_word(build_paper(opened.submitted, facts))
    _note_print(user, public_id, revision, document.key, code, address)
    return Generated(file_name(opened, paper_title(document.title), "docx"), content, word.MIME)


def refuse_early(opened: Opened, document: Document) -> None:
    """Conflict with the step that has to come first; return if the paper may be taken."""
    declaration, after = opened.declaration, document.after_step
    if declaration.status == "approved" or after is None and opened.revision is not None:
        return
    order = [s.key for s in opened.definition.route]
    if after in order and declaration.step_key in order[order.index(after) + 1 :]:
        return
    label = next((s.label for s in opened.definition.route if s.key == after), _("审核"))
    raise Conflict(_("“%(step)s”通过以后才能下载盖章材料。现在可以先看预览，轮到盖章时会发消息提醒您。", step=label))


def preview(user: Account, public_id: str) -> Generated:
    """A PDF to look at: the working answers for who is filling them in, the newest revision for everyone else."""
    opened = open_declaration(db.session, public_id, user)
    document = form_document(opened.definition)
    title = paper_title(document.title) if document else opened.definition.title
    paper = build_paper(*_shown(opened, title))
    content = write_pdf(paper, font_folder(), watermark=_("预览，不作为盖章材料"))
    return Generated(file_name(opened, _("%(title)s（预览）", title=title), "pdf"), content, pdf.MIME)


def _shown(opened: Opened, title: str) -> tuple[Evaluation, PaperFacts]:
    declaration = opened.declaration
    if opened.writing:
        enterprise = declaration.enterprise_name or declaration.enterprise.name or ""
        serial = declaration.serial_no or ""
        return opened.evaluation, PaperFacts(title, enterprise, declaration.batch.title, serial)
    return opened.submitted, _facts(opened, _revision(opened), title, "")


def receipt(user: Account, public_id: str) -> Generated:
    """The receipt of the newest submission: what was sent in, when, with which digest. Notes its code."""
    opened = open_declaration(db.session, public_id, user)
    revision = _revision(opened)
    code = code_of(opened, revision, RECEIPT)
    title = _("%(title)s受理回执", title=opened.definition.title)
    facts = _facts(opened, revision, title, code)
    content = write_pdf(paper_of(facts, _receipt_blocks(opened, revision)), font_folder())
    _note_print(user, public_id, revision, RECEIPT, code, None)
    return Generated(file_name(opened, title, "pdf"), content, pdf.MIME)


def _receipt_blocks(opened: Opened, revision: Revision) -> list[Block]:
    declaration, evaluation = opened.declaration, opened.submitted
    pairs = (
        Pair(_("申报项目"), opened.definition.title),
        Pair(_("批次"), declaration.batch.title),
        Pair(_("申报单位"), declaration.enterprise_name or "", wide=True),
        Pair(_("受理号"), declaration.serial_no or ""),
        Pair(_("版本"), _("第%(n)s版", n=revision.number)),
        Pair(_("提交时间"), moment_words(revision.created_at), wide=True),
        Pair(_("内容摘要"), revision.digest, wide=True),
    )
    files = tuple(
        FileRow(state.spec.label, str(f["name"]), file_size(f["size"]))
        for state in evaluation.files
        for f in state.files
    )
    return [Facts(_("提交信息"), pairs), Files(_("已收附件"), files, empty=_("无"))]


def code_of(opened: Opened, revision: Revision, document: str = "") -> str:
    """The check code of a revision's paper; each kind of ``document`` has its own.

    The number is part of it: sent in again without a change, the content is the same and the paper is not.
    """
    key = cipher().keyed_digest("print codes").encode()
    return check_code(key, opened.declaration.serial_no or "", f"{revision.digest}{revision.number}{document}")


def verify_url(code: str) -> str:
    """Where everyone can look the code up."""
    return f"{current_app.config['PUBLIC_URL'].rstrip('/')}/verify/{code}"


def font_folder() -> Path:
    """Folder of the prepared fonts."""
    folder: Path = current_app.config["DATA_DIR"] / "fonts"
    return folder


def count_pages(opened: Opened, revision: Revision) -> int:
    """Pages of the printed material. Laid out as PDF, which breaks pages as the Word does; too slow for a request."""
    document = form_document(opened.definition)
    title = document.title if document else opened.definition.title
    facts = _facts(opened, revision, title, code_of(opened, revision), seal=True)
    content = write_pdf(build_paper(opened.evaluate_revision(revision), facts), font_folder())
    return len(pypdfium2.PdfDocument(content))


def _facts(opened: Opened, revision: Revision, title: str, code: str, *, seal: bool = False) -> PaperFacts:
    declaration = opened.declaration
    return PaperFacts(
        title=title,
        enterprise=declaration.enterprise_name or "",
        batch=declaration.batch.title,
        serial=declaration.serial_no or "",
        code=code,
        verify_url=verify_url(code) if code else "",
        revision=revision.number,
        submitted=_("%(at)s提交", at=moment_words(revision.created_at)),
        digest=revision.digest,
        seal=seal,
    )


def moment_words(moment: datetime) -> str:
    """``2026年6月3日17时26分``, Shanghai time."""
    local = moment.astimezone(SHANGHAI)
    return _("%(y)s年%(m)s月%(d)s日%(h)s时%(min)s分", y=local.year, m=local.month, d=local.day, h=local.hour,
             min=f"{local.minute:02d}")  # fmt: skip


def file_name(opened: Opened, title: str, ending: str) -> str:
    """``企业培育入库申报表_企业名_2026-PY-0001.docx``."""
    declaration = opened.declaration
    parts = (title, declaration.enterprise_name or "", declaration.serial_no or _("草稿"))
    return f"{safe_part('_'.join(p for p in parts if p))}.{ending}"


def _revision(opened: Opened) -> Revision:
    if opened.revision is None:
        raise Conflict(_("这件申报还没有提交过。请先检查并提交，再来下载。"))
    return opened.revision


def _note_print(
    user: Account, public_id: str, revision: Revision, document: str, code: str, address: str | None
) -> None:
    """The print record (once per code), and an event for the material."""
    with unit_of_work() as session:
        declaration = engine.lock(session, public_id)
        if find_print(session, code) is None:
            session.add(
                PrintRecord(
                    code=code,
                    declaration_id=declaration.id,
                    revision_no=revision.number,
                    document=document,
                    digest=revision.digest,
                    created_at=now(),
                )
            )
        if document != RECEIPT:
            engine.record(
                session, declaration, user, action="download", label=_("下载盖章材料"),
                data={"revision": revision.number, "code": code}, address=address,
            )  # fmt: skip


def find_print(session: Session, code: str) -> PrintRecord | None:
    """What the code stands for, or None."""
    return session.scalars(select(PrintRecord).where(PrintRecord.code == code)).unique().first()
