"""What leaves the platform for a batch: the 《汇总表》 and one package with every enterprise's PDF materials.

Both list the newest submissions that the person may see. The package is made in the background and kept for some days.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from tempfile import TemporaryFile
from typing import Any, BinaryIO

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.definitions import registry
from app.definitions.schema import Definition, Document
from app.documents import sheet
from app.documents.context import label_with_unit
from app.documents.layout import display_width
from app.documents.package import safe_part, write_package
from app.documents.sheet import SheetColumn, SheetSpec, summary_note_lines, write_sheet
from app.errors import InvalidInput, NotFound
from app.extensions import db
from app.fields import registry as field_types
from app.fields.base import FieldSpec
from app.models import Account, Attachment, Batch, Declaration, Event, Job, Revision
from app.models.base import Model, now
from app.models.generated import build_projection
from app.permissions import scopes
from app.services.batch import load as load_batch
from app.services.document import Generated
from app.services.job import enqueue, job_of
from app.services.reference import lookups
from app.services.storage import KEPT_PACKAGES, add_blob, store
from app.services.unit_of_work import unit_of_work
from app.workflow import engine
from app.workflow.calendar import local_date
from app.workflow.steps import STATUS_LABELS

PACKAGE = "package"
PACKAGE_LIMIT = 1 << 40
LISTED = ("in_progress", "returned", "approved")
"""States that a summary lists unless others are chosen: handed in and still alive."""
CHOICES = ("in_progress", "returned", "approved", "rejected")
_KINDS: dict[str, sheet.Kind] = {"integer": "int", "decimal": "decimal", "percent": "decimal", "date": "date"}
_WRAPPED = frozenset({"string", "text", "region", "industry", "select", "multiselect"})
_MAX_WIDTH, _MIN_WIDTH = 16, 6

Report = Callable[[int, str | None], None]
Record = tuple[Declaration, Model]


def check_states(states: Sequence[str]) -> tuple[str, ...]:
    """The chosen states, or those that are listed by default. InvalidInput for an unknown one."""
    unknown = [s for s in states if s not in CHOICES]
    if unknown:
        known = "、".join(STATUS_LABELS[s] for s in CHOICES)
        raise InvalidInput(_("没有“%(state)s”这种状态。可以选：%(known)s。", state=unknown[0][:20], known=known))
    return tuple(dict.fromkeys(states)) or LISTED


def summary(user: Account, batch_id: str, states: Sequence[str] = ()) -> Generated:
    """The 《汇总表》 of a batch as Excel, over what ``user`` may see, with an event."""
    wanted = check_states(states)
    batch = load_batch(user, batch_id).batch
    generated = _summary(user, batch, wanted)
    with unit_of_work() as session:
        _note(session, user, batch, _("导出《汇总表》"), wanted)
    return generated


def _summary(user: Account, batch: Batch, states: Sequence[str]) -> Generated:
    definition = _definition(batch)
    document = _document(definition)
    specs = _specs(definition, document)
    records = _records(user, batch, definition, states)
    lines = [_line(number, specs, *record) for number, record in enumerate(records, 1)]
    title = f"{batch_title(definition, batch)}{document.title}"
    content = write_sheet(
        SheetSpec(
            title=title,
            columns=_columns(specs, lines),
            rows=lines,
            totals=_totals(specs, document, lines),
            note_lines=summary_note_lines(
                user.department or current_app.config["SITE_OWNER"], user.get_full_name(), user.phone or "",
                _("%(y)s年%(m)s月%(d)s日", y=_today().year, m=_today().month, d=_today().day),
            ),
            sheet_name=document.title,
        )
    )  # fmt: skip
    return Generated(f"{safe_part(title)}.xlsx", content, sheet.MIME)


def _today() -> date:
    return local_date(now())


def batch_title(definition: Definition, batch: Batch) -> str:
    """``企业培育入库（2026 年第一批）``, without saying the programme twice."""
    return batch.title if definition.title in batch.title else f"{definition.title}（{batch.title}）"


def _definition(batch: Batch) -> Definition:
    """The definition in force, its labels filled for the batch."""
    raw = registry.catalogue().get(batch.programme_key)
    return registry.resolve(raw, registry.parameters_of(raw, batch.parameters))


def _document(definition: Definition) -> Document:
    document = next((d for d in definition.documents if d.kind == "summary"), None)
    if document is None:
        raise NotFound(_("“%(title)s”没有汇总表。要看清单，请到“数据”里导出。", title=definition.title))
    return document


def _specs(definition: Definition, document: Document) -> list[FieldSpec]:
    fields = {f.key: f for _section, f in definition.fields()}
    return [fields[key] for key in document.columns]


def _records(user: Account, batch: Batch, definition: Definition, states: Sequence[str]) -> list[Record]:
    """Declarations by serial number, each with the projection of its newest revision."""
    form = build_projection(registry.catalogue().get(definition.key)).main
    statement = (
        select(Declaration, form)
        .join(form, form.declaration_id == Declaration.id)
        .where(Declaration.batch_id == batch.id, Declaration.status.in_(states), scopes.declarations(user))
        .order_by(Declaration.serial_no)
    )
    return [(declaration, row) for declaration, row in db.session.execute(statement).unique()]


def _line(number: int, specs: Sequence[FieldSpec], declaration: Declaration, row: Model) -> list[sheet.Value]:
    return [number, *(_cell(spec, getattr(row, spec.key)) for spec in specs), declaration.serial_no]


def _cell(spec: FieldSpec, value: Any) -> sheet.Value:
    """The value for Excel: numbers and dates as such, choices as their words."""
    return field_types.get(spec.type).sheet(spec, value, lookups)


def _columns(specs: Sequence[FieldSpec], lines: Sequence[Sequence[sheet.Value]]) -> list[SheetColumn]:
    """Heads with units; figures and codes stay on one line, texts wrap, so that a page holds many columns."""
    columns = [SheetColumn(_("序号"), "int", 6)]
    for index, spec in enumerate(specs, 1):
        kind, unit = _KINDS.get(spec.type, "text"), f"（{spec.unit}）" if spec.unit else ""
        label = label_with_unit(spec).removesuffix(unit)
        longest = max((_shown_width(line[index], spec) for line in lines), default=0) + 2
        body = min(longest, _MAX_WIDTH) if spec.type in _WRAPPED else longest
        # Heads run over up to three lines.
        width = max(_MIN_WIDTH, body, display_width(label) // 3 + 2)
        columns.append(SheetColumn(f"{label}\n{unit}" if unit else label, kind, width, _decimals(spec)))
    return [*columns, SheetColumn(_("受理号"), "text", 14)]


def _shown_width(value: sheet.Value, spec: FieldSpec) -> int:
    """Half-width signs of the cell as Excel shows it."""
    if isinstance(value, (int, Decimal)):
        return len(f"{value:,.{0 if spec.type == 'integer' else _decimals(spec)}f}")
    return 10 if isinstance(value, date) else max(map(display_width, str(value or "").split("\n")))


def _decimals(spec: FieldSpec) -> int:
    return 2 if spec.decimals is None else spec.decimals


def _totals(
    specs: Sequence[FieldSpec], document: Document, lines: Sequence[Sequence[sheet.Value]]
) -> list[sheet.Value]:
    """Sums of the columns that the definition names; the words 合计 stand in the first text column."""
    totals: list[sheet.Value] = [None] * (len(specs) + 2)
    for index, spec in enumerate(specs, 1):
        if spec.key in document.totals:
            numbers = [Decimal(value) for line in lines if isinstance(value := line[index], (int, Decimal))]
            total = sum(numbers, Decimal(0))
            totals[index] = int(total) if spec.type == "integer" else total
    first = next((i for i, spec in enumerate(specs, 1) if spec.type not in _KINDS), None)
    if first is not None:
        totals[first] = _("合计")
    return totals


def _note(session: Session, user: Account, batch: Batch, label: str, states: Sequence[str]) -> None:
    engine.record(
        session,
        None,
        user,
        action="export",
        label=label,
        subject=f"batch:{batch.public_id}",
        data={"states": list(states)},
    )


# -- the package ---------------------------------------------------------------------------------------------------


def request_package(user: Account, batch_id: str, states: Sequence[str] = ()) -> str:
    """Have the package made in the background, with an event; returns the job's public id.

    Asking again while it is being made gives the same job.
    """
    wanted = check_states(states)
    batch = load_batch(user, batch_id).batch
    _document(_definition(batch))
    args = {"account": user.id, "batch": batch.public_id, "states": list(wanted)}
    with unit_of_work() as session:
        job = enqueue(
            session, PACKAGE, args, account_id=user.id, note=_("正在排队"), max_tries=2,
            dedup=f"{PACKAGE}:{user.id}:{batch.id}:{'-'.join(wanted)}",
        )  # fmt: skip
        # The handler knows only its arguments, and its result names the address of the file.
        job.args = {**args, "job": job.public_id}
        _note(session, user, batch, _("导出材料包"), wanted)
        return job.public_id


@dataclass(frozen=True)
class Material:
    """One file of the package: its name inside, and which content it is."""

    name: str
    sha256: str


def build_package(account_id: int, batch_id: str, states: Sequence[str], report: Report) -> dict[str, Any]:
    """Make the package as ``account_id`` may see the batch now; gives what the job's page offers to download."""
    user = db.session.get(Account, account_id)
    if user is None or not user.is_active:
        raise NotFound(_("申请导出的账号已经停用。"))
    batch = load_batch(user, batch_id).batch
    table = _summary(user, batch, states)
    materials = list(_materials(user, batch, states))
    db.session.rollback()  # nothing stays open while files are copied

    def files() -> Iterator[tuple[str, Callable[[], BinaryIO]]]:
        for number, material in enumerate(materials):
            report(number * 100 // len(materials), _("已放入 %(n)s / %(all)s 个文件", n=number, all=len(materials)))
            yield material.name, lambda sha256=material.sha256: store().open(sha256)  # type: ignore[misc]

    with TemporaryFile() as target:
        made = write_package(target, table.content, table.name, files())
        target.seek(0)
        staged = store().stage(target, PACKAGE_LIMIT)
    store().commit(staged)
    with unit_of_work() as session:
        add_blob(session, staged.sha256, staged.size)
    name = f"{safe_part(table.name.removesuffix('.xlsx').removesuffix('汇总表'))}材料包.zip"
    report(100, _("共 %(n)s 个文件，保留 %(days)s 天。", n=len(made.names), days=KEPT_PACKAGES.days))
    return {"sha256": staged.sha256, "size": staged.size, "name": name, "files": len(made.names)}


def _materials(user: Account, batch: Batch, states: Sequence[str]) -> Iterator[Material]:
    """The stamped scan and the submitted files of every declaration, in a folder per enterprise."""
    definition = _definition(batch)
    labels = {a.key: a.label for a in definition.attachments}
    for number, (declaration, _row) in enumerate(_records(user, batch, definition, states), 1):
        folder = f"{number:03d}-{safe_part(declaration.enterprise_name or '')}"
        for key, filename, sha256 in _files_of(declaration, definition):
            ending = filename.rpartition(".")[2].lower()
            yield Material(f"{folder}/{safe_part(labels.get(key, key))}.{ending}", sha256)


def _files_of(declaration: Declaration, definition: Definition) -> list[tuple[str, str, str]]:
    """(key, name, sha256): stamped scans that were handed in, then the files of the newest revision."""
    stamped = definition.stamped_keys
    handed_in = db.session.scalars(
        select(Event.at)
        .where(Event.declaration_id == declaration.id, Event.action == "stamp")
        .order_by(Event.id.desc())
    ).first()
    files = []
    if handed_in is not None:
        scans = select(Attachment).where(
            Attachment.declaration_id == declaration.id, Attachment.key.in_(stamped), Attachment.created_at <= handed_in,
            (Attachment.removed_at.is_(None)) | (Attachment.removed_at > handed_in),
        )  # fmt: skip
        files = [(a.key, a.filename, a.sha256) for a in db.session.scalars(scans.order_by(Attachment.id)).unique()]
    content = db.session.scalars(
        select(Revision.content).where(Revision.declaration_id == declaration.id).order_by(Revision.number.desc())
    ).first()
    submitted = json.loads(content)["attachments"] if content else {}
    files += [
        (key, f["name"], f["sha256"]) for key, several in submitted.items() if key not in stamped for f in several
    ]
    return files


def finished_file(user: Account, job_id: str) -> tuple[Job, BinaryIO]:
    """The job and its file, for who asked for it. NotFound if it is not there (yet, or any more)."""
    job = job_of(user, job_id)
    if job.state != "done" or not job.result.get("sha256"):
        raise NotFound(_("这项任务还没有做好文件。请回到任务页看进度。"))
    try:
        return job, store().open(job.result["sha256"])
    except NotFound as error:
        raise NotFound(_("这个文件已经过了保留期，清理掉了。请回到批次页重新导出。")) from error
