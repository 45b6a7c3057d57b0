"""Files of a declaration: received, checked, kept, replaced, removed and shown.

A file is staged while it is hashed, checked without any database transaction, committed under its content address, and
only then named by a row (``storage``). Who may read a file is decided here, from what was filed with an office.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import BinaryIO

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.adapters.files import Readable, Staged
from app.adapters.image import KINDS as IMAGE_KINDS
from app.adapters.image import check_image
from app.adapters.pdf import check_pdf
from app.definitions.schema import Attachment as Spec
from app.errors import Conflict, InvalidInput, NotFound, Refused, TooLarge
from app.extensions import db
from app.fields.base import clean_text
from app.models import Account, Attachment, Declaration, StampedScan
from app.models.base import now
from app.permissions import rules, scopes
from app.services.job import enqueue
from app.services.opened import Opened, open_declaration
from app.services.storage import add_blob, store
from app.services.unit_of_work import unit_of_work
from app.workflow import engine

MIB = 1024 * 1024
MAX_NAME = 200
MAX_TOTAL_MB = 1024
"""All files of one declaration together, where the definition has no parameter ``max_total_mb`` for batches to set."""
CHECK_SCAN = "check_scan"
CONTENT_TYPES = {"pdf": "application/pdf", "jpg": "image/jpeg", "png": "image/png"}
ENDINGS = {"pdf": (".pdf",), "jpg": (".jpg", ".jpeg"), "png": (".png",)}
_UNSEEN = dict.fromkeys([*range(0x80, 0xA0), 0x200E, 0x200F, 0x061C, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
"""Signs that nobody sees in a name: controls beyond ASCII, and those that turn the writing direction."""


@dataclass(frozen=True)
class Checked:
    """A staged file that was found good. ``pages`` is None for pictures."""

    staged: Staged
    name: str
    content_type: str
    pages: int | None


@dataclass(frozen=True)
class Changed:
    """What was added or removed: the file's row, its declaration's public id, and at which stage it belongs."""

    file: Attachment
    declaration: str
    stage: str


def upload(
    user: Account, public_id: str, key: str, stream: Readable, filename: str, size: int | None = None
) -> Changed:
    """Add a file under the attachment ``key`` of the declaration; where only one may be, it replaces that one.

    ``filename`` as the browser sent it; ``size`` in bytes if it is known beforehand. NotFound, Refused, Conflict,
    TooLarge or InvalidInput say why not; nothing is changed then.
    """
    opened = open_declaration(db.session, public_id, user)
    spec = spec_of(opened, key)
    refuse_change(opened, spec)
    name, kind = clean_name(filename, spec)
    limit = min(spec.max_size_mb * MIB, current_app.config["MAX_FILE_BYTES"])
    if size is not None and size >= limit:
        raise TooLarge(_("文件要小于 %(n)s MB。请把扫描分辨率降到每英寸 200 点后再传。", n=limit // MIB))
    # No transaction stays open while the file comes in and is checked. Not a rollback: what was read of the person
    # and the login must not be read again, since either may be gone by then.
    db.session.close()
    staged = store().stage(stream, limit)
    try:
        checked = Checked(staged, name, CONTENT_TYPES[kind], check_content(staged, kind))
        store().commit(staged)
    except BaseException:
        store().discard(staged)
        raise
    return keep(user, public_id, key, checked)


def check_content(staged: Staged, kind: str) -> int | None:
    """Pages of a good PDF, None for a good picture; InvalidInput with the reason for anything else."""
    path = store().path(staged)
    if kind in IMAGE_KINDS:
        image = check_image(path, kind)
        if not image.ok:
            raise InvalidInput(image.reason, reason=image.reason_key)
        return None
    pdf = check_pdf(path)
    if not pdf.ok:
        raise InvalidInput(pdf.reason, reason=pdf.reason_key)
    return pdf.pages


def keep(user: Account, public_id: str, key: str, checked: Checked) -> Changed:
    """Name a committed file by a row, unless the declaration has moved on meanwhile. The refusals of ``upload``."""
    with unit_of_work() as session:
        opened = Opened(session, engine.lock(session, public_id), user)
        spec = spec_of(opened, key)
        refuse_change(opened, spec)
        present = [a for a in opened.attachments if a.key == key]
        replaced = present if spec.max_files == 1 else []
        _refuse_too_many(opened, spec, len(present) - len(replaced))
        _refuse_too_much(opened, checked.staged.size - sum(a.size for a in replaced))
        add_blob(session, checked.staged.sha256, checked.staged.size)
        for old in replaced:
            old.removed_at = now()
        attachment = Attachment(
            declaration_id=opened.declaration.id,
            key=key,
            sha256=checked.staged.sha256,
            filename=checked.name,
            content_type=checked.content_type,
            size=checked.staged.size,
            pages=checked.pages,
            uploaded_by=user.id,
            created_at=now(),
        )
        session.add(attachment)
        session.flush()
        opened.declaration.saved_at = now()
        if spec.stamped:
            _want_scan_check(session, attachment)
        return Changed(attachment, public_id, spec.stage)


def _want_scan_check(session: Session, attachment: Attachment) -> None:
    """A stamped scan is looked at in the background; until then its findings are pending."""
    session.add(StampedScan(attachment_id=attachment.id, declaration_id=attachment.declaration_id, state="pending"))
    enqueue(session, CHECK_SCAN, {"attachment": attachment.id}, dedup=f"{CHECK_SCAN}:{attachment.id}")


def spec_of(opened: Opened, key: str) -> Spec:
    """What the definition says about the attachment ``key``; NotFound if it has none."""
    spec = next((a for a in opened.definition.attachments if a.key == key), None)
    if spec is None:
        raise NotFound(_("申报表里没有这一项附件。请刷新页面，从页面上的按钮上传。"))
    return spec


def refuse_change(opened: Opened, spec: Spec) -> None:
    """Raise why files under ``spec`` cannot be added or removed now; return if they can."""
    declaration, user = opened.declaration, opened.user
    if not rules.can_see(user, declaration):
        raise NotFound(_("没有找到这件申报。它可能已被删除，请从“我的申报”重新打开。"))
    if not opened.own:
        raise Refused(_("附件由申报企业自己上传和更换。要企业改的，请退回并写明原因。"))
    if spec.stage == "stamp":
        if opened.step is None or opened.step.kind != "stamp" or spec.step not in (None, opened.step.key):
            raise Conflict(_("现在不在盖章这一步，不能上传或更换盖章材料。轮到这一步时会发消息提醒您。"))
        return
    refusal = rules.refuse_edit(user, declaration)
    if refusal:
        raise Conflict(refusal)
    if not rules.is_open_path(declaration, f"@{spec.key}"):
        raise Conflict(_("“%(label)s”这次没有退回，不用修改。只需要改页面上标出来的几处。", label=spec.label))


def _refuse_too_many(opened: Opened, spec: Spec, present: int) -> None:
    if present >= spec.max_files:
        raise InvalidInput(
            _(
                "“%(label)s”最多 %(n)s 个文件，现在已有 %(n)s 个。请先移除一个，再上传。",
                label=spec.label,
                n=spec.max_files,
            )
        )


def _refuse_too_much(opened: Opened, added: int) -> None:
    limit = int(opened.params.get("max_total_mb") or MAX_TOTAL_MB)
    total = sum(a.size for a in opened.attachments) + added
    if total > limit * MIB:
        raise TooLarge(
            _("一件申报的全部附件不能超过 %(n)s MB，加上这个文件有 %(now)s MB。请降低扫描分辨率后再传。",
              n=limit, now=-(-total // MIB))
        )  # fmt: skip


def clean_name(filename: str, spec: Spec) -> tuple[str, str]:
    """The name to show and the format it stands for. InvalidInput if it ends with none that ``spec`` allows.

    NFC, no folders, no control characters or signs that turn the writing direction, at most 200 characters.
    """
    bare = unicodedata.normalize("NFC", filename).replace("\\", "/").rsplit("/", 1)[-1].translate(_UNSEEN)
    name = clean_text(bare).strip(". ")
    kind = next((f for f in spec.formats if name.lower().endswith(ENDINGS[f])), None)
    if kind is None:
        endings = _("或").join(e for f in spec.formats for e in ENDINGS[f])
        raise InvalidInput(
            _("文件名要以 %(endings)s 结尾，现在是“%(name)s”。请转换成要求的格式，再传。",
              endings=endings, name=name[:40] or _("没有名字"))
        )  # fmt: skip
    stem, dot, ending = name.rpartition(".")
    stem = stem.strip() or _("未命名")
    return f"{stem[: MAX_NAME - len(ending) - 1]}{dot}{ending}", kind


def remove(user: Account, attachment_id: str) -> Changed:
    """Take a file away; its row stays for the record. The same refusals as for ``upload``."""
    found = _find(attachment_id)
    with unit_of_work() as session:
        opened = Opened(session, engine.lock(session, found.declaration.public_id), user)
        attachment = next((a for a in opened.attachments if a.public_id == attachment_id), None)
        if attachment is None or not rules.can_see(user, opened.declaration):
            raise _missing()
        spec = spec_of(opened, attachment.key)
        refuse_change(opened, spec)
        attachment.removed_at = opened.declaration.saved_at = now()
        return Changed(attachment, opened.declaration.public_id, spec.stage)


def load(user: Account, attachment_id: str) -> Attachment:
    """The file's row for reading. NotFound for files of others, and for what was never filed with an office.

    The owner also sees what is uploaded but not yet submitted; an office and its experts see what was submitted.
    """
    attachment = _find(attachment_id)
    declaration = attachment.declaration
    opened = Opened(db.session, declaration, user)
    assignments = opened.assignments if "expert" in user.role_names else []
    if not rules.can_see(user, declaration, assignments):
        raise _missing()
    if not (opened.own and attachment.removed_at is None) and not _was_filed(attachment):
        raise _missing()
    return attachment


def _was_filed(attachment: Attachment) -> bool:
    return db.session.scalar(select(Attachment.id).where(Attachment.id == attachment.id, scopes.filed())) is not None


def handed_in_scans(opened: Opened) -> list[Attachment]:
    """Stamped scans that were handed in and still count. One that is only uploaded is the enterprise's own affair."""
    statement = select(Attachment).where(
        Attachment.declaration_id == opened.declaration.id, Attachment.key.in_(opened.definition.stamped_keys),
        Attachment.removed_at.is_(None), scopes.filed(),
    )  # fmt: skip
    return list(opened.session.scalars(statement.order_by(Attachment.id)).unique())


def open_file(attachment: Attachment) -> BinaryIO:
    """A seekable reader of the file's bytes."""
    return store().open(attachment.sha256)


def _find(attachment_id: str) -> Attachment:
    attachment = db.session.scalars(select(Attachment).where(Attachment.public_id == attachment_id)).unique().first()
    if attachment is None:
        raise _missing()
    return attachment


def _missing() -> NotFound:
    return NotFound(_("没有找到这个附件。它可能已经被更换或移除，请回到申报页刷新。"))


def is_filled_for(user: Account, public_id: str) -> bool:
    """Whether the file belongs to a declaration that ``user``, an official, fills in on behalf of its enterprise."""
    statement = select(Declaration).join(Attachment, Attachment.declaration_id == Declaration.id)
    found = db.session.scalars(statement.where(Attachment.public_id == public_id)).unique().first()
    return found is not None and rules.is_filling_for(user, found)
