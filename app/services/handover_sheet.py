"""The list of a hand-over as Excel, to be printed and sealed with the letter."""

from __future__ import annotations

from app.documents.package import safe_part
from app.documents.sheet import MIME, SheetColumn, SheetSpec, write_sheet
from app.models import Account, HandoverEntry
from app.services.document import Generated
from app.services.handover import load
from app.services.reference import region_name

COLUMNS = (
    SheetColumn("序号", "int", 6), SheetColumn("企业名称", width=40), SheetColumn("统一社会信用代码", width=22),
    SheetColumn("所在区县", width=18), SheetColumn("受理号", width=20),
)  # fmt: skip


def handover_sheet(user: Account, handover_id: str) -> Generated:
    """The list, with the letter's number and day once it is sent. NotFound as for ``handover.load``."""
    handover, entries = load(user, handover_id)
    rows = [_line(number, entry) for number, entry in enumerate(entries, 1)]
    title = f"{handover.batch.title}推荐名单"
    sent = (
        f"文号：{handover.doc_no}    日期：{handover.dated}"
        if handover.doc_no
        else "文号：____________    日期：____________"
    )
    spec = SheetSpec(
        title, COLUMNS, rows, note_lines=("推荐单位（公章）：____________",), subtitle=sent, sheet_name="推荐名单"
    )
    return Generated(f"{safe_part(title)}.xlsx", write_sheet(spec), MIME)


def _line(number: int, entry: HandoverEntry) -> tuple[int, str, str, str, str]:
    declaration = entry.declaration
    code, region = declaration.enterprise.credit_code or "", region_name(declaration.region_code)
    return number, entry.enterprise_name, code, region, entry.serial_no
