"""下达资金 for many declarations by one document: what waits, what is asked for, row by row, and what was allocated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import and_, select
from sqlalchemy.orm import selectinload

from app.documents.package import safe_part
from app.documents.sheet import MIME, SheetColumn, SheetSpec, write_sheet
from app.errors import Conflict, DomainError, InvalidInput, NotFound
from app.extensions import db
from app.models import Account, Allocation, Batch, Declaration, Revision
from app.permissions import scopes
from app.services.declaration import definition_of
from app.services.document import Generated
from app.services.funding import allocate, approved_amount, check_document, read_amount
from app.services.reference import region_name
from app.services.row_results import Result, is_kept, keep, row_key

MOST = 200
"""Declarations in one act."""


@dataclass(frozen=True)
class Waiting:
    """A declaration that waits for its funds. ``approved``: what it may get at most, in yuan; None if nothing says."""

    declaration: Declaration
    approved: Decimal | None


@dataclass(frozen=True)
class Wanted:
    """What one declaration is to get, in yuan. ``version``: the one that the page showed."""

    declaration: Declaration
    version: int
    amount: Decimal


@dataclass(frozen=True)
class Order:
    """The document that orders it, and the form's key."""

    doc_no: str
    dated: date
    key: str
    address: str | None = None


def waiting(user: Account, batch: Batch) -> list[Waiting]:
    """Declarations of the batch that wait for this person's allocation, by serial number; a fixed number of statements."""
    keys = [s.key for s in definition_of(batch.programme_key).route if s.kind == "fund"]
    newest = and_(Revision.declaration_id == Declaration.id, Revision.number == Declaration.revision_no)
    statement = (
        select(Declaration, Revision.content)
        .join(Revision, newest)
        .options(selectinload(Declaration.programme), selectinload(Declaration.batch))
        .where(
            Declaration.batch_id == batch.id,
            Declaration.status == "in_progress",
            Declaration.step_key.in_(keys),
            scopes.held_by(user),
        )
        .order_by(Declaration.serial_no, Declaration.id)
    )
    found = db.session.execute(statement).unique()
    return [Waiting(d, approved_amount(d.programme.definition, content)) for d, content in found]


def wanted_of(rows: Sequence[Waiting], chosen: Mapping[str, int], texts: Mapping[str, str]) -> list[Wanted]:
    """The chosen rows with the amounts that were typed (``texts`` by public id), in the order of ``rows``.

    InvalidInput by field (chosen, ``amount.<public id>``) with every fault at once; Conflict if one waits no more.
    """
    if not chosen:
        raise InvalidInput("请至少选一家企业。", fields={"chosen": "请至少选一家企业。"})
    if len(chosen) > MOST:
        sentence = f"一次最多下达 {MOST} 家，现在选了 {len(chosen)} 家。请分几次办。"
        raise InvalidInput(sentence, fields={"chosen": sentence})
    picked = [r for r in rows if r.declaration.public_id in chosen]
    if len(picked) != len(chosen):
        raise Conflict("选中的企业里有的刚被办过，什么都没有下达。请刷新后重新选。")
    wanted, errors = [], {}
    for row in picked:
        public_id = row.declaration.public_id
        try:
            wanted.append(
                Wanted(row.declaration, chosen[public_id], check_amount(texts.get(public_id, ""), row.approved))
            )
        except InvalidInput as error:
            errors[f"amount.{public_id}"] = f"{row.declaration.enterprise_name}：{error.message}"
    if errors:
        raise InvalidInput("".join(errors.values()), fields=errors)
    return wanted


def check_amount(text: str, approved: Decimal | None) -> Decimal:
    """The typed amount in yuan: at most what was approved. InvalidInput (field amount)."""
    amount = read_amount(text)
    if approved is not None and amount > approved:
        sentence = f"下达金额不能多于核定的 {approved:,.2f} 元。"
        raise InvalidInput(sentence, fields={"amount": sentence})
    return amount


def allocate_all(user: Account, wanted: Sequence[Wanted], order: Order) -> None:
    """Allocate row by row, each in a transaction of its own; what became of each is kept under ``order.key``.

    InvalidInput for the document before anything is done. The same form sent again does nothing.
    """
    check_document(order.doc_no, order.dated)
    if is_kept(user, order.key):
        return
    keep(user, order.key, "allocate", [_one(user, w, order) for w in wanted])


def _one(user: Account, wanted: Wanted, order: Order) -> Result:
    declaration = wanted.declaration
    public_id, name, serial = declaration.public_id, declaration.enterprise_name or "", declaration.serial_no or ""
    try:
        allocate(
            user, public_id, wanted.amount, order.doc_no, order.dated, version=wanted.version,
            key=row_key(order.key, public_id), address=order.address,
        )  # fmt: skip
    except Conflict as error:
        return Result(public_id, name, serial, "late", error.message)
    except DomainError as error:
        return Result(public_id, name, serial, "refused", error.message)
    return Result(public_id, name, serial, "done", f"{wanted.amount:,.2f} 元")


# -- what was allocated -------------------------------------------------------------------------------------------------


def allocated(user: Account, batch: Batch) -> list[Allocation]:
    """What was allocated in the batch, as far as ``user`` may see it, by serial number."""
    statement = (
        select(Allocation)
        .join(Declaration, Declaration.id == Allocation.declaration_id)
        .where(Declaration.batch_id == batch.id, scopes.declarations(user))
        .order_by(Declaration.serial_no, Allocation.id)
    )
    return list(db.session.scalars(statement).unique())


def total_of(amounts: Sequence[Decimal]) -> Decimal:
    """The sum in yuan, two places also for none."""
    return sum(amounts, Decimal("0.00"))


COLUMNS = (
    SheetColumn("序号", "int", 6), SheetColumn("企业名称", width=36), SheetColumn("统一社会信用代码", width=22),
    SheetColumn("所在区县", width=16), SheetColumn("受理号", width=18), SheetColumn("下达金额（元）", "decimal", 18),
    SheetColumn("文号", width=24), SheetColumn("下达日期", "date", 13),
)  # fmt: skip


def allocated_sheet(user: Account, batch: Batch) -> Generated:
    """What was allocated, as Excel: amounts are numbers, days are dates. NotFound before anything was."""
    found = allocated(user, batch)
    if not found:
        raise NotFound("这一批还没有下达资金，没有清单可以下载。")
    rows = [_line(number, a) for number, a in enumerate(found, 1)]
    total = total_of([a.amount for a in found])
    title = f"{batch.title}资金下达清单"
    spec = SheetSpec(
        title, COLUMNS, rows, totals=(None, "合计", None, None, None, total, None, None), sheet_name="资金下达"
    )
    return Generated(f"{safe_part(title)}.xlsx", write_sheet(spec), MIME)


def _line(number: int, allocation: Allocation) -> tuple[int, str, str, str, str, Decimal, str, date]:
    declaration = allocation.declaration
    return (
        number, declaration.enterprise_name or "", declaration.enterprise.credit_code or "",
        region_name(declaration.region_code), declaration.serial_no or "", allocation.amount, allocation.doc_no,
        allocation.dated,
    )  # fmt: skip
